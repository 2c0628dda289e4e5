//! Everything that settings, lists, policies and rulebooks say at one moment; swapped as a whole on reload, so that a message
//! sees the old or the new, never a mixture.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    calendar::Calendar,
    detect::{Detector, Finding, Report},
    groups::Group,
    model::{Attachment, Category, Clock, Message, Mode, Stage, Timestamp},
    policy::{self, Policy, rulebook::Broken},
    rulebooks::Rulebooks,
    settings::{ListTroubles, Problem, Settings, TellRules},
};

/// What is in force.
pub struct InForce {
    /// Wordlists, signals, thresholds.
    pub detector: Detector,
    /// What is wrong with the lists.
    pub troubles: ListTroubles,
    /// Policies by name; `default` is always there.
    pub policies: BTreeMap<String, Arc<Policy>>,
    /// Rulebooks by name, as the files have them.
    pub rulebooks: BTreeMap<String, Arc<policy::rulebook::Rulebook>>,
    /// The versions of them that groups live under.
    pub lived: Arc<Rulebooks>,
    /// When people work.
    pub calendar: Arc<Calendar>,
    /// The settings they came from.
    pub settings: Settings,
}

impl InForce {
    /// Compiles lists, policies and rulebooks as the settings want them.
    pub fn build(settings: Settings, clock: &dyn Clock, lived: Arc<Rulebooks>) -> Result<Self, Vec<Problem>> {
        let (detector, troubles) = settings.detector(clock.now())?;
        let policies = settings.policies()?;
        let rulebooks = settings.rulebooks()?;
        let calendar = Arc::new(settings.calendar()?);
        Ok(Self { detector, troubles, policies, rulebooks, lived, calendar, settings })
    }
    /// The group's policy: its own, else the one that the rulebook it lives under brings along, else the default one.
    pub fn policy(&self, group: &Group) -> &Arc<Policy> {
        let brought = || group.set.rulebooks.iter().find_map(|name| self.lived.brings(group.id(), name));
        let name = group.set.policy.clone().or_else(brought);
        name.and_then(|name| self.policies.get(&name))
            .or_else(|| self.policies.get("default"))
            .expect("the default policy is embedded")
    }
    /// The rulebooks that held in a group at a moment.
    pub fn rulebooks_of(&self, group: &Group, at: Timestamp) -> Vec<Arc<policy::rulebook::Rulebook>> {
        let names = group.set.rulebooks.iter();
        let of = |name| self.lived.at(group.id(), name, at).or_else(|| self.rulebooks.get(name).cloned());
        names.filter_map(|name| of(name)).collect()
    }
    /// The clause a warning cites: as a case keeps it, and as people read it.
    pub(crate) fn clause(&self, group: &Group, broken: Broken<'_>, at: Timestamp) -> Option<(String, String)> {
        let books = self.rulebooks_of(group, at);
        let cited = policy::rulebook::cite(books.iter().map(Arc::as_ref), broken);
        cited.map(|citation| (citation.key(), citation.to_string()))
    }
    /// Categories of a report that the group's rulebooks want written down and nothing else.
    pub(crate) fn watched(&self, group: &Group, report: &Report, at: Timestamp) -> Vec<Category> {
        let books = self.rulebooks_of(group, at);
        let only = |category: &Category| {
            policy::rulebook::watched_only(books.iter().map(Arc::as_ref), *category, &hits(&report.findings, *category))
        };
        report.categories.iter().copied().filter(only).collect()
    }
    /// Has the group rules that it was not told of by then? Nobody is punished by such rules.
    pub(crate) fn untold(&self, group: &Group, at: Timestamp) -> bool {
        let open = |name: &String| self.lived.told_at(group.id(), name).is_none_or(|told| at < told);
        let punishes = group.set.mode != Mode::Watch && !self.settings.dry_run;
        punishes && group.set.tell_rules == TellRules::All && group.set.rulebooks.iter().any(open)
    }
    /// Does a rulebook of the group hold what a record says against whoever forwards it?
    pub(crate) fn holds_forwarded(&self, group: &Group, message: &Message, at: Timestamp) -> bool {
        message.attachments.iter().any(|part| matches!(part, Attachment::Forwarded { .. }))
            && self.rulebooks_of(group, at).iter().any(|book| book.asks(policy::rulebook::Duty::Forwarded))
    }
}

/// The rules that hit in a category, `recruit/region`, also where a graver one counts in their place; those on trial are none.
pub(crate) fn hits(findings: &[Finding], category: Category) -> Vec<&str> {
    let hit = |finding: &&Finding| finding.category == category && finding.stage != Stage::Observe;
    findings.iter().filter(hit).map(|finding| &*finding.rule).collect()
}
