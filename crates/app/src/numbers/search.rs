//! Finding numbers for sale.

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Features, NumberType,
    address::Requirement,
    inventory::{Pattern, Query},
};
use tandem_kernel::{Caller, Country, Currency, Location, Money, PhoneNumber, Scope, places};

use crate::{App, permit};

/// What is looked for.
#[derive(Debug, Default)]
pub struct SearchNumbers {
    /// Where; anywhere if none.
    pub location: Option<Location>,
    /// In which city of it, as what its numbers begin with.
    pub city: Option<Vec<u64>>,
    /// Of which type.
    pub kind: Option<NumberType>,
    /// With which digits.
    pub pattern: Option<Pattern>,
    /// What the number must be able to do.
    pub features: Features,
    /// What a month may cost at the most, in millionths.
    pub max_monthly: Option<i64>,
    /// How many to leave out.
    pub offset: u64,
    /// How many to return.
    pub limit: usize,
}

/// A number for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundNumber {
    /// The telephone number.
    pub phone: PhoneNumber,
    /// Where it belongs, where that is known.
    pub place: Option<&'static str>,
    /// What a month costs.
    pub monthly: Money,
    /// What getting it costs.
    pub setup: Money,
    /// What it can do.
    pub features: Features,
    /// Which address its country wants.
    pub requirement: Requirement,
}

/// A page of numbers for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResult {
    /// The page.
    pub numbers: Vec<FoundNumber>,
    /// How many were found in all.
    pub total: u64,
}

/// A country in which numbers can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferedCountry {
    /// The country.
    pub country: Country,
    /// How many numbers are for sale there.
    pub available: u64,
}

/// The countries in which numbers can be bought now, by code.
///
/// # Errors
/// `insufficient_scope`.
pub fn countries(app: &App, caller: &Caller) -> Result<Vec<OfferedCountry>> {
    permit(caller, Scope::NumbersRead)?;
    let counted = places::countries().map(|country| OfferedCountry { country, available: available(app, caller, country) });
    Ok(counted.filter(|offered| offered.available > 0).collect())
}

/// Checks that numbers of a country can be bought.
///
/// # Errors
/// `country_not_found`, `insufficient_scope`, `country_unavailable`.
pub fn check_offered(app: &App, caller: &Caller, country: Country) -> Result<()> {
    if !places::is_assigned(country) {
        return Err(Error::country_not_found(country.to_string()));
    }
    permit(caller, Scope::NumbersRead)?;
    if available(app, caller, country) == 0 { Err(Error::country_unavailable(country.to_string())) } else { Ok(()) }
}

/// Whether numbers of a country can be bought.
#[must_use]
pub fn is_offered(app: &App, caller: &Caller, country: Country) -> bool {
    available(app, caller, country) > 0
}

fn available(app: &App, caller: &Caller, country: Country) -> u64 {
    let prefixes = places::prefixes(country).to_vec();
    if prefixes.is_empty() { 0 } else { app.stock.search(caller.kind, &Query { prefixes, ..Query::default() }).total }
}

/// Beyond so many numbers, a pattern without three known digits in a row is looked for beside the requests: it takes milliseconds.
const MANY: u64 = 200_000;

/// Finds numbers for sale, in the order of their digits.
///
/// # Errors
/// `insufficient_scope`.
pub async fn search(app: &App, caller: &Caller, command: SearchNumbers) -> Result<SearchResult> {
    permit(caller, Scope::NumbersRead)?;
    let place = |location: Location| location.prefixes();
    let prefixes = command.city.or_else(|| command.location.map(place));
    if prefixes.as_ref().is_some_and(Vec::is_empty) {
        return Ok(SearchResult { numbers: Vec::new(), total: 0 }); // an area of which no exchange is known
    }
    let query = Query {
        prefixes: prefixes.unwrap_or_default(),
        pattern: command.pattern,
        features_all: command.features.bits() | command.kind.map_or(0, NumberType::bit),
        max_monthly: command.max_monthly,
        offset: command.offset,
        limit: command.limit,
    };
    let kind = caller.kind;
    let long = query.pattern.as_ref().is_some_and(Pattern::is_vague) && app.stock.count(kind).0 > MANY;
    let page = if long {
        let app = app.clone();
        let searched = tokio::task::spawn_blocking(move || app.stock.search(kind, &query)).await;
        searched.map_err(|fault| Error::internal().because(fault))?
    } else {
        app.stock.search(kind, &query)
    };
    let numbers = page.numbers.into_iter().map(|entry| {
        let phone = PhoneNumber::from_digits(entry.number);
        FoundNumber {
            phone,
            place: places::place_in(phone),
            monthly: Money::new(entry.monthly, Currency::USD),
            setup: Money::new(entry.setup, Currency::USD),
            features: Features::from_bits(entry.features),
            requirement: Requirement::of_index(entry.needs_address),
        }
    });
    Ok(SearchResult { numbers: numbers.collect(), total: page.total })
}
