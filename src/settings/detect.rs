//! `[detect]`: what the company knows about itself, so that its own talk is not taken for a violation, and when
//! flooding begins.

use std::ops::RangeInclusive;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

use super::{FileReading, LinkReading, Ocr, SecondOpinion, kinds::Kinds};
use crate::{
    detect::{
        budget,
        history::{COUNTED, Limits, PER_MEMBER},
    },
    duration::{duration, parse_duration},
};

/// What is the company's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Domains whose links are fine, subdomains included: `example.com`.
    pub allow_domains: Vec<String>,
    /// Own brand, product and shop names; hits inside them don't count.
    pub brands: Vec<String>,
    /// Names of the staff; hits inside them don't count.
    pub staff_names: Vec<String>,
    /// Shown names that nobody else may carry: the owners, the admins, the company's service account.
    pub protected_names: Vec<String>,
    /// Phone and card numbers and e-mail addresses the company publishes itself: posting them leaks nothing.
    pub own_numbers: Vec<String>,
    /// Account names of the company itself (`haofang888`): asking to be reached there is no advert.
    pub own_accounts: Vec<String>,
    /// Names and brands of competitors: whoever mentions one is shown to a person.
    pub competitors: Vec<String>,
    /// The company's price list, `prices.xlsx` or `prices.csv` with product, lowest and highest price, relative to the config
    /// folder: a member's price outside it is shown to a person.
    pub price_list: Option<String>,
    /// Wordlists not to use, by path without `.txt`: `ads/contact`.
    pub skip_wordlists: Vec<String>,
    /// Look for QR codes in pictures and judge them as links; default on.
    pub qr_codes: bool,
    /// Honest messages of a thousand that may be acted on, at most: sets the acting threshold by the measured curve. Without it
    /// `act` of `scores.toml` counts.
    #[serde(deserialize_with = "false_alarms")]
    pub false_alarms: Option<f32>,
    /// When flooding begins.
    pub flood: Flood,
    /// Kinds of messages that no group wants; default none.
    pub kinds: Kinds,
    /// Words in pictures; not read unless given.
    pub ocr: Option<Ocr>,
    /// What files hold.
    pub files: FileReading,
    /// Where short links lead.
    pub links: LinkReading,
    /// A language model that is asked too; none unless given.
    pub second_opinion: Option<SecondOpinion>,
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            allow_domains: Vec::new(),
            brands: Vec::new(),
            staff_names: Vec::new(),
            protected_names: Vec::new(),
            own_numbers: Vec::new(),
            own_accounts: Vec::new(),
            competitors: Vec::new(),
            price_list: None,
            skip_wordlists: Vec::new(),
            qr_codes: true,
            false_alarms: None,
            flood: Flood::default(),
            kinds: Kinds::default(),
            ocr: None,
            files: FileReading::default(),
            links: LinkReading::default(),
            second_opinion: None,
        }
    }
}

/// When flooding begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flood {
    /// Messages of one person within `rate_window` that are still fine; default 10.
    #[serde(deserialize_with = "rate")]
    pub rate: usize,
    /// Default 30 s.
    #[serde(deserialize_with = "duration")]
    pub rate_window: SignedDuration,
    /// The same text so often within `repeat_window` is repetition; default 3.
    #[serde(deserialize_with = "repeats")]
    pub repeats: usize,
    /// Default 10 min.
    #[serde(deserialize_with = "duration")]
    pub repeat_window: SignedDuration,
    /// The same text from so many people within `campaign_window` is a campaign; default 3.
    #[serde(deserialize_with = "campaign")]
    pub campaign_senders: usize,
    /// The same text of one person in so many groups is one, too; default 3.
    #[serde(deserialize_with = "campaign")]
    pub campaign_groups: usize,
    /// Default 6 h.
    #[serde(deserialize_with = "duration")]
    pub campaign_window: SignedDuration,
    /// Texts with fewer characters (收到, 好的) never count as repeated; default 6.
    pub shortest: usize,
    /// What somebody goes on saying of the same kind for so long after the bot told them belongs to the same deed: they
    /// need the time to read it. Default 2 min; zero makes a case of each.
    #[serde(deserialize_with = "window")]
    pub deed_read: SignedDuration,
    /// As long as nobody was told, what is said within so long of the last message belongs to the same deed; default 10 min.
    #[serde(deserialize_with = "window")]
    pub deed_within: SignedDuration,
}

/// A number, or the same in words.
fn false_alarms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    budget::parse_false_alarms(&text).map(Some).map_err(D::Error::custom)
}

/// A length of time, or none at all: `0s`.
fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "0s" { Ok(SignedDuration::ZERO) } else { parse_duration(&text).map_err(D::Error::custom) }
}

/// A count that can be reached, and not by everybody's every message.
fn within<'de, D: Deserializer<'de>>(deserializer: D, counts: RangeInclusive<usize>) -> Result<usize, D::Error> {
    let count = i64::deserialize(deserializer)?;
    let found = usize::try_from(count).ok().filter(|count| counts.contains(count));
    found.ok_or_else(|| {
        let (least, most) = counts.into_inner();
        let why =
            if count < least as i64 { "再少会把每条消息都算作刷屏" } else { "再多就数不到了" };
        D::Error::custom(format!("写的是 {count}，要在 {least} 到 {most} 之间：{why}"))
    })
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, 1..=PER_MEMBER - 1)
}

fn repeats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, 2..=PER_MEMBER)
}

fn campaign<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, 2..=COUNTED)
}

impl Default for Flood {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            rate: limits.rate,
            rate_window: limits.rate_window,
            repeats: limits.repeats,
            repeat_window: limits.repeat_window,
            campaign_senders: limits.campaign_senders,
            campaign_groups: limits.campaign_groups,
            campaign_window: limits.campaign_window,
            shortest: limits.shortest,
            deed_read: SignedDuration::from_mins(2),
            deed_within: SignedDuration::from_mins(10),
        }
    }
}

impl Flood {
    /// As the detector wants them.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            rate: self.rate,
            rate_window: self.rate_window,
            repeats: self.repeats,
            repeat_window: self.repeat_window,
            campaign_senders: self.campaign_senders,
            campaign_groups: self.campaign_groups,
            campaign_window: self.campaign_window,
            shortest: self.shortest,
        }
    }
}
