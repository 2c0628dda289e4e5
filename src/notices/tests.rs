//! The lives of notices and activities that the played day (`tests/notices_day.rs`) does not show.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{
    activity::{Plan, Presence},
    answer::Pressed,
    fine::Fine,
    ledger::CloseState,
    notice::{Confirm, Joiners, Repeat, State},
    outgoing::Tell,
    roster::{How, MemberState, Settled},
    *,
};
use crate::{
    access::{Face, Token},
    calendar::{Absence, Calendar, Holidays},
    groups::Group,
    model::{Channel, GroupId, MemberId, Message, ShiftedClock, SignedDuration},
    store::{Commit, Document, Task, TaskQuery, TaskState, TaskUpdate, memory::MemoryStore},
    tasks::{self, Announce},
};

/// a, b, c in `one`; c, d in `two`.
struct Few;

impl Directory for Few {
    fn group(&self, id: &GroupId) -> Option<Vec<Person>> {
        let members: &[&str] = match id.as_str() {
            "one" => &["a", "b", "c"],
            "two" => &["c", "d"],
            _ => return None,
        };
        Some(members.iter().map(|m| self.person(&MemberId::from(*m))).collect())
    }
    fn group_record(&self, id: &GroupId) -> Arc<Group> {
        Arc::new(Group::unknown(id))
    }
    fn group_name(&self, id: &GroupId) -> String {
        id.to_string()
    }
    fn department(&self, _: &str) -> Option<Vec<Person>> {
        None
    }
    fn person(&self, id: &MemberId) -> Person {
        Person { id: id.clone(), name: id.to_string(), department: String::new(), superior: None }
    }
}

struct House {
    notices: Notices,
    store: Arc<MemoryStore>,
    clock: Arc<ShiftedClock>,
}

/// A program that belongs to this person.
fn by(name: &str) -> Actor {
    let token = Token { name: name.into(), scopes: None, groups: None, person: Some(name.into()) };
    Actor::token(Arc::new(token), Face::Http)
}

/// A person who presses a button.
fn member(id: &str) -> Actor {
    Actor::member(&id.into(), &[], Face::Card)
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00+08:00").parse().unwrap()
}

fn house(now: &str) -> House {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(ShiftedClock::fixed(at(now)));
    House { notices: notices(&store, &clock), store, clock }
}

fn notices(store: &Arc<MemoryStore>, clock: &Arc<ShiftedClock>) -> Notices {
    let calendar = Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), None, Holidays::built_in());
    Notices::new(store.clone(), clock.clone(), Arc::new(Few), Arc::new(calendar))
}

impl House {
    /// The program is down until then.
    fn down_until(&mut self, time: &str) {
        self.clock.advance(at(time).duration_since(self.clock.now()));
        self.notices = notices(&self.store, &self.clock);
    }
    /// Somebody says something; what a private message would be answered.
    async fn hear(&self, n: &str, group: &str, who: &str, time: &str, text: &str) -> Option<String> {
        self.notices.listen(&message(n, group, who, time, text)).await.unwrap().map(|heard| heard.reply)
    }
    /// Moves the clock and runs what falls due, each at its own time.
    async fn until(&self, time: &str) {
        let store = self.notices.store();
        loop {
            let now = self.clock.now();
            for task in store.claim(now, 100, SignedDuration::from_secs(60)).await.unwrap() {
                let ran = if due::KINDS.iter().any(|kind| kind.id() == task.kind) {
                    // As if killed between what the task wrote and its own end: it runs again, and nothing happens twice.
                    run_task(&self.notices, &task).await.unwrap();
                    run_task(&self.notices, &task).await.unwrap()
                } else {
                    self.delivered(&task, now).await;
                    Ran::Done(String::new())
                };
                let (state, due, payload) = match ran {
                    Ran::Done(_) => (TaskState::Done, now, None),
                    Ran::Later { due, payload, .. } => (TaskState::Pending, due, Some(payload)),
                };
                let fence = Some(task.fence);
                let update =
                    TaskUpdate { id: task.id, fence, state, due, reason: String::new(), payload, failed: false };
                store.commit(Commit { task_updates: vec![update], ..Commit::default() }).await.unwrap();
            }
            match store.next_due().await.unwrap() {
                Some(due) if due <= at(time) => self.clock.advance(due.duration_since(now).max(SignedDuration::ZERO)),
                _ => break,
            }
        }
        self.clock.advance(at(time).duration_since(self.clock.now()));
    }
    /// WeCom takes everything at once.
    async fn delivered(&self, task: &Task, now: Timestamp) {
        if let Some(tell) = tasks::payload::<Tell>(task)
            && let Some(part) = &tell.part
        {
            self.notices.reached(part, &tell.to, &[], now).await.unwrap();
        }
        if let Some(said) = tasks::payload::<Announce>(task) {
            self.notices.reached_group(&said.notice, &task.group, now).await.unwrap();
        }
    }
    async fn told(&self, part: &str) -> Vec<String> {
        let tasks = self.notices.store().tasks(&TaskQuery { limit: 1000, ..TaskQuery::default() }).await.unwrap();
        let said =
            tasks.iter().filter(|t| t.id.as_str().contains(part) && due::KINDS.iter().all(|kind| kind.id() != t.kind));
        let mut told = Vec::new();
        for task in said {
            match task.payload["notice"].as_str() {
                Some(notice) => told.extend(self.notices.ready_for_group(notice, self.clock.now()).await.unwrap()),
                None => told.extend(task.payload["text"].as_str().map(str::to_owned)),
            }
        }
        told
    }
    async fn state(&self, id: &str, member: &str) -> Option<MemberState> {
        let notice = self.notices.get(id).await.unwrap();
        let entry = self.notices.entry(&notice, &member.into()).await.unwrap();
        entry.map(|e| e.state(&notice, self.clock.now()))
    }
}

