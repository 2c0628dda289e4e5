//! `qunguan notice publish|preview|review|cancel|record|exempt|absent|status`: notices from a terminal, through the running bot's HTTP API.

use std::{fmt::Write, io::Read, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    UserError, local_time,
    server::{Api, Server, escape},
};
use crate::{
    model::{Clock, GroupId, MemberId, SystemClock, Timestamp},
    notices::{
        Deadline, Draft,
        fine::Fine,
        notice::{Confirm, Joiners, Leavers, Link, Repeat},
        status::Status,
    },
};

/// 发布要求回执的通知，查看谁回执了。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 发布通知，打印它的编号
    Publish {
        #[command(flatten)]
        notice: NoticeArgs,
        /// 需要另一个人审核后才发送
        #[arg(long)]
        review: bool,
        /// 自己取的记号：用同一个记号再发一次，不会重复发送
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// 看看成员会看到什么、发给多少人；不发送
    Preview {
        #[command(flatten)]
        notice: NoticeArgs,
    },
    /// 审核别人起草的通知，审核后发送；要用另一个人的接口令牌
    Review {
        /// 通知编号
        #[arg(value_name = "ID")]
        id: String,
    },
    /// 取消通知；已发出的会告诉群里
    Cancel {
        /// 通知编号
        #[arg(value_name = "ID")]
        id: String,
    },
    /// 补录一个人的回执（例如电话里答复的），谁补录的会留下记录
    Record {
        /// 通知编号
        #[arg(value_name = "ID")]
        id: String,
        /// 成员的 userid
        #[arg(value_name = "USERID")]
        member: String,
        /// 答复的时间；不写就是现在
        #[arg(long, value_name = "WHEN", value_parser = local_time)]
        at: Option<Timestamp>,
        /// 说明
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// 某人在一段时间里不用回执
    Exempt(SpanArgs),
    /// 某人在一段时间里休假或不当班：说明了避开休假的通知会为其停表
    Absent(SpanArgs),
    /// 谁回执了、何时、怎样、还差谁
    Status {
        /// 通知编号，例如 8F2K
        #[arg(value_name = "ID")]
        id: String,
        /// 打印接口的原样 JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct NoticeArgs {
    /// 通知内容；不写则从标准输入读
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// 从文件读完整的通知（JSON，与接口相同）；其他选项不再起作用
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "group", "deadline", "confirm", "fine"])]
    file: Option<PathBuf>,
    /// 发给这个群的所有人；可写多次
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// 发给这个部门的所有人；可写多次
    #[arg(long, value_name = "NAME")]
    department: Vec<String>,
    /// 发给这个人；可写多次
    #[arg(long, value_name = "USERID")]
    member: Vec<String>,
    /// 截止：2h、work:120m（工作时间）、2026-11-23 18:00；默认 2h
    #[arg(long, value_name = "WHEN", default_value = "2h")]
    deadline: Deadline,
    /// 接受的回执用语；可写多次，默认收到、执行、马上执行等
    #[arg(long, value_name = "WORD")]
    accept: Vec<String>,
    /// 附件或网页的链接，写成“标题=https://…”；可写多次
    #[arg(long, value_name = "TITLE=URL", value_parser = link)]
    link: Vec<Link>,
    /// 时间过了百分之几时提醒还没回执的人；可写多次，默认 50 和 90
    #[arg(long, value_name = "PERCENT")]
    remind: Vec<u8>,
    /// 定时发送，例如 "2026-12-01 09:00"
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    at: Option<Timestamp>,
    /// 重复发送：day 每天、workday 每个工作日、week 每周、month 每月
    #[arg(long, value_name = "EVERY")]
    repeat: Option<Every>,
    /// 截止后收名单的人；可写多次
    #[arg(long, value_name = "USERID")]
    escalate_to: Vec<String>,
    /// 处理特殊情况的人；可写多次，默认收名单的人
    #[arg(long = "approver", visible_alias = "approvers", value_name = "USERID")]
    approvers: Vec<String>,
    /// 确认题，答对才算回执；还要写 --answer 和 --right
    #[arg(long, value_name = "QUESTION", requires = "answer", requires = "right")]
    confirm: Option<String>,
    /// 确认题的一个答案；写 2 到 5 次
    #[arg(long, value_name = "TEXT", requires = "confirm")]
    answer: Vec<String>,
    /// 正确的那个答案
    #[arg(long, value_name = "TEXT", requires = "confirm")]
    right: Option<String>,
    /// 后来进群的人：ignore 不用回执（默认），include 从进群起算同样的时间
    #[arg(long, value_name = "RULE")]
    joiners: Option<JoinersArg>,
    /// 退群的人：drop 不再计入（默认），keep 仍要回执
    #[arg(long, value_name = "RULE")]
    leavers: Option<LeaversArg>,
    /// 请假和轮休期间不计时
    #[arg(long)]
    stop_for_leave: bool,
    /// 迟到计金额：规则的名称，例如 sales-staff-2016，或接口里 fine 的 JSON
    #[arg(long, value_name = "RULE", value_parser = fine)]
    fine: Option<Fine>,
    /// 已知悉计金额的法律风险（不写这个选项时会显示说明）
    #[arg(long, requires = "fine")]
    fine_understood: bool,
}

