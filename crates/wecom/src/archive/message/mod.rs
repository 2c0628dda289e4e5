//! Every `msgtype` of the archive as a [`Message`]: the sender's own words apart from what they quote or forward, and from
//! what WeCom itself writes into the group in somebody's name.
//!
//! Fields that WeCom leaves out are simply missing; kinds this version does not know keep their name.

pub mod quote;

use serde_json::{Value, json};

use crate::mend;
use jiff::Timestamp;
use qunguan_model::{Attachment, Channel, Message, MessageId};

/// Deepest nesting of forwarded records that is opened.
const DEPTH: usize = 5;
/// Bytes kept of a body that nobody can read yet.
const RAW: usize = 4096;

/// A time below this counts seconds: as milliseconds it would lie before 1974.
const SECONDS: i64 = 100_000_000_000;

/// What WeCom exports in place of anything that it cannot export; it says so in whoever's name it happened.
const PLACEHOLDER: &str = "【未知消息类型】";
/// The kind under which [`PLACEHOLDER`] is kept.
const UNKNOWN: &str = "unknown_kind";
/// The kind under which a vote that was cast is kept; its words are those of whoever asked.
const VOTE_CAST: &str = "vote_cast";
/// `votetype` of a vote that was cast.
const CAST: i64 = 102;
/// The kinds under which the whole of a 接龙 is kept beside what its sender said.
pub const SOLITAIRE: &str = "solitaire";
/// One that was joined.
pub const SOLITAIRE_JOINED: &str = "solitaire_joined";
/// One written as plain text (`#接龙`), as WeChat does; nothing tells whether it was made or joined.
pub const SOLITAIRE_TYPED: &str = "solitaire_typed";
/// How such a text begins.
const TYPED: [&str; 4] = ["#接龙", "＃接龙", "#接龍", "#Group Note"];
/// Bytes kept of a 接龙: of hundreds of people. Of a longer one nothing is, and who joins says the last entry.
const LONGEST_SOLITAIRE: usize = 64 * 1024;
/// `solitaire_type` of one that was joined.
const JOINED: i64 = 102;
/// Kinds that appear in somebody's name although they said nothing: forms and notices that WeCom writes.
const NOBODYS: &[&str] = &[VOTE_CAST, UNKNOWN, "calendar", "todo", "meeting", "meeting_notification"];

/// The kind of a message that consists of nobody's words; `None` if there is anything that its sender said or showed.
pub fn nobodys(message: &Message) -> Option<&str> {
    let kind = |part: &Attachment| match part {
        Attachment::Other { kind, .. } => NOBODYS.iter().find(|nobodys| *nobodys == kind).copied(),
        _ => None,
    };
    let first = message.attachments.first().and_then(kind)?;
    (message.text.is_empty() && message.attachments.iter().all(|part| kind(part).is_some())).then_some(first)
}

/// Whether something was said that WeCom does not export.
pub fn unknown(message: &Message) -> bool {
    message.attachments.iter().any(|part| matches!(part, Attachment::Other { kind, .. } if kind == UNKNOWN))
}

/// Reads one decrypted message. `None` for what is no message of a person in a talk (`switch`, consent).
pub fn parse(json: &str) -> Result<Option<Message>, serde_json::Error> {
    let json: Value = mend::json(json)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = text(&json["msgtype"]);
    if matches!(kind.as_str(), "" | "agree" | "disagree") {
        return Ok(None);
    }
    let mut message = Message::text(
        Channel::Archive,
        json["msgid"].as_str().unwrap_or_default(),
        json["roomid"].as_str().unwrap_or_default(),
        json["from"].as_str().unwrap_or_default(),
        time(&json["msgtime"]),
        "",
    );
    let body = [&json[&kind], &json["info"], &json["redpacket"], &json["doc"]]
        .into_iter()
        .find(|body| body.is_object())
        .unwrap_or(&json);
    let mut words = Words { message: &mut message };
    words.part(&kind, body, 0);
    if kind == "revoke" {
        let before = body["pre_msgid"].as_str().unwrap_or_default();
        message.revokes = Some(MessageId::new(format!("{}:{before}", Channel::Archive)));
    }
    Ok(Some(message))
}

