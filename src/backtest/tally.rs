//! Counting: per policy, per rule, per entry, and where two policies part.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Fate;
use crate::{
    detect::{Report, Verdict, lexicon},
    model::{GroupId, MemberId, Message, MessageId, Step, Timestamp},
    second_opinion::mask,
};

/// So many differences between two policies are kept one by one; the rest is only counted.
const KEPT_CHANGES: usize = 1000;

/// So many different messages are kept of an entry.
const SAMPLES: usize = 3;
/// So many where lists part.
const PARTED_SAMPLES: usize = 20;
/// So much of each.
const SAMPLE_CHARS: usize = 40;

/// Everything that was counted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Messages seen.
    pub messages: u64,
    /// The earliest.
    pub from: Option<Timestamp>,
    /// The latest.
    pub to: Option<Timestamp>,
    /// Messages a human should look at or the policy may act on.
    pub hits: u64,
    /// People who wrote them.
    pub people: usize,
    /// By policy, in the order given.
    pub policies: Vec<Side>,
    /// By rule (`ads/contact-drop`).
    pub rules: BTreeMap<String, Count>,
    /// By entry (`ads/contact.txt:12`).
    pub entries: BTreeMap<String, Count>,
    /// The entry that people most often called wrong.
    pub worst_entry: Option<String>,
    /// What other lists would do, where there are some to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lists: Option<Lists>,
    /// Messages on which two policies part.
    pub differing: u64,
    /// The first of them.
    pub changes: Vec<Change>,
    #[serde(skip)]
    all_people: BTreeSet<(GroupId, MemberId)>,
}

/// What one policy would have done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Side {
    /// Its name.
    pub policy: String,
    /// Steps by name: `warn` → 12.
    pub steps: BTreeMap<&'static str, u64>,
    /// Of these, only proposed to a person.
    pub proposed: u64,
    /// People something would have happened to.
    pub people: usize,
    /// Messages that went on with what had been acted on: one deed, one step.
    pub continued: u64,
    /// Messages that could not have been said, because their sender was muted or removed.
    pub prevented: u64,
    #[serde(skip)]
    who: BTreeSet<(GroupId, MemberId)>,
}

/// Hits of a rule or an entry.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Count {
    /// Messages hit.
    pub hits: u64,
    /// People who wrote them.
    pub people: usize,
    /// Messages about which a person gave a verdict.
    pub reviewed: u64,
    /// Of these, false alarms.
    pub false_alarms: u64,
    /// What hit first, and of an entry some of the messages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    #[serde(skip)]
    who: BTreeSet<(GroupId, MemberId)>,
}

/// A message that an entry hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// What was hit, as it was said.
    pub word: String,
    /// The message, cut.
    pub text: String,
}

/// What other lists would do otherwise than those in force.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Lists {
    /// Messages to which they would do more.
    pub more: Parted,
    /// … and less.
    pub fewer: Parted,
}

/// Messages that other lists treat otherwise.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Parted {
    /// How many.
    pub messages: u64,
    /// People who wrote them.
    pub people: usize,
    /// By the entry that makes the difference (`ads/own.txt:3`).
    pub entries: BTreeMap<String, u64>,
    /// Some of them, each different.
    pub samples: Vec<PartedSample>,
    #[serde(skip)]
    who: BTreeSet<(GroupId, MemberId)>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartedSample {
    /// What was hit, as it was said.
    pub word: String,
    /// The entry or rule that hit it.
    pub entry: String,
    /// The message, cut, without numbers, accounts and names.
    pub text: String,
    /// How the lists in force judge it, and how the others would.
    pub verdicts: [Verdict; 2],
    /// What is done, and what would be; `None` is nothing.
    pub steps: [Option<Step>; 2],
}

/// One message on which two policies part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which message.
    pub id: MessageId,
    /// When it was said.
    pub at: Timestamp,
    /// Where.
    pub group: GroupId,
    /// By whom.
    pub member: MemberId,
    /// What each policy would have done; `None` where the message could not have been said.
    pub steps: Vec<Option<Step>>,
}

impl Tally {
    /// Nothing counted yet.
    pub(super) fn new(policies: Vec<String>) -> Self {
        let policies = policies.into_iter().map(|policy| Side { policy, ..Side::default() }).collect();
        Self { policies, ..Self::default() }
    }

