//! What a message says when it is read aloud: words of the lists whose characters were swapped for others of the same sound
//! (`沙币`), for emoji (`👩👊`) or for both at once, put back in their place.
//!
//! Sound alone proves nothing: most Chinese words share theirs with others. The second sign is that the swap breaks the words
//! people write every day, so that the message gets much more ordinary when the word is put back. What is seen only
//! here is soft ([`super::Finding::is_soft`]): it asks a human and never punishes alone.

mod vocabulary;

use std::cell::{Cell, OnceCell};

use foldhash::HashMap;

use self::vocabulary::Vocabulary;
use super::lexicon::{Document, Pattern, Term};
use super::view::{Gap, Span, View, bit, fold};
use crate::text::{Transform, emoji, is_han, ordinary, sounds};

/// Longest word that is put back, in characters.
const LONGEST: usize = 8;
/// Longest listed word that is looked for as it stands.
const LONGEST_KNOWN: usize = 4;
/// Characters looked at on each side to see what words they make.
const AROUND: usize = 6;
/// How rare a word of the lists is, in the measure of [`ordinary::Word::rarity`].
const LISTED: f32 = 11.0;
/// How rare an emoji inside a text is.
const EMOJI: f32 = 9.5;
/// How unlikely it is that somebody swaps a character for one of the same sound …
const SWAP: f32 = 3.2;
/// … of a sound that is only taken for it …
const BLURRED_SWAP: f32 = 7.0;
/// … or for an emoji, by what it is called …
const EMOJI_SWAP: f32 = 1.0;
/// … or by the sound of that.
const EMOJI_SOUND: f32 = 2.0;
/// A character hardly anybody writes ([`ordinary::RARE`]) stands in a name more often than for another one.
const RARE_SWAP: f32 = 2.0;
/// A word of everyday speech (吗, 的) is rarely put there for its sound.
const SPOKEN_SWAP: f32 = 3.0;
/// Who disguises a word disguises all of it: what comes off then.
const WHOLE: f32 = 2.5;
/// What is added inside the name of a place, shop or person: names break everyday words just as a disguise does.
const NAMED: f32 = 9.0;
/// What names of places and shops end in.
const NAME_ENDS: &str =
    "店山路寺县园院峡谷城馆坊庄村镇街桥湖河岛塔宫府苑厦湾庙阁轩厅站沟岭潭泉洞殿坛斋屯寨堡溪池坡弄校";
/// Characters between the word and what the name ends in.
const NAME_TAIL: usize = 4;

/// What is added where somebody speaks as people do who want something done or found: who disguises an insult is not polite.
const POLITE: f32 = 4.0;
const POLITE_WORDS: [&str; 12] =
    ["您", "请问", "谢谢", "麻烦", "推荐", "附近", "酒店", "餐馆", "地址", "门票", "预订", "有什么菜"];

/// … and where somebody speaks of goods they got: reviews are long, and praise is full of words that sound like others.
const GOODS: f32 = 4.0;
const GOODS_WORDS: [&str; 24] = [
    "好吃",
    "味道",
    "口感",
    "新鲜",
    "水果",
    "苹果",
    "快递",
    "物流",
    "配送",
    "送货",
    "发货",
    "收到",
    "包装",
    "质量",
    "面料",
    "尺码",
    "裤子",
    "衣服",
    "满意",
    "好评",
    "性价比",
    "实惠",
    "舒服",
    "回购",
];

/// Characters of a message from which on each further one is one more place where a word may sound like another by chance.
const SHORT: f32 = 30.0;

/// Sums of rarities may differ by so much, depending on their order.
const ROUNDING: f32 = 0.01;

/// What comes off a word whose entry says `谐音=是`: people do write it by sound.
const WISHED: f32 = 3.0;

