//! The control API for scripts, `/sim/api/*` (`docs/simulator.md`), and the archive's address for the native library.
//!
//! Bodies must be JSON by their content type, so a foreign web page in the same browser cannot send them.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State as Extract, rejection::JsonRejection},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    Sim,
    act::{Act, Refused},
    callbacks, clock,
    faults::Fault,
    follow::{self, Reading},
    view,
};
use jiff::Timestamp;
use qunguan_wecom::clock::Clock;

/// Pauses between two server-sent events, so that a busy world does not flood a page.
const EVENT_PAUSE: Duration = Duration::from_millis(150);
/// Longest wait of `wait`.
const WAIT_MS: u64 = 60_000;

/// The routes.
pub fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/sim/api/state", get(state))
        .route("/sim/api/screen", get(screen))
        .route("/sim/api/act", post(act))
        .route("/sim/api/groups/{id}", get(group))
        .route("/sim/api/people/{id}/inbox", get(inbox))
        .route("/sim/api/clock", get(read_clock).post(move_clock))
        .route("/sim/api/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/sim/api/callbacks", get(deliveries).post(set_callbacks))
        .route("/sim/api/calls", get(calls))
        .route("/sim/api/archive", get(archive_plain))
        .route("/sim/api/archive/key", post(archive_key))
        .route("/sim/api/tokens/kill", post(kill_tokens))
        .route("/sim/api/bot/{what}", post(bot_trouble))
        .route("/sim/api/reset", post(reset))
        .route("/sim/api/unknowns", get(unknowns).post(set_unknowns))
        .route("/sim/api/wait", get(wait))
        .route("/sim/events", get(events))
        .route("/sim/archive", get(archive))
        .route("/sim/archive/media", get(archive_media))
}

