//! Postal addresses, and which numbers need one: some countries give local numbers only to people who are there.

use tandem_kernel::{AddressId, Country, EnvironmentId, PhoneNumber, Timestamp, places};

use crate::words::words;

/// The most addresses that an environment can have.
pub const MOST_ADDRESSES: i64 = 10_000;

words! {
    /// Which address a number's country wants of whoever has it.
    #[derive(Default)]
    Requirement {
        /// None.
        #[default]
        None = "none",
        /// One in the country.
        Any = "any",
        /// One in the number's region.
        Local = "local",
    }
}

impl Requirement {
    /// As the search index keeps it.
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// Reads what the search index keeps.
    #[must_use]
    pub const fn of_index(index: u8) -> Self {
        match index {
            0 => Self::None,
            1 => Self::Any,
            _ => Self::Local,
        }
    }

    /// The place in which a suitable address is: `AU`, or `AU-NSW` where the region matters and the number's is known; none where no
    /// address is needed.
    #[must_use]
    pub fn place(self, phone: PhoneNumber) -> Option<String> {
        let country = phone.country()?;
        let region = places::region_of(phone).filter(|region| region.country() == country);
        match (self, region) {
            (Self::None, _) => None,
            (Self::Local, Some(region)) => Some(format!("{country}-{}", region.code)),
            (Self::Any | Self::Local, _) => Some(country.to_string()),
        }
    }
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its id.
    pub id: AddressId,
    /// Whose it is.
    pub environment: EnvironmentId,
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
    /// The region, as its owner wrote it.
    pub region: Option<String>,
    /// The country.
    pub country: Country,
    /// The postal code.
    pub postal_code: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
}

impl Address {
    /// Where it is: `AU-NSW`, or `AU` where the region is none that we know. A region may be written as its code or by its name.
    #[must_use]
    pub fn place(&self) -> String {
        let written = self.region.as_deref().unwrap_or("").trim();
        match find_region(self.country, written) {
            Some(code) => format!("{}-{code}", self.country),
            None => self.country.to_string(),
        }
    }

    /// Whether it is in a place that a number wants.
    #[must_use]
    pub fn is_in(&self, place: &str) -> bool {
        place == self.country.as_str() || place == self.place()
    }
}

/// The code of a region that is written as its code or by its name.
#[must_use]
pub fn find_region(country: Country, written: &str) -> Option<&'static str> {
    let same = |text: &str| text.eq_ignore_ascii_case(written);
    places::regions(country).iter().find(|region| same(region.code) || same(region.name)).map(|region| region.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(region: Option<&str>, country: Country) -> Address {
        Address {
            id: AddressId::from_bytes([1; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            friendly: None,
            reference: None,
            line1: "1 George St".to_owned(),
            line2: None,
            city: "Sydney".to_owned(),
            region: region.map(str::to_owned),
            country,
            postal_code: None,
            created_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_local_number_wants_its_region_and_others_their_country() {
        let sydney = PhoneNumber::from_digits(61_292_000_000);
        assert_eq!(Requirement::Local.place(sydney).as_deref(), Some("AU-NSW"));
        assert_eq!(Requirement::Any.place(sydney).as_deref(), Some("AU"));
        assert_eq!(Requirement::None.place(sydney), None);
        for (region, country, suits) in [
            (Some("NSW"), Country::AU, true),
            (Some("new south wales"), Country::AU, true),
            (Some("VIC"), Country::AU, false),
            (None, Country::AU, false),
            (Some("NSW"), Country::US, false),
        ] {
            assert_eq!(address(region, country).is_in("AU-NSW"), suits, "{region:?} {country}");
            assert_eq!(address(region, country).is_in("AU"), country == Country::AU);
        }
    }
}
