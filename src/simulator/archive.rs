//! 会话内容存档 on the platform's side: every message of every archived group, in the order of `seq`.
//!
//! A group is archived while one of its members has a seat; an external person's messages appear only after consent.
//! `GET /sim/archive` gives them encrypted, as `GetChatData` does; the control API gives them plain.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use async_trait::async_trait;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Handle,
    faults::FaultKind,
    ids,
    state::{Effect, State},
};
use crate::{
    model::Timestamp,
    wecom::archive::{ArchiveSource, Entry, SourceError, codes::Code},
};

/// Messages are kept so long.
pub const RETENTION_HOURS: i64 = 5 * 24;
/// The most that one pull may ask for.
pub const MAX_LIMIT: usize = 1000;
/// Entries kept in memory at most, whatever their age.
const KEPT: usize = 200_000;

/// One message of the stream.
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveEntry {
    /// Position.
    pub seq: u64,
    /// Message id; may come twice.
    pub msgid: String,
    /// The message as `DecryptData` gives it.
    pub message: Value,
    #[serde(skip)]
    at: Timestamp,
}

/// The stream and its keys.
#[derive(Debug, Default)]
pub struct Archive {
    /// Employees with a seat.
    pub seats: BTreeSet<String>,
    /// Public keys by version, as DER.
    keys: BTreeMap<u32, Vec<u8>>,
    entries: VecDeque<ArchiveEntry>,
    seq: u64,
}

impl Archive {
    /// Takes an RSA public key (PEM, `BEGIN PUBLIC KEY`) for new messages.
    ///
    /// # Errors
    /// The text is no such key.
    pub fn set_key(&mut self, version: u32, pem: &str) -> Result<(), String> {
        let body: String = pem.lines().filter(|l| !l.starts_with("-----")).flat_map(|l| l.trim().chars()).collect();
        let der = STANDARD.decode(body).map_err(|e| format!("not PEM: {e}"))?;
        let key = PublicEncryptingKey::from_der(&der).map_err(|_| "not an RSA public key (SubjectPublicKeyInfo)")?;
        if key.key_size_bits() < 2048 {
            return Err("the key must have 2048 bits".into());
        }
        self.keys.insert(version, der);
        Ok(())
    }

    /// Keys stay over a reset, and positions go on: a reader's cursor must not point past the end.
    pub fn inherit(&mut self, old: &mut Self) {
        self.keys = std::mem::take(&mut old.keys);
        self.seq = old.seq;
    }

    /// Last position given.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Messages after `seq`, at most `limit`.
    pub fn after(&self, seq: u64, limit: usize) -> Vec<ArchiveEntry> {
        let from = self.entries.partition_point(|e| e.seq <= seq);
        self.entries.iter().skip(from).take(limit.min(MAX_LIMIT)).cloned().collect()
    }

    /// The JSON that `GetChatData` returns: keys under RSA, bodies under AES.
    pub fn get_chat_data(&self, seq: u64, limit: usize) -> Value {
        if limit > MAX_LIMIT {
            return json!({"errcode": 10000, "errmsg": "limit too large"});
        }
        let Some((version, der)) = self.keys.last_key_value() else {
            return json!({"errcode": 10004, "errmsg": "no public key: POST /sim/api/archive/key first"});
        };
        let mut chatdata = Vec::new();
        for entry in self.after(seq, limit) {
            let Some((key, body)) = encrypt(der, &entry) else {
                return json!({"errcode": 10004, "errmsg": "encryption failed"});
            };
            chatdata.push(json!({"seq": entry.seq, "msgid": entry.msgid, "publickey_ver": version,
                "encrypt_random_key": key, "encrypt_chat_msg": body}));
        }
        json!({"errcode": 0, "errmsg": "ok", "chatdata": chatdata})
    }

    fn push(&mut self, msgid: &str, message: Value, now: Timestamp) {
        self.seq += 1;
        self.entries.push_back(ArchiveEntry { seq: self.seq, msgid: msgid.into(), message, at: now });
        let oldest = now.as_millisecond() - RETENTION_HOURS * super::limits::HOUR;
        while self.entries.len() > KEPT || self.entries.front().is_some_and(|e| e.at.as_millisecond() < oldest) {
            self.entries.pop_front();
        }
    }
}

