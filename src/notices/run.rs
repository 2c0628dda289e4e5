//! The tasks of notices: kinds and what each does when it is due. Killed in the middle, each may run again: what it writes is
//! one commit, and the tasks it makes have fixed ids.
//!
//! | kind | when | does |
//! |---|---|---|
//! | `notice.send` | the planned time | sends; a repeated notice plans its next time |
//! | `notice.remind` | 50 %, 90 % of the time | reminds those missing, in private |
//! | `notice.deadline` | the deadline | tells those missing, plans the report |
//! | `notice.report` | a little later | the lists for superiors and for those who are named |
//! | `notice.archive` | two weeks later | words in the group answer it no more |

use std::collections::BTreeMap;

use super::{
    Notices, OPEN,
    cards::buttons,
    due::{ARCHIVE, DEADLINE, Due, REMIND, REPORT, SEND, task},
    encode,
    notice::{Event, Notice, State},
    open::open_ids,
    outgoing::{self, Part, Tell, Words},
    roster::MemberState,
    wording::{self, Count},
};
use crate::{
    model::{MemberId, SignedDuration, Timestamp},
    refusal::{ActError, Code},
    store::{Commit, StoreError, Task, transaction::transact},
};

/// Superiors get their list this long after the deadline, and everybody else this long after a start past it: messages that
/// were said in time may still be under way.
pub(super) const WAIT: SignedDuration = SignedDuration::from_mins(5);
/// A start that is later than this after a deadline has slept through it.
pub(super) const SLEPT: SignedDuration = SignedDuration::from_mins(3);

/// How a run ended. Everything that had to be written is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Ran {
    /// The task is done.
    Done(String),
    /// Look again.
    Later {
        /// When.
        due: Timestamp,
        /// For people.
        reason: String,
        /// Replaces the task's payload.
        payload: serde_json::Value,
    },
}

/// Does what a due task of one of [`KINDS`](super::due::KINDS) asks for. Running it again is harmless.
pub async fn run_task(notices: &Notices, task: &Task) -> Result<Ran, ActError> {
    if task.kind.starts_with("activity.") {
        return notices.run_activity(task).await;
    }
    let due: Due = serde_json::from_value(task.payload.clone())
        .map_err(|e| ActError::refused(Code::BadRequest, format!("待办内容读不懂：{e}")))?;
    let Some(notice) = notices.read(super::NOTICES, &due.notice).await? else {
        return Ok(Ran::Done("通知已不存在".into()));
    };
    if notice.state == State::Cancelled {
        return Ok(Ran::Done("通知已取消".into()));
    }
    match task.kind.as_str() {
        SEND => notices.run_send(&notice, &due).await,
        REMIND => notices.run_remind(task, &notice, &due).await,
        DEADLINE => notices.run_deadline(task, &notice, &due).await,
        REPORT => notices.run_report(&notice, &due).await,
        ARCHIVE => notices.run_archive(&notice).await,
        other => Err(ActError::refused(Code::BadRequest, format!("不认识的待办 {other}"))),
    }
}

impl Notices {
    async fn run_send(&self, notice: &Notice, due: &Due) -> Result<Ran, ActError> {
        if notice.what.repeat.is_none() {
            return match self.send(&notice.id, "bot").await {
                Ok(_) => Ok(Ran::Done("已发送".into())),
                Err(ActError::Store(error)) => Err(error.into()),
                Err(error) => self.not_sent(notice, due.due, &error.to_string()).await,
            };
        }
        let (next, reason) = match self.send_occurrence(notice, due.due).await {
            Ok(next) => (next, "已发送，等下一次".to_owned()),
            Err(ActError::Store(error)) => return Err(error.into()),
            Err(error) => {
                self.not_sent(notice, due.due, &error.to_string()).await?;
                (self.next_occurrence(notice, due.due, self.now()), format!("这一次没有发出：{error}"))
            }
        };
        let payload = encode(&Due { due: next, ..due.clone() });
        Ok(Ran::Later { due: next, reason, payload })
    }

