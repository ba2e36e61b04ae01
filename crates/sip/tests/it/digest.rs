//! Credentials.

use std::{sync::Arc, time::Duration};

use md5::Digest as _;
use tandem_kernel::{ManualClock, Timestamp, hex};
use tandem_sip::{Caller, Fault, Notice, OwnerId};

use crate::house::{House, Line, Message, OFFER, Phone, REALM};

/// What a telephone makes of a challenge.
pub struct Shown<'a> {
    pub algorithm: &'a str,
    pub user: &'a str,
    pub password: &'a str,
    pub count: &'a str,
}

pub fn nonce(challenge: &Message) -> String {
    challenge.get("WWW-Authenticate").split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

impl Shown<'_> {
    pub fn field(&self, nonce: &str, method: &str, uri: &str) -> String {
        let hash = |text: String| match self.algorithm {
            "SHA-256" => hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref()),
            _ => hex(&md5::Md5::digest(text.as_bytes())),
        };
        let (user, count, algorithm) = (self.user, self.count, self.algorithm);
        let ha1 = hash(format!("{user}:{REALM}:{}", self.password));
        let response = hash(format!("{ha1}:{nonce}:{count}:c:auth:{}", hash(format!("{method}:{uri}"))));
        format!(
            "Authorization: Digest username=\"{user}\",realm=\"{REALM}\",nonce=\"{nonce}\",uri=\"{uri}\",response=\"{response}\",\
             algorithm={algorithm},cnonce=\"c\",qop=auth,nc={count}\r\n"
        )
    }
}

const fn md5(count: &str) -> Shown<'_> {
    Shown { algorithm: "MD5", user: "alice", password: "secret", count }
}

async fn house() -> House {
    let house = House::strict(|_| {}).await;
    house.desk.user("alice", "secret");
    house
}

/// A REGISTER that only asks.
async fn ask(phone: &mut Phone, line: &mut Line, fields: &str) -> Message {
    line.target = format!("sip:{REALM}");
    let text = line.write("REGISTER", fields, "");
    let contact = format!("Contact: {}\r\n", line.contact);
    let text = text.replace(&contact, "").replace(&format!("To: <sip:bob@{REALM}>"), &format!("To: <sip:alice@{REALM}>"));
    phone.send(&text).await;
    phone.last("REGISTER").await
}

#[tokio::test]
async fn both_algorithms_and_every_counter() {
    let house = house().await;
    let mut phone = house.phone().await;
    for algorithm in ["MD5", "SHA-256"] {
        let mut line = phone.line();
        let challenge = ask(&mut phone, &mut line, "").await;
        assert_eq!(challenge.status(), 401);
        let offered = challenge.all("WWW-Authenticate");
        assert!(
            offered.len() == 2 && offered[0].contains("algorithm=SHA-256") && offered[1].contains("algorithm=MD5"),
            "{offered:?}"
        );
        assert!(!offered[0].contains("stale"));
        let nonce = nonce(&challenge);
        for count in ["00000001", "00000002", "0000000a", "0000000F", "00000010", "000000ff", "00000100", "0000beef"] {
            let shown = Shown { algorithm, ..md5(count) };
            let answer = ask(&mut phone, &mut line, &shown.field(&nonce, "REGISTER", &format!("sip:{REALM}"))).await;
            assert_eq!(answer.status(), 200, "{algorithm} {count}");
        }
    }
}

#[tokio::test]
async fn a_counter_is_used_once() {
    let house = house().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let nonce = nonce(&ask(&mut phone, &mut line, "").await);
    let field = md5("00000005").field(&nonce, "REGISTER", &format!("sip:{REALM}"));
    assert_eq!(ask(&mut phone, &mut line, &field).await.status(), 200);
    let again = ask(&mut phone, &mut line, &field).await;
    assert!(again.status() == 401 && again.get("WWW-Authenticate").contains("stale=true"));
    assert!(house.desk.told(|one| matches!(one, Notice::Refused { fault: Fault::Replay, status: 401, .. })));
    // What was overtaken may still come.
    let late = md5("00000003").field(&nonce, "REGISTER", &format!("sip:{REALM}"));
    assert_eq!(ask(&mut phone, &mut line, &late).await.status(), 200);
}

