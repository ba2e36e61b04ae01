//! Wallets, transfers and holds: the store's half of the ledger.

use std::collections::HashMap;

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Currency, EnvironmentId, Timestamp, TransferId};
use tandem_ledger::{Audit, Cause, OpenHold, Posting, Transfer, TransferKind, Wallet};

use super::{expect_all, expect_one, totals};
use crate::{Fault, Param, Row, Tx};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, wallet_id, sequence, kind, amount, hold_id, deadline, reference, description, posted_at, available_after, \
             held_after, previous, hash FROM transfers ",
            $rest
        )
    };
}

const WALLET: &str = "SELECT environment_id, currency, available, held, sequence, head FROM wallets WHERE environment_id = $1";
/// Transfers that an audit reads at a time.
const AUDIT_PAGE: i64 = 5_000;

/// Opens an empty wallet.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open(tx: &mut Tx, id: EnvironmentId, currency: Currency) -> Result<()> {
    let wallet = Wallet::empty(id, currency);
    tx.execute(
        "INSERT INTO wallets (environment_id, currency, available, held, sequence, head) VALUES ($1, $2, 0, 0, 0, $3)",
        &[id.as_bytes().into(), currency.as_str().into(), (&wallet.head).into()],
    )?;
    Ok(())
}

/// Reads a wallet.
///
/// # Errors
/// `internal` where there is none: every environment has one.
pub fn wallet(tx: &mut Tx, id: EnvironmentId) -> Result<Wallet> {
    let row = tx.first(WALLET, &[id.as_bytes().into()])?;
    read_wallet(&row.ok_or_else(|| Fault::data("an environment without a wallet"))?)
}

/// Posts movements to one wallet, in order, in as few statements as one would take. A movement whose id is there already is left
/// out: its cause was seen before.
///
/// Returns the transfers, those that were there already included.
///
/// # Errors
/// What [`Wallet::post`] refuses, and `transfer_conflict` where the id is there with another kind or amount.
pub fn post(tx: &mut Tx, id: EnvironmentId, postings: Vec<(Posting, Cause)>, at: Timestamp) -> Result<Vec<Transfer>> {
    let row = tx.first_locked(WALLET, &[id.as_bytes().into()])?;
    let mut wallet = read_wallet(&row.ok_or_else(|| Fault::data("an environment without a wallet"))?)?;
    let mut seen = transfers(tx, postings.iter().map(|(_, cause)| &cause.id))?;
    let mut holds = open_amounts(tx, id, postings.iter().filter_map(|(posting, _)| posting.hold()))?;
    let (mut posted, mut new) = (Vec::with_capacity(postings.len()), Vec::new());
    for (posting, cause) in postings {
        if let Some(before) = seen.get(&cause.id) {
            if (before.kind, before.amount) != (posting.kind(), posting.amount()) {
                return Err(Error::transfer_conflict(before.reference.clone()));
            }
            posted.push(before.clone());
            continue;
        }
        let hold = posting.hold().and_then(|hold| holds.get(&hold)).map(|remaining| OpenHold { remaining: *remaining });
        let (after, transfer) = wallet.post(posting, hold, cause, at)?;
        match transfer.hold {
            Some(hold) => *holds.entry(hold).or_default() -= transfer.amount,
            None if transfer.kind == TransferKind::Hold => drop(holds.insert(transfer.id, transfer.amount)),
            None => {}
        }
        wallet = after;
        seen.insert(transfer.id, transfer.clone());
        posted.push(transfer.clone());
        new.push(transfer);
    }
    if new.is_empty() {
        return Ok(posted);
    }
    append(tx, &new)?;
    settle(tx, &new)?;
    totals::add(tx, id, &new)?;
    let changed = tx.execute(
        "UPDATE wallets SET available = $1, held = $2, sequence = $3, head = $4 WHERE environment_id = $5",
        &[wallet.available.into(), wallet.held.into(), wallet.sequence.into(), (&wallet.head).into(), id.as_bytes().into()],
    )?;
    expect_one("wallet", changed)?;
    Ok(posted)
}

/// Reads a transfer.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn transfer(tx: &mut Tx, id: TransferId) -> Result<Option<Transfer>> {
    let row = tx.first(columns!("WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(row.map(|row| read_transfer(&row)).transpose()?)
}

/// What is left of a hold; `None` for one that is settled or another wallet's.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open_hold(tx: &mut Tx, wallet: EnvironmentId, id: TransferId) -> Result<Option<OpenHold>> {
    let row = tx.first(
        "SELECT remaining FROM holds WHERE id = $1 AND wallet_id = $2 AND remaining > 0",
        &[id.as_bytes().into(), wallet.as_bytes().into()],
    )?;
    Ok(row.map(|row| row.int(0).map(|remaining| OpenHold { remaining })).transpose()?)
}

