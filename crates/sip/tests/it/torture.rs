//! The messages of RFC 4475, over datagrams and over TCP: each is answered as its section says, and the next OPTIONS after it.

use tandem_sip::{Incoming, Refusal, Transport};

use crate::house::{House, Phone};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// It is answered with this, by datagram and by TCP.
    Both(u16),
    /// By datagram and by TCP it is not the same; `None` is no answer.
    Each(Option<u16>, Option<u16>),
}

const SILENCE: By = By::Each(None, None);

macro_rules! messages {
    ($($section:literal $name:literal $by:expr,)*) => {
        &[$(($section, $name, include_bytes!(concat!("../rfc4475/", $name, ".dat")), $by)),*]
    };
}

/// A call that is let in is refused with 486 here; a registration is asked for credentials.
const MESSAGES: &[(&str, &str, &[u8], By)] = messages! {
    "3.1.1.1" "wsinv" By::Both(481), // its To has a tag
    "3.1.1.2" "intmeth" By::Both(501),
    "3.1.1.3" "esc01" By::Both(486),
    "3.1.1.4" "escnull" By::Both(401),
    "3.1.1.5" "esc02" By::Both(501),
    "3.1.1.6" "lwsdisp" By::Both(200),
    "3.1.1.7" "longreq" By::Both(486),
    "3.1.1.8" "dblreq" By::Both(401),
    "3.1.1.9" "semiuri" By::Both(200),
    "3.1.1.10" "transports" By::Both(200),
    "3.1.1.11" "mpart01" By::Both(405),
    "3.1.1.12" "unreason" SILENCE,
    "3.1.1.13" "noreason" SILENCE,
    "3.1.2.1" "badinv01" By::Both(400),
    "3.1.2.2" "clerr" By::Each(Some(400), None), // on a stream the rest may still come
    "3.1.2.3" "ncl" By::Both(400),
    "3.1.2.4" "scalar02" By::Both(400),
    "3.1.2.5" "scalarlg" SILENCE,
    "3.1.2.6" "quotbal" By::Both(400),
    "3.1.2.7" "ltgtruri" By::Both(400),
    "3.1.2.8" "lwsruri" By::Both(400),
    "3.1.2.9" "lwsstart" By::Both(400),
    "3.1.2.10" "trws" By::Both(400),
    "3.1.2.11" "escruri" By::Both(400),
    "3.1.2.12" "baddate" By::Both(400),
    "3.1.2.13" "regbadct" By::Both(400),
    "3.1.2.14" "badaspec" By::Both(400),
    "3.1.2.15" "baddn" By::Both(400),
    "3.1.2.16" "badvers" By::Both(505),
    "3.1.2.17" "mismatch01" By::Both(400),
    "3.1.2.18" "mismatch02" By::Both(501),
    "3.1.2.19" "bigcode" SILENCE,
    "3.2.1" "badbranch" By::Both(200),
    "3.3.1" "insuf" By::Both(400),
    "3.3.2" "unkscm" By::Both(416),
    "3.3.3" "novelsc" By::Both(416),
    "3.3.4" "unksm2" By::Both(401),
    "3.3.5" "bext01" By::Both(420),
    "3.3.6" "invut" By::Both(415),
    "3.3.7" "regaut01" By::Both(401),
    "3.3.8" "multi01" By::Each(Some(400), None), // it claims two octets more than it has
    "3.3.9" "mcl01" By::Both(400),
    "3.3.10" "bcast" SILENCE,
    "3.3.11" "zeromf" By::Both(200),
    "3.3.12" "cparam01" By::Both(401),
    "3.3.13" "cparam02" By::Both(401),
    "3.3.14" "regescrt" By::Both(401),
    "3.3.15" "sdp01" By::Both(406),
    "3.4.1" "inv2543" By::Both(486),
};

