//! How a notice stands: who, when, how, who is missing; per department; how fast answers came.

use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};

use super::{
    Notices,
    deadline::late_minutes,
    notice::State,
    roster::{Excuse, How, MemberState},
};
use crate::{
    access::{Actor, Principal},
    model::{GroupId, MemberId, SignedDuration, Timestamp},
    refusal::{ActError, Code},
    zh::{length, when},
};

/// Names in one message.
const NAMES: usize = 40;

/// The answer of `GET /api/v1/notices/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// Its first line.
    pub summary: String,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// The common deadline.
    pub deadline: Option<Timestamp>,
    /// Who must answer, the excused included; who left is not counted.
    pub required: usize,
    /// Who answered, late ones included.
    pub acknowledged: usize,
    /// Of those, late.
    pub late: usize,
    /// Excused.
    pub exempt: usize,
    /// No answer, and the deadline is over.
    pub missing: usize,
    /// Whom it has reached, the excused left out; who answered has it.
    pub delivered: usize,
    /// The deadline is over and it has not reached them: they are not late.
    pub undelivered: usize,
    /// No answer yet.
    pub waiting: usize,
    /// Left the groups before answering.
    pub left: usize,
    /// Everybody, by id.
    pub members: Vec<MemberStatus>,
    /// Per department, by name.
    pub departments: Vec<DepartmentStatus>,
    /// Answers by the time since sending.
    pub trend: Vec<TrendPoint>,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// Userid.
    pub member: MemberId,
    /// Shown name.
    pub name: String,
    /// Department; empty where none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// How they stand.
    pub state: MemberState,
    /// When they answered.
    pub at: Option<Timestamp>,
    /// By which way.
    pub how: Option<How>,
    /// Minutes after their deadline, for late answers; a started minute counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_minutes: Option<i64>,
    /// Their explanation or exemption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excuse: Option<Excuse>,
}

/// One department's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentStatus {
    /// Its name; empty for people without one.
    pub department: String,
    /// Who must answer.
    pub required: usize,
    /// Who answered, late ones included.
    pub acknowledged: usize,
    /// Of those, late.
    pub late: usize,
    /// Without an answer, whether the deadline is over or not.
    pub open: usize,
}

/// How many had answered so many tenths of the time after sending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// Tenths of the time between sending and the deadline; 11 is "later".
    pub tenth: u8,
    /// Answers in that tenth.
    pub answers: usize,
}

impl Notices {
    /// How a notice stands, for who may know: its author, who leads one of its groups, and programs that may speak to all it
    /// is for.
    pub async fn progress(&self, actor: &Actor, id: &str) -> Result<Status, ActError> {
        let notice = self.get(id).await?;
        let leads = |group: &GroupId| self.may_speak(actor, std::slice::from_ref(group)).is_ok();
        match actor.who {
            Principal::Member { .. }
                if !self.people.same(&notice.by, actor) && !notice.what.groups.iter().any(leads) =>
            {
                return Err(ActError::refused(Code::Forbidden, "这条通知不是发给您管理的群的"));
            }
            Principal::Member { .. } => {}
            _ => self.may_publish(actor, &notice.what)?,
        }
        self.status(&notice.id).await
    }

