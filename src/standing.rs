//! 我的状态: how somebody stands in a group, word for word what the bot counts; put together here once for every face.

use std::sync::Arc;

use crate::{
    access::{self, Action, Actor},
    cases::appeal::{APPEALS, AppealState},
    groups::{Group, Groups},
    in_force::InForce,
    model::{CaseId, Category, Clock, GroupId, MemberId, Role, Timestamp},
    policy::{MemberState, ladder::Unit},
    refusal::ActError,
    settings::reload::Live,
    store::{Store, StoreError},
};

/// How somebody stands in one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The group's shown name.
    pub group: String,
    /// What holds for them; a mute that is over may still stand there.
    pub state: MemberState,
    /// Points that count now.
    pub live_points: u32,
    /// What the group's policy counts.
    pub unit: Unit,
    /// Every strike on record, oldest first.
    pub strikes: Vec<Strike>,
    /// What else holds at the moment: immunity is never a secret of those who have it.
    pub orders: Vec<InEffect>,
}

/// One strike.
#[derive(Clone, Debug, PartialEq)]
pub struct Strike {
    /// Its case.
    pub case: CaseId,
    /// When.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// How much.
    pub points: u32,
    /// What it is about.
    pub category: Category,
    /// Taken back.
    pub revoked: bool,
    /// It counts now.
    pub live: bool,
    /// Where the member's appeal against it stands.
    pub appeal: Option<AppealState>,
    /// What a person wrote who gave it by hand, without a message behind it.
    pub reason: Option<String>,
}

/// Something that holds for a time, or for a part in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InEffect {
    /// The policy spares this part in the group.
    Immune(Role),
    /// Their messages are not judged.
    Exempt(Timestamp),
    /// They may advertise.
    AdsPermitted(Timestamp),
    /// The group is strict.
    Strict(Timestamp),
}

/// The use case.
pub struct Standings {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Policies in force.
    pub rules: Arc<Live<InForce>>,
}

impl Standings {
    /// Somebody's standing: for themselves, and for who may read it. Somebody never seen is in good standing.
    pub async fn of(&self, actor: &Actor, group: &GroupId, member: &MemberId) -> Result<Standing, ActError> {
        let group = self.groups.get(group);
        if !actor.is(member) {
            access::ask(actor, Action::ReadCase, Some(&group))?;
        }
        let now = self.clock.now();
        let record = self.store.member(group.id(), member).await?.standing;
        let live_points = record.live_points(now);
        let mut strikes = Vec::with_capacity(record.strikes.len());
        for strike in record.strikes {
            let case = self.store.case(&strike.case).await?;
            let appeal = APPEALS.get(self.store.as_ref(), strike.case.as_str()).await?.map(|appeal| appeal.state);
            let reason = case.filter(|case| case.by_hand() && case.evidence.is_empty()).map(|case| case.rule);
            strikes.push(Strike {
                live: !strike.revoked && strike.expires_at > now,
                reason: reason.filter(|reason| !reason.is_empty()),
                appeal,
                case: strike.case,
                at: strike.at,
                expires_at: strike.expires_at,
                points: strike.points,
                category: strike.category,
                revoked: strike.revoked,
            });
        }
        let rules = self.rules.get_full();
        let policy = rules.policy(&group).for_group(group.id());
        let immune = Some(group.role(member)).filter(|role| policy.immune.roles.contains(role));
        let ordered = &group.learned.orders;
        let holds = |until: Option<&Timestamp>| until.copied().filter(|until| *until > now);
        let orders = [
            immune.map(InEffect::Immune),
            holds(ordered.exempt.get(member)).map(InEffect::Exempt),
            holds(ordered.ads_permitted.get(member)).map(InEffect::AdsPermitted),
            holds(ordered.strict_until.as_ref()).map(InEffect::Strict),
        ];
        Ok(Standing {
            group: group.name().to_owned(),
            state: record.state,
            live_points,
            unit: policy.unit,
            strikes,
            orders: orders.into_iter().flatten().collect(),
        })
    }

    /// The groups somebody is in. Of some groups WeCom tells nobody who is in them; whoever spoke there is on record.
    pub async fn groups_of(&self, member: &MemberId) -> Result<Vec<Arc<Group>>, StoreError> {
        let mut theirs = Vec::new();
        for group in self.groups.all() {
            let listed = group.learned.members.contains_key(member);
            if listed || self.store.member(group.id(), member).await?.version > 0 {
                theirs.push(group);
            }
        }
        Ok(theirs)
    }
}
