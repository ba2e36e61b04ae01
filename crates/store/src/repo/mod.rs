//! Repositories: how each kind of object is kept. Absence is `Option`; the number of affected rows is always looked at.

pub mod accounts;
pub mod addresses;
pub mod audit;
pub mod call_flows;
pub mod calls;
pub mod census;
pub mod clock_moves;
pub mod conferences;
pub mod deliveries;
pub mod devices;
pub mod events;
pub mod explanations;
pub mod idempotency;
pub mod incoming_parts;
pub mod invalidations;
pub mod inventory;
pub mod invoices;
pub mod ivr_menus;
pub mod jobs;
pub mod keys;
pub mod leases;
pub mod ledger;
pub mod limits;
pub mod live_calls;
pub mod logins;
mod message_options;
pub mod message_parts;
pub mod messages;
pub mod number_counts;
pub mod numbers;
pub mod optouts;
pub mod orders;
pub mod outbox;
pub mod ports;
pub mod properties;
pub mod recordings;
pub mod requests;
pub mod settings;
pub mod smscs;
pub mod totals;
pub mod transactions;
pub mod trunks;
pub mod usage;
pub mod verifications;
pub mod verify;
pub mod webhooks;

use tandem_catalogue::{Error, Result};

use crate::Param;

/// Turns "no row was changed" into `concurrent_modification`.
fn expect_one(kind: &'static str, changed: u64) -> Result<()> {
    expect_all(kind, changed, 1)
}

/// Turns "not every row was changed" into `concurrent_modification`.
fn expect_all(kind: &'static str, changed: u64, wanted: usize) -> Result<()> {
    if usize::try_from(changed) == Ok(wanted) { Ok(()) } else { Err(Error::concurrent_modification(kind)) }
}

/// A further condition on a list of values, which are added to the parameters; nothing where there are none. The last value is repeated
/// up to a power of two, so that engines compile few statements.
fn listed<'a>(params: &mut Vec<Param<'a>>, condition: &str, values: impl Iterator<Item = Param<'a>>) -> String {
    let before = params.len();
    params.extend(values);
    let Some(last) = params.get(before..).and_then(<[Param]>::last).copied() else { return String::new() };
    params.resize(before + (params.len() - before).next_power_of_two(), last);
    let places: Vec<String> = (before + 1..=params.len()).map(|place| format!("${place}")).collect();
    format!(" AND {condition} ({})", places.join(", "))
}
