//! qunguan (群管): a bot that keeps order in WeCom (企业微信) groups.
//!
//! `docs/architecture.md` has the map of this folder and the way of one message through it. A module never imports one
//! that stands below it in this list.

pub use qunguan_detect::{detect, encoding, text, toml_text};

pub mod model;

pub mod wording;

pub mod qr;

pub mod policy;

pub mod settings;

pub mod store;

pub mod tasks;

pub mod groups;

pub mod access;

pub mod capability;

pub mod coverage;

pub mod wecom;

pub mod intercept;

pub mod second_opinion;

pub mod notices;

pub mod rulebooks;

pub mod contacts;

pub mod moderation;

pub mod backtest;

pub mod appeals;

pub mod reports;

pub mod chat_commands;

pub mod clicks;

pub mod jobs;

pub mod simulator;

pub mod http;

pub mod channels;

pub mod console;

pub mod app;

pub mod cli;
