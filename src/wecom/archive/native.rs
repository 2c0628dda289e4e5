//! The archive through WeCom's own C library: pull, unwrap each message's key with RSA, let the library decrypt.
//!
//! The library blocks and may hang for ever, so it lives on a thread of its own. A call that does not come back in time is
//! given up, its thread is left behind, and the next call starts afresh; after [`MOST_STUCK`] such threads nothing more is
//! tried until one comes back or the program is restarted.
//!
//! A message that cannot be decrypted is handed on with the reason and does not block the stream. Only one case stops it: a
//! key version newer than every key that was given, because then the admin has just changed the key, and adding the new
//! private key loses nothing as long as WeCom keeps the messages (five days).

use std::{
    ffi::{CStr, CString},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use super::{
    ArchiveSource, Entry, SourceError,
    codes::Code,
    keys::{KeyError, PrivateKeys},
    library::{Library, LibraryError, Piece, Route, Session},
};

/// WeCom's limit for one pull.
pub const MAX_LIMIT: usize = 1000;
/// So many threads may hang in the library before it is left alone.
pub const MOST_STUCK: usize = 3;
/// Beyond the library's own timeout: RSA for a full batch on a slow machine.
const GRACE: Duration = Duration::from_secs(30);
/// Tries for one piece of a file.
const PIECE_TRIES: u32 = 3;
/// The wait before the second try of a piece; doubles.
const PIECE_WAIT: Duration = Duration::from_millis(200);

/// What is needed to open a company's archive.
#[derive(Debug)]
pub struct Config {
    /// `libWeWorkFinanceSdk_C.so`.
    pub library: PathBuf,
    /// 企业 ID.
    pub corp_id: String,
    /// The archive's own secret.
    pub secret: SecretString,
    /// RSA private keys by `publickey_ver`.
    pub keys: PrivateKeys,
    /// Longest time for one call, told to the library in whole seconds.
    pub timeout: Duration,
    /// After so long a call counts as hung; default the timeout and half a minute.
    pub patience: Option<Duration>,
    /// `http://…` or `socks5://…`; empty for none.
    pub proxy: String,
    /// `user:password` of the proxy.
    pub proxy_password: Option<SecretString>,
}

/// The archive of one company.
pub struct NativeArchive {
    shared: Arc<Shared>,
    patience: Duration,
    worker: Mutex<Option<mpsc::UnboundedSender<Call>>>,
    stuck: Arc<AtomicUsize>,
}

/// What every worker thread needs.
struct Shared {
    library: Arc<Library>,
    corp_id: CString,
    secret: Zeroizing<Vec<u8>>,
    keys: PrivateKeys,
    route: Route,
}

/// One call for the worker thread, with the place for its answer.
enum Call {
    Pull { seq: u64, limit: u32, answer: oneshot::Sender<Result<Vec<Entry>, SourceError>> },
    Piece { index: CString, file: CString, answer: oneshot::Sender<Result<Piece, Code>> },
}

/// `GetChatData`'s JSON.
#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    chatdata: Vec<Envelope>,
}

/// One encrypted message.
#[derive(Deserialize)]
struct Envelope {
    seq: u64,
    #[serde(default)]
    msgid: String,
    #[serde(default)]
    publickey_ver: u32,
    #[serde(default)]
    encrypt_random_key: String,
    #[serde(default)]
    encrypt_chat_msg: String,
}

impl From<LibraryError> for SourceError {
    fn from(error: LibraryError) -> Self {
        Self::Configuration(error.to_string())
    }
}

fn c_string(name: &str, text: &str) -> Result<CString, SourceError> {
    CString::new(text).map_err(|_| SourceError::Configuration(format!("{name} 里有不可见的零字符")))
}