    /// Nobody has seen it: its author and those who would get the list are told why, and the notice says so.
    async fn not_sent(&self, notice: &Notice, planned: Timestamp, why: &str) -> Result<Ran, ActError> {
        let now = self.now();
        let mut to = notice.what.escalate_to.clone();
        let author = MemberId::new(&notice.by);
        // An API token is nobody to write to.
        if self.directory.person(&author).name != notice.by && !to.contains(&author) {
            to.push(author);
        }
        let once = notice.what.repeat.is_none();
        self.update(&notice.id, |stored| {
            stored.history.push(Event::new(now, "bot", format!("没有发出：{why}")));
            if once {
                stored.state = State::Cancelled;
            }
            let told = Tell::text(to.clone(), wording::not_sent(notice, planned, now, why));
            let id = format!("notice/{}/not-sent/{}", notice.id, planned.as_second());
            Ok(if to.is_empty() { Vec::new() } else { outgoing::tell(&id, &notice.home(), now, &told) })
        })
        .await?;
        Ok(Ran::Done(format!("没有发出：{why}")))
    }

    async fn run_remind(&self, task: &Task, notice: &Notice, due: &Due) -> Result<Ran, ActError> {
        let now = self.now();
        if now >= due.due {
            return Ok(Ran::Done("已过截止时间，不再提醒".into()));
        }
        let later = notice.what.reminders.iter().filter(|p| **p > due.percent).min();
        if let Some(next) = later
            && let Some(next) =
                self.task_due(&format!("notice/{}/remind/{next}/{}", notice.id, due.due.as_second())).await?
            && next <= now
        {
            return Ok(Ran::Done("下一次提醒也已到时间，只提醒一次".into()));
        }
        let mut missing = Vec::new();
        self.walk(notice, |member, entry| {
            if entry.is_unanswered() && !entry.is_explained() && entry.heard_of(notice) && entry.due(notice) == due.due
            {
                missing.push(member);
            }
        })
        .await?;
        if missing.is_empty() {
            return Ok(Ran::Done("都已回执，没有要提醒的人".into()));
        }
        let count = missing.len();
        let message = Tell {
            to: missing,
            title: wording::reminder_title(notice, due.due, now),
            text: wording::reminder(notice, due.due, now),
            buttons: buttons(notice),
            part: Some(Part { notice: notice.id.clone(), words: Words::Reminder, due: due.due }),
        };
        let tasks = outgoing::tell(&format!("{}/tell", task.id), &notice.home(), now, &message);
        self.store.commit(Commit { tasks, ..Commit::default() }).await?;
        Ok(Ran::Done(format!("提醒 {count} 人")))
    }

