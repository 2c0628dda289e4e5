//! `qunguan rule list|judge|allowed|disallow`: at which stage each rule is and how often it was right; what a person says of a
//! case, and which sentences pass since.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::server::{Api, Server, escape};
use crate::model::Stage;

/// 规则的阶段和准确率，对命中下结论。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 自己加的、改过的和有人下过结论的规则：在哪个阶段，判对多少，还差什么
    List,
    /// 看过一条违规记录后说它对不对；误判的会撤销
    Judge {
        /// 违规记录的编号，例如 8F2K
        #[arg(value_name = "CASE")]
        case: String,
        /// 确属违规，还是误判
        #[arg(value_name = "VERDICT")]
        verdict: Verdict,
        /// 误判的那句话以后放行：在本群，或全公司；不写就只算这一条
        #[arg(long, value_name = "WHERE")]
        allow: Option<Place>,
    },
    /// 放行的句子：哪句、在哪、谁放的、到什么时候
    Allowed {
        /// 只看这个群能用的
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// 收回放行，那句话又照常判断
    Disallow {
        /// 放行的句子所在记录的编号
        #[arg(value_name = "CASE")]
        case: String,
    },
}

/// Where words pass.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Place {
    #[value(name = "本群", alias = "group")]
    Group,
    #[value(name = "全公司", alias = "company")]
    Company,
}

/// What a person says of a case.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Verdict {
    #[value(name = "违规", alias = "right")]
    Right,
    #[value(name = "误判", alias = "wrong")]
    Wrong,
}

/// Runs the command.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = Api::new(&args.server)?;
    match args.action {
        Action::Allowed { group } => {
            let query = group.map(|group| format!("?group={}", escape(&group))).unwrap_or_default();
            let answer = api.get(&format!("/api/v1/allowed{query}")).await?;
            let all = answer["allowed"].as_array().cloned().unwrap_or_default();
            if all.is_empty() {
                println!("没有放行的句子。");
            }
            for item in &all {
                println!("{}", allowed(item));
            }
        }
        Action::Disallow { case } => {
            api.delete(&format!("/api/v1/allowed/{}", escape(&case))).await?;
            println!("已收回，照常判断");
        }
        Action::List => {
            let answer = api.get("/api/v1/rules").await?;
            let rules = answer["rules"].as_array().cloned().unwrap_or_default();
            if rules.is_empty() {
                println!("没有自己加的规则，也还没有人对命中下过结论。自带的规则都在执行。");
            }
            for rule in &rules {
                println!("{}", line(rule));
            }
        }
        Action::Judge { case, verdict, allow } => {
            let violation = verdict == Verdict::Right;
            let mut said = json!({ "violation": violation });
            if let Some(place) = allow {
                said["allow"] = json!(if place == Place::Group { "group" } else { "company" });
            }
            api.post(&format!("/api/v1/cases/{}/verdict", escape(&case)), &said).await?;
            println!("{}", if violation { "已记为违规" } else { "已记为误判并撤销" });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn allowed(item: &Value) -> String {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let first = text("text").lines().next().unwrap_or_default();
    let place = item["group"].as_str().unwrap_or("全公司");
    let until = item["until"].as_str().map_or_else(|| "没有期限".to_owned(), |until| format!("至 {until}"));
    let note = item["note"].as_str().map(|note| format!("（{note}）")).unwrap_or_default();
    format!("{}  {first}  {place}  {until}  {}{note}", text("case"), text("by"))
}

fn line(rule: &Value) -> String {
    let text = |name: &str| rule[name].as_str().unwrap_or_default();
    let stage = text("stage").parse::<Stage>().map_or_else(|_| text("stage").to_owned(), |stage| stage.zh().to_owned());
    let mut line = format!("{stage}  {}  {}", text("rule"), text("says"));
    for more in [text("missing"), rule["changes"].as_array().and_then(|all| all.last()?["why"].as_str()).unwrap_or("")]
    {
        if !more.is_empty() {
            line = format!("{line}；{more}");
        }
    }
    line
}
