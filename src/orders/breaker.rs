//! 熔断 恢复 and 熔断 撤销: whoever leads the group says whether the removals that opened the circuit breaker were right.

use serde_json::json;

use super::Orders;
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    groups::Group,
    moderation::{breaker::BREAKERS, revoke::Why},
    policy::breaker::{Breaker, Open},
    refusal::{ActError, Refusal},
    store::{Case, TaskUpdate, Tx, transaction::transact},
    tasks,
};

impl Orders {
    /// They were right: acting goes on.
    pub async fn resume_breaker(&self, actor: &Actor, group: &Group) -> Result<(), ActError> {
        access::ask(actor, Action::AnswerBreaker, Some(group))?;
        transact!(self.store.as_ref(), |tx| {
            let open = opened(tx, group).await?;
            self.close_breaker(tx, actor, group, &open, Act::ResumeBreaker, &[]).await?;
        });
        self.moderation.ring();
        Ok(())
    }

    /// They were wrong: every one of them is taken back, and acting goes on. Answers how many; what was taken back one by one
    /// meanwhile is not counted.
    pub async fn undo_breaker(&self, actor: &Actor, group: &Group) -> Result<usize, ActError> {
        access::ask(actor, Action::AnswerBreaker, Some(group))?;
        let undone = transact!(self.store.as_ref(), |tx| {
            let open = opened(tx, group).await?;
            let mut undone = Vec::with_capacity(open.cases.len());
            for case in &open.cases {
                match self.moderation.revoke_in(tx, case, actor.name(), Why::Breaker).await {
                    Ok(case) => undone.push(case),
                    Err(error) => error.unless_refused()?,
                }
            }
            self.close_breaker(tx, actor, group, &open, Act::UndoBreaker, &undone).await?;
            undone
        });
        for case in &undone {
            self.moderation.revoked(case, Why::Breaker).await?;
        }
        self.moderation.ring();
        Ok(undone.len())
    }

    async fn close_breaker(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        group: &Group,
        open: &Open,
        act: Act,
        undone: &[Case],
    ) -> Result<(), ActError> {
        let now = self.clock.now();
        tx.put(BREAKERS, group.id().as_str(), &Breaker::default()).await?;
        if let Some(task) = tx.task(&tasks::Breaker::id(group.id(), open.since)).await? {
            let text = if act == Act::UndoBreaker { "已全部撤销" } else { "已恢复自动处置" };
            tasks::end(tx, &task, TaskUpdate::done(task.id.clone(), now, text), actor.name(), now);
        }
        let undone: Vec<&str> = undone.iter().map(|case| case.id.as_str()).collect();
        let record = Entry::group(act, group.id())
            .was(json!({ "open": true, "since": open.since, "why": open.why }))
            .now(json!({ "open": false, "revoked": undone }));
        Ok(tx.audit(actor, now, record).await?)
    }
}

async fn opened(tx: &mut Tx<'_>, group: &Group) -> Result<Open, ActError> {
    let breaker = tx.get(BREAKERS, group.id().as_str()).await?;
    let open = breaker.as_ref().and_then(Breaker::opened).cloned();
    Ok(open.ok_or_else(|| Refusal::decided("没有熔断，无需处理"))?)
}
