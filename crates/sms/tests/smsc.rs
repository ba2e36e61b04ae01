//! The SMSC of the pocket network as an application of somebody else's sees it: over the wire, command by command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rusmpp::{
    Command, Pdu,
    pdus::{BindReceiver, BindTransceiver, BindTransmitter, CancelSm, DeliverSmResp, QuerySm, SubmitSm},
};
use tandem_sms::{
    smsc::{Esme, Options, Smsc},
    wire::{Address, Frame, Pipe, Place, Short, alphabet, clipped, command, status},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

struct World {
    smsc: Smsc,
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

fn esme(system_id: &str, numbers: &[&str]) -> Esme {
    let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
    Esme { system_id: system_id.to_owned(), password: "secret".to_owned(), numbers }
}

async fn world() -> World {
    let mut options = Options::new(esme("tandem", &[]));
    options.others = vec![esme("shop", &["1628555"]), esme("bank", &["1415"])];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, (stop, stopped)) = (listener.local_addr().expect("an address"), watch::channel(false));
    let smsc = Smsc::new(options);
    tokio::spawn(smsc.clone().run(Arc::new(listener), stopped));
    World { smsc, address, stop }
}

/// An application.
struct Peer {
    pipe: Pipe,
    sequence: u32,
    /// What came while something else was waited for.
    aside: Vec<Frame>,
}

impl Peer {
    async fn open(world: &World) -> Self {
        let stream = TcpStream::connect(world.address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { pipe: Pipe::new(Box::new(stream), 64 * 1024), sequence: 0, aside: Vec::new() }
    }

    async fn bound(world: &World, system_id: &str) -> Self {
        let mut peer = Self::open(world).await;
        assert_eq!(peer.ask(transceiver(system_id, "secret", 0x34)).await.status, status::OK);
        peer
    }

    fn say(&mut self, command: &Command) {
        self.pipe.put(command);
    }

    async fn next(&mut self) -> Option<Frame> {
        let wait = async {
            loop {
                if let Some(frame) = self.pipe.take().expect("a length") {
                    return Some(frame);
                }
                if self.pipe.turn().await.is_err() {
                    return None;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("an answer in time")
    }

    /// Sends a request and waits for its answer.
    async fn ask(&mut self, pdu: impl Into<Pdu>) -> Frame {
        self.sequence += 1;
        let sequence = self.sequence;
        self.say(&command(0, sequence, pdu));
        loop {
            let frame = self.next().await.expect("the connection holds");
            if frame.sequence == sequence && frame.id & 0x8000_0000 != 0 {
                return frame;
            }
            self.aside.push(frame);
        }
    }

    /// The next delivery, acknowledged.
    async fn delivery(&mut self) -> Short {
        loop {
            let frame = if self.aside.is_empty() { self.next().await.expect("a delivery") } else { self.aside.remove(0) };
            if let Some(Pdu::DeliverSm(deliver)) = &frame.pdu {
                let short = Short::from(deliver);
                self.say(&command(0, frame.sequence, DeliverSmResp::default()));
                drop(self.ask(Pdu::EnquireLink).await); // so that the acknowledgement is written
                return short;
            }
        }
    }

    async fn submit(&mut self, to: &str, text: &str) -> String {
        let answer = self.ask(text_to(to, text)).await;
        assert_eq!(answer.status, status::OK);
        id_of(&answer)
    }
}

fn id_of(answer: &Frame) -> String {
    let Some(Pdu::SubmitSmResp(answer)) = &answer.pdu else { panic!("{answer:?}") };
    answer.message_id().as_str().to_owned()
}

fn transceiver(system_id: &str, password: &str, version: u8) -> BindTransceiver {
    BindTransceiver::builder().system_id(clipped(system_id)).password(clipped(password)).interface_version(version.into()).build()
}

fn address(text: &str) -> Address {
    Address { ton: 1, npi: 1, text: text.to_owned() }
}

fn short(to: &str, text: &str) -> Short {
    let (data_coding, text) = alphabet::write(text);
    Short { from: address("16285550001"), to: address(to), data_coding, text, registered: 1, ..Short::default() }
}

fn text_to(to: &str, text: &str) -> SubmitSm {
    short(to, text).submit()
}

fn text_of(short: &Short) -> String {
    alphabet::read(short.data_coding, &short.text)
}

#[tokio::test]
async fn binds_are_refused_for_what_is_wrong_with_them() {
    let world = world().await;
    for (system_id, password, version, refusal) in [
        ("nobody", "secret", 0x34, status::INVALID_SYSTEM),
        ("shop", "wrong", 0x34, status::INVALID_PASSWORD),
        ("shop", "secre", 0x34, status::INVALID_PASSWORD),
        ("shop", "secret", 0x33, status::BIND_FAILED),
        ("shop", "secret", 0x51, status::BIND_FAILED),
        ("shop", "secret", 0x34, status::OK),
        ("shop", "secret", 0x50, status::OK),
    ] {
        let mut peer = Peer::open(&world).await;
        assert_eq!(peer.ask(transceiver(system_id, password, version)).await.status, refusal, "{system_id} {password} {version:x}");
    }
    let mut peer = Peer::bound(&world, "shop").await;
    assert_eq!(peer.ask(transceiver("shop", "secret", 0x34)).await.status, status::ALREADY_BOUND);
    let mut unbound = Peer::open(&world).await;
    assert_eq!(unbound.ask(text_to("16285550002", "hello")).await.status, status::WRONG_STATE);
    assert_eq!(unbound.ask(Pdu::EnquireLink).await.id, 0x8000_0015);
    let mut receiver = Peer::open(&world).await;
    let bind =
        BindReceiver::builder().system_id(clipped("shop")).password(clipped("secret")).interface_version(0x34.into()).build();
    assert_eq!(receiver.ask(bind).await.status, status::OK);
    assert_eq!(receiver.ask(text_to("16285550002", "hello")).await.status, status::WRONG_STATE);
    assert_eq!(peer.ask(Pdu::Unbind).await.id, 0x8000_0006);
    assert!(peer.next().await.is_none(), "the connection is closed after the unbind");
}

#[tokio::test]
async fn a_transmitter_submits_and_a_receiver_gets_the_receipts() {
    let world = world().await;
    let mut sender = Peer::open(&world).await;
    let bind =
        BindTransmitter::builder().system_id(clipped("shop")).password(clipped("secret")).interface_version(0x34.into()).build();
    assert_eq!(sender.ask(bind).await.status, status::OK);
    let id = sender.submit("16282020020", "hello").await;
    let mut receiver = Peer::open(&world).await;
    let bind =
        BindReceiver::builder().system_id(clipped("shop")).password(clipped("secret")).interface_version(0x34.into()).build();
    assert_eq!(receiver.ask(bind).await.status, status::OK);
    let receipt = receiver.delivery().await;
    assert_eq!((receipt.receipted.as_deref(), receipt.state), (Some(id.as_str()), Some(5)));
    assert!(receipt.is_receipt() && text_of(&receipt).starts_with(&format!("id:{id} sub:001 dlvrd:000 submit date:")));
    assert!(text_of(&receipt).ends_with("stat:UNDELIV err:001 text:hello"), "{}", text_of(&receipt));
}

#[tokio::test]
async fn garbage_is_answered_and_the_rest_goes_on() {
    let world = world().await;
    let mut peer = Peer::bound(&world, "shop").await;
    let mut unknown = Vec::new();
    for (id, body, answer) in
        [(0x0000_0777_u32, &b""[..], status::INVALID_COMMAND), (4, &b"\x01\x02\x03"[..], status::INVALID_LENGTH)]
    {
        let length = u32::try_from(16 + body.len()).expect("short");
        unknown.push((length, id, body, answer));
    }
    drop(peer.ask(Pdu::EnquireLink).await);
    for (length, id, body, answer) in unknown {
        let mut stream = TcpStream::connect(world.address).await.expect("a connection");
        let bytes = [&length.to_be_bytes()[..], &id.to_be_bytes(), &[0; 4], &9_u32.to_be_bytes(), body].concat();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await.expect("written");
        let mut raw = Peer { pipe: Pipe::new(Box::new(stream), 1000), sequence: 50, aside: Vec::new() };
        let nack = raw.next().await.expect("an answer");
        assert_eq!((nack.id, nack.status, nack.sequence), (0x8000_0000, answer, 9));
        assert_eq!(raw.ask(Pdu::EnquireLink).await.id, 0x8000_0015);
    }
    let mut stream = TcpStream::connect(world.address).await.expect("a connection");
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
    let mut raw = Peer { pipe: Pipe::new(Box::new(stream), 1000), sequence: 0, aside: Vec::new() };
    let nack = raw.next().await.expect("an answer");
    assert_eq!((nack.id, nack.status), (0x8000_0000, status::INVALID_COMMAND_LENGTH));
    assert!(raw.next().await.is_none());
}

#[tokio::test]
async fn long_texts_arrive_whole_however_they_are_cut() {
    let world = world().await;
    let mut peer = Peer::bound(&world, "shop").await;
    let parts = ["one ", "two ", "three"];
    for (number, reference) in [("16285559001", 1_u8), ("16285559002", 2), ("16285559003", 3)] {
        for (text, part) in parts.iter().zip(1..) {
            let mut short = short(&number.replace("16285559", "44770090"), text);
            match reference {
                1 => (short.esm_class, short.header) = (0x40, vec![0, 3, reference, 3, part]),
                2 => (short.esm_class, short.header) = (0x40, vec![8, 4, 1, reference, 3, part]),
                _ => short.place = Some(Place { reference: reference.into(), part, of: 3 }),
            }
            assert_eq!(peer.ask(short.submit()).await.status, status::OK);
        }
    }
    let mut platform = Peer::bound(&world, "tandem").await;
    for _ in 0..9 {
        platform.delivery().await;
    }
    let long = "я".repeat(400);
    let mut named = short("447700900777", &long);
    named.vendor_environment = Some([7; 16]);
    assert_eq!(platform.ask(named.submit_named()).await.status, status::OK);
    let kept = world.smsc.received(Some([7; 16]), "+447700900777");
    assert_eq!(kept.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), [long.as_str()]);
    assert!(world.smsc.received(None, "+447700900777").is_empty());
}

#[tokio::test]
async fn our_own_repetitions_are_known_and_nobody_elses() {
    let world = world().await;
    let mut platform = Peer::bound(&world, "tandem").await;
    let mut named = short("447700900777", "once");
    (named.vendor_part, named.vendor_environment) = (Some([3; 17]), Some([7; 16]));
    let ids = [platform.ask(named.submit_named()).await, platform.ask(named.submit_named()).await].map(|answer| id_of(&answer));
    assert_eq!(ids[0], ids[1]);
    assert_eq!(world.smsc.received(Some([7; 16]), "447700900777").len(), 1);
    let mut shop = Peer::bound(&world, "shop").await;
    let other = id_of(&shop.ask(named.submit_named()).await);
    assert_ne!(other, ids[0]);
    let counts = world.smsc.counts();
    assert_eq!((counts.taken, counts.repeated), (2, 1));
}

#[tokio::test]
async fn applications_reach_each_other_and_the_platform() {
    let world = world().await;
    let (mut shop, mut bank, mut platform) =
        (Peer::bound(&world, "shop").await, Peer::bound(&world, "bank").await, Peer::bound(&world, "tandem").await);
    let id = shop.submit("14155550100", "to the bank").await;
    let arrived = bank.delivery().await;
    assert_eq!((text_of(&arrived).as_str(), arrived.from.text.as_str()), ("to the bank", "16285550001"));
    assert_eq!(shop.delivery().await.receipted, Some(id));
    shop.submit("447700900123", "to the platform").await;
    assert_eq!(text_of(&platform.delivery().await), "to the platform");
    assert_eq!(shop.delivery().await.state, Some(2));
    platform.submit("16285550001", "and back").await;
    assert_eq!(text_of(&shop.delivery().await), "and back");
    assert_eq!(platform.delivery().await.state, Some(2));
    assert!(world.smsc.send(Some([9; 16]), "+14155550199", "+14155550100", "from a handset"));
    let arrived = platform.delivery().await;
    assert_eq!((text_of(&arrived).as_str(), arrived.vendor_environment), ("from a handset", Some([9; 16])));
}

#[tokio::test]
async fn a_late_message_can_be_asked_after_and_called_back() {
    let world = world().await;
    let mut shop = Peer::bound(&world, "shop").await;
    let id = shop.submit("16282020070", "late").await;
    let query = |id: &str| QuerySm::builder().message_id(clipped(id)).source_addr(clipped("16285550001")).build();
    let state = |answer: &Frame| match &answer.pdu {
        Some(Pdu::QuerySmResp(answer)) => u8::from(answer.message_state),
        other => panic!("{other:?}"),
    };
    assert_eq!(state(&shop.ask(query(&id)).await), 1);
    assert_eq!(shop.ask(query("999")).await.status, status::QUERY_FAILED);
    let cancel = |id: &str| CancelSm { message_id: clipped(id), source_addr: clipped("16285550001"), ..CancelSm::default() };
    assert_eq!(shop.ask(cancel("999")).await.status, status::INVALID_MESSAGE_ID);
    assert_eq!(shop.ask(cancel(&id)).await.status, status::OK);
    assert_eq!(shop.delivery().await.state, Some(4));
    assert_eq!(state(&shop.ask(query(&id)).await), 4);
    assert_eq!(shop.ask(cancel(&id)).await.status, status::CANCEL_FAILED);
    let mut bank = Peer::bound(&world, "bank").await;
    assert_eq!(bank.ask(query(&id)).await.status, status::QUERY_FAILED, "somebody else's");
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_and_the_end_is_orderly() {
    let world = world().await;
    let mut shop = Peer::bound(&world, "shop").await;
    let id = shop.submit("447700900500", "hello").await;
    let mut platform = Peer::bound(&world, "tandem").await;
    platform.delivery().await;
    // The receipt is there, and the connection is cut before it is acknowledged.
    let frame = if shop.aside.is_empty() { shop.next().await.expect("a receipt") } else { shop.aside.remove(0) };
    assert_eq!(frame.id, 5);
    world.smsc.cut_all();
    assert!(shop.next().await.is_none());
    let mut again = Peer::bound(&world, "shop").await;
    assert_eq!(again.delivery().await.receipted, Some(id));
    world.stop.send_replace(true);
    let unbind = again.next().await.expect("an unbind");
    assert_eq!(unbind.id, 6);
    assert!(again.next().await.is_none());
}