/// Encrypts one entry: a 32-character key under RSA PKCS#1 v1.5, the JSON under AES-256-CBC with that key and its first 16
/// bytes as IV (the real cipher of the body is Tencent's secret; only its library and ours have to agree).
fn encrypt(der: &[u8], entry: &ArchiveEntry) -> Option<(String, String)> {
    let random = ids::printable(&format!("archive{}", entry.seq), 32);
    let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(der).ok()?).ok()?;
    let mut wrapped = vec![0; key.ciphertext_size()];
    let wrapped = key.encrypt(random.as_bytes(), &mut wrapped).ok()?;
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(random.as_bytes(), &random.as_bytes()[..16]).ok()?;
    let mut body = entry.message.to_string().into_bytes();
    let length = body.len();
    body.resize(length + 16, 0);
    let body = cipher.encrypt_padded::<Pkcs7>(&mut body, length).ok()?;
    Some((STANDARD.encode(wrapped), STANDARD.encode(body)))
}

/// The archive without the library: what a demonstration reads in the same process.
#[async_trait]
impl ArchiveSource for Handle {
    async fn pull(&self, seq: u64, limit: usize) -> Result<Vec<Entry>, SourceError> {
        if let Some(code) = self.sim.with(|state, _| state.archive_fault()) {
            return Err(Code(code).of_pull());
        }
        let entries = self.archive(seq, limit).into_iter();
        Ok(entries.map(|e| Entry { seq: e.seq, msgid: e.msgid, message: Ok(e.message.to_string()) }).collect())
    }

    async fn file(&self, sdk_file_id: &str, largest: usize) -> Result<Vec<u8>, SourceError> {
        let bytes = self.sim.with(|state, _| state.archive_file(sdk_file_id)).map_err(|code| Code(code).of_file())?;
        if bytes.len() > largest {
            return Err(SourceError::Gap(format!("the file has more than {largest} bytes")));
        }
        Ok(bytes.to_vec())
    }
}

/// A reply as clients write it into the text: the quoted words first.
pub fn with_quote(quote: &str, body: &Value) -> Value {
    let own = body["content"].as_str().unwrap_or_default();
    json!({"content": format!("这是一条引用/回复消息：\n\"{quote}\"\n------\n{own}")})
}

/// The body's key in the archive; WeCom has exceptions.
fn body_key(msgtype: &str) -> &str {
    match msgtype {
        "external_redpacket" => "redpacket",
        "docmsg" => "doc",
        "markdown" | "news" | "voiptext" | "qydiskfile" | "note" => "info",
        other => other,
    }
}

impl State {
    /// The code that `GetChatData` has to say by a fault switch.
    pub fn archive_fault(&mut self) -> Option<i64> {
        self.faults.take("archive", |kind| if let FaultKind::Archive { code } = kind { Some(*code) } else { None })
    }

    /// A file by its `sdkfileid` (here: the `media_id` of an upload), or the code that `GetMediaData` returns.
    pub fn archive_file(&mut self, id: &str) -> Result<Arc<Vec<u8>>, i64> {
        let fault = self
            .faults
            .take("archive", |kind| if let FaultKind::ArchiveFile { code } = kind { Some(*code) } else { None });
        match fault {
            Some(code) => Err(code),
            None => self.media.get(id).map(|media| media.bytes.clone()).ok_or(10005),
        }
    }

    /// Whether the group's messages reach the archive: one member with a seat is enough.
    pub fn archived(&self, group: &str) -> bool {
        self.groups.get(group).is_some_and(|g| g.present().intersection(&self.archive.seats).next().is_some())
    }

    /// Puts a group's message into the stream, if the group is archived and its sender may be heard.
    pub fn archive_message(
        &mut self,
        group: &str,
        from: &str,
        msgid: &str,
        msgtype: &str,
        body: Value,
        now: Timestamp,
    ) {
        if !self.archived(group) || self.people.get(from).is_some_and(|p| !p.consents) {
            return;
        }
        let Some(place) = self.groups.get(group) else { return };
        let tolist: Vec<_> = place.members.iter().filter(|m| m.id != from).map(|m| m.id.clone()).collect();
        let action = if msgtype == "revoke" { "recall" } else { "send" };
        let mut message = json!({"msgid": msgid, "action": action, "from": from, "tolist": tolist,
            "roomid": place.room, "msgtime": now.as_millisecond(), "msgtype": msgtype});
        message[body_key(msgtype)] = body;
        if self.faults.has(&FaultKind::ArchiveGap) {
            self.archive.seq += 7;
        }
        self.archive.push(msgid, message.clone(), now);
        if self.faults.has(&FaultKind::ArchiveTwice) {
            self.archive.push(msgid, message, now);
        }
        self.effects.push(Effect::Archived);
    }

    /// Puts any message into the stream as it is: unknown kinds, odd times, `switch`.
    pub fn archive_raw(&mut self, message: Value, now: Timestamp) -> u64 {
        let msgid = message["msgid"].as_str().unwrap_or_default().to_owned();
        self.archive.push(&msgid, message, now);
        self.effects.push(Effect::Archived);
        self.archive.seq
    }
}
