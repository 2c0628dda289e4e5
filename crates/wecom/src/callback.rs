//! Opens what WeCom posts to the two callback addresses and says in types what it is.
//!
//! `/wecom/app` speaks XML, `/wecom/bot` JSON; both carry the same envelope. Signature first, then decryption, then parsing;
//! the caller of the address learns nothing of which failed. Kinds that this version does not know are kept raw.

use serde::Deserialize;
use serde_json::Value;

use super::{
    bot_files::BotFile,
    crypto::{Crypto, CryptoError},
    mend,
    xml::{self, Element, XmlError},
};
use jiff::{SignedDuration, Timestamp};
use qunguan_model::named_enum;

/// A callback older or newer than this is refused; WeCom's own retries come within seconds.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// The query of a callback.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Query {
    /// Signature; other spellings are seen in the wild (receiving.md §3.1).
    #[serde(default, alias = "msgsignature", alias = "signature")]
    pub msg_signature: String,
    /// Unix seconds.
    #[serde(default)]
    pub timestamp: String,
    /// Opaque.
    #[serde(default)]
    pub nonce: String,
    /// Only for URL verification.
    #[serde(default)]
    pub echostr: String,
}

/// Why a callback was refused; for the log only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The body is not an envelope.
    #[error("envelope: {0}")]
    Envelope(String),
    /// The envelope's XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Signature, cipher, receiver.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// Outside the time window: a replay, or a clock that is wrong.
    #[error("timestamp {0} is outside the window")]
    Window(String),
    /// The decrypted message cannot be read.
    #[error("message: {0}")]
    Message(String),
}

/// Answers a URL verification with the plain text to send back, bare.
pub fn verify_url(crypto: &Crypto, query: &Query, now: Timestamp) -> Result<String, CallbackError> {
    check_window(&query.timestamp, now)?;
    // Base64 has no space: one that is here was a plus that somebody on the way did not escape.
    let echo = query.echostr.replace(' ', "+");
    crypto.verify(&query.msg_signature, &query.timestamp, &query.nonce, &echo)?;
    Ok(crypto.decrypt(&echo)?)
}

fn check_window(timestamp: &str, now: Timestamp) -> Result<(), CallbackError> {
    let said: Option<Timestamp> = timestamp.parse().ok().and_then(|s| Timestamp::from_second(s).ok());
    match said {
        Some(said) if now.duration_since(said).abs() <= WINDOW => Ok(()),
        _ => Err(CallbackError::Window(timestamp.chars().take(24).collect())),
    }
}

fn open(crypto: &Crypto, query: &Query, encrypt: &str, now: Timestamp) -> Result<String, CallbackError> {
    check_window(&query.timestamp, now)?;
    crypto.verify(&query.msg_signature, &query.timestamp, &query.nonce, encrypt)?;
    Ok(crypto.decrypt(encrypt)?)
}

/// What came to `/wecom/app`.
#[derive(Clone, Debug, PartialEq)]
pub struct AppCallback {
    /// Sender's userid, or `sys`.
    pub from: String,
    /// When.
    pub at: Timestamp,
    /// The same for every delivery of the same thing; `None` for what may be done any number of times.
    pub dedupe: Option<String>,
    /// What.
    pub what: AppEvent,
}

/// Kinds of app callbacks.
#[derive(Clone, Debug, PartialEq)]
pub enum AppEvent {
    /// A member wrote to the app. `chat` only if WeCom named a group (undocumented, read defensively).
    Text {
        /// `MsgId`.
        id: String,
        /// The words.
        text: String,
        /// A group, if one was named.
        chat: Option<String>,
    },
    /// A button of a card was pressed.
    Card(CardClick),
    /// A customer group changed.
    CustomerGroup(GroupChange),
    /// New messages are in the archive.
    ArchiveNotify,
    /// A member left the company, changed its id …
    Contact {
        /// `delete_user`, `update_user` …
        change: String,
        /// Who.
        user: String,
        /// The new id, if it changed.
        new_user: Option<String>,
    },
    /// Somebody opened the app.
    EnterAgent,
    /// WeCom is about to switch the app off for lack of use, or has.
    Inactivity {
        /// WeCom's event name.
        event: String,
    },
    /// Anything else, as it came.
    Unknown {
        /// `MsgType` or `Event`.
        kind: String,
        /// The XML.
        raw: String,
    },
}

