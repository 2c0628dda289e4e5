//! Times of a group (`times` in its settings): promotion and chat are welcome at some hours only, and long private chat is not
//! welcome at work. Whoever does not keep to it reads so in private, once a day; the third time on a day the owner hears of it.
//! Nobody is punished for it, and customers are left alone.

use serde::{Deserialize, Serialize};

use super::{Service, calendar_of, question::own_words};
use crate::{
    groups::Group,
    model::{Attachment, Message, MessageId, Mode, Role, SignedDuration, Timestamp, named_enum},
    notices::outgoing::{self, Tell},
    settings::Span,
    store::{Collection, Name, StoreError, transaction::transact},
};

/// What somebody said outside the times, of one day.
const TIMES: Collection<OfDay> = Collection::new(Name::ServiceTime);
/// The owner hears of it at this count.
const OWNER_HEARS: u32 = 3;
/// So many chatty messages within [`LONG_CHAT`] are a long chat.
const CHATTY: usize = 8;
const LONG_CHAT: SignedDuration = SignedDuration::from_mins(30);

named_enum! {
    /// Which time was not kept.
    pub enum Kept {
        /// Promotion outside its hours.
        Promotion = "promotion", "推广";
        /// Chat outside its hours.
        Chat = "chat", "聊天";
        /// Long chat at work.
        WorkChat = "work_chat", "上班闲聊";
    }
}

/// What somebody said outside the times on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfDay {
    day: String,
    promotion: u32,
    chat: u32,
    work_chat: u32,
    /// Chatty messages of the last half hour.
    #[serde(default)]
    chatty: Vec<Timestamp>,
    /// So that a message that comes again counts once.
    heard: Vec<MessageId>,
}

impl OfDay {
    fn count(&mut self, kept: Kept) -> &mut u32 {
        match kept {
            Kept::Promotion => &mut self.promotion,
            Kept::Chat => &mut self.chat,
            Kept::WorkChat => &mut self.work_chat,
        }
    }
}

const OFFERS: &[&str] = &[
    "特价",
    "优惠",
    "打折",
    "折起",
    "满减",
    "秒杀",
    "限时",
    "促销",
    "上新",
    "新品",
    "爆款",
    "包邮",
    "买一送一",
    "买一赠",
    "团购",
    "福利价",
    "活动价",
    "券后",
    "到手价",
    "清仓",
    "原价",
    "现价",
    "仅需",
    "只要",
    "元",
    "￥",
    "¥",
    "红包雨",
    "预售",
    "首发",
];
const CALLS: &[&str] = &[
    "下单",
    "抢购",
    "抢",
    "私信",
    "联系我",
    "扫码",
    "点击",
    "链接",
    "戳",
    "接龙",
    "报名",
    "要的",
    "扣1",
    "速来",
    "名额",
    "预定",
    "预订",
    "欢迎选购",
    "欢迎咨询",
    "立即购买",
    "找我拿",
    "数量有限",
    "先到先得",
    "手慢无",
];
const CHATTER: &[&str] = &[
    "吃什么",
    "点外卖",
    "奶茶",
    "火锅",
    "烧烤",
    "电影",
    "追剧",
    "综艺",
    "游戏",
    "王者",
    "开黑",
    "球赛",
    "彩票",
    "股票",
    "涨停",
    "八卦",
    "哈哈",
    "嘻嘻",
    "周末去哪",
    "旅游",
    "逛街",
    "美甲",
    "健身",
    "减肥",
    "困死",
    "好困",
    "摸鱼",
    "相亲",
    "明星",
    "演唱会",
    "麻将",
    "斗地主",
    "撸猫",
    "遛狗",
    "段子",
    "笑死",
];
const WORK: &[&str] = &[
    "客户", "订单", "发货", "报价", "合同", "会议", "报表", "项目", "单号", "库存", "门店", "业绩", "回款", "方案",
    "培训", "流程", "审批", "盘点", "排班", "产品",
];

/// Is it promotion, and by which two words? An offer and a call to take it, or an offer with a link or mini program.
pub fn promotes(text: &str, attachments: &[Attachment]) -> Option<(&'static str, &'static str)> {
    let words = own_words(text);
    let offer = OFFERS.iter().find(|offer| words.contains(**offer))?;
    let link = attachments.iter().any(|part| matches!(part, Attachment::Link { .. })).then_some("链接");
    let call = CALLS.iter().copied().find(|call| words.contains(call)).or(link)?;
    Some((offer, call))
}

/// Is it private chat, and by which word? Whatever also speaks of work is not.
pub fn chats(text: &str) -> Option<&'static str> {
    let words = own_words(text);
    let short = words.chars().count() <= 40 && !WORK.iter().any(|work| words.contains(work));
    CHATTER.iter().copied().find(|word| short && words.contains(word))
}

