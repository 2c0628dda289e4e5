//! The difference between what is wanted and what WeCom has, as the fewest changes: words stay in the rule they are in, new
//! ones fill rules with room, and only then new rules are made. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::model::Category;

/// How the names of our rules begin: `群管·广告引流·1`.
pub const PREFIX: &str = "群管·";
/// Rules that a company may have.
pub const RULES: usize = 100;
/// Words in one rule.
pub const WORDS: usize = 300;
/// Characters of one word.
pub const WORD_CHARS: usize = 32;

/// Whom a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Userids in lower case.
    pub users: BTreeSet<String>,
    /// Departments, those below them included.
    pub departments: BTreeSet<i64>,
}

impl Range {
    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.departments.is_empty()
    }
    /// Who is in this one but not in the other.
    fn without(&self, other: &Self) -> Self {
        Self {
            users: self.users.difference(&other.users).cloned().collect(),
            departments: self.departments.difference(&other.departments).copied().collect(),
        }
    }
}

/// One of our rules as WeCom has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `rule_id`.
    pub id: String,
    /// `rule_name`.
    pub name: String,
    /// `word_list`.
    pub words: Vec<String>,
    /// Stops the message; otherwise it only reminds.
    pub block: bool,
    /// Whom it is for.
    pub range: Range,
}

/// What there should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Words by category, each within WeCom's length.
    pub words: BTreeMap<Category, BTreeSet<String>>,
    /// Stop the message, or only remind.
    pub block: bool,
    /// Whom for; not empty.
    pub range: Range,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A rule goes.
    Delete {
        /// `rule_id`.
        id: String,
        /// `rule_name`.
        name: String,
    },
    /// A rule changes.
    Update {
        /// `rule_id`.
        id: String,
        /// `rule_name`.
        name: String,
        /// All its words from now on.
        words: Vec<String>,
        /// New ones among them.
        added: Vec<String>,
        /// Words that go.
        removed: Vec<String>,
        /// Stopping or reminding changes.
        block: bool,
        /// Who comes under it.
        add_range: Range,
        /// Who no longer does.
        remove_range: Range,
    },
    /// A rule comes.
    Create {
        /// `rule_name`.
        name: String,
        /// `word_list`.
        words: Vec<String>,
    },
}

/// Changes in the order in which they fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Deletions, then changes, then creations.
    pub changes: Vec<Change>,
    /// What they lead to.
    pub wanted: Wanted,
    /// Rules of the company's own, left alone.
    pub others: usize,
}

/// More rules would be needed than WeCom lets a company have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("需要 {needed} 条规则，加上公司自己的 {others} 条，超过了企业微信的 {RULES} 条；请少选几张词表")]
pub struct TooMany {
    /// Rules of ours.
    pub needed: usize,
    /// Rules of the company's own.
    pub others: usize,
}

/// A rule's name.
fn name(category: Category, number: usize) -> String {
    format!("{PREFIX}{}·{number}", category.zh())
}

/// Category and number in the name of one of our rules.
fn read_name(name: &str) -> Option<(Category, usize)> {
    let (category, number) = name.strip_prefix(PREFIX)?.rsplit_once('·')?;
    let category = Category::ALL.iter().find(|known| known.zh() == category)?;
    Some((*category, number.parse().ok()?))
}

