//! Reading the records, newest first, and forgetting old ones.

use serde::{Deserialize, Serialize};

use super::{AUDIT, Act, Record, moment};
use crate::{
    access::{Action, Actor, ask, ask_given},
    groups::Group,
    model::{GroupId, Timestamp},
    refusal::ActError,
    store::{Commit, Store, StoreError},
};

/// Records looked at in one step.
const AT_ONCE: usize = 500;
/// One page looks at no more records; `next` goes on behind them.
const MOST_READ: usize = 20_000;

/// Which records to list; all fields narrow.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only this group.
    pub group: Option<GroupId>,
    /// Only these groups, for who may see no others.
    pub groups: Option<std::collections::BTreeSet<GroupId>>,
    /// By this name, or by this person with whatever token.
    pub by: Option<String>,
    /// Only this act.
    pub action: Option<Act>,
    /// About this (`case:8F2K`, or `8F2K` of any kind), or concerning this person (`member:li`).
    pub subject: Option<String>,
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only what is older than this record, for paging.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Wanted {
    fn takes(&self, record: &Record) -> bool {
        let here = |group: &GroupId| record.group.as_ref() == Some(group);
        let visible = |groups: &std::collections::BTreeSet<GroupId>| {
            record.group.as_ref().is_some_and(|group| groups.contains(group))
        };
        let by = |name: &String| {
            record.by.name == *name || record.by.person.as_ref().is_some_and(|person| person.as_str() == name)
        };
        let about = |subject: &String| {
            let member = record.member.as_ref().map(|member| format!("member:{member}"));
            [Some(&record.subject), member.as_ref()]
                .into_iter()
                .flatten()
                .any(|known| known == subject || known.split_once(':').is_some_and(|(_, id)| id == subject))
        };
        self.group.as_ref().is_none_or(here)
            && self.groups.as_ref().is_none_or(visible)
            && self.by.as_ref().is_none_or(by)
            && self.action.is_none_or(|act| act == record.action)
            && self.subject.as_ref().is_none_or(about)
    }
}

/// A record with its place in the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// What was done.
    #[serde(flatten)]
    pub record: Record,
}

/// Some records, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The records.
    pub records: Vec<Listed>,
    /// Pass it as `after` for what follows; none at the end. A page may be short, or empty, and still have one.
    pub next: Option<String>,
}

/// Records for who may read them: all, or those of the groups that a token is for.
pub async fn list(
    store: &dyn Store,
    actor: &Actor,
    group: Option<&Group>,
    mut wanted: Wanted,
) -> Result<Page, ActError> {
    match (group, actor.who.groups()) {
        // Whoever is limited to groups sees what was done in them and nothing of the whole company.
        (None, Some(groups)) => {
            ask_given(actor, Action::ReadAudit)?;
            wanted.groups = Some(groups.clone());
        }
        (group, _) => ask(actor, Action::ReadAudit, group)?,
    }
    wanted.group = group.map(|group| group.id().clone());
    Ok(read(store, &wanted).await?)
}

async fn read(store: &dyn Store, wanted: &Wanted) -> Result<Page, StoreError> {
    // Behind the last possible record of the millisecond `until`, which itself does not belong to it.
    let begin = wanted.until.map(|until| format!("{}~", moment(until)));
    let mut after = wanted.after.clone().max(begin);
    let end = wanted.since.map(|since| format!("{}~", moment(since)));
    let mut page = Page::default();
    let mut looked_at = 0;
    loop {
        let records = AUDIT.page(store, "", after.as_deref(), AT_ONCE).await?;
        let last = records.len() < AT_ONCE;
        for (id, record) in records {
            if end.as_ref().is_some_and(|end| id > *end) {
                return Ok(Page { next: None, ..page });
            }
            looked_at += 1;
            after = Some(id.clone());
            if wanted.takes(&record) {
                page.records.push(Listed { id, record });
                if page.records.len() >= wanted.limit.max(1) {
                    return Ok(Page { next: after, ..page });
                }
            }
        }
        if last {
            return Ok(page);
        }
        if looked_at >= MOST_READ {
            return Ok(Page { next: after, ..page });
        }
    }
}

