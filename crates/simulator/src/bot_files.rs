//! Pictures that people send to the bot: encrypted, at an address that works for five minutes.

use std::{collections::HashMap, sync::Arc};

use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use axum::{
    Router,
    extract::{Path, Query, State as Extract},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{
    Engine, alphabet, engine::GeneralPurpose, engine::GeneralPurposeConfig, engine::general_purpose::STANDARD,
};
use serde_json::{Value, json};

use super::{Sim, ids, limits::MINUTE, state::State};
use jiff::Timestamp;

/// An address works so long.
const LIVES_MS: i64 = 5 * MINUTE;
/// Padded to whole blocks of so many bytes.
const BLOCK: usize = 32;

/// A picture on its way to the bot.
#[derive(Clone, Debug)]
pub struct BotFile {
    bytes: Arc<Vec<u8>>,
    since: Timestamp,
}

/// The route.
pub fn router() -> Router<Arc<Sim>> {
    Router::new().route("/bot-files/{id}", get(download))
}

/// `GET /bot-files/{id}`; `?own=1` is encrypted with the file's own key (long connection), else with the bot's.
async fn download(
    Extract(sim): Extract<Arc<Sim>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let found = sim.read(|state, now| {
        let file = state.bot.files.get(&id)?;
        let old = now.as_millisecond() - file.since.as_millisecond() > LIVES_MS;
        (!old).then(|| (file.bytes.clone(), state.credentials.bot.aes_key.clone()))
    });
    let Some((bytes, account)) = found else { return StatusCode::FORBIDDEN.into_response() };
    let key = if query.contains_key("own") { own_key(&id) } else { account_key(&account) };
    key.and_then(|key| seal(&key, &bytes))
        .map_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response(), IntoResponse::into_response)
}

fn own_key(id: &str) -> Option<Vec<u8>> {
    Some(ids::printable(&format!("file{id}"), 32).into_bytes())
}

fn account_key(encoding_aes_key: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(format!("{encoding_aes_key}=")).ok()
}

/// AES-256-CBC, IV = the key's first 16 bytes, padding to 32.
fn seal(key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut data = bytes.to_vec();
    let padding = BLOCK - data.len() % BLOCK;
    data.resize(data.len() + padding, padding as u8);
    let length = data.len();
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(key, &key[..16]).ok()?;
    cipher.encrypt_padded::<NoPadding>(&mut data, length).ok().map(<[u8]>::to_vec)
}

impl State {
    /// What the bot's callback says of a stored file; as it is if there is no such file.
    pub fn bot_file(&mut self, body: &Value, now: Timestamp) -> Value {
        let id = body["sdkfileid"].as_str().unwrap_or_default();
        let Some(bytes) = self.media.get(id).map(|media| media.bytes.clone()) else { return body.clone() };
        let id = self.id("file", 24);
        let url = format!("{}/bot-files/{id}", self.credentials.api_base);
        self.bot.files.insert(id, BotFile { bytes, since: now });
        json!({ "url": url })
    }
}

/// Over the long connection every file has its own key.
pub fn with_own_keys(body: &mut Value) {
    match body {
        Value::Object(fields) => {
            let own = fields.get("url").and_then(Value::as_str).and_then(|url| url.split_once("/bot-files/"));
            if let Some(key) = own.and_then(|(_, id)| own_key(id)) {
                let url = format!("{}?own=1", fields["url"].as_str().unwrap_or_default());
                fields.insert("url".into(), url.into());
                fields.insert("aeskey".into(), STANDARD.encode(key).into());
                return;
            }
            fields.values_mut().for_each(with_own_keys);
        }
        Value::Array(items) => items.iter_mut().for_each(with_own_keys),
        _ => {}
    }
}
