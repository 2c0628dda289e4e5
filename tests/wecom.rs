//! WeCom's protocols against a peer: the archive through a real shared library, the bot's long connection.

#[path = "wecom/across.rs"]
mod across;
#[path = "wecom/archive.rs"]
mod archive;
#[path = "common/archive_library.rs"]
mod archive_library;
#[path = "wecom/archive_loop.rs"]
mod archive_loop;
#[path = "wecom/archive_whose.rs"]
mod archive_whose;
#[path = "wecom/callbacks.rs"]
mod callbacks;
#[path = "wecom/client.rs"]
mod client;
#[path = "wecom/coverage.rs"]
mod coverage;
#[path = "wecom/files.rs"]
mod files;
#[path = "common/house.rs"]
mod house;
#[path = "wecom/identities.rs"]
mod identities;
#[path = "wecom/kinds.rs"]
mod kinds;
#[path = "wecom/member_lists.rs"]
mod member_lists;
#[path = "wecom/names.rs"]
mod names;
#[path = "wecom/ocr.rs"]
mod ocr;
#[path = "wecom/outreach.rs"]
mod outreach;
#[path = "wecom/owner_news.rs"]
mod owner_news;
#[path = "wecom/pictures.rs"]
mod pictures;
#[path = "wecom/platform.rs"]
mod platform;
#[path = "wecom/recalls.rs"]
mod recalls;
#[path = "wecom/rights.rs"]
mod rights;
#[path = "wecom/said_to_bot.rs"]
mod said_to_bot;
#[path = "wecom/short_links.rs"]
mod short_links;
#[path = "wecom/socket.rs"]
mod socket;
#[path = "wecom/words.rs"]
mod words;
