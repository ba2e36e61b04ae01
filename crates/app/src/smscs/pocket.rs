//! The handsets of the pocket network.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, Environment, PhoneNumber};
use tandem_store::{
    Tx,
    repo::{leases, numbers},
};

use super::{PocketMessage, faults::allowed};
use crate::{App, Finish, magic::MagicNumbers};

/// A message that a handset is to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFrom {
    /// The handset's number.
    pub from: PhoneNumber,
    /// A number of the environment's.
    pub to: PhoneNumber,
    /// The text.
    pub text: String,
}

/// What a number's handset received from the caller's environment, the oldest first.
///
/// # Errors
/// `insufficient_scope`, `operation_not_allowed` in a live environment.
pub fn received(app: &App, caller: &Caller, to: PhoneNumber) -> Result<Vec<PocketMessage>> {
    allowed(caller)?;
    let network = app.network.get();
    Ok(network.map(|network| network.received(caller.environment, &to.to_string())).unwrap_or_default())
}

/// A handset sends a message to a number of the caller's environment, or to one that is leased for messages to it. It arrives as any other does, over SMPP.
///
/// # Errors
/// `number_not_found` for a number that the environment does not have, `insufficient_scope`, `operation_not_allowed` in a live
/// environment, `overloaded`.
pub async fn send_from(app: &App, caller: &Caller, command: SendFrom, finish: Finish<SendFrom>) -> Result<SendFrom> {
    let (environment, sent) = (caller.environment, command.clone());
    let read = move |tx: &mut Tx| {
        let lent = leases::find(tx, Environment::Test, sent.from, sent.to)?.filter(|lease| lease.environment == environment);
        Ok(lent.is_some() || numbers::by_phone(tx, environment, sent.to)?.is_some())
    };
    if !app.store.read(read).await? {
        return Err(Error::number_not_found(command.to.to_string()));
    }
    allowed(caller)?;
    let kept = command.clone();
    app.store.write(move |tx| finish(tx, &kept)).await?;
    let network = app.network.get().ok_or_else(|| Error::internal().because("there is no pocket network in this process"))?;
    if network.send(environment, &command.from.to_string(), &command.to.to_string(), &command.text) {
        Ok(command)
    } else {
        Err(Error::overloaded(1))
    }
}

/// The recipients that make the simulated SMSC behave in a certain way.
#[must_use]
pub fn magic_recipients(app: &App) -> Vec<MagicNumbers> {
    app.network.get().map(|network| network.magic_numbers()).unwrap_or_default()
}
