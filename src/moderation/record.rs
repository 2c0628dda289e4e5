//! What is written down of a message: its shape in the bounded ring of the member's recent messages, from which flood and
//! words spread over several messages are judged, and its words as the evidence of a case.

use crate::{
    detect::{Report, Verdict, history},
    groups::Group,
    in_force::{InForce, hits},
    model::{Attachment, CaseId, Channel, Inside, Message, Step, Timestamp},
    policy::{Decision, Policy, rulebook::Broken},
    store::{Case, CaseEvent, CaseState, MemberRecord, RecentMessage},
};

/// The shapes of a member's last messages, oldest first.
pub fn earlier(record: &MemberRecord) -> Vec<history::Earlier> {
    record.recent.iter().map(|RecentMessage(earlier)| earlier.clone()).collect()
}

/// Counts the message and keeps its shape. Lines that were acted on together are spent: none of them is held against the
/// member again with what follows.
pub fn note_message(record: &mut MemberRecord, message: &Message, report: &Report, limits: &history::Limits) {
    let standing = &mut record.standing;
    standing.messages += 1;
    standing.since = Some(standing.since.map_or(message.at, |since| since.min(message.at)));
    let Some(seen) = &report.seen else { return };
    let mut ring = earlier(record);
    history::keep(&mut ring, seen.this.clone(), limits);
    if report.verdict == Verdict::Act && report.findings.iter().any(|f| f.score > 0.0 && f.rule.ends_with("/spread")) {
        for earlier in &mut ring {
            earlier.piece = None;
        }
    }
    record.recent = ring.into_iter().map(RecentMessage).collect();
}

/// What a judge has to see: the sender's own words, then a line for everything else that is held against them.
pub fn evidence(message: &Message) -> String {
    if message.channel == Channel::Name {
        return format!("[昵称] {}", message.sender_name.as_deref().unwrap_or_default());
    }
    let mut lines: Vec<String> = Some(message.text.clone()).filter(|text| !text.is_empty()).into_iter().collect();
    lines.extend(message.attachments.iter().filter_map(evidence_line));
    lines.join("\n")
}

/// The line for an attachment; `None` for what shows nothing, or is somebody else's.
pub fn evidence_line(attachment: &Attachment) -> Option<String> {
    Some(match attachment {
        Attachment::Link { url, title, origin } => {
            let kind = match origin.as_str() {
                "qr" => "二维码",
                "short" => "短链接指向",
                "weapp" => "小程序",
                "doc" => "文档",
                "disk" => "微盘",
                _ => "链接",
            };
            let words: Vec<&str> = title.lines().chain([url.as_str()]).filter(|word| !word.is_empty()).collect();
            format!("[{kind}] {}", words.join(" "))
        }
        Attachment::File { name, inside, .. } => {
            let inside = inside.as_ref().map(Inside::summary).filter(|said| !said.is_empty());
            let inside = inside.map_or_else(String::new, |said| format!("：文件里有 {said}"));
            format!("[文件] {name}{inside}")
        }
        Attachment::Image { words, .. } if !words.is_empty() => {
            format!("[图片中的文字] {}", words.lines().collect::<Vec<_>>().join(" "))
        }
        Attachment::RedPacket { wish } => format!("[红包] {wish}"),
        Attachment::Card { company, .. } => format!("[名片] {company}").trim_end().to_owned(),
        Attachment::Forwarded { title, items } => {
            let words: Vec<String> = std::iter::once(title).chain(items).map(|part| one_line(part, PART)).collect();
            format!("{FORWARDED} {}", one_line(&words.join(" / "), RECORD))
        }
        Attachment::Quote { text, doubtful: true } => format!("{QUOTED} {}", one_line(text, RECORD)),
        Attachment::Quote { .. } | Attachment::Image { .. } | Attachment::Other { .. } => return None,
    })
}

/// How the line of a forwarded record begins.
const FORWARDED: &str = "[聊天记录]";
/// And that of a quote that nobody is known to have said.
const QUOTED: &str = "[引用]";