/// A press on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardClick {
    /// Key of the button.
    pub key: String,
    /// The card's `task_id`.
    pub task_id: String,
    /// `button_interaction` …
    pub card_type: String,
    /// For updating the card once.
    pub response_code: String,
    /// Selected options: (question, option).
    pub selected: Vec<(String, String)>,
}

/// What happened to a customer group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// `ChatId`.
    pub chat: String,
    /// `create`, `update`, `dismiss`.
    pub change: String,
    /// `add_member`, `del_member`, `change_owner`, `change_name`, `change_notice`.
    pub detail: String,
    /// 0 left by themself, 1 removed by owner or admin.
    pub quit_scene: Option<i64>,
    /// Who; may be missing in older events.
    pub members: Vec<String>,
    /// Member list version before.
    pub last_version: String,
    /// Member list version after.
    pub version: String,
}

/// Opens a POST to `/wecom/app`.
pub fn open_app(crypto: &Crypto, query: &Query, body: &[u8], now: Timestamp) -> Result<AppCallback, CallbackError> {
    let envelope = xml::parse(&mend::text(body.to_vec()))?;
    let encrypt = envelope.get("Encrypt");
    if encrypt.is_empty() {
        return Err(CallbackError::Envelope("no Encrypt element".into()));
    }
    let plain = open(crypto, query, encrypt, now)?;
    let root = xml::parse(&plain)?;
    Ok(app_callback(&root, &plain))
}

fn app_callback(root: &Element, plain: &str) -> AppCallback {
    let from = root.get("FromUserName").to_owned();
    let created = root.number("CreateTime").unwrap_or_default();
    let at = Timestamp::from_second(created).unwrap_or(Timestamp::UNIX_EPOCH);
    let kind = root.get("MsgType");
    let unknown = |kind: &str| AppEvent::Unknown { kind: kind.to_owned(), raw: plain.to_owned() };
    let (dedupe, what) = match (kind, root.get("Event")) {
        ("text", _) => {
            let id = Some(root.get("MsgId")).filter(|id| !id.is_empty());
            let id = id.map_or_else(|| format!("{from}-{created}"), str::to_owned);
            let chat = Some(root.get("ChatId")).filter(|c| !c.is_empty()).map(str::to_owned);
            let text = root.child("Content").map(|c| c.text.clone()).unwrap_or_default();
            (Some(format!("msg:{id}")), AppEvent::Text { id, text, chat })
        }
        ("event", "template_card_event" | "template_card_menu_event") => {
            let click = CardClick {
                key: root.get("EventKey").into(),
                task_id: root.get("TaskId").into(),
                card_type: root.get("CardType").into(),
                response_code: root.get("ResponseCode").into(),
                selected: selected(root),
            };
            (Some(format!("card:{from}:{created}:{}:{}", click.task_id, click.key)), AppEvent::Card(click))
        }
        ("event", "change_external_chat") => {
            // Whole: a list that is as it was before has the version it had before.
            let change = group_change(root);
            (Some(format!("chat:{created}:{change:?}")), AppEvent::CustomerGroup(change))
        }
        ("event", "msgaudit_notify") => (None, AppEvent::ArchiveNotify),
        ("event", "change_contact") => {
            let user = root.get("UserID").to_owned();
            let change = root.get("ChangeType").to_owned();
            let new_user = Some(root.get("NewUserID")).filter(|u| !u.is_empty()).map(str::to_owned);
            (Some(format!("contact:{change}:{user}:{created}")), AppEvent::Contact { change, user, new_user })
        }
        ("event", "enter_agent") => (Some(format!("enter:{from}:{created}")), AppEvent::EnterAgent),
        ("event", event) if event.contains("inactive") || event.contains("low_active") => {
            (Some(format!("{event}:{created}")), AppEvent::Inactivity { event: event.to_owned() })
        }
        ("event", event) => {
            let detail = format!("{}:{}", root.get("ChangeType"), root.get("EventKey"));
            (Some(format!("{event}:{detail}:{from}:{created}")), unknown(event))
        }
        (kind, _) => {
            let id = root.get("MsgId");
            (Some(format!("msg:{id}:{from}:{created}")), unknown(kind))
        }
    };
    AppCallback { from, at, dedupe, what }
}

