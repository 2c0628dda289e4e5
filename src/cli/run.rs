//! `qunguan run`: the bot.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use tokio::net::TcpListener;

use super::{ConfigArg, LISTEN, UserError, logging, server::reachable};
use crate::{
    app::{App, Overrides},
    file_text::apart::Reader,
    model::{Clock, ShiftedClock, SystemClock},
    settings::{Settings, reload::Watched},
    simulator, zh,
};

/// 运行群管。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 监听地址，代替设置里的 listen
    #[arg(long, value_name = "ADDR", env = LISTEN)]
    listen: Option<SocketAddr>,
    /// 时间跟着模拟器走：写 qunguan simulate 打印的 control 地址。只用于试验
    #[arg(long, value_name = "URL")]
    simulator_clock: Option<String>,
}

/// Runs until it is told to stop (Ctrl-C, SIGTERM).
///
/// # Errors
/// The settings are wrong, the store cannot be opened, or the address is taken.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let watched = Watched::now(args.config.path().to_owned());
    let settings = args.config.load()?;
    logging::start(&settings.log)?;
    let metrics = logging::metrics();
    let listen = args.listen.unwrap_or(settings.listen);
    let with = Overrides { config: Some(watched), metrics, files: Reader::apart()?, ..Overrides::default() };
    let clock: Arc<dyn Clock> = match &args.simulator_clock {
        Some(control) => simulator_clock(&settings, control).await?,
        None => Arc::new(SystemClock),
    };
    let console = settings.console.enabled;
    let app = App::open(settings, clock, with).await?;
    let stop = stop_signal()?;
    let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
    if console && let Some(code) = app.accounts().setup_code().await? {
        println!("setup: http://{}/setup?code={code}", reachable(listener.local_addr()?));
    }
    app.run(listener, stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// The clock of a simulator that also stands in for WeCom: nobody's real deadline moves with it.
async fn simulator_clock(settings: &Settings, control: &str) -> anyhow::Result<Arc<ShiftedClock>> {
    let simulated = settings.wecom.as_ref().is_none_or(|wecom| {
        let base = wecom.api_base.trim_end_matches('/');
        control.strip_prefix(base).is_some_and(|path| path.starts_with('/'))
    });
    if !simulated {
        return Err(UserError("--simulator-clock 要和设置里的 api_base 是同一个模拟器".into()).into());
    }
    let clock = simulator::follow(control).await;
    Ok(clock.map_err(|error| UserError(format!("--simulator-clock：模拟器没有应答：{error:#}")))?)
}

/// The address of the settings or the command line is not to be had.
pub fn cannot_listen(address: SocketAddr, error: &io::Error) -> UserError {
    let why = match error.kind() {
        ErrorKind::AddrInUse => "已经有程序在用".to_owned(),
        ErrorKind::AddrNotAvailable => "这台机器没有这个地址".to_owned(),
        _ => zh::refusal(error),
    };
    UserError(format!("不能监听 {address}：{why}"))
}

/// Listens for Ctrl-C and SIGTERM from the moment it is called; what it returns resolves at the first of them. Call it
/// before anyone is told that the process is ready, so that a stop right after the word is an orderly one too.
///
/// # Errors
/// The system refuses the handler.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}
