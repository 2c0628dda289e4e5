//! The words that tell who says what about whom, as `wordlists/common/` has them.

use crate::detect::lexicon::{Group, VIRTUAL_GROUPS};
use crate::detect::matcher::{Builder, Matcher};
use crate::detect::view::{Gap, Span, View};

macro_rules! cues {
    ($($(#[$doc:meta])* $name:ident = $group:literal,)*) => {
        /// A group of words that this module looks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::detect) enum Cue { $($(#[$doc])* $name,)* }
        /// The groups by the number of their cue.
        const CUES: &[&str] = &[$($group,)*];
    };
}

cues! {
    Said = "转述",
    Word = "说词",
    Insulted = "骂过",
    Complaint = "投诉",
    Report = "举报",
    Warning = "劝阻",
    /// What one must not do, before an offer or within it: `客户名单在里面看，别导出`.
    Dont = "别做",
    /// What one must not give away: `不要把客户名单发出去`.
    Secret = "别外说",
    /// Somebody asks about it.
    Wondered = "问起",
    /// What only employers say when they look for people.
    Hiring = "招工",
    BanWords = "禁骂",
    /// What sums up an enumeration of words: 这类词.
    SuchWords = "这类词",
    No = "否认",
    NoDeal = "不做",
    Rhetoric = "反问",
    Ask = "问词",
    AskHow = "问办法",
    Me = "自嘲",
    /// Words that may stand between 我 and what one calls oneself.
    Filler = "自嘲垫",
    MeAfter = "自嘲后",
    Swear = "粗口",
    Body = "身体",
    Sick = "反胃",
    Diagnosis = "病名",
    Thing = "物",
    /// Words that find fault with things as well as with people.
    Fault = "嫌东西",
    /// Talk of what becomes of people who lost somebody.
    Aid = "救助",
    /// What insults and welfare offices say of families.
    Loss = "丧亲",
    /// Relatives as insults and families name them.
    Kin = "家人",
    /// What families do and have, right behind the relative.
    Home = "家事",
    /// Relatives who urge: 我妈逼我.
    Urged = "家人逼",
    Wish = "祝福",
    /// Rude words that name what animals do, too, or goods.
    Beastly = "像骂",
    Animal = "动物",
    Goods = "货品",
    /// What an offer is printed on: to speak of the sign is not to offer.
    Sign = "招贴",
    Praise = "夸",
    /// Rude words that people exclaim for joy as well.
    Exclaimed = "惊叹",
    Model = "型号后",
    RulesHead = "群规",
    Ban = "禁令",
    Paragraph = "条款",
    Disclaimer = "免责",
    Medical = "医疗",
    Legal = "执法",
    /// What tricksters who play the police ask for.
    Trick = "骗术",
    Sale = "买卖",
    Training = "培训",
    /// Everyday talk of courses and procedures: only a person can tell.
    Course = "课程",
    You = "对你",
    Person = "指人",
    NoPerson = "不指人",
    Others = "别人",
    ReachMe = "找我",
    /// Those of them that nobody says without an offer or a wish.
    Call = "招呼",
    /// What is paid; a unit of money only behind a number.
    Pay = "报酬",
    Hotline = "公共热线",
}

/// The compiled words of the cues, and of the groups that entries need.
#[derive(Debug)]
pub(in crate::detect) struct Words {
    matcher: Matcher,
    /// By word: its group and whether it begins or ends with a Latin letter or digit.
    of: Vec<(usize, bool)>,
    names: Vec<Box<str>>,
}

/// Where the words of the groups stand, by group.
pub(super) struct Marks(Vec<(usize, Span)>);

impl Marks {
    pub(super) fn of(&self, cue: Cue) -> impl Iterator<Item = Span> {
        self.group(cue as usize)
    }

    pub(super) fn group(&self, group: usize) -> impl Iterator<Item = Span> {
        let from = self.0.partition_point(|(other, _)| *other < group);
        self.0[from..].iter().take_while(move |(other, _)| *other == group).map(|(_, span)| *span)
    }
}

impl Words {
    /// Takes the groups of all lists; `needed` are the names that entries ask for besides the cues.
    pub(in crate::detect) fn build<'g>(groups: impl Iterator<Item = &'g Group>, needed: &[Box<str>]) -> Self {
        let mut names: Vec<Box<str>> = CUES.iter().map(|name| Box::from(*name)).collect();
        names.extend(needed.iter().cloned());
        let mut builder = Builder::default();
        let mut of = Vec::new();
        let edge = |c: Option<&char>| c.is_some_and(char::is_ascii_alphanumeric);
        for group in groups {
            let ids = (0..names.len()).filter(|i| *names[*i] == *group.name);
            for id in ids {
                for word in group.words.iter().filter(|word| !is_virtual(word)) {
                    let folded = builder.add(word, false);
                    of.push((id, edge(folded.first()) || edge(folded.last())));
                }
            }
        }
        Self { matcher: builder.build(), of, names }
    }

    /// The number of a group that entries need.
    pub(in crate::detect) fn group(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| &**known == name)
    }

    pub(super) fn find(&self, view: &View) -> Marks {
        let mut marks = Vec::with_capacity(32);
        self.matcher.scan(&view.chars, &view.sounds, |found| {
            let span = Span { start: found.start, end: found.end };
            let (group, bounded) = self.of[found.word];
            let whole = (span.start + 1..span.end).all(|i| view.gap[i] != Gap::Hard);
            if whole && (!bounded || view.bounded(span)) {
                marks.push((group, span));
            }
        });
        marks.sort_unstable();
        marks.dedup();
        Marks(marks)
    }
}

fn is_virtual(word: &str) -> bool {
    let inner = word.strip_prefix('【').and_then(|word| word.strip_suffix('】'));
    inner.is_some_and(|inner| VIRTUAL_GROUPS.contains(&inner))
}
