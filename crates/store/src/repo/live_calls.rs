//! Calls that go on, the processes that carry them, and what remains of them.

use tandem_catalogue::Result;
use tandem_domain::call::{ANONYMOUS, Direction, Live, Outcome, PACE, Phase, Policy, Reason, Traffic};
use tandem_kernel::{CallId, DeviceId, EnvironmentId, PhoneNumber, PropertyId, Timestamp, TrunkId};

use super::expect_one;
use crate::{Fault, Param, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, property_id, node, phase, direction, caller, callee, endpoint, trunk_in, trunk_out, device_id, \
             started_at, begun_at, answered_at, longest, granted, held, holds, tariff, detail FROM live_calls ",
            $rest
        )
    };
}

/// Adds a call.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, call: &Live) -> Result<()> {
    tx.execute(
        "INSERT INTO live_calls (id, environment_id, property_id, node, phase, direction, caller, callee, endpoint, trunk_in, trunk_out, \
         device_id, started_at, begun_at, answered_at, longest, granted, held, holds, tariff, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, \
         $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        &[
            call.id.as_bytes().into(),
            call.environment.as_bytes().into(),
            call.property.as_bytes().into(),
            (&call.node).into(),
            call.phase.as_str().into(),
            call.direction.as_str().into(),
            (&call.caller()).into(),
            call.to.digits().into(),
            call.endpoint.map(PhoneNumber::digits).into(),
            call.trunk_in.as_ref().map(TrunkId::as_bytes).into(),
            call.trunk_out.as_ref().map(TrunkId::as_bytes).into(),
            call.device.as_ref().map(DeviceId::as_bytes).into(),
            call.started_at.into(),
            call.begun_at.into(),
            call.answered_at.into(),
            call.longest.into(),
            call.granted.into(),
            call.held.into(),
            call.holds.into(),
            (&codec::tariff_to_text(&call.tariff)).into(),
            (&codec::detail_to_text(&call.detail)).into(),
        ],
    )?;
    add_to_pace(tx, call)?;
    add_to_day(tx, call.environment, call.started_at.start_of_day(), [1, 0, 0])
}

/// Writes what changes about a call while it goes on.
///
/// # Errors
/// `concurrent_modification` where it is over.
pub fn update(tx: &mut Tx, call: &Live) -> Result<()> {
    let changed = tx.execute(
        "UPDATE live_calls SET phase = $2, endpoint = $3, trunk_out = $4, device_id = $5, answered_at = $6, granted = $7, held = $8, \
         holds = $9, tariff = $10, longest = $11, detail = $12 WHERE id = $1",
        &[
            call.id.as_bytes().into(),
            call.phase.as_str().into(),
            call.endpoint.map(PhoneNumber::digits).into(),
            call.trunk_out.as_ref().map(TrunkId::as_bytes).into(),
            call.device.as_ref().map(DeviceId::as_bytes).into(),
            call.answered_at.into(),
            call.granted.into(),
            call.held.into(),
            call.holds.into(),
            (&codec::tariff_to_text(&call.tariff)).into(),
            call.longest.into(),
            (&codec::detail_to_text(&call.detail)).into(),
        ],
    )?;
    expect_one("call", changed)
}

/// Takes a call away; whether it was there.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn remove(tx: &mut Tx, id: CallId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM live_calls WHERE id = $1", &[id.as_bytes().into()])? > 0)
}

/// Reads a call that goes on, whoever it is of.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: CallId) -> Result<Option<Live>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| live(&row)).transpose()?)
}

/// Whose a call is that goes on.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn environment_of(tx: &mut Tx, id: CallId) -> Result<Option<EnvironmentId>> {
    let row = tx.first("SELECT environment_id FROM live_calls WHERE id = $1", &[id.as_bytes().into()])?;
    Ok(row.map(|row| row.array(0).map(EnvironmentId::from_bytes)).transpose()?)
}

/// An environment's calls that go on, the newest first: those before `before`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn newest(tx: &mut Tx, environment: EnvironmentId, before: Option<(Timestamp, CallId)>, limit: i64) -> Result<Vec<Live>> {
    let (at, id) = before.map_or((Timestamp::from_micros(i64::MAX), CallId::from_bytes([255; 16])), |before| before);
    let rows = tx.query(
        columns!("WHERE environment_id = $1 AND (started_at, id) < ($2, $3) ORDER BY started_at DESC, id DESC LIMIT $4"),
        &[environment.as_bytes().into(), at.into(), id.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(live).collect::<Result<_, Fault>>()?)
}

