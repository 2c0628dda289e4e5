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
use jiff::Timestamp;
use qunguan_wecom::archive::{ArchiveSource, Entry, SourceError, codes::Code};

/// The most that one pull may ask for.
pub const MAX_LIMIT: usize = 1000;
/// Positions that an archive that repeats itself goes back.
const AGAIN: u64 = 10;
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
    /// `DecryptData` refuses it once.
    #[serde(skip)]
    sealed: bool,
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

    fn push(&mut self, msgid: &str, message: Value, sealed: bool, now: Timestamp) {
        self.seq += 1;
        self.entries.push_back(ArchiveEntry { seq: self.seq, msgid: msgid.into(), message, sealed, at: now });
        if self.entries.len() > KEPT {
            self.entries.pop_front();
        }
    }

    fn forget(&mut self, before: i64) {
        while self.entries.front().is_some_and(|e| e.at.as_millisecond() < before) {
            self.entries.pop_front();
        }
    }
}

/// Encrypts one entry whose JSON is `plain`: a 32-character key under RSA PKCS#1 v1.5, the JSON under AES-256-CBC with that key and its first 16
/// bytes as IV (the real cipher of the body is Tencent's secret; only its library and ours have to agree).
fn encrypt(der: &[u8], entry: &ArchiveEntry, plain: String) -> Option<(String, String)> {
    let random = ids::printable(&format!("archive{}", entry.seq), 32);
    let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(der).ok()?).ok()?;
    let mut wrapped = vec![0; key.ciphertext_size()];
    let wrapped = key.encrypt(random.as_bytes(), &mut wrapped).ok()?;
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(random.as_bytes(), &random.as_bytes()[..16]).ok()?;
    let mut body = plain.into_bytes();
    let length = body.len();
    body.resize(length + 16, 0);
    let body = cipher.encrypt_padded::<Pkcs7>(&mut body, length).ok()?;
    // The stand-in library knows the mark of a body that it refuses once.
    let mark = if entry.sealed { "!" } else { "" };
    Some((STANDARD.encode(wrapped), format!("{mark}{}", STANDARD.encode(body))))
}

/// The archive without the library: what a demonstration reads in the same process.
#[async_trait]
impl ArchiveSource for Handle {
    async fn pull(&self, seq: u64, limit: usize) -> Result<Vec<Entry>, SourceError> {
        self.sim.with(|state, now| {
            if let Some(code) = state.archive_fault() {
                return Err(Code(code).of_pull());
            }
            let entries = state.pull_archive(seq, limit, now).into_iter();
            let entry = |e: ArchiveEntry| Entry { seq: e.seq, msgid: e.msgid, message: Ok(state.written(&e.message)) };
            Ok(entries.map(entry).collect())
        })
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
        "markdown" | "news" | "voiptext" | "qydiskfile" | "note" | "solitaire" | "meeting_notification" => "info",
        other => other,
    }
}

impl State {
    /// What one call of `GetChatData` hands out: as much as WeCom likes of what it still keeps behind the position.
    pub fn pull_archive(&mut self, seq: u64, limit: usize, now: Timestamp) -> Vec<ArchiveEntry> {
        self.archive.forget(now.as_millisecond() - self.unknowns.archive_days * super::limits::DAY);
        if self.faults.has(&FaultKind::ArchiveStalls) {
            return Vec::new();
        }
        let limit = if self.unknowns.archive_batch == 0 { limit } else { limit.min(self.unknowns.archive_batch) };
        let again = if self.faults.has(&FaultKind::ArchiveAgain) { AGAIN } else { 0 };
        let mut entries = self.archive.after(seq.saturating_sub(again), limit);
        if self.faults.has(&FaultKind::ArchiveReordered) {
            entries.reverse();
        }
        entries
    }

    /// The JSON that `GetChatData` returns: keys under RSA, bodies under AES.
    pub fn get_chat_data(&mut self, seq: u64, limit: usize, now: Timestamp) -> Value {
        if limit > MAX_LIMIT {
            return json!({"errcode": 10000, "errmsg": "limit too large"});
        }
        let Some((version, der)) = self.archive.keys.last_key_value().map(|(version, der)| (*version, der.clone()))
        else {
            return json!({"errcode": 10004, "errmsg": "no public key: POST /sim/api/archive/key first"});
        };
        let mut chatdata = Vec::new();
        for entry in self.pull_archive(seq, limit, now) {
            let plain = self.written(&entry.message);
            let Some((key, body)) = encrypt(&der, &entry, plain) else {
                return json!({"errcode": 10004, "errmsg": "encryption failed"});
            };
            chatdata.push(json!({"seq": entry.seq, "msgid": entry.msgid, "publickey_ver": version,
                "encrypt_random_key": key, "encrypt_chat_msg": body}));
        }
        json!({"errcode": 0, "errmsg": "ok", "chatdata": chatdata})
    }

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
        if self.unknowns.joined_line_only && msgtype == "solitaire" && message["info"]["solitaire_type"] == 102 {
            let all = message["info"]["solitaire_content"].as_str().unwrap_or_default();
            message["info"]["solitaire_content"] = all.lines().last().unwrap_or_default().into();
        }
        if self.faults.has(&FaultKind::ArchiveGap) {
            self.archive.seq += 7;
        }
        let sealed = self.faults.has(&FaultKind::ArchiveSealed);
        self.archive.push(msgid, message.clone(), sealed, now);
        if self.faults.has(&FaultKind::ArchiveTwice) {
            self.archive.push(msgid, message, sealed, now);
        }
        self.effects.push(Effect::Archived);
    }

    /// Puts any message into the stream as it is: unknown kinds, odd times, `switch`.
    pub fn archive_raw(&mut self, message: Value, now: Timestamp) -> u64 {
        let msgid = message["msgid"].as_str().unwrap_or_default().to_owned();
        let sealed = self.faults.has(&FaultKind::ArchiveSealed);
        self.archive.push(&msgid, message, sealed, now);
        self.effects.push(Effect::Archived);
        self.archive.seq
    }
}
