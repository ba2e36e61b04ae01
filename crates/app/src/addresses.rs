//! Postal addresses: written down, read, taken away, and given to the numbers that wait for one.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    address::{Address, MOST_ADDRESSES},
    event::EventKind,
    number::Number,
};
use tandem_kernel::{AddressId, Caller, Country, EnvironmentId, Scope};
use tandem_store::{
    Tx,
    repo::{
        addresses::{self, Wanted},
        numbers,
    },
};

use crate::{App, Finish, app::Desk, due::Done, permit};

/// The due work that gives an address to the numbers that waited for it, where they were too many for one unit of work.
pub const FIT_JOB: &str = "address.fit";
/// Numbers that get their address in one unit of work.
const AT_ONCE: i64 = 500;
/// Numbers of an address that are counted at the most.
const MOST_COUNTED: i64 = 10_000;

/// What an address is to be.
#[derive(Debug, Clone)]
pub struct CreateAddress {
    /// Its owner's name for it.
    pub friendly: Option<String>,
    /// Its owner's reference.
    pub reference: Option<String>,
    /// Street and number.
    pub line1: String,
    /// What follows.
    pub line2: Option<String>,
    /// The city.
    pub city: String,
    /// The region.
    pub region: Option<String>,
    /// The country.
    pub country: Country,
    /// The postal code.
    pub postal_code: Option<String>,
}

/// How a caller names one of its addresses: by id, or by something that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRef {
    /// The id, if the text is one.
    pub id: Option<AddressId>,
    /// As the caller wrote it.
    pub text: String,
}

/// Which addresses to list.
#[derive(Debug, Clone)]
pub struct ListAddresses {
    /// What they have.
    pub wanted: Wanted,
    /// The one after which the page begins.
    pub after: Option<AddressId>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// Some of an environment's addresses.
#[derive(Debug, Clone)]
pub struct AddressList {
    /// The page, oldest first.
    pub addresses: Vec<Address>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds an environment's address.
///
/// # Errors
/// `address_not_found`.
pub(crate) fn find(tx: &mut Tx, environment: EnvironmentId, address: &AddressRef) -> Result<Address> {
    let found = match address.id {
        Some(id) => addresses::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::address_not_found(address.text.clone()))
}

/// Writes an address down. Numbers that wait for one that suits get it, and are active from then on.
///
/// # Errors
/// `insufficient_scope`, `operation_not_allowed` where there are too many already.
pub async fn create(app: &App, caller: &Caller, command: CreateAddress, finish: Finish<Address>) -> Result<Address> {
    permit(caller, Scope::NumbersWrite)?;
    let (pen, environment) = (app.pen(), caller.environment);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        if addresses::count(tx, environment)? >= MOST_ADDRESSES {
            return Err(Error::operation_not_allowed(format!("There can be at most {MOST_ADDRESSES} addresses")));
        }
        let CreateAddress { friendly, reference, line1, line2, city, region, country, postal_code } = command.clone();
        let (id, created_at) = (desk.id(AddressId::new), desk.now);
        let address =
            Address { id, environment, friendly, reference, line1, line2, city, region, country, postal_code, created_at };
        addresses::insert(tx, &address)?;
        desk.event(
            tx,
            &id.to_string(),
            EventKind::AddressCreated,
            &json!({ "country": country.as_str(), "place": address.place() }),
        )?;
        if give(tx, &desk, &address)? {
            desk.schedule(tx, FIT_JOB, *id.as_bytes(), 0, desk.now)?;
        }
        finish(tx, &address)?;
        Ok(address)
    };
    app.store.write(work).await
}

/// Due work: gives an address to more of the numbers that waited for it.
///
/// # Errors
/// Faults of the store.
pub fn fit(tx: &mut Tx, desk: &Desk, id: AddressId) -> Result<Done> {
    let Some(address) = addresses::get(tx, desk.settings.id, id)? else { return Ok(Done::Finished) };
    Ok(if give(tx, desk, &address)? { Done::Again(desk.now) } else { Done::Finished })
}

/// Gives an address to some of the numbers that wait for one like it; whether there may be more.
fn give(tx: &mut Tx, desk: &Desk, address: &Address) -> Result<bool> {
    let (place, country) = (address.place(), address.country.to_string());
    let mut waiting = numbers::wanting(tx, address.environment, &country, AT_ONCE)?;
    if place != country {
        waiting.extend(numbers::wanting(tx, address.environment, &place, AT_ONCE)?);
    }
    numbers::register(tx, address.id, &waiting)?;
    let activated = |number: &Number| {
        let data = json!({ "number": number.phone.to_string(), "address": address.id.to_string() });
        (number.id.to_string(), EventKind::NumberActivated, data)
    };
    desk.events(tx, waiting.iter().map(activated).collect())?;
    Ok(i64::try_from(waiting.len()).is_ok_and(|given| given >= AT_ONCE))
}

/// Reads an address.
///
/// # Errors
/// `address_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, address: AddressRef) -> Result<Address> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &address)).await?;
    permit(caller, Scope::NumbersRead)?;
    Ok(found)
}

/// Lists addresses, oldest first.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, command: ListAddresses) -> Result<AddressList> {
    permit(caller, Scope::NumbersRead)?;
    let environment = caller.environment;
    let ListAddresses { wanted, after, limit, offset } = command;
    let after = after.unwrap_or(AddressId::from_bytes([0; 16]));
    let (addresses, total) = app.store.read(move |tx| addresses::list(tx, environment, &wanted, after, limit, offset)).await?;
    Ok(AddressList { addresses, total })
}

/// Takes an address away that no number is registered with.
///
/// # Errors
/// `address_not_found`, `insufficient_scope`, `address_cannot_be_deleted`.
pub async fn delete(app: &App, caller: &Caller, address: AddressRef, finish: Finish<Address>) -> Result<Address> {
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let found = find(tx, caller.environment, &address)?;
        permit(&caller, Scope::NumbersWrite)?;
        let linked = numbers::count_with_address(tx, found.id, MOST_COUNTED)?;
        if linked > 0 {
            return Err(Error::address_cannot_be_deleted(address.text.clone(), linked));
        }
        addresses::delete(tx, found.id)?;
        desk.event(tx, &found.id.to_string(), EventKind::AddressDeleted, &json!({ "country": found.country.as_str() }))?;
        finish(tx, &found)?;
        Ok(found)
    };
    app.store.write(work).await
}