    /// What the detector found.
    pub(super) fn message(&mut self, message: &Message, report: &Report, wrong: Option<bool>) {
        self.messages += 1;
        self.from = Some(self.from.map_or(message.at, |at| at.min(message.at)));
        self.to = Some(self.to.map_or(message.at, |at| at.max(message.at)));
        if report.verdict == Verdict::Clean {
            return;
        }
        let who = (message.group.clone(), message.sender.clone());
        self.hits += 1;
        self.all_people.insert(who.clone());
        self.people = self.all_people.len();
        let rules: BTreeSet<&str> = report.findings.iter().map(|f| &*f.rule).collect();
        let places = report.findings.iter().filter_map(|f| Some((f.entry.as_deref()?, f.original.as_str())));
        let entries: BTreeMap<&str, &str> = places.filter(|(entry, _)| is_place(entry)).collect();
        for rule in rules {
            self.rules.entry(rule.to_owned()).or_default().add(&who, wrong);
        }
        for (entry, word) in entries {
            let count = self.entries.entry(entry.to_owned()).or_default();
            count.add(&who, wrong);
            let sample = Sample { word: word.to_owned(), text: cut(&mask::masked(&message.text, [])) };
            if count.samples.len() < SAMPLES && count.samples.iter().all(|known| known.text != sample.text) {
                count.samples.push(sample);
            }
        }
        if wrong == Some(true) {
            let alarms = self.entries.iter().filter(|(_, count)| count.false_alarms > 0);
            self.worst_entry = alarms
                .max_by_key(|(name, count)| (count.false_alarms, std::cmp::Reverse(*name)))
                .map(|(n, _)| n.clone());
        }
    }

    /// What the lists in force and others found, and what would come of it.
    pub(super) fn lists(&mut self, message: &Message, now: (&Report, Option<&Fate>), other: (&Report, &Fate)) {
        let Some(lists) = &mut self.lists else { return };
        let done = |fate: Option<&Fate>| match fate {
            Some(Fate::Decided(decision)) if decision.step != Step::None => Some(decision.step),
            _ => None,
        };
        // Who could not have spoken, or went on with something, is no difference of the lists.
        let comparable = |fate: Option<&Fate>| matches!(fate, Some(Fate::Decided(_)));
        if !comparable(now.1) || !comparable(Some(other.1)) || now.0.verdict == other.0.verdict {
            return;
        }
        let steps = [done(now.1), done(Some(other.1))];
        let harder = other.0.verdict > now.0.verdict;
        let (parted, report) = if harder { (&mut lists.more, other.0) } else { (&mut lists.fewer, now.0) };
        parted.messages += 1;
        parted.who.insert((message.group.clone(), message.sender.clone()));
        parted.people = parted.who.len();
        let best = report.findings.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        let Some(finding) = best else { return };
        let entry = finding.entry.as_deref().filter(|entry| is_place(entry)).unwrap_or(&finding.rule).to_owned();
        *parted.entries.entry(entry.clone()).or_default() += 1;
        let sample = PartedSample {
            word: finding.original.clone(),
            entry,
            text: cut(&mask::masked(&message.text, [])),
            verdicts: [now.0.verdict, other.0.verdict],
            steps,
        };
        if parted.samples.len() < PARTED_SAMPLES && parted.samples.iter().all(|known| known.text != sample.text) {
            parted.samples.push(sample);
        }
    }

    /// What each policy decided.
    pub(super) fn fates(&mut self, message: &Message, fates: &[Fate]) {
        for (side, fate) in self.policies.iter_mut().zip(fates) {
            match fate {
                Fate::Prevented => side.prevented += 1,
                Fate::Continued => side.continued += 1,
                Fate::Decided(decision) if decision.step != Step::None => {
                    *side.steps.entry(decision.step.id()).or_default() += 1;
                    side.proposed += u64::from(decision.needs_human);
                    side.who.insert((message.group.clone(), message.sender.clone()));
                    side.people = side.who.len();
                }
                Fate::Decided(_) => {}
            }
        }
        let step = |fate: &Fate| match fate {
            Fate::Prevented => None,
            Fate::Continued => Some(Step::None),
            Fate::Decided(decision) => Some(decision.step),
        };
        let steps: Vec<Option<Step>> = fates.iter().map(step).collect();
        if steps.windows(2).any(|pair| pair[0] != pair[1]) {
            self.differing += 1;
            if self.changes.len() < KEPT_CHANGES {
                self.changes.push(Change {
                    id: message.id.clone(),
                    at: message.at,
                    group: message.group.clone(),
                    member: message.sender.clone(),
                    steps,
                });
            }
        }
    }
}

/// The beginning of a message, on one line.
fn cut(text: &str) -> String {
    let line = text.replace(['\r', '\n'], " ");
    let short: String = line.chars().take(SAMPLE_CHARS).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

/// A line of a list; other findings carry a host or a count there.
fn is_place(entry: &str) -> bool {
    lexicon::place(entry).is_some()
}

impl Count {
    fn add(&mut self, who: &(GroupId, MemberId), wrong: Option<bool>) {
        self.hits += 1;
        self.reviewed += u64::from(wrong.is_some());
        self.false_alarms += u64::from(wrong == Some(true));
        self.who.insert(who.clone());
        self.people = self.who.len();
    }
}
