//! Kinds of messages that a group does not want, whatever they say: 名片, 小程序, 链接, 文件, 视频, 图片, long ones, @所有人. All are
//! fine until the settings say otherwise, and admins may always send them.

use std::collections::HashMap;

use super::Input;
use super::links::{self, Link};
use crate::model::{Attachment, Category, GroupId, named_enum};

/// Characters from which a message is long, unless the settings say another number.
const LONG: usize = 500;

named_enum! {
    /// A kind of message.
    pub enum Kind {
        /// A person's card.
        Card = "card", "名片";
        /// A mini program.
        MiniProgram = "mini_program", "小程序";
        /// A link, except to an own or allowed site.
        Link = "link", "链接";
        /// A file.
        File = "file", "文件";
        /// A video or a channel's video.
        Video = "video", "视频";
        /// A picture.
        Picture = "picture", "图片";
        /// A message of many characters.
        Long = "long", "长消息";
        /// Everybody is called.
        AtAll = "at_all", "@所有人";
    }
}

named_enum! {
    /// What is done about a kind.
    pub enum Measure {
        /// Nothing.
        Off = "off", "不管";
        /// A person looks.
        Review = "review", "请人看";
        /// The policy acts.
        Act = "act", "处置";
    }
}

impl Kind {
    /// Whether a finding's rule (`ads/card`) is one of a kind: no word of the message shows what it is about.
    pub fn is_rule(rule: &str) -> bool {
        Self::ALL
            .iter()
            .map(|kind| kind.rule())
            .any(|(category, name)| rule.split_once('/').is_some_and(|(of, kind)| of == category.id() && kind == name))
    }

    /// The rule of its findings.
    const fn rule(self) -> (Category, &'static str) {
        match self {
            Self::Card => (Category::Ads, "card"),
            Self::MiniProgram => (Category::Ads, "mini-program"),
            Self::Link => (Category::Ads, "any-link"),
            Self::File => (Category::Ads, "file"),
            Self::Video => (Category::Ads, "video"),
            Self::Picture => (Category::Ads, "picture"),
            Self::Long => (Category::Junk, "long"),
            Self::AtAll => (Category::Junk, "at-all"),
        }
    }
}

/// What holds in one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// Kinds that something is done about.
    pub measures: Vec<(Kind, Measure)>,
    /// Endings of the files that are meant, in lower case without a dot; empty for all.
    pub file_types: Vec<String>,
    /// A message with more characters is long.
    pub long_chars: usize,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { measures: Vec::new(), file_types: Vec::new(), long_chars: LONG }
    }
}

/// What holds everywhere, and in groups of which the settings say something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindRules {
    /// Where nothing else is said.
    pub everywhere: Kinds,
    /// By group.
    pub groups: HashMap<GroupId, Kinds>,
}

/// One kind that a message is of.
pub(super) struct Found {
    pub(super) category: Category,
    pub(super) rule: &'static str,
    pub(super) measure: Measure,
    /// `名片`, `文件 报价.apk`.
    pub(super) shown: String,
}

impl KindRules {
    /// The kinds of a message that something is done about; `text` are the sender's own words.
    pub(super) fn find(&self, input: &Input<'_>, text: &str, found: &[Link], own: &[String]) -> Vec<Found> {
        let kinds = self.groups.get(input.group).unwrap_or(&self.everywhere);
        let measures = kinds.measures.iter().filter(|(_, measure)| *measure != Measure::Off);
        let found = |(kind, measure): &(Kind, Measure)| {
            let (category, rule) = kind.rule();
            let detail = kinds.is_of(*kind, input, text, found, own)?;
            let shown = if detail.is_empty() { kind.zh().to_owned() } else { format!("{} {detail}", kind.zh()) };
            Some(Found { category, rule, measure: *measure, shown })
        };
        measures.filter_map(found).collect()
    }
}

