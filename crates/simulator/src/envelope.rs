//! Signs and encrypts what WeCom sends to a bot's addresses, and opens what comes back.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{config::Credentials, ids, state::State, xml};
use jiff::Timestamp;
use qunguan_wecom::crypto::Crypto;

/// One callback account: token, key, receive id.
#[derive(Debug)]
pub struct Seal(Crypto);

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
    /// The address with a signature that nobody with the token made.
    pub fn forged_url(&self, base: &str) -> String {
        self.url(base).replace("msg_signature=", "msg_signature=0")
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
        Self(Crypto::new(token, aes_key, receiver).expect("the simulator's own keys are whole"))
    }

    /// Encrypts and signs.
    pub fn seal(&self, plain: &str, stamp: &Stamp) -> Sealed {
        let encrypt = self.0.encrypt(plain, stamp.random);
        let time = stamp.timestamp.to_string();
        let signature = self.0.sign(&time, &stamp.nonce, &encrypt);
        let query = format!("msg_signature={signature}&timestamp={time}&nonce={}", stamp.nonce);
        Sealed { encrypt, query }
    }

    /// Opens a passive XML reply; `None` if its signature or cipher text is wrong.
    pub fn open_xml(&self, answer: &str) -> Option<String> {
        let outer = xml::read(answer);
        let text = |name: &str| outer[name].as_str();
        let encrypt = text("encrypt")?;
        self.0.verify(text("msg_signature")?, text("time_stamp")?, text("nonce")?, encrypt).ok()?;
        self.0.decrypt(encrypt).ok()
    }

    /// Opens a JSON reply of the bot, which must carry the callback's own nonce and an integer timestamp.
    pub fn open_json(&self, answer: &str, nonce: &str) -> Result<Value, &'static str> {
        let outer: Value = serde_json::from_str(answer).map_err(|_| "the answer is not JSON")?;
        let time = outer["timestamp"].as_i64().ok_or("timestamp must be an integer")?.to_string();
        if outer["nonce"] != nonce {
            return Err("nonce is not the callback's");
        }
        let encrypt = outer["encrypt"].as_str().ok_or("encrypt is missing")?;
        let signature = outer["msgsignature"].as_str().ok_or("msgsignature is missing")?;
        self.0.verify(signature, &time, nonce, encrypt).map_err(|_| "msgsignature is wrong")?;
        let plain = self.0.decrypt(encrypt).map_err(|_| "encrypt can not be opened")?;
        serde_json::from_str(&plain).map_err(|_| "the plain answer is not JSON")
    }
}