/// Plans the fewest changes. `existing` are rules of ours only; `others` counts the company's own.
pub fn plan(wanted: Wanted, existing: &[Rule], others: usize) -> Result<Plan, TooMany> {
    let mut deletes = Vec::new();
    let mut updates = Vec::new();
    let mut creates = Vec::new();
    let mut kept = 0;
    let mut of: BTreeMap<Category, BTreeMap<usize, &Rule>> = BTreeMap::new();
    for rule in existing {
        let place = read_name(&rule.name).filter(|(category, _)| wanted.words.contains_key(category));
        match place {
            Some((category, number)) => {
                of.entry(category).or_default().insert(number, rule);
            }
            None => deletes.push(Change::Delete { id: rule.id.clone(), name: rule.name.clone() }),
        }
    }
    for (category, words) in &wanted.words {
        let rules = of.remove(category).unwrap_or_default();
        let mut new: BTreeSet<&String> = words.iter().collect();
        let mut stays: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (number, rule) in &rules {
            stays.insert(*number, rule.words.iter().filter(|word| new.remove(word)).cloned().collect());
        }
        let mut new = new.into_iter().cloned();
        for (number, rule) in &rules {
            let mut words = stays.remove(number).unwrap_or_default();
            let removed: Vec<String> = rule.words.iter().filter(|word| !words.contains(word)).cloned().collect();
            let added: Vec<String> = new.by_ref().take(WORDS.saturating_sub(words.len())).collect();
            words.extend(added.iter().cloned());
            if words.is_empty() {
                deletes.push(Change::Delete { id: rule.id.clone(), name: rule.name.clone() });
                continue;
            }
            kept += 1;
            let add_range = wanted.range.without(&rule.range);
            let remove_range = rule.range.without(&wanted.range);
            let block = rule.block != wanted.block;
            let same = added.is_empty() && removed.is_empty() && add_range.is_empty() && remove_range.is_empty();
            if same && !block {
                continue;
            }
            let (id, name) = (rule.id.clone(), rule.name.clone());
            updates.push(Change::Update { id, name, words, added, removed, block, add_range, remove_range });
        }
        let mut numbers = (1..).filter(|number| !rules.contains_key(number));
        loop {
            let words: Vec<String> = new.by_ref().take(WORDS).collect();
            let Some(number) = (!words.is_empty()).then(|| numbers.next()).flatten() else { break };
            creates.push(Change::Create { name: name(*category, number), words });
        }
    }
    let needed = kept + creates.len();
    if needed + others > RULES {
        return Err(TooMany { needed, others });
    }
    let changes = deletes.into_iter().chain(updates).chain(creates).collect();
    Ok(Plan { changes, wanted, others })
}

