//! Whose the words of an archived message are: quotes of every kind, quotes that nobody said, and 接龙.

use qunguan::model::{Clock, SignedDuration, Step};
use serde_json::{Value, json};

use crate::{
    archive_loop::{Bench, of_kind},
    house::AD,
};

fn text(words: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": words}})
}

fn quote(name: &str, words: &str, own: &str) -> String {
    format!("这是一条引用/回复消息：\n\"{name}:\n{words}\"\n------\n{own}")
}

/// A group that is heard since eight days, or since now; who says what is handed over one after the other.
struct Talk {
    bench: Bench,
    next: u64,
}

impl Talk {
    /// After more than a week nothing that was said there lately is unknown.
    async fn heard_for(days: i64) -> Self {
        Self::heard_at(Bench::new([]).await, days).await
    }

    async fn heard_at(bench: Bench, days: i64) -> Self {
        let mut talk = Self { bench, next: 1 };
        talk.say("wang", &text("大家早上好")).await;
        talk.wait(days).await;
        talk
    }

    /// The bot listens, and nobody says anything.
    async fn wait(&self, days: i64) {
        for _ in 0..days {
            self.bench.clock.advance(SignedDuration::from_hours(24));
            self.bench.channel.catch_up().await.unwrap();
        }
    }

    async fn say(&mut self, who: &str, body: &Value) {
        let entry = of_kind(self.next, &format!("m{}", self.next), who, self.bench.clock.now(), body);
        self.next += 1;
        self.bench.script.answers.lock().push_back(Ok(vec![entry]));
        self.bench.channel.catch_up().await.unwrap();
    }

    /// What came of everything that somebody said.
    async fn steps(&self, who: &str) -> Vec<Step> {
        self.bench.cases(who).await.into_iter().map(|case| case.step).collect()
    }
}

#[tokio::test]
async fn a_quote_that_nobody_said_is_its_writers_own_word() {
    let calm = "明天上午九点开会";
    let mut talk = Talk::heard_for(8).await;
    for (who, words) in [
        ("li", AD.to_owned()),
        ("chen", calm.to_owned()),
        ("wu", quote("李销售", AD, "请不要发广告")),
        ("sun", quote("李销售", "别的小组今天交报表", "收到")),
        ("zhao", quote("陈", &format!("{calm}，{AD}"), "好")),
        ("qian", quote("陈", calm, &format!("好的\n------\n{AD}"))),
        ("zhou", quote("吴", &quote("李销售", AD, "请不要发广告"), "同意")),
        ("tang", quote("吴", &quote("李销售", calm, AD), "同意")),
        ("feng", quote("李销售", AD, "")),
    ] {
        talk.say(who, &text(&words)).await;
    }
    for (who, strikes) in
        [("li", 1), ("wu", 0), ("sun", 0), ("zhao", 1), ("qian", 1), ("zhou", 0), ("tang", 1), ("feng", 0)]
    {
        assert_eq!(talk.steps(who).await, vec![Step::Warn; strikes], "{who}");
    }
    talk.bench.restart();
    talk.say("he", &text(&quote("李销售", AD, "请不要发广告"))).await;
    talk.say("lv", &text(&quote("李销售", &format!("{AD}，现在就加"), "是的"))).await;
    assert_eq!((talk.steps("he").await.len(), talk.steps("lv").await), (0, vec![Step::Warn]), "the store remembers");
}

/// The name may have colons of its own, and so may the words.
#[tokio::test]
async fn who_is_quoted_may_have_any_name() {
    let calm = "明天上午九点开会";
    let mut talk = Talk::heard_for(8).await;
    talk.say("li", &text(AD)).await;
    talk.say("chen", &text(calm)).await;
    for (at, name) in ["客服：小赵", "A:小李", "小李10:30下班", "小李(华东:苏州)", "：小李"].into_iter().enumerate()
    {
        for (way, words) in [quote(name, AD, "请不要发广告"), format!("「{name}：{AD}」\n- - - - - -\n请不要发广告")]
            .into_iter()
            .enumerate()
        {
            let who = format!("wu{at}{way}");
            talk.say(&who, &text(&words)).await;
            assert_eq!(talk.steps(&who).await, [], "{words}");
        }
    }
    talk.say("sun", &text(&quote(&format!("客服：{AD}"), calm, "收到"))).await;
    assert_eq!(talk.steps("sun").await, [Step::Warn], "an advert in the place of a name is the quoter's");
}

