//! `[[group]]`: one section a group that is to be kept in order.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, de};

use super::{Kinds, OwnerNewsMode, SecondOpinionMode, Secret, Service, Times};
use crate::{
    model::{GroupId, GroupKind, MemberId, Mode, named_enum},
    policy::rulebook::Rulebook,
};

/// One group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id: the appchat id, the archive's room id or the customer group's id.
    pub id: GroupId,
    /// Shown name; default what WeCom says.
    #[serde(default)]
    pub name: String,
    /// How it came to exist; default `app` in full mode, else `internal`.
    pub kind: Option<GroupKind>,
    /// What may be done; default `watch`.
    #[serde(default = "watch")]
    pub mode: Mode,
    /// A file in `policies/`, without `.toml`; default the one that its rulebooks bring along, else `default`.
    pub policy: Option<String>,
    /// Files in `rulebooks/`, without `.toml`; one name or a list, the first wins when several forbid the same.
    #[serde(default, deserialize_with = "one_or_many")]
    pub rulebook: Vec<String>,
    /// What its members are told of the rulebooks; default everything.
    #[serde(default)]
    pub tell_rules: TellRules,
    /// The owner's userid; of app and customer groups WeCom tells it and wins.
    pub owner: Option<MemberId>,
    /// Userids of those who help the owner.
    #[serde(default)]
    pub admins: Vec<MemberId>,
    /// Kinds of messages that this group does not want; what is not named is as in `[detect.kinds]`.
    #[serde(default)]
    pub kinds: Kinds,
    /// The same group's room id in the archive, if it is another.
    pub archive_room: Option<String>,
    /// The same group's chat id in the bot's callbacks, if it is another.
    pub bot_chat: Option<String>,
    /// The same group's id as a customer group (`wr…`), if it is another.
    pub customer_chat: Option<String>,
    /// What it uses the second opinion for; default what `[detect.second_opinion]` says.
    pub second_opinion: Option<SecondOpinionMode>,
    /// What newcomers read: in groups of the app the app says it, for customer groups it is put among WeCom's own greetings, of
    /// which the owner chooses one. Absent: nothing.
    pub welcome: Option<Welcome>,
    /// How often its owner and admins hear of what the bot did there by itself; default what `[owner_news]` says.
    pub owner_news: Option<OwnerNewsMode>,
    /// By when questions are answered here; what is not said is as in `[service]`.
    pub service: Option<Service>,
    /// Its own working hours, and when promotion and chat are welcome.
    #[serde(default)]
    pub times: Times,
    /// Key (or whole address) of a webhook 消息推送 that was added to the group by hand.
    /// Changing it needs a restart.
    pub webhook: Option<Secret>,
}

impl Group {
    /// How it came to exist.
    pub fn kind(&self) -> GroupKind {
        self.kind.unwrap_or(if self.mode == Mode::Full { GroupKind::App } else { GroupKind::Internal })
    }
    /// The key of its webhook, whether the settings have the key or the whole address; `None` for an address without one.
    pub fn webhook_key(&self) -> Option<&str> {
        let given = self.webhook.as_ref()?.expose().trim();
        if !given.contains("://") {
            return Some(given).filter(|key| !key.is_empty());
        }
        let (_, query) = given.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("key=")).filter(|key| !key.is_empty())
    }
    /// The name of its policy: its own, or what the first of its rulebooks brings along.
    pub fn policy<'a>(&'a self, rulebooks: &'a BTreeMap<String, Arc<Rulebook>>) -> &'a str {
        let brought =
            || self.rulebook.iter().filter_map(|name| rulebooks.get(name)).find_map(|book| book.policy.as_deref());
        self.policy.as_deref().or_else(brought).unwrap_or("default")
    }
    /// Its other ids.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        [&self.archive_room, &self.bot_chat, &self.customer_chat].into_iter().filter_map(Option::as_deref)
    }
}

named_enum! {
    /// What a group's members are told of its rulebooks.
    #[derive(Default)]
    pub enum TellRules {
        /// The whole text once, whoever joins too, and every change.
        #[default]
        All = "all", "全文和改动";
        /// Changes only: they know the rules, or get them in another way.
        Changes = "changes", "只有改动";
    }
}

/// What newcomers read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// The words; default 欢迎加入，请先看一下群规。
    #[serde(default = "welcome")]
    pub text: String,
    /// Where the rules can be read, if anywhere.
    pub link: Option<String>,
}

fn welcome() -> String {
    "欢迎加入，请先看一下群规。".to_owned()
}
fn watch() -> Mode {
    Mode::Watch
}

/// `"a"` or `["a", "b"]`.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Visitor;
    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("一个名字或一列名字")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = seq.next_element()? {
                names.push(name);
            }
            Ok(names)
        }
    }
    deserializer.deserialize_any(Visitor)
}
