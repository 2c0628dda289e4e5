//! 会话内容存档: the official way to read every message of a group (receiving.md §5).
//!
//! A source gives decrypted messages in the order of `seq`; the native library is one, the simulator another.

pub mod codes;
pub mod keys;
pub mod library;
pub mod message;
pub mod native;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One entry of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position; rises, with gaps.
    pub seq: u64,
    /// WeCom's message id; may come twice with different positions.
    pub msgid: String,
    /// The message as JSON, or why it could not be decrypted (then it is set aside and does not block the stream).
    pub message: Result<String, Unopened>,
}

/// A message as WeCom hands it over, under its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// `publickey_ver`.
    pub version: u32,
    /// `encrypt_random_key`, base64.
    pub key: String,
    /// `encrypt_chat_msg`, base64.
    pub body: String,
}

/// A message that could not be decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unopened {
    /// Why, for whoever runs the bot.
    pub why: String,
    /// The message as it came, to be tried again.
    pub sealed: Option<Sealed>,
    /// The key it is under is not among ours: somebody has to add it.
    pub lacks_key: bool,
}

impl From<String> for Unopened {
    fn from(why: String) -> Self {
        Self { why, sealed: None, lacks_key: false }
    }
}

/// Why nothing could be pulled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// A passing trouble; try again with backoff.
    #[error("{0}")]
    Retry(String),
    /// Somebody has to mend something: library, key, trusted IP, expired service.
    #[error("{0}")]
    Configuration(String),
    /// Gone for good: messages older than the retention, a file that WeCom cannot give. No repetition helps.
    #[error("{0}")]
    Gap(String),
}

/// Where archived messages come from.
#[async_trait]
pub trait ArchiveSource: Send + Sync + 'static {
    /// At most `limit` entries after `seq`, in order. Only none at all means that the stream is read up.
    async fn pull(&self, seq: u64, limit: usize) -> Result<Vec<Entry>, SourceError>;

    /// Tries once more to open what could not be opened; [`SourceError::Configuration`] where the key is not among ours.
    async fn open(&self, sealed: &Sealed) -> Result<String, SourceError> {
        let _ = sealed;
        Err(SourceError::Gap("this source seals nothing".into()))
    }

    /// A file by its `sdkfileid`, whole, at most `largest` bytes. Files obey the retention too: fetch them at once.
    async fn file(&self, sdk_file_id: &str, largest: usize) -> Result<Vec<u8>, SourceError> {
        let _ = (sdk_file_id, largest);
        Err(SourceError::Gap("this source has no files".into()))
    }
}
