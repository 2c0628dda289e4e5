//! Is this text an acknowledgement? 收到, 好的收到, @王经理 收到，马上执行 are; 没收到, 收到红包了, 收到了吗？ are not.
//!
//! The first clause that is more than a greeting must consist of accepted words and harmless fillers only, from its first
//! character to its last. What follows a complete clause does not take it back: 收到，我下午去办 is an acknowledgement. Two
//! things do: saying the opposite (好的，不过没收到附件), and going on after a bare number, which is a list (1、今天拜访三家).

use std::{collections::BTreeSet, sync::LazyLock};

use pinyin::ToPinyin;
use unicode_normalization::UnicodeNormalization;

use crate::text::simplified;

/// Accepted if a notice names none.
pub const DEFAULT_ACCEPT: &[&str] =
    &["收到", "执行", "马上执行", "立即执行", "好的", "明白", "知道了", "已阅", "1", "OK"];
/// More clauses than this are not looked at: greetings are short.
const CLAUSES: usize = 4;
/// Longer clauses (characters) are speech, not an acknowledgement.
const LONGEST: usize = 30;

/// Words that may stand around an accepted word without changing it. Negations, questions and "you/he" are not among them.
const FILLERS: &[&str] = &[
    "已经",
    "已",
    "我们",
    "我部",
    "我组",
    "我店",
    "我",
    "本人",
    "俺",
    "全体",
    "都",
    "也",
    "均",
    "嗯嗯",
    "嗯",
    "哦",
    "噢",
    "喔",
    "啊",
    "呀",
    "哈",
    "哈哈",
    "啦",
    "咯",
    "喽",
    "嘞",
    "咧",
    "哩",
    "噢耶",
    "呃",
    "额",
    "那个",
    "了",
    "的",
    "滴",
    "哒",
    "呢",
    "好",
    "好的",
    "好嘞",
    "行",
    "可以",
    "是",
    "是的",
    "对",
    "ok",
    "okk",
    "谢谢",
    "感谢",
    "多谢",
    "辛苦",
    "辛苦了",
    "谢谢您",
    "辛苦您",
    "领导",
    "领导好",
    "老板",
    "老师",
    "经理",
    "主任",
    "马上",
    "立即",
    "立刻",
    "现在",
    "坚决",
    "严格",
    "一定",
    "会",
    "将",
    "按要求",
    "按时",
    "照办",
    "办理",
    "处理",
    "落实",
    "执行",
    "学习",
    "遵守",
    "配合",
    "正在",
    "保证",
    "完成",
    "任务",
    "安排",
    "尽快",
    "抓紧",
    "这就",
    "去办",
    "照做",
    "遵照",
    "服从",
    "传达",
    "跟进",
    "整改",
    "通知",
    "消息",
    "信息",
    "指示",
    "要求",
    "文件",
    "内容",
    "明白",
    "知道",
    "知悉",
    "清楚",
    "了解",
    "早上好",
    "上午好",
    "下午好",
    "晚上好",
    "早",
    "您好",
    "你好",
    "各位",
    "各位好",
    "各位早",
    "大家",
    "大家好",
    "回复",
    "确认",
    "已阅",
    "阅",
    "哥",
    "姐",
    "总",
];
/// Who says this speaks of others, or of what is to come: 您收到了, 大家回复收到, 会收到的.
const OF_OTHERS: &[&str] =
    &["大家收到", "大家都", "大家回复", "各位收到", "各位都", "各位回复", "全体回复", "都回复", "领导回复"];
/// Before 收到 these tell of a time to come; before 执行 they are a promise.
const TO_COME: &[&str] = &["会收到", "将收到"];
/// Directly before an accepted word these say that it is not so.
const DENIALS: &[&str] = &["没", "没有", "未", "未能", "没能", "冇", "木有", "不是"];
/// What people say for an accepted word: dialect, English, spellings of the moment.
const SAME: &[(&str, &[&str])] = &[
    (
        "收到",
        &[
            "received",
            "roger",
            "rogerthat",
            "copythat",
            "gotit",
            "noted",
            "收悉",
            "收訖",
            "收讫",
            "遵命",
            "sd",
            "收到已转发给客户",
            "收到已转发客户",
            "收到已转发",
        ],
    ),
    ("执行", &["执行中", "正在执行中"]),
    ("好的", &["好滴", "好哒", "好嘞", "好勒", "好咧", "好哩", "好呀", "得嘞"]),
    ("知道了", &["晓得了", "晓得咯", "知道啦", "知道咯", "知悉", "已知悉"]),
    ("明白", &["懂了", "明了", "understood"]),
    ("ok", &["okay", "欧克", "okk", "oki"]),
];
/// `销售二部收到`, `三店收到`: a unit answers for whoever speaks.
const UNITS: &[char] = &['部', '组', '店', '区', '队', '班', '科'];
/// Characters in which a unit's name ends at the latest.
const LONGEST_UNIT: usize = 7;

