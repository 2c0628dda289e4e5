//! `qunguan archive retry`: reads archived messages again that were set aside because no key opened them, or nobody could read
//! them, and judges those that can be read now.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{ConfigArg, UserError, logging};
use crate::{
    app::{App, Overrides, open_archive},
    channels::archive::ArchiveChannel,
    file_text::apart::Reader,
    model::SystemClock,
};

/// 会话存档里没能读出的消息。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 再读一次：补上私钥、换了新版之后用。先停下群管；群管每次启动时也会自己再读一次
    Retry {
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Says how many were read and why the others were not.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Retry { config } = &args.command;
    let settings = config.load()?;
    logging::start(&settings.log)?;
    let wecom = settings.wecom.as_ref().and_then(|wecom| Some((wecom.corp_id.clone(), wecom.archive.clone()?)));
    let Some((corp_id, archive)) = wecom else {
        return Err(UserError("设置里没有 [wecom.archive]".into()).into());
    };
    let source = open_archive(&corp_id, &archive).map_err(|error| UserError(error.to_string()))?;
    let clock = Arc::new(SystemClock);
    let with = Overrides { files: Reader::apart()?, ..Overrides::default() };
    let app = App::open(settings, clock.clone(), with).await?;
    let never = Duration::MAX;
    let (store, moderation) = (app.store(), app.moderation());
    let wake = Arc::new(Notify::new());
    let channel = ArchiveChannel::new(Arc::new(source), store, moderation, clock, never, wake, app.eyes());
    let retried = channel.retry().await?;
    println!("读出 {} 条，已照常判断；还有 {} 条读不出。", retried.read, retried.left.len());
    for (position, why) in &retried.left {
        println!("  第 {} 条：{why}", position.trim_start_matches('0'));
    }
    Ok(ExitCode::SUCCESS)
}
