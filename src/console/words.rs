//! 词库: what the lists look for, by category, with a search; and a box in which any sentence is tried.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
};

use super::{
    Console,
    door::Fields,
    frame::{Frame, Page, page},
    today::number,
    visit::Visit,
};
use crate::{
    access::Action,
    detect::Verdict,
    in_force::hits,
    model::{Category, GroupId},
    policy::rulebook::Broken,
};

/// Entries on a page.
const AT_ONCE: usize = 200;
/// Longest sentence that is tried, bytes.
const LONGEST: usize = 4_000;

struct Entry {
    words: String,
    category: &'static str,
    rule: String,
    place: String,
}

struct Kind {
    id: &'static str,
    name: &'static str,
    count: String,
    chosen: bool,
}

/// How a rule is doing.
struct Doing {
    rule: String,
    stage: &'static str,
    says: String,
    missing: String,
}

struct Hit {
    original: String,
    normalized: String,
    steps: Vec<&'static str>,
    rule: String,
    category: &'static str,
    severity: &'static str,
    entry: String,
}

/// What became of a sentence.
struct Tried {
    text: String,
    says: String,
    /// For the style.
    verdict: &'static str,
    /// What the group's policy has for it.
    cited: Option<String>,
    hits: Vec<Hit>,
    silent: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "console/words.html")]
struct WordsPage {
    frame: Frame,
    kinds: Vec<Kind>,
    words: String,
    entries: Vec<Entry>,
    found: usize,
    total: String,
    rules: Vec<Doing>,
    groups: Vec<(String, String, bool)>,
    tried: Option<Tried>,
}

impl Console {
    fn words_page(&self, visit: &Visit, category: &str, words: &str, group: &str, tried: Option<Tried>) -> Page {
        let rules = self.rules.get_full();
        let all = rules.detector.entries();
        let mut counts: BTreeMap<Category, usize> = BTreeMap::new();
        for entry in all {
            *counts.entry(entry.category).or_default() += 1;
        }
        let chosen = category.parse::<Category>().ok();
        let kinds = counts.iter().map(|(kind, count)| Kind {
            id: kind.id(),
            name: kind.zh(),
            count: number(*count),
            chosen: chosen == Some(*kind),
        });
        let kinds = kinds.collect();
        let folded = words.to_lowercase();
        let (mut found, mut entries) = (0, Vec::new());
        let asked = chosen.is_some() || !words.is_empty();
        for entry in all.iter().filter(|entry| asked && chosen.is_none_or(|chosen| chosen == entry.category)) {
            let pattern = entry.entry.pattern.to_string();
            if !folded.is_empty() && !pattern.to_lowercase().contains(&folded) && !entry.rule.contains(&folded) {
                continue;
            }
            found += 1;
            if entries.len() < AT_ONCE {
                entries.push(Entry {
                    words: pattern,
                    category: entry.category.zh(),
                    rule: entry.rule.to_string(),
                    place: entry.place().to_string(),
                });
            }
        }
        let shown = self.api.moderation.rules_shown().into_iter().map(|rule| Doing {
            rule: rule.rule.to_string(),
            stage: rule.stage.zh(),
            says: rule.says,
            missing: rule.missing.unwrap_or_default(),
        });
        let groups = self.groups_for(visit, Action::ReadCase);
        let groups = groups.iter().map(|it| (it.id().to_string(), it.name().to_owned(), it.id().as_str() == group));
        page(&WordsPage {
            frame: self.frame(visit, "词库", "/words"),
            kinds,
            words: words.to_owned(),
            entries,
            found,
            total: number(all.len()),
            rules: shown.collect(),
            groups: groups.collect(),
            tried,
        })
    }
}

/// The lists.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Page {
    let get = |name: &str| query.get(name).map_or("", |value| value.trim());
    console.words_page(&visit, get("category"), get("q"), "", None)
}

/// A sentence is tried; nothing is kept of it.
pub(super) async fn try_it(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
) -> Page {
    let text: String = fields.get("text").chars().take(LONGEST).collect();
    let group = console.api.groups.get(&GroupId::from(fields.get("group")));
    let (report, passes) = console.api.moderation.try_out(&text, Some(group.id()), true);
    let about: BTreeSet<&str> = report.categories.iter().map(|category| category.zh()).collect();
    let about = about.into_iter().collect::<Vec<_>>().join("、");
    let (verdict, says) = match report.verdict {
        Verdict::Clean if passes.is_some() => ("clean", "这句话在这个群放行，不会提醒。".to_owned()),
        Verdict::Clean => ("clean", "没有问题。".to_owned()),
        Verdict::Review => ("review", format!("会请人看一看（可能涉及{about}），不会直接处理。")),
        Verdict::Act => ("act", format!("会判为{about}，按群规处理。")),
    };
    let now = console.api.clock.now();
    let cited = report.categories.first().filter(|_| console.may(&visit, Action::ReadCase, &group)).map(|category| {
        let rules = console.rules.get_full();
        let hits = hits(&report.findings, *category);
        let broken = Broken { category: *category, hits: &hits, acts: true };
        let cited = rules.clause(&group, broken, now).map(|(_, cited)| cited);
        let policy = rules.policy(&group);
        let cited = cited.unwrap_or_else(|| "群规里没有写到这一类".into());
        format!("「{}」：{cited}；策略「{}」", group.name(), policy.title)
    });
    let hits = report.findings.iter().map(|finding| Hit {
        original: finding.original.clone(),
        normalized: finding.normalized.clone(),
        steps: finding.transforms.iter().map(|step| step.zh()).collect(),
        rule: finding.rule.to_string(),
        category: finding.category.zh(),
        severity: finding.severity.zh(),
        entry: finding.entry.as_deref().unwrap_or_default().to_owned(),
    });
    let hits = hits.collect();
    let silent = report.silent.into_iter().map(|silent| (silent.rule.to_string(), silent.why)).collect();
    let tried = Tried { text, says, verdict, cited, hits, silent };
    console.words_page(&visit, "", "", fields.get("group"), Some(tried))
}
