//! Cities by name: the way from a place to the numbers that were first issued there.

use std::collections::BTreeSet;

use super::{
    GAZETTEER, PLACES_IN_A_NAME, prefixes, region,
    spans::{length, prefixes_between},
};
use crate::{Country, PhoneNumber};

/// The cities of a country, or of one of its regions, that numbers are known to be of, in the order of their names.
#[must_use]
pub fn cities(country: Country, code: Option<&str>) -> Vec<&'static str> {
    let mut found = BTreeSet::new();
    each(country, code, |names, _| found.extend(names.iter().copied()));
    found.into_iter().collect()
}

/// What the numbers of a city begin with, whatever the case of its name's letters; none where no such city is known there.
#[must_use]
pub fn city_prefixes(country: Country, code: Option<&str>, city: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let wanted = city.trim();
    each(country, code, |names, prefix| {
        if names.iter().any(|name| name.eq_ignore_ascii_case(wanted)) {
            found.push(prefix);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// The city that a number was first issued in, without its region, where one city is known.
#[must_use]
pub fn city_of(number: PhoneNumber) -> Option<&'static str> {
    let country = number.country()?;
    let line = super::lookup(number).filter(|line| !line.contains('/'))?;
    let city = bare(line, country);
    (!is_wider(country, city)).then_some(city)
}

/// Visits every prefix of a country or region that has cities, with their names.
fn each(country: Country, code: Option<&str>, mut visit: impl FnMut(&[&'static str], u64)) {
    let within: Vec<u64> = match code {
        None => prefixes(country).to_vec(),
        Some(code) => region(country, code).map_or_else(Vec::new, |region| region.prefixes().to_vec()),
    };
    let ranges: Vec<(u32, u32)> = within.iter().map(|prefix| range(*prefix)).collect();
    for (start, end, line) in GAZETTEER.spans.stretches() {
        let mut touched = ranges.iter().filter(|(from, to)| *from < end && start < *to).peekable();
        let Some(line) = GAZETTEER.lines.get(line).filter(|_| touched.peek().is_some()) else { continue };
        let names: Vec<_> = line.split('/').map(|name| bare(name, country)).filter(|name| !is_wider(country, name)).collect();
        if names.is_empty() || line.split('/').count() > PLACES_IN_A_NAME {
            continue;
        }
        for (from, to) in touched {
            for prefix in prefixes_between(start.max(*from), end.min(*to)) {
                visit(&names, prefix);
            }
        }
    }
}

/// The first nine digits of the numbers that begin with `prefix`.
fn range(prefix: u64) -> (u32, u32) {
    let unit = 10_u64.pow(9_u32.saturating_sub(length(prefix)));
    let bound = |prefix: u64| u32::try_from(prefix.saturating_mul(unit)).unwrap_or(u32::MAX);
    (bound(prefix), bound(prefix + 1))
}

/// The city without the region that follows it in the text of +1.
fn bare(name: &'static str, country: Country) -> &'static str {
    match name.rsplit_once(", ") {
        Some((city, code)) if region(country, code).is_some() => city.trim(),
        _ => name.trim(),
    }
}

/// Whether a name is that of a whole region or country.
fn is_wider(country: Country, name: &str) -> bool {
    super::regions(country).iter().any(|region| region.name == name) || super::country_name(country) == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::place_in;

    #[test]
    fn a_city_has_the_numbers_that_are_said_to_be_of_it() {
        let sydney = city_prefixes(Country::AU, Some("NSW"), "sydney");
        assert!(!sydney.is_empty());
        for prefix in &sydney {
            let digits = prefix * 10_u64.pow(11 - length(*prefix));
            let place = place_in(PhoneNumber::from_digits(digits)).unwrap_or_default();
            assert!(place.split('/').any(|city| city == "Sydney"), "{prefix} is of {place}"); // some are shared by two cities
        }
        let francisco = city_prefixes(Country::US, Some("CA"), "San Francisco");
        assert!(!francisco.is_empty() && francisco.iter().all(|prefix| prefix.to_string().starts_with("1415")), "{francisco:?}");
        assert_eq!(city_prefixes(Country::US, Some("NY"), "San Francisco"), [0; 0]);
        assert_eq!(city_prefixes(Country::AU, None, "Atlantis"), [0; 0]);
    }

    #[test]
    fn cities_are_listed_once_and_in_order() {
        let cities = cities(Country::US, Some("CA"));
        assert!(cities.is_sorted() && cities.contains(&"San Francisco") && !cities.contains(&"California"), "{cities:?}");
    }
}
