//! Every shape of callback that WeCom's pages describe: what becomes of each. What this version does not use is set aside
//! under its own name, never refused.

use super::*;

/// In a word or two.
fn told(callback: &AppCallback) -> String {
    match &callback.what {
        AppEvent::Text { text, chat, .. } => format!("text {text} {}", chat.as_deref().unwrap_or("-")),
        AppEvent::Card(click) => {
            let chosen: Vec<_> =
                click.selected.iter().map(|(question, option)| format!("{question}={option}")).collect();
            format!("card {} {} {}", click.task_id, click.key, chosen.join(","))
        }
        AppEvent::CustomerGroup(change) => {
            format!("group {} {} {} {:?}", change.chat, change.change, change.detail, change.members)
        }
        AppEvent::ArchiveNotify => "archive".into(),
        AppEvent::Contact { change, user, new_user } => {
            format!("contact {change} {user} {}", new_user.as_deref().unwrap_or("-"))
        }
        AppEvent::EnterAgent => "enter".into(),
        AppEvent::Inactivity { event } => format!("inactivity {event}"),
        AppEvent::Unknown { kind, .. } => format!("aside {kind}"),
    }
}

fn read(inner: &str) -> AppCallback {
    let head = "<ToUserName><![CDATA[ww1]]></ToUserName><CreateTime>1700000000</CreateTime>";
    let plain = format!("<xml>{head}{inner}</xml>");
    app_callback(&xml::parse(&plain).unwrap(), &plain)
}

fn event(name: &str, rest: &str) -> String {
    format!("<FromUserName>sys</FromUserName><MsgType>event</MsgType><Event><![CDATA[{name}]]></Event>{rest}")
}

#[test]
fn messages_to_the_app() {
    let said = |kind: &str, rest: &str| {
        format!("<FromUserName>lin</FromUserName><MsgType>{kind}</MsgType>{rest}<MsgId>71</MsgId><AgentID>1</AgentID>")
    };
    for (xml, expected) in [
        (said("text", "<Content><![CDATA[帮助]]></Content>"), "text 帮助 -"),
        (said("text", "<Content>帮助</Content><ChatId>wr9</ChatId>"), "text 帮助 wr9"),
        (said("text", "<Content>b&#xD83D;c</Content>"), "text b\u{fffd}c -"),
        (said("text", "<Content>a\u{8}b</Content>"), "text a\u{8}b -"),
        (said("image", "<PicUrl>u</PicUrl><MediaId>m</MediaId>"), "aside image"),
        (said("voice", "<MediaId>m</MediaId><Format>amr</Format>"), "aside voice"),
        (said("video", "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>"), "aside video"),
        (said("location", "<Location_X>1</Location_X><Label>店</Label>"), "aside location"),
        (said("link", "<Title>t</Title><Url>u</Url>"), "aside link"),
        (said("file", "<MediaId>m</MediaId>"), "aside file"),
    ] {
        let callback = read(&xml);
        assert_eq!((told(&callback).as_str(), callback.from.as_str()), (expected, "lin"));
        assert!(callback.dedupe.is_some_and(|key| key.contains("71")), "{xml}");
    }
}

#[test]
fn presses_on_cards() {
    let press = |name: &str, items: &str| {
        read(&event(
            name,
            &format!(
                "<EventKey>k</EventKey><TaskId>t</TaskId><CardType>c</CardType><ResponseCode>r</ResponseCode>{items}"
            ),
        ))
    };
    let item = |question: &str, options: &str| {
        format!("<SelectedItem><QuestionKey>{question}</QuestionKey><OptionIds>{options}</OptionIds></SelectedItem>")
    };
    let both = format!(
        "<SelectedItems>{}{}</SelectedItems>",
        item("q1", "<OptionId>a</OptionId><OptionId>b</OptionId>"),
        item("q2", "<OptionId>c</OptionId>")
    );
    assert_eq!(told(&press("template_card_event", "")), "card t k ");
    assert_eq!(told(&press("template_card_menu_event", "")), "card t k ");
    assert_eq!(told(&press("template_card_event", &both)), "card t k q1=a,q1=b,q2=c");
}

