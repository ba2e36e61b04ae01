//! The trunk of the demonstration: telephones of this machine.

use tandem_app::{
    App, nothing_more,
    trunks::{self, AddTrunk},
};
use tandem_domain::trunk::{Codec, Destinations, Direction, HealthState, Network, Route, Srtp, Transport, Trunk};
use tandem_kernel::{Environment, TrunkId};

use super::operator;
use crate::failure::Result;

/// Its name.
const NAME: &str = "loopback";
/// Where it takes calls: `sipp -sn uas` can be started there.
pub const PORT: u16 = 5090;
/// The beginning of the numbers that it carries calls to.
const PREFIX: &str = "121255501";
/// One of them.
pub const TARGET: &str = "+12125550101";

/// Sees to it that calls from 127.0.0.1 are a trunk's, and that calls to `PREFIX` go there.
///
/// # Errors
/// Faults of the store.
pub async fn ensure(app: &App) -> Result<()> {
    let known = trunks::serving(app, Environment::Test).await?;
    if known.iter().any(|trunk| trunk.name == NAME) {
        return Ok(());
    }
    let now = app.machine_now();
    let trunk = Trunk {
        id: TrunkId::from_bytes([0; 16]), // its own is made as it is added
        name: NAME.to_owned(),
        serves: Environment::Test,
        direction: Direction::Both,
        host: Some("127.0.0.1".to_owned()),
        port: Some(PORT),
        transport: Transport::Udp,
        networks: Network::parse("127.0.0.0/8").into_iter().collect(),
        user_name: None,
        registration: None,
        outgoing: Vec::new(),
        incoming: Vec::new(),
        plus: true,
        routes: vec![Route { to: Destinations::Prefix(PREFIX.to_owned()), priority: 1, weight: 1 }],
        capacity: None,
        codecs: vec![Codec::Pcmu, Codec::Pcma, Codec::G722],
        srtp: Srtp::Optional,
        ping: None, // whoever is started there may know no OPTIONS
        drained: false,
        health: HealthState::unknown(now),
        created_at: now,
        changed_at: now,
    };
    trunks::add(app, operator(), AddTrunk { trunk, credentials: false, registers: None }, nothing_more()).await?;
    Ok(())
}
