//! The life of messages between the queue and an SMSC that does as the test says, on every engine at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod claims;
#[path = "../house/mod.rs"]
mod house;
mod limits;
mod pictures;
mod receipts;

use std::collections::BTreeMap;

use house::{House, at, caller, engines, phone};
use tandem_app::{
    App,
    messages::{
        self, Draft, Terms,
        gateway::{self, Incoming, Outgoing, Receipt, ReceiptState, Route, Submitted, Taken},
    },
    smscs::POCKET,
};
use tandem_catalogue::{Code, Result};
use tandem_domain::message::{Message, MessageState, Sender};
use tandem_kernel::{Caller, Environment, ExplanationId, MessageId, Money, SeededRng, SmscId};
use tandem_ledger::TransferKind;
use tandem_store::{
    Engine,
    repo::{events, explanations, messages as rows, outbox, smscs},
};

const OURS: &str = "+14155550140";
const NOON: &str = "2024-01-01T12:00:00Z";
const SMSC: SmscId = POCKET;
const CHEAP: SmscId = SmscId::from_bytes([8; 16]);
const DEAR: SmscId = SmscId::from_bytes([9; 16]);

/// A house with an account that has a number.
struct Desk {
    house: House,
    who: Caller,
}

impl Desk {
    async fn new(engine: Option<&str>) -> Self {
        let house = House::new(engine, NOON).await;
        let account = house.account().await;
        house.pay(&account, Environment::Test, 10_000 * Money::UNIT, "second").await.expect("money");
        let who = caller(&account, Environment::Test);
        house.buy(&who, OURS).await.expect("a number");
        Self { house, who }
    }

    fn app(&self) -> &App {
        &self.house.app
    }

    async fn try_send(&self, draft: Draft) -> Result<Message> {
        let (pen, environment) = (self.app().pen(), self.who.environment);
        let work = move |tx: &mut tandem_store::Tx| {
            let desk = pen.open(tx, environment)?;
            messages::send_in(tx, &desk, draft.clone())
        };
        self.app().store.write(work).await
    }

    async fn send(&self, to: &str, body: &str) -> Message {
        self.try_send(text(to, body)).await.expect("a message is queued")
    }

    async fn read(&self, id: MessageId) -> Message {
        let environment = self.who.environment;
        let found = self.app().store.read(move |tx| rows::get(tx, environment, id)).await;
        found.expect("a store").expect("the message")
    }

    async fn state(&self, id: MessageId) -> MessageState {
        self.read(id).await.state
    }

    async fn events(&self, id: MessageId) -> Vec<String> {
        let environment = self.who.environment;
        let read = self.app().store.read(move |tx| events::of_object(tx, environment, &id.to_string(), 0, 100));
        read.await.expect("events").into_iter().map(|event| event.kind).collect()
    }

    /// Adds SMSCs of the operator's.
    async fn add_smscs(&self, ids: &'static [SmscId]) {
        let add = move |tx: &mut tandem_store::Tx| {
            ids.iter().try_for_each(|id| {
                let settings = smscs::Settings::default();
                let (created_at, changed_at) = (at(NOON), at(NOON));
                let smsc = smscs::Smsc {
                    id: *id,
                    name: "one".into(),
                    password: Vec::new(),
                    settings,
                    drained: false,
                    created_at,
                    changed_at,
                };
                smscs::insert(tx, &smsc)
            })
        };
        self.app().store.write(add).await.expect("SMSCs");
    }

    async fn movements(&self, id: MessageId) -> Vec<(TransferKind, i64)> {
        let all = self.house.transfers(self.who.environment).await;
        let of = all.into_iter().filter(|transfer| transfer.reference == id.to_string());
        of.map(|transfer| (transfer.kind, transfer.amount)).collect()
    }
}

fn text(to: &str, body: &str) -> Draft {
    Draft::text(Sender::Number(phone(OURS)), phone(to), body)
}

