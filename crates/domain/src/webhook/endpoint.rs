//! A place that wants to hear of events.

use std::net::{IpAddr, Ipv6Addr};

use tandem_catalogue::{Dialect, Error, Result};
use tandem_kernel::{EnvironmentId, Timestamp, WebhookId};

use super::{
    address::is_public,
    payload::{self, Target},
    schedule::PATIENCE,
};

/// Characters of the longest URL.
pub const LONGEST_URL: usize = 2048;

/// How a delivery is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// With a body.
    Post,
    /// With everything in the query: Fone Dynamics' only.
    Get,
}

impl Method {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Post, Self::Get].into_iter().find(|method| method.as_str() == text)
    }
}

/// Which events an endpoint wants, by the names of its dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interest {
    /// All that its dialect knows.
    All,
    /// These.
    Some(Vec<String>),
}

impl Interest {
    /// What a list of names asks for; `*` is all.
    ///
    /// # Errors
    /// `too_short` for an empty list, `invalid_choice` for a name that the dialect does not know.
    pub fn of(dialect: Dialect, names: Vec<String>) -> Result<Self> {
        if names.iter().any(|name| name == "*") {
            return Ok(Self::All);
        }
        if names.is_empty() {
            return Err(Error::too_short("events", 1));
        }
        let known = known_events(dialect);
        if names.iter().any(|name| !known.contains(&name.as_str())) {
            return Err(Error::invalid_choice("events", format!("*, {}", known.join(", "))));
        }
        let mut wanted: Vec<String> = Vec::new();
        for name in names {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
        Ok(Self::Some(wanted))
    }

    /// As stores keep it: the names, with spaces between.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.names().join(" ")
    }

    /// Reads what [`Self::to_text`] writes.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        match text {
            "*" => Self::All,
            names => Self::Some(names.split_whitespace().map(str::to_owned).collect()),
        }
    }

    /// The names; `*` alone for all.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::All => vec!["*"],
            Self::Some(names) => names.iter().map(String::as_str).collect(),
        }
    }
}

/// Whether anything is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Events are delivered.
    Active,
    /// Nothing is delivered.
    Disabled {
        /// Why.
        reason: String,
    },
    /// It is there for the sake of its past deliveries only.
    Deleted,
}

impl State {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled { .. } => "disabled",
            Self::Deleted => "deleted",
        }
    }

    /// Why nothing is delivered.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Disabled { reason } => Some(reason),
            Self::Active | Self::Deleted => None,
        }
    }
}

/// What deliveries are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its text: `whsec_` and base64.
    pub text: String,
    /// When it was made, by the machine's clock.
    pub created_at: Timestamp,
    /// Until when it is used beside its successor.
    pub expires_at: Option<Timestamp>,
}

/// A secret is in no log.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("created_at", &self.created_at).field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A place that wants to hear of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose events.
    pub environment: EnvironmentId,
    /// How it is spoken to.
    pub target: Target,
    /// Where it is.
    pub url: String,
    /// Its owner's name for it.
    pub description: String,
    /// How it is called.
    pub method: Method,
    /// What it wants to hear of.
    pub interest: Interest,
    /// Whether anything is delivered.
    pub state: State,
    /// What deliveries are signed with, sealed, the newest first.
    pub secrets: Vec<u8>,
    /// Since when every attempt failed.
    pub failing_since: Option<Timestamp>,
    /// Deliveries that it was given so far.
    pub places: i64,
    /// When it was made, by the environment's clock.
    pub created_at: Timestamp,
    /// Changes with each change of it.
    pub version: i64,
}

/// A change of a webhook; members that are none stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Where it is.
    pub url: Option<String>,
    /// Its owner's name for it.
    pub description: Option<String>,
    /// What it wants to hear of, by name.
    pub events: Option<Vec<String>>,
    /// Whether anything is delivered.
    pub active: Option<bool>,
    /// How it is called.
    pub method: Option<Method>,
}

