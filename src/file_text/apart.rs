//! Each file is read by a process of its own, which may take so much memory and time and no more: a small file can be made
//! so that its reader asks for gigabytes, and a reader that is not ours cannot always be told to stop.

use std::{
    io::{self, Read},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use super::{FileKind, FileText, Limits, Unread, read};

/// Memory that the process may take, in bytes.
const MEMORY: u64 = 512 << 20;
/// Time for starting the process and handing the file over, besides that for reading.
const GRACE: Duration = Duration::from_secs(5);
/// The subcommand that reads one file.
pub const READ_FILE: &str = "read-file";

/// Who reads files.
#[derive(Clone, Debug, Default)]
pub enum Reader {
    /// This process, for small programs and tests.
    #[default]
    Here,
    /// A process of this program's `read-file`.
    Apart(PathBuf),
}

impl Reader {
    /// This very program.
    pub fn apart() -> io::Result<Self> {
        std::env::current_exe().map(Self::Apart)
    }

    /// Reads a file.
    pub async fn read(&self, kind: FileKind, bytes: Vec<u8>, limits: Limits) -> Result<FileText, Unread> {
        match self {
            Self::Here => {
                let reading = tokio::task::spawn_blocking(move || read(kind, &bytes, &limits));
                reading.await.unwrap_or(Err(Unread::TooMuch))
            }
            Self::Apart(program) => {
                let asked = serde_json::to_string(&limits).map_err(|e| Unread::NoReader(e.to_string()))?;
                let mut child = Command::new(program)
                    .args([READ_FILE, kind.id(), &asked])
                    .env_clear()
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .kill_on_drop(true)
                    .spawn()
                    .map_err(|e| Unread::NoReader(e.to_string()))?;
                let stdin = child.stdin.take();
                let hand_over = async {
                    if let Some(mut stdin) = stdin {
                        // One that ended early says so by how it ended.
                        let _ = stdin.write_all(&bytes).await;
                    }
                };
                let ended = async { tokio::join!(hand_over, child.wait_with_output()).1 };
                let ended = timeout(limits.within + GRACE, ended).await.map_err(|_| Unread::TooMuch)?;
                let ended = ended.map_err(|e| Unread::NoReader(e.to_string()))?;
                serde_json::from_slice(&ended.stdout).unwrap_or(Err(Unread::TooMuch))
            }
        }
    }
}

/// What that process does: reads the file from its standard input and answers on its standard output.
///
/// # Errors
/// The bot hung up, or the system gives no limits.
pub fn answer(kind: FileKind, limits: &Limits) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let at_most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(Resource::Data, at_most(MEMORY))?;
        setrlimit(Resource::Core, at_most(0))?;
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(limits.bytes as u64 + 1).read_to_end(&mut bytes)?;
    let said = read(kind, &bytes, limits);
    serde_json::to_writer(io::stdout().lock(), &said).map_err(io::Error::from)
}
