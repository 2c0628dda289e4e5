//! Every kind in the shape of WeCom's own page.

use super::{quote, *};

fn read(json: &str) -> Message {
    parse(json).unwrap().unwrap()
}

fn wrap(kind: &str, body: &str) -> Message {
    read(&format!(
        r#"{{"msgid":"m","action":"send","from":"lisi","tolist":["a"],"roomid":"wr1","msgtime":1700000000123,"msgtype":"{kind}",{body}}}"#
    ))
}

#[test]
fn text_and_envelope() {
    let message = wrap("text", r#""text":{"content":"大家好"}"#);
    assert_eq!(message.id.as_str(), "archive:m");
    assert_eq!((message.group.as_str(), message.sender.as_str(), message.text.as_str()), ("wr1", "lisi", "大家好"));
    assert_eq!(message.at.as_millisecond(), 1_700_000_000_123);
}

#[test]
fn quotes_are_not_held_against_the_quoter() {
    let message =
        wrap("text", r#""text":{"content":"这是一条引用/回复消息：\n\"张三:\n加我微信\"\n------\n请不要发广告"}"#);
    assert_eq!(message.text, "请不要发广告");
    assert_eq!(message.attachments, [Attachment::quote("张三:\n加我微信")]);
    let message = wrap("text", r#""text":{"content":"「张三：加我微信」\n- - - - - - - - - - - - - - -\n不行"}"#);
    assert_eq!(message.text, "不行");
}

#[test]
fn the_other_kinds() {
    let mixed = wrap(
        "mixed",
        r#""mixed":{"item":[{"type":"text","content":"{\"content\":\"看图\"}"},{"type":"image","content":"{\"sdkfileid\":\"F\"}"}]}"#,
    );
    assert_eq!((mixed.text.as_str(), mixed.attachments.len()), ("看图", 1));
    let link = wrap("link", r#""link":{"title":"标题","description":"说明","link_url":"http://x.example"}"#);
    assert_eq!(
        link.attachments,
        [Attachment::Link { url: "http://x.example".into(), title: "标题\n说明".into(), origin: "link".into() }]
    );
    let doc = wrap("docmsg", r#""doc":{"title":"报价","link_url":"u"}"#);
    assert!(matches!(&doc.attachments[0], Attachment::Link { origin, .. } if origin == "doc"));
    let markdown = wrap("markdown", r#""info":{"content":"**提醒**"}"#);
    assert_eq!(markdown.text, "**提醒**");
    let packet = wrap("external_redpacket", r#""redpacket":{"wish":"恭喜"}"#);
    assert_eq!(packet.attachments, [Attachment::RedPacket { wish: "恭喜".into() }]);
    let file = wrap("file", r#""file":{"filename":"客户表.xlsx","filesize":12}"#);
    assert_eq!(file.attachments, [Attachment::file("客户表.xlsx", Some(12))]);
    let unknown = wrap("hologram", r#""hologram":{"size":3}"#);
    assert_eq!(unknown.attachments, [Attachment::Other { kind: "hologram".into(), raw: r#"{"size":3}"#.into() }]);
}

#[test]
fn records_are_opened_and_kept_apart() {
    let record = wrap(
        "chatrecord",
        r#""chatrecord":{"title":"群聊","item":[{"type":"ChatRecordText","content":"{\"content\":\"原文\"}"},{"type":"chatrecord","content":"{\"title\":\"里层\",\"item\":[{\"type\":\"ChatRecordText\",\"content\":\"{\\\"content\\\":\\\"更里面\\\"}\"}]}"}]}"#,
    );
    assert_eq!(record.text, "");
    assert_eq!(
        record.attachments,
        [Attachment::Forwarded { title: "群聊".into(), items: vec!["原文".into(), "更里面".into()] }]
    );
    let odd = wrap(
        "chatrecord",
        r#""chatrecord":{"title":"群聊","item":[{"type":"ChatRecordText","content":"不是 JSON"},{"type":"ChatRecordText","content":"2026"},{"type":"ChatRecordMixed","content":"{\"item\":[{\"type\":\"text\",\"content\":\"{\\\"content\\\":\\\"图文\\\"}\"}]}"},{"type":"ChatRecordVideo","content":" "}]}"#,
    );
    assert_eq!(
        odd.attachments,
        [Attachment::Forwarded {
            title: "群聊".into(), items: vec!["不是 JSON".into(), "2026".into(), "图文".into()]
        }],
        "no words are lost to a shape that no document shows"
    );
}

#[test]
fn revokes_and_switches() {
    let revoke = wrap("revoke", r#""revoke":{"pre_msgid":"m0"}"#);
    assert_eq!(revoke.revokes, Some(MessageId::from("archive:m0")));
    assert_eq!(parse(r#"{"msgid":"s","action":"switch","time":1,"user":"lisi"}"#).unwrap(), None);
    assert!(parse("{").is_err());
}

#[test]
fn what_wecom_writes_in_somebodys_name_is_nobodys_word() {
    let vote = |votetype: u64| {
        wrap("vote", &format!(r#""vote":{{"votetitle":"周五去哪儿聚餐","voteitem":["火锅"],"votetype":{votetype}}}"#))
    };
    assert_eq!((vote(101).text.as_str(), nobodys(&vote(101))), ("周五去哪儿聚餐\n火锅", None), "who asks");
    assert_eq!((vote(102).text.as_str(), nobodys(&vote(102))), ("", Some("vote_cast")), "who answers");
    for votetype in ["102", "\"102\""] {
        let top_level = wrap("vote", &format!(r#""votetitle":"周五去哪儿","voteitem":["火锅"],"votetype":{votetype}"#));
        assert_eq!(nobodys(&top_level), Some("vote_cast"), "{votetype}");
    }
    for (kind, body, nobodys_kind) in [
        ("text", r#""text":{"content":"【未知消息类型】"}"#, "unknown_kind"),
        ("todo", r#""todo":{"title":"来自张三的待办","content":"买粮食"}"#, "todo"),
        ("calendar", r#""calendar":{"title":"日程","place":"A","remarks":"B"}"#, "calendar"),
        ("meeting", r#""meeting":{"topic":"会","address":"A","remarks":"B"}"#, "meeting"),
        ("meeting_notification", r#""info":{"content":"会议将于五分钟后开始"}"#, "meeting_notification"),
    ] {
        let message = wrap(kind, body);
        assert_eq!((message.text.as_str(), nobodys(&message)), ("", Some(nobodys_kind)), "{kind}");
    }
    let beside = wrap(
        "mixed",
        r#""mixed":{"item":[{"type":"text","content":"{\"content\":\"【未知消息类型】\"}"},{"type":"text","content":"{\"content\":\"大家看\"}"}]}"#,
    );
    assert_eq!((beside.text.as_str(), nobodys(&beside)), ("大家看", None), "words beside it are its sender's");
    let picture = wrap("image", r#""image":{"sdkfileid":"F"}"#);
    assert_eq!(nobodys(&picture), None);
}

#[test]
fn a_chain_is_all_its_makers_word_and_each_joiners_own_line() {
    let chain = |kind: u64, content: &str| {
        let body = serde_json::json!({"solitaire_type": kind, "solitaire_content": content});
        wrap("solitaire", &format!(r#""info":{body}"#))
    };
    let whole = "周五团建报名\n例：姓名 人数\n1. 王芳 2 人\n2、李雷 1 人\n备注加我领资料";
    let typed = wrap("text", &format!(r#""text":{}"#, serde_json::json!({"content": "#接龙\n团建\n\n1. 王芳"})));
    let raw = "#接龙\n团建\n\n1. 王芳".to_owned();
    assert_eq!(
        (&typed.text, &typed.attachments[..]),
        (&raw, &[Attachment::Other { kind: SOLITAIRE_TYPED.into(), raw: raw.clone() }][..])
    );
    let as_text = wrap("solitaire", r#""info":{"solitaire_type":"102","solitaire_content":"团建\n1. 王芳\n2. 李雷"}"#);
    assert_eq!(as_text.text, "2. 李雷", "a number in quotation marks");
    for (content, kind, own) in [
        (whole, 101, whole),
        (whole, 102, "2、李雷 1 人\n备注加我领资料"),
        ("团建\n1. 王芳\n2. 李雷", 102, "2. 李雷"),
        ("没有编号的接龙\n李雷", 102, "李雷"),
        ("3. 只有这一行", 102, "3. 只有这一行"),
        ("2026 年会报名\n1）王芳\n 2）李雷\n", 102, "2）李雷"),
    ] {
        let message = chain(kind, content);
        assert_eq!((message.text.as_str(), nobodys(&message)), (own, None), "{kind} {content}");
        let kept = if kind == 101 { SOLITAIRE } else { SOLITAIRE_JOINED };
        assert_eq!(message.attachments, [Attachment::Other { kind: kept.into(), raw: content.into() }]);
    }
}

#[test]
fn a_note_is_read_part_by_part() {
    let note = wrap(
        "note",
        r#""info":{"items":[{"msg_type":"text","content":"{\"content\":\"会议记录\"}"},{"msg_type":"file","content":"{\"filename\":\"价格.xlsx\"}"},{"msg_type":"link","content":"{\"title\":\"标题\",\"link_url\":\"https://x.example\"}"},{"msg_type":"image","content":"{\"sdkfileid\":\"F\"}"},{"content":"没有外壳的话"}]}"#,
    );
    assert_eq!(note.text, "会议记录\n没有外壳的话");
    assert_eq!(
        note.attachments,
        [
            Attachment::file("价格.xlsx", None),
            Attachment::Link { url: "https://x.example".into(), title: "标题".into(), origin: "link".into() },
            Attachment::image(Some("F".into())),
        ]
    );
}

#[test]
fn who_made_it_and_where_it_leads() {
    let weapp = |fields: &str| wrap("weapp", &format!(r#""weapp":{{"title":"抽奖",{fields}}}"#)).attachments.remove(0);
    let made_by =
        |url: &str, title: &str| Attachment::Link { url: url.into(), title: title.into(), origin: "weapp".into() };
    assert_eq!(
        weapp(r#""appid":"wxabc","pagepath":"/pages/index","username":"gh@app","displayname":"店""#),
        made_by("wxabc/pages/index", "抽奖\n店")
    );
    assert_eq!(weapp(r#""username":"gh@app""#), made_by("gh@app", "抽奖"));
    assert_eq!(weapp(r#""description":"""#), made_by("", "抽奖"));
    let disk = wrap("qydiskfile", r#""info":{"filename":"价格.xlsx","url":"https://drive.weixin.qq.com/s?k=A"}"#);
    assert_eq!(
        disk.attachments,
        [
            Attachment::file("价格.xlsx", None),
            Attachment::Link {
                url: "https://drive.weixin.qq.com/s?k=A".into(),
                title: String::new(),
                origin: "disk".into()
            },
        ]
    );
    let shared = wrap("voip_doc_share", r#""voipid":"v","voip_doc_share":{"filename":"报价.pptx","filesize":7}"#);
    assert_eq!(shared.attachments, [Attachment::file("报价.pptx", Some(7))]);
    let card = wrap("card", r#""card":{"corpname":"某某公司","userid":"wmA"}"#);
    assert_eq!(card.attachments, [Attachment::Card { user: "wmA".into(), company: "某某公司".into() }]);
}

#[test]
fn every_part_of_a_record_that_has_words() {
    let part = |content: serde_json::Value| {
        let item = serde_json::json!({"item": [{"type": "ChatRecordX", "content": content.to_string()}]});
        let record = wrap("chatrecord", &format!(r#""chatrecord":{item}"#)).attachments.remove(0);
        let Attachment::Forwarded { items, .. } = record else { panic!("{record:?}") };
        items.join("|")
    };
    for (content, words) in [
        (serde_json::json!({"title": "一", "displayname": "小程序"}), "一\n小程序"),
        (serde_json::json!({"wish": "恭喜"}), "恭喜"),
        (serde_json::json!({"votetitle": "投票", "voteitem": ["甲", "乙"]}), "投票\n甲\n乙"),
        (serde_json::json!({"sph_name": "号", "feed_desc": "动态"}), "号\n动态"),
        (serde_json::json!({"solitaire_content": "接龙"}), "接龙"),
        (serde_json::json!({"filename": "价格.xlsx", "url": "https://d.example"}), "https://d.example\n价格.xlsx"),
        (serde_json::json!({"items": [{"msg_type": "text", "content": "{\"content\":\"笔记\"}"}]}), "笔记"),
    ] {
        assert_eq!(part(content), words);
    }
}

#[test]
fn times_and_broken_characters() {
    let at =
        |time: &str| read(&format!(r#"{{"msgid":"m","roomid":"g","msgtime":{time},"msgtype":"text","text":{{}}}}"#)).at;
    for time in [
        "1700000000123",
        "1700000000123.0",
        "1.700000000123e12",
        "\"1700000000123.0\"",
        "\"1700000000123\"",
        "\" 1700000000123 \"",
    ] {
        assert_eq!(at(time).as_millisecond(), 1_700_000_000_123, "{time}");
    }
    for time in ["1700000000", "\"1700000000\""] {
        assert_eq!(at(time).as_millisecond(), 1_700_000_000_000, "{time}");
    }
    assert_eq!(at("\"gestern\""), Timestamp::UNIX_EPOCH);
    assert_eq!(wrap("text", "\"text\":{\"content\":\"加\u{8}微信\"}").text, "加\u{8}微信");
    assert_eq!(wrap("text", r#""text":{"content":"加微信\ud83d"}"#).text, "加微信\u{fffd}");
    let inside = r#""mixed":{"item":[{"type":"text","content":"{\"content\":\"加微信\\ud83d\"}"}]}"#;
    assert_eq!(wrap("mixed", inside).text, "加微信\u{fffd}");
}

#[test]
fn every_place_where_words_can_hide() {
    let words = |kind: &str, body: &str| wrap(kind, body).text;
    let vote = r#"{"votetitle":"投票","voteitem":["一","二"],"votetype":101}"#;
    assert_eq!(words("vote", &format!(r#""vote":{vote}"#)), "投票\n一\n二");
    assert_eq!(words("vote", vote.trim_matches(['{', '}'])), "投票\n一\n二", "at the top level in some samples");
    assert_eq!(words("collect", r#""collect":{"title":"统计","details":[{"id":1,"ques":"加我"}]}"#), "统计\n加我");
    assert_eq!(words("sphfeed", r#""sphfeed":{"sph_name":"号","feed_desc":"动态"}"#), "号\n动态");
    assert_eq!(words("location", r#""location":{"title":"店","address":"路"}"#), "店 路");
    let news = wrap("news", r#""info":{"item":[{"title":"一","url":"u1"},{"title":"二","url":"u2"}]}"#);
    assert_eq!(news.attachments.len(), 2);
    let weapp = wrap("weapp", r#""weapp":{"title":"开奖","description":"","displayname":"小程序"}"#);
    assert!(matches!(&weapp.attachments[0], Attachment::Link { title, .. } if title == "开奖\n小程序"));
    let disk = wrap("qydiskfile", r#""info":{"filename":"价格.xlsx"}"#);
    assert_eq!(disk.attachments, [Attachment::file("价格.xlsx", None)]);
    for (kind, body) in [
        ("voiptext", r#""info":{"callduration":9,"invitetype":2}"#),
        ("meeting_voice_call", r#""voiceid":"v","meeting_voice_call":{"endtime":1}"#),
        ("solitaire", r#""solitaire":{"x":"接龙"}"#),
        ("emotion", r#""emotion":{"type":1}"#),
        ("voice", r#""voice":{"play_length":3}"#),
        ("video", r#""video":{"play_length":3}"#),
    ] {
        let message = wrap(kind, body);
        assert!(
            matches!(&message.attachments[..], [Attachment::Other { kind: k, raw }] if k == kind && raw.len() > 2),
            "{kind}"
        );
    }
    for consent in ["agree", "disagree"] {
        assert_eq!(
            parse(&format!(r#"{{"msgid":"a","msgtype":"{consent}","agree":{{"userid":"wm"}}}}"#)).unwrap(),
            None
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_can_break_the_reader(text in "(这是一条引用/回复消息：|「|\\n|-|- |」|\"|[a-z加微信]){0,20}", kind in "[a-z]{0,12}") {
        let (own, quote) = quote::split(&text);
        assert!(own.len() + quote.map_or(0, str::len) <= text.len());
        let body = serde_json::json!({ "msgid": "m", "msgtype": kind, "text": { "content": text }, kind.as_str(): [text] });
        let _ = parse(&body.to_string());
        let _ = parse(&text);
    }
}