fn anywhere() -> Vec<Route> {
    vec![Route { smsc: SMSC, prefixes: Vec::new(), room: 1_000 }]
}

async fn claim(app: &App) -> Vec<Outgoing> {
    gateway::claim(app, Environment::Test, &anywhere(), 1_000).await.expect("a claim")
}

fn route(smsc: SmscId, prefixes: &[&str], room: usize) -> Route {
    Route { smsc, prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(), room }
}

async fn claim_by(app: &App, routes: &[Route]) -> Vec<Outgoing> {
    gateway::claim(app, Environment::Test, routes, 1_000).await.expect("a claim")
}

fn said_by(part: &Outgoing, smsc: SmscId, outcome: Taken) -> Submitted {
    Submitted { smsc, ..answer(part, outcome) }
}

fn taken_by(part: &Outgoing, smsc: SmscId) -> Submitted {
    Submitted { smsc, ..taken(part) }
}

fn answer(part: &Outgoing, outcome: Taken) -> Submitted {
    Submitted { message: part.message, part: part.part, smsc: SMSC, outcome, claim: part.claim }
}

fn taken(part: &Outgoing) -> Submitted {
    answer(part, Taken::Accepted { remote_id: remote(part) })
}

fn refused(part: &Outgoing) -> Submitted {
    answer(part, Taken::Refused { status: 0x0b, name: "ESME_RINVDSTADR" })
}

fn remote(part: &Outgoing) -> String {
    format!("{}-{}", part.message, part.part)
}

fn receipt(remote: String, state: ReceiptState) -> Receipt {
    let error = (state != ReceiptState::Delivered).then(|| "042".to_owned());
    Receipt { smsc: SMSC, remote_ids: vec![remote], state, error, at: at(NOON) }
}

async fn record(app: &App, submitted: Vec<Submitted>) {
    gateway::record(app, submitted).await.expect("recorded");
}

async fn receipts(app: &App, came: Vec<Receipt>) {
    gateway::receipts(app, came).await.expect("receipts are noted");
}

#[tokio::test]
async fn a_message_is_held_sent_paid_and_delivered() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", &"a".repeat(161)).await;
        assert_eq!((queued.state, queued.parts, queued.price.micros), (MessageState::Queued, 2, 20_000));
        assert_eq!(desk.movements(queued.id).await, [(TransferKind::Hold, 20_000)]);
        let parts = claim(desk.app()).await;
        assert_eq!(
            parts.iter().map(|part| (part.part, part.parts, part.payload.len(), part.again)).collect::<Vec<_>>(),
            [(1, 2, 153, false), (2, 2, 8, false)]
        );
        assert_eq!((parts[0].whole.len(), parts[0].validity), (161, 3 * 86_400));
        assert_eq!(parts[0].reference, parts[1].reference);
        assert_eq!(desk.state(queued.id).await, MessageState::Sending);
        assert!(claim(desk.app()).await.is_empty(), "it is handed out once");
        record(desk.app(), vec![taken(&parts[0])]).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sending);
        record(desk.app(), vec![taken(&parts[1])]).await;
        assert_eq!(desk.movements(queued.id).await, [(TransferKind::Hold, 20_000), (TransferKind::Capture, 20_000)]);
        receipts(desk.app(), vec![receipt(remote(&parts[1]), ReceiptState::Delivered)]).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sent);
        for _ in 0..2 {
            receipts(desk.app(), vec![receipt(remote(&parts[0]), ReceiptState::Delivered)]).await;
        }
        let delivered = desk.read(queued.id).await;
        assert_eq!((delivered.state, delivered.smsc, delivered.failure.clone()), (MessageState::Delivered, Some(SMSC), None));
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.sent", "message.delivered"]);
        desk.house.assert_sound().await;
    }
}

