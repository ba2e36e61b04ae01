//! Countries, their regions, and the numbers of each.

use std::sync::LazyLock;

use super::spans::{Spans, length};
use crate::{Country, PhoneNumber};

/// A subdivision of a country by ISO 3166-2: a state, a province, a nation of the United Kingdom.
#[derive(Debug)]
pub struct Region {
    /// The code without the country: `CA`, `NSW`.
    pub code: &'static str,
    /// The English name.
    pub name: &'static str,
    country: Country,
    /// The areas whose numbers are mostly here.
    chief: Vec<&'static str>,
    /// The areas that are mostly another region's.
    shared: Vec<&'static str>,
    prefixes: Vec<u64>,
}

impl Region {
    /// The country that it is a part of.
    #[must_use]
    pub fn country(&self) -> Country {
        self.country
    }

    /// What the region's numbers begin with, calling code first. None of them begins with another.
    #[must_use]
    pub fn prefixes(&self) -> &[u64] {
        &self.prefixes
    }

    /// What those of the region's numbers that begin with `area`, a prefix with the calling code, begin with.
    pub(crate) fn prefixes_within(&self, area: u64) -> Vec<u64> {
        if self.prefixes.iter().any(|prefix| begins_with(area, *prefix)) {
            return vec![area];
        }
        self.prefixes.iter().copied().filter(|prefix| begins_with(*prefix, area)).collect()
    }

    /// The area as the tables write it, if the region has or shares it.
    pub(crate) fn area(&self, area: &str) -> Option<&'static str> {
        self.areas().find(|own| *own == area)
    }

    /// Whether an area's numbers are mostly here.
    pub(super) fn is_chief_of(&self, area: &str) -> bool {
        self.chief.contains(&area)
    }

    pub(super) fn areas(&self) -> impl Iterator<Item = &'static str> {
        self.chief.iter().chain(&self.shared).copied()
    }

    fn read(line: &'static str, calling_code: impl Fn(Country) -> Option<u16>) -> Option<Self> {
        let mut columns = line.split('\t');
        let country = Country::parse(columns.next()?)?;
        let (code, name) = (columns.next()?, columns.next()?);
        let (chief, shared) = (list(columns.next()?), list(columns.next()?));
        let national = columns.next().map(|text| if text == "=" { chief.clone() } else { list(text) })?;
        let calling_code = calling_code(country)?;
        let prefixes = national.iter().filter_map(|prefix| format!("{calling_code}{prefix}").parse().ok()).collect();
        Some(Self { code, name, country, chief, shared, prefixes })
    }
}

/// What we know of a country.
pub(super) struct Land {
    pub(super) country: Country,
    pub(super) calling_code: u16,
    pub(super) name: &'static str,
    pub(super) prefixes: Vec<u64>,
    pub(super) toll_free: Vec<&'static str>,
}

impl Land {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let country = Country::parse(columns.next()?)?;
        let calling_code = columns.next()?.parse().ok()?;
        let name = columns.next()?;
        let prefixes = list(columns.next()?).iter().filter_map(|prefix| prefix.parse().ok()).collect();
        let toll_free = list(columns.next()?);
        Some(Self { country, calling_code, name, prefixes, toll_free })
    }
}

/// All countries and their regions, both sorted by country, and whose region a number is in.
pub(super) struct Atlas {
    lands: Vec<Land>,
    regions: Vec<Region>,
    /// The owners are places in `regions`.
    spans: Spans,
}

static ATLAS: LazyLock<Atlas> = LazyLock::new(|| Atlas::read(include_str!("data/countries.txt"), include_str!("data/regions.txt")));

impl Atlas {
    pub(super) fn get() -> &'static Self {
        &ATLAS
    }

    pub(super) fn lands(&self) -> &[Land] {
        &self.lands
    }

    pub(super) fn land(&self, country: Country) -> Option<&Land> {
        find(&self.lands, country)
    }

    pub(super) fn regions(&self, country: Country) -> &[Region] {
        let from = self.regions.partition_point(|region| region.country < country);
        let to = self.regions.partition_point(|region| region.country <= country);
        self.regions.get(from..to).unwrap_or_default()
    }

    pub(super) fn region_of(&self, number: PhoneNumber) -> Option<&Region> {
        self.regions.get(self.spans.owner(number)?)
    }

    /// Reads the data files, which the generator has sorted.
    fn read(countries: &'static str, regions: &'static str) -> Self {
        let lands: Vec<_> = countries.lines().filter_map(Land::read).collect();
        let calling_code = |country| find(&lands, country).map(|land| land.calling_code);
        let regions: Vec<_> = regions.lines().filter_map(|line| Region::read(line, calling_code)).collect();
        let owned = regions.iter().zip(0..).flat_map(|(region, owner)| region.prefixes.iter().map(move |prefix| (*prefix, owner)));
        let spans = Spans::of_prefixes(owned);
        Self { lands, regions, spans }
    }
}

fn find(lands: &[Land], country: Country) -> Option<&Land> {
    let at = lands.binary_search_by_key(&country, |land| land.country).ok()?;
    lands.get(at)
}

/// Whether the digits of one number begin with those of another.
fn begins_with(digits: u64, prefix: u64) -> bool {
    let extra = length(digits).checked_sub(length(prefix));
    extra.is_some_and(|extra| digits / 10_u64.pow(extra) == prefix)
}

/// Splits a list of the data files at its commas.
fn list(text: &'static str) -> Vec<&'static str> {
    text.split(',').filter(|item| !item.is_empty()).collect()
}
