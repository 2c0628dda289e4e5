//! Every `msgtype` of the archive as a [`Message`]: the sender's own words apart from what they quote or forward, and from
//! what WeCom itself writes into the group in somebody's name.
//!
//! Fields that WeCom leaves out are simply missing; kinds this version does not know keep their name.

use serde_json::{Value, json};

use crate::model::{Attachment, Channel, Message, MessageId, Timestamp};

/// Deepest nesting of forwarded records that is opened.
const DEPTH: usize = 5;
/// Bytes kept of a body that nobody can read yet.
const RAW: usize = 4096;

/// What WeCom exports in place of anything that it cannot export; it says so in whoever's name it happened.
const PLACEHOLDER: &str = "【未知消息类型】";
/// The kind under which [`PLACEHOLDER`] is kept.
const UNKNOWN: &str = "unknown_kind";
/// The kind under which a vote that was cast is kept; its words are those of whoever asked.
const VOTE_CAST: &str = "vote_cast";
/// `votetype` of a vote that was cast.
const CAST: u64 = 102;
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

/// Reads one decrypted message. `None` for what is no message of a person in a talk (`switch`, consent).
pub fn parse(json: &str) -> Result<Option<Message>, serde_json::Error> {
    let json: Value = serde_json::from_str(json)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = text(&json["msgtype"]);
    if matches!(kind.as_str(), "" | "agree" | "disagree") {
        return Ok(None);
    }
    let milliseconds = json["msgtime"].as_i64().unwrap_or_default();
    let mut message = Message::text(
        Channel::Archive,
        json["msgid"].as_str().unwrap_or_default(),
        json["roomid"].as_str().unwrap_or_default(),
        json["from"].as_str().unwrap_or_default(),
        Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH),
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
            "text" | "markdown" => {
                let (own, quote) = split_quote(get("content"));
                self.say(own);
                if let Some(quote) = quote {
                    self.attach(Attachment::Quote { text: quote.to_owned() });
                }
            }
            "mixed" => {
                for item in body["item"].as_array().into_iter().flatten() {
                    if let Some(inner) = inner(&item["content"])
                        && depth < DEPTH
                    {
                        self.part(item["type"].as_str().unwrap_or_default(), &inner, depth + 1);
                    }
                }
            }
            "link" => self.link(get("link_url"), &[get("title"), get("description")], "link"),
            "docmsg" => self.link(get("link_url"), &[get("title")], "doc"),
            "weapp" => self.link("", &[get("title"), get("description"), get("displayname")], "weapp"),
            "news" => {
                for item in body["item"].as_array().into_iter().flatten() {
                    let get = |name: &str| item[name].as_str().unwrap_or_default();
                    self.link(get("url"), &[get("title"), get("description")], "link");
                }
            }
            "file" | "qydiskfile" => {
                let name = get("filename").to_owned();
                self.attach(Attachment::File { name, size: body["filesize"].as_u64() });
            }
            "image" => {
                let id = Some(get("sdkfileid")).filter(|id| !id.is_empty()).map(str::to_owned);
                self.attach(Attachment::Image { sdk_file_id: id });
            }
            "card" => self.attach(Attachment::Card { user: get("userid").to_owned() }),
            "redpacket" | "external_redpacket" => self.attach(Attachment::RedPacket { wish: get("wish").to_owned() }),
            "chatrecord" => {
                let mut items = Vec::new();
                flatten(body, depth, &mut items);
                self.attach(Attachment::Forwarded { title: get("title").to_owned(), items });
            }
            "location" => self.say(&[get("title"), get("address")].join(" ")),
            "vote" if body["votetype"].as_u64() == Some(CAST) => self.keep(VOTE_CAST, body),
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
            "sphfeed" => self.say_all(&[get("sph_name"), get("feed_desc")]),
            other => self.keep(other, body),
        }
    }

    /// Keeps a body that says nothing, or that nobody can read yet.
    fn keep(&mut self, kind: &str, body: &Value) {
        let raw = crate::wecom::cut(&body.to_string(), RAW);
        self.attach(Attachment::Other { kind: kind.to_owned(), raw });
    }

    fn link(&mut self, url: &str, titles: &[&str], origin: &str) {
        let title = titles.iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join("\n");
        self.attach(Attachment::Link { url: url.to_owned(), title, origin: origin.to_owned() });
    }
}

