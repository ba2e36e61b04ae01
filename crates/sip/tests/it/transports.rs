//! Connections: TCP, TLS, WebSockets, and their loss.

use std::{net::SocketAddr, sync::Arc};

use tandem_sip::{By, Dial, Event, Listen, Progress, Target, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring::default_provider},
};

use crate::house::{ANSWER, House, Line, OFFER, Phone, next};

/// A certificate for this machine, and who trusts it.
pub fn certificate() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let chain = vec![made.cert.der().clone()];
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(chain, key).unwrap();
    (Arc::new(server), Arc::new(client.with_root_certificates(roots).with_no_client_auth()))
}

async fn house() -> (House, Arc<ServerConfig>, Arc<ClientConfig>) {
    let (server, client) = certificate();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let (tls, trust) = (server.clone(), client.clone());
    let house = House::with(|config| {
        config.listen.push(Listen { tls: Some(tls), ..Listen::on(Transport::Tls, any) });
        config.listen.push(Listen::on(Transport::Ws, any));
        config.trust = Some(trust);
    })
    .await;
    (house, server, client)
}

async fn tls_phone(house: &House, client: Arc<ClientConfig>) -> Phone {
    let server = house.at(Transport::Tls);
    let socket = TcpStream::connect(server).await.unwrap();
    let local = socket.local_addr().unwrap();
    let socket = TlsConnector::from(client).connect("localhost".try_into().unwrap(), socket).await.unwrap();
    Phone::stream(socket, local, server, "TLS")
}

#[tokio::test]
async fn calls_come_by_every_transport() {
    let (mut house, _, client) = house().await;
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws] {
        let mut phone = match transport {
            Transport::Tcp => Phone::tcp(house.at(transport)).await,
            Transport::Tls => tls_phone(&house, client.clone()).await,
            _ => Phone::ws(house.at(transport)).await,
        };
        let (mut line, mut dialog) = house.talking(&mut phone).await;
        assert!(line.target.ends_with(&format!(";transport={transport}")), "{}", line.target);
        phone.send(&line.write("INFO", "Content-Type: text/plain\r\n", "x")).await;
        let Event::Info(info) = next(&mut dialog).await else { panic!("an INFO") };
        info.accept();
        assert_eq!(phone.last("INFO").await.status(), 200);
        drop(dialog);
        let bye = phone.request("BYE").await;
        assert!(bye.get("Via").contains(&format!("/{} ", phone.via)), "{}", bye.get("Via"));
        phone.reply(&bye, 200, "", "").await;
        house.empty().await;
    }
}

#[tokio::test]
async fn messages_come_in_pieces_and_together() {
    let (house, ..) = house().await;
    let mut phone = Phone::tcp(house.at(Transport::Tcp)).await;
    let (mut one, mut two) = (phone.line(), phone.line());
    let text = format!("{}\r\n\r\n{}", one.write("OPTIONS", "", "body"), two.write("OPTIONS", "", ""));
    for piece in text.as_bytes().chunks(7) {
        phone.raw(piece).await;
    }
    for line in [one, two] {
        phone.until("its answer", |message| message.get("Call-ID") == line.call_id && message.status() == 200).await;
    }
}

#[tokio::test]
async fn calls_go_out_by_tcp_and_tls() {
    let (house, server, _) = house().await;
    for transport in [Transport::Tcp, Transport::Tls] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut dial =
            Dial::new(&format!("sip:bob@localhost:{};transport={transport}", address.port()), "sip:us@tandem.test", OFFER.into());
        dial.target = Target::Host { transport, host: "127.0.0.1".into(), port: Some(address.port()) };
        let mut outgoing = house.sip.dial(dial);
        let (socket, from) = listener.accept().await.unwrap();
        let mut phone = match transport {
            Transport::Tls => Phone::stream(TlsAcceptor::from(server.clone()).accept(socket).await.unwrap(), address, from, "TLS"),
            _ => Phone::stream(socket, address, from, "TCP"),
        };
        let invite = phone.request("INVITE").await;
        assert!(invite.get("Contact").contains(&house.at(transport).to_string()), "{}", invite.get("Contact"));
        phone.reply(&invite, 200, "", ANSWER).await;
        phone.request("ACK").await;
        let Some(Progress::Answered { dialog, .. }) = outgoing.next().await else { panic!("it was answered") };
        let mut line = Line::called(&phone, &invite);
        phone.send(&line.write("BYE", "", "")).await;
        assert_eq!(phone.last("BYE").await.status(), 200);
        drop(dialog);
        house.empty().await;
    }
}

