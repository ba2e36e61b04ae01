//! A number's move from another carrier to us.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Country, EnvironmentId, Money, NumberId, PhoneNumber, PortId, Timestamp, TransferId, places};

use crate::{
    Explanation,
    config::check_name,
    number::NumberState,
    purchase::{Offer, OfferState},
};

/// Days after which a losing carrier that says nothing counts as refusing.
pub const SILENCE_DAYS: i64 = 30;
/// Days that a port takes, as far as we can promise.
pub const ESTIMATE_DAYS: i64 = 5;

/// Where a port is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PortState {
    /// Asked for.
    Pending,
    /// With the losing carrier.
    Submitted,
    /// The losing carrier named a date (FOC).
    Scheduled {
        /// The date.
        at: Timestamp,
    },
    /// The number is here.
    Completed {
        /// Since when.
        at: Timestamp,
    },
    /// The losing carrier refused.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Its owner called it off.
    Canceled,
}

impl PortState {
    /// All of them, for messages.
    pub const CHOICES: &'static str = "pending, submitted, scheduled, completed, rejected, canceled";

    const WORDS: [&'static str; 6] = ["pending", "submitted", "scheduled", "completed", "rejected", "canceled"];

    /// Reads the word for a state, whatever data the state has.
    #[must_use]
    pub fn word(text: &str) -> Option<&'static str> {
        Self::WORDS.into_iter().find(|word| *word == text)
    }

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Submitted => "submitted",
            Self::Scheduled { .. } => "scheduled",
            Self::Completed { .. } => "completed",
            Self::Rejected { .. } => "rejected",
            Self::Canceled => "canceled",
        }
    }

    /// What the page calls `carrier_status`.
    #[must_use]
    pub const fn carrier_status(&self) -> &'static str {
        match self {
            Self::Pending => "pending_transfer",
            Self::Submitted => "submitted_to_carrier",
            Self::Scheduled { .. } => "foc_received",
            Self::Completed { .. } => "transferred",
            Self::Rejected { .. } => "rejected_by_carrier",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Rejected { .. } | Self::Canceled)
    }
}

/// Where the end user lives, as the losing carrier knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// House number and street.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// What the losing carrier needs to let a number go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortDetails {
    /// The number to port.
    pub phone: PhoneNumber,
    /// The account at the losing carrier.
    pub account_number: String,
    /// Its PIN; forgotten when the port ends.
    pub account_pin: Option<String>,
    /// The losing carrier.
    pub carrier_name: Option<String>,
    /// The number on its bill.
    pub billing_phone: PhoneNumber,
    /// The name on its bill.
    pub end_user_name: String,
    /// The address on its bill.
    pub end_user_address: Address,
}

impl PortDetails {
    /// Checks the texts; the numbers were checked when they were read.
    ///
    /// # Errors
    /// `too_short`, `too_long` and `invalid_value`, for the first member that is wrong.
    pub fn check(&self) -> Result<()> {
        check_name("account_number", &self.account_number)?;
        for (field, text) in [("account_pin", &self.account_pin), ("carrier_name", &self.carrier_name)] {
            text.as_ref().map_or(Ok(()), |text| check_name(field, text))?;
        }
        check_name("end_user_name", &self.end_user_name)?;
        let address = &self.end_user_address;
        check_name("end_user_address.street", &address.street)?;
        check_name("end_user_address.city", &address.city)?;
        check_name("end_user_address.state", &address.state)?;
        check_name("end_user_address.postal_code", &address.postal_code)?;
        if Country::parse(&address.country).is_some_and(places::known_country) {
            return Ok(());
        }
        Err(Error::invalid_value("end_user_address.country", "must be an ISO 3166-1 alpha-2 code such as US"))
    }
}

/// What we know of a number that somebody wants to port here.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The state of the number with the asking account, if it has it.
    pub owned: Option<NumberState>,
    /// Whether a port of it is under way, of whatever account.
    pub pending: bool,
    /// What the inventory says of it.
    pub offer: Option<&'a Offer>,
    /// Whether the account is verified.
    pub verified: bool,
}

/// Decides whether a number can be asked for at the losing carrier; money is the ledger's question, asked last.
///
/// # Errors
/// `already_exists`, `cannot_port_pending`, `port_not_possible_now`, `cannot_port_unverified`, in this order.
pub fn decide(phone: PhoneNumber, standing: Standing, explanation: &mut Explanation) -> Result<()> {
    let Standing { owned, pending, offer, verified } = standing;
    let name = phone.to_string();
    let arrived = owned.filter(|state| !matches!(state, NumberState::Porting { .. }));
    let compared = arrived.map_or("not in the account", |state| state.as_str());
    if !explanation.note("the account does not have the number already", compared, arrived.is_none()) {
        return Err(Error::already_exists(name));
    }
    if !explanation.note("no port of the number is under way", name.clone(), !pending) {
        return Err(Error::cannot_port_pending(name));
    }
    let elsewhere = offer.is_none_or(is_elsewhere);
    let compared = offer.map_or("not in the inventory", |offer| if elsewhere { "has left" } else { offer.state.as_str() });
    if !explanation.note("the number is not held by this platform", compared, elsewhere) {
        return Err(Error::port_not_possible_now(name));
    }
    if !explanation.note("the account is verified", if verified { "yes" } else { "no" }, verified) {
        return Err(Error::cannot_port_unverified(name));
    }
    Ok(())
}

