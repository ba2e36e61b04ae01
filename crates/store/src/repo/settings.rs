//! Single values of the installation.

use tandem_catalogue::Result;

use crate::Tx;

/// Reads a value.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    let row = tx.first("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
    Ok(row.map(|row| row.text(0).map(str::to_owned)).transpose()?)
}

/// Writes a value, unless there is one: `false` then.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn put_first(tx: &mut Tx, name: &str, value: &str) -> Result<bool> {
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    Ok(tx.execute(sql, &[name.into(), value.into()])? == 1)
}
