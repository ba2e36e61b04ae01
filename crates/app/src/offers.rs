//! Changes of the inventory by use cases. Several processes on one database each have the inventory in memory: there, every change
//! leaves a note for the others. An SQLite file has one server, which pays nothing for this.

use tandem_catalogue::Result;
use tandem_domain::purchase::{Offer, OfferState};
use tandem_kernel::{EnvironmentId, PhoneNumber};
use tandem_store::{
    Engine, Tx,
    repo::{
        invalidations::{Stale, number_subject},
        inventory,
    },
};

use crate::{accounts::tell_others, app::Desk};

/// Moves a number from one state to another, if it is in the former.
///
/// # Errors
/// `concurrent_modification` where it is not.
pub fn shift(
    tx: &mut Tx,
    desk: &Desk,
    phone: PhoneNumber,
    states: (OfferState, OfferState),
    holder: Option<EnvironmentId>,
) -> Result<()> {
    inventory::shift(tx, desk.settings.kind, phone, states, holder, desk.now)?;
    tell(tx, desk, phone)
}

/// Adds a number, or writes over the one that is there: for a number that came from another carrier.
///
/// # Errors
/// Faults of the store.
pub fn put(tx: &mut Tx, desk: &Desk, offer: &Offer) -> Result<()> {
    inventory::put(tx, desk.settings.kind, offer, desk.now)?;
    tell(tx, desk, offer.phone)
}

fn tell(tx: &mut Tx, desk: &Desk, phone: PhoneNumber) -> Result<()> {
    match tx.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => tell_others(tx, &desk.pen, Stale::Number, number_subject(desk.settings.kind, phone)),
    }
}
