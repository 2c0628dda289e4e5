//! WeCom's server API, `/cgi-bin/*`: what a bot calls. An unknown path is a 404; nothing here mutes anyone or deletes a
//! message, because nothing in WeCom does.
#![expect(clippy::unnecessary_wraps, reason = "every call has the same shape, also those that cannot fail")]

mod aibot;
mod appchat;
mod contacts;
mod customer_groups;
mod intercept;
mod media;
mod message;
mod msgaudit;
mod outreach;
mod template_card;
mod token;
mod webhook;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Query, Request, State as Extract},
    http::{HeaderValue, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use serde_json::{Value, json};

use super::{
    Sim,
    config::{APP_AGENT, ARCHIVE_AGENT, URGENT_AGENT},
    faults::FaultKind,
    limits::{HOUR, MINUTE},
    sign_in,
    state::State,
};
use jiff::Timestamp;

/// One company, one call: so often a minute and an hour.
const BASE_PER_MINUTE: u64 = 10_000;
const BASE_PER_HOUR: u64 = 150_000;
/// After the list of trusted addresses was mended, it takes about so long to work.
const IP_FIX_MS: i64 = MINUTE;

/// `errcode` and `errmsg` of a refused call.
#[derive(Debug)]
pub struct Errcode(pub i64, pub String);

/// Refuses with a code.
pub fn fail<T>(code: i64, message: impl Into<String>) -> Result<T, Errcode> {
    Err(Errcode(code, message.into()))
}

/// Whether the bot may send this card.
pub fn card_ok(card: &Value, lengths: bool) -> bool {
    template_card::check(card, template_card::From::Bot, lengths).is_ok()
}

/// Whether a card of the app is within the lengths that WeCom advises.
pub fn card_fits(card: &Value) -> bool {
    template_card::check(card, template_card::From::App, true).is_ok()
}

/// One API call under way.
pub struct Call<'a> {
    /// The platform.
    pub state: &'a mut State,
    /// The simulated present.
    pub now: Timestamp,
    /// Query string.
    pub query: &'a HashMap<String, String>,
    /// JSON body; null if there was none.
    pub body: Value,
    /// Whose token it came with; 0 for calls without.
    pub agent: i64,
}

impl Call<'_> {
    /// A string of the body; empty if absent.
    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
    /// A list of strings of the body; absent is empty, anything else but a list is 40035.
    pub fn texts(&self, field: &str) -> Result<Vec<String>, Errcode> {
        match &self.body[field] {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect()),
            _ => fail(40035, format!("invalid parameter: {field} must be an array")),
        }
    }
    /// The moment whose member list a call shows, by the fault switch.
    pub fn shown_as_of(&self, path: &str) -> Timestamp {
        let seconds = self
            .state
            .faults
            .look(path, |k| if let FaultKind::StaleDetails { seconds } = k { Some(*seconds) } else { None });
        self.now - jiff::SignedDuration::from_secs(seconds.unwrap_or(0))
    }
    /// A query parameter; empty if absent.
    pub fn param(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// Whose token a call wants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Any,
    App,
    Archive,
    Urgent,
}

