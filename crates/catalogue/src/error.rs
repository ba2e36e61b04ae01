//! The one error type of the platform.

use std::{borrow::Cow, fmt};

use tandem_kernel::Money;

use crate::{Actor, Dialect, Entry, Retry, Wire};

include!(concat!(env!("OUT_DIR"), "/codes.rs"));

impl Code {
    /// The code's name in the catalogue.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Reads a name of the catalogue.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// A value that an error carries for its message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Words, or what the caller sent.
    Text(Cow<'static, str>),
    /// A count or a number of seconds.
    Integer(i64),
    /// An amount.
    Money(Money),
}

/// The longest stretch of a caller's own value that a message repeats.
const LONGEST_VALUE: usize = 200;
/// Values that are ours, however long: what could have been sent.
const WHOLE: [&str; 6] = ["fields", "choices", "rule", "expected", "allowed", "wanted"];

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => match text.char_indices().nth(LONGEST_VALUE) {
                Some((end, _)) => write!(f, "{}…", text.get(..end).unwrap_or_default()),
                None => f.write_str(text),
            },
            Self::Integer(number) => write!(f, "{number}"),
            Self::Money(money) => write!(f, "{money}"),
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Money> for Value {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

/// A failure: a code of the catalogue with its values, and an internal cause that no caller ever sees.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    values: Vec<(&'static str, Value)>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    also: Vec<Error>,
}

/// An error as one dialect says it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// The dialect's code.
    pub code: &'static str,
    /// The dialect's type of error, empty where it has none.
    pub kind: &'static str,
    /// The message with its values.
    pub message: String,
    /// The field at fault.
    pub field: Option<String>,
}

impl Error {
    fn new(code: Code, values: Vec<(&'static str, Value)>) -> Self {
        Self(Box::new(Inner { code, values, cause: None, also: Vec::new() }))
    }

    /// Keeps what really happened for the operator's log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Adds further faults of the same request, for dialects that list several.
    #[must_use]
    pub fn and(mut self, others: Vec<Self>) -> Self {
        self.0.also.extend(others);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The further faults of the same request.
    #[must_use]
    pub fn others(&self) -> &[Self] {
        &self.0.also
    }

    /// One of the values.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.values.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The same error with its value `field` replaced, where it has one: dialects name fields as their callers spelled them.
    #[must_use]
    pub fn rename_field(mut self, rename: impl Fn(&str) -> String) -> Self {
        for (key, value) in &mut self.0.values {
            if let ("field", Value::Text(text)) = (*key, &mut *value) {
                *value = rename(text).into();
            }
        }
        self
    }

    /// After how many seconds a retry may succeed, where the error says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<i64> {
        match self.value("retry_after") {
            Some(Value::Integer(seconds)) => Some(*seconds),
            _ => None,
        }
    }

    /// How `dialect` says it.
    #[must_use]
    pub fn render(&self, dialect: Dialect) -> Rendered {
        let wire = self.0.code.entry().wire(dialect);
        Rendered {
            status: wire.status,
            code: wire.code,
            kind: wire.kind,
            message: self.fill(wire.message),
            field: wire.field.map(|template| self.fill(template)),
        }
    }

    /// The cause and its chain, for one line of the operator's log; never for a caller.
    #[must_use]
    pub fn internal_report(&self) -> Option<String> {
        let mut cause: Option<&dyn std::error::Error> = match &self.0.cause {
            Some(cause) => Some(&**cause),
            None => return None,
        };
        let mut report = String::new();
        while let Some(step) = cause {
            if !report.is_empty() {
                report.push_str(": ");
            }
            report.push_str(&step.to_string());
            cause = step.source();
        }
        Some(report)
    }

    fn fill(&self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, tail)) = after.split_once('}') else { break };
            match self.value(name) {
                Some(Value::Text(whole)) if WHOLE.contains(&name) => text.push_str(whole),
                Some(value) => text.push_str(&value.to_string()),
                None => {}
            }
            rest = tail;
        }
        text.push_str(rest);
        text
    }
}

/// The code and its values; the cause is for [`Error::internal_report`] alone.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("code", &self.0.code).field("values", &self.0.values).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_its_values_and_never_its_cause() {
        let error = Error::number_not_available("+14155551234").because("row 17 of table inventory");
        let said = error.render(Dialect::Audian);
        assert_eq!(said.message, "+14155551234 is no longer available");
        assert_eq!((said.status, said.code, said.kind), (422, "number_not_available", "validation_error"));
        assert!(!format!("{error:?}").contains("row 17"));
        assert_eq!(error.internal_report().as_deref(), Some("row 17 of table inventory"));
    }

    #[test]
    fn a_huge_value_is_cut_on_a_character() {
        let error = Error::number_not_available("é".repeat(10_000));
        assert!(error.render(Dialect::Native).message.len() < 500);
    }

    #[test]
    fn what_could_have_been_sent_is_never_cut() {
        let names = vec!["Parameter"; 100].join(",");
        let said = Error::one_of_required(names.clone()).render(Dialect::FoneDynamics);
        assert_eq!(said.field.as_deref(), Some(names.as_str()));
        assert!(said.message.contains(&names));
    }

    #[test]
    fn every_dialect_can_say_every_code() {
        for code in Code::ALL {
            for dialect in Dialect::ALL {
                let wire = code.entry().wire(dialect);
                assert!((400..600).contains(&wire.status), "{code:?} {dialect:?}");
                assert!(!wire.code.is_empty() && !wire.message.is_empty(), "{code:?} {dialect:?}");
            }
            assert_eq!(Code::parse(code.name()), Some(*code));
        }
    }
}
