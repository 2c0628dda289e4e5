//! `media/*`: temporary files, for three days.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Multipart, Path, Query, State as Extract},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Errcode, Needs, answer, fail, gate};
use crate::{
    Sim,
    limits::DAY,
    state::{Media, State},
};
use jiff::Timestamp;

const LIFE_DAYS: i64 = 3;
const MB: usize = 1 << 20;
/// The largest file, and what a form puts around it.
pub const LARGEST: usize = 21 * MB;
const PICTURE_BYTES: usize = 2 * MB;
/// How JPG and PNG begin.
const PICTURES: [&[u8]; 2] = [b"\xff\xd8\xff", b"\x89PNG"];

impl State {
    /// A file that is not yet three days old.
    pub fn live_media(&self, id: &str, now: Timestamp) -> Option<&Media> {
        self.media.get(id).filter(|m| now.as_millisecond() - m.at.as_millisecond() < LIFE_DAYS * DAY)
    }

    /// Keeps a file; the answer of the upload calls.
    pub fn store_media(&mut self, kind: &str, name: &str, bytes: Vec<u8>, now: Timestamp) -> Result<Value, Errcode> {
        let most = match kind {
            "image" | "video" => 10 * MB,
            "voice" => 2 * MB,
            "file" => 20 * MB,
            _ => return fail(40004, "invalid media type"),
        };
        if bytes.len() <= 5 {
            return fail(40006, "file must have more than 5 bytes");
        }
        if bytes.len() > most {
            return fail(45001, "media file is too large");
        }
        let id = self.id("media", 40);
        let media = Media { name: name.to_owned(), bytes: Arc::new(bytes), at: now };
        self.media.insert(id.clone(), media);
        Ok(json!({"type": kind, "media_id": id, "created_at": now.as_second().to_string()}))
    }
}

/// Reads the file, whatever its part is called: its name and content.
async fn part(mut form: Multipart) -> Option<(String, Vec<u8>)> {
    while let Ok(Some(field)) = form.next_field().await {
        if field.name() == Some("media") || field.file_name().is_some() {
            let name = field.file_name().unwrap_or("file").to_owned();
            return Some((name, field.bytes().await.ok()?.to_vec()));
        }
    }
    None
}

async fn keep(sim: &Arc<Sim>, path: &str, needs: Needs, query: &HashMap<String, String>, form: Multipart) -> Response {
    let part = part(form).await;
    sim.with(|state, now| {
        let result = gate(state, path, needs, query, now).and_then(|_| {
            if needs == Needs::Nothing && !query.get("key").is_some_and(|k| state.webhooks.contains_key(k)) {
                return fail(93000, "invalid webhook url");
            }
            let Some((name, bytes)) = part else { return fail(44001, "empty media data") };
            state.store_media(query.get("type").map_or("", String::as_str), &name, bytes, now)
        });
        state.remember_call(now, path, Value::Null, result.as_ref().map_or_else(|e| e.0, |_| 0));
        answer(result, state.serial())
    })
}

/// `POST media/upload?type=`
pub async fn upload(
    Extract(sim): Extract<Arc<Sim>>,
    Query(query): Query<HashMap<String, String>>,
    form: Multipart,
) -> Response {
    keep(&sim, "media/upload", Needs::Any, &query, form).await
}

/// `POST media/uploadimg`: a picture with an address of its own, for ever.
pub async fn upload_picture(
    Extract(sim): Extract<Arc<Sim>>,
    Query(query): Query<HashMap<String, String>>,
    form: Multipart,
) -> Response {
    let part = part(form).await;
    sim.with(|state, now| {
        let path = "media/uploadimg";
        let result = gate(state, path, Needs::Any, &query, now).and_then(|_| {
            let Some((name, bytes)) = part else { return fail(44001, "empty media data") };
            if !PICTURES.iter().any(|first| bytes.starts_with(first)) {
                return fail(40009, "image must be JPG or PNG");
            }
            if bytes.len() > PICTURE_BYTES {
                return fail(45001, "image is too large");
            }
            let id = state.id("picture", 40);
            state.media.insert(id.clone(), Media { name, bytes: Arc::new(bytes), at: now });
            Ok(json!({"url": format!("{}/cgi-bin/media/picture/{id}", state.credentials.api_base)}))
        });
        state.remember_call(now, path, Value::Null, result.as_ref().map_or_else(|e| e.0, |_| 0));
        answer(result, state.serial())
    })
}

/// The address that `media/uploadimg` gave.
pub async fn picture(Extract(sim): Extract<Arc<Sim>>, Path(id): Path<String>) -> Response {
    let found = sim.read(|state, _| state.media.get(&id).filter(|_| id.starts_with("picture")).cloned());
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |media| media.bytes.to_vec().into_response())
}

/// `POST webhook/upload_media?key=&type=`
pub async fn upload_webhook(
    Extract(sim): Extract<Arc<Sim>>,
    Query(query): Query<HashMap<String, String>>,
    form: Multipart,
) -> Response {
    keep(&sim, "webhook/upload_media", Needs::Nothing, &query, form).await
}

/// `GET media/get?media_id=`
pub async fn download(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Response {
    sim.with(|state, now| {
        if let Err(error) = gate(state, "media/get", Needs::Any, &query, now) {
            return answer(Err(error), state.serial());
        }
        match state.live_media(query.get("media_id").map_or("", String::as_str), now) {
            Some(media) => {
                let file = format!("attachment; filename=\"{}\"", media.name.replace(['"', '\\', '\r', '\n'], "_"));
                ([(header::CONTENT_DISPOSITION, file)], media.bytes.to_vec()).into_response()
            }
            None => answer(fail(40007, "invalid media_id"), state.serial()),
        }
    })
}
