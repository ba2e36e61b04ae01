//! The inventory as operators look after it: one number of it, counts, and what is taken in.

use std::{io::Cursor, time::Duration};

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Features,
    inventory::Entry,
    purchase::{Offer, OfferState},
};
use tandem_kernel::{AccountId, Environment, Money, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{
        accounts,
        census::{self, Numbers},
        invalidations::{Stale, number_subject},
        inventory,
    },
};

use crate::{
    App, Finish,
    accounts::{Operator, note_action, tell_others},
    inventory_import::{self, BadLine, Format, ImportInventory, Imported, Step},
    stock,
};

/// Bad lines that are named in an answer; the rest is counted.
const MOST_NAMED: usize = 1_000;

/// A number of the inventory and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockedNumber {
    /// In which kind of environment it can be bought.
    pub kind: Environment,
    /// The number.
    pub offer: Offer,
    /// The account that has it, or orders it.
    pub account: Option<AccountId>,
}

/// A change of a number of the inventory; members that are none stay.
#[derive(Debug, Clone, Default)]
pub struct ChangeStock {
    /// Whether it is set aside, and not for sale.
    pub reserved: Option<bool>,
    /// What a month costs, in millionths.
    pub monthly: Option<i64>,
    /// What getting it costs, in millionths.
    pub setup: Option<i64>,
    /// What it can do.
    pub features: Option<Features>,
    /// Which address its country wants.
    pub address_requirement: Option<&'static str>,
}

/// Counts of one kind of environment's inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// In which kind of environment.
    pub kind: Environment,
    /// How many numbers there are.
    pub total: i64,
    /// How many of them are for sale.
    pub available: i64,
    /// By carrier and state.
    pub groups: Vec<Numbers>,
}

/// What was taken in, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// Counts.
    pub imported: Imported,
    /// The first of the bad lines.
    pub bad_lines: Vec<BadLine>,
}

/// Reads a number of the inventory.
///
/// # Errors
/// `resource_not_found`.
pub async fn get(app: &App, kind: Environment, number: String) -> Result<StockedNumber> {
    let read = move |tx: &mut Tx| {
        let found = match PhoneNumber::from_e164(&number) {
            Some(phone) => inventory::get(tx, kind, phone)?,
            None => None,
        };
        stocked(tx, kind, found.ok_or_else(|| unknown(&number))?)
    };
    app.store.read(read).await
}

/// Counts the inventory. It reads all of it.
///
/// # Errors
/// Faults of the store.
pub async fn summary(app: &App, kind: Environment) -> Result<Summary> {
    let mut groups = app.store.scan(census::inventory).await?;
    groups.retain(|group| group.kind == kind.as_str());
    let count = |state: Option<OfferState>| {
        let counted = groups.iter().filter(|group| state.is_none_or(|state| group.state == state.as_str()));
        counted.map(|group| group.count).fold(0, i64::saturating_add)
    };
    let (total, available) = (count(None), count(Some(OfferState::Available)));
    Ok(Summary { kind, total, available, groups })
}

/// Sets a number aside or puts it up for sale again, and changes what it costs and can do. What somebody has or orders stays.
///
/// # Errors
/// `resource_not_found`, `invalid_transition` for a number that is in somebody's possession or rests.
pub async fn change(
    app: &App,
    operator: Operator,
    kind: Environment,
    number: String,
    command: ChangeStock,
    finish: Finish<StockedNumber>,
) -> Result<StockedNumber> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let found = match PhoneNumber::from_e164(&number) {
            Some(phone) => inventory::lock(tx, kind, phone)?,
            None => None,
        };
        let offer = changed(found.ok_or_else(|| unknown(&number))?, &command)?;
        inventory::put(tx, kind, &offer, pen.machine_now())?;
        tell_others(tx, &pen, Stale::Number, number_subject(kind, offer.phone))?;
        let (monthly, setup) = (offer.monthly.to_string(), offer.setup.to_string());
        let features = offer.features.to_string();
        let detail = json!({ "environment": kind.as_str(), "state": offer.state.as_str(), "monthly": monthly, "setup": setup,
                             "features": features });
        note_action(tx, &pen, &operator, "inventory.change", &offer.phone.to_string(), &detail)?;
        let view = stocked(tx, kind, offer)?;
        finish(tx, &view)?;
        Ok(view)
    };
    let view = app.store.write(work).await?;
    shelve(app, &view).await;
    Ok(view)
}

