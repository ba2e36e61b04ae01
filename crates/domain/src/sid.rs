//! An account's id in the form that Fone Dynamics' clients expect: an `A` and 31 letters and digits.

use sha2::{Digest, Sha256};
use tandem_kernel::{AccountId, base32};

/// Characters after the id, by which a slip shows.
const CHECK: usize = 5;

/// The AccountSid of an account.
#[must_use]
pub fn account_sid(id: AccountId) -> String {
    let mut sum = [0; 16];
    for (to, from) in sum.iter_mut().zip(Sha256::digest(id.as_bytes())) {
        *to = from;
    }
    // The last characters of a text in base 32 carry five bits each; the first one only three.
    let check: String = base32(sum).chars().rev().take(CHECK).collect();
    format!("A{}{check}", base32(*id.as_bytes())).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_a_and_31_capitals_and_digits() {
        let sid = account_sid(AccountId::from_bytes([7; 16]));
        assert_eq!(sid.len(), 32);
        assert!(sid.starts_with('A') && sid.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{sid}");
        assert_ne!(sid, account_sid(AccountId::from_bytes([8; 16])));
    }
}
