//! Why decisions came out as they did.

use tandem_catalogue::{Code, Dialect, Error, Result};
use tandem_domain::{Explanation, message::Message, number::Number, port::Port};
use tandem_kernel::{Caller, ExplanationId, NumberId, OrderId, Scope, TransferId};
use tandem_ledger::{Book, Transfer, Wallet};
use tandem_store::{
    Tx,
    repo::{
        explanations::{self, Kept},
        ledger,
        message_parts::{self, Part},
        numbers,
        requests::Found,
    },
};

use crate::{
    App, messages,
    numbers::{NumberRef, find},
    permit, ports, requests,
};

/// Explanations of one instant that are shown at the most.
const MOST: i64 = 100;

/// Which of an object's explanations to show, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Which {
    /// From the one after this.
    pub after: Option<ExplanationId>,
    /// How many.
    pub limit: i64,
}

/// A movement of money, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedCharge {
    /// The movement.
    pub transfer: Transfer,
    /// The wallet that it moved in, as it is now.
    pub wallet: Wallet,
    /// Millionths that could be spent, and that were set aside, before it.
    pub before: (i64, i64),
    /// Of a hold: millionths that are still set aside, and those that were earned.
    pub hold: Option<(i64, i64)>,
    /// The hold that it drew on.
    pub drawn_on: Option<Transfer>,
    /// The object for whose sake it was made, where it has explanations of its own.
    pub object: Option<String>,
    /// What was decided about that object at the same time.
    pub explanations: Vec<Kept>,
}

/// Explains what was decided about a number, also after it was given back.
///
/// # Errors
/// `number_not_found`, `owned_number_not_found`, `insufficient_scope`.
pub async fn number(app: &App, caller: &Caller, number: NumberRef, which: Which) -> Result<(Number, Vec<Kept>)> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let number = find_ever(tx, &asker, &number)?;
        permit(&asker, Scope::LogsRead)?;
        let kept = of(tx, &asker, &number.id.to_string(), which)?;
        Ok((number, kept))
    };
    app.store.read(read).await
}

/// Explains what was decided about a port.
///
/// # Errors
/// `port_not_found`, `insufficient_scope`.
pub async fn port(app: &App, caller: &Caller, id: String, which: Which) -> Result<(Port, Vec<Kept>)> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let port = ports::find(tx, asker.environment, &id)?;
        permit(&asker, Scope::LogsRead)?;
        let kept = of(tx, &asker, &id, which)?;
        Ok((port, kept))
    };
    app.store.read(read).await
}

/// Explains what was decided about a message, with what became of each of its segments.
///
/// # Errors
/// `message_not_found`, `insufficient_scope`.
pub async fn message(app: &App, caller: &Caller, id: String, which: Which) -> Result<(Message, Vec<Part>, Vec<Kept>)> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let message = messages::find(tx, asker.environment, &id)?;
        permit(&asker, Scope::LogsRead)?;
        let parts = message_parts::of(tx, &[message.id])?;
        let kept = of(tx, &asker, &id, which)?;
        Ok((message, parts, kept))
    };
    app.store.read(read).await
}

/// Explains what was decided, and most of all refused, in the course of a request.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn request(app: &App, caller: &Caller, id: String, which: Which) -> Result<(Found, Vec<Kept>)> {
    let found = requests::find(app, Some(caller.environment), &id).await?;
    permit(caller, Scope::LogsRead)?;
    let asker = *caller;
    let kept = app.store.read(move |tx| of(tx, &asker, &id, which)).await?;
    Ok((found, kept))
}

/// Explains a movement of money.
///
/// # Errors
/// `resource_not_found`, `insufficient_scope`.
pub async fn charge(app: &App, caller: &Caller, id: String) -> Result<ExplainedCharge> {
    let asker = *caller;
    app.store.read(move |tx| charge_in(tx, &asker, &id)).await
}

fn charge_in(tx: &mut Tx, caller: &Caller, id: &str) -> Result<ExplainedCharge> {
    let found = match TransferId::parse(id) {
        Some(id) => ledger::transfer(tx, id)?.filter(|transfer| transfer.wallet == caller.environment),
        None => None,
    };
    let transfer = found.ok_or_else(|| Error::resource_not_found("charge", id.to_owned()))?;
    permit(caller, Scope::LogsRead)?;
    let drawn_on = match transfer.hold {
        Some(hold) => ledger::transfer(tx, hold)?,
        None => None,
    };
    let object = object_of(&transfer.reference);
    let explanations = match &object {
        Some(object) => explanations::made_at(tx, caller.environment, object, transfer.at, MOST)?,
        None => Vec::new(),
    };
    Ok(ExplainedCharge {
        wallet: ledger::wallet(tx, caller.environment)?,
        before: before(&transfer),
        hold: ledger::hold(tx, transfer.id)?,
        drawn_on,
        object,
        explanations,
        transfer,
    })
}

