//! Is this a question that somebody waits to have answered? 什么时候发货, 帮我查下单号, 还没收到货, 在吗 are; 谢谢, 好的, 没问题 and
//! 谁不想便宜呢 are not. Words alone decide, and each that did is named, so that whoever is reminded sees why.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::{acknowledgement, model::named_enum};

named_enum! {
    /// Why a message counts as a question, or does not.
    pub enum Reason {
        /// It ends with a question mark.
        Mark = "mark", "问号";
        /// 多少, 什么时候, 怎么 …
        Word = "word", "疑问词";
        /// … 吗, … 没, … 不.
        Ending = "ending", "疑问的结尾";
        /// 有没有, 能不能 …
        Choice = "choice", "正反问";
        /// 帮我, 麻烦, 请问 …
        Request = "request", "请求";
        /// 没收到, 坏了 …
        Problem = "problem", "反映问题";
        /// 在吗, 有人吗.
        Call = "call", "找人";
        /// 谢谢, 好的, 收到.
        Thanks = "thanks", "致谢或应答";
        /// 已解决.
        Solved = "solved", "说已解决";
        /// 谁不想, 怎么可能.
        Rhetorical = "rhetorical", "反问";
        /// 不用了, 没问题.
        Withdrawn = "withdrawn", "不用答";
        /// None of these.
        Nothing = "nothing", "没有问";
    }
}

/// One reason with the words it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// Why.
    pub reason: Reason,
    /// The words; empty where the whole message says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// What a message is to whoever has to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Somebody waits for an answer.
    pub asks: bool,
    /// Whoever asked says that it is done with.
    pub solved: bool,
    /// Why, the strongest first.
    pub because: Vec<Because>,
}

impl Judged {
    fn no(reason: Reason, words: &str) -> Self {
        let because = vec![Because { reason, words: words.to_owned() }];
        Self { asks: false, solved: reason == Reason::Solved, because }
    }
    /// `疑问词「多少」、问号`.
    pub fn zh(&self) -> String {
        zh(&self.because)
    }
}

/// `疑问词「多少」、问号`.
pub fn zh(because: &[Because]) -> String {
    let mut text = String::new();
    for (n, Because { reason, words }) in because.iter().enumerate() {
        let _ = write!(text, "{}{}", if n == 0 { "" } else { "、" }, reason.zh());
        if !words.is_empty() {
            let _ = write!(text, "「{words}」");
        }
    }
    text
}

const SOLVED: &[&str] =
    &["已解决", "解决了", "已经解决", "处理好了", "搞定了", "弄好了", "可以了", "好了好了", "收到货了", "已经收到货"];
const WITHDRAWN: &[&str] =
    &["不用了", "不用麻烦", "不麻烦", "没问题", "没有问题", "不问了", "没事了", "不需要了", "没什么事"];
