//! Publishing: what members would see, and the sending, once or again and again. Sending takes the snapshot of who must answer;
//! all of it is one commit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Deadline, MONTHS, NOTICES, Notices, OPEN, ROLLS,
    cards::{buttons, counter_task, tell_card},
    due::{self, Due},
    exemption, named, no_notice,
    notice::{Draft, Event, Notice, State},
    open::{Open, open_ids},
    outgoing, repeat,
    roster::{Answer, Bucket, How, RosterEntry, bucket_id, bucket_of, buckets_for},
    wording,
};
use crate::{
    access::Actor,
    calendar::{Absence, Calendar},
    model::{GroupId, MemberId, SignedDuration, Timestamp},
    refusal::{ActError, Code},
    store::{Collection, Task, Tx, transaction::transact},
    zh::{when, zone_name},
};

/// Longest text of a notice, characters; WeCom's own limit for a message is 2048 bytes.
const LONGEST_TEXT: usize = 600;
/// Longest question to confirm reading, characters: the card has to show all of it.
const LONGEST_QUESTION: usize = 60;
/// More different deadlines than this are rounded up to quarters of an hour.
const MOST_DEADLINES: usize = 50;
/// Answers are taken this long after the deadline.
pub const ANSWERABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// One group in a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewGroup {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its people; `null` where nobody knows who is in it.
    pub people: Option<usize>,
}

/// What would be sent, to how many.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// Everybody once, however many groups they are in.
    pub people: usize,
    /// Of those, excused already by a standing exemption.
    pub exempt: usize,
    /// Per group.
    pub groups: Vec<PreviewGroup>,
    /// The deadline if it were sent now (or at its time).
    pub deadline: Timestamp,
    /// The same as people read it, with the time zone.
    pub deadline_text: String,
    /// When those missing would be reminded.
    pub reminders: Vec<Timestamp>,
    /// Exactly what the groups read.
    pub group_message: Option<String>,
    /// Title of everybody's private card.
    pub card_title: String,
    /// Text of everybody's private card.
    pub card_text: String,
    /// Its buttons.
    pub buttons: Vec<String>,
    /// Things to know before sending.
    pub warnings: Vec<String>,
}

/// Stands in a preview where the notice's id will be.
pub const NO_ID: &str = "____";

/// Everything that one sending writes.
struct Sending {
    notice: Notice,
    roll: BTreeMap<u32, Bucket>,
    open: Open,
    /// Of its deadline.
    month: String,
    tasks: Vec<Task>,
    people: usize,
}

impl Notices {
    /// What members would see, and how many; writes nothing.
    pub async fn preview(&self, actor: &Actor, draft: &Draft) -> Result<Preview, ActError> {
        self.may_publish(actor, draft)?;
        self.directory.learn(&draft.groups).await;
        let at = draft.send_at.unwrap_or(self.now()).max(self.now());
        let notice = self.stored(NO_ID, draft, actor.name(), State::Draft);
        let sending = self.plan(notice, at).await?;
        let due = sending.notice.due.unwrap_or(at);
        let calendar = self.calendar.load();
        let mut warnings = self.doubts(draft);
        if matches!(draft.deadline, Deadline::Working(_))
            && let Some(year) = calendar.unknown_year(at, due)
        {
            warnings.push(format!("{year} 年的放假安排还没有写进 holidays.toml，按周一到周五上班计算。"));
        }
        let groups = sending.notice.what.groups.iter().map(|id| PreviewGroup {
            id: id.clone(),
            name: self.directory.group_name(id),
            people: self.directory.group(id).map(|people| people.len()),
        });
        let mut reminders = Vec::new();
        for percent in &draft.reminders {
            reminders.push(draft.deadline.part(at, *percent, &calendar, &[])?);
        }
        let exempt = sending.roll.values().flat_map(Bucket::values).filter(|entry| entry.is_exempt()).count();
        Ok(Preview {
            people: sending.people,
            exempt,
            groups: groups.collect(),
            deadline: due,
            deadline_text: format!("{}（{}）", when(due, self.now()), zone_name(calendar.zone())),
            reminders,
            group_message: (!draft.groups.is_empty()).then(|| {
                let link = self.link(&sending.notice);
                wording::group(&sending.notice, due, at, sending.people - exempt, link.as_deref())
            }),
            card_title: wording::card_title(&sending.notice, due, at),
            card_text: wording::card(&sending.notice),
            buttons: buttons(&sending.notice).into_iter().map(|b| b.text).collect(),
            warnings,
        })
    }