/// What an environment's calls are doing: those that are up, those that began since `since` by the machine's clock, to the second, and what
/// they cost on the day that begins at `day`, with what is set aside.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn traffic(tx: &mut Tx, environment: EnvironmentId, since: Timestamp, day: Timestamp) -> Result<Traffic> {
    let begun = tx.first(
        "SELECT CAST(COALESCE(SUM(begun), 0) AS BIGINT) FROM call_paces WHERE environment_id = $1 AND second > $2",
        &[environment.as_bytes().into(), second_of(since).into()],
    )?;
    let begun = begun.ok_or_else(no_sum)?.int(0)?;
    let (concurrent, spent) = up_and_spent(tx, environment, day)?;
    Ok(Traffic { concurrent, begun, spent })
}

/// What an environment's calls cost on the day that begins at `day`, with what is set aside.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn spent(tx: &mut Tx, environment: EnvironmentId, day: Timestamp) -> Result<i64> {
    Ok(up_and_spent(tx, environment, day)?.1)
}

fn up_and_spent(tx: &mut Tx, environment: EnvironmentId, day: Timestamp) -> Result<(i64, i64)> {
    let live = tx.first(
        "SELECT COUNT(*), CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM live_calls WHERE environment_id = $1",
        &[environment.as_bytes().into()],
    )?;
    let live = live.ok_or_else(no_sum)?;
    let spent = tx
        .first("SELECT cost FROM call_days WHERE environment_id = $1 AND day = $2", &[environment.as_bytes().into(), day.into()])?;
    let spent = spent.map_or(Ok(0), |row| row.int(0))?;
    Ok((live.int(0)?, live.int(1)?.saturating_add(spent)))
}

fn no_sum() -> Fault {
    Fault::data("a sum without a row")
}

const fn second_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// Counts a call that begins, and forgets the seconds that no longer count.
fn add_to_pace(tx: &mut Tx, call: &Live) -> Result<()> {
    let (environment, second) = (call.environment.as_bytes(), second_of(call.begun_at));
    tx.execute(
        "INSERT INTO call_paces (environment_id, second, begun) VALUES ($1, $2, 1) \
         ON CONFLICT (environment_id, second) DO UPDATE SET begun = call_paces.begun + 1",
        &[environment.into(), second.into()],
    )?;
    let over = second.saturating_sub(2 * PACE); // clocks of several processes differ a little
    tx.execute("DELETE FROM call_paces WHERE environment_id = $1 AND second < $2", &[environment.into(), over.into()])?;
    Ok(())
}

/// A process's calls that began before `before`, and whose they are, by id from `after` on.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_node(tx: &mut Tx, node: &[u8; 16], before: Timestamp, after: CallId, limit: i64) -> Result<Vec<(CallId, EnvironmentId)>> {
    let rows = tx.query(
        "SELECT id, environment_id FROM live_calls WHERE node = $1 AND id > $2 AND begun_at <= $3 ORDER BY id LIMIT $4",
        &[node.into(), after.as_bytes().into(), before.into(), limit.into()],
    )?;
    let read = |row: &Row| Ok((CallId::from_bytes(row.array(0)?), EnvironmentId::from_bytes(row.array(1)?)));
    Ok(rows.iter().map(read).collect::<Result<_, Fault>>()?)
}

/// How many calls each trunk carries.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn loads(tx: &mut Tx) -> Result<Vec<(TrunkId, i64)>> {
    let rows = tx.query(
        "SELECT trunk, COUNT(*) FROM (SELECT trunk_in AS trunk FROM live_calls WHERE trunk_in IS NOT NULL UNION ALL \
         SELECT trunk_out AS trunk FROM live_calls WHERE trunk_out IS NOT NULL) carried GROUP BY trunk",
        &[],
    )?;
    Ok(rows.iter().map(|row| Ok((TrunkId::from_bytes(row.array(0)?), row.int(1)?))).collect::<Result<_, Fault>>()?)
}

/// Says that a process is there until `until`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn pulse(tx: &mut Tx, node: &[u8; 16], now: Timestamp, until: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO voice_nodes (node, seen_at, alive_until) VALUES ($1, $2, $3) \
         ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at, alive_until = excluded.alive_until",
        &[node.into(), now.into(), until.into()],
    )?;
    Ok(())
}

