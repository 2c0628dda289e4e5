//! Prices against the company's own price list (乱价): `草原奶 一箱 45 元拿走` where the list says 59 at least.
//!
//! Nobody is sure of a price in a sentence, so all of it only asks a person: a number with a unit or a word of price beside
//! it, near a product of the list, below its lowest or above its highest price. Of a price for several pieces only one that
//! is below the price of one says something.

use std::collections::HashMap;

use super::lexicon::Note;
use super::matcher::{self, Matcher};
use super::view::{Gap, Span, View, fold};

/// Typed characters between a product and the price behind it.
const BEHIND: usize = 20;
/// Typed characters between a price and the product behind it: `45 元一箱草原奶`.
const BEFORE: usize = 6;
/// Shortest name of a product, in folded characters.
const SHORTEST: usize = 2;
/// Above this nobody sells anything in a chat, in yuan.
const MOST: f64 = 1e9;

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
struct Product {
    name: String,
    lowest: Option<f64>,
    highest: Option<f64>,
}

/// What products may cost, in yuan.
#[derive(Debug, Default)]
pub struct PriceList {
    products: Vec<Product>,
    names: Option<Matcher>,
    /// Product by word of `names`.
    owners: Vec<usize>,
}

/// A price that the list does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Typed characters from product to price.
    pub range: (usize, usize),
    /// What the list says: `草原奶 最低 59 元`.
    pub allowed: String,
}

impl PriceList {
    /// Reads the rows of a table with their lines: product (several names: `草原奶 / 草原纯牛奶`), lowest price, highest price. A heading
    /// may stand above, and either price may be missing. What is wrong is told, and the row left out.
    pub fn of_rows(rows: &[(usize, Vec<String>)]) -> (Self, Vec<Note>) {
        let mut list = Self::default();
        let mut wrong = Vec::new();
        let mut names = matcher::Builder::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        let filled = rows.iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()));
        for (i, (line, cells)) in filled.enumerate() {
            let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim());
            let mut fail = |message: String| wrong.push(Note { line: *line, message });
            let number = |text: &str| text.chars().any(|c| c.is_ascii_digit());
            if i == 0 && !number(cell(1)) && !number(cell(2)) {
                continue; // the heading
            }
            let (lowest, highest) = match (yuan(cell(1)), yuan(cell(2))) {
                (Err(message), _) | (_, Err(message)) => {
                    fail(message);
                    continue;
                }
                (Ok(None), Ok(None)) => {
                    fail(format!("“{}”没有写价格；三列是商品、最低价、最高价", cell(0)));
                    continue;
                }
                (Ok(lowest), Ok(highest)) => (lowest, highest),
            };
            if lowest.zip(highest).is_some_and(|(lowest, highest)| lowest > highest) {
                fail(format!("“{}”的最低价比最高价还高", cell(0)));
                continue;
            }
            let product = list.products.len();
            let mut read = Vec::new();
            for name in cell(0).split(['/', '、']).map(str::trim).filter(|name| !name.is_empty()) {
                let folded = fold(name);
                if folded.chars().count() < SHORTEST {
                    fail(format!("商品名“{name}”太短，没有读；至少两个字"));
                } else if let Some(first) = known.get(&folded) {
                    fail(format!("商品“{name}”在第 {first} 行已经有了，这里的没有读"));
                } else {
                    known.insert(folded, *line);
                    names.add(name, false);
                    list.owners.push(product);
                    read.push(name);
                }
            }
            if let Some(name) = read.first() {
                list.products.push(Product { name: (*name).to_owned(), lowest, highest });
            } else if cell(0).is_empty() {
                fail("没有写商品名".to_owned());
            }
        }
        list.names = (!list.owners.is_empty()).then(|| names.build());
        (list, wrong)
    }

    /// How many products it has.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// It has none.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// Prices in a message that the list does not allow, by position; one a product.
    pub fn find(&self, view: &View) -> Vec<Outside> {
        let products = self.products_in(view);
        let mut found: Vec<(usize, Outside)> = Vec::new();
        if products.is_empty() {
            return Vec::new();
        }
        for price in prices(&view.raw) {
            if products.iter().any(|(_, at)| at.0 < price.range.1 && price.range.0 < at.1) {
                continue; // 草原奶250 is a name
            }
            let before = products.iter().rev().find(|(_, at)| at.1 <= price.range.0 && price.range.0 - at.1 <= BEHIND);
            let behind = || products.iter().find(|(_, at)| at.0 >= price.range.1 && at.0 - price.range.1 <= BEFORE);
            let Some((product, at)) = before.or_else(behind) else { continue };
            let range = (at.0.min(price.range.0), at.1.max(price.range.1));
            let between = &view.raw[at.1.min(price.range.1)..at.0.max(price.range.0)];
            if between.iter().any(|c| matches!(c, '。' | '！' | '!' | '？' | '?' | '；' | ';' | '\n')) {
                continue;
            }
            let behind: String = view.raw[price.range.1..].iter().filter(|c| **c != ' ').take(3).collect();
            if at.1 <= price.range.0 && is_of_another(between) || BESIDES.iter().any(|word| behind.starts_with(word)) {
                continue;
            }
            let Product { name, lowest, highest } = &self.products[*product];
            let several = is_several(&view.raw[range.0..range.1]);
            let allowed = match (lowest, highest) {
                (Some(lowest), _) if price.yuan + 1e-9 < *lowest => format!("{name} 最低 {lowest} 元"),
                (_, Some(highest)) if price.yuan - 1e-9 > *highest && !several => format!("{name} 最高 {highest} 元"),
                _ => continue,
            };
            if !found.iter().any(|(other, _)| other == product) {
                found.push((*product, Outside { range, allowed }));
            }
        }
        found.into_iter().map(|(_, outside)| outside).collect()
    }

    /// Products that are named, with their typed characters, by position; the longest name at a place.
    fn products_in(&self, view: &View) -> Vec<(usize, (usize, usize))> {
        let Some(names) = &self.names else { return Vec::new() };
        let mut spans: Vec<(Span, usize)> = Vec::new();
        names.scan(&view.chars, &view.sounds, |found| {
            let span = Span { start: found.start, end: found.end };
            let whole = (span.start + 1..span.end).all(|at| view.gap[at] != Gap::Hard);
            if whole && view.bounded(span) {
                spans.push((span, self.owners[found.word]));
            }
        });
        spans.sort_unstable_by_key(|(span, _)| (span.start, usize::MAX - span.end));
        let mut end = 0;
        spans.retain(|(span, _)| {
            let apart = span.start >= end;
            end = if apart { span.end } else { end };
            apart
        });
        spans.into_iter().map(|(span, product)| (product, view.raw_range(span))).collect()
    }
}