    /// What in a draft nobody knows or nobody looks after; it can be sent nevertheless.
    pub fn doubts(&self, draft: &Draft) -> Vec<String> {
        let mut doubts = Vec::new();
        for (what, people) in
            [("members", &draft.members), ("escalate_to", &draft.escalate_to), ("approvers", &draft.approvers)]
        {
            let unknown: Vec<&str> =
                people.iter().filter(|id| !self.directory.knows(id)).map(MemberId::as_str).collect();
            if !unknown.is_empty() {
                doubts.push(format!("{what} 里有通讯录和群里都没有的人：{}。请核对 userid。", unknown.join("、")));
            }
        }
        for id in &draft.groups {
            if !self.directory.knows_group(id) {
                doubts.push(format!("没有编号为 {id} 的群，请核对。"));
            } else if self.directory.group(id).is_none() {
                let name = self.directory.group_name(id);
                doubts.push(format!("不知道「{name}」里有谁，那里只公布，由点名的人回执。"));
            }
        }
        match (draft.escalate_to.is_empty(), draft.approvers.is_empty()) {
            (true, true) => doubts.push(
                "没有指定谁收名单、谁处理特殊情况（escalate_to、approvers）：\
                 名单只发给各人的上级，成员的说明只会记录下来。"
                    .into(),
            ),
            (true, false) => {
                doubts.push("没有指定谁收名单（escalate_to）：名单只发给各人的上级。".into());
            }
            (false, _) => {}
        }
        doubts
    }

