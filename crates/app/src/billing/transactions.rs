//! The movements of a wallet, as its owner is shown them.

use tandem_catalogue::Result;
use tandem_domain::billing::{Transaction, TransactionStatus, TransactionType};
use tandem_kernel::{Caller, Scope, Timestamp};
use tandem_store::repo::{ledger, transactions as repo};

use super::between;
use crate::{App, permit};

/// Which transactions to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListTransactions {
    /// Only those of this type.
    pub kind: Option<TransactionType>,
    /// Only those that are here.
    pub status: Option<TransactionStatus>,
    /// Only those made at this instant or later, by the environment's clock.
    pub from: Option<Timestamp>,
    /// Only those made before this instant: a caller's last day ends at the midnight after it.
    pub until: Option<Timestamp>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// A page of transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionList {
    /// The page, newest first.
    pub transactions: Vec<Transaction>,
    /// How many there are in all.
    pub total: i64,
}

/// Lists the transactions of the caller's wallet.
///
/// Charges and holds are shown as charges, credits as credits, refunds as refunds, and what the operator took out as an adjustment
/// below zero. A hold is pending until nothing is left of it; then it is completed with what was captured, or cancelled where
/// nothing was. Captures and releases are not shown beside it.
///
/// # Errors
/// `invalid_value` where the period ends before it begins, `insufficient_scope`.
pub async fn transactions(app: &App, caller: &Caller, command: ListTransactions) -> Result<TransactionList> {
    let ListTransactions { kind, status, from, until, limit, offset } = command;
    let (from, until) = between(from, until)?;
    permit(caller, Scope::BillingRead)?;
    let wallet = caller.environment;
    let filter = repo::Filter { kind, status, from, until };
    let read = app.store.read(move |tx| {
        let currency = ledger::wallet(tx, wallet)?.currency;
        repo::page(tx, wallet, currency, &filter, limit, offset)
    });
    let (transactions, total) = read.await?;
    Ok(TransactionList { transactions, total })
}
