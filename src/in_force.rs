//! Everything that settings, lists, policies and rulebooks say at one moment; swapped as a whole on reload, so that a message
//! sees the old or the new, never a mixture.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    calendar::Calendar,
    detect::Detector,
    groups::Group,
    model::{Attachment, Category, Clock, Message, Timestamp},
    policy::{self, Policy},
    rulebooks::Rulebooks,
    settings::{ListTroubles, Problem, Settings},
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
    /// The group's policy, or the default one if its name is not known (settings refuse that; unknown groups have none).
    pub fn policy(&self, group: &Group) -> &Arc<Policy> {
        self.policies
            .get(&group.set.policy)
            .or_else(|| self.policies.get("default"))
            .expect("the default policy is embedded")
    }
    /// The rulebooks that held in a group at a moment.
    pub fn rulebooks_of(&self, group: &Group, at: Timestamp) -> Vec<Arc<policy::rulebook::Rulebook>> {
        let names = group.set.rulebooks.iter();
        let of = |name| self.lived.at(group.id(), name, at).or_else(|| self.rulebooks.get(name).cloned());
        names.filter_map(|name| of(name)).collect()
    }
    /// The clause a warning cites for a category: as a case keeps it, and as people read it.
    pub(crate) fn clause(&self, group: &Group, category: Category, at: Timestamp) -> Option<(String, String)> {
        let books = self.rulebooks_of(group, at);
        let cited = policy::rulebook::cite(books.iter().map(Arc::as_ref), category);
        cited.map(|citation| (citation.key(), citation.to_string()))
    }
    /// Does a rulebook of the group hold what a record says against whoever forwards it?
    pub(crate) fn holds_forwarded(&self, group: &Group, message: &Message, at: Timestamp) -> bool {
        message.attachments.iter().any(|part| matches!(part, Attachment::Forwarded { .. }))
            && self.rulebooks_of(group, at).iter().any(|book| book.asks(policy::rulebook::Duty::Forwarded))
    }
}
