//! Citing: which clause a warning names, and whether a rulebook promises more than the policy does.

use std::collections::BTreeMap;

use super::{Check, Clause, Response, Rulebook};
use crate::{
    model::{Category, Severity, Step},
    policy::Policy,
};

/// A clause of a group's rulebooks that answers for a finding.
#[derive(Clone, Copy, Debug)]
pub struct Citation<'a> {
    /// Whose clause.
    pub rulebook: &'a Rulebook,
    /// The clause.
    pub clause: &'a Clause,
}

impl Citation<'_> {
    /// `group-sales@1/3.2`, as a case keeps it.
    pub fn key(&self) -> String {
        format!("{}@{}/{}", self.rulebook.name, self.rulebook.version, self.clause.id)
    }
}

impl std::fmt::Display for Citation<'_> {
    /// `《群规》第三条3(4)：群内不发广告`, as a warning says it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "《{}》{}：{}", self.rulebook.title, self.clause.cite, self.clause.text)
    }
}

/// The clause to cite for a category: of the first rulebook that has one; in it the strongest response first, then the
/// clause that says least besides, then the earlier one.
pub fn cite<'a>(rulebooks: impl IntoIterator<Item = &'a Rulebook>, category: Category) -> Option<Citation<'a>> {
    rulebooks.into_iter().find_map(|rulebook| {
        let answers = |clause: &&Clause| clause.checks.iter().any(|check| check.covers(category));
        let rank = |clause: &&Clause| {
            let response = match clause.response {
                Response::Remove => 0,
                Response::Policy => 1,
                Response::Watch => 2,
            };
            let exact = clause.checks.contains(&Check::Message(category));
            (response, !exact, clause.checks.len())
        };
        let clause = rulebook.clauses.iter().filter(answers).min_by_key(rank)?;
        Some(Citation { rulebook, clause })
    })
}

/// Where a rulebook asks for more than the group's policy does, in Chinese: warnings for `check`.
pub fn promises_beyond(rulebook: &Rulebook, policy: &Policy) -> Vec<String> {
    let mut asked: BTreeMap<Category, &Clause> = BTreeMap::new();
    for clause in rulebook.clauses.iter().filter(|clause| clause.response == Response::Remove) {
        for category in Category::ALL.iter().filter(|c| clause.checks.iter().any(|check| check.covers(**c))) {
            asked.entry(*category).or_insert(clause);
        }
    }
    let removes = |category: Category| {
        let severity = policy.category(category).and_then(|rule| rule.severity).unwrap_or(Severity::Medium);
        let rung = policy.ladder_of(category).rung(policy.points_of(category, severity));
        rung.is_some_and(|rung| rung.step == Step::Remove)
    };
    asked
        .into_iter()
        .filter(|(category, _)| !removes(*category) && !Category::ILLEGAL.contains(category))
        .map(|(category, clause)| {
            format!(
                "《{}》{}要求{}立即移出，策略 {} 对一般情况没有这么严",
                rulebook.title,
                clause.cite,
                category.zh(),
                policy.name
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::book, *};

    #[test]
    fn a_warning_cites_the_clause() {
        let sales = book("sales-group");
        let cited = cite([&sales], Category::Ads).unwrap();
        assert_eq!(cited.to_string(), "《销售微信群规章制度》第三条3(4)：群内不发广告和垃圾信息");
        assert_eq!(cited.key(), "sales-group@1/3.3.4");
        assert_eq!(cite([&sales], Category::Gambling).unwrap().clause.id, "3.3.1");
        assert_eq!(cite([&sales], Category::Minors).map(|c| c.key()), None);
        let strict = book("sales-group-strict");
        assert_eq!(cite([&strict], Category::Ads).unwrap().clause.id, "3.2");
        assert_eq!(cite([&strict], Category::Insult).unwrap().clause.id, "3.3");
        let both = [&sales, &book("group-sales")];
        assert_eq!(cite(both, Category::Minors).unwrap().key(), "group-sales@1/4.1", "the second fills the gaps");
        assert_eq!(cite([&book("marketing-usage")], Category::Porn).unwrap().clause.id, "1.4");
    }

    #[test]
    fn promises_and_policy_are_compared() {
        let strict = book("sales-group-strict");
        assert_eq!(promises_beyond(&strict, &Policy::shipped("strict")), [""; 0]);
        let beyond = promises_beyond(&strict, &Policy::shipped("default"));
        assert_eq!(
            beyond[0],
            "《销售微信群的规章制度》第三条3.2要求广告引流立即移出，策略 default 对一般情况没有这么严"
        );
        assert_eq!(beyond.len(), 5);
    }
}
