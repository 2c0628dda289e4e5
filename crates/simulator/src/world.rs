//! The simulated company: people, groups, what was said in them, and what stands in each person's 1:1 talks.
//!
//! Plain data and the small steps on it; who may do what is decided in `people.rs` (a human in the client) and under
//! `api/` (a server).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use jiff::Timestamp;
use qunguan_model::{GroupKind, Role};

/// Earlier member lists a group keeps.
const EARLIER_KEPT: usize = 16;

/// Lines a group keeps for its page; older ones stay only in the archive.
const LINES_KEPT: usize = 2000;

/// What sort of account a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// Works in the company.
    Employee,
    /// A customer: a WeChat user (`wm…`) or somebody of another company (`wo…`).
    External,
    /// A program (`wb…`).
    Robot,
}

/// Somebody, or a program, with an account.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// `userid`, `external_userid` or robot id.
    pub id: String,
    /// The name everybody sees.
    pub name: String,
    /// Sort of account.
    pub kind: PersonKind,
    /// Department of an employee; 1 is the root.
    pub department: u64,
    /// Left the company: unknown to the contact calls from then on.
    pub left: bool,
    /// Agreed to the archive (external people are asked).
    pub consents: bool,
}

/// One member of a group.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Who.
    pub id: String,
    /// Since when.
    pub joined: Timestamp,
    /// `join_scene`: 1 invited directly, 2 by link, 3 by QR code.
    pub scene: u8,
    /// Who invited, if somebody did.
    pub inviter: Option<String>,
}

/// Somebody who is not in the group any more, as the members panel shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Gone {
    /// Since when.
    pub at: Timestamp,
    /// Who did it; the person for leaving, an app's robot id for a removal by a server.
    pub by: String,
    /// Left or removed.
    pub removed: bool,
}

/// One line of a group's page.
#[derive(Clone, Debug)]
pub struct Line {
    /// Rises within the group.
    pub no: u64,
    /// When.
    pub at: Timestamp,
    /// Who said it; `None` for a grey system line.
    pub from: Option<String>,
    /// The archive's message id; empty for system lines.
    pub msgid: String,
    /// `text`, `markdown`, `image`, `template_card`, … or `system`.
    pub msgtype: String,
    /// The words as the group sees them.
    pub text: String,
    /// The body as sent, for cards, links and pictures.
    pub body: Value,
    /// The text this one quotes.
    pub quote: Option<String>,
    /// Who got it: the members at that moment, without those the platform silently dropped.
    pub seen_by: Arc<BTreeSet<String>>,
    /// Taken back by its sender.
    pub recalled: bool,
    /// Interactive card, if it is one.
    pub card: Option<Card>,
    /// Id of the bot's streaming answer that still changes this line.
    pub stream: Option<String>,
}

/// An interactive card as its receivers see it.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// The card for everybody.
    pub face: Value,
    /// The card for those whose view was updated alone.
    pub faces: BTreeMap<String, Value>,
    /// Grey label instead of the buttons, per person.
    pub frozen: BTreeMap<String, String>,
}

impl Card {
    /// A fresh card.
    pub fn new(face: Value) -> Self {
        Self { face, faces: BTreeMap::new(), frozen: BTreeMap::new() }
    }
    /// What one person sees.
    pub fn face_for(&self, person: &str) -> &Value {
        self.faces.get(person).unwrap_or(&self.face)
    }
}

/// One group.
#[derive(Clone, Debug)]
pub struct Group {
    /// `chatid` of appchat, `chat_id` of a customer group, `chatid` in the bot's callbacks.
    pub id: String,
    /// `roomid` in the archive; the same as `id` unless a script asked for another one.
    pub room: String,
    /// How it came to exist.
    pub kind: GroupKind,
    /// Name.
    pub name: String,
    /// 群公告.
    pub notice: String,
    /// Owner.
    pub owner: String,
    /// Admins.
    pub admins: BTreeSet<String>,
    /// Members in the order they came, owner and bot included.
    pub members: Vec<Member>,
    /// Who is not here any more.
    pub gone: BTreeMap<String, Gone>,
    /// Muted by the owner in the client (internal groups only; no server can do it).
    pub muted: BTreeSet<String>,
    /// The app that created it, for [`GroupKind::App`].
    pub agent: Option<i64>,
    /// When it was made.
    pub created: Timestamp,
    /// Nobody can do anything with it any more.
    pub dissolved: bool,
    /// Changes with every change of the member list.
    pub member_version: u64,
    /// Member lists of before, each with its version and the moment that ended it, oldest first, bounded.
    pub earlier: Vec<(Timestamp, u64, Vec<Member>)>,
    /// What happened, oldest first, bounded.
    pub lines: Vec<Line>,
    /// Number of the last line.
    pub last_no: u64,
    present: Arc<BTreeSet<String>>,
}

