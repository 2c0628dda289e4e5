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
        /// `招兼职促销员，找人事报名`.
        Hiring = "hiring", "是单位招人";
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
        /// `窗口交材料`.
        Boundary = "boundary", "可能只是两个词挨在一起";
        /// `父母双亡的孩子可以申请补助`.
        Fact = "fact", "在说事实，不是骂人";
        /// `你妈的手术排在周三`, `祝你全家新年快乐`.
        Family = "family", "在说家里人的事，或在祝福";
        /// `小狗吃屎怎么办`, `滚蛋饺子`.
        Creature = "creature", "在说动物或货品，不是骂人";
        /// `换掉清仓的价签`.
        Sign = "sign", "在说写着这话的牌子、海报";
        /// `太他妈好吃了`.
        Praised = "praised", "是感叹，在夸";
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
/// Characters of one item of an enumeration of forbidden words.
const LONGEST_ITEM: usize = 6;
/// Characters of a ban and the last word of a hit, which it forbids.
const LAST_WORD: usize = 6;

/// A ban stands within a hit, before the last of its words: `客户名单在里面看，别导出`, or reaches into it: `别卖烟`.
const fn forbids_last(ban: Span, hit: Span) -> bool {
    let within = hit.start < ban.start && ban.end <= hit.end && hit.end - ban.start <= LAST_WORD;
    let into = ban.start < hit.start && hit.start < ban.end && ban.end <= hit.end;
    within || into
}