impl Webhook {
    /// Whether it wants to hear of an event of this kind. What is said about itself it hears only where it was asked to.
    #[must_use]
    pub fn wants(&self, kind: &str, object: &str) -> bool {
        let Target::Endpoint(dialect) = self.target else { return false };
        let about_itself = kind.starts_with("webhook.") && object == self.id.to_string();
        match payload::name_in(dialect, kind) {
            Some(name) if self.state == State::Active && !about_itself => match &self.interest {
                Interest::All => true,
                Interest::Some(names) => names.iter().any(|wanted| wanted == name),
            },
            _ => false,
        }
    }

    /// The webhook with a change.
    ///
    /// # Errors
    /// What is wrong with the change.
    pub fn changed(mut self, change: &Change, allow_private: bool) -> Result<Self> {
        let dialect = self.target.dialect();
        if let Some(url) = &change.url {
            check_url("url", url, dialect, allow_private)?;
            self.url.clone_from(url);
        }
        if let Some(names) = &change.events {
            self.interest = Interest::of(dialect, names.clone())?;
        }
        if let Some(description) = &change.description {
            self.description.clone_from(description);
        }
        if let Some(method) = change.method {
            check_method(dialect, method)?;
            self.method = method;
        }
        match change.active {
            Some(true) if self.state != State::Active => {
                self.state = State::Active;
                self.failing_since = None;
            }
            Some(false) if self.state == State::Active => {
                self.state = State::Disabled { reason: "Its owner switched it off".to_owned() };
            }
            _ => {}
        }
        self.version += 1;
        Ok(self)
    }

    /// Notes that attempts came to an end at `now`, some of which arrived or none; why it is to be switched off, if it is.
    pub fn note(&mut self, arrived: bool, gone: bool, now: Timestamp) -> Option<String> {
        if arrived {
            self.failing_since = None;
        }
        if gone {
            return Some("It answered 410 Gone".to_owned());
        }
        if arrived {
            return None;
        }
        let since = *self.failing_since.get_or_insert(now);
        (since.plus_seconds(PATIENCE) <= now).then(|| format!("Nothing could be delivered since {since}"))
    }
}

/// Checks the way in which an endpoint is called.
///
/// # Errors
/// `invalid_value`: only Fone Dynamics' webhooks come by GET.
pub fn check_method(dialect: Dialect, method: Method) -> Result<()> {
    match (dialect, method) {
        (Dialect::FoneDynamics, _) | (_, Method::Post) => Ok(()),
        (_, Method::Get) => Err(Error::invalid_value("method", "must be POST in this dialect")),
    }
}

/// The names of a dialect's events.
#[must_use]
pub fn known_events(dialect: Dialect) -> Vec<&'static str> {
    payload::EVENTS.iter().copied().filter(|name| payload::knows(dialect, name)).collect()
}

/// Checks the URL of an endpoint. Names are looked at again, with their addresses, whenever a connection is made.
///
/// # Errors
/// `invalid_value`.
pub fn check_url(field: &'static str, url: &str, dialect: Dialect, allow_private: bool) -> Result<()> {
    let wrong = |rule: &'static str| Err(Error::invalid_value(field, rule));
    let whole = url.len() <= LONGEST_URL && url.chars().all(|letter| letter.is_ascii_graphic());
    let plain = url.strip_prefix("http://");
    let rest = url.strip_prefix("https://").or(plain);
    let authority = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or(""));
    let Some(authority) =
        authority.filter(|authority| whole && !url.contains(['#', '\\', '"', '<', '>']) && !authority.contains('@'))
    else {
        return wrong("must be an http or https URL without credentials and fragment, of at most 2048 characters");
    };
    if plain.is_some() && dialect == Dialect::Audian && !allow_private {
        return wrong("must be an https URL");
    }
    let Some(host) = host(authority) else { return wrong("must name a host") };
    if !allow_private && is_inside(host) {
        return wrong("must not lead to a private address");
    }
    Ok(())
}

