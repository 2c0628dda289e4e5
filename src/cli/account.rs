//! `qunguan account`: accounts of the console, from the machine itself. While the bot runs it does what is wished for; while
//! it does not, this process opens the store.

use std::{
    io::{IsTerminal, Read},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::Subcommand;

use super::{ConfigArg, UserError, server::reachable};
use crate::{
    access::{AccountRole, People},
    accounts::{
        Accounts,
        socket::{self, Told, Wish},
    },
    contacts::{Company, Contacts},
    groups::{self, Groups},
    model::{GroupId, MemberId, SystemClock},
    settings::Settings,
    store::{Store, StoreError, embedded::EmbeddedStore},
};

/// 控制台的账号：新建、查看、停用、重置密码。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 新建账号；打印一个设密码的链接，或者用 --password-stdin 直接给密码
    Create {
        /// 名字
        #[arg(value_name = "NAME")]
        name: String,
        /// 角色：root 超级管理员、admin 管理员、reviewer 审核员、owner 群主、auditor 审计员、member 成员
        #[arg(long, value_name = "ROLE", value_parser = role)]
        role: AccountRole,
        /// 企业微信 userid：需要两个人的事，本人和账号算同一个人
        #[arg(long, value_name = "USERID")]
        person: Option<String>,
        /// 只管这个群，可以写几次
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// 从标准输入读密码（一行）
        #[arg(long)]
        password_stdin: bool,
    },
    /// 列出账号
    List,
    /// 停用账号：立即退出，不能再登录
    Disable {
        /// 名字
        #[arg(value_name = "NAME")]
        name: String,
        /// 改为恢复
        #[arg(long)]
        undo: bool,
    },
    /// 重置密码：原来的密码和动态码作废；打印一个设密码的链接，或者用 --password-stdin 直接给密码
    Reset {
        /// 名字
        #[arg(value_name = "NAME")]
        name: String,
        /// 从标准输入读密码（一行）
        #[arg(long)]
        password_stdin: bool,
    },
}

fn role(text: &str) -> Result<AccountRole, String> {
    let known = || AccountRole::ALL.iter().map(|role| role.id()).collect::<Vec<_>>().join("、");
    text.parse().map_err(|_| format!("可以写 {}", known()))
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_offline()?;
    let (wish, done) = match args.action {
        Action::Create { name, role, person, groups, password_stdin } => {
            let password = password_stdin.then(password).transpose()?;
            let done = format!("已新建账号「{name}」（{}）", role.zh());
            let groups = groups.into_iter().map(GroupId::from).collect();
            (Wish::Create { name, role, person: person.map(MemberId::from), groups, password }, done)
        }
        Action::List => (Wish::List, String::new()),
        Action::Disable { name, undo } => {
            let done = format!("账号「{name}」{}", if undo { "可以登录了" } else { "已停用" });
            (Wish::Disable { name, again: undo }, done)
        }
        Action::Reset { name, password_stdin } => {
            let password = password_stdin.then(password).transpose()?;
            let done = format!("账号「{name}」原来的密码已作废");
            (Wish::Reset { name, password }, done)
        }
    };
    let told = ask(&settings, wish).await?;
    if let Some(refused) = told.refused {
        return Err(UserError(refused).into());
    }
    for account in &told.accounts {
        println!("{account}");
    }
    if !done.is_empty() {
        println!("{done}");
    }
    if let Some(code) = told.code {
        let base = settings.http.public_url.clone();
        let base = base.unwrap_or_else(|| format!("http://{}", reachable(settings.listen)));
        println!("设密码的链接（3 天内有效，只能用一次）：");
        println!("{base}/setup?code={code}");
    }
    Ok(ExitCode::SUCCESS)
}

fn password() -> anyhow::Result<String> {
    let mut text = String::new();
    if std::io::stdin().is_terminal() {
        eprintln!("请输入密码，回车结束：");
        std::io::stdin().read_line(&mut text).context("reading the password")?;
    } else {
        std::io::stdin().read_to_string(&mut text).context("reading the password")?;
    }
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

async fn ask(settings: &Settings, wish: Wish) -> anyhow::Result<Told> {
    let folder = settings.store_folder();
    let opening = folder.clone();
    match tokio::task::spawn_blocking(move || EmbeddedStore::open(&opening)).await? {
        Ok(store) => {
            let store: Arc<dyn Store> = Arc::new(store);
            let groups = Arc::new(Groups::load(store.clone(), groups::configured(settings)).await?);
            let company = Company::new(groups, Arc::new(Contacts::load(store.clone()).await?));
            let accounts =
                Accounts::load(store, Arc::new(SystemClock), company.groups, People::default(), Vec::new()).await?;
            Ok(accounts.wish(wish).await)
        }
        Err(StoreError::InUse(_)) => running(&folder, &wish),
        Err(error) => Err(error.into()),
    }
}

fn running(folder: &Path, wish: &Wish) -> anyhow::Result<Told> {
    let told = socket::ask(folder, wish);
    Ok(told.map_err(|error| UserError(format!("正在运行的群管没有应答：{}", crate::zh::refusal(&error))))?)
}
