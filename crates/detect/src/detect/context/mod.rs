//! Who says what about whom: `组长被骂脑残了` reports an insult and is none, `我可真是个蠢货` hits nobody, `谨防刷单诈骗` warns.
//!
//! One mechanism for all categories. When entries hit, and only then, the message is read once more for the cues of
//! `wordlists/common/context.txt` (`骂我`, `客户投诉：`, `禁止`, `会不会被拦` …): a cue on the right side of a hit and near enough gives
//! a [`Reason`] why the hit is no proof, which `scan --explain` names. What each reason asks for is the table in
//! `rules.rs`. Three things no reason excuses: an insult aimed at the reader, an offer that says how to be
//! reached (unless somebody else's words are quoted: then a person looks), and whatever stands beside the excused words.

mod clauses;
mod code;
mod cues;
mod rules;
#[cfg(test)]
mod tests;

pub(super) use self::code::is_code;
pub(super) use self::cues::{Cue, Words};

use self::clauses::Clauses;
use self::cues::Marks;
use self::rules::{RULES, Reach, Rule, Side};
use super::index::Atoms;
use super::view::{Span, View};
use crate::model::{Category, named_enum};

named_enum! {
    /// Why the words of an entry are no proof, or only enough to ask a person.
    pub enum Reason {
        /// `他说“你是傻逼”`.
        Quoted = "quoted", "引用别人的话或说的是这个词";
        /// `司机骂我蠢货`, `住客投诉：前台脑残`.
        Reported = "reported", "转述、投诉或举报";
        /// `不许说“蠢货”`, `谨防刷单`.
        Forbidden = "forbidden", "在禁止、提醒或揭穿";
        /// `客户又不是笨蛋`.
        Denied = "denied", "在否认";
        /// `“蠢货”算不算骂人`.
        Asked = "asked", "在问这个词";
        /// `我可真是个蠢货`.
        SelfMocking = "self-mocking", "在说自己";
        /// `晕船恶心一路`.
        Body = "body", "在说身体不舒服";
        /// `这破打印机`.
        Thing = "thing", "在说东西，不是说人";
        /// The group's rules, a regulation.
        Rules = "rules", "是群规或规章条文";
        /// `不能代替药物`.
        Disclaimer = "disclaimer", "是法律要求的提示语";
        /// `曲马多凭处方购买`.
        Medical = "medical", "在说看病用药";
        /// `警方通报`.
        Legal = "legal", "在说执法或案件";
        /// `消防演练`.
        Training = "training", "在说培训、演练或检查";
        /// `冰壶`, `毛片`: an everyday word without a second sign.
        Everyday = "everyday", "日常或行业里也用的词，旁边没有第二个迹象";
        /// Letters of a link, a file name or a product code.
        Code = "code", "是链接、文件名或型号里的字母";
    }
}

/// What becomes of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It counts, but is never acted on by itself.
    Ask,
    /// It does not count.
    Excuse,
}

/// A message in which something hit, read for who says what about whom.
pub(super) struct Talk<'v> {
    view: &'v View,
    clauses: Clauses,
    marks: Marks,
    /// It names a way to be reached, or asks to be.
    reached: bool,
    /// Where its own rules begin, if it is a text of rules.
    rules: Option<usize>,
}

/// Characters between 你 and the hit it is aimed at.
const AIMED_WITHIN: usize = 6;
/// Characters between somebody else and what they ask of the speaker: `有人冒充总经理加我微信`.
const OTHERS_WITHIN: usize = 10;
/// Enumerated paragraphs that make a text of rules.
const PARAGRAPHS: usize = 2;

