//! Messages of both directions.

use std::collections::BTreeMap;

use tandem_catalogue::Result;
use tandem_domain::{
    message::{Channel, Direction, Encoding, Failure, Message, MessageState, Sender},
    property::default_of,
};
use tandem_kernel::{EnvironmentId, MessageId, PhoneNumber, PropertyId, SmscId, Timestamp, TransferId};

use super::{expect_all, message_options};
use crate::{Fault, Param, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, direction, channel, state, sender, recipient, body, sealed, media, encoding, parts, price, \
             currency, hold_id, smsc_id, failure_code, failure_reason, created_at, sent_at, completed_at, expires_at, property_id, \
             scheduled_at, reply_to, options FROM messages ",
            $rest
        )
    };
}

const INSERT: &str = "INSERT INTO messages (id, environment_id, direction, channel, state, sender, recipient, body, sealed, media, encoding, \
                      parts, price, currency, hold_id, smsc_id, failure_code, failure_reason, created_at, sent_at, completed_at, \
                      expires_at, property_id, scheduled_at, reply_to, options)";
const UPDATE: &str = "UPDATE messages SET state = $2, smsc_id = $3, failure_code = $4, failure_reason = $5, sent_at = $6, \
                      completed_at = $7 WHERE id = $1";

/// Adds a message.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, message: &Message) -> Result<()> {
    insert_many(tx, std::slice::from_ref(message))
}

/// What of a message is text only on its way into its row.
struct Texts {
    to: String,
    from: String,
    media: String,
    options: Option<String>,
}

/// Adds messages.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert_many(tx: &mut Tx, messages: &[Message]) -> Result<()> {
    let texts = messages.iter().map(|message| Texts {
        to: message.to.to_string(),
        from: message.from.to_string(),
        media: codec::to_text(&message.media),
        options: message_options::to_text(&message.options),
    });
    let texts: Vec<Texts> = texts.collect();
    let rows: Vec<Vec<Param>> = messages.iter().zip(&texts).map(|(message, texts)| row_of(message, texts)).collect();
    tx.insert_later(INSERT, "", &rows)
}

fn row_of<'a>(message: &'a Message, texts: &'a Texts) -> Vec<Param<'a>> {
    let failure = message.failure.as_ref();
    vec![
        message.id.as_bytes().into(),
        message.environment.as_bytes().into(),
        message.direction.as_str().into(),
        message.channel.as_str().into(),
        message.state.as_str().into(),
        (&texts.from).into(),
        (&texts.to).into(),
        (&message.body).into(),
        message.sealed.as_deref().into(),
        (&texts.media).into(),
        message.encoding.as_str().into(),
        i64::from(message.parts).into(),
        message.price.micros.into(),
        message.price.currency.as_str().into(),
        message.hold.as_ref().map(TransferId::as_bytes).into(),
        message.smsc.as_ref().map(SmscId::as_bytes).into(),
        failure.map(|failure| &failure.code).into(),
        failure.map(|failure| &failure.reason).into(),
        message.created_at.into(),
        message.sent_at.into(),
        message.completed_at.into(),
        message.expires_at.into(),
        message.property.as_bytes().into(),
        message.scheduled_at.into(),
        message.reply_to.as_ref().map(MessageId::as_bytes).into(),
        texts.options.as_ref().into(),
    ]
}

/// Writes what changes in the life of messages: their states, what sent them, and how they ended.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn update(tx: &mut Tx, messages: &[Message]) -> Result<()> {
    let rows = messages.iter().map(|message| {
        vec![
            message.id.as_bytes().into(),
            message.state.as_str().into(),
            message.smsc.as_ref().map(SmscId::as_bytes).into(),
            message.failure.as_ref().map(|failure| &failure.code).into(),
            message.failure.as_ref().map(|failure| &failure.reason).into(),
            message.sent_at.into(),
            message.completed_at.into(),
        ]
    });
    let changed = tx.execute_many(UPDATE, &rows.collect::<Vec<Vec<Param>>>())?;
    expect_all("message", changed, messages.len())
}

/// Notes that messages were handed to a bind.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_sending(tx: &mut Tx, ids: &[MessageId]) -> Result<()> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    tx.execute_in("UPDATE messages SET state = 'sending' WHERE id IN", &[], &keys).map(drop)
}

/// Reads messages by their ids, whosever they are, in no order; those that do not exist are left out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_ids(tx: &mut Tx, ids: &[MessageId]) -> Result<Vec<Message>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE id IN"), &[], &keys, "")?;
    Ok(rows.iter().map(message).collect::<Result<_, Fault>>()?)
}

/// Reads an environment's message.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: MessageId) -> Result<Option<Message>> {
    let found = of_ids(tx, &[id])?.into_iter().next();
    Ok(found.filter(|message| message.environment == environment))
}

