//! Kinds of messages that a group does not want, as the archive brings each of them.

use qunguan::model::{Role, Step};
use serde_json::json;

use crate::house::{House, SALES};

const NONE_WANTED: &str = "[detect.kinds]\ncard = \"review\"\nmini_program = \"review\"\nlink = \"review\"\nfile = \"review\"\n\
                           video = \"review\"\npicture = \"review\"\nlong = \"review\"\nlong_chars = 40\nat_all = \"review\"\n";

#[tokio::test]
async fn each_kind_of_message_makes_a_person_look() {
    let long = "今天例会改到下午三点在二楼会议室请大家提前十分钟到场并带好本周的陈列照片和库存表谢谢配合";
    for (msgtype, body, seen) in [
        ("card", json!({"corpname": "某公司", "userid": "wmXiaoWang"}), "名片"),
        ("weapp", json!({"title": "积分商城", "description": "", "username": "gh_1", "displayname": "积分"}), "小程序"),
        ("link", json!({"title": "天气", "description": "", "link_url": "https://tianqi-chaxun.com/today"}), "链接"),
        ("text", json!({"content": "看 https://tianqi-chaxun.com/today"}), "链接"),
        ("file", json!({"filename": "报价.pdf", "filesize": 10, "sdkfileid": "nowhere"}), "文件"),
        ("video", json!({"play_length": 8, "sdkfileid": "nowhere"}), "视频"),
        ("sphfeed", json!({"feed_type": 4, "sph_name": "门店日常", "feed_desc": "今日陈列"}), "视频"),
        ("image", json!({"sdkfileid": "nowhere"}), "图片"),
        ("text", json!({"content": long}), "长消息"),
        ("text", json!({"content": "@所有人 下午三点开会"}), "@所有人"),
    ] {
        let house = House::start_with(NONE_WANTED).await;
        let post = |who: &str| json!({"do": "post", "as": who, "group": SALES, "msgtype": msgtype, "body": body});
        house.act(post("zhang"));
        house.act(post("li"));
        house.settled().await;
        let cases = house.cases(SALES, "li").await;
        assert_eq!((cases.len(), cases.first().map(|case| case.step)), (1, Some(Step::Review)), "{msgtype} {seen}");
        let found = cases[0].findings.iter().any(|finding| finding.original.starts_with(seen));
        assert!(found, "{msgtype} {seen}: {:?}", cases[0].findings);
        assert!(house.cases(SALES, "zhang").await.is_empty(), "{msgtype}: {} may", Role::Admin.zh());
        let asked = house.told("wang").into_iter().chain(house.told("zhang")).collect::<String>();
        assert!(!asked.is_empty(), "{msgtype} {seen}: a person is asked");
    }
}
