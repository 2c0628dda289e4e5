//! Words in pictures: a screenshot of a customer table, an advertisement that was drawn instead of typed.
//!
//! The models are PP-OCR files that the company puts there (`[detect.ocr]`); they run on this machine and no picture leaves
//! it. The feature `ocr` of the build brings the runtime. Models that cannot be used are said in one sentence, and the bot goes on
//! without them.

#[cfg(feature = "ocr")]
mod characters;
#[cfg(feature = "ocr")]
mod lines;
#[cfg(feature = "ocr")]
mod model_file;
#[cfg(feature = "ocr")]
mod reader;
#[cfg(not(feature = "ocr"))]
mod reader {
    //! A build without the runtime.

    use image::RgbImage;

    use super::{Duration, ModelError, Words};
    use crate::settings::Ocr;

    /// There is none.
    pub enum Reader {}

    impl Reader {
        /// Says that this build has none.
        pub fn load(_: &Ocr) -> Result<Self, ModelError> {
            Err(ModelError::Build)
        }

        /// Cannot be called.
        pub fn read(&self, _: &RgbImage, _: Duration) -> Result<Words, String> {
            match *self {}
        }
    }
}

use std::time::Duration;

use image::DynamicImage;
pub use reader::Reader;

use crate::{health::Check, settings::Ocr};

/// Why the models are not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The build has no runtime.
    #[error("这个程序编译时没有带文字识别（cargo build --release --features ocr）")]
    Build,
    /// No such file, or not for us.
    #[error("{0} 读不了：{1}")]
    File(String, String),
    /// The file is no model that the runtime knows, or does something else.
    #[error("{0} 不是可用的 PP-OCR 模型：{1}")]
    Model(String, String),
    /// The recognition model does not say what its characters are, and no list was given.
    #[error("{0} 没有带字表，请用 characters 写明字表文件")]
    NoAlphabet(String),
}

/// What was read in a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// A line of the picture each, from top to bottom.
    pub lines: Vec<String>,
    /// There was more, but no more time.
    pub cut: bool,
}

/// The reader as the settings want it, or why there is none.
#[derive(Default)]
pub struct Pictures {
    reader: Option<Result<Reader, ModelError>>,
    within: Duration,
}

impl Pictures {
    /// Loads the models. Takes a second; not for an async thread.
    pub fn open(settings: Option<&Ocr>) -> Self {
        let reader = settings.map(Reader::load);
        if let Some(Err(why)) = &reader {
            tracing::error!(%why, "words in pictures are not read");
        }
        Self { reader, within: settings.map(Ocr::within).unwrap_or_default() }
    }

    /// Pictures can be read.
    pub const fn reads(&self) -> bool {
        matches!(self.reader, Some(Ok(_)))
    }

    /// The words of a picture, a line each; empty if nothing can read. `at_most` is the time that the caller has.
    /// Not for an async thread.
    pub fn words(&self, picture: &DynamicImage, at_most: Duration) -> String {
        let Some(Ok(reader)) = &self.reader else { return String::new() };
        let picture = picture.to_rgb8();
        let within = self.within.min(at_most);
        // The runtime is not ours; a picture that it panics over has no words.
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.read(&picture, within)));
        let (words, outcome) = match read {
            Ok(Ok(words)) => {
                let outcome = if words.cut { "cut" } else { "read" };
                (words.lines.join("\n"), outcome)
            }
            Ok(Err(why)) => {
                tracing::warn!(why, "a picture could not be read");
                (String::new(), "failed")
            }
            Err(_) => (String::new(), "failed"),
        };
        metrics::counter!("qunguan_pictures_read_total", "outcome" => outcome).increment(1);
        words
    }

    /// What `/readyz` says of it, if the settings want it.
    pub fn check(&self) -> Option<Check> {
        Some(match self.reader.as_ref()? {
            Ok(_) => Check::good("ocr", "图片中的文字可以识别"),
            Err(why) => Check::notice("ocr", format!("图片中的文字不能识别：{why}")),
        })
    }
}
