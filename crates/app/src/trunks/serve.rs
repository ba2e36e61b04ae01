//! What whoever speaks SIP asks about trunks.

use std::net::IpAddr;

use tandem_catalogue::Result;
use tandem_domain::trunk::{Health, HealthState, OwnRegistration, Trunk};
use tandem_kernel::{Environment, TrunkId};
use tandem_store::{Fault, Tx, repo::trunks};

use crate::App;

/// The trunk that an address is one of; of several the one whose range is the narrowest.
///
/// # Errors
/// Faults of the store; so for the other functions here.
pub async fn identify(app: &App, source: IpAddr) -> Result<Option<Trunk>> {
    let all = app.store.read(trunks::list).await?;
    let bits = |trunk: &Trunk| trunk.networks.iter().filter(|network| network.contains(source)).map(|network| network.bits()).max();
    let known = all.into_iter().filter(Trunk::is_inbound).filter_map(|trunk| bits(&trunk).map(|bits| (bits, trunk)));
    Ok(known.max_by_key(|(bits, trunk)| (*bits, std::cmp::Reverse(trunk.id))).map(|(_, trunk)| trunk))
}

/// All trunks that we call, ping or register with, of both kinds of environment.
#[expect(clippy::missing_errors_doc, reason = "as `identify`")]
pub async fn outbound(app: &App) -> Result<Vec<Trunk>> {
    let all = app.store.read(trunks::list).await?;
    Ok(all.into_iter().filter(|trunk| trunk.host.is_some()).collect())
}

/// The trunks that carry calls of one kind of environment.
#[expect(clippy::missing_errors_doc, reason = "as `identify`")]
pub async fn serving(app: &App, kind: Environment) -> Result<Vec<Trunk>> {
    app.store.read(move |tx| trunks::serving(tx, kind)).await
}

/// Notes whether a trunk answers, and why it does not; whether that is news. One that is up has answered just now.
#[expect(clippy::missing_errors_doc, reason = "as `identify`")]
pub async fn report_health(app: &App, id: TrunkId, health: Health, detail: Option<String>) -> Result<bool> {
    let now = app.machine_now();
    let state = HealthState { health, since: now, detail, last_answer: (health == Health::Up).then_some(now) };
    app.store.write(move |tx: &mut Tx| trunks::set_health(tx, id, &state)).await
}

/// The password with which we register.
///
/// # Errors
/// `internal` where another secret key sealed it.
pub fn own_password(app: &App, registration: &OwnRegistration) -> Result<String> {
    let opened = app.vault.open(&registration.password).and_then(|plain| String::from_utf8(plain).ok());
    opened.ok_or_else(|| Fault::data("the password of a trunk was sealed by another secret key").into())
}
