//! Six digits that change every thirty seconds (RFC 6238, SHA-1), as every authenticator app shows them.

use aws_lc_rs::hmac;
use rand::RngExt;

/// Seconds that a code stands.
const STEP: u64 = 30;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret of 160 bits, as people type it into an app.
pub fn secret() -> String {
    let bytes: [u8; 20] = rand::rng().random();
    base32(&bytes)
}

/// The address that apps read.
pub fn address(account: &str, secret: &str) -> String {
    let account = percent_encoding::utf8_percent_encode(account, percent_encoding::NON_ALPHANUMERIC);
    format!("otpauth://totp/qunguan:{account}?secret={secret}&issuer=qunguan")
}

/// The number of the code, if it is one of this moment or of a step beside it, and later than the last one that was used.
pub fn taken(secret: &str, code: &str, unix: i64, used: u64) -> Option<u64> {
    let key = unbase32(secret)?;
    let now = u64::try_from(unix).ok()? / STEP;
    let code = code.trim();
    [now, now.saturating_sub(1), now + 1].into_iter().find(|n| *n > used && shown(&key, *n) == code)
}

/// The code of a moment, for tests and nobody else.
pub fn code_at(secret: &str, unix: i64) -> Option<String> {
    Some(shown(&unbase32(secret)?, u64::try_from(unix).ok()? / STEP))
}

fn shown(key: &[u8], n: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &n.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 15);
    let number = u32::from_be_bytes([tag[at] & 127, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

fn base32(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let letter = |five: &[u8]| five.iter().fold(0, |all, bit| all << 1 | usize::from(*bit));
    bits.chunks(5).map(|five| char::from(ALPHABET[letter(five) << (5 - five.len())])).collect()
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let letters = text.bytes().filter(|b| !matches!(b, b' ' | b'='));
    let places = letters.map(|b| ALPHABET.iter().position(|known| *known == b.to_ascii_uppercase()));
    let places: Vec<usize> = places.collect::<Option<_>>()?;
    let bits: Vec<u8> = places.iter().flat_map(|n| (0..5).rev().map(move |at| (n >> at & 1) as u8)).collect();
    Some(bits.chunks_exact(8).map(|eight| eight.iter().fold(0, |all, bit| all << 1 | bit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix B of RFC 6238, its eight digits cut to six; RFC 4648 for the alphabet.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let key = base32(b"12345678901234567890");
        assert_eq!(key, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(unbase32("mzxw6ytb").unwrap(), b"fooba");
        assert_eq!(unbase32("1"), None);
        for (unix, code) in [
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (2000000000, "279037"),
            (20000000000, "353130"),
        ] {
            assert_eq!(code_at(&key, unix).unwrap(), code);
            assert_eq!(taken(&key, code, unix + 30, 0), Some(unix as u64 / 30), "a little late");
            assert_eq!(taken(&key, code, unix + 60, 0), None, "too late");
            assert_eq!(taken(&key, code, unix, unix as u64 / 30), None, "not twice");
        }
    }
}
