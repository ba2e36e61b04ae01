//! Why a command could not do what it was asked, in words for a person.

use std::{fmt, io};

use tandem_catalogue::{Dialect, Error};
use tandem_store::Fault;

/// What happened, and what to do about it where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened, with the values that it happened to; empty where nobody wants to know.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What most of this crate returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure without a hint.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// Whoever runs a command may know everything: the message of the catalogue, and what really happened.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let said = error.render(Dialect::Native).message;
        let message = match error.internal_report() {
            Some(report) => format!("{said} ({report})"),
            None => said,
        };
        Self::new(message).hint(format!("`tandem explain {}` tells more", error.code().name()))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let (unreachable, source) = match fault {
            Fault::Unreachable(source) => (true, source),
            Fault::Unique(source) | Fault::Conflict(source) | Fault::Broken(source) => (false, source),
            Fault::Full => return Self::new("the queue of the store is full"),
        };
        let mut message = source.to_string();
        let mut cause = source.source();
        while let Some(step) = cause {
            message = format!("{message}: {step}");
            cause = step.source();
        }
        let failure = Self::new(format!("the database: {message}"));
        if unreachable { failure.hint("is it running, and may this machine and user reach it?") } else { failure }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(""), // whoever read our words has gone, so there is nobody to tell
            _ => Self::new(error.to_string()),
        }
    }
}

/// Adds the place to errors of files and sockets.
pub trait At<T> {
    /// Says what was done to what.
    ///
    /// # Errors
    /// The same failure, with its place.
    fn at(self, doing: &str, place: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> At<T> for Result<T, E> {
    fn at(self, doing: &str, place: impl fmt::Display) -> Result<T> {
        self.map_err(|fault| Failure::new(format!("{doing} {place}: {fault}")))
    }
}
