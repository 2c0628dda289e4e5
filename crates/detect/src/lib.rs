#![doc = include_str!("../README.md")]

//! Finds advertising, spam, insults and leaks in Chinese chat, also where they are disguised, and says why.
//!
//! No I/O and no policy: a [`detect::Detector`] is built from wordlists and judges one message at a time. [`text`] folds
//! disguised writing and keeps the way back to what was typed.

pub use qunguan_model as model;

pub mod toml_text;

pub mod encoding;

pub mod text;

pub mod detect;
