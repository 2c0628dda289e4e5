//! `qunguan words sync [--dry-run]`: makes WeCom's own 敏感词 equal to the chosen wordlists, and prints the difference.
//! `qunguan words export --for 防骚扰`: the wordlists for what only people can set in WeCom.

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
    sync::Arc,
};

use secrecy::SecretString;

use super::{ConfigArg, UserError};
use crate::{
    intercept::{self, Choice},
    model::{Clock, SystemClock},
    settings::Problems,
    settings::{Settings, files::Kind},
    wecom::{
        client::{Client, ClientError},
        errors::hint,
    },
};

/// 企业微信自己的敏感词和防骚扰。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 让企业微信的敏感词与设置里选的词表一致，并打印差别；公司自己的规则不动
    Sync {
        #[command(flatten)]
        config: ConfigArg,
        /// 只打印差别，不改动
        #[arg(long)]
        dry_run: bool,
    },
    /// 写出词表，供粘贴到企业微信自己的工具里
    Export {
        #[command(flatten)]
        config: ConfigArg,
        /// 给哪个工具
        #[arg(long = "for", value_name = "TOOL")]
        tool: Tool,
        /// 只用这些词表，如 ads/contact；不写则用全部
        #[arg(long = "list", value_name = "NAME")]
        lists: Vec<String>,
    },
}

/// WeCom's own tools that no API reaches.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Tool {
    /// 客户群的防骚扰
    #[value(name = "防骚扰", alias = "harassment")]
    Harassment,
}

/// Prints the difference on stdout, then carries it out.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (config, dry_run) = match &args.command {
        Command::Sync { config, dry_run } => (config, dry_run),
        Command::Export { config, tool: Tool::Harassment, lists } => return export(config, lists),
    };
    let settings = config.load()?;
    let Some(wecom) = &settings.wecom else { return Err(UserError("设置里没有 [wecom]".into()).into()) };
    let (Some(app), Some(wanted)) = (&wecom.app, &wecom.intercept) else {
        return Err(UserError("设置里没有 [wecom.intercept]：没有选要推送的词表".into()).into());
    };
    let clock = Arc::new(SystemClock);
    let (wanted, choice) = intercept::wanted(&settings, wanted, clock.now()).map_err(Problems)?;
    let secret = SecretString::from(app.secret.expose().to_owned());
    let client = Client::new(&wecom.api_base, &wecom.corp_id, app.agent_id, secret, clock)?;
    let (ours, others) = intercept::read(&client).await.map_err(explained)?;
    let plan = intercept::plan(wanted, &ours, others).map_err(|e| UserError(e.to_string()))?;
    say(&format!("{plan}{}", left_out(&choice)))?;
    if plan.changes.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if *dry_run || is_dry_run(&settings) {
        say("没有改动。\n")?;
    } else {
        intercept::apply(&client, &plan).await.map_err(explained)?;
        say("已同步。\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Words that decide alone, in rules of the size that the tool takes.
fn export(config: &ConfigArg, lists: &[String]) -> anyhow::Result<ExitCode> {
    let settings = config.load_offline()?;
    let known = settings.lists().0.read_all().0;
    let unknown = lists.iter().find(|name| !known.iter().any(|list| *list.name() == *Kind::Wordlist.file(name)));
    if let Some(name) = unknown {
        return Err(UserError(format!("没有词表 {name}")).into());
    }
    let choice = intercept::chosen(&settings, Some(lists).filter(|lists| !lists.is_empty()), true, SystemClock.now())
        .map_err(Problems)?;
    say(&intercept::for_harassment(&choice))?;
    eprint!("{}", left_out(&choice));
    Ok(ExitCode::SUCCESS)
}

/// Prints; a reader who has seen enough (`| head`) does not keep the change from being made.
fn say(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn is_dry_run(settings: &Settings) -> bool {
    if settings.dry_run {
        eprintln!("设置里 dry_run = true，只看不改");
    }
    settings.dry_run
}

/// What of the chosen lists stays with the bot.
fn left_out(choice: &Choice) -> String {
    if choice.left_out.is_empty() {
        return String::new();
    }
    let total: usize = choice.left_out.values().sum();
    let parts: Vec<String> = choice.left_out.iter().map(|(why, count)| format!("{count} 条{}", why.zh())).collect();
    format!("另有 {total} 条词条推不过去，仍由群管识别：{}。\n", parts.join("，"))
}

/// What WeCom refuses is for the admin to mend; the network is told as it is.
fn explained(error: ClientError) -> anyhow::Error {
    match error.code() {
        Some(code) if !hint(code).is_empty() => UserError(format!("企业微信拒绝：{error}：{}", hint(code))).into(),
        Some(_) => UserError(format!("企业微信拒绝：{error}")).into(),
        None => anyhow::Error::from(error).context("asking WeCom"),
    }
}