#[tokio::test]
async fn what_was_held_against_somebody_is_known_when_the_message_is_forgotten() {
    let mut talk = Talk::heard_for(8).await;
    talk.say("li", &text(AD)).await;
    talk.wait(40).await;
    talk.bench.forget_messages().await;
    talk.bench.restart();
    talk.say("wu", &text(&quote("李销售", AD, "一个月前就这样了"))).await;
    assert_eq!(talk.steps("wu").await, []);
    talk.say("sun", &text(&quote("李销售", &format!("{AD}，送一百"), "一个月前就这样了"))).await;
    assert_eq!(talk.steps("sun").await, [Step::Review], "who knows what was said then");
    talk.bench.restart();
    talk.say("sun", &text(&quote("李销售", &format!("{AD}，送一百"), "真的"))).await;
    assert!(talk.steps("sun").await.iter().all(|step| *step == Step::Review), "asking twice is no proof");
}

#[tokio::test]
async fn every_kind_of_message_may_be_quoted_as_clients_show_it() {
    let title = json!({"title": AD, "description": "名额有限", "link_url": "https://x.example/a"});
    let weapp = json!({"title": AD, "description": "", "username": "gh_1", "displayname": "福利社"});
    let part = |kind: &str, body: Value| json!({"type": kind, "content": body.to_string()});
    let mixed = json!({"item": [part("text", json!({"content": "看看这个"})), part("image", json!({"sdkfileid": "F"})),
        part("link", title.clone()), part("text", json!({"content": "快来"}))]});
    let record = json!({"title": "群聊的聊天记录", "item": [part("ChatRecordText", json!({"content": AD}))]});
    let chain = json!({"solitaire_type": 101, "solitaire_content": format!("{AD}\n1. 李雷")});
    let new_kind = json!({"headline": AD, "pages": [{"words": "现在就加"}]});
    for (kind, key, body, shown) in [
        (
            "link",
            "link",
            title.clone(),
            vec![format!("[链接]{AD}"), format!("【链接】{AD}\n名额有限"), format!("[链接] {AD} 名额有限")],
        ),
        ("link", "link", title, vec![AD.to_owned(), format!("{AD} https://x.example/a"), format!("[Link] {AD}")]),
        ("weapp", "weapp", weapp, vec![format!("[小程序]{AD}"), format!("[小程序] 福利社 {AD}")]),
        (
            "file",
            "file",
            json!({"filename": format!("{AD}.pdf"), "filesize": 9}),
            vec![format!("[文件]{AD}.pdf"), format!("[文件] {AD}")],
        ),
        (
            "mixed",
            "mixed",
            mixed,
            vec![
                format!("看看这个[图片][链接]{AD}快来"),
                format!("看看这个 [图片] {AD} 名额有限 快来"),
                format!("看看这个[图片][链接]{}", &AD[..10]),
            ],
        ),
        ("redpacket", "redpacket", json!({"wish": AD, "type": 1}), vec![format!("[红包]{AD}"), format!("[红包] {AD}")]),
        (
            "chatrecord",
            "chatrecord",
            record,
            vec!["[聊天记录]群聊的聊天记录".to_owned(), format!("群聊的聊天记录\n{AD}")],
        ),
        (
            "location",
            "location",
            json!({"title": AD, "address": "路"}),
            vec![format!("[位置]{AD}"), format!("[位置]{AD} 路")],
        ),
        (
            "vote",
            "vote",
            json!({"votetitle": AD, "voteitem": ["去", "不去"], "votetype": 101}),
            vec![format!("[投票]{AD}"), format!("[投票]{AD}\n去\n不去")],
        ),
        ("calendar", "calendar", json!({"title": AD, "remarks": "三点"}), vec![format!("[日程]{AD}"), AD.to_owned()]),
        ("todo", "todo", json!({"title": AD, "content": "交表"}), vec![format!("[待办]{AD}")]),
        ("solitaire", "info", chain, vec![format!("[接龙]{AD}"), format!("[群接龙]{AD}\n1. 李雷")]),
        (
            "sphfeed",
            "sphfeed",
            json!({"feed_type": 4, "sph_name": "某号", "feed_desc": AD}),
            vec![format!("[视频号]某号 {AD}")],
        ),
        ("hologram", "hologram", new_kind, vec![AD.to_owned(), format!("{AD} 现在就加")]),
        ("card", "card", json!({"corpname": AD, "userid": "wmA"}), vec![format!("[名片]{AD}")]),
        (
            "image",
            "image",
            json!({"sdkfileid": "F"}),
            vec!["[图片]".to_owned(), "【图片】".to_owned(), "[Photo]".to_owned()],
        ),
    ] {
        let mut talk = Talk::heard_for(8).await;
        talk.say("li", &json!({"msgtype": kind, key: body})).await;
        for (own, words) in ["请不要发这个", "谁来管一下群里", "我看到了"].into_iter().zip(shown) {
            talk.say("wu", &text(&quote("李销售", &words, own))).await;
            talk.say("zhou", &text(&format!("「李销售：{words}」\n- - - - - - - - - - - - - - -\n{own}"))).await;
            for who in ["wu", "zhou"] {
                assert_eq!(talk.steps(who).await, [], "{kind}: {words}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_hides_behind_their_own_words_in_whatever_form_they_said_them() {
    let link = json!({"msgtype": "link", "link": {"title": AD, "description": "", "link_url": "https://x.example"}});
    let chain =
        json!({"msgtype": "solitaire", "info": {"solitaire_type": 101, "solitaire_content": format!("{AD}\n1. 李雷")}});
    let quoting = text(&quote("李销售", "请不要发广告", "好"));
    for first in [text(AD), link, chain, text(&quote("王店长", AD, "好"))] {
        let mut talk = Talk::heard_for(8).await;
        talk.say("sun", &quoting).await;
        talk.say("li", &first).await;
        for _ in 0..2 {
            talk.say("li", &text(&quote("李销售", AD, "还在的"))).await;
        }
        assert!(talk.steps("li").await.iter().all(|step| *step > Step::Review), "{first}");
        assert_eq!(talk.bench.messages_held("li").await, 3, "each time: {first}");
        talk.say("wu", &text(&quote("李销售", AD, "请不要发广告"))).await;
        assert_eq!(talk.steps("wu").await, [], "somebody else may quote it: {first}");
    }
}

#[tokio::test]
async fn a_quote_that_is_handed_over_before_what_it_quotes_is_read_behind_it() {
    let talk = Talk::heard_for(8).await;
    let entry =
        |seq: u64, who: &str, words: &str| of_kind(seq, &format!("b{seq}"), who, talk.bench.clock.now(), &text(words));
    let batch = vec![entry(3, "sun", &quote("李销售", AD, "请不要发广告")), entry(2, "li", AD)];
    talk.bench.script.answers.lock().push_back(Ok(batch));
    talk.bench.channel.catch_up().await.unwrap();
    assert_eq!((talk.steps("li").await, talk.steps("sun").await), (vec![Step::Warn], vec![]));
}

#[tokio::test]
async fn who_quotes_what_the_owner_pinned_says_nothing_of_their_own() {
    let pinned = format!("本群须知：\n有人说“{AD}”的，请截图举报");
    let mut talk = Talk::heard_at(Bench::pinned(&pinned).await, 8).await;
    talk.say("sun", &text(&quote("群公告", &pinned, "收到"))).await;
    assert_eq!(talk.steps("sun").await, []);
    talk.say("sun", &text(&quote("王店长", AD, "是这样"))).await;
    assert_eq!(talk.steps("sun").await, [], "a part of it, under whoever's name");
    talk.say("he", &text(&quote("群公告", &format!("{AD}，送一百"), "收到"))).await;
    assert_eq!(talk.steps("he").await, [Step::Review], "what nobody knows to be pinned, a person is asked about");
    talk.say("lv", &text(&quote("王店长", &format!("{AD}，送一百"), "收到"))).await;
    assert_eq!(talk.steps("lv").await, [Step::Warn], "what is not shown as pinned is made up");
}

#[tokio::test]
async fn where_not_everything_was_heard_a_quote_that_nobody_said_only_asks() {
    let forged = text(&quote("王店长", &format!("{AD}，送一百"), "好的"));
    let unknown = text("【未知消息类型】");
    // New there; a message that WeCom does not export; one that no key opens.
    let new = Talk::heard_for(2).await;
    let mut placeholder = Talk::heard_for(8).await;
    placeholder.say("wang", &unknown).await;
    let sealed = Talk::heard_for(8).await;
    sealed.bench.hand_over_sealed(900);
    let mut long_ago = Talk::heard_for(8).await;
    long_ago.say("wang", &unknown).await;
    long_ago.wait(8).await;
    for (mut talk, what, expected) in [
        (new, "new", Step::Review),
        (placeholder, "placeholder", Step::Review),
        (sealed, "sealed", Step::Review),
        (long_ago, "long ago", Step::Warn),
    ] {
        talk.next = 1000;
        talk.say("sun", &forged).await;
        assert_eq!(talk.steps("sun").await, [expected], "{what}");
        let evidence = &talk.bench.cases("sun").await[0].evidence;
        assert!(evidence.contains(AD), "who is asked sees it: {evidence}");
        // Whatever was heard, the words behind a quote are the writer's.
        talk.say("he", &text(&quote("王店长", "早", AD))).await;
        assert_eq!(talk.steps("he").await, [Step::Warn], "{what}");
        talk.say("lv", &text(&quote("王店长", "明天几点开会", "九点"))).await;
        assert_eq!(talk.steps("lv").await, [], "{what}");
    }
}

#[tokio::test]
async fn of_a_chain_each_answers_for_the_own_lines() {
    let chain = |kind: u64, lines: &[&str]| json!({"msgtype": "solitaire", "info": {"solitaire_type": kind, "solitaire_content": lines.join("\n")}});
    let advert = format!("2. {AD}");
    let more = format!("快来，{AD}");
    let mut talk = Talk::heard_for(8).await;
    for (who, kind, lines) in [
        ("wang", 101, vec!["周五团建报名", "1. 王芳 两个人"]),
        ("li", 102, vec!["周五团建报名", "1. 王芳 两个人", &advert]),
        ("sun", 102, vec!["周五团建报名", "1. 王芳 两个人", &advert, "3. 孙丽 一个人"]),
        ("wu", 102, vec!["周五团建报名", "1. 王芳 两个人", &advert, &more, "3. 孙丽 一个人", "4. 吴浩 一个人"]),
        // Somebody dropped out; nobody answers for the others' lines because the numbers changed.
        ("he", 102, vec!["周五团建报名", "1. 李销售", &advert, &more, "2. 孙丽 一个人", "3. 何一"]),
        // The same line once more is another one.
        (
            "lv",
            102,
            vec![
                "周五团建报名",
                "1. 王芳 两个人",
                &advert,
                &more,
                "3. 孙丽 一个人",
                "4. 吴浩 一个人",
                &format!("5. {AD}"),
            ],
        ),
    ] {
        talk.say(who, &chain(kind, &lines)).await;
    }
    for (who, strikes) in [("wang", 0), ("li", 1), ("sun", 0), ("wu", 1), ("he", 0), ("lv", 1)] {
        assert_eq!(talk.steps(who).await.len(), strikes, "{who}");
    }
    // The title is who began it; whoever joins answers for their line, also after a restart, also for the first one heard.
    let title = [AD, "1. 王芳"];
    talk.say("zhao", &chain(101, &title)).await;
    talk.bench.restart();
    talk.say("qian", &chain(102, &[AD, "1. 王芳", "2. 钱进"])).await;
    assert_eq!((talk.steps("zhao").await.len(), talk.steps("qian").await.len()), (1, 0));
    let mut fresh = Talk::heard_for(0).await;
    fresh.say("wang", &chain(101, &["1. 王芳"])).await;
    fresh.say("qian", &chain(102, &[AD, "例：姓名", "1. 王芳", "2. 钱进"])).await;
    assert_eq!(fresh.steps("qian").await, [], "the title was somebody else's");
    // A line said before by whoever, elsewhere, is no excuse.
    talk.say("tang", &chain(101, &["下周值班", "1. 唐宁"])).await;
    talk.say("feng", &chain(102, &["下周值班", "1. 唐宁", &advert])).await;
    assert_eq!(talk.steps("feng").await.len(), 1);
}

#[tokio::test]
async fn a_chain_written_as_plain_text_is_one_too() {
    let chain = |lines: &[&str]| text(&format!("#接龙\n{}", lines.join("\n")));
    let advert = format!("2. {AD}");
    for (heard, guessed) in [(8, Step::Warn), (0, Step::Review)] {
        let mut talk = Talk::heard_for(heard).await;
        talk.say("wang", &chain(&["团建", "", "1. 王芳"])).await;
        talk.say("li", &chain(&["团建", "", "1. 王芳", &advert])).await;
        talk.say("sun", &chain(&["团建", "", "1. 王芳", &advert, "3. 孙丽"])).await;
        assert_eq!((talk.steps("wang").await.len(), talk.steps("sun").await.len()), (0, 0), "{heard}");
        assert_eq!(talk.steps("li").await, [Step::Warn], "{heard}");
        // Typed anew, it is said anew.
        talk.say("li", &chain(&["团建", "", "1. 王芳", &advert, "3. 孙丽", "4. 李雷"])).await;
        assert_eq!(talk.bench.messages_held("li").await, 2, "{heard}");
        // One that was never seen before was typed by who posts it, if everything was heard; else it may have been joined.
        talk.say("zhao", &chain(&[AD, "1. 别人", "2. 赵"])).await;
        assert_eq!(talk.steps("zhao").await, [guessed], "{heard}");
    }
}

#[tokio::test]
async fn a_long_chain_is_compared_to_its_end() {
    let lines: Vec<String> = (1..=400).map(|n| format!("{n}. 报名的第{n}位同事，午饭要一份不辣的")).collect();
    let mut all = vec!["午饭报名".to_owned()];
    let mut talk = Talk::heard_for(8).await;
    all.extend(lines);
    all.push(format!("401. {AD}"));
    let post = |kind: u64, all: &[String]| json!({"msgtype": "solitaire", "info": {"solitaire_type": kind, "solitaire_content": all.join("\n")}});
    talk.say("wang", &post(101, &all[..401])).await;
    talk.say("li", &post(102, &all)).await;
    all.push("402. 孙丽".to_owned());
    talk.say("sun", &post(102, &all)).await;
    assert_eq!((talk.steps("li").await.len(), talk.steps("sun").await.len()), (1, 0));
}

#[tokio::test]
async fn a_record_with_an_advert_and_a_strangers_card_make_a_person_look() {
    let part = |words: &str| json!({"type": "ChatRecordText", "content": json!({"content": words}).to_string()});
    let record =
        |parts: &[Value]| json!({"msgtype": "chatrecord", "chatrecord": {"title": "群聊的聊天记录", "item": parts}});
    let mut talk = Talk::heard_for(8).await;
    talk.say("li", &record(&[part("早"), part(AD), part("收到")])).await;
    talk.say("sun", &record(&[part("早"), part("明天九点开会"), part("收到")])).await;
    talk.say(
        "wu",
        &json!({"msgtype": "card", "card": {"corpname": "某公司", "userid": "wmStranger0000000000000000000000"}}),
    )
    .await;
    talk.say("he", &json!({"msgtype": "card", "card": {"corpname": "我们公司", "userid": "he"}})).await;
    assert_eq!(talk.steps("li").await, [Step::Review]);
    assert!(talk.bench.cases("li").await[0].evidence.contains(&format!("[聊天记录] 群聊的聊天记录 / 早 / {AD}")));
    assert_eq!(talk.steps("wu").await, [Step::Review]);
    assert_eq!((talk.steps("sun").await, talk.steps("he").await), (Vec::new(), Vec::new()));
}
