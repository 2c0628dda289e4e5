//! Who may do what: one decision, the same in chat, on cards, over HTTP, on the command line and in the console.
//!
//! People act by their part in a group; a program acts with an API token, which has scopes, perhaps groups, and perhaps a
//! person it belongs to. Every use case takes an [`Actor`] and asks [`ask`] itself, so that an act has the same right however
//! it is wished for. Rules that want two people compare the people behind the actors ([`People`]), so that a person and
//! their token are one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::RwLock;

use crate::{
    groups::Group,
    model::{GroupId, MemberId, Role, named_enum, same_person},
    refusal::{Code, Refusal},
    settings::{ApiToken, Scope, Settings},
};

named_enum! {
    /// What somebody may want to do in a group.
    pub enum Action {
        /// See what the detector says of a text.
        Check = "check", "试判";
        /// Hand in messages of others.
        WriteMessages = "write_messages", "提交消息";
        /// Read a case of somebody else, a standing, tasks.
        ReadCase = "read_case", "查看记录";
        /// Read the unmasked words of a case; that is an act and leaves a record.
        OpenEvidence = "open_evidence", "打开原文";
        /// Say whether a case was one; take it back.
        DecideCase = "decide_case", "处理记录";
        /// Warn, mute or remove somebody.
        Punish = "punish", "处置";
        /// Exempt somebody, permit advertising, be strict, end a mute.
        Order = "order", "下达指令";
        /// Answer an appeal.
        AnswerAppeal = "answer_appeal", "处理申诉";
        /// Judge a report.
        JudgeReport = "judge_report", "处理举报";
        /// Go on after the circuit breaker, or take everything back.
        AnswerBreaker = "answer_breaker", "处理熔断";
        /// Speak to a group's members in its name.
        PublishNotice = "publish_notice", "发布通知";
        /// Settle, close and sign.
        KeepLedger = "keep_ledger", "管理台账";
        /// Read who did what.
        ReadAudit = "read_audit", "查看操作记录";
        /// Give and take the console's accounts.
        ManageAccounts = "manage_accounts", "管理账号";
    }
}

impl Action {
    /// What a token needs for it; `None` for what only people do.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Check => Some(Scope::Check),
            Self::WriteMessages => Some(Scope::MessagesWrite),
            Self::ReadCase => Some(Scope::CasesRead),
            Self::OpenEvidence | Self::DecideCase => Some(Scope::CasesDecide),
            Self::PublishNotice => Some(Scope::Notices),
            Self::KeepLedger => Some(Scope::Ledger),
            Self::ReadAudit => Some(Scope::Audit),
            Self::Punish
            | Self::Order
            | Self::AnswerAppeal
            | Self::JudgeReport
            | Self::AnswerBreaker
            | Self::ManageAccounts => None,
        }
    }
}

named_enum! {
    /// What somebody is at the console.
    pub enum AccountRole {
        /// Everything, accounts included.
        Root = "root", "超级管理员";
        /// Everything but accounts.
        Admin = "admin", "管理员";
        /// Decides about cases, appeals and reports.
        Reviewer = "reviewer", "审核员";
        /// What an owner may in their own groups.
        Owner = "owner", "群主";
        /// Reads; opening words is on record.
        Auditor = "auditor", "审计员";
        /// Only what concerns themselves.
        Member = "member", "成员";
    }
}

