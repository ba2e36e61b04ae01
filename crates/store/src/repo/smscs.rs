//! SMSCs and how they are reached; rules by which the simulated one fails.

use serde::{Deserialize, Serialize};
use tandem_catalogue::Result;
use tandem_kernel::{EnvironmentId, FaultId, SmscId, Timestamp};

use super::expect_one;
use crate::{Fault as Broken, Row, Tx};

/// An SMSC of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smsc {
    /// Its id.
    pub id: SmscId,
    /// The operator's name for it.
    pub name: String,
    /// The password, sealed.
    pub password: Vec<u8>,
    /// How it is reached and what it wants.
    pub settings: Settings,
    /// Whether it only finishes what it has.
    pub drained: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed.
    pub changed_at: Timestamp,
}

/// How an SMSC is reached and what it wants. Words are those of the pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where it is.
    pub host: String,
    /// At which port.
    pub port: u16,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// The authority that signed its certificate, PEM.
    pub authority: Option<String>,
    /// What we call ourselves.
    pub system_id: String,
    /// What sort of system we say we are.
    pub system_type: String,
    /// `transmitter`, `receiver` or `transceiver`.
    pub mode: String,
    /// `3.4` or `5.0`.
    pub version: String,
    /// Submits whose answers may be outstanding.
    pub window: u32,
    /// Submits a second; no limit if none.
    pub rate: Option<u32>,
    /// Type and plan of senders that are numbers.
    pub number_type: (u8, u8),
    /// Type and plan of senders that are names.
    pub name_type: (u8, u8),
    /// Type and plan of short codes.
    pub code_type: (u8, u8),
    /// Whether numbers have a `+`.
    pub plus: bool,
    /// `udh8`, `udh16`, `sar` or `payload`.
    pub long: String,
    /// How receipts write ids: `auto`, `same`, `hex` or `decimal`.
    pub ids: String,
    /// Whether texts of the default alphabet go as Latin-1 where they can.
    pub latin1: bool,
    /// The registered_delivery of every submit.
    pub registered: u8,
    /// Whether submits say how long they are valid.
    pub validity: bool,
    /// Whether every submit names its part.
    pub named: bool,
    /// The beginnings of recipients that it takes, in digits; all if none.
    pub prefixes: Vec<String>,
    /// What a part costs, in millionths.
    pub cost: i64,
    /// Seconds of silence after which the connection is asked after.
    pub enquire_seconds: u32,
    /// Seconds that an answer may take.
    pub answer_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 2775,
            tls: false,
            authority: None,
            system_id: String::new(),
            system_type: String::new(),
            mode: "transceiver".to_owned(),
            version: "3.4".to_owned(),
            window: 10,
            rate: None,
            number_type: (1, 1),
            name_type: (5, 0),
            code_type: (3, 0),
            plus: false,
            long: "udh8".to_owned(),
            ids: "auto".to_owned(),
            latin1: false,
            registered: 1,
            validity: true,
            named: false,
            prefixes: Vec::new(),
            cost: 0,
            enquire_seconds: 30,
            answer_seconds: 30,
        }
    }
}

const COLUMNS: &str = "id, name, password, settings, drained, created_at, changed_at";

fn smsc(row: &Row) -> Result<Smsc, Broken> {
    let settings = serde_json::from_str(row.text(3)?).map_err(|_| Broken::data("an SMSC whose settings cannot be read"))?;
    Ok(Smsc {
        id: SmscId::from_bytes(row.array(0)?),
        name: row.text(1)?.to_owned(),
        password: row.bytes(2)?.to_vec(),
        settings,
        drained: row.bool(4)?,
        created_at: row.time(5)?,
        changed_at: row.time(6)?,
    })
}

fn written(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings).map_err(|fault| tandem_catalogue::Error::internal().because(fault))
}

/// All of them, the oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only; so for all functions here")]
pub fn list(tx: &mut Tx) -> Result<Vec<Smsc>> {
    let rows = tx.query_built(&format!("SELECT {COLUMNS} FROM smscs ORDER BY id"), &[])?;
    Ok(rows.iter().map(smsc).collect::<Result<_, Broken>>()?)
}

/// The ids of all of them.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn ids(tx: &mut Tx) -> Result<Vec<SmscId>> {
    let rows = tx.query("SELECT id FROM smscs", &[])?;
    Ok(rows.iter().map(|row| row.array(0).map(SmscId::from_bytes)).collect::<Result<_, Broken>>()?)
}

