//! WeCom's protocols against a peer: the archive through a real shared library, the bot's long connection.

#[path = "wecom/across.rs"]
mod across;
#[path = "wecom/archive.rs"]
mod archive;
#[path = "common/archive_library.rs"]
mod archive_library;
#[path = "wecom/archive_loop.rs"]
mod archive_loop;
#[path = "wecom/callbacks.rs"]
mod callbacks;
#[path = "wecom/client.rs"]
mod client;
#[path = "wecom/coverage.rs"]
mod coverage;
#[path = "common/house.rs"]
mod house;
#[path = "wecom/pictures.rs"]
mod pictures;
#[path = "wecom/platform.rs"]
mod platform;
#[path = "wecom/recalls.rs"]
mod recalls;
#[path = "wecom/rights.rs"]
mod rights;
#[path = "wecom/socket.rs"]
mod socket;
#[path = "wecom/words.rs"]
mod words;
