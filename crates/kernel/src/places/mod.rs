//! Where in the world a phone number is, from tables inside the program.
//!
//! The tables come from libphonenumber's English text; `tools/places` in the repository generates them and says what they cannot
//! know. Above all: a number's place is where its block was first issued, not where its owner is.
//!
//! The United States, Canada, the United Kingdom and Australia have *regions* ([`Region`]) and *areas*: the digits, as people say
//! them, that a national number begins with (`415`, `20` for London, `2` for eastern Australia). Other countries are known as a
//! whole. The territories of the United States are countries of their own here, as they are in ISO 3166-1.

mod atlas;
mod cities;
mod spans;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use atlas::Atlas;
pub use atlas::Region;
pub use cities::{cities, city_of, city_prefixes};
use spans::Spans;

use crate::{Country, PhoneNumber};

/// Some of the text's names list every place of a district. Beyond this many they tell a reader less than the region does.
const PLACES_IN_A_NAME: usize = 3;

/// What the longest known prefix of a number says of it.
struct Table {
    lines: Vec<&'static str>,
    spans: Spans,
}

impl Table {
    fn read(lines: &'static str, spans: &[u8]) -> Self {
        Self { lines: lines.lines().collect(), spans: Spans::read(spans) }
    }

    fn of(&self, number: PhoneNumber) -> Option<&'static str> {
        self.lines.get(self.spans.owner(number)?).copied()
    }
}

static GAZETTEER: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("data/names.txt"), include_bytes!("data/spans.bin")));
static CARRIERS: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("data/carriers.txt"), include_bytes!("data/carriers.bin")));
static ZONES: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("data/zones.txt"), include_bytes!("data/zones.bin")));

/// What the text says of the longest prefix that it knows: `San Francisco, CA`, `California`, `London`.
///
/// The first call of this or of any function here reads the tables, which takes a few milliseconds.
#[must_use]
pub fn lookup(number: PhoneNumber) -> Option<&'static str> {
    GAZETTEER.of(number)
}

/// To whom a mobile number's block was first issued. Whoever ported it away since is not known, and for the United States and
/// Canada nobody is.
#[must_use]
pub fn carrier(number: PhoneNumber) -> Option<&'static str> {
    CARRIERS.of(number)
}

/// The time zones, by IANA's names, of the place where a number was first issued.
#[must_use]
pub fn time_zones(number: PhoneNumber) -> Vec<&'static str> {
    ZONES.of(number).map(|zones| zones.split(' ').collect()).unwrap_or_default()
}

/// The time zones of everywhere that a calling code serves.
#[must_use]
pub fn time_zones_of_code(calling_code: u16) -> Vec<&'static str> {
    time_zones(PhoneNumber::from_digits(calling_code.into()))
}

/// A number's place as a person wants to read it in a list: its city where that is known, otherwise its region.
#[must_use]
pub fn place_in(number: PhoneNumber) -> Option<&'static str> {
    let short = |name: &&str| name.split('/').count() <= PLACES_IN_A_NAME;
    lookup(number).filter(short).or_else(|| region_of(number).map(|region| region.name))
}

/// The region that a number is in.
#[must_use]
pub fn region_of(number: PhoneNumber) -> Option<&'static Region> {
    Atlas::get().region_of(number)
}

/// The region that an area is in; for an area that several share, the one that has most of it. [`region_of`] knows better where
/// there is a whole number to ask about.
///
/// Toll-free areas are in no region.
#[must_use]
pub fn region_of_area(country: Country, area: &str) -> Option<&'static str> {
    regions(country).iter().find(|region| region.is_chief_of(area)).map(|region| region.code)
}

/// The regions of a country, by code; none where we know the country only as a whole.
#[must_use]
pub fn regions(country: Country) -> &'static [Region] {
    Atlas::get().regions(country)
}

/// A region by its code, such as `CA` of the United States.
#[must_use]
pub fn region(country: Country, code: &str) -> Option<&'static Region> {
    regions(country).iter().find(|region| region.code == code)
}

/// The geographic areas of a country, or of one of its regions, sorted as text. An area that several regions share is in each.
#[must_use]
pub fn areas(country: Country, region: Option<&str>) -> Vec<&'static str> {
    let wanted = regions(country).iter().filter(|candidate| region.is_none_or(|code| candidate.code == code));
    let mut areas: Vec<_> = wanted.flat_map(Region::areas).collect();
    areas.sort_unstable();
    areas.dedup();
    areas
}

/// The areas that cost the caller nothing. All of +1 shares them, and they are kept with the United States.
#[must_use]
pub fn toll_free(country: Country) -> &'static [&'static str] {
    Atlas::get().land(country).map_or(&[], |land| &land.toll_free)
}

/// What the numbers of an area, geographic or toll-free, begin with: `1415` for 415 in the United States.
#[must_use]
pub fn area_prefix(country: Country, area: &str) -> Option<u64> {
    let known = toll_free(country).contains(&area) || regions(country).iter().any(|region| region.area(area).is_some());
    known.then(|| format!("{}{area}", calling_code(country)?).parse().ok())?
}

/// What the numbers of a country begin with, calling code first.
///
/// The United States and Canada share their calling code, so theirs are their areas. The toll-free areas count as the United
/// States'; premium and personal numbers of +1 are in neither. Elsewhere the country that a calling code was made for has the whole
/// code, and those that share it have their parts: the United Kingdom's prefix also covers Guernsey's numbers.
#[must_use]
pub fn prefixes(country: Country) -> &'static [u64] {
    Atlas::get().land(country).map_or(&[], |land| &land.prefixes)
}

/// Whether the country has a numbering plan.
#[must_use]
pub fn known_country(country: Country) -> bool {
    Atlas::get().land(country).is_some()
}

/// Whether ISO 3166-1 has given the code to a country, be it one without a numbering plan of its own.
#[must_use]
pub fn is_assigned(country: Country) -> bool {
    known_country(country) || matches!(country.as_str(), "AQ" | "BV" | "GS" | "HM" | "PN" | "TF" | "UM")
}

/// The code to dial before a country's numbers.
#[must_use]
pub fn calling_code(country: Country) -> Option<u16> {
    Atlas::get().land(country).map(|land| land.calling_code)
}

/// A country's usual English name.
#[must_use]
pub fn country_name(country: Country) -> Option<&'static str> {
    Atlas::get().land(country).map(|land| land.name)
}

/// Every country that has a numbering plan, by code.
pub fn countries() -> impl Iterator<Item = Country> {
    Atlas::get().lands().iter().map(|land| land.country)
}
