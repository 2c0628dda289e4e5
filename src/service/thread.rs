//! A question and what became of it: one thread a person and group, from the first question until it is solved. Pure: what was
//! said and when, and what follows.

use serde::{Deserialize, Serialize};

use super::{
    question::{Because, Judged},
    reply::Reply,
};
use crate::model::{GroupId, MemberId, MessageId, Timestamp};

/// Messages that are remembered, so that one that comes again changes nothing.
const HEARD: usize = 30;
/// Characters of a question that are kept for whoever is reminded.
const WORDS: usize = 60;
/// Digits of a number that is nobody else's business.
const NUMBER: usize = 7;

/// Somebody asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Where.
    pub group: GroupId,
    /// Who asked.
    pub asker: MemberId,
    /// As the group knows them.
    pub name: String,
    /// Whom they asked by name; empty: whoever is responsible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<MemberId>,
    /// When the first question was asked.
    pub first: Timestamp,
    /// The newest question that nobody has answered, or the last one.
    pub words: String,
    /// Why it counts as one.
    pub because: Vec<Because>,
    /// Since when an answer is owed; `None`: it is the asker's turn, and the clock stands.
    pub waits: Option<Timestamp>,
    /// Counts the times that an answer came to be owed: each has a task of its own.
    pub round: u32,
    /// The first reply of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replied: Option<Timestamp>,
    /// Who replied last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replier: Option<MemberId>,
    /// The last reply asked something back: whatever comes next is to be acted on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub turned_back: bool,
    /// Messages that it has taken in, oldest first.
    #[serde(default)]
    pub heard: Vec<MessageId>,
}

/// What a message did to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Same,
    /// An answer is owed from now on: the first one, or a further one.
    Owed,
    /// It is the asker's turn.
    Paused,
    /// It is over.
    Closed,
}

impl Thread {
    /// A first question.
    pub fn begin(
        group: &GroupId,
        asker: &MemberId,
        name: &str,
        to: Vec<MemberId>,
        said: &Said<'_>,
        judged: &Judged,
    ) -> Self {
        Self {
            group: group.clone(),
            asker: asker.clone(),
            name: name.to_owned(),
            to,
            first: said.at,
            words: cut(said.text),
            because: judged.because.clone(),
            waits: Some(said.at),
            round: 1,
            replied: None,
            replier: None,
            turned_back: false,
            heard: vec![said.id.clone()],
        }
    }

    /// Where it lies in the store.
    pub fn key(group: &GroupId, asker: &MemberId) -> String {
        format!("{group}/{asker}")
    }

    /// Has it taken this message in before?
    pub fn knows(&self, id: &MessageId) -> bool {
        self.heard.contains(id)
    }

    fn hears(&mut self, id: &MessageId) -> bool {
        if self.knows(id) {
            return false;
        }
        self.heard.push(id.clone());
        let surplus = self.heard.len().saturating_sub(HEARD);
        self.heard.drain(..surplus);
        true
    }

    /// Whoever asked says something more.
    pub fn asked(&mut self, said: &Said<'_>, judged: &Judged) -> Step {
        if !self.hears(said.id) {
            return Step::Same;
        }
        if judged.solved {
            return Step::Closed;
        }
        if judged.asks {
            self.words = cut(said.text);
            self.because.clone_from(&judged.because);
        }
        match self.waits {
            // Asked again while an answer is owed: the clock goes on from the first time.
            Some(_) => Step::Same,
            // The answer to what was asked back is something to act on as well; thanks are not.
            None if judged.asks || self.asked_back(judged) => self.owe(said.at),
            None => Step::Same,
        }
    }

    /// It had been asked back, and these words are not thanks.
    fn asked_back(&self, judged: &Judged) -> bool {
        use super::question::Reason;
        let silent = [Reason::Thanks, Reason::Withdrawn, Reason::Solved];
        self.replied.is_some()
            && self.turned_back
            && !judged.because.iter().any(|because| silent.contains(&because.reason))
    }

