//! What must not be readable in the database: codes, secrets of webhooks, texts with a code in them.

use std::sync::Arc;

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use tandem_catalogue::{Error, Result};
use tandem_kernel::Rng;

/// Seals and hashes with the installation's secret key, which is not in the database.
pub struct Vault {
    keys: Option<(LessSafeKey, hmac::Key)>,
    /// Where there is no secret key: hashes that nothing ever equals.
    stray: hmac::Key,
    rng: Arc<dyn Rng>,
}

impl Vault {
    /// A vault whose keys are derived from `secret`, one for each use.
    #[must_use]
    pub fn new(secret: Option<&[u8; 32]>, rng: Arc<dyn Rng>) -> Self {
        let keys = secret.and_then(|secret| {
            let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let (seal, mac) = (hmac::sign(&root, b"seal"), hmac::sign(&root, b"mac"));
            let seal = UnboundKey::new(&CHACHA20_POLY1305, seal.as_ref()).ok()?;
            Some((LessSafeKey::new(seal), hmac::Key::new(hmac::HMAC_SHA256, mac.as_ref())))
        });
        let mut stray = [0; 32];
        rng.fill(&mut stray);
        Self { keys, stray: hmac::Key::new(hmac::HMAC_SHA256, &stray), rng }
    }

    /// Seals bytes: the same ones look different each time.
    ///
    /// # Errors
    /// `internal` where there is no secret key; there is no reason for it in the bytes.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::internal().because("there is no secret key to seal with");
        let mut nonce = [0; NONCE_LEN];
        self.rng.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        let (key, _) = self.keys.as_ref().ok_or_else(broken)?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).map_err(|_| broken())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Self::seal`] made; `None` for anything else, and for what another secret key sealed.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let mut plain = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = self.keys.as_ref()?.0.open_in_place(nonce, Aad::empty(), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    /// A keyed hash of the parts for one use: without the secret key nobody can try out what was hashed.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(self.keys.as_ref().map_or(&self.stray, |(_, mac)| mac));
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::SeededRng;

    fn vault(secret: u8) -> Vault {
        Vault::new(Some(&[secret; 32]), Arc::new(SeededRng::new(1)))
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_secret_only() {
        let ours = vault(1);
        let sealed = ours.seal(b"481516").expect("sealed");
        assert_eq!(ours.open(&sealed).as_deref(), Some(b"481516".as_slice()));
        assert_eq!(vault(2).open(&sealed), None);
        assert!(!sealed.windows(6).any(|window| window == b"481516"));
        assert_ne!(sealed, ours.seal(b"481516").expect("sealed"));
        let mut touched = sealed.clone();
        touched[14] ^= 1;
        assert_eq!((ours.open(&touched), ours.open(b"short")), (None, None));
    }

    #[test]
    fn a_keyed_hash_tells_uses_and_parts_apart() {
        let ours = vault(1);
        assert_eq!(ours.mac("code", &[b"a", b"bc"]), ours.mac("code", &[b"a", b"bc"]));
        for (other, parts) in [("code", [b"ab".as_slice(), b"c"]), ("key", [b"a", b"bc"])] {
            assert_ne!(ours.mac("code", &[b"a", b"bc"]), ours.mac(other, &parts));
        }
        assert_ne!(ours.mac("code", &[b"1"]), vault(2).mac("code", &[b"1"]));
    }
}