impl<'v> Talk<'v> {
    /// Reads the message; `atoms` are the numbers, accounts and links in it.
    pub(super) fn read(words: &Words, view: &'v View, atoms: &Atoms) -> Self {
        let marks = words.find(view);
        let mut talk = Self { view, clauses: Clauses::of(view), marks, reached: false, rules: None };
        let public = |span: Span| talk.marks.of(Cue::Hotline).any(|hotline| hotline == span);
        let contact = atoms.iter().any(|(_, span)| !public(*span));
        talk.reached = contact || talk.marks.of(Cue::ReachMe).any(|call| !talk.by_others(call));
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
        if kind & rules::RUDE != 0
            && let Some(rule) = rules::FAMILY.iter().find(|rule| self.fits(rule, hit))
        {
            return Some((rule.reason, rule.outcome));
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

    /// Where the message asks to be reached, outside every hit.
    pub(super) fn call(&self, hits: &[Span]) -> Option<Span> {
        self.marks.of(Cue::Call).find(|call| !hits.iter().any(|hit| hit.touches(*call)) && !self.by_others(*call))
    }

    /// Where it says what is paid, outside every hit.
    pub(super) fn pay(&self, hits: &[Span]) -> Option<Span> {
        let amount = |pay: Span| {
            let before = pay.start.checked_sub(1).map(|i| self.view.chars[i]);
            pay.end - pay.start > 1 || before.is_some_and(|c| c.is_ascii_digit() || "几百千万".contains(c))
        };
        self.marks.of(Cue::Pay).find(|pay| !hits.iter().any(|hit| hit.touches(*pay)) && amount(*pay))
    }

    /// Whom the hit is aimed at: a person beside it in its clause. Who finds fault with goods and shops (坑, 垃圾) aims at
    /// what they do.
    pub(super) fn target(&self, hit: Span) -> Option<Span> {
        let fault = self.marks.of(Cue::Fault).any(|fault| fault.touches(hit));
        self.marks.of(Cue::Person).find(|person| {
            !fault
                && !person.touches(hit)
                && person.distance(hit) <= if person.end <= hit.start { AIMED_WITHIN } else { 1 }
                && self.clauses.same(*person, hit)
                && !self.cancelled(Cue::NoPerson, *person)
        })
    }

    /// Somebody else is the one who asks for it.
    fn by_others(&self, call: Span) -> bool {
        self.marks.of(Cue::Others).any(|other| {
            other.end <= call.start && other.distance(call) <= OTHERS_WITHIN && self.clauses.same(other, call)
        })
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
            Reason::Forbidden if rule.cue != Cue::Dont => false,
            Reason::Denied | Reason::Forbidden => self.marks.of(Cue::Rhetoric).any(|q| self.clauses.same(q, hit)),
            Reason::Asked => rude && covers(Cue::Swear),
            Reason::Thing => {
                covers(Cue::Swear) || self.means_person(hit) || rule.outcome == Outcome::Excuse && !covers(Cue::Fault)
            }
            Reason::Body => !covers(Cue::Sick) || self.means_person(hit),
            Reason::Fact => !covers(Cue::Loss),
            Reason::Family => rule.cue != Cue::Urged && !self.names_kin(hit),
            Reason::Creature => !covers(Cue::Beastly) || self.means_person(hit),
            Reason::Praised => !covers(Cue::Exclaimed) || self.target(hit).is_some(),
            Reason::SelfMocking => covers(Cue::Swear) || !self.ends_there(hit),
            // `您涉嫌洗钱，请配合公安` is how the trick itself goes.
            Reason::Legal => [Cue::You, Cue::Trick].iter().any(|cue| self.marks.of(*cue).next().is_some()),
            Reason::Medical => !covers(Cue::Diagnosis) || !rude && sold(),
            _ => false,
        };
        let leads = |me: Span| me.end <= hit.start && self.begins_there(me) && self.leads_to(me.end, hit.start);
        let meets = |mark: Span| match rule.cue {
            Cue::Me => leads(mark),
            Cue::Wish => self.meets(rule, mark, hit) && self.ends_there(mark),
            Cue::Secret => self.meets(rule, mark, hit) || hit.covers(mark),
            Cue::Dont => self.meets(rule, mark, hit) || forbids_last(mark, hit),
            _ => self.meets(rule, mark, hit),
        };
        !unfit && self.marks.of(rule.cue).any(meets)
    }

    /// The hit ends with a relative, or with having an illness, and whoever curses says no more before it:
    /// `他妈让他回家`, not `你他妈让开`.
    fn names_kin(&self, hit: Span) -> bool {
        let char = |at: usize| self.view.chars[at];
        let cursed = |kin: Span| {
            "你他她".contains(char(kin.start)) && kin.start > 0 && "你我真太操草日艹干去".contains(char(kin.start - 1))
        };
        self.marks.of(Cue::Kin).any(|kin| kin.end == hit.end && hit.covers(kin) && !cursed(kin))
    }

    /// Nothing but short items of an enumeration lies between a cue and a hit: `禁止说｜蠢货、笨蛋`. What is not done or
    /// summed up goes on over 、 alone, a ban over commas too.
    fn listed(&self, cue: Cue, first: Span, second: Span) -> bool {
        let comma = matches!(cue, Cue::Ban | Cue::BanWords | Cue::Warning);
        let (from, to) = (self.view.raw_range(first).1, self.view.raw_range(second).0);
        let between = self.view.raw.get(from..to).unwrap_or_default();
        !between.iter().any(|c| "。！？!?；;\n".contains(*c) || !comma && "，, ".contains(*c))
            && between
                .split(|c| "、，,：:/“”\"「」 ".contains(*c) || c.is_ascii_digit())
                .all(|item| item.len() <= LONGEST_ITEM)
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
            Reach::Listed(within) => {
                let (first, second) = if mark.start < hit.start { (mark, hit) } else { (hit, mark) };
                mark.distance(hit) <= within || self.listed(rule.cue, first, second)
            }
            Reach::Message => true,
        };
        side && near
    }

    /// The name the speaker gives himself belongs to nobody else: `我这废物同事` goes on.
    fn ends_there(&self, hit: Span) -> bool {
        hit.end >= self.view.chars.len()
            || self.clauses.starts_at(hit.end)
            || "了吧吗啊呀呢哈啦嘛哦唉一得地把才又竟居子脑哭，".contains(self.view.chars[hit.end])
    }
}
