//! Reads pictures with two models, run by a runtime that is all Rust: one shows where lines of text are ([`super::lines`]), one
//! says what each line is ([`super::characters`]).

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{ModelError, Words, characters::Characters, lines::Lines};
use crate::settings::Ocr;

/// Lines read in one picture; the rest is left.
const MOST_LINES: usize = 200;
/// A line whose characters are less certain than this on average is noise.
const CERTAIN: f32 = 0.6;

/// Reads pictures.
pub struct Reader {
    lines: Lines,
    characters: Characters,
}

impl Reader {
    /// Loads the models and tries them on an empty picture.
    ///
    /// # Errors
    /// A file that cannot be read or is none of the models that are meant.
    pub fn load(settings: &Ocr) -> Result<Self, ModelError> {
        let (detection, recognition) = (&settings.detection, &settings.recognition);
        let lines = Lines::load(detection)?;
        let characters = Characters::load(recognition, settings.characters.as_deref())?;
        let empty = RgbImage::from_pixel(64, 32, image::Rgb([255; 3]));
        lines.find(&empty).map_err(|why| ModelError::Model(detection.display().to_string(), why))?;
        characters.read(&empty).map_err(|why| ModelError::Model(recognition.display().to_string(), why))?;
        Ok(Self { lines, characters })
    }

    /// The words of a picture. Looks at the clock after each line, so that it takes little more than `within`; the first line is
    /// always read.
    ///
    /// # Errors
    /// The runtime refuses the picture.
    pub fn read(&self, picture: &RgbImage, within: Duration) -> Result<Words, String> {
        let until = Instant::now() + within;
        let found = self.lines.find(picture)?;
        let mut words = Words { lines: Vec::new(), cut: found.len() > MOST_LINES };
        let mut row: Option<f32> = None;
        for place in found.into_iter().take(MOST_LINES) {
            if !words.lines.is_empty() && Instant::now() >= until {
                words.cut = true;
                break;
            }
            let (text, certainty) = self.characters.read(&place.cut_out(picture))?;
            let text = text.trim();
            if certainty < CERTAIN || text.is_empty() {
                continue;
            }
            // What stands side by side is one line: a row of a table, or a word and its number.
            match (words.lines.last_mut(), row) {
                (Some(last), Some(middle)) if (place.middle() - middle).abs() < place.height() / 2.0 => {
                    last.push(' ');
                    last.push_str(text);
                }
                _ => words.lines.push(text.to_owned()),
            }
            row = Some(place.middle());
        }
        Ok(words)
    }
}