/// `王总`, `李经理`: a name of up to this many characters before a title.
const TITLES: &[&str] = &["总", "经理", "主任", "主管", "老师", "哥", "姐", "店长", "总监", "部长", "书记", "董"];
/// Surname and given name before a title.
const LONGEST_NAME: usize = 3;

/// True if `text` acknowledges a notice that accepts the words `accept`.
pub fn matches<S: AsRef<str>>(text: &str, accept: &[S]) -> bool {
    matches_from(text, accept, None)
}

/// The same, knowing the name of who says it: 张三收到 from 张三.
pub fn matches_from<S: AsRef<str>>(text: &str, accept: &[S], sender: Option<&str>) -> bool {
    let words: Vec<Vec<char>> = accept.iter().map(|word| fold(word.as_ref())).filter(|w| !w.is_empty()).collect();
    let words = with_same(words);
    let sender = sender.map(fold).unwrap_or_default();
    let clauses = clauses(text);
    for (index, clause) in clauses.iter().take(CLAUSES).enumerate() {
        match judge(&clause.text, &words, &sender) {
            Judged::Accepted if clause.question => return false,
            Judged::Accepted => {
                let rest = &clauses[index + 1..];
                let denied = rest.iter().any(|later| denies(&later.text, &words));
                let a_list = clause.text.iter().all(char::is_ascii_digit)
                    && rest.first().is_some_and(|next| matches!(judge(&next.text, &words, &sender), Judged::Other));
                return !denied && !a_list;
            }
            Judged::Filler if !clause.question => {}
            Judged::Filler | Judged::Other => return false,
        }
    }
    false
}

/// The accepted words and what people say for them.
fn with_same(mut words: Vec<Vec<char>>) -> Vec<Vec<char>> {
    let said: Vec<String> = words.iter().map(|word| word.iter().collect()).collect();
    for (word, same) in SAME {
        if said.iter().any(|said| said == word) {
            words.extend(same.iter().map(|same| same.chars().collect()));
        }
    }
    words
}

/// Does a later clause say that an accepted word is not so?
fn denies(text: &[char], words: &[Vec<char>]) -> bool {
    let text: String = text.iter().collect();
    let mut words = words.iter().filter(|word| word.len() > 1).map(|word| word.iter().collect::<String>());
    words.any(|word| DENIALS.iter().any(|no| text.contains(&format!("{no}{word}"))))
}

/// 收到, 好的, 嗯: a word that takes note of something, whatever it is.
pub fn is_one(text: &str) -> bool {
    matches(text, DEFAULT_ACCEPT) || is_assent(text)
}

/// True if the text is one of the short words that count only when the notice itself is quoted.
pub fn is_assent(text: &str) -> bool {
    matches(text, &["嗯", "行", "可以", "好", "是", "对", "知道", "了解", "没问题", "照办", "遵守", "配合"])
}

/// A piece between punctuation marks.
struct Clause {
    text: Vec<char>,
    question: bool,
}

enum Judged {
    Accepted,
    Filler,
    Other,
}

/// Width, case and traditional forms folded; everything but letters, digits and Han dropped.
fn fold(text: &str) -> Vec<char> {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect();
    simplified(&folded).chars().collect()
}

