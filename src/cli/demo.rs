//! `qunguan demo`: a WeCom, groups, people and the bot in one process; no account, no settings, nothing leaves the machine.
//!
//! Where `examples/fake_archive_sdk` was built beside the program, the bot hears the groups as it does in a company: through a
//! shared library with the interface of WeCom's, RSA and all. Otherwise the simulator feeds the same loop.

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use askama::Template;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeySize, PrivateDecryptingKey},
};
use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::net::TcpListener;

use super::{
    UserError, logging,
    run::{cannot_listen, stop_signal},
    tour::tour,
};
use crate::{
    app::{App, Overrides},
    console::Welcome,
    file_text::apart::Reader,
    model::{Clock, ShiftedClock},
    settings::{Log, Settings},
    simulator::{Config, Handle, Simulator},
    web,
    wecom::archive::ArchiveSource,
};

/// 打开演示：模拟的企业微信、示例群和群管在一起，不需要账号和设置。
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 网页和接口的监听地址；不写则用 127.0.0.1:8080
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// 数据放在这个文件夹（默认临时文件夹，退出即删）
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Template)]
#[template(path = "demo.html")]
struct DemoPage {
    chat: String,
    console: String,
    /// What to do, and what to send if something.
    steps: Vec<(String, String)>,
}

/// The settings of the demo, over the simulator's accounts.
fn settings(simulator: &Handle, listen: SocketAddr, data: &Path, archive: &str) -> anyhow::Result<Settings> {
    let c = simulator.credentials();
    let text = format!(
        r#"
listen = "{listen}"
data_dir = {data:?}

[http]
public_url = "http://{listen}"

[wecom]
corp_id = "{corp}"
api_base = "{base}"
authorize_url = "{base}/connect/oauth2/authorize"

[wecom.app]
agent_id = {agent}
secret = "{app_secret}"
token = "{app_token}"
aes_key = "{app_key}"

[wecom.bot]
token = "{bot_token}"
aes_key = "{bot_key}"
{archive}
[[api_token]]
name = "demo"
value = "demo-token-for-this-machine-only"

[[group]]
id = "wrHuadongSales"
name = "华东销售群"
mode = "full"
policy = "default"
rulebook = "group-sales"
tell_rules = "changes"
admins = ["zhang"]

[[group]]
id = "wrVipCustomers"
name = "会员福利群"
kind = "customer"
mode = "assisted"
owner = "wang"
policy = "default"
rulebook = "group-sales"
tell_rules = "changes"

[[group]]
id = "wrStoreStaff"
name = "门店内部群"
mode = "assisted"
owner = "zhang"
webhook = "sim-webhook-store-staff"

[[group]]
id = "wrNewProducts"
name = "新品项目群"
kind = "bot"
mode = "watch"
owner = "zhang"
"#,
        data = data.display().to_string(),
        corp = c.corp_id,
        base = c.api_base,
        agent = c.app.agent_id,
        app_secret = c.app.secret,
        app_token = c.app.token,
        app_key = c.app.aes_key,
        bot_token = c.bot.token,
        bot_key = c.bot.aes_key,
    );
    Settings::parse(&text, Path::new("demo.toml"), Some(&|_| None))
        .map_err(|problems| anyhow::Error::new(super::Problems(problems)).context("the demo's own settings"))
}