#[tokio::test]
async fn a_refused_message_costs_nothing() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", &"я".repeat(71)).await;
        let parts = claim(desk.app()).await;
        record(desk.app(), vec![taken(&parts[0]), refused(&parts[1])]).await;
        record(desk.app(), vec![taken(&parts[1])]).await;
        receipts(desk.app(), vec![receipt(remote(&parts[0]), ReceiptState::Delivered)]).await;
        let failed = desk.read(queued.id).await;
        let failure = failed.failure.expect("a reason");
        assert_eq!((failed.state, failure.code.as_str()), (MessageState::Failed, "ESME_RINVDSTADR"));
        assert_eq!(failure.reason, "the SMSC refused segment 2: ESME_RINVDSTADR (0x0000000b)");
        assert_eq!(desk.movements(queued.id).await, [(TransferKind::Hold, 20_000), (TransferKind::Release, 20_000)]);
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.failed"]);
        desk.house.assert_sound().await;
    }
}

#[tokio::test]
async fn what_was_certainly_not_submitted_is_submitted_again() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", &"a".repeat(307)).await;
        let parts = claim(desk.app()).await;
        assert_eq!(parts.len(), 3);
        record(desk.app(), vec![answer(&parts[1], Taken::NotSent)]).await;
        assert!(claim(desk.app()).await.is_empty(), "the answers to the other parts are outstanding");
        record(desk.app(), vec![taken(&parts[0]), answer(&parts[2], Taken::NotSent)]).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Queued);
        let again = claim(desk.app()).await;
        assert_eq!(again.iter().map(|part| (part.part, part.again)).collect::<Vec<_>>(), [(2, false), (3, false)]);
        assert_eq!(again[0].payload, parts[1].payload);
        record(desk.app(), again.iter().map(taken).collect()).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sent);
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.sent"]);
    }
}

#[tokio::test]
async fn receipts_may_come_before_the_answer() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", "Hello").await;
        let parts = claim(desk.app()).await;
        let mut early = receipt("0xab".into(), ReceiptState::Undelivered);
        early.remote_ids = vec!["171".into(), remote(&parts[0]), "0xab".into()];
        receipts(desk.app(), vec![early.clone(), early]).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Sending);
        record(desk.app(), vec![taken(&parts[0])]).await;
        let undelivered = desk.read(queued.id).await;
        assert_eq!(undelivered.state, MessageState::Undelivered);
        assert_eq!(undelivered.failure.expect("a reason").reason, "segment 1 was undelivered: 042");
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.sent", "message.undelivered"]);
        let left = desk.app().store.read(|tx| tx.first("SELECT COUNT(*) FROM early_receipts", &[])).await;
        assert_eq!(left.expect("a store").expect("a row").int(0).expect("a count"), 0);
    }
}

#[tokio::test]
async fn what_a_dead_process_had_is_taken_over() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let queued = desk.send("+14155550199", &"a".repeat(161)).await;
        let parts = claim(desk.app()).await;
        record(desk.app(), vec![taken(&parts[0])]).await;
        let other = desk.house.another().await;
        assert!(gateway::recover(&other, Environment::Test).await.expect("nothing").is_empty(), "its holder was just heard of");
        desk.house.clock.advance_seconds(11);
        let lost = gateway::recover(&other, Environment::Test).await.expect("what was lost");
        assert_eq!(lost.iter().map(|part| (part.part, part.again)).collect::<Vec<_>>(), [(2, true)]);
        assert!(gateway::recover(&other, Environment::Test).await.expect("nothing").is_empty());
        record(&other, lost.iter().map(taken).collect()).await;
        record(desk.app(), vec![answer(&parts[1], Taken::Accepted { remote_id: "late".into() })]).await;
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.sent"]);
        assert_eq!(desk.movements(queued.id).await.len(), 2);
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_goes_to_the_smsc_that_may_have_it() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        desk.add_smscs(&[CHEAP, DEAR]).await;
        let queued = desk.send("+14155550199", &"a".repeat(161)).await;
        let first = claim_by(desk.app(), &[route(CHEAP, &[], 10), route(DEAR, &[], 10)]).await;
        assert_eq!(first.iter().map(|part| part.smsc).collect::<Vec<_>>(), [Some(CHEAP); 2]);
        record(desk.app(), vec![taken_by(&first[0], CHEAP), said_by(&first[1], CHEAP, Taken::NotSent)]).await;
        let second = claim_by(desk.app(), &[route(DEAR, &[], 10)]).await;
        assert_eq!(second.iter().map(|part| (part.part, part.again, part.smsc)).collect::<Vec<_>>(), [(2, false, Some(DEAR))]);
        desk.house.clock.advance_seconds(11);
        let other = desk.house.another().await;
        let lost = gateway::recover(&other, Environment::Test).await.expect("what was lost");
        assert_eq!(lost.iter().map(|part| (part.part, part.again, part.smsc)).collect::<Vec<_>>(), [(2, true, Some(DEAR))]);
        record(&other, vec![taken_by(&lost[0], DEAR)]).await;
        let sent = desk.read(queued.id).await;
        assert_eq!((sent.state, sent.smsc), (MessageState::Sent, Some(DEAR)));
    }
}

