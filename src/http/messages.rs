//! `POST /api/v1/messages` and `POST /api/v1/check`: a company's own pipeline hands messages in, or only asks.

use std::collections::{BTreeMap, HashMap};

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{Api, auth::Caller, body, problem::Problem};
use crate::{
    access::Action,
    chat_commands,
    detect::Verdict,
    model::{Attachment, CaseId, Channel, GroupId, Message, MessageId, Mode, SignedDuration, Step, Timestamp},
    refusal::{Code, Refusal},
};

/// Most messages in one batch.
const MAX_BATCH: usize = 5000;
/// A message from further in the future has a wrong clock behind it; the decision itself counts none beyond the policy's
/// `clock_tolerance`.
const FUTURE: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Longest text taken in, in bytes; WeCom's own limit is far below.
const MAX_TEXT: usize = 64 * 1024;

/// A batch.
#[derive(Debug, Deserialize)]
pub struct Batch {
    messages: Vec<Incoming>,
}

/// One message as a caller writes it.
#[derive(Debug, Deserialize)]
struct Incoming {
    id: String,
    group: String,
    sender: String,
    #[serde(default)]
    sender_name: Option<String>,
    at: Timestamp,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    revokes: Option<String>,
}

/// The durable answer to one message.
#[derive(Debug, Serialize)]
struct Outgoing {
    id: String,
    duplicate: bool,
    verdict: Verdict,
    step: Step,
    points: u32,
    live_points: u32,
    case: Option<CaseId>,
    /// Nothing was done or will be: the group is only watched, or the installation rehearses.
    simulated: bool,
}

/// The answer to a batch, in its order.
#[derive(Debug, Serialize)]
pub struct Results {
    results: Vec<Outgoing>,
}

/// Takes a batch in. Messages of one person keep their order; different people are handled side by side, so that they
/// share the disk's flushes. Answered after every commit is durable.
pub async fn take_in(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Json<Results>, Problem> {
    let batch: Batch = body::read(&body)?;
    for incoming in &batch.messages {
        caller.may(Action::WriteMessages, &api.groups.get(&GroupId::from(incoming.group.as_str())))?;
    }
    if batch.messages.len() > MAX_BATCH {
        return Err(Problem::invalid("messages", format!("一批最多 {MAX_BATCH} 条消息")));
    }
    let latest = api.clock.now() + FUTURE;
    let mut lanes: BTreeMap<(String, String), Vec<(usize, Message)>> = BTreeMap::new();
    let rehearses = api.capabilities.load().dry_run;
    let watched = |group: &str| {
        let group = api.groups.get(&api.groups.resolve(&GroupId::from(group)));
        rehearses || group.set.mode == Mode::Watch
    };
    let simulated: Vec<bool> = batch.messages.iter().map(|incoming| watched(&incoming.group)).collect();
    let mut ids = Vec::with_capacity(batch.messages.len());
    let mut senders: HashMap<String, (String, String)> = HashMap::with_capacity(batch.messages.len());
    for (position, incoming) in batch.messages.into_iter().enumerate() {
        ids.push(incoming.id.clone());
        let lane = (incoming.group.clone(), incoming.sender.clone());
        if *senders.entry(incoming.id.clone()).or_insert_with(|| lane.clone()) != lane {
            return Err(Problem::invalid(&format!("messages[{position}].id"), "同一批里另一个人的消息也用了这个 id"));
        }
        lanes.entry(lane).or_default().push((position, message(incoming, position, latest)?));
    }
    let mut working = tokio::task::JoinSet::new();
    for lane in lanes.into_values() {
        let moderation = api.moderation.clone();
        working.spawn(async move {
            let mut done = Vec::with_capacity(lane.len());
            for (position, message) in lane {
                done.push((position, chat_commands::judge(&moderation, message, None).await?));
            }
            Ok::<_, crate::store::StoreError>(done)
        });
    }
    let mut differing: Option<usize> = None;
    let mut results: Vec<Option<Outgoing>> = ids.iter().map(|_| None).collect();
    while let Some(lane) = working.join_next().await {
        let lane = lane.map_err(|_| {
            Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "internal", "处理消息时出错，请重试")
        })??;
        for (position, outcome) in lane {
            let answer = outcome.answer;
            if outcome.differs {
                differing = Some(differing.map_or(position, |first| first.min(position)));
            }
            results[position] = Some(Outgoing {
                id: ids[position].clone(),
                duplicate: outcome.duplicate,
                verdict: answer.verdict,
                step: answer.step,
                points: answer.points,
                live_points: answer.live_points,
                case: answer.case,
                simulated: simulated[position],
            });
        }
    }
    if let Some(position) = differing {
        return Err(taken(position));
    }
    Ok(Json(Results { results: results.into_iter().flatten().collect() }))
}

/// An id came before with other words: the first answer would be about those, and silence about these.
fn taken(position: usize) -> Problem {
    let text =
        "这个 id 已用于另一条内容不同的消息，这次的内容没有判断；请换一个 id。同一批的其他消息已经处理，可以照样重发";
    Problem { field: Some(format!("messages[{position}].id")), ..Refusal::new(Code::KeyTaken, text).into() }
}

fn message(incoming: Incoming, position: usize, latest: Timestamp) -> Result<Message, Problem> {
    let wrong = |field: &str, what: &str| Problem::invalid(&format!("messages[{position}].{field}"), what);
    if incoming.id.is_empty() || incoming.id.len() > 256 {
        return Err(wrong("id", "不能为空，也不能超过 256 字节"));
    }
    if incoming.group.is_empty() || incoming.group.len() > 256 {
        return Err(wrong("group", "不能为空，也不能超过 256 字节"));
    }
    if incoming.sender.is_empty() || incoming.sender.len() > 256 {
        return Err(wrong("sender", "不能为空，也不能超过 256 字节"));
    }
    if incoming.at > latest {
        return Err(wrong("at", "在很久以后，请检查时钟和单位"));
    }
    if incoming.text.is_none() && incoming.attachments.is_empty() && incoming.revokes.is_none() {
        let field = format!("messages[{position}].text");
        return Err(Problem {
            field: Some(field.clone()), ..Problem::coded("missing_field", format!("缺少 {field}"))
        });
    }
    let text = incoming.text.unwrap_or_default();
    if text.len() > MAX_TEXT {
        return Err(wrong("text", "太长"));
    }
    // One style of times, whatever a caller's clock shows.
    let at = Timestamp::from_millisecond(incoming.at.as_millisecond()).unwrap_or(incoming.at);
    let mut message = Message::text(Channel::Http, &incoming.id, &incoming.group, &incoming.sender, at, &text);
    message.sender_name = incoming.sender_name;
    message.attachments = incoming.attachments;
    message.revokes = incoming.revokes.map(|id| MessageId::new(format!("{}:{id}", Channel::Http)));
    Ok(message)
}

/// A text to look at.
#[derive(Debug, Deserialize)]
pub struct Question {
    text: String,
    /// As if it were said there: sentences that pass in this group pass.
    #[serde(default)]
    group: Option<GroupId>,
    #[serde(default)]
    explain: bool,
}

/// What the bot would say of a text; changes nothing, remembers nothing.
pub async fn check(State(api): State<Api>, body: axum::body::Bytes) -> Result<Json<serde_json::Value>, Problem> {
    let question: Question = body::read(&body)?;
    if question.text.len() > MAX_TEXT {
        return Err(Problem::invalid("text", "太长"));
    }
    let group = question.group.map(|group| api.groups.resolve(&group));
    Ok(Json(api.moderation.check(&question.text, group.as_ref(), question.explain)))
}
