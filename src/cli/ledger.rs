//! `qunguan ledger show|export|settle|close|sign`: the ledger of late answers, through the running bot.

use std::{fmt::Write, io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    UserError,
    server::{Api, Server, escape},
};
use crate::{
    notices::{ledger::Line, roster::Settled},
    store::private,
};

/// 台账：谁迟回执、迟多久、怎样了结；按月结账。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 看一个月的台账
    Show {
        /// 月份，例如 2026-11
        #[arg(value_name = "MONTH")]
        month: String,
    },
    /// 把一个月的台账写成表格文件（.csv 或 .xlsx）
    Export {
        /// 月份，例如 2026-11
        #[arg(value_name = "MONTH")]
        month: String,
        /// 写到这个文件
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// 了结一条记录，或重新打开
    Settle {
        /// 通知编号
        #[arg(value_name = "NOTICE")]
        notice: String,
        /// 成员的 userid
        #[arg(value_name = "USERID")]
        member: String,
        /// 怎样了结
        #[arg(value_name = "HOW")]
        how: How,
        /// 说明
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// 结账：这个月的记录不再变化，等另一个人复核
    Close {
        /// 月份，例如 2026-11
        #[arg(value_name = "MONTH")]
        month: String,
    },
    /// 复核结账；要用另一个人的接口令牌
    Sign {
        /// 月份，例如 2026-11
        #[arg(value_name = "MONTH")]
        month: String,
        /// 退回，这个月重新打开
        #[arg(long)]
        reject: bool,
    },
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum How {
    #[value(name = "已缴", alias = "paid")]
    Paid,
    #[value(name = "免除", alias = "waived")]
    Waived,
    #[value(name = "有异议", alias = "disputed")]
    Disputed,
    #[value(name = "重新打开", alias = "open")]
    Open,
}

impl How {
    const fn settled(self) -> Option<Settled> {
        match self {
            Self::Paid => Some(Settled::Paid),
            Self::Waived => Some(Settled::Waived),
            Self::Disputed => Some(Settled::Disputed),
            Self::Open => None,
        }
    }
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = Api::new(&args.server)?;
    let path = |month: &str, what: &str| format!("/api/v1/ledger/{}{what}", escape(month));
    match args.action {
        Action::Show { month } => print!("{}", table(&api.get(&path(&month, "")).await?)?),
        Action::Export { month, file } => {
            let ending = file.extension().and_then(|ending| ending.to_str());
            let Some(format @ ("csv" | "xlsx")) = ending else {
                return Err(UserError("文件名要以 .csv 或 .xlsx 结尾".into()).into());
            };
            let bytes = api.download(&path(&month, &format!("?format={format}"))).await?;
            let written = private::create(&file).and_then(|mut out| out.write_all(&bytes));
            written.map_err(|e| UserError(format!("{}：写不了：{e}", file.display())))?;
            println!("已写出 {}", file.display());
        }
        Action::Settle { notice, member, how, note } => {
            let body = json!({ "notice": notice, "member": member, "settled": how.settled(), "note": note });
            api.post("/api/v1/ledger/settle", &body).await?;
            println!("已记录");
        }
        Action::Close { month } => {
            let close = api.post(&path(&month, "/close"), &Value::Null).await?;
            println!("{month} 已结账，共 {} 条，等另一个人复核", close["close"]["lines"]);
        }
        Action::Sign { month, reject } => {
            api.post(&path(&month, "/sign"), &json!({ "accept": !reject })).await?;
            println!("{month} {}", if reject { "已退回，重新打开" } else { "已复核" });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn table(answer: &Value) -> anyhow::Result<String> {
    let lines: Vec<Line> = serde_json::from_value(answer["lines"].clone()).context("the answer cannot be read")?;
    let mut out = String::new();
    for line in &lines {
        let name = if line.name.is_empty() { line.member.as_str() } else { &line.name };
        let settled = line.settled.map_or("待处理", Settled::zh);
        let answered = if line.answered.is_some() { "迟回执" } else { "未回执" };
        let _ = write!(out, "{}  {name}  {answered}  {} 分钟", line.notice, line.late_minutes);
        if line.amount_fen > 0 {
            let _ = write!(out, "  {}.{:02} 元", line.amount_fen / 100, line.amount_fen % 100);
        }
        let _ = writeln!(out, "  {settled}  {}", line.summary);
    }
    let _ = write!(out, "共 {} 条", lines.len());
    let total = answer["total_fen"].as_u64().unwrap_or_default();
    if total > 0 {
        let _ = write!(out, "，合计 {}.{:02} 元（不含免除）", total / 100, total % 100);
    }
    let _ = match answer["close"]["state"].as_str() {
        Some("signed") => writeln!(out, "，已结账"),
        Some(_) => writeln!(out, "，已结账，待复核"),
        None => writeln!(out),
    };
    Ok(out)
}
