//! A member points at a message; a person reviews it and the reporter hears what came of it.
//!
//! WeCom's quote carries neither author nor id, so the bot looks the words up among the group's recent messages. Reports
//! that were found unfounded lower a reporter's credibility; reports made in bad faith are punished by the reviewer
//! (R10-5.3) like any other violation.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Cases;
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    groups::Group,
    model::{CaseId, GroupId, MemberId, MessageId, SignedDuration, Timestamp, named_enum},
    moderation::{case_id, evidence_line, sanction::Punishment},
    refusal::{ActError, Code, Refusal},
    store::{CaseState, Collection, Name, Processed, Store, StoreError, TaskUpdate, Tx, transaction::transact},
    tasks,
    wecom::callback::Media,
};

const REPORTS: Collection<Report> = Collection::new(Name::Report);
const CREDIT: Collection<Credit> = Collection::new(Name::ReportCredit);
/// Messages older than this can't be reported.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 3);
/// The newest messages are looked at first: those of so many minutes, then four times as far back, and so on.
const FIRST_LOOK: SignedDuration = SignedDuration::from_mins(10);
/// Messages looked at for one report.
const MOST_READ: usize = 20_000;
/// Messages read at once.
const PAGE: usize = 500;
/// Open reports one member may have.
const MOST_OPEN: u32 = 5;

named_enum! {
    /// Where a report stands.
    pub enum ReportState {
        /// Somebody is asked.
        Open = "open", "待处理";
        /// It was a violation.
        Founded = "founded", "属实";
        /// It was none.
        Unfounded = "unfounded", "不属实";
        /// Somebody had permitted it: no violation, and no fault of the reporter's.
        Permitted = "permitted", "已获授权";
        /// It was made to harm somebody.
        Malicious = "malicious", "恶意举报";
    }
}

/// One report; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Short id, as people say it.
    pub id: String,
    /// Where.
    pub group: GroupId,
    /// Who reports; never told to the reported person.
    pub reporter: MemberId,
    /// The words pointed at.
    pub text: String,
    /// Why, in the reporter's words.
    pub reason: String,
    /// The message, if it was found.
    pub message: Option<MessageId>,
    /// Its author, if it was found.
    pub author: Option<MemberId>,
    /// When.
    pub opened: Timestamp,
    /// Where it stands.
    pub state: ReportState,
    /// Who reviewed it.
    #[serde(default)]
    pub by: Option<MemberId>,
}

/// How often a member's reports were right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Waiting for review.
    pub open: u32,
    /// Found to be violations.
    pub founded: u32,
    /// Found to be none.
    pub unfounded: u32,
    /// Made in bad faith.
    pub malicious: u32,
}

impl Credit {
    /// Share of reports that were right, with one friendly report assumed on each side; malicious ones count thrice.
    pub fn credibility(self) -> f32 {
        let wrong = self.unfounded + 3 * self.malicious;
        (self.founded + 1) as f32 / (self.founded + wrong + 2) as f32
    }
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// Somebody is asked; under this id.
    Taken(String),
    /// The member had reported it before.
    Before(String, ReportState),
    /// It was dealt with already.
    Handled,
}

/// What followed from a verdict on a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Nothing.
    Nothing,
    /// Somebody was punished.
    Case(CaseId),
    /// The message had been dealt with before.
    Before(CaseId),
    /// Nobody could be punished; why.
    Refused(String),
}

impl Cases {
    /// One report.
    pub async fn report(&self, id: &str) -> Result<Option<Report>, StoreError> {
        REPORTS.get(self.store.as_ref(), id).await
    }

    /// Is the report's group one where nothing is done for the time being?
    pub fn is_dry_run(&self, report: &Report) -> bool {
        self.moderation.is_dry_run(&self.groups.get(&report.group))
    }

    /// How often this member's reports were right.
    pub async fn credit(&self, member: &MemberId) -> Result<Credit, StoreError> {
        Ok(CREDIT.get(self.store.as_ref(), member.as_str()).await?.unwrap_or_default())
    }

    /// When what is reported was said, as far as it was found.
    pub async fn said_at(&self, report: &Report) -> Result<Option<Timestamp>, StoreError> {
        let Some(message) = &report.message else { return Ok(None) };
        Ok(self.store.processed(message).await?.map(|processed| processed.message.at))
    }

