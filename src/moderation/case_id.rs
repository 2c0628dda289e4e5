//! Case ids as people say them: `8F2K`. Made from the message's own id, so the same message always gets the same one.

use sha2::{Digest, Sha256};

use crate::model::{CaseId, MessageId};

/// No vowels, no look-alikes (0/O, 1/I/L): nothing to misread aloud, no words by accident.
const ALPHABET: &[u8; 24] = b"23456789BCDFGHJKMNPQRTWX";
/// Shortest id.
const SHORTEST: usize = 4;
/// Longest id; by then two messages do not meet.
const LONGEST: usize = 12;

/// Candidates from short to long; the first one that no other message holds is the id.
pub fn candidates(message: &MessageId) -> impl Iterator<Item = CaseId> {
    let hash = Sha256::digest(message.as_str().as_bytes());
    let letters: Vec<u8> = hash.iter().map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()]).collect();
    (SHORTEST..=LONGEST).map(move |len| CaseId::new(String::from_utf8_lossy(&letters[..len])))
}

/// The id that somebody typed, in capitals or not.
pub fn typed(id: &str) -> CaseId {
    CaseId::new(id.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_grow_and_stay_the_same() {
        let message = MessageId::from("archive:42");
        let first: Vec<_> = candidates(&message).collect();
        assert_eq!(first, candidates(&message).collect::<Vec<_>>());
        assert_eq!(first[0].as_str().len(), 4);
        assert!(first[1].as_str().starts_with(first[0].as_str()));
    }
}
