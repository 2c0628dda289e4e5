//! How somebody stands by the strikes that are left, once one was taken back: a removal that needed it becomes the mute that the
//! rest is worth, or nothing.
//!
//! Each strike is judged with those that counted when it came, so that time alone brings nobody back who was removed. What
//! brought a member to the door counts no more once they were let in again.

use super::{MemberState, Policy, Standing, Strike};
use crate::model::{Step, Timestamp};

/// What the strikes on record come to. `brought` answers what a strike really brought, given what the ladder has for it: a person
/// may have decided otherwise. A mute lasts from the strike that brought it, and one that is over by `now` is none.
pub fn recount(
    policy: &Policy,
    standing: &Standing,
    now: Timestamp,
    brought: impl Fn(&Strike, MemberState) -> MemberState,
) -> MemberState {
    let mut state = MemberState::Normal;
    let strikes: Vec<_> = standing.strikes.iter().filter(|strike| !strike.revoked).collect();
    for (n, strike) in strikes.iter().enumerate() {
        if standing.joined.is_some_and(|joined| strike.at < joined) {
            continue;
        }
        let counted = strikes[..=n]
            .iter()
            .filter(|earlier| earlier.expires_at > strike.at && policy.same_ladder(earlier.category, strike.category));
        let points = counted.fold(0_u32, |sum, earlier| sum.saturating_add(earlier.points));
        let rung = policy.ladder_of(strike.category).rung(points);
        let ladder = match rung.map(|rung| (rung.step, rung.length)) {
            Some((Step::Mute, length)) => MemberState::Muted { until: strike.at + length },
            Some((Step::Remove, _)) if policy.ban.covers(strike.category, strike.severity) => MemberState::Banned,
            Some((Step::Remove, _)) => MemberState::Removed,
            _ => MemberState::Normal,
        };
        state = state.harder(brought(strike, ladder));
    }
    match state {
        MemberState::Muted { until } if until <= now => MemberState::Normal,
        state => state,
    }
}
