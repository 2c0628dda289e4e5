//! What somebody who has to answer said: an answer, a promise (稍等), a question back, or 已解决. Only the words decide.

use super::question::{self, own_words};
use crate::{acknowledgement, model::named_enum};

named_enum! {
    /// What a reply is to whoever asked.
    pub enum Reply {
        /// The problem is over.
        Solved = "solved", "已解决";
        /// 稍等, 我问一下, 收到: heard, and the answer is still to come.
        Promise = "promise", "答应去办";
        /// It is their turn now: 您的单号是多少.
        AsksBack = "asks_back", "反问客户";
        /// An answer.
        Answer = "answer", "答复";
    }
}

const SOLVED: &[&str] =
    &["已解决", "问题解决了", "已经解决", "已处理完", "已处理好", "处理好了", "处理完了", "已办结", "已完结", "已关闭"];
const PROMISES: &[&str] = &[
    "稍等",
    "稍候",
    "等一下",
    "等下",
    "等会",
    "等我",
    "我看看",
    "我看下",
    "我看一下",
    "看一下回复",
    "我问",
    "问一下",
    "问下",
    "帮您查",
    "帮你查",
    "查一下",
    "查下",
    "核实",
    "确认一下",
    "确认下",
    "马上",
    "尽快",
    "处理中",
    "正在",
    "在查",
    "在处理",
    "跟进",
    "反馈给",
    "转给",
    "转达",
    "催一下",
    "催下",
    "联系一下",
    "请示",
    "在的",
    "您好",
    "你好",
    "收到",
];
/// A promise is short; a longer message says something besides.
const LONGEST_PROMISE: usize = 24;

/// 收到, and no more.
const LONGEST_RECEIPT: usize = 6;

/// What it is; `to_colleague`: it speaks to a colleague, not to whoever asked.
pub fn judge(text: &str, to_colleague: bool) -> Reply {
    let words = own_words(text);
    let bare: String = words.chars().filter(|c| c.is_alphanumeric()).collect();
    if SOLVED.iter().any(|solved| bare.contains(solved)) && !question::judge(&words).asks && !bare.contains('没') {
        return Reply::Solved;
    }
    // 可以 answers whoever asked 可以吗; 收到 does not.
    let heard =
        bare.chars().count() <= LONGEST_RECEIPT && acknowledgement::matches(&words, acknowledgement::DEFAULT_ACCEPT);
    if bare.is_empty() || to_colleague || heard {
        return Reply::Promise;
    }
    let promises = PROMISES.iter().any(|promise| bare.contains(promise));
    if promises && bare.chars().count() <= LONGEST_PROMISE && !bare.chars().any(|c| c.is_ascii_digit()) {
        return Reply::Promise;
    }
    if question::judge(&words).asks { Reply::AsksBack } else { Reply::Answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reply_is() {
        for (text, expected) in [
            ("已解决", Reply::Solved),
            ("@周岚 问题已解决，有事再找我", Reply::Solved),
            ("还没解决", Reply::Answer),
            ("稍等，我查一下", Reply::Promise),
            ("收到", Reply::Promise),
            ("您好", Reply::Promise),
            ("[微笑]", Reply::Promise),
            ("您的单号是多少？", Reply::AsksBack),
            ("麻烦发一下照片", Reply::AsksBack),
            ("今天 18:00 前发出", Reply::Answer),
            ("这款 298 元", Reply::Answer),
            ("有的", Reply::Answer),
            ("可以", Reply::Answer),
            ("可以的，抬头发我", Reply::AsksBack),
            ("收到，今天 18:00 发出", Reply::Answer),
            ("已经帮您催了仓库，明天发货，单号稍后发您，收到后请检查外包装", Reply::Answer),
        ] {
            assert_eq!(judge(text, false), expected, "{text}");
        }
        assert_eq!(judge("@张经理 你看下这个", true), Reply::Promise);
    }
}
