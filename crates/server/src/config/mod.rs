//! What an operator may set: from one TOML file, the environment and the command line, the later winning.

mod amount;
mod load;
mod recordings;
#[cfg(test)]
mod tests;
mod voice;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tandem_domain::message::pool::Pool;

pub use amount::Amount;
pub use load::{Flags, Loaded, load};
pub use recordings::Recordings;
pub use voice::Voice;

/// Everything that can be set. The commented file with every default is `packaging/tandem.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP is answered.
    pub listen: String,
    /// Where everything is kept that Tandem writes.
    pub data_dir: PathBuf,
    /// `sqlite:PATH` or `postgres://…`; a file in the data directory if none.
    pub database: Option<String>,
    /// The file of the installation's secret key, which is made where there is none; `secret.key` in the data directory if not set.
    pub secret_key: Option<PathBuf>,
    /// How clients reach this server, where that differs from `listen`.
    pub public_url: Option<String>,
    /// Written when everything answers.
    pub ready_file: Option<PathBuf>,
    /// Whether there is a demonstration account.
    pub demo: bool,
    /// HTTPS.
    pub tls: Tls,
    /// Hosts that clients have built in.
    pub hosts: Hosts,
    /// What one caller may take of the machine.
    pub limits: Limits,
    /// The database's threads.
    pub store: StoreThreads,
    /// What is logged and how.
    pub log: Log,
    /// Metrics.
    pub metrics: Metrics,
    /// Delivery of events to customers' endpoints.
    pub webhooks: Webhooks,
    /// The pocket network of the test environments.
    pub pocket: Pocket,
    /// Calls.
    pub voice: Voice,
    /// Recordings of calls.
    pub recordings: Recordings,
    /// What senders of messages may use.
    pub messages: Messages,
    /// E-mails.
    pub mail: Mail,
    /// Prices and times.
    pub business: Business,
}

/// HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Where HTTPS is answered; nowhere if none.
    pub listen: Option<String>,
    /// The certificate with its chain, PEM; the one of `tandem admin dev-cert` if none.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
}

/// Hosts on which a dialect is served under the paths that its clients know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hosts {
    /// Of the Audian API.
    pub audian: Vec<String>,
    /// Of the Fone Dynamics API.
    pub fonedynamics: Vec<String>,
    /// Of the Telephony.io API.
    pub telephony_io: Vec<String>,
}

/// What one caller may take of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once; further ones wait.
    pub connections: u32,
    /// Requests that are worked on at once; one more is told to come back.
    pub requests: u32,
    /// Seconds for a request's head to arrive, and for which an idle connection is kept.
    pub header_seconds: u32,
    /// Seconds for a request's body to arrive, and more for one beyond a mebibyte.
    pub body_seconds: u32,
    /// Seconds that running requests get when the server stops.
    pub shutdown_seconds: u32,
    /// Requests a minute from one address without a valid key.
    pub anonymous_per_minute: u32,
}

