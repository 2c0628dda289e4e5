//! qunguan (群管): a bot that keeps order in WeCom (企业微信) groups.
//!
//! `docs/architecture.md` has the map of this folder and the way of one message through it. A module never imports one
//! that stands below it in this list.

pub use qunguan_detect::{detect, encoding, text, toml_text};
pub use qunguan_simulator as simulator;
pub use qunguan_wecom as wecom;

pub mod model;

pub mod zh;

pub mod duration;

pub mod acknowledgement;

pub mod health;

pub mod qr;

pub mod file_text;

pub mod policy;

pub mod settings;

pub mod calendar;

pub mod store;

pub mod refusal;

pub mod tasks;

pub mod bot_names;

pub mod groups;

pub mod access;

pub mod audit;

pub mod accounts;

pub mod capability;

pub mod coverage;

pub mod platform;

pub mod observer;

pub mod intercept;

pub mod second_opinion;

pub mod notices;

pub mod rulebooks;

pub mod contacts;

pub mod identities;

pub mod in_force;

pub mod labels;

pub mod service;

pub mod moderation;

pub mod newcomers;

pub mod backtest;

pub mod cases;

pub mod orders;

pub mod standing;

pub mod deps;

pub mod chat_commands;

pub mod card_actions;

pub mod jobs;

pub mod web;

pub mod http;

pub mod ocr;

pub mod short_links;

pub mod channels;

pub mod console;

pub mod app;

pub mod cli;
