//! The command line: one file a subcommand, exit codes a script can rely on, Chinese help.
//!
//! | code | means |
//! |---|---|
//! | 0 | done |
//! | 1 | the input or the configuration is wrong; stderr says what |
//! | 2 | wrong usage of the command line |
//! | 70 | a fault of the program or the machine |

#[cfg(unix)]
mod account;
mod activity;
mod archive;
mod audit;
mod backtest;
mod check;
mod demo;
mod evaluate;
mod healthcheck;
mod history;
mod init;
mod ledger;
pub mod logging;
mod notice;
mod policy;
mod read_file;
mod rule;
mod rulebook;
mod run;
mod scan;
mod server;
mod simulate;
mod snapshot;
mod store;
pub mod tour;
mod train;
mod usage;
mod words;

use std::{
    fs::File,
    io::{self, ErrorKind},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    detect::Detector,
    encoding,
    file_text::apart::READ_FILE,
    model::Timestamp,
    settings::{Log, Problems, Settings},
    store::StoreError,
    zh,
};

/// Where `run` looks for its settings.
pub const DEFAULT_CONFIG: &str = "config/qunguan.toml";
/// Where `run` listens, instead of what the settings say: for containers.
const LISTEN: &str = "QUNGUAN_LISTEN";
/// Exit code: the input or the configuration is wrong.
pub const WRONG_INPUT: u8 = 1;
/// Exit code: a fault of the program or the machine.
pub const INTERNAL: u8 = 70;

#[derive(Debug, Parser)]
#[command(
    name = "qunguan",
    version,
    about = "群管：让企业微信群保持秩序",
    after_help = "第一次用：qunguan demo 打开一个不需要账号的演示；qunguan init 写出可以修改的设置。",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 打开演示：不需要账号和设置
    Demo(demo::Args),
    /// 运行群管
    Run(run::Args),
    /// 写出设置、策略、群规和词表，供修改
    Init(init::Args),
    /// 检查设置、策略、群规和词表
    Check(check::Args),
    /// 逐行判断消息：每行一条，结果也每行一条
    Scan(scan::Args),
    /// 用历史消息试一个策略：会发生什么，不影响任何人
    Backtest(backtest::Args),
    /// 用标好的文本衡量识别效果
    Evaluate(evaluate::Args),
    /// 从标好的文本和管理员的判断里学习
    Train(train::Args),
    /// 启动一个模拟的企业微信，供这个或别的机器人测试
    Simulate(simulate::Args),
    /// 用白话说明策略：谁违规几次会怎样
    Policy(policy::Args),
    /// 查看群规和覆盖情况
    Rulebook(rulebook::Args),
    /// 规则的阶段和准确率，对命中下结论
    Rule(rule::Args),
    /// 备份、恢复、检查群管保存的数据
    Store(store::Args),
    /// 发布要求回执的通知，查看谁回执了
    Notice(Box<notice::Args>),
    /// 台账：谁迟回执、迟多久、怎样了结；按月结账
    Ledger(ledger::Args),
    /// 活动：发布、签到、请假、结果
    Activity(activity::Args),
    /// 控制台的账号：新建、查看、停用、重置密码
    #[cfg(unix)]
    Account(account::Args),
    /// 操作记录：谁在什么时候对什么做了什么
    Audit(audit::Args),
    /// 会话存档里没能读出的消息：再读一次
    Archive(archive::Args),
    /// 把词表推送为企业微信自己的敏感词
    Words(words::Args),
    /// 问正在运行的群管是否正常（供容器使用）
    Healthcheck(healthcheck::Args),
    #[command(hide = true, name = READ_FILE)]
    ReadFile(read_file::Args),
}

/// Parses the command line, runs the subcommand and turns its end into an exit code.
pub fn main() -> ExitCode {
    a_closed_pipe_is_no_fault();
    let cli = match usage::parse::<Cli>(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Command::ReadFile(args) = &cli.command {
        return read_file::run(args);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&anyhow::Error::from(error).context("cannot start the runtime")),
    };
    let run = std::panic::AssertUnwindSafe(|| runtime.block_on(dispatch(cli.command)));
    match std::panic::catch_unwind(run) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => end(&error),
        Err(_) => ExitCode::from(INTERNAL), // the panic itself was printed where it happened
    }
}

/// `qunguan policy explain | head`: whoever reads has read enough, so the command ends without a word.
fn a_closed_pipe_is_no_fault() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let closed = |why: &String| why.starts_with("failed printing to stdout") && why.contains("os error 32");
        if panic.payload().downcast_ref::<String>().is_some_and(closed) {
            std::process::exit(0);
        }
        report(panic);
    }));
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => Box::pin(demo::run(&args)).await,
        Command::Run(args) => Box::pin(run::run(&args)).await,
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args).await,
        Command::Scan(args) => scan::run(&args),
        Command::Backtest(args) => backtest::run(&args).await,
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Train(args) => train::run(&args).await,
        Command::Simulate(args) => {
            logging::start(&Log::default())?;
            simulate::run(args).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Policy(args) => policy::run(&args),
        Command::Rulebook(args) => rulebook::run(&args).await,
        Command::Rule(args) => rule::run(args).await,
        Command::Store(args) => store::run(args).await,
        Command::Notice(args) => notice::run(*args).await,
        Command::Ledger(args) => ledger::run(args).await,
        #[cfg(unix)]
        Command::Account(args) => account::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Activity(args) => activity::run(args).await,
        Command::Archive(args) => Box::pin(archive::run(&args)).await,
        Command::Words(args) => words::run(&args).await,
        Command::Healthcheck(args) => healthcheck::run(&args),
        Command::ReadFile(args) => Ok(read_file::run(&args)),
    }
}

