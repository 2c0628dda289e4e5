//! What was said before: enough of each member's last messages to see flooding, repetition, one text posted by several
//! accounts or in several groups, and words spread over several messages. Bounded; nothing but hashes outlives a message
//! except the few characters of short ones, and those for a minute and a half.
//!
//! Honest people say the same thing, too: 今天第 3 单出了 after 今天第 2 单出了, forty check-ins on one template. What differs between
//! such texts is a number or a name, and none of them says anything that is listed. So a text in which nothing is found is
//! repeated only if it is the same to the last character, and is never a campaign.
//!
//! [`Before::see`] changes nothing but the [`Crowd`], which takes the same message twice without counting it twice: whoever
//! decides and fails may look again. What was learned of the message is in [`Seen::this`], to be kept once it is decided.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use super::{Input, view::View};
use crate::model::{GroupId, MemberId, SignedDuration, Timestamp};

/// Messages of one member that are kept.
pub const PER_MEMBER: usize = 24;
/// Messages over all groups that are kept for campaigns.
pub const OVERALL: usize = 4096;
/// Members that are kept; when there are more, the quarter that was silent longest goes.
const MEMBERS: usize = 20_000;
/// Accounts and groups of a campaign are counted up to this.
pub const COUNTED: usize = 32;
/// A message this short may be a piece of a word.
const PIECE_CHARS: usize = 4;
/// The last piece may be longer: 加 · 我微信 · an account name.
const LAST_CHARS: usize = 14;
/// A message this short is kept in full as long as others may join it.
const LINE_CHARS: usize = 24;
/// Messages within so long of each other may be one sentence.
const JOIN_WINDOW: SignedDuration = SignedDuration::from_secs(90);
/// Most of them.
const JOINED: usize = 8;

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

/// What is kept of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// When it was said.
    pub at: Timestamp,
    /// Similarity hash of its folded text.
    pub hash: u64,
    /// Folded characters, a number as one.
    pub len: u32,
    /// Hash of its folded text to the last character.
    pub exact: u32,
    /// Its folded text if it was short and may still be joined to what follows.
    pub piece: Option<String>,
}

impl Earlier {
    fn of(at: Timestamp, chars: &[char]) -> Self {
        let piece = (1..=LINE_CHARS).contains(&chars.len()).then(|| chars.iter().collect());
        let template = without_numbers(chars);
        Self { at, hash: similarity(&template), len: template.len() as u32, exact: exact(chars), piece }
    }
    fn shape(&self) -> (u64, u32) {
        (self.hash, self.len)
    }
}

/// Adds a message to a member's last ones, and forgets what no window of `limits` can reach any more.
pub fn keep(ring: &mut Vec<Earlier>, this: Earlier, limits: &Limits) {
    ring.push(this);
    let newest = ring.iter().map(|e| e.at).max().unwrap_or_default();
    let longest = limits.rate_window.max(limits.repeat_window).max(JOIN_WINDOW);
    ring.retain(|e| newest.duration_since(e.at) <= longest);
    for earlier in ring.iter_mut().filter(|e| newest.duration_since(e.at) > JOIN_WINDOW) {
        earlier.piece = None;
    }
    if ring.len() > PER_MEMBER {
        ring.drain(..ring.len() - PER_MEMBER);
    }
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

/// The last messages of everybody, for campaigns. Locked only while a message is compared with them.
#[derive(Debug, Default)]
pub struct Crowd(Mutex<Posts>);

impl Crowd {
    /// Takes note of a message; the same one again changes nothing.
    pub fn add(&self, group: &GroupId, sender: &MemberId, this: &Earlier) {
        let shape = this.shape();
        let mut posts = self.0.lock();
        if !posts.alike(shape).any(|p| p.at == this.at && p.shape == shape && p.sender == *sender && p.group == *group)
        {
            posts.push(Posted { at: this.at, group: group.clone(), sender: sender.clone(), shape });
        }
    }

    /// Takes note of a message of an earlier life.
    pub fn recall(&self, input: &Input<'_>) {
        let view = View::new(&input.said());
        self.add(input.group, input.sender, &Earlier::of(input.at, &view.chars));
    }

    /// Who said nearly the same within the window, and where; each once, up to [`COUNTED`].
    fn alike(&self, this: &Earlier, limits: &Limits) -> Vec<(GroupId, MemberId)> {
        let mut people: Vec<(GroupId, MemberId)> = Vec::new();
        for post in self.0.lock().alike(this.shape()) {
            let known = |(group, sender): &(GroupId, MemberId)| *group == post.group && *sender == post.sender;
            if this.at.duration_since(post.at).abs() <= limits.campaign_window && !people.iter().any(known) {
                people.push((post.group.clone(), post.sender.clone()));
                if people.len() >= COUNTED {
                    break;
                }
            }
        }
        people
    }
}

/// What a message is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The sender's last messages in this group, oldest first.
    pub earlier: &'a [Earlier],
    /// Everybody's.
    pub crowd: &'a Crowd,
}

