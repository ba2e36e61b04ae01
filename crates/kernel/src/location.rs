//! A part of the world as people write it when they look for numbers.

use std::fmt;

use crate::{
    Country,
    places::{self, Region},
};

/// Why a text is no location.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocationFault {
    /// It is not one to three parts with hyphens between them, each of the right letters or digits.
    Format,
    /// No such country has a numbering plan.
    UnknownCountry,
    /// The country has no such region, or we know it only as a whole.
    UnknownRegion,
    /// The country has no such geographic area.
    UnknownArea,
    /// The country has this area, but it is another region's.
    AreaNotInRegion,
}

/// `US`, `US-CA`, `US-CA-415`: a country, a region of it by ISO 3166-2, an area of the region.
///
/// Regions and areas are the tables' own ([`places`]), so a parsed location always names something that is there. A toll-free area
/// is in no region and has no location of its own: its numbers are in `US`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Location {
    /// The country.
    pub country: Country,
    /// The code of the region, without the country.
    pub region: Option<&'static str>,
    /// The area, which only a location with a region has.
    pub area: Option<&'static str>,
}

impl Location {
    /// Reads the three forms. Small letters count as capitals.
    ///
    /// # Errors
    /// [`LocationFault`] names the first part that is wrong.
    pub fn parse(text: &str) -> Result<Self, LocationFault> {
        let text = text.to_ascii_uppercase();
        let (country, region, area) = split(&text).ok_or(LocationFault::Format)?;
        if !places::known_country(country) {
            return Err(LocationFault::UnknownCountry);
        }
        let Some(code) = region else { return Ok(Self { country, region: None, area: None }) };
        let region = places::region(country, code).ok_or(LocationFault::UnknownRegion)?;
        let area = area.map(|area| area_of(region, area)).transpose()?;
        Ok(Self { country, region: Some(region.code), area })
    }

    /// What the location's numbers begin with, calling code first: `1415` for `US-CA-415`, all areas of California for `US-CA`.
    ///
    /// No prefix begins with another. A country without regions gives its calling code, or its part of one that it shares;
    /// [`places::prefixes`] says how `US` and `CA` are told apart and where toll-free numbers are. There may be none at all: the
    /// region may share the area without having a number in it that we know.
    #[must_use]
    pub fn prefixes(&self) -> Vec<u64> {
        let Some(code) = self.region else { return places::prefixes(self.country).to_vec() };
        let Some(region) = places::region(self.country, code) else { return Vec::new() };
        match self.area {
            None => region.prefixes().to_vec(),
            Some(area) => places::area_prefix(self.country, area).map_or_else(Vec::new, |prefix| region.prefixes_within(prefix)),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.country)?;
        for part in [self.region, self.area].into_iter().flatten() {
            write!(f, "-{part}")?;
        }
        Ok(())
    }
}

/// Takes the text apart by form alone.
fn split(text: &str) -> Option<(Country, Option<&str>, Option<&str>)> {
    let mut parts = text.split('-');
    let country = Country::parse(parts.next()?)?;
    let (region, area, more) = (parts.next(), parts.next(), parts.next());
    let subdivision = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let digits = |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let formed = region.is_none_or(subdivision) && area.is_none_or(digits) && more.is_none();
    formed.then_some((country, region, area))
}

/// Finds an area in the tables.
fn area_of(region: &Region, area: &str) -> Result<&'static str, LocationFault> {
    let elsewhere = || places::regions(region.country()).iter().any(|other| other.area(area).is_some());
    region.area(area).ok_or_else(|| if elsewhere() { LocationFault::AreaNotInRegion } else { LocationFault::UnknownArea })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn prefixes(text: &str) -> Vec<u64> {
        Location::parse(text).expect(text).prefixes()
    }

    #[test]
    fn the_three_forms_are_read_and_written() {
        for text in ["US", "US-CA", "US-CA-415", "CA-PE-902", "GB-SCT-131", "AU-NSW", "AU-TAS-3", "DE"] {
            assert_eq!(Location::parse(text).expect(text).to_string(), text);
        }
        let location = Location::parse("us-ca-415").expect("small letters");
        assert_eq!(location, Location { country: Country::US, region: Some("CA"), area: Some("415") });
    }

    #[test]
    fn what_is_no_location_says_why() {
        use LocationFault::{AreaNotInRegion, Format, UnknownArea, UnknownCountry, UnknownRegion};
        for (fault, texts) in [
            (
                Format,
                &[
                    "",
                    "-",
                    "U",
                    "USA",
                    "US-",
                    "-CA",
                    "US--415",
                    "US-CA-",
                    "US-CA-415-5",
                    "US CA",
                    " US",
                    "US_CA",
                    "US-CA-4a5",
                    "US-ÇA",
                    "1S",
                ][..],
            ),
            (Format, &["US-CALI", "US-CA-ABC", "US-CA-4155550", "United States"]),
            (UnknownCountry, &["ZZ", "UK", "ZZ-CA", "ZZ-CA-415"]),
            (UnknownRegion, &["US-ZZ", "US-ON", "US-PR", "US-415", "DE-BE", "GB-LND", "US-ZZ-415"]),
            (UnknownArea, &["US-CA-999", "US-CA-800", "US-CA-604", "GB-ENG-020", "AU-NSW-4", "US-CA-4"]),
            (AreaNotInRegion, &["US-CA-212", "US-NY-415", "CA-ON-604", "GB-WLS-20", "AU-QLD-2", "CA-NU-902"]),
        ] {
            for text in texts {
                assert_eq!(Location::parse(text), Err(fault), "{text:?}");
            }
        }
    }

    #[test]
    fn prefixes_cover_what_the_location_names() {
        assert_eq!(prefixes("US-CA-415"), [1415]);
        assert_eq!(prefixes("US-NJ"), [1201, 1551, 1609, 1640, 1732, 1848, 1856, 1862, 1908, 1973]);
        assert_eq!(prefixes("GB"), [44]);
        assert_eq!(prefixes("GB-NIR"), [4428]);
        assert_eq!(prefixes("GB-ENG-20"), [4420]);
        assert_eq!(prefixes("PR"), [1787, 1939]);
        assert_eq!(prefixes("DE"), [49]);
        for (inside, outside) in [("US", "CA"), ("CA", "US")] {
            let (inside, outside): (HashSet<_>, HashSet<_>) =
                (prefixes(inside).into_iter().collect(), prefixes(outside).into_iter().collect());
            assert!(inside.is_disjoint(&outside));
        }
        assert!(prefixes("US").contains(&1800));
    }

    #[test]
    fn an_area_of_several_regions_is_cut_at_their_border() {
        assert_eq!(prefixes("AU-TAS-3"), [6136]);
        assert_eq!(prefixes("AU-NSW-8"), [61880]);
        assert!(prefixes("CA-PE-902").contains(&1902368));
        let halifax = prefixes("CA-NS-902");
        assert!(
            !halifax.contains(&1902)
                && !halifax.contains(&1902368)
                && halifax.iter().all(|prefix| prefix.to_string().starts_with("1902"))
        );
        assert_eq!(prefixes("CA-PE-782"), [0; 0]);
        assert_eq!(prefixes("CA-NS-782"), [1782]);
    }
}
