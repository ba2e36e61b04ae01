//! The headers of a delivery, its signatures among them.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use tandem_catalogue::Dialect;
use tandem_domain::webhook::{Body, Target};
use tandem_kernel::{DeliveryId, EventId, hex};

/// What of a delivery goes into its headers besides the body.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// The event.
    pub event: EventId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it is sent, in Unix seconds of the machine's clock: receivers compare it with theirs.
    pub timestamp: i64,
}

/// The headers of a delivery: name and value. `secrets` are the texts of those in use, the newest first; where a dialect has room for
/// one signature, it is the newest's, and that of the one before it has a header of its own.
#[must_use]
pub fn headers(target: Target, envelope: Envelope, body: &Body, secrets: &[String]) -> Vec<(String, String)> {
    let mut all = vec![("Content-Type".to_owned(), body.media_type.to_owned())];
    let agent = if target.dialect() == Dialect::Audian { "AudianWebhook/1.0" } else { "Tandem-Webhooks/1.0" };
    all.push(("User-Agent".to_owned(), agent.to_owned()));
    // What a GET says is in its query, so that is what is signed.
    let signed = if body.query.is_empty() { &body.bytes } else { body.query.as_bytes() };
    match target {
        Target::Endpoint(Dialect::Audian) => audian(&mut all, envelope, body, secrets),
        Target::Endpoint(Dialect::TelephonyIo) => telephony_io(&mut all, body, secrets),
        Target::Endpoint(Dialect::Native | Dialect::FoneDynamics) | Target::Message => {
            standard(&mut all, envelope, signed, secrets)
        }
        Target::Number => {
            audian(&mut all, envelope, body, secrets);
            standard(&mut all, envelope, signed, secrets);
        }
    }
    all
}

/// Two of the three pages that describe it compare with bare digits, so that is what the documented header holds; the form of the
/// third has a header beside it.
fn audian(all: &mut Vec<(String, String)>, envelope: Envelope, body: &Body, secrets: &[String]) {
    let sign = |secret: &String| {
        let message = [envelope.timestamp.to_string().as_bytes(), b".", &body.bytes].concat();
        hex(&hmac_sha256(secret.as_bytes(), &message))
    };
    all.push(("X-Audian-Event".to_owned(), body.event.clone()));
    all.push(("X-Audian-Timestamp".to_owned(), envelope.timestamp.to_string()));
    all.push(("X-Audian-Delivery-ID".to_owned(), envelope.delivery.to_string()));
    let mut signatures = secrets.iter().map(sign);
    if let Some(signature) = signatures.next() {
        all.push(("X-Audian-Signature-256".to_owned(), format!("sha256={signature}")));
        all.push(("X-Audian-Signature".to_owned(), signature));
    }
    all.extend(signatures.next().map(|signature| ("X-Audian-Signature-Previous".to_owned(), signature)));
}

fn telephony_io(all: &mut Vec<(String, String)>, body: &Body, secrets: &[String]) {
    let names = ["X-Telephony-Signature", "X-Telephony-Signature-Previous"];
    let signatures = secrets.iter().map(|secret| hex(&hmac_sha256(secret.as_bytes(), &body.bytes)));
    all.extend(names.into_iter().zip(signatures).map(|(name, signature)| (name.to_owned(), signature)));
}