/// What a hold has become: millionths that are still set aside, and those that were earned.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn hold(tx: &mut Tx, id: TransferId) -> Result<Option<(i64, i64)>> {
    let row = tx.first("SELECT remaining, captured FROM holds WHERE id = $1", &[id.as_bytes().into()])?;
    Ok(row.map(|row| Ok::<_, Fault>((row.int(0)?, row.int(1)?))).transpose()?)
}

/// A wallet's transfers from the one before `before` back, newest first.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn history(tx: &mut Tx, wallet: EnvironmentId, before: i64, limit: i64) -> Result<Vec<Transfer>> {
    let rows = tx.query(
        columns!("WHERE wallet_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3"),
        &[wallet.as_bytes().into(), before.into(), limit.into()],
    )?;
    Ok(rows.iter().map(read_transfer).collect::<Result<_, Fault>>()?)
}

/// What a wallet paid on the days from `from` to the one before `to`, in millionths: charges and captures less refunds.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn spent(tx: &mut Tx, wallet: EnvironmentId, from: Timestamp, to: Timestamp) -> Result<i64> {
    totals::spent(tx, wallet, from, to)
}

/// A hold that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Its id.
    pub id: TransferId,
    /// Millionths still set aside.
    pub remaining: i64,
    /// When it lapses.
    pub deadline: Timestamp,
}

/// A wallet's open holds.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn open_holds(tx: &mut Tx, wallet: EnvironmentId) -> Result<Vec<Held>> {
    let sql = "SELECT id, remaining, deadline FROM holds WHERE wallet_id = $1 AND remaining > 0";
    let rows = tx.query(sql, &[wallet.as_bytes().into()])?;
    let holds = rows
        .iter()
        .map(|row| Ok(Held { id: TransferId::from_bytes(row.array(0)?), remaining: row.int(1)?, deadline: row.time(2)? }));
    Ok(holds.collect::<Result<_, Fault>>()?)
}

/// The wallets from the one after `after`, in the order of their ids.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn wallets(tx: &mut Tx, after: EnvironmentId, limit: i64) -> Result<Vec<Wallet>> {
    let rows = tx.query(
        "SELECT environment_id, currency, available, held, sequence, head FROM wallets WHERE environment_id > $1 \
         ORDER BY environment_id LIMIT $2",
        &[after.as_bytes().into(), limit.into()],
    )?;
    rows.iter().map(read_wallet).collect()
}

/// Recomputes a wallet and its daily totals from its transfers; the faults found.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn audit(tx: &mut Tx, id: EnvironmentId) -> Result<Vec<String>> {
    audit_with(tx, id, |_| {})
}

/// As [`audit`], and shows each transfer to whoever has more to compare with them.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn audit_with(tx: &mut Tx, id: EnvironmentId, mut see: impl FnMut(&Transfer)) -> Result<Vec<String>> {
    let wallet = wallet(tx, id)?;
    let mut audit = Audit::of(&wallet);
    let mut tally = totals::Tally::default();
    let mut after = 0;
    loop {
        let rows = tx.query(
            columns!("WHERE wallet_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"),
            &[id.as_bytes().into(), after.into(), AUDIT_PAGE.into()],
        )?;
        for row in &rows {
            let transfer = read_transfer(row)?;
            after = transfer.sequence;
            audit.take(&transfer);
            tally.take(&transfer);
            see(&transfer);
        }
        if rows.is_empty() {
            break;
        }
    }
    let holds: HashMap<_, _> = open_holds(tx, id)?.into_iter().map(|hold| (hold.id, hold.remaining)).collect();
    let mut faults = audit.finish(&wallet, &holds);
    faults.extend(tally.compare(tx, id)?);
    Ok(faults)
}

/// Those of many transfers that are there.
fn transfers<'a>(tx: &mut Tx, ids: impl Iterator<Item = &'a TransferId>) -> Result<HashMap<TransferId, Transfer>> {
    let keys: Vec<Param> = ids.map(|id| id.as_bytes().into()).collect();
    let rows = tx.query_in(columns!("WHERE id IN"), &[], &keys, "")?;
    let found = rows.iter().map(|row| read_transfer(row).map(|transfer| (transfer.id, transfer)));
    Ok(found.collect::<Result<_, Fault>>()?)
}

