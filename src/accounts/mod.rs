//! Accounts of the console: who has one, what they may do, how they sign in.
//!
//! The first start without an account prints one line with a link; whoever opens it chooses a name and a password and has every
//! right. Everybody else gets a link from them, and chooses a password of their own. Nobody ever knows the password of
//! somebody else, and there is none to begin with. Colleagues without an account come in through WeCom and may what they
//! are in their groups.
//!
//! Passwords are kept as argon2id, codes and cookies of 256 random bits as their SHA-256. A session ends half an hour after the
//! last page, after twelve hours in any case, and at once when the account's rights or its password change.

mod manage;
mod password;
mod secrets;
mod sessions;
mod sign_in;
#[cfg(unix)]
pub mod socket;
#[cfg(test)]
mod tests;
pub mod totp;

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

pub use self::{
    manage::{Wanted, check_password},
    sessions::{Session, SignedIn},
    sign_in::NotIn,
};
use crate::{
    access::{self, AccountRole, Actor, Face, People, Principal},
    groups::Groups,
    model::{Clock, GroupId, MemberId, Timestamp, same_person},
    store::{Collection, Name, Store, StoreError},
};

/// The collection of accounts, by name.
const ACCOUNTS: Collection<Account> = Collection::new(Name::Account);

/// One account; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// As it signs in, and as histories name it.
    pub name: String,
    /// What it may do.
    pub role: AccountRole,
    /// Whose it is in WeCom; where two people are wanted, this person and the account are one.
    #[serde(default)]
    pub person: Option<MemberId>,
    /// Whose it was before, all of them: what they did with it stays theirs.
    #[serde(default)]
    former: BTreeSet<MemberId>,
    /// Only for these groups; none: for all, or for an owner, those that the person leads.
    #[serde(default)]
    pub groups: Option<BTreeSet<GroupId>>,
    /// The password's argon2id; none until one was chosen.
    #[serde(default)]
    password: Option<String>,
    /// The secret of the app that shows codes, if one was set up.
    #[serde(default)]
    totp: Option<String>,
    /// The last code's number: no code is taken twice.
    #[serde(default)]
    totp_used: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Since when it cannot sign in.
    #[serde(default)]
    pub disabled: Option<Timestamp>,
    /// Rises whenever rights or password change; sessions of before then are over.
    #[serde(default)]
    generation: u64,
}

impl Account {
    fn new(name: &str, role: AccountRole, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            role,
            person: None,
            former: BTreeSet::new(),
            groups: None,
            password: None,
            totp: None,
            totp_used: 0,
            created: now,
            disabled: None,
            generation: 0,
        }
    }
    /// A password was chosen.
    pub const fn has_password(&self) -> bool {
        self.password.is_some()
    }
    /// Signing in takes a code besides the password.
    pub const fn has_totp(&self) -> bool {
        self.totp.is_some()
    }
}

/// The use case.
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    groups: Arc<Groups>,
    people: People,
    escalation: Vec<MemberId>,
    hashing: Arc<Semaphore>,
}

/// Passwords that are looked at side by side in this process, however many wait.
static HASHING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));

impl Accounts {
    /// Reads whose accounts there are.
    pub async fn load(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        groups: Arc<Groups>,
        people: People,
        escalation: Vec<MemberId>,
    ) -> Result<Self, StoreError> {
        let accounts = Self { store, clock, groups, people, escalation, hashing: HASHING.clone() };
        accounts.learn().await?;
        Ok(accounts)
    }

    /// Tells whoever compares people whose the accounts are.
    async fn learn(&self) -> Result<(), StoreError> {
        let all = self.all().await?;
        let owners = |account: Account| (account.name, account.person.into_iter().chain(account.former).collect());
        self.people.set_accounts(all.into_iter().map(owners));
        Ok(())
    }

    /// Every account, by name.
    async fn all(&self) -> Result<Vec<Account>, StoreError> {
        let all = ACCOUNTS.all(self.store.as_ref(), "").await?;
        Ok(all.into_iter().map(|(_, account)| account).collect())
    }

    /// Is there one at all?
    pub async fn any(&self) -> Result<bool, StoreError> {
        Ok(!ACCOUNTS.page(self.store.as_ref(), "", None, 1).await?.is_empty())
    }

    /// The account as it acts.
    fn actor(&self, account: &Account) -> Actor {
        let led = |person: &MemberId| {
            let all = self.groups.all();
            let theirs = all.iter().filter(|group| group.deciders().iter().any(|it| same_person(it, person)));
            theirs.map(|group| group.id().clone()).collect::<BTreeSet<_>>()
        };
        let groups = match (account.role, &account.groups) {
            (AccountRole::Owner, None) => Some(account.person.as_ref().map(led).unwrap_or_default()),
            (_, groups) => groups.clone(),
        };
        let who = access::Account {
            name: account.name.clone(),
            actions: account.role.actions(),
            groups,
            person: account.person.clone(),
        };
        Actor { who: Principal::Account(Arc::new(who)), face: Face::Console }
    }
}

/// Who sits at the machine itself, and may therefore do everything.
pub fn at_the_machine() -> Actor {
    let who =
        access::Account { name: "命令行".into(), actions: AccountRole::Root.actions(), groups: None, person: None };
    Actor { who: Principal::Account(Arc::new(who)), face: Face::Cli }
}
