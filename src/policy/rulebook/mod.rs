//! Rulebooks (群规): the clauses a group has agreed to, so that a warning can cite the one that was broken.
//!
//! One file a regulation under `config/rulebooks/`. A clause names the checks that answer for it, says `manual` and why only
//! people can see to it, or says `statement` and what it states. It never says how far the bot answers for it: that follows
//! from the lists, the policy, the group and what is connected (`labels`).

mod check;
mod cite;
mod versions;

use serde::{Deserialize, Serialize};
use toml::Spanned;

pub use check::{Check, Duty, Response};
pub use cite::{Broken, Citation, cite, promises_beyond, watched_only};
pub use versions::{Announced, Announcement, Change, Versions};

use super::file::{Fault, shape};
use crate::{model::UnknownName, toml_text::line_of};

/// One rule of a rulebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// Unique in the rulebook, stable over its versions: `3.3.4`.
    pub id: String,
    /// Where it stands, as people say it: `第三条3(4)`.
    pub cite: String,
    /// In short words.
    pub text: String,
    /// Names of the checks that answer for it; empty for one of people and for a statement.
    #[serde(with = "checks")]
    pub checks: Vec<Check>,
    /// What shall follow.
    pub response: Response,
    /// Why only a person can see to it.
    pub manual: Option<String>,
    /// What it states, where it asks nothing of anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What of it no check sees, so that people have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
}

/// Checks as their names.
mod checks {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Check;

    pub(super) fn serialize<S: Serializer>(checks: &[Check], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(checks.iter().map(Check::id))
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Check>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|name| name.parse().map_err(D::Error::custom)).collect()
    }
}