#[test]
fn changes_of_customer_groups() {
    let change = |change: &str, detail: &str, list: &str| {
        let detail = if detail.is_empty() { String::new() } else { format!("<UpdateDetail>{detail}</UpdateDetail>") };
        told(&read(&event(
            "change_external_chat",
            &format!(
                "<ChatId>wr1</ChatId><ChangeType>{change}</ChangeType>{detail}{list}<LastMemVer>a</LastMemVer><CurMemVer>b</CurMemVer>"
            ),
        )))
    };
    assert_eq!(change("create", "", ""), "group wr1 create  []");
    assert_eq!(change("dismiss", "", ""), "group wr1 dismiss  []");
    for detail in ["change_owner", "change_name", "change_notice"] {
        assert_eq!(change("update", detail, ""), format!("group wr1 update {detail} []"));
    }
    let items = "<JoinScene>3</JoinScene><MemChangeCnt>2</MemChangeCnt><MemChangeList><Item>wm1</Item><Item>wm2</Item></MemChangeList>";
    let comma = "<QuitScene>1</QuitScene><MemChangeList><![CDATA[wm1, wm2]]></MemChangeList>";
    assert_eq!(change("update", "add_member", items), "group wr1 update add_member [\"wm1\", \"wm2\"]");
    assert_eq!(change("update", "del_member", comma), "group wr1 update del_member [\"wm1\", \"wm2\"]");
    assert_eq!(change("update", "del_member", "<MemChangeList/>"), "group wr1 update del_member []");
}

#[test]
fn the_address_book_the_archive_and_the_apps_own_life() {
    for (name, rest, expected) in [
        (
            "change_contact",
            "<ChangeType>create_user</ChangeType><UserID>lin</UserID><Name>林</Name>",
            "contact create_user lin -",
        ),
        (
            "change_contact",
            "<ChangeType>update_user</ChangeType><UserID>lin</UserID><NewUserID>lin2</NewUserID>",
            "contact update_user lin lin2",
        ),
        ("change_contact", "<ChangeType>delete_user</ChangeType><UserID>lin</UserID>", "contact delete_user lin -"),
        (
            "change_contact",
            "<ChangeType>create_party</ChangeType><Id>7</Id><ParentId>1</ParentId>",
            "contact create_party  -",
        ),
        (
            "change_contact",
            "<ChangeType>update_tag</ChangeType><TagId>1</TagId><AddUserItems>a,b</AddUserItems>",
            "contact update_tag  -",
        ),
        ("msgaudit_notify", "<AgentID>2000004</AgentID>", "archive"),
        ("enter_agent", "<EventKey/>", "enter"),
        ("inactive_alert", "<EffectTime>1</EffectTime>", "inactivity inactive_alert"),
        ("close_inactive_agent", "", "inactivity close_inactive_agent"),
        ("reopen_inactive_agent", "", "inactivity reopen_inactive_agent"),
        ("low_active_alert", "<EffectTime>1</EffectTime>", "inactivity low_active_alert"),
        ("low_active", "", "inactivity low_active"),
    ] {
        assert_eq!(told(&read(&event(name, rest))), expected);
    }
}

#[test]
fn what_is_not_used_is_set_aside_under_its_name() {
    for name in [
        "subscribe",
        "unsubscribe",
        "LOCATION",
        "click",
        "view",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "batch_job_result",
        "open_approval_change",
        "sys_approval_change",
        "share_agent_change",
        "share_chain_change",
        "change_external_contact",
        "change_external_tag",
        "kf_msg_or_event",
        "living_status_change",
        "something_new",
    ] {
        let rest = "<ChangeType>c</ChangeType><EventKey>k</EventKey><ApprovalInfo><ThirdNo>1</ThirdNo></ApprovalInfo>";
        let callback = read(&event(name, rest));
        assert_eq!(told(&callback), format!("aside {name}"));
        assert!(callback.dedupe.is_some_and(|key| key.starts_with(name)));
    }
    // The form of suites, which nobody asked for.
    let suite = read("<SuiteId>ww2</SuiteId><InfoType>change_external_chat</InfoType><TimeStamp>1</TimeStamp>");
    assert_eq!(told(&suite), "aside ");
}
