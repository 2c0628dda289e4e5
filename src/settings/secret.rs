//! A secret in the settings: written out, or better `{ env = "NAME" }` or `{ file = "PATH" }`. It never shows in a log.

use std::{fmt, path::Path};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// A secret and where it came from. [`Debug`](fmt::Debug) shows only the latter.
#[derive(Clone)]
pub struct Secret {
    source: Source,
    value: SecretString,
}

#[derive(Clone)]
enum Source {
    Written,
    Env(String),
    File(String),
}

impl Secret {
    /// A secret that is known already: tests and the simulator.
    pub fn new(value: impl Into<String>) -> Self {
        Self { source: Source::Written, value: SecretString::from(value.into()) }
    }
    /// The secret itself; keep it out of logs and errors.
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }
    /// Fetches the value from where it lies. `folder` is the settings file's own; a relative `file` starts there.
    /// A trailing line break of a file is not part of the secret. The error is for the admin, without the value.
    pub(super) fn resolve(&mut self, folder: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        let value = match &self.source {
            Source::Written => return if self.expose().is_empty() { Err("密钥是空的".into()) } else { Ok(()) },
            Source::Env(name) => env(name).ok_or_else(|| format!("环境变量 {name} 没有设置"))?,
            Source::File(path) => {
                let path = folder.join(path);
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| format!("读不了密钥文件 {}：{}", path.display(), crate::zh::refusal(&e)))?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        if value.is_empty() {
            return Err("密钥是空的".into());
        }
        self.value = SecretString::from(value);
        Ok(())
    }
    /// The file it comes from, relative to the settings file; a reload watches it.
    pub(super) fn file(&self) -> Option<&str> {
        match &self.source {
            Source::File(path) => Some(path),
            Source::Written | Source::Env(_) => None,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Written => f.write_str("Secret(…)"),
            Source::Env(name) => write!(f, "Secret(env {name})"),
            Source::File(path) => write!(f, "Secret(file {path})"),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("文字、{ env = \"变量名\" } 或 { file = \"路径\" }")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
                let Some((key, value)) = map.next_entry::<String, String>()? else {
                    return Err(de::Error::custom("密钥要写 { env = \"变量名\" } 或 { file = \"路径\" }"));
                };
                let source = match key.as_str() {
                    "env" => Source::Env(value),
                    "file" => Source::File(value),
                    other => return Err(de::Error::unknown_field(other, &["env", "file"])),
                };
                if map.next_key::<String>()?.is_some() {
                    return Err(de::Error::custom("env 和 file 只能写一个"));
                }
                Ok(Secret { source, value: SecretString::default() })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