/// An error as `application/problem+json`.
fn problem(status: StatusCode, code: &str, detail: impl Into<String>) -> Response {
    let body = json!({"type": "about:blank", "status": status.as_u16(), "code": code, "detail": detail.into()});
    (status, [("content-type", "application/problem+json")], body.to_string()).into_response()
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        problem(StatusCode::CONFLICT, "refused", self.0)
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;

#[expect(clippy::result_large_err, reason = "the error is the answer itself")]
fn body<T>(body: Body<T>) -> Result<T, Response> {
    body.map(|Json(body)| body).map_err(|e| problem(StatusCode::BAD_REQUEST, "invalid_body", e.body_text()))
}

fn number(query: &HashMap<String, String>, name: &str, default: u64) -> u64 {
    query.get(name).and_then(|n| n.parse().ok()).unwrap_or(default)
}

async fn state(Extract(sim): Extract<Arc<Sim>>) -> Json<Value> {
    let revision = *sim.revision.borrow();
    Json(sim.read(|state, now| {
        let mut world = view::world(state, now);
        world["credentials"] = json!(state.credentials);
        world["revision"] = revision.into();
        world
    }))
}

/// What the chat page shows: `?as=PERSON&chat=GROUP`.
async fn screen(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let text = |name: &str| query.get(name).map_or("", String::as_str);
    let tour = sim.tour.lock().clone();
    Json(sim.read(|state, now| {
        let mut screen = view::screen(state, text("as"), text("chat"), now);
        screen["tour"] = tour.map_or(Value::Null, |tour| tour.shown(state));
        screen
    }))
}

async fn act(Extract(sim): Extract<Arc<Sim>>, json: Body<Act>) -> Result<Json<Value>, Response> {
    let act = body(json)?;
    sim.with(|state, now| state.act(act, now)).map(Json).map_err(IntoResponse::into_response)
}

async fn group(
    Extract(sim): Extract<Arc<Sim>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Response> {
    let who = query.get("as").map(String::as_str);
    sim.read(|state, now| view::group(state, &id, who, number(&query, "after", 0), view::LINES, now))
        .map(Json)
        .ok_or_else(|| problem(StatusCode::NOT_FOUND, "no_group", id))
}

async fn inbox(Extract(sim): Extract<Arc<Sim>>, Path(id): Path<String>) -> Json<Value> {
    Json(sim.read(|state, _| json!({"items": view::inbox(state, &id)})))
}

#[derive(Deserialize)]
struct Follower {
    follow: Option<String>,
    #[serde(default)]
    seen: u64,
}

/// The time; with `follow=NAME&seen=MOVES` as soon as the clock was moved since.
async fn read_clock(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<Follower>) -> Json<Reading> {
    if let Some(name) = &query.follow {
        let moved = sim.clock.moved(); // heard from here on, so that no move falls between looking and waiting
        let listening = sim.followers.came(name, query.seen);
        let mut stopping = sim.stopping.subscribe();
        if sim.clock.moves() == query.seen {
            tokio::select! {
                () = moved => {}
                () = tokio::time::sleep(follow::LONGEST_WAIT) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        }
        listening.answered();
    }
    Json(Reading::of(&sim.clock))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: Option<String>,
    to: Option<Timestamp>,
}

async fn move_clock(Extract(sim): Extract<Arc<Sim>>, json: Body<Move>) -> Result<Json<Reading>, Response> {
    let wrong = |why: String| problem(StatusCode::BAD_REQUEST, "invalid_time", why);
    let by = match body(json)? {
        Move { advance: Some(text), to: None } => clock::parse(&text).map_err(wrong)?,
        Move { advance: None, to: Some(to) } => to.duration_since(sim.clock.now()),
        _ => return Err(wrong("give either \"advance\" or \"to\"".into())),
    };
    sim.clock.advance(by);
    sim.with(|_, _| ());
    sim.followers.know(sim.clock.moves()).await;
    Ok(Json(Reading::of(&sim.clock)))
}

async fn faults(Extract(sim): Extract<Arc<Sim>>) -> Json<Value> {
    Json(sim.read(|state, _| json!({"faults": state.faults.on})))
}

async fn add_fault(Extract(sim): Extract<Arc<Sim>>, json: Body<Fault>) -> Result<Json<Value>, Response> {
    let fault = body(json)?;
    sim.with(|state, _| state.faults.on.push(fault));
    Ok(faults(Extract(sim)).await)
}

/// Turns the switches of one `name` off, or all.
async fn clear_faults(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    sim.with(|state, _| {
        state.faults.on.retain(|f| query.get("name").is_some_and(|name| json!(f.kind)["name"] != name.as_str()));
    });
    faults(Extract(sim)).await
}

async fn deliveries(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let after = number(&query, "after", 0);
    Json(sim.read(|state, _| {
        let rows: Vec<_> = state.hooks.deliveries.iter().filter(|d| d.id > after).collect();
        json!({"app": state.hooks.app, "bot": state.hooks.bot, "deliveries": rows})
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addresses {
    app: Option<String>,
    bot: Option<String>,
}

async fn set_callbacks(Extract(sim): Extract<Arc<Sim>>, json: Body<Addresses>) -> Result<Json<Value>, Response> {
    let Addresses { app, bot } = body(json)?;
    callbacks::configure(&sim, app, bot)
        .await
        .map_err(|e| problem(StatusCode::UNPROCESSABLE_ENTITY, "verification_failed", e.0))?;
    Ok(Json(sim.read(|state, _| json!({"app": state.hooks.app, "bot": state.hooks.bot}))))
}

async fn calls(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let prefix = query.get("path").map_or("", String::as_str);
    Json(sim.read(|state, _| {
        let rows: Vec<_> = state.calls.iter().filter(|c| c.path.starts_with(prefix)).collect();
        json!({ "calls": rows })
    }))
}

async fn archive_plain(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let (seq, limit) = (number(&query, "seq", 0), number(&query, "limit", 100) as usize);
    Json(sim.read(|state, _| json!({"messages": state.archive.after(seq, limit)})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: u32,
    public_key: String,
}

async fn archive_key(Extract(sim): Extract<Arc<Sim>>, json: Body<Key>) -> Result<Json<Value>, Response> {
    let Key { version, public_key } = body(json)?;
    sim.with(|state, _| state.archive.set_key(version, &public_key))
        .map(|()| Json(json!({ "version": version })))
        .map_err(|why| problem(StatusCode::BAD_REQUEST, "invalid_key", why))
}

/// What `GetChatData` returns; the native library of the tests asks here.
async fn archive(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    if let Some(code) = sim.with(|state, _| state.archive_fault()) {
        return Json(json!({"errcode": code, "errmsg": "simulated fault", "chatdata": []}));
    }
    let (seq, limit) = (number(&query, "seq", 0), number(&query, "limit", 100) as usize);
    Json(sim.with(|state, now| state.get_chat_data(seq, limit, now)))
}

/// A file of the archive by its `sdkfileid` (here: the `media_id` of an upload), whole.
async fn archive_media(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let id = query.get("sdkfileid").map_or("", String::as_str);
    let (file, late) = sim.with(|state, now| {
        let file = state.archive_file(id);
        state.remember_call(
            now,
            "archive/media",
            json!({ "sdkfileid": id }),
            file.as_ref().err().copied().unwrap_or(0),
        );
        (file, state.faults.late("archive/media"))
    });
    tokio::time::sleep(late).await;
    match file {
        Ok(bytes) => bytes.to_vec().into_response(),
        Err(10005) => problem(StatusCode::NOT_FOUND, "no_file", id),
        Err(code) => [("x-return-code", code.to_string())].into_response(),
    }
}

async fn kill_tokens(Extract(sim): Extract<Arc<Sim>>) -> Json<Value> {
    sim.with(|state, _| state.kill_tokens());
    Json(json!({}))
}

/// `disconnect` closes the bot's socket; `forget` leaves it open but unsubscribed (846609 from then on).
async fn bot_trouble(Extract(sim): Extract<Arc<Sim>>, Path(what): Path<String>) -> Result<Json<Value>, Response> {
    let known = sim.with(|state, _| match what.as_str() {
        "disconnect" => state.drop_bot(true),
        "forget" => state.drop_bot(false),
        _ => false,
    });
    if known { Ok(Json(json!({}))) } else { Err(problem(StatusCode::NOT_FOUND, "no_connection", what)) }
}

async fn unknowns(Extract(sim): Extract<Arc<Sim>>) -> Json<Value> {
    Json(sim.read(|state, _| json!(state.unknowns)))
}

async fn set_unknowns(Extract(sim): Extract<Arc<Sim>>, json: Body<Value>) -> Result<Json<Value>, Response> {
    let patch = body(json)?;
    sim.with(|state, _| state.unknowns.change(&patch).map(|()| Json(json!(state.unknowns))))
        .map_err(|why| problem(StatusCode::BAD_REQUEST, "invalid_body", why))
}

async fn reset(Extract(sim): Extract<Arc<Sim>>) -> Json<Value> {
    let asks = sim.starts_over.lock().clone();
    if let Some(asks) = asks {
        let (answer, answered) = oneshot::channel();
        if asks.send(answer).await.is_ok() && answered.await.is_ok() {
            return Json(json!({}));
        }
    }
    sim.reset();
    Json(json!({}))
}

/// Answers when something changed after `since`, or after `timeout_ms` of real time.
async fn wait(Extract(sim): Extract<Arc<Sim>>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let since = number(&query, "since", 0);
    let limit = Duration::from_millis(number(&query, "timeout_ms", 10_000).min(WAIT_MS));
    let mut changes = sim.revision.subscribe();
    let _ = tokio::time::timeout(limit, changes.wait_for(|revision| *revision > since)).await;
    Json(json!({"revision": *sim.revision.borrow()}))
}

/// Says `changed` with the revision whenever something changed.
async fn events(Extract(sim): Extract<Arc<Sim>>) -> impl IntoResponse {
    let changes = sim.revision.subscribe();
    let stopping = sim.stopping.subscribe();
    let stream =
        futures_util::stream::unfold((changes, stopping, false), |(mut changes, mut stopping, paced)| async move {
            if paced {
                tokio::time::sleep(EVENT_PAUSE).await;
            }
            tokio::select! {
                changed = changes.changed() => changed.ok()?,
                _ = stopping.changed() => return None,
            }
            let revision = *changes.borrow_and_update();
            let event = Event::default().event("changed").data(revision.to_string());
            Some((Ok::<_, Infallible>(event), (changes, stopping, true)))
        });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
