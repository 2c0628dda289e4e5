//! The simulated WeCom as a bot and a script see it: tokens, error codes, limits, callbacks with their retries, cards, the
//! archive, the bot's socket.

#[path = "simulator/harness.rs"]
mod harness;

#[path = "simulator/appchat.rs"]
mod appchat;
#[path = "simulator/archive.rs"]
mod archive;
#[path = "simulator/bot_callback.rs"]
mod bot_callback;
#[path = "simulator/bot_socket.rs"]
mod bot_socket;
#[path = "simulator/callbacks.rs"]
mod callbacks;
#[path = "simulator/control.rs"]
mod control;
#[path = "simulator/lists.rs"]
mod lists;
#[path = "simulator/messages.rs"]
mod messages;
#[path = "simulator/page.rs"]
mod page;
#[path = "simulator/tokens.rs"]
mod tokens;
