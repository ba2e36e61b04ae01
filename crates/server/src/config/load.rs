//! Putting the configuration together, and saying where each value came from.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Num, UncasedStr, Value},
};

use tracing_subscriber::filter::LevelFilter;

use super::{Config, without_password};
use crate::{
    failure::{Failure, Result},
    nearest::nearest,
};

/// What variables of the environment begin with.
const PREFIX: &str = "TANDEM_";
/// Variables that are not part of the configuration: the file's own place, the build that `./run` starts, and a switch of the tests.
const OTHERS: [&str; 3] = ["config", "profile", "write_docs"];
/// Files that are read where none is named: the first that is there.
const PLACES: [&str; 2] = ["tandem.toml", "/etc/tandem/tandem.toml"];

/// What was given on the command line.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Flags {
    /// Where HTTP is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Where everything is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Written when everything answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_file: Option<PathBuf>,
    /// Whether there is a demonstration account.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}

/// The configuration with the origin of its values.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    figment: Figment,
}

/// Reads the file, the environment and the command line.
///
/// # Errors
/// A key that nobody knows, with the nearest known one; a value of the wrong type; a named file that is not there.
pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Loaded> {
    let file = match file {
        Some(file) if file.is_file() => Some(file.to_owned()),
        Some(file) => return Err(Failure::new(format!("there is no configuration file {}", file.display()))),
        None => PLACES.iter().map(PathBuf::from).find(|place| place.is_file()),
    };
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = &file {
        figment = figment.merge(Toml::file_exact(file));
    }
    let known = |key: &UncasedStr| !OTHERS.iter().any(|other| key == *other) && !key.starts_with("test");
    let figment = figment.merge(Env::prefixed(PREFIX).filter(known).split("__")).merge(Serialized::defaults(flags));
    let config: Config = figment.extract().map_err(|error| complaint(&error))?;
    check(&config)?;
    Ok(Loaded { config, file, figment })
}

impl Loaded {
    /// Every setting with its value and where that came from.
    #[must_use]
    pub fn listing(&self) -> Vec<(String, String, String)> {
        let values: Dict = self.figment.extract().unwrap_or_default(); // it was extracted before
        let mut listing = Vec::new();
        self.list("", &values, &mut listing);
        listing
    }

    fn list(&self, under: &str, values: &Dict, listing: &mut Vec<(String, String, String)>) {
        for (name, value) in values {
            let key = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
            match value {
                Value::Dict(_, values) if values.is_empty() => listing.push((key.clone(), "-".to_owned(), self.origin(&key))),
                Value::Dict(_, values) => self.list(&key, values, listing),
                value => listing.push((key.clone(), shown(&key, value), self.origin(&key))),
            }
        }
    }

    fn origin(&self, key: &str) -> String {
        let Some(metadata) = self.figment.find_metadata(key) else { return "default".to_owned() };
        match (&*metadata.name, &metadata.source) {
            (_, Some(figment::Source::File(file))) => file.display().to_string(),
            (name, _) if name.contains("environment") => format!("{PREFIX}{}", key.replace('.', "__").to_uppercase()),
            (name, _) if name.contains("Flags") => "command line".to_owned(),
            _ => "default".to_owned(),
        }
    }
}

fn shown(key: &str, value: &Value) -> String {
    match (key, value) {
        ("database" | "mail.smtp", Value::String(_, url)) => without_password(url),
        (key, Value::String(..)) if key.starts_with("recordings.options.") => "***".to_owned(),
        (_, Value::String(_, text)) => text.clone(),
        (_, Value::Empty(..)) => "-".to_owned(),
        ("pocket.applications", Value::Array(_, items)) if !items.is_empty() => format!("{} applications", items.len()),
        (_, Value::Array(_, items)) if items.is_empty() => "-".to_owned(),
        (_, Value::Array(_, items)) => items.iter().map(|item| shown(key, item)).collect::<Vec<_>>().join(", "),
        (_, Value::Bool(_, flag)) => flag.to_string(),
        (_, Value::Num(_, Num::F32(number))) => number.to_string(),
        (_, Value::Num(_, Num::F64(number))) => number.to_string(),
        (_, Value::Num(_, number)) => whole(*number),
        (_, other) => format!("{other:?}"),
    }
}
/// A whole number: those with a sign and those without are two things to figment.
fn whole(number: Num) -> String {
    let with_sign = number.to_i128().map(|number| number.to_string());
    with_sign.or_else(|| number.to_u128().map(|number| number.to_string())).unwrap_or_default()
}

fn complaint(error: &figment::Error) -> Failure {
    let origin = match error.metadata.as_ref().map(|metadata| (&*metadata.name, &metadata.source)) {
        Some((_, Some(figment::Source::File(file)))) => file.display().to_string(),
        Some((name, _)) if name.contains("environment") => "the environment".to_owned(),
        Some((name, _)) if name.contains("Flags") => "the command line".to_owned(),
        _ => "the configuration".to_owned(),
    };
    let path = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let inside = error.path.iter().filter(|part| *part != name).map(String::as_str).collect::<Vec<_>>().join(".");
            let place = if inside.is_empty() { String::new() } else { format!(" in [{inside}]") };
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("the keys there are {}", known.join(", ")),
            };
            Failure::new(format!("{origin}: there is no setting '{name}'{place}")).hint(hint)
        }
        kind => {
            Failure::new(format!("{origin}: {path}: {kind}")).hint("packaging/tandem.toml shows every setting with its default")
        }
    }
}

/// What types cannot say.
fn check(config: &Config) -> Result<()> {
    config.voice.listeners()?;
    let tls = &config.tls;
    if tls.certificate.is_some() != tls.key.is_some() {
        return Err(Failure::new("tls.certificate and tls.key go together, and only one of them is set"));
    }
    if tls.certificate.is_some() && tls.listen.is_none() && !config.voice.is_secure() {
        return Err(Failure::new("there is a tls.certificate and no tls.listen")
            .hint("say where HTTPS is answered: listen = \"0.0.0.0:8443\""));
    }
    config.voice.ports()?;
    for application in &config.pocket.applications {
        let (name, password) = (&application.system_id, &application.password);
        if name.is_empty() || name.len() > 15 || name == "tandem" || !(1..=8).contains(&password.len()) {
            return Err(Failure::new(format!("pocket.applications: '{name}' cannot bind"))
                .hint("SMPP has names of 1 to 15 characters and passwords of 1 to 8, and 'tandem' is the platform itself"));
        }
    }
    for part in config.log.level.split(',') {
        let level = part.split_once('=').map_or(part, |(_, level)| level);
        if level.parse::<LevelFilter>().is_err() {
            let hint = "use error, warn, info, debug or trace, also for a part: \"info,tandem_app=debug\"";
            return Err(Failure::new(format!("log.level: '{level}' is no level")).hint(hint));
        }
    }
    let url = config.database_url();
    if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(Failure::new(format!("database: '{}' is no database URL", without_password(&url)))
            .hint("use sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"));
    }
    Ok(())
}