/// JSON inside a JSON string, as mixed messages and records carry it; a string that is none is taken for the words themselves.
fn inner(content: &Value) -> Option<Value> {
    match content {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Some(Value::Object(object)),
            _ if text.trim().is_empty() => None,
            _ => Some(json!({ "content": text })),
        },
        Value::Object(_) => Some(content.clone()),
        _ => None,
    }
}

/// A forwarded record's words, nested records included.
fn flatten(record: &Value, depth: usize, items: &mut Vec<String>) {
    for item in record["item"].as_array().into_iter().flatten() {
        let Some(content) = inner(&item["content"]) else { continue };
        let kind = item["type"].as_str().unwrap_or_default();
        if (kind.eq_ignore_ascii_case("chatrecord") || content["item"].is_array()) && depth < DEPTH {
            flatten(&content, depth + 1, items);
            continue;
        }
        let words: Vec<&str> = ["content", "title", "description", "link_url", "filename", "address"]
            .into_iter()
            .filter_map(|field| content[field].as_str())
            .filter(|words| !words.is_empty())
            .collect();
        if !words.is_empty() {
            items.push(words.join("\n"));
        }
    }
}

/// Clients flatten a quoted message into the text (receiving.md §5.7). Returns the sender's own words and the quoted ones.
pub fn split_quote(text: &str) -> (&str, Option<&str>) {
    for head in ["这是一条引用/回复消息：", "这是一条引用/回复消息:", "This is a quote/reply:"] {
        if let Some(rest) = text.trim_start().strip_prefix(head)
            && let Some((quote, own)) = rest.split_once("\n------\n")
        {
            return (own, Some(quote.trim().trim_matches('"')));
        }
    }
    if let Some(rest) = text.trim_start().strip_prefix('「')
        && let Some((quote, own)) = rest.split_once("\n- - - - -")
    {
        let own = own.trim_start_matches(['-', ' ']).trim_start_matches('\n');
        return (own, Some(quote.trim().trim_end_matches('」')));
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Message {
        parse(json).unwrap().unwrap()
    }

    fn wrap(kind: &str, body: &str) -> Message {
        read(&format!(
            r#"{{"msgid":"m","action":"send","from":"lisi","tolist":["a"],"roomid":"wr1","msgtime":1700000000123,"msgtype":"{kind}",{body}}}"#
        ))
    }

    #[test]
    fn text_and_envelope() {
        let message = wrap("text", r#""text":{"content":"大家好"}"#);
        assert_eq!(message.id.as_str(), "archive:m");
        assert_eq!((message.group.as_str(), message.sender.as_str(), message.text.as_str()), ("wr1", "lisi", "大家好"));
        assert_eq!(message.at.as_millisecond(), 1_700_000_000_123);
    }

    #[test]
    fn quotes_are_not_held_against_the_quoter() {
        let message =
            wrap("text", r#""text":{"content":"这是一条引用/回复消息：\n\"张三:\n加我微信\"\n------\n请不要发广告"}"#);
        assert_eq!(message.text, "请不要发广告");
        assert_eq!(message.attachments, [Attachment::Quote { text: "张三:\n加我微信".into() }]);
        let message = wrap("text", r#""text":{"content":"「张三：加我微信」\n- - - - - - - - - - - - - - -\n不行"}"#);
        assert_eq!(message.text, "不行");
    }

    #[test]
    fn the_other_kinds() {
        let mixed = wrap(
            "mixed",
            r#""mixed":{"item":[{"type":"text","content":"{\"content\":\"看图\"}"},{"type":"image","content":"{\"sdkfileid\":\"F\"}"}]}"#,
        );
        assert_eq!((mixed.text.as_str(), mixed.attachments.len()), ("看图", 1));
        let link = wrap("link", r#""link":{"title":"标题","description":"说明","link_url":"http://x.example"}"#);
        assert_eq!(
            link.attachments,
            [Attachment::Link {
                url: "http://x.example".into(), title: "标题\n说明".into(), origin: "link".into()
            }]
        );
        let doc = wrap("docmsg", r#""doc":{"title":"报价","link_url":"u"}"#);
        assert!(matches!(&doc.attachments[0], Attachment::Link { origin, .. } if origin == "doc"));
        let markdown = wrap("markdown", r#""info":{"content":"**提醒**"}"#);
        assert_eq!(markdown.text, "**提醒**");
        let packet = wrap("external_redpacket", r#""redpacket":{"wish":"恭喜"}"#);
        assert_eq!(packet.attachments, [Attachment::RedPacket { wish: "恭喜".into() }]);
        let file = wrap("file", r#""file":{"filename":"客户表.xlsx","filesize":12}"#);
        assert_eq!(file.attachments, [Attachment::File { name: "客户表.xlsx".into(), size: Some(12) }]);
        let unknown = wrap("hologram", r#""hologram":{"size":3}"#);
        assert_eq!(unknown.attachments, [Attachment::Other { kind: "hologram".into(), raw: r#"{"size":3}"#.into() }]);
    }

    #[test]
    fn records_are_opened_and_kept_apart() {
        let record = wrap(
            "chatrecord",
            r#""chatrecord":{"title":"群聊","item":[{"type":"ChatRecordText","content":"{\"content\":\"原文\"}"},{"type":"chatrecord","content":"{\"title\":\"里层\",\"item\":[{\"type\":\"ChatRecordText\",\"content\":\"{\\\"content\\\":\\\"更里面\\\"}\"}]}"}]}"#,
        );
        assert_eq!(record.text, "");
        assert_eq!(
            record.attachments,
            [Attachment::Forwarded { title: "群聊".into(), items: vec!["原文".into(), "更里面".into()] }]
        );
        let odd = wrap(
            "chatrecord",
            r#""chatrecord":{"title":"群聊","item":[{"type":"ChatRecordText","content":"不是 JSON"},{"type":"ChatRecordText","content":"2026"},{"type":"ChatRecordMixed","content":"{\"item\":[{\"type\":\"text\",\"content\":\"{\\\"content\\\":\\\"图文\\\"}\"}]}"},{"type":"ChatRecordVideo","content":" "}]}"#,
        );
        assert_eq!(
            odd.attachments,
            [Attachment::Forwarded {
                title: "群聊".into(),
                items: vec!["不是 JSON".into(), "2026".into(), "图文".into()]
            }],
            "no words are lost to a shape that no document shows"
        );
    }

    #[test]
    fn revokes_and_switches() {
        let revoke = wrap("revoke", r#""revoke":{"pre_msgid":"m0"}"#);
        assert_eq!(revoke.revokes, Some(MessageId::from("archive:m0")));
        assert_eq!(parse(r#"{"msgid":"s","action":"switch","time":1,"user":"lisi"}"#).unwrap(), None);
        assert!(parse("{").is_err());
    }

    #[test]
    fn what_wecom_writes_in_somebodys_name_is_nobodys_word() {
        let vote = |votetype: u64| {
            wrap(
                "vote",
                &format!(r#""vote":{{"votetitle":"周五去哪儿聚餐","voteitem":["火锅"],"votetype":{votetype}}}"#),
            )
        };
        assert_eq!((vote(101).text.as_str(), nobodys(&vote(101))), ("周五去哪儿聚餐\n火锅", None), "who asks");
        assert_eq!((vote(102).text.as_str(), nobodys(&vote(102))), ("", Some("vote_cast")), "who answers");
        let top_level = wrap("vote", r#""votetitle":"周五去哪儿","voteitem":["火锅"],"votetype":102"#);
        assert_eq!(nobodys(&top_level), Some("vote_cast"));
        for (kind, body, nobodys_kind) in [
            ("text", r#""text":{"content":"【未知消息类型】"}"#, "unknown_kind"),
            ("todo", r#""todo":{"title":"来自张三的待办","content":"买粮食"}"#, "todo"),
            ("calendar", r#""calendar":{"title":"日程","place":"A","remarks":"B"}"#, "calendar"),
            ("meeting", r#""meeting":{"topic":"会","address":"A","remarks":"B"}"#, "meeting"),
            ("meeting_notification", r#""info":{"content":"会议将于五分钟后开始"}"#, "meeting_notification"),
        ] {
            let message = wrap(kind, body);
            assert_eq!((message.text.as_str(), nobodys(&message)), ("", Some(nobodys_kind)), "{kind}");
        }
        let beside = wrap(
            "mixed",
            r#""mixed":{"item":[{"type":"text","content":"{\"content\":\"【未知消息类型】\"}"},{"type":"text","content":"{\"content\":\"大家看\"}"}]}"#,
        );
        assert_eq!((beside.text.as_str(), nobodys(&beside)), ("大家看", None), "words beside it are its sender's");
        let picture = wrap("image", r#""image":{"sdkfileid":"F"}"#);
        assert_eq!(nobodys(&picture), None);
    }

    #[test]
    fn every_place_where_words_can_hide() {
        let words = |kind: &str, body: &str| wrap(kind, body).text;
        let vote = r#"{"votetitle":"投票","voteitem":["一","二"],"votetype":101}"#;
        assert_eq!(words("vote", &format!(r#""vote":{vote}"#)), "投票\n一\n二");
        assert_eq!(words("vote", vote.trim_matches(['{', '}'])), "投票\n一\n二", "at the top level in some samples");
        assert_eq!(words("collect", r#""collect":{"title":"统计","details":[{"id":1,"ques":"加我"}]}"#), "统计\n加我");
        assert_eq!(words("sphfeed", r#""sphfeed":{"sph_name":"号","feed_desc":"动态"}"#), "号\n动态");
        assert_eq!(words("location", r#""location":{"title":"店","address":"路"}"#), "店 路");
        let news = wrap("news", r#""info":{"item":[{"title":"一","url":"u1"},{"title":"二","url":"u2"}]}"#);
        assert_eq!(news.attachments.len(), 2);
        let weapp = wrap("weapp", r#""weapp":{"title":"开奖","description":"","displayname":"小程序"}"#);
        assert!(matches!(&weapp.attachments[0], Attachment::Link { title, .. } if title == "开奖\n小程序"));
        let disk = wrap("qydiskfile", r#""info":{"filename":"价格.xlsx"}"#);
        assert_eq!(disk.attachments, [Attachment::File { name: "价格.xlsx".into(), size: None }]);
        for (kind, body) in [
            ("voiptext", r#""info":{"callduration":9,"invitetype":2}"#),
            ("meeting_voice_call", r#""voiceid":"v","meeting_voice_call":{"endtime":1}"#),
            ("voip_doc_share", r#""voipid":"v","voip_doc_share":{"filename":"f"}"#),
            ("note", r#""info":{"items":[]}"#),
            ("solitaire", r#""solitaire":{"x":"接龙"}"#),
            ("emotion", r#""emotion":{"type":1}"#),
            ("voice", r#""voice":{"play_length":3}"#),
            ("video", r#""video":{"play_length":3}"#),
        ] {
            let message = wrap(kind, body);
            assert!(
                matches!(&message.attachments[..], [Attachment::Other { kind: k, raw }] if k == kind && raw.len() > 2),
                "{kind}"
            );
        }
        for consent in ["agree", "disagree"] {
            assert_eq!(
                parse(&format!(r#"{{"msgid":"a","msgtype":"{consent}","agree":{{"userid":"wm"}}}}"#)).unwrap(),
                None
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_can_break_the_reader(text in "(这是一条引用/回复消息：|「|\\n|-|- |」|\"|[a-z加微信]){0,20}", kind in "[a-z]{0,12}") {
            let (own, quote) = split_quote(&text);
            assert!(own.len() + quote.map_or(0, str::len) <= text.len());
            let body = serde_json::json!({ "msgid": "m", "msgtype": kind, "text": { "content": text }, kind.as_str(): [text] });
            let _ = parse(&body.to_string());
            let _ = parse(&text);
        }
    }
}
