//! `qunguan rulebook show`: behind each clause one of six words, computed from what can really happen in a group. No file says it.
//!
//! | word | means |
//! |---|---|
//! | 自动处置 | a first breach that the lists are sure of brings something at once, without a person |
//! | 请人处理 | a person is asked, or has to do a part of it |
//! | 只记录 | it is written down, nobody hears of it |
//! | 未启用 | nothing happens before something is connected or written; it says what |
//! | 靠人 | the bot does not see it |
//! | 说明 | the clause asks nothing of anybody |
//!
//! A clause with several checks has the word of the weakest; one with a `rest` that only people see is never more than 请人处理.

mod place;
mod reach;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use place::Place;
pub use reach::{Reach, Strength};

use crate::{
    model::named_enum,
    policy::rulebook::{Clause, Rulebook},
};

named_enum! {
    /// How far the bot answers for a clause, best first.
    pub enum Label {
        /// It acts by itself.
        Enforced = "enforced", "自动处置";
        /// It asks a person.
        Asked = "asked", "请人处理";
        /// It writes it down.
        Watched = "watched", "只记录";
        /// Something is missing.
        Disabled = "disabled", "未启用";
        /// A person's job.
        Manual = "manual", "靠人";
        /// Nobody has to do anything.
        Statement = "statement", "说明";
    }
}

/// What one check of a clause brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its Chinese name; that of a category where the check has several.
    pub check: String,
    /// How far it goes.
    pub label: Label,
    /// What happens, or what is missing.
    pub why: String,
}

/// How far the bot answers for a clause in a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Labelled {
    /// The clause.
    pub clause: String,
    /// The word.
    pub label: Label,
    /// Where it comes from, a line a check.
    pub parts: Vec<Part>,
}

impl Labelled {
    /// `请人处理：辱骂自动处置（禁言）；谣言请人处理（请管理者看）`.
    pub fn zh(&self) -> String {
        let one = |part: &Part| match part.label {
            label if self.parts.len() == 1 && label == self.label => format!("{}（{}）", part.check, part.why),
            label => format!("{}{}（{}）", part.check, label.zh(), part.why),
        };
        let parts: Vec<String> = self.parts.iter().map(one).collect();
        format!("{}：{}", self.label.zh(), parts.join("；"))
    }
}

/// The words for one clause; `books` are all that hold in that place.
pub fn label(place: &Place<'_>, books: &[&Rulebook], clause: &Clause) -> Labelled {
    let only = |label, why: &str| vec![Part { check: "本条".into(), label, why: why.to_owned() }];
    let mut parts = match (&clause.statement, &clause.manual) {
        (Some(what), _) => only(Label::Statement, what),
        (None, Some(why)) => only(Label::Manual, why),
        (None, None) => clause.checks.iter().flat_map(|check| place.parts(books, check)).collect(),
    };
    let mut label = parts.iter().map(|part| part.label).max().unwrap_or(Label::Manual);
    if let Some(rest) = &clause.rest {
        label = label.max(Label::Asked);
        parts.push(Part { check: "其余".into(), label: Label::Manual, why: rest.clone() });
    }
    Labelled { clause: clause.id.clone(), label, parts }
}

/// One line of `rulebook coverage --json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Name.
    pub rulebook: String,
    /// The group it is about; absent: one made by the app, in full mode, with everything connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// All clauses.
    pub clauses: usize,
    /// 自动处置.
    pub enforced: usize,
    /// 请人处理.
    pub asked: usize,
    /// 只记录.
    pub watched: usize,
    /// 未启用.
    pub disabled: usize,
    /// 靠人.
    pub manual: usize,
    /// 说明.
    pub statement: usize,
    /// None: what is not there is 靠人 or 未启用.
    pub planned: usize,
}

impl Totals {
    /// Counts the clauses of a rulebook in a place.
    pub fn of(place: &Place<'_>, books: &[&Rulebook], book: &Rulebook) -> Self {
        let mut totals = Self { rulebook: book.name.clone(), clauses: book.clauses.len(), ..Self::default() };
        for clause in &book.clauses {
            *totals.of_label(label(place, books, clause).label) += 1;
        }
        totals
    }
    fn of_label(&mut self, label: Label) -> &mut usize {
        match label {
            Label::Enforced => &mut self.enforced,
            Label::Asked => &mut self.asked,
            Label::Watched => &mut self.watched,
            Label::Disabled => &mut self.disabled,
            Label::Manual => &mut self.manual,
            Label::Statement => &mut self.statement,
        }
    }
    /// How many clauses have a label.
    pub fn count(&self, label: Label) -> usize {
        *self.clone().of_label(label)
    }
    /// Adds another line.
    pub fn add(&mut self, other: &Self) {
        self.clauses += other.clauses;
        for label in Label::ALL {
            *self.of_label(*label) += other.count(*label);
        }
    }
}
