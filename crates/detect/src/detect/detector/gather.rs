//! The findings of one message while it is looked at.

use std::sync::Arc;

use crate::detect::index::Compiled;
use crate::detect::score::Scores;
use crate::detect::view::{Span, View};
use crate::detect::{Finding, Silent, Stages};
use crate::model::{Category, Stage};

/// Collects the findings of one message.
pub(super) struct Gather<'a> {
    pub(super) view: &'a View,
    pub(super) scores: &'a Scores,
    pub(super) findings: Vec<Finding>,
    pub(super) silent: Option<Vec<Silent>>,
    pub(super) stages: Option<&'a dyn Stages>,
}

impl Gather<'_> {
    pub(super) fn add(&mut self, category: Category, name: &str, span: Span, factor: f32, detail: Option<Arc<str>>) {
        let rule = format!("{category}/{name}");
        let (points, severity) = self.scores.weight(category, &rule);
        let (start, end) = self.view.raw_range(span);
        self.findings.push(Finding {
            rule: rule.into(),
            category,
            severity,
            score: points * factor,
            start,
            end,
            original: self.view.original(span),
            normalized: self.view.folded(span),
            transforms: self.view.transforms(span),
            stage: Stage::Enforce,
            entry: detail,
            asks: None,
            life: None,
        });
        self.set_stage(None);
    }

    /// A hit of an entry that is not looked for in the folded characters, between these typed ones.
    pub(super) fn add_entry(&mut self, compiled: &Compiled, (start, end): (usize, usize)) {
        let (points, severity) = self.scores.weight(compiled.category, &compiled.rule);
        let place = compiled.place();
        self.findings.push(Finding {
            rule: compiled.rule.clone(),
            category: compiled.category,
            severity: compiled.entry.severity.unwrap_or(severity),
            score: compiled.entry.points.unwrap_or(points),
            start,
            end,
            original: self.view.raw.get(start..end).unwrap_or_default().iter().collect(),
            normalized: compiled.entry.pattern.to_string(),
            transforms: Vec::new(),
            stage: compiled.entry.stage,
            entry: Some(place.clone()),
            asks: None,
            life: None,
        });
        self.set_stage(Some(&place));
    }

    /// Puts the finding added last at the stage of its rule, or of the line of a list it came from.
    pub(super) fn set_stage(&mut self, place: Option<&str>) {
        if let (Some(stages), Some(finding)) = (self.stages, self.findings.last_mut())
            && let Some((stage, life)) = stages.stage(&finding.rule, place)
        {
            (finding.stage, finding.life) = (stage, life);
        }
    }

    pub(super) fn silent(&mut self, rule: &str, why: impl Into<String>) {
        if let Some(silent) = &mut self.silent {
            silent.push(Silent { rule: rule.into(), why: why.into() });
        }
    }
}
