//! `qunguan simulate`: a WeCom on this machine, for this bot and for other people's.

use std::{io::Write, net::SocketAddr, sync::Arc};

use anyhow::Context;

use crate::{
    model::ShiftedClock,
    simulator::{Config, Simulator},
};

/// Options of `qunguan simulate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 监听地址，端口写 0 表示自动选择；不写则用 127.0.0.1:8090
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// 从空企业开始，不带示例群和示例成员
    #[arg(long)]
    empty: bool,
}

/// Serves until interrupted.
///
/// # Errors
/// The address cannot be bound.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let stop = super::run::stop_signal()?;
    let config = Config { listen: args.listen, sample: !args.empty, ..Config::default() };
    let simulator = Simulator::start(config, Arc::new(ShiftedClock::new())).await?;
    let credentials = simulator.credentials();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(&credentials).context("credentials as JSON")?)?;
    out.flush()?;
    drop(out);
    tracing::info!(page = %credentials.page, "the simulated WeCom is ready");
    stop.await;
    simulator.stop().await;
    Ok(())
}