/// `59`, `￥59.9`, `1,299 元`, `1.2万`; nothing in an empty cell.
fn yuan(cell: &str) -> Result<Option<f64>, String> {
    let text: String =
        cell.chars().map(half_width).filter(|c| !c.is_whitespace() && !matches!(c, ',' | '，')).collect();
    let text = text.trim_start_matches(['¥', '￥']).trim_end_matches(['元', '块']);
    let (text, times) = text.strip_suffix('万').map_or((text, 1.0), |text| (text, 1e4));
    match text.parse::<f64>().map(|number| number * times) {
        _ if text.is_empty() => Ok(None),
        Ok(number) if (0.0..=MOST).contains(&number) => Ok(Some(number)),
        _ => Err(format!("“{cell}”不是价格")),
    }
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        '．' => '.',
        _ => c,
    }
}

/// A price in typed text.
struct Price {
    yuan: f64,
    range: (usize, usize),
}

/// Words of price right before a number that need no unit behind it.
const PRICED: [&str; 22] = [
    "价",
    "价格",
    "卖",
    "卖到",
    "售",
    "只要",
    "只需",
    "仅",
    "到手",
    "才",
    "报",
    "报价",
    "特价",
    "给你",
    "算你",
    "现在",
    "涨到",
    "降到",
    "跌到",
    "折后",
    "打完折",
    "算下来",
];
/// What follows right behind a number that somebody sells for.
const SOLD: [&str; 9] = ["就能拿", "就可以拿", "就拿", "就卖", "就出", "拿走", "带走", "包邮", "到手"];
/// What goods are sold by.
const PIECES: &str = "件箱盒瓶袋个台套份斤桶罐条支双张只";
/// Parts, services and gifts that have prices of their own; none of them is the product.
const BESIDES: [&str; 30] = [
    "配件",
    "配个",
    "配勺",
    "吸管",
    "勺子",
    "盖",
    "袋子",
    "盒袋",
    "包装",
    "手提袋",
    "箱子",
    "盒子",
    "电池",
    "滤芯",
    "充电",
    "支架",
    "遥控",
    "替换",
    "快递",
    "安装",
    "维修",
    "保修",
    "积分",
    "赠",
    "另收",
    "另加",
    "另外",
    "附加",
    "杯子",
    "贴膜",
];
/// What is taken off, added or paid besides is no price of the product.
const OTHER: [&str; 26] = [
    "费", "提", "减", "省", "优惠", "便宜", "返", "券", "满", "降", "加", "涨", "差", "退", "补", "押金", "定金",
    "订金", "运费", "邮费", "奖", "罚", "抵", "红包", "提成", "利润",
];
/// The same behind it: `50 元券`.
const OTHER_BEHIND: [&str; 8] = ["券", "优惠", "红包", "定金", "订金", "押金", "运费", "代金"];

