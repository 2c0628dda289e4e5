//! Who is signed in: a cookie of 256 random bits, whose hash names the session in the store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ACCOUNTS, Account, Accounts, secrets};
use crate::{
    access::{Actor, Face},
    model::{MemberId, SignedDuration, Timestamp, same_person},
    store::{Collection, Commit, Name, StoreError, transaction::transact},
};

/// The collection of sessions, by the hash of their cookie.
const SESSIONS: Collection<Session> = Collection::new(Name::Session);
/// Without a page for so long, a session is over.
const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// In any case after so long.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);
/// That somebody is still there is written down this often.
const NOTED: SignedDuration = SignedDuration::from_mins(1);
/// Sessions that are over and forgotten at one sign-in.
const SWEPT: usize = 500;

/// One session; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// With which account; none for somebody who came through WeCom.
    account: Option<String>,
    /// Who came through WeCom.
    person: Option<MemberId>,
    /// The account's generation then.
    generation: u64,
    /// When it began.
    since: Timestamp,
    /// The last page.
    seen: Timestamp,
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen) > IDLE || now.duration_since(self.since) > LONGEST
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// As whom they act.
    pub actor: Arc<Actor>,
    /// Their name on the page.
    pub name: String,
    /// What they are.
    pub part: &'static str,
    /// Stands in every form of theirs and in nobody else's.
    pub form_token: String,
}

impl Accounts {
    /// Begins a session; answers its cookie.
    pub(super) async fn begin(&self, account: &Account) -> Result<String, StoreError> {
        self.begin_with(Some(account.name.clone()), None, account.generation).await
    }

    /// Somebody whom WeCom named comes in: with the account that is theirs, or as what they are in the groups.
    pub async fn begin_for(&self, person: &MemberId) -> Result<String, StoreError> {
        self.begin_with(None, Some(person.clone()), 0).await
    }

    async fn begin_with(
        &self,
        account: Option<String>,
        person: Option<MemberId>,
        generation: u64,
    ) -> Result<String, StoreError> {
        let (now, cookie) = (self.clock.now(), secrets::random());
        let old = SESSIONS.page(self.store.as_ref(), "", None, SWEPT).await?;
        let over = old.into_iter().filter(|(_, session)| session.is_over(now));
        let deletes: Vec<_> = over.map(|(id, _)| (SESSIONS.name().to_owned(), id)).collect();
        if !deletes.is_empty() {
            self.store.commit(Commit { deletes, ..Commit::default() }).await?;
        }
        let session = Session { account, person, generation, since: now, seen: now };
        transact!(self.store.as_ref(), |tx| tx.put(SESSIONS, &secrets::hash(&cookie), &session).await?);
        Ok(cookie)
    }

    /// Who comes with this cookie; they are there.
    pub async fn enter(&self, cookie: &str) -> Result<Option<SignedIn>, StoreError> {
        self.who(cookie, true).await
    }

    /// The same for what a page asks by itself, which does not show that anybody is there.
    pub async fn look(&self, cookie: &str) -> Result<Option<SignedIn>, StoreError> {
        self.who(cookie, false).await
    }

    async fn who(&self, cookie: &str, there: bool) -> Result<Option<SignedIn>, StoreError> {
        let (id, now) = (secrets::hash(cookie), self.clock.now());
        let Some(session) = SESSIONS.get(self.store.as_ref(), &id).await? else { return Ok(None) };
        if session.is_over(now) {
            return Ok(None);
        }
        let account = match (&session.account, &session.person) {
            (Some(name), _) => {
                let account = ACCOUNTS.get(self.store.as_ref(), name).await?;
                let same = |account: &Account| account.generation == session.generation && account.disabled.is_none();
                let Some(account) = account.filter(same) else { return Ok(None) };
                Some(account)
            }
            (None, Some(person)) => self.account_of(person).await?,
            (None, None) => return Ok(None),
        };
        if there && now.duration_since(session.seen) > NOTED {
            transact!(self.store.as_ref(), |tx| {
                if let Some(mut session) = tx.get(SESSIONS, &id).await? {
                    session.seen = now;
                    tx.put(SESSIONS, &id, &session).await?;
                }
            });
        }
        let form_token = secrets::hash(&format!("form:{cookie}"));
        Ok(Some(match (account, session.person) {
            (Some(account), _) => SignedIn {
                actor: Arc::new(self.actor(&account)),
                part: account.role.zh(),
                name: account.name,
                form_token,
            },
            (None, person) => self.person(&person.unwrap_or_else(|| MemberId::from("")), form_token),
        }))
    }

    /// Somebody without an account.
    fn person(&self, person: &MemberId, form_token: String) -> SignedIn {
        let groups = self.groups.all();
        let leads = groups.iter().any(|group| group.deciders().contains(person));
        let name = groups.iter().find_map(|group| group.known_name(person).map(ToOwned::to_owned));
        SignedIn {
            actor: Arc::new(Actor::member(person, &self.escalation, Face::Console)),
            name: name.unwrap_or_else(|| person.to_string()),
            part: if leads { "群主" } else { "成员" },
            form_token,
        }
    }

    async fn account_of(&self, person: &MemberId) -> Result<Option<Account>, StoreError> {
        let all = self.all().await?;
        Ok(all.into_iter().find(|account| {
            account.person.as_ref().is_some_and(|it| same_person(it, person)) && account.disabled.is_none()
        }))
    }

    /// The session is over.
    pub async fn leave(&self, cookie: &str) -> Result<(), StoreError> {
        let id = secrets::hash(cookie);
        transact!(self.store.as_ref(), |tx| tx.delete(SESSIONS, &id).await?);
        Ok(())
    }
}
