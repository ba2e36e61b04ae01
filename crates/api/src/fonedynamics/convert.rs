//! Between this dialect's ids and times and ours.

use tandem_app::{addresses::AddressRef, properties::PropertyRef};
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Features,
    sid::{account_sid, letter, parse_sid, sid},
};
use tandem_kernel::{AddressId, Country, MessageId, PropertyId, Timestamp};

use crate::http::Call;

/// The sid of a property.
pub fn property_sid(id: PropertyId) -> String {
    sid(letter::PROPERTY, id.as_bytes())
}

/// The property that a sid names, if any.
pub fn property_ref(text: &str) -> PropertyRef {
    PropertyRef { id: parse_sid(letter::PROPERTY, text).map(PropertyId::from_bytes), text: text.to_owned() }
}

/// The property that the path names.
pub fn property_of(call: &Call) -> PropertyRef {
    property_ref(call.param("PropertySid"))
}

/// Checks that the account that the path names is the caller's own.
///
/// # Errors
/// `account_not_found`.
pub fn check_account(call: &Call) -> Result<()> {
    let named = call.param("AccountSid");
    if account_sid(call.caller()?.account) == named { Ok(()) } else { Err(Error::account_not_found(named.to_owned())) }
}

/// The sid of a message.
pub fn message_sid(id: MessageId) -> String {
    sid(letter::MESSAGE, id.as_bytes())
}

/// The message that a sid names, by our own id; the text itself where it names nothing, so that nothing is found.
pub fn message_id(text: &str) -> String {
    parse_sid(letter::MESSAGE, text).map_or_else(|| text.to_owned(), |id| MessageId::from_bytes(id).to_string())
}

/// Seconds since 1970, as this dialect writes times.
pub fn unix(at: Timestamp) -> i64 {
    at.seconds()
}

/// The sid of an address.
pub fn address_sid(id: AddressId) -> String {
    sid(letter::ADDRESS, id.as_bytes())
}

/// The address that a sid names, if any.
pub fn address_ref(text: &str) -> AddressRef {
    AddressRef { id: parse_sid(letter::ADDRESS, text).map(AddressId::from_bytes), text: text.to_owned() }
}

/// Reads a country code, whatever the case of its letters; whether there is such a country is asked later.
///
/// # Errors
/// `invalid_country_code`.
pub fn country(field: &'static str, text: &str) -> Result<Country> {
    Country::parse(&text.to_ascii_uppercase()).ok_or_else(|| Error::invalid_country_code(field, text.to_owned()))
}

/// What numbers can do, in this dialect's words.
pub const CAPABILITIES: &[(&str, Features)] = &[("Voice", Features::VOICE), ("SMS", Features::SMS), ("MMS", Features::MMS)];
/// The words.
pub const CAPABILITY_WORDS: &[&str] = &["Voice", "SMS", "MMS"];

/// The words for what a number can do.
pub fn capabilities(features: Features) -> Vec<&'static str> {
    CAPABILITIES.iter().filter(|(_, feature)| features.contains(*feature)).map(|(word, _)| *word).collect()
}

/// What words ask for, all of it.
pub fn features(words: Option<Vec<&'static str>>) -> Features {
    let named = words.unwrap_or_default();
    let wanted = CAPABILITIES.iter().filter(|(word, _)| named.contains(word));
    wanted.fold(Features::default(), |all, (_, feature)| all.with(*feature))
}
