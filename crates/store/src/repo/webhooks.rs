//! Webhooks: places that want to hear of events, and who delivers to them.

use tandem_catalogue::Result;
use tandem_domain::{
    environment::EnvironmentClock,
    webhook::{Interest, Method, State, Target, Webhook},
};
use tandem_kernel::{EnvironmentId, Timestamp, WebhookId};

use super::expect_one;
use crate::{Engine, Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM webhooks ", $rest)
    };
    () => {
        "id, environment_id, target, url, description, method, events, state, reason, secrets, failing_since, places, created_at, version"
    };
}

/// Adds a webhook.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, webhook: &Webhook) -> Result<()> {
    tx.execute(
        "INSERT INTO webhooks (id, environment_id, target, url, description, method, events, state, reason, secrets, failing_since, \
         places, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        &[
            webhook.id.as_bytes().into(),
            webhook.environment.as_bytes().into(),
            webhook.target.as_str().into(),
            (&webhook.url).into(),
            (&webhook.description).into(),
            webhook.method.as_str().into(),
            (&webhook.interest.to_text()).into(),
            webhook.state.as_str().into(),
            webhook.state.reason().into(),
            webhook.secrets.as_slice().into(),
            webhook.failing_since.into(),
            webhook.places.into(),
            webhook.created_at.into(),
            webhook.version.into(),
        ],
    )?;
    Ok(())
}

/// Writes everything about a webhook that can change but for when it is due.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn update(tx: &mut Tx, webhook: &Webhook) -> Result<()> {
    let changed = tx.execute(
        "UPDATE webhooks SET url = $2, description = $3, method = $4, events = $5, state = $6, reason = $7, secrets = $8, \
         failing_since = $9, places = $10, version = $11 WHERE id = $1",
        &[
            webhook.id.as_bytes().into(),
            (&webhook.url).into(),
            (&webhook.description).into(),
            webhook.method.as_str().into(),
            (&webhook.interest.to_text()).into(),
            webhook.state.as_str().into(),
            webhook.state.reason().into(),
            webhook.secrets.as_slice().into(),
            webhook.failing_since.into(),
            webhook.places.into(),
            webhook.version.into(),
        ],
    )?;
    expect_one("webhook", changed)
}

/// Reads a webhook, whosever it is.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: WebhookId) -> Result<Option<Webhook>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| webhook(&row)).transpose()?)
}

/// An environment's endpoints from the one after `after`, oldest first: those of one dialect, or of all.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, target: Option<Target>, after: WebhookId, limit: i64) -> Result<Vec<Webhook>> {
    let rows = tx.query(
        columns!(
            "WHERE environment_id = $1 AND id > $2 AND (target = $3 OR $3 = '') AND target NOT IN ('number', 'message') AND state <> 'deleted' \
             ORDER BY id LIMIT $4"
        ),
        &[environment.as_bytes().into(), after.as_bytes().into(), target.map_or("", Target::as_str).into(), limit.into()],
    )?;
    Ok(rows.iter().map(webhook).collect::<Result<_, Fault>>()?)
}

/// A page of an environment's endpoints of one dialect, oldest first, and how many there are.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn page(tx: &mut Tx, environment: EnvironmentId, target: Target, limit: i64, offset: i64) -> Result<(Vec<Webhook>, i64)> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND target = $2 AND state <> 'deleted' ORDER BY id LIMIT $3 OFFSET $4"),
        &[environment.as_bytes().into(), target.as_str().into(), limit.into(), offset.into()],
    )?;
    let total = tx.first(
        "SELECT COUNT(*) FROM webhooks WHERE environment_id = $1 AND target = $2 AND state <> 'deleted'",
        &[environment.as_bytes().into(), target.as_str().into()],
    )?;
    let total = total.map_or(Ok(0), |row| row.int(0))?;
    Ok((rows.iter().map(webhook).collect::<Result<_, Fault>>()?, total))
}

/// An environment's endpoints to which something is delivered.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn active(tx: &mut Tx, environment: EnvironmentId) -> Result<Vec<Webhook>> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND state = 'active' AND target NOT IN ('number', 'message') ORDER BY id"),
        &[environment.as_bytes().into()],
    )?;
    Ok(rows.iter().map(webhook).collect::<Result<_, Fault>>()?)
}

/// The row that stands for a number's webhook at a URL.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_number(tx: &mut Tx, environment: EnvironmentId, url: &str) -> Result<Option<Webhook>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND url = $2 AND target = 'number'"),
        &[environment.as_bytes().into(), url.into()],
    )?;
    Ok(row.map(|row| webhook(&row)).transpose()?)
}