#[tokio::test]
async fn what_a_removed_smsc_may_have_is_ended_and_costs_nothing() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        desk.add_smscs(&[DEAR]).await;
        let queued = desk.send("+14155550199", &"a".repeat(161)).await;
        let behind = desk.send("+14155550199", "behind").await;
        let parts = claim_by(desk.app(), &[route(DEAR, &[], 10)]).await;
        record(desk.app(), vec![taken_by(&parts[0], DEAR)]).await;
        desk.app().store.write(|tx| smscs::remove(tx, DEAR)).await.expect("removed");
        desk.house.clock.advance_seconds(11);
        let other = desk.house.another().await;
        assert!(gateway::recover(&other, Environment::Test).await.expect("nothing").is_empty());
        let ended = desk.read(queued.id).await;
        let failure = ended.failure.clone().expect("a reason");
        assert_eq!((ended.state, failure.code.as_str()), (MessageState::Expired, "smsc_removed"));
        assert_eq!(failure.reason, "segment 2 may have been submitted, but its SMSC was removed before it answered");
        assert_eq!(desk.movements(queued.id).await, [(TransferKind::Hold, 20_000), (TransferKind::Release, 20_000)]);
        assert_eq!(desk.events(queued.id).await, ["message.queued", "message.expired"]);
        let (environment, id) = (desk.who.environment, queued.id.to_string());
        let why = desk
            .app()
            .store
            .read(move |tx| explanations::of(tx, environment, &id, ExplanationId::from_bytes([0; 16]), 100))
            .await
            .expect("explanations");
        assert!(why.iter().any(|kept| kept.outcome.contains("may have been submitted")), "{why:?}");
        // A late answer or receipt changes nothing any more, and the next in line comes forward.
        record(desk.app(), vec![taken_by(&parts[1], DEAR)]).await;
        assert_eq!(desk.state(queued.id).await, MessageState::Expired);
        assert_eq!(claim(&other).await.iter().map(|part| part.message).collect::<Vec<_>>(), [behind.id]);
        desk.house.assert_sound().await;
    }
}

#[tokio::test]
async fn messages_wait_for_the_route_that_is_theirs() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let mut sent = Vec::new();
        for to in ["+442079460123", "+447400123456", "+33612345678", "+14155550199", "+14155550198"] {
            sent.push(desk.send(to, "Hello").await.id);
        }
        let of = |parts: &[Outgoing]| parts.iter().map(|part| (part.message, part.smsc.expect("one"))).collect::<Vec<_>>();
        // The British one is full, but for mobiles; it takes +33 as well, and the other one does not come first there.
        let british = [route(CHEAP, &["44", "33"], 0), route(SMSC, &["447"], 5), route(DEAR, &[], 2)];
        let claimed = claim_by(desk.app(), &british).await;
        assert_eq!(of(&claimed), [(sent[1], SMSC), (sent[3], DEAR), (sent[4], DEAR)]);
        assert!(claim_by(desk.app(), &british).await.is_empty());
        let claimed = claim_by(desk.app(), &[route(CHEAP, &["44", "33"], 1), route(DEAR, &[], 2)]).await;
        assert_eq!(of(&claimed), [(sent[0], CHEAP)]);
        assert_eq!(of(&claim_by(desk.app(), &[route(DEAR, &[], 2)]).await), [(sent[2], DEAR)]);
    }
}

