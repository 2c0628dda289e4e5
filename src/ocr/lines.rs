//! Where lines of text are in a picture: the detection model paints each pixel by how likely it belongs to text; what hangs
//! together is one line, also where it is written at a slant.

use std::path::Path;

use image::{RgbImage, imageops::FilterType};
use rten_imageproc::{Point, RetrievalMode, RotatedRect, Vec2, find_contours, min_area_rect};
use rten_tensor::{NdTensor, prelude::*};

use super::ModelError;

/// Longest side that is looked at, in pixels; larger pictures are made smaller.
const LONGEST: u32 = 1280;
/// Pictures whose longest side is shorter are made larger.
const SHORTEST: u32 = 320;
/// The model wants sides that are multiples of this.
const STEP: u32 = 32;
/// A pixel that is likelier than this belongs to text.
const PIXEL: f32 = 0.3;
/// A line whose pixels are less likely on average is none.
const LINE: f32 = 0.5;
/// The model paints the core of a line; its outline lies further out by its area times this, divided by its circumference.
const GROW: f32 = 1.6;
/// Lines that are thinner, in pixels of what is looked at, are none.
const THIN: f32 = 3.0;
/// A line that is so many times higher than wide is written downwards, and is turned.
const DOWNWARDS: f32 = 1.5;
/// Height of a cut out line, in pixels: what the recognition model reads.
pub(super) const HEIGHT: u32 = 48;
/// Widest line, in pixels of that height; a wider one is squeezed.
const WIDEST: f32 = 2400.0;

/// The detection model.
pub(super) struct Lines {
    model: rten::Model,
}

/// Where one line is, in pixels of the picture.
pub(super) struct Place {
    rect: RotatedRect,
}

impl Lines {
    pub(super) fn load(path: &Path) -> Result<Self, ModelError> {
        Ok(Self { model: super::model_file::model(path)? })
    }

    /// The lines of a picture from top to bottom, those of one row from left to right.
    pub(super) fn find(&self, picture: &RgbImage) -> Result<Vec<Place>, String> {
        let (width, height) = picture.dimensions();
        let longest = width.max(height).max(1);
        let scale = longest.clamp(SHORTEST, LONGEST) as f32 / longest as f32;
        let side = |length: u32| ((length as f32 * scale / STEP as f32).round().max(1.0)) as u32 * STEP;
        let (w, h) = (side(width), side(height));
        let small = image::imageops::resize(picture, w, h, FilterType::Triangle);
        let input = NdTensor::from_fn([1, 3, h as usize, w as usize], |[_, channel, y, x]| {
            // The models were taught on pictures whose channels are blue, green, red.
            f32::from(small.get_pixel(x as u32, y as u32)[2 - channel]) / 127.5 - 1.0
        });
        let painted = self.model.run_one(input.view().into(), None).map_err(|e| e.to_string())?;
        let painted: NdTensor<f32, 4> = painted.try_into().map_err(|_| "应答的形状不对".to_owned())?;
        if painted.shape() != [1, 1, h as usize, w as usize] {
            return Err("应答的形状不对".to_owned());
        }
        let likely = painted.slice((0, 0));
        let likely = likely.to_contiguous();
        let mask = NdTensor::from_fn([h as usize, w as usize], |[y, x]| likely[[y, x]] > PIXEL);
        let back = (width as f32 / w as f32, height as f32 / h as f32);
        let mut found: Vec<Place> = Vec::new();
        for contour in find_contours(mask.view(), RetrievalMode::External).iter() {
            let points: Vec<_> = contour.iter().map(|point| point.to_f32()).collect();
            let Some(core) = min_area_rect(&points).filter(|core| core.width().min(core.height()) >= THIN) else {
                continue;
            };
            if mean(&likely.view(), &core) < LINE {
                continue;
            }
            let grow = 2.0 * core.area() * GROW / (2.0 * (core.width() + core.height()));
            found.push(Place { rect: stretched(&core.expanded(grow, grow), back) });
        }
        found.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
        in_rows(&mut found);
        Ok(found)
    }
}

