//! Giving and taking accounts: each an act on record, by who may manage accounts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ACCOUNTS, Account, Accounts, at_the_machine, password, secrets, totp};
use crate::{
    access::{self, AccountRole, Action, Actor},
    audit::{Act, Entry},
    model::{GroupId, MemberId, SignedDuration, Timestamp},
    refusal::{ActError, Code, Refusal},
    store::{Collection, Name, StoreError, Tx, transaction::transact},
};

/// The collection of links, by the hash of their code.
const LINKS: Collection<Link> = Collection::new(Name::AccountLink);
/// A link to choose a password, or to come in once, stands so long; the very first one until it is used.
const LINK_LIVES: SignedDuration = SignedDuration::from_hours(24 * 3);
/// Shortest password, characters.
const SHORTEST: usize = 10;
/// Longest, bytes: hashing takes no longer for it.
const LONGEST: usize = 1024;
/// Longest name, characters.
const LONGEST_NAME: usize = 32;

/// What a one-time link is good for; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Link {
    /// For whom; none: for the first account.
    account: Option<String>,
    /// It signs in at once; otherwise it lets a password be chosen.
    #[serde(default)]
    enters: bool,
    /// Until then; none: until it is used.
    until: Option<Timestamp>,
}

/// What an account is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What it may do.
    pub role: AccountRole,
    /// Whose it is in WeCom.
    pub person: Option<MemberId>,
    /// Only these groups.
    pub groups: Option<BTreeSet<GroupId>>,
}

/// What of an account is on record.
fn stands(account: &Account) -> Value {
    json!({
        "role": account.role, "person": account.person, "groups": account.groups,
        "disabled": account.disabled.is_some(),
    })
}

fn no_account(name: &str) -> Refusal {
    Refusal::not_found(format!("没有账号「{name}」"))
}

fn entry(act: Act, account: &Account) -> Entry {
    Entry::of(act, "account", &account.name)
}