/// The database's threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreThreads {
    /// Units of work that may wait.
    pub queue: u32,
    /// Seconds that a request waits for the database.
    pub patience_seconds: u32,
    /// Connections that write (PostgreSQL).
    pub writers: u32,
    /// Connections that read.
    pub readers: u32,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, also for a part: `info,tandem_app=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Where `GET /metrics` is answered for anybody; on the main port for this machine alone if none.
    pub listen: Option<String>,
}

/// Delivery of events to customers' endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Whether they may lead to addresses that are not of the public network, and Audian's to plain HTTP.
    pub allow_private: bool,
    /// Seconds in which an endpoint has to answer.
    pub timeout_seconds: u32,
    /// Requests under way, in all.
    pub requests: u32,
    /// Requests under way to one endpoint.
    pub requests_each: u32,
}

/// The pocket network of the test environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pocket {
    /// Where its SMSC answers.
    pub smpp_listen: String,
    /// Applications of others that may bind.
    pub applications: Vec<Application>,
}

/// An SMPP application of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// What it calls itself.
    pub system_id: String,
    /// What it proves that with.
    pub password: String,
    /// The beginnings of the numbers that it claims.
    #[serde(default)]
    pub numbers: Vec<String>,
}

/// What senders of messages may use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Messages {
    /// Numbers that are leased in live environments to messages that name no sender: each in E.164, or `+FIRST..+LAST`.
    #[serde(deserialize_with = "pool")]
    pub leased_numbers: Vec<String>,
}

/// E-mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// The relay that takes them, as a URL; none are sent if none.
    pub smtp: Option<String>,
    /// Who sends them, where customers say nothing else.
    pub from: String,
}

/// Prices and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Business {
    /// What a completed port costs.
    pub port_fee: Amount,
    /// What a month of a ported number costs.
    pub ported_monthly: Amount,
    /// What looking a number up costs.
    pub lookup: Amount,
    /// What each sending of a verification's code costs.
    pub verification: Amount,
    /// Whom codes come from: a number, a short code or a name of up to eleven letters and digits.
    #[serde(deserialize_with = "sender")]
    pub verification_sender: String,
    /// Days that the request log is kept.
    pub log_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: data_home(),
            database: None,
            secret_key: None,
            public_url: None,
            ready_file: None,
            demo: false,
            tls: Tls::default(),
            hosts: Hosts::default(),
            limits: Limits::default(),
            store: StoreThreads::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            webhooks: Webhooks::default(),
            pocket: Pocket::default(),
            voice: Voice::default(),
            recordings: Recordings::default(),
            messages: Messages::default(),
            mail: Mail::default(),
            business: Business::default(),
        }
    }
}

impl Default for Pocket {
    fn default() -> Self {
        Self { smpp_listen: "127.0.0.1:0".to_owned(), applications: Vec::new() }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self { smtp: None, from: "no-reply@localhost.localdomain".to_owned() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            requests: 4096,
            header_seconds: 30,
            body_seconds: 30,
            shutdown_seconds: 20,
            anonymous_per_minute: 1200,
        }
    }
}

impl Default for StoreThreads {
    fn default() -> Self {
        Self { queue: 4096, patience_seconds: 5, writers: 6, readers: 3 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { allow_private: false, timeout_seconds: 30, requests: 1024, requests_each: 16 }
    }
}

impl Webhooks {
    /// What the HTTP client is held to.
    #[must_use]
    pub fn limits(&self) -> tandem_webhooks::Limits {
        tandem_webhooks::Limits {
            patience: std::time::Duration::from_secs(self.timeout_seconds.max(1).into()),
            allow_private: self.allow_private,
            ..Default::default()
        }
    }

    /// How much is done at once.
    #[must_use]
    pub fn options(&self) -> tandem_webhooks::Options {
        let size = |number: u32| usize::try_from(number.max(1)).unwrap_or(usize::MAX);
        tandem_webhooks::Options { in_all: size(self.requests), each: size(self.requests_each), ..Default::default() }
    }
}

impl Default for Business {
    fn default() -> Self {
        Self {
            port_fee: Amount(25_000_000),
            ported_monthly: Amount(990_000),
            lookup: Amount(10_000),
            verification: Amount(50_000),
            verification_sender: "Verify".to_owned(),
            log_days: 30,
        }
    }
}

impl Config {
    /// The database's URL.
    #[must_use]
    pub fn database_url(&self) -> String {
        let file = || format!("sqlite:{}", self.data_dir.join("tandem.sqlite").display());
        self.database.clone().unwrap_or_else(file)
    }

    /// The file of the installation's secret key.
    #[must_use]
    pub fn secret_key_file(&self) -> PathBuf {
        self.secret_key.clone().unwrap_or_else(|| self.data_dir.join("secret.key"))
    }

    /// The SQLite file, where the database is one.
    #[must_use]
    pub fn database_file(&self) -> Option<PathBuf> {
        self.database_url().strip_prefix("sqlite:").map(PathBuf::from)
    }

    /// How the database is opened.
    #[must_use]
    pub fn store_options(&self, exclusive: bool) -> tandem_store::Options {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        tandem_store::Options {
            url: self.database_url(),
            queue: size(self.store.queue.max(1)),
            patience: std::time::Duration::from_secs(self.store.patience_seconds.max(1).into()),
            writers: size(self.store.writers.max(1)),
            readers: size(self.store.readers.max(1)),
            exclusive,
        }
    }

    /// The applications of others that may bind to the pocket network's SMSC.
    #[must_use]
    pub fn applications(&self) -> Vec<tandem_sms::smsc::Esme> {
        let esme = |application: &Application| tandem_sms::smsc::Esme {
            system_id: application.system_id.clone(),
            password: application.password.clone(),
            numbers: application.numbers.clone(),
        };
        self.pocket.applications.iter().map(esme).collect()
    }

    /// What the use cases want to know.
    #[must_use]
    pub fn settings(&self) -> tandem_app::Settings {
        tandem_app::Settings {
            port_fee: self.business.port_fee.0,
            ported_monthly: self.business.ported_monthly.0,
            lookup_price: self.business.lookup.0,
            verification_price: self.business.verification.0,
            verification_sender: self.business.verification_sender.clone(),
            leased_numbers: Pool::parse(&self.messages.leased_numbers).unwrap_or_default(), // checked when it was read
            log_days: self.business.log_days.into(),
            anonymous_per_minute: self.limits.anonymous_per_minute,
            webhooks_allow_private: self.webhooks.allow_private,
        }
    }
}

fn pool<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let entries = Vec::<String>::deserialize(deserializer)?;
    Pool::parse(&entries).map_err(serde::de::Error::custom)?;
    Ok(entries)
}

fn sender<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match tandem_domain::message::Sender::parse(&text) {
        Some(_) => Ok(text),
        None => Err(serde::de::Error::custom("a number in E.164, a short code or a name of up to eleven letters is expected")),
    }
}

/// A URL without the password in it.
#[must_use]
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = match place.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"))),
        None => place.to_owned(),
    };
    let hidden = |pair: &str| if pair.starts_with("password=") { "password=***".to_owned() } else { pair.to_owned() };
    let query = query.map(|query| format!("?{}", query.split('&').map(hidden).collect::<Vec<_>>().join("&")));
    format!("{scheme}://{place}{}", query.unwrap_or_default())
}

/// Where programs of this user keep their data; a folder here where that is not known.
fn data_home() -> PathBuf {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        set("XDG_DATA_HOME").or_else(|| home().map(|home| home.join(".local/share")))
    };
    base.map_or_else(|| Path::new("tandem-data").to_owned(), |base| base.join("tandem"))
}