/// Whether some of the evidence is perhaps somebody else's word.
pub fn shows_others(evidence: &str) -> bool {
    evidence.lines().any(|line| line.starts_with(FORWARDED) || line.starts_with(QUOTED))
}

/// So much of a forwarded record is shown, and of each part of it; in characters.
const RECORD: usize = 1000;
const PART: usize = 80;

fn one_line(text: &str, most: usize) -> String {
    text.lines().collect::<Vec<_>>().join(" ").chars().take(most).collect()
}

/// The clause that says it goes into the case, if there is one.
pub fn cite(rules: &InForce, group: &Group, case: &mut Case, at: Timestamp) {
    let hits = hits(&case.findings, case.category);
    let broken = Broken { category: case.category, hits: &hits, acts: case.step != Step::None };
    if let Some((key, text)) = rules.clause(group, broken, at) {
        (case.clause, case.rule) = (Some(key), text);
    }
}

/// A case about the message as it was decided.
pub fn new_case(
    id: &CaseId,
    message: &Message,
    report: &Report,
    decision: &Decision,
    policy: &Policy,
    now: Timestamp,
) -> Case {
    Case {
        id: id.clone(),
        version: 0,
        group: message.group.clone(),
        member: message.sender.clone(),
        message: message.id.clone(),
        at: message.at,
        evidence: evidence(message),
        findings: report.findings.clone(),
        category: decision.category,
        severity: decision.severity,
        step: decision.step,
        points: decision.points,
        live_points: decision.live_after,
        until: decision.until,
        expires_at: decision.strike.as_ref().map(|s| s.expires_at),
        policy: policy.label(),
        clause: None,
        rule: decision.category.zh().to_owned(),
        state: CaseState::Open,
        history: vec![CaseEvent {
            at: now,
            by: "bot".into(),
            what: "decided".into(),
            note: decision.reasons.join("；"),
        }],
        further: Vec::new(),
        more: 0,
        others: Vec::new(),
        same_text: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn evidence_shows_what_is_held_against_the_sender() {
        let mut message = Message::text(Channel::Archive, "m", "g", "a", Timestamp::UNIX_EPOCH, "看这个");
        assert_eq!(evidence(&message), "看这个");
        message.attachments = vec![
            Attachment::quote("别人的话"),
            Attachment::image(None),
            Attachment::Link { url: "https://u.wechat.com/a".into(), title: String::new(), origin: "qr".into() },
            Attachment::Link { url: "https://x.example".into(), title: "标题\n说明".into(), origin: "link".into() },
            Attachment::file("红包.apk", None),
        ];
        assert_eq!(
            evidence(&message),
            "看这个\n[二维码] https://u.wechat.com/a\n[链接] 标题 说明 https://x.example\n[文件] 红包.apk"
        );
        message.text.clear();
        assert!(evidence(&message).starts_with("[二维码]"));
        let inside = Some(crate::model::Inside { mobiles: 312, ..Default::default() });
        message.attachments = vec![
            Attachment::Image { sdk_file_id: None, words: "加微信\n领红包".into() },
            Attachment::File { name: "客户.xlsx".into(), size: None, sdk_file_id: None, inside },
        ];
        assert_eq!(evidence(&message), "[图片中的文字] 加微信 领红包\n[文件] 客户.xlsx：文件里有 312 个手机号");
        let items = vec!["早".into(), "加微信\n领红包".into()];
        message.attachments = vec![Attachment::Forwarded { title: "群聊的聊天记录".into(), items }];
        assert_eq!(evidence(&message), "[聊天记录] 群聊的聊天记录 / 早 / 加微信 领红包");
        assert!(shows_others(&evidence(&message)));
        message.attachments = vec![Attachment::Quote { text: "王店长:\n加微信".into(), doubtful: true }];
        assert_eq!(evidence(&message), "[引用] 王店长: 加微信");
        message.attachments.clear();
        message.sender_name = Some("加微信领红包".into());
        assert!(!evidence(&message).contains("[昵称]"), "a name is no word of the message");
        message.channel = Channel::Name;
        assert_eq!(evidence(&message), "[昵称] 加微信领红包");
    }
}
