//! The bot as operators run it: `qunguan run`, a process of its own that can be killed with SIGKILL and started again.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// How long a condition may take before the test fails; never a measure of speed.
const PATIENCE: Duration = Duration::from_secs(90);

/// The program, its folder, and the process while it lives.
pub struct Bot {
    /// Its HTTP address.
    pub address: String,
    /// Times the process was killed.
    pub kills: u32,
    folder: PathBuf,
    options: Vec<String>,
    process: Mutex<Option<Child>>,
    http: reqwest::Client,
}

impl Drop for Bot {
    fn drop(&mut self) {
        if let Some(process) = self.process.get_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Bot {
    /// Runs on `qunguan.toml` in `folder`, whose `listen` is `address`; it does not run yet.
    pub fn new(folder: &Path, address: SocketAddr, options: &[&str]) -> Self {
        Self {
            address: format!("http://{address}"),
            kills: 0,
            folder: folder.to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            process: Mutex::new(None),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Its settings.
    pub fn settings(&self) -> PathBuf {
        self.folder.join("qunguan.toml")
    }

    /// Starts the process and waits until it answers.
    pub async fn start(&mut self) {
        assert!(!self.runs(), "it runs");
        let log = std::fs::File::create(self.folder.join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_qunguan"))
            .args(["run", "--config"])
            .arg(self.settings())
            .args(&self.options)
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.process.get_mut() = Some(process);
        self.until("the bot answers", || async {
            self.lives();
            let answer = self.http.get(format!("{}/healthz", self.address)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// It has not ended by itself.
    fn lives(&self) {
        let ended = self.process.lock().as_mut().expect("it runs").try_wait().unwrap();
        assert!(ended.is_none(), "it ended by itself: {}", self.log());
    }

    /// SIGKILL: nothing is finished or flushed.
    pub fn kill(&mut self) {
        self.lives();
        let mut process = self.process.get_mut().take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
        self.kills += 1;
    }

    /// Does it run?
    pub fn runs(&self) -> bool {
        self.process.lock().is_some()
    }

    /// What it logged in this life.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until `look` finds something; what it looks at changes by itself.
    pub async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, look: impl Fn() -> F) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "in vain: {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
