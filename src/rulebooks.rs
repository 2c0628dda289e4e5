//! The rules a group lives under stay what they are until everybody was told of a change and its days have passed.
//!
//! A group that picks a rulebook is told the whole of it first; nobody is punished there before.
//!
//! For each group and rulebook the version in force, and perhaps an announced one, lie in the store; the files only say what
//! shall hold. A changed file with a higher `version` becomes an announcement (`jobs::rulebook` says it) and takes effect
//! `announce_days` later, also when the bot was stopped meanwhile. One without a higher version is refused.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    groups::Configured,
    model::{GroupId, Timestamp},
    policy::rulebook::{self, Announced, Rulebook, Versions},
    settings::{Problem, Settings, TellRules, files::Kind},
    store::{Collection, Name, Store, StoreError, Task, transaction::transact},
    tasks,
};

/// The collection of versions, a document for each group and rulebook.
const RULEBOOKS: Collection<AdoptedVersion> = Collection::new(Name::Rulebook);

/// What a group lives under; the stored document, and a line of `GET /api/v1/rulebooks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdoptedVersion {
    /// Where.
    pub group: GroupId,
    /// Name of the rulebook.
    pub rulebook: String,
    /// In force, and announced.
    pub versions: Versions,
}

/// Payload of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// Name of the rulebook.
    pub rulebook: String,
    /// Its title.
    pub title: String,
    /// The version that comes, or that does not come after all.
    pub version: u32,
    /// From when; `None`: it was withdrawn.
    pub effective: Option<Timestamp>,
    /// Promised to be told so many days before.
    pub days: u32,
    /// One line a change; of the first text one line a clause.
    pub changes: Vec<String>,
    /// The group has not been told its rules before: this is the whole of them.
    #[serde(default)]
    pub first: bool,
    /// People have been told.
    #[serde(default)]
    pub told: bool,
}

impl tasks::Payload for Announcement {
    const KIND: tasks::Kind = tasks::Kind::Rulebook;
}

/// All groups' rulebooks, in memory as they are in the store.
pub struct Rulebooks {
    store: Arc<dyn Store>,
    lived: RwLock<BTreeMap<(GroupId, String), Versions>>,
    /// One change at a time, so that memory follows the store in its order.
    turn: tokio::sync::Mutex<()>,
}

