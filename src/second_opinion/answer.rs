//! What the model answers, read strictly: one JSON object of one shape, with the question's sign and words that stand in the
//! message. Anything else is no opinion.

use serde::{Deserialize, Serialize};

use super::{Question, mask::masked};
use crate::model::{Category, named_enum};

/// Longest reason that people read, in characters.
const REASON: usize = 40;
/// Shortest quotation that shows something.
const QUOTE: usize = 2;

named_enum! {
    /// Why words that look like a violation are none; waving a message through needs one of them.
    pub enum Innocent {
        /// Somebody else's words are told or complained about.
        Reported = "reported", "转述、引用或举报别人的话";
        /// It is forbidden, refused or warned of.
        Denied = "denied", "禁止、拒绝或提醒防范";
        /// Somebody asks what it is or whether it is allowed.
        Asked = "asked", "询问";
        /// It is about a thing or oneself, not about a person.
        Thing = "thing", "说的是事物或自己";
        /// Everyday work of this group.
        Work = "work", "正常的工作交流";
        /// The words mean something else.
        OtherMeaning = "other_meaning", "字词另有意思";
    }
}

/// What the model thinks of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// It breaks a rule.
    Violation {
        /// Which kind.
        category: Category,
        /// The clause, by its place in [`Question::clauses`].
        clause: Option<usize>,
        /// For people; one line.
        reason: String,
    },
    /// It breaks none.
    Fine {
        /// What it is instead.
        why: Innocent,
        /// For people; one line.
        reason: String,
    },
    /// It does not know.
    Unsure {
        /// For people; one line.
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Violation,
    Fine,
    Unsure,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    check: String,
    verdict: Verdict,
    category: Option<Category>,
    clause: Option<String>,
    quote: String,
    why: Option<Innocent>,
    reason: String,
}

impl Opinion {
    /// Reads an answer. The error is a word for the operator.
    pub fn parse(answer: &str, question: &Question) -> Result<Self, &'static str> {
        let raw: Raw = serde_json::from_str(answer.trim()).map_err(|_| "not the agreed JSON")?;
        if raw.check != question.sign {
            return Err("without the question's sign");
        }
        let reason = one_line(&raw.reason);
        if reason.is_empty() {
            return Err("without a reason");
        }
        let quoted = raw.quote.trim();
        let shows = quoted.chars().count() >= QUOTE && question.said.contains(quoted);
        match raw.verdict {
            Verdict::Unsure => Ok(Self::Unsure { reason }),
            _ if !shows => Err("quotes what nobody said"),
            Verdict::Violation if raw.why.is_some() => Err("contradicts itself"),
            Verdict::Violation => {
                let category = raw.category.ok_or("without a category")?;
                let clause = match raw.clause {
                    None if question.clauses.is_empty() || question.suspected.is_some() => None,
                    None => return Err("without a clause"),
                    Some(number) => {
                        let known = question.clauses.iter().position(|clause| clause.number == number);
                        Some(known.ok_or("names a clause that there is not")?)
                    }
                };
                Ok(Self::Violation { category, clause, reason })
            }
            Verdict::Fine if raw.category.is_some() || raw.clause.is_some() => Err("contradicts itself"),
            Verdict::Fine => Ok(Self::Fine { why: raw.why.ok_or("does not say what it is instead")?, reason }),
        }
    }

    /// The stable word of metrics and of a case's history.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Violation { .. } => "violation",
            Self::Fine { .. } => "fine",
            Self::Unsure { .. } => "unsure",
        }
    }

    /// As people read it: `违规（广告引流）：…`.
    pub fn zh(&self) -> String {
        match self {
            Self::Violation { category, reason, .. } => format!("违规（{}）：{reason}", category.zh()),
            Self::Fine { why, reason } => format!("没有违规（{}）：{reason}", why.zh()),
            Self::Unsure { reason } => format!("不确定：{reason}"),
        }
    }
}

/// A model's sentence as people may read it: one short line without numbers and links.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    let line = masked(line.trim(), []);
    if line.chars().count() <= REASON { line } else { line.chars().take(REASON - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::question::Clause, *};

    fn question() -> Question {
        let clause = Clause {
            number: "book/3".into(),
            text: "不发广告".into(),
            key: "book@1/3".into(),
            cited: "《群规》三：不发广告".into(),
        };
        let said = "有人要代开票的吗，私我".to_owned();
        Question { sign: "5197".into(), suspected: Some(Category::Ads), clauses: vec![clause], said }
    }

    fn fine() -> Value {
        json!({ "check": "5197", "verdict": "fine", "category": null, "clause": null, "quote": "代开票", "why": "reported",
            "reason": "在转述别人的话" })
    }

    fn violation() -> Value {
        json!({ "check": "5197", "verdict": "violation", "category": "ads", "clause": "book/3", "quote": "代开票的吗",
            "why": null, "reason": "招揽生意\n加我" })
    }

    #[test]
    fn what_was_agreed_is_read() {
        let parse = |answer: Value| Opinion::parse(&format!("\n{answer} "), &question());
        let reason = "招揽生意 加我".to_owned();
        assert_eq!(parse(violation()), Ok(Opinion::Violation { category: Category::Ads, clause: Some(0), reason }));
        assert_eq!(parse(fine()).unwrap().zh(), "没有违规（转述、引用或举报别人的话）：在转述别人的话");
        let unsure = json!({ "check": "5197", "verdict": "unsure", "category": null, "clause": null, "quote": "",
            "why": null, "reason": "看不出" });
        assert_eq!(parse(unsure).unwrap().id(), "unsure");
    }

    #[test]
    fn anything_else_is_no_opinion() {
        let with = |mut answer: Value, field: &str, value: Value| {
            answer[field] = value;
            answer.to_string()
        };
        let mut short = fine();
        short.as_object_mut().unwrap().remove("quote");
        for answer in [
            String::new(),
            "放行".into(),
            "null".into(),
            "[]".into(),
            format!("好的：{}", fine()),
            format!("```json\n{}\n```", fine()),
            format!("{}{}", fine(), fine()),
            short.to_string(),
            with(fine(), "check", json!("0000")),
            with(fine(), "verdict", json!("pass")),
            with(fine(), "why", json!(null)),
            with(fine(), "why", json!("because")),
            with(fine(), "category", json!("ads")),
            with(fine(), "quote", json!("没人说过的话")),
            with(fine(), "quote", json!("代")),
            with(fine(), "reason", json!("  ")),
            with(fine(), "confidence", json!(1)),
            with(violation(), "category", json!(null)),
            with(violation(), "category", json!("advert")),
            with(violation(), "clause", json!("book/9")),
            with(violation(), "why", json!("work")),
            with(violation(), "reason", json!(7)),
        ] {
            assert!(Opinion::parse(&answer, &question()).is_err(), "{answer}");
        }
    }
}