impl AccountRole {
    /// What an account of this role may do, in the groups that it is for.
    pub fn actions(self) -> BTreeSet<Action> {
        use Action as A;
        let only = |actions: &[Action]| actions.iter().copied().collect();
        match self {
            Self::Root => A::ALL.iter().copied().collect(),
            Self::Admin => A::ALL.iter().copied().filter(|action| *action != A::ManageAccounts).collect(),
            Self::Reviewer => only(&[
                A::Check,
                A::ReadCase,
                A::OpenEvidence,
                A::DecideCase,
                A::Punish,
                A::AnswerAppeal,
                A::JudgeReport,
            ]),
            Self::Owner => only(&[
                A::Check,
                A::ReadCase,
                A::OpenEvidence,
                A::DecideCase,
                A::Punish,
                A::Order,
                A::AnswerAppeal,
                A::JudgeReport,
                A::AnswerBreaker,
                A::PublishNotice,
            ]),
            Self::Auditor => only(&[A::Check, A::ReadCase, A::OpenEvidence, A::ReadAudit]),
            Self::Member => only(&[A::Check]),
        }
    }
}

/// An API token as far as rights go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Stands in histories.
    pub name: String,
    /// `None`: no scopes were written, so it may do everything that a token can.
    pub scopes: Option<BTreeSet<Scope>>,
    /// `None`: every group, and what concerns the whole company.
    pub groups: Option<BTreeSet<GroupId>>,
    /// Whom it belongs to.
    pub person: Option<MemberId>,
}

impl From<&ApiToken> for Token {
    fn from(token: &ApiToken) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            groups: token.groups.clone(),
            person: token.person.clone(),
        }
    }
}

/// Somebody signed in at the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Stands in histories.
    pub name: String,
    /// What it was given.
    pub actions: BTreeSet<Action>,
    /// `None`: every group, and what concerns the whole company.
    pub groups: Option<BTreeSet<GroupId>>,
    /// Whose it is in WeCom.
    pub person: Option<MemberId>,
}

/// Who wants something done.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person of the company or a customer.
    Member {
        /// Their userid.
        id: MemberId,
        /// They are among those who are asked when a group's own people do not answer.
        escalation: bool,
    },
    /// A program.
    Token(Arc<Token>),
    /// Somebody at the console.
    Account(Arc<Account>),
    /// The bot itself: what was ordered before falls due.
    Bot,
}

impl Principal {
    /// The groups it is limited to; `None`: all.
    pub fn groups(&self) -> Option<&BTreeSet<GroupId>> {
        match self {
            Self::Token(token) => token.groups.as_ref(),
            Self::Account(account) => account.groups.as_ref(),
            Self::Member { .. } | Self::Bot => None,
        }
    }
}

named_enum! {
    /// What kind of principal it is, in records.
    pub enum PrincipalKind {
        /// A person in WeCom.
        Member = "member", "成员";
        /// An API token.
        Token = "token", "令牌";
        /// An account of the console.
        Account = "account", "账号";
        /// The bot itself.
        Bot = "bot", "群管";
    }
}

named_enum! {
    /// Where an act was wished for.
    pub enum Face {
        /// Words to the bot or the app.
        Chat = "chat", "聊天";
        /// A button on a card.
        Card = "card", "卡片";
        /// A page opened from WeCom.
        Page = "page", "网页";
        /// `/api/v1`.
        Http = "http", "接口";
        /// This program's own commands, which use `/api/v1`.
        Cli = "cli", "命令行";
        /// The console.
        Console = "console", "控制台";
        /// Nowhere: the bot by itself.
        Bot = "bot", "群管";
    }
}

/// Who acts, and where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub who: Principal,
    /// Where.
    pub face: Face,
}