/// The row that stands for the URLs of one host that messages name.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_messages(tx: &mut Tx, environment: EnvironmentId, host: &str, method: Method) -> Result<Option<Webhook>> {
    let row = tx.first(
        columns!("WHERE environment_id = $1 AND url = $2 AND method = $3 AND target = 'message'"),
        &[environment.as_bytes().into(), host.into(), method.as_str().into()],
    )?;
    Ok(row.map(|row| webhook(&row)).transpose()?)
}

/// How many endpoints an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first(
        "SELECT COUNT(*) FROM webhooks WHERE environment_id = $1 AND target NOT IN ('number', 'message') AND state <> 'deleted'",
        &[environment.as_bytes().into()],
    )?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// Says that there is something to deliver at `due_at`, if nothing is due before that.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn call(tx: &mut Tx, ids: &[WebhookId], due_at: Timestamp, clock: EnvironmentClock) -> Result<()> {
    let wake_at = clock.wake_at(due_at);
    let rows: Vec<Vec<Param>> = ids.iter().map(|id| vec![id.as_bytes().into(), due_at.into(), wake_at.into()]).collect();
    tx.execute_many("UPDATE webhooks SET due_at = $2, wake_at = $3 WHERE id = $1 AND (due_at IS NULL OR due_at > $2)", &rows)?;
    Ok(())
}

/// Notes how many deliveries each was given so far.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_places(tx: &mut Tx, places: &[(WebhookId, i64)]) -> Result<()> {
    let rows: Vec<Vec<Param>> = places.iter().map(|(id, places)| vec![id.as_bytes().into(), (*places).into()]).collect();
    tx.execute_many("UPDATE webhooks SET places = $2 WHERE id = $1", &rows)?;
    Ok(())
}

/// Works out anew when an environment's webhooks wake, after its clock was moved from where it `was`. Where it stood and stands still,
/// only those that fell due on the way.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn rewind(tx: &mut Tx, environment: EnvironmentId, was: EnvironmentClock, clock: EnvironmentClock) -> Result<()> {
    match clock.frozen_at {
        Some(now) if was.frozen_at.is_some_and(|was| was <= now) => tx.execute(
            "UPDATE webhooks SET wake_at = 0 WHERE environment_id = $1 AND due_at > $2 AND due_at <= $3",
            &[environment.as_bytes().into(), was.frozen_at.into(), now.into()],
        )?,
        None => tx.execute(
            "UPDATE webhooks SET wake_at = due_at - $2 WHERE environment_id = $1",
            &[environment.as_bytes().into(), clock.offset.into()],
        )?,
        Some(now) => tx.execute(
            "UPDATE webhooks SET wake_at = CASE WHEN due_at <= $2 THEN 0 ELSE NULL END WHERE environment_id = $1",
            &[environment.as_bytes().into(), now.into()],
        )?,
    };
    Ok(())
}

/// When something is to be delivered in an environment next, later than `after` and not later than `until`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn first_until(tx: &mut Tx, environment: EnvironmentId, after: Timestamp, until: Timestamp) -> Result<Option<Timestamp>> {
    let row = tx.first(
        "SELECT due_at FROM webhooks WHERE environment_id = $1 AND state = 'active' AND due_at > $2 AND due_at <= $3 \
         ORDER BY due_at LIMIT 1",
        &[environment.as_bytes().into(), after.into(), until.into()],
    )?;
    Ok(row.map(|row| row.time(0)).transpose()?)
}

/// Whether everything is handed out and tried that was to be by `now`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn quiet(tx: &mut Tx, environment: EnvironmentId, now: Timestamp) -> Result<bool> {
    let row = tx.first(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM event_queue WHERE environment_id = $1) OR EXISTS (SELECT 1 FROM webhooks \
         WHERE environment_id = $1 AND state = 'active' AND due_at <= $2) THEN 0 ELSE 1 END AS BIGINT)",
        &[environment.as_bytes().into(), now.into()],
    )?;
    Ok(row.map_or(Ok(true), |row| row.bool(0))?)
}

/// Whether there is anything to do: events that are not handed out yet, webhooks that are due.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn anything(tx: &mut Tx, now: Timestamp) -> Result<(bool, bool)> {
    let row = tx.first(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM event_queue) THEN 1 ELSE 0 END AS BIGINT), CAST(CASE WHEN EXISTS (SELECT 1 FROM \
         webhooks WHERE state = 'active' AND wake_at <= $1 AND (lease_until IS NULL OR lease_until < $1)) THEN 1 ELSE 0 END AS BIGINT)",
        &[now.into()],
    )?;
    Ok(row.map_or(Ok((false, false)), |row| Ok::<_, Fault>((row.bool(0)?, row.bool(1)?)))?)
}

