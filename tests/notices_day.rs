//! A played day: a notice to 42 people in three groups that overlap, answered in every way people answer, with the bot's
//! process killed across the deadline and started after it. WeCom is the simulator, everybody lives by its clock, the archive
//! comes through a shared library. At the end stand who did what and everything the bot said, word for word.

#[path = "common/archive_library.rs"]
mod archive_library;
#[path = "common/company.rs"]
mod company;
#[path = "common/house.rs"]
mod house;
#[path = "common/process.rs"]
mod process;

use std::{collections::BTreeMap, fmt::Write};

use company::{Company, local};
use qunguan::notices::status::Status;
use serde_json::{Value, json};

/// Userid, name, department, groups: 42 people who must answer. 赵一鸣 is in two groups, and so are those at the seams.
/// 张经理 leads 销售部; the two other departments have no leader, so 王总 of the company above them gets their lists. 韩新来 joins
/// on that day.
const PEOPLE: &str = "
p01 赵一鸣 销售部 华东 北区
p02 钱一鸣 销售部 华东
p03 孙一鸣 销售部 华东
p04 李一鸣 销售部 华东
p05 周一鸣 销售部 华东
p06 吴一鸣 销售部 华东
p07 郑一鸣 销售部 华东
p08 王一鸣 销售部 华东
p09 冯一鸣 销售部 华东
p10 陈一鸣 销售部 华东
p11 褚一鸣 销售部 华东
p12 卫一鸣 销售部 华东
p13 蒋一鸣 销售部 华东
p14 沈一鸣 销售部 华东
p15 赵思远 销售部 华东 华西
p16 钱思远 销售部 华东 华西
p17 孙思远 客服部 华东 华西
p18 李思远 客服部 华东 华西
p19 周思远 客服部 华西
p20 吴思远 客服部 华西
p21 郑思远 客服部 华西
p22 王思远 客服部 华西
p23 冯思远 客服部 华西
p24 陈思远 客服部 华西
p25 褚思远 客服部 华西
p26 卫思远 客服部 华西
p27 蒋思远 客服部 华西
p28 沈思远 客服部 华西 北区
p29 赵雨桐 客服部 华西 北区
p30 钱雨桐 商品部 华西 北区
p31 孙雨桐 商品部 北区
p32 李雨桐 商品部 北区
p33 周雨桐 商品部 北区
p34 吴雨桐 商品部 北区
p35 郑雨桐 商品部 北区
p36 王雨桐 商品部 北区
p37 冯雨桐 商品部 北区
p38 陈雨桐 商品部 北区
p39 褚雨桐 商品部 北区
p40 卫雨桐 商品部 北区
p41 蒋雨桐 商品部 北区
p42 沈雨桐 商品部 北区
p43 韩新来 销售部
wang 王总 公司
zhang 张经理 销售部
director 林总监 公司
hr 周人事 公司
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_a_notice() {
    let mut day = Company::new("2026-11-23T09:50:00+08:00", PEOPLE).await;
    day.start().await;
    // A bot may put a card only into a group in which somebody has spoken to it.
    day.say("09:50", "北区", "沈思远", "@群管 我的状态").await;
    // 卫雨桐 is on parental leave this month: a standing exemption.
    let leave = json!({"member": "p40", "reason": "陪产假",
        "from": "2026-11-01T00:00:00+08:00", "to": "2026-12-01T00:00:00+08:00"});
    day.post("exemptions", leave).await;
    day.say("09:59", "华西", "陈思远", "收到").await; // before the notice: about something else

    // R17 to the letter, switched on past the warning.
    let draft = json!({
        "text": "今天 18:00 前完成客户拜访表，周会逐一核对。",
        "groups": ["wrEast", "wrWest", "wrNorth"],
        "deadline": "2h",
        "accept": ["收到", "执行", "马上执行", "1", "OK", "好的"],
        "escalate_to": ["director"],
        "approvers": ["hr"],
        "joiners": "include",
        "fine": {"preset": "sales-staff-2016", "understood": true},
    });
    let preview = day.post("notices/preview", draft.clone()).await;
    assert_eq!((&preview["people"], &preview["exempt"]), (&json!(42), &json!(1)));
    day.until("10:00").await;
    let notice = day.post("notices", draft).await;
    let n = notice["id"].as_str().unwrap().to_owned();

    for (time, group, who, text) in [
        // Everything that people write when they mean yes; who is in several groups answers once.
        ("10:01", "华东", "赵一鸣", "收到"),
        ("10:02", "北区", "赵一鸣", "收到"),
        ("10:02", "华东", "钱一鸣", "收到！"),
        ("10:02", "华东", "孙一鸣", "@办公室 收到，马上执行"),
        ("10:03", "华东", "李一鸣", "收 到"),
        ("10:03", "华东", "周一鸣", "王总，收到，谢谢"),
        ("10:03", "华东", "吴一鸣", "收道"),
        ("10:04", "华东", "郑一鸣", "ＯＫ"),
        ("10:04", "华东", "王一鸣", "1"),
        ("10:04", "华东", "冯一鸣", "馬上執行"),
        ("10:04", "华东", "陈一鸣", "[玫瑰]收到[玫瑰]"),
        ("10:05", "华西", "钱思远", "好的，收到"),
        ("10:05", "华西", "孙思远", "执行"),
        ("10:05", "华西", "李思远", "已收到"),
        ("10:05", "华西", "周思远", "收到了"),
        // None of these is an answer.
        ("10:06", "华西", "吴思远", "没收到"),
        ("10:06", "华西", "郑思远", "收到红包了"),
        ("10:06", "华西", "王思远", "大家收到了吗？"),
        ("10:06", "华西", "冯思远", "收到请回复"),
        ("10:06", "华西", "卫思远", "收到 5000"),
        ("10:06", "华西", "蒋思远", "1、今天拜访三家"),
        ("10:06", "北区", "蒋雨桐", "怎么执行？"),
        ("10:06", "北区", "吴雨桐", "马上执行不了"),
    ] {
        day.say(time, group, who, text).await;
    }
    // By quoting the notice, where a short word is enough; without the quote it is not.
    day.quote("10:07", "华西", "褚思远", "嗯嗯", &format!("通知 {n}")).await;
    day.say("10:07", "华西", "卫思远", "嗯嗯").await;
    // By the private card, by the group's card, by the link, to the app, to the smart bot, to the bot in the group.
    day.press("10:08", "沈思远", "客户拜访表", "收到").await;
    day.press_in_group("10:08", "北区", "赵雨桐").await;
    let page = day.follow_link("10:09", "钱雨桐", &format!("/n/{n}")).await;
    assert!(page.contains("已记下您对通知"), "{page}");
    day.ask("10:10", "孙雨桐", "群管助手", &format!("收到 {n}")).await;
    day.ask("10:10", "郑雨桐", "机器人", "收到").await;
    day.say("10:11", "北区", "王雨桐", "@群管 收到").await;
    // 沈雨桐 leaves their only group; 赵雨桐 leaves one of two; 韩新来 comes.
    day.leaves("10:12", "北区", "沈雨桐").await;
    day.leaves("10:12", "华西", "赵雨桐").await;
    day.joins("10:12", "华东", "韩新来", "赵一鸣").await;
    // Two explanations: one is accepted, one refused. A button that asks for words closes nothing.
    day.press("10:14", "冯雨桐", "客户拜访表", "特殊情况").await;
    day.ask("10:15", "李雨桐", "群管助手", &format!("特殊情况 {n} 在飞机上，下午才能处理")).await;
    day.ask("10:16", "周雨桐", "群管助手", "特殊情况：忘了").await;
    day.press("10:30", "周人事", "李雨桐", "同意").await;
    day.press("10:31", "周人事", "周雨桐", "不同意").await;
    for who in ["褚一鸣", "卫一鸣", "蒋一鸣"] {
        day.say("11:10", "华东", who, "收到").await;
    }
    for who in ["吴雨桐", "冯雨桐", "陈雨桐", "褚雨桐"] {
        day.say("11:50", "北区", who, "收到").await;
    }

    // Killed five minutes before the deadline, back a quarter of an hour after it.
    day.until("11:55").await;
    day.bot.kill();
    day.say("11:58", "华东", "赵思远", "收到").await;
    day.say("11:59", "华西", "蒋思远", "马上执行").await;
    day.say("12:00", "华西", "吴思远", "收到").await; // the deadline's own second
    day.say("12:01", "华西", "郑思远", "收到").await;
    day.until("12:15").await;
    day.archive_works(false).await; // what was said meanwhile is still under way
    day.start().await;
    day.press("12:16", "蒋思远", "还差您的回执", "收到").await;
    day.until("12:17").await;
    day.archive_works(true).await;
    day.say("12:18", "华东", "韩新来", "收到").await; // two hours after they were seen to have come
    day.say("13:00", "华西", "王思远", "收到，刚开完会").await;
    day.follow_link("14:05", "冯思远", &format!("/n/{n}")).await;
    day.quote("15:10", "北区", "蒋雨桐", "好的", &format!("通知 {n}")).await;
    // Killed and started again: nothing is said or written twice.
    day.until("15:30").await;
    day.bot.kill();
    day.start().await;
    day.until("23:00").await;
    assert_eq!(day.bot.kills, 2);

    insta::assert_snapshot!(outcomes(&day, &n).await, @r#"
    赵一鸣  已回执  10:01  群里回复
    钱一鸣  已回执  10:02  群里回复
    孙一鸣  已回执  10:02  群里回复
    李一鸣  已回执  10:03  群里回复
    周一鸣  已回执  10:03  群里回复
    吴一鸣  已回执  10:03  群里回复
    郑一鸣  已回执  10:04  群里回复
    王一鸣  已回执  10:04  群里回复
    冯一鸣  已回执  10:04  群里回复
    陈一鸣  已回执  10:04  群里回复
    褚一鸣  已回执  11:10  群里回复
    卫一鸣  已回执  11:10  群里回复
    蒋一鸣  已回执  11:10  群里回复
    沈一鸣  未回执  晚 660 分钟，50 元
    赵思远  已回执  11:58  群里回复
    钱思远  已回执  10:05  群里回复
    孙思远  已回执  10:05  群里回复
    李思远  已回执  10:05  群里回复
    周思远  已回执  10:05  群里回复
    吴思远  已回执  12:00  群里回复
    郑思远  迟到  12:01  群里回复  晚 1 分钟，5 元
    王思远  迟到  13:00  群里回复  晚 60 分钟，5 元
    冯思远  迟到  14:05  链接  晚 125 分钟，5 元
    陈思远  未回执  晚 660 分钟，50 元
    褚思远  已回执  10:07  引用回复
    卫思远  未回执  晚 660 分钟，50 元
    蒋思远  已回执  11:59  群里回复
    沈思远  已回执  10:08  按钮
    赵雨桐  已回执  10:08  群卡片
    钱雨桐  已回执  10:09  链接
    孙雨桐  已回执  10:10  私聊回复
    李雨桐  豁免  说明：在飞机上，下午才能处理（已同意 hr）
    周雨桐  未回执  晚 660 分钟，50 元  说明：忘了（未同意 hr）
    吴雨桐  已回执  11:50  群里回复
    郑雨桐  已回执  10:10  私聊回复
    王雨桐  已回执  10:11  群里回复
    冯雨桐  已回执  11:50  群里回复
    陈雨桐  已回执  11:50  群里回复
    褚雨桐  已回执  11:50  群里回复
    卫雨桐  豁免  说明：陪产假（已同意 office）
    蒋雨桐  迟到  15:10  引用回复  晚 190 分钟，10 元
    沈雨桐 退群，不再计入
    韩新来  已回执  12:18  群里回复
    "#);
    let status: Status = serde_json::from_value(day.get(&format!("notices/{n}")).await).unwrap();
    let counted =
        (status.required, status.acknowledged, status.late, status.exempt, status.missing, status.waiting, status.left);
    assert_eq!(counted, (42, 36, 4, 2, 4, 0, 1));
    assert_eq!(status.required, status.acknowledged + status.exempt + status.missing);
    insta::assert_snapshot!(day.everything_said().replace(&n, "N"), @r#"
    —— 09:50 群「北区销售群」
    已私信您。没收到的话，请到群管应用里直接问我。
    —— 09:50 私信 沈思远
    您在「北区销售群」：可以正常发言，没有记分。
    —— 10:00 群「华东销售群」、群「华西销售群」、群「北区销售群」
    【通知 N】请在今天 12:00 前回执
    今天 18:00 前完成客户拜访表，周会逐一核对。

    需回执 41 人。回复“收到”、点私信里的按钮或打开 http://bot.invalid/n/N 都可以；有特殊情况请私信我：特殊情况 N 原因
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    —— 10:00 群「北区销售群」
    通知 N 今天 18:00 前完成客户拜访表，周…
    已回执：0/41
    [收到]
    —— 10:00 私信 赵一鸣、钱一鸣、孙一鸣、李一鸣、周一鸣、吴一鸣、郑一鸣、王一鸣、冯一鸣、陈一鸣、褚一鸣、卫一鸣、蒋一鸣、沈一鸣、赵思远、钱思远、孙思远、李思远、周思远、吴思远、郑思远、王思远、冯思远、陈思远、褚思远、卫思远、蒋思远、沈思远、赵雨桐、钱雨桐、孙雨桐、李雨桐、周雨桐、吴雨桐、郑雨桐、王雨桐、冯雨桐、陈雨桐、褚雨桐、蒋雨桐、沈雨桐
    通知 N，请在今天 12:00 前回执
    今天 18:00 前完成客户拜访表，周会逐一核对。
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    [收到] [特殊情况]
    —— 10:08 点了按钮 沈思远
    [收到] → 已回执，谢谢
    —— 10:08 点了按钮 赵雨桐
    群卡片 → 通知 N 今天 18:00 前完成客户拜访表，周…｜已回执：17/41｜[收到]
    —— 10:10 私信 孙雨桐、郑雨桐
    已记下您对通知 N 的回执，谢谢。
    —— 10:14 私信 冯雨桐
    请把情况发给我：特殊情况 N 原因
    —— 10:15 私信 李雨桐
    已记下您的说明，负责人处理后会告诉您。
    —— 10:15 私信 周人事
    李雨桐 对通知 N 说明特殊情况
    在飞机上，下午才能处理
    通知：今天 18:00 前完成客户拜访表，周会逐一核对。
    [同意] [不同意]
    —— 10:16 私信 周人事
    周雨桐 对通知 N 说明特殊情况
    忘了
    通知：今天 18:00 前完成客户拜访表，周会逐一核对。
    [同意] [不同意]
    —— 10:16 私信 周雨桐
    已记下您的说明，负责人处理后会告诉您。
    —— 10:20 私信 韩新来
    通知 N，请在今天 12:20 前回执
    今天 18:00 前完成客户拜访表，周会逐一核对。
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    [收到] [特殊情况]
    —— 10:30 私信 李雨桐
    已同意您对通知 N 的说明，这次不用回执。
    —— 10:30 点了按钮 周人事
    [同意] → 已记录：李雨桐 已同意
    —— 10:31 私信 周雨桐
    您对通知 N 的说明未获同意，请尽快回执；如有疑问，请联系负责人。
    —— 10:31 点了按钮 周人事
    [不同意] → 已记录：周雨桐 未同意
    —— 11:00 私信 褚一鸣、卫一鸣、蒋一鸣、沈一鸣、赵思远、吴思远、郑思远、王思远、冯思远、陈思远、卫思远、蒋思远、周雨桐、吴雨桐、冯雨桐、陈雨桐、褚雨桐、蒋雨桐
    还差您的回执：通知 N，今天 12:00 截止
    还剩 1 小时。今天 18:00 前完成客户拜访表，周会逐一核对。
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    [收到] [特殊情况]
    —— 11:20 私信 韩新来
    还差您的回执：通知 N，今天 12:20 截止
    还剩 1 小时。今天 18:00 前完成客户拜访表，周会逐一核对。
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    [收到] [特殊情况]
    —— 11:48 私信 沈一鸣、赵思远、吴思远、郑思远、王思远、冯思远、陈思远、卫思远、蒋思远、周雨桐、吴雨桐、冯雨桐、陈雨桐、褚雨桐、蒋雨桐
    还差您的回执：通知 N，今天 12:00 截止
    还剩 12 分钟。今天 18:00 前完成客户拜访表，周会逐一核对。
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    [收到] [特殊情况]
    —— 12:15 私信 韩新来
    还差您的回执：通知 N，今天 12:20 截止
    还剩 5 分钟。今天 18:00 前完成客户拜访表，周会逐一核对。
    （逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元）
    [收到] [特殊情况]
    —— 12:16 私信 蒋思远
    已记下您对通知 N 的回执，比截止时间晚 16 分钟。
    —— 12:16 点了按钮 蒋思远
    [收到] → 已回执，晚 16 分钟
    —— 12:17 私信 蒋思远
    已找到您更早的回执，通知 N 更正为按时回执。
    —— 12:17 私信 郑思远
    已记下您对通知 N 的回执，比截止时间晚 1 分钟。
    —— 12:20 私信 张经理
    通知 N 已在今天 12:00 截止：今天 18:00 前完成客户拜访表，周会逐一核对。
    您的团队还有 1 人未回执：沈一鸣
    —— 12:20 私信 王总
    通知 N 已在今天 12:00 截止：今天 18:00 前完成客户拜访表，周会逐一核对。
    您的团队还有 6 人未回执：王思远、冯思远、陈思远、卫思远、周雨桐、蒋雨桐
    —— 12:20 私信 林总监
    通知 N 已在今天 12:00 截止：今天 18:00 前完成客户拜访表，周会逐一核对。
    需回执 42 人，已回执 33 人（其中迟到 1 人），豁免 2 人，未回执 7 人。
    未回执：沈一鸣、王思远、冯思远、陈思远、卫思远、周雨桐、蒋雨桐
    —— 12:20 私信 沈一鸣、王思远、冯思远、陈思远、卫思远、周雨桐、蒋雨桐
    通知 N 已截止
    通知 N 已在今天 12:00 截止，还没有收到您的回执：今天 18:00 前完成客户拜访表，周会逐一核对。
    现在回执会记为迟到；有特殊情况请回复：特殊情况 N 原因
    [收到] [特殊情况]
    —— 13:00 私信 王思远
    已记下您对通知 N 的回执，比截止时间晚 1 小时。
    —— 14:05 私信 冯思远
    已记下您对通知 N 的回执，比截止时间晚 2 小时 5 分钟。
    —— 15:10 私信 蒋雨桐
    已记下您对通知 N 的回执，比截止时间晚 3 小时 10 分钟。
    "#);
}

/// A row for everybody of [`PEOPLE`] who is in a group: name, state, when, how; minutes late and yuan in the ledger; what they
/// explained and who decided.
async fn outcomes(day: &Company, notice: &str) -> String {
    let status: Status = serde_json::from_value(day.get(&format!("notices/{notice}")).await).unwrap();
    let ledger = day.get("ledger/2026-11").await;
    let lines: BTreeMap<&str, &Value> =
        ledger["lines"].as_array().unwrap().iter().map(|line| (line["member"].as_str().unwrap(), line)).collect();
    let mut out = String::new();
    for person in PEOPLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()) {
        let [id, name, ..] = person.as_slice() else { continue };
        if !id.starts_with('p') {
            continue;
        }
        let Some(member) = status.members.iter().find(|member| member.member.as_str() == *id) else {
            let _ = writeln!(out, "{name} 退群，不再计入");
            continue;
        };
        let mut cells = vec![(*name).to_owned(), member.state.zh().to_owned()];
        cells.extend(member.at.map(local));
        cells.extend(member.how.map(|how| how.zh().to_owned()));
        if let Some(line) = lines.get(id) {
            let yuan = line["amount_fen"].as_u64().unwrap() / 100;
            cells.push(format!("晚 {} 分钟，{yuan} 元", line["late_minutes"]));
        }
        cells.extend(member.excuse.as_ref().map(|excuse| {
            let by = excuse.by.as_deref().unwrap_or_default();
            format!("说明：{}（{} {by}）", excuse.reason, excuse.state.zh())
        }));
        let _ = writeln!(out, "{}", cells.join("  "));
    }
    out
}
