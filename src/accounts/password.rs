//! Passwords: argon2id with 19 MiB and two passes, on a thread of their own, at most two at once.

use std::sync::{Arc, LazyLock};

use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::secrets::{hex, unhex};

/// KiB of memory.
const MEMORY: u32 = 19 * 1024;
/// Passes.
const PASSES: u32 = 2;

/// Compared with where there is no account: it takes as long, and nothing is equal to it.
static NOBODY: LazyLock<String> = LazyLock::new(|| format!("argon2id:{MEMORY}:{PASSES}:{}:", hex(&[7; 16])));

fn derive(password: &str, salt: &[u8], memory: u32, passes: u32) -> Option<[u8; 32]> {
    let params = Params::new(memory, passes, 1, Some(32)).ok()?;
    let mut out = [0; 32];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(password.as_bytes(), salt, &mut out).ok()?;
    Some(out)
}

fn made(password: &str) -> Option<String> {
    let salt: [u8; 16] = rand::rng().random();
    let hash = derive(password, &salt, MEMORY, PASSES)?;
    Some(format!("argon2id:{MEMORY}:{PASSES}:{}:{}", hex(&salt), hex(&hash)))
}

fn is(password: &str, kept: &str) -> bool {
    let parts: Vec<&str> = kept.split(':').collect();
    let ["argon2id", memory, passes, salt, hash] = parts[..] else { return false };
    let (Ok(memory), Ok(passes)) = (memory.parse(), passes.parse()) else { return false };
    let (Some(salt), Some(hash)) = (unhex(salt), unhex(hash)) else { return false };
    derive(password, &salt, memory, passes).is_some_and(|found| found.ct_eq(&hash[..]).into())
}

/// What is kept of a password.
pub(super) async fn keep(hashing: &Arc<Semaphore>, password: &str) -> Option<String> {
    let _turn = hashing.acquire().await.ok()?;
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || made(&password)).await.ok()?
}

/// Is it the password? Where there is none, the answer takes as long.
pub(super) async fn verify(hashing: &Arc<Semaphore>, password: &str, kept: Option<&str>) -> bool {
    let Ok(_turn) = hashing.acquire().await else { return false };
    let (password, kept) = (password.to_owned(), kept.unwrap_or(&NOBODY).to_owned());
    tokio::task::spawn_blocking(move || is(&password, &kept)).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_it() {
        let kept = made("北风卷地白草折").unwrap();
        assert!(kept.starts_with("argon2id:19456:2:") && !kept.contains("北风"), "{kept}");
        assert!(is("北风卷地白草折", &kept));
        assert_ne!(kept, made("北风卷地白草折").unwrap(), "salted");
        for (password, kept) in
            [("北风卷地白草", kept.as_str()), ("", &kept), ("", &NOBODY), ("x", ""), ("x", "argon2id:1:2:zz:")]
        {
            assert!(!is(password, kept), "{password} {kept}");
        }
    }
}
