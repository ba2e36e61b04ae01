//! What we build on: each package's licence and origin is one that `deny.toml` allows, and none is one that it names.

use std::{fs, process::Command};

use serde_json::Value;

/// Where packages may come from; those without an origin are our own.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn deny() -> toml::Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml");
    fs::read_to_string(path).expect("deny.toml").parse().expect("TOML")
}

/// The licences that `deny.toml` allows.
fn allowed() -> Vec<String> {
    let deny = deny();
    let allow = deny["licenses"]["allow"].as_array().expect("a list");
    allow.iter().map(|licence| licence.as_str().expect("a name").to_owned()).collect()
}

fn said(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A package that is built here.
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    origin: Option<String>,
}

/// The packages of the whole build on this kind of machine.
fn packages() -> Vec<Package> {
    let about = String::from_utf8(said(Command::new("rustc").arg("-vV"))).expect("UTF-8");
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host]);
    let metadata = said(command.current_dir(env!("CARGO_MANIFEST_DIR")));
    let metadata: Value = serde_json::from_slice(&metadata).expect("JSON");
    let text = |package: &Value, member: &str| package[member].as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .map(|package| Package {
            name: text(package, "name").expect("a name"),
            version: text(package, "version").expect("a version"),
            licence: text(package, "license"),
            origin: text(package, "source"),
        })
        .collect()
}

/// Whether an SPDX expression can be kept with the licences that are allowed: `MIT OR (Apache-2.0 AND BSD-3-Clause)`.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (permitted, rest) = any_of(&words, allowed);
    permitted && rest.is_empty()
}

fn any_of<'a, 'b>(words: &'a [&'b str], allowed: &[String]) -> (bool, &'a [&'b str]) {
    let (mut permitted, mut rest) = all_of(words, allowed);
    while let Some(("OR", more)) = rest.split_first().map(|(word, more)| (*word, more)) {
        let (other, after) = all_of(more, allowed);
        (permitted, rest) = (permitted || other, after);
    }
    (permitted, rest)
}

fn all_of<'a, 'b>(words: &'a [&'b str], allowed: &[String]) -> (bool, &'a [&'b str]) {
    let (mut permitted, mut rest) = one(words, allowed);
    while let Some(("AND", more)) = rest.split_first().map(|(word, more)| (*word, more)) {
        let (other, after) = one(more, allowed);
        (permitted, rest) = (permitted && other, after);
    }
    (permitted, rest)
}

fn one<'a, 'b>(words: &'a [&'b str], allowed: &[String]) -> (bool, &'a [&'b str]) {
    match words {
        ["(", inner @ ..] => {
            let (permitted, rest) = any_of(inner, allowed);
            (permitted && rest.first() == Some(&")"), rest.get(1..).unwrap_or_default())
        }
        [name, "WITH", exception, rest @ ..] => {
            let whole = format!("{name} WITH {exception}");
            (allowed.iter().any(|licence| *licence == whole || licence == name), rest)
        }
        [name, rest @ ..] => (allowed.iter().any(|licence| licence == name), rest),
        [] => (false, words),
    }
}

/// Who depends on a package, by the lock file.
fn users_of(name: &str) -> Vec<String> {
    let lock: toml::Table =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).expect("the lock file").parse().expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    let on_it = |package: &&toml::Value| {
        let dependencies = package.get("dependencies").and_then(toml::Value::as_array);
        dependencies.into_iter().flatten().filter_map(toml::Value::as_str).any(|one| one.split(' ').next() == Some(name))
    };
    packages.iter().filter(on_it).filter_map(|package| package["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn every_package_may_be_used() {
    let (allowed, banned) = (allowed(), deny());
    let banned = banned["bans"]["deny"].as_array().expect("a list");
    let mut refused = Vec::new();
    for Package { name, version, licence, origin } in packages() {
        if !licence.as_deref().is_some_and(|licence| permits(licence, &allowed)) {
            refused.push(format!("{name} {version}: {}", licence.as_deref().unwrap_or("no licence")));
        }
        if origin.as_ref().is_some_and(|origin| origin != REGISTRY) {
            refused.push(format!("{name} {version} comes from {origin:?}"));
        }
        let ban = banned.iter().find(|ban| ban["name"].as_str() == Some(&name));
        let wrappers = ban.and_then(|ban| ban.get("wrappers")).and_then(toml::Value::as_array);
        let users = users_of(&name);
        if ban.is_some()
            && !users.iter().all(|user| wrappers.is_some_and(|known| known.iter().any(|known| known.as_str() == Some(user))))
        {
            refused.push(format!("{name} {version} is banned, and {} use it", users.join(", ")));
        }
    }
    assert!(refused.is_empty(), "deny.toml does not allow\n{}", refused.join("\n"));
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT".to_owned(), "BSD-3-Clause".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for expression in
        ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(GPL-3.0 OR MIT) AND BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(permits(expression, &allowed), "{expression}");
    }
    for expression in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR GPL-3.0) AND GPL-3.0", "Apache-2.0", "(MIT", "MIT BSD-3-Clause"] {
        assert!(!permits(expression, &allowed), "{expression}");
    }
}
