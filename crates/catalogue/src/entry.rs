//! An entry of the catalogue.

/// Who has to act for the request to succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Whoever wrote the request.
    Caller,
    /// The account's owner, who pays and grants rights.
    Account,
    /// Another telephone company.
    Carrier,
    /// Whoever was called or written to.
    Callee,
    /// Whoever runs this installation.
    Platform,
}

impl Actor {
    /// The word for pages and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Account => "account",
            Self::Carrier => "carrier",
            Self::Callee => "callee",
            Self::Platform => "platform",
        }
    }
}

/// Whether the same request may succeed later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// Not without a change to the request or the account.
    Never,
    /// Perhaps, after a growing pause.
    Later,
    /// Yes, after the time that the answer names.
    After,
}

impl Retry {
    /// The word for pages and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Later => "later",
            Self::After => "after",
        }
    }
}

/// One of the languages in which the platform answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Dialect {
    /// The Audian API v2.
    Audian,
    /// The Fone Dynamics API v2.
    FoneDynamics,
    /// The Telephony.io API.
    TelephonyIo,
    /// Our own `/v1`.
    Native,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 4] = [Self::Audian, Self::FoneDynamics, Self::TelephonyIo, Self::Native];

    /// The word for the command line and pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audian => "audian",
            Self::FoneDynamics => "fonedynamics",
            Self::TelephonyIo => "telephony_io",
            Self::Native => "native",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == text)
    }
}

/// How one dialect says a code.
#[derive(Debug)]
pub struct Wire {
    /// The HTTP status.
    pub status: u16,
    /// The dialect's own code.
    pub code: &'static str,
    /// The dialect's type of error, where it has types.
    pub kind: &'static str,
    /// The message, with `{value}` placeholders.
    pub message: &'static str,
    /// The name of the field at fault, with placeholders; `None` where the dialect names none.
    pub field: Option<&'static str>,
}

/// One failure: what it is, who acts, and its wire form in each dialect.
#[derive(Debug)]
pub struct Entry {
    /// Stable for ever and never reused.
    pub number: u16,
    /// The code as `tandem explain` and `/errors/CODE` know it.
    pub name: &'static str,
    /// A few words for a heading.
    pub title: &'static str,
    /// The message, with `{value}` placeholders.
    pub message: &'static str,
    /// The names of the values that the error carries.
    pub values: &'static [&'static str],
    /// Who has to act.
    pub actor: Actor,
    /// Whether a retry helps.
    pub retry: Retry,
    /// Whether money may have moved when this is answered.
    pub charged: bool,
    /// What leads to it.
    pub causes: &'static [&'static str],
    /// What to do.
    pub resolution: &'static [&'static str],
    /// How to provoke it in a test environment.
    pub trigger: &'static str,
    /// The SIP status that goes with it on a call.
    pub sip: Option<u16>,
    pub(crate) wires: [Wire; 4],
}

impl Entry {
    /// How `dialect` says it.
    #[must_use]
    pub const fn wire(&self, dialect: Dialect) -> &Wire {
        let [audian, fonedynamics, telephony_io, native] = &self.wires;
        match dialect {
            Dialect::Audian => audian,
            Dialect::FoneDynamics => fonedynamics,
            Dialect::TelephonyIo => telephony_io,
            Dialect::Native => native,
        }
    }
}
