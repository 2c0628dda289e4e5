//! Learning: a linear support vector machine by dual coordinate descent, and where it may speak up.
//!
//! How alike a text must be is measured on texts that the learner was not shown: the lessons are dealt into [`PARTS`], near-copies
//! into the same, and each part is judged by what was learnt from the others. So every lesson is once an unseen text.
//! What other categories teach is a weak counter-example: an advert that is also a fraud should be seen as either.

use std::collections::{BTreeMap, BTreeSet};

use super::copies::{groups, stir};
use super::pieces::{BUCKETS, with_pieces};
use super::{Model, SHORTEST};
use crate::detect::view::View;
use crate::model::Category;

/// Of so many parts one is kept back.
const PARTS: u64 = 4;
/// Times over the texts.
const PASSES: usize = 10;
/// What a lesson that is not learnt costs, against large weights.
const COST: f32 = 1.0;
/// The same for a violation of another category.
const OTHER: f32 = 0.1;
/// Honest texts of a thousand that may be shown to a human …
const ASKED_IN_1000: f64 = 1.0;
/// … and that a trusted model may act on.
const ACTED_IN_1000: f64 = 0.2;
/// Fewer different violations or honest texts measure nothing.
const FEWEST: usize = 20;
/// The threshold then, and where a guessed one cannot lie below: halfway between the two sides.
const HALFWAY: f32 = 0.0;
/// Between asking and acting at least so much.
const STEP: f32 = 0.25;

/// Labelled texts, ready to learn any category from.
#[derive(Clone, Debug)]
pub struct Lessons {
    lessons: Vec<Lesson>,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Lesson {
    pieces: Vec<u32>,
    /// `None` where nothing is wrong.
    what: Option<Category>,
    /// The first lesson of its near-copies.
    group: usize,
    part: u64,
    long_enough: bool,
}

/// What a model saw among lessons that it had not been shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Violations of the category …
    pub bad: usize,
    /// … that a human would have been shown …
    pub seen: usize,
    /// … and that a trusted model would have acted on.
    pub acted: usize,
    /// Honest texts, near-copies counted once …
    pub honest: usize,
    /// … that a human would have been shown …
    pub false_alarms: usize,
    /// … and that a trusted model would have acted on.
    pub wronged: usize,
}

/// Weights while learning.
#[derive(Clone)]
struct Weights {
    of: Vec<f32>,
    bias: f32,
}

impl Weights {
    /// What was learnt before is where learning begins.
    fn of(model: Option<&Model>) -> Self {
        model.map_or_else(
            || Self { of: vec![0.0; BUCKETS], bias: 0.0 },
            |m| Self { of: m.weights.iter().map(|w| f32::from(*w) * m.unit).collect(), bias: m.bias },
        )
    }

    fn sum(&self, pieces: &[u32]) -> f32 {
        let sum: f32 = pieces.iter().map(|p| self.of[*p as usize]).sum();
        self.bias + sum / length(pieces)
    }

    fn add(&mut self, pieces: &[u32], step: f32) {
        let each = step / length(pieces);
        for piece in pieces {
            self.of[*piece as usize] += each;
        }
        self.bias += step;
    }

    /// Learns from the lessons in an order that the seed decides.
    fn learn(&mut self, lessons: &[(&Lesson, f32, f32)], seed: u64) {
        let mut order: Vec<usize> = (0..lessons.len()).collect();
        let mut pulls = vec![0.0f32; lessons.len()];
        for pass in 0..PASSES {
            shuffle(&mut order, stir(seed ^ stir(pass as u64 + 1)));
            for &i in &order {
                let (lesson, side, cost) = lessons[i];
                let slack = 0.5 / cost;
                let gradient = side * self.sum(&lesson.pieces) - 1.0 + slack * pulls[i];
                // A text of length one and the bias weigh two together.
                let pull = (pulls[i] - gradient / (2.0 + slack)).max(0.0);
                let step = (pull - pulls[i]) * side;
                if step != 0.0 {
                    pulls[i] = pull;
                    self.add(&lesson.pieces, step);
                }
            }
        }
    }
}

fn length(pieces: &[u32]) -> f32 {
    (pieces.len().max(1) as f32).sqrt()
}

