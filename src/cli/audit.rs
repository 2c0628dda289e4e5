//! `qunguan audit`: who did what, newest first, from the running bot.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::{
    local_time,
    server::{Api, Server, escape},
};
use crate::{
    audit::{Act, Page, Record},
    model::Timestamp,
    zh,
};

/// Records asked for at once.
const AT_ONCE: usize = 500;

/// 操作记录：谁在什么时候、从哪里、对什么做了什么，最新的在前。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    /// 只看这个群
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// 只看这个人（userid）或令牌做的；人的令牌做的也算他做的
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// 只看这种操作，例如 open_evidence
    #[arg(long, value_name = "ACTION", value_parser = act)]
    action: Option<Act>,
    /// 只看关于这个的，例如 case:8F2K、member:zhangsan
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// 从这个时间起，例如 "2026-11-01 00:00"
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    since: Option<Timestamp>,
    /// 到这个时间为止
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    until: Option<Timestamp>,
    /// 最多多少条
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    /// 每条一行 JSON
    #[arg(long)]
    json: bool,
}

fn act(text: &str) -> Result<Act, String> {
    text.parse::<Act>().map_err(|unknown| {
        let known = Act::ALL.iter().map(|act| act.id()).collect::<Vec<_>>().join("、");
        unknown.nearest.map_or_else(|| format!("可以写 {known}"), |near| format!("是不是 {near}？"))
    })
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = Api::new(&args.server)?;
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let filters = [
        ("group", args.group),
        ("by", args.by),
        ("action", args.action.map(|act| act.id().to_owned())),
        ("subject", args.subject),
        ("since", time(args.since)),
        ("until", time(args.until)),
    ];
    let filters: String =
        filters.iter().filter_map(|(name, value)| Some(format!("&{name}={}", escape(value.as_ref()?)))).collect();
    let (mut left, mut after) = (args.limit, None::<String>);
    while left > 0 {
        let next = after.map(|after| format!("&after={}", escape(&after))).unwrap_or_default();
        let answer = api.get(&format!("/api/v1/audit?limit={}{filters}{next}", left.min(AT_ONCE))).await?;
        let page: Page = serde_json::from_value(answer).context("the answer cannot be read")?;
        left -= page.records.len().min(left);
        for listed in &page.records {
            if args.json {
                println!("{}", json!(listed));
            } else {
                println!("{}", line(&listed.record));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `2026-11-23 18:00:05  接口  令牌 hr（wang）  结账  month:2026-11  无 → {"close":"proposed"}`
fn line(record: &Record) -> String {
    let person = record.by.person.as_ref().filter(|person| person.as_str() != record.by.name);
    let person = person.map(|person| format!("（{person}）")).unwrap_or_default();
    let mut line = format!(
        "{}  {}  {} {}{person}  {}  {}",
        record.at.to_zoned(zh::zone()).strftime("%Y-%m-%d %H:%M:%S"),
        record.face.zh(),
        record.by.kind.zh(),
        record.by.name,
        record.action.zh(),
        record.subject,
    );
    if let Some(group) = &record.group {
        line.push_str(&format!("  群 {group}"));
    }
    if let Some(member) = &record.member
        && record.subject != format!("member:{member}")
    {
        line.push_str(&format!("  成员 {member}"));
    }
    match (record.before.is_null(), record.after.is_null()) {
        (false, false) => line.push_str(&format!("  {} → {}", record.before, record.after)),
        (false, true) => line.push_str(&format!("  {} → 无", record.before)),
        (true, false) => line.push_str(&format!("  {}", record.after)),
        (true, true) => {}
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{Face, PrincipalKind},
        audit::By,
    };

    #[test]
    fn a_record_is_one_line() {
        let record = Record {
            at: Timestamp::UNIX_EPOCH,
            by: By { kind: PrincipalKind::Token, name: "hr".into(), person: Some("wang".into()) },
            face: Face::Cli,
            action: Act::RevokeCase,
            group: Some("g".into()),
            subject: "case:8F2K".into(),
            member: Some("li".into()),
            before: json!({ "state": "open" }),
            after: json!({ "state": "revoked" }),
        };
        let said = line(&record);
        let said = said.split_once("  ").unwrap().1;
        assert_eq!(
            said,
            "命令行  令牌 hr（wang）  撤销记录  case:8F2K  群 g  成员 li  {\"state\":\"open\"} → {\"state\":\"revoked\"}"
        );
        assert!(act("open_evidense").unwrap_err().contains("open_evidence"));
    }
}