/// The library of `examples/fake_archive_sdk`, if it was built.
fn shared_library() -> Option<PathBuf> {
    let name = format!("{}fake_archive_sdk{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = std::env::current_exe().ok()?.parent()?.join("examples").join(name);
    library.exists().then_some(library)
}

/// The archive's section: a fresh key pair, whose public half the simulator gets.
fn archive(simulator: &Handle, library: &Path) -> anyhow::Result<String> {
    let pair =
        PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(|_| anyhow::anyhow!("no RSA key pair was made"))?;
    let (private, public): (Pkcs8V1Der<'_>, PublicKeyX509Der<'_>) = (pair.as_der()?, pair.public_key().as_der()?);
    simulator.set_archive_key(1, &pem("PUBLIC KEY", public.as_ref())).map_err(|why| anyhow::anyhow!(why))?;
    let c = simulator.credentials();
    tracing::info!(library = %library.display(), "the archive is read through a shared library");
    Ok(format!(
        r#"
[wecom.archive]
library = {library:?}
secret = "{secret}"
proxy = "{url}"
private_keys = {{ 1 = """
{key}""" }}
"#,
        library = library.display().to_string(),
        secret = c.archive.secret,
        url = c.archive.url,
        key = pem("PRIVATE KEY", private.as_ref()),
    ))
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// Runs until Ctrl-C.
///
/// # Errors
/// The address is taken or the data folder cannot be written.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // What happens is on the pages; the terminal keeps the addresses in sight.
    logging::start(&Log { level: "warn".into(), ..Log::default() })?;
    let temporary = tempfile_dir(args.data.is_none())?;
    let data = args.data.clone().or_else(|| temporary.as_ref().map(|t| t.0.clone())).unwrap_or_default();
    let clock = Arc::new(ShiftedClock::new());
    let simulator_config = Config { notify_every: Duration::from_secs(1), ..Config::default() };
    let simulator = Arc::new(Simulator::start(simulator_config, clock.clone()).await?);
    let page = simulator.credentials().page;
    let mut listener = TcpListener::bind(args.listen).await.map_err(|error| cannot_listen(args.listen, &error))?;
    let listen = listener.local_addr()?;
    simulator.guide(tour(&format!("http://{listen}/")));
    let mut starts_over = simulator.starts_over();
    let library = shared_library();
    let archive = library.as_ref().map(|library| archive(&simulator, library)).transpose()?.unwrap_or_default();
    let settings = settings(&simulator, listen, &data, &archive)?;
    let metrics = logging::metrics();
    let mut told = Box::pin(stop_signal()?);
    let mut begun = false;
    loop {
        let with = Overrides {
            archive: library.is_none().then(|| simulator.clone() as Arc<dyn ArchiveSource>),
            archive_poll: Some(Duration::from_millis(500)),
            files: Reader::apart()?,
            welcome: Some(first_page(page.clone())),
            metrics: metrics.clone(),
            ..Overrides::default()
        };
        let app = App::open(settings.clone(), clock.clone() as Arc<dyn Clock>, with).await?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(app.run(listener, async move {
            let _ = stopped.await;
        }));
        if !begun {
            simulator
                .set_callbacks(Some(format!("http://{listen}/wecom/app")), Some(format!("http://{listen}/wecom/bot")))
                .await
                .map_err(|refused| anyhow::anyhow!("the simulator refused the callback addresses: {}", refused.0))?;
            welcome(listen, &page, &simulator.credentials().api_base)?;
            begun = true;
        }
        let again = tokio::select! {
            () = &mut told => None,
            again = starts_over.recv() => again,
        };
        let _ = stop.send(());
        serving.await??;
        let Some(again) = again else { return Ok(ExitCode::SUCCESS) };
        // 全部重来: the bot forgets as much as the company.
        let store = settings.store_folder();
        std::fs::remove_dir_all(&store).map_err(|e| UserError::refused("不能清空", &store, &e))?;
        simulator.reset();
        listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
        let _ = again.send(());
    }
}

fn welcome(listen: SocketAddr, page: &str, simulator: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "群管演示已就绪，请在浏览器打开：")?;
    writeln!(out)?;
    writeln!(out, "  说明    http://{listen}/")?;
    writeln!(out, "  聊天页  {page}")?;
    writeln!(out, "  脚本    {simulator}/sim/api（模拟的企业微信的控制接口）")?;
    writeln!(out)?;
    writeln!(out, "试一试：以「李销售」的身份在「华东销售群」发送  加我V信领红包，点「知道了」，再发两次")?;
    writeln!(out, "第一次警告，第二次禁言 2 小时（移出群，到时拉回；时钟可以在页面上拨快），第三次移出。")?;
    writeln!(out, "按 Ctrl-C 结束；数据不会离开这台机器。")?;
    out.flush()
}

/// The demo's first page; it leads into the chat and, signed in as the owner, into the console.
fn first_page(chat: String) -> Welcome {
    let steps: Vec<_> = tour("").steps.into_iter().map(|step| (step.text, step.say)).collect();
    Arc::new(move |console| web::page(StatusCode::OK, &DemoPage { chat: chat.clone(), console, steps: steps.clone() }))
}

/// A folder that is removed when it is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tempfile_dir(wanted: bool) -> anyhow::Result<Option<Temporary>> {
    if !wanted {
        return Ok(None);
    }
    let path = std::env::temp_dir().join(format!("qunguan-demo-{}", std::process::id()));
    std::fs::create_dir_all(&path).map_err(|e| UserError::refused("不能写入", &path, &e))?;
    Ok(Some(Temporary(path)))
}
