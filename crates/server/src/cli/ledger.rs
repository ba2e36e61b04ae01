//! `tandem admin verify-ledger`.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::json;
use tandem_app::audit::{LedgerReport, verify_ledger};

use super::office;
use crate::{
    config::Config,
    failure::Result,
    output::{remark, say, say_json},
};

/// How often progress is told.
const TOLD: Duration = Duration::from_secs(5);

/// Checks all books.
///
/// # Errors
/// Faults of the store. Books that are wrong are the exit code 1.
pub async fn run(config: &Config, json: bool) -> Result<ExitCode> {
    let app = office::open(config).await?;
    let mut told = Instant::now();
    let progress = |report: &LedgerReport| {
        if told.elapsed() >= TOLD {
            told = Instant::now();
            remark(format_args!("{} wallets, {} numbers of the inventory checked", report.wallets, report.inventory));
        }
    };
    let report = verify_ledger(&app, progress).await;
    app.store.close().await;
    let report = report?;
    let LedgerReport { wallets, transfers, numbers, invoices, inventory, faults } = &report;
    if json {
        say_json(&json!({
            "clean": report.is_clean(), "wallets": wallets, "transfers": transfers, "numbers": numbers, "invoices": invoices,
            "inventory": inventory, "faults": faults,
        }))?;
    } else {
        for fault in faults {
            say(fault)?;
        }
        say(format_args!(
            "{wallets} wallets with {transfers} transfers, {numbers} numbers, {invoices} invoices, {inventory} numbers of the inventory"
        ))?;
        say(if report.is_clean() { "everything adds up".to_owned() } else { format!("{} faults", faults.len()) })?;
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
