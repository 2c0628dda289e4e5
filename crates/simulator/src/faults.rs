//! Fault switches: what goes wrong at WeCom on purpose, for the chat page and for scripts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::State;

/// What goes wrong. `times` counts down; without it the switch stays on until it is taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Only API calls whose path (without `/cgi-bin/`) starts with this; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// The kinds of trouble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum FaultKind {
    /// The call answers this code and has no effect: -1, 45009, 45033, …
    Error {
        /// `errcode`.
        code: i64,
    },
    /// The call answers this HTTP status and has no effect: 500, 502, …
    Http {
        /// Status.
        status: u16,
    },
    /// The call works, but its answer comes this much later.
    Slow {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// The call works, then the connection breaks before the answer.
    LostAnswer {
        /// Milliseconds of real time before it breaks.
        #[serde(default)]
        ms: u64,
    },
    /// The tokens die before their time: 40014 once for every token.
    TokenDeath,
    /// The caller's address is not trusted (60020); lasts one simulated minute longer than the switch.
    IpRefused,
    /// `errmsg` begins with the wrong-JSON warning and the body counts as empty.
    WrongJson,
    /// Every app callback, and every frame of the bot's socket, is sent three times at once, although the first was accepted.
    CallbackTriple,
    /// App and bot callbacks are not sent at all.
    CallbackLost,
    /// A forger sends a callback's first copy: its signature is wrong. The real one follows as after any refusal.
    CallbackForged,
    /// `MemChangeList` is one comma-separated text instead of `Item` elements; WeCom sends both.
    CommaLists,
    /// `msgaudit_notify` does not come.
    NotifyLost,
    /// `GetChatData` says this code.
    Archive {
        /// `errcode` inside the JSON.
        code: i64,
    },
    /// `GetMediaData` returns this code.
    ArchiveFile {
        /// Return code.
        code: i64,
    },
    /// Member lists are shown as they were so long ago; events come at once. WeCom's documents speak of two seconds.
    StaleDetails {
        /// Seconds.
        seconds: i64,
    },
    /// What answers and callbacks say of the time is so far from the simulator's clock.
    ClockOff {
        /// Seconds; negative: behind.
        seconds: i64,
    },
    /// A message comes again in the archive under a new `seq`.
    ArchiveTwice,
    /// The archive skips a few `seq`.
    ArchiveGap,
    /// A pull hands out the last few entries before the position again.
    ArchiveAgain,
    /// A pull hands out its entries in the wrong order.
    ArchiveReordered,
    /// A pull finds nothing, whatever there is.
    ArchiveStalls,
    /// `DecryptData` says 10008 the first time it is given this message's body.
    ArchiveSealed,
    /// What goes out has control characters bare, and for every U+FFFD of it half of a surrogate pair.
    BrokenText,
}

/// The switches that are on.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Oldest first.
    pub on: Vec<Fault>,
}

impl Faults {
    /// Uses one turn of the first switch for this call that `wanted` picks.
    pub fn take<T>(&mut self, path: &str, wanted: impl Fn(&FaultKind) -> Option<T>) -> Option<T> {
        let (at, found) = self.on.iter().enumerate().find_map(|(at, fault)| {
            let here = fault.path.as_deref().is_none_or(|prefix| path.starts_with(prefix));
            here.then(|| wanted(&fault.kind)).flatten().map(|found| (at, found))
        })?;
        if let Some(times) = &mut self.on[at].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.on.remove(at);
            }
        }
        Some(found)
    }

    /// What the first switch for this call that `wanted` picks says, without using a turn of it.
    pub fn look<T>(&self, path: &str, wanted: impl Fn(&FaultKind) -> Option<T>) -> Option<T> {
        let here = |fault: &&Fault| fault.path.as_deref().is_none_or(|prefix| path.starts_with(prefix));
        self.on.iter().filter(here).find_map(|fault| wanted(&fault.kind))
    }

    /// What WeCom's own clock shows.
    pub fn shown(&self, now: Timestamp) -> Timestamp {
        let off = |kind: &FaultKind| if let FaultKind::ClockOff { seconds } = kind { Some(*seconds) } else { None };
        now + SignedDuration::from_secs(self.look("", off).unwrap_or(0))
    }

    /// How much later the answer of a call comes.
    pub fn late(&mut self, path: &str) -> Duration {
        let ms = self.take(path, |kind| if let FaultKind::Slow { ms } = kind { Some(*ms) } else { None });
        Duration::from_millis(ms.unwrap_or(0))
    }

    /// Uses one turn of a switch without parameters.
    pub fn has(&mut self, kind: &FaultKind) -> bool {
        self.take("", |on| (on == kind).then_some(())).is_some()
    }
}

impl State {
    /// JSON as it goes out.
    pub fn written(&mut self, json: &Value) -> String {
        let text = json.to_string();
        if self.faults.has(&FaultKind::BrokenText) { broken(&text) } else { text }
    }
}

/// The same JSON, but no longer JSON: escapes of control characters undone, replacement characters cut in half.
fn broken(json: &str) -> String {
    let mut text =
        json.replace("\\n", "\n").replace("\\t", "\t").replace("\\b", "\u{8}").replace('\u{fffd}', "\\ud83d");
    for control in 0..0x20_u8 {
        text = text.replace(&format!("\\u{control:04x}"), char::from(control).encode_utf8(&mut [0; 4]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_switch_goes_off_by_itself_and_only_where_it_points() {
        let fault: Fault =
            serde_json::from_str(r#"{"kind":{"name":"error","code":-1},"path":"appchat/","times":2}"#).unwrap();
        let mut faults = Faults { on: vec![fault] };
        let code = |f: &mut Faults, path: &str| {
            f.take(path, |k| if let FaultKind::Error { code } = k { Some(*code) } else { None })
        };
        assert_eq!(code(&mut faults, "message/send"), None);
        assert_eq!(code(&mut faults, "appchat/update"), Some(-1));
        assert_eq!(code(&mut faults, "appchat/send"), Some(-1));
        assert_eq!(code(&mut faults, "appchat/send"), None);
    }
}
