//! What was said lately in each group, and by whom: a quote is somebody else's only if somebody else said it.
//!
//! Nothing in a message tells whom or what it quotes; there are only the words, as a client shows them. So what is remembered
//! of a message is everything that shows of it: words, titles, addresses, file names, what a record says.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde_json::Value;

use super::chains::{Chain, Chains, Held, folded};
use crate::{
    detect::Verdict,
    model::{Attachment, Channel, Clock, GroupId, MemberId, Message, SignedDuration, Timestamp},
    moderation::shows_others,
    store::{CaseQuery, Store, StoreError},
    wecom::archive::message::{quote, unknown},
};

/// What nobody is known to have said within this, nobody said.
pub const LATELY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Messages remembered over all groups; the oldest go first.
const MOST: usize = 200_000;
/// After a start, of what is older than [`LATELY`] and was clean only so many.
const MOST_OLDER: usize = MOST / 2;
/// And cases.
const MOST_CASES: usize = 20_000;
/// Stands between the parts of a message; no folded text has it.
const JOINT: char = '\u{1}';

/// One message as others may quote it.
struct Said {
    by: MemberId,
    at: Timestamp,
    /// Its folded parts.
    words: Box<str>,
    /// What it quotes, folded.
    quoted: Option<Box<str>>,
}

/// What is known of one group.
#[derive(Default)]
struct Talk {
    said: VecDeque<Said>,
    chains: Chains,
    /// When the first message that is known of was said.
    since: Option<Timestamp>,
    /// When the last message was said whose words are not known: forgotten for want of room, or of a kind that WeCom does
    /// not export.
    unheard: Option<Timestamp>,
}

/// Who is known to have said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sayer {
    /// Somebody else than who quotes it.
    Another,
    /// Only who quotes it.
    Quoter,
    /// Nobody.
    Nobody,
}

/// What was said, by group, oldest first.
pub struct SaidLately {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    groups: HashMap<GroupId, Talk>,
    order: VecDeque<GroupId>,
    /// The store's own memory was asked; it is not before the first words that nobody said since the start.
    asked: bool,
}

