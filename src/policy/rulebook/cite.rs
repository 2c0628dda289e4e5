//! Citing: which clause a warning names, and whether a rulebook promises more than the policy does.

use super::{Check, Clause, Duty, Response, Rulebook};
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

/// What a clause is cited for.
#[derive(Clone, Copy, Debug)]
pub struct Broken<'a> {
    /// What it is about.
    pub category: Category,
    /// The rules that hit, `recruit/region`; none where a person judged.
    pub hits: &'a [&'a str],
    /// Something is done to somebody: a clause that only records is no ground for that.
    pub acts: bool,
}

/// The clause to cite: of the first rulebook that has one; in it one that names the rule that hit, then the one with the
/// strongest response, then the one that says least besides, then the earlier one.
pub fn cite<'a>(rulebooks: impl IntoIterator<Item = &'a Rulebook>, broken: Broken<'_>) -> Option<Citation<'a>> {
    rulebooks.into_iter().find_map(|rulebook| {
        let answers = |clause: &&Clause| {
            clause.checks.iter().any(|check| check.covers(broken.category, broken.hits))
                && !(broken.acts && clause.response == Response::Watch)
        };
        let rank = |clause: &&Clause| {
            let named = clause.checks.iter().any(|check| check.names(broken.hits));
            let response = match clause.response {
                Response::Remove => 0,
                Response::Policy | Response::RemoveGrave => 1,
                Response::Watch => 2,
            };
            let exact = clause.checks.contains(&Check::Message(broken.category));
            (clause.response == Response::Watch, !named, response, !exact, clause.checks.len())
        };
        let clause = rulebook.clauses.iter().filter(answers).min_by_key(rank)?;
        Some(Citation { rulebook, clause })
    })
}

/// Do the rulebooks want such a finding written down and nothing else?
pub fn watched_only<'a>(rulebooks: impl IntoIterator<Item = &'a Rulebook>, category: Category, hits: &[&str]) -> bool {
    let cover = |clause: &&Clause| clause.checks.iter().any(|check| check.covers(category, hits));
    let mut clauses = rulebooks.into_iter().flat_map(|book| &book.clauses).filter(cover).peekable();
    clauses.peek().is_some() && clauses.all(|clause| clause.response == Response::Watch)
}

/// Where a rulebook promises more than a policy does, in Chinese: mistakes for `check`. `worst` and `least` are how bad hits of
/// a check that may act are.
pub fn promises_beyond(
    rulebook: &Rulebook,
    policy: &Policy,
    severities: impl Fn(&Check, Category) -> Vec<Severity>,
) -> Vec<String> {
    let removes = |category: Category, severity: Severity| {
        let severity = policy.category(category).and_then(|rule| rule.severity).unwrap_or(severity);
        let rung = policy.ladder_of(category).rung(policy.points_of(category, severity));
        rung.is_some_and(|rung| rung.step == Step::Remove && !rung.ask)
    };
    let mut beyond = Vec::new();
    for clause in &rulebook.clauses {
        let at = format!("《{}》{}", rulebook.title, clause.cite);
        if clause.checks.contains(&Check::Duty(Duty::Ban)) && policy.ban.from.is_none() {
            beyond.push(format!("{at}要求永久禁入，策略 {} 没有写 [ban] from", policy.name));
        }
        let mut kept: Vec<Category> = Vec::new();
        for (check, category) in clause.checks.iter().flat_map(|c| c.categories().iter().map(move |cat| (c, *cat))) {
            let mut all = severities(check, category);
            let asks = match clause.response {
                Response::Remove => "立即移出",
                Response::RemoveGrave => {
                    all.retain(|severity| *severity == Severity::Critical);
                    "情节严重立即移出"
                }
                Response::Policy | Response::Watch => continue,
            };
            if all.iter().any(|severity| !removes(category, *severity)) && !kept.contains(&category) {
                kept.push(category);
                beyond.push(format!("{at}要求{}{asks}，策略 {} 没有这么严", category.zh(), policy.name));
            }
        }
    }
    beyond
}

#[cfg(test)]
mod tests {
    use super::{super::tests::book, *};