    /// A member reports words in a group.
    pub async fn open_report(
        &self,
        actor: &Actor,
        group: &Group,
        text: &str,
        reason: &str,
    ) -> Result<Reported, ActError> {
        let (now, reporter) = (self.clock.now(), actor.own()?);
        let found = find(self.store.as_ref(), group.id(), reporter, text, now, MOST_READ).await?;
        let seed = MessageId::new(format!(
            "report:{}:{reporter}:{}",
            group.id(),
            match &found.0 {
                Some(message) => message.to_string(),
                // Two pictures are not one because both are pictures.
                None if Media::ALL.iter().any(|media| text.starts_with(media.zh())) => {
                    format!("{text}:{}", now.as_millisecond())
                }
                None => text.to_owned(),
            }
        ));
        let id = format!("R{}", case_id::candidates(&seed).nth(1).expect("there are several").as_str());
        let report = Report {
            id: id.clone(),
            group: group.id().clone(),
            reporter: reporter.clone(),
            text: text.chars().take(1000).collect(),
            reason: reason.chars().take(200).collect(),
            message: found.0,
            author: found.1,
            opened: now,
            state: ReportState::Open,
            by: None,
        };
        transact!(self.store.as_ref(), |tx| {
            let mut credit = tx.get(CREDIT, reporter.as_str()).await?.unwrap_or_default();
            if credit.open >= MOST_OPEN {
                return Err(Refusal::new(Code::TooMany, "您还有几条举报在处理中，请等结果出来再举报").into());
            }
            if let Some(known) = tx.get(REPORTS, &id).await? {
                return Ok(Reported::Before(id, known.state));
            }
            if let Some(message) = &report.message
                && handled(tx, message).await?.is_some()
            {
                return Ok(Reported::Handled);
            }
            credit.open += 1;
            tx.put(CREDIT, reporter.as_str(), &credit).await?;
            tx.put(REPORTS, &id, &report).await?;
            tx.add_task(tasks::Report::task(&id, report.author.as_ref(), group.id(), now));
            tx.audit(actor, now, record(Act::OpenReport, &report).now(json!({ "report": report.state }))).await?;
        });
        self.moderation.ring();
        Ok(Reported::Taken(id))
    }

    /// A person reviewed the report. Of two who do so at once the first is heard.
    pub async fn judge_report(&self, actor: &Actor, id: &str, state: ReportState) -> Result<Followed, ActError> {
        let followed = transact!(self.store.as_ref(), |tx| {
            let Some(mut report) = tx.get(REPORTS, id).await? else {
                return Err(Refusal::not_found(format!("没有编号为 {id} 的举报")).into());
            };
            access::ask(actor, Action::JudgeReport, Some(&self.groups.get(&report.group)))?;
            if report.state != ReportState::Open {
                return Err(Refusal::decided(format!("{id} 已处理：{}", report.state.zh())).into());
            }
            let now = self.clock.now();
            let followed = self.follow_report(tx, actor, &report, state).await?;
            let mut credit = tx.get(CREDIT, report.reporter.as_str()).await?.unwrap_or_default();
            credit.open = credit.open.saturating_sub(1);
            match state {
                ReportState::Open | ReportState::Permitted => {}
                ReportState::Founded => credit.founded += 1,
                ReportState::Unfounded => credit.unfounded += 1,
                ReportState::Malicious => credit.malicious += 1,
            }
            tx.put(CREDIT, report.reporter.as_str(), &credit).await?;
            tx.add_task(tasks::TellReport::task(id, &report.reporter, &report.group, now));
            if let Some(task) = tx.task(&tasks::Report::id(id)).await? {
                let done = TaskUpdate::done(task.id.clone(), now, "举报已处理");
                tasks::end(tx, &task, done, actor.name(), now);
            }
            let was = json!({ "report": report.state });
            report.state = state;
            report.by = Some(MemberId::new(actor.name()));
            tx.put(REPORTS, id, &report).await?;
            let case = if let Followed::Case(case) = &followed { Some(case) } else { None };
            let entry = record(Act::JudgeReport, &report).was(was).now(json!({ "report": state, "case": case }));
            tx.audit(actor, now, entry).await?;
            followed
        });
        self.moderation.ring();
        Ok(followed)
    }

    /// What follows for the author or the reporter.
    async fn follow_report(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        report: &Report,
        state: ReportState,
    ) -> Result<Followed, ActError> {
        let (member, reason, said) = match (state, &report.author) {
            (ReportState::Founded, Some(author)) => (author, "成员举报，经查属实", Some(report.text.as_str())),
            (ReportState::Malicious, _) => (&report.reporter, "恶意举报", None),
            _ => return Ok(Followed::Nothing),
        };
        let seen = |said: &str| self.moderation.look(said, false).categories.first().copied();
        let about = said.map(|said| (seen(said), said, report.opened));
        // Two members may report one message, and the bot may have found it meanwhile: it counts once.
        let cause = match (state, &report.message) {
            (ReportState::Founded, Some(message)) => {
                if let Some(case) = handled(tx, message).await? {
                    return Ok(Followed::Before(case));
                }
                message.as_str()
            }
            _ => &report.id,
        };
        let what = Punishment { step: None, reason, about, cause: Some(cause) };
        let group = self.groups.get(&report.group);
        match self.moderation.punish_in(tx, &group, member, actor.name(), what).await {
            Ok(case) => Ok(Followed::Case(case)),
            Err(ActError::Refused(why)) => Ok(Followed::Refused(why.text)),
            Err(error) => Err(error),
        }
    }
}