impl SaidLately {
    /// Nothing said yet; `store` knows what was said before.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, groups: HashMap::new(), order: VecDeque::new(), asked: false }
    }

    /// Who said these quoted words; `by` quotes them.
    pub async fn who_said(&mut self, group: &GroupId, by: &MemberId, quoted: &str) -> Result<Sayer, StoreError> {
        let known = self.known(group, by, quoted);
        if known == Sayer::Another || self.asked {
            return Ok(known);
        }
        self.ask_the_store().await?;
        Ok(self.known(group, by, quoted))
    }

    fn known(&self, group: &GroupId, by: &MemberId, quoted: &str) -> Sayer {
        let nothing = Talk::default();
        let talk = self.groups.get(group).unwrap_or(&nothing);
        let wanted = Wanted::of(quoted);
        if wanted.words.is_empty() || talk.chains.shown(quoted, by) {
            return Sayer::Another; // a picture, or nothing at all, is nobody's words
        }
        let mut sayer = Sayer::Nobody;
        for said in talk.said.iter().rev().filter(|said| wanted.fits(said)) {
            if said.by != *by {
                return Sayer::Another;
            }
            sayer = Sayer::Quoter;
        }
        sayer
    }

    /// Everything that was said in the group in the days before is known: what nobody is known to have said, nobody said.
    pub async fn heard_all(
        &mut self,
        group: &GroupId,
        at: Timestamp,
        missed: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let from = at - LATELY;
        if missed.is_some_and(|missed| missed >= from) {
            return Ok(false);
        }
        let heard =
            |talk: &Talk| talk.since.is_some_and(|since| since <= from) && talk.unheard.is_none_or(|u| u < from);
        if !self.asked && !self.groups.get(group).is_some_and(heard) {
            self.ask_the_store().await?;
        }
        Ok(self.groups.get(group).is_some_and(heard))
    }

    /// What is known of the 接龙 that goes on in `whole`.
    pub async fn chain(&mut self, group: &GroupId, held: Held, whole: &str) -> Result<Option<&Chain>, StoreError> {
        let known = self.groups.get(group).is_some_and(|talk| talk.chains.find(held, whole).is_some());
        if !known && !self.asked {
            self.ask_the_store().await?;
        }
        Ok(self.groups.get(group).and_then(|talk| talk.chains.find(held, whole)))
    }

    /// What the store has goes before what was heard since.
    async fn ask_the_store(&mut self) -> Result<(), StoreError> {
        let heard = std::mem::take(&mut self.groups);
        let order = std::mem::take(&mut self.order);
        self.ask_for_cases().await?;
        let (store, lately) = (self.store.clone(), self.clock.now() - LATELY);
        let mut after = None;
        loop {
            let page = store.messages(Timestamp::MIN, after.as_ref(), 1000).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.message.id.clone());
            for processed in &page {
                let (message, group) = (&processed.message, processed.message.group.clone());
                let room = self.order.len() < MOST_OLDER;
                if message.at < lately && processed.verdict == Verdict::Clean && !room {
                    self.heard_of(&group, message);
                } else {
                    self.remember(&group, message);
                }
            }
        }
        let mut heard = heard;
        for group in order {
            if let Some(said) = heard.get_mut(&group).and_then(|talk| talk.said.pop_front()) {
                self.push(&group, said);
            }
        }
        for (group, talk) in heard {
            let now = self.groups.entry(group).or_default();
            now.chains.extend(talk.chains);
            now.since = [now.since, talk.since].into_iter().flatten().min();
            now.unheard = now.unheard.max(talk.unheard);
        }
        self.asked = true;
        Ok(())
    }

    /// What was held against people stays known when the message itself is forgotten.
    async fn ask_for_cases(&mut self) -> Result<(), StoreError> {
        let mut query = CaseQuery { limit: 1000, ..CaseQuery::default() };
        for _ in 0..MOST_CASES / query.limit {
            let cases = self.store.cases(&query).await?;
            let Some(last) = cases.last() else { break };
            query.after = Some(last.id.clone());
            for case in cases {
                let evidence = case.all_evidence();
                let words = joined(evidence.lines().filter(|line| !shows_others(line)));
                self.push(&case.group, Said { by: case.member, at: case.at, words: words.into(), quoted: None });
            }
        }
        Ok(())
    }

    /// Other channels hear only some of what is said.
    fn heard_of(&mut self, group: &GroupId, message: &Message) -> &mut Talk {
        let talk = self.groups.entry(group.clone()).or_default();
        if message.channel == Channel::Archive {
            talk.since = Some(talk.since.map_or(message.at, |since| since.min(message.at)));
        }
        talk
    }

    /// Remembers a message whose words are sorted out.
    pub fn remember(&mut self, group: &GroupId, message: &Message) {
        if group.as_str().is_empty() {
            return;
        }
        let talk = self.heard_of(group, message);
        talk.chains.remember(message);
        if unknown(message) {
            talk.unheard = talk.unheard.max(Some(message.at));
        }
        let quoted: String = message.attachments.iter().filter_map(quote_of).map(folded).collect();
        let words = parts(message);
        if words.is_empty() && quoted.is_empty() {
            return;
        }
        let quoted = Some(quoted.into_boxed_str()).filter(|quoted| !quoted.is_empty());
        self.push(group, Said { by: message.sender.clone(), at: message.at, words: words.into(), quoted });
    }

    fn push(&mut self, group: &GroupId, said: Said) {
        self.groups.entry(group.clone()).or_default().said.push_back(said);
        self.order.push_back(group.clone());
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
            && let Some(talk) = self.groups.get_mut(&oldest)
            && let Some(forgotten) = talk.said.pop_front()
        {
            talk.unheard = talk.unheard.max(Some(forgotten.at));
        }
    }
}

/// Quoted words, to be found among what was said.
struct Wanted {
    words: String,
    /// Of a quote of a quote: the own words of who is quoted, and what they quoted.
    nested: Option<(String, String)>,
}

impl Wanted {
    fn of(quoted: &str) -> Self {
        let nested = match quote::split(quoted) {
            (own, Some(inner)) => Some((folded(&own), folded(inner))),
            (_, None) => None,
        };
        let words = match &nested {
            // One that was made up stands in memory as its writer's words.
            Some((own, inner)) => format!("{inner}{own}"),
            None => folded(quoted),
        };
        Self { words, nested }
    }

    fn fits(&self, said: &Said) -> bool {
        shows(&said.words, &self.words)
            || self.nested.as_ref().is_some_and(|(own, inner)| {
                said.quoted.as_ref().is_some_and(|quoted| quoted.contains(inner.as_str()))
                    && (own.is_empty() || shows(&said.words, own))
            })
    }
}