    fn cited(book: &str, hit: &str) -> Option<String> {
        let category = hit.split('/').next().unwrap().parse().unwrap();
        cite([&super::super::tests::book(book)], Broken { category, hits: &[hit], acts: true })
            .map(|c| c.clause.id.clone())
    }

    #[test]
    fn a_warning_cites_the_clause() {
        let sales = book("sales-group");
        let broken = |category| Broken { category, hits: &[], acts: true };
        let cited = cite([&sales], broken(Category::Ads)).unwrap();
        assert_eq!(cited.to_string(), "《销售微信群规章制度》第三条3(4)：群内不发广告和垃圾信息");
        assert_eq!(cited.key(), format!("sales-group@{}/3.3.4", sales.version));
        assert_eq!(cite([&sales], broken(Category::Minors)).map(|c| c.key()), None);
        let both = [&sales, &book("group-sales")];
        assert_eq!(cite(both, broken(Category::Minors)).unwrap().clause.id, "4.1", "the second fills the gaps");
    }

    /// What the review of all seventeen found cited wrongly, and what says it.
    #[test]
    fn the_clause_that_says_it() {
        for (book, hit, clause) in [
            ("sales-group-strict", "gambling/gambling", Some("3.1")),
            ("sales-group-strict", "drugs/drugs", Some("3.1")),
            ("sales-group-strict", "fraud/phishing", Some("3.1")),
            ("sales-group-strict", "ads/contact-drop", Some("3.2")),
            ("sales-group-strict", "insult/abuse", Some("3.3")),
            ("micro-business", "recruit/recruit", Some("4.2")),
            ("micro-business", "recruit/region", Some("4.1")),
            ("group-sales", "false_claim/cure", Some("3.3")),
            ("group-sales", "false_claim/income", Some("3.1")),
            ("marketing-staff", "leak_secret/price", None),
            ("marketing-staff", "leak_secret/account", Some("4.2")),
            ("company-sales", "leak_secret/price", Some("16")),
            ("company-sales", "leak_secret/account", Some("11")),
            ("personnel", "leak_secret/price", Some("16")),
            ("personnel", "leak_secret/credential", Some("8")),
            ("marketing-management", "insult/abuse", Some("2.2")),
            ("marketing-management", "insult/rude", Some("3.2.1")),
            ("company-sales", "insult/abuse", Some("13")),
            ("company-sales", "insult/rude", Some("15")),
            ("marketing-staff", "insult/coarse", Some("5.1")),
            ("marketing-staff", "insult/rude", Some("6.2")),
            ("clothes-shop", "insult/abuse", Some("2.1")),
            ("clothes-shop", "insult/authority", Some("6.2")),
            ("marketing-usage", "porn/porn", Some("1.4")),
            ("business-phone", "fraud/phishing", Some("5.2")),
            ("company-sales", "fraud/phishing", Some("14")),
            ("customer-contact", "junk/chat", None), // only written down: no ground to do anything
        ] {
            assert_eq!(cited(book, hit).as_deref(), clause, "{book} {hit}");
        }
    }

    #[test]
    fn promises_and_policy_are_compared() {
        let strict = book("sales-group-strict");
        let grave = |_: &Check, _: Category| vec![Severity::Medium, Severity::Critical];
        assert_eq!(promises_beyond(&strict, &Policy::shipped("strict"), grave), [""; 0]);
        let beyond = promises_beyond(&strict, &Policy::shipped("default"), grave);
        assert_eq!(beyond[0], "《销售微信群的规章制度》第三条3.2要求广告引流立即移出，策略 default 没有这么严");
        assert_eq!(
            beyond.last().unwrap(),
            "《销售微信群的规章制度》第六条6.1要求永久禁入，策略 default 没有写 [ban] from"
        );
        assert_eq!(beyond.len(), 8);
        let three = book("group-sales");
        assert_eq!(promises_beyond(&three, &Policy::shipped("three-strikes"), grave), [""; 0]);
        assert_eq!(promises_beyond(&three, &Policy::shipped("gentle"), grave).len(), Category::ILLEGAL.len());
    }
}