/// What becomes of who joins later.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum JoinersArg {
    /// 后来的人不用回执
    Ignore,
    /// 后来的人也要回执，从进群起算同样的时间
    Include,
}

/// What becomes of who leaves.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LeaversArg {
    /// 退群的人不再计入
    Drop,
    /// 退群的人仍要回执
    Keep,
}

fn fine(text: &str) -> Result<Fine, String> {
    let written = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|e| format!("不是合法的 JSON：{e}"))?
    } else {
        json!({ "preset": text.trim() })
    };
    serde_json::from_value(written).map_err(|e| e.to_string())
}

/// How often it is sent again.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Every {
    Day,
    Workday,
    Week,
    Month,
}

impl From<Every> for Repeat {
    fn from(every: Every) -> Self {
        match every {
            Every::Day => Self::Day,
            Every::Workday => Self::Workday,
            Every::Week => Self::Week,
            Every::Month => Self::Month,
        }
    }
}

fn link(text: &str) -> Result<Link, String> {
    let (title, url) = text.split_once('=').ok_or("链接应当像 表格=https://example.com/form")?;
    Ok(Link { title: title.trim().to_owned(), url: url.trim().to_owned() })
}

impl NoticeArgs {
    fn draft(&self) -> anyhow::Result<Value> {
        if let Some(file) = &self.file {
            let text = std::fs::read_to_string(file).map_err(|e| UserError::refused("读不了", file, &e))?;
            let draft: Draft =
                serde_json::from_str(&text).map_err(|e| UserError(format!("{}:{}: {e}", file.display(), e.line())))?;
            return Ok(serde_json::to_value(draft)?);
        }
        let text = if let Some(text) = &self.text {
            text.clone()
        } else {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read the notice from stdin")?;
            text.trim().to_owned()
        };
        let mut draft = Draft::new(&text, &[], self.deadline);
        draft.groups = self.group.iter().map(GroupId::new).collect();
        draft.departments.clone_from(&self.department);
        draft.members = self.member.iter().map(MemberId::new).collect();
        draft.accept.clone_from(&self.accept);
        draft.links.clone_from(&self.link);
        if !self.remind.is_empty() {
            draft.reminders.clone_from(&self.remind);
        }
        draft.send_at = self.at;
        draft.repeat = self.repeat.map(Repeat::from);
        draft.escalate_to = self.escalate_to.iter().map(MemberId::new).collect();
        draft.approvers = self.approvers.iter().map(MemberId::new).collect();
        draft.confirm = self.question()?;
        if let Some(rule) = self.joiners {
            draft.joiners = match rule {
                JoinersArg::Ignore => Joiners::Ignore,
                JoinersArg::Include => Joiners::Include,
            };
        }
        if let Some(rule) = self.leavers {
            draft.leavers = match rule {
                LeaversArg::Drop => Leavers::Drop,
                LeaversArg::Keep => Leavers::Keep,
            };
        }
        draft.stop_for_leave = self.stop_for_leave;
        draft.fine = self.fine.clone().map(|fine| Fine { understood: fine.understood || self.fine_understood, ..fine });
        Ok(serde_json::to_value(draft)?)
    }