type Handler = fn(&mut Call<'_>) -> Result<Value, Errcode>;

/// Every call there is: path after `/cgi-bin/`, whether it is a POST, whose token, who answers.
const ENDPOINTS: &[(&str, bool, Needs, Handler)] = &[
    ("gettoken", false, Needs::Nothing, token::get),
    ("auth/getuserinfo", false, Needs::App, sign_in::user_info),
    ("user/getuserinfo", false, Needs::App, sign_in::user_info_before),
    ("getcallbackip", false, Needs::Any, token::callback_ips),
    ("get_api_domain_ip", false, Needs::Any, token::callback_ips),
    ("message/send", true, Needs::App, message::send),
    ("message/recall", true, Needs::App, message::recall),
    ("message/get_statistics", true, Needs::App, message::statistics),
    ("message/update_template_card", true, Needs::App, message::update_card),
    ("appchat/create", true, Needs::App, appchat::create),
    ("appchat/update", true, Needs::App, appchat::update),
    ("appchat/get", false, Needs::App, appchat::get),
    ("appchat/send", true, Needs::App, appchat::send),
    ("webhook/send", true, Needs::Nothing, webhook::send),
    ("externalcontact/get", false, Needs::App, customer_groups::customer),
    ("externalcontact/groupchat/list", true, Needs::App, customer_groups::list),
    ("externalcontact/groupchat/get", true, Needs::App, customer_groups::get),
    ("externalcontact/add_intercept_rule", true, Needs::App, intercept::add),
    ("externalcontact/get_intercept_rule_list", false, Needs::App, intercept::list),
    ("externalcontact/get_intercept_rule", true, Needs::App, intercept::get),
    ("externalcontact/update_intercept_rule", true, Needs::App, intercept::update),
    ("externalcontact/del_intercept_rule", true, Needs::App, intercept::delete),
    ("externalcontact/group_welcome_template/add", true, Needs::App, outreach::add),
    ("externalcontact/group_welcome_template/edit", true, Needs::App, outreach::edit),
    ("externalcontact/group_welcome_template/get", true, Needs::App, outreach::get),
    ("externalcontact/group_welcome_template/del", true, Needs::App, outreach::delete),
    ("pstncc/call", true, Needs::Urgent, outreach::call),
    ("msgaudit/groupchat/get", true, Needs::Archive, msgaudit::group),
    ("msgaudit/get_permit_user_list", true, Needs::Archive, msgaudit::permitted),
    ("msgaudit/check_room_agree", true, Needs::Archive, msgaudit::room_agree),
    ("msgaudit/check_single_agree", true, Needs::Archive, msgaudit::single_agree),
    ("msgaudit/get_robot_info", false, Needs::Archive, msgaudit::robot),
    ("user/get", false, Needs::App, contacts::user),
    ("user/list", false, Needs::App, contacts::users),
    ("user/simplelist", false, Needs::App, contacts::simple_list),
    ("user/list_id", true, Needs::App, contacts::list_id),
    ("batch/openuserid_to_userid", true, Needs::App, contacts::behind_open_userids),
    ("department/list", false, Needs::App, contacts::departments),
    ("department/get", false, Needs::App, contacts::department),
    ("department/simplelist", false, Needs::App, contacts::department_ids),
    ("agent/get", false, Needs::App, contacts::agent),
    ("aibot/response", true, Needs::Nothing, aibot::response),
];

/// The routes.
pub fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/cgi-bin/media/upload", post(media::upload))
        .route("/cgi-bin/media/uploadimg", post(media::upload_picture))
        .route("/cgi-bin/media/picture/{id}", axum::routing::get(media::picture))
        .route("/cgi-bin/webhook/upload_media", post(media::upload_webhook))
        .layer(DefaultBodyLimit::max(media::LARGEST))
        .route("/cgi-bin/media/get", axum::routing::get(media::download))
        .route("/cgi-bin/{*path}", any(serve))
}

/// What happens around a call, by the fault switches.
#[derive(Default)]
struct Trouble {
    late: Duration,
    lost_after_ms: Option<u64>,
}

impl Trouble {
    /// Picks the switches that let the call work and spoil its answer.
    fn pick(state: &mut State, path: &str) -> Self {
        Self {
            late: state.faults.late(path),
            lost_after_ms: state
                .faults
                .take(path, |k| if let FaultKind::LostAnswer { ms } = k { Some(*ms) } else { None }),
        }
    }

    /// Holds the answer back or tears it off.
    async fn spoil(self, answer: Response) -> Response {
        tokio::time::sleep(self.late).await;
        let Some(ms) = self.lost_after_ms else { return answer };
        tokio::time::sleep(Duration::from_millis(ms)).await;
        let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("answer lost")) });
        Response::new(Body::from_stream(broken))
    }
}

