//! What comes into the binary: licences, sources and crates as `deny.toml` says, and no more crates than a patient person waits for.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;
use spdx::{Expression, ParseMode};

/// More are not compiled for the program; tests may want a few beside them.
const MOST_CRATES: usize = 300;

/// `cargo metadata` of what is built here; of every feature where the test was built with them.
fn metadata() -> Value {
    let features = cfg!(all(feature = "ocr", feature = "pdf")).then_some("--all-features");
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(features)
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn names(list: &toml::Value, of: impl Fn(&toml::Value) -> Option<&str>) -> BTreeSet<String> {
    let list = list.as_array().expect("a list in deny.toml");
    list.iter().map(|item| of(item).expect("a name").to_owned()).collect()
}

#[test]
fn what_comes_in_is_allowed() {
    let rules: toml::Value = toml::from_str(include_str!("../deny.toml")).unwrap();
    let allowed = names(&rules["licenses"]["allow"], toml::Value::as_str);
    let banned = names(&rules["bans"]["deny"], |item| item.get("name")?.as_str());
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, source) = (package["name"].as_str().unwrap(), package["source"].as_str());
        if banned.contains(name) {
            wrong.push(format!("{name} is banned"));
        }
        if !source.is_none_or(|source| source.starts_with("registry+https://github.com/rust-lang/crates.io-index")) {
            wrong.push(format!("{name} comes from {source:?}"));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        let may = Expression::parse_mode(licence, ParseMode::LAX)
            .is_ok_and(|expression| expression.evaluate(|needed| allowed.contains(&needed.to_string())));
        if !may {
            wrong.push(format!("{name} has the licence {licence:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is compiled for `cargo run --release` with its default features.
#[test]
fn few_enough_crates_are_compiled() {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-e", "normal,build", "--prefix", "none", "--format", "{p}"])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let crates: BTreeSet<&str> = text.lines().map(|line| line.split(" (").next().unwrap_or(line)).collect();
    assert!(crates.len() > 100, "cargo tree was not understood:\n{text}");
    assert!(crates.len() <= MOST_CRATES, "{} crates are compiled, {MOST_CRATES} at most", crates.len());
}
