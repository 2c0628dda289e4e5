//! A button on a card was pressed: by the member it warned, by the owner it asked, by a reviewer.
//!
//! Recorded first, shown second: the answer is the short text that the buttons turn into. Who may not decide is told so and
//! nothing changes. A press that WeCom delivers three times does one thing. What a button means is here; what follows from it
//! is in `cases/`, `orders/` and `notices/`.

use std::sync::Arc;

use crate::{
    access::{Actor, Face},
    cases::{
        Answered, Cases, RequestAnswer,
        allow::Where,
        appeal::RefusedBecause,
        report::{Followed, ReportState},
    },
    chat_commands::words,
    deps::Deps,
    groups::Groups,
    model::{CaseId, Clock, MemberId, TaskId, Timestamp},
    moderation::Moderation,
    notices::{Notices, answer::Pressed, outgoing::Counter},
    orders::Orders,
    refusal::{ActError, Refusal},
    store::{CaseState, Store, StoreError},
    tasks::CardId,
};

/// The buttons.
pub struct CardActions {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Rung after a press.
    pub moderation: Arc<Moderation>,
    /// What people decide about violations.
    pub cases: Arc<Cases>,
    /// What they order for a time.
    pub orders: Arc<Orders>,
    /// Notices.
    pub notices: Arc<Notices>,
    /// Who may decide besides the group's own people.
    pub escalation: Vec<MemberId>,
}

impl CardActions {
    /// On what the whole program works with.
    pub fn new(deps: &Deps) -> Self {
        Self {
            store: deps.store.clone(),
            clock: deps.clock.clone(),
            groups: deps.groups.clone(),
            moderation: deps.moderation.clone(),
            cases: deps.cases.clone(),
            orders: deps.orders.clone(),
            notices: deps.notices.clone(),
            escalation: deps.escalation.clone(),
        }
    }
}

/// What becomes of a card whose button was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Its buttons turn into these words, for the person who pressed.
    Label(String),
    /// It shows the new count to everybody, with its button.
    Count(Counter),
    /// Nothing.
    AsBefore,
}

impl CardActions {
    /// Handles a press that was made at `at`, as WeCom says.
    pub async fn press(&self, by: &MemberId, card: &str, key: &str, at: Timestamp) -> Result<Shown, StoreError> {
        // A clock of theirs that is ahead of ours makes nobody late.
        let at = at.min(self.clock.now());
        let actor = Actor::member(by, &self.escalation, Face::Card);
        match self.pressed(&actor, card, key, at).await {
            Ok(shown) => Ok(shown),
            Err(ActError::Refused(refusal)) => Ok(Shown::Label(refusal.text)),
            Err(ActError::Store(error)) => Err(error),
        }
    }

    async fn pressed(&self, actor: &Actor, card: &str, key: &str, at: Timestamp) -> Result<Shown, ActError> {
        if let Some(pressed) = self.notices.press(key, actor, at).await? {
            let shown = match pressed {
                Pressed::Settled(label) => Shown::Label(label),
                Pressed::Counted(counter) => Shown::Count(counter),
                Pressed::Told(text) => {
                    self.notices.hint(key, actor.own()?, at, text).await?;
                    Shown::AsBefore
                }
            };
            self.moderation.ring();
            return Ok(shown);
        }
        let label = match CardId::parse(card) {
            Some(CardId::Warning(case)) => self.on_warning(actor, &case, key).await?,
            Some(CardId::Request(task)) => self.on_request(actor, &task, key).await?,
            Some(CardId::Appeal(case)) => self.on_appeal(actor, &case, key).await?,
            Some(CardId::Breaker(task)) => self.on_breaker(actor, &task, key).await?,
            Some(CardId::Report(report)) => self.on_report(actor, &report, key).await?,
            Some(CardId::Allow(case)) => self.on_allow(actor, &case, key).await?,
            Some(CardId::News(case)) => self.on_news(actor, &case, key).await?,
            None => return Err(gone().into()),
        };
        Ok(Shown::Label(label))
    }

