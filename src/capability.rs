//! Who does a thing in a group: WeCom's API, a person who is asked with a card, or nobody because it is a dry run.
//!
//! The table below is all there is: what the product can do where (`docs/wecom.md`). A dry run (`dry_run`) swaps the
//! provider; no rule knows about it.

use crate::{
    groups::Group,
    model::{GroupKind, MemberId, Mode},
    settings::Settings,
};

/// What might be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Say something to one person, in private.
    Tell,
    /// Say something to the whole group.
    Announce,
    /// Take a member out of the group or bring one back.
    Move,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The server, through WeCom's API.
    Api,
    /// The owner or an admin, asked with a task card.
    Person,
    /// Nobody: it is written down what would have been done.
    Simulated,
}

/// What this installation is able to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Capabilities {
    /// A self-built app is configured: it sends private messages and changes its own groups.
    pub app: bool,
    /// A bot connection is configured: it posts in groups where somebody has spoken to it.
    pub bot: bool,
    /// DryRun: nothing leaves the house.
    pub dry_run: bool,
}

impl Capabilities {
    /// What the settings connect.
    pub fn of(settings: &Settings) -> Self {
        let wecom = settings.wecom.as_ref();
        Self {
            app: wecom.is_some_and(|w| w.app.is_some()),
            bot: wecom.is_some_and(|w| w.bot.as_ref().is_some_and(|b| b.bot_id.is_some())),
            dry_run: settings.dry_run,
        }
    }

    /// Who does `act` for or to `member` in `group`; `None` if nobody can and nobody should be asked.
    pub fn provider(self, act: Act, group: &Group, member: Option<&MemberId>) -> Option<Provider> {
        if self.dry_run || group.set.mode == Mode::Watch {
            return Some(Provider::Simulated);
        }
        let external = member.is_some_and(|m| group.is_external(m));
        match act {
            // No API reaches a customer; the owner gets the sentence ready to send.
            Act::Tell if external => Some(Provider::Person),
            Act::Tell => Some(Provider::Api),
            Act::Announce if group.set.mode == Mode::Full && self.app => Some(Provider::Api),
            Act::Announce if group.set.webhook => Some(Provider::Api),
            Act::Announce if group.set.kind == GroupKind::Bot && self.bot => Some(Provider::Api),
            Act::Announce => None,
            Act::Move if group.set.mode == Mode::Full => Some(Provider::Api),
            Act::Move => Some(Provider::Person),
        }
    }
}