/// The host of an authority whose port, if there is one, is one.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("443"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "443")),
    };
    let named = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
    let whole = !host.is_empty() && host.len() <= 253 && host.chars().all(named);
    (whole && port.parse::<u16>().is_ok_and(|port| port > 0)).then_some(host)
}

fn is_inside(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match name.parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::from_bytes([1; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            target: Target::Endpoint(Dialect::Audian),
            url: "https://example.com/hook".to_owned(),
            description: String::new(),
            method: Method::Post,
            interest: Interest::All,
            state: State::Active,
            secrets: Vec::new(),
            failing_since: None,
            places: 0,
            created_at: Timestamp::default(),
            version: 1,
        }
    }

    #[test]
    fn a_url_leads_to_the_public_network() {
        for url in ["https://example.com", "https://example.com:8443/a?b=c", "https://[2606:4700::1111]/x", "https://1.1.1.1:80/"] {
            check_url("url", url, Dialect::Audian, false).expect(url);
        }
        check_url("url", "http://example.com/", Dialect::Native, false).expect("plain HTTP where the dialect has it");
        check_url("url", "http://127.0.0.1:9/", Dialect::Audian, true).expect("what is inside where that is allowed");
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a@example.com",
            "https://example.com#x",
            "https://example.com:0",
            "https://example.com:99999",
            "https://exa mple.com",
            "https://[::1",
            "https://[zz]/",
            "https://example.com\\@127.0.0.1/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1:8/",
            "https://localhost/",
            "https://a.LOCALHOST./",
            "http://example.com/",
            "https://169.254.169.254/latest",
            "https://[::ffff:10.0.0.1]/",
        ] {
            check_url("url", url, Dialect::Audian, false).expect_err(url);
        }
    }

    #[test]
    fn an_endpoint_hears_of_what_it_asked_for() {
        let mut webhook = webhook();
        assert!(webhook.wants("number.purchased", "num_1") && webhook.wants("call.completed", "call_1"));
        assert!(!webhook.wants("webhook.disabled", &webhook.id.to_string()) && webhook.wants("webhook.disabled", "wh_other"));
        webhook.interest = Interest::of(Dialect::Audian, vec!["port.completed".to_owned(); 2]).expect("a known event");
        assert_eq!(webhook.interest.to_text(), "port.completed");
        assert!(webhook.wants("port.completed", "port_1") && !webhook.wants("number.purchased", "num_1"));
        webhook.state = State::Deleted;
        assert!(!webhook.wants("port.completed", "port_1"));
        for names in [vec![], vec!["port.finished".to_owned()], vec!["Message.Received".to_owned()]] {
            Interest::of(Dialect::Audian, names).expect_err("no such event");
        }
        assert_eq!(Interest::of(Dialect::TelephonyIo, vec!["*".to_owned()]).expect("all"), Interest::All);
        webhook =
            Webhook { state: State::Active, target: Target::Endpoint(Dialect::TelephonyIo), interest: Interest::All, ..webhook };
        assert!(!webhook.wants("port.completed", "port_1") && webhook.wants("verify.checked", "verify_1"));
    }

    #[test]
    fn an_endpoint_that_is_gone_or_fails_for_days_is_switched_off() {
        let (mut webhook, start) = (webhook(), Timestamp::from_micros(1_700_000_000_000_000));
        assert_eq!(webhook.note(false, false, start), None);
        assert_eq!(webhook.note(false, false, start.plus_days(4)), None);
        assert_eq!(webhook.note(true, false, start.plus_days(4)), None);
        assert_eq!(webhook.note(false, false, start.plus_days(5)), None);
        assert_eq!(
            webhook.note(false, false, start.plus_days(10)).as_deref(),
            Some("Nothing could be delivered since 2023-11-19T22:13:20Z")
        );
        assert_eq!(webhook.note(true, true, start).as_deref(), Some("It answered 410 Gone"));
    }
}
