//! What was said before: enough of each member's last messages to see flooding, repetition, one text posted by several
//! accounts or in several groups, and a word spread over several messages. Bounded; nothing but hashes outlives a message
//! except the few characters of very short ones.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::model::{GroupId, MemberId, SignedDuration, Timestamp};

/// Messages of one member that are kept.
pub const PER_MEMBER: usize = 24;
/// Messages over all groups that are kept for campaigns.
const OVERALL: usize = 4096;
/// Members that are kept; when there are more, the quarter that was silent longest goes.
const MEMBERS: usize = 20_000;
/// Accounts and groups of a campaign are counted up to this.
pub const COUNTED: usize = 32;
/// A message this short may be a piece of a word.
const PIECE_CHARS: usize = 4;
/// The last piece may be longer: 加 · 我微信 · an account name.
const LAST_CHARS: usize = 14;

/// When flooding begins.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages within `rate_window` that are still fine.
    pub rate: usize,
    /// Window of `rate`.
    pub rate_window: SignedDuration,
    /// The same text that often within `repeat_window` is repetition.
    pub repeats: usize,
    /// Window of `repeats`.
    pub repeat_window: SignedDuration,
    /// The same text from that many accounts is a campaign.
    pub campaign_senders: usize,
    /// The same text of one account in that many groups is one, too.
    pub campaign_groups: usize,
    /// Window of campaigns.
    pub campaign_window: SignedDuration,
    /// Shorter texts (“收到”, “好的”) never count as repeated.
    pub shortest: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: 10,
            rate_window: SignedDuration::from_secs(30),
            repeats: 3,
            repeat_window: SignedDuration::from_mins(10),
            campaign_senders: 3,
            campaign_groups: 3,
            campaign_window: SignedDuration::from_hours(6),
            shortest: 6,
        }
    }
}

/// One earlier message.
#[derive(Clone, Debug, PartialEq)]
pub struct Earlier {
    /// When it was said.
    pub at: Timestamp,
    /// Similarity hash of its folded text.
    pub hash: u64,
    /// Folded characters.
    pub len: u32,
    /// Its folded text if it was very short.
    piece: Option<String>,
}

#[derive(Clone, Debug)]
struct Posted {
    at: Timestamp,
    group: GroupId,
    sender: MemberId,
    /// Similarity hash and folded length.
    shape: (u64, u32),
}

/// The last messages of all groups, found by their shape.
#[derive(Debug, Default)]
struct Posts {
    /// Oldest first.
    last: VecDeque<Posted>,
    /// The number of the oldest; they are numbered as they come.
    first: u64,
    /// Numbers by a quarter of the hash and which quarter it is: hashes that are nearly the same ([`NEAR`]) share one.
    quarters: foldhash::HashMap<(u8, u16), VecDeque<u64>>,
}

/// The quarters of a hash, numbered.
fn quarters(hash: u64) -> impl Iterator<Item = (u8, u16)> {
    (0..4).map(move |n| (n, (hash >> (16 * n)) as u16))
}

impl Posts {
    fn push(&mut self, post: Posted) {
        if self.last.len() == OVERALL
            && let Some(oldest) = self.last.pop_front()
        {
            self.first += 1;
            for quarter in quarters(oldest.shape.0) {
                if let Some(numbers) = self.quarters.get_mut(&quarter) {
                    numbers.pop_front();
                    if numbers.is_empty() {
                        self.quarters.remove(&quarter);
                    }
                }
            }
        }
        let number = self.first + self.last.len() as u64;
        for quarter in quarters(post.shape.0) {
            self.quarters.entry(quarter).or_default().push_back(number);
        }
        self.last.push_back(post);
    }

    /// Those of nearly the same shape, newest first in each quarter.
    fn alike(&self, shape: (u64, u32)) -> impl Iterator<Item = &Posted> {
        quarters(shape.0).flat_map(move |quarter| {
            let numbers = self.quarters.get(&quarter).into_iter().flatten().rev();
            let posts = numbers.map(|number| &self.last[(number - self.first) as usize]);
            // One that shares several quarters is met in the first of them.
            let first =
                move |other: u64| quarters(other).find(|q| quarters(shape.0).any(|own| own == *q)) == Some(quarter);
            posts.filter(move |post| same(post.shape, shape) && first(post.shape.0))
        })
    }
}