/// Calls whose process is gone at `machine`, each with when that was last seen, by the machine's clock. A process that never said that it
/// is there is gone for calls that began before `before`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn orphans(
    tx: &mut Tx,
    machine: Timestamp,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<(CallId, EnvironmentId, Option<Timestamp>)>> {
    let rows = tx.query(
        "SELECT c.id, c.environment_id, n.seen_at FROM live_calls c LEFT JOIN voice_nodes n ON n.node = c.node \
         WHERE (n.alive_until IS NULL AND c.begun_at <= $2) OR n.alive_until <= $1 ORDER BY c.id LIMIT $3",
        &[machine.into(), before.into(), limit.into()],
    )?;
    let orphan = |row: &Row| {
        let ids = (CallId::from_bytes(row.array(0)?), EnvironmentId::from_bytes(row.array(1)?));
        Ok((ids.0, ids.1, row.opt_time(2)?))
    };
    Ok(rows.iter().map(orphan).collect::<Result<_, Fault>>()?)
}

/// Forgets processes that were last there before `machine` and carry nothing.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn forget_nodes(tx: &mut Tx, machine: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM voice_nodes WHERE alive_until <= $1 AND NOT EXISTS (SELECT 1 FROM live_calls c WHERE c.node = voice_nodes.node)",
        &[machine.into()],
    )
}

/// Writes down what remains of a call. Its record in `calls` is written beside it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn conclude(tx: &mut Tx, environment: EnvironmentId, id: CallId, outcome: &Outcome) -> Result<()> {
    let quality = outcome.quality.as_ref().map(ToString::to_string);
    tx.execute(
        "INSERT INTO call_outcomes (id, environment_id, name, day, begun_at, reason, sip, q850, cost, device_id, trunk_in, trunk_out, \
         quality, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        &[
            id.as_bytes().into(),
            environment.as_bytes().into(),
            (&id.to_string()).into(),
            outcome.day.into(),
            outcome.begun_at.into(),
            outcome.reason.as_str().into(),
            i64::from(outcome.sip).into(),
            i64::from(outcome.q850).into(),
            outcome.cost.into(),
            outcome.device.as_ref().map(DeviceId::as_bytes).into(),
            outcome.trunk_in.as_ref().map(TrunkId::as_bytes).into(),
            outcome.trunk_out.as_ref().map(TrunkId::as_bytes).into(),
            quality.as_ref().into(),
            (&codec::detail_to_text(&outcome.detail)).into(),
        ],
    )?;
    add_to_day(tx, environment, outcome.day, [0, 1, outcome.cost])
}

/// A call that somebody answered and that is over, as whoever looks for faults wants to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// Which call.
    pub id: CallId,
    /// Why it ended.
    pub reason: String,
    /// The SIP status of the end.
    pub sip: i64,
    /// How many seconds it lasted.
    pub duration: i64,
    /// What was measured of the media.
    pub quality: Option<serde_json::Value>,
}

/// Calls that began since an instant of the machine's clock and were answered, in no order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn spoken_since(tx: &mut Tx, since: Timestamp, limit: i64) -> Result<Vec<Spoken>> {
    let rows = tx.query(
        "SELECT o.id, o.reason, o.sip, c.duration, o.quality FROM environments e JOIN call_outcomes o ON o.environment_id = e.id \
         JOIN calls c ON c.id = o.id WHERE o.begun_at >= $1 AND c.answered_at IS NOT NULL LIMIT $2",
        &[since.into(), limit.into()],
    )?;
    let spoken = |row: &Row| {
        let quality = row.opt_text(4)?.map(serde_json::from_str).transpose().map_err(|_| Fault::shape(4))?;
        let id = CallId::from_bytes(row.array(0)?);
        Ok(Spoken { id, reason: row.text(1)?.to_owned(), sip: row.int(2)?, duration: row.int(3)?, quality })
    };
    Ok(rows.iter().map(spoken).collect::<Result<_, Fault>>()?)
}

/// What remains of those of many calls that are over, in no order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn outcomes(tx: &mut Tx, ids: &[CallId]) -> Result<Vec<(CallId, Outcome)>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(
        "SELECT id, day, begun_at, reason, sip, q850, cost, device_id, trunk_in, trunk_out, quality, detail FROM call_outcomes WHERE id IN",
        &[],
        &keys,
        "",
    )?;
    Ok(rows.iter().map(outcome).collect::<Result<_, Fault>>()?)
}

