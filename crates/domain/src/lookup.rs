//! What is known of a telephone number without asking anybody, and what is not.

use tandem_kernel::{Country, LineType, PhoneNumber, Unfit, places};

/// The calling code whose countries publish neither carriers nor which numbers are mobile, and share what is not geographic.
const NORTH_AMERICA: u16 = 1;

/// What is known of a number that its plan has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The number.
    pub number: PhoneNumber,
    /// What is dialled before the national number.
    pub calling_code: u16,
    /// Whose plan has it; none for numbers that belong to no country.
    pub country: Option<Country>,
    /// The part of the country: its code and name.
    pub region: Option<(&'static str, &'static str)>,
    /// Where its block was first issued.
    pub place: Option<&'static str>,
    /// What sort of line it leads to.
    pub line_type: LineType,
    /// To whom its block was first issued.
    pub carrier: Option<&'static str>,
    /// IANA's names of the time zones that it can be in; empty where they are not known.
    pub time_zones: Vec<&'static str>,
    /// What is not known, or known only in part: the member, and why.
    pub notes: Vec<(&'static str, &'static str)>,
}

/// What is known of `text` as a number.
///
/// # Errors
/// [`Unfit`] says why it is none.
pub fn look_up(text: &str) -> Result<Known, Unfit> {
    let number = PhoneNumber::examine(text)?;
    let calling_code = number.calling_code().ok_or(Unfit::UnknownCallingCode)?;
    let mut known = Known {
        number,
        calling_code,
        country: number.country(),
        region: places::region_of(number).map(|region| (region.code, region.name)),
        place: places::lookup(number),
        line_type: number.line_type(),
        carrier: None,
        time_zones: Vec::new(),
        notes: Vec::new(),
    };
    known.note_place();
    known.find_carrier();
    known.find_time_zones();
    Ok(known)
}

impl Known {
    fn note_place(&mut self) {
        if self.country.is_none() {
            self.notes.push(("country_code", "The number belongs to an international service, not to a country."));
        }
        if self.region.is_none() {
            let why = match self.country {
                Some(country) if !places::regions(country).is_empty() => "The number is not tied to a part of its country.",
                _ => "Parts of this country are not told apart.",
            };
            self.notes.push(("region", why));
        }
        if self.place.is_none() {
            self.notes.push(("place", "The number is not tied to a place, or its place is not published."));
        }
        match self.line_type {
            LineType::FixedLineOrMobile => {
                self.notes.push(("line_type", "The numbering plan does not tell mobile numbers from landlines."));
            }
            LineType::Unknown => self.notes.push(("line_type", "The numbering plan does not say.")),
            _ => {}
        }
    }

    /// Blocks of mobile numbers are published with their carriers; of other numbers the text would name whoever has the rest.
    fn find_carrier(&mut self) {
        let mobile = matches!(self.line_type, LineType::Mobile | LineType::FixedLineOrMobile | LineType::Pager);
        self.carrier = places::carrier(self.number).filter(|_| mobile);
        let why = match (self.carrier, mobile) {
            (Some(_), _) => "To whom the number was first allocated; it may have been ported since.",
            (None, true) if self.calling_code == NORTH_AMERICA => "Carriers of +1 are not published.",
            (None, true) => "The allocation of this block is not published.",
            (None, false) => "Carriers are published for mobile numbers only.",
        };
        self.notes.push(("carrier", why));
    }

    fn find_time_zones(&mut self) {
        self.time_zones = match (self.number.is_geographic() || self.line_type == LineType::FixedLineOrMobile, self.calling_code) {
            (true, _) => places::time_zones(self.number),
            (false, NORTH_AMERICA) => Vec::new(),
            (false, code) => places::time_zones_of_code(code),
        };
        let why = match self.time_zones.len() {
            0 => "The number can be anywhere.",
            1 => return,
            _ => "The number can be in any of these.",
        };
        self.notes.push(("time_zones", why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(known: &Known) -> Vec<&'static str> {
        known.notes.iter().map(|(member, _)| *member).collect()
    }

    #[test]
    fn what_a_plan_tells_is_told() {
        let known = look_up("+61412345678").expect("a number");
        assert_eq!((known.calling_code, known.country, known.line_type), (61, Some(Country::AU), LineType::Mobile));
        assert_eq!(known.carrier, Some("Optus"));
        assert!(known.time_zones.contains(&"Australia/Sydney"));
        let london = look_up("+442079460123").expect("a number");
        assert_eq!((london.place, london.region), (Some("London"), Some(("ENG", "England"))));
        assert_eq!((london.carrier, london.time_zones.as_slice()), (None, &["Europe/London"][..]));
    }

    #[test]
    fn what_is_not_known_is_said_not_to_be() {
        let american = look_up("+14155551234").expect("a number");
        assert_eq!((american.carrier, american.line_type), (None, LineType::FixedLineOrMobile));
        assert_eq!(american.time_zones, ["America/Los_Angeles"]);
        assert_eq!(noted(&american), ["line_type", "carrier"]);
        let free = look_up("+18005551234").expect("a number");
        assert_eq!((free.line_type, free.time_zones.len(), free.place), (LineType::TollFree, 0, None));
        assert_eq!(noted(&free), ["region", "place", "carrier", "time_zones"]);
        let service = look_up("+80012345678").expect("a number");
        assert_eq!((service.country, service.calling_code), (None, 800));
        assert!(noted(&service).contains(&"country_code"));
        assert_eq!(look_up("+1415"), Err(Unfit::TooShort));
    }
}
