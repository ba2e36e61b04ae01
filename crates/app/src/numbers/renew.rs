//! Charging a number's months.

use serde_json::json;
use tandem_catalogue::{Code, Result};
use tandem_domain::{
    Explanation,
    event::EventKind,
    number::{Number, NumberState},
};
use tandem_kernel::NumberId;
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{
    Tx,
    repo::{ledger, numbers},
};

use super::release_in;
use crate::{
    app::Desk,
    due::{Done, next_day},
};

/// The due work that charges a number's next month. Its step is the month's number, so that each is charged once.
pub const RENEWAL_JOB: &str = "number.renew";

/// Due work: charges a number's month `period`, or suspends the number, or releases it when its grace period is over.
///
/// # Errors
/// Faults of the store.
pub fn renew(tx: &mut Tx, desk: &Desk, id: NumberId, period: i64) -> Result<Done> {
    let Some(number) = numbers::by_id(tx, id)? else { return Ok(Done::Finished) };
    let due = i64::from(number.periods_paid) == period;
    if !due || !matches!(number.state, NumberState::Active | NumberState::Suspended { .. } | NumberState::PortingOut) {
        return Ok(Done::Finished); // paid already, or released
    }
    let mut explanation = Explanation::of("renewal", id.to_string());
    let paid = charge(tx, desk, &number, period);
    match paid {
        Ok(()) => {
            explanation.note("the wallet pays the month", number.monthly.to_string(), true);
            desk.explain(tx, &explanation.concluding(format!("month {} was charged", period + 1)))?;
            renewed(tx, desk, number)
        }
        Err(error) if error.code() == Code::InsufficientFunds => {
            let compared = error.render(tandem_catalogue::Dialect::Native).message;
            explanation.note("the wallet pays the month", compared, false);
            unpaid(tx, desk, number, explanation)
        }
        Err(error) => Err(error),
    }
}

fn charge(tx: &mut Tx, desk: &Desk, number: &Number, period: i64) -> Result<()> {
    if number.monthly.micros == 0 {
        return Ok(());
    }
    let reference = number.id.to_string();
    let cause = Cause {
        id: transfer_id(number.environment, &[&reference, "renewal", &period.to_string()]),
        description: format!("{}: month from {}", number.phone, number.next_charge().date()),
        reference,
        purpose: "to renew this number".into(),
    };
    ledger::post(tx, number.environment, vec![(Posting::Charge(number.monthly.micros), cause)], desk.now).map(drop)
}

fn renewed(tx: &mut Tx, desk: &Desk, number: Number) -> Result<Done> {
    let (leaving, back) = (number.state == NumberState::PortingOut, matches!(number.state, NumberState::Suspended { .. }));
    let mut number = number.renewed();
    if leaving {
        number.state = NumberState::PortingOut;
    }
    numbers::update(tx, &number)?;
    let name = number.id.to_string();
    let data = json!({ "number": number.phone.to_string(), "periods_paid": number.periods_paid });
    desk.event(tx, &name, EventKind::NumberRenewed, &data)?;
    if back {
        desk.event(tx, &name, EventKind::NumberReactivated, &data)?;
    }
    desk.schedule(tx, RENEWAL_JOB, *number.id.as_bytes(), i64::from(number.periods_paid), number.next_charge())?;
    Ok(Done::Finished)
}

fn unpaid(tx: &mut Tx, desk: &Desk, number: Number, explanation: Explanation) -> Result<Done> {
    let suspended_before = matches!(number.state, NumberState::Suspended { .. });
    let number = if number.state == NumberState::PortingOut { number } else { number.unpaid() };
    let NumberState::Suspended { grace_until } = number.state else {
        return Ok(Done::Again(next_day(desk.now))); // leaving anyway: the next carrier takes it, paid or not
    };
    if desk.now >= grace_until {
        desk.explain(tx, &explanation.concluding("the grace period is over: the number was released"))?;
        if !suspended_before {
            numbers::update(tx, &number)?;
        }
        return release_in(tx, desk, number, "unpaid").map(|_| Done::Finished);
    }
    if !suspended_before {
        numbers::update(tx, &number)?;
        let data = json!({ "number": number.phone.to_string(), "grace_until": grace_until.to_string() });
        desk.event(tx, &number.id.to_string(), EventKind::NumberSuspended, &data)?;
        desk.explain(tx, &explanation.concluding(format!("the number is suspended and kept until {grace_until}")))?;
    }
    Ok(Done::Again(next_day(desk.now).min(grace_until)))
}