impl Service {
    /// Looks whether a message was said at its time, and reminds whoever said it if not.
    pub(super) async fn outside_times(&self, message: &Message) -> Result<(), StoreError> {
        if message.group.as_str().is_empty() || message.to_bot || message.revokes.is_some() {
            return Ok(());
        }
        let rules = self.rules.get_full();
        let group = self.groups.get(&message.group);
        let Some(times) = rules.settings.times_of(group.id()) else { return Ok(()) };
        let bound = group.role(&message.sender) == Role::Member && !group.is_external(&message.sender);
        let orders = &group.learned.orders;
        let free = |until: Option<&Timestamp>| until.is_some_and(|until| message.at < *until);
        if !bound || group.set.mode == Mode::Watch || free(orders.exempt.get(&message.sender)) {
            return Ok(());
        }
        let local = message.at.to_zoned(rules.calendar.zone().clone());
        let outside = |spans: &[Span]| !spans.is_empty() && !spans.iter().any(|span| span.contains(local.time()));
        let permitted = free(orders.ads_permitted.get(&message.sender));
        let chatty =
            times.work_only && calendar_of(&rules, &group).counts(message.at) && chats(&message.text).is_some();
        let kept = if outside(&times.promote) && !permitted && promotes(&message.text, &message.attachments).is_some() {
            Kept::Promotion
        } else if outside(&times.chat) {
            Kept::Chat
        } else if chatty {
            Kept::WorkChat
        } else {
            return Ok(());
        };
        let spans = match kept {
            Kept::Promotion => times.promote.clone(),
            _ => times.chat.clone(),
        };
        let now = self.clock.now();
        let quiet = rules.settings.owner_news.quiet_until(now, rules.calendar.zone());
        let key = format!("{}/{}", group.id(), message.sender);
        let day = local.date().to_string();
        transact!(self.store.as_ref(), |tx| {
            let known = tx.get(TIMES, &key).await?.filter(|of| of.day == day);
            let mut of = known.unwrap_or_else(|| OfDay { day: day.clone(), ..OfDay::default() });
            if !of.heard.contains(&message.id) {
                of.heard.push(message.id.clone());
                let surplus = of.heard.len().saturating_sub(50);
                of.heard.drain(..surplus);
                let counts = kept != Kept::WorkChat || of.is_long(message.at);
                if counts {
                    *of.count(kept) += 1;
                }
                let count = *of.count(kept);
                tx.put(TIMES, &key, &of).await?;
                let id = format!("time/{key}/{day}/{kept}");
                if counts && count == 1 {
                    let tell = Tell::text(vec![message.sender.clone()], reminder(&group, kept, &spans));
                    tx.add_tasks(outgoing::tell(&id, group.id(), now, &tell));
                }
                let owners = group.deciders();
                if counts && count == OWNER_HEARS && !owners.is_empty() {
                    let tell = Tell::text(owners, news(&group, message, kept));
                    let mut tasks = outgoing::tell(&format!("{id}/owner"), group.id(), now, &tell);
                    for task in &mut tasks {
                        task.due = quiet.unwrap_or(now);
                    }
                    tx.add_tasks(tasks);
                }
            }
        });
        Ok(())
    }
}

impl OfDay {
    /// One chatty message more; true when they are a long chat, which begins anew then.
    fn is_long(&mut self, at: Timestamp) -> bool {
        self.chatty.retain(|before| at.duration_since(*before).abs() <= LONG_CHAT);
        self.chatty.push(at);
        let long = self.chatty.len() >= CHATTY;
        if long {
            self.chatty.clear();
        }
        long
    }
}

fn reminder(group: &Group, kept: Kept, spans: &[Span]) -> String {
    let hours = spans.iter().map(Span::zh).collect::<Vec<_>>().join("、");
    let name = group.name();
    match kept {
        Kept::Promotion => format!("「{name}」只在 {hours} 推广。刚才那条不在这个时间，请到时再发。"),
        Kept::Chat => format!("「{name}」请在 {hours} 聊天，其余时间让大家休息。有急事请打电话。"),
        Kept::WorkChat => format!("「{name}」上班时间请少聊与工作无关的话题，下班再聊。"),
    }
}

fn news(group: &Group, message: &Message, kept: Kept) -> String {
    let who = group.member_name(&message.sender);
    let what = match kept {
        Kept::Promotion => "不在推广时间推广",
        Kept::Chat => "不在聊天时间聊天",
        Kept::WorkChat => "上班时间长时间闲聊",
    };
    format!("「{}」{who} 今天第 {OWNER_HEARS} 次{what}，已私下提醒过本人。", group.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_and_chat_are_told_from_work() {
        for text in ["新品到手价 99，要的私信", "限时秒杀，速来下单", "买一送一，名额有限，扣1"]
        {
            assert!(promotes(text, &[]).is_some(), "{text}");
        }
        for text in ["明天 10 点开会", "这单 298 元，客户已付", "请大家点击链接打卡", "优惠政策下周培训"]
        {
            assert!(promotes(text, &[]).is_none(), "{text}");
        }
        let link = Attachment::Link { url: "https://a.cn".into(), title: "新品".into(), origin: "link".into() };
        assert_eq!(promotes("上新啦", &[link]), Some(("上新", "链接")));
        assert!(chats("中午吃什么").is_some() && chats("哈哈哈哈笑死").is_some());
        assert!(chats("客户请吃火锅，合同签了").is_none() && chats("今天发货").is_none());
    }

    #[test]
    fn eight_messages_in_half_an_hour_are_a_long_chat() {
        let mut of = OfDay::default();
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let long: Vec<bool> = (0..10).map(|n| of.is_long(at(n * 4))).collect();
        assert_eq!(long.iter().filter(|long| **long).count(), 1);
        let mut slow = OfDay::default();
        assert!((0..20).all(|n| !slow.is_long(at(n * 5))));
    }
}
