//! The archive through WeCom's own C library: pull, unwrap each message's key with RSA, let the library decrypt.
//!
//! The library blocks and may hang for ever, so it lives on a thread of its own. A call that does not come back in time is
//! given up, its thread is left behind, and the next call starts afresh; after [`MOST_STUCK`] such threads nothing more is
//! tried until one comes back or the program is restarted.
//!
//! A message that no key opens is handed on sealed, with the reason, and does not block the stream. Only one case stops it: a
//! key version newer than every key that was given, because then the admin has just changed the key, and adding the new
//! private key loses nothing as long as WeCom keeps the messages (five days).

use std::{
    ffi::{CStr, CString},
    num::NonZero,
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
    ArchiveSource, Entry, Sealed, SourceError, Unopened,
    codes::{Code, TOO_LARGE},
    keys::{KeyError, PrivateKeys},
    library::{Library, LibraryError, Piece, Route, Session},
};
use crate::mend;

/// WeCom's limit for one pull.
pub const MAX_LIMIT: usize = 1000;
/// So many threads may hang in the library before it is left alone.
pub const MOST_STUCK: usize = 3;
/// Beyond the library's own timeout: RSA for a full batch on a slow machine.
const GRACE: Duration = Duration::from_secs(30);
/// A batch below this is unwrapped on the spot.
const WORTH_SHARING: usize = 32;
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
    Open { sealed: Sealed, answer: oneshot::Sender<Result<String, Unreadable>> },
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

impl Envelope {
    fn sealed(self) -> Sealed {
        Sealed { version: self.publickey_ver, key: self.encrypt_random_key, body: self.encrypt_chat_msg }
    }
}

/// A message's own key, unwrapped.
type MessageKey = Result<Zeroizing<Vec<u8>>, KeyError>;

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

    /// Platform a call to the worker thread and waits for its answer, but not for ever.
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
                Call::Open { sealed, answer } => {
                    let _ = answer.send(self.open(&sealed, self.keys.open(sealed.version, &sealed.key)));
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
        let batch = match session.chat_data(seq, limit, &self.route) {
            Ok(json) => serde_json::from_slice(&json)
                .map_err(|error| SourceError::Retry(format!("GetChatData answered no whole JSON: {error}")))?,
            // The code may be what the call returns, or stand in what it writes.
            Err(Code(errcode)) => Batch { errcode, chatdata: Vec::new() },
        };
        match batch.errcode {
            0 => {}
            TOO_LARGE if limit > 1 => return self.pull(session, seq, limit / 2),
            code => return Err(Code(code).of_pull()),
        }
        let keys = self.unwrap_keys(&batch.chatdata);
        let mut entries = Vec::with_capacity(batch.chatdata.len());
        for (envelope, key) in batch.chatdata.into_iter().zip(keys) {
            let (seq, msgid, sealed) = (envelope.seq, envelope.msgid.clone(), envelope.sealed());
            let message = match self.open(&sealed, key) {
                Ok(message) => Ok(message),
                Err(why) => {
                    let lacks_key = matches!(why, Unreadable::Key(_));
                    Err(Unopened { why: why.to_string(), sealed: Some(sealed), lacks_key })
                }
            };
            entries.push(Entry { seq, msgid, message });
        }
        Ok(entries)
    }

    /// The messages' own keys. RSA is what a long batch spends its time on, so it is shared among the machine's cores; the
    /// library, of which nobody knows whether it may, is not.
    fn unwrap_keys(&self, batch: &[Envelope]) -> Vec<MessageKey> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let unwrap = |part: &[Envelope]| -> Vec<MessageKey> {
            part.iter().map(|e| self.keys.open(e.publickey_ver, &e.encrypt_random_key)).collect()
        };
        if batch.len() < WORTH_SHARING || cores == 1 {
            return unwrap(batch);
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                batch.chunks(batch.len().div_ceil(cores)).map(|part| scope.spawn(move || unwrap(part))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }

    /// Decrypts one message: with the key of its version, and if that does not do, with every other.
    fn open(&self, sealed: &Sealed, key: MessageKey) -> Result<String, Unreadable> {
        let first = match key.map_err(Unreadable::from).and_then(|key| self.decrypt(&key, &sealed.body)) {
            Ok(message) => return Ok(message),
            Err(why) => why,
        };
        let others = self.keys.versions().filter(|version| *version != sealed.version);
        let mut opened = others.filter_map(|version| self.keys.open(version, &sealed.key).ok());
        opened.find_map(|key| self.decrypt(&key, &sealed.body).ok()).ok_or(first)
    }

    fn decrypt(&self, key: &[u8], body: &str) -> Result<String, Unreadable> {
        // A C string with a zero inside would be cut; CString refuses it and wipes nothing, so the copy is wiped here.
        let key = Zeroizing::new([key, &[0]].concat());
        let key = CStr::from_bytes_with_nul(&key).map_err(|_| Unreadable::Shape)?;
        let message = CString::new(body).map_err(|_| Unreadable::Shape)?;
        let mut plain = self.library.decrypt(key, &message)?;
        // The real library is seen to count the closing zero in.
        if plain.last() == Some(&0) {
            plain.pop();
        }
        Ok(mend::text(plain.to_vec()))
    }
}

/// Why one message cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("DecryptData {0}")]
    Code(Code),
    #[error("密钥或内容里有零字符")]
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

    async fn open(&self, sealed: &Sealed) -> Result<String, SourceError> {
        let sealed = sealed.clone();
        let opened = self.call(|answer| Call::Open { sealed, answer }).await?;
        opened.map_err(|why| match why {
            Unreadable::Key(_) => SourceError::Configuration(why.to_string()),
            why => SourceError::Gap(why.to_string()),
        })
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
