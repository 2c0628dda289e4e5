//! A company of five on a clock that stands still, for tests of the use cases: wang owns the group, zhao helps, boss is asked
//! in an emergency, li and qian are members.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use super::{App, Overrides};
use crate::{
    access::{Actor, Face, Token},
    accounts::Accounts,
    audit::{self, Listed, Wanted},
    card_actions::CardActions,
    cases::Sanction,
    chat_commands::CommandService,
    groups::{Group, Person},
    model::{CaseId, Channel, Clock, MemberId, Message, ShiftedClock, SignedDuration, Step, TaskId, Timestamp},
    moderation::breaker::BREAKERS,
    settings::{Scope, Settings},
    store::{Commit, Store, StoreError, TaskQuery, meanwhile::Meanwhile, transaction::transact},
    tasks::{Ask, Request},
};

/// Everything there is to act with.
pub(super) struct Bench {
    pub(super) store: Arc<Meanwhile>,
    pub(super) commands: Arc<CommandService>,
    pub(super) cards: Arc<CardActions>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) clock: Arc<ShiftedClock>,
}

pub(super) fn member(id: &str) -> MemberId {
    id.into()
}

/// A person who talks to the bot.
pub(super) fn person(id: &str) -> Actor {
    Actor::member(&member(id), &[member("boss")], Face::Chat)
}

/// A program; without scopes it may do whatever a program can.
pub(super) fn program(name: &str, scopes: Option<&[Scope]>, owner: Option<&str>) -> Actor {
    let scopes = scopes.map(|scopes| scopes.iter().copied().collect::<BTreeSet<_>>());
    let token = Token { name: name.into(), scopes, groups: None, person: owner.map(MemberId::from) };
    Actor::token(Arc::new(token), Face::Http)
}

impl Bench {
    pub(super) async fn new() -> Self {
        let clock = Arc::new(ShiftedClock::fixed("2026-05-04T10:00:00Z".parse().unwrap()));
        let store = Arc::new(Meanwhile::default());
        let text = "[escalation]\nto = [\"boss\"]\n[[api_token]]\nname = \"hr\"\nvalue = \"hr-token-0123456789\"\nperson = \"wang\"\n\
                    [[group]]\nid = \"g\"\nname = \"销售群\"\nmode = \"assisted\"\n\
                    owner = \"wang\"\nadmins = [\"zhao\"]\n";
        let settings = Settings::parse(text, "here.toml".as_ref(), None).unwrap();
        let shared: Arc<dyn Clock> = clock.clone();
        let app = App::build(settings, store.clone(), shared, Overrides::default()).await.unwrap();
        let (commands, accounts) = (app.commands.clone(), app.accounts());
        commands
            .groups
            .update(&"g".into(), |known| {
                for id in ["wang", "zhao", "li", "qian"] {
                    known.members.insert(id.into(), Person { name: format!("名{id}"), external: false });
                }
            })
            .await
            .unwrap();
        let cards = Arc::new(CardActions::new(&app.deps));
        Self { store, commands, cards, accounts, clock }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn later(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    pub(super) fn group(&self) -> Arc<Group> {
        self.commands.groups.get(&"g".into())
    }

    /// Li advertises.
    pub(super) async fn case(&self) -> CaseId {
        let message = Message::text(Channel::Http, "1", "g", "li", self.now(), "加我V信领红包");
        self.commands.moderation.handle(message, None).await.unwrap().answer.case.unwrap()
    }

    /// The owner is asked what the case is.
    pub(super) async fn asked_about(&self, case: &CaseId) -> TaskId {
        let ask = Ask::new(Request::Review);
        let case = self.store.case(case).await.unwrap().unwrap();
        let task = ask.task(&case, &case.group, self.now());
        let id = task.id.clone();
        self.store.commit(Commit { tasks: vec![task], ..Commit::default() }).await.unwrap();
        id
    }

    /// Wang mutes somebody.
    pub(super) async fn muted(&self, who: &str) {
        let what = Sanction { member: &member(who), step: Step::Mute, length: None, reason: "" };
        self.commands.cases.punish(&person("wang"), &self.group(), what).await.unwrap();
    }

    /// Too many were removed for these cases.
    pub(super) async fn breaker_opens(&self, cases: &[CaseId]) {
        let open = json!({ "open": { "since": self.now(), "why": "10 分钟内移出了 6 人", "cases": cases } });
        let breaker = BREAKERS.decode("g", open).unwrap();
        let write = async || -> Result<(), StoreError> {
            transact!(self.store.as_ref(), |tx| tx.put(BREAKERS, "g", &breaker).await?);
            Ok(())
        };
        write().await.unwrap();
    }

    /// Presses that were counted for the rules behind Li's case.
    pub(super) fn reviewed(&self) -> usize {
        self.commands.moderation.rules_shown().iter().map(|rule| rule.reviewed).sum()
    }

    pub(super) async fn task_ids(&self) -> Vec<String> {
        let tasks = self.store.tasks(&TaskQuery::default()).await.unwrap();
        tasks.into_iter().map(|task| task.id.to_string()).collect()
    }

    /// Everything on record, newest first.
    pub(super) async fn records(&self) -> Vec<Listed> {
        let reader = program("auditor", Some(&[Scope::Audit]), None);
        let wanted = Wanted { limit: 500, ..Wanted::default() };
        audit::list(self.store.as_ref(), &reader, None, wanted).await.unwrap().records
    }

    /// The same in short: what, and who.
    pub(super) async fn acts(&self) -> Vec<String> {
        let line = |listed: Listed| format!("{} {}", listed.record.action, listed.record.by.name);
        self.records().await.into_iter().map(line).collect()
    }
}