/// Whether a number of the inventory is another carrier's: it has left, or was sold before we could have it. Such a number is
/// assigned and nobody here holds it; importing it again does not put it up for sale.
#[must_use]
pub fn is_elsewhere(offer: &Offer) -> bool {
    offer.state == OfferState::Assigned && offer.holder.is_none()
}

/// A port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// Its id.
    pub id: PortId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// The number of the account that it becomes.
    pub number: NumberId,
    /// Which of our carriers takes the number over.
    pub carrier: String,
    /// What was asked for.
    pub details: PortDetails,
    /// Where it is.
    pub state: PortState,
    /// What it costs when completed.
    pub fee: Money,
    /// The hold of that fee.
    pub hold: Option<TransferId>,
    /// When it will probably be done.
    pub estimated_completion: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Port {
    /// The losing carrier has it.
    ///
    /// # Errors
    /// `invalid_transition` unless it is pending. So for the transitions below, each from the states that allow it.
    pub fn submitted(self, now: Timestamp) -> Result<Self> {
        let allowed = self.state == PortState::Pending;
        self.moved(allowed, PortState::Submitted, "submitted", now)
    }

    /// The losing carrier named a date.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn scheduled(self, at: Timestamp, now: Timestamp) -> Result<Self> {
        let allowed = matches!(self.state, PortState::Submitted | PortState::Scheduled { .. });
        let mut port = self.moved(allowed, PortState::Scheduled { at }, "scheduled", now)?;
        port.estimated_completion = at;
        Ok(port)
    }

    /// The number is here.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn completed(self, now: Timestamp) -> Result<Self> {
        let allowed = matches!(self.state, PortState::Scheduled { .. });
        self.moved(allowed, PortState::Completed { at: now }, "completed", now)
    }

    /// The losing carrier refused.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn rejected(self, reason: String, now: Timestamp) -> Result<Self> {
        let allowed = !self.state.is_final();
        self.moved(allowed, PortState::Rejected { reason }, "rejected", now)
    }

    /// Its owner called it off.
    #[expect(clippy::missing_errors_doc, reason = "as `submitted`")]
    pub fn canceled(self, now: Timestamp) -> Result<Self> {
        let allowed = !self.state.is_final();
        self.moved(allowed, PortState::Canceled, "canceled", now)
    }

    /// When the losing carrier's silence counts as a refusal: counted from its last word, and from the date that it named.
    #[must_use]
    pub fn patience_ends(&self) -> Timestamp {
        let since = match self.state {
            PortState::Scheduled { at } => at.max(self.updated_at),
            _ => self.updated_at,
        };
        since.plus_days(SILENCE_DAYS)
    }

    fn moved(mut self, allowed: bool, to: PortState, action: &'static str, now: Timestamp) -> Result<Self> {
        if !allowed {
            return Err(Error::invalid_transition("port", self.state.as_str(), action));
        }
        if to.is_final() {
            self.details.account_pin = None;
        }
        self.state = to;
        self.updated_at = now;
        self.version += 1;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use tandem_catalogue::Code;
    use tandem_kernel::Currency;

    use super::*;
    use crate::Features;

    const PHONE: PhoneNumber = PhoneNumber::from_digits(16_135_550_123);

    fn details() -> PortDetails {
        PortDetails {
            phone: PHONE,
            account_number: "A-1".into(),
            account_pin: Some("4711".into()),
            carrier_name: None,
            billing_phone: PHONE,
            end_user_name: "Ada Example".into(),
            end_user_address: Address {
                street: "1 Main Street".into(),
                city: "Ottawa".into(),
                state: "ON".into(),
                postal_code: "K1A 0B1".into(),
                country: "CA".into(),
            },
        }
    }

    fn day(days: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000).plus_days(days)
    }

    fn port() -> Port {
        Port {
            id: PortId::from_bytes([1; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            number: NumberId::from_bytes([3; 16]),
            carrier: "simulated".into(),
            details: details(),
            state: PortState::Pending,
            fee: Money::new(25_000_000, Currency::USD),
            hold: None,
            estimated_completion: day(ESTIMATE_DAYS),
            created_at: day(0),
            updated_at: day(0),
            version: 1,
        }
    }

    fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
        result.expect_err("a refusal").code()
    }

    #[test]
    fn a_port_walks_from_pending_to_completed() {
        let port = port().submitted(day(1)).and_then(|port| port.scheduled(day(4), day(2))).expect("the usual way");
        assert_eq!((port.state.as_str(), port.state.carrier_status(), port.version), ("scheduled", "foc_received", 3));
        assert_eq!(port.estimated_completion, day(4));
        let moved = port.scheduled(day(6), day(3)).expect("another date");
        let done = moved.completed(day(6)).expect("the date has come");
        assert_eq!(done.state, PortState::Completed { at: day(6) });
        assert_eq!(done.details.account_pin, None, "nobody needs it any more");
    }

    #[test]
    fn nothing_happens_twice_or_out_of_order() {
        assert_eq!(code(port().scheduled(day(4), day(1))), Code::InvalidTransition);
        assert_eq!(code(port().completed(day(1))), Code::InvalidTransition);
        let submitted = port().submitted(day(1)).expect("once");
        assert_eq!(code(submitted.clone().submitted(day(2))), Code::InvalidTransition);
        assert_eq!(code(submitted.clone().completed(day(2))), Code::InvalidTransition);
        let ends = [submitted.clone().rejected("no".into(), day(2)), submitted.canceled(day(2))];
        for end in ends.map(|end| end.expect("an open port ends")) {
            assert!(end.state.is_final());
            for again in [end.clone().canceled(day(3)), end.clone().rejected("no".into(), day(3)), end.clone().completed(day(3))] {
                assert_eq!(code(again), Code::InvalidTransition);
            }
        }
    }

    #[test]
    fn every_state_has_its_word() {
        assert_eq!(PortState::WORDS.join(", "), PortState::CHOICES);
        let at = day(0);
        let states = [
            PortState::Pending,
            PortState::Submitted,
            PortState::Scheduled { at },
            PortState::Completed { at },
            PortState::Rejected { reason: String::new() },
            PortState::Canceled,
        ];
        assert_eq!(states.map(|state| PortState::word(state.as_str()).expect("a word")), PortState::WORDS);
        assert_eq!(PortState::word("lost"), None);
    }

    #[test]
    fn silence_counts_from_the_last_word_and_from_the_date() {
        assert_eq!(port().patience_ends(), day(SILENCE_DAYS));
        let submitted = port().submitted(day(3)).expect("pending");
        assert_eq!(submitted.patience_ends(), day(3 + SILENCE_DAYS));
        assert_eq!(submitted.scheduled(day(20), day(4)).expect("submitted").patience_ends(), day(20 + SILENCE_DAYS));
    }

    #[test]
    fn what_is_wrong_with_the_details_is_named() {
        details().check().expect("as they should be");
        type Spoil = fn(&mut PortDetails);
        let cases: [(Spoil, Code, &str); 5] = [
            (|details| details.account_number.clear(), Code::TooShort, "account_number"),
            (|details| details.account_pin = Some("1\n2".into()), Code::InvalidValue, "account_pin"),
            (|details| details.end_user_name = "x".repeat(129), Code::TooLong, "end_user_name"),
            (|details| details.end_user_address.city.clear(), Code::TooShort, "end_user_address.city"),
            (|details| details.end_user_address.country = "Canada".into(), Code::InvalidValue, "end_user_address.country"),
        ];
        for (spoil, expected, field) in cases {
            let mut details = details();
            spoil(&mut details);
            let error = details.check().expect_err(field);
            assert_eq!(error.code(), expected, "{field}");
            assert_eq!(error.value("field").map(ToString::to_string).as_deref(), Some(field));
        }
    }

    #[test]
    fn refusals_come_in_their_order() {
        let offer = |state, holder| Offer {
            phone: PHONE,
            carrier: "owned".into(),
            features: Features::VOICE,
            monthly: Money::new(0, Currency::USD),
            setup: Money::new(0, Currency::USD),
            address_requirement: "none".into(),
            state,
            holder,
        };
        let ask = |standing| decide(PHONE, standing, &mut Explanation::of("port", "a test"));
        let for_sale = offer(OfferState::Available, None);
        let mut standing = Standing { owned: Some(NumberState::Active), pending: true, offer: Some(&for_sale), verified: false };
        assert_eq!(code(ask(standing)), Code::AlreadyExists);
        standing.owned = Some(NumberState::Porting { port: PortId::from_bytes([1; 16]) });
        assert_eq!(code(ask(standing)), Code::CannotPortPending);
        standing.pending = false;
        assert_eq!(code(ask(standing)), Code::PortNotPossibleNow);
        let sold = offer(OfferState::Assigned, Some(EnvironmentId::from_bytes([9; 16])));
        assert_eq!(code(ask(Standing { offer: Some(&sold), ..standing })), Code::PortNotPossibleNow);
        let left = offer(OfferState::Assigned, None);
        standing = Standing { offer: Some(&left), ..standing };
        assert_eq!(code(ask(standing)), Code::CannotPortUnverified);
        ask(Standing { verified: true, ..standing }).expect("a number that left may come back");
        ask(Standing { verified: true, offer: None, ..standing }).expect("a number that nobody here knows");
    }
}
