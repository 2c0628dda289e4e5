//! PDF: the text of each page as its fonts say it. Pages that were scanned have none, and a font that does not say what its
//! letters are cannot be read; a file of nothing else is [`Unread::NoText`].

use lopdf::{DecompressError, Document, Error, LoadOptions};

use super::{Limits, Page, Unread, damaged};

/// Pages that are read.
const MOST_PAGES: usize = 300;
/// One page, font or table of objects unpacks to so much at most, in bytes.
const PART: usize = 8 << 20;

/// Reads one.
pub(super) fn read(bytes: &[u8], limits: &Limits, page: &mut Page) -> Result<(), Unread> {
    let part = PART.min(usize::try_from(limits.unpacked).unwrap_or(PART));
    let options = LoadOptions { max_decompressed_size: Some(part), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(bytes, options).map_err(|e| why(&e))?;
    // Many files are locked against changes only and open without a password.
    if document.is_encrypted() && document.encryption_state.is_none() {
        return Err(Unread::Encrypted);
    }
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    page.written.cut |= pages.len() > MOST_PAGES;
    for number in pages.into_iter().take(MOST_PAGES) {
        if !page.goes_on() {
            break;
        }
        for chunk in document.extract_text_chunks_with_limit(&[number], part) {
            match chunk {
                // What has no letter for a code is left out.
                Ok(text) => page.write(&text.replace('\u{fffd}', "")),
                Err(Error::Decompress(DecompressError::MemoryLimitExceeded { .. })) => return Err(Unread::Bomb),
                Err(_) => page.written.cut = true,
            }
        }
        page.write("\n");
    }
    Ok(())
}

fn why(error: &Error) -> Unread {
    match error {
        Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) => Unread::Bomb,
        Error::Decryption(_)
        | Error::InvalidPassword
        | Error::AlreadyEncrypted
        | Error::UnsupportedSecurityHandler(_) => Unread::Encrypted,
        other => damaged(other),
    }
}