const CALLS: &[&str] = &[
    "在吗",
    "在不在",
    "在嘛",
    "在么",
    "有人吗",
    "有人么",
    "有人在",
    "人呢",
    "客服呢",
    "有客服",
    "没人回",
    "没人理",
    "没人吗",
];
const RHETORICAL: &[&str] = &[
    "谁不",
    "怎么可能",
    "怎么会不",
    "有什么好",
    "管他什么",
    "谁知道呢",
    "不怎么",
    "没什么",
    "什么都",
    "怎么都",
    "哪里哪里",
    "多少都",
    "什么的",
    "谁都",
    "随便什么",
    "几乎",
    "几个朋友",
    "不管怎么",
    "无论怎么",
    "无论如何",
    "怎么说呢",
    "哪天有空",
    "好几",
    "多少有点",
];
const WORDS: &[&str] = &[
    "多少",
    "多久",
    "多大",
    "多重",
    "多长",
    "多高",
    "几点",
    "几天",
    "几号",
    "几个",
    "几时",
    "几折",
    "几块",
    "几钱",
    "几件",
    "几斤",
    "几包",
    "几月",
    "周几",
    "星期几",
    "什么",
    "怎么",
    "咋",
    "如何",
    "哪",
    "谁",
    "为什么",
    "为啥",
    "为何",
    "啥",
    "是否",
    "能否",
    "可否",
    "何时",
];
const REQUESTS: &[&str] = &[
    "帮我",
    "帮忙",
    "麻烦",
    "请问",
    "想问",
    "问一下",
    "问下",
    "咨询",
    "请教",
    "想了解",
    "查一下",
    "查下",
    "看一下",
    "看下",
    "催一下",
    "催下",
    "处理一下",
    "处理下",
    "解释一下",
    "给个说法",
    "发我",
    "发给我",
    "发一份",
    "发个",
    "给我发",
    "报个价",
    "需要开",
    "我要退",
    "想退",
    "我要换",
    "想换",
    "改一下",
    "改下",
    "退一下",
    "换一下",
    "尽快",
    "核实一下",
    "核实下",
    "联系我",
    "回复一下",
    "回复下",
    "回个话",
    "回电",
];
const PROBLEMS: &[&str] = &[
    "没收到",
    "未收到",
    "没有收到",
    "还没到",
    "还没发",
    "没发货",
    "没到货",
    "收不到",
    "坏了",
    "破了",
    "碎了",
    "漏了",
    "漏发",
    "少发",
    "少了",
    "错发",
    "发错",
    "寄错",
    "退款",
    "退货",
    "换货",
    "要投诉",
    "投诉你们",
    "打不开",
    "用不了",
    "登不上",
    "登不了",
    "不能用",
    "有问题",
    "质量太",
    "不满意",
    "过期了",
    "变质",
    "没反应",
    "没有显示",
    "没显示",
    "没人管",
    "报错",
    "卡住",
    "付不了",
    "下不了单",
    "失败",
    "不对啊",
    "不对劲",
    "开不了",
    "异响",
    "漏水",
    "掉色",
];
const THANKS: &[&str] = &[
    "谢谢",
    "多谢",
    "感谢",
    "辛苦了",
    "辛苦啦",
    "麻烦了",
    "麻烦你了",
    "麻烦您了",
    "客气",
    "不客气",
    "好评",
    "早上好",
    "晚上好",
    "中午好",
];
const ENDINGS: &[&str] = &["吗", "嘛", "么", "没", "没有", "不", "呢", "吧？", "不啦", "否"];
/// Ends like a question and is none.
const NO_ENDING: &[&str] = &[
    "干嘛",
    "好的呢",
    "着呢",
    "还不",
    "不呢",
    "有没",
    "才不",
    "并不",
    "就不",
    "也没有",
    "都没有",
    "还没有",
    "也没",
    "都没",
    "从不",
    "要不",
    "好嘛",
    "对嘛",
    "行嘛",
    "是嘛",
    "那么",
    "这么",
];