impl Rulebooks {
    /// Reads them from the store.
    pub async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let lived = read(store.as_ref()).await?;
        let lived = lived.into_iter().map(|l| ((l.group, l.rulebook), l.versions)).collect();
        Ok(Self { store, lived: RwLock::new(lived), turn: tokio::sync::Mutex::default() })
    }

    /// Everything on record.
    pub fn all(&self) -> Vec<AdoptedVersion> {
        let lived = self.lived.read();
        let one = |((group, rulebook), versions): (&(GroupId, String), &Versions)| AdoptedVersion {
            group: group.clone(),
            rulebook: rulebook.clone(),
            versions: versions.clone(),
        };
        lived.iter().map(one).collect()
    }

    /// The version of a rulebook that held in a group at a moment; `None` if the group never lived under it.
    pub fn at(&self, group: &GroupId, rulebook: &str, at: Timestamp) -> Option<Arc<Rulebook>> {
        let lived = self.lived.read();
        lived.get(&(group.clone(), rulebook.to_owned())).map(|versions| Arc::new(versions.at(at).clone()))
    }

    /// When a group was told what a rulebook says, if it was.
    pub fn told_at(&self, group: &GroupId, rulebook: &str) -> Option<Timestamp> {
        self.lived.read().get(&(group.clone(), rulebook.to_owned()))?.told_at()
    }

    /// The policy that the version in force brings along.
    pub fn brings(&self, group: &GroupId, rulebook: &str) -> Option<String> {
        let lived = self.lived.read();
        lived.get(&(group.clone(), rulebook.to_owned()))?.at(Timestamp::MIN).policy.clone()
    }

    /// The version of a rulebook that comes later in a group.
    pub fn coming(&self, group: &GroupId, rulebook: &str, now: Timestamp) -> Option<Announced> {
        self.lived.read().get(&(group.clone(), rulebook.to_owned()))?.coming(now).cloned()
    }

    /// Puts the files before the groups: a rulebook a group has not lived under holds at once, a changed one is announced, one
    /// that is no longer named is forgotten. Returns whether there is something to tell, and what cannot be taken (by the
    /// rulebook's name): there the old version stays in force.
    pub async fn adopt(
        &self,
        groups: &[Configured],
        files: &BTreeMap<String, Arc<Rulebook>>,
        now: Timestamp,
    ) -> Result<(bool, BTreeMap<String, String>), StoreError> {
        let (mut news, mut refused) = (false, BTreeMap::new());
        for group in groups {
            for file in group.rulebooks.iter().filter_map(|name| files.get(name)) {
                let offered = self
                    .change(&group.id, &file.name, Some(file), |versions| {
                        let before = versions.clone();
                        let offered = versions.offer(file, now);
                        let mut tasks = Vec::new();
                        if group.tell_rules == TellRules::All && versions.is_to_be_told() {
                            tasks.push(first_text(group, versions.at(now), now));
                        }
                        match offered {
                            Ok(Some(announcement)) => {
                                tasks.push(task(group, file, announcement, &before, now));
                                (Ok(()), tasks)
                            }
                            Ok(None) => (Ok(()), tasks),
                            Err(why) => (Err(why), tasks),
                        }
                    })
                    .await?;
                match offered {
                    Some((Err(why), told)) => {
                        refused.insert(file.name.clone(), why);
                        news |= told;
                    }
                    Some((Ok(()), told)) => news |= told,
                    None => {}
                }
            }
        }
        let named =
            |(group, name): &(GroupId, String)| groups.iter().any(|g| g.id == *group && g.rulebooks.contains(name));
        let gone: Vec<_> = self.lived.read().keys().filter(|key| !named(key)).cloned().collect();
        if !gone.is_empty() {
            let _turn = self.turn.lock().await;
            transact!(self.store.as_ref(), |tx| {
                for (group, name) in &gone {
                    tx.delete(RULEBOOKS, &id(group, name)).await?;
                }
            });
            self.lived.write().retain(|key, _| !gone.contains(key));
        }
        Ok((news, refused))
    }

    /// People in the group were told that a version holds from `effective` on; false if it does not come any more.
    pub async fn told(
        &self,
        group: &GroupId,
        rulebook: &str,
        version: u32,
        effective: Timestamp,
    ) -> Result<bool, StoreError> {
        let told =
            self.change(group, rulebook, None, |versions| (versions.told(version, effective), Vec::new())).await?;
        Ok(told.is_some_and(|(told, _)| told))
    }

    /// The group was told what its rules are.
    pub async fn knows(&self, group: &GroupId, rulebook: &str, at: Timestamp) -> Result<(), StoreError> {
        self.change(group, rulebook, None, |versions| (versions.knows(at), Vec::new())).await.map(drop)
    }

    /// Makes lasting what has taken effect; answers the version in force.
    pub async fn settle(&self, group: &GroupId, rulebook: &str, now: Timestamp) -> Result<Option<u32>, StoreError> {
        let settled = self.change(group, rulebook, None, |versions| {
            versions.settle(now);
            (versions.at(now).version, Vec::new())
        });
        Ok(settled.await?.map(|(version, _)| version))
    }

    /// Does the group still wait for this version to be told or to come? Anything of `days` 0 holds already.
    pub fn is_current(&self, group: &GroupId, news: &Announcement) -> bool {
        let lived = self.lived.read();
        lived.get(&(group.clone(), news.rulebook.clone())).is_some_and(|versions| {
            if news.first {
                return versions.told_at().is_none();
            }
            let coming = versions.coming(Timestamp::MIN).map(|next| next.rulebook.version);
            let holds = versions.at(Timestamp::MIN).version;
            match news.effective {
                Some(_) => coming.unwrap_or(holds) == news.version,
                None => coming != Some(news.version),
            }
        })
    }

    /// Reads, edits and writes one document, again if somebody was faster; with the task that follows from the edit. Says
    /// what the edit said and whether there was a task; `None` if there is no document and no `first` version to begin with.
    async fn change<T>(
        &self,
        group: &GroupId,
        rulebook: &str,
        first: Option<&Rulebook>,
        edit: impl Fn(&mut Versions) -> (T, Vec<Task>),
    ) -> Result<Option<(T, bool)>, StoreError> {
        let _turn = self.turn.lock().await;
        let id = id(group, rulebook);
        let answer = transact!(self.store.as_ref(), |tx| {
            let before = tx.get(RULEBOOKS, &id).await?;
            let mut versions = match (&before, first) {
                (Some(lived), _) => lived.versions.clone(),
                (None, Some(first)) => Versions::new(first.clone()),
                (None, None) => return Ok(None),
            };
            let (said, tasks) = edit(&mut versions);
            let has_task = !tasks.is_empty();
            let lived = AdoptedVersion { group: group.clone(), rulebook: rulebook.to_owned(), versions };
            if has_task || before.as_ref() != Some(&lived) {
                tx.put(RULEBOOKS, &id, &lived).await?;
            }
            tx.add_tasks(tasks);
            (said, has_task, lived.versions)
        });
        let (said, has_task, versions) = answer;
        self.lived.write().insert((group.clone(), rulebook.to_owned()), versions);
        Ok(Some((said, has_task)))
    }
}

