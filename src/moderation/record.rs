//! What is written down of a message: its shape in the bounded ring of the member's recent messages, from which flood and
//! words spread over several messages are judged, and its words as the evidence of a case.

use crate::{
    detect::{Report, Verdict, history},
    model::{Attachment, Message},
    store::{MemberRecord, RecentMessage},
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
    let mut lines: Vec<String> = Some(message.text.clone()).filter(|text| !text.is_empty()).into_iter().collect();
    for attachment in &message.attachments {
        match attachment {
            Attachment::Link { url, title, origin } => {
                let kind = match origin.as_str() {
                    "qr" => "二维码",
                    "weapp" => "小程序",
                    "doc" => "文档",
                    _ => "链接",
                };
                let words: Vec<&str> = title.lines().chain([url.as_str()]).filter(|word| !word.is_empty()).collect();
                lines.push(format!("[{kind}] {}", words.join(" ")));
            }
            Attachment::File { name, .. } => lines.push(format!("[文件] {name}")),
            Attachment::RedPacket { wish } => lines.push(format!("[红包] {wish}")),
            Attachment::Card { .. } => lines.push("[名片]".into()),
            Attachment::Quote { .. }
            | Attachment::Forwarded { .. }
            | Attachment::Image { .. }
            | Attachment::Other { .. } => {}
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Timestamp};

    #[test]
    fn evidence_shows_what_is_held_against_the_sender() {
        let mut message = Message::text(Channel::Archive, "m", "g", "a", Timestamp::UNIX_EPOCH, "看这个");
        assert_eq!(evidence(&message), "看这个");
        message.attachments = vec![
            Attachment::Quote { text: "别人的话".into() },
            Attachment::Image { sdk_file_id: None },
            Attachment::Link { url: "https://u.wechat.com/a".into(), title: String::new(), origin: "qr".into() },
            Attachment::Link { url: "https://x.example".into(), title: "标题\n说明".into(), origin: "link".into() },
            Attachment::File { name: "红包.apk".into(), size: None },
        ];
        assert_eq!(
            evidence(&message),
            "看这个\n[二维码] https://u.wechat.com/a\n[链接] 标题 说明 https://x.example\n[文件] 红包.apk"
        );
        message.text.clear();
        assert!(evidence(&message).starts_with("[二维码]"));
    }
}
