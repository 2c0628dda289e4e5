//! The order of the rooms: a module of `src/lib.rs` imports only modules that stand above it there, and the files of one folder
//! import each other without a circle (`mod.rs`, which shows the folder to others, is free). What a test needs is free.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use regex::Regex;

/// Every Rust file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    all.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

/// What stands behind a path such as `crate::`, alone or first in a group: `crate::a::B`, `crate::{a::{B, C}, d}`.
fn imported(text: &str, path: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (_, rest) in text.match_indices(path).map(|(at, head)| (at, &text[at + head.len()..])) {
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut first) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => first = true,
                c if first && !c.is_whitespace() => {
                    found.insert(word(&group[at..]));
                    first = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn a_module_imports_only_what_stands_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let order: Vec<String> =
        lib.lines().filter_map(|line| Some(line.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned())).collect();
    assert!(order.len() > 20, "the list of lib.rs was not found");
    let place = |name: &str| order.iter().position(|known| known == name);
    let tests_only = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub )?mod (\w+);").unwrap();
    let files: Vec<(PathBuf, String)> =
        files(&src).into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect();
    let tests: BTreeSet<&str> =
        files.iter().flat_map(|(_, text)| tests_only.captures_iter(text).map(|c| c.get(1).unwrap().as_str())).collect();
    let comments = Regex::new(r"(?m)//.*$").unwrap();
    let mut wrong = Vec::new();
    for (path, text) in &files {
        let inside = path.strip_prefix(&src).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let Some(own) = place(&room).filter(|_| !tests.contains(path.file_stem().unwrap().to_str().unwrap())) else {
            continue;
        };
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for name in imported(&comments.replace_all(code, ""), "crate::") {
            if place(&name).is_some_and(|other| other > own) {
                wrong.push(format!("{} imports {name}, which stands below {room}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A way from a file back to itself, if there is one.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn back<'a>(
        imports: &'a BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> bool {
        let at = *way.last().unwrap();
        for next in imports.get(at).into_iter().flatten() {
            if let Some(start) = way.iter().position(|file| file == next) {
                way.drain(..start);
                return true;
            }
            if !done.contains(next.as_str()) {
                way.push(next);
                if back(imports, way, done) {
                    return true;
                }
                way.pop();
            }
        }
        done.insert(at);
        false
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|file| {
        let mut way = vec![file.as_str()];
        back(imports, &mut way, &mut done).then(|| way.into_iter().map(str::to_owned).collect())
    })
}

#[test]
fn files_of_one_folder_import_each_other_without_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let comments = Regex::new(r"(?m)//.*$").unwrap();
    let mut folders: BTreeMap<PathBuf, BTreeMap<String, String>> = BTreeMap::new();
    for source in ["src", "crates/detect/src", "crates/model/src", "crates/wecom/src"] {
        for path in files(&root.join(source)) {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let folder = path.parent().unwrap();
            if !["mod", "lib", "main"].contains(&name.as_str()) {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                folders.entry(folder.to_owned()).or_default().insert(name, comments.replace_all(code, "").into_owned());
            }
        }
    }
    let mut wrong = Vec::new();
    for (folder, files) in &folders {
        let inside = folder.strip_prefix(root).unwrap().to_str().unwrap();
        let (_, rest) = inside.split_once("src").unwrap();
        let absolute = format!("crate{}::", rest.replace('/', "::"));
        let imports = files.iter().map(|(name, code)| {
            let named = imported(code, "super::").into_iter().chain(imported(code, &absolute));
            (name.clone(), named.filter(|other| other != name && files.contains_key(other)).collect())
        });
        wrong.extend(circle(&imports.collect()).map(|way| format!("{inside}: {}", way.join(" -> "))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let tied: BTreeMap<String, BTreeSet<String>> =
        [("a", "b"), ("b", "c"), ("c", "b")].map(|(a, b)| (a.to_owned(), [b.to_owned()].into())).into();
    assert_eq!(circle(&tied), Some(vec!["b".to_owned(), "c".to_owned()]), "one is found where there is one");
}
