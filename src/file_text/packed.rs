//! xlsx and docx are zip files of XML. What is packed is unpacked once to see that it is no bomb: the sizes that such a file
//! says of itself may lie.

use std::io::{Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use super::{Limits, Unread, damaged};

/// More files are in no document.
const MOST_FILES: usize = 5000;
/// What a password-protected office file begins with: it is no zip but OLE.
const OLE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// An office file.
pub(super) type Package<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Opens it and unpacks all of it into nothing.
pub(super) fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Package<'a>, Unread> {
    if bytes.starts_with(&OLE) {
        return Err(Unread::Encrypted);
    }
    let mut package = ZipArchive::new(Cursor::new(bytes)).map_err(why)?;
    if package.len() > MOST_FILES {
        return Err(Unread::Bomb);
    }
    let mut room = limits.unpacked;
    for i in 0..package.len() {
        let part = package.by_index(i).map_err(why)?;
        if part.encrypted() {
            return Err(Unread::Encrypted);
        }
        let unpacked = std::io::copy(&mut part.take(room + 1), &mut std::io::sink()).map_err(damaged)?;
        room = room.checked_sub(unpacked).ok_or(Unread::Bomb)?;
    }
    Ok(package)
}

/// One part, whole.
pub(super) fn part(package: &mut Package<'_>, name: &str) -> Result<Vec<u8>, Unread> {
    let mut part = package.by_name(name).map_err(why)?;
    let mut bytes = Vec::new();
    part.read_to_end(&mut bytes).map_err(damaged)?;
    Ok(bytes)
}

fn why(error: ZipError) -> Unread {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Unread::Encrypted,
        ZipError::FileNotFound => damaged("缺少正文"),
        other => damaged(other),
    }
}
