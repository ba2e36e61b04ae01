//! The numbers that a test server has for sale.

use tandem_carriers::{Owned, Simulated};
use tandem_domain::{
    Features,
    call::{Attribution, Call, Direction, Disposition, Origin},
    purchase::{Offer, OfferState},
};
use tandem_kernel::{CallId, Currency, Environment, EnvironmentId, Money, OsRng, PhoneNumber, PropertyId, Timestamp};

/// The carrier whose numbers are bought without asking anybody.
pub const LOCAL: &str = Owned::NAME;
/// The carrier of the pocket network.
pub const POCKET: &str = Simulated::NAME;
/// The carrier that is asked about each order.
pub const UPSTREAM: &str = "upstream";
/// The first magic numbers of the pocket network, and how many there are of them.
const MAGIC: (u64, u64) = (16_282_000_010, 60);
/// A valid number that no inventory has.
pub const NOWHERE: &str = "+14155551234";

/// A number for sale at 0.99 a month without setup.
pub fn offer(phone: &str, carrier: &str, features: &[&str]) -> Offer {
    Offer {
        phone: PhoneNumber::parse(phone).expect("a valid number"),
        carrier: carrier.to_owned(),
        features: features.iter().filter_map(|name| Features::parse(name)).fold(Features::default(), Features::with),
        monthly: Money::new(990_000, Currency::USD),
        setup: Money::new(0, Currency::USD),
        address_requirement: "none".to_owned(),
        state: OfferState::Available,
        holder: None,
    }
}

/// The whole shelf:
///
/// | numbers | features | price | carrier |
/// |---|---|---|---|
/// | +1 415 555 0100 to 0139 | voice, sms; every fourth mms too | 0.99 | [`LOCAL`] |
/// | +1 415 356 9377 (`FLOWERS`) | voice | 0.99 | [`LOCAL`] |
/// | +1 212 555 0100 to 0109 | voice | 1.49, setup 1 | [`LOCAL`] |
/// | +1 604 555 0100 to 0104 | voice, sms | 0.99 | [`LOCAL`] |
/// | +44 20 7946 0100 to 0104 | voice | 0.99 | [`LOCAL`] |
/// | +1 310 555 0100 to 0119 | voice, sms | 0.99 | [`UPSTREAM`] |
/// | +1 503 555 0100 to 0109, in test environments | voice, sms | 0.99 | simulated |
/// | the magic numbers, in test environments | voice, sms | 0.99 | simulated |
pub fn shelf(kind: Environment) -> Vec<Offer> {
    let mut offers = Vec::new();
    for last in 100..140 {
        let features: &[&str] = if last % 4 == 0 { &["voice", "sms", "mms"] } else { &["voice", "sms"] };
        offers.push(offer(&format!("+14155550{last}"), LOCAL, features));
    }
    offers.push(offer("+14153569377", LOCAL, &["voice"]));
    for last in 100..110 {
        let dearer = offer(&format!("+12125550{last}"), LOCAL, &["voice"]);
        let (monthly, setup) = (Money::new(1_490_000, Currency::USD), Money::new(1_000_000, Currency::USD));
        offers.push(Offer { monthly, setup, ..dearer });
    }
    for last in 100..105 {
        offers.push(offer(&format!("+16045550{last}"), LOCAL, &["voice", "sms"]));
        offers.push(offer(&format!("+442079460{last}"), LOCAL, &["voice"]));
    }
    for last in 100..120 {
        offers.push(offer(&format!("+13105550{last}"), UPSTREAM, &["voice", "sms"]));
    }
    if kind == Environment::Test {
        for last in 100..110 {
            offers.push(offer(&format!("+15035550{last}"), Simulated::NAME, &["voice", "sms"]));
        }
        for digits in MAGIC.0..MAGIC.0 + MAGIC.1 {
            let reserved = digits >= MAGIC.0 + MAGIC.1 - 10;
            let state = if reserved { OfferState::Reserved } else { OfferState::Available };
            offers.push(Offer { state, ..offer(&format!("+{digits}"), Simulated::NAME, &["voice", "sms"]) });
        }
    }
    offers
}

/// A call to a number of an environment's first property: begun at `started_at`, taken after ten seconds, over after a minute.
pub fn call(environment: EnvironmentId, from: &str, to: &str, started_at: Timestamp) -> Call {
    let number = |text: &str| PhoneNumber::from_e164(text);
    Call {
        id: CallId::new(started_at, &OsRng),
        environment,
        property: PropertyId::from_bytes(*environment.as_bytes()),
        direction: Direction::Inbound,
        from: number(from),
        to: number(to).expect(to),
        endpoint: number("+61299997777"),
        started_at,
        answered_at: Some(started_at.plus_seconds(10)),
        ended_at: started_at.plus_seconds(70),
        duration: 60,
        disposition: Disposition::Answered,
        attribution: Attribution::default(),
        prompts: Vec::new(),
        recording: None,
        origin: Origin::default(),
        first: false,
        written: 0,
    }
}
