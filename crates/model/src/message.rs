//! One message: who said what, where, with what attached.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Category, GroupId, MemberId, id_type, named_enum};

id_type! {
    /// A message, unique over all channels: the channel's name, a colon, the channel's own id.
    MessageId
}

named_enum! {
    /// The way a message came in.
    pub enum Channel {
        /// 会话内容存档.
        Archive = "archive", "会话存档";
        /// 智能机器人, callback or socket.
        Bot = "bot", "智能机器人";
        /// Self-built app callback (1:1 messages).
        App = "app", "自建应用";
        /// `POST /api/v1/messages`.
        Http = "http", "接口";
        /// The name that somebody carries, judged when it is new.
        Name = "name", "昵称";
    }
}

/// One message of one person in one group (or alone with the bot: then `group` is empty).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Unique over all channels.
    pub id: MessageId,
    /// The way it came.
    pub channel: Channel,
    /// Where it was said; empty in a private talk.
    pub group: GroupId,
    /// Who said it.
    pub sender: MemberId,
    /// The name shown in the group, when the channel tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// When it was said, by WeCom's own clock.
    pub at: Timestamp,
    /// The sender's own words, quotes stripped.
    pub text: String,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The id of the message this one takes back (撤回).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revokes: Option<MessageId>,
    /// Addressed to the bot (@ or private): may be a command.
    #[serde(default)]
    pub to_bot: bool,
}

impl Message {
    /// Takes what the records in it say for its sender's own words.
    pub fn say_forwarded(&mut self) {
        let text = &mut self.text;
        self.attachments.retain(|part| {
            let Attachment::Forwarded { title, items } = part else { return true };
            for words in std::iter::once(title).chain(items).filter(|words| !words.is_empty()) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(words);
            }
            false
        });
    }

    /// A plain text message; tests and the HTTP channel start here.
    pub fn text(channel: Channel, id: &str, group: &str, sender: &str, at: Timestamp, text: &str) -> Self {
        Self {
            id: MessageId::new(format!("{channel}:{id}")),
            channel,
            group: group.into(),
            sender: sender.into(),
            sender_name: None,
            at,
            text: text.to_owned(),
            attachments: Vec::new(),
            revokes: None,
            to_bot: false,
        }
    }
}

/// A part of a message that is not the sender's own typed words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Attachment {
    /// Words of somebody else that the sender quotes; not held against the sender.
    Quote {
        /// The quoted text.
        text: String,
        /// It looks like a quote, and nobody is known to have said it: perhaps its writer's own words, so a person looks.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        doubtful: bool,
    },
    /// A forwarded record, already flattened; not held against the sender unless the rulebook says so.
    Forwarded {
        /// Title of the record.
        title: String,
        /// One entry a message, nested records included, oldest first.
        items: Vec<String>,
    },
    /// A link card, a document, a mini program (`url` is who made it and the page then), or an address behind a QR code or a
    /// short link.
    Link {
        /// Where it leads.
        url: String,
        /// Title and description joined by a newline.
        title: String,
        /// `link`, `doc`, `disk`, `weapp`, `qr`, or `short` for where a short link of the message leads.
        origin: String,
    },
    /// A file by its name.
    File {
        /// Name with extension.
        name: String,
        /// Bytes, if known.
        size: Option<u64>,
        /// Archive file id, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sdk_file_id: Option<String>,
        /// What it holds, if somebody looked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inside: Option<Inside>,
    },
    /// A picture; `sdk_file_id` fetches it from the archive.
    Image {
        /// Archive file id, if any.
        sdk_file_id: Option<String>,
        /// The words that were read in it, a line each; empty if nobody looked.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        words: String,
    },
    /// A contact card (名片).
    Card {
        /// Whose card.
        user: String,
        /// The company on it, as that company calls itself.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        company: String,
    },
    /// A red packet.
    RedPacket {
        /// The words on it.
        wish: String,
    },
    /// Anything else, by WeCom's own name.
    Other {
        /// `msgtype` as WeCom wrote it.
        kind: String,
        /// Its body as it came, cut at 4 KiB.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        raw: String,
    },
}

impl Attachment {
    /// A file of which only the name is known.
    pub fn file(name: &str, size: Option<u64>) -> Self {
        Self::File { name: name.to_owned(), size, sdk_file_id: None, inside: None }
    }

    /// Words of somebody else.
    pub fn quote(text: &str) -> Self {
        Self::Quote { text: text.to_owned(), doubtful: false }
    }

    /// A picture that nobody looked at.
    pub const fn image(sdk_file_id: Option<String>) -> Self {
        Self::Image { sdk_file_id, words: String::new() }
    }
}

/// What a file holds, in numbers: none of its words is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inside {
    /// Different mobile numbers that are not the company's own.
    pub mobiles: usize,
    /// Different ID cards.
    pub id_cards: usize,
    /// Different bank cards.
    pub bank_cards: usize,
    /// Different e-mail addresses that are not the company's own.
    pub emails: usize,
    /// Keys and passwords.
    pub credentials: usize,
    /// Rows of a table that have a price.
    pub prices: usize,
    /// Rows of a table that have what only the company should know: 成本, 底价, 毛利 …
    pub costs: usize,
    /// Lines that would be acted on if somebody said them, by what they are about.
    pub lines: Vec<(Category, usize)>,
    /// It was read up to the limit only.
    pub cut: bool,
}

impl Inside {
    /// For people: `312 个手机号、3 个身份证号`; empty if there is nothing to tell.
    pub fn summary(&self) -> String {
        let counted = [
            (self.mobiles, "个手机号"),
            (self.id_cards, "个身份证号"),
            (self.bank_cards, "个银行卡号"),
            (self.emails, "个邮箱"),
            (self.credentials, "处密码或密钥"),
            (self.costs, "行成本或底价"),
            (self.prices, "行价格"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let mut parts: Vec<String> = counted.map(|(count, what)| format!("{count} {what}")).collect();
        parts.extend(self.lines.iter().map(|(category, count)| format!("{count} 处像{}的话", category.zh())));
        let more = if self.cut && !parts.is_empty() { "（只看了前一部分）" } else { "" };
        parts.join("、") + more
    }
}