/// One of them.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn get(tx: &mut Tx, id: SmscId) -> Result<Option<Smsc>> {
    let rows = tx.query_built(&format!("SELECT {COLUMNS} FROM smscs WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(rows.first().map(smsc).transpose()?)
}

/// Adds one.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn insert(tx: &mut Tx, smsc: &Smsc) -> Result<()> {
    let settings = written(&smsc.settings)?;
    tx.execute(
        "INSERT INTO smscs (id, name, password, settings, drained, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            smsc.id.as_bytes().into(),
            (&smsc.name).into(),
            smsc.password.as_slice().into(),
            (&settings).into(),
            smsc.drained.into(),
            smsc.created_at.into(),
            smsc.changed_at.into(),
        ],
    )?;
    Ok(())
}

/// Writes one that is there.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn update(tx: &mut Tx, smsc: &Smsc) -> Result<()> {
    let settings = written(&smsc.settings)?;
    let changed = tx.execute(
        "UPDATE smscs SET name = $2, password = $3, settings = $4, drained = $5, changed_at = $6 WHERE id = $1",
        &[
            smsc.id.as_bytes().into(),
            (&smsc.name).into(),
            smsc.password.as_slice().into(),
            (&settings).into(),
            smsc.drained.into(),
            smsc.changed_at.into(),
        ],
    )?;
    expect_one("SMSC", changed)
}

/// Takes one away.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn remove(tx: &mut Tx, id: SmscId) -> Result<()> {
    expect_one("SMSC", tx.execute("DELETE FROM smscs WHERE id = $1", &[id.as_bytes().into()])?)
}

/// A rule by which the simulated SMSC fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// Its id.
    pub id: FaultId,
    /// Whose messages it is about.
    pub environment: EnvironmentId,
    /// `submit` or `receipt`.
    pub place: String,
    /// `error`, `delay`, `drop`, `duplicate` or `reorder`.
    pub effect: String,
    /// The status of an error, the milliseconds of a delay.
    pub value: i64,
    /// How often, in millionths.
    pub probability: i64,
    /// Where its dice begin.
    pub seed: i64,
    /// When it was added.
    pub created_at: Timestamp,
}

fn rule(row: &Row) -> Result<FaultRule, Broken> {
    Ok(FaultRule {
        id: FaultId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        place: row.text(2)?.to_owned(),
        effect: row.text(3)?.to_owned(),
        value: row.int(4)?,
        probability: row.int(5)?,
        seed: row.int(6)?,
        created_at: row.time(7)?,
    })
}

/// All rules, or those of one environment, the oldest first.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn faults(tx: &mut Tx, environment: Option<EnvironmentId>) -> Result<Vec<FaultRule>> {
    let rows = match environment {
        None => {
            tx.query("SELECT id, environment_id, place, effect, value, probability, seed, created_at FROM faults ORDER BY id", &[])?
        }
        Some(environment) => tx.query(
            "SELECT id, environment_id, place, effect, value, probability, seed, created_at FROM faults WHERE environment_id = $1 \
             ORDER BY id",
            &[environment.as_bytes().into()],
        )?,
    };
    Ok(rows.iter().map(rule).collect::<Result<_, Broken>>()?)
}

/// Adds a rule.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn add_fault(tx: &mut Tx, rule: &FaultRule) -> Result<()> {
    tx.execute(
        "INSERT INTO faults (id, environment_id, place, effect, value, probability, seed, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            rule.id.as_bytes().into(),
            rule.environment.as_bytes().into(),
            (&rule.place).into(),
            (&rule.effect).into(),
            rule.value.into(),
            rule.probability.into(),
            rule.seed.into(),
            rule.created_at.into(),
        ],
    )?;
    Ok(())
}

/// Takes a rule of an environment away; `false` where there is none.
#[expect(clippy::missing_errors_doc, reason = "as `list`")]
pub fn remove_fault(tx: &mut Tx, environment: EnvironmentId, id: FaultId) -> Result<bool> {
    let sql = "DELETE FROM faults WHERE id = $1 AND environment_id = $2";
    Ok(tx.execute(sql, &[id.as_bytes().into(), environment.as_bytes().into()])? == 1)
}
