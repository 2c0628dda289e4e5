//! How the rules are doing: at which stage each is, and what people said of its hits.
//!
//! A rule that ships acts from the start; one that an admin added or edited first only records its hits, as cases without a
//! step. Whoever looks at a case and says right or wrong (a button, a command, an appeal, the API) moves the rules behind it:
//! up through the gates of the group's policy, or back to pilot when too many were wrong.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::{Moderation, revoke::no_case, second_opinion};
use crate::{
    detect::{Finding, Stages, own::Own},
    in_force::InForce,
    model::{CaseId, Stage, Timestamp},
    policy::lifecycle::{Gates, RuleLife, Verdict},
    refusal::{ActError, Refusal},
    store::{Case, CaseState, Collection, Name, Store, StoreError, Tx},
    tasks::Happened,
};

/// The collection of rules that people have said something about.
const RULES: Collection<StoredRule> = Collection::new(Name::Rule);

/// A rule's record as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredRule {
    /// Stage, verdicts, moves.
    life: RuleLife,
    /// Of an admin's rule: what it was like when this was said.
    #[serde(default)]
    print: Option<u64>,
    /// Of an admin's rule: the stage it was given by hand.
    #[serde(default)]
    given: Option<Stage>,
}

impl StoredRule {
    /// A rule nobody has said anything about.
    fn new(own: Option<&Own>) -> Self {
        let life = match own {
            None => RuleLife::shipped(),
            Some(own) => own.given.map_or_else(RuleLife::edited, RuleLife::at),
        };
        Self { life, print: own.map(|own| own.print), given: own.and_then(|own| own.given) }
    }

    /// The record as it holds for the rule as it is now: one that was edited starts again.
    fn now(mut self, own: Option<&Own>, now: Timestamp) -> Self {
        let fresh = Self::new(own);
        if (self.print, self.given) != (fresh.print, fresh.given) {
            self.life.start_again(fresh.life.stage, now);
            (self.print, self.given) = (fresh.print, fresh.given);
        }
        self
    }
}

/// A rule as people look at it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// `ads/contact-drop`, or `ads/own.txt#加我微信` for an admin's own.
    pub rule: Arc<str>,
    /// Added or edited by an admin.
    pub own: bool,
    /// Where it stands.
    pub stage: Stage,
    /// Verdicts that count at this stage.
    pub reviewed: usize,
    /// Share of right ones, 0 to 1.
    pub precision: Option<f64>,
    /// The same in words.
    pub says: String,
    /// What is missing to the next stage under the default gates, in Chinese.
    pub missing: Option<String>,
    /// Every move, oldest first.
    pub changes: Vec<crate::policy::lifecycle::Change>,
}

impl Shown {
    fn new(rule: &str, own: bool, life: &RuleLife, gates: &Gates) -> Self {
        Self {
            rule: rule.into(),
            own,
            stage: life.stage,
            reviewed: life.reviewed(),
            precision: life.precision(),
            says: life.precision_zh(),
            missing: life.missing(gates),
            changes: life.changes.clone(),
        }
    }
}

/// All records, in memory as they are in the store.
#[derive(Default)]
pub struct RuleStages {
    kept: RwLock<HashMap<Arc<str>, StoredRule>>,
}

