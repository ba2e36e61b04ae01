//! Call flows, and what leads to what.

use std::collections::BTreeMap;

use tandem_catalogue::Result;
use tandem_domain::flow::{CallFlow, Place};
use tandem_kernel::{EnvironmentId, FlowId, MenuId, PhoneNumber};

use super::expect_one;
use crate::{Fault, Param, Row, Tx, codec};

/// The number for which a flow was made is shown as long as its configuration names the flow.
macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.environment_id, f.name, f.description, n.phone, f.active, f.routing, f.created_at, f.updated_at, f.version, \
             n.call_flow FROM call_flows f LEFT JOIN numbers n ON n.environment_id = f.environment_id AND n.phone = f.phone \
             AND n.state <> 'released' ",
            $rest
        )
    };
}

/// Adds a flow.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, flow: &CallFlow) -> Result<()> {
    tx.execute(
        "INSERT INTO call_flows (id, environment_id, name, description, phone, active, routing, created_at, updated_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            flow.id.as_bytes().into(),
            flow.environment.as_bytes().into(),
            (&flow.name).into(),
            (&flow.description).into(),
            flow.phone.map(PhoneNumber::digits).into(),
            flow.active.into(),
            (&codec::routing_to_text(&flow.routing)).into(),
            flow.created_at.into(),
            flow.updated_at.into(),
            flow.version.into(),
        ],
    )?;
    link(tx, flow)
}

/// Writes a flow over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, flow: &CallFlow) -> Result<()> {
    let changed = tx.execute(
        "UPDATE call_flows SET name = $2, description = $3, phone = $4, active = $5, routing = $6, updated_at = $7, version = $8 \
         WHERE id = $1 AND version + 1 = $8",
        &[
            flow.id.as_bytes().into(),
            (&flow.name).into(),
            (&flow.description).into(),
            flow.phone.map(PhoneNumber::digits).into(),
            flow.active.into(),
            (&codec::routing_to_text(&flow.routing)).into(),
            flow.updated_at.into(),
            flow.version.into(),
        ],
    )?;
    expect_one("call flow", changed)?;
    link(tx, flow)
}

/// Removes a flow and where it leads.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn delete(tx: &mut Tx, flow: &CallFlow) -> Result<()> {
    set_links(tx, flow.environment, Place::Flow(flow.id), &[])?;
    let changed = tx.execute("DELETE FROM call_flows WHERE id = $1", &[flow.id.as_bytes().into()])?;
    expect_one("call flow", changed)
}

/// Reads an environment's flow.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: FlowId) -> Result<Option<CallFlow>> {
    let row = tx.first(columns!("WHERE f.id = $1"), &[id.as_bytes().into()])?;
    let found = row.map(|row| flow(&row)).transpose()?;
    Ok(found.filter(|flow| flow.environment == environment))
}

/// Reads those of many flows that an environment has, in no order.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_ids(tx: &mut Tx, environment: EnvironmentId, ids: &[FlowId]) -> Result<Vec<CallFlow>> {
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE f.environment_id = $1 AND f.id IN"), &[environment.as_bytes().into()], &keys, "")?;
    Ok(rows.iter().map(flow).collect::<Result<_, Fault>>()?)
}

/// A page of an environment's flows from the one after `after`, oldest first, and how many there are: an environment has few.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn page(tx: &mut Tx, environment: EnvironmentId, after: FlowId, limit: i64, offset: i64) -> Result<(Vec<CallFlow>, i64)> {
    let rows = tx.query(
        columns!("WHERE f.environment_id = $1 AND f.id > $2 ORDER BY f.id LIMIT $3 OFFSET $4"),
        &[environment.as_bytes().into(), after.as_bytes().into(), limit.into(), offset.into()],
    )?;
    Ok((rows.iter().map(flow).collect::<Result<_, Fault>>()?, count(tx, environment)?))
}

