//! Who may do what: one decision, the same in chat, on cards, over HTTP and on the command line.
//!
//! People act by their part in a group; a program acts with an API token, which has scopes, perhaps groups, and perhaps a
//! person it belongs to. Rules that want two people ask [`People::same`], so that a person and their token are one.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    groups::Group,
    model::{GroupId, MemberId, Role, named_enum},
    settings::{ApiToken, Scope},
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
    }
}

impl Action {
    /// What a token needs for it; `None` for what only people do.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Check => Some(Scope::Check),
            Self::WriteMessages => Some(Scope::MessagesWrite),
            Self::ReadCase => Some(Scope::CasesRead),
            Self::DecideCase => Some(Scope::CasesDecide),
            Self::PublishNotice => Some(Scope::Notices),
            Self::KeepLedger => Some(Scope::Ledger),
            Self::Punish | Self::Order | Self::AnswerAppeal | Self::JudgeReport | Self::AnswerBreaker => None,
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
}

impl From<&ApiToken> for Token {
    fn from(token: &ApiToken) -> Self {
        Self { name: token.name.clone(), scopes: token.scopes.clone(), groups: token.groups.clone() }
    }
}

/// Who wants something done.
#[derive(Clone, Copy, Debug)]
pub enum Principal<'a> {
    /// A person of the company or a customer.
    Member {
        /// Their userid.
        id: &'a MemberId,
        /// They are among those who are asked when a group's own people do not answer.
        escalation: bool,
    },
    /// A program.
    Token(&'a Token),
}

impl<'a> Principal<'a> {
    /// A person; `escalation` are those of the settings.
    pub fn member(id: &'a MemberId, escalation: &[MemberId]) -> Self {
        Self::Member { id, escalation: escalation.contains(id) }
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

/// May they? Without a group: something that concerns the whole company.
pub fn may(who: Principal<'_>, action: Action, group: Option<&Group>) -> Result<(), Denied> {
    match who {
        Principal::Member { id, escalation } => {
            let leads = group.is_some_and(|group| matches!(group.role(id), Role::Owner | Role::Admin));
            let allowed = match action {
                Action::Check => true,
                Action::WriteMessages | Action::KeepLedger => false,
                // Who is only asked in an emergency does not speak for the group.
                Action::PublishNotice => leads,
                Action::ReadCase
                | Action::DecideCase
                | Action::Punish
                | Action::Order
                | Action::AnswerAppeal
                | Action::JudgeReport
                | Action::AnswerBreaker => leads || escalation,
            };
            if allowed { Ok(()) } else { Err(Denied::Role) }
        }
        Principal::Token(token) => {
            let scope = action.scope().ok_or(Denied::OnlyPeople)?;
            let has = |scopes: &BTreeSet<Scope>| scopes.contains(&scope) || scopes.contains(&Scope::Admin);
            if !token.scopes.as_ref().is_none_or(has) {
                return Err(Denied::Scope(scope));
            }
            let here = |groups: &BTreeSet<GroupId>| group.is_some_and(|group| groups.contains(group.id()));
            if token.groups.as_ref().is_none_or(here) { Ok(()) } else { Err(Denied::Group) }
        }
    }
}

/// Whom tokens belong to.
#[derive(Clone, Debug, Default)]
pub struct People(BTreeMap<String, MemberId>);

impl People {
    /// From pairs of a token's name and its person.
    pub fn new(owners: impl IntoIterator<Item = (String, MemberId)>) -> Self {
        Self(owners.into_iter().collect())
    }
    fn person<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, MemberId::as_str)
    }
    /// Are these, as histories name them, one person? A token without a person counts as one of its own.
    pub fn same(&self, one: &str, other: &str) -> bool {
        self.person(one) == self.person(other)
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
            policy: "default".into(),
            rulebooks: Vec::new(),
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
        }
    }

    /// Rights do not depend on the mode: in a watched group everything is recorded and nothing done, whoever says so.
    #[tokio::test]
    async fn everybody_may_do_this_and_no_more_in_a_group_of_any_mode() {
        let escalation = [MemberId::from("boss")];
        let [owner, admin, boss, member] = ["owner", "admin", "boss", "li"].map(MemberId::from);
        let old = token(None, None);
        let scoped: Vec<(Scope, Token)> =
            Scope::ALL.iter().map(|scope| (*scope, token(Some(&[*scope]), None))).collect();
        let elsewhere = token(None, Some(&["g2"]));
        let mut who = vec![
            ("owner".to_owned(), Principal::member(&owner, &escalation)),
            ("admin".to_owned(), Principal::member(&admin, &escalation)),
            ("escalation".to_owned(), Principal::member(&boss, &escalation)),
            ("member".to_owned(), Principal::member(&member, &escalation)),
            ("token".to_owned(), Principal::Token(&old)),
        ];
        who.extend(scoped.iter().map(|(scope, token)| (format!("token {scope}"), Principal::Token(token))));
        who.push(("token of another group".to_owned(), Principal::Token(&elsewhere)));
        let matrix = |group: &Group| {
            let line = |(name, who): &(String, Principal<'_>)| {
                let all = Action::ALL.iter().filter(|action| may(*who, **action, Some(group)).is_ok());
                format!("{name}: {}", all.map(|action| action.id()).collect::<Vec<_>>().join(" ")).trim_end().to_owned()
            };
            who.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        let full = matrix(group(Mode::Full).await.as_ref());
        for mode in [Mode::Assisted, Mode::Watch] {
            assert_eq!(matrix(group(mode).await.as_ref()), full, "{mode}");
        }
        assert_snapshot!(full, @r"
        owner: check read_case decide_case punish order answer_appeal judge_report answer_breaker publish_notice
        admin: check read_case decide_case punish order answer_appeal judge_report answer_breaker publish_notice
        escalation: check read_case decide_case punish order answer_appeal judge_report answer_breaker
        member: check
        token: check write_messages read_case decide_case publish_notice keep_ledger
        token admin: check write_messages read_case decide_case publish_notice keep_ledger
        token check: check
        token cases:read: read_case
        token cases:decide: decide_case
        token ledger: keep_ledger
        token messages:write: write_messages
        token notices: publish_notice
        token of another group:
        ");
    }

    #[tokio::test]
    async fn a_refusal_says_what_is_missing() {
        let g = group(Mode::Full).await;
        let reads = token(Some(&[Scope::CasesRead]), Some(&["g"]));
        assert_eq!(may(Principal::Token(&reads), Action::ReadCase, Some(&g)), Ok(()));
        assert_eq!(may(Principal::Token(&reads), Action::ReadCase, None), Err(Denied::Group), "the whole company's");
        assert_eq!(may(Principal::Token(&reads), Action::KeepLedger, None), Err(Denied::Scope(Scope::Ledger)));
        assert_eq!(may(Principal::Token(&reads), Action::Punish, Some(&g)), Err(Denied::OnlyPeople));
        let li = MemberId::from("li");
        assert_eq!(may(Principal::member(&li, &[]), Action::Punish, Some(&g)), Err(Denied::Role));
    }

    #[test]
    fn a_person_and_their_token_are_one() {
        let people = People::new([("hr".to_owned(), MemberId::from("wang")), ("finance".to_owned(), "wang".into())]);
        assert!(people.same("hr", "wang") && people.same("wang", "hr") && people.same("hr", "finance"));
        assert!(people.same("pipeline", "pipeline"));
        assert!(!people.same("hr", "pipeline") && !people.same("wang", "zhao"));
    }
}