    /// Sends it now.
    pub(super) async fn send(&self, id: &str, by: &str) -> Result<Notice, ActError> {
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(notice) = tx.get(NOTICES, id).await? else { return Err(no_notice(id)) };
            if matches!(notice.state, State::Sent | State::Closed | State::Cancelled) {
                return Ok(notice);
            }
            self.send_in(tx, notice, by).await?
        }))
    }

    /// Sends one occurrence of a repeated notice; returns when the next one is due.
    pub(super) async fn send_occurrence(&self, series: &Notice, planned: Timestamp) -> Result<Timestamp, ActError> {
        let now = self.now();
        let day = planned.to_zoned(self.calendar.load().zone().clone());
        let id = format!("{}-{}", series.id, day.strftime("%y%m%d"));
        // Earlier versions wrote no year.
        let short = self.read(NOTICES, &format!("{}-{}", series.id, day.strftime("%m%d"))).await?;
        let sent = short.is_some_and(|old| old.created.to_zoned(day.time_zone().clone()).date() == day.date());
        if !sent {
            let draft = Draft { repeat: None, send_at: None, review: false, ..series.what.clone() };
            transact!(self.store.as_ref(), |tx| {
                if tx.get(NOTICES, &id).await?.is_none() {
                    let notice = self.stored(&id, &draft, &series.by, State::Reviewed);
                    self.send_in(tx, notice, "bot").await?;
                }
            });
        }
        Ok(self.next_occurrence(series, planned, now))
    }

    pub(super) fn next_occurrence(&self, series: &Notice, planned: Timestamp, now: Timestamp) -> Timestamp {
        let first = series.what.send_at.unwrap_or(series.created);
        repeat::next(series.what.repeat.as_ref(), first, planned, now, &self.calendar.load())
    }

    /// Writes everything that one sending writes.
    pub(super) async fn send_in(&self, tx: &mut Tx<'_>, notice: Notice, by: &str) -> Result<Notice, ActError> {
        let now = self.now();
        let mut sending = self.plan(notice, now).await?;
        let notice = &mut sending.notice;
        notice.history.push(Event::new(now, by, format!("发送给 {} 人", sending.people)));
        for (n, bucket) in &sending.roll {
            tx.put(ROLLS, &bucket_id(&notice.id, *n), bucket).await?;
        }
        for id in open_ids(notice) {
            tx.put(OPEN, &id, &sending.open).await?;
        }
        tx.put(MONTHS, &format!("{}/{}", sending.month, notice.id), &json!({})).await?;
        tx.put(NOTICES, &notice.id, notice).await?;
        tx.add_tasks(sending.tasks);
        Ok(sending.notice)
    }

    pub(super) fn stored(&self, id: &str, draft: &Draft, by: &str, state: State) -> Notice {
        let mut what = draft.clone();
        once(&mut what.groups);
        Notice {
            id: id.to_owned(),
            what,
            by: by.to_owned(),
            created: self.now(),
            reviewed_by: None,
            state,
            sent: None,
            due: None,
            last_due: None,
            buckets: 0,
            tracks_delivery: true,
            said: None,
            early: BTreeMap::new(),
            history: Vec::new(),
        }
    }

    /// Everybody concerned, each once.
    pub(super) fn roster(&self, draft: &Draft) -> Result<BTreeMap<MemberId, RosterEntry>, ActError> {
        let mut roster: BTreeMap<MemberId, RosterEntry> = BTreeMap::new();
        let mut add = |person: super::Person, group: Option<u16>| {
            let entry = roster.entry(person.id).or_insert_with(|| RosterEntry {
                name: person.name,
                department: person.department,
                superior: person.superior,
                ..RosterEntry::default()
            });
            match group {
                Some(group) => entry.groups.push(group),
                None => entry.named = true,
            }
        };
        for (index, group) in draft.groups.iter().enumerate() {
            let people = match self.directory.group(group) {
                Some(people) => people,
                // It is only where the notice is read; who must answer is named.
                None if !(draft.members.is_empty() && draft.departments.is_empty()) => Vec::new(),
                None if !self.directory.knows_group(group) => {
                    return Err(ActError::refused(Code::UnknownGroup, format!("没有编号为 {group} 的群，请核对")));
                }
                None => {
                    let name = self.directory.group_name(group);
                    return Err(ActError::refused(
                        Code::UnknownMembers,
                        format!("还不知道「{name}」里有谁，不能发通知；可以另外写明 members 或 departments"),
                    ));
                }
            };
            for person in people {
                add(person, Some(index as u16));
            }
        }
        for name in &draft.departments {
            let Some(people) = self.directory.department(name) else {
                let text = format!("没有部门“{name}”，或通讯录里读不到");
                return Err(ActError::refused(Code::UnknownDepartment, text));
            };
            for person in people {
                add(person, None);
            }
        }
        for id in &draft.members {
            add(self.directory.person(id), None);
        }
        if roster.is_empty() { Err(ActError::refused(Code::NoReceivers, "通知没有接收人")) } else { Ok(roster) }
    }

    /// The snapshot and everything that follows from sending at `now`.
    async fn plan(&self, mut notice: Notice, now: Timestamp) -> Result<Sending, ActError> {
        check(&notice.what)?;
        let calendar = self.calendar.load_full();
        let mut roster = self.roster(&notice.what)?;
        // Typed by hand, it runs from then.
        let from = notice.said.unwrap_or(now);
        let due = notice.what.deadline.resolve(from, &calendar, &[])?;
        if due <= now {
            return Err(ActError::refused(Code::DeadlinePassed, "截止时间已经过了"));
        }
        let standing = self.standing_exemptions().await?;
        let absences = if notice.what.stop_for_leave { self.all_absences().await? } else { BTreeMap::new() };
        for (member, entry) in &mut roster {
            if let Some(absences) = absences.get(member) {
                entry.due = Some(notice.what.deadline.resolve(now, &calendar, absences)?).filter(|own| *own != due);
            }
            entry.excuse = standing.get(member).and_then(|s| exemption::excuse(s, now, entry.due.unwrap_or(due)));
            if !notice.what.author_acknowledges && self.people.is(&notice.by, member) {
                entry.excuse = entry.excuse.take().or_else(|| Some(exemption::author(now)));
            }
        }
        round_deadlines(&mut roster);
        if notice.said.is_some() {
            for (member, entry) in &mut roster {
                entry.told = Some(from);
                entry.answer = notice.early.get(member).map(|at| Answer { at: *at, how: How::Word, message: None });
            }
        }
        notice.sent = Some(from);
        notice.due = Some(due);
        notice.last_due = roster.values().filter_map(|e| e.due).max().max(Some(due));
        notice.state = State::Sent;
        notice.buckets = buckets_for(roster.len());
        let tasks = self.sending_tasks(&notice, &roster, &absences, now)?;
        let people = roster.len();
        let mut roll: BTreeMap<u32, Bucket> = BTreeMap::new();
        for (member, entry) in roster {
            roll.entry(bucket_of(&member, notice.buckets)).or_default().insert(member, entry);
        }
        let open = Open {
            notice: notice.id.clone(),
            sent: from,
            accept: notice.what.accepted(),
            confirm: notice.what.confirm.is_some(),
        };
        Ok(Sending { notice, roll, open, month: calendar.month(due), tasks, people })
    }

    fn sending_tasks(
        &self,
        notice: &Notice,
        roster: &BTreeMap<MemberId, RosterEntry>,
        absences: &BTreeMap<MemberId, Vec<Absence>>,
        now: Timestamp,
    ) -> Result<Vec<Task>, ActError> {
        let calendar = self.calendar.load();
        let (id, common) = (&notice.id, notice.due.unwrap_or(now));
        let required = roster.values().filter(|e| !e.is_exempt()).count();
        let mut tasks = Vec::new();
        for (index, group) in notice.what.groups.iter().enumerate().filter(|_| notice.said.is_none()) {
            tasks.push(outgoing::read_out(&format!("notice/{id}/announce/{index}"), group, now, id));
            if notice.what.confirm.is_none() {
                let count = wording::Count { required, ..wording::Count::default() };
                tasks.push(counter_task(notice, index, count, now));
            }
        }
        let mut by_due: BTreeMap<Timestamp, Vec<MemberId>> = BTreeMap::new();
        for (member, entry) in roster.iter().filter(|(_, e)| !e.is_exempt()) {
            by_due.entry(entry.due.unwrap_or(common)).or_default().push(member.clone());
        }
        for (due, members) in by_due {
            let own = absences.get(&members[0]).filter(|_| due != common).map_or(&[][..], Vec::as_slice);
            if notice.said.is_none() {
                tasks.extend(tell_card(notice, &format!("notice/{id}/tell/{}", due.as_second()), members, due, now));
            }
            let from = notice.said.unwrap_or(now);
            tasks.extend(self.timed_tasks(notice, from, due, own, &calendar)?);
        }
        let mut archive = due::task(
            due::ARCHIVE,
            &format!("notice/{id}/archive"),
            notice,
            now,
            &Due::of(notice, notice.last_due.unwrap_or(common)),
        );
        archive.due = notice.last_due.unwrap_or(common) + ANSWERABLE;
        tasks.push(archive);
        Ok(tasks)
    }

    /// Reminders and the end for those with one deadline.
    pub(super) fn timed_tasks(
        &self,
        notice: &Notice,
        from: Timestamp,
        due: Timestamp,
        absences: &[Absence],
        calendar: &Calendar,
    ) -> Result<Vec<Task>, ActError> {
        let now = self.now();
        let mut percents = notice.what.reminders.clone();
        percents.sort_unstable();
        percents.dedup();
        let mut tasks = Vec::new();
        for percent in percents {
            let mut at = notice.what.deadline.part(from, percent, calendar, absences)?;
            if at >= due {
                at = from + due.duration_since(from) * i32::from(percent) / 100; // rounded or absolute deadlines
            }
            let id = format!("notice/{}/remind/{percent}/{}", notice.id, due.as_second());
            let mut task = due::task(due::REMIND, &id, notice, now, &Due { percent, ..Due::of(notice, due) });
            task.due = at;
            tasks.push(task);
        }
        let id = format!("notice/{}/deadline/{}", notice.id, due.as_second());
        let mut task = due::task(due::DEADLINE, &id, notice, now, &Due::of(notice, due));
        task.due = due;
        tasks.push(task);
        Ok(tasks)
    }

    /// Changes a notice, again if somebody was faster; the tasks come in the same commit.
    pub(super) async fn update(
        &self,
        id: &str,
        edit: impl Fn(&mut Notice) -> Result<Vec<Task>, ActError>,
    ) -> Result<Notice, ActError> {
        let id = named(id);
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut notice) = tx.get(NOTICES, &id).await? else { return Err(no_notice(&id)) };
            let tasks = edit(&mut notice)?;
            tx.put(NOTICES, &id, &notice).await?;
            tx.add_tasks(tasks);
            notice
        }))
    }
}