fn record(act: Act, report: &Report) -> Entry {
    let entry = Entry::of(act, "report", &report.id).within(&report.group);
    match &report.author {
        Some(author) => entry.concerning(author),
        None => entry,
    }
}

/// The case the bot itself made of a message, if it counts.
async fn handled(tx: &mut Tx<'_>, message: &MessageId) -> Result<Option<CaseId>, StoreError> {
    let processed = tx.processed(message).await?.filter(|processed| processed.points > 0);
    let Some(id) = processed.and_then(|processed| processed.case) else { return Ok(None) };
    let case = tx.case(&id).await?;
    Ok(case.filter(|case| case.state != CaseState::Revoked).map(|case| case.id))
}

/// The message with this id, or the newest one in the group with these words; not by the reporter. Looks at the last minutes
/// first and at no more than `most` messages of all groups, so that a report costs little however much is said.
async fn find(
    store: &dyn Store,
    group: &GroupId,
    reporter: &MemberId,
    text: &str,
    now: Timestamp,
    most: usize,
) -> Result<(Option<MessageId>, Option<MemberId>), StoreError> {
    let wanted = text.trim();
    // What a reported picture shows is written like the evidence of the message that it came with.
    let shown: Vec<&str> = text.lines().skip(1).collect();
    let (mut read, mut back, mut end) = (0, FIRST_LOOK, Timestamp::MAX);
    loop {
        let begin = now.saturating_sub(back).unwrap_or(Timestamp::MIN);
        let mut after: Option<MessageId> = None;
        let mut found = (None, None);
        'window: while read < most {
            let page = store.messages(begin, after.as_ref(), PAGE.min(most - read)).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.message.id.clone());
            for Processed { message, .. } in page {
                if message.at >= end {
                    break 'window; // looked at before
                }
                read += 1;
                let meant = message.text.trim() == wanted
                    || !shown.is_empty()
                        && message.attachments.iter().filter_map(evidence_line).any(|line| shown.contains(&&*line))
                    || message.id.as_str().split_once(':').is_some_and(|(_, id)| id == wanted);
                if meant && message.group == *group && message.sender != *reporter {
                    found = (Some(message.id), Some(message.sender));
                }
            }
        }
        if found.0.is_some() || back >= LOOK_BACK || read >= most {
            return Ok(found);
        }
        (end, back) = (begin, (back * 4).min(LOOK_BACK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::Verdict,
        model::{Channel, Message, Step},
        store::{Commit, memory::MemoryStore},
    };

    #[tokio::test]
    async fn the_newest_match_is_found_and_the_search_has_an_end() {
        let store = MemoryStore::new();
        let now: Timestamp = "2026-05-04T10:00:00Z".parse().unwrap();
        let say = async |id: &str, minutes_ago: i64, group: &str, text: &str| {
            let at = now - SignedDuration::from_mins(minutes_ago);
            let message = Message::text(Channel::Archive, id, group, "sun", at, text);
            let processed =
                Processed { message, verdict: Verdict::Clean, step: Step::None, points: 0, live_points: 0, case: None };
            store.commit(Commit { processed: Some(processed), ..Commit::default() }).await.unwrap();
        };
        say("old", 60 * 24 * 2, "g", "加我").await;
        say("older", 60 * 24 * 4, "g", "很久以前").await;
        for n in 0..1200 {
            say(&format!("n{n}"), 30 + n, "other", "加我").await;
        }
        let find = async |text: &str, by: &str, most: usize| {
            let found = find(&store, &"g".into(), &by.into(), text, now, most).await.unwrap();
            found.0.map(|id| id.to_string())
        };
        assert_eq!(find(" 加我 ", "li", 5000).await.as_deref(), Some("archive:old"), "not that of another group");
        assert_eq!(find("old", "li", 5000).await.as_deref(), Some("archive:old"), "by its id");
        assert_eq!(find("加我", "li", 1000).await, None, "too much was said since");
        assert_eq!(find("加我", "sun", 5000).await, None, "nobody reports themself");
        assert_eq!(find("很久以前", "li", 5000).await, None);
        say("new", 1, "g", "加我").await;
        assert_eq!(find("加我", "li", 10).await.as_deref(), Some("archive:new"));
    }

    #[test]
    fn credibility_falls_with_bad_reports() {
        let fresh = Credit::default().credibility();
        let right = Credit { founded: 3, ..Credit::default() }.credibility();
        let wrong = Credit { unfounded: 3, ..Credit::default() }.credibility();
        let malicious = Credit { malicious: 3, ..Credit::default() }.credibility();
        assert!(right > fresh && fresh > wrong && wrong > malicious);
    }
}