/// Splits at punctuation and line ends; @names and emoticons such as `[玫瑰]` are dropped, spaces join.
fn clauses(text: &str) -> Vec<Clause> {
    let mut done = Vec::new();
    let mut current = String::new();
    let mut end = |current: &mut String, question: bool| {
        let text: Vec<char> = simplified(&std::mem::take(current)).chars().collect();
        if text.is_empty() {
            if question && let Some(last) = done.last_mut() {
                let last: &mut Clause = last;
                last.question = true;
            }
        } else {
            done.push(Clause { text, question });
        }
        done.len()
    };
    let all: Vec<char> = text.chars().take(400).collect();
    let mut index = 0;
    while index < all.len() {
        let c = all[index];
        index += 1;
        match c {
            '@' | '＠' => {
                while index < all.len() && !all[index].is_whitespace() && !is_mark(all[index]) {
                    index += 1;
                }
            }
            '[' => {
                let close = all[index..].iter().take(8).position(|c| *c == ']');
                if let Some(close) = close {
                    let name: String = all[index..index + close].iter().collect();
                    if ["ok", "收到", "好的"].contains(&name.to_lowercase().as_str()) {
                        current.push_str(&name.to_lowercase());
                    }
                    index += close + 1;
                }
            }
            '👌' | '🆗' => current.push_str("ok"),
            '\n' => {
                end(&mut current, false);
            }
            '?' | '？' => {
                end(&mut current, true);
            }
            c if is_mark(c) => {
                end(&mut current, false);
            }
            c => current.extend(c.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric())),
        }
        if done_enough(&current) {
            break;
        }
    }
    end(&mut current, false);
    done
}

/// A clause this long is never accepted, so reading on is pointless.
fn done_enough(current: &str) -> bool {
    current.len() > LONGEST * 4
}

fn is_mark(c: char) -> bool {
    matches!(c, ',' | '，' | '。' | '.' | '!' | '！' | ';' | '；' | ':' | '：' | '、' | '?' | '？')
}

static FILLER_SET: LazyLock<BTreeSet<&str>> = LazyLock::new(|| FILLERS.iter().copied().collect());

fn judge(text: &[char], words: &[Vec<char>], sender: &[char]) -> Judged {
    if text.len() > LONGEST {
        return Judged::Other;
    }
    let whole: String = text.iter().collect();
    if OF_OTHERS.iter().chain(TO_COME).any(|other| whole.contains(other)) {
        return Judged::Other;
    }
    if words.iter().any(|word| sounds_like(text, word)) {
        return Judged::Accepted;
    }
    // reach[i]: how the first i characters can be read; accepted beats filler.
    let mut reach: Vec<Option<bool>> = vec![None; text.len() + 1];
    reach[0] = Some(false);
    for from in 0..text.len() {
        let Some(accepted) = reach[from] else { continue };
        let mut step = |length: usize, word: bool| {
            if length > 0 && from + length <= text.len() {
                let to = &mut reach[from + length];
                *to = Some(to.unwrap_or(false) || accepted || word);
            }
        };
        for word in words {
            if text[from..].starts_with(word) {
                step(word.len(), true);
            }
        }
        if !sender.is_empty() && text[from..].starts_with(sender) {
            step(sender.len(), false);
        }
        for length in 1..=4.min(text.len() - from) {
            let piece: String = text[from..from + length].iter().collect();
            if FILLER_SET.contains(piece.as_str()) {
                step(length, false);
            }
        }
        if from == 0 {
            for (at, _) in text.iter().enumerate().take(LONGEST_UNIT).skip(1).filter(|(_, c)| UNITS.contains(c)) {
                if text[..at].iter().all(|c| !"不没未别无非冇你您他她它谁哪某总货内外".contains(*c))
                {
                    step(at + 1, false);
                }
            }
            for title in TITLES {
                let title: Vec<char> = title.chars().collect();
                for name in 1..=LONGEST_NAME {
                    if text.len() >= name + title.len()
                        && text[name..].starts_with(&title)
                        && text[..name].iter().all(|c| !"不没未别无非".contains(*c))
                    {
                        step(name + title.len(), false);
                    }
                }
            }
        }
    }
    match reach[text.len()] {
        Some(true) => Judged::Accepted,
        Some(false) => Judged::Filler,
        None => Judged::Other,
    }
}

/// The whole clause is a slip of the input method for the word: same syllables (收道), or the syllables themselves.
fn sounds_like(text: &[char], word: &[char]) -> bool {
    let sound = |chars: &[char]| -> Option<Vec<&'static str>> {
        chars.iter().map(|c| c.to_pinyin().map(pinyin::Pinyin::plain)).collect()
    };
    if word.len() < 2 {
        return false;
    }
    let Some(wanted) = sound(word) else { return false };
    if text.iter().any(char::is_ascii_lowercase) {
        let said = |c: &char| c.to_pinyin().map_or_else(|| c.to_string(), |sound| sound.plain().to_owned());
        return text.iter().map(said).collect::<String>() == wanted.concat();
    }
    let text = match text {
        [rest @ .., '了' | '啦' | '的'] if rest.len() == word.len() => rest,
        text => text,
    };
    text.len() == word.len() && sound(text).is_some_and(|said| said == wanted)
}

#[cfg(test)]
mod tests;
