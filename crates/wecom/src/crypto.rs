//! The envelope of WeCom's callbacks: signature, AES, padding (receiving.md §1).
//!
//! Every failure looks the same from outside; [`CryptoError`] tells the log which it was.

use aes::Aes256;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::DecodePaddingMode,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

type Encryptor = cbc::Encryptor<Aes256>;
type Decryptor = cbc::Decryptor<Aes256>;

/// WeCom pads to this many bytes, not to the cipher's sixteen.
const BLOCK: usize = 32;
/// Random bytes before the length.
const RANDOM: usize = 16;

/// The key's 43 characters carry two spare bits that are usually not zero; a strict decoder refuses real keys.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What was wrong, for the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// EncodingAESKey is not 43 characters of base64.
    #[error("EncodingAESKey must be 43 letters and digits")]
    Key,
    /// The signature differs.
    #[error("signature mismatch")]
    Signature,
    /// Not base64, or not whole cipher blocks.
    #[error("ciphertext is not whole")]
    Ciphertext,
    /// The padding is wrong.
    #[error("padding is wrong")]
    Padding,
    /// The inner length does not fit.
    #[error("inner length does not fit")]
    Length,
    /// The message is for somebody else.
    #[error("receive id differs")]
    ReceiveId,
    /// The message is not UTF-8.
    #[error("message is not text")]
    Text,
}

/// Token, key and receiver of one callback address.
pub struct Crypto {
    token: Zeroizing<String>,
    key: Zeroizing<[u8; 32]>,
    receive_id: String,
}

impl std::fmt::Debug for Crypto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crypto {{ receive_id: {:?} }}", self.receive_id)
    }
}