/// A moment as people type it: `2026-12-01 09:00` or `2026-12-01` in the time zone of the settings, or RFC 3339.
fn local_time(text: &str) -> Result<Timestamp, String> {
    let civil = || {
        let time = text.parse::<jiff::civil::DateTime>().ok();
        time.or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))
    };
    let moment = text.parse().ok().or_else(|| Some(civil()?.to_zoned(zh::zone()).ok()?.timestamp()));
    moment.ok_or_else(|| "时间应当像 2026-12-01 09:00".to_owned())
}

/// Something the person at the terminal can put right; everything else is a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UserError(pub String);

impl UserError {
    /// A file or folder that the system refuses.
    fn refused(what: &str, path: &Path, error: &io::Error) -> Self {
        Self(format!("{what} {}：{}", path.display(), zh::refusal(error)))
    }
}

/// Opens a file to read, or stdin for `-`.
fn open(path: &Path) -> Result<Box<dyn io::Read>, UserError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)
        .and_then(|file| if file.metadata()?.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok(file) });
    file.map(|file| Box::new(file) as Box<dyn io::Read>).map_err(|error| UserError::refused("打不开", path, &error))
}

/// The detector of the settings; what is wrong with the wordlists is said beside the results.
fn detector(settings: &Settings, now: Timestamp) -> Result<Detector, Problems> {
    let (detector, troubles) = settings.detector(now).map_err(Problems)?;
    for problem in troubles.grave.iter().chain(&troubles.lines) {
        eprintln!("{problem}");
    }
    Ok(detector)
}

/// A text file of the person at the terminal, in whatever encoding it was saved.
fn read_text(path: &Path) -> Result<String, UserError> {
    let bytes = std::fs::read(path).map_err(|error| UserError::refused("读不了", path, &error))?;
    let text = encoding::decode(&bytes);
    let text =
        text.map_err(|line| UserError(format!("{}:{line}: 不是 UTF-8 编码，请用 UTF-8 另存", path.display())))?;
    Ok(text.into_owned())
}

/// Prints an error once and says the exit code.
fn end(error: &anyhow::Error) -> ExitCode {
    if error.chain().filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS; // `qunguan scan | head` has seen enough
    }
    if let Some(user) = error.chain().find(|e| e.is::<UserError>() || e.is::<Problems>()) {
        eprintln!("{user}");
        return ExitCode::from(WRONG_INPUT);
    }
    if let Some(StoreError::InUse(folder)) = error.chain().find_map(|e| e.downcast_ref::<StoreError>()) {
        eprintln!("数据文件夹 {folder} 正被另一个群管使用，请先停掉它");
        return ExitCode::from(WRONG_INPUT);
    }
    if let Some(StoreError::Unusable(folder, why)) = error.chain().find_map(|e| e.downcast_ref::<StoreError>()) {
        eprintln!("数据文件夹 {} 不能用：{}", folder.display(), zh::refusal(why));
        return ExitCode::from(WRONG_INPUT);
    }
    eprintln!("qunguan: {error:#}");
    ExitCode::from(INTERNAL)
}

/// `--config FILE`, the same for every subcommand that reads settings.
#[derive(Debug, clap::Args)]
pub struct ConfigArg {
    /// 设置文件；不写则用 config/qunguan.toml
    #[arg(long, value_name = "FILE", global = true, display_order = 899)]
    config: Option<PathBuf>,
}

impl ConfigArg {
    /// The file to read.
    pub fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG))
    }
    /// The settings with their secrets, for a process that talks to WeCom.
    pub fn load(&self) -> Result<Settings, Problems> {
        Settings::load(self.path()).map_err(Problems)
    }
    /// The same, or the built-in ones where nobody wrote any.
    pub fn load_or_built_in(&self) -> Result<Settings, Problems> {
        if self.is_built_in() { Ok(Settings::default()) } else { self.load() }
    }
    /// The settings without fetching secrets, for what never talks to WeCom; the built-in ones where nobody wrote any.
    pub fn load_offline(&self) -> Result<Settings, Problems> {
        if self.is_built_in() { Ok(Settings::default()) } else { Settings::load_offline(self.path()).map_err(Problems) }
    }
    /// Where the bot listens, whatever else is wrong with the settings: `QUNGUAN_LISTEN`, else what the file says of it.
    fn listen(&self) -> SocketAddr {
        let from_file = || {
            let text = std::fs::read_to_string(self.path()).ok()?;
            let lines = text.lines().take_while(|line| !line.trim_start().starts_with('['));
            let values =
                lines.filter_map(|line| line.trim_start().strip_prefix("listen")?.trim_start().strip_prefix('='));
            values.last()?.split(['"', '\'']).nth(1)?.parse().ok()
        };
        let named = std::env::var(LISTEN).ok().and_then(|address| address.parse().ok());
        named.or_else(from_file).unwrap_or(Settings::default().listen)
    }
    fn is_built_in(&self) -> bool {
        self.config.is_none() && !Path::new(DEFAULT_CONFIG).exists()
    }
}
