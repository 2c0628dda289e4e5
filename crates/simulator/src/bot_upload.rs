//! Temporary files over the bot's socket: begin, pieces in any order, end.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{
    ids,
    limits::{HOUR, MINUTE},
    state::State,
};
use jiff::Timestamp;

const PIECE_BYTES: usize = 512 * 1024;
const PIECES: u64 = 100;
const LIFE_MS: i64 = 30 * MINUTE;
const PER_MINUTE: u64 = 30;
const PER_HOUR: u64 = 1000;

/// An upload under way; it outlives the connection.
#[derive(Debug)]
pub struct Upload {
    kind: String,
    name: String,
    size: usize,
    pieces: u64,
    md5: Option<String>,
    got: BTreeMap<u64, Vec<u8>>,
    since: Timestamp,
}

/// A refusal with its code.
pub type Answer = Result<Value, (i64, &'static str)>;

impl State {
    /// `aibot_upload_media_init`
    pub fn upload_begin(&mut self, body: &Value, now: Timestamp) -> Answer {
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let (size, pieces) = (body["total_size"].as_u64().unwrap_or(0), body["total_chunks"].as_u64().unwrap_or(0));
        if !["file", "image", "voice", "video"].contains(&text("type").as_str()) {
            return Err((40004, "invalid media type"));
        }
        if size == 0 || pieces == 0 || pieces > PIECES {
            return Err((40058, "total_size and total_chunks (1..100) are needed"));
        }
        if !self.limits.allow("bot-upload", PER_MINUTE, MINUTE, 1, now)
            || !self.limits.allow("bot-upload-hour", PER_HOUR, HOUR, 1, now)
        {
            return Err((45009, "api freq out of limit"));
        }
        let id = self.id("up-", 24);
        let upload = Upload {
            kind: text("type"),
            name: text("filename"),
            size: size as usize,
            pieces,
            md5: body["md5"].as_str().map(str::to_lowercase),
            got: BTreeMap::new(),
            since: now,
        };
        self.bot.uploads.insert(id.clone(), upload);
        Ok(json!({ "upload_id": id }))
    }

    /// `aibot_upload_media_chunk`; counting from 0 and from 1 are both accepted, repeats are ignored.
    pub fn upload_piece(&mut self, body: &Value, now: Timestamp) -> Answer {
        let upload = self.upload(body, now)?;
        let index =
            body["chunk_index"].as_u64().filter(|i| *i <= upload.pieces).ok_or((40058, "invalid chunk_index"))?;
        let bytes =
            STANDARD.decode(body["base64_data"].as_str().unwrap_or_default()).map_err(|_| (40058, "not base64"))?;
        if bytes.is_empty() || bytes.len() > PIECE_BYTES {
            return Err((45001, "a chunk has 1..524288 bytes"));
        }
        upload.got.entry(index).or_insert(bytes);
        Ok(json!({}))
    }

    /// `aibot_upload_media_finish`
    pub fn upload_end(&mut self, body: &Value, now: Timestamp) -> Answer {
        let upload = self.upload(body, now)?;
        if upload.got.len() as u64 != upload.pieces {
            return Err((40058, "chunks are missing"));
        }
        let bytes: Vec<u8> = upload.got.values().flatten().copied().collect();
        let digest = ids::hex(&Md5::digest(&bytes));
        if bytes.len() != upload.size || upload.md5.as_ref().is_some_and(|m| *m != digest) {
            return Err((40058, "total_size or md5 does not fit the chunks"));
        }
        let (kind, name) = (upload.kind.clone(), upload.name.clone());
        self.bot.uploads.remove(body["upload_id"].as_str().unwrap_or_default());
        self.store_media(&kind, &name, bytes, now).map_err(|e| (e.0, "file refused"))
    }

    fn upload(&mut self, body: &Value, now: Timestamp) -> Result<&mut Upload, (i64, &'static str)> {
        let id = body["upload_id"].as_str().unwrap_or_default();
        let live = |u: &&mut Upload| now.as_millisecond() - u.since.as_millisecond() < LIFE_MS;
        self.bot.uploads.get_mut(id).filter(live).ok_or((40058, "invalid upload_id"))
    }
}
