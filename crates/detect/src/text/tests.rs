use super::*;

fn steps(text: &str) -> Vec<&'static str> {
    let n = normalize(text);
    n.transforms(0..n.folded().len()).into_iter().map(Transform::id).collect()
}

#[test]
fn one_fold_for_many_disguises() {
    for (typed, read) in [
        ("加 薇❤信", "加薇信"),
        ("ＶＸ", "vx"),
        ("①②③", "123"),
        ("❶➋⓷", "123"),
        ("3️⃣8️⃣", "38"),
        ("𝒱𝓍𝟙𝟚", "vx12"),
        ("🅰🅱🆚", "abvs"),
        ("🇻🇽", "vx"),
        ("加油🇨🇳", "加油"),
        ("㎏⑩", "kg10"),
        ("繁體羣組", "繁体群组"),
        ("v\u{200b}\u{feff}x", "vx"),
        ("wéi̶xǐn", "weixin"),
        ("wеiхin", "weixin"),
        ("加ВХ", "加bx"),
        ("Привет мир", "привет мир"),
        ("〇", "零"),
        ("一起去", "一起去"),
        ("٣٤", "34"),
        ("", ""),
    ] {
        assert_eq!(fold(typed), read.replace(' ', ""), "{typed}");
    }
}

#[test]
fn steps_have_names() {
    assert_eq!(steps("ＶX"), ["width", "case"]);
    assert_eq!(steps("加 薇❤信"), ["separator"]);
    assert_eq!(steps("①"), ["fancy"]);
    assert_eq!(steps("3️⃣"), ["fancy"]);
    assert_eq!(steps("v\u{200b}x"), ["invisible"]);
    assert_eq!(steps("羣組"), ["traditional"]);
    assert_eq!(steps("wеixin"), ["lookalike"]);
    assert_eq!(steps("é"), ["combining"]);
    assert_eq!(steps("你好"), [""; 0]);
}

#[test]
fn positions_lead_back_to_what_was_typed() {
    let n = normalize("请加 薇❤信！好");
    assert_eq!(n.text(), "请加薇信好");
    assert_eq!(n.origin(1..4), 1..6);
    assert_eq!(n.original(1..4), "加 薇❤信");
    assert_eq!(n.folded_range(1..6), 1..4);
    assert_eq!(n.gap(2), Gap { len: 1, kind: Break::Soft });
    assert_eq!(n.gap(4).kind, Break::Sentence);
    assert_eq!(n.origin(5..5), 8..8);
}

#[test]
fn the_second_reading_joins_emoji_and_halves() {
    let second = |text: &str| normalize(text).rewritten().map(|n| n.text());
    assert_eq!(second("🐧群").as_deref(), Some("qq群"));
    assert_eq!(second("➕微").as_deref(), Some("加微"));
    assert_eq!(second("弓虽力口").as_deref(), Some("强加"));
    assert_eq!(second("讠某 亻言").as_deref(), Some("谋信"));
    assert_eq!(second("加加加微信").as_deref(), Some("加微信"));
    assert_eq!(second("1388888").as_deref(), None);
    assert_eq!(second("今天好"), None);
    let n = normalize("发弓虽！").rewritten().unwrap();
    assert_eq!((n.original(1..2), n.transforms(1..2)), ("弓虽".into(), vec![Transform::Split]));
}

#[test]
fn explanations_name_the_step_of_every_character() {
    let n = normalize("Ｖ ①");
    let lines: Vec<_> = n
        .explain()
        .into_iter()
        .map(|e| format!("{}→{} {}", e.original, e.normalized, e.transforms.iter().map(|t| t.id()).collect::<String>()))
        .collect();
    assert_eq!(lines, ["Ｖ→v widthcase", " → separator", "①→1 fancy"]);
    let n = normalize("加薇信");
    let heard = n.explain_as(0..3, "加微信");
    assert_eq!(
        (heard[1].original, &*heard[1].normalized, &heard[1].transforms[..]),
        ('薇', "微", &[Transform::Homophone][..])
    );
    assert!(heard[0].transforms.is_empty());
}

#[test]
fn sounds_drop_the_tone() {
    assert_eq!(sounds::of('薇'), sounds::of('威'));
    assert_eq!(sounds::of('加'), sounds::of('伽'));
    assert_eq!(sounds::of('群'), sounds::of('裙'));
    assert_eq!(sounds::of('扣'), sounds::of('叩'));
    assert_ne!(sounds::of('加'), sounds::of('微'));
    assert_eq!(sounds::of('a'), 0);
    assert!(sounds::all('重').len() >= 2);
    let read = sounds::latin("jiawoweixin").unwrap();
    let said: Vec<u16> = "加我微信".chars().map(sounds::of).collect();
    assert_eq!(read.into_iter().map(|(s, _)| s).collect::<Vec<_>>(), said);
    assert!(sounds::latin("hello").is_none());
}

#[test]
fn numbers_in_disguise() {
    let read = |text: &str| digits::runs(&normalize(text)).map(|r| r.digits).collect::<Vec<_>>();
    assert_eq!(read("138-0013-8000"), ["13800138000"]);
    assert_eq!(read("①③８ 零零一三捌ooo"), ["13800138000"]);
    assert_eq!(read("幺三八零零幺三八零零零"), ["13800138000"]);
    assert_eq!(read("1️⃣3️⃣8️⃣"), ["138"]);
    assert_eq!(read("一起去，第一次"), [""; 0]);
    assert_eq!(read("我有l23个"), ["23"]);
    assert_eq!(read("共12个。34个"), ["12", "34"]);
    let n = normalize("电话１3８");
    let run = digits::runs(&n).next().unwrap();
    assert_eq!((run.start, run.end, run.transforms), (2, 5, vec![Transform::Width]));
}

#[test]
fn contact_aliases() {
    use aliases::Contact::*;
    let find =
        |text: &str| aliases::find(&normalize(text)).into_iter().map(|a| (a.contact, a.plain)).collect::<Vec<_>>();
    assert_eq!(find("加薇 信"), [(WeChat, false)]);
    assert_eq!(find("我的VX：abc"), [(WeChat, false)]);
    assert_eq!(find("扣扣123"), [(Qq, false)]);
    assert_eq!(find("微信"), [(WeChat, true)]);
    assert_eq!(find("very love"), []);
}

#[test]
fn broken_domains() {
    let find = |text: &str| domains::find(text).into_iter().map(|d| d.host).collect::<Vec<_>>();
    for (typed, host) in [
        ("看abc.com吧", "abc.com"),
        ("abc点com", "abc.com"),
        ("abc。cc", "abc.cc"),
        ("abc d0t com", "abc.com"),
        ("abc.c0m", "abc.com"),
        ("150aa。c⭕m", "150aa.com"),
        ("a b c . c n", "abc.cn"),
        ("abc[.]top", "abc.top"),
        ("ＡＢＣ．ｃｏｍ", "abc.com"),
        ("abc 点 c n", "abc.cn"),
        ("x.abc.com.cn/1", "x.abc.com.cn"),
        ("888点vip", "888.vip"),
    ] {
        assert_eq!(find(typed), [host], "{typed}");
    }
    for clean in ["下午3点in", "See you. In the morning", "版本1.2.3", "好的。com", "3.5元", "hello world"] {
        assert_eq!(find(clean), [""; 0], "{clean}");
    }
    let broken = domains::find("看abc 点com");
    assert_eq!((broken[0].start, broken[0].end, &broken[0].transforms[..]), (1, 9, &[Transform::Domain][..]));
    assert!(domains::find("abc.com")[0].transforms.is_empty());
}