fn add_to_day(tx: &mut Tx, environment: EnvironmentId, day: Timestamp, [begun, closed, cost]: [i64; 3]) -> Result<()> {
    tx.execute(
        "INSERT INTO call_days (environment_id, day, begun, closed, cost) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (environment_id, day) DO UPDATE SET begun = call_days.begun + excluded.begun, \
         closed = call_days.closed + excluded.closed, cost = call_days.cost + excluded.cost",
        &[environment.as_bytes().into(), day.into(), begun.into(), closed.into(), cost.into()],
    )?;
    Ok(())
}

/// What a day's books say of an environment's calls, each counted from where it is kept and nothing from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct DayBooks {
    /// Calls that began on that day, as they were counted when they did.
    pub begun: i64,
    /// Calls that began on that day and go on.
    pub live: i64,
    /// Calls that began on that day and have a record.
    pub recorded: i64,
    /// Calls that were closed on that day, as they were counted when they were.
    pub closed: i64,
    /// Records of those.
    pub records: i64,
    /// Terminal events of those.
    pub events: i64,
    /// Of those, calls with a terminal event more than one.
    pub repeated: i64,
    /// What they cost, by their records, in millionths.
    pub cost: i64,
    /// What was captured for them, by the ledger.
    pub captured: i64,
    /// What is still set aside for them, by the ledger.
    pub held: i64,
}

/// Reads a day's books; `next` is where the day ends.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn books(tx: &mut Tx, environment: EnvironmentId, day: Timestamp, next: Timestamp) -> Result<DayBooks> {
    let own: Param = environment.as_bytes().into();
    let mut one = |sql: &'static str, params: &[Param]| -> Result<i64> {
        Ok(tx.first(sql, params)?.ok_or_else(|| Fault::data("a count without a row"))?.int(0)?)
    };
    let (of_day, stretch) = ([own, day.into()], [own, day.into(), next.into()]);
    Ok(DayBooks {
        begun: one(
            "SELECT CAST(COALESCE(SUM(begun), 0) AS BIGINT) FROM call_days WHERE environment_id = $1 AND day = $2",
            &of_day,
        )?,
        live: one("SELECT COUNT(*) FROM live_calls WHERE environment_id = $1 AND started_at >= $2 AND started_at < $3", &stretch)?,
        recorded: one(
            "SELECT COUNT(*) FROM calls c JOIN call_outcomes o ON o.id = c.id WHERE c.environment_id = $1 AND c.started_at >= $2 \
             AND c.started_at < $3",
            &stretch,
        )?,
        closed: one(
            "SELECT CAST(COALESCE(SUM(closed), 0) AS BIGINT) FROM call_days WHERE environment_id = $1 AND day = $2",
            &of_day,
        )?,
        records: one(
            "SELECT COUNT(*) FROM call_outcomes o JOIN calls c ON c.id = o.id WHERE o.environment_id = $1 AND o.day = $2",
            &of_day,
        )?,
        events: one(
            "SELECT COUNT(*) FROM call_outcomes o JOIN events e ON e.environment_id = o.environment_id AND e.object = o.name \
             WHERE o.environment_id = $1 AND o.day = $2 AND e.kind IN ('call.completed', 'call.failed')",
            &of_day,
        )?,
        repeated: one(
            "SELECT COUNT(*) FROM (SELECT o.id FROM call_outcomes o JOIN events e ON e.environment_id = o.environment_id \
             AND e.object = o.name WHERE o.environment_id = $1 AND o.day = $2 AND e.kind IN ('call.completed', 'call.failed') \
             GROUP BY o.id HAVING COUNT(*) > 1) twice",
            &of_day,
        )?,
        cost: one(
            "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM call_outcomes WHERE environment_id = $1 AND day = $2",
            &of_day,
        )?,
        captured: one(
            "SELECT CAST(COALESCE(SUM(h.captured), 0) AS BIGINT) FROM call_outcomes o JOIN call_holds k ON k.call_id = o.id \
             JOIN holds h ON h.id = k.hold_id WHERE o.environment_id = $1 AND o.day = $2",
            &of_day,
        )?,
        held: one(
            "SELECT CAST(COALESCE(SUM(h.remaining), 0) AS BIGINT) FROM call_outcomes o JOIN call_holds k ON k.call_id = o.id \
             JOIN holds h ON h.id = k.hold_id WHERE o.environment_id = $1 AND o.day = $2",
            &of_day,
        )?,
    })
}

