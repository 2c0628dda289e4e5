//! `[detect.ocr]`, `[detect.files]` and `[detect.links]`: what is looked at besides a message's own words.

use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

use super::Settings;
use crate::{
    detect::{self, contents::Enough, kinds::Measure},
    duration::duration,
    file_text::{FileKind, Limits, Unread},
};

/// Words in pictures, read with PP-OCR models. The paths are relative to the settings file. Changing it needs a restart.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ocr {
    /// ONNX file that finds lines.
    pub detection: PathBuf,
    /// ONNX file that reads them.
    pub recognition: PathBuf,
    /// The characters it knows, one a line; only for a model that does not carry them.
    #[serde(default)]
    pub characters: Option<PathBuf>,
    /// What may follow; default a person is asked.
    #[serde(default = "review")]
    pub measure: Measure,
    /// Time for one picture; default 5 s.
    #[serde(default = "five_seconds", deserialize_with = "duration")]
    pub within: SignedDuration,
}

impl Ocr {
    /// Every file it names.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.detection, &mut self.recognition].into_iter().chain(&mut self.characters)
    }

    /// Time for one picture.
    pub fn within(&self) -> Duration {
        Duration::try_from(self.within).unwrap_or_default()
    }
}

/// What files hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileReading {
    /// What may follow; default a person is asked. `off` fetches no file.
    pub measure: Measure,
    /// Kinds that are opened; default all that this build can read.
    #[serde(deserialize_with = "kinds")]
    pub kinds: Vec<FileKind>,
    /// Larger files are not fetched, in megabytes; default 10.
    #[serde(deserialize_with = "megabytes")]
    pub largest_mb: usize,
    /// So many phone numbers or e-mail addresses make a person look; default 10. Of ID and bank cards three are enough.
    #[serde(deserialize_with = "count")]
    pub numbers: usize,
}

impl Default for FileReading {
    fn default() -> Self {
        let (limits, enough) = (Limits::default(), Enough::default());
        Self {
            measure: Measure::Review,
            kinds: FileKind::ALL.iter().copied().filter(|kind| kind.is_built()).collect(),
            largest_mb: limits.bytes >> 20,
            numbers: enough.reach,
        }
    }
}

impl FileReading {
    /// How a file of this name and size is read; `None` if it is left alone.
    pub fn wants(&self, name: &str, size: Option<u64>) -> Option<(FileKind, Limits)> {
        let kind = FileKind::of(name).filter(|kind| self.kinds.contains(kind))?;
        let limits = Limits { bytes: self.largest_mb << 20, ..Limits::default() };
        let fits = size.is_none_or(|size| size <= limits.bytes as u64);
        (self.measure != Measure::Off && fits).then_some((kind, limits))
    }
}

/// Where short links lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkReading {
    /// Ask the shortener; default off.
    pub resolve: bool,
    /// Shorteners besides the known ones: `s.example.com`.
    pub shorteners: Vec<String>,
}

impl Settings {
    /// As the detector wants it.
    pub(super) fn content_rules(&self) -> detect::ContentRules {
        let numbers = self.detect.files.numbers;
        detect::ContentRules {
            pictures: self.detect.ocr.as_ref().map_or(Measure::Review, |ocr| ocr.measure),
            files: self.detect.files.measure,
            enough: Enough { reach: numbers, cards: Enough::default().cards.min(numbers) },
        }
    }
}

const fn review() -> Measure {
    Measure::Review
}

const fn five_seconds() -> SignedDuration {
    SignedDuration::from_secs(5)
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(deserializer)?;
    if count == 0 { Err(D::Error::custom("至少写 1 个")) } else { Ok(count) }
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FileKind>, D::Error> {
    let kinds = Vec::<FileKind>::deserialize(deserializer)?;
    if kinds.iter().all(|kind| kind.is_built()) { Ok(kinds) } else { Err(D::Error::custom(Unread::Build)) }
}

/// More than that no reader should hold in memory.
fn megabytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(deserializer)?;
    if (1..=50).contains(&count) { Ok(count) } else { Err(D::Error::custom("要在 1 到 50 之间")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("/etc/qunguan/qunguan.toml"), None).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn what_is_read_and_what_may_follow() {
        let settings = read("").unwrap();
        assert_eq!(settings.content_rules(), detect::ContentRules::default());
        assert!(settings.detect.ocr.is_none() && !settings.detect.links.resolve);
        let files = &settings.detect.files;
        let (kind, limits) = files.wants("客户.XLSX", Some(5)).unwrap();
        assert_eq!((kind, limits.bytes), (FileKind::Xlsx, 10 << 20));
        assert!(files.wants("客户.xlsx", Some(11 << 20)).is_none(), "too large");
        assert!(files.wants("片子.mp4", Some(5)).is_none());

        let settings = read(
            "[detect.ocr]\ndetection = \"m/det.onnx\"\nrecognition = \"/opt/rec.onnx\"\nmeasure = \"act\"\nwithin = \"2s\"\n\
             [detect.files]\nkinds = [\"csv\"]\nlargest_mb = 2\nnumbers = 2\n[detect.links]\nresolve = true\n",
        )
        .unwrap();
        let ocr = settings.detect.ocr.as_ref().unwrap();
        assert_eq!(ocr.detection, Path::new("/etc/qunguan/m/det.onnx"), "beside the settings");
        assert_eq!((&*ocr.recognition, ocr.within()), (Path::new("/opt/rec.onnx"), Duration::from_secs(2)));
        let reading = settings.content_rules();
        assert_eq!((reading.pictures, reading.enough), (Measure::Act, Enough { reach: 2, cards: 2 }));
        assert!(settings.detect.files.wants("a.xlsx", None).is_none() && settings.detect.links.resolve);
        let off = read("[detect.files]\nmeasure = \"off\"\n").unwrap();
        assert!(off.detect.files.wants("a.csv", None).is_none());
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, part) in [
            ("[detect.ocr]\ndetection = \"a\"\n", "recognition"),
            ("[detect.files]\nlargest_mb = 500\n", "1 到 50"),
            ("[detect.files]\nnumbers = 0\n", "至少写 1"),
            ("[detect.files]\nkinds = [\"xls\"]\n", "xlsx"),
            ("[detect.links]\nresolved = true\n", "resolve"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(part) && why.contains(".toml:"), "{text}: {why}");
        }
    }
}
