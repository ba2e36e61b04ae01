//! Reading numbers in an account's possession.

use tandem_catalogue::{Error, Result};
use tandem_domain::{Features, NumberType, number::Number};
use tandem_kernel::{Caller, EnvironmentId, NumberId, PhoneNumber, Scope};
use tandem_store::{
    Tx,
    repo::{
        number_counts,
        numbers::{self, Owner},
    },
};

use crate::{
    App, permit,
    properties::{self, PropertyRef},
};

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

/// Which numbers of a property or of all properties to list.
#[derive(Debug, Clone)]
pub struct FindNumbers {
    /// The property; all of the environment's, if none is named.
    pub property: Option<PropertyRef>,
    /// Only numbers of one of these types; of any, if there are none.
    pub types: Vec<NumberType>,
    /// Only numbers that can do all this.
    pub features: Features,
    /// The number after which the page begins.
    pub after: Option<NumberId>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// Lists numbers by type and features, oldest first. It costs the same however many numbers there are.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`.
pub async fn find_of_property(app: &App, caller: &Caller, command: FindNumbers) -> Result<NumberList> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let environment = caller.environment;
        let property = command.property.as_ref().map(|property| properties::find(tx, environment, property)).transpose()?;
        permit(&caller, Scope::NumbersRead)?;
        let owner = property.map_or(Owner::Environment(environment), |property| Owner::Property(environment, property.id));
        let wanted = sorts(&command);
        let mut counts = number_counts::of(tx, owner)?;
        counts.retain(|(sort, _)| wanted.contains(sort));
        let sorts: Vec<i64> = counts.iter().map(|(sort, _)| *sort).collect();
        let after = command.after.unwrap_or(NumberId::from_bytes([0; 16]));
        let numbers = numbers::of_sorts(tx, owner, &sorts, after, command.limit, command.offset)?;
        Ok(NumberList { numbers, total: counts.iter().map(|(_, count)| count).sum() })
    };
    app.store.read(read).await
}

/// The sorts that a list asks for.
fn sorts(command: &FindNumbers) -> Vec<i64> {
    let wanted = |kind: &NumberType| command.types.is_empty() || command.types.contains(kind);
    let features: Vec<Features> = (0..16).map(Features::from_bits).filter(|all| all.contains(command.features)).collect();
    let types = NumberType::ALL.iter().copied().filter(wanted);
    types.flat_map(|kind| features.iter().map(move |features| Number::sort_of(kind, *features))).collect()
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