fn shuffle(order: &mut [usize], seed: u64) {
    let mut state = seed;
    for i in (1..order.len()).rev() {
        state = stir(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        order.swap(i, (state % (i as u64 + 1)) as usize);
    }
}

impl Lessons {
    /// Takes texts in; `None` means that nothing is wrong. The same texts and seed teach the same.
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'a str, Option<Category>)>, seed: u64) -> Self {
        let (mut pieces, mut what) = (Vec::new(), Vec::new());
        for (text, category) in texts {
            let view = View::new(text);
            pieces.push(with_pieces(&view, <[u32]>::to_vec));
            what.push((category, view.chars.len() >= SHORTEST));
        }
        let groups = groups(&pieces);
        let lessons = pieces.into_iter().zip(what).zip(groups).map(|((pieces, (what, long_enough)), group)| Lesson {
            pieces,
            what,
            group,
            part: stir(seed ^ stir(group as u64)) % PARTS,
            long_enough,
        });
        Self { lessons: lessons.collect(), seed }
    }

    /// Lessons of a category; `None` counts the honest ones.
    pub fn count(&self, what: Option<Category>) -> usize {
        self.lessons.iter().filter(|lesson| lesson.what == what).count()
    }

    /// Learns a category, on top of what a former model knew. Measured is nothing where there are too few lessons.
    pub fn teach(&self, category: Category, former: Option<&Model>) -> (Model, Option<Measured>) {
        let start = Weights::of(former);
        let learnt = |skip: Option<u64>| {
            let mut weights = start.clone();
            let shown = self.lessons.iter().filter(|lesson| skip != Some(lesson.part));
            let sided = shown.map(|lesson| match lesson.what {
                Some(what) if what == category => (lesson, 1.0, COST),
                Some(_) => (lesson, -1.0, OTHER),
                None => (lesson, -1.0, COST),
            });
            weights.learn(&sided.collect::<Vec<_>>(), self.seed);
            weights
        };
        // Near-copies are one false alarm: a template that everybody sends must not eat the budget.
        let (mut bad, mut honest) = (Vec::new(), BTreeMap::new());
        let enough = |what| {
            let of_it = self.lessons.iter().filter(|lesson| lesson.what == what);
            of_it.map(|lesson| lesson.group).collect::<BTreeSet<_>>().len() >= FEWEST
        };
        if enough(None) {
            for part in 0..PARTS {
                let weights = learnt(Some(part));
                for lesson in self.lessons.iter().filter(|lesson| lesson.part == part && lesson.long_enough) {
                    let sum = weights.sum(&lesson.pieces);
                    match lesson.what {
                        None => {
                            let most = honest.entry(lesson.group).or_insert(sum);
                            *most = sum.max(*most);
                        }
                        Some(what) if what == category => bad.push(sum),
                        Some(_) => {}
                    }
                }
            }
        }
        let mut honest: Vec<f32> = honest.into_values().collect();
        honest.sort_by(|a, b| b.total_cmp(a));
        // What was learnt before may have been learnt from these very texts: a threshold only rises.
        let review = threshold(&honest, ASKED_IN_1000).max(former.map_or(f32::MIN, |m| m.review));
        let act = threshold(&honest, ACTED_IN_1000).max(review + STEP).max(former.map_or(f32::MIN, |m| m.act));
        let over = |sums: &[f32], threshold: f32| sums.iter().filter(|sum| **sum > threshold).count();
        let measured = (!honest.is_empty() && enough(Some(category))).then(|| Measured {
            bad: bad.len(),
            seen: over(&bad, review),
            acted: over(&bad, act),
            honest: honest.len(),
            false_alarms: over(&honest, review),
            wronged: over(&honest, act),
        });
        let weights = learnt(None);
        let largest = weights.of.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs()));
        let unit = largest / 127.0;
        let model = Model {
            weights: weights.of.iter().map(|w| (w / unit).round() as i8).collect(),
            unit,
            bias: weights.bias,
            review,
            act,
            examples: former.map_or(0, |m| m.examples) + self.lessons.len() as u64,
            record: former.map_or_else(Default::default, |m| m.record),
        };
        (model, measured)
    }
}

