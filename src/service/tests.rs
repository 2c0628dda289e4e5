use super::*;
use crate::model::{Channel, MessageId};

fn thread(asker: &str, words: &str, waits: Option<i64>, to: &[&str]) -> Thread {
    let second = |second| Timestamp::from_second(second).unwrap();
    let id = MessageId::from("m");
    let said = Said { id: &id, at: second(waits.unwrap_or_default()), text: words };
    let to = to.iter().map(|id| MemberId::from(*id)).collect();
    let mut thread = Thread::begin(&"g".into(), &asker.into(), asker, to, &said, &question::judge(words));
    thread.waits = waits.map(second);
    thread
}

#[test]
fn a_reply_goes_to_whom_it_is_meant_for() {
    let threads = [
        thread("zhou", "什么时候发货", Some(100), &[]),
        thread("wu", "可以开发票吗", Some(200), &[]),
        thread("liu", "怎么退货", None, &[]),
        thread("chen", "报表好了吗", Some(300), &["sun"]),
    ];
    let meant = |by: &str, text: &str, named: &[&str], quote: Option<&str>| {
        let mut message = Message::text(Channel::Archive, "x", "g", by, Timestamp::UNIX_EPOCH, text);
        message.attachments = quote.map(Attachment::quote).into_iter().collect();
        let named: Vec<MemberId> = named.iter().map(|id| MemberId::from(*id)).collect();
        chosen(&threads, &message, &named).map(|chosen| (chosen.asker.to_string(), chosen.to_colleague))
    };
    let some = |asker: &str, to_colleague| Some((asker.to_owned(), to_colleague));
    assert_eq!(meant("li", "可以的", &[], None), some("wu", false), "the newest that waits for li");
    assert_eq!(meant("li", "@周 明天", &["zhou"], None), some("zhou", false));
    assert_eq!(meant("li", "明天", &[], Some("周岚:\n什么时候发货")), some("zhou", false));
    assert_eq!(meant("li", "@孙 你看下", &["sun"], None), some("wu", true));
    assert_eq!(meant("sun", "好了", &[], None), some("chen", false), "whoever is asked by name");
    assert_eq!(meant("chen", "什么时候好", &[], None), some("wu", false), "nobody answers themselves");
}