thread_local! {
    /// Words that may stand at one place and what each place is taken for by ear, to be kept between messages.
    static BUFFERS: Cell<(Vec<u32>, Vec<u16>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// In the place of a sound: an emoji, which may be many things.
const ANYTHING: u16 = u16::MAX;

/// The words that may be put back.
#[derive(Debug, Default)]
pub struct Restorer {
    words: Vocabulary,
}

/// A word that may stand in a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where.
    pub span: Span,
    /// Index of the word.
    pub word: usize,
    /// How much more ordinary the message gets.
    pub gain: f32,
}

impl Restorer {
    /// Takes the words of two Han characters and more of every list, except those that ask not to be heard.
    pub fn build(documents: &[Document]) -> Self {
        let mut words = vocabulary::Builder::default();
        let mut chars = Vec::new();
        let mut add = |text: &str, homophone: Option<bool>, alone: bool| {
            chars.clear();
            chars.extend(fold(text).chars());
            if (2..=LONGEST).contains(&chars.len()) && chars.iter().all(|c| is_han(*c)) {
                words.add(&chars, homophone, alone);
            }
        };
        // A group that only tells who says what about whom (投诉, 客服) names nothing that anybody would disguise.
        let mut looked_for: HashMap<&str, bool> = HashMap::default();
        for document in documents {
            for entry in document.entries() {
                match &entry.pattern {
                    Pattern::Literal(word) => add(word, entry.homophone, true),
                    Pattern::Near(terms) => terms.iter().for_each(|term| match &term.term {
                        Term::Word(word) => add(word, entry.homophone, false),
                        Term::Group(name) => *looked_for.entry(name).or_default() |= terms.len() == 1,
                    }),
                    Pattern::Regex(_) | Pattern::Address(_) => {}
                }
            }
            // What an entry lets pass as it stands is an honest word.
            let allowed = document.entries().flat_map(|entry| entry.allow.iter().map(String::as_str));
            allowed
                .chain(document.allows().map(|(_, phrase)| phrase))
                .for_each(|phrase| add(phrase, Some(false), true));
        }
        for group in documents.iter().flat_map(Document::groups) {
            if let Some(alone) = looked_for.get(&*group.name) {
                group.words.iter().for_each(|word| add(word, None, *alone));
            }
        }
        Self { words: words.build() }
    }

    /// A list has the word as it stands.
    pub fn knows(&self, word: &[char]) -> bool {
        self.words.knows(word)
    }

    /// The message with the words put back; `None` if there are none.
    pub fn read(&self, view: &View) -> Option<View> {
        let mut candidates = self.candidates(view);
        if candidates.is_empty() {
            return None;
        }
        let alone = |candidate: &Candidate| self.words.is_alone(candidate.word);
        candidates.sort_by(|a, b| alone(b).cmp(&alone(a)).then(b.gain.total_cmp(&a.gain)).then(a.span.cmp(&b.span)));
        let mut taken = vec![false; view.chars.len()];
        let mut chars = view.chars.clone();
        let mut steps = view.steps.clone();
        for candidate in candidates {
            let places = &mut taken[candidate.span.start..candidate.span.end];
            if places.contains(&true) {
                continue;
            }
            places.fill(true);
            for (i, c) in (candidate.span.start..).zip(self.words.word(candidate.word)) {
                if chars[i] != *c {
                    chars[i] = *c;
                    steps[i] |= bit(Transform::Homophone);
                }
            }
        }
        let mut view = View {
            raw: view.raw.clone(),
            from: view.from.clone(),
            to: view.to.clone(),
            gap: view.gap.clone(),
            chars,
            steps,
            ..View::default()
        };
        view.hear();
        Some(view)
    }

    /// A word by its index.
    pub fn word(&self, number: usize) -> String {
        self.words.word(number).iter().collect()
    }

    /// Every word that makes the message more ordinary when it is put back.
    pub fn candidates(&self, view: &View) -> Vec<Candidate> {
        let mut found = Vec::new();
        if self.words.is_empty() {
            return found;
        }
        let (mut tried, mut sounds) = BUFFERS.take();
        sounds.clear();
        let sound = |(i, c): (usize, &char)| if is_emoji(view, i) { ANYTHING } else { sounds::blurred(*c) };
        sounds.extend(view.chars.iter().enumerate().map(sound));
        let asked = Asked { words: &self.words, view, sounds: &sounds, honest: OnceCell::new() };
        let mut measured = Measured { chars: &view.chars, known: HashMap::default() };
        for start in 0..view.chars.len().saturating_sub(1) {
            tried.clear();
            let mut may_stand = |first: u16, second: u16| {
                let third = sounds.get(start + 2).copied();
                let words = self.words.beginning(first, second).iter();
                let words =
                    words.filter(|(_, own)| third == Some(ANYTHING) || own.may_be(third)).map(|(word, _)| *word);
                tried.extend(words.filter(|word| asked.may_stand(start, *word as usize)));
            };
            match sounds[start..start + 2] {
                [first, second] if first != ANYTHING && second != ANYTHING => may_stand(first, second),
                _ => {
                    let (before, after) = (Heard::new(view, start), Heard::new(view, start + 1));
                    for first in before.sounds() {
                        after.sounds().iter().for_each(|second| may_stand(*first, *second));
                    }
                    tried.sort_unstable();
                    tried.dedup();
                }
            }
            let mut place = Place { start, stretches: [None; LONGEST + 1] };
            let weighed = tried.iter().filter_map(|word| asked.weigh(&mut measured, &mut place, *word as usize));
            found.extend(weighed.filter(|candidate| candidate.gain > asked.honest()));
        }
        BUFFERS.set((tried, sounds));
        found
    }
}

/// What is asked of one message, and answered once.
struct Asked<'a> {
    words: &'a Vocabulary,
    view: &'a View,
    /// What each place is taken for by ear.
    sounds: &'a [u16],
    honest: OnceCell<f32>,
}