impl<'v> Talk<'v> {
    /// Reads the message; `atoms` are the numbers, accounts and links in it.
    pub(super) fn read(words: &Words, view: &'v View, atoms: &Atoms) -> Self {
        let marks = words.find(view);
        let mut talk = Self { view, clauses: Clauses::of(view), marks, reached: false, rules: None };
        let public = |span: Span| talk.marks.of(Cue::Hotline).any(|hotline| hotline == span);
        let contact = atoms.iter().any(|(_, span)| !public(*span));
        let others = |call: Span| {
            talk.marks.of(Cue::Others).any(|other| {
                other.end <= call.start && other.distance(call) <= OTHERS_WITHIN && talk.clauses.same(other, call)
            })
        };
        talk.reached = contact || talk.marks.of(Cue::ReachMe).any(|call| !others(call));
        let forbids = talk.marks.of(Cue::Ban).next().is_some();
        let head = talk.marks.of(Cue::RulesHead).next().filter(|_| forbids).map(|head| head.end);
        let paragraphs = talk.marks.of(Cue::Paragraph).nth(PARAGRAPHS - 1).map(|_| 0);
        talk.rules = head.into_iter().chain(paragraphs).min();
        talk
    }

    /// Why a hit is no proof, and whether nothing is left of it.
    pub(super) fn excuse(&self, category: Category, hit: Span) -> Option<(Reason, Outcome)> {
        let kind = rules::kind(category);
        if kind == 0 {
            return None;
        }
        let quote = self.clauses.quote(hit);
        let aimed = kind & rules::RUDE != 0 && self.aimed(hit, quote);
        if let Some(quote) = quote
            && !aimed
            && self.spoken_of(quote)
        {
            let open = kind & rules::OFFER != 0 && self.reached;
            return Some((Reason::Quoted, if open { Outcome::Ask } else { Outcome::Excuse }));
        }
        if kind & rules::OFFER != 0 && self.reached {
            return RULES
                .iter()
                .find(|rule| rule.reason == Reason::Disclaimer && self.fits(rule, hit))
                .map(|rule| (rule.reason, rule.outcome));
        }
        if aimed {
            return None;
        }
        if self.rules.is_some_and(|from| self.clauses.ends_between(from, hit.start)) {
            return Some((Reason::Rules, Outcome::Excuse));
        }
        let fitting = RULES.iter().filter(|rule| rule.about & kind != 0 && self.fits(rule, hit));
        fitting.map(|rule| (rule.reason, rule.outcome)).max_by_key(|(_, outcome)| *outcome)
    }

    /// A word of a group stands anywhere in the message, outside the hit.
    pub(super) fn has(&self, group: usize, hit: Span) -> bool {
        self.marks.group(group).any(|mark| !mark.touches(hit))
    }

    /// The message says how to reach its writer.
    pub(super) const fn reached(&self) -> bool {
        self.reached
    }

    /// Somebody is meant by the hit: a person stands in its clause, or it is the whole message.
    pub(super) fn means_person(&self, hit: Span) -> bool {
        self.marks
            .of(Cue::Person)
            .any(|person| self.clauses.same(person, hit) && !self.cancelled(Cue::NoPerson, person))
    }

    /// As [`Self::means_person`], or 你 stands in the clause before or after.
    pub(super) fn speaks_to(&self, hit: Span) -> bool {
        let near = |you: Span| self.clauses.near(you, hit) && !self.cancelled(Cue::NoPerson, you);
        self.means_person(hit) || self.marks.of(Cue::You).any(near)
    }

    /// The clause that a hit stands in is about a thing that follows right behind it: `NMD鞋`.
    pub(super) fn names_thing(&self, hit: Span) -> bool {
        [Cue::Thing, Cue::Model].iter().any(|cue| self.marks.of(*cue).any(|thing| thing.start == hit.end))
    }

    /// 你 stands before the hit in its clause, right behind it or in it; what is said inside another one's quotation is
    /// aimed at nobody here.
    fn aimed(&self, hit: Span, quote: Option<Span>) -> bool {
        self.marks.of(Cue::You).any(|you| {
            let quoted =
                quote.is_some_and(|quote| quote.covers(you)) || self.clauses.quote(you).is_some_and(|q| q != you);
            if quoted || self.cancelled(Cue::NoPerson, you) {
                return false;
            }
            let before = you.end <= hit.start && you.distance(hit) <= AIMED_WITHIN;
            let behind = you.start >= hit.end && you.distance(hit) <= 1;
            hit.covers(you) || (before || behind) && self.clauses.same(you, hit)
        })
    }

