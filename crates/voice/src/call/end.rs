//! The end of a call in the store.

use std::time::Duration;

use tandem_app::App;
use tandem_domain::call::Ending;
use tandem_kernel::CallId;

/// How often it is tried before the reconciler has to do it.
const TRIES: u32 = 6;
/// The first pause; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);

/// Writes the record of a call, patiently: a repetition finds what is there.
pub(super) async fn finish(app: &App, id: CallId, ending: Ending) {
    let mut pause = PAUSE;
    for _ in 0..TRIES {
        match tandem_app::calls::finish(app, id, ending.clone()).await {
            Ok(record) => {
                tracing::info!(%id, reason = ending.reason.as_str(), seconds = record.duration, "a call is over");
                return;
            }
            Err(error) => tracing::warn!(%id, ?error, "the end of a call cannot be written yet"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2);
    }
    tracing::error!(%id, "the end of a call is left to the reconciler");
}