/// Where words may stand: they share what is read there now, by its length.
struct Place {
    start: usize,
    stretches: [Option<Stretch>; LONGEST + 1],
}

/// What is read at a place.
#[derive(Clone, Copy)]
struct Stretch {
    /// A word may be put there.
    free: bool,
    is_word: bool,
    /// How rare it is.
    rarity: f32,
}

impl Asked<'_> {
    /// Words that the lists have as they stand and that touch a span: they need no other reading.
    fn plain(&self, span: Span) -> impl Iterator<Item = Span> {
        let chars = &self.view.chars;
        let first = span.start.saturating_sub(LONGEST_KNOWN - 1);
        let begins = (first..span.end.min(chars.len() - 1)).filter(|i| self.words.knows_first(chars[*i], chars[i + 1]));
        begins
            .flat_map(|start| (start + 2..=chars.len().min(start + LONGEST_KNOWN)).map(move |end| Span { start, end }))
            .filter(move |known| known.touches(span) && self.words.knows(&chars[known.start..known.end]))
    }

    fn honest(&self) -> f32 {
        let long = (self.view.chars.len() as f32 / SHORT).ln().max(0.0);
        let weight = |words: &[&str], weight| if self.view.says(words) { weight } else { 0.0 };
        *self.honest.get_or_init(|| weight(&POLITE_WORDS, POLITE) + weight(&GOODS_WORDS, GOODS) + long)
    }

    /// Every character of a word is there or sounds like the one that is, and not all of them are there.
    fn may_stand(&self, start: usize, number: usize) -> bool {
        let word = self.words.word(number);
        let Some(own) = self.view.chars.get(start..start + word.len()) else { return false };
        let mut swapped = false;
        for ((own, sound), c) in own.iter().zip(&self.sounds[start..]).zip(word) {
            let other = own != c || *sound == ANYTHING;
            if other && *sound != ANYTHING && (*sound == 0 || *sound != sounds::blurred(*c)) {
                return false;
            }
            swapped |= other;
        }
        swapped
    }

    /// What is read in a span now.
    fn stretch(&self, span: Span) -> Stretch {
        let view = self.view;
        let emoji = |i: usize| is_emoji(view, i);
        let apart = |i: usize| view.gap[i] != Gap::None && !(emoji(i) || emoji(i - 1));
        let joined = bit(Transform::Repeat) | bit(Transform::Split);
        let free = !(span.start + 1..span.end).any(apart)
            && view.joined(span)
            && view.steps[span.start..span.end].iter().all(|steps| steps & joined == 0);
        let chars = &view.chars[span.start..span.end];
        if !free {
            return Stretch { free, is_word: false, rarity: f32::INFINITY };
        }
        Stretch { free, is_word: ordinary::is_word(chars), rarity: ordinary::rarity_of(chars) }
    }

    fn weigh(&self, measured: &mut Measured<'_>, place: &mut Place, number: usize) -> Option<Candidate> {
        let (view, start) = (self.view, place.start);
        let word = self.words.word(number);
        let span = Span { start, end: start + word.len() };
        let emoji = |i: usize| self.sounds[i] == ANYTHING;
        let stretch = *place.stretches[word.len()].get_or_insert_with(|| self.stretch(span));
        if !stretch.free {
            return None;
        }
        let mut swaps = 0.0;
        let mut swapped = 0;
        for (i, c) in (start..).zip(word) {
            let swap = Heard::new(view, i).swap(*c)?;
            swapped += usize::from(swap > 0.0 && !emoji(i));
            swaps += swap;
        }
        if swapped == word.len() && !stretch.is_word {
            swaps -= WHOLE;
        }
        if self.words.is_wished(number) {
            swaps -= WISHED;
        }
        // What stands around it gains nothing, so that most words are done with here.
        if !(start..span.end).any(emoji) && stretch.rarity + ROUNDING <= LISTED + swaps {
            return None;
        }
        let is_swapped = |i: usize| emoji(i) || view.chars[i] != word[i - start];
        if self.plain(span).any(|known| !span.covers(known) || (known.start..known.end).any(is_swapped)) {
            return None;
        }
        // Only what touches makes words; an emoji makes none.
        let whole = |i: usize| i < view.chars.len() && is_han(view.chars[i]) && !emoji(i);
        let mut from = start;
        while from > 0 && start - from < AROUND && view.gap[from] == Gap::None && whole(from - 1) {
            from -= 1;
        }
        let mut to = span.end;
        while to - span.end < AROUND && whole(to) && view.gap[to] == Gap::None {
            to += 1;
        }
        let mut now = 0.0;
        let mut i = from;
        while i < to {
            if emoji(i) {
                now += EMOJI;
                i += 1;
                continue;
            }
            let mut end = i + 1;
            while end < to && !emoji(end) && view.gap[end] == Gap::None {
                end += 1;
            }
            now += measured.rarity(i, end);
            i = end;
        }
        if now <= LISTED + swaps {
            return None;
        }
        let then = measured.rarity(from, start) + measured.rarity(span.end, to);
        let name = if in_name(&view.chars, from..to, span) { NAMED } else { 0.0 };
        let gain = now - then - LISTED - swaps - name;
        (gain > 0.0).then_some(Candidate { span, word: number, gain })
    }
}