    fn question(&self) -> Result<Option<Confirm>, UserError> {
        let (Some(question), Some(right)) = (&self.confirm, &self.right) else { return Ok(None) };
        let at = self.answer.iter().position(|answer| answer == right);
        let at = at.ok_or_else(|| UserError(format!("--right “{right}” 不在 --answer 里")))?;
        Ok(Some(Confirm { question: question.clone(), answers: self.answer.clone(), right: at }))
    }
}

/// A time of one person.
#[derive(Debug, clap::Args)]
struct SpanArgs {
    /// 成员的 userid
    #[arg(value_name = "USERID")]
    member: String,
    /// 从何时起，例如 "2026-12-01 09:00"
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    from: Timestamp,
    /// 到何时止
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    to: Timestamp,
    /// 原因
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl SpanArgs {
    fn body(&self) -> Value {
        json!({ "member": self.member, "from": self.from, "to": self.to, "reason": self.reason })
    }
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = Api::new(&args.server)?;
    match &args.action {
        Action::Publish { notice, review, key } => {
            let mut draft = notice.draft()?;
            if *review {
                draft["review"] = Value::Bool(true);
            }
            let answer = match key {
                Some(key) => api.post_once("/api/v1/notices", &draft, key).await?,
                None => api.post("/api/v1/notices", &draft).await?,
            };
            println!("{}", answer.get("id").and_then(Value::as_str).unwrap_or_default());
            for warning in answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                eprintln!("注意：{warning}");
            }
        }
        Action::Preview { notice } => {
            let answer = api.post("/api/v1/notices/preview", &notice.draft()?).await?;
            print!("{}", preview(&answer));
        }
        Action::Review { id } => {
            api.post(&format!("/api/v1/notices/{}/review", escape(id)), &Value::Null).await?;
            println!("已审核");
        }
        Action::Cancel { id } => {
            api.post(&format!("/api/v1/notices/{}/cancel", escape(id)), &Value::Null).await?;
            println!("已取消");
        }
        Action::Record { id, member, at, note } => {
            let said = json!({ "member": member, "at": at, "note": note });
            api.post(&format!("/api/v1/notices/{}/answers", escape(id)), &said).await?;
            println!("已补录");
        }
        Action::Exempt(span) => {
            api.post("/api/v1/exemptions", &span.body()).await?;
            println!("已豁免");
        }
        Action::Absent(span) => {
            api.post("/api/v1/absences", &span.body()).await?;
            println!("已记录");
        }
        Action::Status { id, json } => {
            let answer = api.get(&format!("/api/v1/notices/{}", escape(id))).await?;
            if *json {
                println!("{answer}");
            } else {
                let status: Status = serde_json::from_value(answer).context("the answer cannot be read")?;
                print!("{}", status.table(SystemClock.now()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn preview(answer: &Value) -> String {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let list = |name: &str| -> Vec<String> {
        let all = answer.get(name).and_then(Value::as_array).into_iter().flatten();
        all.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
    };
    let mut out = format!("接收 {} 人", answer["people"]);
    if answer["exempt"].as_u64() > Some(0) {
        let _ = write!(out, "（其中 {} 人已豁免）", answer["exempt"]);
    }
    let _ = writeln!(out, "，截止 {}", text("deadline_text"));
    for group in answer["groups"].as_array().into_iter().flatten() {
        let people = group["people"].as_u64().map_or_else(|| "不知道有谁".into(), |people| format!("{people} 人"));
        let _ = writeln!(out, "发到：{}（{people}）", group["name"].as_str().unwrap_or_default());
    }
    if !text("group_message").is_empty() {
        let _ = write!(out, "\n—— 群里看到 ——\n{}\n", text("group_message"));
    }
    let _ = write!(
        out,
        "\n—— 私信卡片 ——\n{}\n{}\n[{}]\n",
        text("card_title"),
        text("card_text"),
        list("buttons").join("] [")
    );
    for warning in list("warnings") {
        let _ = write!(out, "\n注意：{warning}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_the_draft() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            notice: NoticeArgs,
        }
        let line =
            "x 填表 --group one --link 表格=https://a.example/?q=1 --remind 80 --repeat workday --deadline work:60m";
        let line = <Line as clap::Parser>::try_parse_from(line.split(' ')).unwrap();
        let draft = line.notice.draft().unwrap();
        assert_eq!(
            draft,
            serde_json::json!({
                "text": "填表", "groups": ["one"], "links": [{ "title": "表格", "url": "https://a.example/?q=1" }],
                "deadline": "work:3600s", "accept": [], "reminders": [80], "repeat": { "every": "workday" },
                "stop_for_leave": false, "joiners": "ignore", "leavers": "drop", "review": false,
            })
        );
        let line = "x 盘点 --group one --approver hr --confirm 几点？ --answer 八点 --answer 九点 --right 九点 --joiners include \
                    --leavers keep --stop-for-leave --fine sales-staff-2016 --fine-understood";
        let read = |line: &str| <Line as clap::Parser>::try_parse_from(line.split_whitespace());
        let draft = read(line).unwrap().notice.draft().unwrap();
        assert_eq!(draft["approvers"], serde_json::json!(["hr"]));
        assert_eq!(
            draft["confirm"],
            serde_json::json!({ "question": "几点？", "answers": ["八点", "九点"], "right": 1 })
        );
        assert_eq!((&draft["joiners"], &draft["leavers"]), (&"include".into(), &"keep".into()));
        assert_eq!((&draft["stop_for_leave"], &draft["fine"]["cap_fen"]), (&true.into(), &5000.into()));
        assert_eq!(draft["fine"]["understood"], true);
        let own = r#"x 盘点 --group one --fine {"preset":"sales-staff-2016","cap_fen":3000}"#;
        let draft = read(own).unwrap().notice.draft().unwrap();
        assert_eq!((&draft["fine"]["cap_fen"], &draft["fine"]["understood"]), (&3000.into(), &false.into()));
        assert!(read("x 盘点 --confirm 几点？").is_err(), "no answers");
        assert!(read("x 盘点 --fine x").is_err_and(|e| e.to_string().contains("没有金额规则“x”")));
        let wrong = read("x 盘点 --confirm 几点？ --answer 八点 --answer 九点 --right 十点").unwrap().notice.draft();
        assert_eq!(wrong.unwrap_err().to_string(), "--right “十点” 不在 --answer 里");
    }

    #[test]
    fn a_preview_is_readable() {
        let answer = serde_json::json!({
            "people": 42, "exempt": 1, "deadline": "2026-11-23T04:00:00Z", "deadline_text": "今天 12:00（北京时间）",
            "groups": [{ "id": "wrEast", "name": "华东销售群", "people": 42 }], "group_message": "【通知 8F2K】…",
            "card_title": "通知 8F2K", "card_text": "请填表", "buttons": ["收到", "特殊情况"], "warnings": ["没有指定谁"],
        });
        insta::assert_snapshot!(preview(&answer), @r"
        接收 42 人（其中 1 人已豁免），截止 今天 12:00（北京时间）
        发到：华东销售群（42 人）

        —— 群里看到 ——
        【通知 8F2K】…

        —— 私信卡片 ——
        通知 8F2K
        请填表
        [收到] [特殊情况]

        注意：没有指定谁
        ");
    }
}
