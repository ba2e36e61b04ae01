//! Credentials: how they are written, checked for slips, and kept.

use sha2::{Digest, Sha256};
use tandem_kernel::{Environment, EnvironmentId, KeyId, KeyKind, Rng, Scopes, Timestamp};

const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const LETTERS: usize = 52;
const CHECKSUM_LENGTH: usize = 4;
const BODY_LENGTH: usize = LETTERS + CHECKSUM_LENGTH;

/// A key's text, for the one time that it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// Makes a new key: a prefix, 260 random bits as 52 letters, a checksum of four.
    #[must_use]
    pub fn mint(kind: KeyKind, environment: Option<Environment>, rng: &dyn Rng) -> Self {
        let mut random = [0_u8; LETTERS];
        rng.fill(&mut random);
        let prefix = prefix(kind, environment);
        let body: String = random.iter().map(|byte| letter(*byte)).collect();
        let checksum = checksum(&prefix, &body);
        Self(format!("{prefix}{body}{checksum}"))
    }

    /// Whether `text` could be a key: of a known form, with the checksum of its letters. Needs no store.
    #[must_use]
    pub fn is_well_formed(text: &str) -> bool {
        if !text.is_ascii() || text.len() < BODY_LENGTH {
            return false;
        }
        let (head, sum) = text.split_at(text.len() - CHECKSUM_LENGTH);
        let (prefix, body) = head.split_at(head.len() - LETTERS);
        body.bytes().all(|byte| ALPHABET.contains(&byte)) && checksum(prefix, body) == sum
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four characters, by which people tell keys apart.
    #[must_use]
    pub fn last_four(text: &str) -> &str {
        text.len().checked_sub(4).and_then(|start| text.get(start..)).unwrap_or("")
    }
}

/// What is kept of a key: its hash. A random key of that length needs no slow hash.
#[must_use]
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn prefix(kind: KeyKind, environment: Option<Environment>) -> String {
    let kind = match kind {
        KeyKind::Secret => "sk",
        KeyKind::Publishable => "pk",
        KeyKind::Token => "tk",
        KeyKind::Operator => "op",
    };
    environment.map_or_else(|| format!("{kind}_"), |environment| format!("{kind}_{}_", environment.as_str()))
}

fn letter(byte: u8) -> char {
    ALPHABET.get(usize::from(byte & 31)).map_or('a', |letter| char::from(*letter))
}

fn checksum(prefix: &str, body: &str) -> String {
    let digest = Sha256::new().chain_update("tandem key").chain_update(prefix).chain_update(body).finalize();
    digest.iter().take(CHECKSUM_LENGTH).map(|byte| letter(*byte)).collect()
}

/// A credential as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// The environment that it opens; none for the operator's.
    pub environment: Option<EnvironmentId>,
    /// What sort it is.
    pub kind: KeyKind,
    /// What it begins with: `sk_test_`.
    pub prefix: String,
    /// The last four characters.
    pub last_four: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Its owner's name for it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within some seconds.
    pub last_used_at: Option<Timestamp>,
    /// The key that rotation made in its stead.
    pub replaced_by: Option<KeyId>,
}

/// Whether a key works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl Key {
    /// Whether the key works at `now`, by the machine's clock: credentials do not live by a movable one.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some_and(|at| at <= now) {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::SeededRng;

    #[test]
    fn a_minted_key_is_well_formed_and_a_slip_shows() {
        let rng = SeededRng::new(1);
        let key = KeyText::mint(KeyKind::Secret, Some(Environment::Test), &rng);
        assert!(key.as_str().starts_with("sk_test_"));
        assert!(KeyText::is_well_formed(key.as_str()));
        let relabelled = key.as_str().replace("sk_test_", "sk_live_");
        let mut slipped = key.as_str().to_owned();
        slipped.replace_range(10..11, if &slipped[10..11] == "a" { "b" } else { "a" });
        for text in [relabelled.as_str(), slipped.as_str(), "", "sk_test_", "sk_test_é", &"a".repeat(500)] {
            assert!(!KeyText::is_well_formed(text), "{text}");
        }
    }
}