impl NativeArchive {
    /// Loads the library and checks what can be checked without the network. Blocks for milliseconds.
    pub fn open(config: Config) -> Result<Self, SourceError> {
        if config.keys.newest().is_none() {
            return Err(SourceError::Configuration("没有会话存档的私钥（wecom.archive.private_keys）".into()));
        }
        let library = Library::open(&config.library)?;
        let secret = c_string("secret", config.secret.expose_secret())?;
        let password = config.proxy_password.as_ref().map_or("", |p| p.expose_secret());
        let route = Route {
            proxy: c_string("proxy", &config.proxy)?,
            proxy_password: c_string("proxy_password", password)?,
            timeout_seconds: i32::try_from(config.timeout.as_secs().max(1)).unwrap_or(i32::MAX),
        };
        let shared = Shared {
            library,
            corp_id: c_string("corp_id", &config.corp_id)?,
            secret: Zeroizing::new(secret.into_bytes_with_nul()),
            keys: config.keys,
            route,
        };
        Ok(Self {
            shared: Arc::new(shared),
            patience: config.patience.unwrap_or(config.timeout + GRACE),
            worker: Mutex::new(None),
            stuck: Arc::default(),
        })
    }

    /// Hands a call to the worker thread and waits for its answer, but not for ever.
    async fn call<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Call) -> Result<T, SourceError> {
        let (answer, waiting) = oneshot::channel();
        let worker = self.worker()?;
        if worker.send(make(answer)).is_err() {
            self.forget(&worker);
            return Err(SourceError::Retry("the archive's thread has ended".into()));
        }
        match tokio::time::timeout(self.patience, waiting).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => {
                self.forget(&worker);
                Err(SourceError::Retry("the archive's thread has ended".into()))
            }
            Err(_) => {
                self.forget(&worker);
                tracing::error!(patience_ms = self.patience.as_millis() as u64, "the archive's library hangs");
                Err(SourceError::Retry("会话存档的动态库没有响应".into()))
            }
        }
    }

    /// The worker thread, started if there is none.
    fn worker(&self) -> Result<mpsc::UnboundedSender<Call>, SourceError> {
        let mut worker = self.worker.lock();
        if let Some(worker) = worker.as_ref() {
            return Ok(worker.clone());
        }
        // The threads counted here were all given up: a thread in use is remembered above.
        if self.stuck.load(Ordering::Acquire) >= MOST_STUCK {
            return Err(SourceError::Configuration("会话存档的动态库多次没有响应，请检查网络后重启程序".into()));
        }
        let (calls, inbox) = mpsc::unbounded_channel();
        let shared = self.shared.clone();
        let alive = Alive::new(self.stuck.clone());
        std::thread::Builder::new()
            .name("archive".into())
            .spawn(move || {
                let _alive = alive;
                shared.work(inbox);
            })
            .map_err(|error| SourceError::Retry(format!("no thread for the archive: {error}")))?;
        *worker = Some(calls.clone());
        Ok(calls)
    }

    /// Leaves a worker behind, unless another call already did.
    fn forget(&self, gone: &mpsc::UnboundedSender<Call>) {
        let mut worker = self.worker.lock();
        if worker.as_ref().is_some_and(|worker| worker.same_channel(gone)) {
            *worker = None;
        }
    }
}