    /// How a notice stands now.
    pub(super) async fn status(&self, id: &str) -> Result<Status, ActError> {
        let notice = self.get(id).await?;
        let now = self.now();
        let (mut members, mut left) = (Vec::new(), 0);
        let (mut delivered, mut under_way) = (0, false);
        self.walk(&notice, |member, entry| {
            if entry.left.is_some() {
                left += 1;
                return;
            }
            let state = entry.state(&notice, now);
            under_way |= entry.is_under_way(&notice);
            let has_it = !notice.tracks_delivery || entry.told.is_some() || entry.answer.is_some();
            delivered += usize::from(has_it && !entry.is_exempt());
            let due = entry.due(&notice);
            let at = entry.answer.as_ref().map(|a| a.at);
            members.push(MemberStatus {
                member,
                state,
                at,
                how: entry.answer.as_ref().map(|a| a.how),
                late_minutes: at.filter(|at| *at > due).map(|at| late_minutes(due, at)),
                name: entry.name,
                department: entry.department,
                excuse: entry.excuse,
            });
        })
        .await?;
        members.sort_by(|a, b| a.member.cmp(&b.member));
        let of = |state| members.iter().filter(|m| m.state == state).count();
        let mut departments: BTreeMap<&str, DepartmentStatus> = BTreeMap::new();
        for member in &members {
            let department = departments.entry(&member.department).or_default();
            department.department.clone_from(&member.department);
            department.required += 1;
            match member.state {
                MemberState::Acknowledged => department.acknowledged += 1,
                MemberState::Late => {
                    department.acknowledged += 1;
                    department.late += 1;
                }
                MemberState::Exempt => {}
                MemberState::Waiting | MemberState::Missing | MemberState::Undelivered => department.open += 1,
            }
        }
        let mut tenths = [0; 12];
        if let (Some(sent), Some(due)) = (notice.sent, notice.due) {
            let whole = due.duration_since(sent).as_secs().max(1);
            for at in members.iter().filter_map(|m| m.at) {
                let tenth = at.duration_since(sent).as_secs() * 10 / whole + 1;
                tenths[if at <= due { tenth.clamp(1, 10) } else { 11 } as usize] += 1;
            }
        }
        let late = of(MemberState::Late);
        Ok(Status {
            state: if under_way && notice.state == State::Sent { State::Sending } else { notice.state },
            delivered,
            undelivered: of(MemberState::Undelivered),
            summary: notice.summary(40),
            sent: notice.sent,
            deadline: notice.due,
            required: members.len(),
            acknowledged: of(MemberState::Acknowledged) + late,
            late,
            exempt: of(MemberState::Exempt),
            missing: of(MemberState::Missing),
            waiting: of(MemberState::Waiting),
            left,
            departments: departments.into_values().collect(),
            trend: (1..=11).map(|tenth| TrendPoint { tenth, answers: tenths[usize::from(tenth)] }).collect(),
            members,
            id: notice.id,
        })
    }
}

impl Status {
    /// `进行中`, `发送中 3/6`.
    fn stands(&self) -> String {
        match self.state {
            State::Sending => format!("{} {}/{}", self.state.zh(), self.delivered, self.required - self.exempt),
            state => state.zh().to_owned(),
        }
    }

    /// Two lines for a chat.
    pub fn brief(&self) -> String {
        let required = self.required - self.exempt;
        let mut out = format!("通知 {}（{}）：{}/{required} 人已回执", self.id, self.stands(), self.acknowledged);
        for (name, count) in [("迟到", self.late), ("豁免", self.exempt), ("未送达", self.undelivered)] {
            if count > 0 {
                let _ = write!(out, "，{name} {count} 人");
            }
        }
        let open = |m: &&MemberStatus| matches!(m.state, MemberState::Waiting | MemberState::Missing);
        let names: Vec<&str> = self.members.iter().filter(open).map(|m| m.name.as_str()).collect();
        if !names.is_empty() {
            let _ = write!(out, "\n还差 {} 人：{}", names.len(), names[..names.len().min(NAMES)].join("、"));
            if names.len() > NAMES {
                out.push_str(" 等");
            }
        }
        out
    }

    /// How fast answers came: a bar for each tenth of the time, one for those after it, and when half of all had answered.
    fn speed(&self) -> String {
        const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = self.trend.iter().map(|point| point.answers).max().unwrap_or(0);
        let (Some(sent), true) = (self.sent, most > 0) else { return String::new() };
        let bar = |answers: usize| BARS[(answers * 8).div_ceil(most)];
        let (in_time, late): (Vec<_>, Vec<_>) = self.trend.iter().partition(|point| point.tenth <= 10);
        let bars: String = in_time.iter().map(|point| bar(point.answers)).collect();
        let late: String = late.iter().map(|point| bar(point.answers)).collect();
        let mut times: Vec<Timestamp> = self.members.iter().filter_map(|m| m.at).collect();
        times.sort_unstable();
        let half = length(SignedDuration::from_mins(late_minutes(sent, times[(times.len() - 1) / 2]).max(1)));
        format!("\n回执快慢：发送 {bars} 截止 {late} 之后\n已回执的人里，一半在发送后 {half}内回执\n")
    }

