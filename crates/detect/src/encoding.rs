//! Text files as people's programs save them: UTF-8 with or without a mark, Excel's “Unicode text” (UTF-16) and what a
//! Chinese Windows calls ANSI (GBK).

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030};

/// The text without a byte order mark; `Err` has the first line that no encoding explains.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]).ok_or(1);
    }
    utf8(bytes).or_else(|line| GB18030.decode_without_bom_handling_and_without_replacement(bytes).ok_or(line))
}

/// The same for files that have to be UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let line = |at: usize| bytes[..at].split(|byte| *byte == b'\n').count();
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| line(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_windows_and_excel_save_is_read() {
        let text = "# 说明\r\n加我微信\t注=常见\r\n";
        let utf16 =
            |bytes: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect();
        let gbk = GB18030.encode(text).0.into_owned();
        assert_ne!(gbk, text.as_bytes());
        let all: [Vec<u8>; 5] =
            [text.into(), format!("\u{feff}{text}").into(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes), gbk];
        for bytes in all {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        assert_eq!(decode(b"a\nb\n\xff\xff\n"), Err(3));
        assert_eq!(decode(b"\xff\xfea"), Err(1));
    }
}