/// Which webhooks are taken.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Also those to which nothing could be delivered lately.
    pub failing: bool,
    /// None of these environments.
    pub without: Vec<EnvironmentId>,
    /// So many at the most.
    pub most: i64,
}

/// Takes webhooks that are due for this process until `until`, the longest waiting first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn claim(tx: &mut Tx, node: &[u8; 16], now: Timestamp, until: Timestamp, wanted: &Wanted) -> Result<Vec<Webhook>> {
    let lock = match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE SKIP LOCKED",
    };
    let mut params: Vec<Param> = vec![node.into(), now.into(), until.into(), wanted.failing.into(), wanted.most.into()];
    let without = super::listed(&mut params, "environment_id NOT IN", wanted.without.iter().map(|id| id.as_bytes().into()));
    let sql = format!(
        "UPDATE webhooks SET owner = $1, lease_until = $3 WHERE id IN (SELECT id FROM webhooks WHERE state = 'active' AND \
         wake_at <= $2 AND (lease_until IS NULL OR lease_until < $2) AND (failing_since IS NULL OR $4){without} \
         ORDER BY wake_at, id LIMIT $5{lock}) RETURNING {}",
        columns!()
    );
    let rows = tx.query_built(&sql, &params)?;
    Ok(rows.iter().map(webhook).collect::<Result<_, Fault>>()?)
}

/// Keeps a webhook for this process until `until`: whether it is still this process's.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn keep(tx: &mut Tx, id: WebhookId, node: &[u8; 16], until: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE webhooks SET lease_until = $3 WHERE id = $1 AND owner = $2",
        &[id.as_bytes().into(), node.into(), until.into()],
    )?;
    Ok(changed == 1)
}

/// Keeps those of some webhooks that are this process's. One at which somebody is writing is left for the next time: whoever waited
/// for it and held others would be in the way of those who hold it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn keep_all(tx: &mut Tx, node: &[u8; 16], ids: &[WebhookId], until: Timestamp) -> Result<()> {
    let tail = match tx.engine() {
        Engine::Sqlite => ") RETURNING id",
        Engine::Postgres => "FOR UPDATE SKIP LOCKED) RETURNING id",
    };
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let head = "UPDATE webhooks SET lease_until = $2 WHERE id IN (SELECT id FROM webhooks WHERE owner = $1 AND id IN";
    tx.query_in(head, &[node.into(), until.into()], &keys, tail)?;
    Ok(())
}

/// Gives back whatever anybody holds: for a server that is alone on its database.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn release_everything(tx: &mut Tx) -> Result<()> {
    tx.execute("UPDATE webhooks SET owner = NULL, lease_until = NULL WHERE owner IS NOT NULL", &[])?;
    Ok(())
}

/// Gives a webhook back, and says when it is due next.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn release(tx: &mut Tx, id: WebhookId, node: &[u8; 16], due_at: Option<Timestamp>, clock: EnvironmentClock) -> Result<()> {
    let wake_at = due_at.and_then(|due_at| clock.wake_at(due_at));
    tx.execute(
        "UPDATE webhooks SET owner = NULL, lease_until = NULL, due_at = $3, wake_at = $4 WHERE id = $1 AND owner = $2",
        &[id.as_bytes().into(), node.into(), due_at.into(), wake_at.into()],
    )?;
    Ok(())
}

/// Gives back all that this process holds, when it ends: others need not wait for the lease to run out.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn release_all(tx: &mut Tx, node: &[u8; 16]) -> Result<()> {
    tx.execute("UPDATE webhooks SET owner = NULL, lease_until = NULL WHERE owner = $1", &[node.into()])?;
    Ok(())
}

fn webhook(row: &Row) -> Result<Webhook, Fault> {
    let state = match row.text(7)? {
        "active" => State::Active,
        "disabled" => State::Disabled { reason: row.opt_text(8)?.unwrap_or_default().to_owned() },
        "deleted" => State::Deleted,
        _ => return Err(Fault::shape(7)),
    };
    Ok(Webhook {
        id: WebhookId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        target: row.word(2, Target::parse)?,
        url: row.text(3)?.to_owned(),
        description: row.text(4)?.to_owned(),
        method: row.word(5, Method::parse)?,
        interest: Interest::from_text(row.text(6)?),
        state,
        secrets: row.bytes(9)?.to_vec(),
        failing_since: row.opt_time(10)?,
        places: row.int(11)?,
        created_at: row.time(12)?,
        version: row.int(13)?,
    })
}