/// A number, which some exports put in quotation marks.
fn number(value: &Value) -> Option<i64> {
    let whole = |number: f64| (number.is_finite() && number.abs() < 1e15).then_some(number as i64);
    value.as_i64().or_else(|| whole(value.as_f64()?)).or_else(|| {
        let text = value.as_str()?.trim();
        text.parse().ok().or_else(|| whole(text.parse().ok()?))
    })
}

/// Milliseconds, as the page says; some exports write seconds.
fn time(value: &Value) -> Timestamp {
    let number = number(value).unwrap_or_default();
    let read =
        if number.abs() < SECONDS { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) };
    read.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Fills a message part by part.
struct Words<'a> {
    message: &'a mut Message,
}

impl Words<'_> {
    fn say(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if !self.message.text.is_empty() {
            self.message.text.push('\n');
        }
        self.message.text.push_str(text);
    }

    fn say_all(&mut self, texts: &[&str]) {
        for text in texts {
            self.say(text);
        }
    }

    fn attach(&mut self, attachment: Attachment) {
        self.message.attachments.push(attachment);
    }

    fn part(&mut self, kind: &str, body: &Value, depth: usize) {
        let get = |name: &str| body[name].as_str().unwrap_or_default();
        match kind {
            "text" | "markdown" if get("content").trim() == PLACEHOLDER => self.keep(UNKNOWN, body),
            "text" | "markdown" | "" => {
                let (own, quote) = quote::split(get("content"));
                self.say(&own);
                if TYPED.iter().any(|typed| own.trim_start().starts_with(typed)) {
                    self.keep_solitaire(SOLITAIRE_TYPED, own.trim());
                }
                if let Some(quote) = quote {
                    self.attach(Attachment::quote(quote));
                }
            }
            "mixed" | "note" => {
                let items = [&body["item"], &body["items"]].into_iter().filter_map(Value::as_array).flatten();
                for item in items {
                    let kind = [&item["type"], &item["msg_type"]].into_iter().find_map(Value::as_str);
                    if let Some(inner) = inner(&item["content"])
                        && depth < DEPTH
                    {
                        self.part(kind.unwrap_or_default(), &inner, depth + 1);
                    }
                }
            }
            "solitaire" => self.solitaire(body),
            "link" => self.link(get("link_url"), &[get("title"), get("description")], "link"),
            "docmsg" => self.link(get("link_url"), &[get("title")], "doc"),
            "weapp" => {
                let maker = [get("appid"), get("username")].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
                let page = [maker, get("pagepath").trim_start_matches('/')];
                let page: Vec<&str> = page.into_iter().filter(|part| !part.is_empty()).collect();
                self.link(&page.join("/"), &[get("title"), get("description"), get("displayname")], "weapp");
            }
            "news" => {
                for item in body["item"].as_array().into_iter().flatten() {
                    let get = |name: &str| item[name].as_str().unwrap_or_default();
                    self.link(get("url"), &[get("title"), get("description")], "link");
                }
            }
            "file" | "qydiskfile" | "voip_doc_share" => {
                let (name, size) =
                    (get("filename").to_owned(), number(&body["filesize"]).and_then(|n| n.try_into().ok()));
                self.attach(Attachment::File { name, size, sdk_file_id: file_id(body), inside: None });
                if !get("url").is_empty() {
                    self.link(get("url"), &[], "disk");
                }
            }
            "image" => self.attach(Attachment::image(file_id(body))),
            "card" => {
                self.attach(Attachment::Card { user: get("userid").to_owned(), company: get("corpname").to_owned() });
            }
            "redpacket" | "external_redpacket" => self.attach(Attachment::RedPacket { wish: get("wish").to_owned() }),
            "chatrecord" => {
                let mut items = Vec::new();
                flatten(body, depth, &mut items);
                self.attach(Attachment::Forwarded { title: get("title").to_owned(), items });
            }
            "location" => self.say(&[get("title"), get("address")].join(" ")),
            "vote" if number(&body["votetype"]) == Some(CAST) => self.keep(VOTE_CAST, body),
            "vote" => {
                self.say(get("votetitle"));
                for item in body["voteitem"].as_array().into_iter().flatten() {
                    self.say(item.as_str().unwrap_or_default());
                }
            }
            "collect" => {
                self.say(get("title"));
                for question in body["details"].as_array().into_iter().flatten() {
                    self.say(question["ques"].as_str().unwrap_or_default());
                }
            }
            "sphfeed" => {
                self.say_all(&[get("sph_name"), get("feed_desc")]);
                self.keep(kind, body); // words, and a video
            }
            other => self.keep(other, body),
        }
    }

    /// 接龙: who makes one says all of it, who joins says the line that was added. What stands there in all is kept beside it,
    /// so that a line changed further up can be found.
    fn solitaire(&mut self, body: &Value) {
        let all = body["solitaire_content"].as_str().unwrap_or_default();
        if all.is_empty() {
            return self.keep("solitaire", body);
        }
        let joined = number(&body["solitaire_type"]) == Some(JOINED);
        self.say(if joined { last_entry(all) } else { all });
        self.keep_solitaire(if joined { SOLITAIRE_JOINED } else { SOLITAIRE }, all);
    }

    fn keep_solitaire(&mut self, kind: &str, all: &str) {
        let raw = if all.len() <= LONGEST_SOLITAIRE { all.to_owned() } else { String::new() };
        self.attach(Attachment::Other { kind: kind.to_owned(), raw });
    }

    /// Keeps a body that says nothing, or that nobody can read yet.
    fn keep(&mut self, kind: &str, body: &Value) {
        let raw = crate::cut(&body.to_string(), RAW);
        self.attach(Attachment::Other { kind: kind.to_owned(), raw });
    }

    fn link(&mut self, url: &str, titles: &[&str], origin: &str) {
        let title = titles.iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join("\n");
        self.attach(Attachment::Link { url: url.to_owned(), title, origin: origin.to_owned() });
    }
}

