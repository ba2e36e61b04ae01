//! What the adapter asks its owner.

use std::{fmt, net::IpAddr};

use async_trait::async_trait;

use crate::{Source, Summary, Transport};

/// Whom credentials belong to: an id of the owner's, which the adapter only hands back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnerId(pub String);

/// A trunk that is known by its address: an id of the owner's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub String);

/// What a user's answers to challenges are checked with. No password is needed: HA1 is the hash of user, realm and password
/// (RFC 8760 section 2.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Whose they are.
    pub owner: OwnerId,
    /// HA1 by MD5.
    pub md5: Option<[u8; 16]>,
    /// HA1 by SHA-256.
    pub sha256: Option<[u8; 32]>,
}

impl Credentials {
    /// The credentials that a user name and a password make in a realm.
    #[must_use]
    pub fn of(owner: &str, realm: &str, username: &str, password: &str) -> Self {
        let (md5, sha256) = crate::digest::ha1(realm, username, password);
        Self { owner: OwnerId(owner.to_owned()), md5: Some(md5), sha256: Some(sha256) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// A user name and a password that we show to another server.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Where a registered device is reached (RFC 3261 section 10.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The contact as the device gave it: a call's Request-URI.
    pub contact: String,
    /// Where it registered from: where calls go, whatever the contact says.
    pub source: Source,
    /// `+sip.instance`, where the device says it (RFC 5626).
    pub instance: Option<String>,
    /// Its preference, in thousandths.
    pub q: u16,
    /// For how many seconds it holds: what was granted when it is stored, what is left when it is read.
    pub expires: u32,
    /// The registration's Call-ID, which orders its refreshes together with `cseq`.
    pub call_id: String,
    /// The registration's CSeq.
    pub cseq: u32,
    /// What the device calls itself.
    pub agent: Option<String>,
}

impl Binding {
    /// Where to send a call to this device.
    #[must_use]
    pub const fn target(&self) -> crate::Target {
        crate::Target::Source(self.source)
    }
}

/// Why bindings were not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotStored {
    /// There are too many in all.
    Full,
    /// The store does not answer.
    Unavailable,
}

/// Why a request was refused or its source banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The password does not belong to the user name, or there is no such user: the two look the same from outside.
    WrongCredentials,
    /// A user that is not known.
    UnknownUser,
    /// A nonce was used again.
    Replay,
    /// It calls itself what scanners call themselves.
    Scanner,
    /// More requests than are let in.
    Rate,
    /// There are as many calls as there may be.
    Calls,
    /// Its credentials are another user's.
    NotYours,
}

/// What the owner is told, for the log and the explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A request was refused.
    Refused {
        /// Where it came from.
        source: Source,
        /// Its method.
        method: String,
        /// The user name it showed or asked for.
        user: Option<String>,
        /// Why.
        fault: Fault,
        /// The status that it was answered with.
        status: u16,
    },
    /// An address is not listened to for a while.
    Banned {
        /// The address.
        address: IpAddr,
        /// For how many seconds.
        seconds: u64,
        /// What it did last.
        fault: Fault,
        /// How many faults it had.
        strikes: u32,
    },
    /// A connection was closed because there were too many.
    TooManyConnections {
        /// Where it came from.
        source: Source,
    },
}

/// What the adapter asks of whoever owns it. Every question may be asked often and at once.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// The credentials of a user name, where there is such a user.
    async fn credentials(&self, realm: &str, username: &str) -> Option<Credentials>;

    /// The trunk that an address belongs to: its requests need no credentials.
    async fn identify(&self, source: &Source) -> Option<PeerId>;

    /// A user's bindings that still hold.
    async fn bindings(&self, owner: &OwnerId) -> Result<Vec<Binding>, NotStored>;

    /// Replaces all of a user's bindings. The adapter lets one change of a user's through at a time.
    async fn store(&self, owner: &OwnerId, bindings: Vec<Binding>) -> Result<(), NotStored>;

    /// How many messages wait for a user; nothing for one that has no mailbox.
    async fn summary(&self, owner: &OwnerId) -> Option<Summary> {
        let _ = owner;
        None
    }

    /// Takes what a server says about waiting messages without having been asked (RFC 3842); whether that is wanted.
    fn told(&self, source: &Source, summary: &Summary) -> bool {
        let _ = (source, summary);
        false
    }

    /// Is told what was refused. It must not wait.
    fn notice(&self, notice: Notice);
}

/// The transport of a contact, where it says one (RFC 3261 section 19.1.1).
pub(crate) fn transport_of(uri: &str) -> Option<Transport> {
    let parameters = uri.split(['?', '>']).next()?.split(';').skip(1);
    let mut named = parameters.filter_map(|one| one.split_once('='));
    let said = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("transport"));
    said.and_then(|(_, value)| Transport::named(value.trim()))
}
