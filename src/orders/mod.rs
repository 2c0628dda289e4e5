//! What whoever leads a group orders for a time: 豁免, 授权广告, 严管, the end of a mute; and what they answer to the circuit
//! breaker.

mod breaker;
pub mod season;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    groups::{Group, Groups, Ordered, Orders as InForce},
    model::{Clock, MemberId, SignedDuration, Timestamp},
    moderation::Moderation,
    policy::MemberState,
    refusal::{ActError, Code, Refusal},
    store::{CaseQuery, CaseState, Store, transaction::transact},
};

/// Without a length an order holds so long.
const USUAL: SignedDuration = SignedDuration::from_hours(24);
/// Open cases looked at for the mute that ends.
const LOOK_BACK: usize = 100;

/// How long an order holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// A day.
    Usual,
    /// So long.
    For(SignedDuration),
    /// It ends now.
    Ended,
}

impl Term {
    fn until(self, now: Timestamp) -> Option<Timestamp> {
        let length = match self {
            Self::Usual => USUAL,
            Self::For(length) => length,
            Self::Ended => return None,
        };
        Some(now.saturating_add(length).unwrap_or(Timestamp::MAX))
    }
}

/// The use cases.
pub struct Orders {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// What a decision changes.
    pub moderation: Arc<Moderation>,
}

impl Orders {
    /// 豁免: somebody's messages are not judged. Answers until when.
    pub async fn exempt(
        &self,
        actor: &Actor,
        group: &Group,
        member: &MemberId,
        term: Term,
    ) -> Result<Option<Timestamp>, ActError> {
        self.order_about(actor, group, member, term, Act::Exempt, |orders| &mut orders.exempt).await
    }

    /// 授权广告: somebody's advertisements are welcome. Answers until when.
    pub async fn permit_ads(
        &self,
        actor: &Actor,
        group: &Group,
        member: &MemberId,
        term: Term,
    ) -> Result<Option<Timestamp>, ActError> {
        self.order_about(actor, group, member, term, Act::PermitAds, |orders| &mut orders.ads_permitted).await
    }

    /// 严管: every medium hit counts as a high one. Answers until when.
    pub async fn be_strict(&self, actor: &Actor, group: &Group, term: Term) -> Result<Option<Timestamp>, ActError> {
        let entry = Entry::group(Act::BeStrict, group.id());
        let now = self.clock.now();
        self.order(actor, group, term, &entry, |orders, until| {
            orders.note(Ordered::Strict, None, now, until);
            std::mem::replace(&mut orders.strict_until, until)
        })
        .await
    }

    /// An order about one member, kept among those that `held` names.
    async fn order_about(
        &self,
        actor: &Actor,
        group: &Group,
        member: &MemberId,
        term: Term,
        act: Act,
        held: fn(&mut InForce) -> &mut BTreeMap<MemberId, Timestamp>,
    ) -> Result<Option<Timestamp>, ActError> {
        let now = self.clock.now();
        let what = if act == Act::Exempt { Ordered::Exempt } else { Ordered::PermitAds };
        self.order(actor, group, term, &Entry::member(act, member), |orders, until| {
            orders.note(what, Some(member), now, until);
            match until {
                Some(until) => held(orders).insert(member.clone(), until),
                None => held(orders).remove(member),
            }
        })
        .await
    }

    /// `edit` puts the order in force or ends it, and answers until when it held before.
    async fn order(
        &self,
        actor: &Actor,
        group: &Group,
        term: Term,
        entry: &Entry,
        edit: impl Fn(&mut InForce, Option<Timestamp>) -> Option<Timestamp> + Send + Sync,
    ) -> Result<Option<Timestamp>, ActError> {
        access::ask(actor, Action::Order, Some(group))?;
        let now = self.clock.now();
        let until = term.until(now);
        let written = transact!(self.store.as_ref(), |tx| {
            let mut before = None;
            let written = Groups::update_in(tx, group.id(), |known| before = edit(&mut known.orders, until)).await?;
            let before = before.filter(|until| *until > now);
            let record =
                entry.clone().within(group.id()).was(json!({ "until": before })).now(json!({ "until": until }));
            tx.audit(actor, now, record).await?;
            written
        });
        self.groups.updated(group.id(), written);
        Ok(until)
    }

    /// 解除禁言: the strikes stay, the member is brought back at once.
    pub async fn end_mute(&self, actor: &Actor, group: &Group, member: &MemberId) -> Result<(), ActError> {
        access::ask(actor, Action::Order, Some(group))?;
        let now = self.clock.now();
        let query = CaseQuery {
            group: Some(group.id().clone()),
            member: Some(member.clone()),
            state: Some(CaseState::Open),
            limit: LOOK_BACK,
            ..CaseQuery::default()
        };
        let cases = self.store.cases(&query).await?;
        transact!(self.store.as_ref(), |tx| {
            let state = tx.member(group.id(), member).await?.standing.state;
            if !matches!(state, MemberState::Muted { until } if until > now) {
                let text = format!("「{}」没有被禁言", group.member_name(member));
                return Err(Refusal::new(Code::WrongState, text).into());
            }
            self.moderation.end_mute_in(tx, group, member, actor.name(), &cases).await?;
            let after = tx.member(group.id(), member).await?.standing.state;
            let record = Entry::member(Act::EndMute, member).within(group.id());
            tx.audit(actor, now, record.was(json!({ "member": state })).now(json!({ "member": after }))).await?;
        });
        self.moderation.ring();
        Ok(())
    }
}