impl RuleStages {
    /// Reads them from the store.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let stages = Self::default();
        for (id, kept) in RULES.all(store, "").await? {
            stages.kept.write().insert(id.into(), kept);
        }
        Ok(stages)
    }

    /// Stages for one message.
    pub fn stages<'a>(&'a self, rules: &'a InForce) -> impl Stages + 'a {
        View { stages: self, rules }
    }

    fn stage_of(&self, id: &str, own: Option<&Own>) -> Option<Stage> {
        match self.kept.read().get(id) {
            Some(kept) if own.is_none_or(|own| kept.print == Some(own.print) && kept.given == own.given) => {
                Some(kept.life.stage)
            }
            _ => own.map(Own::stage),
        }
    }

    /// Takes over what was just written about the rules behind a case.
    pub async fn refresh(&self, store: &dyn Store, case: &Case) -> Result<(), StoreError> {
        for id in behind(case) {
            let Some(kept) = RULES.get(store, &id).await? else { continue };
            let old = self.kept.write().insert(id.clone(), kept.clone());
            if let Some(change) = kept.life.changes.last()
                && old.is_none_or(|old| old.life.changes.len() < kept.life.changes.len())
            {
                tracing::warn!(rule = %id, from = %change.from, to = %change.to, why = change.why, "a rule changed its stage");
            }
        }
        Ok(())
    }

    /// Every rule that an admin added or edited, and every other one that people have said something about, by name.
    pub fn shown(&self, rules: &InForce, now: Timestamp) -> Vec<Shown> {
        let gates = &rules.policies.get("default").expect("the default policy is embedded").lifecycle;
        let kept = self.kept.read();
        let mut all: Vec<Shown> = rules
            .detector
            .own()
            .all()
            .into_iter()
            .map(|own| {
                let record =
                    kept.get(&own.id).cloned().unwrap_or_else(|| StoredRule::new(Some(&own))).now(Some(&own), now);
                Shown::new(&own.id, true, &record.life, gates)
            })
            .collect();
        let shipped = kept.iter().filter(|(_, kept)| kept.print.is_none());
        all.extend(shipped.map(|(id, kept)| Shown::new(id, false, &kept.life, gates)));
        all.sort_by(|a, b| a.rule.cmp(&b.rule));
        all
    }
}

impl Moderation {
    /// A person, `by`, agrees with a case; nothing if somebody did before. After the commit call [`Self::confirmed`] with what
    /// this answers.
    pub async fn confirm_in(&self, tx: &mut Tx<'_>, id: &CaseId, by: &str) -> Result<Option<Case>, ActError> {
        let Some(mut case) = tx.case(id).await? else { return Err(no_case(id).into()) };
        if case.state == CaseState::Revoked {
            return Err(Refusal::decided(format!("{id} 已经撤销过了")).into());
        }
        if case.happened(Happened::Confirmed).is_some() {
            return Ok(None);
        }
        let now = self.clock.now();
        case.note(now, by, Happened::Confirmed, "经人看过，确属违规");
        second_opinion::agreement(tx, &case, None, true).await?;
        self.credit_rules(tx, &case, Verdict::Confirmed, now).await?;
        tx.put_case(case.clone());
        Ok(Some(case))
    }

    /// What follows once a case was confirmed.
    pub async fn confirmed(&self, case: Option<&Case>) -> Result<(), StoreError> {
        let Some(case) = case else { return Ok(()) };
        second_opinion::tell_agreement(case, true);
        self.stages.refresh(self.store.as_ref(), case).await
    }

    /// Adds a person's verdict on a case to the rules behind it, by the gates of the case's group. After the commit call
    /// [`RuleStages::refresh`].
    pub(super) async fn credit_rules(
        &self,
        tx: &mut Tx<'_>,
        case: &Case,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rules = self.rules.get_full();
        let gates = &rules.policy(&self.groups.get(&case.group)).lifecycle;
        for id in behind(case) {
            let own = rules.detector.own().by_id(&id);
            let mut kept =
                tx.get(RULES, &id).await?.unwrap_or_else(|| StoredRule::new(own.as_ref())).now(own.as_ref(), now);
            kept.life.judge(gates, verdict, now);
            if kept.life.stage != Stage::Enforce && kept.life.missing(gates).is_none() {
                let _ = kept.life.promote(gates, now);
            }
            tx.put(RULES, &id, &kept).await?;
        }
        Ok(())
    }

    /// How the rules are doing, by name.
    pub fn rules_shown(&self) -> Vec<Shown> {
        self.stages.shown(&self.rules.get_full(), self.clock.now())
    }
}

/// The records of the rules that made a case.
fn behind(case: &Case) -> Vec<Arc<str>> {
    let weighed = |f: &&Finding| f.category == case.category && f.score > 0.0;
    let mut ids: Vec<Arc<str>> =
        case.findings.iter().filter(weighed).map(|f| f.life.clone().unwrap_or_else(|| f.rule.clone())).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

struct View<'a> {
    stages: &'a RuleStages,
    rules: &'a InForce,
}

impl Stages for View<'_> {
    fn stage(&self, rule: &str, place: Option<&str>) -> Option<(Stage, Option<Arc<str>>)> {
        if let Some(own) = place.and_then(|place| self.rules.detector.own().at(place)) {
            return self.stages.stage_of(&own.id, Some(&own)).map(|stage| (stage, Some(own.id.clone())));
        }
        self.stages.stage_of(rule, None).map(|stage| (stage, None))
    }
}
