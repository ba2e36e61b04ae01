//! Messages, of which an account may have ten million.

use tandem_domain::{
    message::{Channel, Direction, Encoding, Message, MessageState, Options, Sender},
    property::default_of,
};
use tandem_kernel::{Currency, Environment::Test, EnvironmentId, MessageId, Money, PhoneNumber, PropertyId, Timestamp, hex};
use tandem_store::repo::messages::{self, Span};
use tandem_testkit::{DAWN, Engine, Persona, Server, on_both};

use super::{Look, analyze, looks};

const MESSAGES: i64 = 6_000;
const PAGE: i64 = 200;
const OURS: &str = "+14155550100";
const THEIRS: &str = "+14155550199";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

fn one(environment: EnvironmentId, place: i64) -> Message {
    let at = DAWN.plus_seconds(place);
    let rare = place % 1_000 == 999;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&place.to_be_bytes());
    id[8..].copy_from_slice(&environment.as_bytes()[8..]);
    Message {
        id: MessageId::from_bytes(id),
        environment,
        property: default_of(environment),
        direction: Direction::Outbound,
        channel: Channel::Sms,
        state: if rare { MessageState::Failed } else { MessageState::Delivered },
        from: Sender::Number(number(OURS)),
        to: if rare { number(THEIRS) } else { PhoneNumber::from_digits(14_155_560_000 + u64::try_from(place).expect("a place")) },
        body: "Hello".to_owned(),
        sealed: None,
        media: Vec::new(),
        encoding: Encoding::Gsm,
        parts: 1,
        price: Money::new(0, Currency::USD),
        hold: None,
        smsc: None,
        failure: None,
        options: Options::default(),
        reply_to: None,
        created_at: at,
        scheduled_at: None,
        sent_at: Some(at),
        completed_at: Some(at),
        expires_at: at,
    }
}

async fn fill(server: &Server, persona: &Persona) {
    let environment = persona.side(Test).environment;
    let all: Vec<Message> = (0..MESSAGES).map(|place| one(environment, place)).collect();
    server.app().store.write(move |tx| messages::insert_many(tx, &all)).await.expect("the messages are written");
}

/// Many more messages of another environment beside them: PostgreSQL reads a table whole that has little else in it.
fn surround(server: &Server, other: EnvironmentId) {
    if server.engine() == Engine::Postgres {
        let other = hex(other.as_bytes());
        server.database().tamper(&format!(
            "INSERT INTO messages (id, environment_id, property_id, direction, channel, state, sender, recipient, body, media, encoding, parts, \
             price, currency, created_at, sent_at, completed_at, expires_at) \
             SELECT decode(md5(id::text || copy::text), 'hex'), '\\x{other}', '\\x{other}', direction, channel, state, sender, recipient, body, \
             media, encoding, parts, price, currency, created_at, sent_at, completed_at, expires_at \
             FROM messages, generate_series(1, 6) AS copy",
        ));
    }
}

fn span(from: i64, states: &[MessageState]) -> Span {
    let to = Timestamp::from_micros(i64::MAX);
    Span { states: states.to_vec(), from: DAWN.plus_seconds(from), to, after: None, limit: PAGE, offset: 0 }
}

async fn find(server: &Server, property: PropertyId, span: Span) -> (usize, Vec<Look>) {
    let (found, seen) = looks(server, move |tx| messages::of_property(tx, property, &span)).await;
    (found.len(), seen)
}

/// Checks that messages are found by an index of theirs alone, and no more rows are read than wanted.
#[track_caller]
fn assert_few(look: &Look, indexes: &[&str], most: f64) {
    let shown = format!("{}\n{}", look.sql, look.plan.join("\n"));
    let named = |line: &String| indexes.iter().any(|index| line.contains(index));
    match look.engine {
        Engine::Sqlite => {
            let touching: Vec<&String> = look.plan.iter().filter(|line| look.touches(line, "messages")).collect();
            assert!(!touching.is_empty() && touching.iter().all(|line| named(line) && line.contains("SEARCH ")), "{shown}");
        }
        Engine::Postgres => {
            assert!(!look.plan.iter().any(|line| line.contains("Seq Scan")), "a whole table is read {shown}");
            assert!(look.plan.iter().any(named), "one of {indexes:?} was expected {shown}");
            assert!(look.rows_read("messages") <= most, "{} rows were read {shown}", look.rows_read("messages"));
        }
    }
}

on_both! {
    async fn however_many_there_are_a_bounded_number_is_read(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        fill(&server, &ada).await;
        surround(&server, bob.test.environment);
        analyze(&server);
        let environment = ada.test.environment;
        let property = default_of(environment);
        let all = MessageState::ALL;
        // A row of PostgreSQL's plan counts where it is found and where it is handed up.
        let page = 4.0 * 200.0;
        for (wanted, count) in [
            (span(0, &all), 200),
            (span(MESSAGES - 500, &all), 200),
            (span(0, &[MessageState::Failed]), 6),
            (span(0, &[MessageState::Sent, MessageState::Received]), 0),
            (Span { after: Some((DAWN.plus_seconds(4_000), MessageId::from_bytes([0; 16]))), ..span(0, &all) }, 200),
        ] {
            let (found, seen) = find(&server, property, wanted.clone()).await;
            assert_eq!(found, count, "{wanted:?}");
            assert_few(&seen[0], &["messages_by_property"], page);
            seen[1..].iter().for_each(|look| assert_few(look, &["messages_pkey", "sqlite_autoindex_messages_1"], page));
        }
        // What a reply answers, and what is to be sent now.
        let (latest, seen) = looks(&server, move |tx| messages::latest_between(tx, environment, number(OURS), number(THEIRS))).await;
        assert_eq!(latest.expect("one").created_at, DAWN.plus_seconds(MESSAGES - 1));
        assert_few(&seen[0], &["messages_by_recipient"], 30.0);
        let (due, seen) = looks(&server, move |tx| messages::scheduled_until(tx, environment, DAWN, 500)).await;
        assert_eq!(due, []);
        assert_few(&seen[0], &["messages_scheduled"], 1.0);
    }
}