/// Whose messages are, in the order of their environments.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn environments_of(tx: &mut Tx, ids: &[MessageId]) -> Result<BTreeMap<EnvironmentId, Vec<MessageId>>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in("SELECT environment_id, id FROM messages WHERE id IN", &[], &keys, "")?;
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        found.entry(EnvironmentId::from_bytes(row.array(0)?)).or_default().push(MessageId::from_bytes(row.array(1)?));
    }
    Ok(found)
}

/// Whether any message whose time is up is with a bind.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn overdue_sending(tx: &mut Tx, environment: EnvironmentId, now: Timestamp) -> Result<bool> {
    let row = tx.first(
        "SELECT 1 FROM messages WHERE environment_id = $1 AND expires_at <= $2 AND state IN ('queued', 'sending', 'sent') \
         AND state = 'sending' LIMIT 1",
        &[environment.as_bytes().into(), now.into()],
    )?;
    Ok(row.is_some())
}

/// The environment's messages whose time is up, that wait or whose receipt is outstanding, earliest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn overdue(tx: &mut Tx, environment: EnvironmentId, now: Timestamp, limit: i64) -> Result<Vec<MessageId>> {
    let rows = tx.query(
        "SELECT id FROM messages WHERE environment_id = $1 AND expires_at <= $2 AND state IN ('queued', 'sending', 'sent') \
         AND state <> 'sending' ORDER BY expires_at, id LIMIT $3",
        &[environment.as_bytes().into(), now.into(), limit.into()],
    )?;
    Ok(rows.iter().map(|row| row.array(0).map(MessageId::from_bytes)).collect::<Result<_, Fault>>()?)
}

/// An environment's messages whose time has come, earliest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn scheduled_until(tx: &mut Tx, environment: EnvironmentId, now: Timestamp, limit: i64) -> Result<Vec<MessageId>> {
    let rows = tx.query(
        "SELECT id FROM messages WHERE environment_id = $1 AND state = 'scheduled' AND scheduled_at <= $2 ORDER BY scheduled_at, id \
         LIMIT $3",
        &[environment.as_bytes().into(), now.into(), limit.into()],
    )?;
    Ok(rows.iter().map(|row| row.array(0).map(MessageId::from_bytes)).collect::<Result<_, Fault>>()?)
}

/// The latest message that was sent from `from` to `to`, among the last thousand to that recipient.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn latest_between(tx: &mut Tx, environment: EnvironmentId, from: PhoneNumber, to: PhoneNumber) -> Result<Option<Message>> {
    let row = tx.first(
        "SELECT id FROM (SELECT id, sender, sent_at FROM messages WHERE environment_id = $1 AND recipient = $2 ORDER BY id DESC \
         LIMIT 1000) lately WHERE sender = $3 AND sent_at IS NOT NULL ORDER BY sent_at DESC, id DESC LIMIT 1",
        &[environment.as_bytes().into(), (&to.to_string()).into(), (&from.to_string()).into()],
    )?;
    match row {
        Some(row) => get(tx, environment, MessageId::from_bytes(row.array(0)?)),
        None => Ok(None),
    }
}

/// Which of a property's messages are meant, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// In one of these states.
    pub states: Vec<MessageState>,
    /// Accepted or received then or later.
    pub from: Timestamp,
    /// Accepted or received before then.
    pub to: Timestamp,
    /// From the one after this: when that was accepted, and its id.
    pub after: Option<(Timestamp, MessageId)>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// A property's messages of a span of time. Of each state no more rows are looked at than are wanted and left out together.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_property(tx: &mut Tx, property: PropertyId, span: &Span) -> Result<Vec<Message>> {
    if span.states.is_empty() {
        return Ok(Vec::new());
    }
    let (after_time, after_id) = span.after.map_or((i64::MIN, [0; 16]), |(at, id)| (at.micros(), *id.as_bytes()));
    let branch = |place: usize| {
        format!(
            "SELECT * FROM (SELECT id, created_at FROM messages WHERE property_id = $1 AND state = ${place} AND created_at >= $2 AND \
             created_at < $3 AND (created_at, id) > ($4, $5) ORDER BY created_at, id LIMIT $6) s{place}"
        )
    };
    let branches: Vec<String> = (0..span.states.len()).map(|place| branch(place + 9)).collect();
    let sql = format!("{} ORDER BY created_at, id LIMIT $7 OFFSET $8", branches.join(" UNION ALL "));
    let each = span.limit.saturating_add(span.offset);
    let mut params: Vec<Param> = vec![
        property.as_bytes().into(),
        span.from.into(),
        span.to.into(),
        after_time.into(),
        (&after_id).into(),
        each.into(),
        span.limit.into(),
        span.offset.into(),
    ];
    params.extend(span.states.iter().map(|state| Param::from(state.as_str())));
    let rows = tx.query_built(&sql, &params)?;
    let ids: Vec<MessageId> = rows.iter().map(|row| row.array(0).map(MessageId::from_bytes)).collect::<Result<_, Fault>>()?;
    let mut found = of_ids(tx, &ids)?;
    found.sort_by_key(|message| (message.created_at, message.id));
    Ok(found)
}