#[tokio::test]
async fn one_recipient_gets_one_message_at_a_time_in_order() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let mut sent = Vec::new();
        for body in ["one", "two", "three"] {
            sent.push(desk.send("+14155550199", body).await.id);
        }
        let other = desk.send("+14155550198", "elsewhere").await.id;
        let first = claim(desk.app()).await;
        assert_eq!(first.iter().map(|part| part.message).collect::<Vec<_>>(), [sent[0], other]);
        assert!(claim(desk.app()).await.is_empty());
        record(desk.app(), vec![refused(&first[0])]).await;
        let second = claim(desk.app()).await;
        assert_eq!(second.iter().map(|part| part.message).collect::<Vec<_>>(), [sent[1]]);
        record(desk.app(), vec![answer(&second[0], Taken::NotSent)]).await;
        let again = claim(desk.app()).await;
        assert_eq!(again.iter().map(|part| part.message).collect::<Vec<_>>(), [sent[1]], "its place is kept");
        record(desk.app(), again.iter().map(taken).collect()).await;
        assert_eq!(claim(desk.app()).await[0].message, sent[2]);
    }
}

#[tokio::test]
async fn messages_wait_for_a_route() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let (here, there) = (desk.send("+14155550199", "here").await, desk.send("+442079460123", "there").await);
        let none = gateway::claim(desk.app(), Environment::Test, &[], 10).await.expect("nothing");
        assert!(none.is_empty());
        let british = [Route { smsc: SMSC, prefixes: vec!["44".into(), "33".into()], room: 1_000 }];
        let claimed = gateway::claim(desk.app(), Environment::Test, &british, 10).await.expect("one");
        assert_eq!(claimed.iter().map(|part| part.message).collect::<Vec<_>>(), [there.id]);
        assert!(gateway::claim(desk.app(), Environment::Live, &anywhere(), 10).await.expect("nothing").is_empty());
        assert_eq!(claim(desk.app()).await[0].message, here.id);
    }
}

#[tokio::test]
async fn what_is_too_old_is_given_up() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let sent = desk.send("+14155550198", "sent").await;
        let parts = claim(desk.app()).await;
        record(desk.app(), vec![taken(&parts[0])]).await;
        let outstanding = desk.send("+14155550197", "outstanding").await;
        let asked = claim(desk.app()).await;
        let waiting = desk.send("+14155550199", "waiting").await;
        let behind = desk.try_send(Draft { validity: Some(7 * 86_400), ..text("+14155550199", "behind") }).await.expect("queued");
        desk.house.advance(&desk.who, "2024-01-04T12:00:00Z").await;
        assert_eq!(desk.events(waiting.id).await, ["message.queued", "message.expired"]);
        assert_eq!(desk.movements(waiting.id).await, [(TransferKind::Hold, 10_000), (TransferKind::Release, 10_000)]);
        assert_eq!(desk.events(sent.id).await, ["message.queued", "message.sent", "message.expired"]);
        assert_eq!(desk.movements(sent.id).await, [(TransferKind::Hold, 10_000), (TransferKind::Capture, 10_000)]);
        receipts(desk.app(), vec![receipt(remote(&parts[0]), ReceiptState::Delivered)]).await;
        assert_eq!(desk.events(sent.id).await.len(), 3, "a receipt after the end changes nothing");
        assert_eq!(claim(desk.app()).await[0].message, behind.id);
        assert_eq!(desk.state(outstanding.id).await, MessageState::Sending);
        record(desk.app(), vec![answer(&asked[0], Taken::NotSent)]).await;
        desk.house.advance(&desk.who, "2024-01-04T12:01:00Z").await;
        assert_eq!(desk.events(outstanding.id).await, ["message.queued", "message.expired"]);
        desk.house.assert_sound().await;
    }
}

