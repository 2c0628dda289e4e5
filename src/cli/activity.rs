//! `qunguan activity announce|show`: activities with a sign-in, through the running bot.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    local_time,
    server::{Api, Server, escape},
};
use crate::model::Timestamp;

/// 活动：发布、签到、请假、结果。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 在群里发布活动，打印它的编号
    Announce {
        /// 活动名称
        #[arg(value_name = "TITLE")]
        title: String,
        /// 地点、要带什么
        #[arg(long, value_name = "TEXT", default_value = "")]
        details: String,
        /// 这个群的所有人都参加；可写多次
        #[arg(long, value_name = "GROUP", required = true)]
        group: Vec<String>,
        /// 开始，例如 "2026-12-01 19:00"
        #[arg(long, value_name = "WHEN", value_parser = local_time)]
        starts: Timestamp,
        /// 结束
        #[arg(long, value_name = "WHEN", value_parser = local_time)]
        ends: Timestamp,
        /// 收签到结果、写总结的人
        #[arg(long, value_name = "USERID")]
        organiser: String,
        /// 开始前多少分钟起可以签到
        #[arg(long, value_name = "MINUTES", default_value_t = 30)]
        opens: u32,
        /// 开始后多少分钟内签到不算迟到
        #[arg(long, value_name = "MINUTES", default_value_t = 0)]
        tolerance: u32,
        /// 开始后多少分钟签到结束
        #[arg(long, value_name = "MINUTES", default_value_t = 60)]
        closes: u32,
        /// 开始前多少分钟提醒，0 为不提醒
        #[arg(long, value_name = "MINUTES", default_value_t = 30)]
        remind: u32,
        /// 重复：day 每天、workday 每个工作日、week 每周、month 每月；一次签到结束就公布下一次
        #[arg(long, value_name = "EVERY", value_parser = ["day", "workday", "week", "month"])]
        repeat: Option<String>,
    },
    /// 取消活动，群里会收到通知
    Cancel {
        /// 活动编号
        #[arg(value_name = "ID")]
        id: String,
    },
    /// 谁签到了、迟到、请假、缺席
    Show {
        /// 活动编号
        #[arg(value_name = "ID")]
        id: String,
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = Api::new(&args.server)?;
    match args.action {
        Action::Announce {
            title,
            details,
            group,
            starts,
            ends,
            organiser,
            opens,
            tolerance,
            closes,
            remind,
            repeat,
        } => {
            let mut plan = json!({ "title": title, "details": details, "groups": group, "starts": starts, "ends": ends,
                "organiser": organiser, "opens_minutes": opens, "tolerance_minutes": tolerance,
                "closes_minutes": closes, "remind_minutes": remind });
            if let Some(every) = repeat {
                plan["repeat"] = json!({ "every": every });
            }
            let answer = api.post("/api/v1/activities", &plan).await?;
            println!("{}", answer["id"].as_str().unwrap_or_default());
        }
        Action::Cancel { id } => {
            api.delete(&format!("/api/v1/activities/{}", escape(&id))).await?;
            println!("已取消");
        }
        Action::Show { id, json } => {
            let answer = api.get(&format!("/api/v1/activities/{}", escape(&id))).await?;
            match answer["report"].as_str() {
                Some(report) if !json => println!("{report}"),
                _ => println!("{answer}"),
            }
            if let (false, Value::String(summary)) = (json, &answer["summary"]) {
                println!("总结：{summary}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
