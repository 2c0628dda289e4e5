//! The bounded ring of a member's recent messages, kept in their record so that flood survives a restart.

use crate::{
    model::Message,
    store::{MemberRecord, RecentMessage},
};

/// Recent messages kept for each member.
const KEPT: usize = 16;

/// Counts the message and remembers its shape.
pub fn note_message(record: &mut MemberRecord, message: &Message) {
    let standing = &mut record.standing;
    standing.messages += 1;
    standing.since = Some(standing.since.map_or(message.at, |since| since.min(message.at)));
    if record.recent.len() >= KEPT {
        record.recent.remove(0);
    }
    let chars: Vec<char> = message.text.chars().collect();
    let hash = crate::detect::history::similarity(&chars);
    record.recent.push(RecentMessage { at: message.at, hash, len: chars.len() as u32 });
}
