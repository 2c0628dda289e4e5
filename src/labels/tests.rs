use super::*;
use crate::{
    capability::Capabilities,
    model::{Mode, Timestamp},
    policy::Policy,
    settings::Settings,
};

/// The books that ship, and how far the lists that ship go.
fn shipped() -> (Vec<Rulebook>, Reach) {
    let settings = Settings::default();
    let books = settings.rulebooks().unwrap().values().map(|book| Rulebook::clone(book)).collect();
    (books, Reach::of(&settings.detector(Timestamp::UNIX_EPOCH).unwrap().0))
}

fn policy_of(book: &Rulebook) -> Policy {
    Policy::shipped(book.policy.as_deref().unwrap_or("default"))
}

/// The table of `docs/policy.md`.
fn table(books: &[Rulebook], reach: &Reach) -> String {
    let mut table =
        format!("| 群规 | 条款 | {} |\n", Label::ALL.iter().map(|l| l.zh()).collect::<Vec<_>>().join(" | "));
    table.push_str(&format!("|---|---|{}\n", "---|".repeat(Label::ALL.len())));
    let mut sum = Totals { rulebook: "合计".into(), ..Totals::default() };
    let mut line = |totals: &Totals, name: &str| {
        let counts: Vec<String> = Label::ALL.iter().map(|label| totals.count(*label).to_string()).collect();
        table.push_str(&format!("| {name} | {} | {} |\n", totals.clauses, counts.join(" | ")));
    };
    for book in books {
        let policy = policy_of(book);
        let totals = Totals::of(&Place::best(&policy, reach), &[book], book);
        sum.add(&totals);
        line(&totals, &format!("`{}`", book.name));
    }
    line(&sum, "合计");
    table
}

#[test]
fn the_documents_say_what_is_computed() {
    let (books, reach) = shipped();
    let table = table(&books, &reach);
    let docs = include_str!("../../docs/policy.md");
    assert!(docs.contains(&table), "docs/policy.md should have:\n{table}");
}

#[test]
fn nothing_is_planned_and_every_clause_has_one_word() {
    let (books, reach) = shipped();
    for book in &books {
        let policy = policy_of(book);
        let totals = Totals::of(&Place::best(&policy, &reach), &[book], book);
        assert_eq!(totals.planned, 0);
        assert_eq!(Label::ALL.iter().map(|label| totals.count(*label)).sum::<usize>(), totals.clauses);
    }
}

#[test]
fn every_rule_that_a_clause_names_is_in_the_lists() {
    let (books, reach) = shipped();
    let checks = books.iter().flat_map(|book| &book.clauses).flat_map(|clause| &clause.checks);
    for check in checks.filter(|check| matches!(check, crate::policy::rulebook::Check::Rule(..))) {
        assert!(reach.check(check, check.categories()[0]).is_some(), "{}", check.id());
    }
    assert_eq!(reach.nearest("recruit/regoin").as_deref(), Some("recruit/region"));
}

#[test]
fn what_is_missing_is_said() {
    let (books, reach) = shipped();
    let book = books.iter().find(|book| book.name == "sales-group-strict").unwrap();
    let strict = Policy::shipped("strict");
    let says = |place: &Place<'_>, id: &str| label(place, &[book], book.clause(id).unwrap()).zh();
    let best = || Place::best(&strict, &reach);
    insta::assert_snapshot!(says(&best(), "3.2"), @"自动处置：广告引流自动处置（移出）；跨群推广自动处置（移出）");
    insta::assert_snapshot!(says(&best(), "6.1"), @"自动处置：永久禁入（再进群就移出）");
    assert!(says(&best(), "3.1").contains("涉政未启用（缺词：词表里没有 涉政，写进 wordlists/politics/ 就启用）"));
    let deaf = Place { hears: false, ..best() };
    insta::assert_snapshot!(says(&deaf, "4.2"), @"未启用：辱骂（缺会话存档：设置 [wecom.archive]）");
    let mute = Place { can: Capabilities::default(), ..best() };
    insta::assert_snapshot!(says(&mute, "4.2"), @"未启用：辱骂（缺自建应用：设置 [wecom.app]，否则提醒和待办都发不出去）");
    let mut watched = best();
    watched.group.set.mode = Mode::Watch;
    insta::assert_snapshot!(says(&watched, "4.2"), @"只记录：辱骂（只记下：移出）");
    let default = Policy::shipped("default");
    insta::assert_snapshot!(says(&Place::best(&default, &reach), "6.1"), @"未启用：永久禁入（缺 [ban] from：策略 default 没有写）");
    insta::assert_snapshot!(says(&best(), "1.1"), @"靠人：群名格式（群名由群主取和改）");
}