/// What a message looks like beside the earlier ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Messages of the sender in this group within the rate window, this one included.
    pub rate: usize,
    /// The same text by the sender in this group within the window, this one included.
    pub repeats: usize,
    /// Who posted the text and where, this message included, up to [`COUNTED`]; empty if it can be no campaign.
    pub people: Vec<(GroupId, MemberId)>,
    /// The sender's last very short messages, joined, this one included; empty unless there are several.
    pub joined: String,
    /// The sender's last short messages, oldest first, this one included; empty unless there are several.
    pub lines: Vec<String>,
    /// What is to be kept of it.
    pub this: Earlier,
}

impl Seen {
    /// Accounts that posted the text.
    pub fn senders(&self) -> usize {
        let all: std::collections::BTreeSet<_> = self.people.iter().map(|(_, sender)| sender).collect();
        all.len().max(1)
    }
    /// Groups that `sender` posted the text in.
    pub fn groups(&self, sender: &MemberId) -> usize {
        self.people.iter().filter(|(_, who)| who == sender).count().max(1)
    }
}

impl Before<'_> {
    /// Looks at a message; `listed` if something was found in its words.
    pub fn see(
        &self,
        group: &GroupId,
        sender: &MemberId,
        at: Timestamp,
        chars: &[char],
        limits: &Limits,
        listed: bool,
    ) -> Seen {
        let this = Earlier::of(at, chars);
        let recent = |then: Timestamp, window: SignedDuration| at.duration_since(then).abs() <= window;
        let long_enough = chars.len() >= limits.shortest;
        let alike = |e: &Earlier| long_enough && same(e.shape(), this.shape());
        // The same template with another number or name in it, and nothing said that is listed.
        let only_alike = |e: &Earlier| !listed && alike(e) && e.exact != this.exact;
        let count = |of: &dyn Fn(&Earlier) -> bool| 1 + self.earlier.iter().filter(|e| of(e)).count();
        self.crowd.add(group, sender, &this);
        // Of reports on one template two weigh like one other message: nobody writes that many in a breath.
        let reports = self.earlier.iter().filter(|e| recent(e.at, limits.rate_window) && only_alike(e)).count();
        let mut seen = Seen {
            rate: count(&|e| recent(e.at, limits.rate_window) && !only_alike(e)) + reports / 2,
            repeats: count(&|e| recent(e.at, limits.repeat_window) && alike(e) && !only_alike(e)),
            ..Seen::default()
        };
        if listed && chars.len() >= limits.shortest * 2 {
            seen.people = self.crowd.alike(&this, limits);
        }
        let before = || {
            let last = self.earlier.iter().rev().take_while(|e| recent(e.at, JOIN_WINDOW));
            last.map_while(|e| e.piece.as_deref()).take(JOINED - 1)
        };
        if let Some(piece) = &this.piece {
            let short = |limit: usize| before().take_while(move |p| p.chars().count() <= limit);
            let mut pieces: Vec<&str> = Vec::new();
            if chars.len() <= LAST_CHARS {
                pieces.extend(short(PIECE_CHARS));
            }
            if !pieces.is_empty() {
                seen.joined = pieces.into_iter().rev().chain([piece.as_str()]).collect();
            }
            let mut lines: Vec<String> = before().map(str::to_owned).collect();
            if !lines.is_empty() {
                lines.reverse();
                lines.push(piece.clone());
                seen.lines = lines;
            }
        }
        seen.this = this;
        seen
    }
}

/// The memory of whoever reads a file of messages: everybody's last ones and the crowd.
#[derive(Debug, Default)]
pub struct History {
    members: Mutex<HashMap<(GroupId, MemberId), Vec<Earlier>>>,
    crowd: Crowd,
}

/// Two texts are the same up to small changes, as a campaign is.
pub fn alike(a: &str, b: &str) -> bool {
    let shape = |text: &str| Earlier::of(Timestamp::default(), &View::new(text).chars).shape();
    same(shape(a), shape(b))
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

/// Every number as one digit.
fn without_numbers(chars: &[char]) -> Vec<char> {
    let mut template = chars.to_vec();
    template.dedup_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit());
    template
}

