//! Which crate may know which.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// Each crate with those that it may depend on directly or through others: the ones before it, where nothing else is said.
const ORDER: [&str; 9] = ["kernel", "catalogue", "ledger", "domain", "store", "app", "carriers", "api", "server"];
/// Crates that know nothing of each other though one comes before.
const STRANGERS: [(&str, &str); 1] = [("api", "carriers")];
/// Who may bring a database driver, a runtime or a web framework in.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("tokio-postgres", &["store"]),
    ("axum", &["api", "server"]),
    ("hyper", &["server"]),
    ("tokio", &["store", "app", "carriers", "api", "server"]),
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
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
