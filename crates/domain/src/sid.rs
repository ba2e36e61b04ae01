//! Ids in the form that Fone Dynamics' clients expect: a letter for the kind, then 31 capitals and digits.

use sha2::{Digest, Sha256};
use tandem_kernel::{AccountId, base32, from_base32};

/// Characters after the id, by which a slip shows.
const CHECK: usize = 5;

/// The letters of the kinds.
pub mod letter {
    /// An account.
    pub const ACCOUNT: char = 'A';
    /// A property (a "site").
    pub const PROPERTY: char = 'S';
    /// A message.
    pub const MESSAGE: char = 'M';
    /// A call.
    pub const CALL: char = 'C';
    /// An address.
    pub const ADDRESS: char = 'D';
}

/// The sid of an object of a kind.
#[must_use]
pub fn sid(letter: char, id: &[u8; 16]) -> String {
    let mut sum = [0; 16];
    for (to, from) in sum.iter_mut().zip(Sha256::digest(id)) {
        *to = from;
    }
    // The last characters of a text in base 32 carry five bits each; the first one only three.
    let check: String = base32(sum).chars().rev().take(CHECK).collect();
    format!("{letter}{}{check}", base32(*id)).to_ascii_uppercase()
}

/// Reads a sid of a kind; `None` for one of another kind and for one with a slip in it.
#[must_use]
pub fn parse_sid(letter: char, text: &str) -> Option<[u8; 16]> {
    let body = text.strip_prefix(letter).filter(|body| body.len() == 31 && body.is_ascii())?;
    let id = from_base32(&body.get(..26)?.to_ascii_lowercase())?;
    (sid(letter, &id) == text).then_some(id)
}

/// The AccountSid of an account.
#[must_use]
pub fn account_sid(id: AccountId) -> String {
    sid(letter::ACCOUNT, id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_letter_and_31_capitals_and_digits_and_reads_back() {
        let text = account_sid(AccountId::from_bytes([7; 16]));
        assert_eq!(text.len(), 32);
        assert!(text.starts_with('A') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{text}");
        assert_ne!(text, account_sid(AccountId::from_bytes([8; 16])));
        assert_eq!(parse_sid('A', &text), Some([7; 16]));
        let slipped = text.replacen(text.get(5..6).unwrap_or(""), "Z", 1);
        for other in ["", "A", &text.to_lowercase(), &text.replacen('A', "S", 1), &slipped, &format!("{text}X")] {
            assert_eq!(parse_sid('A', other), None, "{other}");
        }
    }
}