impl Kinds {
    /// The message is of a kind: what shows it, which may be nothing.
    fn is_of(&self, kind: Kind, input: &Input<'_>, text: &str, found: &[Link], own: &[String]) -> Option<String> {
        let part = |wanted: &dyn Fn(&Attachment) -> Option<String>| input.attachments.iter().find_map(wanted);
        match kind {
            Kind::Card => part(&|a| matches!(a, Attachment::Card { .. }).then(String::new)),
            Kind::MiniProgram => part(&|a| match a {
                Attachment::Link { title, origin, .. } if origin == "weapp" => Some(title.lines().next()?.to_owned()),
                _ => None,
            }),
            Kind::Link => {
                let foreign = found.iter().find(|link| !links::is_own(&link.host, own))?;
                Some(foreign.host.clone())
            }
            Kind::File => part(&|a| match a {
                Attachment::File { name, .. } if self.means(name) => Some(name.clone()),
                _ => None,
            }),
            Kind::Video => part(&|a| match a {
                Attachment::Other { kind, .. } => matches!(&**kind, "video" | "sphfeed").then(String::new),
                _ => None,
            }),
            Kind::Picture => part(&|a| matches!(a, Attachment::Image { .. }).then(String::new)),
            Kind::Long => {
                let chars = text.chars().count();
                (chars > self.long_chars).then(|| format!("{chars} 字"))
            }
            Kind::AtAll => ["@所有人", "@all ", "＠所有人"].iter().any(|all| text.contains(all)).then(String::new),
        }
    }

    fn means(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        self.file_types.is_empty() || self.file_types.iter().any(|wanted| wanted == ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Detector, Lists, Settings, Verdict};
    use crate::model::{MemberId, Role, Timestamp};

    fn detector() -> Detector {
        let mut settings = Settings::new(jiff::civil::date(2026, 1, 1));
        settings.own_domains = vec!["ours.cn".to_owned()];
        let all: Vec<(Kind, Measure)> = Kind::ALL.iter().map(|kind| (*kind, Measure::Review)).collect();
        let strict = Kinds { measures: all, file_types: vec!["apk".to_owned(), "zip".to_owned()], long_chars: 10 };
        let cards = Kinds { measures: vec![(Kind::Card, Measure::Act)], ..Kinds::default() };
        settings.kinds.groups = [("strict".into(), strict), ("cards".into(), cards)].into();
        Detector::build(&Lists::default(), settings).unwrap()
    }

    fn judged(group: &str, role: Role, text: &str, attachments: &[Attachment]) -> (Verdict, Vec<String>) {
        let group = GroupId::from(group);
        let sender = MemberId::from("lan");
        let at = Timestamp::UNIX_EPOCH;
        let input =
            Input { text, attachments, group: &group, sender: &sender, sender_name: None, role, at, explain: false };
        let report = detector().scan(&input, None);
        let findings = report.findings.into_iter().filter(|f| f.score > 0.0);
        (report.verdict, findings.map(|f| format!("{} {}", f.rule, f.original)).collect())
    }

    #[test]
    fn what_a_group_does_not_want_is_found_there_and_nowhere_else() {
        let card = Attachment::Card { user: "wang".to_owned(), company: String::new() };
        let app =
            Attachment::Link { url: String::new(), title: "开奖\n小程序".to_owned(), origin: "weapp".to_owned() };
        let file = |name: &str| Attachment::file(name, None);
        let video = Attachment::Other { kind: "video".to_owned(), raw: String::new() };
        let picture = Attachment::image(None);
        for (text, part, expected) in [
            ("", Some(card.clone()), "ads/card 名片"),
            ("", Some(app), "ads/mini-program 小程序 开奖"),
            ("", Some(file("工具.APK")), "ads/file 文件 工具.APK"),
            ("", Some(video), "ads/video 视频"),
            ("", Some(picture), "ads/picture 图片"),
            ("看这里 www.example.com", None, "ads/any-link 链接 example.com"),
            ("一二三四五六七八九十一", None, "junk/long 长消息 11 字"),
            ("@所有人 开会", None, "junk/at-all @所有人"),
        ] {
            let parts: Vec<Attachment> = part.into_iter().collect();
            let (verdict, found) = judged("strict", Role::Member, text, &parts);
            assert!(
                verdict == Verdict::Review && found.iter().any(|f| f == expected),
                "{expected}: {verdict:?} {found:?}"
            );
            for role in [Role::Admin, Role::Owner] {
                assert!(!judged("strict", role, text, &parts).1.iter().any(|f| f == expected), "{expected}");
            }
            assert!(!judged("other", Role::Member, text, &parts).1.iter().any(|f| f == expected), "{expected}");
        }
        assert_eq!(judged("strict", Role::Member, "", &[file("报价.pdf")]), (Verdict::Clean, vec![]));
        assert_eq!(judged("strict", Role::Member, "ours.cn/a", &[]), (Verdict::Clean, vec![]));
        assert_eq!(judged("cards", Role::Member, "", std::slice::from_ref(&card)).0, Verdict::Act);
        let both = judged("strict", Role::Member, "看 example.com", &[card, file("a.zip")]);
        assert_eq!(both.0, Verdict::Review, "what only asks never adds up to an act: {both:?}");
    }
}
