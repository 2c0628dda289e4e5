//! QR codes in pictures: a group code or a contact code is an advertisement that no word list sees.
//!
//! What a code says is handed on as a link, so the rules for links and contacts judge it. Pictures come from strangers, so
//! their size is bounded before and while they are decoded.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageReader, Limits, imageops::FilterType};

use crate::model::Attachment;

/// Larger files are not opened; WeCom's own limit for pictures.
pub const LARGEST_FILE: usize = 10 * 1024 * 1024;
/// Longest side, in pixels, that is decoded at all.
const LONGEST_SIDE: u32 = 12_000;
/// Memory for one picture, in bytes.
const MEMORY: u64 = 128 * 1024 * 1024;
/// Sides to look at, in pixels: codes photographed large are found in the small picture, small ones in the large.
const LOOK_AT: [u32; 2] = [1000, 2500];
/// More codes than this in one picture are no message.
const MOST_CODES: usize = 8;
/// Longer texts are cut, in characters.
const LONGEST_TEXT: usize = 500;

/// Why a picture was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// The file is too large.
    #[error("the picture has {0} bytes, more than are opened")]
    TooLarge(usize),
    /// Not a picture of a known kind, damaged, or too many pixels.
    #[error("the picture cannot be read: {0}")]
    Unreadable(String),
}

/// Whether a file of this name is a picture that can be opened.
pub fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    ending.is_some_and(|ending| matches!(ending.as_str(), "png" | "jpg" | "jpeg" | "webp" | "gif"))
}

/// Decodes a picture (PNG, JPEG, WebP or GIF). Not for an async thread.
pub fn open(picture: &[u8]) -> Result<DynamicImage, QrError> {
    if picture.len() > LARGEST_FILE {
        return Err(QrError::TooLarge(picture.len()));
    }
    let unreadable = |error: &dyn std::fmt::Display| QrError::Unreadable(error.to_string());
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().map_err(|e| unreadable(&e))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    reader.decode().map_err(|e| unreadable(&e))
}

/// The texts of all codes in a picture, each once. Takes up to a second: not for an async thread.
pub fn texts(picture: &DynamicImage) -> Vec<String> {
    let picture = picture.to_luma8();
    let longest = picture.width().max(picture.height());
    let mut found: Vec<String> = Vec::new();
    for side in LOOK_AT {
        let view = if longest > side {
            let scale = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longest)).max(1) as u32;
            image::imageops::resize(&picture, scale(picture.width()), scale(picture.height()), FilterType::Triangle)
        } else {
            picture.clone()
        };
        for text in codes(view) {
            if !found.contains(&text) && found.len() < MOST_CODES {
                found.push(text);
            }
        }
        if !found.is_empty() || longest <= side {
            break;
        }
    }
    found
}

/// The codes in one view. The decoder is not ours; if it panics over a strange picture, there is no code in it.
fn codes(view: GrayImage) -> Vec<String> {
    let found = std::panic::catch_unwind(move || {
        let mut prepared = rqrr::PreparedImage::prepare(view);
        let grids = prepared.detect_grids();
        grids.iter().filter_map(|grid| grid.decode().ok().map(|(_, text)| text)).collect::<Vec<_>>()
    });
    found
        .unwrap_or_default()
        .into_iter()
        .map(|text| text.trim().chars().take(LONGEST_TEXT).collect::<String>())
        .filter(|text| !text.is_empty())
        .collect()
}

/// The codes in a picture as links.
pub fn links(picture: &DynamicImage) -> Vec<Attachment> {
    let link = |url| Attachment::Link { url, title: String::new(), origin: "qr".into() };
    texts(picture).into_iter().map(link).collect()
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Luma};
    use proptest::prelude::*;

    use super::*;

    /// A white picture of the given size with codes at the given places, `scale` pixels a module.
    fn picture(size: (u32, u32), scale: u32, codes: &[(u32, u32, &str)]) -> GrayImage {
        let mut picture = GrayImage::from_pixel(size.0, size.1, Luma([255]));
        for (left, top, text) in codes {
            let code = qrcode::QrCode::new(text).unwrap();
            let width = code.width() as u32;
            for (i, color) in code.to_colors().into_iter().enumerate() {
                if color == qrcode::Color::Dark {
                    let (x, y) = (left + i as u32 % width * scale, top + i as u32 / width * scale);
                    for (dx, dy) in (0..scale).flat_map(|dx| (0..scale).map(move |dy| (dx, dy))) {
                        picture.put_pixel(x + dx, y + dy, Luma([0]));
                    }
                }
            }
        }
        picture
    }

    fn file(picture: &GrayImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = image::DynamicImage::ImageLuma8(picture.clone());
        // The GIF encoder takes only colours.
        let picture = if format == ImageFormat::Gif { picture.into_rgba8().into() } else { picture };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn texts(file: &[u8]) -> Result<Vec<String>, QrError> {
        open(file).map(|picture| super::texts(&picture))
    }

    #[test]
    fn codes_become_links() {
        let two =
            picture((700, 400), 5, &[(40, 40, "https://u.wechat.com/abc"), (400, 60, "https://u.wechat.com/def")]);
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif] {
            let mut found = texts(&file(&two, format)).unwrap();
            found.sort();
            assert_eq!(found, ["https://u.wechat.com/abc", "https://u.wechat.com/def"], "{format:?}");
        }
        let one = picture((300, 300), 5, &[(40, 40, "https://u.wechat.com/abc")]);
        assert_eq!(
            links(&open(&file(&one, ImageFormat::Png)).unwrap()),
            [Attachment::Link { url: "https://u.wechat.com/abc".into(), title: String::new(), origin: "qr".into() }]
        );
    }

    #[test]
    fn a_small_code_in_a_large_picture_is_found() {
        let large = picture((2400, 2400), 4, &[(1500, 1700, "https://work.weixin.qq.com/gm/1")]);
        assert_eq!(texts(&file(&large, ImageFormat::Png)).unwrap(), ["https://work.weixin.qq.com/gm/1"]);
    }

    #[test]
    fn no_code_no_picture_no_end() {
        assert_eq!(texts(&file(&picture((64, 64), 1, &[]), ImageFormat::Png)), Ok(vec![]));
        assert!(matches!(texts(b"not a picture"), Err(QrError::Unreadable(_))));
        assert!(matches!(texts(b""), Err(QrError::Unreadable(_))));
        let whole = file(&picture((300, 300), 5, &[(40, 40, "x")]), ImageFormat::Png);
        assert!(matches!(texts(&whole[..whole.len() / 2]), Err(QrError::Unreadable(_))));
        assert!(matches!(texts(&vec![0; LARGEST_FILE + 1]), Err(QrError::TooLarge(_))));
        // A small file that claims to be a huge picture.
        let mut bomb = whole;
        bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        assert!(matches!(texts(&bomb), Err(QrError::Unreadable(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn damaged_pictures_do_no_harm(damage in prop::collection::vec((0usize..8100, any::<u8>()), 0..400)) {
            let mut damaged = picture((90, 90), 3, &[(6, 6, "https://x.example")]);
            for (at, value) in damage {
                damaged.put_pixel(at as u32 % 90, at as u32 / 90, Luma([value]));
            }
            let _ = texts(&file(&damaged, ImageFormat::Png));
        }
    }
}
