//! Reading numbers in an account's possession.

use tandem_catalogue::{Error, Result};
use tandem_domain::number::Number;
use tandem_kernel::{Caller, EnvironmentId, NumberId, PhoneNumber, Scope};
use tandem_store::{Tx, repo::numbers};

use crate::{App, permit};

/// How a caller names one of its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberRef {
    /// By its id.
    Id(NumberId),
    /// By the telephone number.
    Phone(PhoneNumber),
    /// By something that is neither, and so names nothing.
    Nothing(String),
}

impl NumberRef {
    /// Reads an id or an E.164 number.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match (NumberId::parse(text), PhoneNumber::from_e164(text)) {
            (Some(id), _) => Self::Id(id),
            (None, Some(phone)) => Self::Phone(phone),
            (None, None) => Self::Nothing(text.to_owned()),
        }
    }
}

/// Which numbers to list.
#[derive(Debug, Clone, Copy)]
pub struct ListNumbers {
    /// Only those in this state.
    pub state: Option<&'static str>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// A page of numbers.
#[derive(Debug, Clone)]
pub struct NumberList {
    /// The page, oldest first.
    pub numbers: Vec<Number>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds a number that an environment has now.
///
/// # Errors
/// `number_not_found`, `owned_number_not_found`.
pub(crate) fn find(tx: &mut Tx, environment: EnvironmentId, number: &NumberRef) -> Result<Number> {
    match number {
        NumberRef::Id(id) => {
            let found = numbers::get(tx, environment, *id)?;
            found.ok_or_else(|| Error::number_not_found(id.to_string()))
        }
        NumberRef::Phone(phone) => {
            let found = numbers::by_phone(tx, environment, *phone)?;
            found.ok_or_else(|| Error::owned_number_not_found(phone.to_string()))
        }
        NumberRef::Nothing(text) => Err(Error::number_not_found(text.clone())),
    }
}

/// Reads one number.
///
/// # Errors
/// `number_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, number: NumberRef) -> Result<Number> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &number)).await?;
    permit(caller, Scope::NumbersRead)?;
    Ok(found)
}

/// Lists numbers.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, command: ListNumbers) -> Result<NumberList> {
    permit(caller, Scope::NumbersRead)?;
    let environment = caller.environment;
    let ListNumbers { state, limit, offset } = command;
    let (numbers, total) = app.store.read(move |tx| numbers::list(tx, environment, state, limit, offset)).await?;
    Ok(NumberList { numbers, total })
}
