//! `qunguan rule list|judge`: at which stage each rule is and how often it was right; what a person says of a case.

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
    },
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
        Action::Judge { case, verdict } => {
            let violation = verdict == Verdict::Right;
            api.post(&format!("/api/v1/cases/{}/verdict", escape(&case)), &json!({ "violation": violation })).await?;
            println!("{}", if violation { "已记为违规" } else { "已记为误判并撤销" });
        }
    }
    Ok(ExitCode::SUCCESS)
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
