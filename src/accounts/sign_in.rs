//! Name and password: the same words and the same time for whoever is not there, and a wait that grows with wrong tries.

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{ACCOUNTS, Account, Accounts, password, secrets, totp};
use crate::{
    model::{SignedDuration, Timestamp},
    refusal::ActError,
    store::{Collection, Commit, Name, StoreError, transaction::transact},
    zh,
};

/// The collection of failures, by the hash of the name, the address or both that they were for.
const FAILURES: Collection<Failures> = Collection::new(Name::SignInFailure);
/// Wrong tries for one name from one address that cost nothing yet.
const FREE_FOR_NAME: u32 = 5;
/// The same from wherever: many, or anybody could keep somebody out who knows their password.
const FREE_FROM_ANYWHERE: u32 = 100;
/// The same from one address, behind which a whole office may sit.
const FREE_FROM_ADDRESS: u32 = 20;
/// The first wait; it doubles with each further wrong try.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// The longest.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// So long after the last one, failures are forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);
/// Old failures forgotten at one further failure.
const SWEPT: usize = 200;

/// Wrong tries in a row; the stored document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    /// Until when nobody is let in.
    fn waits(&self, free: u32, now: Timestamp) -> Option<SignedDuration> {
        let over = self.count.checked_sub(free)?;
        let wait = (FIRST_WAIT * (1 << over.min(4))).min(LONGEST_WAIT);
        let left = wait - now.duration_since(self.last);
        left.is_positive().then_some(left)
    }
}

/// Why nobody came in.
#[derive(Debug, thiserror::Error)]
pub enum NotIn {
    /// Name, password or code are not right; which of them is not told.
    #[error("名字、密码或动态码不对。")]
    Wrong,
    /// Too many wrong tries.
    #[error("试错太多次，请 {} 后再试。", zh::length(*.0 + SignedDuration::from_secs(59)))]
    Wait(SignedDuration),
    /// The link is spent.
    #[error("{0}")]
    Link(ActError),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn key(kind: &str, of: &str) -> String {
    secrets::hash(&format!("{kind}:{of}"))
}

impl Accounts {
    /// Signs in; answers the cookie. `from` is the address it was tried from.
    pub async fn sign_in(&self, name: &str, given: &str, code: &str, from: &str) -> Result<String, NotIn> {
        let (name, now) = (name.trim(), self.clock.now());
        let tried = [
            (key("name", &format!("{name}@{from}")), FREE_FOR_NAME),
            (key("address", from), FREE_FROM_ADDRESS),
            (key("name", name), FREE_FROM_ANYWHERE),
        ];
        for (id, free) in &tried {
            let failures = FAILURES.get(self.store.as_ref(), id).await?;
            let failures = failures.filter(|failures| now.duration_since(failures.last) < FORGOTTEN);
            if let Some(left) = failures.and_then(|failures| failures.waits(*free, now)) {
                return Err(NotIn::Wait(left));
            }
        }
        let account = if name.is_empty() { None } else { ACCOUNTS.get(self.store.as_ref(), name).await? };
        let kept = account.as_ref().and_then(|account| account.password.as_deref());
        let right = password::verify(&self.hashing, given, kept).await;
        let account = account.filter(|account| right && account.disabled.is_none());
        let account = match account {
            Some(account) => self.with_code(account, code, now).await?,
            None => None,
        };
        let Some(account) = account else {
            warn!(from, "somebody failed to sign in at the console");
            self.failed(&tried.map(|(id, _)| id), now).await?;
            return Err(NotIn::Wrong);
        };
        transact!(self.store.as_ref(), |tx| tx.delete(FAILURES, &tried[0].0).await?);
        info!(account = account.name, from, "signed in at the console");
        Ok(self.begin(&account).await?)
    }

    /// With a link that signs in once.
    pub async fn sign_in_by_link(&self, code: &str) -> Result<String, NotIn> {
        let account = self.entered(code).await.map_err(NotIn::Link)?;
        Ok(self.begin(&account).await?)
    }

    /// The account, if its app's code is right, or it has no app.
    async fn with_code(&self, account: Account, code: &str, now: Timestamp) -> Result<Option<Account>, StoreError> {
        let Some(secret) = account.totp.clone() else { return Ok(Some(account)) };
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut account) = tx.get(ACCOUNTS, &account.name).await? else { return Ok(None) };
            let Some(used) = totp::taken(&secret, code, now.as_second(), account.totp_used) else { return Ok(None) };
            account.totp_used = used;
            tx.put(ACCOUNTS, &account.name, &account).await?;
            Some(account)
        }))
    }

    async fn failed(&self, ids: &[String], now: Timestamp) -> Result<(), StoreError> {
        let old = FAILURES.page(self.store.as_ref(), "", None, SWEPT).await?;
        let over = old.into_iter().filter(|(_, failures)| now.duration_since(failures.last) >= FORGOTTEN);
        let deletes: Vec<_> = over.map(|(id, _)| (FAILURES.name().to_owned(), id)).collect();
        if !deletes.is_empty() {
            self.store.commit(Commit { deletes, ..Commit::default() }).await?;
        }
        transact!(self.store.as_ref(), |tx| {
            for id in ids {
                let before = tx.get(FAILURES, id).await?.filter(|f| now.duration_since(f.last) < FORGOTTEN);
                let count = before.map_or(0, |failures| failures.count).saturating_add(1);
                tx.put(FAILURES, id, &Failures { count, last: now }).await?;
            }
        });
        Ok(())
    }
}
