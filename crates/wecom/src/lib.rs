//! WeCom's protocols, no policy: crypto, callbacks, API client, cards, archive, bot socket.

pub mod archive;
pub mod bot_files;
pub mod callback;
pub mod cards;
pub mod client;
pub mod clock;
pub mod contact;
pub mod crypto;
pub mod directory;
pub mod errors;
pub mod limits;
pub mod mend;
pub mod outreach;
pub mod socket;
mod text_frames;
pub mod xml;

/// Cuts text to at most `bytes` UTF-8 bytes at a character, with an ellipsis where something is missing.
pub fn cut(text: &str, bytes: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes.saturating_sub(ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ELLIPSIS}", &text[..end])
}
