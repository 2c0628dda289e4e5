//! Points: what each signal weighs, how parts add up, and where a human looks (review) or the policy acts (act).
//!
//! All of it is data (`wordlists/scores.toml`): an admin who finds a rule too strict changes one number.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Finding, Verdict};
use crate::model::{Category, Severity, Stage};
use crate::text::Transform;
use crate::toml_text::{self, Mistake};

/// Of `together` in a `scores.toml` from before there was any.
const fn half() -> f32 {
    0.5
}

/// The two thresholds and every weight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Points of one category from which the policy may act.
    pub act: f32,
    /// Points of one category from which a human should look.
    pub review: f32,
    /// Share of its points that a hit keeps when it is seen only by sound or emoji.
    pub soft: f32,
    /// Share that a hit keeps when its word was put back by sound alone.
    pub heard: f32,
    /// Most points of such a hit of a kind of spam: real spam always says more than one word of jargon.
    pub heard_jargon: f32,
    /// What two independent signs are worth besides their own points: an asker and another sign that stands apart from it.
    #[serde(default = "half")]
    pub together: f32,
    /// Fewest points of the second of them.
    #[serde(default = "half")]
    pub together_from: f32,
    /// What an entry of a category weighs unless it says so itself.
    #[serde(default)]
    pub category: BTreeMap<Category, Weight>,
    /// What a rule (`ads/contact-drop`) weighs; wins over the category, loses to the entry's own fields.
    #[serde(default)]
    pub rule: BTreeMap<String, Weight>,
}

/// Weight of a category or rule; an absent part falls back to the next wider one.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// Points of one hit.
    pub points: Option<f32>,
    /// How bad.
    pub severity: Option<Severity>,
    /// Its points also count for every other kind of spam that has points of its own in the message.
    #[serde(default)]
    pub supports: bool,
}

/// What the points of a message add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// Of the whole message.
    pub verdict: Verdict,
    /// Points of the strongest category.
    pub score: f32,
    /// Categories over the review threshold, strongest first.
    pub categories: Vec<Category>,
    /// Those of them over the acting threshold.
    pub acting: Vec<Category>,
}

/// The kinds of message that a way to be reached or a disguise makes worse.
pub(super) fn is_spam(category: Category) -> bool {
    use Category::{
        Ads, Bribery, CrossPromotion, Drugs, FakeGoods, Fraud, Gambling, Malware, Porn, PrivateDeal, Recruit,
    };
    matches!(
        category,
        Ads | CrossPromotion | Gambling | Porn | Drugs | Fraud | Recruit | PrivateDeal | FakeGoods | Malware | Bribery
    )
}

/// Points that are added up.
#[derive(Default, Clone, Copy)]
struct Sum {
    all: f32,
    hard: f32,
    enforced: f32,
}

impl Sum {
    /// What counts towards acting. What is known only by sound or emoji needs a second, plain signal before anything is done.
    fn sure(&self, review: f32) -> f32 {
        if self.hard + 1e-4 >= review { self.all.min(self.enforced) } else { 0.0 }
    }

    fn of(finding: &Finding) -> Self {
        Self {
            all: finding.score,
            hard: if finding.is_soft() { 0.0 } else { finding.score },
            enforced: if finding.stage == Stage::Enforce && finding.asks.is_none() { finding.score } else { 0.0 },
        }
    }
}

fn add(sum: &mut Sum, part: Sum) {
    sum.all += part.all;
    sum.hard += part.hard;
    sum.enforced += part.enforced;
}

fn counted(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|f| f.stage != Stage::Observe && f.score > 0.0)
}

/// Share of its points that a sign of another kind of spam is worth.
const SECOND: f32 = 0.5;

