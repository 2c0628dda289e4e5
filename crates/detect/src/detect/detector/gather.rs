//! The findings of one message while it is looked at.

use std::sync::Arc;

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
            life: None,
        });
        self.set_stage(None);
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
