//! Numbers for the demonstration's live environment. All are set aside by their countries for plays and films, so nobody is rung.

use tandem_app::{Stock, inventory_import::OWNED};
use tandem_domain::{
    Features,
    inventory::Query,
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Currency, Environment, Location, Money, PhoneNumber};

/// The number that the documentation of the Audian API uses.
const CLASSIC: u64 = 14_155_551_234;
/// Where the numbers are: the digits before the last two or three, how many there are, what a month costs, how they look.
const RANGES: [(u64, u64, i64, Features); 21] = [
    (141_555_501, 20, 990_000, TEXTING),
    (121_255_501, 20, 1_990_000, TEXTING),
    (121_355_501, 20, 990_000, TEXTING),
    (131_255_501, 20, 990_000, TEXTING),
    (161_755_501, 20, 990_000, TEXTING),
    (120_655_501, 20, 990_000, TEXTING),
    (151_255_501, 20, 990_000, TEXTING),
    (130_555_501, 20, 990_000, TEXTING),
    (170_255_501, 20, 1_490_000, TEXTING),
    (150_355_501, 20, 990_000, CALLS),
    (160_455_501, 20, 1_490_000, TEXTING),
    (141_655_501, 20, 1_490_000, TEXTING),
    (151_455_501, 20, 1_490_000, TEXTING),
    (140_355_501, 20, 1_490_000, CALLS),
    (442_079_460, 20, 1_490_000, CALLS),
    (441_614_960, 20, 1_490_000, CALLS),
    (441_174_960, 20, 1_490_000, CALLS),
    (441_314_960, 20, 1_490_000, CALLS),
    (441_214_960, 20, 1_490_000, CALLS),
    (441_144_960, 20, 1_490_000, CALLS),
    (441_134_960, 20, 1_490_000, CALLS),
];
const CALLS: Features = Features::VOICE;
const TEXTING: Features = Features::VOICE.with(Features::SMS).with(Features::MMS);

/// The numbers, in the same order every time.
pub fn offers() -> Vec<Offer> {
    let classic = offer(CLASSIC, 990_000, TEXTING);
    let ranges = RANGES.iter().flat_map(|(head, count, monthly, features)| {
        // Ranges of the United States and Canada have two digits more, those of the United Kingdom three.
        let head = if head.to_string().starts_with('1') { head * 100 } else { head * 1000 };
        (0..*count).map(move |tail| offer(head + tail, *monthly, *features))
    });
    std::iter::once(classic).chain(ranges).collect()
}

fn offer(digits: u64, monthly: i64, features: Features) -> Offer {
    Offer {
        phone: PhoneNumber::from_digits(digits),
        carrier: OWNED.to_owned(),
        features,
        monthly: Money::new(monthly, Currency::USD),
        setup: Money::new(0, Currency::USD),
        address_requirement: "none".to_owned(),
        state: OfferState::Available,
        holder: None,
    }
}

/// A place to look for numbers, and one that is for sale there now.
pub fn suggestion(stock: &Stock, kind: Environment) -> (&'static str, PhoneNumber) {
    let places = ["US-CA", "US", "CA", "GB"];
    let found = places.into_iter().find_map(|place| {
        let prefixes = Location::parse(place).ok()?.prefixes();
        let query = Query { prefixes, limit: 1, ..Query::default() };
        let number = stock.search(kind, &query).numbers.first()?.number;
        Some((place, PhoneNumber::from_digits(number)))
    });
    found.unwrap_or(("US-CA", PhoneNumber::from_digits(CLASSIC)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_one_of_its_country_and_there_is_one_of_each() {
        let offers = offers();
        let mut digits: Vec<u64> = offers.iter().map(|offer| offer.phone.digits()).collect();
        for offer in &offers {
            assert_eq!(PhoneNumber::parse(&offer.phone.to_string()), Ok(offer.phone));
        }
        digits.sort_unstable();
        digits.dedup();
        assert_eq!(digits.len(), offers.len());
        assert_eq!(offers.len(), 421);
    }
}