fn draft() -> Draft {
    let all = Draft::new("填表", &["one", "two"], "2h".parse().unwrap());
    Draft { author_acknowledges: true, ..all }
}
fn message(id: &str, group: &str, who: &str, time: &str, text: &str) -> Message {
    Message::text(Channel::Archive, id, group, who, at(time), text)
}

#[tokio::test]
async fn the_number_of_a_notice_says_which_one_is_meant_and_another_number_says_nothing() {
    let house = house("2026-11-23T10:00");
    let first = house.notices.publish(&by("api"), &draft(), None).await.unwrap();
    house.until("2026-11-23T10:01").await;
    let second = house.notices.publish(&by("api"), &Draft { text: "盘点".into(), ..draft() }, None).await.unwrap();
    let say = |n: &str, who: &str, text: &str| message(n, "one", who, "2026-11-23T10:05", text);
    let named = house.notices.listen(&say("m1", "a", &format!("收到 {}", first.id))).await.unwrap().unwrap();
    assert_eq!(named.notice, first.id, "the older one, as it says");
    assert_eq!(house.state(&second.id, "a").await, Some(MemberState::Waiting));
    for money in ["收到 5000", "收到 13800001111"] {
        assert_eq!(house.notices.listen(&say(money, "b", money)).await.unwrap(), None, "{money}");
    }
    let bare = house.notices.listen(&say("m2", "b", "收到")).await.unwrap().unwrap();
    assert_eq!(bare.notice, second.id, "the newest one");
}

#[tokio::test]
async fn a_group_named_twice_reads_one_message() {
    let house = house("2026-11-23T10:00");
    let twice = Draft::new("填表", &["one", "two", "one"], "2h".parse().unwrap());
    let preview = house.notices.preview(&by("api"), &twice).await.unwrap();
    assert_eq!((preview.people, preview.groups.len()), (4, 2));
    let notice = house.notices.publish(&by("a"), &twice, None).await.unwrap();
    assert_eq!(notice.state, State::Sent);
    assert_eq!(house.told("/announce/").await.len(), 2);
    let plan: Plan = serde_json::from_value(serde_json::json!({
        "title": "培训", "groups": ["one", "one"], "organiser": "a",
        "starts": at("2026-11-23T14:00"), "ends": at("2026-11-23T15:00"),
    }))
    .unwrap();
    let activity = house.notices.announce_activity(&by("a"), plan).await.unwrap();
    assert_eq!((activity.guests.len(), activity.plan.groups.len()), (3, 1));
    let plan = Plan { groups: Vec::new(), ..activity.plan };
    assert!(house.notices.announce_activity(&by("a"), plan).await.is_err(), "nobody would hear of it");
}

