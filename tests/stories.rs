//! Played stories: one for each policy that ships and one for members' reports. Who wrote what when, what the bot said word for
//! word, what the owner saw, and how it ended.

#[path = "common/house.rs"]
mod house;

use house::{AD, House, SALES};
use insta::assert_snapshot;
use qunguan::{
    model::{Clock, SignedDuration, Step},
    moderation::false_positives,
    store::CaseState,
};
use serde_json::json;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Honest words that read like an advert.
const MEANT_WELL: &str = "客户要资料，加我微信 lixiaoshou88 领优惠券";

/// What everybody in the group and some people in private have read since the last look.
struct Reader<'h> {
    house: &'h House,
    lines: usize,
    told: std::collections::BTreeMap<&'static str, usize>,
}

impl<'h> Reader<'h> {
    fn new(house: &'h House) -> Self {
        Self { house, lines: house.lines(SALES).len(), told: std::collections::BTreeMap::new() }
    }

    /// Everything new: the group's lines, then what each of `people` was told.
    fn news(&mut self, people: &[&'static str]) -> String {
        let mut news = vec![];
        let lines = self.house.lines_after(SALES, self.lines);
        self.lines += lines.len();
        if !lines.is_empty() {
            news.push(format!("【群】\n{}", lines.join("\n")));
        }
        for who in people {
            let seen = self.told.entry(who).or_default();
            for text in self.house.told(who).into_iter().skip(*seen) {
                *seen += 1;
                news.push(format!("【私信 {who}】\n{text}"));
            }
        }
        news.join("\n\n")
    }
}

#[tokio::test]
async fn default_an_appeal_is_upheld_and_the_sentence_passes() {
    let house = House::start().await;
    let mut reader = Reader::new(&house);
    house.say("li", SALES, MEANT_WELL).await;
    assert_snapshot!(reader.news(&["li", "zhang"]), @r#"
    【群】
    李销售：客户要资料，加我微信 lixiaoshou88 领优惠券
    群管助手：【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。

    【私信 li】
    群规提醒（第 1 次）
    华东销售群
    您今天 10:00 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    "#);
    assert_snapshot!(house.ask("li", "我的状态").await, @r#"
    您在「华东销售群」：可以正常发言，当前 2 分。
    · ####：广告引流，2 分，6月3日 10:00 失效
    如有异议，发送「申诉 编号 理由」。
    "#);

    house.later(HOUR).await;
    house.say("li", SALES, MEANT_WELL).await;
    assert!(!house.is_member(SALES, "li"), "the second time: out for two hours");
    assert_snapshot!(reader.news(&["li"]), @r#"
    【群】
    李销售：客户要资料，加我微信 lixiaoshou88 领优惠券
    —— 「李销售」被移出群聊

    【私信 li】
    您在「华东销售群」：可以正常发言，当前 2 分。
    · ####：广告引流，2 分，6月3日 10:00 失效
    如有异议，发送「申诉 编号 理由」。

    【私信 li】
    您已被禁言
    华东销售群
    您今天 11:00 的一条消息涉及「广告引流」，记 2 分（累计 4 分）。本群的禁言是暂时移出：今天 13:00 自动拉回。再次违规将被移出本群。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 2 次 / 共 3 次
    失效：6月3日 11:00
    编号：####
    [知道了] [申诉]
    "#);

    // Li objects to both, once by button and once in words.
    let cases = house.cases(SALES, "li").await;
    assert_snapshot!(house.press("li", "第 1 次 /", "申诉").await, @"已提交申诉");
    assert_snapshot!(house.last_told("li"), @"您对记录 #### 的申诉已收到。请在 10 分钟内回复「申诉 #### 理由」说明原因，我会一起转给管理者；不说明也会受理。");
    let why = format!("申诉 {} 客户在群里问我的", cases[1].id);
    assert_snapshot!(house.ask("li", &why).await, @"已补充到记录 #### 的申诉里，会一并转给处理的管理者。");
    let words = format!("申诉 {} 客户当面要的资料，不是广告", cases[0].id);
    assert_snapshot!(house.ask("li", &words).await, @"申诉已收到（记录 ####），会由另一位管理者在 24 小时内处理，结果私信您。");
    assert_snapshot!(reader.news(&["wang", "zhang"]), @r"
    【私信 wang】
    成员申诉，请处理
    华东销售群
    > 客户要资料，加我微信 lixiaoshou88 领优惠券
    申诉理由：客户在群里问我的
    成立就撤销记录；不成立请点原因，也可以发：申诉 #### 不成立 您的话
    成员：李销售
    处置：今天 10:00 警告
    记分：2 分（当时累计 2 分，第 1 次 / 共 3 次）
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：明天 11:00 前答复
    编号：####
    [成立，撤销] [不成立：确属违规] [不成立：群规写明] [不成立：提醒过] [不成立：理由无关]

    【私信 wang】
    成员申诉，请处理
    华东销售群
    > 客户要资料，加我微信 lixiaoshou88 领优惠券
    申诉理由：客户当面要的资料，不是广告
    成立就撤销记录，按其余记录重新计算去留；不成立请点原因，也可以发：申诉 #### 不成立 您的话
    成员：李销售
    处置：今天 11:00 禁言
    记分：2 分（当时累计 4 分，第 2 次 / 共 3 次）
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：明天 11:00 前答复
    编号：####
    [成立，撤销] [不成立：确属违规] [不成立：群规写明] [不成立：提醒过] [不成立：理由无关]
    ");
    assert_snapshot!(house.press("wang", cases[1].id.as_str(), "成立，撤销").await, @"####：申诉成立，已撤销。");
    assert_snapshot!(house.press("wang", cases[0].id.as_str(), "成立，撤销").await, @"####：申诉成立，已撤销。");
    assert!(house.is_member(SALES, "li"), "the mute ended at once");
    assert_snapshot!(reader.news(&["li"]), @r#"
    【群】
    群管助手：【群管更正】今天 10:00 提醒涉及「广告引流」的那条消息，经复核不算违规，特此更正。
    —— 「李销售」加入群聊

    【私信 li】
    您对记录 #### 的申诉已收到。请在 10 分钟内回复「申诉 #### 理由」说明原因，我会一起转给管理者；不说明也会受理。

    【私信 li】
    已补充到记录 #### 的申诉里，会一并转给处理的管理者。

    【私信 li】
    申诉已收到（记录 ####），会由另一位管理者在 24 小时内处理，结果私信您。

    【私信 li】
    您在「华东销售群」的记录 #### 已撤销（申诉成立），相应记分不再计算。给您添麻烦了。

    【私信 li】
    您在「华东销售群」的记录 #### 已撤销（申诉成立），相应记分不再计算。给您添麻烦了。
    "#);
    assert_snapshot!(house.ask("li", "我的状态").await, @"您在「华东销售群」：可以正常发言，没有记分。");

    let standing = house.member(SALES, "li").await.standing;
    assert_eq!(standing.live_points(house.clock.now()), 0);
    assert!(house.cases(SALES, "li").await.iter().all(|case| case.state == CaseState::Revoked));
    let judged = house.store().documents(false_positives::JUDGEMENTS.name(), "", None, 10).await.unwrap();
    assert!(
        judged.iter().all(|d| d.body["text"] == MEANT_WELL && d.body["violation"] == false && d.body["by"] == "wang")
    );
    assert_eq!(judged.len(), 2);

    // Whoever answered it lets the words pass in this group: the same sentence later, also in another dress and from somebody else.
    house.press("wang", "这句话以后放行吗", "本群以后放行").await;
    house.later(HOUR).await;
    house.say("li", SALES, MEANT_WELL).await;
    house.say("chen", SALES, "客户要资料，加我 微 信 lixiaoshou88 领优惠券").await;
    assert_eq!(house.cases(SALES, "li").await.len() + house.cases(SALES, "chen").await.len(), 2);
    assert_snapshot!(reader.news(&["li", "chen"]), @r#"
    【群】
    李销售：客户要资料，加我微信 lixiaoshou88 领优惠券
    陈敏：客户要资料，加我 微 信 lixiaoshou88 领优惠券

    【私信 li】
    您在「华东销售群」：可以正常发言，没有记分。
    "#);
}

#[tokio::test]
async fn three_strikes_counts_to_three_and_another_reviewer_takes_it_back() {
    let house = House::start_under("three-strikes", "group-sales", "").await;
    let mut reader = Reader::new(&house);
    house.say("sun", SALES, AD).await;
    house.later(24 * HOUR).await;
    house.say("sun", SALES, "你就是个傻逼，滚").await;
    house.later(3 * HOUR).await;
    assert!(house.is_member(SALES, "sun"), "the second time: out for two hours, and back");
    assert_snapshot!(reader.news(&["sun"]), @r#"
    【群】
    孙凯：加我V信领红包
    群管助手：【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    孙凯：你就是个傻逼，滚
    —— 「孙凯」被移出群聊
    —— 「孙凯」加入群聊

    【私信 sun】
    群规提醒（第 1 次）
    华东销售群
    您今天 10:00 的一条消息涉及「广告引流」。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]

    【私信 sun】
    您已被禁言
    华东销售群
    您今天 10:00 的一条消息涉及「辱骂」。本群的禁言是暂时移出：今天 12:00 自动拉回。再次违规将被移出本群。
    依据：《微信群管理制度销售》三(4)：不攻击辱骂
    次数：第 2 次 / 共 3 次
    失效：6月4日 10:00
    编号：####
    [知道了] [申诉]

    【私信 sun】
    您在「华东销售群」的禁言已结束，可以正常发言了。谢谢配合。
    "#);

    // An admin warns by hand: the third, so out. He may not judge the appeal himself.
    assert_snapshot!(house.ask("zhang", "警告 孙凯 又在群里打广告").await, @"已记录（####），对「孙凯」的警告正在执行。");
    house.say("sun", SALES, AD).await;
    assert!(!house.is_member(SALES, "sun"));
    assert!(house.cases(SALES, "sun").await.iter().any(|case| case.step == Step::Remove));
    assert_snapshot!(reader.news(&["sun", "zhang"]), @r"
    【群】
    孙凯：加我V信领红包
    —— 「孙凯」被移出群聊

    【私信 sun】
    群规提醒（第 3 次）
    华东销售群
    管理者今天 13:00 对您做出处理。再次违规将被移出本群。
    依据：又在群里打广告
    次数：第 3 次 / 共 4 次
    失效：6月4日 13:00
    编号：####
    [知道了] [申诉]

    【私信 sun】
    您已被移出群聊
    华东销售群
    您今天 13:00 的一条消息涉及「广告引流」，按群规移出。如有异议，请点「申诉」。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 4 次
    失效：6月4日 13:00
    编号：####
    [知道了] [申诉]

    【私信 zhang】
    已记录（####），对「孙凯」的警告正在执行。
    ");
    assert_snapshot!(house.press("sun", "您已被移出群聊", "申诉").await, @"已提交申诉");
    house.later(10 * MINUTE).await;
    assert_snapshot!(reader.news(&["wang", "zhang"]), @r"
    【私信 wang】
    成员申诉，请处理
    华东销售群
    > 加我V信领红包
    申诉理由：（没有写明）
    成立就撤销记录，按其余记录重新计算去留；不成立请点原因，也可以发：申诉 #### 不成立 您的话
    成员：孙凯
    处置：今天 13:00 移出
    记分：1 分（当时累计 4 分，第 4 次）
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：明天 13:10 前答复
    编号：####
    [成立，撤销] [不成立：确属违规] [不成立：群规写明] [不成立：提醒过] [不成立：理由无关]
    ");
    assert_snapshot!(house.press("wang", "成员申诉", "成立，撤销").await, @"####：申诉成立，已撤销。");
    assert!(house.is_member(SALES, "sun"), "brought back");
    assert_snapshot!(reader.news(&["sun"]), @r#"
    【群】
    —— 「孙凯」加入群聊

    【私信 sun】
    您对记录 #### 的申诉已收到。请在 10 分钟内回复「申诉 #### 理由」说明原因，我会一起转给管理者；不说明也会受理。

    【私信 sun】
    您在「华东销售群」的记录 #### 已撤销（申诉成立），相应记分不再计算。给您添麻烦了。
    "#);
}

#[tokio::test]
async fn strict_removes_at_once_and_bans_for_good() {
    let house = House::start_under("strict", "sales-group-strict", "").await;
    let mut reader = Reader::new(&house);
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"), "an advert: out as soon as found");
    house.say("sun", SALES, "澳门赌场网上开户，百家乐注册送彩金").await;
    assert!(!house.is_member(SALES, "sun"));
    assert_snapshot!(reader.news(&["li", "sun"]), @r"
    【群】
    李销售：加我V信领红包
    —— 「李销售」被移出群聊
    孙凯：澳门赌场网上开户，百家乐注册送彩金
    —— 「孙凯」被移出群聊

    【私信 li】
    您已被移出群聊
    华东销售群
    > 发广告或跨群推广，立即移出
    您今天 10:00 的一条消息涉及「广告引流」，记 6 分（累计 6 分），按群规移出。如有异议，请点「申诉」。
    依据：《销售微信群的规章制度》第三条3.2
    次数：第 1 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]

    【私信 sun】
    您已被移出群聊
    华东销售群
    > 不发色情、涉政、暴力、谩骂等违法违规内容
    您今天 10:00 的一条消息涉及「赌博」，记 6 分（累计 6 分），按群规移出。如有异议，请点「申诉」。
    依据：《销售微信群的规章制度》第三条3.1
    次数：第 1 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    ");

    // Both are let in again by a colleague: li may stay, sun may not.
    house.act(json!({"do": "invite", "as": "chen", "group": SALES, "people": ["li", "sun"]}));
    house.later(11 * MINUTE).await;
    assert!(house.is_member(SALES, "li"));
    assert!(!house.is_member(SALES, "sun"));
    assert_snapshot!(reader.news(&[]), @r#"
    【群】
    —— 「陈敏」邀请「李销售」、「孙凯」加入了群聊
    —— 「孙凯」被移出群聊
    "#);

    let case = house.cases(SALES, "li").await.remove(0);
    assert_snapshot!(house.ask("li", &format!("申诉 {} 我在演示给新人看", case.id)).await, @"申诉已收到（记录 ####），会由另一位管理者在 24 小时内处理，结果私信您。");
    assert_snapshot!(reader.news(&["wang"]), @r"
    【私信 wang】
    成员申诉，请处理
    华东销售群
    > 加我V信领红包
    群规：发广告或跨群推广，立即移出
    申诉理由：我在演示给新人看
    成立就撤销记录，按其余记录重新计算去留；不成立请点原因，也可以发：申诉 #### 不成立 您的话
    成员：李销售
    处置：今天 10:00 移出
    记分：6 分（当时累计 6 分，第 1 次）
    依据：《销售微信群的规章制度》第三条3.2
    请在：明天 10:11 前答复
    编号：####
    [成立，撤销] [不成立：确属违规] [不成立：群规写明] [不成立：提醒过] [不成立：理由无关]
    ");
    assert_snapshot!(house.press("wang", "成员申诉", "不成立：确属违规").await, @"####：申诉不成立，已告知本人。");
    assert_snapshot!(reader.news(&["li"]), @r#"
    【私信 li】
    申诉已收到（记录 ####），会由另一位管理者在 24 小时内处理，结果私信您。

    【私信 li】
    您对记录 #### 的申诉未成立：内容确属违规。如仍有疑问，请联系群主。
    "#);
    let answer = house.ask("wang", &format!("#华东销售群 解除警告 {}", house.cases(SALES, "sun").await[0].id)).await;
    assert_snapshot!(answer, @"记录 #### 已撤销。如果这句话本来没问题，请发送「误判 ####」。");
    assert!(house.is_member(SALES, "sun"), "the ban went with the case");
}

#[tokio::test]
async fn a_member_reports_and_hears_what_came_of_it() {
    let house = House::start_under("three-strikes", "group-sales", "").await;
    let mut reader = Reader::new(&house);
    let rude = "这个月的任务你们自己看着办，别来烦我";
    house.say("sun", SALES, AD).await;
    house.say("sun", SALES, rude).await;
    house.say("chen", SALES, "收到，下午把报表发出来").await;
    assert_snapshot!(house.ask("li", &format!("#华东销售群 举报 {rude}")).await, @"举报已收到（####），管理者会尽快查看，结果私信您。谢谢您维护群里的秩序。");
    assert_snapshot!(house.ask("li", &format!("#华东销售群 举报 {rude}")).await, @"这条消息您已举报过（####）：待处理。");
    assert_snapshot!(reader.news(&["wang"]), @r"
    【群】
    孙凯：加我V信领红包
    群管助手：【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    孙凯：这个月的任务你们自己看着办，别来烦我
    陈敏：收到，下午把报表发出来

    【私信 wang】
    成员举报，请查看
    华东销售群
    > 这个月的任务你们自己看着办，别来烦我
    发言人：孙凯
    时间：今天 10:00
    举报人：可信度 50%
    编号：####
    [属实] [不属实] [恶意举报]
    ");
    assert_snapshot!(house.press("wang", "成员举报", "属实").await, @"已记为「属实」（####）");
    assert!(!house.is_member(SALES, "sun"), "with the advert it is the second time: out for two hours");
    assert_snapshot!(reader.news(&["li", "sun"]), @r"
    【群】
    —— 「孙凯」被移出群聊

    【私信 li】
    举报已收到（####），管理者会尽快查看，结果私信您。谢谢您维护群里的秩序。

    【私信 li】
    这条消息您已举报过（####）：待处理。

    【私信 li】
    您的举报 #### 经查属实，已按群规处理。谢谢您。

    【私信 sun】
    群规提醒（第 1 次）
    华东销售群
    您今天 10:00 的一条消息涉及「广告引流」。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]

    【私信 sun】
    您已被禁言
    华东销售群
    管理者今天 10:00 复核确认，您的一条消息违反群规。本群的禁言是暂时移出：今天 12:00 自动拉回。再次违规将被移出本群。
    依据：成员举报，经查属实
    次数：第 2 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    ");

    // Quoting an advert to the bot is not posting one.
    assert_snapshot!(house.ask("li", &format!("#华东销售群 举报 {AD}")).await, @"这条消息已经按群规处理了。谢谢您维护群里的秩序。");
    assert!(house.cases("", "li").await.is_empty());

    // The same member reports harmless words out of spite; the second time it is called what it is.
    house.ask("li", "#华东销售群 举报 收到，下午把报表发出来").await;
    house.press("wang", "下午把报表", "不属实").await;
    house.say("chen", SALES, "明天上午十点开会").await;
    house.ask("li", "#华东销售群 举报 明天上午十点开会").await;
    house.press("wang", "上午十点开会", "恶意举报").await;
    assert_snapshot!(reader.news(&["li", "chen", "wang"]), @r"
    【群】
    陈敏：明天上午十点开会

    【私信 li】
    这条消息已经按群规处理了。谢谢您维护群里的秩序。

    【私信 li】
    举报已收到（####），管理者会尽快查看，结果私信您。谢谢您维护群里的秩序。

    【私信 li】
    您的举报 #### 已查看，未发现违规。谢谢您的关注。

    【私信 li】
    举报已收到（####），管理者会尽快查看，结果私信您。谢谢您维护群里的秩序。

    【私信 li】
    群规提醒（第 1 次）
    华东销售群
    管理者今天 10:00 对您做出处理。再次违规将被禁言 2 小时。
    依据：恶意举报
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]

    【私信 li】
    您的举报 #### 被认定为恶意举报，已按群规记录。

    【私信 wang】
    成员举报，请查看
    华东销售群
    > 收到，下午把报表发出来
    发言人：陈敏
    时间：今天 10:00
    举报人：可信度 67%
    编号：####
    （已记为「不属实」）

    【私信 wang】
    成员举报，请查看
    华东销售群
    > 明天上午十点开会
    发言人：陈敏
    时间：今天 10:00
    举报人：可信度 50%
    编号：####
    （已记为「恶意举报」（####））
    ");
    assert_eq!(house.member(SALES, "li").await.standing.strikes.len(), 1, "R10-5.3");
    assert!(house.member(SALES, "chen").await.standing.strikes.is_empty());
}

/// An admin's own words, with sentences that must be found or must pass.
const OWN_WORDS: &str = "[规则=own 分=2]\n拼单返现\n必中：这款可以拼单返现\n必放：今天发货吗\n";

/// Where the admin's own rule stands, as the API shows it.
async fn own_rule(house: &House) -> String {
    let all = house.get("/api/v1/rules").await;
    let rule = all["rules"].as_array().unwrap().iter().find(|rule| rule["own"] == true).unwrap().clone();
    let text = |name: &str| rule[name].as_str().unwrap_or("—").to_owned();
    format!("{} · {} · {} · {}", text("rule"), text("stage"), text("says"), text("missing"))
}

/// Says a hit and has a person judge it.
async fn judged(house: &House, n: usize, violation: bool) {
    house.later(HOUR).await;
    house.say("sun", SALES, &format!("第 {n} 批拼单返现开始啦")).await;
    let case = house.cases(SALES, "sun").await.remove(0);
    let (status, answer) =
        house.post(&format!("/api/v1/cases/{}/verdict", case.id), json!({ "violation": violation })).await;
    assert_eq!(status, 200, "{answer}");
    house.settled().await;
}

#[tokio::test]
async fn a_rule_of_the_admins_own_earns_its_place_and_loses_it() {
    let mut house = House::empty(house::morning(), "").await;
    house.write_settings();
    house.start_bot().await;
    assert_eq!(house.rewrite(&[("wordlists/ads/own.txt", OWN_WORDS)]).await, [""; 0]);

    // At first it only records: nobody is told anything.
    house.say("sun", SALES, "这款可以拼单返现，数量有限").await;
    let case = house.cases(SALES, "sun").await.remove(0);
    assert_eq!((case.step, case.points, case.state), (Step::None, 0, CaseState::Closed));
    assert_eq!(case.history[0].what, "observed");
    assert!(house.told("sun").is_empty() && house.told("wang").is_empty());
    assert_snapshot!(own_rule(&house).await, @"ads/own.txt#拼单返现 · observe · 还没有人工结论 · 还需人工看 10 条命中");

    // People look at what it recorded; from ten right ones on it asks a person each time.
    for n in 0..10 {
        judged(&house, n, true).await;
    }
    assert_snapshot!(own_rule(&house).await, @"ads/own.txt#拼单返现 · pilot · 还没有人工结论 · 还需人工看 30 条命中");
    house.say("sun", SALES, "最后一天，拼单返现要抓紧").await;
    assert!(house.told("sun").is_empty(), "the member hears nothing before a person agreed");
    assert_snapshot!(house.press("wang", "请看一条消息", "确认违规").await, @"已确认违规，警告（####）");
    house.settled().await;
    assert_snapshot!(house.last_told("sun"), @r"
    群规提醒（第 1 次）
    华东销售群
    管理者今天 20:00 复核确认，您的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 20:00
    编号：####
    [知道了] [申诉]
    ");

    // Thirty right ones: it acts by itself.
    for n in 10..39 {
        judged(&house, n, true).await;
    }
    assert_snapshot!(own_rule(&house).await, @"ads/own.txt#拼单返现 · enforce · 还没有人工结论 · —");
    house.later(HOUR).await;
    house.say("li", SALES, "拼单返现最后三席").await;
    let case = house.cases(SALES, "li").await.remove(0);
    assert_eq!((case.step, case.points), (Step::Warn, 2));

    // When people keep taking its cases back, it has to ask again.
    for n in 39..49 {
        judged(&house, n, false).await;
    }
    assert_snapshot!(own_rule(&house).await, @"ads/own.txt#拼单返现 · pilot · 还没有人工结论 · 还需人工看 30 条命中");

    // Its sentences are tried whenever the lists are read: a change that breaks one is refused, the old lists stay.
    let broken = OWN_WORDS.replace("今天发货吗", "拼单返现吗");
    let refused = house.rewrite(&[("wordlists/ads/own.txt", broken.as_str())]).await;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].ends_with("wordlists/ads/own.txt:4: 必放句被命中：拼单返现吗"), "{refused:?}");

    // An edited rule begins anew.
    let edited = OWN_WORDS.replace("拼单返现\n必中", "拼单返现 | 级别=轻\n必中");
    assert_eq!(house.rewrite(&[("wordlists/ads/own.txt", edited.as_str())]).await, [""; 0]);
    assert_snapshot!(own_rule(&house).await, @"ads/own.txt#拼单返现 · observe · 还没有人工结论 · 还需人工看 10 条命中");
}