fn prices(raw: &[char]) -> Vec<Price> {
    let raw: Vec<char> = raw.iter().map(|c| half_width(*c)).collect();
    let digit = |at: usize| raw.get(at).is_some_and(char::is_ascii_digit);
    let mut prices = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        if !digit(at) {
            at += 1;
            continue;
        }
        let start = at;
        let thousands = |at: usize| raw.get(at) == Some(&',') && (1..4).all(|i| digit(at + i)) && !digit(at + 4);
        while digit(at) || at > start && (raw.get(at) == Some(&'.') && digit(at + 1) || thousands(at)) {
            at += 1;
        }
        let number: String = raw[start..at].iter().filter(|c| **c != ',').collect();
        let Ok(number) = number.parse::<f64>() else { continue };
        let blank = |c: &&char| **c == ' ';
        let mut end = at + raw[at..].iter().take_while(blank).count();
        let times = match raw.get(end) {
            Some('万') => 1e4,
            Some('千') => 1e3,
            _ => 1.0,
        };
        end += usize::from(times > 1.0);
        let unit = matches!(raw.get(end), Some('元' | '块' | '圆' | '￥' | '¥'));
        end = if unit { end + 1 } else { at + usize::from(times > 1.0) };
        let unit = unit || times > 1e3 && !raw.get(end).is_some_and(|c| "件箱个人次字步股粉公份".contains(*c));
        let before: String = raw[start.saturating_sub(6)..start].iter().filter(|c| **c != ' ').collect();
        let sign = before.ends_with(['¥', '￥']);
        let before = before.trim_end_matches(['¥', '￥', '是', '：', ':', '为', '了', '就', '要']);
        let behind: String =
            raw[end..].iter().skip_while(|c| matches!(c, ' ' | '钱' | '的' | '无' | '门' | '槛')).take(2).collect();
        let next = raw[end..].iter().position(|c| *c != ' ').map(|blanks| &raw[end + blanks..]).unwrap_or_default();
        let priced = PRICED.iter().any(|word| before.ends_with(word)) && is_end(raw.get(end))
            || is_for_one(before, next, is_end(raw.get(end)))
            || SOLD.iter().any(|word| word.chars().eq(next.iter().copied().take(word.chars().count())));
        let letter = start > 0 && (raw[start - 1].is_ascii_alphabetic() || raw[start - 1] == '-');
        let other =
            OTHER.iter().any(|word| before.ends_with(word)) || OTHER_BEHIND.iter().any(|word| behind.starts_with(word));
        if (unit || sign || priced) && !other && !letter {
            prices.push(Price { yuan: number * times, range: (start, end) });
        }
        at = end.max(at);
    }
    prices
}

/// What may stand behind a number that is a price without a unit: nothing that it could count.
fn is_end(next: Option<&char>) -> bool {
    next.is_none_or(|c| {
        matches!(c, '/' | '一' | '包' | '拿' | '走' | '吧' | '给' | '每' | '了')
            || !c.is_alphanumeric() && !matches!(c, '%' | '-' | ':')
    })
}

/// One piece is named right beside a number: `499一瓶`, `45/箱`, `每箱45`.
fn is_for_one(before: &str, next: &[char], ends: bool) -> bool {
    let one = |one: char, piece: char| matches!(one, '一' | '每' | '/' | '单') && PIECES.contains(piece);
    let mut last = before.chars().rev();
    let piece_before = last.next().zip(last.next()).is_some_and(|(piece, first)| one(first, piece));
    let piece_behind = matches!(next, [first, piece, ..] if one(*first, *piece) && *first != '单');
    piece_behind && !before.ends_with('第') || piece_before && ends
}

/// What stands between a product and the price behind it names something else: `的吸管`, `和饺子，饺子`, `安装`.
fn is_of_another(between: &[char]) -> bool {
    let text: String = between.iter().filter(|c| **c != ' ').collect();
    let its_own = |c: Option<char>| c.is_none_or(|c| "价售报卖特优活零批现单到原实".contains(c));
    text.starts_with(['和', '跟', '与', '、'])
        || text.strip_prefix('的').is_some_and(|rest| !its_own(rest.chars().next()))
        || BESIDES.iter().any(|word| text.contains(word))
}