#[tokio::test]
async fn a_deadline_that_can_not_be_met_leaves_no_draft_behind() {
    let house = house("2026-11-23T10:00");
    let past = Draft { deadline: "2026-11-23 09:00".parse().unwrap(), ..draft() };
    let before_sending =
        Draft { deadline: "2026-11-23 13:00".parse().unwrap(), send_at: Some(at("2026-11-23T14:00")), ..draft() };
    for (wrong, why) in [(past, "截止时间已经过了"), (before_sending, "截止时间要在发送时间之后")] {
        assert_eq!(house.notices.publish(&by("api"), &wrong, None).await.unwrap_err().to_string(), why);
    }
    assert!(house.notices.list(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_second_person_reviews() {
    let house = house("2026-11-23T10:00");
    let notice = house.notices.publish(&by("a"), &Draft { review: true, ..draft() }, None).await.unwrap();
    assert_eq!(notice.state, State::Draft);
    assert!(house.notices.release(&by("a"), &notice.id).await.is_err());
    assert!(house.notices.review(&by("a"), &notice.id).await.is_err(), "not one's own");
    house.notices.review(&by("b"), &notice.id).await.unwrap();
    assert_eq!(house.notices.release(&by("a"), &notice.id).await.unwrap().0.state, State::Sent);
    assert_eq!(house.notices.release(&by("a"), &notice.id).await.unwrap().0.state, State::Sent, "twice is once");
    assert_eq!(house.told("/announce/").await.len(), 2);
}

#[tokio::test]
async fn a_planned_notice_waits_and_a_cancelled_one_is_silent() {
    let house = house("2026-11-23T10:00");
    let later = Draft { send_at: Some(at("2026-11-23T14:00")), ..draft() };
    let first = house.notices.publish(&by("api"), &later.clone(), None).await.unwrap();
    let second = house.notices.publish(&by("api"), &Draft { text: "作废".into(), ..later }, None).await.unwrap();
    assert_eq!(first.state, State::Scheduled);
    house.notices.cancel(&by("api"), &second.id).await.unwrap();
    house.until("2026-11-23T15:00").await;
    assert_eq!(house.notices.get(&first.id).await.unwrap().sent, Some(at("2026-11-23T14:00")));
    assert_eq!(house.notices.get(&second.id).await.unwrap().sent, None);
    house.notices.cancel(&by("api"), &first.id).await.unwrap();
    house.until("2026-11-23T20:00").await;
    assert_eq!(house.told("/cancelled/").await.len(), 2, "the groups are told");
    assert!(house.told("/deadline/").await.is_empty());
}

#[tokio::test]
async fn working_days_repeat_over_a_weekend_and_once_after_a_long_sleep() {
    let house = house("2026-11-26T09:00"); // Thursday
    let series = Draft { repeat: Some(Repeat::Workday), ..draft() };
    let id = house.notices.publish(&by("api"), &series, None).await.unwrap().id;
    house.until("2026-11-30T23:00").await;
    let sent = house.notices.list(None, 100).await.unwrap();
    let ids: Vec<String> =
        sent.iter().filter_map(|n| n.id.strip_prefix(&format!("{id}-")).map(str::to_owned)).collect();
    assert_eq!(ids, ["261126", "261127", "261130"]);
    house.clock.advance(SignedDuration::from_hours(24 * 3));
    house.until("2026-12-04T08:00").await;
    let sent = house.notices.list(None, 100).await.unwrap();
    assert_eq!(sent.len(), 1 + 4, "slept through three days: sent once, not three times");
}

#[tokio::test]
async fn a_daily_notice_runs_over_the_years_and_one_that_was_sent_under_a_number_without_a_year_is_not_sent_again() {
    let house = house("2026-11-26T09:00");
    let series = Draft { repeat: Some(Repeat::Day), ..draft() };
    let id = house.notices.create(&by("api"), &series, None).await.unwrap().id;
    // As an earlier version left them: today's, and last year's of tomorrow.
    for (short, created) in [("1126", "2026-11-26T08:59"), ("1127", "2025-11-27T09:00")] {
        let old = Notice { id: format!("{id}-{short}"), created: at(created), ..house.notices.get(&id).await.unwrap() };
        let body = serde_json::to_value(&old).unwrap();
        let documents = vec![Document { collection: NOTICES.name().into(), id: old.id, version: 0, body }];
        house.notices.store().commit(Commit { documents, ..Commit::default() }).await.unwrap();
    }
    house.notices.release(&by("api"), &id).await.unwrap();
    house.until("2026-11-27T12:00").await;
    assert!(house.notices.get(&format!("{id}-261126")).await.is_err(), "sent before the new version came");
    let sent = house.notices.get(&format!("{id}-261127")).await.unwrap();
    assert_eq!(sent.sent, Some(at("2026-11-27T09:00")));
    assert_eq!(
        house.notices.get(&format!("{}-1126", id.to_lowercase())).await.unwrap().created,
        at("2026-11-26T08:59")
    );
    house.until("2027-11-27T12:00").await;
    assert_eq!(house.notices.get(&format!("{id}-271127")).await.unwrap().sent, Some(at("2027-11-27T09:00")));
}

#[tokio::test]
async fn who_gets_another_userid_keeps_what_they_answered_owe_and_are_excused_from() {
    let house = house("2026-11-23T10:00");
    let standing = exemption::Standing {
        reason: "产假".into(),
        from: at("2026-11-24T00:00"),
        to: at("2026-12-01T00:00"),
        by: "hr".into(),
    };
    let span = Absence { from: standing.from, to: standing.to, reason: standing.reason.clone() };
    house.notices.exempt(&by("hr"), &"b".into(), span).await.unwrap();
    let id = house.notices.publish(&by("api"), &draft(), None).await.unwrap().id;
    house.hear("m1", "one", "a", "2026-11-23T10:05", "收到").await;
    for (old, new) in [("a", "ann"), ("a", "ann"), ("b", "bob")] {
        house.notices.renamed(&old.into(), &new.into()).await.unwrap();
    }
    assert_eq!((house.state(&id, "a").await, house.state(&id, "b").await), (None, None));
    assert_eq!(house.state(&id, "ann").await, Some(MemberState::Acknowledged));
    assert_eq!(house.state(&id, "bob").await, Some(MemberState::Waiting));
    house.hear("m2", "one", "bob", "2026-11-23T10:06", "收到").await;
    assert_eq!(house.state(&id, "bob").await, Some(MemberState::Acknowledged));
    let all = house.notices.standing_exemptions().await.unwrap();
    assert_eq!((all[&MemberId::from("b")].len(), &all[&MemberId::from("bob")][..]), (0, &[standing][..]));
    let count = house.notices.count(&house.notices.get(&id).await.unwrap()).await.unwrap();
    assert_eq!((count.required, count.acknowledged), (4, 2));
}

#[tokio::test]
async fn one_word_answers_the_newest_and_a_redelivery_nothing() {
    let house = house("2026-11-23T10:00");
    let old = house.notices.publish(&by("api"), &draft(), None).await.unwrap().id;
    house.until("2026-11-23T10:10").await;
    let new = house.notices.publish(&by("api"), &Draft { text: "开会".into(), ..draft() }, None).await.unwrap().id;
    let said = message("1", "one", "a", "2026-11-23T10:11", "收到");
    assert_eq!(house.notices.listen(&said).await.unwrap().unwrap().notice, new);
    assert!(house.notices.listen(&said).await.unwrap().is_none());
    assert_eq!(house.state(&old, "a").await, Some(MemberState::Waiting));
    let again = message("2", "one", "a", "2026-11-23T10:12", "收到");
    assert_eq!(house.notices.listen(&again).await.unwrap().unwrap().notice, old);
    // Said before the newer one was sent: about the older.
    let early = message("3", "one", "b", "2026-11-23T10:05", "收到");
    assert_eq!(house.notices.listen(&early).await.unwrap().unwrap().notice, old);
    assert!(house.notices.listen(&message("4", "elsewhere", "c", "2026-11-23T10:12", "收到")).await.unwrap().is_none());
}

#[tokio::test]
async fn at_the_deadline_itself_those_missing_are_told() {
    let house = house("2026-11-23T10:00");
    let ordered = Draft { escalate_to: vec!["boss".into()], ..draft() };
    let id = house.notices.publish(&by("api"), &ordered, None).await.unwrap().id;
    let notice = house.notices.get(&id).await.unwrap();
    house.until("2026-11-23T12:00").await;
    house.notices.acknowledge(&notice, &"a".into(), at("2026-11-23T12:00"), How::Word, None).await.unwrap();
    house.until("2026-11-23T12:01").await;
    assert_eq!(house.told("/deadline/").await.len(), 1);
    assert_eq!(house.notices.get(&id).await.unwrap().state, State::Closed);
    assert!(house.told("/list/").await.is_empty(), "what was said in time may still be under way");
    house.until("2026-11-23T12:06").await;
    insta::assert_snapshot!(house.told("/list/").await[0].replace(&id, "N"), @r"
    通知 N 已在今天 12:00 截止：填表
    需回执 4 人，已回执 1 人（其中迟到 0 人），豁免 0 人，未回执 3 人。
    未回执：b、c、d
    ");
}

#[tokio::test]
async fn joiners_get_the_same_time_where_the_notice_says_so() {
    let house = house("2026-11-23T10:00");
    let id = house.notices.publish(&by("api"), &Draft { joiners: Joiners::Include, ..draft() }, None).await.unwrap().id;
    house.until("2026-11-23T11:00").await;
    house.notices.joined(&"one".into(), &"z".into(), at("2026-11-23T11:00")).await.unwrap();
    house.notices.joined(&"one".into(), &"z".into(), at("2026-11-23T11:00")).await.unwrap();
    house.until("2026-11-23T12:30").await;
    assert_eq!(house.state(&id, "a").await, Some(MemberState::Missing));
    assert_eq!(house.state(&id, "z").await, Some(MemberState::Waiting));
    house.until("2026-11-23T13:01").await;
    assert_eq!(house.state(&id, "z").await, Some(MemberState::Missing));
}

#[tokio::test]
async fn leave_stops_the_clock_where_the_notice_says_so() {
    let house = house("2026-11-23T10:00");
    let leave = Absence { from: at("2026-11-23T10:30"), to: at("2026-11-23T15:00"), reason: "体检".into() };
    house.notices.absent(&by("hr"), &"b".into(), leave).await.unwrap();
    let with = house.notices.publish(&by("api"), &Draft { stop_for_leave: true, ..draft() }, None).await.unwrap().id;
    let without = house.notices.publish(&by("api"), &Draft { text: "不停".into(), ..draft() }, None).await.unwrap().id;
    house.until("2026-11-23T16:00").await;
    assert_eq!(house.state(&with, "a").await, Some(MemberState::Missing));
    assert_eq!(house.state(&with, "b").await, Some(MemberState::Waiting));
    assert_eq!(house.state(&without, "b").await, Some(MemberState::Missing));
    house.until("2026-11-23T16:31").await;
    assert_eq!(house.state(&with, "b").await, Some(MemberState::Missing));
    assert_eq!(house.notices.get(&with).await.unwrap().state, State::Closed);
}

#[tokio::test]
async fn a_question_needs_the_right_answer() {
    let house = house("2026-11-23T10:00");
    let confirm = Confirm { question: "几点？".into(), answers: vec!["9 点".into(), "10 点".into()], right: 1 };
    let id = house.notices.publish(&by("api"), &Draft { confirm: Some(confirm), ..draft() }, None).await.unwrap().id;
    assert!(house.notices.listen(&message("1", "one", "a", "2026-11-23T10:01", "收到")).await.unwrap().is_none());
    let press = async |n: usize| {
        let key = format!("notice:{id}:answer:{n}");
        match house.notices.press(&key, &member("a"), at("2026-11-23T10:02")).await.unwrap().unwrap() {
            Pressed::Settled(text) | Pressed::Told(text) => text,
            Pressed::Counted(counter) => counter.text,
        }
    };
    assert!(press(0).await.contains("答案不对"));
    assert_eq!(house.state(&id, "a").await, Some(MemberState::Waiting));
    assert_eq!(press(1).await, "已回执，谢谢");
}

#[tokio::test]
async fn what_the_buttons_turn_into_fits_on_them() {
    let house = house("2026-11-23T10:00");
    let id = house.notices.publish(&by("api"), &draft(), None).await.unwrap().id;
    house.until("2026-11-24T10:00").await;
    let late = house.notices.press(&format!("notice:{id}:ack"), &member("a"), at("2026-11-24T09:31")).await.unwrap();
    assert_eq!(late, Some(Pressed::Settled("已回执，晚 21 小时 31 分钟".into())));
}

#[tokio::test]
async fn only_who_is_named_decides_about_an_explanation_and_the_first_decision_stands() {
    let house = house("2026-11-23T10:00");
    let ordered = Draft { approvers: vec!["hr".into(), "boss".into()], ..draft() };
    let id = house.notices.publish(&by("api"), &ordered, None).await.unwrap().id;
    house.notices.listen(&message("1", "", "a", "2026-11-23T10:01", &format!("特殊情况 {id} 在飞机上"))).await.unwrap();
    let decide = async |by: &str, how: &str| {
        let key = format!("notice:{id}:exempt:a:{how}");
        house.notices.press(&key, &member(by), at("2026-11-23T10:02")).await
    };
    for stranger in ["a", "b"] {
        assert_eq!(decide(stranger, "yes").await.unwrap_err().to_string(), "这份说明不由您处理");
    }
    assert_eq!(decide("hr", "yes").await.unwrap(), Some(Pressed::Settled("已记录：a 已同意".into())));
    assert_eq!(decide("boss", "no").await.unwrap(), Some(Pressed::Settled("hr 已处理：已同意".into())));
    assert_eq!(house.state(&id, "a").await, Some(MemberState::Exempt));
}

#[tokio::test]
async fn a_later_deadline_of_somebody_who_answered_makes_no_second_list() {
    let house = house("2026-11-23T10:00");
    let ordered = Draft { joiners: Joiners::Include, escalate_to: vec!["boss".into()], ..draft() };
    let id = house.notices.publish(&by("api"), &ordered, None).await.unwrap().id;
    house.until("2026-11-23T10:30").await;
    for who in ["y", "z"] {
        house.notices.joined(&"one".into(), &who.into(), at("2026-11-23T10:30")).await.unwrap();
    }
    house.until("2026-11-23T12:06").await;
    let lists = house.told("/list/").await;
    assert_eq!(lists.len(), 1);
    assert!(
        lists[0].contains(
            "需回执 6 人，已回执 0 人（其中迟到 0 人），豁免 0 人，未回执 4 人。另有 2 人的截止时间还没到。\n"
        )
    );
    for (n, who) in ["y", "z"].into_iter().enumerate() {
        house.notices.listen(&message(&n.to_string(), "one", who, "2026-11-23T12:07", "收到")).await.unwrap();
    }
    house.until("2026-11-23T13:00").await;
    assert_eq!(house.told("/list/").await.len(), 1, "{id}");
}

#[tokio::test]
async fn money_needs_the_warning_read_and_a_month_two_people() {
    let house = house("2026-11-23T10:00");
    let fine = Fine::sales_staff_2016();
    let refused =
        house.notices.publish(&by("api"), &Draft { fine: Some(fine.clone()), ..draft() }, None).await.unwrap_err();
    assert!(refused.to_string().contains("可能违法"));
    let fine = Fine { understood: true, ..fine };
    let id = house.notices.publish(&by("api"), &Draft { fine: Some(fine), ..draft() }, None).await.unwrap().id;
    let notice = house.notices.get(&id).await.unwrap();
    house.until("2026-11-23T16:00").await;
    house.notices.acknowledge(&notice, &"a".into(), at("2026-11-23T15:00"), How::Word, None).await.unwrap();
    house.notices.settle(&by("boss"), &id, &"b".into(), Some(Settled::Waived), "出差").await.unwrap();
    assert!(
        house.notices.settle(&by("c"), &id, &"c".into(), Some(Settled::Waived), "").await.is_err(),
        "not one's own"
    );
    assert!(house.notices.close_month(&by("boss"), "2026-11").await.is_err(), "not over");
    house.until("2026-12-01T09:00").await;
    let lines = house.notices.ledger(&by("api"), "2026-11").await.unwrap();
    let short: Vec<_> = lines.iter().map(|l| (l.member.as_str(), l.amount_fen, l.settled)).collect();
    assert_eq!(short, [("a", 1000, None), ("b", 5000, Some(Settled::Waived)), ("c", 5000, None), ("d", 5000, None)]);
    let close = house.notices.close_month(&by("boss"), "2026-11").await.unwrap();
    assert_eq!((close.lines, close.total_fen), (4, 11_000));
    assert!(house.notices.sign_month(&by("boss"), "2026-11", true).await.is_err(), "a second person");
    assert!(house.notices.settle(&by("boss"), &id, &"a".into(), Some(Settled::Paid), "").await.is_err(), "closed");
    assert_eq!(house.notices.sign_month(&by("cfo"), "2026-11", false).await.unwrap(), None);
    house.notices.settle(&by("boss"), &id, &"a".into(), Some(Settled::Paid), "").await.unwrap();
    house.notices.close_month(&by("boss"), "2026-11").await.unwrap();
    let signed = house.notices.sign_month(&by("cfo"), "2026-11", true).await.unwrap().unwrap();
    assert_eq!(signed.state, CloseState::Signed);
    assert_eq!(house.notices.ledger(&by("api"), "2026-11").await.unwrap()[0].settled, Some(Settled::Paid));
}

#[tokio::test]
async fn an_activity_from_announcement_to_summary() {
    let house = house("2026-11-23T10:00");
    let plan: Plan = serde_json::from_value(serde_json::json!({
        "title": "新品培训", "groups": ["one", "two"], "organiser": "o",
        "starts": "2026-11-23T14:00:00+08:00", "ends": "2026-11-23T16:00:00+08:00",
    }))
    .unwrap();
    let id = house.notices.announce_activity(&by("api"), plan).await.unwrap().id;
    insta::assert_snapshot!(house.told("/announce/0").await[0].replace(&id, "N"), @r"
    【活动 N】新品培训
    时间：今天 14:00 到 16:00
    今天 13:30 起可以签到：在群里回复“签到”。不能参加请私信我：请假 N 原因
    ");
    let hear =
        async |n: &str, group: &str, who: &str, time: &str, text: &str| house.hear(n, group, who, time, text).await;
    assert_eq!(hear("0", "one", "a", "2026-11-23T12:00", "签到").await, None, "before the window");
    hear("1", "", "b", "2026-11-23T12:00", &format!("请假 {id} 见客户")).await.unwrap();
    house.until("2026-11-23T14:05").await;
    assert_eq!(hear("2", "one", "a", "2026-11-23T13:40", "签到").await.unwrap(), "活动《新品培训》签到：准时");
    assert_eq!(hear("3", "two", "c", "2026-11-23T14:05", "已签到").await.unwrap(), "活动《新品培训》签到：迟到");
    assert_eq!(hear("4", "two", "d", "2026-11-23T14:05", "签到了吗？").await, None);
    house.until("2026-11-23T17:00").await;
    insta::assert_snapshot!(house.told("/report").await[0].replace(&id, "N"), @r"
    活动 N《新品培训》签到结果：应到 4 人，准时 1 人，迟到 1 人，请假 1 人，缺席 1 人。
    迟到：c
    请假：b（见客户）
    缺席：d
    ");
    assert_eq!(house.told("/summary/tell").await.len(), 1);
    let stranger = message("5", "", "a", "2026-11-23T17:00", &format!("总结 {id} 不错"));
    assert_eq!(house.notices.listen(&stranger).await.unwrap_err().to_string(), "总结由组织者填写");
    assert_eq!(hear("5", "", "o", "2026-11-23T17:00", "总结 效果不错").await.unwrap(), "总结已记下，并发到群里。");
    let told = house.told("/summary/announce/").await;
    assert_eq!(told.len(), 2, "each group once");
    insta::assert_snapshot!(told[0].replace(&id, "N"), @r"
    【活动 N】《新品培训》总结：
    效果不错
    ");
    let again = hear("6", "", "o", "2026-11-23T17:00", &format!("总结 {id} 效果很好")).await.unwrap();
    assert_eq!(again, "总结已更新，群里不再重发。");
    house.until("2026-11-26T17:00").await;
    assert_eq!(house.told("/summary/tell").await.len(), 1, "not asked again");
    let activity = house.notices.activity(&id).await.unwrap();
    assert_eq!(activity.presence(&activity.guests[&MemberId::from("d")], house.clock.now()), Presence::Absent);
}

#[tokio::test]
async fn an_early_press_keeps_its_button_and_what_was_said_while_the_bot_was_down_counts() {
    let mut house = house("2026-11-23T10:00");
    let plan: Plan = serde_json::from_value(serde_json::json!({
        "title": "新品培训", "groups": ["one", "two"], "organiser": "o", "remind_minutes": 60,
        "starts": "2026-11-23T14:00:00+08:00", "ends": "2026-11-23T15:00:00+08:00",
    }))
    .unwrap();
    let id = house.notices.announce_activity(&by("api"), plan).await.unwrap().id;
    let press = async |time: &str| house.notices.press(&format!("activity:{id}:sign"), &member("a"), at(time)).await;
    let early = press("2026-11-23T13:10").await.unwrap();
    assert_eq!(early, Some(Pressed::Told("签到还没有开始，今天 13:30 起可以签到。".into())));
    assert_eq!(press("2026-11-23T13:50").await.unwrap(), Some(Pressed::Settled("已签到：准时".into())));
    assert_eq!(
        house.hear("1", "", "d", "2026-11-23T13:55", "请假，接客户").await.unwrap(),
        "已记下您对活动《新品培训》的请假。"
    );
    assert_eq!(house.hear("2", "", "b", "2026-11-23T13:58", "签到").await.unwrap(), "活动《新品培训》签到：准时");
    // The bot sleeps across the end of the sign-in; the archive tells it afterwards what was said.
    house.down_until("2026-11-23T15:20");
    house.until("2026-11-23T15:21").await;
    assert!(house.told("/report").await.is_empty(), "first what waited is let in");
    assert_eq!(house.hear("3", "two", "c", "2026-11-23T14:20", "签到").await.unwrap(), "活动《新品培训》签到：迟到");
    house.until("2026-11-23T15:30").await;
    insta::assert_snapshot!(house.told("/report").await[0].replace(&id, "N"), @r"
    活动 N《新品培训》签到结果：应到 4 人，准时 2 人，迟到 1 人，请假 1 人，缺席 0 人。
    迟到：c
    请假：d（接客户）
    ");
}

#[tokio::test]
async fn an_explanation_is_asked_for_where_it_changes_something_and_told_to_who_can_decide() {
    let house = house("2026-11-23T10:00");
    let ordered = Draft { approvers: vec!["a".into(), "hr".into()], ..draft() };
    let id = house.notices.publish(&by("api"), &ordered, None).await.unwrap().id;
    let say = async |n: &str, who: &str, text: String| match house
        .notices
        .listen(&message(n, "", who, "2026-11-23T10:05", &text))
        .await
    {
        Ok(heard) => heard.unwrap().reply,
        Err(error) => error.to_string(),
    };
    assert_eq!(say("1", "a", format!("特殊情况 {id} 出差")).await, "已记下您的说明，负责人处理后会告诉您。");
    let tasks = house.notices.store().tasks(&TaskQuery { limit: 1000, ..TaskQuery::default() }).await.unwrap();
    let asked: Vec<_> = tasks.iter().filter(|task| task.id.as_str().contains("/explained/a/")).collect();
    assert_eq!(asked[0].payload["to"], serde_json::json!(["hr"]), "nobody decides about themselves");
    let own = house.notices.press(&format!("notice:{id}:exempt:a:yes"), &member("a"), at("2026-11-23T10:06")).await;
    assert_eq!(own.unwrap_err().to_string(), "这份说明不由您处理");
    // Refused, it may be given again; what is pending is not asked about twice.
    assert_eq!(say("2", "a", format!("特殊情况 {id} 出差")).await, "您的说明已经记下，正在等负责人处理。");
    house.notices.press(&format!("notice:{id}:exempt:a:no"), &member("hr"), at("2026-11-23T10:07")).await.unwrap();
    assert_eq!(say("3", "a", format!("特殊情况 {id} 出差")).await, "已记下您的说明，负责人处理后会告诉您。");
    for n in 3..6 {
        say("n", "a", format!("特殊情况 {id} 第 {n} 次")).await;
    }
    assert_eq!(say("9", "a", format!("特殊情况 {id} 又一次")).await, "您已经说明过几次了，请直接联系负责人。");
    // Who has answered in time has nothing to explain.
    say("10", "b", format!("收到 {id}")).await;
    assert_eq!(say("11", "b", format!("特殊情况 {id} 出差")).await, format!("您已按时回执通知 {id}，不用再说明。"));
    let nobody = house.notices.publish(&by("api"), &Draft { text: "盘点".into(), ..draft() }, None).await.unwrap().id;
    assert_eq!(
        say("12", "c", format!("特殊情况 {nobody} 出差")).await,
        "已记下您的说明。",
        "nobody is there to decide"
    );
    let notice = house.notices.get(&id).await.unwrap();
    let history = house.notices.entry(&notice, &"a".into()).await.unwrap().unwrap().history;
    let what: Vec<&str> = history.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what[..3], ["说明特殊情况：出差", "特殊情况未同意", "说明特殊情况：出差"]);
}

#[tokio::test]
async fn a_joiner_on_leave_is_let_off_and_one_who_is_away_for_hours_gets_them_back() {
    let house = house("2026-11-23T10:00");
    let month = Absence { from: at("2026-11-01T00:00"), to: at("2026-12-01T00:00"), reason: "产假".into() };
    house.notices.exempt(&by("hr"), &"y".into(), month).await.unwrap();
    let away = Absence { from: at("2026-11-23T11:00"), to: at("2026-11-23T15:00"), reason: "体检".into() };
    house.notices.absent(&by("hr"), &"z".into(), away).await.unwrap();
    let ordered = Draft { joiners: Joiners::Include, stop_for_leave: true, ..draft() };
    let id = house.notices.publish(&by("api"), &ordered, None).await.unwrap().id;
    house.until("2026-11-23T10:30").await;
    for who in ["y", "z"] {
        house.notices.joined(&"one".into(), &who.into(), at("2026-11-23T10:30")).await.unwrap();
    }
    assert_eq!(house.state(&id, "y").await, Some(MemberState::Exempt));
    assert_eq!(house.told("/tell/joined/").await.len(), 1);
    house.until("2026-11-23T16:29").await;
    assert_eq!(house.state(&id, "z").await, Some(MemberState::Waiting));
    house.until("2026-11-23T16:30").await;
    assert_eq!(house.state(&id, "z").await, Some(MemberState::Missing));
}

#[tokio::test]
async fn who_says_received_in_private_where_that_is_no_answer_is_told_what_is() {
    let house = house("2026-11-23T10:00");
    let said = "2026-11-23T10:05";
    assert_eq!(house.hear("1", "", "a", said, "收到").await, None, "nothing waits");
    let own = Draft { accept: vec!["确认参加".into(), "不参加".into()], ..draft() };
    let own = house.notices.publish(&by("api"), &own, None).await.unwrap().id;
    assert_eq!(
        house.hear("2", "", "a", said, "收到").await.unwrap(),
        format!("通知 {own} 还差您的回执：请回复“确认参加”或“不参加”，或点私信里的按钮。")
    );
    assert_eq!(house.hear("3", "one", "a", said, "收到").await, None, "in the group nothing is said");
    let confirm = Confirm { question: "几点？".into(), answers: vec!["9 点".into(), "10 点".into()], right: 1 };
    house.until("2026-11-23T10:01").await;
    let asks = Draft { text: "盘点".into(), confirm: Some(confirm), ..draft() };
    let asks = house.notices.publish(&by("api"), &asks, None).await.unwrap().id;
    let told = format!("通知 {asks} 要先回答问题：请点私信卡片里的答案，答对才算回执。");
    for text in ["收到".to_owned(), format!("收到 {asks}"), "嗯嗯".into()] {
        assert_eq!(house.hear("4", "", "a", said, &text).await.as_ref(), Some(&told), "{text}");
    }
    assert_eq!(house.hear("5", "", "a", said, "今天几点下班").await, None);
    assert_eq!(house.state(&asks, "a").await, Some(MemberState::Waiting));
    let announced = house.told("/announce/").await;
    assert!(announced.iter().any(|text| text.contains("请在私信里回答：几点？有特殊情况请私信我")), "{announced:?}");
}

#[tokio::test]
async fn an_answer_by_telephone_is_written_in_with_its_own_time_and_who_did_it() {
    let house = house("2026-11-23T10:00");
    let id = house.notices.publish(&by("api"), &draft(), None).await.unwrap().id;
    house.until("2026-11-23T12:30").await;
    let write = async |who: &str, time: &str, by: &str| {
        house
            .notices
            .write_in(&self::by(by), &id, &who.into(), Some(at(time)), "电话答复")
            .await
            .map(|heard| heard.state)
    };
    assert_eq!(write("a", "2026-11-23T11:30", "office").await.unwrap(), Some(MemberState::Acknowledged));
    assert_eq!(write("b", "2026-11-23T12:20", "office").await.unwrap(), Some(MemberState::Late));
    let code = |refused: Result<Option<MemberState>, ActError>| match refused {
        Err(ActError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(write("c", "2026-11-23T12:31", "office").await), Code::InvalidValue, "not yet");
    assert_eq!(code(write("c", "2026-11-23T12:20", "c").await), Code::SamePerson);
    assert_eq!(code(write("z", "2026-11-23T12:20", "office").await), Code::NotFound);
    assert!(write("c", "2026-11-23T09:00", "office").await.is_err(), "before it was sent");
    let lines = house.notices.ledger(&by("api"), "2026-11").await.unwrap();
    let line = lines.iter().find(|line| line.member.as_str() == "b").unwrap();
    assert_eq!((line.late_minutes, line.history[0].by.as_str()), (20, "office"));
    assert_eq!(line.history[0].what, "补录回执：电话答复");
}
