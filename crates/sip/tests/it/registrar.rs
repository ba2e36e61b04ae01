//! Registrations.

use std::sync::{Arc, atomic::Ordering};

use tandem_sip::{Dial, Fault, Notice, OwnerId, Progress, Source, Transport};

use crate::{
    digest::{Shown, nonce},
    house::{ANSWER, House, Line, Message, OFFER, Phone, REALM, Table},
};

/// Registers: the contacts, and what else the request says.
async fn register(phone: &mut Phone, line: &mut Line, user: &str, contacts: &str, fields: &str) -> Message {
    line.target = format!("sip:{REALM}");
    let to = format!("To: <sip:{user}@{REALM}>");
    let own = format!("Contact: {}\r\n", line.contact);
    let text = |text: String| text.replace(&format!("To: <sip:bob@{REALM}>"), &to).replace(&own, contacts);
    let first = text(line.write("REGISTER", fields, ""));
    phone.send(&first).await;
    let challenge = phone.last("REGISTER").await;
    assert_eq!(challenge.status(), 401);
    let shown = Shown { algorithm: "SHA-256", user: "alice", password: "secret", count: "00000001" };
    let field = shown.field(&nonce(&challenge), "REGISTER", &line.target);
    let second = text(line.write("REGISTER", &format!("{fields}{field}"), ""));
    phone.send(&second).await;
    phone.last("REGISTER").await
}

async fn house() -> House {
    let house = House::strict(|config| config.registrar.bindings = 3).await;
    house.desk.user("alice", "secret");
    house
}

fn held(house: &House) -> Vec<(String, u32)> {
    let bindings = house.desk.bindings.lock().unwrap();
    bindings.get(&OwnerId("owner-alice".into())).into_iter().flatten().map(|one| (one.contact.clone(), one.expires)).collect()
}

#[tokio::test]
async fn bindings_come_and_go() {
    let house = house().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let contacts = "Contact: <sip:a@10.0.0.1>;expires=120;q=0.5;+sip.instance=\"<urn:uuid:1>\", <sip:b@10.0.0.2>\r\n";
    let ok =
        register(&mut phone, &mut line, "alice", contacts, "Expires: 300\r\nPath: <sip:edge.test;lr>\r\nUser-Agent: Phone/1\r\n")
            .await;
    assert_eq!((ok.status(), ok.all("Contact")), (200, vec!["<sip:a@10.0.0.1>;expires=120", "<sip:b@10.0.0.2>;expires=300"]));
    {
        let bindings = house.desk.bindings.lock().unwrap();
        let first = &bindings[&OwnerId("owner-alice".into())][0];
        assert_eq!((first.q, first.instance.as_deref(), first.agent.as_deref()), (500, Some("<urn:uuid:1>"), Some("Phone/1")));
        assert_eq!(first.source, Source { transport: Transport::Udp, address: phone.local });
    }
    // The same instance from elsewhere takes the place of its old contact.
    let moved = register(
        &mut phone,
        &mut line,
        "alice",
        "Contact: <sip:a@10.9.9.9>;+sip.instance=\"<urn:uuid:1>\"\r\n",
        "Expires: 99999\r\n",
    )
    .await;
    assert_eq!(moved.status(), 200);
    assert_eq!(held(&house), [("sip:b@10.0.0.2".to_owned(), 300), ("sip:a@10.9.9.9".to_owned(), 3600)]);
    let fetched = register(&mut phone, &mut line, "alice", "", "").await;
    assert_eq!(fetched.all("Contact").len(), 2);
    let gone = register(&mut phone, &mut line, "alice", "Contact: <sip:b@10.0.0.2>;expires=0\r\n", "").await;
    assert_eq!(gone.all("Contact"), ["<sip:a@10.9.9.9>;expires=3600"]);
    let none = register(&mut phone, &mut line, "alice", "Contact: *\r\n", "Expires: 0\r\n").await;
    assert_eq!((none.status(), none.all("Contact").len(), held(&house).len()), (200, 0, 0));
}