#[tokio::test]
async fn a_covered_text_is_nowhere_to_be_read() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let secret = "Your code is 481516";
        let draft =
            Draft { shown_body: Some("Your code is ******".into()), terms: Terms::Platform, ..text("+14155550199", secret) };
        let queued = desk.try_send(Draft { from: Sender::Name("Tandem".into()).into(), ..draft }).await.expect("queued");
        assert_eq!((queued.body.as_str(), queued.price.micros), ("Your code is ******", 0));
        let parts = claim(desk.app()).await;
        assert_eq!(parts[0].encoding.read(&parts[0].payload), secret);
        record(desk.app(), vec![taken(&parts[0])]).await;
        let sealed = desk.read(queued.id).await;
        assert!(sealed.sealed.is_some_and(|sealed| !String::from_utf8_lossy(&sealed).contains("481516")));
        assert!(desk.movements(queued.id).await.is_empty());
    }
}

/// Whatever an SMSC, a network and processes that die do: each message ends once, and money with it.
#[tokio::test]
async fn a_rough_night_ends_every_message_once() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let dice = SeededRng::new(7);
        let roll = |sides: u64| dice.next() % sides;
        let mut sent = Vec::new();
        for index in 0..150_u64 {
            let to = format!("+1415555{:04}", index % 40);
            let body = "x".repeat(usize::try_from(1 + roll(400)).expect("small"));
            sent.push(desk.send(&to, &body).await.id);
        }
        let mut app = desk.house.another().await;
        let mut outstanding: Vec<Outgoing> = Vec::new();
        let mut owed: Vec<Receipt> = Vec::new();
        for _ in 0..400 {
            match roll(10) {
                0..4 => outstanding.extend(gateway::claim(&app, Environment::Test, &anywhere(), 20).await.expect("a claim")),
                4..7 => {
                    let mut said = Vec::new();
                    for part in outstanding.drain(..outstanding.len().min(30)) {
                        let fate =
                            [ReceiptState::Delivered, ReceiptState::Delivered, ReceiptState::Undelivered, ReceiptState::Expired];
                        match roll(12) {
                            0 => said.push(refused(&part)),
                            1..3 => said.push(answer(&part, Taken::NotSent)),
                            how => {
                                owed.push(receipt(remote(&part), fate[usize::try_from(roll(4)).expect("small")]));
                                if how == 4 {
                                    receipts(&app, owed.split_off(owed.len() - 1)).await;
                                }
                                said.push(taken(&part));
                                if how == 5 {
                                    said.push(taken(&part));
                                }
                            }
                        }
                    }
                    record(&app, said).await;
                }
                7..9 => {
                    let some = owed.split_off(owed.len() / 2);
                    receipts(&app, some.clone()).await;
                    if roll(3) == 0 {
                        receipts(&app, some).await;
                    }
                }
                _ => {
                    // The process dies, its unrecorded answers with it; the SMSC remembers what it took.
                    app = desk.house.another().await;
                    outstanding.clear();
                    desk.house.clock.advance_seconds(11);
                    outstanding.extend(gateway::recover(&app, Environment::Test).await.expect("what was lost"));
                }
            }
        }
        receipts(&app, owed).await;
        desk.house.advance(&desk.who, "2024-01-05T12:00:00Z").await;
        // Whatever the last process had outstanding it reports now, and then all that is left is too old.
        record(&app, outstanding.iter().map(|part| answer(part, Taken::NotSent)).collect()).await;
        desk.house.advance(&desk.who, "2024-01-05T12:10:00Z").await;
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        for id in sent {
            let (events, movements) = (desk.events(id).await, desk.movements(id).await);
            let ended = desk.state(id).await;
            assert!(ended.is_terminal(), "{id} is {ended:?} after {events:?}");
            let terminal = ["message.delivered", "message.undelivered", "message.expired", "message.failed"];
            assert_eq!(events.iter().filter(|kind| terminal.contains(&kind.as_str())).count(), 1, "{events:?}");
            assert_eq!(events.last().expect("an end"), &format!("message.{}", ended.as_str()));
            let was_sent = events.iter().filter(|kind| *kind == "message.sent").count();
            assert!(was_sent <= 1, "{events:?}");
            let last = if was_sent == 1 { TransferKind::Capture } else { TransferKind::Release };
            assert_eq!(movements.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [TransferKind::Hold, last]);
            *ends.entry(ended.as_str().to_owned()).or_default() += 1;
        }
        assert!(ends.len() >= 3, "a night with many ends: {ends:?}");
        desk.house.assert_sound().await;
    }
}

