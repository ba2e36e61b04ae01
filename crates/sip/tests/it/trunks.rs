//! Trunks: health and registrations of ours.

use std::time::Duration;

use tandem_sip::{Health, Login, Registration, RegistrationConfig, Source, Target, Transport, TrunkConfig};
use tokio::{sync::watch, time::timeout};

use crate::house::{House, PATIENCE, Phone};

fn config(phone: &Phone) -> TrunkConfig {
    let target = Target::Source(Source { transport: Transport::Udp, address: phone.local });
    TrunkConfig { uri: "sip:trunk.test".into(), target, ping: None, registration: None }
}

async fn until<T: Clone + Send + Sync>(watch: &mut watch::Receiver<T>, wanted: impl FnMut(&T) -> bool) -> T {
    timeout(PATIENCE, watch.wait_for(wanted)).await.expect("in time").expect("it is watched").clone()
}

#[tokio::test]
async fn a_trunk_is_asked_whether_it_is_there() {
    let house = House::with(|config| {
        config.timers.t1 = Duration::from_millis(20);
        config.timers.timeout = Duration::from_millis(200);
    })
    .await;
    let mut phone = house.phone().await;
    let trunk = house.sip.trunk(TrunkConfig { ping: Some(Duration::from_millis(30)), ..config(&phone) });
    let mut health = trunk.watch_health();
    assert_eq!(trunk.health(), Health::Unknown);
    let ping = phone.request("OPTIONS").await;
    assert_eq!(ping.uri(), "sip:trunk.test");
    phone.reply(&ping, 404, "", "").await; // an answer is an answer
    until(&mut health, |one| matches!(one, Health::Up { .. })).await;
    let last = ping.get("Call-ID").to_owned();
    let ping = phone.until("another OPTIONS", |one| one.method() == "OPTIONS" && one.get("Call-ID") != last).await;
    phone.reply(&ping, 503, "", "").await;
    until(&mut health, |one| matches!(one, Health::Down { status: Some(503), failures: 1, .. })).await;
    // It says nothing any more.
    until(&mut health, |one| matches!(one, Health::Down { failures, .. } if *failures >= 3)).await;
    let last = phone.request("OPTIONS").await.get("Call-ID").to_owned();
    let ping = phone.until("another OPTIONS", |one| one.method() == "OPTIONS" && one.get("Call-ID") != last).await;
    phone.reply(&ping, 200, "", "").await;
    drop(trunk);
    assert!(timeout(PATIENCE, async { while health.changed().await.is_ok() {} }).await.is_ok());
}

#[tokio::test]
async fn we_register_refresh_and_leave() {
    let house = House::open().await;
    let mut phone = house.phone().await;
    let login = Login { username: "us".into(), password: "secret".into() };
    let wanted = RegistrationConfig { aor: "sip:us@trunk.test".into(), login, expires: 60, retry: Duration::from_millis(20) };
    let trunk = house.sip.trunk(TrunkConfig { registration: Some(wanted), ..config(&phone) });
    let mut registration = trunk.watch_registration();
    let first = phone.request("REGISTER").await;
    assert_eq!((first.uri(), first.get("Expires"), first.get("To")), ("sip:trunk.test", "60", "<sip:us@trunk.test>"));
    assert_eq!(first.get("Contact"), format!("<sip:us@{}>", house.at(Transport::Udp)));
    phone.reply(&first, 503, "", "").await;
    until(&mut registration, |one| matches!(one, Registration::Refused { status: 503, tries: 1 })).await;
    let challenge = "WWW-Authenticate: Digest realm=\"t\", nonce=\"n\", qop=\"auth\", algorithm=MD5\r\n";
    let second = phone.until("another REGISTER", |one| one.method() == "REGISTER" && one.get("CSeq") != first.get("CSeq")).await;
    assert_eq!(second.get("Call-ID"), first.get("Call-ID"));
    phone.reply(&second, 401, challenge, "").await;
    let shown = phone.until("credentials", |one| one.method() == "REGISTER" && !one.get("Authorization").is_empty()).await;
    phone.reply(&shown, 423, "Min-Expires: 120\r\n", "").await;
    let longer = phone.until("a longer one", |one| one.method() == "REGISTER" && one.get("Expires") == "120").await;
    // The registrar shortens what it grants, and the refresh comes before that is over.
    let contact = longer.get("Contact").to_owned();
    phone.reply(&longer, 200, &format!("Contact: <sip:other@x>;expires=900, {contact};expires=1\r\n"), "").await;
    until(&mut registration, |one| *one == Registration::Held { expires: 1 }).await;
    let refresh = phone.until("a refresh", |one| one.method() == "REGISTER" && one.get("CSeq") != longer.get("CSeq")).await;
    phone.reply(&refresh, 200, &format!("Contact: {contact};expires=60\r\n"), "").await;
    until(&mut registration, |one| *one == Registration::Held { expires: 60 }).await;
    drop(trunk);
    let leave = phone.until("the end", |one| one.method() == "REGISTER" && one.get("Expires") == "0").await;
    phone.reply(&leave, 200, "", "").await;
}