/// Why a password will not do, if so.
pub fn check_password(password: &str, name: &str) -> Result<(), Refusal> {
    if password.chars().count() < SHORTEST {
        return Err(Refusal::wrong("password", format!("密码至少 {SHORTEST} 个字")));
    }
    if password.len() > LONGEST {
        return Err(Refusal::wrong("password", "密码太长"));
    }
    let mut letters: Vec<char> = password.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 5 || password.eq_ignore_ascii_case(name) {
        return Err(Refusal::wrong("password", "这个密码太容易猜到，请换一个"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<&str, Refusal> {
    let name = name.trim();
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | '@' | ':' | '<' | '>' | '"');
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(odd) {
        return Err(Refusal::wrong("name", format!("名字 1 到 {LONGEST_NAME} 个字，不含空格和 / @ : 等符号")));
    }
    Ok(name)
}

impl Accounts {
    /// The code of the link that makes the first account; a new one each time, and the one before is void. None once there
    /// is an account.
    pub async fn setup_code(&self) -> Result<Option<String>, StoreError> {
        let code = secrets::random();
        let link = Link { account: None, enters: false, until: None };
        let before = LINKS.all(self.store.as_ref(), "").await?;
        let written = transact!(self.store.as_ref(), |tx| {
            let none = ACCOUNTS.page(tx.store(), "", None, 1).await?.is_empty();
            if none {
                for (id, _) in before.iter().filter(|(_, link)| link.account.is_none()) {
                    tx.delete(LINKS, id).await?;
                }
                tx.put(LINKS, &secrets::hash(&code), &link).await?;
            }
            none
        });
        Ok(written.then_some(code))
    }

    /// A link's account (none: the first one), if the code is good and does not sign in by itself.
    pub async fn opens(&self, code: &str) -> Result<Option<Option<String>>, StoreError> {
        let link = LINKS.get(self.store.as_ref(), &secrets::hash(code)).await?;
        let now = self.clock.now();
        let good = link.filter(|link| !link.enters && link.until.is_none_or(|until| until > now));
        match good {
            // The first account may have been made some other way.
            Some(link) if link.account.is_none() && self.any().await? => Ok(None),
            good => Ok(good.map(|link| link.account)),
        }
    }

    /// Takes a link away and answers what it was for.
    async fn spend(&self, tx: &mut Tx<'_>, code: &str, enters: bool) -> Result<Link, ActError> {
        let (id, now) = (secrets::hash(code), self.clock.now());
        let good = |link: &Link| link.enters == enters && link.until.is_none_or(|until| until > now);
        let Some(link) = tx.get(LINKS, &id).await?.filter(good) else {
            return Err(ActError::refused(Code::TooLate, "这个链接已经用过或过期，请再要一个"));
        };
        tx.delete(LINKS, &id).await?;
        Ok(link)
    }

    /// Whoever holds the link chooses a password; with the first link, a name besides. Answers the account's name.
    pub async fn choose_password(&self, code: &str, name: &str, password: &str) -> Result<String, ActError> {
        let first = match self.opens(code).await? {
            None => return Err(ActError::refused(Code::TooLate, "这个链接已经用过或过期，请再要一个")),
            Some(account) => account.is_none(),
        };
        let name = if first { check_name(name)? } else { name };
        check_password(password, name)?;
        let kept = self.kept(password).await?;
        let now = self.clock.now();
        let name = transact!(self.store.as_ref(), |tx| {
            let link = self.spend(tx, code, false).await?;
            let mut account = match &link.account {
                Some(known) => tx.get(ACCOUNTS, known).await?.ok_or_else(|| no_account(known))?,
                None => {
                    if !ACCOUNTS.page(tx.store(), "", None, 1).await?.is_empty() {
                        return Err(ActError::refused(Code::TooLate, "已经有账号了，请登录"));
                    }
                    let account = Account::new(name, AccountRole::Root, now);
                    let record = entry(Act::CreateAccount, &account).now(stands(&account));
                    tx.audit(&at_the_machine(), now, record).await?;
                    account
                }
            };
            account.password = Some(kept.clone());
            account.generation += 1;
            tx.put(ACCOUNTS, &account.name, &account).await?;
            account.name
        });
        self.learn().await?;
        Ok(name)
    }

    async fn kept(&self, chosen: &str) -> Result<String, ActError> {
        let kept = password::keep(&self.hashing, chosen).await;
        Ok(kept.ok_or_else(|| StoreError::Io("no password hash was made".into()))?)
    }

    /// Every account, for who manages them.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Account>, ActError> {
        access::ask(actor, Action::ManageAccounts, None)?;
        Ok(self.all().await?)
    }

    /// Makes an account; answers the code of the link to choose a password.
    pub async fn create(&self, actor: &Actor, name: &str, wanted: &Wanted) -> Result<String, ActError> {
        access::ask(actor, Action::ManageAccounts, None)?;
        let name = check_name(name)?;
        let (now, code) = (self.clock.now(), secrets::random());
        let person = self.spelled(wanted.person.as_ref())?;
        transact!(self.store.as_ref(), |tx| {
            if tx.get(ACCOUNTS, name).await?.is_some() {
                return Err(ActError::refused(Code::AlreadyDecided, format!("已经有账号「{name}」")));
            }
            let mut account = Account::new(name, wanted.role, now);
            account.person.clone_from(&person);
            account.groups.clone_from(&wanted.groups);
            tx.put(ACCOUNTS, name, &account).await?;
            self.put_link(tx, &code, name, false).await?;
            tx.audit(actor, now, entry(Act::CreateAccount, &account).now(stands(&account))).await?;
        });
        self.learn().await?;
        Ok(code)
    }

    /// Whom an account is for, as WeCom spells them; nobody may stand in it whom nobody knows, or one person could be two.
    fn spelled(&self, person: Option<&MemberId>) -> Result<Option<MemberId>, Refusal> {
        let Some(person) = person else { return Ok(None) };
        let known = self.groups.spelled(person);
        let unknown = || Refusal::wrong("person", format!("通讯录和群成员里没有「{person}」，请核对企业微信 userid"));
        known.map(Some).ok_or_else(unknown)
    }

    async fn put_link(&self, tx: &mut Tx<'_>, code: &str, name: &str, enters: bool) -> Result<(), StoreError> {
        let until = Some(self.clock.now() + LINK_LIVES);
        tx.put(LINKS, &secrets::hash(code), &Link { account: Some(name.to_owned()), enters, until }).await
    }

    /// Changes role, groups and person; whoever is signed in with it signs in anew.
    pub async fn change(&self, actor: &Actor, name: &str, wanted: &Wanted) -> Result<(), ActError> {
        access::ask(actor, Action::ManageAccounts, None)?;
        let before = ACCOUNTS.get(self.store.as_ref(), name).await?.and_then(|account| account.person);
        // Whose it is already may have left the company since.
        let person = if before == wanted.person { before } else { self.spelled(wanted.person.as_ref())? };
        self.edit(actor, name, Act::ChangeAccount, |account, _| {
            account.former.extend(account.person.take_if(|before| Some(&*before) != person.as_ref()));
            (account.role, account.person) = (wanted.role, person.clone());
            account.groups.clone_from(&wanted.groups);
        })
        .await
    }

    /// It cannot sign in any more, or can again.
    pub async fn disable(&self, actor: &Actor, name: &str, disabled: bool) -> Result<(), ActError> {
        self.edit(actor, name, Act::DisableAccount, |account, now| account.disabled = disabled.then_some(now)).await
    }

    /// A link to choose a new password; the old one and a set-up app are void at once.
    pub async fn reset(&self, actor: &Actor, name: &str) -> Result<String, ActError> {
        self.edit(actor, name, Act::ResetAccount, |account, _| (account.password, account.totp) = (None, None)).await?;
        let code = secrets::random();
        transact!(self.store.as_ref(), |tx| self.put_link(tx, &code, name, false).await?);
        Ok(code)
    }

    /// Reads, changes and writes one account with its record; somebody who manages accounts is always left.
    async fn edit(
        &self,
        actor: &Actor,
        name: &str,
        act: Act,
        edit: impl Fn(&mut Account, Timestamp) + Send + Sync,
    ) -> Result<(), ActError> {
        access::ask(actor, Action::ManageAccounts, None)?;
        let now = self.clock.now();
        let manages = |account: &Account| account.role == AccountRole::Root && account.disabled.is_none();
        transact!(self.store.as_ref(), |tx| {
            let mut others = 0;
            for (other, _) in ACCOUNTS.all(tx.store(), "").await? {
                // Read once more to hold on to it: somebody else may be taking it away at this moment.
                others += usize::from(other != name && tx.get(ACCOUNTS, &other).await?.is_some_and(|it| manages(&it)));
            }
            let mut account = tx.get(ACCOUNTS, name).await?.ok_or_else(|| no_account(name))?;
            let before = account.clone();
            edit(&mut account, now);
            if others == 0 && manages(&before) && !manages(&account) {
                return Err(ActError::refused(Code::WrongState, "这是最后一个超级管理员，请先另设一个"));
            }
            account.generation += 1;
            tx.put(ACCOUNTS, name, &account).await?;
            tx.audit(actor, now, entry(act, &account).was(stands(&before)).now(stands(&account))).await?;
        });
        self.learn().await?;
        Ok(())
    }

    /// Makes an account with every right and answers the code of a link that signs in with it once; for a demo, whose people
    /// are nobody's.
    pub async fn demo(&self, name: &str, person: &MemberId) -> Result<String, ActError> {
        let now = self.clock.now();
        let code = secrets::random();
        transact!(self.store.as_ref(), |tx| {
            if tx.get(ACCOUNTS, name).await?.is_none() {
                let account = Account { person: Some(person.clone()), ..Account::new(name, AccountRole::Root, now) };
                tx.put(ACCOUNTS, name, &account).await?;
            }
            self.put_link(tx, &code, name, true).await?;
        });
        self.learn().await?;
        Ok(code)
    }

    /// Whom a link signs in at once.
    pub(super) async fn entered(&self, code: &str) -> Result<Account, ActError> {
        Ok(transact!(self.store.as_ref(), |tx| {
            let link = self.spend(tx, code, true).await?;
            let name = link.account.unwrap_or_default();
            tx.get(ACCOUNTS, &name).await?.ok_or_else(|| no_account(&name))?
        }))
    }

    /// Somebody's own account.
    pub async fn own(&self, actor: &Actor) -> Result<Option<Account>, StoreError> {
        ACCOUNTS.get(self.store.as_ref(), actor.name()).await
    }

    /// Whoever shows that they know the password and a code of the app signs in with both from now on; an empty secret
    /// takes the app away.
    pub async fn set_totp(&self, actor: &Actor, known: &str, secret: &str, code: &str) -> Result<(), ActError> {
        let name = actor.name();
        let account = self.own(actor).await?.ok_or_else(|| no_account(name))?;
        if !password::verify(&self.hashing, known, account.password.as_deref()).await {
            return Err(Refusal::wrong("password", "密码不对").into());
        }
        let now = self.clock.now();
        let used = if secret.is_empty() {
            0
        } else {
            let taken = totp::taken(secret, code, now.as_second(), 0);
            taken.ok_or_else(|| Refusal::wrong("code", "动态码不对，请看一看手机的时间是否准确"))?
        };
        transact!(self.store.as_ref(), |tx| {
            let mut account = tx.get(ACCOUNTS, name).await?.ok_or_else(|| no_account(name))?;
            (account.totp, account.totp_used) = (Some(secret.to_owned()).filter(|s| !s.is_empty()), used);
            tx.put(ACCOUNTS, name, &account).await?;
        });
        Ok(())
    }

    /// A new password for whoever knows the old one. Every session with it is over.
    pub async fn change_password(&self, actor: &Actor, known: &str, chosen: &str) -> Result<(), ActError> {
        let name = actor.name();
        let account = self.own(actor).await?.ok_or_else(|| no_account(name))?;
        check_password(chosen, name)?;
        if !password::verify(&self.hashing, known, account.password.as_deref()).await {
            return Err(Refusal::wrong("password", "原来的密码不对").into());
        }
        let kept = self.kept(chosen).await?;
        transact!(self.store.as_ref(), |tx| {
            let mut account = tx.get(ACCOUNTS, name).await?.ok_or_else(|| no_account(name))?;
            account.password = Some(kept.clone());
            account.generation += 1;
            tx.put(ACCOUNTS, name, &account).await?;
        });
        Ok(())
    }
}
