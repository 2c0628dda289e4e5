//! Names for new things: the same run always gives the same ones, yet they look like WeCom's.

use sha2::{Digest, Sha256};

/// 32 lower-case hex digits from a seed.
pub fn hex32(seed: &str) -> String {
    hex(&Sha256::digest(seed.as_bytes())[..16])
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Sixteen bytes for the front of an encrypted callback, from a seed.
pub fn bytes16(seed: &str) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&Sha256::digest(seed.as_bytes())[16..]);
    out
}

/// `len` printable characters of the base64 alphabet without its symbols.
pub fn printable(seed: &str, len: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut out = String::with_capacity(len);
    let mut round = 0;
    while out.len() < len {
        let block = Sha256::digest(format!("{seed}#{round}").as_bytes());
        out.extend(block.iter().take(len - out.len()).map(|b| char::from(ALPHABET[usize::from(*b) % ALPHABET.len()])));
        round += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_repeat_and_differ_by_seed() {
        assert_eq!(super::printable("a", 40), super::printable("a", 40));
        assert_ne!(super::hex32("a"), super::hex32("b"));
        assert_eq!(super::printable("x", 70).len(), 70);
    }
}
