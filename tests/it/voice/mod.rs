//! Voice: trunks, devices, routing, money, records of calls, conferences; and calls between telephones.

mod asked;
pub mod calls;
mod conferences;
mod conferring;
mod controls;
mod devices;
mod early;
mod health;
mod joined;
mod killed;
mod money;
mod overload;
mod pocket;
mod recorded;
mod recordings;
mod refusals;
mod rooms;
mod routing;
mod secure;
mod trunks;
mod vanishing;
mod waiting;

use tandem_catalogue::Code;

/// Does it again as long as the store is too busy for it: whoever carries calls does so, and each step is done once.
async fn patiently<T, R>(work: impl Fn() -> R) -> Result<T, Code>
where
    R: Future<Output = tandem_catalogue::Result<T>>,
{
    loop {
        match work().await.map_err(|error| error.code()) {
            Err(Code::Unavailable | Code::Overloaded) => tokio::task::yield_now().await,
            outcome => return outcome,
        }
    }
}
