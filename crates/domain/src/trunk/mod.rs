//! Trunks: how calls come from other telephone companies and go to them.

pub mod choice;
mod network;
mod rewrite;

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Country, Environment, PhoneNumber, Timestamp, TrunkId};

use crate::words::words;

pub use network::Network;
pub use rewrite::{Rewrite, rewrite};

/// Ranges of addresses that a trunk may have.
pub const MOST_NETWORKS: usize = 100;
/// Rules for writing numbers that a trunk may have in each direction.
pub const MOST_REWRITES: usize = 100;
/// Destinations that a trunk may name.
pub const MOST_ROUTES: usize = 1_000;
/// Weights and priorities are at most so much.
pub const GREATEST: i64 = 1_000;

words! {
    /// Which calls a trunk carries.
    Direction {
        /// Those that come in.
        Inbound = "inbound",
        /// Those that go out.
        Outbound = "outbound",
        /// All of them.
        Both = "both",
    }
}

words! {
    /// How SIP goes over the wire to a trunk.
    Transport {
        /// Datagrams.
        Udp = "udp",
        /// A connection.
        Tcp = "tcp",
        /// A connection that is encrypted.
        Tls = "tls",
    }
}

words! {
    /// Whether what is spoken is encrypted.
    Srtp {
        /// It is not.
        Off = "off",
        /// It is where the other side wants it.
        Optional = "optional",
        /// Calls without it are refused.
        Required = "required",
    }
}

words! {
    /// How what is spoken is encoded.
    Codec {
        /// G.711 mu-law.
        Pcmu = "pcmu",
        /// G.711 A-law.
        Pcma = "pcma",
        /// G.722.
        G722 = "g722",
        /// Opus.
        Opus = "opus",
    }
}

words! {
    /// Whether a trunk answers.
    Health {
        /// Nobody has asked it yet.
        Unknown = "unknown",
        /// It answered when it was last asked.
        Up = "up",
        /// It did not.
        Down = "down",
    }
}

/// Where calls can be carried to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destinations {
    /// Numbers with this beginning, in digits; an empty one is every number.
    Prefix(String),
    /// Numbers of a country.
    Country(Country),
}

/// Destinations that a trunk carries calls to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Which.
    pub to: Destinations,
    /// Of several trunks with a beginning of the same length the one with the lowest priority is asked first.
    pub priority: i64,
    /// Of several with the same priority, how often this one is asked first.
    pub weight: i64,
}

/// Seconds between two questions whether a trunk answers, where nothing is said.
pub const USUAL_PING: i64 = 30;

/// How we register with a trunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnRegistration {
    /// Whom we are there.
    pub user: String,
    /// The user name of the challenge, where it is another.
    pub auth_user: Option<String>,
    /// The password, sealed.
    pub password: Vec<u8>,
    /// Seconds between two registrations.
    pub expires: i64,
}

/// A trunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trunk {
    /// Its id.
    pub id: TrunkId,
    /// The operator's name for it.
    pub name: String,
    /// Of which environments it carries calls.
    pub serves: Environment,
    /// Which calls it carries.
    pub direction: Direction,
    /// Where it is asked for calls, with a port where that is said: `sip.example.com:5060`.
    pub host: Option<String>,
    /// At which port.
    pub port: Option<u16>,
    /// How.
    pub transport: Transport,
    /// Addresses from which it comes.
    pub networks: Vec<Network>,
    /// The user name by which it proves who it is, where it does.
    pub user_name: Option<String>,
    /// How we register with it, where we do.
    pub registration: Option<OwnRegistration>,
    /// How numbers are written that it is given.
    pub outgoing: Vec<Rewrite>,
    /// How those are read that it gives.
    pub incoming: Vec<Rewrite>,
    /// Whether it wants a `+` before numbers.
    pub plus: bool,
    /// Destinations that it carries calls to.
    pub routes: Vec<Route>,
    /// Calls that it carries at once; no limit if none.
    pub capacity: Option<i64>,
    /// Codecs, the one that it likes best first.
    pub codecs: Vec<Codec>,
    /// Whether it encrypts.
    pub srtp: Srtp,
    /// Seconds between two questions whether it answers (OPTIONS); none where it is not asked.
    pub ping: Option<i64>,
    /// Whether it gets no new calls.
    pub drained: bool,
    /// Whether it answers.
    pub health: HealthState,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed.
    pub changed_at: Timestamp,
}

/// What is known of whether a trunk answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthState {
    /// Whether it does.
    pub health: Health,
    /// Since when.
    pub since: Timestamp,
    /// What was wrong last.
    pub detail: Option<String>,
    /// When it last answered.
    pub last_answer: Option<Timestamp>,
}

impl HealthState {
    /// Of a trunk that nobody has asked yet.
    #[must_use]
    pub const fn unknown(since: Timestamp) -> Self {
        Self { health: Health::Unknown, since, detail: None, last_answer: None }
    }
}

impl Trunk {
    /// Whether it takes calls to somewhere.
    #[must_use]
    pub const fn is_outbound(&self) -> bool {
        matches!(self.direction, Direction::Outbound | Direction::Both)
    }

    /// Whether it brings calls.
    #[must_use]
    pub const fn is_inbound(&self) -> bool {
        matches!(self.direction, Direction::Inbound | Direction::Both)
    }

    /// The number as this trunk is to be given it.
    #[must_use]
    pub fn dial(&self, number: PhoneNumber) -> String {
        let digits = rewrite(&self.outgoing, &number.digits().to_string());
        if self.plus { format!("+{digits}") } else { digits }
    }

    /// The number that this trunk means by what it sends.
    #[must_use]
    pub fn read(&self, user: &str) -> Option<PhoneNumber> {
        let digits = user.strip_prefix('+').unwrap_or(user);
        let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !plain {
            return None;
        }
        PhoneNumber::from_e164(&format!("+{}", rewrite(&self.incoming, digits)))
    }

    /// Checks what one member alone cannot say.
    ///
    /// # Errors
    /// `missing_parameter`, `invalid_value`.
    pub fn check(&self) -> Result<()> {
        if self.is_outbound() && self.host.is_none() {
            return Err(Error::missing_parameter("host"));
        }
        if self.registration.is_some() && self.host.is_none() {
            return Err(Error::missing_parameter("host"));
        }
        if self.direction == Direction::Inbound && !self.routes.is_empty() {
            return Err(Error::invalid_value("routes", "must be empty for a trunk that carries no calls out"));
        }
        let known = !self.networks.is_empty() || self.user_name.is_some() || self.registration.is_some();
        if self.is_inbound() && !known {
            let rule = "must name the addresses of a trunk that brings calls, unless it has credentials or we register with it";
            return Err(Error::invalid_value("addresses", rule));
        }
        if self.srtp == Srtp::Required && self.host.is_some() && self.transport != Transport::Tls {
            let rule = "must not be `required` without `transport` `tls`: the keys travel in the clear otherwise";
            return Err(Error::invalid_value("srtp", rule));
        }
        if self.codecs.is_empty() {
            return Err(Error::invalid_value("codecs", "must have at least one entry"));
        }
        Ok(())
    }
}
