//! `qunguan rulebook list|show|coverage`: which regulations there are, what they say, and how far the bot answers for them.

use std::{process::ExitCode, sync::Arc};

use super::{ConfigArg, server::Api};
use crate::{
    model::{Clock, SystemClock, Timestamp},
    policy::rulebook::{Clause, Coverage, Rulebook, Totals},
    rulebooks::{self, AdoptedVersion},
    settings::Problems,
    settings::{Problem, Settings, files::Kind},
    store::embedded::EmbeddedStore,
    zh,
};

/// 群规：条款与覆盖情况。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 列出所有群规
    List {
        #[command(flatten)]
        output: Output,
    },
    /// 逐条显示一份群规
    Show {
        /// 群规名，例如 sales-group
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// 每份群规有多少条自动执行、只观察、计划中、靠人
    Coverage {
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, clap::Args)]
struct Output {
    #[command(flatten)]
    config: ConfigArg,
    /// 输出 JSON
    #[arg(long)]
    json: bool,
}

/// Prints on stdout; a rulebook with mistakes is an error that names each.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List { output } => list(&all(output)?, output.json)?,
        Command::Show { name, output } => {
            let settings = output.config.load_offline()?;
            show(&read(&settings, name).map_err(Problems)?, output.json)?;
            if !output.json {
                for lived in lived(&output.config).await.iter().filter(|lived| lived.rulebook == *name) {
                    println!("{}", where_it_holds(lived, &settings, SystemClock.now()));
                }
            }
        }
        Command::Coverage { output } => coverage(&all(output)?, output.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What groups live under, asked from the running bot, or read from its store while it is stopped; nothing where neither can
/// be had.
pub(super) async fn lived(config: &ConfigArg) -> Vec<AdoptedVersion> {
    let Ok(settings) = config.load_or_built_in() else { return Vec::new() };
    if let Some(api) = Api::by_the_way(&settings)
        && let Ok(mut answer) = api.get("/api/v1/rulebooks").await
        && let Ok(lived) = serde_json::from_value(answer["rulebooks"].take())
    {
        return lived;
    }
    let folder = settings.store_folder();
    if !folder.is_dir() {
        return Vec::new();
    }
    match EmbeddedStore::open(&folder) {
        Ok(store) => rulebooks::read(&store).await.unwrap_or_default(),
        Err(_) => Vec::new(), // the bot has it open and did not answer
    }
}

/// `华东销售群：第 1 版有效；第 2 版 5月7日 10:00 起生效`.
fn where_it_holds(lived: &AdoptedVersion, settings: &Settings, now: Timestamp) -> String {
    let group = settings.groups.iter().find(|group| group.id == lived.group);
    let name = group.map(|group| group.name.as_str()).filter(|name| !name.is_empty());
    let mut line = format!("{}：第 {} 版有效", name.unwrap_or(lived.group.as_str()), lived.versions.at(now).version);
    if let Some(next) = lived.versions.coming(now) {
        let note = if next.told { "" } else { "（还没有告知）" };
        let from = zh::when(next.effective, now);
        line.push_str(&format!("；第 {} 版 {from} 起生效{note}", next.rulebook.version));
    }
    line
}

fn all(output: &Output) -> anyhow::Result<Vec<Arc<Rulebook>>> {
    Ok(output.config.load_offline()?.rulebooks().map_err(Problems)?.into_values().collect())
}

/// A rulebook from the config folder, or the shipped one.
fn read(settings: &Settings, name: &str) -> Result<Rulebook, Vec<Problem>> {
    Settings::rulebook(&settings.files.read(Kind::Rulebook, name).map_err(|problem| vec![problem])?)
}

fn list(rulebooks: &[Arc<Rulebook>], json: bool) -> anyhow::Result<()> {
    if json {
        let lines = rulebooks.iter().map(|book| {
            serde_json::json!({ "name": book.name, "title": book.title, "version": book.version, "clauses": book.clauses.len() })
        });
        println!("{}", serde_json::to_string_pretty(&lines.collect::<Vec<_>>())?);
        return Ok(());
    }
    for book in rulebooks {
        println!("{}\t《{}》第 {} 版，{} 条", book.name, book.title, book.version, book.clauses.len());
    }
    Ok(())
}

fn show(book: &Rulebook, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(book)?);
        return Ok(());
    }
    println!("《{}》第 {} 版，改动提前 {} 天告知", book.title, book.version, book.announce_days);
    if let Some(policy) = &book.policy {
        println!("处罚办法最接近的策略：{policy}");
    }
    for clause in &book.clauses {
        println!("{}  {}\n    {}", clause.cite, clause.text, how(clause));
    }
    Ok(())
}

/// Who answers for a clause and how, in one line.
fn how(clause: &Clause) -> String {
    let coverage = clause.coverage();
    if let Some(reason) = &clause.manual {
        return format!("{}：{reason}", coverage.zh());
    }
    let checks: Vec<&str> = clause.checks.iter().map(|check| check.zh()).collect();
    let response = match coverage {
        Coverage::Enforced => format!("；{}", clause.response.zh()),
        _ => String::new(),
    };
    format!("{}：{}{response}", coverage.zh(), checks.join("、"))
}

fn coverage(rulebooks: &[Arc<Rulebook>], json: bool) -> anyhow::Result<()> {
    let totals: Vec<Totals> = rulebooks.iter().map(|book| book.totals()).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&totals)?);
        return Ok(());
    }
    let heads: Vec<&str> = Coverage::ALL.iter().map(|coverage| coverage.zh()).collect();
    println!("群规\t条款\t{}", heads.join("\t"));
    let mut sum = Totals { rulebook: "合计".into(), ..Totals::default() };
    for line in &totals {
        print_line(line);
        sum.clauses += line.clauses;
        sum.enforced += line.enforced;
        sum.watched += line.watched;
        sum.planned += line.planned;
        sum.manual += line.manual;
    }
    print_line(&sum);
    Ok(())
}

fn print_line(totals: &Totals) {
    let Totals { rulebook, clauses, enforced, watched, planned, manual } = totals;
    println!("{rulebook}\t{clauses}\t{enforced}\t{watched}\t{planned}\t{manual}");
}