/// Which messages of an environment are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this direction.
    pub direction: Option<Direction>,
    /// In this state.
    pub state: Option<MessageState>,
    /// From this sender.
    pub from: Option<Sender>,
    /// To this number.
    pub to: Option<PhoneNumber>,
    /// Queued or received then or later.
    pub since: Option<Timestamp>,
    /// Queued or received before then.
    pub until: Option<Timestamp>,
    /// Of these, the ones before this, where messages are listed newest first.
    pub before: Option<MessageId>,
    /// With this in their text, whatever its case.
    pub text: Option<String>,
}

impl Filter {
    /// The conditions, from the parameter `$2` on, and their values.
    fn conditions(&self) -> Conditions {
        let mut all = Conditions::default();
        all.add("direction = ", self.direction.map(|direction| Held::Text(direction.as_str().to_owned())));
        all.add("state = ", self.state.map(|state| Held::Text(state.as_str().to_owned())));
        all.add("sender = ", self.from.as_ref().map(|from| Held::Text(from.to_string())));
        all.add("recipient = ", self.to.map(|to| Held::Text(to.to_string())));
        all.add("created_at >= ", self.since.map(|since| Held::Int(since.micros())));
        all.add("created_at < ", self.until.map(|until| Held::Int(until.micros())));
        all.add("id < ", self.before.map(|before| Held::Bytes(*before.as_bytes())));
        let escape = |text: &String| text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        all.add("LOWER(body) LIKE ", self.text.as_ref().map(|text| Held::Text(format!("%{}%", escape(text)))));
        if self.text.is_some() {
            all.sql.push_str(" ESCAPE '\\'");
        }
        all
    }
}

enum Held {
    Text(String),
    Int(i64),
    Bytes([u8; 16]),
}

#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Held>,
}

impl Conditions {
    fn add(&mut self, condition: &str, value: Option<Held>) {
        if let Some(value) = value {
            self.values.push(value);
            self.sql.push_str(&format!(" AND {condition}${}", self.values.len() + 1));
        }
    }

    fn params<'a>(&'a self, environment: &'a EnvironmentId) -> Vec<Param<'a>> {
        let values = self.values.iter().map(|value| match value {
            Held::Text(text) => text.into(),
            Held::Int(value) => (*value).into(),
            Held::Bytes(bytes) => bytes.into(),
        });
        std::iter::once(environment.as_bytes().into()).chain(values).collect()
    }
}

/// An environment's messages that a filter lets through, newest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, filter: &Filter, limit: i64, offset: i64) -> Result<Vec<Message>> {
    let conditions = filter.conditions();
    let mut params = conditions.params(&environment);
    let place = params.len();
    params.extend([Param::from(limit), Param::from(offset)]);
    let head = columns!("WHERE environment_id = $1");
    let sql = format!("{head}{} ORDER BY id DESC LIMIT ${} OFFSET ${}", conditions.sql, place + 1, place + 2);
    let rows = tx.query_built(&sql, &params)?;
    Ok(rows.iter().map(message).collect::<Result<_, Fault>>()?)
}

/// How many messages of an environment a filter lets through.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId, filter: &Filter) -> Result<i64> {
    let conditions = filter.conditions();
    let sql = format!("SELECT COUNT(*) FROM messages WHERE environment_id = $1{}", conditions.sql);
    let rows = tx.query_built(&sql, &conditions.params(&environment))?;
    Ok(rows.first().ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
}

fn message(row: &Row) -> Result<Message, Fault> {
    let failure = match (row.opt_text(16)?, row.opt_text(17)?) {
        (Some(code), Some(reason)) => Some(Failure { code: code.to_owned(), reason: reason.to_owned() }),
        _ => None,
    };
    let environment = EnvironmentId::from_bytes(row.array(1)?);
    Ok(Message {
        id: MessageId::from_bytes(row.array(0)?),
        environment,
        property: row.opt_array(22)?.map_or_else(|| default_of(environment), PropertyId::from_bytes),
        direction: row.word(2, Direction::parse)?,
        channel: row.word(3, Channel::parse)?,
        state: row.word(4, MessageState::parse)?,
        from: Sender::of_network(row.text(5)?),
        to: row.word(6, PhoneNumber::from_e164)?,
        body: row.text(7)?.to_owned(),
        sealed: row.opt_bytes(8)?.map(<[u8]>::to_vec),
        media: codec::from_text(row.text(9)?)?,
        encoding: row.word(10, Encoding::parse)?,
        parts: u8::try_from(row.int(11)?).map_err(|_| Fault::shape(11))?,
        price: row.money(12, 13)?,
        hold: row.opt_array(14)?.map(TransferId::from_bytes),
        smsc: row.opt_array(15)?.map(SmscId::from_bytes),
        failure,
        created_at: row.time(18)?,
        sent_at: row.opt_time(19)?,
        completed_at: row.opt_time(20)?,
        expires_at: row.time(21)?,
        scheduled_at: row.opt_time(23)?,
        reply_to: row.opt_array(24)?.map(MessageId::from_bytes),
        options: message_options::from_text(row.opt_text(25)?)?,
    })
}