    fn owe(&mut self, at: Timestamp) -> Step {
        self.waits = Some(at);
        self.round += 1;
        Step::Owed
    }

    /// Somebody replies.
    pub fn replied(&mut self, by: &MemberId, said: &Said<'_>, reply: Reply) -> Step {
        if said.at < self.first || !self.hears(said.id) {
            return Step::Same;
        }
        self.replied.get_or_insert(said.at);
        self.replier = Some(by.clone());
        match reply {
            Reply::Solved => Step::Closed,
            // The clock begins anew, for the answer that was promised.
            Reply::Promise if self.waits.is_some() => self.owe(said.at),
            Reply::Promise => Step::Same,
            Reply::AsksBack | Reply::Answer => {
                self.waits = None;
                self.turned_back = reply == Reply::AsksBack;
                Step::Paused
            }
        }
    }
}

/// A message, as far as a thread looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Which.
    pub id: &'a MessageId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: &'a str,
}

/// One line, without numbers that may be somebody's telephone or card.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut digits = String::new();
    for c in line.chars().take(WORDS).chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() >= NUMBER { "****" } else { &digits });
        digits.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::{super::question, *};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// `?text` the asker, `>text` the reply; answers what each did.
    fn played(lines: &[&str]) -> (Thread, Vec<Step>) {
        let ids: Vec<MessageId> = (0..lines.len()).map(|n| MessageId::new(format!("m{n}"))).collect();
        let mut thread: Option<Thread> = None;
        let mut steps = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            let said = Said { id: &ids[n], at: at(n as i64), text: &line[1..] };
            let judged = question::judge(said.text);
            let step = match (&mut thread, line.starts_with('?')) {
                (None, _) => {
                    thread = Some(Thread::begin(&"g".into(), &"c".into(), "周岚", Vec::new(), &said, &judged));
                    Step::Owed
                }
                (Some(thread), true) => thread.asked(&said, &judged),
                (Some(thread), false) => {
                    thread.replied(&"li".into(), &said, super::super::reply::judge(said.text, false))
                }
            };
            steps.push(step);
        }
        (thread.unwrap(), steps)
    }

    #[test]
    fn a_thread_waits_pauses_and_closes() {
        use Step::{Closed, Owed, Paused, Same};
        for (lines, steps) in [
            (&["?多少钱", "?在吗", ">298 元"][..], &[Owed, Same, Paused][..]),
            (&["?多少钱", ">稍等，我查一下", ">298 元", "?谢谢"], &[Owed, Owed, Paused, Same]),
            (&["?快递到哪了", ">您的单号是多少？", "?SF1234", ">已到转运中心"], &[Owed, Paused, Owed, Paused]),
            (&["?杯子碎了", ">给您补发，今天发出", "?好的", "?什么时候能到"], &[Owed, Paused, Same, Owed]),
            (&["?杯子碎了", ">今天补发", "?已解决，谢谢"], &[Owed, Paused, Closed]),
            (&["?打不开", ">已解决"], &[Owed, Closed]),
        ] {
            assert_eq!(played(lines).1, steps, "{lines:?}");
        }
        let (thread, _) = played(&["?多少钱", "?在吗", ">稍等", ">298 元"]);
        assert_eq!((thread.first, thread.replied, thread.round), (at(0), Some(at(2)), 2));
    }

    #[test]
    fn what_comes_again_changes_nothing() {
        let (mut thread, _) = played(&["?多少钱", ">稍等"]);
        let before = thread.clone();
        let said = Said { id: &MessageId::from("m1"), at: at(1), text: "稍等" };
        assert_eq!(thread.replied(&"li".into(), &said, Reply::Promise), Step::Same);
        let early = Said { id: &MessageId::from("mx"), at: at(-1), text: "298" };
        assert_eq!(thread.replied(&"li".into(), &early, Reply::Answer), Step::Same);
        assert_eq!(thread, before);
    }
}
