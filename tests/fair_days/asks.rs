//! What people may ask: lists without numbers, one person's standing, and what words pass.

use insta::assert_snapshot;
use qunguan::model::SignedDuration;
use serde_json::json;

use crate::house::{House, SALES, without_ids};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const STAFF: &str = crate::house::STAFF;
/// Honest words that read like an advert.
const MEANT_WELL: &str = "客户要资料，加我微信 lixiaoshou88 领优惠券";

#[tokio::test]
async fn words_pass_only_where_and_how_long_somebody_says() {
    let house = House::start().await;
    house.say("li", SALES, MEANT_WELL).await;
    let id = house.cases(SALES, "li").await[0].id.clone();
    let check = async |group: Option<&str>| {
        let (_, answer) = house.post("/api/v1/check", json!({ "text": MEANT_WELL, "group": group })).await;
        answer["verdict"].as_str().unwrap().to_owned()
    };
    assert_snapshot!(house.ask("wang", &format!("误判 {id}")).await, @"记录 #### 已记为误判并撤销。只算这一条；以后同样的话要在本群放行，请发：放行 ####。整类说法都没问题的话，请管理员在词表 ads/contact.txt 里写一行「【加】 >1 我 >1 【微信】 >3 【账号】 | 允许=说法」。");
    // One message was harmless; the words are judged as before.
    assert_eq!(check(Some(SALES)).await, "act");
    house.later(HOUR).await;
    house.say("sun", SALES, MEANT_WELL).await;
    assert_eq!(house.cases(SALES, "sun").await.len(), 1);

    // So much later that it is no campaign of three.
    house.later(7 * HOUR).await;
    assert_snapshot!(house.ask("wang", &format!("放行 {id}")).await, @"#### 的那句话本群放行至 8月2日，一字不差才算。要收回请发：取消放行 ####");
    assert_snapshot!(house.ask("li", &format!("#华东销售群 试一试 {MEANT_WELL}")).await, @"这句话没有问题：已按误判 #### 放行。");
    assert_eq!(
        (check(Some(SALES)).await, check(Some(STAFF)).await, check(None).await),
        ("clean".into(), "act".into(), "act".into())
    );
    house.say("chen", SALES, MEANT_WELL).await;
    house.say("li", STAFF, MEANT_WELL).await;
    assert_eq!((house.cases(SALES, "chen").await.len(), house.cases(STAFF, "li").await.len()), (0, 1));
    // Zhang leads the group, and the company is not his.
    assert_snapshot!(house.ask("zhang", &format!("放行 {id} 全公司")).await, @"全公司放行要由设置里的应急联系人决定，您可以在本群放行");
    assert_snapshot!(house.ask("zhang", "#华东销售群 放行列表").await, @r"
    「华东销售群」放行的句子：
    · ####「客户要资料，加我微信 lixiaoshou88 领优惠券」：本群，至8月2日 18:00，王店长放行
    收回请发：取消放行 编号
    ");
    assert_snapshot!(house.ask("wang", &format!("放行 {id} 全公司")).await, @"#### 的那句话全公司放行至 8月2日，一字不差才算。要收回请发：取消放行 ####");
    assert_eq!((check(Some(STAFF)).await, check(None).await), ("clean".into(), "clean".into()));
    let listed = house.get("/api/v1/allowed").await;
    assert_eq!(listed["allowed"][0]["text"], MEANT_WELL);

    assert_snapshot!(house.ask("wang", &format!("取消放行 {id}")).await, @"#### 的那句话不再放行，照常判断。");
    assert_eq!(check(Some(SALES)).await, "act");
    // By the button: asked besides, and in time it ends by itself.
    house.later(24 * HOUR).await;
    house.say("zhao", SALES, MEANT_WELL).await;
    let case = house.cases(SALES, "zhao").await[0].id.clone();
    let (status, answer) =
        house.post(&format!("/api/v1/cases/{case}/verdict"), json!({ "violation": false, "allow": "group" })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(check(Some(SALES)).await, "clean");
    house.sim.advance(SignedDuration::from_hours(24 * 91));
    assert_eq!(check(Some(SALES)).await, "act", "90 days are over");
}

#[tokio::test]
async fn the_button_asks_whether_the_words_pass() {
    let house = House::start().await;
    house.say("li", SALES, MEANT_WELL).await;
    let id = house.cases(SALES, "li").await[0].id.clone();
    house.ask("li", &format!("申诉 {id} 客户要的")).await;
    house.press("wang", "成员申诉", "成立，撤销").await;
    assert_snapshot!(house.last_told("wang"), @r"
    这句话以后放行吗？
    华东销售群
    > 客户要资料，加我微信 lixiaoshou88 领优惠券
    这条已记为误判。以后一字不差的同样的话还要不要提醒？放行 90 天后失效，可随时发送：取消放行 ####
    当时判为：广告引流
    编号：####
    [仅这条] [本群以后放行] [全公司放行]
    ");
    assert_snapshot!(house.press("wang", "这句话以后放行吗", "本群以后放行").await, @"本群放行至 8月2日");
    house.later(HOUR).await;
    house.say("sun", SALES, MEANT_WELL).await;
    assert!(house.cases(SALES, "sun").await.is_empty());
}

#[tokio::test]
async fn owners_ask_without_numbers() {
    let house = House::start().await;
    house.say("li", SALES, MEANT_WELL).await;
    house.later(HOUR).await;
    house.say("sun", SALES, "你就是个傻逼，滚").await;
    house.later(24 * HOUR).await;
    assert_snapshot!(house.ask("wang", "#华东销售群 记录").await, @r"
    「华东销售群」最近的违规记录，共 2 条：
    · 昨天 11:00 孙凯：辱骂，禁言（####）
    · 昨天 10:00 李销售：广告引流，警告（####）
    详情：为什么 编号；撤销：解除警告 编号；误判：误判 编号
    ");
    assert_snapshot!(house.ask("wang", "今天").await, @"没有今天的违规记录。");
    assert_snapshot!(house.ask("wang", "昨天违规").await, @r"
    昨天的违规记录，共 2 条：
    · 昨天 11:00 华东销售群 孙凯：辱骂，禁言（####）
    · 昨天 10:00 华东销售群 李销售：广告引流，警告（####）
    详情：为什么 编号；撤销：解除警告 编号；误判：误判 编号
    ");
    assert_snapshot!(house.ask("wang", "待办").await, @"没有等人处理的事。");
    assert_snapshot!(house.ask("wang", "状态 李销售").await, @r"
    李销售在「华东销售群」：可以正常发言，当前 2 分。
    · ####：广告引流，2 分，6月3日 10:00 失效
    李销售在「门店内部群」：可以正常发言，没有记分。
    ");
    assert_snapshot!(house.ask("sun", "状态 李销售").await, @"只有群主和管理员可以看别人的状态；看自己的请发：我的状态");
    assert_snapshot!(house.ask("li", "为什么").await, @r"
    您的记录：
    · 昨天 10:00 广告引流，警告（####）
    详情请发：为什么 编号
    ");
    let id = house.cases(SALES, "sun").await[0].id.clone();
    assert_snapshot!(house.ask("wang", &format!("为什么 {id}")).await, @r"
    记录 ####（昨天 11:00）：辱骂，重，处置：禁言。记 4 分，当时累计 4 分。6月3日 11:00 失效。
    原话：你就是个傻逼，滚
    命中：「你」（辱骂）
    命中：「傻逼」（辱骂）
    命中：「滚」（辱骂）
    · 昨天 11:00 辱骂（重）：计 4 分，有效共 4 分
    · 昨天 11:00 已移出群聊
    · 今天 11:00 禁言结束，已拉回群聊
    ");
    assert_snapshot!(house.ask("wang", "通知").await, @"还没有发过通知。起草一条请发：发通知 2h 正文");
    assert_snapshot!(house.ask("wang", "帮助 通知").await, @r"
    关于「通知」：
    · 发通知 2h 正文（私信我；发给您管理的所有群：发通知 全部 2h 正文）：起草要求回执的通知
    · 改草稿 #### 重复 每周（私信我）：改通知草稿的截止、定时、重复、用语、名单、新人、提醒
    · 发出 ####（私信我）：把自己的通知草稿发出去
    · 取消通知 ####（私信我）：取消自己的通知；已发出的会告诉群里
    · 通知（或：通知进度 ####，私信我）：最近的通知，或一条通知还差谁的回执
    ");
    assert_snapshot!(house.ask("wang", "添加敏感词").await, @"敏感词不在聊天里改，以免被人冒用。请管理员在词表文件里加一行：config/wordlists/类别/own.txt，保存后几秒生效；新词先观察，只记录不处置。想先看看效果，发送：试一试 一句话。某句话被误判了，发送：误判 编号。");
    assert_snapshot!(house.ask("li", "记录").await, @"这条指令只有群主和管理员可以使用。");
}

#[tokio::test]
async fn commands_do_not_trip() {
    let house = House::start().await;
    let draft = house.ask("wang", "#华东销售群 发通知 明天 18:00 请各位明天盘点").await;
    assert_snapshot!(without_ids(&draft), @r"
    草稿 ####，还没有发出。
    发到：华东销售群（6 人）
    截止：明天 18:00

    —— 群里会看到 ——
    【通知 ####】请在明天 18:00 前回执
    请各位明天盘点

    需回执 5 人。回复“收到”或点私信里的按钮都可以；有特殊情况请私信我：特殊情况 #### 原因
    ————
    没有问题请点下面卡片的“发出”，或回复：发出 ####
    ");
    // The group is remembered, and the answer says which.
    assert_snapshot!(house.ask("wang", "严管 2h").await, @"（华东销售群）「华东销售群」从严处理至 今天 12:00：平时算一般的违规，这段时间按严重的处理，记分更多、处置更快。提前结束请发：严管 结束");
    assert_snapshot!(house.ask("wang", "移出 孙凯 反复广告").await, @"（华东销售群）将把「孙凯」移出「华东销售群」。真的移出请发：移出 孙凯 反复广告 确认；不回复就保留。");
    assert!(house.is_member(SALES, "sun"));
    assert_snapshot!(house.ask("wang", "禁言 李销售 刷屏").await, @"（华东销售群）已记录（####），对「李销售」的禁言 2 小时（本群是暂时移出，到时自动拉回）正在执行。");
    house.settled().await;
    assert!(!house.is_member(SALES, "li"));
    assert_snapshot!(house.ask("wang", "移出 孙凯 反复广告 确认").await, @"（华东销售群）已记录（####），对「孙凯」的移出正在执行。");
    house.settled().await;
    assert!(!house.is_member(SALES, "sun"));
}