#[tokio::test]
async fn a_certificate_for_somebody_else_is_not_trusted() {
    let (house, ..) = house().await;
    let (other, _) = certificate();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        drop(TlsAcceptor::from(other).accept(socket).await);
    });
    let mut dial = Dial::new("sip:bob@x.test", "sip:us@tandem.test", OFFER.into());
    dial.target = Target::Host { transport: Transport::Tls, host: "127.0.0.1".into(), port: Some(port) };
    assert!(matches!(house.sip.dial(dial).next().await, Some(Progress::Unreachable)));
    house.empty().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_ends_the_call_unless_the_peer_is_found_again() {
    let (mut house, ..) = house().await;
    let mut phone = Phone::ws(house.at(Transport::Ws)).await;
    let (_, mut dialog) = house.talking(&mut phone).await;
    drop(phone);
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Transport));
    house.empty().await;

    // One by TCP that listens at its contact is asked there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut phone = Phone::tcp(house.at(Transport::Tcp)).await;
    let mut line = phone.line();
    line.contact = format!("<sip:phone@{address};transport=tcp>");
    phone.send(&line.invite(OFFER)).await;
    let mut dialog = house.call().await.answer(ANSWER.into()).await.unwrap();
    let ok = phone.status(200, "INVITE").await;
    line.learn(&ok);
    phone.send(&line.ack()).await;
    next(&mut dialog).await;
    drop(phone);
    let (socket, from) = listener.accept().await.unwrap();
    let mut phone = Phone::stream(socket, address, from, "TCP");
    let probe = phone.request("OPTIONS").await;
    assert_eq!(probe.get("Call-ID"), line.call_id);
    phone.reply(&probe, 200, "", "").await;
    phone.send(&line.write("INFO", "", "")).await;
    let Event::Info(info) = next(&mut dialog).await else { panic!("the call goes on") };
    info.accept();
    phone.last("INFO").await;
    drop((phone, listener));
    assert!(matches!(next(&mut dialog).await, Event::Ended(ended) if ended.by == By::Transport));
    house.empty().await;
}

#[tokio::test]
async fn a_caller_whose_connection_is_lost_while_it_rings_has_gone() {
    let (mut house, ..) = house().await;
    let mut phone = Phone::tcp(house.at(Transport::Tcp)).await;
    let mut line = phone.line();
    phone.send(&line.invite(OFFER)).await;
    let call = house.call().await;
    drop(phone);
    assert_eq!(call.cancelled().await.by, By::Transport);
    house.empty().await;
}

#[tokio::test]
async fn a_listener_that_cannot_be_opened_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let desk = Arc::new(crate::house::Table::default());
    let config = tandem_sip::Config::new(vec![Listen::on(Transport::Tcp, address)], "x");
    let fault = tandem_sip::Sip::start(config, desk.clone()).await.expect_err("it is taken");
    assert_eq!(fault.to_string(), format!("cannot listen for SIP on tcp:{address}"));
    let config = tandem_sip::Config::new(vec![Listen::on(Transport::Tls, "127.0.0.1:0".parse().unwrap())], "x");
    let fault = tandem_sip::Sip::start(config, desk).await.expect_err("no certificate");
    assert!(fault.to_string().contains("has no certificate"));
}
