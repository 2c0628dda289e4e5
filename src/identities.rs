//! Who speaks to the smart bot. WeCom encrypts the userids that it gives to a bot, unless a super administrator (超级管理员)
//! created that bot; the app can ask who is behind one, for people in its visible range. What was learned is kept, so that each
//! is asked about once.
//!
//! Whoever cannot be told is nobody: their words are not judged, no command of theirs is carried out, and `/readyz` says why
//! and what the company has to do.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    contacts::Contacts,
    groups::Groups,
    groups::looks_external,
    health::Check,
    model::{Clock, MemberId, SignedDuration, Timestamp},
    store::{Collection, Name, Store, StoreError, transaction::transact},
    wecom::client::{Client, ClientError},
};

/// What was learned, by the id that the bot was given.
const IDENTITIES: Collection<Identity> = Collection::new(Name::Identity);
/// WeCom waits five seconds for the answer to a callback.
const WITHIN: Duration = Duration::from_secs(2);
/// After a failure the same id is asked about again after so long.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Whoever is not known reads why once in so long.
const HINT_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// A failure is told on `/readyz` for so long, unless the same id is known sooner.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Failures remembered at most.
const MOST: usize = 1000;
/// So many are asked about again at a look.
const AT_ONCE: usize = 20;
/// `user/get`: there is nobody of that name.
const NOBODY: i64 = 60111;
/// `user/get`: there is, outside the app's visible range.
const OUT_OF_RANGE: i64 = 60011;

/// Somebody the bot heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    /// Their userid in the company.
    userid: MemberId,
    /// When WeCom told.
    at: Timestamp,
}

/// An id of which nobody could say whose it is.
#[derive(Clone, Debug)]
struct Stranger {
    /// When it was asked about last.
    asked: Timestamp,
    /// Why nobody could say.
    why: Why,
    /// When they were told last.
    told: Option<Timestamp>,
}

/// Why nobody can say whose an id is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// The company has to change something.
    Hidden(&'static str),
    /// The question came to nothing; it is asked again.
    Trouble(String),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hidden(why) => f.write_str(why),
            Self::Trouble(why) => f.write_str(why),
        }
    }
}

/// Tells who is behind the ids that the bot is given.
pub struct Identities {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    contacts: Arc<Contacts>,
    groups: Arc<Groups>,
    client: Option<Arc<Client>>,
    strangers: Mutex<BTreeMap<String, Stranger>>,
}

