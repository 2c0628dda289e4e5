//! The messages of the past, from a file or from this machine's own store.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;

use super::{UserError, snapshot};
use crate::{
    model::{Attachment, Channel, Message, MessageId, Timestamp},
    settings::Settings,
    store::{Case, CaseQuery, CaseState, Store},
};

/// Messages read from the store at once.
const PAGE: usize = 1000;

/// One line of history.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    group: String,
    #[serde(default)]
    sender: String,
    #[serde(default)]
    sender_name: Option<String>,
    at: Timestamp,
    #[serde(default)]
    text: String,
    #[serde(default)]
    attachments: Vec<Attachment>,
    /// A person's verdict on the bot's verdict, if there was one.
    #[serde(default)]
    false_alarm: Option<bool>,
}

/// A message and whether a person called the bot wrong about it.
pub(super) type Said = (Message, Option<bool>);

/// Reads JSON lines; `-` is stdin.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Said>> {
    let mut said = Vec::new();
    for (index, line) in BufReader::new(super::open(path)?).lines().enumerate() {
        let line = line.map_err(|e| UserError::refused("读不了", path, &e))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|e| {
            let name = if path.as_os_str() == "-" { "标准输入".into() } else { path.display().to_string() };
            UserError(format!("{name}:{}: 不是一条消息：{e}", index + 1))
        })?;
        said.push(line.said(index));
    }
    Ok(said)
}

/// Every case on record.
pub(super) async fn cases(settings: &Settings) -> anyhow::Result<Vec<Case>> {
    let store = snapshot::open(settings).await?;
    let mut cases: Vec<Case> = Vec::new();
    loop {
        let after = cases.last().map(|case| case.id.clone());
        let page = store.cases(&CaseQuery { after, limit: PAGE, ..CaseQuery::default() }).await?;
        if page.is_empty() {
            return Ok(cases);
        }
        cases.extend(page);
    }
}

/// What people made of a case: taken back means the bot was wrong, done by a person means it was right.
pub(super) fn found_wrong(case: &Case) -> Option<bool> {
    wrong_by(case.state == CaseState::Revoked, case.history.iter().map(|event| event.what.as_str()))
}

/// The same by what happened to it.
pub(super) fn wrong_by<'a>(revoked: bool, mut events: impl Iterator<Item = &'a str>) -> Option<bool> {
    if revoked {
        return Some(true);
    }
    events.any(|what| what == "owner_done").then_some(false)
}

/// The messages of this machine's own store; the bot may run.
pub(super) async fn stored(settings: &Settings, since: Timestamp) -> anyhow::Result<Vec<Said>> {
    let store = snapshot::open(settings).await?;
    let mut said: Vec<Said> = Vec::new();
    loop {
        let after = said.last().map(|(message, _)| message.id.clone());
        let page = store.messages(since, after.as_ref(), PAGE).await?;
        if page.is_empty() {
            return Ok(said);
        }
        for processed in page {
            let wrong = match &processed.case {
                Some(id) => store.case(id).await?.as_ref().and_then(found_wrong),
                None => None,
            };
            said.push((processed.message, wrong));
        }
    }
}

impl Line {
    fn said(self, index: usize) -> Said {
        let message = Message {
            id: self.id.map_or_else(|| MessageId::new(format!("line:{}", index + 1)), MessageId::from),
            channel: Channel::Http,
            group: self.group.into(),
            sender: self.sender.into(),
            sender_name: self.sender_name,
            at: self.at,
            text: self.text,
            attachments: self.attachments,
            revokes: None,
            to_bot: false,
        };
        (message, self.false_alarm)
    }
}
