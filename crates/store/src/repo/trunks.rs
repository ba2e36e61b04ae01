//! The operator's trunks.

use tandem_catalogue::Result;
use tandem_domain::trunk::{Codec, Direction, Health, HealthState, Srtp, Transport, Trunk};
use tandem_kernel::{Environment, TrunkId};

use super::expect_one;
use crate::{Fault, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, serves, user_name, settings, drained, health, health_since, health_detail, created_at, changed_at, ha1, \
             answered_at \
             FROM trunks ",
            $rest
        )
    };
}

/// Adds a trunk. `ha1` is what it proves its password with, sealed.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, trunk: &Trunk, ha1: Option<&[u8]>) -> Result<()> {
    tx.execute(
        "INSERT INTO trunks (id, name, serves, user_name, settings, drained, health, health_since, health_detail, created_at, \
         changed_at, ha1) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            trunk.id.as_bytes().into(),
            (&trunk.name).into(),
            trunk.serves.as_str().into(),
            trunk.user_name.as_ref().into(),
            (&codec::trunk_to_text(trunk)).into(),
            trunk.drained.into(),
            trunk.health.health.as_str().into(),
            trunk.health.since.into(),
            trunk.health.detail.as_ref().into(),
            trunk.created_at.into(),
            trunk.changed_at.into(),
            ha1.into(),
        ],
    )?;
    Ok(())
}

/// Writes what an operator changed; what is known of its health stays.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn update(tx: &mut Tx, trunk: &Trunk) -> Result<()> {
    let changed = tx.execute(
        "UPDATE trunks SET name = $2, serves = $3, settings = $4, drained = $5, changed_at = $6 WHERE id = $1",
        &[
            trunk.id.as_bytes().into(),
            (&trunk.name).into(),
            trunk.serves.as_str().into(),
            (&codec::trunk_to_text(trunk)).into(),
            trunk.drained.into(),
            trunk.changed_at.into(),
        ],
    )?;
    expect_one("trunk", changed)
}

/// Gives a trunk another user name and password, or takes both away.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn set_credentials(tx: &mut Tx, trunk: &Trunk, ha1: Option<&[u8]>) -> Result<()> {
    let changed = tx.execute(
        "UPDATE trunks SET user_name = $2, ha1 = $3, changed_at = $4 WHERE id = $1",
        &[trunk.id.as_bytes().into(), trunk.user_name.as_ref().into(), ha1.into(), trunk.changed_at.into()],
    )?;
    expect_one("trunk", changed)
}

/// Notes whether a trunk answers, why it does not, and when it last did; whether one of the first two is news. Since when it is so
/// changes with the state alone.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn set_health(tx: &mut Tx, id: TrunkId, state: &HealthState) -> Result<bool> {
    let Some(before) = get(tx, id)?.map(|trunk| trunk.health) else { return Ok(false) };
    let same = before.health == state.health;
    let since = if same { before.since } else { state.since };
    tx.execute(
        "UPDATE trunks SET health = $2, health_since = $3, health_detail = $4, answered_at = $5 WHERE id = $1",
        &[
            id.as_bytes().into(),
            state.health.as_str().into(),
            since.into(),
            state.detail.as_ref().into(),
            state.last_answer.or(before.last_answer).into(),
        ],
    )?;
    Ok(!same || before.detail != state.detail)
}

/// Takes a trunk away.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn remove(tx: &mut Tx, id: TrunkId) -> Result<()> {
    let changed = tx.execute("DELETE FROM trunks WHERE id = $1", &[id.as_bytes().into()])?;
    expect_one("trunk", changed)
}

/// Reads a trunk.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, id: TrunkId) -> Result<Option<Trunk>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| trunk(&row)).transpose()?)
}

/// All trunks, the oldest first: an installation has few.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx) -> Result<Vec<Trunk>> {
    let rows = tx.query(columns!("ORDER BY id"), &[])?;
    Ok(rows.iter().map(trunk).collect::<Result<_, Fault>>()?)
}

/// Those that carry calls of one kind of environment, the oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn serving(tx: &mut Tx, kind: Environment) -> Result<Vec<Trunk>> {
    let rows = tx.query(columns!("WHERE serves = $1 ORDER BY id"), &[kind.as_str().into()])?;
    Ok(rows.iter().map(trunk).collect::<Result<_, Fault>>()?)
}

/// The trunk that calls itself so, and what it proves its password with, sealed.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn by_user(tx: &mut Tx, user_name: &str) -> Result<Option<(Trunk, Vec<u8>)>> {
    let row = tx.first(columns!("WHERE user_name = $1"), &[user_name.into()])?;
    let Some(row) = row else { return Ok(None) };
    let ha1 = row.opt_bytes(11)?.map(<[u8]>::to_vec);
    Ok(ha1.map(|ha1| trunk(&row).map(|trunk| (trunk, ha1))).transpose()?)
}

fn trunk(row: &Row) -> Result<Trunk, Fault> {
    let mut trunk = Trunk {
        id: TrunkId::from_bytes(row.array(0)?),
        name: row.text(1)?.to_owned(),
        serves: row.word(2, Environment::parse)?,
        user_name: row.opt_text(3)?.map(str::to_owned),
        drained: row.bool(5)?,
        health: HealthState {
            health: row.word(6, Health::parse)?,
            since: row.time(7)?,
            detail: row.opt_text(8)?.map(str::to_owned),
            last_answer: row.opt_time(12)?,
        },
        created_at: row.time(9)?,
        changed_at: row.time(10)?,
        direction: Direction::Both, // from here on: what `settings` says
        host: None,
        port: None,
        transport: Transport::Udp,
        networks: Vec::new(),
        registration: None,
        outgoing: Vec::new(),
        incoming: Vec::new(),
        plus: true,
        routes: Vec::new(),
        capacity: None,
        codecs: vec![Codec::Pcmu],
        srtp: Srtp::Off,
        ping: None,
    };
    codec::trunk_from_text(row.text(4)?, &mut trunk)?;
    Ok(trunk)
}