fn selected(root: &Element) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for item in root.child("SelectedItems").map(|i| i.children.as_slice()).unwrap_or_default() {
        for option in item.child("OptionIds").map(|o| o.children.as_slice()).unwrap_or_default() {
            all.push((item.get("QuestionKey").to_owned(), option.text.trim().to_owned()));
        }
    }
    all
}

fn group_change(root: &Element) -> GroupChange {
    // Two encodings exist: <Item> children, or one comma-separated text.
    let members = root.child("MemChangeList").map_or_else(Vec::new, |list| {
        if list.children.is_empty() {
            list.text.split(',').map(str::trim).filter(|m| !m.is_empty()).map(str::to_owned).collect()
        } else {
            list.children.iter().map(|item| item.text.trim().to_owned()).collect()
        }
    });
    GroupChange {
        chat: root.get("ChatId").into(),
        change: root.get("ChangeType").into(),
        detail: root.get("UpdateDetail").into(),
        quit_scene: root.number("QuitScene"),
        members,
        last_version: root.get("LastMemVer").into(),
        version: root.get("CurMemVer").into(),
    }
}

/// What came to `/wecom/bot`, or over the bot's socket.
#[derive(Clone, Debug, PartialEq)]
pub struct BotCallback {
    /// Unique id of this delivery's content.
    pub id: String,
    /// The bot.
    pub bot: String,
    /// The group; `None` in a private talk.
    pub chat: Option<String>,
    /// Who.
    pub from: String,
    /// When, if WeCom says.
    pub at: Option<Timestamp>,
    /// One reply can be posted there within an hour (URL mode).
    pub response_url: Option<String>,
    /// What.
    pub what: BotEvent,
}

/// Kinds of bot callbacks.
#[derive(Clone, Debug, PartialEq)]
pub enum BotEvent {
    /// Words, with the bot's `@name` still in front.
    Message {
        /// All text parts, joined by newlines.
        text: String,
        /// The quoted words, if any; no author, no id.
        quote: Option<String>,
        /// Quoted pictures, files and videos.
        quoted: Vec<Quoted>,
        /// Pictures.
        images: Vec<BotFile>,
    },
    /// WeCom asks for the next state of a streamed answer.
    Stream {
        /// Its id.
        id: String,
    },
    /// A button of a card was pressed.
    Card(CardClick),
    /// Somebody opened the private talk for the first time today.
    EnterChat,
    /// A newer connection took over: do not reconnect.
    Disconnected,
    /// Anything else, as it came.
    Unknown {
        /// `msgtype` or `eventtype`.
        kind: String,
        /// The JSON.
        raw: String,
    },
}

/// Something quoted that is not words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// What it is.
    pub what: Media,
    /// Where it lies, for five minutes.
    pub file: Option<BotFile>,
}

named_enum! {
    /// Kinds of messages that are not words.
    pub enum Media {
        /// A picture.
        Image = "image", "一张图片";
        /// A file.
        File = "file", "一个文件";
        /// A video.
        Video = "video", "一段视频";
    }
}

/// Opens a POST to `/wecom/bot`.
pub fn open_bot(crypto: &Crypto, query: &Query, body: &[u8], now: Timestamp) -> Result<BotCallback, CallbackError> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(alias = "Encrypt")]
        encrypt: String,
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(|e| CallbackError::Envelope(e.to_string()))?;
    let plain = open(crypto, query, &envelope.encrypt, now)?;
    bot_callback(&plain)
}

/// Reads a bot message or event in plain JSON (the body of a socket frame).
pub fn bot_callback(plain: &str) -> Result<BotCallback, CallbackError> {
    let json: Value = mend::json(plain).map_err(|e| CallbackError::Message(e.to_string()))?;
    let text_of = |value: &Value| value.as_str().map(str::to_owned);
    let kind = json["msgtype"].as_str().unwrap_or_default();
    let what = match kind {
        "text" | "mixed" | "voice" | "image" | "file" | "video" => {
            let (text, images) = words(&json, kind);
            let quote_kind = json["quote"]["msgtype"].as_str().unwrap_or_default();
            let quote = Some(words(&json["quote"], quote_kind).0).filter(|q| !q.is_empty());
            BotEvent::Message { text, quote, quoted: quoted(&json["quote"], quote_kind), images }
        }
        "stream" => BotEvent::Stream { id: json["stream"]["id"].as_str().unwrap_or_default().into() },
        "event" => bot_event(&json["event"], plain),
        other => BotEvent::Unknown { kind: other.into(), raw: plain.into() },
    };
    Ok(BotCallback {
        id: text_of(&json["msgid"]).ok_or_else(|| CallbackError::Message("no msgid".into()))?,
        bot: text_of(&json["aibotid"]).unwrap_or_default(),
        chat: text_of(&json["chatid"]).filter(|chat| !chat.is_empty()),
        from: text_of(&json["from"]["userid"]).unwrap_or_default(),
        at: json["create_time"].as_i64().and_then(|s| Timestamp::from_second(s).ok()),
        response_url: text_of(&json["response_url"]),
        what,
    })
}

