//! Makes `data/words.txt`, the dictionary of everyday Chinese, from the `dict.txt` of jieba (MIT): `words DICT EXTRA > data/words.txt`.
//!
//! Kept are words of two to eight Han characters and every single one, folded as messages are. Names of people and places of
//! two characters that are hardly ever written have a sign of their own: they make nonsense look like words. EXTRA is
//! `data/chat.txt`, what people say in groups and newspapers did not write yet.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use qunguan_detect::text::{fold, is_han};

/// Words counted to make jieba's frequencies.
const COUNTED: f64 = 6.0e7;
/// Longest word that is kept, in characters.
const LONGEST: usize = 8;
/// Names of two characters that are rarer than this have a sign of their own.
const RAREST_NAME: f64 = 15.0;
const NAME: f64 = 18.4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = std::env::args().skip(1);
    let (Some(dictionary), Some(extra)) = (files.next(), files.next()) else {
        return Err("words DICT EXTRA".into());
    };
    let mut words: BTreeMap<Vec<char>, f64> = BTreeMap::new();
    for line in std::fs::read_to_string(dictionary)?.lines() {
        let mut fields = line.split(' ');
        let (Some(word), Some(count), kind) = (fields.next(), fields.next(), fields.next().unwrap_or_default()) else {
            continue;
        };
        let word: Vec<char> = fold(word).chars().collect();
        let rarity = (COUNTED / count.parse::<f64>()?.max(1.0)).ln();
        let name = kind.starts_with("nr") || matches!(kind, "ns" | "nt" | "nz");
        if word.is_empty() || word.len() > LONGEST || !word.iter().all(|c| is_han(*c) && (*c as u32) < 0x1_0000) {
            continue;
        }
        let rarity = if word.len() == 2 && name && rarity > RAREST_NAME { NAME } else { rarity };
        let known = words.entry(word).or_insert(f64::MAX);
        *known = known.min(rarity);
    }
    for line in std::fs::read_to_string(extra)?.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split_whitespace();
        let Some(rarity) = fields.next() else { continue };
        let rarity: f64 = rarity.parse()?;
        for word in fields {
            let known = words.entry(fold(word).chars().collect()).or_insert(f64::MAX);
            *known = known.min(rarity);
        }
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(
        out,
        "# The words of jieba (https://github.com/fxsjy/jieba, MIT licence, © 2013 Sun Junyi) and of chat.txt."
    )?;
    writeln!(
        out,
        "# A line has the words that begin with its first character, each without it and with a sign of how rare it is:"
    )?;
    writeln!(
        out,
        "# fifths of −ln of its share of all written words, counted from `!`; `}}` is a rare name. Made by examples/words.rs."
    )?;
    let mut first = None;
    for (word, rarity) in &words {
        if first != Some(word[0]) {
            if first.is_some() {
                writeln!(out)?;
            }
            first = Some(word[0]);
            write!(out, "{}", word[0])?;
        }
        let sign = char::from(b'!' + (rarity * 5.0).round() as u8);
        write!(out, "{}{sign}", word[1..].iter().collect::<String>())?;
    }
    writeln!(out)?;
    Ok(())
}