impl Actor {
    /// A person; `escalation` are those of the settings.
    pub fn member(id: &MemberId, escalation: &[MemberId], face: Face) -> Self {
        Self { who: Principal::Member { id: id.clone(), escalation: escalation.contains(id) }, face }
    }
    /// A program.
    pub const fn token(token: Arc<Token>, face: Face) -> Self {
        Self { who: Principal::Token(token), face }
    }
    /// The bot itself.
    pub const fn bot() -> Self {
        Self { who: Principal::Bot, face: Face::Bot }
    }
    /// As histories name it: a userid, a token's or account's name, `bot`.
    pub fn name(&self) -> &str {
        match &self.who {
            Principal::Member { id, .. } => id.as_str(),
            Principal::Token(token) => &token.name,
            Principal::Account(account) => &account.name,
            Principal::Bot => "bot",
        }
    }
    /// The person who acts, if one is known.
    pub fn person(&self) -> Option<&MemberId> {
        match &self.who {
            Principal::Member { id, .. } => Some(id),
            Principal::Token(token) => token.person.as_ref(),
            Principal::Account(account) => account.person.as_ref(),
            Principal::Bot => None,
        }
    }
    /// What kind of principal it is.
    pub const fn kind(&self) -> PrincipalKind {
        match &self.who {
            Principal::Member { .. } => PrincipalKind::Member,
            Principal::Token(_) => PrincipalKind::Token,
            Principal::Account(_) => PrincipalKind::Account,
            Principal::Bot => PrincipalKind::Bot,
        }
    }
    /// Is it this person, or their token or account?
    pub fn is(&self, member: &MemberId) -> bool {
        self.person().is_some_and(|person| same_person(person, member))
    }
    /// The member who acts for themselves; refuses programs.
    pub fn own(&self) -> Result<&MemberId, Refusal> {
        match &self.who {
            Principal::Member { id, .. } => Ok(id),
            _ => Err(self.refusal(Denied::OnlyPeople)),
        }
    }
    /// What they read who may not.
    pub fn refusal(&self, denied: Denied) -> Refusal {
        let name = self.name();
        let text = match denied {
            Denied::Scope(scope) => {
                format!("令牌 `{name}` 没有 `{scope}`（{}）权限，请在设置的 [[api_token]] 里加到 scopes", scope.zh())
            }
            Denied::Group if self.kind() == PrincipalKind::Account => "您的账号不管这个群".into(),
            Denied::Group => format!("令牌 `{name}` 只用于它的 groups 里写明的群"),
            Denied::OnlyPeople => "这件事要由人来做，令牌不能".into(),
            Denied::Role => match self.face {
                Face::Chat => "这条指令只有群主和管理员可以使用。",
                Face::Console => "您的账号没有这项权限",
                _ => "您没有权限处理",
            }
            .into(),
        };
        Refusal::new(Code::Forbidden, text)
    }
}

/// Why somebody may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It takes another part in the group.
    Role,
    /// The token lacks this scope.
    Scope(Scope),
    /// No token can do it.
    OnlyPeople,
    /// The token is for other groups.
    Group,
}

/// Was a program given this at all, whatever the group?
pub fn given(who: &Principal, action: Action) -> Result<(), Denied> {
    match who {
        Principal::Token(token) => {
            let scope = action.scope().ok_or(Denied::OnlyPeople)?;
            let has = |scopes: &BTreeSet<Scope>| scopes.contains(&scope) || scopes.contains(&Scope::Admin);
            if token.scopes.as_ref().is_none_or(has) { Ok(()) } else { Err(Denied::Scope(scope)) }
        }
        Principal::Account(account) if account.actions.contains(&action) => Ok(()),
        Principal::Bot => Ok(()),
        Principal::Account(_) | Principal::Member { .. } => Err(Denied::Role),
    }
}

/// May they? Without a group: something that concerns the whole company.
pub fn may(who: &Principal, action: Action, group: Option<&Group>) -> Result<(), Denied> {
    match who {
        Principal::Member { id, escalation } => {
            let leads = group.is_some_and(|group| matches!(group.role(id), Role::Owner | Role::Admin));
            let allowed = match action {
                Action::Check => true,
                Action::WriteMessages | Action::KeepLedger | Action::ReadAudit | Action::ManageAccounts => false,
                // Who is only asked in an emergency does not speak for the group.
                Action::PublishNotice => leads,
                Action::ReadCase
                | Action::OpenEvidence
                | Action::DecideCase
                | Action::Punish
                | Action::Order
                | Action::AnswerAppeal
                | Action::JudgeReport
                | Action::AnswerBreaker => leads || *escalation,
            };
            if allowed { Ok(()) } else { Err(Denied::Role) }
        }
        who => {
            given(who, action)?;
            let here = |groups: &BTreeSet<GroupId>| group.is_some_and(|group| groups.contains(group.id()));
            if who.groups().is_none_or(here) { Ok(()) } else { Err(Denied::Group) }
        }
    }
}