/// How many flows an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT COUNT(*) FROM call_flows WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// Which of these flows and menus an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn existing(tx: &mut Tx, environment: EnvironmentId, places: &[Place]) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    let id_of_flow = |place: &'_ Place| if let Place::Flow(id) = place { Some(*id) } else { None };
    let id_of_menu = |place: &'_ Place| if let Place::Menu(id) = place { Some(*id) } else { None };
    let flows: Vec<FlowId> = places.iter().filter_map(id_of_flow).collect();
    let menus: Vec<MenuId> = places.iter().filter_map(id_of_menu).collect();
    let flows: Vec<Param> = flows.iter().map(|id| id.as_bytes().into()).collect();
    let menus: Vec<Param> = menus.iter().map(|id| id.as_bytes().into()).collect();
    let own = [environment.as_bytes().into()];
    for row in tx.query_in("SELECT id FROM call_flows WHERE environment_id = $1 AND id IN", &own, &flows, "")? {
        found.push(Place::Flow(FlowId::from_bytes(row.array(0)?)));
    }
    for row in tx.query_in("SELECT id FROM ivr_menus WHERE environment_id = $1 AND id IN", &own, &menus, "")? {
        found.push(Place::Menu(MenuId::from_bytes(row.array(0)?)));
    }
    Ok(found)
}

fn link(tx: &mut Tx, flow: &CallFlow) -> Result<()> {
    let targets: Vec<_> = flow.destinations().filter_map(|(_, to, certain)| to.place().map(|place| (place, certain))).collect();
    set_links(tx, flow.environment, Place::Flow(flow.id), &targets)
}

/// Notes where a flow or menu leads, with whether it does in any case, in place of where it led before.
pub(super) fn set_links(tx: &mut Tx, environment: EnvironmentId, source: Place, targets: &[(Place, bool)]) -> Result<()> {
    let source = source.to_string();
    tx.execute(
        "DELETE FROM flow_links WHERE environment_id = $1 AND source = $2",
        &[environment.as_bytes().into(), (&source).into()],
    )?;
    let mut merged = BTreeMap::new();
    for (target, certain) in targets {
        *merged.entry(target.to_string()).or_insert(false) |= certain;
    }
    let rows = merged
        .iter()
        .map(|(target, certain)| vec![environment.as_bytes().into(), (&source).into(), target.into(), Param::Bool(*certain)]);
    let rows: Vec<Vec<Param>> = rows.collect();
    tx.insert_many("INSERT INTO flow_links (environment_id, source, target, certain)", "", &rows).map(drop)
}

/// Where flows and menus send calls in any case.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn links_of(tx: &mut Tx, environment: EnvironmentId, sources: &[Place]) -> Result<Vec<(Place, Place)>> {
    let sources: Vec<String> = sources.iter().map(Place::to_string).collect();
    let keys: Vec<Param> = sources.iter().map(Param::from).collect();
    let rows = tx.query_in(
        "SELECT source, target FROM flow_links WHERE environment_id = $1 AND source IN",
        &[environment.as_bytes().into()],
        &keys,
        "AND certain",
    )?;
    Ok(rows.iter().map(|row| Ok((row.word(0, Place::parse)?, row.word(1, Place::parse)?))).collect::<Result<_, Fault>>()?)
}

/// A flow, menu or number that sends calls to a place, but for the place itself; as it is named.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn user_of(tx: &mut Tx, environment: EnvironmentId, place: Place) -> Result<Option<String>> {
    let target = place.to_string();
    let environment = environment.as_bytes();
    let linked = tx.first(
        "SELECT source FROM flow_links WHERE environment_id = $1 AND target = $2 AND source <> $2 ORDER BY source LIMIT 1",
        &[environment.into(), (&target).into()],
    )?;
    if let Some(row) = linked {
        return Ok(Some(row.text(0)?.to_owned()));
    }
    let number = tx.first(
        "SELECT phone FROM numbers WHERE environment_id = $1 AND call_flow = $2 ORDER BY phone LIMIT 1",
        &[environment.into(), (&target).into()],
    )?;
    Ok(number.map(|row| row.int(0)).transpose()?.map(|digits| format!("+{digits}")))
}

fn flow(row: &Row) -> Result<CallFlow, Fault> {
    let id = FlowId::from_bytes(row.array(0)?);
    let leads_here = row.opt_text(10)? == Some(id.to_string().as_str());
    let phone = row.opt_int(4)?.filter(|_| leads_here).map(u64::try_from).transpose().map_err(|_| Fault::shape(4))?;
    Ok(CallFlow {
        id,
        environment: EnvironmentId::from_bytes(row.array(1)?),
        name: row.text(2)?.to_owned(),
        description: row.text(3)?.to_owned(),
        phone: phone.map(PhoneNumber::from_digits),
        active: row.bool(5)?,
        routing: codec::routing_from_text(row.text(6)?)?,
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
        version: row.int(9)?,
    })
}