impl Group {
    /// A group with its members; the first one is the owner.
    pub fn new(id: &str, kind: GroupKind, name: &str, members: &[&str], now: Timestamp) -> Self {
        let mut group = Self {
            id: id.to_owned(),
            room: id.to_owned(),
            kind,
            name: name.to_owned(),
            notice: String::new(),
            owner: members.first().copied().unwrap_or_default().to_owned(),
            admins: BTreeSet::new(),
            members: Vec::new(),
            gone: BTreeMap::new(),
            muted: BTreeSet::new(),
            agent: None,
            created: now,
            dissolved: false,
            member_version: 1,
            earlier: Vec::new(),
            lines: Vec::new(),
            last_no: 0,
            present: Arc::default(),
        };
        for id in members {
            group.add(id, now, 1, None);
        }
        group.member_version = 1;
        group.earlier.clear();
        group
    }

    /// The member list and its version as they were at a moment; what was before the bounded memory is not known.
    pub fn list_at(&self, at: Timestamp) -> (u64, &[Member]) {
        let earlier = self.earlier.iter().find(|(until, ..)| *until > at);
        earlier.map_or((self.member_version, self.members.as_slice()), |(_, version, members)| (*version, members))
    }

    fn keep_list(&mut self, now: Timestamp) {
        self.earlier.push((now, self.member_version, self.members.clone()));
        self.earlier.drain(..self.earlier.len().saturating_sub(EARLIER_KEPT));
    }

    /// Whether the person is a member.
    pub fn has(&self, person: &str) -> bool {
        self.present.contains(person)
    }
    /// The members' ids.
    pub fn present(&self) -> Arc<BTreeSet<String>> {
        self.present.clone()
    }
    /// The person's part.
    pub fn role(&self, person: &str) -> Role {
        if person.starts_with("wb") {
            Role::Bot
        } else if person == self.owner {
            Role::Owner
        } else if self.admins.contains(person) {
            Role::Admin
        } else {
            Role::Member
        }
    }
    /// Makes the person a member; nothing happens if they are one.
    pub fn add(&mut self, person: &str, now: Timestamp, scene: u8, inviter: Option<String>) {
        if self.has(person) {
            return;
        }
        self.keep_list(now);
        self.members.push(Member { id: person.to_owned(), joined: now, scene, inviter });
        self.gone.remove(person);
        Arc::make_mut(&mut self.present).insert(person.to_owned());
        self.member_version += 1;
    }
    /// Takes the person out.
    pub fn remove_member(&mut self, person: &str, by: &str, removed: bool, now: Timestamp) {
        self.keep_list(now);
        self.members.retain(|m| m.id != person);
        self.admins.remove(person);
        self.muted.remove(person);
        Arc::make_mut(&mut self.present).remove(person);
        self.gone.insert(person.to_owned(), Gone { at: now, by: by.to_owned(), removed });
        self.member_version += 1;
    }
    /// `member_version` as the API writes it.
    pub fn version_text(&self, version: u64) -> String {
        super::ids::hex32(&format!("{}/{version}", self.id))
    }
    /// Adds a line and returns its number.
    pub fn push(&mut self, mut line: Line) -> u64 {
        self.last_no += 1;
        line.no = self.last_no;
        self.lines.push(line);
        if self.lines.len() > LINES_KEPT + LINES_KEPT / 4 {
            self.lines.drain(..LINES_KEPT / 4);
        }
        self.last_no
    }
    /// Adds a grey system line; `also` sees it too (somebody just removed does).
    pub fn system(&mut self, text: String, at: Timestamp, also: Option<&str>) {
        let mut seen_by = self.present.clone();
        if let Some(person) = also {
            Arc::make_mut(&mut seen_by).insert(person.to_owned());
        }
        self.push(Line {
            no: 0,
            at,
            from: None,
            msgid: String::new(),
            msgtype: "system".into(),
            text,
            body: Value::Null,
            quote: None,
            seen_by,
            recalled: false,
            card: None,
            stream: None,
        });
    }
}

