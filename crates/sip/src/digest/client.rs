//! Answering other servers' challenges.

use tandem_kernel::{Rng, hex};

use super::{Algorithm, field, fields, quoted};
use crate::Login;

/// A challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Option<Algorithm>,
    qop: bool,
    /// Whether only the nonce was wrong.
    pub stale: bool,
}

impl Challenge {
    /// The best of several challenges: SHA-256 before MD5, the first of equals (RFC 8760 section 2.4).
    pub fn best<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut best: Option<Self> = None;
        for challenge in values.filter_map(Self::read) {
            let strong = |one: &Self| one.algorithm == Some(Algorithm::Sha256);
            if best.as_ref().is_none_or(|best| strong(&challenge) && !strong(best)) {
                best = Some(challenge);
            }
        }
        best
    }

    fn read(value: &str) -> Option<Self> {
        let given = fields(value)?;
        let qop = field(&given, "qop");
        if qop.is_some_and(|qop| !qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"))) {
            return None;
        }
        let named = field(&given, "algorithm");
        let algorithm = Algorithm::named(named)?;
        Some(Self {
            realm: field(&given, "realm")?.to_owned(),
            nonce: field(&given, "nonce")?.to_owned(),
            opaque: field(&given, "opaque").map(str::to_owned),
            algorithm: named.map(|_| algorithm),
            qop: qop.is_some(),
            stale: field(&given, "stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// The value of an `Authorization` or `Proxy-Authorization` field.
pub(crate) fn answer(challenge: &Challenge, login: &Login, method: &str, uri: &str, rng: &dyn Rng) -> String {
    let algorithm = challenge.algorithm.unwrap_or(Algorithm::Md5);
    let mut random = [0; 8];
    rng.fill(&mut random);
    let cnonce = hex(&random);
    let ha1 = algorithm.hash(&[&login.username, &challenge.realm, &login.password]);
    let ha2 = algorithm.hash(&[method, uri]);
    let response = match challenge.qop {
        true => algorithm.hash(&[&ha1, &challenge.nonce, "00000001", &cnonce, "auth", &ha2]),
        false => algorithm.hash(&[&ha1, &challenge.nonce, &ha2]),
    };
    let (name, realm, nonce) = (quoted(&login.username), quoted(&challenge.realm), quoted(&challenge.nonce));
    let mut text = format!("Digest username={name}, realm={realm}, nonce={nonce}, uri={}, response=\"{response}\"", quoted(uri));
    if let Some(algorithm) = challenge.algorithm {
        text.push_str(&format!(", algorithm={}", algorithm.name()));
    }
    if challenge.qop {
        text.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = &challenge.opaque {
        text.push_str(&format!(", opaque={}", quoted(opaque)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_challenge_is_answered() {
        let given =
            ["Digest realm=\"a\", nonce=\"1\"", "Digest realm=\"a\", nonce=\"2\", algorithm=SHA-256, qop=\"auth,auth-int\""];
        let best = Challenge::best(given.into_iter()).expect("a challenge");
        assert_eq!((best.algorithm, best.qop, best.nonce.as_str()), (Some(Algorithm::Sha256), true, "2"));
    }

    #[test]
    fn the_hashes_are_those_of_rfc_7616() {
        // RFC 7616 section 3.9.1: the same request by both algorithms.
        let (uri, nonce, cnonce) =
            ("/dir/index.html", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        let response = |algorithm: Algorithm| {
            let ha1 = algorithm.hash(&["Mufasa", "http-auth@example.org", "Circle of Life"]);
            algorithm.hash(&[&ha1, nonce, "00000001", cnonce, "auth", &algorithm.hash(&["GET", uri])])
        };
        assert_eq!(response(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(response(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }
}