/// Forgets records of before then, at most `limit`; returns how many went.
pub async fn prune(store: &dyn Store, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let end = format!("{}~", moment(before));
    let old = store.documents(AUDIT.name(), "", Some(&end), limit).await?;
    let deletes: Vec<_> = old.into_iter().map(|document| (document.collection, document.id)).collect();
    let count = deletes.len();
    if count > 0 {
        store.commit(Commit { deletes, ..Commit::default() }).await?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::{super::Entry, *};
    use crate::{
        access::{Face, Token},
        model::{MemberId, SignedDuration},
        settings::Scope,
        store::{memory::MemoryStore, transaction::transact},
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
    }

    async fn note(store: &MemoryStore, actor: &Actor, minute: i64, entry: Entry) -> Result<(), StoreError> {
        transact!(store as &dyn Store, |tx| tx.audit(actor, at(minute), entry.clone()).await?);
        Ok(())
    }

    fn token(groups: Option<&[&str]>, person: Option<&str>) -> Actor {
        let token = Token {
            name: "hr".into(),
            scopes: Some([Scope::Audit].into()),
            groups: groups.map(|groups| groups.iter().map(|id| GroupId::from(*id)).collect()),
            person: person.map(MemberId::from),
        };
        Actor::token(Arc::new(token), Face::Http)
    }

    fn subjects(page: &Page) -> Vec<&str> {
        page.records.iter().map(|listed| listed.record.subject.as_str()).collect()
    }

    async fn written() -> MemoryStore {
        let store = MemoryStore::new();
        let wang = Actor::member(&"wang".into(), &[], Face::Card);
        let case = |n: i64, group: &str| {
            Entry::case(Act::RevokeCase, &format!("C{n:03}").as_str().into())
                .within(&group.into())
                .concerning(&"li".into())
                .was(json!({"state": "open"}))
                .now(json!({"state": "revoked"}))
        };
        for n in 0..4 {
            note(&store, &wang, n / 2, case(n, if n == 3 { "g2" } else { "g" })).await.unwrap();
        }
        let month = Entry::of(Act::CloseMonth, "month", "2026-11");
        note(&store, &token(None, Some("wang")), 2, month).await.unwrap();
        note(&store, &Actor::bot(), 3, Entry::member(Act::Exempt, &"li".into())).await.unwrap();
        store
    }

    #[test]
    fn the_document_names_every_act_and_every_code() {
        let document = include_str!("../../docs/audit.md");
        let acts = Act::ALL.iter().map(|act| act.id());
        let faces = Face::ALL.iter().filter(|face| **face != Face::Bot).map(|face| face.id());
        for name in acts.chain(faces).chain(crate::refusal::Code::ALL.iter().map(|code| code.id())) {
            assert!(document.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[tokio::test]
    async fn newest_first_page_by_page_and_every_filter() {
        let store = written().await;
        let all = read(&store, &Wanted { limit: 50, ..Wanted::default() }).await.unwrap();
        assert_eq!(subjects(&all), ["month:2026-11", "case:C003", "case:C002", "case:C001", "case:C000"]);
        assert_eq!(all.next, None, "what the bot does by itself is no act of anybody");
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = read(&store, &Wanted { after, limit: 2, ..Wanted::default() }).await.unwrap();
            paged.extend(page.records);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, all.records);
        let found = async |wanted: Wanted| {
            let page = read(&store, &Wanted { limit: 50, ..wanted }).await.unwrap();
            subjects(&page).join(" ")
        };
        let none = Wanted::default;
        assert_eq!(found(Wanted { group: Some("g2".into()), ..none() }).await, "case:C003");
        assert_eq!(found(Wanted { by: Some("hr".into()), ..none() }).await, "month:2026-11");
        assert_eq!(found(Wanted { by: Some("wang".into()), ..none() }).await.split(' ').count(), 5, "his token's, too");
        assert_eq!(found(Wanted { action: Some(Act::CloseMonth), ..none() }).await, "month:2026-11");
        for subject in ["case:C001", "C001"] {
            assert_eq!(found(Wanted { subject: Some(subject.into()), ..none() }).await, "case:C001");
        }
        assert_eq!(found(Wanted { subject: Some("member:li".into()), ..none() }).await.split(' ').count(), 4);
        let span = Wanted { since: Some(at(1)), until: Some(at(2)), ..none() };
        assert_eq!(found(span).await, "case:C003 case:C002", "the end does not belong to it, the beginning does");
    }

    #[tokio::test]
    async fn a_token_of_some_groups_reads_these_and_others_nothing() {
        let store = written().await;
        let all = Wanted { limit: 50, ..Wanted::default() };
        let page = list(&store, &token(Some(&["g2"]), None), None, all.clone()).await.unwrap();
        assert_eq!(subjects(&page), ["case:C003"]);
        let page = list(&store, &token(None, None), None, all.clone()).await.unwrap();
        assert_eq!(page.records.len(), 5);
        let li = Actor::member(&"li".into(), &[], Face::Chat);
        assert!(list(&store, &li, None, all).await.is_err());
    }

    #[tokio::test]
    async fn what_is_older_than_its_retention_goes_and_the_rest_stays() {
        let store = written().await;
        assert_eq!(prune(&store, at(1), 1).await.unwrap(), 1);
        assert_eq!(prune(&store, at(1), 10).await.unwrap(), 1);
        assert_eq!(prune(&store, at(1), 10).await.unwrap(), 0);
        let left = read(&store, &Wanted { limit: 50, ..Wanted::default() }).await.unwrap();
        assert_eq!(subjects(&left), ["month:2026-11", "case:C003", "case:C002"]);
        assert_eq!(prune(&store, at(1) + SignedDuration::from_hours(24), 10).await.unwrap(), 3);
    }
}