/// The difference as an admin reads it.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |wanted: fn(&Change) -> bool| self.changes.iter().filter(|change| wanted(change)).count();
        let total: usize = self.wanted.words.values().map(BTreeSet::len).sum();
        if self.changes.is_empty() {
            writeln!(f, "企业微信里的敏感词与词表一致（{total} 个词）。")?;
        } else {
            writeln!(
                f,
                "新建 {} 条规则，修改 {} 条，删除 {} 条；共 {total} 个词，命中后{}。",
                count(|change| matches!(change, Change::Create { .. })),
                count(|change| matches!(change, Change::Update { .. })),
                count(|change| matches!(change, Change::Delete { .. })),
                if self.wanted.block { "拦下" } else { "只提醒" },
            )?;
        }
        for change in &self.changes {
            match change {
                Change::Delete { name, .. } => writeln!(f, "- {name}")?,
                Change::Create { name, words } => {
                    writeln!(f, "+ {name}（{} 个词）", words.len())?;
                    words.iter().try_for_each(|word| writeln!(f, "    + {word}"))?;
                }
                Change::Update { name, added, removed, block, add_range, remove_range, .. } => {
                    writeln!(f, "~ {name}")?;
                    if *block {
                        writeln!(f, "    改为{}", if self.wanted.block { "拦下" } else { "只提醒" })?;
                    }
                    for (sign, range) in [('+', add_range), ('-', remove_range)] {
                        range.departments.iter().try_for_each(|id| writeln!(f, "    {sign} 部门 {id}"))?;
                        range.users.iter().try_for_each(|user| writeln!(f, "    {sign} 成员 {user}"))?;
                    }
                    removed.iter().try_for_each(|word| writeln!(f, "    - {word}"))?;
                    added.iter().try_for_each(|word| writeln!(f, "    + {word}"))?;
                }
            }
        }
        if self.others > 0 {
            writeln!(f, "公司自己的 {} 条规则不受影响。", self.others)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(departments: &[i64]) -> Range {
        Range { departments: departments.iter().copied().collect(), ..Range::default() }
    }

    fn wanted(words: &[(Category, &[&str])]) -> Wanted {
        let words = words.iter().map(|(c, words)| (*c, words.iter().map(|w| (*w).to_owned()).collect())).collect();
        Wanted { words, block: true, range: range(&[1]) }
    }

    fn rule(id: &str, name: &str, words: &[&str]) -> Rule {
        let words = words.iter().map(|w| (*w).to_owned()).collect();
        Rule { id: id.into(), name: name.into(), words, block: true, range: range(&[1]) }
    }

    /// WeCom after the plan.
    fn carried_out(plan: &Plan, existing: &[Rule]) -> Vec<Rule> {
        let mut rules = existing.to_vec();
        for change in &plan.changes {
            match change {
                Change::Delete { id, .. } => rules.retain(|rule| rule.id != *id),
                Change::Update { id, words, .. } => {
                    let rule = rules.iter_mut().find(|rule| rule.id == *id).unwrap();
                    rule.words.clone_from(words);
                    (rule.block, rule.range) = (plan.wanted.block, plan.wanted.range.clone());
                }
                Change::Create { name, words } => rules.push(Rule {
                    id: format!("new {name}"),
                    name: name.clone(),
                    words: words.clone(),
                    block: plan.wanted.block,
                    range: plan.wanted.range.clone(),
                }),
            }
            assert!(rules.len() <= RULES);
        }
        rules
    }

    #[test]
    fn the_difference_reads_well() {
        let existing = [
            rule("r1", "群管·广告引流·1", &["加我微信", "旧词"]),
            rule("r2", "群管·招代理·1", &["招代理"]),
            Rule { block: false, range: range(&[2]), ..rule("r3", "群管·赌博·2", &["牌局"]) },
        ];
        let wanted = wanted(&[
            (Category::Ads, &["加我微信", "扫码进群"]),
            (Category::Gambling, &["牌局"]),
            (Category::Porn, &["裸聊"]),
        ]);
        let plan = plan(wanted, &existing, 2).unwrap();
        insta::assert_snapshot!(plan, @r"
        新建 1 条规则，修改 2 条，删除 1 条；共 4 个词，命中后拦下。
        - 群管·招代理·1
        ~ 群管·广告引流·1
            - 旧词
            + 扫码进群
        ~ 群管·赌博·2
            改为拦下
            + 部门 1
            - 部门 2
        + 群管·色情·1（1 个词）
            + 裸聊
        公司自己的 2 条规则不受影响。
        ");
        let after = carried_out(&plan, &existing);
        let again = super::plan(plan.wanted.clone(), &after, 0).unwrap();
        insta::assert_snapshot!(again, @"企业微信里的敏感词与词表一致（4 个词）。");
    }

    #[test]
    fn nothing_wanted_takes_ours_away_and_too_much_is_refused_whole() {
        let existing = [rule("r1", "群管·广告引流·1", &["加我微信"]), rule("r2", "群管·说不清", &["词"])];
        let plan = plan(wanted(&[]), &existing, 99).unwrap();
        assert_eq!(carried_out(&plan, &existing), []);
        let many: Vec<String> = (0..601).map(|n| format!("词{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let refused = super::plan(wanted(&[(Category::Ads, &many)]), &[], 98).unwrap_err();
        assert_eq!(refused, TooMany { needed: 3, others: 98 });
        assert_eq!(super::plan(wanted(&[(Category::Ads, &many)]), &[], 97).unwrap().changes.len(), 3);
    }

    #[test]
    fn every_name_fits_and_reads_back() {
        for category in Category::ALL {
            assert!(name(*category, RULES).chars().count() <= 20);
            assert_eq!(read_name(&name(*category, 7)), Some((*category, 7)));
        }
    }

    proptest! {
        #[test]
        fn after_the_plan_there_is_exactly_what_was_wanted(
            before in prop::collection::vec((0usize..3, 1usize..5, prop::collection::btree_set(0u32..900, 0..300)), 0..6),
            after in prop::collection::btree_map(0usize..3, prop::collection::btree_set(0u32..900, 1..700), 0..3),
        ) {
            let mut existing: Vec<Rule> = Vec::new();
            for (i, (category, number, words)) in before.into_iter().enumerate() {
                let name = name(Category::ALL[category], number);
                if existing.iter().all(|rule| rule.name != name) {
                    let words: Vec<String> = words.iter().map(|n| format!("词{n}")).collect();
                    existing.push(Rule { words, ..rule(&format!("r{i}"), &name, &[]) });
                }
            }
            let words = after.into_iter().map(|(c, words)| (Category::ALL[c], words.iter().map(|n| format!("词{n}")).collect()));
            let wanted = Wanted { words: words.collect(), block: true, range: range(&[1]) };
            let plan = plan(wanted.clone(), &existing, 0).unwrap();
            let rules = carried_out(&plan, &existing);
            for rule in &rules {
                prop_assert!((1..=WORDS).contains(&rule.words.len()));
            }
            let mut has: BTreeMap<Category, Vec<String>> = BTreeMap::new();
            for rule in &rules {
                has.entry(read_name(&rule.name).unwrap().0).or_default().extend(rule.words.iter().cloned());
            }
            for (category, words) in &wanted.words {
                let mut found = has.remove(category).unwrap_or_default();
                found.sort();
                prop_assert_eq!(&found, &words.iter().cloned().collect::<Vec<_>>(), "each word once");
            }
            prop_assert!(has.is_empty());
            prop_assert!(super::plan(wanted, &rules, 0).unwrap().changes.is_empty(), "and then nothing is left to do");
        }
    }
}