fn bot_event(event: &Value, plain: &str) -> BotEvent {
    match event["eventtype"].as_str().unwrap_or_default() {
        "enter_chat" => BotEvent::EnterChat,
        "disconnected_event" => BotEvent::Disconnected,
        "template_card_event" => {
            // Nested by the documents, flat by one SDK's types: read nested, fall back to flat.
            let nested = &event["template_card_event"];
            let field = |snake: &str, flat: &str| {
                [&nested[snake], &nested[flat], &event[snake], &event[flat]]
                    .into_iter()
                    .find_map(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let mut selected = Vec::new();
            for item in nested["selected_items"]["selected_item"].as_array().into_iter().flatten() {
                for option in item["option_ids"]["option_id"].as_array().into_iter().flatten() {
                    selected.push((
                        item["question_key"].as_str().unwrap_or_default().to_owned(),
                        option.as_str().unwrap_or_default().to_owned(),
                    ));
                }
            }
            BotEvent::Card(CardClick {
                key: field("event_key", "eventkey"),
                task_id: field("task_id", "taskid"),
                card_type: field("card_type", "cardtype"),
                response_code: String::new(),
                selected,
            })
        }
        other => BotEvent::Unknown { kind: other.into(), raw: plain.into() },
    }
}

/// The text and the pictures of a message of any kind.
fn words(json: &Value, kind: &str) -> (String, Vec<BotFile>) {
    let mut text = Vec::new();
    let mut images = Vec::new();
    match kind {
        "mixed" => {
            for item in json["mixed"]["msg_item"].as_array().into_iter().flatten() {
                let (words, pictures) = words_of_part(item, item["msgtype"].as_str().unwrap_or_default());
                text.extend(words);
                images.extend(pictures);
            }
        }
        other => {
            let (words, pictures) = words_of_part(json, other);
            text.extend(words);
            images.extend(pictures);
        }
    }
    (text.join("\n"), images)
}

/// The pictures, files and videos of a quote.
fn quoted(quote: &Value, kind: &str) -> Vec<Quoted> {
    if kind == "mixed" {
        let parts = quote["mixed"]["msg_item"].as_array().into_iter().flatten();
        return parts.flat_map(|part| quoted(part, part["msgtype"].as_str().unwrap_or_default())).collect();
    }
    kind.parse::<Media>().ok().map(|what| Quoted { what, file: bot_file(&quote[kind]) }).into_iter().collect()
}

fn bot_file(json: &Value) -> Option<BotFile> {
    let text = |field: &str| json[field].as_str().map(str::to_owned);
    text("url").map(|url| BotFile { url, key: text("aeskey") })
}

fn words_of_part(json: &Value, kind: &str) -> (Option<String>, Option<BotFile>) {
    match kind {
        "text" | "voice" => (json[kind]["content"].as_str().map(str::to_owned), None),
        "image" => (None, bot_file(&json["image"])),
        _ => (None, None),
    }
}

/// An encrypted passive reply to `/wecom/app`: `content` is the inner XML.
pub fn app_reply(crypto: &Crypto, content: &str, nonce: &str, now: Timestamp, random: [u8; 16]) -> String {
    let encrypt = crypto.encrypt(content, random);
    let timestamp = now.as_second().to_string();
    let signature = crypto.sign(&timestamp, nonce, &encrypt);
    format!(
        "<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>\
         <TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{}]]></Nonce></xml>",
        nonce.replace("]]>", "")
    )
}

/// The inner XML of a passive text reply; WeCom cuts at 2048 bytes, so longer text is cut politely before.
pub fn text_reply(to: &str, corp: &str, text: &str, now: Timestamp) -> String {
    let text = super::cut(text, 2048);
    reply_xml(to, corp, now, &format!("<MsgType>text</MsgType><Content>{}</Content>", xml::escape(&text)))
}

/// The inner XML that greys out the pressed card's buttons for the person who pressed.
pub fn button_reply(to: &str, corp: &str, label: &str, now: Timestamp) -> String {
    let button = format!(
        "<MsgType>update_button</MsgType><Button><ReplaceName>{}</ReplaceName></Button>",
        xml::escape(&super::cards::label(label))
    );
    reply_xml(to, corp, now, &button)
}

fn reply_xml(to: &str, corp: &str, now: Timestamp, inner: &str) -> String {
    format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime>{inner}</xml>",
        xml::escape(to),
        xml::escape(corp),
        now.as_second()
    )
}

/// An encrypted passive reply to `/wecom/bot`; the nonce must be the callback's own.
pub fn bot_reply(crypto: &Crypto, content: &Value, nonce: &str, now: Timestamp, random: [u8; 16]) -> Value {
    let encrypt = crypto.encrypt(&content.to_string(), random);
    let timestamp = now.as_second();
    let signature = crypto.sign(&timestamp.to_string(), nonce, &encrypt);
    serde_json::json!({ "encrypt": encrypt, "msgsignature": signature, "timestamp": timestamp, "nonce": nonce })
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

    fn crypto() -> Crypto {
        Crypto::new("token", KEY, "ww1").unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn sealed(plain: &str) -> (Query, String) {
        let encrypt = crypto().encrypt(plain, [1; 16]);
        let query = Query {
            msg_signature: crypto().sign("1700000000", "n", &encrypt),
            timestamp: "1700000000".into(),
            nonce: "n".into(),
            echostr: String::new(),
        };
        (query, format!("<xml><AgentID/><Encrypt><![CDATA[{encrypt}]]></Encrypt><ToUserName>ww1</ToUserName></xml>"))
    }

    fn app(plain: &str) -> AppCallback {
        let (query, body) = sealed(plain);
        open_app(&crypto(), &query, body.as_bytes(), now()).unwrap()
    }

    #[test]
    fn messages_and_events_of_the_app() {
        let text = app(
            "<xml><FromUserName>lisi</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content> 你好 </Content><MsgId>7300000000000000001</MsgId></xml>",
        );
        assert_eq!(text.dedupe.as_deref(), Some("msg:7300000000000000001"));
        assert!(matches!(text.what, AppEvent::Text { ref text, chat: None, .. } if text == " 你好 "));

        let card = app(
            "<xml><FromUserName>boss</FromUserName><CreateTime>5</CreateTime><MsgType>event</MsgType><Event>template_card_event</Event><EventKey>done</EventKey><TaskId>ask-8F2K</TaskId><ResponseCode>rc</ResponseCode><SelectedItems><SelectedItem><QuestionKey>q</QuestionKey><OptionIds><OptionId>a</OptionId></OptionIds></SelectedItem></SelectedItems></xml>",
        );
        let AppEvent::Card(click) = card.what else { panic!("not a card") };
        assert_eq!((click.task_id.as_str(), click.key.as_str(), click.selected.len()), ("ask-8F2K", "done", 1));

        for list in ["<Item>wm1</Item><Item>wm2</Item>", "wm1, wm2"] {
            let left = app(&format!(
                "<xml><FromUserName>sys</FromUserName><MsgType>event</MsgType><Event>change_external_chat</Event><ChatId>wr1</ChatId><ChangeType>update</ChangeType><UpdateDetail>del_member</UpdateDetail><QuitScene>1</QuitScene><MemChangeList>{list}</MemChangeList><CurMemVer>v2</CurMemVer></xml>"
            ));
            let AppEvent::CustomerGroup(change) = left.what else { panic!("not a group change") };
            assert_eq!((change.members.len(), change.quit_scene), (2, Some(1)));
        }
        let odd = app("<xml><MsgType>event</MsgType><Event>brand_new</Event></xml>");
        assert!(
            matches!(odd.what, AppEvent::Unknown { ref kind, ref raw } if kind == "brand_new" && raw.contains("brand_new"))
        );
    }

    #[test]
    fn forged_old_and_broken_callbacks_are_refused() {
        let (query, body) = sealed("<xml/>");
        let refused =
            |query: &Query, body: &str, at: Timestamp| open_app(&crypto(), query, body.as_bytes(), at).unwrap_err();
        assert!(matches!(
            refused(&Query { msg_signature: "0".repeat(40), ..query.clone() }, &body, now()),
            CallbackError::Crypto(CryptoError::Signature)
        ));
        assert!(matches!(refused(&query, &body, now() + SignedDuration::from_hours(1)), CallbackError::Window(_)));
        assert!(matches!(
            refused(&Query { timestamp: "x".into(), ..query.clone() }, &body, now()),
            CallbackError::Window(_)
        ));
        assert!(matches!(refused(&query, &body[..body.len() / 2], now()), CallbackError::Xml(_)));
        assert!(matches!(refused(&query, "<xml></xml>", now()), CallbackError::Envelope(_)));
        let other = Crypto::new("token", KEY, "ww2").unwrap();
        assert!(matches!(
            open_app(&other, &query, body.as_bytes(), now()),
            Err(CallbackError::Crypto(CryptoError::ReceiveId))
        ));
    }

    #[test]
    fn messages_and_events_of_the_bot() {
        let message = bot_callback(r#"{"msgid":"M1","aibotid":"A","chatid":"wr1","chattype":"group","from":{"userid":"lisi"},"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":{"content":"@守卫 举报"}},{"msgtype":"image","image":{"url":"u"}}]},"quote":{"msgtype":"text","text":{"content":"原文"}}}"#).unwrap();
        assert_eq!(
            message.what,
            BotEvent::Message {
                text: "@守卫 举报".into(),
                quote: Some("原文".into()),
                quoted: Vec::new(),
                images: vec![BotFile { url: "u".into(), key: None }]
            }
        );
        for (quote, words, whats) in [
            (r#"{"msgtype":"image","image":{"url":"u","aeskey":"k"}}"#, None, vec![Media::Image]),
            (r#"{"msgtype":"file","file":{"url":"u","aeskey":"k"}}"#, None, vec![Media::File]),
            (r#"{"msgtype":"video","video":{"url":"u","aeskey":"k"}}"#, None, vec![Media::Video]),
            (r#"{"msgtype":"voice","voice":{"content":"加我"}}"#, Some("加我"), vec![]),
            (
                r#"{"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":{"content":"看"}},{"msgtype":"image","image":{"url":"u","aeskey":"k"}}]}}"#,
                Some("看"),
                vec![Media::Image],
            ),
        ] {
            let json = format!(
                r#"{{"msgid":"Q","from":{{"userid":"u"}},"msgtype":"text","text":{{"content":"举报"}},"quote":{quote}}}"#
            );
            let BotEvent::Message { quote: said, quoted, .. } = bot_callback(&json).unwrap().what else { panic!() };
            let file = Some(BotFile { url: "u".into(), key: Some("k".into()) });
            let expected: Vec<_> = whats.into_iter().map(|what| Quoted { what, file: file.clone() }).collect();
            assert_eq!((said.as_deref(), quoted), (words, expected), "{quote}");
        }
        for event in [
            r#"{"eventtype":"template_card_event","template_card_event":{"event_key":"ack","task_id":"t"}}"#,
            r#"{"eventtype":"template_card_event","event_key":"ack","task_id":"t"}"#,
        ] {
            let json = format!(r#"{{"msgid":"E","from":{{"userid":"u"}},"msgtype":"event","event":{event}}}"#);
            let BotEvent::Card(click) = bot_callback(&json).unwrap().what else { panic!("not a card") };
            assert_eq!((click.key.as_str(), click.task_id.as_str()), ("ack", "t"));
        }
        assert!(bot_callback("{}").is_err());
        let unknown = bot_callback(r#"{"msgid":"x","msgtype":"hologram"}"#).unwrap();
        assert!(matches!(unknown.what, BotEvent::Unknown { .. }));
    }

    #[test]
    fn replies_can_be_opened_again() {
        let reply = app_reply(&crypto(), &text_reply("lisi", "ww1", "好的 ]]> <b>", now()), "n", now(), [2; 16]);
        let envelope = xml::parse(&reply).unwrap();
        crypto().verify(envelope.get("MsgSignature"), envelope.get("TimeStamp"), "n", envelope.get("Encrypt")).unwrap();
        let inner = xml::parse(&crypto().decrypt(envelope.get("Encrypt")).unwrap()).unwrap();
        assert_eq!(inner.get("Content"), "好的 ]]> <b>");
    }
}