/// A message of these parts may show as `wanted`: one of them or a piece of it, or several one after the other, of which the
/// last may be cut off.
fn shows(parts: &str, wanted: &str) -> bool {
    if parts.contains(wanted) {
        return true;
    }
    let mut longest_first: Vec<&str> = parts.split(JOINT).collect();
    if longest_first.len() == 1 {
        return false;
    }
    longest_first.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut left = wanted.to_owned();
    for part in longest_first {
        left = left.replacen(part, "\u{1}", 1);
    }
    let mut left = left.split(JOINT).filter(|piece| !piece.is_empty());
    left.next().is_none_or(|piece| parts.contains(piece)) && left.next().is_none()
}

/// Everything that shows of a message, folded.
fn parts(message: &Message) -> String {
    let mut texts: Vec<String> = vec![message.text.clone()];
    let mut add = |text: &str| texts.push(text.to_owned());
    for part in &message.attachments {
        match part {
            Attachment::Link { title, url, .. } => [title, url].into_iter().for_each(|text| add(text)),
            Attachment::File { name, .. } => add(name),
            Attachment::RedPacket { wish } => add(wish),
            Attachment::Card { user, company } => [user, company].into_iter().for_each(|text| add(text)),
            Attachment::Forwarded { title, items } => std::iter::once(title).chain(items).for_each(|text| add(text)),
            Attachment::Image { words, .. } => add(words),
            Attachment::Other { kind, raw } if !Chains::is_one(kind) => {
                match serde_json::from_str(raw) {
                    Ok(body) => strings(&body, &mut add),
                    Err(_) => add(raw), // cut off
                }
            }
            Attachment::Quote { .. } | Attachment::Other { .. } => {}
        }
    }
    texts.extend(as_shown(&message.text));
    joined(texts.iter().map(String::as_str))
}

/// A robot's formatted words as clients show them: without tags and without where links lead.
fn as_shown(text: &str) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', ']']) {
        let (before, mark) = rest.split_at(at);
        shown.push_str(before);
        let end = match mark.strip_prefix("](") {
            Some(_) => mark.find(')'),
            None => mark.find('>').filter(|_| mark.starts_with('<')),
        };
        // Both stand within one line.
        match end.filter(|end| !mark[..*end].contains('\n')) {
            Some(end) => rest = &mark[end + 1..],
            None => {
                shown.push_str(&mark[..1]);
                rest = &mark[1..];
            }
        }
    }
    shown.push_str(rest);
    (folded(&shown) != folded(text)).then_some(shown)
}

/// The lines of some texts, folded, one after the other.
fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let lines = texts.into_iter().flat_map(str::lines).map(folded).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(&JOINT.to_string())
}

/// Every text in a body that nobody can read yet.
fn strings(body: &Value, add: &mut impl FnMut(&str)) {
    match body {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, add)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, add)),
        _ => {}
    }
}

/// What an attachment quotes.
pub fn quote_of(part: &Attachment) -> Option<&str> {
    match part {
        Attachment::Quote { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatted_words_show_without_their_marks() {
        for (text, shown) in [
            ("<font color=\"warning\">让客户加微信</font>吧", Some("让客户加微信吧")),
            ("详情[点这里](https://x.example/a)看", Some("详情[点这里看")),
            ("<@zhang> 请看", Some(" 请看")),
            ("3<5，5>3", Some("33")),
            ("3 < 5\n7 > 5", None),
            ("[强] 好](", None),
            ("好的", None),
        ] {
            assert_eq!(as_shown(text).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn a_message_shows_as_a_part_or_as_several_one_after_the_other() {
        for (parts, wanted, fits) in [
            ("加我微信领资料", "加我微信", true),
            ("加我微信领资料", "加我微信一", false),
            ("看这个\u{1}标题\u{1}说明\u{1}httpsxexample", "看这个标题说明", true),
            ("看这个\u{1}标题\u{1}说明\u{1}httpsxexample", "标题说明httpsxexample看这个", true),
            ("看这个\u{1}标题\u{1}说明文字很长", "看这个标题说明文", true), // cut off
            ("看这个\u{1}标题\u{1}说明", "看这个加我微信标题", false),
            ("好\u{1}标题", "加好友标题", false),
        ] {
            assert_eq!(shows(parts, wanted), fits, "{wanted} of {parts}");
        }
    }
}