/// The first of these ids under which nothing is stored.
pub(super) async fn free_id<T: Serialize + DeserializeOwned>(
    tx: &mut Tx<'_>,
    collection: Collection<T>,
    candidates: impl Iterator<Item = String>,
) -> Result<String, ActError> {
    for id in candidates {
        if tx.get(collection, &id).await?.is_none() {
            return Ok(id);
        }
    }
    Err(ActError::refused(Code::BadRequest, "编号用完了，请稍后再试"))
}

/// A group that was named twice is still one group and reads one message.
pub(super) fn once(groups: &mut Vec<GroupId>) {
    let mut seen = BTreeSet::new();
    groups.retain(|group| seen.insert(group.clone()));
}

/// Many different leave lists must not make as many deadlines: then each is moved up to the next quarter of an hour.
fn round_deadlines(roster: &mut BTreeMap<MemberId, RosterEntry>) {
    const QUARTER: i64 = 15 * 60;
    let different: BTreeSet<Timestamp> = roster.values().filter_map(|e| e.due).collect();
    if different.len() > MOST_DEADLINES {
        for due in roster.values_mut().filter_map(|e| e.due.as_mut()) {
            let up = due.as_second().div_euclid(QUARTER) + i64::from(due.as_second().rem_euclid(QUARTER) > 0);
            *due = Timestamp::from_second(up * QUARTER).unwrap_or(*due);
        }
    }
}