/// Keeps why a request was refused, with the request: there is no object that it could be kept with.
pub(crate) fn refusal(app: &App, caller: &Caller, decision: &'static str, outcome: String, error: &Error) {
    if matches!(error.code(), Code::Internal | Code::Unavailable | Code::Overloaded) {
        return;
    }
    let mut explanation = Explanation::of(decision, caller.request.to_string());
    explanation.note(error.code().entry().title, error.render(Dialect::Native).message, false);
    let now = app.machine_now();
    app.journal.explain(ExplanationId::new(now, &*app.rng), caller.environment, explanation.concluding(outcome), now);
}

/// The object that explains money moved for `reference`: an order is explained with the number that it became, which bears its id.
fn object_of(reference: &str) -> Option<String> {
    match OrderId::parse(reference) {
        Some(order) => Some(NumberId::from_bytes(*order.as_bytes()).to_string()),
        None => {
            let explained = NumberId::parse(reference).is_some()
                || tandem_kernel::PortId::parse(reference).is_some()
                || tandem_kernel::MessageId::parse(reference).is_some();
            explained.then(|| reference.to_owned())
        }
    }
}

/// The balances before a transfer.
fn before(transfer: &Transfer) -> (i64, i64) {
    let (from, to) = transfer.kind.books();
    let undo = |book, after: i64| match (from == book, to == book) {
        (true, _) => after.saturating_add(transfer.amount),
        (_, true) => after.saturating_sub(transfer.amount),
        _ => after,
    };
    (undo(Book::Available, transfer.available_after), undo(Book::Held, transfer.held_after))
}

fn find_ever(tx: &mut Tx, caller: &Caller, number: &NumberRef) -> Result<Number> {
    match number {
        NumberRef::Id(id) => {
            let found = numbers::by_id(tx, *id)?.filter(|number| number.environment == caller.environment);
            found.ok_or_else(|| Error::number_not_found(id.to_string()))
        }
        other => find(tx, caller.environment, other),
    }
}

/// The explanations of one of the caller's objects.
pub(crate) fn of(tx: &mut Tx, caller: &Caller, subject: &str, which: Which) -> Result<Vec<Kept>> {
    let after = which.after.unwrap_or(ExplanationId::from_bytes([0; 16]));
    explanations::of(tx, caller.environment, subject, after, which.limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::{EnvironmentId, Timestamp};
    use tandem_ledger::TransferKind;

    #[test]
    fn an_order_is_explained_with_the_number_that_it_became() {
        let order = OrderId::from_bytes([7; 16]);
        assert_eq!(object_of(&order.to_string()), Some(NumberId::from_bytes([7; 16]).to_string()));
        let number = NumberId::from_bytes([8; 16]).to_string();
        assert_eq!(object_of(&number), Some(number.clone()));
        assert_eq!(object_of("a bank's reference"), None);
    }

    #[test]
    fn balances_before_a_transfer_are_those_that_it_changed() {
        let transfer = |kind| Transfer {
            id: TransferId::from_bytes([1; 16]),
            wallet: EnvironmentId::from_bytes([2; 16]),
            sequence: 3,
            kind,
            amount: 5,
            hold: None,
            deadline: None,
            reference: String::new(),
            description: String::new(),
            at: Timestamp::default(),
            available_after: 100,
            held_after: 10,
            previous: [0; 32],
            hash: [0; 32],
        };
        for (kind, expected) in [
            (TransferKind::Credit, (95, 10)),
            (TransferKind::Withdrawal, (105, 10)),
            (TransferKind::Charge, (105, 10)),
            (TransferKind::Hold, (105, 5)),
            (TransferKind::Capture, (100, 15)),
            (TransferKind::Release, (95, 15)),
            (TransferKind::Refund, (95, 10)),
        ] {
            assert_eq!(before(&transfer(kind)), expected, "{kind:?}");
        }
    }
}