/// Is it a question, and why? Only the message's own words count: no quotes, names or pictures.
pub fn judge(text: &str) -> Judged {
    let text = own_words(text);
    if text.is_empty() {
        return Judged::no(Reason::Nothing, "");
    }
    if let Some(words) = SOLVED.iter().find(|words| text.contains(**words))
        && !text.contains(['?', '？'])
        && !["没", "未", "不", "怎么", "什么时候", "吗", "要是", "如果"].iter().any(|no| text.contains(no))
    {
        return Judged::no(Reason::Solved, words);
    }
    let mut because = Vec::new();
    let mut rhetorical = None;
    let mut withdrawn = None;
    for (clause, marked) in clauses(&text) {
        if let Some(words) = WITHDRAWN.iter().find(|words| clause.contains(**words)).filter(|_| !marked) {
            withdrawn = Some(*words);
            continue;
        }
        let mut add = |reason, words: &str| because.push(Because { reason, words: words.to_owned() });
        let mut bare = clause.clone();
        for words in RHETORICAL {
            if bare.contains(words) {
                rhetorical = Some(*words);
                bare = bare.replace(words, "");
            }
        }
        let found = |list: &[&'static str]| list.iter().find(|words| bare.contains(**words)).copied();
        let ending = ENDINGS
            .iter()
            .find(|end| bare.ends_with(**end))
            .filter(|end| bare.chars().count() > end.chars().count() && !NO_ENDING.iter().any(|no| bare.ends_with(no)));
        if let Some(words) = found(CALLS) {
            add(Reason::Call, words);
        } else if let Some(words) = found(PROBLEMS).filter(|_| !resolved(&bare)) {
            add(Reason::Problem, words);
        } else if let Some(words) = found(REQUESTS).filter(|_| !thanks_only(&bare)) {
            add(Reason::Request, words);
        } else if let Some(words) = choice(&bare) {
            add(Reason::Choice, &words);
        } else if let Some(words) = found(WORDS) {
            add(Reason::Word, words);
        } else if let Some(end) = ending.filter(|_| !thanks_only(&bare) && rhetorical.is_none()) {
            add(Reason::Ending, end);
        } else if marked && !bare.is_empty() && rhetorical.is_none() {
            add(Reason::Mark, "");
        }
    }
    if !because.is_empty() {
        because.dedup();
        because.truncate(3);
        return Judged { asks: true, solved: false, because };
    }
    if acknowledgement::is_one(&text) || thanks_only(&text) {
        return Judged::no(Reason::Thanks, "");
    }
    match (withdrawn, rhetorical) {
        (Some(words), _) => Judged::no(Reason::Withdrawn, words),
        (None, Some(words)) => Judged::no(Reason::Rhetorical, words),
        (None, None) => Judged::no(Reason::Nothing, ""),
    }
}

/// A problem that is said to be over: 换货已经收到了, 不退款了.
fn resolved(clause: &str) -> bool {
    let over = ["不退", "不换", "已收到", "收到了", "到账了", "修好", "没有坏", "没坏", "谢谢你们的退款", "不会坏"];
    over.iter().any(|words| clause.contains(words)) && !clause.contains("没收到") && !clause.contains("未收到")
}

fn thanks_only(clause: &str) -> bool {
    let mut rest = clause.to_owned();
    for words in THANKS {
        rest = rest.replace(words, "");
    }
    let short = |c: char| {
        "了啦哈呢您你们大家的啊呀哦嗯亲老师太非常给都各位".contains(c) || c.is_whitespace() || !c.is_alphanumeric()
    };
    rest != clause && rest.chars().all(short)
}

/// 有没有, 能不能, 是不是, 行不行: a word, 不 or 没, the same word.
fn choice(clause: &str) -> Option<String> {
    let chars: Vec<char> = clause.chars().collect();
    chars
        .windows(3)
        .find(|w| matches!(w[1], '不' | '没') && w[0] == w[2] && !"不没了的".contains(w[0]))
        .map(|w| w.iter().collect())
}

/// Without @names, emoticons such as `[微笑]`, links, and marks at the ends.
pub(super) fn own_words(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '@' | '＠' => while chars.next_if(|c| !c.is_whitespace() && *c != '\u{2005}').is_some() {},
            '[' => {
                let rest: String = chars.clone().take(6).collect();
                match rest.find(']') {
                    Some(end) => drop(chars.by_ref().take(rest[..end].chars().count() + 1).count()),
                    None => out.push(c),
                }
            }
            'h' if "http".chars().eq(std::iter::once(c).chain(chars.clone().take(3))) => {
                while chars.next_if(|c| c.is_ascii() && !c.is_whitespace()).is_some() {}
            }
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// Pieces between marks, each with whether a question mark follows; without blanks.
fn clauses(text: &str) -> Vec<(String, bool)> {
    let mut all = Vec::new();
    let mut current = String::new();
    for c in text.chars().chain(['\n']) {
        match c {
            '?' | '？' => match (current.is_empty(), all.last_mut()) {
                (false, _) => all.push((std::mem::take(&mut current), true)),
                (true, Some((_, marked))) => *marked = true,
                (true, None) => all.push(("？".into(), true)),
            },
            ',' | '，' | '。' | '!' | '！' | ';' | '；' | '~' | '～' | '…' | '\n' => {
                if !current.is_empty() {
                    all.push((std::mem::take(&mut current), false));
                }
            }
            c if c.is_whitespace() => {}
            c => current.push(c),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `?` asks, `.` does not, `=` says that it is solved.
    const TALK: &str = include_str!("talk.txt");
    /// Written after the words above were settled, and not used for them.
    const BLIND: &str = include_str!("talk_blind.txt");

    fn misses(talk: &str) -> (usize, Vec<String>) {
        let lines = talk.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut all = 0;
        let mut missed = Vec::new();
        for line in lines {
            all += 1;
            let (kind, text) = line.split_once(' ').unwrap();
            let judged = judge(text);
            if (judged.asks, judged.solved) != (kind == "?", kind == "=") {
                missed.push(format!("{line} → {}", judged.zh()));
            }
        }
        (all, missed)
    }

    #[test]
    fn service_talk_is_told_apart() {
        let (all, missed) = misses(TALK);
        assert!(all >= 110 && missed.is_empty(), "{all}: {missed:#?}");
    }

    #[test]
    fn most_of_what_nobody_tuned_for_is_told_apart() {
        let (all, missed) = misses(BLIND);
        assert!(all >= 50 && missed.len() * 10 <= all, "{all}: {missed:#?}");
    }

    #[test]
    fn the_reason_is_said() {
        for (text, why) in [
            ("这款多少钱？", "疑问词「多少」"),
            ("@赵客服 在吗", "找人「在吗」"),
            ("你好，订单还没发货，帮我催一下", "反映问题「还没发」、请求「帮我」"),
            ("明天能不能到", "正反问「能不能」"),
            ("真的？", "问号"),
            ("好的谢谢", "致谢或应答"),
            ("没问题", "致谢或应答"),
            ("问题已解决", "说已解决「已解决」"),
        ] {
            let judged = judge(text);
            assert_eq!(judged.zh(), why, "{text}");
        }
    }
}
