//! A table for each reason: what it excuses, what it leaves to a person, and the cloaks it must not let through.

use jiff::civil::date;

use super::Reason;
use crate::detect::evaluate::judge;
use crate::detect::{Detector, Lists, Settings, Verdict};

fn detector() -> &'static Detector {
    static DETECTOR: std::sync::OnceLock<Detector> = std::sync::OnceLock::new();
    DETECTOR.get_or_init(|| {
        let list = |text: &str| text.to_owned();
        let mut lists = Lists::default();
        for (name, text) in Lists::shipped().iter().filter(|(name, _)| name.starts_with("common/")) {
            lists.insert(name, list(text));
        }
        lists.insert(
            "insult/a.txt",
            list("[分=2]\n傻逼\n脑残\n废物\n你妈死\n精神病\n恶心\nsb\nnmd\n破烂 | 需要=指人\n他妈的 | 分=1\n你妈的\n你全家\n吃屎\n滚蛋\n"),
        );
        lists.insert("gambling/a.txt", list("[分=2]\n稳赚\n下注\n菠菜 | 需要=行话\n彩金 | 需要=行话/联系方式\n"));
        lists.insert("drugs/a.txt", list("[分=2]\n芬太尼\n笑气\n"));
        lists.insert("ads/a.txt", list("[分=2]\n刷单\n代购 | 需要=【买卖】\n"));
        lists.insert("false_claim/a.txt", list("[分=2]\n代替药物\n包治\n"));
        Detector::build(&lists, Settings::new(date(2026, 1, 1))).unwrap()
    })
}

/// The verdict, and what the silent findings say.
fn says(text: &str) -> (Verdict, String) {
    let report = judge(detector(), text, true);
    (report.verdict, report.silent.into_iter().map(|silent| silent.why + "\n").collect())
}

fn excused(reason: Reason, texts: &[&str]) {
    for text in texts {
        let (verdict, why) = says(text);
        assert_eq!(verdict, Verdict::Clean, "{text}: {why}");
        assert!(why.contains(&format!("不算：{}", reason.zh())), "{text}: {why}");
    }
}

fn acted(texts: &[&str]) {
    for text in texts {
        let (verdict, why) = says(text);
        assert_eq!(verdict, Verdict::Act, "{text}: {why}");
    }
}

#[test]
fn a_quotation_is_anothers_word_and_a_lone_one_is_not() {
    excused(Reason::Quoted, &["他说“你是傻逼”，我没理", "顾客留言「脑残」两个字", "文案里“废物”这个词要换掉"]);
    acted(&["“傻逼”", "你就是“傻逼”", "这个“废物”又来了", "“你妈死”"]);
    let offer = "有人发“加微信 abc12345 稳赚”";
    assert_eq!(says(offer).0, Verdict::Review, "{offer}");
}

#[test]
fn who_reports_an_insult_says_none() {
    excused(
        Reason::Reported,
        &["上午接电话被骂傻逼，心里难受", "客户投诉：服务员脑残", "组长骂我废物", "买家差评：一帮废物"],
    );
    acted(&["有人骂我傻逼，你才是傻逼", "你这个废物", "客户投诉：你们都是废物", "举报这个傻逼"]);
}

#[test]
fn who_forbids_or_warns_offers_nothing() {
    excused(Reason::Forbidden, &["谨防刷单", "不要骂人脑残", "禁止使用傻逼等词", "提醒：别信稳赚的鬼话"]);
    acted(&["禁止赌博 加微信 abc12345 稳赚", "严禁刷单 我们是正规刷单 私聊我", "别骂人，你个傻逼"]);
}

#[test]
fn a_ban_goes_for_every_word_of_its_list() {
    excused(
        Reason::Forbidden,
        &[
            "禁语：脑残、废物、傻逼",
            "违规示例：1、傻逼 2、脑残 3、刷单",
            "禁止说：“脑残”，“废物”，傻逼",
            "下注、稳赚、刷单要负法律责任",
        ],
    );
    excused(Reason::Quoted, &["脑残、废物这种话伤人"]);
    excused(Reason::Asked, &["如何辨别兼职、下注、刷单"]);
    acted(&["禁语：脑残。废物，傻逼", "禁语：脑残、你们这群废物", "傻逼，这种话听不懂吗你个废物"]);
}