impl Crypto {
    /// `receive_id` is the corp id for a self-built app and empty for a company's own smart bot.
    pub fn new(token: &str, encoding_aes_key: &str, receive_id: &str) -> Result<Self, CryptoError> {
        if encoding_aes_key.len() != 43 {
            return Err(CryptoError::Key);
        }
        let bytes = Zeroizing::new(LENIENT.decode(encoding_aes_key).map_err(|_| CryptoError::Key)?);
        let key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| CryptoError::Key)?);
        Ok(Self { token: Zeroizing::new(token.to_owned()), key, receive_id: receive_id.to_owned() })
    }

    /// Lower-case hex SHA-1 over the four strings in byte order.
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, encrypt];
        parts.sort_unstable();
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().fold(String::with_capacity(40), |mut hex, byte| {
            use std::fmt::Write;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Compares in constant time.
    pub fn verify(&self, signature: &str, timestamp: &str, nonce: &str, encrypt: &str) -> Result<(), CryptoError> {
        let expected = self.sign(timestamp, nonce, encrypt);
        if bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) { Ok(()) } else { Err(CryptoError::Signature) }
    }

    /// Decrypts base64 text and checks padding, length and receiver.
    pub fn decrypt(&self, encrypt: &str) -> Result<String, CryptoError> {
        let mut bytes = STANDARD.decode(encrypt).map_err(|_| CryptoError::Ciphertext)?;
        let plain = self.decrypt_blocks(&mut bytes)?;
        let header = plain.get(RANDOM..RANDOM + 4).ok_or(CryptoError::Length)?;
        let length = u32::from_be_bytes(header.try_into().map_err(|_| CryptoError::Length)?) as usize;
        let end = (RANDOM + 4).checked_add(length).filter(|end| *end <= plain.len()).ok_or(CryptoError::Length)?;
        if plain[end..] != *self.receive_id.as_bytes() {
            return Err(CryptoError::ReceiveId);
        }
        Ok(super::mend::text(plain[RANDOM + 4..end].to_vec()))
    }

    /// Encrypts text; `random` is fresh for every message.
    pub fn encrypt(&self, text: &str, random: [u8; RANDOM]) -> String {
        let mut plain = Vec::with_capacity(RANDOM + 4 + text.len() + self.receive_id.len() + BLOCK);
        plain.extend_from_slice(&random);
        plain.extend_from_slice(&(text.len() as u32).to_be_bytes());
        plain.extend_from_slice(text.as_bytes());
        plain.extend_from_slice(self.receive_id.as_bytes());
        let padding = BLOCK - plain.len() % BLOCK;
        plain.resize(plain.len() + padding, padding as u8);
        let cipher = Encryptor::new((&*self.key).into(), self.iv().into());
        let length = plain.len();
        let encrypted = cipher.encrypt_padded::<NoPadding>(&mut plain, length).expect("whole blocks");
        STANDARD.encode(encrypted)
    }

    /// Decrypts a media file of the bot: no header, only padding (receiving.md §3.8).
    pub fn decrypt_file(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, CryptoError> {
        self.decrypt_blocks(&mut bytes).map(<[u8]>::to_vec)
    }

    fn iv(&self) -> &[u8; 16] {
        self.key.first_chunk().expect("a key has 32 bytes")
    }

    fn decrypt_blocks<'a>(&self, bytes: &'a mut [u8]) -> Result<&'a [u8], CryptoError> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(16) {
            return Err(CryptoError::Ciphertext);
        }
        let cipher = Decryptor::new((&*self.key).into(), self.iv().into());
        let plain = cipher.decrypt_padded::<NoPadding>(bytes).map_err(|_| CryptoError::Ciphertext)?;
        let padding = usize::from(*plain.last().ok_or(CryptoError::Padding)?);
        if !(1..=BLOCK).contains(&padding) || padding > plain.len() {
            return Err(CryptoError::Padding);
        }
        let (content, tail) = plain.split_at(plain.len() - padding);
        if tail.iter().any(|byte| usize::from(*byte) != padding) {
            return Err(CryptoError::Padding);
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "QDG6eKwecomTestToken";
    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    const CORP: &str = "ww1234567890abcdef";

    fn app() -> Crypto {
        Crypto::new(TOKEN, KEY, CORP).unwrap()
    }
    fn bot() -> Crypto {
        Crypto::new(TOKEN, KEY, "").unwrap()
    }

    #[test]
    fn url_verification() {
        let echo = "Q3stYC6hdFzMh9T8HCvyDH0IHJENRtL8kKsqSYgg4gClawqfEI4bjkd/sThBdy5abkkNPf3wQSpydibwulBNcw==";
        app().verify("9f219b26303cad93100a37abd613ee22118b9017", "1700000000", "1597212914", echo).unwrap();
        assert_eq!(app().decrypt(echo).unwrap(), "1616140317555161061");
        assert_eq!(app().encrypt("1616140317555161061", *b"0123456789abcdef"), echo);
    }

    #[test]
    fn text_message() {
        let xml = "<xml><ToUserName><![CDATA[ww1234567890abcdef]]></ToUserName><FromUserName><![CDATA[zhangsan]]></FromUserName><CreateTime>1700000001</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好 bot]]></Content><MsgId>7300000000000000001</MsgId><AgentID>1000002</AgentID></xml>";
        let encrypt = app().encrypt(xml, *b"fedcba9876543210");
        assert!(encrypt.starts_with("DpQeJfnf/MGZ/+GTIspwVFhQnq+3Sy8meU6jfjPM4HiuFessTv4UpK87jW"));
        assert!(encrypt.ends_with("ztzw1ZuU0ZCMWQeShhtn7Q=="));
        app().verify("a00bf9a47d64db0bd716ca8d476770c47b92aa50", "1700000001", "263014780", &encrypt).unwrap();
        assert_eq!(app().decrypt(&encrypt).unwrap(), xml);
    }

    #[test]
    fn bot_json_with_an_empty_receiver() {
        let json = r#"{"msgid":"MSG-1","aibotid":"AIB-1","chatid":"wr-1","chattype":"group","from":{"userid":"zhangsan"},"response_url":"https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=RC1","msgtype":"text","text":{"content":"@Bot 你好"}}"#;
        let encrypt = bot().encrypt(json, [b'A'; 16]);
        assert!(encrypt.starts_with("eCyIe0+uiijGBq44Xutxnn97tdLrwRaPOBwcvbc7YzLXgTGp7fTufOhs"));
        bot().verify("0cd58e0e9df690fadc45260f2f36d5e4aa36e833", "1700000002", "nonce-42", &encrypt).unwrap();
        assert_eq!(bot().decrypt(&encrypt).unwrap(), json);
    }

    #[test]
    fn a_full_block_of_padding() {
        let encrypt = "mu+82QvwqB3OlrDNm06PVpw6jb7UVUxXPBHZirsOVHoo9DGaknCvIKmxySg4OrnK3Lp6OR51rtifa9zr6VCk6Q==";
        assert_eq!(bot().decrypt(encrypt).unwrap(), "x".repeat(12));
        assert_eq!(bot().encrypt(&"x".repeat(12), [b'C'; 16]), encrypt);
    }

    #[test]
    fn a_media_file() {
        let hex = "9733f8c92160f41323e875933670963537bf4e39f24c16a3b3e2ca43b7b63bc7";
        let bytes = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
        assert_eq!(bot().decrypt_file(bytes).unwrap(), b"hello wecom media\n");
    }

    #[test]
    fn everything_wrong_is_refused() {
        let good = app().encrypt("hello", [7; 16]);
        assert_eq!(bot().decrypt(&good), Err(CryptoError::ReceiveId));
        assert_eq!(Crypto::new(TOKEN, KEY, "wwother").unwrap().decrypt(&good), Err(CryptoError::ReceiveId));
        assert_eq!(app().verify(&app().sign("1", "2", "x"), "1", "2", "y"), Err(CryptoError::Signature));
        assert_eq!(app().verify("short", "1", "2", "y"), Err(CryptoError::Signature));
        for cut in [1, 5, 16, good.len() - 1] {
            assert!(app().decrypt(&good[..good.len() - cut]).is_err(), "{cut}");
        }
        assert_eq!(app().decrypt("不是密文"), Err(CryptoError::Ciphertext));
        assert_eq!(app().decrypt(""), Err(CryptoError::Ciphertext));
        for key in ["", "abc", "*bcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", &KEY.repeat(2)] {
            assert_eq!(Crypto::new(TOKEN, key, CORP).err(), Some(CryptoError::Key), "{key}");
        }
    }

    #[test]
    fn pad_bytes_outside_the_block_are_refused() {
        for pad in [0u8, 33, 200] {
            let mut plain = vec![0u8; RANDOM];
            plain.extend_from_slice(&5u32.to_be_bytes());
            plain.extend_from_slice(b"hello");
            plain.extend_from_slice(CORP.as_bytes());
            plain.resize(plain.len().next_multiple_of(BLOCK), pad);
            let crypto = app();
            let cipher = Encryptor::new((&*crypto.key).into(), crypto.iv().into());
            let length = plain.len();
            let encrypted = STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut plain, length).unwrap());
            assert!(crypto.decrypt(&encrypted).is_err(), "{pad}");
        }
    }
}