    /// A table for a terminal.
    pub fn table(&self, now: Timestamp) -> String {
        let mut out = format!("通知 {}（{}） {}\n", self.id, self.stands(), self.summary);
        if let Some(deadline) = self.deadline {
            let _ = writeln!(out, "截止：{}", when(deadline, now));
        }
        let _ = writeln!(
            out,
            "需回执 {} 人：已回执 {}（迟到 {}），豁免 {}，未回执 {}，还在等 {}",
            self.required, self.acknowledged, self.late, self.exempt, self.missing, self.waiting
        );
        if self.undelivered > 0 {
            let _ = writeln!(out, "未送达 {} 人，不计迟到", self.undelivered);
        }
        if self.departments.len() > 1 || self.departments.iter().any(|d| !d.department.is_empty()) {
            out.push('\n');
            for d in &self.departments {
                let name = if d.department.is_empty() { "（无部门）" } else { &d.department };
                // Of those who are not excused, as everywhere.
                let _ = writeln!(out, "{}  {}/{}", pad(name, 14), d.acknowledged, d.acknowledged + d.open);
            }
        }
        out.push_str(&self.speed());
        out.push('\n');
        for m in &self.members {
            let at = m.at.map(|at| when(at, now)).unwrap_or_default();
            let how = m.how.map(How::zh).unwrap_or_default();
            let late = m.late_minutes.map(|n| format!("晚 {n} 分钟")).unwrap_or_default();
            let excuse = m.excuse.as_ref().map(|e| format!("{}（{}）", e.reason, e.state.zh())).unwrap_or_default();
            let line = format!(
                "{}  {}  {}  {}  {late}{excuse}",
                pad(&m.name, 12),
                pad(m.state.zh(), 8),
                pad(&at, 14),
                pad(how, 8)
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// Fills up to so many terminal columns; a Han character takes two.
fn pad(text: &str, columns: usize) -> String {
    let width: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(width)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_when_how_and_how_fast() {
        let at = |time: &str| format!("2026-11-23T{time}:00+08:00").parse::<Timestamp>().unwrap();
        let member = |name: &str, department: &str, state, answered: Option<(&str, How)>| MemberStatus {
            member: name.into(),
            name: name.into(),
            department: department.into(),
            state,
            at: answered.map(|(time, _)| at(time)),
            how: answered.map(|(_, how)| how),
            late_minutes: answered
                .filter(|(time, _)| at(time) > at("12:00"))
                .map(|(t, _)| late_minutes(at("12:00"), at(t))),
            excuse: (state == MemberState::Exempt).then(|| Excuse {
                reason: "在飞机上".into(),
                at: at("10:01"),
                state: super::super::roster::ExcuseState::Accepted,
                by: Some("hr".into()),
            }),
        };
        let answers = [8, 4, 1, 0, 0, 0, 0, 0, 0, 2, 1];
        let status = Status {
            id: "8F2K".into(),
            state: State::Closed,
            summary: "填表".into(),
            sent: Some(at("10:00")),
            deadline: Some(at("12:00")),
            required: 5,
            acknowledged: 3,
            late: 1,
            exempt: 1,
            missing: 1,
            delivered: 5,
            undelivered: 0,
            waiting: 0,
            left: 0,
            members: vec![
                member("赵一鸣", "销售部", MemberState::Acknowledged, Some(("10:01", How::Word))),
                member("钱一鸣", "销售部", MemberState::Acknowledged, Some(("10:30", How::GroupCard))),
                member("孙一鸣", "客服部", MemberState::Late, Some(("13:00", How::Link))),
                member("李一鸣", "客服部", MemberState::Exempt, None),
                member("周一鸣", "客服部", MemberState::Missing, None),
            ],
            departments: vec![
                DepartmentStatus { department: "客服部".into(), required: 3, acknowledged: 1, late: 1, open: 1 },
                DepartmentStatus { department: "销售部".into(), required: 2, acknowledged: 2, late: 0, open: 0 },
            ],
            trend: (1..).zip(answers).map(|(tenth, answers)| TrendPoint { tenth, answers }).collect(),
        };
        insta::assert_snapshot!(status.table(at("15:00")), @r"
        通知 8F2K（已截止） 填表
        截止：今天 12:00
        需回执 5 人：已回执 3（迟到 1），豁免 1，未回执 1，还在等 0

        客服部          1/2
        销售部          2/2

        回执快慢：发送 █▄▁······▂ 截止 ▁ 之后
        已回执的人里，一半在发送后 30 分钟内回执

        赵一鸣        已回执    今天 10:01      群里回复
        钱一鸣        已回执    今天 10:30      群卡片
        孙一鸣        迟到      今天 13:00      链接      晚 60 分钟
        李一鸣        豁免                                在飞机上（已同意）
        周一鸣        未回执
        ");
    }
}