/// The memory. Shared: it is locked only while a message is compared with the earlier ones, not while it is scanned.
#[derive(Debug, Default)]
pub struct History(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    members: HashMap<(GroupId, MemberId), VecDeque<Earlier>>,
    posts: Posts,
}

/// What the memory says about a new message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Messages of the sender in this group within the rate window, this one included.
    pub rate: usize,
    /// The same text by the sender in this group within the window, this one included.
    pub repeats: usize,
    /// Accounts that posted the text, this one included, up to 32.
    pub senders: usize,
    /// Groups the sender posted the text in, this one included, up to 32.
    pub groups: usize,
    /// The sender's last very short messages, joined, this one included; empty unless there are several.
    pub joined: String,
}

/// Hashes of long texts that are the same up to small changes differ in so many bits at most.
const NEAR: u32 = 3;

/// Two texts are the same up to small changes.
fn same(a: (u64, u32), b: (u64, u32)) -> bool {
    let near = if a.1.min(b.1) >= 16 { NEAR } else { 0 };
    a.1.abs_diff(b.1) <= a.1.max(b.1) / 8 && (a.0 ^ b.0).count_ones() <= near
}

/// A hash of each pair of neighbours, and of the first character alone: as many as characters. Digits count as one, so a
/// changing number does not hide a campaign.
fn pairs(chars: &[char]) -> impl Iterator<Item = u64> {
    let class = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let pairs = chars.windows(2).map(move |pair| (class(pair[0]), class(pair[1])));
    pairs.chain(chars.first().map(|c| (class(*c), '\0'))).map(|(a, b)| {
        let mut hash = (u64::from(a as u32) << 32 | u64::from(b as u32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
        hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash ^ hash >> 32
    })
}

/// 64-bit similarity hash: each bit is what most of the pairs say.
pub fn similarity(chars: &[char]) -> u64 {
    let mut ones = [0_u32; 64];
    // Eight counters of a byte each in every word of `few`: emptied before one can run over.
    let mut few = [0_u64; 8];
    let mut empty = |few: &mut [u64; 8]| {
        for (bit, count) in ones.iter_mut().enumerate() {
            *count += u32::from(few[bit % 8].to_le_bytes()[bit / 8]);
        }
        *few = [0; 8];
    };
    for (n, hash) in pairs(chars).enumerate() {
        for (shift, counters) in few.iter_mut().enumerate() {
            *counters += hash >> shift & 0x0101_0101_0101_0101;
        }
        if n % 255 == 254 {
            empty(&mut few);
        }
    }
    empty(&mut few);
    ones.iter().enumerate().fold(0, |hash, (bit, count)| hash | u64::from(count * 2 > chars.len() as u32) << bit)
}

/// Makes room at once for many, so that a new member rarely pays for it.
fn forget_silent(members: &mut HashMap<(GroupId, MemberId), VecDeque<Earlier>>) {
    let last = |ring: &VecDeque<Earlier>| ring.back().map(|earlier| earlier.at);
    let mut ages: Vec<_> = members.values().map(last).collect();
    let quarter = ages.len() / 4;
    let newest_gone = *ages.select_nth_unstable(quarter).1;
    let mut spare = quarter + 1;
    members.retain(|_, ring| {
        let goes = spare > 0 && last(ring) <= newest_gone;
        spare -= usize::from(goes);
        !goes
    });
}

impl History {
    /// An empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// True if something is remembered of the member.
    pub fn knows(&self, group: &GroupId, member: &MemberId) -> bool {
        self.0.lock().members.contains_key(&(group.clone(), member.clone()))
    }

    /// Puts back what was stored about a member, oldest first; what is remembered already is newer and stays.
    pub fn restore(
        &self,
        group: &GroupId,
        member: &MemberId,
        earlier: impl IntoIterator<Item = (Timestamp, u64, u32)>,
    ) {
        let mut memory = self.0.lock();
        let ring = memory.members.entry((group.clone(), member.clone())).or_default();
        if ring.is_empty() {
            ring.extend(earlier.into_iter().map(|(at, hash, len)| Earlier { at, hash, len, piece: None }));
        }
    }

    /// The shapes of a member's last messages, at most `limit`, oldest first.
    pub fn earlier(&self, group: &GroupId, member: &MemberId, limit: usize) -> Vec<(Timestamp, u64, u32)> {
        let memory = self.0.lock();
        let ring = memory.members.get(&(group.clone(), member.clone())).into_iter().flatten();
        let mut last: Vec<_> = ring.rev().take(limit).map(|e| (e.at, e.hash, e.len)).collect();
        last.reverse();
        last
    }

    /// Remembers a message and answers what it looks like beside the earlier ones.
    pub fn add(&self, group: &GroupId, sender: &MemberId, at: Timestamp, chars: &[char], limits: &Limits) -> Seen {
        let hash = similarity(chars);
        let len = chars.len() as u32;
        let piece = (1..=PIECE_CHARS).contains(&chars.len()).then(|| chars.iter().collect::<String>());
        let key = (group.clone(), sender.clone());
        let mut memory = self.0.lock();
        let Memory { members, posts } = &mut *memory;
        if members.len() >= MEMBERS && !members.contains_key(&key) {
            forget_silent(members);
        }
        let ring = members.entry(key).or_default();
        if ring.len() == PER_MEMBER {
            ring.pop_front();
        }
        ring.push_back(Earlier { at, hash, len, piece });
        posts.push(Posted { at, group: group.clone(), sender: sender.clone(), shape: (hash, len) });

        let recent = |then: Timestamp, window: SignedDuration| at.duration_since(then).abs() <= window;
        let long_enough = chars.len() >= limits.shortest;
        let mut seen = Seen {
            rate: ring.iter().filter(|e| recent(e.at, limits.rate_window)).count(),
            repeats: 1,
            senders: 1,
            groups: 1,
            joined: String::new(),
        };
        if long_enough {
            let alike = |e: &&Earlier| same((e.hash, e.len), (hash, len)) && recent(e.at, limits.repeat_window);
            seen.repeats = ring.iter().filter(alike).count();
        }
        if chars.len() >= limits.shortest * 2 {
            let (mut senders, mut groups): (Vec<&MemberId>, Vec<&GroupId>) = (vec![sender], vec![group]);
            for post in posts.alike((hash, len)) {
                if !recent(post.at, limits.campaign_window) {
                    continue;
                }
                if &post.sender == sender {
                    if !groups.contains(&&post.group) {
                        groups.push(&post.group);
                    }
                } else if !senders.contains(&&post.sender) {
                    senders.push(&post.sender);
                }
                if senders.len().max(groups.len()) >= COUNTED {
                    break;
                }
            }
            (seen.senders, seen.groups) = (senders.len(), groups.len());
        }
        let last: String = chars.iter().take(LAST_CHARS + 1).collect();
        let mut pieces: Vec<&str> = Vec::new();
        if (1..=LAST_CHARS).contains(&chars.len()) {
            pieces.push(&last);
        }
        for earlier in ring.iter().rev().skip(1) {
            match &earlier.piece {
                Some(piece) if recent(earlier.at, SignedDuration::from_secs(90)) && (1..8).contains(&pieces.len()) => {
                    pieces.push(piece);
                }
                _ => break,
            }
        }
        if pieces.len() > 1 {
            seen.joined = pieces.into_iter().rev().collect();
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVERT: &str = "新店开业全场八折，扫码进群领券，先到先得";

    fn say(history: &History, group: &str, sender: &str, second: i64, text: &str) -> Seen {
        let chars: Vec<char> = text.chars().collect();
        let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
        history.add(&group.into(), &sender.into(), at, &chars, &Limits::default())
    }

    #[test]
    fn rate_and_repetition_are_those_of_the_window() {
        let history = History::new();
        for n in 0..5 {
            say(&history, "g", "li", n, ADVERT);
        }
        let seen = say(&history, "g", "li", 10, ADVERT);
        assert_eq!((seen.rate, seen.repeats), (6, 6));
        let seen = say(&history, "g", "li", 10 + 31, ADVERT);
        assert_eq!((seen.rate, seen.repeats), (1, 7), "half a minute later the rate begins anew");
        let seen = say(&history, "g", "li", 700, ADVERT);
        assert_eq!(seen.repeats, 1, "and the repetition after ten minutes");
        assert_eq!(say(&history, "g", "zhang", 700, ADVERT).rate, 1, "everybody by themselves");
    }

    #[test]
    fn one_text_of_many_accounts_or_in_many_groups_is_counted_up_to_a_limit() {
        let history = History::new();
        for n in 0..50 {
            let seen = say(&history, "g", &format!("u{n}"), n, &format!("{ADVERT} {n}"));
            assert_eq!(seen.senders, (n as usize + 1).min(COUNTED));
        }
        let history = History::new();
        for n in 0..3 {
            assert_eq!(say(&history, &format!("g{n}"), "li", n, ADVERT).groups, n as usize + 1);
        }
        assert_eq!(say(&history, "g9", "zhang", 9, "这是一句完全不同的话，讲的是别的事情").senders, 1);
        assert_eq!(say(&history, "g9", "sun", 7 * 3600, ADVERT).senders, 1, "six hours later it is another one");
    }

    #[test]
    fn a_bit_of_the_similarity_is_what_most_pairs_say() {
        for len in [0, 1, 2, 17, 255, 256, 700] {
            let chars: Vec<char> = ('\u{4e00}'..).step_by(7).take(len).collect();
            let pairs: Vec<u64> = pairs(&chars).collect();
            let most = |bit: &u32| pairs.iter().filter(|pair| **pair >> bit & 1 == 1).count() * 2 > len;
            let expected = (0..64).filter(most).fold(0, |all, bit| all | 1 << bit);
            assert_eq!((pairs.len(), similarity(&chars)), (len, expected));
        }
    }

    #[test]
    fn posts_are_found_by_a_quarter_of_their_shape_as_by_looking_at_each() {
        let mut posts = Posts::default();
        let mut shapes = VecDeque::new();
        let mut hash = 1_u64;
        for n in 0..2 * OVERALL as u64 {
            // Families of hashes a few bits apart.
            hash = if n % 8 == 0 { hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n } else { hash ^ 1 << (n * 29 % 64) };
            let shape = (hash, 12 + (n % 9) as u32);
            posts.push(Posted { at: Timestamp::UNIX_EPOCH, group: "g".into(), sender: "li".into(), shape });
            shapes.push_back(shape);
            if shapes.len() > OVERALL {
                shapes.pop_front();
            }
            if n % 97 == 0 {
                let mut found: Vec<_> = posts.alike(shape).map(|post| post.shape).collect();
                let mut expected: Vec<_> = shapes.iter().copied().filter(|other| same(*other, shape)).collect();
                found.sort_unstable();
                expected.sort_unstable();
                assert_eq!(found, expected);
            }
        }
        assert!(posts.quarters.len() <= 4 * OVERALL);
    }

    #[test]
    fn a_word_over_several_messages_is_joined_and_a_sentence_ends_it() {
        let history = History::new();
        say(&history, "g", "li", 0, "加");
        say(&history, "g", "li", 1, "我");
        assert_eq!(say(&history, "g", "li", 2, "微信").joined, "加我微信");
        assert_eq!(say(&history, "g", "li", 3, "lan8866").joined, "加我微信lan8866", "the last may be longer");
        say(&history, "g", "li", 3, "好的，我看一下合同再回复大家");
        assert_eq!(say(&history, "g", "li", 4, "嗯").joined, "");
    }

    #[test]
    fn when_it_is_full_the_silent_are_forgotten() {
        let history = History::new();
        for n in 0..=MEMBERS {
            say(&history, "g", &format!("u{n}"), n as i64, "早");
        }
        let knows = |n: usize| history.knows(&"g".into(), &format!("u{n}").as_str().into());
        assert!(!knows(0) && !knows(MEMBERS / 4), "the quarter silent longest");
        assert!(knows(MEMBERS / 4 + 1) && knows(MEMBERS));
    }
}
