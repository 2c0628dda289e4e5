//! What no document says about WeCom, as settings: a test that must not depend on a guess runs under both readings.
//!
//! The defaults are the stricter reading. `POST /sim/api/unknowns` changes those it names; a reset leaves them alone.

use serde::{Deserialize, Serialize};

/// One setting for each thing that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unknowns {
    /// Calls of `gettoken` a minute.
    pub token_calls_per_minute: u64,
    /// Whether `gettoken` too is refused from an address that is not trusted.
    pub token_checks_address: bool,
    /// `appchat/update` with one bad id does nothing; else it does the rest and is content.
    pub update_is_atomic: bool,
    /// The code of a `task_id` that was used before.
    pub repeated_task_id_code: i64,
    /// Hours a card's `response_code` works: 72 in newer texts, 24 in older ones.
    pub response_code_hours: i64,
    /// The code of a `response_url` that was used or is too old.
    pub used_response_url_code: i64,
    /// Minutes a streaming answer of the bot may grow: 6 in Tencent's code, 10 in a document.
    pub stream_minutes: i64,
    /// The code of `aibot_send_msg` to a chat in which nobody has talked to the bot.
    pub never_talked_code: i64,
    /// The code of the bot's words beyond its limits.
    pub bot_limit_code: i64,
    /// Lengths of a card's parts that the page only advises are refused beyond it.
    pub card_lengths: bool,
    /// The app's markdown beyond 2048 bytes is cut as its text is; else it is refused.
    pub markdown_is_cut: bool,
    /// The bot's connection takes a stream with a card (`stream_with_template_card`), which one document lists and calls
    /// unsupported.
    pub stream_with_card: bool,
    /// Days the archive keeps messages: 5 in newer texts, 3 in older ones. An older position goes on with the oldest left.
    pub archive_days: i64,
    /// The most that the archive hands out at once, whatever is asked for; 0 is all of it.
    pub archive_batch: usize,
    /// Of a 接龙 that was joined, the archive has only the new line; else all of it.
    pub joined_line_only: bool,
    /// Clients write what a quoted message is in front of its title (`[链接] …`); else the title alone.
    pub quote_labels: bool,
    /// Where the bot's userids are encrypted, they are so over its long connection too.
    pub socket_encrypts_ids: bool,
}

impl Default for Unknowns {
    fn default() -> Self {
        Self {
            token_calls_per_minute: 60,
            token_checks_address: false,
            update_is_atomic: true,
            repeated_task_id_code: 42014,
            response_code_hours: 72,
            used_response_url_code: 60140,
            stream_minutes: 6,
            never_talked_code: 93001,
            bot_limit_code: 45009,
            card_lengths: false,
            markdown_is_cut: false,
            stream_with_card: false,
            archive_days: 5,
            archive_batch: 0,
            joined_line_only: false,
            quote_labels: true,
            socket_encrypts_ids: true,
        }
    }
}

impl Unknowns {
    /// Changes what `patch` names.
    ///
    /// # Errors
    /// A name that is not known or a value that does not fit.
    pub fn change(&mut self, patch: &serde_json::Value) -> Result<(), String> {
        let mut all = serde_json::to_value(&*self).map_err(|e| e.to_string())?;
        let patch = patch.as_object().ok_or("an object is expected")?;
        for (name, value) in patch {
            all[name] = value.clone();
        }
        *self = serde_json::from_value(all).map_err(|e| e.to_string())?;
        Ok(())
    }
}
