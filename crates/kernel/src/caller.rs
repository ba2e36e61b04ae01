//! Who asks.

use crate::{AccountId, EnvironmentId, KeyId, RequestId};

/// Which of an account's two worlds a credential opens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Environment {
    /// Real carriers, the real clock.
    Live,
    /// The pocket network and a clock that its owner may move.
    Test,
}

impl Environment {
    /// `live` or `test`, as keys and pages write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// Reads `live` or `test`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Test].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What sort of credential was shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyKind {
    /// `sk_…`: a server's key.
    Secret,
    /// `pk_…`: safe to publish; verification only.
    Publishable,
    /// The token that goes with an AccountSid.
    Token,
    /// `op_…`: the operator of the installation; belongs to no account.
    Operator,
}

impl KeyKind {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Publishable => "publishable",
            Self::Token => "token",
            Self::Operator => "operator",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Secret, Self::Publishable, Self::Token, Self::Operator].into_iter().find(|kind| kind.as_str() == text)
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One thing that a credential may be allowed to do.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Scope { $($(#[$doc])* $name,)* }

        impl Scope {
            /// All scopes, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The scope as keys list it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a scope.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

scopes! {
    /// Search the inventory, read own numbers.
    NumbersRead = "numbers:read",
    /// Buy, configure and release numbers.
    NumbersWrite = "numbers:write",
    /// Read ports.
    PortsRead = "ports:read",
    /// Start and cancel ports, attach documents.
    PortsWrite = "ports:write",
    /// Read usage, transactions, invoices, limits.
    BillingRead = "billing:read",
    /// Change spending limits.
    BillingWrite = "billing:write",
    /// Read messages.
    MessagesRead = "messages:read",
    /// Send messages.
    MessagesWrite = "messages:write",
    /// Read calls, recordings, conferences.
    CallsRead = "calls:read",
    /// Make and control calls.
    CallsWrite = "calls:write",
    /// Start and check verifications.
    Verify = "verify",
    /// Read and change webhooks.
    Webhooks = "webhooks",
    /// Read the request log and explanations.
    LogsRead = "logs:read",
    /// Move the test environment's clock and set its faults.
    Simulate = "simulate",
    /// Make, rotate and revoke keys of the same environment.
    Keys = "keys",
    /// Give numbers back, for credentials that may not otherwise change them.
    NumbersRelease = "numbers:release",
    /// Read properties, which the Fone Dynamics API also calls projects.
    PropertiesRead = "properties:read",
    /// Make and change properties.
    PropertiesWrite = "properties:write",
    /// Read and change the people who may sign in.
    Logins = "logins",
    /// Everything an operator may do.
    Operator = "operator",
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Scopes(u32);

impl Scopes {
    /// All that an account's key can have; not the operator's.
    #[must_use]
    pub fn account() -> Self {
        Scope::ALL.iter().filter(|scope| **scope != Scope::Operator).copied().collect()
    }

    /// Whether the set has `scope`.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The scopes in the set.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.has(*scope))
    }

    /// Space-separated, as stores keep it.
    #[must_use]
    pub fn to_text(self) -> String {
        self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`Self::to_text`] writes; words that are no scopes are left out.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.split_whitespace().filter_map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | (1 << scope as u8)))
    }
}

/// Who asks, in which world, with which rights: made by authentication, passed to every use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose credential it is.
    pub account: AccountId,
    /// Which of the account's environments it opens.
    pub environment: EnvironmentId,
    /// Live or test.
    pub kind: Environment,
    /// The credential.
    pub key: KeyId,
    /// What the credential may do.
    pub scopes: Scopes,
    /// The request in whose course it asks.
    pub request: RequestId,
}