/// Takes numbers in from a text that is in memory, and keeps the answer for repetitions. A repetition that finds none, because the
/// first was cut off, loads what that left out.
///
/// # Errors
/// As [`inventory_import::import`].
pub async fn import(
    app: &App,
    operator: Operator,
    kind: Environment,
    format: Format,
    text: impl AsRef<[u8]> + Send + 'static,
    finish: Finish<Intake>,
) -> Result<Intake> {
    let command = ImportInventory { kind, format, searched_here: true, pause: Duration::ZERO };
    let mut bad_lines = Vec::new();
    let report = |step: Step<'_>| {
        if let Step::Refused(bad) = step
            && bad_lines.len() < MOST_NAMED
        {
            bad_lines.push(bad.clone());
        }
    };
    let imported = inventory_import::import(app, operator, command, Cursor::new(text), report).await?;
    let intake = Intake { imported, bad_lines };
    let kept = intake.clone();
    app.store.write(move |tx| finish(tx, &kept)).await?;
    Ok(intake)
}

fn changed(mut offer: Offer, command: &ChangeStock) -> Result<Offer> {
    let ours = offer.state == OfferState::Available || (offer.state == OfferState::Reserved && offer.holder.is_none());
    if !ours {
        return Err(Error::invalid_transition("number", offer.state.as_str(), "changed"));
    }
    let price = |now: Money, then: Option<i64>| Money { micros: then.unwrap_or(now.micros), ..now };
    offer.state = match command.reserved {
        Some(true) => OfferState::Reserved,
        Some(false) => OfferState::Available,
        None => offer.state,
    };
    offer.monthly = price(offer.monthly, command.monthly);
    offer.setup = price(offer.setup, command.setup);
    offer.features = command.features.unwrap_or(offer.features);
    if let Some(requirement) = command.address_requirement {
        offer.address_requirement = requirement.to_owned();
    }
    Ok(offer)
}

/// Brings the index in step. What it knows already keeps its state when it is inserted again, so that is set apart.
async fn shelve(app: &App, view: &StockedNumber) {
    let (kind, phone, entry) = (view.kind, view.offer.phone, stock::entry(&view.offer));
    let known = app.stock.get(kind, phone);
    if known.is_none_or(|known| Entry { available: entry.available, ..known } != entry) {
        let app = app.clone();
        let shelved = tokio::task::spawn_blocking(move || app.stock.insert(kind, &[entry]));
        if let Err(fault) = shelved.await {
            tracing::warn!(%fault, "a number that was changed is not in the search before the next start");
        }
    }
    app.stock.set_available(kind, phone, entry.available);
}

fn stocked(tx: &mut Tx, kind: Environment, offer: Offer) -> Result<StockedNumber> {
    let account = match offer.holder {
        Some(holder) => accounts::environment(tx, holder)?.map(|settings| settings.account),
        None => None,
    };
    Ok(StockedNumber { kind, offer, account })
}

fn unknown(number: &str) -> Error {
    Error::resource_not_found("number of the inventory", number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_catalogue::Code;
    use tandem_kernel::{Currency, EnvironmentId};

    fn offer(state: OfferState, holder: Option<EnvironmentId>) -> Offer {
        Offer {
            phone: PhoneNumber::from_digits(14_155_550_123),
            carrier: "owned".into(),
            features: Features::VOICE,
            monthly: Money::new(990_000, Currency::USD),
            setup: Money::new(0, Currency::USD),
            address_requirement: "none".into(),
            state,
            holder,
        }
    }

    #[test]
    fn a_number_is_set_aside_and_put_up_for_sale_again() {
        let reserve = ChangeStock { reserved: Some(true), ..ChangeStock::default() };
        let set_aside = changed(offer(OfferState::Available, None), &reserve).expect("it is for sale");
        assert_eq!((set_aside.state, set_aside.monthly.micros), (OfferState::Reserved, 990_000));
        let release = ChangeStock { reserved: Some(false), monthly: Some(1), ..ChangeStock::default() };
        let back = changed(set_aside, &release).expect("nobody has it");
        assert_eq!((back.state, back.monthly.micros), (OfferState::Available, 1));
    }

    #[test]
    fn what_somebody_has_or_orders_stays() {
        let buyer = Some(EnvironmentId::from_bytes([1; 16]));
        for (state, holder) in [(OfferState::Assigned, buyer), (OfferState::Reserved, buyer), (OfferState::Quarantined, None)] {
            let refused = changed(offer(state, holder), &ChangeStock::default()).expect_err("not ours");
            assert_eq!(refused.code(), Code::InvalidTransition, "{state:?}");
        }
    }
}
