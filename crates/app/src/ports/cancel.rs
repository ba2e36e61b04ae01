//! Calling a port off.

use tandem_catalogue::Result;
use tandem_domain::port::Port;
use tandem_kernel::{Caller, Scope};
use tandem_store::Tx;

use super::{read::find, steps};
use crate::{App, Finish, permit};

/// Calls a port off: its carrier is told first, then the fee is released and the number goes.
///
/// # Errors
/// `port_not_found`, `insufficient_scope`, `invalid_transition` for a port that has ended, `bad_gateway` and
/// `carrier_unavailable` where its carrier cannot be told: nothing changes then.
pub async fn cancel(app: &App, caller: &Caller, id: String, finish: Finish<Port>) -> Result<Port> {
    let (environment, name) = (caller.environment, id.clone());
    let port = app.store.read(move |tx| find(tx, environment, &name)).await?;
    permit(caller, Scope::PortsWrite)?;
    port.clone().canceled(port.updated_at)?; // a carrier is not told of what cannot be
    let carrier = app.carriers.guarded(&port.carrier, environment, app.machine_now())?;
    carrier.cancel_port(&port).await.map_err(|mishap| mishap.error)?;
    let (pen, word) = (app.pen(), format!("request {} calls it off", caller.request));
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, environment)?;
        let port = find(tx, environment, &id)?;
        let port = steps::cancel(tx, &desk, port, &word)?;
        finish(tx, &port)?;
        Ok(port)
    };
    app.store.write(work).await
}