    async fn on_warning(&self, actor: &Actor, case: &CaseId, key: &str) -> Result<String, ActError> {
        Ok(match key {
            "appeal" => self.cases.open_appeal(actor, case, "").await?.label.into(),
            "false_alarm" => self.cases.open_appeal(actor, case, "本人认为是误报").await?.label.into(),
            "needed" => self.cases.needed_for_work(actor, case).await.map(|()| "已告知管理者".into())?,
            _ => self.cases.read_warning(actor, case).await.map(|()| "已知晓，谢谢".into())?,
        })
    }

    async fn on_request(&self, actor: &Actor, task: &TaskId, key: &str) -> Result<String, ActError> {
        let answer = match key {
            "done" => RequestAnswer::Done,
            "warn" => RequestAnswer::OnlyWarn,
            "confirm" => RequestAnswer::Confirm,
            "wrong" => RequestAnswer::Wrong,
            _ => return Err(gone().into()),
        };
        Ok(match self.cases.answer_request(actor, task, answer).await? {
            Answered::Done => "已反馈，正在核实".into(),
            Answered::OnlyWarned => "已改为警告".into(),
            Answered::Confirmed(cases) => match &cases[..] {
                [(case, step)] => format!("已确认违规，{}（{case}）", step.zh()),
                cases => format!("已确认违规，{} 人按群规处理", cases.len()),
            },
            Answered::Misjudged => "已记为误判并撤销".into(),
        })
    }

    async fn on_appeal(&self, actor: &Actor, case: &CaseId, key: &str) -> Result<String, ActError> {
        if self.cases.appeal(case).await?.is_none() {
            return Err(gone().into());
        }
        let upheld = key == "uphold";
        let why = key.parse::<RefusedBecause>().map_or("", RefusedBecause::zh);
        self.cases.answer_appeal(actor, case, upheld, why).await?;
        Ok(words::appeal_answered(case, upheld))
    }

    async fn on_breaker(&self, actor: &Actor, task: &TaskId, key: &str) -> Result<String, ActError> {
        let Some(task) = self.store.task(task).await? else { return Err(gone().into()) };
        let group = self.groups.get(&task.group);
        match key {
            "undo" => self.orders.undo_breaker(actor, &group).await.map(words::undone),
            _ => self.orders.resume_breaker(actor, &group).await.map(|()| words::resumed()),
        }
    }

    /// Whether words that were harmless pass from now on.
    async fn on_allow(&self, actor: &Actor, case: &CaseId, key: &str) -> Result<String, ActError> {
        let place = match key {
            "once" => return Ok("仅这条，不放行".into()),
            "here" => Where::Here,
            "everywhere" => Where::Everywhere,
            _ => return Err(gone().into()),
        };
        let until = self.cases.allow(actor, case, place, None).await?;
        Ok(words::allowed(place, until, self.clock.now()))
    }

    /// The owner does not agree with what the bot did by itself.
    async fn on_news(&self, actor: &Actor, case: &CaseId, key: &str) -> Result<String, ActError> {
        Ok(match key {
            "revoke" => self.cases.revoke(actor, case).await.map(|_| "已撤销".into())?,
            "wrong" => match self.cases.misjudge(actor, case).await?.state {
                CaseState::Revoked => "早已撤销，已记为误判".into(),
                _ => "已记为误判并撤销".into(),
            },
            _ => return Err(gone().into()),
        })
    }

    async fn on_report(&self, actor: &Actor, id: &str, key: &str) -> Result<String, ActError> {
        if self.cases.report(id).await?.is_none() {
            return Err(gone().into());
        }
        let state = match key {
            "founded" => ReportState::Founded,
            "permitted" => ReportState::Permitted,
            "malicious" => ReportState::Malicious,
            _ => ReportState::Unfounded,
        };
        let followed = match self.cases.judge_report(actor, id, state).await? {
            Followed::Nothing => String::new(),
            Followed::Case(case) => format!("（{case}）"),
            Followed::Before(case) => format!("；这条消息已处理过（{case}）"),
            Followed::Refused(why) => format!("；{why}"),
        };
        Ok(format!("已记为「{}」{followed}", state.zh()))
    }
}

fn gone() -> Refusal {
    Refusal::not_found("这张卡片已失效")
}
