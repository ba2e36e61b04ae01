//! `/magic-numbers`: what can be provoked in a test environment, and by which numbers.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_catalogue::Result;
use utoipa::ToSchema;

use crate::http::{Access, Call, Endpoint, Reply};

/// All scenarios.
#[derive(Serialize, ToSchema)]
struct ScenariosDto {
    /// In the order in which they are documented.
    data: Vec<ScenarioDto>,
}

/// A behaviour of the simulated carrier.
#[derive(Serialize, ToSchema)]
struct ScenarioDto {
    /// Its name.
    #[schema(example = "port_rejected_pin")]
    name: &'static str,
    /// What its numbers are used for: `purchase`, `port`, `mms`, `message` or `call`.
    purpose: &'static str,
    /// Which they are; one is as good as another.
    numbers: Vec<String>,
    /// What the carrier does.
    carrier: &'static str,
    /// What you see.
    outcome: &'static str,
}

/// The operation.
pub fn endpoints() -> Vec<Endpoint> {
    let summary = "The telephone numbers that make the simulated carrier of the test environments behave in a certain way.";
    vec![
        Endpoint::new("listMagicNumbers", Method::GET, "/magic-numbers", summary, list)
            .tag("Simulation")
            .access(Access::Anybody)
            .answers::<ScenariosDto>(StatusCode::OK),
    ]
}

async fn list(call: Call) -> Result<Reply> {
    let all = call.app.carriers.magic_numbers()?.into_iter().chain(tandem_app::smscs::magic_recipients(&call.app));
    let all = all.chain(tandem_app::handsets::magic_callees(&call.app));
    let scenarios = all.map(|scenario| ScenarioDto {
        name: scenario.name,
        purpose: scenario.purpose,
        numbers: scenario.numbers.iter().map(ToString::to_string).collect(),
        carrier: scenario.carrier,
        outcome: scenario.outcome,
    });
    Ok(Reply::json(StatusCode::OK, &ScenariosDto { data: scenarios.collect() }))
}
