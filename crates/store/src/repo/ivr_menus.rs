//! Menus that callers choose from by keys.

use tandem_catalogue::Result;
use tandem_domain::flow::{IvrMenu, Place};
use tandem_kernel::{EnvironmentId, MenuId};

use super::{call_flows::set_links, expect_one};
use crate::{Fault, Row, Tx, codec};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, environment_id, name, prompt, options, settings, created_at, updated_at, version FROM ivr_menus ",
            $rest
        )
    };
}

/// Adds a menu.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert(tx: &mut Tx, menu: &IvrMenu) -> Result<()> {
    tx.execute(
        "INSERT INTO ivr_menus (id, environment_id, name, prompt, options, settings, created_at, updated_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            menu.id.as_bytes().into(),
            menu.environment.as_bytes().into(),
            (&menu.name).into(),
            (&menu.prompt).into(),
            (&codec::choices_to_text(&menu.options)).into(),
            (&codec::menu_settings_to_text(menu)).into(),
            menu.created_at.into(),
            menu.updated_at.into(),
            menu.version.into(),
        ],
    )?;
    link(tx, menu)
}

/// Writes a menu over the version before it.
///
/// # Errors
/// `concurrent_modification` where another change came first.
pub fn update(tx: &mut Tx, menu: &IvrMenu) -> Result<()> {
    let changed = tx.execute(
        "UPDATE ivr_menus SET name = $2, prompt = $3, options = $4, settings = $5, updated_at = $6, version = $7 \
         WHERE id = $1 AND version + 1 = $7",
        &[
            menu.id.as_bytes().into(),
            (&menu.name).into(),
            (&menu.prompt).into(),
            (&codec::choices_to_text(&menu.options)).into(),
            (&codec::menu_settings_to_text(menu)).into(),
            menu.updated_at.into(),
            menu.version.into(),
        ],
    )?;
    expect_one("IVR menu", changed)?;
    link(tx, menu)
}

/// Removes a menu and where it leads.
///
/// # Errors
/// `concurrent_modification` where it is gone.
pub fn delete(tx: &mut Tx, menu: &IvrMenu) -> Result<()> {
    set_links(tx, menu.environment, Place::Menu(menu.id), &[])?;
    let changed = tx.execute("DELETE FROM ivr_menus WHERE id = $1", &[menu.id.as_bytes().into()])?;
    expect_one("IVR menu", changed)
}

/// Reads an environment's menu.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: MenuId) -> Result<Option<IvrMenu>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    let found = row.map(|row| menu(&row)).transpose()?;
    Ok(found.filter(|menu| menu.environment == environment))
}

/// A page of an environment's menus, oldest first, and how many there are: an environment has few.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn page(tx: &mut Tx, environment: EnvironmentId, limit: i64, offset: i64) -> Result<(Vec<IvrMenu>, i64)> {
    let rows = tx.query(
        columns!("WHERE environment_id = $1 ORDER BY id LIMIT $2 OFFSET $3"),
        &[environment.as_bytes().into(), limit.into(), offset.into()],
    )?;
    Ok((rows.iter().map(menu).collect::<Result<_, Fault>>()?, count(tx, environment)?))
}

/// How many menus an environment has.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn count(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT COUNT(*) FROM ivr_menus WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

fn link(tx: &mut Tx, menu: &IvrMenu) -> Result<()> {
    let targets = menu.destinations().filter_map(|(_, to, certain)| to.place().map(|place| (place, certain)));
    let targets: Vec<_> = targets.collect();
    set_links(tx, menu.environment, Place::Menu(menu.id), &targets)
}

fn menu(row: &Row) -> Result<IvrMenu, Fault> {
    let settings = codec::menu_settings_from_text(row.text(5)?)?;
    Ok(IvrMenu {
        id: MenuId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        name: row.text(2)?.to_owned(),
        prompt: row.text(3)?.to_owned(),
        options: codec::choices_from_text(row.text(4)?)?,
        language: settings.language,
        voice: settings.voice,
        max_digits: settings.max_digits,
        timeout_seconds: settings.timeout_seconds,
        max_attempts: settings.max_attempts,
        fallback: codec::destination(settings.fallback)?,
        created_at: row.time(6)?,
        updated_at: row.time(7)?,
        version: row.int(8)?,
    })
}