async fn serve(
    Extract(sim): Extract<Arc<Sim>>,
    method: Method,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let path = request.uri().path().trim_start_matches("/cgi-bin/").to_owned();
    let Ok(bytes) = axum::body::to_bytes(request.into_body(), 4 << 20).await else {
        return answer(Err(Errcode(40206, "body too large".into())), 0);
    };
    let Some((_, is_post, needs, handler)) = ENDPOINTS.iter().find(|(known, ..)| *known == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (result, trouble) = sim.with(|state, now| {
        if let Some(status) =
            state.faults.take(&path, |k| if let FaultKind::Http { status } = k { Some(*status) } else { None })
        {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status.into_response(), Trouble::default());
        }
        let parsed = if bytes.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&bytes).ok() };
        let wrong_json = parsed.is_none() || state.faults.take(&path, is_wrong_json).is_some();
        let body = if wrong_json { json!({}) } else { parsed.unwrap_or_default() };
        let kept = body.clone();
        let result = gate(state, &path, *needs, &query, now).and_then(|agent| {
            if *is_post != (method == Method::POST) {
                return fail(40058, format!("invalid request: use {}", if *is_post { "POST" } else { "GET" }));
            }
            handler(&mut Call { state, now, query: &query, body, agent })
        });
        let result = match result {
            Err(Errcode(code, text)) if wrong_json => Err(Errcode(code, format!("Warning: wrong json format. {text}"))),
            Ok(done) if wrong_json => {
                let mut body = if done.is_object() { done } else { json!({}) };
                body["errmsg"] = "Warning: wrong json format. ok".into();
                Ok(body)
            }
            other => other,
        };
        state.remember_call(now, &path, kept, result.as_ref().map_or_else(|e| e.0, |_| 0));
        (answer(result, state.serial()), Trouble::pick(state, &path))
    });
    trouble.spoil(result).await
}

fn is_wrong_json(kind: &FaultKind) -> Option<()> {
    (*kind == FaultKind::WrongJson).then_some(())
}

/// What every call passes before its own checks: fault switches, token, address, right, frequency. Returns the agent.
fn gate(
    state: &mut State,
    path: &str,
    needs: Needs,
    query: &HashMap<String, String>,
    now: Timestamp,
) -> Result<i64, Errcode> {
    if let Some(code) = state.faults.take(path, |k| if let FaultKind::Error { code } = k { Some(*code) } else { None })
    {
        return fail(code, if code == -1 { "system busy" } else { "simulated fault" });
    }
    let agent = if needs == Needs::Nothing { 0 } else { token::check(state, query, now)? };
    if needs != Needs::Nothing {
        trusted(state, now)?;
        let right = match needs {
            Needs::App => agent == APP_AGENT,
            Needs::Archive => agent == ARCHIVE_AGENT,
            Needs::Urgent => agent == URGENT_AGENT,
            _ => true,
        };
        if !right {
            return fail(48002, "api forbidden: this secret has no right to this call");
        }
        state.rights.allow(path)?;
        if !state.limits.allow(&format!("cgi/{path}"), BASE_PER_MINUTE, MINUTE, 1, now)
            || !state.limits.allow(&format!("cgi-hour/{path}"), BASE_PER_HOUR, HOUR, 1, now)
        {
            return fail(45009, "api freq out of limit");
        }
    }
    Ok(agent)
}

/// Whether the caller's address is in the list of trusted ones, by the fault switch.
fn trusted(state: &mut State, now: Timestamp) -> Result<(), Errcode> {
    if state.faults.has(&FaultKind::IpRefused) {
        state.ip_refused_until = Timestamp::from_millisecond(now.as_millisecond() + IP_FIX_MS).ok();
    }
    if state.ip_refused_until.is_some_and(|until| now < until) {
        return fail(60020, "not allow to access from your ip");
    }
    Ok(())
}

/// The HTTP answer: always 200, the code in the body and in two headers; `errmsg` carries a changing hint.
fn answer(result: Result<Value, Errcode>, serial: u64) -> Response {
    let (code, message, mut body) = match result {
        Ok(body) => (0, "ok".to_owned(), if body.is_object() { body } else { json!({}) }),
        Err(Errcode(code, text)) => {
            let hint = super::ids::hex32(&serial.to_string());
            let more = format!(
                "hint: [{serial}_{hint}], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
            );
            (code, format!("{text}, {more}"), json!({}))
        }
    };
    body["errcode"] = code.into();
    if body["errmsg"].is_null() {
        body["errmsg"] = message.clone().into();
    }
    let mut response = axum::Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert("Error-Code", HeaderValue::from(code));
    if let Ok(text) = HeaderValue::from_str(&message) {
        headers.insert("Error-Msg", text);
    }
    response
}