impl Identities {
    /// `client` is the app's; without it plain ids are taken as they come and encrypted ones stay unknown.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        contacts: Arc<Contacts>,
        groups: Arc<Groups>,
        client: Option<Arc<Client>>,
    ) -> Self {
        Self { store, clock, contacts, groups, client, strangers: Mutex::default() }
    }

    /// The member behind an id that the bot was given; `None` while nobody can tell.
    pub async fn member(&self, id: &str) -> Result<Option<MemberId>, StoreError> {
        let plain = MemberId::from(id);
        if self.is_colleague(&plain) || self.groups.has_somewhere(&plain) {
            return Ok(Some(plain));
        }
        let known = IDENTITIES.get(self.store.as_ref(), id).await?;
        // Whoever is in the address book under another id by now has changed it.
        if let Some(known) = known.filter(|known| known.userid == plain || self.is_colleague(&known.userid)) {
            return Ok(Some(known.userid));
        }
        let now = self.clock.now();
        if self.strangers.lock().get(id).is_some_and(|s| now.duration_since(s.asked).abs() < AGAIN) {
            return Ok(None);
        }
        match self.ask(id).await {
            Ok(userid) => {
                let identity = Identity { userid, at: now };
                transact!(self.store.as_ref(), |tx| tx.put(IDENTITIES, id, &identity).await?);
                self.strangers.lock().remove(id);
                Ok(Some(identity.userid))
            }
            Err(why) => {
                tracing::warn!(?why, "nobody can tell who spoke to the bot; nothing is judged or done for them");
                metrics::counter!("qunguan_bot_strangers_total").increment(1);
                self.remember(id, why, now);
                Ok(None)
            }
        }
    }

    /// Whether to tell whoever is behind this id that they are not known; true once a minute.
    pub fn hint_is_due(&self, id: &str) -> bool {
        let now = self.clock.now();
        let mut strangers = self.strangers.lock();
        let Some(stranger) = strangers.get_mut(id) else { return false };
        let due = stranger.told.is_none_or(|told| now.duration_since(told).abs() >= HINT_EVERY);
        if due {
            stranger.told = Some(now);
        }
        due
    }

    /// What `/readyz` says under `name` while somebody is not known. Whose look-up went wrong is asked about again, so that
    /// nothing is said any more at the next look if it goes well.
    pub fn check(self: &Arc<Self>, name: &str) -> Option<Check> {
        let now = self.clock.now();
        let fresh: Vec<(String, Stranger)> = {
            let strangers = self.strangers.lock();
            let fresh = strangers.iter().filter(|(_, s)| now.duration_since(s.asked).abs() < TOLD_FOR);
            fresh.map(|(id, stranger)| (id.clone(), stranger.clone())).collect()
        };
        let newest = |wanted: fn(&Why) -> bool| {
            let some: Vec<&Stranger> = fresh.iter().map(|(_, s)| s).filter(|s| wanted(&s.why)).collect();
            some.iter().max_by_key(|stranger| stranger.asked).map(|stranger| (some.len(), stranger.why.clone()))
        };
        let hidden = newest(|why| matches!(why, Why::Hidden(_)));
        let trouble = newest(|why| matches!(why, Why::Trouble(_)));
        if trouble.is_some() {
            self.ask_again(fresh.iter().filter(|(_, s)| matches!(s.why, Why::Trouble(_))).map(|(id, _)| id.clone()));
        }
        let unknown = "没有判断他们的话，也没有执行他们的指令";
        let said = [
            hidden.map(|(count, why)| {
                format!(
                    "智能机器人认不出 {count} 个人的账号，{unknown}（{why}）。\
                     请由超级管理员创建智能机器人，或让应用的可见范围包含所有群成员"
                )
            }),
            trouble.map(|(count, why)| {
                format!("智能机器人查 {count} 个人的账号时出错，正在自动重试；查到之前{unknown}（{why}）")
            }),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| Check::lacking(name, said.join("；")))
    }

    /// Asks in the background about some, unless that was done just now.
    fn ask_again(self: &Arc<Self>, ids: impl Iterator<Item = String>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (this, ids) = (self.clone(), ids.take(AT_ONCE).collect::<Vec<_>>());
        runtime.spawn(async move {
            for id in ids {
                if let Err(error) = this.member(&id).await {
                    tracing::warn!(%error, "somebody could not be asked about again");
                    return;
                }
            }
        });
    }

    fn is_colleague(&self, id: &MemberId) -> bool {
        self.contacts.book().people.contains_key(id)
    }

    fn remember(&self, id: &str, why: Why, now: Timestamp) {
        let mut strangers = self.strangers.lock();
        if strangers.len() >= MOST {
            strangers.retain(|_, s| now.duration_since(s.asked).abs() < TOLD_FOR);
        }
        if strangers.len() >= MOST && !strangers.contains_key(id) {
            strangers.pop_first();
        }
        let told = strangers.get(id).and_then(|stranger| stranger.told);
        strangers.insert(id.to_owned(), Stranger { asked: now, why, told });
    }

    /// The userid behind an id, or why it cannot be had.
    async fn ask(&self, id: &str) -> Result<MemberId, Why> {
        let Some(client) = &self.client else {
            let encrypted = looks_external(&MemberId::from(id));
            return if encrypted {
                Err(Why::Hidden("没有配置自建应用，查不到账号"))
            } else {
                Ok(id.into())
            };
        };
        let asked = tokio::time::timeout(WITHIN, look_up(client, id)).await;
        asked.unwrap_or_else(|_| Err(Why::Trouble("企业微信没有及时应答".into())))
    }
}

async fn look_up(client: &Client, id: &str) -> Result<MemberId, Why> {
    let refused = |error: ClientError| Why::Trouble(error.to_string());
    let pairs = client.userids_of(&[id]).await.map_err(refused)?;
    if let Some((_, userid)) = pairs.into_iter().find(|(open, userid)| open == id && !userid.is_empty()) {
        return Ok(userid.into());
    }
    // Plain already, or somebody whom the app may not see.
    match client.user_name(id).await {
        Ok(_) => Ok(id.into()),
        Err(error) => match error.code() {
            // An encrypted id is nobody's userid, whatever the answer.
            Some(OUT_OF_RANGE) if !looks_external(&id.into()) => Ok(id.into()),
            Some(OUT_OF_RANGE) => Err(Why::Hidden("不在应用的可见范围内")),
            Some(NOBODY) => Err(Why::Hidden("不在应用的可见范围内")),
            _ => Err(refused(error)),
        },
    }
}