#[tokio::test]
async fn a_message_that_comes_in_finds_its_number_once() {
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let from = Sender::Number(phone("+14155550199"));
        let incoming = |body: &str, id: &str| Incoming {
            smsc: SMSC,
            kind: Environment::Test,
            from: from.clone(),
            to: phone(OURS),
            body: body.into(),
            id: id.into(),
        };
        let come = async |message: Incoming| gateway::receive(desk.app(), message).await.expect("taken in");
        come(incoming("Hello", "1")).await;
        come(incoming("Hello", "1")).await;
        come(Incoming { to: phone("+14155550141"), ..incoming("nobody's", "2") }).await;
        come(Incoming { kind: Environment::Live, ..incoming("another world", "3") }).await;
        let received = desk.app().store.read(|tx| tx.query("SELECT body FROM messages WHERE direction = 'inbound'", &[])).await;
        assert_eq!(received.expect("rows").len(), 1);
        come(incoming("Stop it", "4")).await;
        come(incoming("stop!!", "5")).await;
        let reply = claim(desk.app()).await;
        assert_eq!(reply.len(), 1, "the second is not answered");
        assert!(reply[0].encoding.read(&reply[0].payload).contains("START"));
        let refused = desk.try_send(text("+14155550199", "news")).await.expect_err("they want none");
        assert_eq!(refused.code(), Code::RecipientOptedOut);
        desk.send("+14155550198", "others do").await;
        come(incoming("start", "6")).await;
        desk.send("+14155550199", "news").await;
    }
}

#[tokio::test]
async fn many_messages_go_through_in_batches() {
    const COUNT: usize = 600;
    for engine in engines() {
        let desk = Desk::new(engine.as_deref()).await;
        let mut queued = Vec::new();
        for chunk in (0..COUNT).collect::<Vec<_>>().chunks(50) {
            let (pen, environment, numbers) = (desk.app().pen(), desk.who.environment, chunk.to_vec());
            let work = move |tx: &mut tandem_store::Tx| {
                let desk = pen.open(tx, environment)?;
                let texts = numbers.iter().map(|number| Draft {
                    terms: Terms::Customer,
                    ..text(&format!("+1415{:07}", number % 9_999_999), "Hello, this is a test")
                });
                texts.map(|draft| Ok(messages::send_in(tx, &desk, draft)?.id)).collect::<Result<Vec<_>, tandem_catalogue::Error>>()
            };
            queued.extend(desk.app().store.write(work).await.expect("queued"));
            desk.house.clock.advance_seconds(1);
        }
        loop {
            let parts = claim(desk.app()).await;
            if parts.is_empty() {
                break;
            }
            for chunk in parts.chunks(100) {
                record(desk.app(), chunk.iter().map(taken).collect()).await;
                receipts(desk.app(), chunk.iter().map(|part| receipt(remote(part), ReceiptState::Delivered)).collect()).await;
            }
        }
        for message in [queued[0], queued[COUNT / 2], queued[COUNT - 1]] {
            assert_eq!(desk.state(message).await, MessageState::Delivered);
        }
    }
}
