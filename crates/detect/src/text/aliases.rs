//! Other names of WeChat and QQ (`V`, `vx`, 卫星, 威信, 企鹅, 扣扣), found in a folded message with their positions. A hit is
//! only a name: whether somebody is asked to come over is for the caller to see.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::marks::Break;
use super::normalized::Normalized;

/// The way of contact that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contact {
    /// 微信.
    WeChat,
    /// QQ.
    Qq,
    /// A phone number or SMS.
    Phone,
    /// Telegram and its like.
    Telegram,
}

impl Contact {
    /// The plain name, as lists have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeChat => "微信",
            Self::Qq => "qq",
            Self::Phone => "电话",
            Self::Telegram => "电报",
        }
    }
}

/// An alias that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Folded positions.
    pub range: Range<usize>,
    /// What it stands for.
    pub contact: Contact,
    /// The name itself, not an alias.
    pub plain: bool,
    /// One or two letters, or a word with a common meaning of its own (`v`, 卫星, 企鹅): needs a second sign.
    pub weak: bool,
}

/// Alias, way, strength: `p`lain, `s`trong, `w`eak.
const NAMES: &[(&str, Contact, char)] = &[
    ("微信", Contact::WeChat, 'p'),
    ("weixin", Contact::WeChat, 's'),
    ("wechat", Contact::WeChat, 's'),
    ("wexin", Contact::WeChat, 's'),
    ("威信", Contact::WeChat, 'w'),
    ("薇信", Contact::WeChat, 's'),
    ("徽信", Contact::WeChat, 's'),
    ("徵信", Contact::WeChat, 's'),
    ("维信", Contact::WeChat, 's'),
    ("溦信", Contact::WeChat, 's'),
    ("巍信", Contact::WeChat, 's'),
    ("微伈", Contact::WeChat, 's'),
    ("微芯", Contact::WeChat, 's'),
    ("微心", Contact::WeChat, 'w'),
    ("薇芯", Contact::WeChat, 's'),
    ("薇心", Contact::WeChat, 'w'),
    ("威芯", Contact::WeChat, 's'),
    ("葳信", Contact::WeChat, 's'),
    ("薇xin", Contact::WeChat, 's'),
    ("微xin", Contact::WeChat, 's'),
    ("wei信", Contact::WeChat, 's'),
    ("v信", Contact::WeChat, 's'),
    ("w信", Contact::WeChat, 's'),
    ("卫星", Contact::WeChat, 'w'),
    ("卫信", Contact::WeChat, 's'),
    ("绿泡泡", Contact::WeChat, 'w'),
    ("绿色软件", Contact::WeChat, 'w'),
    ("微", Contact::WeChat, 'w'),
    ("薇", Contact::WeChat, 'w'),
    ("威", Contact::WeChat, 'w'),
    ("vx", Contact::WeChat, 's'),
    ("wx", Contact::WeChat, 's'),
    ("v", Contact::WeChat, 'w'),
    ("vv", Contact::WeChat, 'w'),
    ("wxh", Contact::WeChat, 's'),
    ("qq", Contact::Qq, 'p'),
    ("qv", Contact::Qq, 'w'),
    ("q", Contact::Qq, 'w'),
    ("企鹅", Contact::Qq, 'w'),
    ("扣扣", Contact::Qq, 's'),
    ("叩叩", Contact::Qq, 's'),
    ("扣", Contact::Qq, 'w'),
    ("球球", Contact::Qq, 'w'),
    ("秋秋", Contact::Qq, 'w'),
    ("蔻蔻", Contact::Qq, 'w'),
    ("抠抠", Contact::Qq, 's'),
    ("口口", Contact::Qq, 'w'),
    ("电话", Contact::Phone, 'p'),
    ("手机号", Contact::Phone, 'p'),
    ("电报", Contact::Telegram, 'p'),
    ("telegram", Contact::Telegram, 'p'),
    ("纸飞机", Contact::Telegram, 's'),
    ("飞机", Contact::Telegram, 'w'),
    ("土豆", Contact::Telegram, 'w'),
    ("tg", Contact::Telegram, 's'),
    ("蝙蝠", Contact::Telegram, 'w'),
];

struct Names {
    machine: Option<AhoCorasick>,
    names: Vec<(usize, Contact, char)>,
}

static ALIASES: LazyLock<Names> = LazyLock::new(|| {
    let folded: Vec<String> = NAMES.iter().map(|(name, ..)| super::fold(name)).collect();
    Names {
        machine: AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&folded).ok(),
        names: NAMES
            .iter()
            .zip(&folded)
            .map(|((_, contact, strength), text)| (text.chars().count(), *contact, *strength))
            .collect(),
    }
});

/// Finds the aliases of a message, longest first, never overlapping. Latin ones must not touch another Latin letter, and
/// none is read across the end of a sentence.
pub fn find(text: &Normalized) -> Vec<Alias> {
    let Some(machine) = &ALIASES.machine else { return Vec::new() };
    let folded = text.folded();
    let string = text.text();
    let mut starts = string.char_indices().map(|(byte, _)| byte).enumerate().peekable();
    let mut found = Vec::new();
    for hit in machine.find_iter(&string) {
        let mut start = 0;
        while let Some((i, _)) = starts.next_if(|(_, byte)| *byte <= hit.start()) {
            start = i;
        }
        let (chars, contact, strength) = ALIASES.names[hit.pattern().as_usize()];
        let range = start..start + chars;
        let latin = |i: usize| folded[i].is_ascii_alphabetic();
        let glued = (range.start > 0
            && latin(range.start)
            && latin(range.start - 1)
            && text.gap(range.start).kind == Break::None)
            || (range.end < folded.len()
                && latin(range.end - 1)
                && latin(range.end)
                && text.gap(range.end).kind == Break::None);
        if glued || text.widest_gap(range.clone()).kind == Break::Sentence {
            continue;
        }
        found.push(Alias { range, contact, plain: strength == 'p', weak: strength == 'w' });
    }
    found
}