/// May they in any group, or for the whole company?
pub fn somewhere(who: &Principal, action: Action, groups: &[Arc<Group>]) -> bool {
    may(who, action, None).is_ok() || groups.iter().any(|group| may(who, action, Some(group)).is_ok())
}

/// Refuses programs that were not given this at all; which groups it is about is asked later.
pub fn ask_given(actor: &Actor, action: Action) -> Result<(), Refusal> {
    given(&actor.who, action).map_err(|denied| actor.refusal(denied))
}

/// Refuses who may not.
pub fn ask(actor: &Actor, action: Action, group: Option<&Group>) -> Result<(), Refusal> {
    may(&actor.who, action, group).map_err(|denied| actor.refusal(denied))
}

/// Whom tokens and accounts belong to, for histories, which hold names. Clones are one: whoever asks knows of new accounts.
///
/// An account counts as everybody it has ever belonged to, so that giving it to somebody else never makes one person two.
#[derive(Clone, Debug, Default)]
pub struct People {
    tokens: Arc<BTreeMap<String, MemberId>>,
    accounts: Arc<RwLock<BTreeMap<String, Vec<MemberId>>>>,
}

impl People {
    /// Whom the settings' tokens belong to.
    pub fn of(settings: &Settings) -> Self {
        let owned = |token: &ApiToken| Some((token.name.clone(), token.person.clone()?));
        Self::new(settings.api_tokens.iter().filter_map(owned))
    }

