//! Text files as people's programs save them: UTF-8 with or without a mark, Excel's “Unicode text” (UTF-16), what a
//! Chinese Windows calls ANSI (GBK), and what one in Taiwan or Hong Kong does (Big5).

use std::borrow::Cow;

use encoding_rs::{BIG5, Encoding, GB18030, UTF_16BE, UTF_16LE};

use crate::text::{fold, is_han, ordinary};

/// Characters that decide between GBK and Big5.
const SAMPLE: usize = 2000;
/// How odd something is that is no Han character, in the measure of [`ordinary::rarity`].
const ODD: f32 = 14.0;

/// The text without a byte order mark; `Err` has the first line that no encoding explains.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]).ok_or(1);
    }
    if let Some(text) = utf16(bytes) {
        return Ok(text);
    }
    utf8(bytes).or_else(|line| chinese(bytes).ok_or(line))
}

/// UTF-16 without a mark: the zero bytes of its line ends and Latin letters are all on one side. No text of one byte a
/// letter has any.
fn utf16(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let zeros = |side: usize| bytes.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let encoding = match (bytes.len() % 2, zeros(0), zeros(1)) {
        (0, 0, 1..) => UTF_16LE,
        (0, 1.., 0) => UTF_16BE,
        _ => return None,
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_text).then_some(text)
}

/// The same, line by line where the whole cannot be read: a line that no encoding explains is left empty and named.
pub fn decode_lines(bytes: &[u8]) -> (Cow<'_, str>, Vec<usize>) {
    if let Ok(text) = decode(bytes) {
        return (text, Vec::new());
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let utf8 = lines.iter().filter(|line| std::str::from_utf8(line).is_err()).count();
    let gbk = lines.iter().filter(|line| chinese(line).is_none()).count();
    let (mut text, mut bad) = (String::with_capacity(bytes.len()), Vec::new());
    for (i, line) in lines.into_iter().enumerate() {
        let read = if utf8 <= gbk { std::str::from_utf8(line).ok().map(Cow::Borrowed) } else { chinese(line) };
        match read {
            Some(read) => text.push_str(&read),
            None => bad.push(i + 1),
        }
        text.push('\n');
    }
    (Cow::Owned(text), bad)
}

/// GBK or Big5, whichever makes the more ordinary Chinese.
fn chinese(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let read = |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    match (read(GB18030), read(BIG5)) {
        (Some(gbk), Some(big5)) if oddness(&big5) < oddness(&gbk) => Some(big5),
        (gbk, big5) => gbk.or(big5),
    }
}

/// How unusual the characters of a text are, beyond ASCII and Chinese punctuation.
fn oddness(text: &str) -> f32 {
    let usual = |c: &char| !c.is_ascii() && !matches!(c, '\u{3000}'..='\u{301f}' | '\u{ff00}'..='\u{ff5e}' | '“' | '”');
    let said: String = text.chars().filter(usual).take(SAMPLE).collect();
    // Traditional characters are as usual as the simplified ones they fold to.
    let measure = |c: char| {
        let read = fold(c.encode_utf8(&mut [0; 4]));
        read.chars().next().filter(|c| is_han(*c)).map_or(ODD, ordinary::rarity)
    };
    said.chars().map(measure).sum::<f32>() / (said.chars().count().max(1) as f32)
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
        let bare = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for bytes in [bare(u16::to_le_bytes), bare(u16::to_be_bytes)] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn gbk_and_big5_are_told_apart() {
        let lists = ["加我微信\n扫码进群\n", "棋牌\n", "刷单返利\n兼职日结\n", "代开发票\r\n办证\r\n"];
        for text in lists {
            assert_eq!(decode(&GB18030.encode(text).0).as_deref(), Ok(text));
        }
        for text in ["加我微信\n掃碼進群\n", "棋牌遊戲\n", "刷單返利\n兼職日結\n", "代開發票\r\n辦證\r\n", "六合彩"]
        {
            assert_eq!(decode(&BIG5.encode(text).0).as_deref(), Ok(text));
        }
    }

    #[test]
    fn one_broken_line_costs_no_other() {
        assert_eq!(decode_lines("好\n坏\n".as_bytes()), ("好\n坏\n".into(), vec![]));
        assert_eq!(decode_lines("好\n\u{8}?\n".as_bytes()).1, Vec::<usize>::new());
        let (text, bad) = decode_lines(b"\xe5\xa5\xbd\n\xff\xff\n\xe5\xa5\xbd\n");
        assert_eq!((&*text, &bad[..]), ("好\n\n好\n\n", &[2][..]));
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        assert_eq!(decode(b"a\nb\n\xff\xff\n"), Err(3));
        assert_eq!(decode(b"\xff\xfea"), Err(1));
    }
}