    async fn task_due(&self, id: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.store.task(&id.into()).await?.map(|task| task.due))
    }

    async fn run_deadline(&self, task: &Task, notice: &Notice, due: &Due) -> Result<Ran, ActError> {
        let now = self.now();
        if self.slept_through(due.due) && !due.waited {
            let payload = encode(&Due { waited: true, ..due.clone() });
            return Ok(Ran::Later { due: now + WAIT, reason: "先处理停机期间的消息".into(), payload });
        }
        let (mut missing, mut count) = (Vec::new(), Count::default());
        self.walk(notice, |member, entry| {
            if entry.left.is_some() {
                return;
            }
            let state = entry.state(notice, now);
            add(&mut count, state);
            if state == MemberState::Missing && entry.due(notice) == due.due && !entry.is_explained() {
                missing.push(member);
            }
        })
        .await?;
        let told = missing.len();
        let last = notice.last_due.is_none_or(|last| due.due >= last);
        let message = Tell {
            to: missing,
            title: format!("通知 {} 已截止", notice.id),
            text: wording::overdue(notice, due.due, now),
            buttons: buttons(notice),
            part: None,
        };
        let mut tasks = outgoing::tell(&format!("{}/tell", task.id), &notice.home(), now, &message);
        let mut report = self::task(
            REPORT,
            &format!("notice/{}/report/{}", notice.id, due.due.as_second()),
            notice,
            now,
            &Due::of(notice, due.due),
        );
        report.due = if due.waited { now } else { now + WAIT };
        tasks.push(report);
        self.update(&notice.id, |stored| {
            if last && stored.state == State::Sent {
                stored.state = State::Closed;
                stored.history.push(Event::new(
                    now,
                    "bot",
                    format!(
                        "截止：已回执 {}，豁免 {}，未回执 {}{}",
                        count.acknowledged,
                        count.exempt,
                        count.missing,
                        wording::undelivered(count)
                    ),
                ));
            }
            Ok(tasks.clone())
        })
        .await?;
        Ok(Ran::Done(format!("截止，未回执 {told} 人")))
    }

    async fn run_report(&self, notice: &Notice, due: &Due) -> Result<Ran, ActError> {
        let now = self.now();
        let mut count = Count::default();
        let (mut missing, mut explained) = (Vec::new(), Vec::new());
        let mut by_superior: BTreeMap<MemberId, Vec<String>> = BTreeMap::new();
        self.walk(notice, |_, entry| {
            if entry.left.is_some() {
                return;
            }
            let state = entry.state(notice, now);
            add(&mut count, state);
            if state == MemberState::Missing && entry.due(notice) == due.due {
                if entry.is_explained() {
                    explained.push(entry.name);
                } else {
                    if let Some(superior) = entry.superior {
                        by_superior.entry(superior).or_default().push(entry.name.clone());
                    }
                    missing.push(entry.name);
                }
            }
        })
        .await?;
        if Some(due.due) != notice.due && missing.is_empty() && explained.is_empty() {
            return Ok(Ran::Done("截止时间不同的人都已回执，没有名单要发".into()));
        }
        let (id, home) = (&notice.id, notice.home());
        let second = due.due.as_second();
        let mut whole = notice.what.escalate_to.clone();
        if whole.is_empty() && self.directory.person(&MemberId::new(&notice.by)).name != notice.by {
            whole.push(MemberId::new(&notice.by)); // the person who ordered it, unless that was a program
        }
        let text = wording::report(notice, due.due, now, count, &missing, &explained);
        let mut tasks = outgoing::tell(&format!("notice/{id}/list/{second}"), &home, now, &Tell::text(whole, text));
        for (superior, names) in by_superior {
            if notice.what.escalate_to.contains(&superior) {
                continue;
            }
            let text = wording::superior(notice, due.due, now, &names);
            let task_id = format!("notice/{id}/list/{second}/{superior}");
            tasks.extend(outgoing::tell(&task_id, &home, now, &Tell::text(vec![superior], text)));
        }
        self.store.commit(Commit { tasks, ..Commit::default() }).await?;
        Ok(Ran::Done(format!("名单已发出，未回执 {} 人", count.missing)))
    }

    async fn run_archive(&self, notice: &Notice) -> Result<Ran, ActError> {
        transact!(self.store.as_ref(), |tx| {
            for id in open_ids(notice) {
                tx.delete(OPEN, &id).await?;
            }
        });
        Ok(Ran::Done("归档".into()))
    }

    /// How many have answered by now.
    pub async fn count(&self, notice: &Notice) -> Result<Count, StoreError> {
        let now = self.now();
        let mut count = Count::default();
        self.walk(notice, |_, entry| {
            if entry.left.is_none() {
                add(&mut count, entry.state(notice, now));
            }
        })
        .await?;
        Ok(count)
    }
}

fn add(count: &mut Count, state: MemberState) {
    count.required += 1;
    match state {
        MemberState::Acknowledged => count.acknowledged += 1,
        MemberState::Late => {
            count.acknowledged += 1;
            count.late += 1;
        }
        MemberState::Exempt => count.exempt += 1,
        MemberState::Missing => count.missing += 1,
        MemberState::Undelivered => count.undelivered += 1,
        MemberState::Waiting => {}
    }
}
