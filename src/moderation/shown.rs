//! What somebody shows that is perhaps not their own word: a forwarded record, a quote that nobody is known to have said, a
//! stranger's card. It is never held against them; where it would be acted on if they had said it, a person looks.

use super::Hearing;
use crate::{
    detect::{Finding, Input, Report, Stages, context::Reason, kinds::Kind},
    groups::Group,
    model::{Attachment, Category, MemberId, Message, Role, Severity, Stage},
};

/// Parts of a record that are looked at.
const MOST: usize = 200;
/// The rule under which a card that shows somebody of another company is told.
const CARD: &str = "ads/card";

/// Adds to the report what a person should see.
pub(super) fn look(hearing: &Hearing<'_>, stages: &dyn Stages, report: &mut Report) {
    let Hearing { rules, group, message, .. } = hearing;
    if hearing.role() != Role::Member {
        return;
    }
    let mut found = Vec::new();
    for words in of_others(message) {
        let input = Input {
            text: &words,
            attachments: &[],
            group: &message.group,
            sender: &message.sender,
            sender_name: None,
            role: Role::Member,
            at: message.at,
            explain: false,
        };
        let about_words = |finding: &Finding| {
            // Phone numbers stand in half of what people forward.
            !matches!(finding.category, Category::Junk | Category::Flood | Category::Impersonation)
                && !finding.category.is_leak()
                && !Kind::is_rule(&finding.rule)
        };
        found.extend(rules.detector.scan_at(&input, None, Some(stages)).findings.into_iter().filter(about_words));
    }
    for finding in &mut found {
        // Its place is in none of the sender's own words.
        (finding.start, finding.end) = (0, 0);
        finding.asks.get_or_insert(Reason::Quoted);
    }
    let settings = rules.detector.settings();
    let kinds = settings.kinds.groups.get(group.id()).unwrap_or(&settings.kinds.everywhere);
    let settled = kinds.measures.iter().any(|(kind, _)| *kind == Kind::Card);
    if !settled && shows_a_stranger(group, message) {
        found.push(card(settings.scores.review));
    }
    if !found.is_empty() {
        report.findings.extend(found);
        rules.detector.conclude(report);
    }
}

/// Words that somebody else said, or may have said; each part by itself.
fn of_others(message: &Message) -> Vec<String> {
    let mut all = Vec::new();
    for part in &message.attachments {
        match part {
            Attachment::Forwarded { title, items } => all.extend(std::iter::once(title).chain(items).cloned()),
            // What is split between quote and answer belongs together.
            Attachment::Quote { text, doubtful: true } => all.push([text, message.text.as_str()].join("\n")),
            _ => {}
        }
    }
    all.retain(|words| !words.is_empty());
    all.truncate(MOST);
    all
}

/// A card of somebody who is not of the company. Without an address book only an id can tell.
fn shows_a_stranger(group: &Group, message: &Message) -> bool {
    let stranger = |user: &MemberId| {
        let (colleagues, members) = (&group.colleagues, &group.learned.members);
        let known = colleagues.is_empty() || colleagues.contains_key(user) || members.contains_key(user);
        group.is_external(user) || !known
    };
    message.attachments.iter().any(|part| match part {
        Attachment::Card { user, .. } => stranger(&user.as_str().into()),
        _ => false,
    })
}

fn card(score: f32) -> Finding {
    Finding {
        rule: CARD.into(),
        category: Category::Ads,
        severity: Severity::Medium,
        score,
        start: 0,
        end: 0,
        original: Kind::Card.zh().to_owned(),
        normalized: String::new(),
        transforms: Vec::new(),
        stage: Stage::Pilot,
        entry: None,
        asks: None,
        life: None,
    }
}