    /// Beside a quotation stands who said it, or that it is spoken of as a word.
    fn spoken_of(&self, quote: Span) -> bool {
        let said = self.marks.of(Cue::Said).any(|said| said.end <= quote.start && self.clauses.near(said, quote));
        let word = [Cue::Word, Cue::Ask, Cue::BanWords, Cue::Insulted, Cue::Complaint]
            .iter()
            .any(|cue| self.marks.of(*cue).any(|word| !word.touches(quote) && self.clauses.near(word, quote)));
        said || word
    }

    fn cancelled(&self, by: Cue, mark: Span) -> bool {
        self.marks.of(by).any(|longer| longer.covers(mark))
    }

    fn fits(&self, rule: &Rule, hit: Span) -> bool {
        let covers = |cue: Cue| self.marks.of(cue).any(|mark| hit.covers(mark));
        let rude = rule.about & rules::RUDE != 0;
        let sold = || self.marks.of(Cue::Sale).any(|sale| self.clauses.near(sale, hit));
        let unfit = match rule.reason {
            Reason::Denied => self.marks.of(Cue::Rhetoric).any(|q| self.clauses.same(q, hit)),
            Reason::Asked => rude && covers(Cue::Swear),
            Reason::Thing => {
                covers(Cue::Swear) || self.means_person(hit) || rule.outcome == Outcome::Excuse && !covers(Cue::Fault)
            }
            Reason::Body => !covers(Cue::Sick) || self.means_person(hit),
            Reason::SelfMocking => covers(Cue::Swear) || !self.ends_there(hit),
            // `您涉嫌洗钱，请配合公安` is how the trick itself goes.
            Reason::Legal => [Cue::You, Cue::Trick].iter().any(|cue| self.marks.of(*cue).next().is_some()),
            Reason::Medical => !covers(Cue::Diagnosis) || !rude && sold(),
            _ => false,
        };
        let leads = |me: Span| me.end <= hit.start && self.begins_there(me) && self.leads_to(me.end, hit.start);
        let meets = |mark: Span| if rule.cue == Cue::Me { leads(mark) } else { self.meets(rule, mark, hit) };
        !unfit && self.marks.of(rule.cue).any(meets)
    }

    /// Nothing but fillers stands between two places: `我｜可能｜是个｜傻子`.
    fn leads_to(&self, from: usize, to: usize) -> bool {
        from == to || self.marks.of(Cue::Filler).any(|f| f.start == from && f.end <= to && self.leads_to(f.end, to))
    }

    /// 我 alone says who is meant where something begins: `我脑残了`, not `加我…`.
    fn begins_there(&self, me: Span) -> bool {
        me.end - me.start > 1
            || me.start == 0
            || self.clauses.starts_at(me.start)
            || "了啊呀吧呢哦嗯哈思歉怪".contains(self.view.chars[me.start - 1])
    }

    fn meets(&self, rule: &Rule, mark: Span, hit: Span) -> bool {
        if mark.touches(hit) {
            return mark != hit && mark.covers(hit);
        }
        let side = match rule.side {
            Side::Before => mark.end <= hit.start,
            Side::After => hit.end <= mark.start,
            Side::Either => true,
        };
        let near = match rule.reach {
            Reach::Touching(within) => mark.distance(hit) <= within && self.clauses.same(mark, hit),
            Reach::Clause => self.clauses.same(mark, hit),
            Reach::Neighbour => self.clauses.near(mark, hit),
            Reach::Within(within) => mark.distance(hit) <= within,
            Reach::Message => true,
        };
        side && near
    }

    /// The name the speaker gives himself belongs to nobody else: `我这废物同事` goes on.
    fn ends_there(&self, hit: Span) -> bool {
        hit.end >= self.view.chars.len()
            || self.clauses.starts_at(hit.end)
            || "了吧吗啊呀呢哈啦嘛哦唉一得地把才又竟居子脑，".contains(self.view.chars[hit.end])
    }
}
