//! The demo's guide: the same steps on its first page and beside the chat, each word for word what to do.

use crate::simulator::{Seen, Step, Tour};

const SALES: &str = "wrHuadongSales";
const CUSTOMERS: &str = "wrVipCustomers";
const AD: &str = "加我V信领红包";

fn told(person: &str, words: &[&str]) -> Seen {
    Seen::Told { person: person.into(), words: words.iter().map(|word| (*word).to_owned()).collect() }
}

fn seen(group: &str, by: &str, words: &[&str], lines: usize) -> Seen {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Seen::Group { group: group.into(), by: by.into(), words, lines }
}

/// The guide; `back` is the demo's first page.
pub fn tour(back: &str) -> Tour {
    let step = |text: &str, who: &str, chat: &str, say: &str, done: Seen| Step {
        text: text.into(),
        who: who.into(),
        chat: chat.into(),
        say: say.into(),
        done,
    };
    let steps = vec![
        step("以李销售的身份在「华东销售群」发送：", "li", SALES, AD, told("li", &["群规提醒"])),
        step(
            "他在「群管助手」里收到提醒：哪条群规、第几次、何时失效、怎样申诉。点「知道了」。",
            "li",
            "~app",
            "",
            told("li", &["群规提醒", "\"frozen\""]),
        ),
        step(
            "再发一次：企业微信没有禁言接口，所以群管把他移出 2 小时。（没看到提醒之前接着发的，只算同一件事。）",
            "li",
            SALES,
            AD,
            seen(SALES, "", &["李销售", "移出群聊"], 1),
        ),
        step("点左上角的时钟，拨快 2 小时：他被拉回来。", "li", SALES, "", seen(SALES, "", &["李销售", "加入"], 1)),
        step("换个写法再发，第三次移出：", "li", SALES, "加我薇❤信领红包", seen(SALES, "", &["李销售", "移出群聊"], 2)),
        step(
            "客户群不能由程序移出人。以大刘的身份在「会员福利群」发一条赌博广告，群主王店长会收到待办卡：",
            "wmLiuBig",
            CUSTOMERS,
            "澳门皇冠注册送彩金，首存翻倍",
            told("wang", &["请移出成员", "大刘"]),
        ),
        step(
            "变成王店长，在「会员福利群」的成员栏里把大刘移出：群管看到事件才算完成。",
            "wang",
            CUSTOMERS,
            "",
            seen(CUSTOMERS, "", &["大刘", "移出群聊"], 1),
        ),
        step("以孙凯的身份给「群管助手」发私信：", "sun", "~app", "我的状态", told("sun", &["可以正常发言"])),
        step(
            "发一个要回执的通知：以王店长的身份给「群管助手」发私信：",
            "wang",
            "~app",
            "#华东销售群 发通知 2h 明天九点盘点",
            told("wang", &["明天九点盘点", "发出"]),
        ),
        step("看过预览，照它的编号回复「发出 编号」。", "wang", "~app", "", seen(SALES, "", &["明天九点盘点"], 1)),
        step("换成孙凯，在「华东销售群」里回：", "sun", SALES, "收到", seen(SALES, "sun", &["收到"], 1)),
    ];
    let modes = [(SALES, "全自动"), (CUSTOMERS, "协助"), ("wrStoreStaff", "协助"), ("wrNewProducts", "观察")];
    let modes = modes.into_iter().map(|(group, mode)| (group.to_owned(), mode.to_owned())).collect();
    Tour { back: back.to_owned(), modes, steps }
}
