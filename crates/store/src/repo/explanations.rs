//! Why decisions came out as they did, kept with the objects that they were about.

use serde::{Deserialize, Serialize};
use tandem_catalogue::Result;
use tandem_domain::{Explanation, Step};
use tandem_kernel::{EnvironmentId, ExplanationId, Timestamp};

use crate::{Fault, Param, Row, Tx, codec};

/// An explanation as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: ExplanationId,
    /// The object, as pages name it.
    pub subject: String,
    /// What was decided.
    pub decision: String,
    /// How it came out.
    pub outcome: String,
    /// What was looked at.
    pub steps: Vec<Step>,
    /// When, by the environment's clock.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StepRow {
    rule: String,
    compared: String,
    met: bool,
}

/// Keeps an explanation.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn keep(tx: &mut Tx, id: ExplanationId, environment: EnvironmentId, explanation: &Explanation, at: Timestamp) -> Result<()> {
    keep_many(tx, environment, &[(id, explanation)], at)
}

/// Keeps many explanations.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn keep_many(
    tx: &mut Tx,
    environment: EnvironmentId,
    explanations: &[(ExplanationId, &Explanation)],
    at: Timestamp,
) -> Result<()> {
    let step = |step: &Step| StepRow { rule: step.rule.clone(), compared: step.compared.clone(), met: step.met };
    let steps = explanations.iter().map(|(_, explanation)| codec::to_text(&explanation.steps.iter().map(step).collect::<Vec<_>>()));
    let steps: Vec<String> = steps.collect();
    let rows = explanations.iter().zip(&steps).map(|((id, explanation), steps)| {
        vec![
            id.as_bytes().into(),
            environment.as_bytes().into(),
            (&explanation.subject).into(),
            explanation.decision.into(),
            (&explanation.outcome).into(),
            steps.into(),
            at.into(),
        ]
    });
    tx.insert_later(
        "INSERT INTO explanations (id, environment_id, subject, decision, outcome, steps, at)",
        "ON CONFLICT (id) DO NOTHING",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

/// The explanations of an object from the one after `after`, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of(tx: &mut Tx, environment: EnvironmentId, subject: &str, after: ExplanationId, limit: i64) -> Result<Vec<Kept>> {
    let rows = tx.query(
        "SELECT id, subject, decision, outcome, steps, at FROM explanations WHERE environment_id = $1 AND subject = $2 AND id > $3 \
         ORDER BY id LIMIT $4",
        &[environment.as_bytes().into(), subject.into(), after.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(kept).collect::<Result<_, Fault>>()?)
}

/// The explanations of what was decided about an object at one instant, oldest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn made_at(tx: &mut Tx, environment: EnvironmentId, subject: &str, at: Timestamp, limit: i64) -> Result<Vec<Kept>> {
    let rows = tx.query(
        "SELECT id, subject, decision, outcome, steps, at FROM explanations WHERE environment_id = $1 AND subject = $2 AND at = $3 \
         ORDER BY id LIMIT $4",
        &[environment.as_bytes().into(), subject.into(), at.into(), limit.into()],
    )?;
    Ok(rows.iter().map(kept).collect::<Result<_, Fault>>()?)
}

fn kept(row: &Row) -> Result<Kept, Fault> {
    let steps: Vec<StepRow> = codec::from_text(row.text(4)?)?;
    Ok(Kept {
        id: ExplanationId::from_bytes(row.array(0)?),
        subject: row.text(1)?.to_owned(),
        decision: row.text(2)?.to_owned(),
        outcome: row.text(3)?.to_owned(),
        steps: steps.into_iter().map(|step| Step { rule: step.rule, compared: step.compared, met: step.met }).collect(),
        at: row.time(5)?,
    })
}
