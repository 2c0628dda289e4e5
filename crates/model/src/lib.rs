//! The words every crate of the house uses: who, where, when, what kind, how bad.
//!
//! Chinese names shown to people live beside the English ones used in files and over HTTP, so that one
//! thing has one name everywhere.

mod message;

pub use jiff::{SignedDuration, Timestamp};

pub use message::{Attachment, Channel, Inside, Message, MessageId};

/// Declares an identifier: an immutable, cheaply cloned string that is never mixed up with another kind.
#[macro_export]
macro_rules! id_type {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(::std::sync::Arc<str>);

        impl $name {
            /// Wraps the text as it is; ids are case-sensitive.
            pub fn new(text: impl AsRef<str>) -> Self { Self(::std::sync::Arc::from(text.as_ref())) }
            /// The id as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(&self.0) }
        }
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { write!(f, "{:?}", &*self.0) }
        }
        impl From<&str> for $name { fn from(text: &str) -> Self { Self::new(text) } }
        impl From<String> for $name { fn from(text: String) -> Self { Self::new(text) } }
        impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
    )*};
}

/// Declares an enum whose variants have one stable name in files and over HTTP and one Chinese name for people.
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $id:literal, $zh:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $id)] $variant,)* }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &[$name] = &[$($name::$variant),*];
            /// The stable name used in files, over HTTP and in logs.
            pub const fn id(self) -> &'static str { match self { $($name::$variant => $id),* } }
            /// The Chinese name shown to people.
            pub const fn zh(self) -> &'static str { match self { $($name::$variant => $zh),* } }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.id()) }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::UnknownName;
            fn from_str(text: &str) -> Result<Self, $crate::UnknownName> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|v| v.id() == text)
                    .ok_or_else(|| $crate::UnknownName::new(text, Self::ALL.iter().map(|v| v.id())))
            }
        }
    };
}

/// A name that is not one of the known ones, with the nearest known one as a hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {found:?}{}", nearest.as_ref().map(|n| format!(", did you mean {n:?}?")).unwrap_or_default())]
pub struct UnknownName {
    /// What was written.
    pub found: String,
    /// The closest known name, if any is close.
    pub nearest: Option<String>,
}

impl UnknownName {
    /// Builds the error, searching the known names for a near one.
    pub fn new<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let nearest = known
            .into_iter()
            .map(|k| (strsim::damerau_levenshtein(k, found), k))
            .min()
            .filter(|(distance, k)| distance * 3 <= k.chars().count().min(found.chars().count()).max(3))
            .map(|(_, k)| k.to_owned());
        Self { found: found.to_owned(), nearest }
    }
}

id_type! {
    /// A group: archive room id, appchat id or customer-group id, as the settings name it.
    GroupId
    /// A person in WeCom: a userid of the company or an `external_userid`.
    MemberId
}

named_enum! {
    /// A member's part in a group.
    pub enum Role {
        /// Nobody special.
        Member = "member", "成员";
        /// Helps the owner.
        Admin = "admin", "管理员";
        /// Owns the group.
        Owner = "owner", "群主";
        /// A program.
        Bot = "bot", "机器人";
    }
}

named_enum! {
    /// How a group came to exist, which bounds what a server may do there (`docs/wecom.md`).
    pub enum GroupKind {
        /// Created by the app through `appchat/create`.
        App = "app", "应用群";
        /// Internal, created by people.
        Internal = "internal", "内部群";
        /// Customer group (客户群), with external people.
        Customer = "customer", "客户群";
        /// Internal, with the smart bot as a member.
        Bot = "bot", "机器人群";
    }
}

named_enum! {
    /// What a message is about, when it breaks a rule. The names are those that rulebooks, wordlists and policies use.
    pub enum Category {
        /// Advertising and contact drops.
        Ads = "ads", "广告引流";
        /// Other groups' codes and links, other brands.
        CrossPromotion = "cross_promotion", "跨群推广";
        /// Filler without meaning.
        Junk = "junk", "灌水";
        /// Too many or repeated messages.
        Flood = "flood", "刷屏";
        /// Insults and abuse of a person.
        Insult = "insult", "辱骂";
        /// Unverified claims spread as news.
        Rumour = "rumour", "谣言";
        /// Gambling.
        Gambling = "gambling", "赌博";
        /// Pornography and sexual services.
        Porn = "porn", "色情";
        /// Drugs and other forbidden goods.
        Drugs = "drugs", "违禁品";
        /// Fraud: phishing, fake jobs, loans, fake customer service.
        Fraud = "fraud", "诈骗";
        /// Violence, terror, weapons, threats.
        Violence = "violence", "暴恐";
        /// Politics; the list is the admin's and ships empty.
        Politics = "politics", "涉政";
        /// Company secrets and credentials.
        LeakSecret = "leak_secret", "泄露机密";
        /// Other people's personal data.
        LeakPersonal = "leak_personal", "泄露个人信息";
        /// Superlatives, guarantees, cures.
        FalseClaim = "false_claim", "虚假夸大";
        /// Prices or promises nobody approved.
        UnauthorisedPromise = "unauthorised_promise", "擅自承诺";
        /// Running down competitors.
        Disparage = "disparage", "诋毁同行";
        /// Recruiting agents, selling across regions, passing authorisation on.
        Recruit = "recruit", "招代理";
        /// Deals and payments outside the company's way.
        PrivateDeal = "private_deal", "私下交易";
        /// Sales to minors.
        Minors = "minors", "未成年人";
        /// Bribery and kickbacks.
        Bribery = "bribery", "商业贿赂";
        /// Fakes and copies.
        FakeGoods = "fake_goods", "售假";
        /// Viruses, suspicious links and files.
        Malware = "malware", "可疑链接";
        /// Disrespect of ethnic and religious customs.
        Disrespect = "disrespect", "不尊重民族风俗";
        /// Reposts the group's rules forbid.
        Repost = "repost", "未授权转发";
        /// Posing as the owner, an admin or the company.
        Impersonation = "impersonation", "冒充身份";
    }
}

impl Category {
    /// Leaks are handled by a recall request and a ticket, never by a strike.
    pub const fn is_leak(self) -> bool {
        matches!(self, Self::LeakSecret | Self::LeakPersonal)
    }
    /// What regulations sum up as 黄赌毒暴恐诈骗 (the check `illegal`).
    pub const ILLEGAL: &'static [Self] = &[Self::Gambling, Self::Porn, Self::Drugs, Self::Fraud, Self::Violence];
}

named_enum! {
    /// How bad a hit is.
    pub enum Severity {
        /// A private hint is enough.
        Low = "low", "轻";
        /// The ordinary case.
        Medium = "medium", "中";
        /// Mutes at once under the default ladder.
        High = "high", "重";
        /// Removes at once under the default ladder.
        Critical = "critical", "严重";
    }
}

named_enum! {
    /// Life of a rule.
    pub enum Stage {
        /// Records only.
        Observe = "observe", "观察";
        /// Asks a human for each hit.
        Pilot = "pilot", "试点";
        /// Acts.
        Enforce = "enforce", "执行";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_hint() {
        for category in Category::ALL {
            assert_eq!(category.id().parse::<Category>().as_ref(), Ok(category));
        }
        let error = "leak_personel".parse::<Category>().unwrap_err();
        assert_eq!(error.nearest.as_deref(), Some("leak_personal"));
        assert_eq!("own".parse::<Category>().unwrap_err().nearest, None, "nobody meant porn");
    }
}
