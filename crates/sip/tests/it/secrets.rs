//! What is logged: with the filter that the stack needs, no credentials, at whatever level ours is.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tandem_sip::{Credentials, Login, Registration, RegistrationConfig, Source, Target, Transport, TrunkConfig};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    digest::{Shown, nonce},
    house::{House, OFFER, PATIENCE, REALM},
    outbound::dial,
};

/// What was written.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Paper {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const PASSWORD: &str = "correct-horse-battery";

#[tokio::test]
async fn no_credentials_are_logged() {
    let paper = Paper::default();
    let filter = EnvFilter::new("trace,rsipstack=warn");
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(paper.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let house = House::strict(|config| config.limits.strikes = 3).await;
    house.desk.user("alice", PASSWORD);
    let mut phone = house.phone().await;
    let mut secrets = vec![PASSWORD.to_owned()];
    for password in [PASSWORD, "wrong-password"] {
        let mut line = phone.line();
        line.target = format!("sip:{REALM}");
        let register = |text: String| text.replace("<sip:bob@", "<sip:alice@");
        phone.send(&register(line.write("REGISTER", "", ""))).await;
        let nonce = nonce(&phone.last("REGISTER").await);
        let shown = Shown { algorithm: "SHA-256", user: "alice", password, count: "00000001" };
        let field = shown.field(&nonce, "REGISTER", &line.target);
        secrets.push(field.split("response=\"").nth(1).unwrap().split('"').next().unwrap().to_owned());
        // Once well-formed, and once so that it is refused before it is read.
        phone.send(&register(line.write("REGISTER", &field, ""))).await;
        phone.last("REGISTER").await;
        phone.send(&register(line.write("REGISTER", &field, "")).replace("CSeq: ", "CSeq: x")).await;
        phone.last("").await;
    }
    let login = Login { username: "us".into(), password: PASSWORD.into() };
    assert!(!format!("{login:?} {:?}", Credentials::of("o", REALM, "alice", PASSWORD)).contains(PASSWORD));
    let mut wanted = dial(&phone);
    wanted.login = Some(login.clone());
    let mut outgoing = house.sip.dial(wanted);
    let challenge = "WWW-Authenticate: Digest realm=\"t\", nonce=\"n\", qop=\"auth\"\r\n";
    let invite = phone.request("INVITE").await;
    phone.reply(&invite, 401, challenge, "").await;
    let shown = phone.until("credentials", |one| one.method() == "INVITE" && !one.get("Authorization").is_empty()).await;
    secrets.push(shown.get("Authorization").split("response=\"").nth(1).unwrap().split('"').next().unwrap().to_owned());
    phone.reply(&shown, 403, "", "").await;
    phone.request("ACK").await;
    outgoing.next().await;
    let registration = RegistrationConfig { aor: "sip:us@t".into(), login, expires: 60, retry: Duration::from_secs(60) };
    let target = Target::Source(Source { transport: Transport::Udp, address: phone.local });
    let trunk = house.sip.trunk(TrunkConfig { uri: "sip:t".into(), target, ping: None, registration: Some(registration) });
    let first = phone.request("REGISTER").await;
    phone.reply(&first, 401, challenge, "").await;
    let shown = phone.until("credentials", |one| !one.get("Authorization").is_empty() && one.method() == "REGISTER").await;
    phone.reply(&shown, 403, "", "").await;
    let mut watch = trunk.watch_registration();
    let refused = watch.wait_for(|one| matches!(one, Registration::Refused { status: 403, .. }));
    tokio::time::timeout(PATIENCE, refused).await.expect("in time").expect("it is watched");
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    phone.until("an answer", |one| one.status() >= 200).await;

    let written = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("tandem_sip"), "nothing was logged");
    for secret in secrets.iter().map(String::as_str).chain(["response=", "Authorization"]) {
        assert!(!written.contains(secret), "{secret} was logged:\n{written}");
    }
}