/// What a draft may not be; says which field.
pub(super) fn check(draft: &Draft) -> Result<(), ActError> {
    let wrong = |field: &'static str, text: String| Err(ActError::wrong(field, text));
    if draft.text.trim().is_empty() {
        return wrong("text", "通知没有内容".into());
    }
    if draft.text.chars().count() > LONGEST_TEXT {
        return wrong("text", format!("通知太长，最多 {LONGEST_TEXT} 字；长的内容请放在链接里"));
    }
    if draft.reminders.iter().any(|percent| !(1..=99).contains(percent)) {
        return wrong("reminders", "提醒的时间是截止前时间的百分之 1 到 99".into());
    }
    if let Some(link) = draft.links.iter().find(|l| !(l.url.starts_with("https://") || l.url.starts_with("http://"))) {
        return wrong("links", format!("链接 {} 要以 https:// 开头", link.url));
    }
    if draft.accept.iter().any(|word| word.trim().is_empty() || word.chars().count() > 20) {
        return wrong("accept", "回执用语每个 1 到 20 字".into());
    }
    if let Some(confirm) = &draft.confirm {
        if !(2..=5).contains(&confirm.answers.len()) || confirm.right >= confirm.answers.len() {
            return wrong("confirm", "确认题要有 2 到 5 个答案，right 是正确答案的序号（从 0 开始）".into());
        }
        if confirm.question.trim().is_empty() || confirm.question.chars().count() > LONGEST_QUESTION {
            return wrong("confirm", format!("确认题 1 到 {LONGEST_QUESTION} 字"));
        }
        if confirm.answers.iter().any(|a| a.trim().is_empty() || a.chars().count() > 10) {
            return wrong("confirm", "确认题的答案每个 1 到 10 字".into());
        }
    }
    if let Some(fine) = &draft.fine {
        fine.check()?;
    }
    if draft.repeat.is_some() && matches!(draft.deadline, Deadline::At(_) | Deadline::Local(_)) {
        return wrong("deadline", "重复的通知请用时长作截止时间，例如 2h".into());
    }
    Ok(())
}