#[tokio::test]
async fn a_nonce_grows_old() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000_000_000)));
    let house = House::strict(|config| {
        config.clock = clock.clone();
        config.nonce_life = Duration::from_secs(60);
    })
    .await;
    house.desk.user("alice", "secret");
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let old = nonce(&ask(&mut phone, &mut line, "").await);
    clock.advance_seconds(61);
    let stale = ask(&mut phone, &mut line, &md5("00000001").field(&old, "REGISTER", &format!("sip:{REALM}"))).await;
    assert!(stale.status() == 401 && stale.get("WWW-Authenticate").contains("stale=true"));
    let young = nonce(&stale);
    assert_eq!(ask(&mut phone, &mut line, &md5("00000001").field(&young, "REGISTER", &format!("sip:{REALM}"))).await.status(), 200);
    // Stale is said only to who knows the password.
    let wrong = Shown { password: "guess", ..md5("00000001") };
    let refused = ask(&mut phone, &mut line, &wrong.field(&old, "REGISTER", &format!("sip:{REALM}"))).await;
    assert!(refused.status() == 401 && !refused.get("WWW-Authenticate").contains("stale"));
}

#[tokio::test]
async fn what_is_wrong_looks_the_same() {
    let house = house().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let nonce = nonce(&ask(&mut phone, &mut line, "").await);
    let uri = format!("sip:{REALM}");
    let cases = [
        Shown { password: "guess", ..md5("00000001") }.field(&nonce, "REGISTER", &uri),
        Shown { user: "mallory", ..md5("00000001") }.field(&nonce, "REGISTER", &uri),
        md5("00000001").field(&nonce, "INVITE", &uri),
        md5("00000001").field("made-up", "REGISTER", &uri),
        md5("1").field(&nonce, "REGISTER", &uri),
        md5("00000001").field(&nonce, "REGISTER", &uri).replace("qop=auth", "qop=auth-int"),
        md5("00000001").field(&nonce, "REGISTER", &uri).replace(REALM, "elsewhere"),
        "Authorization: Basic YTpi\r\n".to_owned(),
        "Authorization: Digest ,,,===\"\r\n".to_owned(),
        "Authorization: \r\n".to_owned(),
    ];
    for field in cases {
        let refused = ask(&mut phone, &mut line, &field).await;
        assert!(refused.status() == 401 && refused.all("WWW-Authenticate").len() == 2, "{field}");
        assert!(!refused.get("WWW-Authenticate").contains("stale"), "{field}");
    }
    assert!(
        house
            .desk
            .told(|one| matches!(one, Notice::Refused { fault: Fault::WrongCredentials, user: Some(user), .. } if user == "alice"))
    );
    assert!(
        house
            .desk
            .told(|one| matches!(one, Notice::Refused { fault: Fault::UnknownUser, user: Some(user), .. } if user == "mallory"))
    );
}

#[tokio::test]
async fn a_user_calls_with_credentials() {
    let mut house = house().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    let challenge = phone.status(401, "INVITE").await;
    phone.send(&line.nack(&challenge)).await;
    let field = md5("00000001").field(&nonce(&challenge), "INVITE", &line.target);
    phone.send(&line.write("INVITE", &field, OFFER)).await;
    let call = house.call().await;
    assert_eq!(call.caller(), &Caller::User { owner: OwnerId("owner-alice".into()), username: "alice".into() });
    assert_eq!((call.header("Authorization"), call.headers("authorization").len()), (None, 0));
    drop(call);
    let refused = phone.status(480, "INVITE").await;
    phone.send(&line.nack(&refused)).await;
    house.empty().await;
}
