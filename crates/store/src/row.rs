//! What goes into a statement and what comes out of it, the same for both engines.

use tandem_kernel::{Currency, Money, Timestamp};

use crate::Fault;

/// A value bound to `$1`, `$2`, … of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    /// SQL `NULL`.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `BOOLEAN`.
    Bool(bool),
    /// `TEXT`.
    Text(&'a str),
    /// `BYTEA`.
    Bytes(&'a [u8]),
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// `BIGINT`, and `BOOLEAN` as 0 or 1.
    Int(i64),
    /// `TEXT`.
    Text(String),
    /// `BYTEA`.
    Bytes(Vec<u8>),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Param<'_> {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

impl From<Timestamp> for Param<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.micros())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row: its values in the order of the statement's columns.
#[derive(Debug)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// A `BIGINT` that is never null.
    ///
    /// # Errors
    /// A fault where the column is of another type or null: the statement and its reader disagree. So for all readers here.
    pub fn int(&self, column: usize) -> Result<i64, Fault> {
        self.opt_int(column)?.ok_or_else(|| Fault::shape(column))
    }

    /// A `BIGINT` or null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, Fault> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(Fault::shape(column)),
        }
    }

    /// A `BOOLEAN`.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn bool(&self, column: usize) -> Result<bool, Fault> {
        self.int(column).map(|value| value != 0)
    }

    /// A `TEXT` that is never null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn text(&self, column: usize) -> Result<&str, Fault> {
        self.opt_text(column)?.ok_or_else(|| Fault::shape(column))
    }

    /// A `TEXT` or null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, Fault> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(Fault::shape(column)),
        }
    }

    /// A `BYTEA` of any length that is never null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn bytes(&self, column: usize) -> Result<&[u8], Fault> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(value),
            _ => Err(Fault::shape(column)),
        }
    }

    /// A `BYTEA` of any length, or null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn opt_bytes(&self, column: usize) -> Result<Option<&[u8]>, Fault> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(Fault::shape(column)),
        }
    }

    /// A `BYTEA` of exactly `N` bytes.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Fault> {
        self.opt_array(column)?.ok_or_else(|| Fault::shape(column))
    }

    /// A `BYTEA` of exactly `N` bytes, or null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn opt_array<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, Fault> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => value.as_slice().try_into().map(Some).map_err(|_| Fault::shape(column)),
            Some(Value::Null) => Ok(None),
            _ => Err(Fault::shape(column)),
        }
    }

    /// An instant.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn time(&self, column: usize) -> Result<Timestamp, Fault> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// An instant or null.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, Fault> {
        self.opt_int(column).map(|value| value.map(Timestamp::from_micros))
    }

    /// A currency code.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn currency(&self, column: usize) -> Result<Currency, Fault> {
        Currency::parse(self.text(column)?).ok_or_else(|| Fault::shape(column))
    }

    /// An amount from two columns: millionths and currency.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn money(&self, micros: usize, currency: usize) -> Result<Money, Fault> {
        Ok(Money::new(self.int(micros)?, self.currency(currency)?))
    }

    /// A word that `read` knows.
    #[expect(clippy::missing_errors_doc, reason = "as `int`")]
    pub fn word<T>(&self, column: usize, read: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        read(self.text(column)?).ok_or_else(|| Fault::shape(column))
    }
}
