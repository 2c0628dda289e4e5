//! `qunguan policy explain [NAME]`: what happens to whom under a policy, in words; `qunguan policy list`: which there are.

use std::process::ExitCode;

use super::ConfigArg;
use crate::{
    policy::{Policy, explain::explain},
    settings::Problems,
    settings::{Problem, Settings, files::Kind},
};

/// 用白话说明策略。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 说明谁违规几次会怎样（按真实规则推演得出）
    Explain {
        /// 策略名；不写则说明 default
        #[arg(default_value = "default")]
        name: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// 列出可用的策略
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Prints on stdout; a policy with mistakes is an error that names each.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Explain { name, config } => {
            let policy = read(&config.load_offline()?, name).map_err(Problems)?;
            println!("{}", explain(&policy));
        }
        Command::List { config } => {
            let settings = config.load_offline()?;
            for name in settings.files.list(Kind::Policy) {
                println!("{name}\t{}", read(&settings, &name).map_err(Problems)?.title);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A policy from the config folder, or the shipped one.
fn read(settings: &Settings, name: &str) -> Result<Policy, Vec<Problem>> {
    Settings::policy(&settings.files.read(Kind::Policy, name).map_err(|problem| vec![problem])?)
}