/// One regulation as a group has agreed to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rulebook {
    /// File name without extension: `group-sales`.
    pub name: String,
    /// Shown title, without 《》.
    pub title: String,
    /// Rises with every change of a clause.
    pub version: u32,
    /// A change is told to the group so many days before it takes effect.
    pub announce_days: u32,
    /// The policy it brings along for groups that name none. Versions from before it did are kept without one.
    #[serde(rename = "brings", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// In the regulation's order.
    pub clauses: Vec<Clause>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClause {
    id: Spanned<String>,
    cite: String,
    text: Spanned<String>,
    #[serde(default)]
    check: Vec<Spanned<String>>,
    response: Option<Spanned<Response>>,
    manual: Option<Spanned<String>>,
    statement: Option<Spanned<String>>,
    rest: Option<Spanned<String>>,
    status: Option<Spanned<toml::Value>>,
    label: Option<Spanned<toml::Value>>,
    coverage: Option<Spanned<toml::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBook {
    title: String,
    version: u32,
    announce_days: u32,
    policy: Option<String>,
    #[serde(default)]
    clause: Vec<RawClause>,
}

impl Rulebook {
    /// Reads a rulebook file; `name` is its file name without extension.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the file's order.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let raw: RawBook = shape(text)?;
        let mut faults = Vec::new();
        let mut wrong = |at: std::ops::Range<usize>, message: String| {
            faults.push(Fault { line: line_of(text, at.start), message });
        };
        let mut clauses: Vec<Clause> = Vec::new();
        for raw in raw.clause {
            let at = raw.id.span();
            let id = raw.id.into_inner();
            if clauses.iter().any(|clause| clause.id == id) {
                wrong(at.clone(), format!("条款 `{id}` 写了两次"));
            }
            if raw.text.get_ref().trim().is_empty() {
                wrong(raw.text.span(), format!("条款 `{id}` 没有内容"));
            }
            for stated in [&raw.status, &raw.label, &raw.coverage].into_iter().flatten() {
                let message = format!("条款 `{id}`：执行到什么程度由 `qunguan rulebook show` 算出来，文件里不写");
                wrong(stated.span(), message);
            }
            let ways = [!raw.check.is_empty(), raw.manual.is_some(), raw.statement.is_some()];
            match ways.iter().filter(|way| **way).count() {
                0 => {
                    wrong(at, format!("条款 `{id}` 要写 check；只能靠人的写 manual，没有要求的写 statement，各写原因"));
                }
                1 => {}
                _ => wrong(at, format!("条款 `{id}` 的 check、manual、statement 只能写一个")),
            }
            for (key, reason) in [("manual", &raw.manual), ("statement", &raw.statement), ("rest", &raw.rest)] {
                if let Some(reason) = reason.as_ref().filter(|reason| reason.get_ref().trim().is_empty()) {
                    wrong(reason.span(), format!("条款 `{id}` 的 {key} 要写原因"));
                }
            }
            let beside = [
                ("response", raw.response.as_ref().map(Spanned::span)),
                ("rest", raw.rest.as_ref().map(Spanned::span)),
            ];
            for (key, span) in beside {
                if let Some(span) = span.filter(|_| raw.check.is_empty()) {
                    wrong(span, format!("条款 `{id}` 没有 check，不能写 {key}"));
                }
            }
            let mut checks = Vec::new();
            for check in &raw.check {
                match check.get_ref().parse() {
                    Ok(check) => checks.push(check),
                    Err(UnknownName { found, nearest }) => {
                        let near = nearest.map(|near| format!("，是不是想写 `{near}`？")).unwrap_or_default();
                        wrong(check.span(), format!("没有名为 `{found}` 的检查{near}"));
                    }
                }
            }
            clauses.push(Clause {
                id,
                cite: raw.cite,
                text: raw.text.into_inner(),
                checks,
                response: raw.response.map_or(Response::Policy, Spanned::into_inner),
                manual: raw.manual.map(Spanned::into_inner),
                statement: raw.statement.map(Spanned::into_inner),
                rest: raw.rest.map(Spanned::into_inner),
            });
        }
        if clauses.is_empty() {
            faults.push(Fault { line: 0, message: "群规至少要有一条 [[clause]]".to_owned() });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let RawBook { title, version, announce_days, policy, .. } = raw;
        Ok(Self { name: name.to_owned(), title, version, announce_days, policy, clauses })
    }

    /// The line of a rulebook file that names its version, counted from 1; 0 if there is none.
    pub fn version_line(text: &str) -> usize {
        #[derive(Deserialize)]
        struct Version {
            version: Spanned<u32>,
        }
        toml::from_str::<Version>(text).map_or(0, |raw| line_of(text, raw.version.span().start))
    }

    /// A clause by id.
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// Does one of its clauses name this duty?
    pub fn asks(&self, duty: Duty) -> bool {
        self.clauses.iter().any(|clause| clause.checks.contains(&Check::Duty(duty)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of `config/rulebooks`, by name.
    pub(super) fn shipped() -> Vec<Rulebook> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/rulebooks");
        let mut books: Vec<Rulebook> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                Rulebook::parse(&name, &text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"))
            })
            .collect();
        books.sort_by(|a, b| a.name.cmp(&b.name));
        books
    }

    /// One of them.
    pub(super) fn book(name: &str) -> Rulebook {
        shipped().into_iter().find(|book| book.name == name).unwrap()
    }

    #[test]
    fn all_seventeen_are_mapped_clause_by_clause() {
        let books = shipped();
        let sizes: Vec<(&str, usize)> = books.iter().map(|book| (book.name.as_str(), book.clauses.len())).collect();
        assert_eq!(
            sizes,
            [
                ("business-phone", 16),
                ("clothes-shop", 14),
                ("company-general", 14),
                ("company-sales", 18),
                ("company-sales-fragment", 9),
                ("customer-contact", 21),
                ("group-sales", 18),
                ("marketing-dept", 13),
                ("marketing-management", 14),
                ("marketing-ops", 13),
                ("marketing-staff", 16),
                ("marketing-usage", 14),
                ("micro-business", 19),
                ("personnel", 17),
                ("sales-group", 18),
                ("sales-group-strict", 17),
                ("sales-staff-2016", 16),
            ]
        );
        let clauses = || books.iter().flat_map(|book| &book.clauses);
        assert_eq!(clauses().count(), 267);
        assert_eq!(clauses().filter(|clause| clause.statement.is_some()).count(), 34);
    }

    #[test]
    fn every_check_is_named_by_some_clause() {
        let books = shipped();
        let named = |check: &Check| {
            let mut checks = books.iter().flat_map(|book| &book.clauses).flat_map(|clause| &clause.checks);
            checks.any(|own| match check {
                Check::Message(category) => own.categories().contains(category),
                check => own == check,
            })
        };
        // `forwarded` is a group's own choice, no regulation asks for it; complaints of all kinds are for people to hear,
        // appeals against a case are only a part of them.
        let own_choice = |check: &Check| matches!(check, Check::Duty(Duty::Forwarded | Duty::Appeals));
        let missing: Vec<String> = Check::all().filter(|c| !own_choice(c) && !named(c)).map(|c| c.id()).collect();
        assert_eq!(missing, [""; 0]);
    }

    #[test]
    fn faults_come_with_lines() {
        let text = "title = \"x\"\nversion = 1\nannounce_days = 3\n[[clause]]\nid = \"1\"\ncite = \"一\"\ntext = \"x\"\n\
                    check = [\"ad\", \"insult\"]\n[[clause]]\nid = \"1\"\ncite = \"二\"\ntext = \"y\"\n";
        let faults: Vec<String> = Rulebook::parse("x", text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "8: 没有名为 `ad` 的检查，是不是想写 `ads`？",
                "10: 条款 `1` 写了两次",
                "10: 条款 `1` 要写 check；只能靠人的写 manual，没有要求的写 statement，各写原因",
            ]
        );
        let stated = text.replace("text = \"y\"", "text = \"y\"\nstatus = \"enforced\"\ncheck = [\"insult/rude\"]");
        let faults = Rulebook::parse("x", &stated).unwrap_err();
        assert_eq!(faults[2].to_string(), "13: 条款 `1`：执行到什么程度由 `qunguan rulebook show` 算出来，文件里不写");
    }
}
