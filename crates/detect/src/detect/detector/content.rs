//! What was read in pictures and files. Unless the settings say more, all of it only asks a person.

use super::gather::Gather;
use super::signals::NOWHERE;
use super::{ContentRules, Detector};
use crate::detect::kinds::{self, Measure};
use crate::detect::{Finding, Input, Stages, contents, links};
use crate::model::{Attachment, Category, Inside, Role, Stage};

impl Detector {
    /// Programs, and what files hold.
    pub(super) fn files(&self, input: &Input<'_>, gather: &mut Gather<'_>) {
        if input.role != Role::Member {
            return;
        }
        for attachment in input.attachments {
            let Attachment::File { name, inside, .. } = attachment else { continue };
            if links::runs_code(name) {
                gather.add(Category::Malware, "program-file", NOWHERE, 1.0, Some(name.as_str().into()));
            }
            if let Some(inside) = inside {
                self.inside(name, inside, gather);
            }
        }
    }

    /// What a file holds. The finding shows numbers and none of the words.
    fn inside(&self, name: &str, inside: &Inside, gather: &mut Gather<'_>) {
        let ContentRules { files, enough, .. } = self.settings.content_rules;
        let mut about: Vec<Category> = inside.lines.iter().map(|(category, _)| *category).collect();
        about.extend(enough.people(inside).then_some(Category::LeakPersonal));
        about.extend(contents::tells_secrets(inside).then_some(Category::LeakSecret));
        about.sort();
        about.dedup();
        for category in about {
            gather.add(category, contents::IN_FILE, NOWHERE, 1.0, None);
            let Some(finding) = gather.findings.last_mut() else { continue };
            finding.original = format!("{name}：{}", inside.summary());
            self.asks_only_if(files, finding);
        }
    }

    /// What was read in pictures, each for itself; none of it counts towards flooding.
    pub(super) fn pictures(&self, input: &Input<'_>, said: usize, stages: Option<&dyn Stages>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut before = said;
        for attachment in input.attachments {
            let Attachment::Image { words, .. } = attachment else { continue };
            let picture = Input { text: words, attachments: &[], sender_name: None, explain: false, ..*input };
            if words.is_empty() {
                continue;
            }
            let found = self.scan_at(&picture, None, stages).findings.into_iter();
            let about_words = |f: &Finding| {
                !matches!(f.category, Category::Junk | Category::Flood | Category::Impersonation)
                    && !kinds::Kind::is_rule(&f.rule)
            };
            findings.extend(found.filter(about_words).map(|mut finding| {
                (finding.start, finding.end) = (finding.start + before, finding.end + before);
                if self.settings.content_rules.pictures != Measure::Act {
                    finding.stage = finding.stage.min(Stage::Pilot);
                }
                finding
            }));
            before += words.chars().count();
        }
        findings
    }

    /// Scores a finding that the settings, not a list, weigh. What only asks a person adds nothing towards an act.
    pub(super) fn asks_only_if(&self, measure: Measure, finding: &mut Finding) {
        if measure == Measure::Act {
            finding.score = self.settings.scores.act;
        } else {
            finding.score = self.settings.scores.review;
            finding.stage = finding.stage.min(Stage::Pilot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Lists, Report, Settings, Verdict};
    use crate::model::{GroupId, MemberId, Timestamp};

    fn judged(measure: Measure, role: Role, text: &str, attachments: &[Attachment]) -> Report {
        let mut settings = Settings::new(jiff::civil::date(2026, 1, 1));
        (settings.content_rules.pictures, settings.content_rules.files) = (measure, measure);
        let (group, sender) = (GroupId::from("g"), MemberId::from("lan"));
        let at = Timestamp::UNIX_EPOCH;
        let input =
            Input { text, attachments, group: &group, sender: &sender, sender_name: None, role, at, explain: false };
        Detector::build(&Lists::shipped(), settings).unwrap().scan(&input, None)
    }

    fn picture(words: &str) -> Attachment {
        Attachment::Image { sdk_file_id: None, words: words.to_owned() }
    }

    #[test]
    fn words_in_pictures_only_ask_a_person() {
        let advert = "兼职刷单日结三百\n加微信wx88668\n领红包";
        assert_eq!(judged(Measure::Review, Role::Member, advert, &[]).verdict, Verdict::Act, "typed");
        let drawn = judged(Measure::Review, Role::Member, "大家看看", &[picture(advert)]);
        assert_eq!((drawn.verdict, drawn.acting.len()), (Verdict::Review, 0), "{drawn:?}");
        let found = drawn.findings.iter().find(|f| f.score > 0.0).unwrap();
        assert!(found.start >= 4, "its characters stand after the message's own: {found:?}");
        let twice = judged(Measure::Review, Role::Member, "", &[picture(advert), picture(advert)]);
        assert_eq!(twice.verdict, Verdict::Review, "many pictures never add up to an act");
        assert_eq!(judged(Measure::Act, Role::Member, "", &[picture(advert)]).verdict, Verdict::Act);
        let both = judged(Measure::Review, Role::Member, advert, &[picture("周五开会")]);
        assert_eq!(both.verdict, Verdict::Act, "a picture excuses nothing that was typed");
        for words in [
            "",
            "周五下午三点开例会\n请带上本周的陈列照片",
            "88 92 73 16\n70 81 64 29",
            "哈哈哈哈哈哈\n哈哈哈哈哈哈\n哈哈哈哈哈哈",
        ] {
            let report = judged(Measure::Review, Role::Member, "", &[picture(words)]);
            assert_eq!(report.verdict, Verdict::Clean, "{words}: {report:?}");
        }
        let table = "客户林秀兰13800132468\n客户陈国栋13900241357\n客户周晓梅13700356824";
        let table = judged(Measure::Review, Role::Member, "", &[picture(table)]);
        assert!(table.findings.iter().any(|f| &*f.rule == "leak_personal/table"), "{table:?}");
    }

    #[test]
    fn what_files_hold_only_asks_a_person_and_shows_numbers() {
        let file = |inside: Inside| Attachment::File {
            name: "会员.xlsx".into(),
            size: None,
            sdk_file_id: None,
            inside: Some(inside),
        };
        let many = file(Inside { mobiles: 312, ..Inside::default() });
        let report = judged(Measure::Review, Role::Member, "", std::slice::from_ref(&many));
        assert_eq!((report.verdict, &report.categories[..]), (Verdict::Review, &[Category::LeakPersonal][..]));
        assert_eq!(report.findings[0].original, "会员.xlsx：312 个手机号");
        assert_eq!(judged(Measure::Act, Role::Member, "", std::slice::from_ref(&many)).verdict, Verdict::Act);
        assert_eq!(judged(Measure::Review, Role::Owner, "", &[many]).verdict, Verdict::Clean);
        let lines = file(Inside { lines: vec![(Category::Gambling, 2)], ..Inside::default() });
        let report = judged(Measure::Review, Role::Member, "", &[lines]);
        assert_eq!((report.verdict, &report.categories[..]), (Verdict::Review, &[Category::Gambling][..]));
        let few = file(Inside { mobiles: 3, prices: 200, ..Inside::default() });
        assert_eq!(judged(Measure::Review, Role::Member, "", &[few]).verdict, Verdict::Clean);
    }
}
