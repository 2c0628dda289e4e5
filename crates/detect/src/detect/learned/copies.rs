//! Near-copies among the lessons: what is kept back to measure with must not be a text that was shown with another number in it.

use std::collections::HashMap;

/// Two texts that agree in all rows of a band belong together: with nine tenths of their pieces in common surely, with three
/// quarters mostly, with a third hardly ever.
const BANDS: u64 = 5;
const ROWS: u64 = 4;

/// Groups texts by their pieces: for each text the first text of its group.
pub(super) fn groups(texts: &[Vec<u32>]) -> Vec<usize> {
    let mut first: Vec<usize> = (0..texts.len()).collect();
    let mut bands: HashMap<(u64, u64), usize> = HashMap::new();
    for (this, pieces) in texts.iter().enumerate().filter(|(_, pieces)| !pieces.is_empty()) {
        for band in 0..BANDS {
            let least = |row: u64| {
                let seed = (band * ROWS + row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                pieces.iter().map(|p| stir(u64::from(*p) ^ seed)).min().unwrap_or_default()
            };
            let key = (0..ROWS).fold(0, |key, row| stir(key ^ least(row)));
            let other = *bands.entry((band, key)).or_insert(this);
            let (a, b) = (root(&mut first, other), root(&mut first, this));
            first[a.max(b)] = a.min(b);
        }
    }
    (0..texts.len()).map(|i| root(&mut first, i)).collect()
}

fn root(first: &mut [usize], mut i: usize) -> usize {
    while first[i] != i {
        first[i] = first[first[i]];
        i = first[i];
    }
    i
}

pub(super) fn stir(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{learned::pieces::with_pieces, view::View};

    #[test]
    fn a_campaign_is_one_group() {
        let texts = [
            "旧家电高价回收，当天上门，电话13800000000，随叫随到",
            "明天下午三点在二楼会议室开会",
            "旧家电高价回收，当天上门，电话13911112222，随叫随到！",
            "明天上午九点要交周报",
        ];
        let pieces: Vec<Vec<u32>> = texts.iter().map(|text| with_pieces(&View::new(text), <[u32]>::to_vec)).collect();
        assert_eq!(groups(&pieces), [0, 1, 0, 3]);
    }
}