impl Scores {
    /// Reads `scores.toml`.
    ///
    /// # Errors
    /// Everything that is wrong with it: what the TOML reader says, or thresholds in the wrong order.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        let scores: Self = toml_text::read(text)?;
        if scores.review > 0.0 && scores.act >= scores.review {
            return Ok(scores);
        }
        let key = if scores.review > 0.0 { "act" } else { "review" };
        let table = toml_text::table(text)?;
        let at =
            table.get_ref().iter().find(|(name, _)| name.get_ref() == key).map_or(0, |(name, _)| name.span().start);
        let message = "act 不能小于 review，review 要大于 0".to_owned();
        Err(vec![Mistake { line: toml_text::line_of(text, at), message }])
    }

    /// The scores that ship inside the program.
    pub fn shipped() -> Self {
        Self::parse(&super::lexicon::Lists::shipped_scores()).expect("a test reads the shipped scores")
    }

    /// What a rule finds also counts for other kinds of spam: a way to be reached, a disguise.
    pub fn supports(&self, rule: &str) -> bool {
        self.rule.get(rule).is_some_and(|w| w.supports)
    }

    /// Points and severity of a rule.
    pub fn weight(&self, category: Category, rule: &str) -> (f32, Severity) {
        let by_rule = self.rule.get(rule).copied().unwrap_or_default();
        let by_category = self.category.get(&category).copied().unwrap_or_default();
        (
            by_rule.points.or(by_category.points).unwrap_or(self.act),
            by_rule.severity.or(by_category.severity).unwrap_or(Severity::Medium),
        )
    }

    /// Points of a hit whose word was put back by sound (`detect::restore`); an emoji is a second sign by itself.
    pub fn heard(&self, finding: &Finding) -> f32 {
        if finding.transforms.contains(&Transform::Emoji) {
            finding.score
        } else if is_spam(finding.category) {
            finding.score.min(self.heard_jargon)
        } else {
            finding.score * self.heard
        }
    }

    /// What the strongest sign of another kind of spam adds to a category: it stands elsewhere in the message, so that two
    /// askers say two things.
    fn second(&self, findings: &[Finding], category: Category) -> Sum {
        let apart = |f: &&Finding| {
            let mut own = counted(findings).filter(|own| own.category == category);
            f.end > f.start && own.all(|own| own.end <= f.start || f.end <= own.start)
        };
        let supports = |f: &&Finding| self.supports(&f.rule);
        let other = |f: &&Finding| f.category != category && is_spam(f.category) && f.entry.is_some() && !supports(f);
        let strongest = counted(findings).filter(other).filter(apart).max_by(|a, b| a.score.total_cmp(&b.score));
        strongest.map_or(Sum::default(), |finding| {
            let part = Sum::of(finding);
            Sum { all: part.all * SECOND, hard: part.hard * SECOND, enforced: part.enforced * SECOND }
        })
    }

    /// What an asker of a category and another sign of it add to each other. They are two entries or signals that stand
    /// apart, plainly written, and nothing excuses either. In talk of honest people such pairs hardly ever occur
    /// (`docs/quality.md`), so that two of them are as sure as one that acts.
    fn together(&self, findings: &[Finding], category: Category) -> f32 {
        let supports = |f: &Finding| self.supports(&f.rule);
        let sure = |f: &&Finding| f.end > f.start && f.stage == Stage::Enforce && f.asks.is_none() && !f.is_soft();
        let signs = || counted(findings).filter(sure).filter(|f| f.score + 1e-4 >= self.together_from);
        let asks = |f: &&Finding| f.category == category && !supports(f) && f.score + 1e-4 >= self.review;
        let beside = |asker: &Finding| {
            signs().any(|other| {
                let same = other.rule == asker.rule && other.entry == asker.entry;
                let helps = other.category == category || is_spam(category) && is_spam(other.category);
                !same && helps && (other.end <= asker.start || asker.end <= other.start)
            })
        };
        if signs().filter(asks).any(beside) { self.together } else { 0.0 }
    }

    /// What every category adds up to.
    fn sums(&self, findings: &[Finding]) -> BTreeMap<Category, Sum> {
        let mut sums: BTreeMap<Category, Sum> = BTreeMap::new();
        let mut support: Vec<(Category, Sum)> = Vec::new();
        for finding in counted(findings) {
            let part = Sum::of(finding);
            add(sums.entry(finding.category).or_default(), part);
            if self.supports(&finding.rule) {
                support.push((finding.category, part));
            }
        }
        let own: Vec<Category> = sums.keys().copied().collect();
        for category in own.iter().copied().filter(|c| is_spam(*c)) {
            add(sums.entry(category).or_default(), self.second(findings, category));
        }
        for category in own {
            for (_, part) in support.iter().filter(|(from, _)| *from != category && is_spam(category)) {
                add(sums.entry(category).or_default(), *part);
            }
        }
        for (category, sum) in &mut sums {
            let more = self.together(findings, *category);
            add(sum, Sum { all: more, hard: more, enforced: more });
        }
        sums
    }

    /// The points that count towards acting, of the category that has most of them: something is done where they reach
    /// [`Self::act`].
    pub fn surest(&self, findings: &[Finding]) -> f32 {
        self.sums(findings).values().map(|sum| sum.sure(self.review)).fold(0.0, f32::max)
    }

    /// Adds up.
    pub fn conclude(&self, findings: &[Finding]) -> Conclusion {
        let sums = self.sums(findings);
        let mut verdict = Verdict::Clean;
        let mut over: Vec<(Category, f32, bool)> = Vec::new();
        for (category, sum) in &sums {
            if sum.all + 1e-4 < self.review {
                continue;
            }
            let acts = sum.sure(self.review) + 1e-4 >= self.act;
            verdict = verdict.max(if acts { Verdict::Act } else { Verdict::Review });
            over.push((*category, sum.all, acts));
        }
        over.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let score = sums.values().map(|s| s.all).fold(0.0, f32::max);
        Conclusion {
            verdict,
            score,
            categories: over.iter().map(|(category, ..)| *category).collect(),
            acting: over.iter().filter(|(.., acts)| *acts).map(|(category, ..)| *category).collect(),
        }
    }
}
