//! What is found in a message: its words beside what its sender said last, how it was said, and what people taught.

use super::{Hearing, Manner, Moderation, record, shown};
use crate::{
    acknowledgement,
    detect::{
        Input, Report, Verdict,
        history::{Before, OVERALL},
    },
    model::{CaseId, Category, Channel, GroupId, Message, Role, SignedDuration},
    store::{MemberRecord, StoreError},
};

/// Words behind a command that would have been acted on are asked about if they come again so soon.
const TRIED_AGAIN: SignedDuration = SignedDuration::from_hours(24);

impl Moderation {
    /// The report about a message that policy decides on. What was said to the bot counts only as [`Self::said_to_bot`] says.
    pub(super) fn judge(&self, hearing: &Hearing<'_>, record: &mut MemberRecord) -> Report {
        let mut report = self.scan(hearing, record);
        let Manner::ToBot { may_be_cloak } = hearing.manner else { return report };
        let at = hearing.message.at;
        let acts = may_be_cloak && report.verdict == Verdict::Act && hearing.role() == Role::Member;
        let before = record.tried.is_some_and(|tried| at.duration_since(tried).abs() < TRIED_AGAIN);
        if acts {
            record.tried = Some(at);
        }
        if acts && before {
            ask_only(&mut report);
            return report;
        }
        Report::default()
    }

    /// What is found in a message beside the sender's last ones, as they are on record.
    fn scan(&self, hearing: &Hearing<'_>, record: &MemberRecord) -> Report {
        let Hearing { rules, message, manner, .. } = hearing;
        if message.to_bot && message.group.as_str().is_empty() {
            return Report::default(); // words for the bot alone, perhaps quoting what somebody else said
        }
        if *manner == Manner::Carried {
            let report = self.scan_name(rules, message);
            let harmless = self.passes(&record::evidence(message), Some(&message.group));
            return if harmless.is_some() { Report::default() } else { report };
        }
        let input = input(message, hearing.role());
        let stages = self.stages.stages(rules);
        if message.group.as_str().is_empty() || *manner != Manner::Said {
            // A private talk has no crowd to flood, and whoever is asked something is not flooded.
            return rules.detector.scan_at(&input, None, Some(&stages));
        }
        let earlier = record::earlier(record);
        let before = Before { earlier: &earlier, crowd: &self.crowd };
        let mut report = rules.detector.scan_at(&input, Some(&before), Some(&stages));
        shown::look(hearing, &stages, &mut report);
        if report.verdict != Verdict::Clean && self.passes(&record::evidence(message), Some(&message.group)).is_some() {
            only_flood(&mut report); // a person judged this very sentence before, not how often it is said
        }
        if report.verdict != Verdict::Clean && acknowledgement::is_one(&message.text) {
            // Said as often as there is something to acknowledge.
            report.findings.retain(|finding| &*finding.rule != "flood/repeat");
            rules.detector.conclude(&mut report);
        }
        report
    }

    /// By which case exactly these words pass there, if they do.
    pub fn passes(&self, words: &str, group: Option<&GroupId>) -> Option<CaseId> {
        self.false_positives.passes(words, group, self.clock.now())
    }

    /// What would be said of a text in a group, or outside of all of them, as of the first message of somebody new: what people
    /// taught counts as in a real one. With the case by which it passes, if it does.
    pub fn try_out(&self, text: &str, group: Option<&GroupId>, explain: bool) -> (Report, Option<CaseId>) {
        let mut report = self.look(text, explain);
        let passes = self.passes(text, group).filter(|_| report.verdict != Verdict::Clean);
        if passes.is_some() {
            only_flood(&mut report);
        }
        (report, passes)
    }

    /// The same in the shape of `scan --json` without the line number; `allowed` names the case by which it passes.
    pub fn check(&self, text: &str, group: Option<&GroupId>, explain: bool) -> serde_json::Value {
        let (report, passes) = self.try_out(text, group, explain);
        let mut answer = serde_json::to_value(report).unwrap_or_default();
        if let Some(case) = passes {
            answer["allowed"] = serde_json::json!(case);
        }
        answer
    }

    /// What the detector says of a text alone.
    pub fn look(&self, text: &str, explain: bool) -> Report {
        let rules = self.rules.get();
        let input = Input {
            text,
            attachments: &[],
            group: &crate::model::GroupId::from(""),
            sender: &crate::model::MemberId::from(""),
            sender_name: None,
            role: Role::Member,
            at: self.clock.now(),
            explain,
        };
        rules.detector.scan_at(&input, None, Some(&self.stages.stages(&rules)))
    }

    /// What was said shortly before the last stop: a campaign may have begun then.
    pub async fn recall(&self) -> Result<(), StoreError> {
        let since = self.clock.now() - self.rules.get().detector.settings().limits.campaign_window;
        let mut last: std::collections::VecDeque<Message> = std::collections::VecDeque::new();
        let mut after = None;
        loop {
            let page = self.store.messages(since, after.as_ref(), 1000).await?;
            let Some(newest) = page.last() else { break };
            after = Some(newest.message.id.clone());
            let said = |m: &Message| !m.group.as_str().is_empty() && !m.to_bot && m.channel != Channel::Name;
            last.extend(page.into_iter().map(|p| p.message).filter(said));
            last.drain(..last.len().saturating_sub(OVERALL));
        }
        for message in &last {
            self.crowd.recall(&input(message, Role::Member));
        }
        Ok(())
    }
}

/// Names are judged apart: see [`names`].
fn input(message: &Message, role: Role) -> Input<'_> {
    Input {
        text: &message.text,
        attachments: &message.attachments,
        group: &message.group,
        sender: &message.sender,
        sender_name: None,
        role,
        at: message.at,
        explain: false,
    }
}

/// A person looks at what would have been acted on.
fn ask_only(report: &mut Report) {
    report.acting.clear();
    report.verdict = report.verdict.min(Verdict::Review);
}

/// Leaves of a report what does not depend on the words.
fn only_flood(report: &mut Report) {
    let flood = |category: &Category| *category == Category::Flood;
    report.findings.retain(|finding| flood(&finding.category));
    report.categories.retain(flood);
    report.acting.retain(flood);
    report.verdict = match (report.acting.is_empty(), report.categories.is_empty()) {
        (false, _) => Verdict::Act,
        (true, false) => Verdict::Review,
        (true, true) => Verdict::Clean,
    };
}