/// Between product and price stands how many pieces it is for, more than one: `2箱`, `三盒`.
fn is_several(text: &[char]) -> bool {
    let piece = |c: &char| "件箱盒瓶袋个台套份斤桶罐条包支提双张".contains(*c);
    text.windows(2).any(|pair| {
        piece(&pair[1]) && (matches!(half_width(pair[0]), '2'..='9' | '0') || "两二三四五六七八九十".contains(pair[0]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
        text.lines().zip(1..).map(|(line, at)| (at, line.split(',').map(str::to_owned).collect())).collect()
    }

    fn list() -> PriceList {
        let (list, wrong) = PriceList::of_rows(&rows(
            "商品,最低价,最高价\n草原奶 / 草原纯牛奶,59,79\n草原奶粉,￥1299,\n面霜A20,,399 元\n明湖苑三居,180万,220万",
        ));
        assert_eq!(wrong, []);
        list
    }

    #[test]
    fn a_price_outside_the_list_is_found_beside_its_product() {
        let list = list();
        for (text, expected) in [
            ("草原奶一箱45元拿走", Some("草原奶 最低 59 元")),
            ("今天草原奶，只要 ４５．５ 块", Some("草原奶 最低 59 元")),
            ("45元一箱草原奶", Some("草原奶 最低 59 元")),
            ("草 原 奶 特价45", Some("草原奶 最低 59 元")),
            ("草原纯牛奶卖到99元了", Some("草原奶 最高 79 元")),
            ("草原奶粉 1,099元", Some("草原奶粉 最低 1299 元")),
            ("面霜A20 价格499", Some("面霜A20 最高 399 元")),
            ("明湖苑三居175万就卖", Some("明湖苑三居 最低 1800000 元")),
            ("明湖苑三居 看了3万次", None),
            ("明湖苑三居175万元就卖", Some("明湖苑三居 最低 1800000 元")),
            ("两箱草原奶50块", Some("草原奶 最低 59 元")),
            ("草原奶59元一箱", None),
            ("草原奶2箱118元", None),
            ("草原奶满200减50元", None),
            ("草原奶送你50元券", None),
            ("草原奶45箱", None),
            ("草原奶下单送运费10元", None),
            ("草原奶到货了。饺子45元一份", None),
            ("面霜A20 还有 45 件", None),
            ("牛肉干45元", None),
            // A piece behind the number, the number behind a unit, a model's number beside it.
            ("面霜A20 499一瓶", Some("面霜A20 最高 399 元")),
            ("面霜A20 一瓶499", Some("面霜A20 最高 399 元")),
            ("面霜A20，499/瓶", Some("面霜A20 最高 399 元")),
            ("面霜A20 499 要的说", None),
            ("草原奶 45一箱", Some("草原奶 最低 59 元")),
            ("草原奶 每箱45", Some("草原奶 最低 59 元")),
            ("45一箱草原奶", Some("草原奶 最低 59 元")),
            ("草原奶现在要99了", Some("草原奶 最高 79 元")),
            ("草原奶涨到99了", Some("草原奶 最高 79 元")),
            ("草原奶降到45了", Some("草原奶 最低 59 元")),
            ("草原奶45就能拿", Some("草原奶 最低 59 元")),
            ("草原奶打完折45块", Some("草原奶 最低 59 元")),
            ("草原奶45块钱一箱", Some("草原奶 最低 59 元")),
            ("草原奶要99箱", None),
            ("草原奶99号到货", None),
            ("草原奶 第45一批", None),
            ("草原奶5月一瓶都没有", None),
            // Accessories, fees, presents and other goods beside it.
            ("草原奶 5元配件", None),
            ("草原奶的吸管5元一包", None),
            ("草原奶箱子另收5元", None),
            ("草原奶礼盒袋5元", None),
            ("草原奶包装费5元", None),
            ("草原奶 快递费10元", None),
            ("草原奶 送货上门费20元", None),
            ("草原奶会员积分抵5元", None),
            ("草原奶安装费30元", None),
            ("草原奶保修一年10元", None),
            ("草原奶每箱给你提5元", None),
            ("草原奶5元无门槛券", None),
            ("草原奶配勺子2元", None),
            ("草原奶和饺子，饺子45元", None),
            ("草原奶杯盖5元一个", None),
        ] {
            let found = list.find(&View::new(text));
            assert_eq!(found.first().map(|found| &*found.allowed), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told_with_its_line() {
        let (list, wrong) =
            PriceList::of_rows(&rows("名称,低,高\n好货,贵,\n面霜,99,59\n,59\n奶,3\n草原奶,59\n草原奶,69\n没价\n"));
        assert_eq!((list.len(), list.is_empty()), (1, false));
        let told: Vec<(usize, &str)> = wrong.iter().map(|note| (note.line, &*note.message)).collect();
        assert_eq!(
            told,
            [
                (2, "“贵”不是价格"),
                (3, "“面霜”的最低价比最高价还高"),
                (4, "没有写商品名"),
                (5, "商品名“奶”太短，没有读；至少两个字"),
                (7, "商品“草原奶”在第 6 行已经有了，这里的没有读"),
                (8, "“没价”没有写价格；三列是商品、最低价、最高价"),
            ]
        );
    }
}
