//! `qunguan run`: the bot.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use tokio::net::TcpListener;

use super::{ConfigArg, logging};
use crate::{
    app::{App, Overrides},
    model::SystemClock,
};

/// 运行群管。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs until it is told to stop (Ctrl-C, SIGTERM).
///
/// # Errors
/// The settings are wrong, the store cannot be opened, or the address is taken.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load()?;
    logging::start(&settings.log)?;
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
    let listen = settings.listen;
    let with = Overrides { config: Some(args.config.path().to_owned()), metrics, ..Overrides::default() };
    let app = App::open(settings, Arc::new(SystemClock), with).await?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    app.run(listener, stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