/// An emoji read as a word stands there.
fn is_emoji(view: &View, i: usize) -> bool {
    view.steps[i] & bit(Transform::Emoji) != 0
}

/// How rare stretches of a message are: words that may stand at one place ask for the same ones.
struct Measured<'a> {
    chars: &'a [char],
    known: HashMap<(usize, usize), f32>,
}

impl Measured<'_> {
    fn rarity(&mut self, start: usize, end: usize) -> f32 {
        *self.known.entry((start, end)).or_insert_with(|| ordinary::rarity_of(&self.chars[start..end]))
    }
}

/// The word lies in a stretch that reads like a name: what places and shops are called ends it.
fn in_name(chars: &[char], around: std::ops::Range<usize>, span: Span) -> bool {
    let ends = |c: &char| NAME_ENDS.contains(*c);
    chars[span.end..around.end.min(span.end + NAME_TAIL)].iter().any(ends)
}

/// Most characters that one emoji is taken for.
const MOST_READINGS: usize = 4;

/// What one place of a message may be heard as.
struct Heard {
    chars: [char; MOST_READINGS],
    sounds: [u16; MOST_READINGS],
    /// How many of them there are.
    count: usize,
    emoji: bool,
}

impl Heard {
    fn new(view: &View, i: usize) -> Self {
        let emoji = is_emoji(view, i);
        let mut heard = Self { chars: ['\0'; MOST_READINGS], sounds: [0; MOST_READINGS], count: 0, emoji };
        if emoji {
            let raw = view.raw.get(view.from[i] as usize).copied().unwrap_or_default();
            emoji::characters(raw).take(MOST_READINGS).for_each(|c| heard.take(c));
        } else {
            heard.take(view.chars[i]);
        }
        heard
    }