/// What is looked for in the answer: the beginning of the Call-ID, which names the message, or the branch where it has none.
fn ours(octets: &[u8], answer: &crate::house::Message) -> bool {
    let text = String::from_utf8_lossy(octets);
    let call_id = answer.get("Call-ID");
    match call_id {
        "" => answer.get("Via").contains("insuf") && text.contains("insuf"),
        _ => text.contains(call_id),
    }
}

async fn house() -> House {
    let mut house = House::open().await;
    let (_, nothing) = tokio::sync::mpsc::channel(1);
    let mut calls = std::mem::replace(&mut house.calls, nothing);
    tokio::spawn(async move {
        while let Some(Incoming::Call(call)) = calls.recv().await {
            call.refuse(Refusal::of(486)).await;
        }
    });
    house
}

async fn expect(phone: &mut Phone, octets: &[u8], name: &str, wanted: u16) -> crate::house::Message {
    let answer = phone.until(&format!("{wanted} for {name}"), |one| one.status() >= 200 && ours(octets, one)).await;
    assert_eq!(answer.status(), wanted, "{name}: {answer:?}");
    answer
}

#[tokio::test]
async fn by_datagram() {
    let house = house().await;
    assert_eq!(MESSAGES.len(), 49);
    for (section, name, octets, by) in MESSAGES {
        let mut phone = house.phone().await;
        phone.raw(octets).await;
        let (By::Both(wanted) | By::Each(Some(wanted), _)) = *by else {
            phone.alive().await;
            continue;
        };
        let answer = expect(&mut phone, octets, &format!("{section} {name}"), wanted).await;
        match *name {
            "intmeth" | "esc02" | "mpart01" => assert!(answer.get("Allow").contains("INVITE")),
            "bext01" => assert_eq!(
                answer.get("Unsupported"),
                "nothingSupportsThis, nothingSupportsThisEither, noProxiesSupportThis, norDoAnyProxiesSupportThis"
            ),
            "invut" => assert_eq!(answer.get("Accept"), "application/sdp"),
            "inv2543" => assert_eq!(answer.get("From"), "<sip:+13035551111@ift.client.example.net;user=phone>"),
            "esc01" => assert_eq!(answer.get("To").split(";tag").next(), Some("<sip:%75se%72@example.com>")),
            _ => {}
        }
        phone.alive().await;
    }
    house.empty().await;
}

#[tokio::test]
async fn by_tcp() {
    let house = house().await;
    for (section, name, octets, by) in MESSAGES {
        let mut phone = Phone::tcp(house.at(Transport::Tcp)).await;
        phone.raw(octets).await;
        if let By::Both(wanted) | By::Each(_, Some(wanted)) = *by {
            expect(&mut phone, octets, &format!("{section} {name}"), wanted).await;
        }
        match *name {
            // Where the next message begins cannot be known.
            "ncl" | "mcl01" => assert!(phone.take().await.is_none(), "{name}"),
            "clerr" | "multi01" | "inv2543" => {}
            // Two requests, one after the other.
            "dblreq" => drop(phone.status(486, "INVITE").await),
            _ => phone.alive().await,
        }
        Phone::tcp(house.at(Transport::Tcp)).await.alive().await;
    }
    house.empty().await;
}

/// What a user looks like whose name holds letters that elsewhere part things, and one that is escaped.
#[tokio::test]
async fn users_are_read_as_they_are_meant() {
    let mut house = House::open().await;
    let mut phone = house.phone().await;
    for (written, meant) in [
        ("user;par=u%40example.net", "user;par=u@example.net"),
        ("sips%3Auser%40example.com", "sips:user@example.com"),
        ("a?b&c/d", "a?b&c/d"),
    ] {
        let mut line = phone.line();
        line.target = format!("sip:{written}@example.com");
        phone.send(&line.invite(crate::house::OFFER)).await;
        let call = house.call().await;
        assert_eq!((call.called().as_deref(), call.request_uri()), (Some(meant), line.target.clone()));
        drop(call);
        let refused = phone.status(480, "INVITE").await;
        phone.send(&line.nack(&refused)).await;
    }
    house.empty().await;
}