/// FNV-1a; the same in every process, because it is kept.
fn exact(chars: &[char]) -> u32 {
    chars.iter().fold(0x811c_9dc5, |hash, c| (hash ^ u32::from(*c)).wrapping_mul(0x0100_0193))
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
fn forget_silent(members: &mut HashMap<(GroupId, MemberId), Vec<Earlier>>) {
    let last = |ring: &[Earlier]| ring.last().map(|earlier| earlier.at);
    let mut ages: Vec<_> = members.values().map(|ring| last(ring)).collect();
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

    /// The crowd, and a member's last messages, oldest first.
    pub(super) fn before(&self, group: &GroupId, sender: &MemberId) -> (Vec<Earlier>, &Crowd) {
        let members = self.members.lock();
        (members.get(&(group.clone(), sender.clone())).cloned().unwrap_or_default(), &self.crowd)
    }

    /// Remembers a message.
    pub(super) fn add(&self, group: &GroupId, sender: &MemberId, this: Earlier, limits: &Limits) {
        let key = (group.clone(), sender.clone());
        let mut members = self.members.lock();
        if members.len() >= MEMBERS && !members.contains_key(&key) {
            forget_silent(&mut members);
        }
        keep(members.entry(key).or_default(), this, limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVERT: &str = "新店开业全场八折，扫码进群领券，先到先得";

    fn look(history: &History, group: &str, sender: &str, second: i64, text: &str, listed: bool) -> Seen {
        let chars: Vec<char> = text.chars().collect();
        let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
        let (group, sender) = (group.into(), sender.into());
        let (earlier, crowd) = history.before(&group, &sender);
        Before { earlier: &earlier, crowd }.see(&group, &sender, at, &chars, &Limits::default(), listed)
    }

    fn hear(history: &History, group: &str, sender: &str, second: i64, text: &str, listed: bool) -> Seen {
        let seen = look(history, group, sender, second, text, listed);
        history.add(&group.into(), &sender.into(), seen.this.clone(), &Limits::default());
        seen
    }

    /// Something in which the lists find something.
    fn say(history: &History, group: &str, sender: &str, second: i64, text: &str) -> Seen {
        hear(history, group, sender, second, text, true)
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
            assert_eq!(seen.senders(), (n as usize + 1).min(COUNTED));
        }
        let history = History::new();
        for n in 0..3 {
            assert_eq!(say(&history, &format!("g{n}"), "li", n, ADVERT).groups(&"li".into()), n as usize + 1);
        }
        assert_eq!(say(&history, "g9", "zhang", 9, "这是一句完全不同的话，讲的是别的事情").senders(), 1);
        assert_eq!(say(&history, "g9", "sun", 7 * 3600, ADVERT).senders(), 1, "six hours later it is another one");
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
    fn looking_twice_counts_once() {
        let history = History::new();
        say(&history, "g", "li", 0, ADVERT);
        let first = look(&history, "g", "sun", 1, ADVERT, true);
        let again = look(&history, "g", "sun", 1, ADVERT, true);
        assert_eq!((first.repeats, first.senders()), (1, 2));
        assert_eq!(again, first, "the store failed, or the message came again");
    }

    #[test]
    fn honest_templates_are_no_repetition_and_no_campaign() {
        let history = History::new();
        let mut last = Seen::default();
        for n in 1..=14 {
            last = hear(&history, "g", "li", n, &format!("今天第{n}单出了，继续加油"), false);
        }
        assert!(last.rate <= Limits::default().rate && last.repeats == 1, "numbered reports");
        let burst = History::new();
        let mut last = Seen::default();
        for n in 0..24 {
            last = hear(&burst, "g", "li", 0, &format!("快点回复我啊怎么还不来{n}"), false);
        }
        assert!(last.rate > Limits::default().rate, "two dozen in a second are no reports");
        let last = hear(&history, "g", "li", 15, "今天第14单出了，继续加油", false);
        assert_eq!(last.repeats, 2, "to the last character it is the same");
        for n in 0..12 {
            let seen =
                hear(&history, "g", &format!("u{n}"), 100 + n, &format!("日报：门店{n}，成交{n}单，明日继续"), false);
            assert_eq!(seen.senders(), 1, "daily reports of several people");
        }
        let mut last = Seen::default();
        for n in 0..4 {
            last = say(&history, "g", "sun", 200 + n, &format!("扫码进群领券，先到先得，还剩{n}份"));
        }
        assert_eq!(last.repeats, 4, "a changing number hides nothing that is listed");
    }

    #[test]
    fn short_lines_are_kept_as_long_as_they_may_be_one_sentence() {
        let history = History::new();
        say(&history, "g", "li", 0, "我的微信是");
        say(&history, "g", "li", 9, "lan8866");
        let seen = say(&history, "g", "li", 20, "需要的加");
        assert_eq!(seen.lines, ["我的微信是", "lan8866", "需要的加"]);
        assert_eq!(say(&history, "g", "li", 200, "早").lines, [""; 0]);
        let (kept, _) = history.before(&"g".into(), &"li".into());
        assert_eq!(kept.iter().filter(|e| e.piece.is_some()).count(), 1, "what was said long ago is only a hash");
    }

    #[test]
    fn when_it_is_full_the_silent_are_forgotten() {
        let history = History::new();
        for n in 0..=MEMBERS {
            say(&history, "g", &format!("u{n}"), n as i64, "早");
        }
        let knows = |n: usize| !history.before(&"g".into(), &format!("u{n}").as_str().into()).0.is_empty();
        assert!(!knows(0) && !knows(MEMBERS / 4), "the quarter silent longest");
        assert!(knows(MEMBERS / 4 + 1) && knows(MEMBERS));
    }
}
