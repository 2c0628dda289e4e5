//! Pictures and files that people send to the bot: an address that works for five minutes; what lies there is encrypted, with
//! the callback's key or, over the long connection, with a key of its own (receiving.md §3.8, §4.3).

use super::{
    client::{ClientError, http_client},
    crypto::{Crypto, CryptoError},
};

/// Where one file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotFile {
    /// Its address.
    pub url: String,
    /// `aeskey`, base64; only over the long connection.
    pub key: Option<String>,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum BotFileError {
    /// No answer, or not 200: most often the five minutes are over.
    #[error("the file cannot be fetched: {0}")]
    Fetch(String),
    /// More bytes than the caller takes.
    #[error("the file has more than {0} bytes")]
    TooLarge(usize),
    /// The key is missing or is not the one it was encrypted with.
    #[error("the file cannot be opened: {0}")]
    Cipher(#[from] CryptoError),
}

/// Fetches and opens them.
pub struct BotFiles {
    http: reqwest::Client,
    /// Opens what came by callback.
    account: Option<Crypto>,
}

impl BotFiles {
    /// `encoding_aes_key` is the bot's, in callback mode.
    ///
    /// # Errors
    /// The key is none, or no HTTP client can be made.
    pub fn new(encoding_aes_key: Option<&str>) -> Result<Self, ClientError> {
        let account = encoding_aes_key.map(|key| Crypto::new("", key, "")).transpose();
        let account = account.map_err(|e| ClientError::Network(e.to_string()))?;
        Ok(Self { http: http_client()?, account })
    }

    /// The file's own bytes, if they are at most `largest`.
    ///
    /// # Errors
    /// It is gone, too large, or cannot be opened.
    pub async fn fetch(&self, file: &BotFile, largest: usize) -> Result<Vec<u8>, BotFileError> {
        let fetch = |error: reqwest::Error| BotFileError::Fetch(error.without_url().to_string());
        let mut answer = self.http.get(&file.url).send().await.map_err(fetch)?.error_for_status().map_err(fetch)?;
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(fetch)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > largest {
                return Err(BotFileError::TooLarge(largest));
            }
        }
        let plain = match (&file.key, &self.account) {
            (Some(key), _) => Crypto::new("", key.trim_end_matches('='), "")?.decrypt_file(bytes)?,
            (None, Some(account)) => account.decrypt_file(bytes)?,
            (None, None) => return Err(CryptoError::Key.into()),
        };
        Ok(plain)
    }
}