/// Everything on record in a store, for the bot and for commands while it is stopped.
pub async fn read(store: &dyn Store) -> Result<Vec<AdoptedVersion>, StoreError> {
    Ok(RULEBOOKS.all(store, "").await?.into_iter().map(|(_, lived)| lived).collect())
}

/// Rulebook files of the config folder that differ from what a group lives under although their version is not higher: with
/// the line that has to be changed. Shipped ones are not the admin's to number; there the old version simply stays.
pub fn unraised(
    lived: &[AdoptedVersion],
    settings: &Settings,
    files: &BTreeMap<String, Arc<Rulebook>>,
    now: Timestamp,
) -> Vec<Problem> {
    let mut problems = BTreeMap::new();
    for lived in lived {
        let picks =
            |group: &crate::settings::Group| group.id == lived.group && group.rulebook.contains(&lived.rulebook);
        if let Some(file) = files.get(&lived.rulebook)
            && settings.groups.iter().any(picks)
            && let Err(why) = lived.versions.clone().offer(file, now)
            && let Some(problem) = problem(settings, &lived.rulebook, &why)
        {
            problems.insert(&lived.rulebook, problem);
        }
    }
    problems.into_values().collect()
}

/// A refusal at its line, if the file is the admin's own.
pub fn problem(settings: &Settings, rulebook: &str, why: &str) -> Option<Problem> {
    let text = settings.files.read(Kind::Rulebook, rulebook).ok()?;
    let own = !text.shown.starts_with("内置:");
    own.then(|| Problem::new(&text.shown, Rulebook::version_line(&text.text), why))
}

fn id(group: &GroupId, rulebook: &str) -> String {
    format!("{group}/{rulebook}")
}

/// Everything that a rulebook asks of people, a line a clause.
pub fn whole(book: &Rulebook) -> Vec<String> {
    let asks = book.clauses.iter().filter(|clause| clause.statement.is_none());
    asks.map(|clause| format!("{} {}", clause.cite, clause.text)).collect()
}

/// The group is to be told what its rules are.
fn first_text(group: &Configured, book: &Rulebook, now: Timestamp) -> Task {
    let news = Announcement {
        rulebook: book.name.clone(),
        title: format!("《{}》", book.title),
        version: book.version,
        effective: Some(now),
        days: 0,
        changes: whole(book),
        first: true,
        told: false,
    };
    tasks::task(format!("rulebook-{}-{}-first-{}", group.id, book.name, now.as_millisecond()), &group.id, now, &news)
}

fn task(group: &Configured, file: &Rulebook, what: rulebook::Announcement, before: &Versions, now: Timestamp) -> Task {
    let title = format!("《{}》", file.title);
    let news = match what {
        rulebook::Announcement::Coming { version, effective, changes } => Announcement {
            rulebook: file.name.clone(),
            title,
            version,
            effective: Some(effective),
            days: file.announce_days,
            changes,
            first: false,
            told: false,
        },
        rulebook::Announcement::Withdrawn { version } => Announcement {
            rulebook: file.name.clone(),
            title,
            version,
            effective: None,
            days: 0,
            changes: Vec::new(),
            first: false,
            told: before.coming(now).is_some_and(|next| !next.told), // nobody knows of it: nothing to take back
        },
    };
    let what = if news.effective.is_some() { "" } else { "-withdrawn" };
    let id = format!("rulebook-{}-{}-{}{what}-{}", group.id, file.name, news.version, now.as_millisecond());
    tasks::task(id, &group.id, now, &news)
}
