//! Killing a working program at random moments and reading what it had promised before it died.
//!
//! The program is the test binary itself, started again for one test that works only when [`FOLDER`] is set. It says what
//! was acknowledged to it as lines `ack …` on stdout; whatever it printed whole counts, the line cut by the kill does not.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Environment variable with the child's folder; absent in an ordinary test run.
pub const FOLDER: &str = "QUNGUAN_TEST_CHILD_FOLDER";
/// Environment variable with the number of the life the child is in, from 0.
pub const LIFE: &str = "QUNGUAN_TEST_CHILD_LIFE";

/// How many kills: 20, or what `QUNGUAN_KILLS` says.
pub fn kills() -> u64 {
    std::env::var("QUNGUAN_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

/// How often each of the worst moments is tried: a hundred times where many kills are asked for.
pub fn moments() -> usize {
    if kills() > 20 { 100 } else { 3 }
}

/// The child's folder and life, if this process is the child.
pub fn child() -> Option<(std::path::PathBuf, u64)> {
    Some((std::env::var_os(FOLDER)?.into(), std::env::var(LIFE).ok()?.parse().ok()?))
}

/// Says what was acknowledged; for the child.
pub fn acknowledge(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("ack {what}\n").as_bytes())
        .and_then(|()| out.flush())
        .expect("the parent reads until it kills");
}

/// Starts `test` of this binary as the child, kills it with SIGKILL `after` its start, and returns what was acknowledged.
/// Panics if it ended by itself.
pub fn start_and_kill(test: &str, folder: &Path, life: u64, after: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut acknowledged = Vec::new();
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
            if let Some(what) = line.strip_prefix("ack ").and_then(|rest| rest.strip_suffix('\n')) {
                acknowledged.push(what.to_owned());
            }
            line.clear();
        }
        acknowledged
    });
    std::thread::sleep(after);
    let early = child.try_wait().unwrap();
    assert!(early.is_none(), "the child ended by itself: {early:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}