/// Counts a thread as long as it lives.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Shared {
    /// The worker thread: one session, one call after the other, until nobody can ask any more.
    fn work(&self, mut calls: mpsc::UnboundedReceiver<Call>) {
        let mut session = None;
        while let Some(call) = calls.blocking_recv() {
            match call {
                // A caller that has given up wants no answer.
                Call::Pull { seq, limit, answer } => {
                    let pulled =
                        self.session(&mut session).map_err(Code::of_pull).and_then(|s| self.pull(s, seq, limit));
                    let _ = answer.send(pulled);
                }
                Call::Piece { index, file, answer } => {
                    let piece = self.session(&mut session).and_then(|s| s.media(&index, &file, &self.route));
                    let _ = answer.send(piece);
                }
            }
        }
    }

    /// The open session; opened again as long as opening fails.
    fn session<'a>(&self, session: &'a mut Option<Session>) -> Result<&'a mut Session, Code> {
        if session.is_none() {
            let secret = CStr::from_bytes_with_nul(&self.secret).unwrap_or_default();
            *session = Some(self.library.session(&self.corp_id, secret)?);
        }
        session.as_mut().ok_or(Code(10003))
    }

    fn pull(&self, session: &mut Session, seq: u64, limit: u32) -> Result<Vec<Entry>, SourceError> {
        let json = session.chat_data(seq, limit, &self.route).map_err(Code::of_pull)?;
        let batch: Batch = serde_json::from_slice(&json)
            .map_err(|error| SourceError::Retry(format!("GetChatData answered no whole JSON: {error}")))?;
        if batch.errcode != 0 {
            return Err(Code(batch.errcode).of_pull());
        }
        let mut entries = Vec::with_capacity(batch.chatdata.len());
        for envelope in batch.chatdata {
            let message = match self.open(&envelope) {
                Ok(message) => Ok(message),
                Err(Unreadable::Key(KeyError::Missing(version))) if Some(version) > self.keys.newest() => {
                    if entries.is_empty() {
                        let why = KeyError::Missing(version);
                        return Err(SourceError::Configuration(format!("{why}，请加到 wecom.archive.private_keys")));
                    }
                    break; // what came before is good; the next pull says what is missing
                }
                Err(why) => Err(why.to_string()),
            };
            entries.push(Entry { seq: envelope.seq, msgid: envelope.msgid, message });
        }
        Ok(entries)
    }

    /// Decrypts one message.
    fn open(&self, envelope: &Envelope) -> Result<String, Unreadable> {
        let key = self.keys.open(envelope.publickey_ver, &envelope.encrypt_random_key)?;
        // A C string with a zero inside would be cut; CString refuses it and wipes nothing, so the copy is wiped here.
        let key = Zeroizing::new([key.as_slice(), &[0]].concat());
        let key = CStr::from_bytes_with_nul(&key).map_err(|_| Unreadable::Shape)?;
        let message = CString::new(envelope.encrypt_chat_msg.as_str()).map_err(|_| Unreadable::Shape)?;
        let plain = self.library.decrypt(key, &message)?;
        // The real library is seen to count the closing zero in.
        let plain = plain.strip_suffix(&[0]).unwrap_or(&plain);
        String::from_utf8(plain.to_vec()).map_err(|_| Unreadable::Shape)
    }
}

/// Why one message cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("DecryptData {0}")]
    Code(Code),
    #[error("密钥或内容不是文本")]
    Shape,
}

impl From<Code> for Unreadable {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

#[async_trait]
impl ArchiveSource for NativeArchive {
    async fn pull(&self, seq: u64, limit: usize) -> Result<Vec<Entry>, SourceError> {
        let limit = limit.clamp(1, MAX_LIMIT) as u32;
        self.call(|answer| Call::Pull { seq, limit, answer }).await?
    }

    async fn file(&self, sdk_file_id: &str, largest: usize) -> Result<Vec<u8>, SourceError> {
        let file = c_string("sdkfileid", sdk_file_id)?;
        let mut index = CString::default();
        let mut bytes = Vec::new();
        let mut tries = 0;
        loop {
            // Piece by piece, so that pulls come in between.
            let piece = self.call(|answer| Call::Piece { index: index.clone(), file: file.clone(), answer }).await?;
            match piece {
                Ok(piece) => {
                    tries = 0;
                    if bytes.len() + piece.bytes.len() > largest {
                        return Err(SourceError::Gap(format!("the file has more than {largest} bytes")));
                    }
                    let stands_still = piece.bytes.is_empty() || piece.next == index;
                    bytes.extend_from_slice(&piece.bytes);
                    if piece.finished {
                        return Ok(bytes);
                    }
                    if stands_still {
                        return Err(SourceError::Retry("the library gives the same piece again and again".into()));
                    }
                    index = piece.next;
                }
                Err(code) => {
                    tries += 1;
                    if !code.passes() || tries == PIECE_TRIES {
                        return Err(code.of_file());
                    }
                    tokio::time::sleep(PIECE_WAIT * 2u32.pow(tries - 1)).await;
                }
            }
        }
    }
}
