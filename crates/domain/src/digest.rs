//! What SIP digest credentials are made of (RFC 3261 section 22, RFC 8760).

use md5::{Digest as _, Md5};
use sha2::{Digest as _, Sha256};

/// The realm of every challenge. The hashes that are kept are made with it, so it never changes.
pub const REALM: &str = "tandem";
/// Letters of a generated user name, and of a password: 60 and 120 bits.
const NAME_LENGTH: usize = 12;
const PASSWORD_LENGTH: usize = 24;
/// Crockford's base 32: nothing that is mistaken for something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What proves that somebody knows a password, without the password: H(user:realm:password).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ha1 {
    /// By MD5.
    pub md5: [u8; 16],
    /// By SHA-256.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1(..)") // as good as the password
    }
}

impl Ha1 {
    /// Of a user's password.
    #[must_use]
    pub fn of(user: &str, password: &str) -> Self {
        let text = format!("{user}:{REALM}:{password}");
        Self { md5: Md5::digest(&text).into(), sha256: Sha256::digest(&text).into() }
    }

    /// Both hashes in one.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 48] {
        let mut bytes = [0; 48];
        for (to, from) in bytes.iter_mut().zip(self.md5.into_iter().chain(self.sha256)) {
            *to = from;
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] writes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (md5, sha256) = bytes.split_at_checked(16)?;
        Some(Self { md5: md5.try_into().ok()?, sha256: sha256.try_into().ok()? })
    }
}

/// A user name from random bytes.
#[must_use]
pub fn user_name(random: [u8; NAME_LENGTH]) -> String {
    letters(&random)
}

/// A password from random bytes.
#[must_use]
pub fn password(random: [u8; PASSWORD_LENGTH]) -> String {
    letters(&random)
}

fn letters(random: &[u8]) -> String {
    random.iter().map(|byte| char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let ha1 = Ha1::of("alice", "secret");
        assert_eq!(hex(&ha1.md5), "bbf8eda42b1a71b7d24e17e18ccd85ec");
        assert_eq!(hex(&ha1.sha256), "217b5d1ed1f73dc133d020e40a577da821c7eab27af1d379f843c2f885ee34af");
        assert_eq!(Ha1::from_bytes(&ha1.to_bytes()), Some(ha1));
        assert_eq!(Ha1::from_bytes(&[0; 47]), None);
        assert!(!format!("{ha1:?}").contains(&hex(&ha1.md5)));
    }

    #[test]
    fn names_have_no_doubtful_letters() {
        assert_eq!(user_name([255; 12]), "zzzzzzzzzzzz");
        assert_eq!(password([31; 24]).len(), 24);
    }
}