/// Standard Webhooks: one header holds the signatures of all secrets in use.
fn standard(all: &mut Vec<(String, String)>, envelope: Envelope, signed: &[u8], secrets: &[String]) {
    let (id, timestamp) = (envelope.event.to_string(), envelope.timestamp.to_string());
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", signed].concat();
    let sign = |secret: &String| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).unwrap_or_default();
        format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &message)))
    };
    let signatures: Vec<String> = secrets.iter().map(sign).collect();
    all.push(("webhook-id".to_owned(), id));
    all.push(("webhook-timestamp".to_owned(), timestamp));
    all.push(("webhook-signature".to_owned(), signatures.join(" ")));
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use standardwebhooks::Webhook;

    use tandem_kernel::{Clock, SystemClock};

    use super::*;

    const OLD: &str = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZCE=";
    const NEW: &str = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldyE=";

    fn body(text: &str) -> Body {
        Body {
            event: "number.purchased".to_owned(),
            media_type: "application/json",
            query: String::new(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn map(target: Target, body: &Body, secrets: &[&str]) -> HeaderMap {
        map_at(SystemClock.now().seconds(), target, body, secrets)
    }

    fn map_at(timestamp: i64, target: Target, body: &Body, secrets: &[&str]) -> HeaderMap {
        let envelope = Envelope { event: EventId::from_bytes([1; 16]), delivery: DeliveryId::from_bytes([2; 16]), timestamp };
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let pairs = headers(target, envelope, body, &secrets).into_iter();
        let pair = |(name, value): (String, String)| {
            (HeaderName::try_from(name).expect("a name"), HeaderValue::try_from(value).expect("a value"))
        };
        pairs.map(pair).collect()
    }

    #[test]
    fn the_published_library_verifies_with_each_secret_in_use() {
        let body = body(r#"{"type":"number.purchased"}"#);
        let sent = map(Target::Endpoint(Dialect::Native), &body, &[NEW, OLD]);
        for secret in [NEW, OLD] {
            let receiver = Webhook::new(secret).expect("a secret");
            receiver.verify(&body.bytes, &sent).expect("a genuine delivery");
            assert!(receiver.verify(b"{}", &sent).is_err());
            let old = map_at(1_704_067_200, Target::Endpoint(Dialect::Native), &body, &[NEW, OLD]);
            assert!(receiver.verify(&body.bytes, &old).is_err(), "a delivery of long ago");
        }
        let other = map(Target::Endpoint(Dialect::Native), &body, &[NEW]);
        assert!(Webhook::new(OLD).expect("a secret").verify(&body.bytes, &other).is_err());
    }

    #[test]
    fn audian_signs_the_timestamp_and_the_body() {
        // printf '1704067200.{"a":1}' | openssl dgst -sha256 -hmac SECRET
        let sent = map_at(1_704_067_200, Target::Endpoint(Dialect::Audian), &body(r#"{"a":1}"#), &["secret", "before"]);
        assert_eq!(sent["x-audian-signature"], "521612bcabb6f55cc5b1214733a369db3e76d2a8873679bad51856c594061a5a");
        assert_eq!(sent["x-audian-signature-256"], format!("sha256={}", sent["x-audian-signature"].to_str().expect("text")));
        assert_eq!(
            (&sent["user-agent"], &sent["x-audian-event"]),
            (&HeaderValue::from_static("AudianWebhook/1.0"), &HeaderValue::from_static("number.purchased"))
        );
        assert_eq!(sent["x-audian-timestamp"], "1704067200");
        assert_eq!(sent["x-audian-delivery-id"], DeliveryId::from_bytes([2; 16]).to_string());
        assert_ne!(sent["x-audian-signature"], sent["x-audian-signature-previous"]);
    }

    #[test]
    fn telephony_io_signs_the_body_alone() {
        let sent = map(Target::Endpoint(Dialect::TelephonyIo), &body("what do ya want for nothing?"), &["Jefe"]);
        // The second test vector of RFC 4231.
        assert_eq!(sent["x-telephony-signature"], "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(!sent.contains_key("x-telephony-signature-previous"));
    }

    #[test]
    fn a_number_is_told_both_ways_and_a_get_signs_its_query() {
        let sent = map(Target::Number, &body("{}"), &[NEW]);
        assert!(sent.contains_key("x-audian-signature"));
        Webhook::new(NEW).expect("a secret").verify(b"{}", &sent).expect("a genuine delivery");
        let got = Body { query: "Action=Webhook".to_owned(), bytes: Vec::new(), ..body("") };
        let sent = map(Target::Endpoint(Dialect::FoneDynamics), &got, &[NEW]);
        Webhook::new(NEW).expect("a secret").verify(b"Action=Webhook", &sent).expect("a genuine delivery");
    }
}
