//! What can go wrong between us and a database.

use std::fmt;

use tandem_catalogue::Error;

/// Seconds after which a caller may try again when the database does not answer.
const RETRY_AFTER: i64 = 2;

/// A failure of the database or of our use of it. It becomes an error of the catalogue on its way out of the store.
#[derive(Debug)]
pub enum Fault {
    /// A unique index refused a row.
    Unique(Source),
    /// Another transaction was in the way; the same unit of work may succeed when repeated.
    Conflict(Source),
    /// The database does not answer, or not in time.
    Unreachable(Source),
    /// The number of waiting units of work is at its limit.
    Full,
    /// Anything else: a statement that is wrong, a disk that is full.
    Broken(Source),
}

/// The driver's own error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Fault {
    /// A column that is not of the type that its reader wants.
    #[must_use]
    pub fn shape(column: usize) -> Self {
        Self::Broken(format!("column {column} is not of the expected type").into())
    }

    /// A unit of work that nobody waits for any more, or will not in time.
    pub(crate) fn late() -> Self {
        Self::Unreachable("its deadline passed before it was begun".into())
    }

    /// A row that means nothing to us.
    #[must_use]
    pub fn data(what: impl fmt::Display) -> Self {
        Self::Broken(format!("the store holds {what}").into())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unique(source) | Fault::Conflict(source) => Self::concurrent_modification("object").because(source),
            Fault::Unreachable(source) => Self::unavailable(RETRY_AFTER).because(source),
            Fault::Full => Self::overloaded(1).because("the queue of the store is full"),
            Fault::Broken(source) => Self::internal().because(source),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{ConstraintViolation, DatabaseBusy, DatabaseLocked};
        match (error.sqlite_error_code(), error.sqlite_extended_error_code()) {
            (_, Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)) => {
                Self::Unique(error.into())
            }
            (Some(DatabaseBusy | DatabaseLocked), _) => Self::Unreachable(error.into()),
            (Some(ConstraintViolation), _) => Self::Broken(error.into()),
            _ => Self::Broken(error.into()),
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            let io = std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>());
            return if io || error.is_closed() { Self::Unreachable(error.into()) } else { Self::Broken(error.into()) };
        };
        match state.code() {
            "23505" => Self::Unique(error.into()),
            "40001" | "40P01" => Self::Conflict(error.into()),
            // 57014 query cancelled (statement timeout), 57P0x the server stops, 53300 too many connections, 55P03 lock timeout
            "57014" | "57P01" | "57P02" | "57P03" | "53300" | "55P03" | "25006" => Self::Unreachable(error.into()),
            code if code.starts_with("08") => Self::Unreachable(error.into()),
            _ => Self::Broken(error.into()),
        }
    }
}

impl Fault {
    /// The fault in words that can be repeated to each of the units of work that it undid.
    pub(crate) fn to_string_lossy(&self) -> (bool, String) {
        match self {
            Self::Unreachable(source) => (true, source.to_string()),
            Self::Unique(source) | Self::Conflict(source) | Self::Broken(source) => (false, source.to_string()),
            Self::Full => (true, "full".to_owned()),
        }
    }

    /// What [`Self::to_string_lossy`] took apart.
    pub(crate) fn again(unreachable: bool, text: &str) -> Self {
        if unreachable { Self::Unreachable(text.into()) } else { Self::Broken(text.into()) }
    }
}
