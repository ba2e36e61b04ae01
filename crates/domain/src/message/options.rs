//! What a sender may want of a message beside its text: ids, receipts, and what becomes of replies.

use tandem_catalogue::{Error, Result};
use tandem_kernel::PhoneNumber;

use super::Sender;
use crate::webhook::Method;

/// Seconds ahead that a message may be scheduled at the most.
pub const SCHEDULED_AHEAD: i64 = 14 * 86_400;
/// Seconds by which the time of a scheduled message may have passed: it is sent at once then.
pub const SCHEDULED_LATE: i64 = 3_600;
/// Characters of the longest e-mail address (RFC 5321).
const LONGEST_EMAIL: usize = 254;
/// Characters of the longest part before the `@`.
const LONGEST_LOCAL: usize = 64;

/// A URL of a message's own, and how it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The URL.
    pub url: String,
    /// How it is called.
    pub method: Method,
}

/// Where what comes in is handed on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Forward {
    /// To whom, as a text message.
    pub to_sms: Option<PhoneNumber>,
    /// From whom that comes; from whoever wrote, if nothing is said.
    pub from_sms: Option<Sender>,
    /// To whom, as an e-mail.
    pub to_email: Option<String>,
    /// From whom that comes; from the platform's own address, if nothing is said.
    pub from_email: Option<String>,
}

impl Forward {
    /// Whether nothing is handed on.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.to_sms.is_none() && self.to_email.is_none()
    }

    /// These places, and where nothing is said the `usual` ones.
    #[must_use]
    pub fn or(self, usual: Self) -> Self {
        let (to_sms, from_sms) = if self.to_sms.is_some() { (self.to_sms, self.from_sms) } else { (usual.to_sms, usual.from_sms) };
        let (to_email, from_email) =
            if self.to_email.is_some() { (self.to_email, self.from_email) } else { (usual.to_email, usual.from_email) };
        Self { to_sms, from_sms, to_email, from_email }
    }
}

/// What a sender wants of a message beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The sender's own id for it.
    pub external_id: Option<String>,
    /// Whether webhooks are told of its delivery receipt.
    pub receipt: bool,
    /// Who else is told of the receipt.
    pub receipt_webhook: Option<Callback>,
    /// Who is told of replies.
    pub reply_webhook: Option<Callback>,
    /// Where replies are handed on; of a message that came in, where it is handed on itself.
    pub forward: Forward,
    /// Whether its sender is lent.
    pub leased: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            external_id: None,
            receipt: true,
            receipt_webhook: None,
            reply_webhook: None,
            forward: Forward::default(),
            leased: false,
        }
    }
}

/// Checks an e-mail address: not whether it exists, but that it is one and cannot be taken for more than one.
///
/// # Errors
/// `too_long`, `invalid_value`.
pub fn check_email(field: &str, address: &str) -> Result<()> {
    if address.chars().count() > LONGEST_EMAIL {
        return Err(Error::too_long(field.to_owned(), i64::try_from(LONGEST_EMAIL).unwrap_or(i64::MAX)));
    }
    let is_word = |text: &str, also: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
        !text.is_empty() && !text.starts_with('.') && !text.ends_with('.') && !text.contains("..") && text.chars().all(fits)
    };
    let is_address = address.split_once('@').is_some_and(|(local, domain)| {
        let labels = || domain.split('.');
        let named = labels().all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.len() < 64);
        local.len() <= LONGEST_LOCAL
            && is_word(local, "!#$%&'*+-/=?^_`{|}~.")
            && is_word(domain, "-.")
            && named
            && labels().count() > 1
    });
    if is_address { Ok(()) } else { Err(Error::invalid_value(field.to_owned(), "must be an e-mail address")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address() {
        for address in ["a@example.com", "first.last+tag@mail.example.co.uk", "o'neill@x-y.example"] {
            check_email("to", address).expect(address);
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for address in [
            "",
            "a",
            "a@",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@example.com,b@example.com",
            "a@example..com",
            "a@-x.com",
            ".a@x.com",
            &long,
            "a@x.com\r\nBcc: b@x.com",
        ] {
            check_email("to", address).expect_err(address);
        }
    }

    #[test]
    fn a_messages_own_places_come_before_the_numbers() {
        let own = Forward { to_email: Some("a@example.com".into()), ..Forward::default() };
        let usual =
            Forward { to_email: Some("b@example.com".into()), from_email: Some("c@example.com".into()), ..Forward::default() };
        assert_eq!(own.clone().or(usual.clone()), own);
        assert_eq!(Forward::default().or(usual.clone()), usual);
    }
}
