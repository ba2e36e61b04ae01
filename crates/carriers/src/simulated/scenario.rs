//! The magic numbers: one table, from which the carrier's behaviour, the listing and the documentation come.

use tandem_app::magic::{self, MMS, PORTS, PURCHASES};
use tandem_kernel::PhoneNumber;

/// What a magic number is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To be bought: it is in the inventory.
    Purchase,
    /// To be ported from another carrier: it is not in the inventory.
    Port,
    /// To get a message with media.
    Mms,
}

impl Purpose {
    /// The word that pages and JSON use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Port => "port",
            Self::Mms => "mms",
        }
    }
}

/// A behaviour of the carrier, with the numbers that provoke it.
pub type Scenario = magic::Scenario<Trick>;

/// What the carrier does with a magic number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    Buy(Buy),
    Port(Port),
    Mms(Mms),
}

/// What it does with messages with media to a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mms {
    Refused(&'static str),
    Silent,
    Down,
}

/// What it does with orders for a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Buy {
    Down,
    Nonsense,
    LostAnswer,
    Slow,
    Gone,
    Reserved,
}

/// What it does with ports of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    Accepted,
    Rejected(&'static str),
    Ineligible,
    Unsupported(&'static str),
    Slow,
    Silent,
    Nonsense,
    Down,
    LateNonsense,
    LateDown,
}

const fn buy(place: u64, name: &'static str, trick: Buy, carrier: &'static str, outcome: &'static str) -> Scenario {
    Scenario::new(PURCHASES, place, name, Trick::Buy(trick), carrier, outcome)
}

const fn port(place: u64, name: &'static str, trick: Port, carrier: &'static str, outcome: &'static str) -> Scenario {
    Scenario::new(PORTS, place, name, Trick::Port(trick), carrier, outcome)
}

const fn mms(place: u64, name: &'static str, trick: Mms, carrier: &'static str, outcome: &'static str) -> Scenario {
    Scenario::new(MMS, place, name, Trick::Mms(trick), carrier, outcome)
}

macro_rules! refusal {
    ($place:literal, $name:literal, $reason:literal) => {
        port(
            $place,
            $name,
            Port::Rejected($reason),
            concat!("Has the request after one hour, and refuses it after one day: \"", $reason, "\"."),
            "`pending`, then `submitted`, then `rejected` with that reason. The fee is released and the number goes.",
        )
    };
}

const SCENARIOS: &[Scenario] = &[
    buy(
        1,
        "purchase_down",
        Buy::Down,
        "Refuses the connection.",
        "503 `carrier_unavailable` with `Retry-After`. The money is released and the number is for sale again.",
    ),
    buy(
        2,
        "purchase_nonsense",
        Buy::Nonsense,
        "Answers nonsense, and does not know the order when asked later.",
        "502 `bad_gateway`. The money stays held until the carrier is asked again after a minute; then it is released and the number is \
         for sale again.",
    ),
    buy(
        3,
        "purchase_lost_answer",
        Buy::LostAnswer,
        "Answers nonsense, but has carried the order out, as it says when asked later.",
        "502 `bad_gateway`. A minute later the purchase is completed: the number is in the account and paid for, once.",
    ),
    buy(
        4,
        "purchase_slow",
        Buy::Slow,
        "Accepts the order after two seconds.",
        "201, late. The same purchase made meanwhile is refused: `purchase_in_progress`, or `request_in_progress` with the same \
         `Idempotency-Key`.",
    ),
    buy(
        5,
        "purchase_gone",
        Buy::Gone,
        "Has sold the number to somebody else.",
        "422 `number_not_available`. The money is released and the number is not offered again.",
    ),
    buy(
        6,
        "purchase_reserved",
        Buy::Reserved,
        "Is never asked: the inventory has the number set aside.",
        "422 `number_not_available`. The search does not find the number.",
    ),
    port(
        1,
        "port_accepted",
        Port::Accepted,
        "Has the request after one hour, names a date after one day, and lets the number go three days later. So does every number \
         that is not on this page.",
        "`pending`, then `submitted`, then `scheduled`, then `completed` four days after it was asked for.",
    ),
    refusal!(2, "port_rejected_name", "The end user's name does not match the losing carrier's record"),
    refusal!(3, "port_rejected_account_number", "The account number does not match the losing carrier's record"),
    refusal!(4, "port_rejected_address", "The end user's address does not match the losing carrier's record"),
    refusal!(5, "port_rejected_pin", "The account PIN is wrong or missing"),
    refusal!(6, "port_rejected_inactive", "The number is not active with the losing carrier"),
    port(7, "port_ineligible", Port::Ineligible, "Does not let the number go.", "422 `cannot_port_ineligible`. There is no port."),
    port(
        8,
        "port_unsupported_carrier",
        Port::Unsupported("Prairie Mutual Telephone"),
        "Says that the number is with a carrier that ports cannot come from.",
        "422 `cannot_port_carrier`, which names that carrier. There is no port.",
    ),
    port(
        9,
        "port_slow",
        Port::Slow,
        "Has the request after two days, names a date after seven, and lets the number go after fourteen.",
        "`completed` fourteen days after it was asked for; `estimated_completion` moves when the date is named.",
    ),
    port(
        10,
        "port_silent",
        Port::Silent,
        "Never says anything.",
        "`rejected` after thirty days, because the losing carrier did not answer.",
    ),
    port(
        11,
        "port_nonsense",
        Port::Nonsense,
        "Answers nonsense when asked about the number.",
        "502 `bad_gateway`. There is no port.",
    ),
    port(
        12,
        "port_down",
        Port::Down,
        "Refuses the connection when asked about the number.",
        "503 `carrier_unavailable` with `Retry-After`. There is no port.",
    ),
    port(
        13,
        "port_late_nonsense",
        Port::LateNonsense,
        "As `port_accepted`, but answers nonsense for the five minutes before it names the date, and when the port is called off once it is `submitted`.",
        "As `port_accepted`: the carrier is asked again after growing pauses. Calling the port off is answered with 502 `bad_gateway`.",
    ),
    port(
        14,
        "port_late_down",
        Port::LateDown,
        "As `port_accepted`, but refuses connections for the five minutes before it has the request, and when the port is called off before that.",
        "As `port_accepted`: the carrier is asked again after growing pauses. Calling the port off is answered with 503 `carrier_unavailable`.",
    ),
    mms(
        1,
        "mms_refused",
        Mms::Refused("The handset cannot show the message"),
        "Does not take the message.",
        "The message is `failed`. The money is released.",
    ),
    mms(
        2,
        "mms_silent",
        Mms::Silent,
        "Takes the message and never says what became of it.",
        "`sent`, and `expired` when its validity is over.",
    ),
    mms(
        3,
        "mms_down",
        Mms::Down,
        "Refuses the connection.",
        "`queued`: the carrier is asked again after growing pauses, until the message is `expired` and the money released.",
    ),
];

impl Trick {
    /// What the numbers that provoke it are used for.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Buy(_) => Purpose::Purchase,
            Self::Port(_) => Purpose::Port,
            Self::Mms(_) => Purpose::Mms,
        }
    }
}

/// All scenarios, in the order in which they are documented.
#[must_use]
pub const fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// The scenario that a number provokes, if it is a magic one.
#[must_use]
pub fn scenario_of(phone: PhoneNumber) -> Option<&'static Scenario> {
    magic::provoked(SCENARIOS, phone)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_magic_number_is_a_number_and_means_one_thing() {
        let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
        for scenario in scenarios() {
            assert!(names.insert(scenario.name), "{}", scenario.name);
            assert_eq!(scenario.name.split('_').next(), Some(scenario.trick.purpose().as_str()));
            for phone in scenario.numbers() {
                assert!(numbers.insert(phone), "{phone}");
                assert_eq!(PhoneNumber::parse(&phone.to_string()), Ok(phone));
                assert_eq!(scenario_of(phone), Some(scenario));
                assert!(magic::is_set_aside(phone.digits()));
            }
        }
        assert_eq!(numbers.len(), SCENARIOS.len() * 10);
        assert_eq!(scenario_of(PhoneNumber::from_digits(14_155_551_234)), None);
    }
}