#[test]
fn talk_of_a_family_or_a_wish_is_no_curse() {
    excused(Reason::Family, &["祝你全家新年快乐", "问候你全家，中秋快乐"]);
    for (text, reason) in [
        ("你妈的手术排在周三", "只请人看：在说家里人"),
        ("小狗吃屎怎么办", "只请人看：在说动物"),
        ("冬至吃滚蛋饺子", "只请人看：在说动物或货品"),
    ] {
        let (verdict, why) = says(text);
        assert_eq!(verdict, Verdict::Review, "{text}: {why}");
        assert!(why.contains(reason), "{text}: {why}");
    }
    acted(&["你妈的", "操你妈的手机", "祝你全家快乐不起来", "你全家吃屎", "你去吃屎", "他狗吃屎"]);
}

#[test]
fn who_denies_offers_nothing() {
    excused(Reason::Denied, &["采购部又不是傻逼，算得过来", "我们不做刷单", "我们从不做代开、套现、刷单"]);
    acted(&["从来不碰代开，专业刷单", "是不是傻逼", "不是傻逼就是脑残", "有没有刷单的", "你不是傻逼谁是"]);
}

#[test]
fn who_asks_offers_nothing() {
    excused(Reason::Asked, &["刷单是什么意思", "下注怎么翻译", "脑残算骂人吗"]);
    acted(&["刷单什么意思 加我微信 abc12345", "你什么意思 傻逼"]);
}

#[test]
fn who_scolds_himself_hits_nobody() {
    excused(Reason::SelfMocking, &["我可真是个废物", "不好意思我今天脑残了", "自己真是废物", "废物了我居然迟到"]);
    acted(&["我这废物同事又请假", "我看你就是个废物", "加我脑残", "我真服了这傻逼"]);
}

#[test]
fn a_sick_stomach_is_no_insult_and_a_thing_no_person() {
    excused(Reason::Body, &["怀孕闻到油烟恶心", "坐车坐得头晕，恶心"]);
    acted(&["看见你就恶心", "这种人恶心"]);
    let (verdict, why) = says("这破系统脑残");
    assert_eq!(verdict, Verdict::Review, "{why}");
    assert!(why.contains("只请人看：在说东西"), "{why}");
}

#[test]
fn rules_forbid_what_they_name() {
    excused(
        Reason::Rules,
        &[
            "群规：一、不得刷单；二、不得说傻逼脑残",
            "第一条 下注者开除 第二条 刷单者开除",
            "员工守则\n严禁上班时间下注",
        ],
    );
    acted(&["群规就是放屁，傻逼才守", "群规：禁止赌博。稳赚，私聊我 abc12345"]);
}

#[test]
fn the_sentence_that_the_law_asks_for_is_fine() {
    excused(Reason::Disclaimer, &["本品不能代替药物", "保健食品，不能代替药物"]);
    acted(&["不能代替药物，但是包治百病", "包治"]);
}

#[test]
fn trades_that_speak_of_it() {
    excused(Reason::Medical, &["病区芬太尼注射液双人复核", "精神病医院三楼", "笑气镇痛手术"]);
    excused(Reason::Legal, &["警方通报：抓获下注人员五名"]);
    excused(Reason::Training, &["下注行为自查", "稳赚话术识别方法"]);
    acted(&["芬太尼 处方 私聊我", "你就是精神病", "警方内部 稳赚 加我"]);
}

#[test]
fn an_everyday_word_asks_for_a_second_sign() {
    excused(Reason::Everyday, &["菠菜和油麦菜到货", "彩金吊坠改尺寸", "代购一份早餐", "把破烂收走"]);
    acted(&["菠菜 下注", "彩金领取加我", "代购包邮", "你个破烂"]);
}

#[test]
fn letters_of_names_are_no_words() {
    excused(Reason::Code, &["https://item.shop.example.com/100sb200.html", "NMD系列断码", "型号 SB-2200", "sb.txt"]);
    acted(&["sb", "s b", "nmd", "sb。滚"]);
}