/// Above it lie at most so many of a thousand of these sums (largest first). Where there are fewer than the budget needs, the
/// tail is guessed from how they spread.
fn threshold(sums: &[f32], in_1000: f64) -> f32 {
    let allowed = in_1000 / 1000.0 * sums.len() as f64;
    let Some(next) = sums.get(allowed as usize) else { return HALFWAY };
    if allowed >= 1.0 {
        return *next;
    }
    let n = sums.len() as f32;
    let mean = sums.iter().sum::<f32>() / n;
    let deviation = (sums.iter().map(|s| (s - mean).powi(2)).sum::<f32>() / n).sqrt();
    // A normal distribution has a thousandth above three deviations.
    next.max(mean + 3.1 * deviation).max(HALFWAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three parts each, so that no two sentences are near-copies.
    const SOLD: [[&str; 4]; 3] = [
        ["上门高价收旧家电", "专收烟酒礼品", "大量回收二手手机", "废铜废铝现金收购"],
        ["当面付款不压价", "量大价格另议", "全城都能跑", "评估免费"],
        ["要处理的打我电话", "随时联系老周", "有货私信报价", "加我发图片估价"],
    ];
    const SAID: [[&str; 4]; 3] = [
        ["客户下周二过来", "合同我放前台了", "今天的例会改到三点", "样品还差两箱"],
        ["谁有空去接一下", "电梯口那边有人等", "记得带上名片", "报表别忘了更新"],
        ["我先去吃饭", "辛苦大家", "明早再对一遍", "有问题打我电话"],
    ];
    const BET: [[&str; 4]; 3] = [
        ["今晚开盘押大小", "龙虎斗稳赚", "滚球赔率最高", "送十八彩金"],
        ["新人首存翻倍", "提款秒到账", "下注不限额", "老玩家有返水"],
        ["网址在主页", "找客服领号", "跟着带单员走", "今晚八点进场"],
    ];

    fn said(parts: [[&str; 4]; 3], what: Option<Category>) -> Vec<(String, Option<Category>)> {
        let line = |i: usize| [parts[0][i % 4], parts[1][i / 4 % 4], parts[2][i / 16]].join("，");
        (0..64).map(|i| (line(i), what)).collect()
    }

    fn texts() -> Vec<(String, Option<Category>)> {
        [said(SOLD, Some(Category::Ads)), said(SAID, None), said(BET, Some(Category::Gambling))].concat()
    }

    fn lessons(seed: u64) -> Lessons {
        let texts = texts();
        Lessons::new(texts.iter().map(|(text, what)| (text.as_str(), *what)), seed)
    }

    #[test]
    fn it_learns_what_it_was_told_and_says_what_it_measured() {
        let (model, measured) = lessons(1).teach(Category::Ads, None);
        assert!(model.likeness("上门高价收旧空调，当面付款，有货联系老周").review);
        assert!(!model.likeness("客户说空调的样品明早送，谁去前台接一下").review);
        let measured = measured.unwrap();
        assert_eq!(measured.bad, 64);
        assert!((FEWEST..=64).contains(&measured.honest), "near-copies count once: {measured:?}");
        assert!(measured.seen > 50 && measured.false_alarms == 0, "{measured:?}");
        assert!(model.act >= model.review + STEP);
        assert_eq!(Model::load(&model.save()).as_ref(), Ok(&model));
    }

    #[test]
    fn the_same_lessons_and_seed_teach_the_same() {
        let taught = |seed| lessons(seed).teach(Category::Gambling, None);
        assert_eq!(taught(7), taught(7));
        assert_ne!(taught(7).0, taught(8).0);
    }

    #[test]
    fn a_verdict_of_people_goes_on_top_of_what_was_known() {
        let (before, _) = lessons(1).teach(Category::Ads, None);
        let again = "二手手机回收，评估免费，打我电话";
        assert!(before.likeness(again).review);
        let (after, measured) = Lessons::new([(again, None)], 1).teach(Category::Ads, Some(&before));
        assert_eq!(measured, None);
        assert!(!after.likeness(again).review, "people called it a false alarm");
        assert!(after.likeness("专收烟酒礼品，全城都能跑，私信报价").review, "the rest is not forgotten");
        assert_eq!(after.examples, before.examples + 1);
        assert!(after.review >= before.review && after.act >= before.act);
    }

    #[test]
    fn the_threshold_keeps_the_budget() {
        let sums: Vec<f32> = (0..5000u16).rev().map(|i| f32::from(i) / 1000.0).collect();
        let over = |threshold: f32| sums.iter().filter(|s| **s > threshold).count();
        assert_eq!((over(threshold(&sums, 1.0)), over(threshold(&sums, 0.2))), (5, 1));
        assert!(threshold(&sums[..100], 1.0) > sums[0], "too few to know: the tail is guessed");
        assert!(threshold(&[], 1.0) >= HALFWAY);
        assert!(threshold(&[-3.0; 40], 1.0) >= HALFWAY);
    }
}
