//! Checking answers to our challenges.

use subtle::ConstantTimeEq;
use tandem_kernel::OsRng;

use super::{Algorithm, Nonces, field, fields, nonce::Worth, quoted};
use crate::{Credentials, Desk, OwnerId};

/// What came of checking a request's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verified {
    /// They are right.
    Yes {
        /// Whose they are.
        owner: OwnerId,
        /// The user name.
        username: String,
    },
    /// There are none for this realm.
    Missing,
    /// They are right, but the nonce is too old.
    Stale,
    /// They are wrong.
    Wrong {
        /// The user name that was shown.
        username: String,
        /// Whether there is such a user.
        known: bool,
    },
    /// They were used before.
    Replayed {
        /// The user name that was shown.
        username: String,
    },
}

/// A realm and its nonces.
pub(crate) struct Digests {
    realm: String,
    nonces: Nonces,
    sha256: bool,
}

impl Digests {
    pub const fn new(realm: String, nonces: Nonces, sha256: bool) -> Self {
        Self { realm, nonces, sha256 }
    }

    /// The challenges, the preferred one first (RFC 8760 section 2.4).
    pub fn challenges(&self, stale: bool) -> Vec<String> {
        let nonce = self.nonces.make(&OsRng);
        let one = |algorithm: Algorithm| {
            let stale = if stale { ", stale=true" } else { "" };
            let (realm, algorithm) = (quoted(&self.realm), algorithm.name());
            format!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}")
        };
        let strong = self.sha256.then(|| one(Algorithm::Sha256));
        strong.into_iter().chain([one(Algorithm::Md5)]).collect()
    }

    /// Checks the `Authorization` fields of a request.
    pub async fn verify(&self, desk: &dyn Desk, method: &str, answers: &[&str]) -> Verified {
        let mut given = answers.iter().filter_map(|given| fields(given));
        let ours = given.find_map(|given| (field(&given, "realm")? == self.realm).then(|| Answer::read(&given))?);
        let Some(answer) = ours else { return Verified::Missing };
        let worth = self.nonces.look(&answer.nonce);
        if worth == Worth::Foreign {
            return Verified::Missing;
        }
        let credentials = desk.credentials(&self.realm, &answer.username).await;
        // A user who is not known costs as much as one who is.
        let right = answer.expected(method, credentials.as_ref()).as_bytes().ct_eq(answer.response.as_bytes());
        let username = answer.username.clone();
        let Some(owner) = credentials.map(|credentials| credentials.owner) else {
            return Verified::Wrong { username, known: false };
        };
        if !bool::from(right) {
            return Verified::Wrong { username, known: true };
        }
        match (worth, self.nonces.take(&answer.nonce, answer.count)) {
            (Worth::Good, Worth::Good) => Verified::Yes { owner, username },
            (Worth::Good, Worth::Replayed) => Verified::Replayed { username },
            _ => Verified::Stale,
        }
    }
}

/// An answer to a challenge.
#[derive(Debug)]
struct Answer {
    username: String,
    nonce: String,
    uri: String,
    response: String,
    algorithm: Algorithm,
    cnonce: String,
    /// The counter as it was written, which goes into the hash.
    written: String,
    count: u32,
}

impl Answer {
    fn read(given: &[(&str, String)]) -> Option<Self> {
        let text = |name| field(given, name).map(str::to_owned);
        if !field(given, "qop")?.eq_ignore_ascii_case("auth") {
            return None;
        }
        let written = text("nc").filter(|nc| nc.len() == 8)?;
        Some(Self {
            username: text("username").filter(|name| !name.is_empty() && name.len() <= 256)?,
            nonce: text("nonce")?,
            uri: text("uri")?,
            response: text("response")?.to_ascii_lowercase(),
            algorithm: Algorithm::named(field(given, "algorithm"))?,
            cnonce: text("cnonce")?,
            count: u32::from_str_radix(&written, 16).ok()?,
            written,
        })
    }

    fn expected(&self, method: &str, credentials: Option<&Credentials>) -> String {
        let ha1 = match self.algorithm {
            Algorithm::Md5 => credentials.and_then(|one| one.md5).map(|ha1| tandem_kernel::hex(&ha1)),
            Algorithm::Sha256 => credentials.and_then(|one| one.sha256).map(|ha1| tandem_kernel::hex(&ha1)),
        };
        // Nobody's: an answer that no password gives.
        let ha1 = ha1.unwrap_or_else(|| "no such user".to_owned());
        let ha2 = self.algorithm.hash(&[method, &self.uri]);
        self.algorithm.hash(&[&ha1, &self.nonce, &self.written, &self.cnonce, "auth", &ha2])
    }
}
