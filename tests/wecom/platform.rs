//! The archive's side of a test: keys, encrypted messages, and an address that answers what a test wrote down.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use aws_lc_rs::rsa::Pkcs1PublicEncryptingKey;
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use qunguan::wecom::archive::{
    keys::PrivateKeys,
    native::{Config, NativeArchive},
};
use serde_json::{Value, json};

pub use crate::archive_library::{KeyPair, LIBRARY, PAIRS};

/// One entry of `chatdata`, under the pair's public key.
pub fn entry(seq: u64, version: u32, pair: &KeyPair, message: &Value) -> Value {
    let key = format!("{seq:032}");
    let public = Pkcs1PublicEncryptingKey::new(pair.0.public_key()).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    let wrapped = public.encrypt(key.as_bytes(), &mut wrapped).unwrap();
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(key.as_bytes(), &key.as_bytes()[..16]).unwrap();
    let mut body = message.to_string().into_bytes();
    let length = body.len();
    body.resize(length + 16, 0);
    let body = cipher.encrypt_padded::<Pkcs7>(&mut body, length).unwrap();
    json!({"seq": seq, "msgid": format!("m{seq}"), "publickey_ver": version,
        "encrypt_random_key": STANDARD.encode(wrapped), "encrypt_chat_msg": STANDARD.encode(body)})
}

/// A text message as the archive has it.
pub fn text(seq: u64, words: &str) -> Value {
    json!({"msgid": format!("m{seq}"), "action": "send", "from": "lisi", "tolist": ["zhangsan"], "roomid": "wr1",
        "msgtime": 1_700_000_000_000_u64 + seq, "msgtype": "text", "text": {"content": words}})
}

/// What the address answers next.
pub enum Step {
    /// The JSON of `GetChatData`, or the bytes of a file.
    Body(Vec<u8>),
    /// The call returns this code.
    Return(i32),
    /// No such thing.
    NotFound,
    /// Nothing, ever.
    Hang,
}

impl Step {
    pub fn batch(entries: &[Value]) -> Self {
        Self::Body(json!({"errcode": 0, "errmsg": "ok", "chatdata": entries}).to_string().into_bytes())
    }
}

type Script = Arc<Mutex<VecDeque<Step>>>;

/// The address.
pub struct Platform {
    script: Script,
    url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Platform {
    pub async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let script: Script = Arc::new(Mutex::new(steps.into_iter().collect()));
        let router = Router::new().route("/a", get(next)).route("/a/media", get(next)).with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { script, url, server }
    }

    /// The archive through the library, with keys by version.
    pub fn archive(&self, keys: &[(u32, &KeyPair)], patience: Duration) -> NativeArchive {
        open(&self.url, keys, patience)
    }

    /// Nothing is left to answer.
    pub fn used_up(&self) -> bool {
        self.script.lock().unwrap().is_empty()
    }
}

/// The archive through the library, from any address.
pub fn open(url: &str, keys: &[(u32, &KeyPair)], patience: Duration) -> NativeArchive {
    let mut private = PrivateKeys::default();
    for (version, pair) in keys {
        private.add(*version, &pair.private_pem()).unwrap();
    }
    NativeArchive::open(Config {
        library: LIBRARY.clone(),
        corp_id: "ww1".into(),
        secret: "archive-secret".into(),
        keys: private,
        timeout: Duration::from_secs(5),
        patience: Some(patience),
        proxy: url.to_owned(),
        proxy_password: None,
    })
    .unwrap()
}

async fn next(State(script): State<Script>) -> Response {
    let step = script.lock().unwrap().pop_front();
    match step {
        Some(Step::Body(bytes)) => bytes.into_response(),
        Some(Step::Return(code)) => [("x-return-code", code.to_string())].into_response(),
        Some(Step::NotFound) | None => StatusCode::NOT_FOUND.into_response(),
        Some(Step::Hang) => std::future::pending().await,
    }
}
