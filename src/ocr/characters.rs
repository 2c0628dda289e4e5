//! What one line of a picture says: the recognition model gives, for each narrow strip of the line, how likely each
//! character is; the same one in strips side by side is one character.

use std::path::Path;

use image::{RgbImage, imageops::FilterType};
use rten_tensor::{NdTensor, prelude::*};

use super::{ModelError, lines::HEIGHT};

/// Narrowest input, in pixels; a shorter line is filled up.
const NARROWEST: u32 = 320;

/// The characters that the model knows, in its order.
#[derive(Clone, Debug)]
struct Alphabet(Vec<String>);

impl Alphabet {
    /// One a line, as PP-OCR's `ppocr_keys_v1.txt`; nothing for “no character” stands before them, a blank after them.
    fn parse(text: &str) -> Self {
        let mut all = vec![String::new()];
        all.extend(text.trim_end_matches('\n').split('\n').map(|line| line.trim_end_matches('\r').to_owned()));
        all.push(" ".to_owned());
        Self(all)
    }
}

/// The recognition model.
pub(super) struct Characters {
    model: rten::Model,
    alphabet: Alphabet,
}

impl Characters {
    /// The alphabet is inside the model (`character`), or in a file of its own.
    pub(super) fn load(path: &Path, alphabet: Option<&Path>) -> Result<Self, ModelError> {
        let model = super::model_file::model(path)?;
        let alphabet = match alphabet {
            Some(list) => {
                let bytes = super::model_file::file(list)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| ModelError::File(list.display().to_string(), "不是 UTF-8 文本".into()))?;
                Alphabet::parse(&text)
            }
            None => {
                let inside = model.metadata().get("character");
                Alphabet::parse(inside.ok_or_else(|| ModelError::NoAlphabet(path.display().to_string()))?)
            }
        };
        Ok(Self { model, alphabet })
    }

    /// The words of a line and how certain its characters are on average, 0 to 1.
    pub(super) fn read(&self, line: &RgbImage) -> Result<(String, f32), String> {
        let width = (line.width() as f32 * HEIGHT as f32 / line.height() as f32).ceil().max(1.0) as u32;
        let scaled = (line.dimensions() != (width, HEIGHT))
            .then(|| image::imageops::resize(line, width, HEIGHT, FilterType::Triangle));
        let line = scaled.as_ref().unwrap_or(line);
        let input = NdTensor::from_fn([1, 3, HEIGHT as usize, width.max(NARROWEST) as usize], |[_, channel, y, x]| {
            // Blue, green, red; what is filled up is grey.
            if x < width as usize {
                f32::from(line.get_pixel(x as u32, y as u32)[2 - channel]) / 127.5 - 1.0
            } else {
                0.0
            }
        });
        let answer = self.model.run_one(input.view().into(), None).map_err(|e| e.to_string())?;
        let answer: NdTensor<f32, 3> = answer.try_into().map_err(|_| "应答的形状不对".to_owned())?;
        let [_, strips, characters] = answer.shape();
        if characters != self.alphabet.0.len() {
            return Err(format!("模型认识 {characters} 个字，字表有 {} 个", self.alphabet.0.len()));
        }
        let (mut text, mut sum, mut count, mut before) = (String::new(), 0.0, 0u32, 0);
        for strip in 0..strips {
            let likely = answer.slice((0, strip));
            let best = likely.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((character, certainty)) = best else { continue };
            if character != 0 && character != before {
                text.push_str(&self.alphabet.0[character]);
                sum += certainty;
                count += 1;
            }
            before = character;
        }
        Ok((text, sum / count.max(1) as f32))
    }
}
