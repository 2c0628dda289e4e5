//! What the archive needs to be heard: the shared library and key pairs of a company.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{path::PathBuf, sync::LazyLock};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeySize, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use qunguan::simulator::ArchiveCredentials;

/// The shared library that `cargo test` builds from `examples/fake_archive_sdk`; built here if only this test runs.
pub static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let name = format!("{}fake_archive_sdk{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    if !library.exists() {
        let mut build = std::process::Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", "fake_archive_sdk"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "the library cannot be built");
    }
    assert!(library.exists(), "{} is not there", library.display());
    library
});

/// A key pair of the company.
pub struct KeyPair(pub PrivateDecryptingKey);

/// Three key pairs, made once.
pub static PAIRS: LazyLock<[KeyPair; 3]> =
    LazyLock::new(|| [(); 3].map(|()| KeyPair(PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap())));

/// `[wecom.archive]` of a bot that listens to the simulator's archive with the first pair.
pub fn settings(archive: &ArchiveCredentials) -> String {
    format!(
        r#"[wecom.archive]
library = {library:?}
secret = "{secret}"
poll = "1s"
proxy = "{url}"
private_keys = {{ 1 = """{pem}""" }}
"#,
        library = LIBRARY.display().to_string(),
        secret = archive.secret,
        url = archive.url,
        pem = PAIRS[0].private_pem(),
    )
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

impl KeyPair {
    pub fn private_pem(&self) -> String {
        let der: Pkcs8V1Der<'_> = self.0.as_der().unwrap();
        pem("PRIVATE KEY", der.as_ref())
    }
    pub fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        pem("PUBLIC KEY", der.as_ref())
    }
}
