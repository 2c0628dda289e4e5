//! Who joins a group gets its rules in private; where a rulebook wants it, staff are asked for their 「同意」, and reminded.
//!
//! Colleagues only: nothing reaches a customer in private. Told once a version, so whoever comes back from a mute is not told
//! again. The asking is a notice like any other: its roster says who has not answered.

use crate::{
    access::Actor,
    capability::{Act, Capabilities, Provider},
    groups::Group,
    in_force::InForce,
    model::{MemberId, SignedDuration, Timestamp},
    notices::{
        Notices,
        deadline::Deadline,
        notice::Draft,
        outgoing::{self, Tell},
    },
    policy::rulebook::{Duty, Rulebook},
    refusal::ActError,
    rulebooks,
    settings::TellRules,
    store::transaction::transact,
};

/// Time for an answer.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// What counts as one.
pub const AGREED: [&str; 2] = ["同意", "已阅读并同意"];
/// Bytes of a text: WeCom takes 2048.
const TEXT: usize = 1900;

/// Somebody new is in the group.
pub async fn joined(
    notices: &Notices,
    rules: &InForce,
    can: Capabilities,
    group: &Group,
    member: &MemberId,
    now: Timestamp,
) -> Result<(), ActError> {
    let reaches = can.app && can.provider(Act::Tell, group, Some(member)) == Some(Provider::Api);
    if !reaches || group.set.tell_rules != TellRules::All {
        return Ok(());
    }
    for book in rules.rulebooks_of(group, now) {
        if rules.lived.told_at(group.id(), &book.name).is_none() {
            continue; // the whole group is about to be told
        }
        let id = format!("joined-{}-{}@{}-{member}", group.id(), book.name, book.version);
        let tasks = outgoing::tell(&id, group.id(), now, &Tell::text(vec![member.clone()], text(group, &book)));
        transact!(notices.store(), |tx| tx.add_tasks(tasks.clone()));
        if book.asks(Duty::AgreeRules) {
            let draft = Draft { members: vec![member.clone()], ..question(group, &book) };
            ask(notices, &draft, &format!("{}/{}@{}/{member}", group.id(), book.name, book.version)).await?;
        }
    }
    Ok(())
}

/// Everybody in the group was told the rules; who is of the company is asked to agree, if the rulebook wants that.
pub async fn ask_group(notices: &Notices, group: &Group, book: &Rulebook) -> Result<(), ActError> {
    if !book.asks(Duty::AgreeRules) {
        return Ok(());
    }
    let draft = Draft { groups: vec![group.id().clone()], ..question(group, book) };
    ask(notices, &draft, &format!("{}/{}@{}", group.id(), book.name, book.version)).await
}

/// Nobody to ask is no fault: then there is nobody who could answer.
async fn ask(notices: &Notices, draft: &Draft, key: &str) -> Result<(), ActError> {
    match notices.publish(&Actor::bot(), draft, Some(&format!("agree/{key}"))).await {
        Err(ActError::Refused(why)) => {
            tracing::info!(key, %why, "nobody was asked to agree to the rules");
            Ok(())
        }
        other => other.map(drop),
    }
}

fn question(group: &Group, book: &Rulebook) -> Draft {
    let text = format!(
        "「{}」按《{}》管理，入群先同意。请看过全文（给群管发送「群规」）后回复「同意」。",
        group.name(),
        book.title
    );
    Draft {
        accept: AGREED.map(str::to_owned).to_vec(),
        escalate_to: group.deciders(),
        ..Draft::new(&text, &[], Deadline::After(ANSWER_WITHIN))
    }
}

/// What whoever joins reads.
fn text(group: &Group, book: &Rulebook) -> String {
    let mut text = format!("欢迎加入「{}」。本群按《{}》管理：", group.name(), book.title);
    let clauses = rulebooks::whole(book);
    for (listed, clause) in clauses.iter().enumerate() {
        if text.len() + clause.len() > TEXT {
            text.push_str(&format!("\n· 等共 {} 条", clauses.len()));
            debug_assert!(listed > 0, "a clause is short");
            break;
        }
        text.push_str(&format!("\n· {clause}"));
    }
    text.push_str("\n给群管发送「群规」可随时看全文。");
    text
}