#[tokio::test]
async fn what_may_not_be_registered() {
    let house = house().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    let brief = register(&mut phone, &mut line, "alice", "Contact: <sip:a@h>;expires=10\r\n", "").await;
    assert_eq!((brief.status(), brief.get("Min-Expires")), (423, "60"));
    for (contacts, fields) in
        [("Contact: *\r\n", ""), ("Contact: *, <sip:a@h>\r\n", "Expires: 0\r\n"), ("Contact: <tel:+1>\r\n", "")]
    {
        assert_eq!(register(&mut phone, &mut line, "alice", contacts, fields).await.status(), 400, "{contacts}");
    }
    assert_eq!(register(&mut phone, &mut line, "bob", "Contact: <sip:a@h>\r\n", "").await.status(), 403);
    assert!(house.desk.told(|one| matches!(one, Notice::Refused { fault: Fault::NotYours, status: 403, .. })));
    let many = "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>, <sip:d@h>\r\n";
    assert_eq!(register(&mut phone, &mut line, "alice", many, "").await.status(), 403);
    house.desk.full.store(true, Ordering::Relaxed);
    let full = register(&mut phone, &mut line, "alice", "Contact: <sip:a@h>\r\n", "").await;
    assert!(full.status() == 503 && !full.get("Retry-After").is_empty());
    assert!(held(&house).is_empty());
}

#[tokio::test]
async fn what_was_overtaken_changes_nothing() {
    let house = house().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    line.cseq += 50;
    assert_eq!(register(&mut phone, &mut line, "alice", "Contact: <sip:a@h>\r\n", "").await.status(), 200);
    line.cseq -= 20;
    assert_eq!(register(&mut phone, &mut line, "alice", "Contact: <sip:a@h>;expires=0\r\n", "").await.status(), 500);
    assert_eq!(held(&house).len(), 1);
}

/// A device behind a NAT is called where it registered from, by the connection that it opened, whatever its contact says; also after the
/// adapter was started again.
#[tokio::test]
async fn a_device_is_called_where_it_registered_from() {
    let desk = Arc::new(Table::default());
    desk.user("alice", "secret");
    for transport in [Transport::Udp, Transport::Tcp, Transport::Ws] {
        let any = "127.0.0.1:0".parse().unwrap();
        let house = House::over(desk.clone(), |config| config.listen.push(tandem_sip::Listen::on(Transport::Ws, any))).await;
        let mut phone = match transport {
            Transport::Udp => house.phone().await,
            Transport::Tcp => Phone::tcp(house.at(transport)).await,
            _ => Phone::ws(house.at(transport)).await,
        };
        let mut line = phone.line();
        let contact = "Contact: <sip:alice@192.168.1.9:5060;ob>\r\n";
        assert_eq!(register(&mut phone, &mut line, "alice", contact, "").await.status(), 200);
        let again = match transport {
            // What was registered is the owner's: another adapter on the same socket's address would find it as well.
            Transport::Udp => House::over(desk.clone(), |_| {}).await,
            _ => house,
        };
        let binding = desk.bindings.lock().unwrap()[&OwnerId("owner-alice".into())][0].clone();
        let mut dial = Dial::new(&binding.contact, "sip:us@tandem.test", OFFER.into());
        dial.target = binding.target();
        let mut outgoing = again.sip.dial(dial);
        if transport == Transport::Udp {
            phone.turn_to(again.at(Transport::Udp));
        }
        let invite = phone.request("INVITE").await;
        assert_eq!(invite.uri(), "sip:alice@192.168.1.9:5060;ob");
        assert!(invite.get("Via").starts_with(&format!("SIP/2.0/{} ", phone.via)), "{}", invite.get("Via"));
        assert!(transport == Transport::Udp || invite.get("Contact").contains(&format!(";transport={transport}")));
        phone.reply(&invite, 486, "", "").await;
        phone.request("ACK").await;
        assert!(matches!(outgoing.next().await, Some(Progress::Failed { status: 486, .. })), "{transport}");
        again.empty().await;
    }
}

#[tokio::test]
async fn a_device_behind_a_nat_is_answered_and_acknowledged_where_it_is() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    let mut line = phone.line();
    line.contact = "<sip:alice@10.1.2.3:5060>".to_owned();
    phone.send(&line.invite(OFFER).replace(&format!("SIP/2.0/UDP {}", phone.local), "SIP/2.0/UDP 10.1.2.3:5060")).await;
    let dialog = house.call().await.answer(ANSWER.into()).await.unwrap();
    let ok = phone.status(200, "INVITE").await;
    assert!(ok.get("Via").contains(&format!("received=127.0.0.1;rport={}", phone.local.port())), "{}", ok.get("Via"));
    line.learn(&ok);
    phone.send(&line.ack()).await;
    drop(dialog);
    let bye = phone.request("BYE").await;
    assert_eq!(bye.uri(), format!("sip:alice@{}", phone.local));
    phone.reply(&bye, 200, "", "").await;
    house.empty().await;
}
