//! What files say: txt, csv, xlsx, docx and pdf as plain text, a line for each paragraph or row and a tab between cells.
//!
//! Files come from strangers. Each reader stops at the limits ([`Limits`]) instead of asking for more memory, says in one
//! sentence why a file was not read, and works in a process of its own ([`apart`]). Nothing is kept of the text.

pub mod apart;
mod docx;
mod packed;
#[cfg(feature = "pdf")]
mod pdf;
#[cfg(not(feature = "pdf"))]
mod pdf {
    //! A build that reads no PDF.

    use super::{Limits, Page, Unread};

    pub(super) fn read(_: &[u8], _: &Limits, _: &mut Page) -> Result<(), Unread> {
        Err(Unread::Build)
    }
}
mod plain;
mod xlsx;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::model::named_enum;

named_enum! {
    /// A kind of file that can be read.
    pub enum FileKind {
        /// Plain text in any encoding that Chinese programs write.
        Txt = "txt", "文本";
        /// Comma separated values.
        Csv = "csv", "CSV 表格";
        /// Excel since 2007, and WPS.
        Xlsx = "xlsx", "Excel 表格";
        /// Word since 2007, and WPS.
        Docx = "docx", "Word 文档";
        /// PDF with text in it.
        Pdf = "pdf", "PDF 文档";
    }
}

impl FileKind {
    /// By the ending of the name.
    pub fn of(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        ending.to_lowercase().parse().ok()
    }

    /// This build can read it.
    pub const fn is_built(self) -> bool {
        !matches!(self, Self::Pdf) || cfg!(feature = "pdf")
    }
}

/// How much is read of one file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Larger files are not fetched, in bytes.
    pub bytes: usize,
    /// The text is cut here, in characters.
    pub characters: usize,
    /// What is packed in the file may not be larger than this, in bytes.
    pub unpacked: u64,
    /// Time for reading.
    pub within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 10 << 20, characters: 500_000, unpacked: 64 << 20, within: Duration::from_secs(5) }
    }
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unread {
    /// More bytes than the limit.
    #[error("文件超过 {0} MB")]
    TooLarge(usize),
    /// It unpacks to more than the limit.
    #[error("文件解开以后太大")]
    Bomb,
    /// It wants a password.
    #[error("文件加了密")]
    Encrypted,
    /// Damaged, cut off, or not what its name says.
    #[error("文件损坏或不是它自称的格式（{0}）")]
    Damaged(String),
    /// There is no text in it that a program could read: scanned pages, letters without a table of what they are.
    #[error("文件里没有读得出的文字")]
    NoText,
    /// Its reader asked for more memory or time than there is for one file.
    #[error("读这个文件要的内存或时间太多")]
    TooMuch,
    /// The process that reads files could not be started.
    #[error("读文件的进程没有启动（{0}）")]
    NoReader(String),
    /// The build has no reader for it.
    #[error("这个程序编译时没有带 PDF（cargo build --release --features pdf）")]
    Build,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileText {
    /// The words.
    pub text: String,
    /// There is more than was read.
    pub cut: bool,
}

/// Reads a file in this process. Takes up to [`Limits::within`] and a little more; not for an async thread.
pub fn read(kind: FileKind, bytes: &[u8], limits: &Limits) -> Result<FileText, Unread> {
    if bytes.len() > limits.bytes {
        return Err(Unread::TooLarge(limits.bytes >> 20));
    }
    let read = || {
        let mut page = Page::new(limits);
        match kind {
            FileKind::Txt => plain::text(bytes, &mut page),
            FileKind::Csv => plain::table(bytes, &mut page),
            FileKind::Xlsx => xlsx::read(bytes, limits, &mut page),
            FileKind::Docx => docx::read(bytes, limits, &mut page),
            FileKind::Pdf => pdf::read(bytes, limits, &mut page),
        }?;
        let FileText { text, .. } = &page.written;
        if text.trim().is_empty() && !bytes.is_empty() { Err(Unread::NoText) } else { Ok(page.written) }
    };
    // The readers are not all ours; one that panics over a strange file has not read it.
    std::panic::catch_unwind(read).unwrap_or_else(|_| Err(Unread::Damaged("读取时出错".to_owned())))
}

/// Where readers write, up to the limits.
struct Page {
    written: FileText,
    room: usize,
    until: Instant,
}

impl Page {
    fn new(limits: &Limits) -> Self {
        Self { written: FileText::default(), room: limits.characters, until: Instant::now() + limits.within }
    }

    /// Writes as much as there is room for.
    fn write(&mut self, text: &str) {
        let end = text.char_indices().nth(self.room).map_or(text.len(), |(end, _)| end);
        self.written.text.push_str(&text[..end]);
        self.room -= text[..end].chars().count();
        self.written.cut |= end < text.len();
    }

    /// Whether there is room and time for more; if not, the text is known as cut.
    fn goes_on(&mut self) -> bool {
        let more = self.room > 0 && Instant::now() < self.until;
        self.written.cut |= !more;
        more
    }
}

/// A reader's own reason, short.
fn damaged(why: impl std::fmt::Display) -> Unread {
    Unread::Damaged(why.to_string().chars().take(80).collect())
}

#[cfg(test)]
mod tests;