    fn take(&mut self, c: char) {
        self.chars[self.count] = c;
        self.sounds[self.count] = sounds::blurred(c);
        self.count += 1;
    }

    fn chars(&self) -> &[char] {
        &self.chars[..self.count]
    }

    fn sounds(&self) -> &[u16] {
        &self.sounds[..self.count]
    }

    /// What it costs to hear `c` here; `None` if it cannot be.
    fn swap(&self, c: char) -> Option<f32> {
        let base = if self.emoji { EMOJI_SWAP } else { 0.0 };
        if self.chars().contains(&c) {
            return Some(base);
        }
        let wanted = sounds::blurred(c);
        if wanted == 0 || !self.sounds().contains(&wanted) {
            return None;
        }
        let exact = self.chars().iter().any(|own| sounds::of(*own) == sounds::of(c));
        let swap = if self.emoji { EMOJI_SOUND } else { SWAP };
        let mut cost = base + if exact { swap } else { swap + BLURRED_SWAP - SWAP };
        if !self.emoji {
            let own = self.chars[0];
            cost += if ordinary::is_spoken(own) { SPOKEN_SWAP } else { 0.0 };
            cost += if ordinary::rarity(own) > ordinary::RARE { RARE_SWAP } else { 0.0 };
        }
        Some(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lists: &str, text: &str) -> Option<String> {
        let document = Document::parse("insult/x.txt", lists).unwrap();
        let (first, others, _) = View::all(text);
        Restorer::build(&[document]).read(others.first().unwrap_or(&first)).map(|view| view.chars.into_iter().collect())
    }

    const LIST: &str = "垃圾\n丑八怪\n笨狗\n降价 | 谐音=否\n";

    #[test]
    fn swapped_characters_are_put_back_where_they_break_everyday_words() {
        assert_eq!(read(LIST, "你这个拉机").as_deref(), Some("你这个垃圾"));
        assert_eq!(read(LIST, "真是个臭把怪").as_deref(), Some("真是个丑八怪"));
    }

    #[test]
    fn emoji_are_heard_by_what_they_are_called() {
        assert_eq!(read(LIST, "你这个垃🐔").as_deref(), Some("你这个垃圾"));
        // What the emoji's first name gives is read without help.
        assert_eq!(read(LIST, "丑🎱怪一个"), None);
    }

    #[test]
    fn everyday_words_and_words_that_ask_not_to_be_heard_stay() {
        for text in ["明天讲价", "辣鸡翅很好吃吗", "弹吉他的人", "垃圾", "下午两点看房", ""] {
            assert_eq!(read(LIST, text), None, "{text}");
        }
    }

    #[test]
    fn a_character_is_heard_by_its_most_common_sound_and_an_allowed_phrase_as_what_it_is() {
        // 否 is fǒu, and pǐ only in a saying.
        assert_eq!(read("黑皮\n", "周周下午黑否"), None);
        assert_eq!(read("贱货\n", "他什么时候煎货").as_deref(), Some("他什么时候贱货"));
        assert_eq!(read("贱货 | 允许=煎货\n", "他什么时候煎货"), None);
    }

    #[test]
    fn names_of_places_and_polite_requests_are_heard_as_nothing() {
        const SOUNDS: &str = "败犬\n舔狗\n";
        assert_eq!(read(SOUNDS, "景点有青龙峡、百泉山"), None);
        assert_eq!(read(SOUNDS, "你这个百泉").as_deref(), Some("你这个败犬"));
        assert_eq!(read(SOUNDS, "滚天沟停车场店在哪"), None);
        assert_eq!(read(SOUNDS, "天沟给她整自信了").as_deref(), Some("舔狗给她整自信了"));
    }

    #[test]
    fn what_was_typed_stays_known() {
        let document = Document::parse("insult/x.txt", LIST).unwrap();
        let view = View::new("你这个拉机");
        let restored = Restorer::build(&[document]).read(&view).unwrap();
        let span = Span { start: 3, end: 5 };
        assert_eq!((restored.original(span), restored.folded(span)), ("拉机".into(), "垃圾".into()));
        assert_eq!(restored.transforms(span), [Transform::Homophone]);
    }
}
