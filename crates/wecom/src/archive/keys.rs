//! The company's RSA private keys: WeCom wraps every message's key with the public key that was in force when it was sent.
//!
//! The version rises with every change in the admin console, so old keys stay needed. Accepts PEM as OpenSSL writes it,
//! PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`).

use std::collections::BTreeMap;

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// Smallest key, in bits; WeCom asks for exactly this.
const BITS: usize = 2048;

/// What is wrong with a key, or with what it should open. Never contains key material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM block of a private key.
    #[error("不是 PEM 格式的 RSA 私钥（应以 -----BEGIN PRIVATE KEY----- 或 -----BEGIN RSA PRIVATE KEY----- 开头）")]
    NotPem,
    /// The public half was given.
    #[error("这是公钥；公钥填在企业微信管理后台，这里要填与它配对的私钥")]
    PublicKey,
    /// Protected by a password.
    #[error("私钥带密码，请先解开：openssl pkcs8 -topk8 -nocrypt -in 原文件 -out 新文件")]
    Encrypted,
    /// Not an RSA key, or damaged.
    #[error("私钥无法读取：不是 RSA 私钥，或文件已损坏")]
    Rejected,
    /// Too short.
    #[error("私钥只有 {0} 位，企业微信要求 2048 位")]
    TooShort(usize),
    /// A message needs a key that was not given.
    #[error("缺少 publickey_ver {0} 的私钥")]
    Missing(u32),
    /// The wrapped key does not open: another key pair, or damage.
    #[error("用 publickey_ver {0} 的私钥解不开：私钥与管理后台的公钥不配对，或数据已损坏")]
    Ciphertext(u32),
}

/// Private keys by `publickey_ver`.
#[derive(Default)]
pub struct PrivateKeys {
    keys: BTreeMap<u32, Pkcs1PrivateDecryptingKey>,
}

impl std::fmt::Debug for PrivateKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl PrivateKeys {
    /// Adds the key of one version.
    pub fn add(&mut self, version: u32, pem: &str) -> Result<(), KeyError> {
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8(pem)?).map_err(|_| KeyError::Rejected)?;
        if key.key_size_bits() < BITS {
            return Err(KeyError::TooShort(key.key_size_bits()));
        }
        self.keys.insert(version, Pkcs1PrivateDecryptingKey::new(key).map_err(|_| KeyError::Rejected)?);
        Ok(())
    }

    /// The newest version there is a key for.
    pub fn newest(&self) -> Option<u32> {
        self.keys.last_key_value().map(|(version, _)| *version)
    }

    /// Every version there is a key for, the newest first.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().rev().copied()
    }

    /// Opens `encrypt_random_key` (base64 of RSA PKCS#1 v1.5).
    pub fn open(&self, version: u32, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let key = self.keys.get(&version).ok_or(KeyError::Missing(version))?;
        let wrapped = STANDARD.decode(wrapped.trim()).map_err(|_| KeyError::Ciphertext(version))?;
        let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
        let length = key.decrypt(&wrapped, &mut plain).map_err(|_| KeyError::Ciphertext(version))?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// The PKCS#8 bytes of a PEM text.
fn pkcs8(pem: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if pem.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    for (label, wrap) in [("PRIVATE KEY", false), ("RSA PRIVATE KEY", true)] {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        if let Some((_, rest)) = pem.split_once(&begin)
            && let Some((body, _)) = rest.split_once(&end)
        {
            let body = Zeroizing::new(body.split_whitespace().collect::<String>());
            let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).map_err(|_| KeyError::Rejected)?);
            return Ok(if wrap { wrapped_pkcs1(&der) } else { der });
        }
    }
    Err(if pem.contains("PUBLIC KEY") || pem.contains("CERTIFICATE") { KeyError::PublicKey } else { KeyError::NotPem })
}

/// Puts the PKCS#8 envelope around a PKCS#1 key: version 0, rsaEncryption, the key.
fn wrapped_pkcs1(der: &[u8]) -> Zeroizing<Vec<u8>> {
    const HEAD: &[u8] =
        &[0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut inner = Zeroizing::new(HEAD.to_vec());
    element(0x04, der, &mut inner);
    let mut outer = Zeroizing::new(Vec::new());
    element(0x30, &inner, &mut outer);
    outer
}

/// Writes one DER element.
fn element(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    if content.len() < 128 {
        out.push(content.len() as u8);
    } else {
        out.push(0x80 | significant.len() as u8);
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::{KeySize, Pkcs1PublicEncryptingKey},
    };

    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    #[test]
    fn opens_with_the_key_of_the_version_in_either_pem() {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let der = der.as_ref();
        // The PKCS#1 key is what PKCS#8 carries behind its head of 26 bytes.
        let inner = &der[26..];
        assert_eq!(*wrapped_pkcs1(inner), der, "the envelope is exactly OpenSSL's");

        let public = Pkcs1PublicEncryptingKey::new(key.public_key()).unwrap();
        let mut wrapped = vec![0; public.ciphertext_size()];
        let wrapped = STANDARD.encode(public.encrypt(b"0123456789abcdef", &mut wrapped).unwrap());
        let mut keys = PrivateKeys::default();
        keys.add(1, &pem("PRIVATE KEY", der)).unwrap();
        keys.add(3, &pem("RSA PRIVATE KEY", inner)).unwrap();
        for version in [1, 3] {
            assert_eq!(keys.open(version, &wrapped).unwrap().as_slice(), b"0123456789abcdef");
        }
        assert_eq!(keys.newest(), Some(3));
        assert_eq!(keys.open(2, &wrapped), Err(KeyError::Missing(2)));
        assert_eq!(keys.open(1, "AAAA"), Err(KeyError::Ciphertext(1)));
        assert_eq!(keys.open(1, "不是"), Err(KeyError::Ciphertext(1)));

        let other = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let other: Pkcs8V1Der<'_> = other.as_der().unwrap();
        keys.add(4, &pem("PRIVATE KEY", other.as_ref())).unwrap();
        assert_eq!(keys.open(4, &wrapped), Err(KeyError::Ciphertext(4)));
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        let refused = |text: &str| PrivateKeys::default().add(1, text).unwrap_err();
        assert_eq!(refused(""), KeyError::NotPem);
        assert_eq!(refused(&pem("PUBLIC KEY", b"x")), KeyError::PublicKey);
        assert_eq!(refused(&pem("ENCRYPTED PRIVATE KEY", b"x")), KeyError::Encrypted);
        assert_eq!(refused(&pem("PRIVATE KEY", b"x")), KeyError::Rejected);
        assert_eq!(refused(&pem("RSA PRIVATE KEY", b"x")), KeyError::Rejected);
        assert_eq!(refused("-----BEGIN PRIVATE KEY-----\nabc"), KeyError::NotPem);
    }
}