/// One entry of somebody's 1:1 talk with the app or the bot.
#[derive(Clone, Debug)]
pub struct Item {
    /// Message id, for recall.
    pub msgid: String,
    /// When.
    pub at: Timestamp,
    /// The app, or `None` for the bot.
    pub agent: Option<i64>,
    /// True if the person wrote it to the app or bot.
    pub mine: bool,
    /// `text`, `markdown`, `template_card`, …
    pub msgtype: String,
    /// The words as the person sees them.
    pub text: String,
    /// The body as sent.
    pub body: Value,
    /// Taken back by the app.
    pub recalled: bool,
    /// Interactive card, if it is one.
    pub card: Option<Card>,
    /// Id of the bot's streaming answer that still changes this item.
    pub stream: Option<String>,
}

/// The words people see of a message body, for lists, quotes and the page.
pub fn words(msgtype: &str, body: &Value) -> String {
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    match msgtype {
        "text" | "markdown" | "markdown_v2" | "stream" => text("/content"),
        "image" => "[图片]".into(),
        "voice" => "[语音]".into(),
        "video" => "[视频]".into(),
        "emotion" => "[表情]".into(),
        "file" | "qydiskfile" | "voip_doc_share" => format!("[文件] {}", text("/filename")),
        "solitaire" => format!("[接龙] {}", text("/solitaire_content")),
        "vote" => format!("[投票] {}", text("/votetitle")),
        "collect" => format!("[收集表] {}", text("/title")),
        "location" => format!("[位置] {} {}", text("/title"), text("/address")),
        "calendar" => format!("[日程] {}", text("/title")),
        "todo" => format!("[待办] {}", text("/title")),
        "meeting" => format!("[会议] {}", text("/topic")),
        "sphfeed" => format!("[视频号] {} {}", text("/sph_name"), text("/feed_desc")),
        "link" | "textcard" | "docmsg" | "doc" => format!("[链接] {} {}", text("/title"), text("/description")),
        "weapp" => format!("[小程序] {}", text("/title")),
        "card" => format!("[名片] {}", text("/userid")),
        "chatrecord" => format!("[聊天记录] {}", text("/title")),
        "redpacket" | "external_redpacket" => format!("[红包] {}", text("/wish")),
        "template_card" => format!("[卡片] {}", text("/main_title/title")),
        "news" | "mpnews" => format!("[图文] {}", text("/articles/0/title")),
        "mixed" => body["item"].as_array().map_or_else(String::new, |items| {
            items
                .iter()
                .map(|item| {
                    let inner: Value =
                        serde_json::from_str(item["content"].as_str().unwrap_or("{}")).unwrap_or_else(|_| json!({}));
                    words(item["type"].as_str().unwrap_or_default(), &inner)
                })
                .collect::<Vec<_>>()
                .join(" ")
        }),
        other => format!("[{other}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_who_goes_and_comes_back_is_marked_only_meanwhile() {
        let now = Timestamp::UNIX_EPOCH;
        let mut group = Group::new("g", GroupKind::App, "群", &["wang", "li"], now);
        let before = group.version_text(group.member_version);
        group.remove_member("li", "wb-app", true, now);
        assert!(!group.has("li") && group.gone["li"].removed);
        assert_ne!(before, group.version_text(group.member_version));
        group.add("li", now, 1, None);
        assert!(group.has("li") && group.gone.is_empty());
    }

    #[test]
    fn mixed_messages_read_as_one_line() {
        let body = json!({"item": [{"type": "text", "content": "{\"content\":\"看图\"}"}, {"type": "image", "content": "{}"}]});
        assert_eq!(words("mixed", &body), "看图 [图片]");
    }
}