/// Notes which hold was placed for a call.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn note_hold(tx: &mut Tx, call: CallId, hold: &tandem_kernel::TransferId) -> Result<()> {
    tx.execute(
        "INSERT INTO call_holds (call_id, hold_id) VALUES ($1, $2) ON CONFLICT (call_id, hold_id) DO NOTHING",
        &[call.as_bytes().into(), hold.as_bytes().into()],
    )?;
    Ok(())
}

/// The holds of a call that are open, each with what is left of it, in the order in which they were placed.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open_holds(tx: &mut Tx, call: CallId) -> Result<Vec<(tandem_kernel::TransferId, i64)>> {
    let rows = tx.query(
        "SELECT h.id, h.remaining FROM call_holds k JOIN holds h ON h.id = k.hold_id WHERE k.call_id = $1 AND h.remaining > 0 \
         ORDER BY h.sequence",
        &[call.as_bytes().into()],
    )?;
    let hold = |row: &Row| Ok((tandem_kernel::TransferId::from_bytes(row.array(0)?), row.int(1)?));
    Ok(rows.iter().map(hold).collect::<Result<_, Fault>>()?)
}

/// What an operator set for an environment's calls.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn policy(tx: &mut Tx, environment: EnvironmentId) -> Result<Option<Policy>> {
    let row = tx.first("SELECT policy FROM calling_policies WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.map(|row| codec::calling_policy_from_text(row.text(0)?)).transpose()?)
}

/// Sets it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_policy(tx: &mut Tx, environment: EnvironmentId, policy: &Policy) -> Result<()> {
    tx.execute(
        "INSERT INTO calling_policies (environment_id, policy) VALUES ($1, $2) \
         ON CONFLICT (environment_id) DO UPDATE SET policy = excluded.policy",
        &[environment.as_bytes().into(), (&codec::calling_policy_to_text(policy)).into()],
    )?;
    Ok(())
}

fn live(row: &Row) -> Result<Live, Fault> {
    let number = |column| row.opt_int(column)?.map(u64::try_from).transpose().map_err(|_| Fault::shape(column));
    let caller = row.text(6)?;
    let from = if caller == ANONYMOUS { None } else { Some(row.word(6, PhoneNumber::from_e164)?) };
    Ok(Live {
        id: CallId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        property: PropertyId::from_bytes(row.array(2)?),
        node: row.array(3)?,
        phase: row.word(4, Phase::parse)?,
        direction: row.word(5, Direction::parse)?,
        from,
        to: number(7)?.map(PhoneNumber::from_digits).ok_or_else(|| Fault::shape(7))?,
        endpoint: number(8)?.map(PhoneNumber::from_digits),
        trunk_in: row.opt_array(9)?.map(TrunkId::from_bytes),
        trunk_out: row.opt_array(10)?.map(TrunkId::from_bytes),
        device: row.opt_array(11)?.map(DeviceId::from_bytes),
        started_at: row.time(12)?,
        begun_at: row.time(13)?,
        answered_at: row.opt_time(14)?,
        longest: row.int(15)?,
        granted: row.int(16)?,
        held: row.int(17)?,
        holds: row.int(18)?,
        tariff: codec::tariff_from_text(row.text(19)?)?,
        detail: codec::detail_from_text(row.text(20)?)?,
    })
}

fn outcome(row: &Row) -> Result<(CallId, Outcome), Fault> {
    let quality = row.opt_text(10)?.map(codec::from_text).transpose()?;
    let outcome = Outcome {
        day: row.time(1)?,
        begun_at: row.time(2)?,
        reason: row.word(3, Reason::parse)?,
        sip: u16::try_from(row.int(4)?).map_err(|_| Fault::shape(4))?,
        q850: u8::try_from(row.int(5)?).map_err(|_| Fault::shape(5))?,
        cost: row.int(6)?,
        device: row.opt_array(7)?.map(DeviceId::from_bytes),
        trunk_in: row.opt_array(8)?.map(TrunkId::from_bytes),
        trunk_out: row.opt_array(9)?.map(TrunkId::from_bytes),
        quality,
        detail: codec::detail_from_text(row.text(11)?)?,
    };
    Ok((CallId::from_bytes(row.array(0)?), outcome))
}