/// What fetches a picture or a file.
fn file_id(body: &Value) -> Option<String> {
    body["sdkfileid"].as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// The last entry of a 接龙: from its number on, which it may have none of.
pub fn last_entry(all: &str) -> &str {
    let all = all.trim();
    let mut last = all.rfind('\n').map_or(0, |at| at + 1);
    for line in all.lines().filter(|line| is_entry(line)) {
        last = line.as_ptr().addr() - all.as_ptr().addr();
    }
    &all[last..]
}

/// A line with which an entry of a 接龙 begins: `2. 李雷`.
pub fn is_entry(line: &str) -> bool {
    let line = line.trim_start();
    let after = line.trim_start_matches(|c: char| c.is_ascii_digit());
    after.len() < line.len() && after.starts_with(['.', '、', '．', ')', '）', ' '])
}

/// JSON inside a JSON string, as mixed messages and records carry it; a string that is none is taken for the words themselves.
fn inner(content: &Value) -> Option<Value> {
    match content {
        Value::String(text) => match mend::json(text) {
            Ok(Value::Object(object)) => Some(Value::Object(object)),
            _ if text.trim().is_empty() => None,
            _ => Some(json!({ "content": text })),
        },
        Value::Object(_) => Some(content.clone()),
        _ => None,
    }
}

/// Where the parts of a forwarded record keep words.
const RECORD_WORDS: &[&str] = &[
    "content",
    "title",
    "description",
    "displayname",
    "link_url",
    "url",
    "filename",
    "address",
    "wish",
    "votetitle",
    "sph_name",
    "feed_desc",
    "solitaire_content",
    "topic",
    "remarks",
    "corpname",
];
/// And lists of words.
const RECORD_LISTS: &[&str] = &["voteitem"];

/// A forwarded record's words, nested records included.
fn flatten(record: &Value, depth: usize, items: &mut Vec<String>) {
    let parts = [&record["item"], &record["items"]].into_iter().filter_map(Value::as_array).flatten();
    for item in parts {
        let Some(content) = inner(&item["content"]) else { continue };
        let kind = item["type"].as_str().unwrap_or_default();
        if (kind.eq_ignore_ascii_case("chatrecord") || content["item"].is_array() || content["items"].is_array())
            && depth < DEPTH
        {
            flatten(&content, depth + 1, items);
            continue;
        }
        let lists = RECORD_LISTS.iter().filter_map(|field| content[field].as_array()).flatten();
        let words = RECORD_WORDS.iter().map(|field| &content[field]).chain(lists);
        let words: Vec<&str> = words.filter_map(Value::as_str).filter(|words| !words.is_empty()).collect();
        if !words.is_empty() {
            items.push(words.join("\n"));
        }
    }
}

#[cfg(test)]
mod tests;
