//! The end of a call in the store.

use std::time::Duration;

use tandem_app::App;
use tandem_catalogue::Code;
use tandem_domain::call::Ending;
use tandem_kernel::CallId;

/// The first pause; each is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// Writes the record of a call, as long as it takes: a repetition finds what is there, and nobody else does it while this process lives.
pub(super) async fn finish(app: &App, id: CallId, ending: Ending) {
    let mut pause = PAUSE;
    loop {
        match tandem_app::calls::finish(app, id, ending.clone()).await {
            Ok(record) => {
                tracing::info!(%id, reason = ending.reason.as_str(), seconds = record.duration, "a call is over");
                return;
            }
            Err(error) if error.code() == Code::CallNotFound => return tracing::error!(%id, "a call has ended that never began"),
            Err(error) => tracing::warn!(%id, ?error, "the end of a call cannot be written yet"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST);
    }
}