/// What is left of those of many holds of a wallet that are open.
fn open_amounts(tx: &mut Tx, wallet: EnvironmentId, ids: impl Iterator<Item = TransferId>) -> Result<HashMap<TransferId, i64>> {
    let ids: Vec<TransferId> = ids.collect();
    let keys: Vec<Param> = ids.iter().map(|id| id.as_bytes().into()).collect();
    let sql = "SELECT id, remaining FROM holds WHERE wallet_id = $1 AND remaining > 0 AND id IN";
    let rows = tx.query_in(sql, &[wallet.as_bytes().into()], &keys, "")?;
    let found = rows.iter().map(|row| Ok((TransferId::from_bytes(row.array(0)?), row.int(1)?)));
    Ok(found.collect::<Result<_, Fault>>()?)
}

fn append(tx: &mut Tx, transfers: &[Transfer]) -> Result<()> {
    let rows = transfers.iter().map(|transfer| {
        let (debit, credit) = transfer.kind.books();
        vec![
            transfer.id.as_bytes().into(),
            transfer.wallet.as_bytes().into(),
            transfer.sequence.into(),
            transfer.kind.as_str().into(),
            debit.as_str().into(),
            credit.as_str().into(),
            transfer.amount.into(),
            transfer.hold.as_ref().map(TransferId::as_bytes).into(),
            transfer.deadline.into(),
            (&transfer.reference).into(),
            (&transfer.description).into(),
            transfer.at.into(),
            transfer.available_after.into(),
            transfer.held_after.into(),
            (&transfer.previous).into(),
            (&transfer.hash).into(),
        ]
    });
    tx.insert_later(
        "INSERT INTO transfers (id, wallet_id, sequence, kind, debit, credit, amount, hold_id, deadline, reference, description, \
         posted_at, available_after, held_after, previous, hash)",
        "",
        &rows.collect::<Vec<Vec<Param>>>(),
    )
}

fn settle(tx: &mut Tx, transfers: &[Transfer]) -> Result<()> {
    let made = transfers.iter().filter_map(|transfer| {
        let deadline = transfer.deadline.filter(|_| transfer.kind == TransferKind::Hold)?;
        Some(vec![
            transfer.id.as_bytes().into(),
            transfer.wallet.as_bytes().into(),
            transfer.sequence.into(),
            transfer.at.into(),
            transfer.amount.into(),
            0_i64.into(),
            deadline.into(),
        ])
    });
    tx.insert_later(
        "INSERT INTO holds (id, wallet_id, sequence, posted_at, remaining, captured, deadline)",
        "",
        &made.collect::<Vec<Vec<Param>>>(),
    )?;
    let drawn = transfers.iter().filter_map(|transfer| {
        let hold = transfer.hold.as_ref()?;
        let captured = if transfer.kind == TransferKind::Capture { transfer.amount } else { 0 };
        Some(vec![transfer.amount.into(), captured.into(), hold.as_bytes().into()])
    });
    let drawn: Vec<Vec<Param>> = drawn.collect();
    let sql = "UPDATE holds SET remaining = remaining - $1, captured = captured + $2 WHERE id = $3";
    let changed = tx.execute_many(sql, &drawn)?;
    expect_all("hold", changed, drawn.len())
}

fn read_wallet(row: &Row) -> Result<Wallet> {
    Ok(Wallet {
        id: EnvironmentId::from_bytes(row.array(0)?),
        currency: row.currency(1)?,
        available: row.int(2)?,
        held: row.int(3)?,
        sequence: row.int(4)?,
        head: row.array(5)?,
    })
}

fn read_transfer(row: &Row) -> Result<Transfer, Fault> {
    Ok(Transfer {
        id: TransferId::from_bytes(row.array(0)?),
        wallet: EnvironmentId::from_bytes(row.array(1)?),
        sequence: row.int(2)?,
        kind: row.word(3, TransferKind::parse)?,
        amount: row.int(4)?,
        hold: row.opt_array(5)?.map(TransferId::from_bytes),
        deadline: row.opt_time(6)?,
        reference: row.text(7)?.to_owned(),
        description: row.text(8)?.to_owned(),
        at: row.time(9)?,
        available_after: row.int(10)?,
        held_after: row.int(11)?,
        previous: row.array(12)?,
        hash: row.array(13)?,
    })
}
