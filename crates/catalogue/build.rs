//! Turns `catalogue/errors/*.toml` into the enum `Code`, the table of entries and one typed constructor for each code.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a build script stops the build where the data is wrong"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use indexmap::IndexMap;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    number: u16,
    title: String,
    message: String,
    #[serde(default)]
    values: IndexMap<String, String>,
    actor: String,
    retry: String,
    #[serde(default)]
    charged: bool,
    causes: Vec<String>,
    resolution: Vec<String>,
    trigger: String,
    sip: Option<u16>,
    class: String,
    #[serde(default)]
    audian: Wire,
    #[serde(default)]
    fonedynamics: Wire,
    #[serde(default)]
    telephony_io: Wire,
    #[serde(default)]
    native: Wire,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct Wire {
    status: Option<u16>,
    code: Option<String>,
    r#type: Option<String>,
    message: Option<String>,
    field: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Class {
    audian: Wire,
    fonedynamics: Wire,
    telephony_io: Wire,
    native: Wire,
}

const ACTORS: [&str; 5] = ["caller", "account", "carrier", "callee", "platform"];
const RETRIES: [&str; 3] = ["never", "later", "after"];

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../catalogue");
    println!("cargo::rerun-if-changed={}", root.display());
    let classes: BTreeMap<String, Class> = read(&root.join("classes.toml"));
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut files: Vec<_> =
        fs::read_dir(root.join("errors")).expect("catalogue/errors").map(|file| file.expect("a file").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "toml")) {
        println!("cargo::rerun-if-changed={}", file.display());
        for (name, entry) in read::<BTreeMap<String, Entry>>(file) {
            assert!(entries.insert(name.clone(), entry).is_none(), "{name} is in the catalogue twice");
        }
    }
    check(&entries, &classes);
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("codes.rs");
    fs::write(out, generate(&entries, &classes)).expect("the output folder is writable");
}

fn read<T: for<'de> Deserialize<'de>>(file: &PathBuf) -> T {
    let text = fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    toml::from_str(&text).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

fn check(entries: &BTreeMap<String, Entry>, classes: &BTreeMap<String, Class>) {
    let mut numbers = BTreeSet::new();
    for (name, entry) in entries {
        assert!(numbers.insert(entry.number), "{name}: number {} is taken; numbers are never reused", entry.number);
        assert!(ACTORS.contains(&entry.actor.as_str()), "{name}: nobody is called {}", entry.actor);
        assert!(RETRIES.contains(&entry.retry.as_str()), "{name}: no retry is called {}", entry.retry);
        assert!(classes.contains_key(&entry.class), "{name}: no class is called {}", entry.class);
        assert!(!entry.causes.is_empty() && !entry.resolution.is_empty(), "{name}: needs a cause and a resolution");
        assert!(!entry.trigger.is_empty(), "{name}: needs a trigger");
        let wires = [&entry.audian, &entry.fonedynamics, &entry.telephony_io, &entry.native];
        let texts = wires.iter().flat_map(|wire| [&wire.message, &wire.field]).flatten().chain([&entry.message]);
        for placeholder in texts.flat_map(|text| placeholders(text)) {
            assert!(entry.values.contains_key(&placeholder), "{name}: no value is called {placeholder}");
        }
        let needs_wait = entry.retry == "after";
        assert_eq!(needs_wait, entry.values.contains_key("retry_after"), "{name}: `after` and the value retry_after go together");
    }
}

fn placeholders(text: &str) -> Vec<String> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn generate(entries: &BTreeMap<String, Entry>, classes: &BTreeMap<String, Class>) -> String {
    let mut out = String::new();
    out.push_str("/// Every failure that the platform can answer with.\n#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]\n#[repr(u16)]\npub enum Code {\n");
    for (name, entry) in entries {
        writeln!(out, "    /// {}: {}\n    {} = {},", entry.title, entry.causes[0].replace('\n', " "), camel(name), entry.number)
            .unwrap();
    }
    out.push_str("}\n\nimpl Code {\n    /// All codes, by name.\n    pub const ALL: &'static [Self] = &[");
    for name in entries.keys() {
        write!(out, "Self::{}, ", camel(name)).unwrap();
    }
    out.push_str("];\n\n    /// The entry of the catalogue.\n    #[must_use]\n    pub const fn entry(self) -> &'static Entry {\n        match self {\n");
    for (name, entry) in entries {
        let class = &classes[&entry.class];
        writeln!(
            out,
            "            Self::{} => &const {{ Entry {{ number: {}, name: {name:?}, title: {:?}, message: {:?}, values: &{:?}, actor: Actor::{}, retry: Retry::{}, charged: {}, causes: &{:?}, resolution: &{:?}, trigger: {:?}, sip: {:?}, wires: [{}, {}, {}, {}] }} }},",
            camel(name),
            entry.number,
            entry.title,
            entry.message,
            entry.values.keys().collect::<Vec<_>>(),
            camel(&entry.actor),
            camel(&entry.retry),
            entry.charged,
            entry.causes,
            entry.resolution,
            entry.trigger,
            entry.sip,
            wire(name, entry, &entry.audian, &class.audian),
            wire(name, entry, &entry.fonedynamics, &class.fonedynamics),
            wire(name, entry, &entry.telephony_io, &class.telephony_io),
            wire(name, entry, &Wire { code: Some(name.clone()), ..entry.native.clone() }, &class.native),
        )
        .unwrap();
    }
    out.push_str("        }\n    }\n}\n\nimpl Error {\n");
    for (name, entry) in entries {
        constructor(&mut out, name, entry);
    }
    out.push_str("}\n");
    out
}

fn wire(name: &str, entry: &Entry, own: &Wire, class: &Wire) -> String {
    let message = own.message.as_ref().or(class.message.as_ref()).unwrap_or(&entry.message);
    let field = own.field.as_ref().or(class.field.as_ref()).filter(|field| {
        let known = placeholders(field).iter().all(|value| entry.values.contains_key(value));
        known && !field.is_empty()
    });
    format!(
        "Wire {{ status: {}, code: {:?}, kind: {:?}, message: {message:?}, field: {field:?} }}",
        own.status.or(class.status).unwrap_or_else(|| panic!("{name}: no status in class {}", entry.class)),
        own.code.as_ref().or(class.code.as_ref()).unwrap_or_else(|| panic!("{name}: no code in class {}", entry.class)),
        own.r#type.as_ref().or(class.r#type.as_ref()).map_or("", String::as_str),
    )
}

fn constructor(out: &mut String, name: &str, entry: &Entry) {
    let parameters: Vec<String> = entry.values.iter().map(|(value, kind)| format!("{value}: {}", rust_type(name, kind))).collect();
    let values: Vec<String> = entry.values.keys().map(|value| format!("({value:?}, {value}.into())")).collect();
    writeln!(
        out,
        "    /// {}.\n    #[must_use]\n    pub fn {name}({}) -> Self {{\n        Self::new(Code::{}, vec![{}])\n    }}\n",
        entry.title,
        parameters.join(", "),
        camel(name),
        values.join(", ")
    )
    .unwrap();
}

fn rust_type(name: &str, kind: &str) -> &'static str {
    match kind {
        "text" => "impl Into<Value>",
        "integer" | "seconds" => "i64",
        "money" => "tandem_kernel::Money",
        other => panic!("{name}: no type of value is called {other}"),
    }
}