    /// From pairs of a token's name and its person.
    pub fn new(owners: impl IntoIterator<Item = (String, MemberId)>) -> Self {
        Self { tokens: Arc::new(owners.into_iter().collect()), accounts: Arc::default() }
    }
    /// The same for accounts, from now on, with everybody each has ever belonged to.
    pub fn set_accounts(&self, owners: impl IntoIterator<Item = (String, Vec<MemberId>)>) {
        *self.accounts.write() = owners.into_iter().collect();
    }
    /// Can whom a history names have been this person: by themselves, or with a token or an account of theirs?
    pub fn is(&self, name: &str, person: &MemberId) -> bool {
        name.eq_ignore_ascii_case(person.as_str())
            || self.tokens.get(name).is_some_and(|owner| same_person(owner, person))
            || self.accounts.read().get(name).is_some_and(|owners| owners.iter().any(|it| same_person(it, person)))
    }
    /// Can whom a history names be the same person as who acts now? A token or an account without a person counts as one of
    /// its own.
    pub fn same(&self, name: &str, actor: &Actor) -> bool {
        if actor.kind() != PrincipalKind::Member && name == actor.name() {
            return true;
        }
        let before = match actor.kind() {
            PrincipalKind::Account => self.accounts.read().get(actor.name()).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        actor.person().into_iter().chain(&before).any(|person| self.is(name, person))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{
        groups::{Configured, Groups},
        model::{GroupKind, Mode},
        store::memory::MemoryStore,
    };

    async fn group(mode: Mode) -> std::sync::Arc<Group> {
        let set = Configured {
            id: "g".into(),
            name: "销售群".into(),
            kind: GroupKind::Internal,
            mode,
            policy: None,
            rulebooks: Vec::new(),
            tell_rules: crate::settings::TellRules::All,
            owner: Some("owner".into()),
            admins: vec!["admin".into()],
            aliases: Vec::new(),
            bot_chat: None,
            webhook: false,
        };
        let groups = Groups::load(std::sync::Arc::new(MemoryStore::new()), vec![set]).await.unwrap();
        groups.get(&"g".into())
    }

    fn token(scopes: Option<&[Scope]>, groups: Option<&[&str]>) -> Token {
        Token {
            name: "t".into(),
            scopes: scopes.map(|scopes| scopes.iter().copied().collect()),
            groups: groups.map(|groups| groups.iter().map(|id| GroupId::from(*id)).collect()),
            person: None,
        }
    }

    /// Rights do not depend on the mode: in a watched group everything is recorded and nothing done, whoever says so.
    #[tokio::test]
    async fn everybody_may_do_this_and_no_more_in_a_group_of_any_mode() {
        let escalation = [MemberId::from("boss")];
        let [owner, admin, boss, member] = ["owner", "admin", "boss", "li"].map(MemberId::from);
        let person = |id| Actor::member(id, &escalation, Face::Chat).who;
        let program = |token: Token| Principal::Token(Arc::new(token));
        let mut who = vec![
            ("owner".to_owned(), person(&owner)),
            ("admin".to_owned(), person(&admin)),
            ("escalation".to_owned(), person(&boss)),
            ("member".to_owned(), person(&member)),
            ("token".to_owned(), program(token(None, None))),
        ];
        who.extend(Scope::ALL.iter().map(|scope| (format!("token {scope}"), program(token(Some(&[*scope]), None)))));
        who.push(("token of another group".to_owned(), program(token(None, Some(&["g2"])))));
        let account = |groups: Option<&[&str]>| {
            Principal::Account(Arc::new(Account {
                name: "kefu".into(),
                actions: [Action::ReadCase, Action::DecideCase].into(),
                groups: groups.map(|groups| groups.iter().map(|id| GroupId::from(*id)).collect()),
                person: None,
            }))
        };
        for role in AccountRole::ALL {
            let account = Account { name: "a".into(), actions: role.actions(), groups: None, person: None };
            who.push((format!("account {role}"), Principal::Account(Arc::new(account))));
        }
        who.push(("account with two rights".to_owned(), account(Some(&["g"]))));
        who.push(("account of another group".to_owned(), account(Some(&["g2"]))));
        let matrix = |group: &Group| {
            let line = |(name, who): &(String, Principal)| {
                let all = Action::ALL.iter().filter(|action| may(who, **action, Some(group)).is_ok());
                format!("{name}: {}", all.map(|action| action.id()).collect::<Vec<_>>().join(" ")).trim_end().to_owned()
            };
            who.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        let full = matrix(group(Mode::Full).await.as_ref());
        for mode in [Mode::Assisted, Mode::Watch] {
            assert_eq!(matrix(group(mode).await.as_ref()), full, "{mode}");
        }
        assert_snapshot!(full, @r"
        owner: check read_case open_evidence decide_case punish order answer_appeal judge_report answer_breaker publish_notice
        admin: check read_case open_evidence decide_case punish order answer_appeal judge_report answer_breaker publish_notice
        escalation: check read_case open_evidence decide_case punish order answer_appeal judge_report answer_breaker
        member: check
        token: check write_messages read_case open_evidence decide_case publish_notice keep_ledger read_audit
        token admin: check write_messages read_case open_evidence decide_case publish_notice keep_ledger read_audit
        token audit: read_audit
        token check: check
        token cases:read: read_case
        token cases:decide: open_evidence decide_case
        token ledger: keep_ledger
        token messages:write: write_messages
        token notices: publish_notice
        token of another group:
        account root: check write_messages read_case open_evidence decide_case punish order answer_appeal judge_report answer_breaker publish_notice keep_ledger read_audit manage_accounts
        account admin: check write_messages read_case open_evidence decide_case punish order answer_appeal judge_report answer_breaker publish_notice keep_ledger read_audit
        account reviewer: check read_case open_evidence decide_case punish answer_appeal judge_report
        account owner: check read_case open_evidence decide_case punish order answer_appeal judge_report answer_breaker publish_notice
        account auditor: check read_case open_evidence read_audit
        account member: check
        account with two rights: read_case decide_case
        account of another group:
        ");
    }

    #[tokio::test]
    async fn a_refusal_says_what_is_missing() {
        let g = group(Mode::Full).await;
        let reads = Principal::Token(Arc::new(token(Some(&[Scope::CasesRead]), Some(&["g"]))));
        assert_eq!(may(&reads, Action::ReadCase, Some(&g)), Ok(()));
        assert_eq!(may(&reads, Action::ReadCase, None), Err(Denied::Group), "the whole company's");
        assert_eq!(may(&reads, Action::KeepLedger, None), Err(Denied::Scope(Scope::Ledger)));
        assert_eq!(may(&reads, Action::Punish, Some(&g)), Err(Denied::OnlyPeople));
        let li = Actor::member(&"li".into(), &[], Face::Chat);
        assert_eq!(may(&li.who, Action::Punish, Some(&g)), Err(Denied::Role));
        assert_eq!(li.refusal(Denied::Role).text, "这条指令只有群主和管理员可以使用。");
    }

    #[test]
    fn a_person_and_their_tokens_are_one_and_a_token_named_like_a_person_is_not_that_person() {
        let people = People::new([("hr".to_owned(), MemberId::from("wang")), ("finance".to_owned(), "wang".into())]);
        let program = |name: &str, person: Option<&str>| {
            let token = Token { name: name.into(), person: person.map(MemberId::from), ..token(None, None) };
            Actor::token(Arc::new(token), Face::Http)
        };
        let (wang, zhao) = ("wang".into(), "zhao".into());
        let (hr, finance) = (program("hr", Some("wang")), program("finance", Some("wang")));
        let (wang_himself, zhao_himself) =
            (Actor::member(&wang, &[], Face::Chat), Actor::member(&zhao, &[], Face::Chat));
        for (history, actor, same) in [
            ("hr", &wang_himself, true),
            ("wang", &hr, true),
            ("hr", &finance, true),
            ("hr", &hr, true),
            ("pipeline", &program("pipeline", None), true),
            ("hr", &program("pipeline", None), false),
            ("wang", &zhao_himself, false),
            ("hr", &zhao_himself, false),
        ] {
            assert_eq!(people.same(history, actor), same, "{history} {actor:?}");
        }
        assert!(hr.is(&wang) && !hr.is(&zhao));
        assert!(!program("zhao", None).is(&zhao), "a name is not a person");
        assert!(people.is("hr", &wang) && people.is("wang", &wang) && !people.is("hr", &zhao));
        people.clone().set_accounts([("店长".to_owned(), vec![wang.clone()])]);
        assert!(people.is("店长", &wang), "an account that came later");
        assert!(people.same("店长", &hr) && !people.same("店长", &zhao_himself));
    }

    #[test]
    fn one_person_stays_one_however_they_are_spelled_and_whoever_has_their_account_now() {
        let people = People::new([("hr".to_owned(), MemberId::from("Wang"))]);
        people.set_accounts([("店长".to_owned(), vec!["zhao".into(), "WANG".into()])]);
        let account = |person: &str| {
            let (name, person) = ("店长".to_owned(), Some(person.into()));
            let account = Account { name, actions: [].into(), groups: None, person };
            Actor { who: Principal::Account(Arc::new(account)), face: Face::Console }
        };
        let wang = Actor::member(&"wang".into(), &[], Face::Card);
        for name in ["WANG", "wang", "hr", "店长"] {
            assert!(people.is(name, &"wAng".into()), "{name}");
            assert!(people.same(name, &wang), "{name}");
            assert!(people.same(name, &account("zhao")), "{name}: it was theirs before");
        }
        assert!(wang.is(&"WANG".into()) && account("Zhao").is(&"zhao".into()));
        assert!(!people.same("li", &account("zhao")) && !people.is("店长", &"li".into()));
    }
}
