//! Which crate may know which.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// Each crate with those that it may depend on directly or through others: the ones before it, where nothing else is said.
const ORDER: [&str; 16] = [
    "kernel",
    "sip",
    "media",
    "catalogue",
    "ledger",
    "domain",
    "store",
    "app",
    "carriers",
    "sms",
    "webhooks",
    "mail",
    "objects",
    "api",
    "voice",
    "server",
];
/// Crates that only these know.
const KNOWN_BY: [(&str, &[&str]); 2] = [("sip", &["voice", "server"]), ("media", &["voice", "server"])];
/// Crates that know nothing of each other though one comes before.
const STRANGERS: [(&str, &str); 22] = [
    ("api", "carriers"),
    ("api", "sms"),
    ("api", "webhooks"),
    ("sms", "carriers"),
    ("webhooks", "carriers"),
    ("webhooks", "sms"),
    ("mail", "carriers"),
    ("mail", "sms"),
    ("mail", "webhooks"),
    ("objects", "carriers"),
    ("objects", "sms"),
    ("objects", "webhooks"),
    ("objects", "mail"),
    ("api", "objects"),
    ("voice", "objects"),
    ("api", "mail"),
    ("media", "sip"),
    ("voice", "api"),
    ("voice", "carriers"),
    ("voice", "mail"),
    ("voice", "sms"),
    ("voice", "webhooks"),
];
/// Who may bring a database driver, a runtime or a web framework in.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("tokio-postgres", &["store"]),
    ("axum", &["api", "server"]),
    ("hyper", &["webhooks", "server"]),
    ("lettre", &["mail"]),
    ("rsipstack", &["sip"]),
    ("object_store", &["objects"]),
    ("reqwest", &["objects"]),
    ("tokio", &["sip", "media", "store", "app", "carriers", "sms", "webhooks", "mail", "objects", "api", "voice", "server"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(name: &str) -> toml::Table {
    let path = root().join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    text.parse().expect("TOML")
}

/// What a crate is built from, tests and build scripts left out.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = manifest(name);
    let table = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    table.keys().cloned().collect()
}

#[test]
fn no_arrow_runs_upward() {
    let place: BTreeMap<&str, usize> = ORDER.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    for (place_of, name) in ORDER.iter().enumerate() {
        for known in dependencies(name).iter().filter_map(|known| known.strip_prefix("tandem-")) {
            let known_place = place.get(known).unwrap_or_else(|| panic!("{name} knows {known}, which has no place in the order"));
            assert!(*known_place < place_of, "{name} knows {known}, which is above it");
            assert!(!STRANGERS.contains(&(name, known)), "{name} knows {known}");
            let few = KNOWN_BY.iter().find(|(few, _)| *few == known);
            assert!(few.is_none_or(|(_, by)| by.contains(name)), "{name} knows {known}");
        }
    }
}

#[test]
fn only_some_know_the_world_outside() {
    for name in ORDER {
        for known in dependencies(name) {
            let allowed = OUTSIDE.iter().find(|(outside, _)| *outside == known);
            assert!(allowed.is_none_or(|(_, by)| by.contains(&name)), "{name} brings in {known}");
        }
    }
}

#[test]
fn every_crate_has_its_place() {
    let mut found: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("the crates")
        .map(|entry| entry.expect("a crate").file_name().into_string().expect("UTF-8"))
        .filter(|name| name != "testkit")
        .collect();
    found.sort();
    let mut known = ORDER.map(str::to_owned);
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn no_dialect_knows_another() {
    let dialects = ["audian", "fonedynamics", "telephony_io", "native"];
    for dialect in dialects {
        for file in sources(&root().join("crates/api/src").join(dialect)) {
            let text = fs::read_to_string(&file).expect("a source");
            for other in dialects.iter().filter(|other| **other != dialect) {
                for path in [format!("crate::{other}"), format!("super::super::{other}")] {
                    assert!(!text.contains(&path), "{} names {path}", file.display());
                }
            }
        }
    }
}

fn sources(folder: &PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Dependencies that no source names, with the reason for them.
const UNNAMED: &[(&str, &str)] = &[
    ("md-5", "its library is called md5"),
    ("reqwest", "object_store speaks through it, and its own feature for TLS brings another cryptography"),
];

#[test]
fn every_dependency_is_used() {
    let crates = fs::read_dir(root().join("crates")).expect("the crates").map(|entry| entry.expect("a crate").path());
    let mut idle = Vec::new();
    for folder in crates.chain([root().join("tests"), root().join("bench")]) {
        let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("TOML");
        let sources: String = sources(&folder).iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"].map(|name| manifest.get(name));
        for name in tables.into_iter().flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys) {
            let word = name.replace('-', "_");
            let uses = [format!("{word}::"), format!("use {word}"), format!("{word}!")];
            let named = uses.iter().any(|usage| sources.contains(usage));
            if !named && UNNAMED.iter().all(|(unnamed, _)| unnamed != name) {
                idle.push(format!("{} does not use {name}", folder.display()));
            }
        }
    }
    assert!(idle.is_empty(), "{}", idle.join("\n"));
}