/// How likely the pixels of a place are text, on average.
fn mean(likely: &rten_tensor::NdTensorView<'_, f32, 2>, core: &RotatedRect) -> f32 {
    let corners = core.corners();
    let range = |values: [f32; 4], size: usize| {
        let low = values.into_iter().fold(f32::MAX, f32::min).floor().max(0.0) as usize;
        let high = values.into_iter().fold(f32::MIN, f32::max).ceil().max(0.0) as usize;
        low..(high + 1).min(size)
    };
    let [h, w] = likely.shape();
    let (mut sum, mut count) = (0.0, 0u32);
    for y in range(corners.map(|c| c.y), h) {
        for x in range(corners.map(|c| c.x), w) {
            if core.contains(Point::from_yx(y as f32, x as f32)) {
                sum += likely[[y, x]];
                count += 1;
            }
        }
    }
    sum / count.max(1) as f32
}

/// A place in a picture of another size. Width and height change by nearly the same factor.
fn stretched(rect: &RotatedRect, by: (f32, f32)) -> RotatedRect {
    let center = rect.center();
    let up = rect.up_axis();
    let across = Vec2::from_xy(up.y, -up.x);
    let factor = |axis: Vec2| Vec2::from_xy(axis.x * by.0, axis.y * by.1).length();
    RotatedRect::new(
        Point::from_yx(center.y * by.1, center.x * by.0),
        up,
        rect.width() * factor(across),
        rect.height() * factor(up),
    )
}

/// Sorts what is at the same height from left to right.
fn in_rows(places: &mut [Place]) {
    let mut start = 0;
    while start < places.len() {
        let (middle, reach) = (places[start].middle(), places[start].height() / 2.0);
        let row = places[start..].iter().take_while(|place| place.middle() - middle < reach).count();
        places[start..start + row].sort_by(|a, b| a.rect.center().x.total_cmp(&b.rect.center().x));
        start += row;
    }
}

impl Place {
    /// Its middle, counted from the top of the picture.
    pub(super) fn middle(&self) -> f32 {
        self.rect.center().y
    }

    /// How high its characters are.
    pub(super) fn height(&self) -> f32 {
        self.rect.width().min(self.rect.height())
    }

    /// The line, straight and [`HEIGHT`] pixels high.
    pub(super) fn cut_out(&self, picture: &RgbImage) -> RgbImage {
        let upright = self.rect.orient_towards(Vec2::from_yx(-1.0, 0.0));
        let rect = if upright.height() > DOWNWARDS * upright.width() {
            self.rect.orient_towards(Vec2::from_yx(0.0, 1.0))
        } else {
            upright
        };
        let (w, h) = (rect.width().max(1.0), rect.height().max(1.0));
        let width = (w / h * HEIGHT as f32).ceil().clamp(16.0, WIDEST) as u32;
        let (center, up) = (rect.center(), rect.up_axis());
        let across = Vec2::from_xy(-up.y, up.x);
        // Where one pixel of the line covers many of the picture, it is the mean of some of them.
        let samples = (h / HEIGHT as f32).ceil().clamp(1.0, 4.0) as u32;
        RgbImage::from_fn(width, HEIGHT, |x, y| {
            let mut sum = [0.0f32; 3];
            for (i, j) in (0..samples).flat_map(|i| (0..samples).map(move |j| (i, j))) {
                let part = |at: u32, i: u32, of: u32| (at as f32 + (i as f32 + 0.5) / samples as f32) / of as f32 - 0.5;
                let (u, v) = (part(x, i, width) * w, -part(y, j, HEIGHT) * h);
                let pixel = bilinear(picture, center.x + across.x * u + up.x * v, center.y + across.y * u + up.y * v);
                (0..3).for_each(|c| sum[c] += pixel[c]);
            }
            image::Rgb(sum.map(|s| (s / (samples * samples) as f32).round() as u8))
        })
    }
}

/// A colour between pixels; outside the picture that of its edge.
fn bilinear(picture: &RgbImage, x: f32, y: f32) -> [f32; 3] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let at = |x: f32, y: f32| {
        let within = |v: f32, size: u32| v.clamp(0.0, size as f32 - 1.0) as u32;
        picture.get_pixel(within(x, picture.width()), within(y, picture.height())).0
    };
    let above = (at(left, top), at(left + 1.0, top));
    let below = (at(left, top + 1.0), at(left + 1.0, top + 1.0));
    std::array::from_fn(|i| {
        let mix = |(left, right): ([u8; 3], [u8; 3])| f32::from(left[i]) * (1.0 - dx) + f32::from(right[i]) * dx;
        mix(above) * (1.0 - dy) + mix(below) * dy
    })
}
