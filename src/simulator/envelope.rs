//! Signs and encrypts what WeCom sends to a bot's addresses, and opens what comes back.

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha1::{Digest, Sha1};

use super::{config::Credentials, ids, state::State, xml};
use crate::model::Timestamp;

/// One callback account: token, key, receive id.
#[derive(Clone, Debug)]
pub struct Seal {
    token: String,
    key: Vec<u8>,
    receiver: String,
}

/// What is new in every callback.
#[derive(Clone, Debug)]
pub struct Stamp {
    timestamp: i64,
    /// Does not repeat.
    pub nonce: String,
    random: [u8; 16],
}

/// A sealed callback.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Cipher text, base64.
    pub encrypt: String,
    query: String,
}

impl Sealed {
    /// The address with the signature.
    pub fn url(&self, base: &str) -> String {
        let joint = if base.contains('?') { '&' } else { '?' };
        format!("{base}{joint}{}", self.query)
    }
    /// The address with the signature and the cipher text as `echostr`.
    pub fn verification_url(&self, base: &str) -> String {
        format!("{}&echostr={}", self.url(base), utf8_percent_encode(&self.encrypt, NON_ALPHANUMERIC))
    }
}

impl State {
    /// Time, nonce and random bytes for one callback.
    pub fn stamp(&mut self, now: Timestamp) -> Stamp {
        let serial = self.serial();
        let nonce = ids::hex32(&format!("nonce{serial}"))[..12].to_owned();
        Stamp { timestamp: now.as_second(), nonce, random: ids::bytes16(&format!("random{serial}")) }
    }
}

impl Seal {
    /// The app's account: receive id = company.
    pub fn app(credentials: &Credentials) -> Self {
        Self::new(&credentials.app.token, &credentials.app.aes_key, &credentials.corp_id)
    }
    /// The bot's account: receive id empty.
    pub fn bot(credentials: &Credentials) -> Self {
        Self::new(&credentials.bot.token, &credentials.bot.aes_key, "")
    }

    fn new(token: &str, aes_key: &str, receiver: &str) -> Self {
        // 43 characters carry two bits more than 32 bytes; WeCom does not mind what is in them
        let config = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let key = GeneralPurpose::new(&ALPHABET, config).decode(aes_key).unwrap_or_default();
        Self { token: token.to_owned(), key, receiver: receiver.to_owned() }
    }

    fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, encrypt];
        parts.sort_unstable();
        ids::hex(&Sha1::digest(parts.concat().as_bytes()))
    }

    /// Encrypts and signs.
    pub fn seal(&self, plain: &str, stamp: &Stamp) -> Sealed {
        let mut data = stamp.random.to_vec();
        data.extend((plain.len() as u32).to_be_bytes());
        data.extend(plain.as_bytes());
        data.extend(self.receiver.as_bytes());
        let pad = 32 - data.len() % 32;
        data.extend(std::iter::repeat_n(pad as u8, pad));
        let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&self.key, &self.key[..16]);
        let length = data.len();
        let encrypt = cipher
            .ok()
            .and_then(|c| c.encrypt_padded::<NoPadding>(&mut data, length).ok().map(|d| STANDARD.encode(d)))
            .unwrap_or_default();
        let time = stamp.timestamp.to_string();
        let signature = self.sign(&time, &stamp.nonce, &encrypt);
        let query = format!("msg_signature={signature}&timestamp={time}&nonce={}", stamp.nonce);
        Sealed { encrypt, query }
    }

    fn open(&self, encrypt: &str) -> Option<String> {
        let mut data = STANDARD.decode(encrypt).ok()?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&self.key, &self.key[..16]).ok()?;
        let data = cipher.decrypt_padded::<NoPadding>(&mut data).ok()?;
        let pad = usize::from(*data.last()?);
        let body = data.get(16..data.len().checked_sub(pad)?).filter(|_| (1..=32).contains(&pad))?;
        let length = u32::from_be_bytes(body.get(..4)?.try_into().ok()?) as usize;
        let message = body.get(4..4 + length)?;
        (body[4 + length..] == *self.receiver.as_bytes()).then(|| String::from_utf8(message.to_vec()).ok())?
    }

    /// Opens a passive XML reply; `None` if its signature or cipher text is wrong.
    pub fn open_xml(&self, answer: &str) -> Option<String> {
        let outer = xml::read(answer);
        let text = |name: &str| outer[name].as_str();
        let encrypt = text("encrypt")?;
        let signed = self.sign(text("time_stamp")?, text("nonce")?, encrypt);
        (Some(signed.as_str()) == text("msg_signature")).then(|| self.open(encrypt))?
    }

    /// Opens a JSON reply of the bot, which must carry the callback's own nonce and an integer timestamp.
    pub fn open_json(&self, answer: &str, nonce: &str) -> Result<Value, &'static str> {
        let outer: Value = serde_json::from_str(answer).map_err(|_| "the answer is not JSON")?;
        let time = outer["timestamp"].as_i64().ok_or("timestamp must be an integer")?.to_string();
        if outer["nonce"] != nonce {
            return Err("nonce is not the callback's");
        }
        let encrypt = outer["encrypt"].as_str().ok_or("encrypt is missing")?;
        if outer["msgsignature"] != self.sign(&time, nonce, encrypt) {
            return Err("msgsignature is wrong");
        }
        let plain = self.open(encrypt).ok_or("encrypt can not be opened")?;
        serde_json::from_str(&plain).map_err(|_| "the plain answer is not JSON")
    }
}
