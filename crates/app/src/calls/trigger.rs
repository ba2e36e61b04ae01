//! Calls for a lead: an agent is rung, hears who it is about, and the lead is called for them.

use serde_json::{Map, Value, json};
use tandem_catalogue::Result;
use tandem_domain::call::Live;
use tandem_kernel::{Caller, PhoneNumber, Scope};

use super::{
    control::shown_as,
    live::BeginCall,
    make::{calling_number, carried},
    switchboard::{Next, Spoken, Then, switchboard},
};
use crate::{App, Finish, permit, routing};

/// What the call costs once the agent has answered, in millionths, however long both speak (the price list of the Telephony.io API).
pub const FEE: i64 = 100_000;
/// How often the agent hears who it is about.
const TIMES: u32 = 1;

/// Whom to connect.
#[derive(Clone, Debug)]
pub struct TriggerCall {
    /// Who is rung first.
    pub agent: PhoneNumber,
    /// Who is called for them.
    pub lead: PhoneNumber,
    /// What the lead is called.
    pub name: String,
    /// Whence the lead came.
    pub source: Option<String>,
    /// The account's fields.
    pub metadata: Map<String, Value>,
}

/// Rings an agent, says who it is about, and connects the lead. Both see the number that the account has had longest of those that carry
/// calls.
///
/// # Errors
/// `insufficient_scope`, `operation_not_allowed` where no number carries calls, those of routing for both, `insufficient_funds`,
/// `trunks_unavailable` where nothing here carries calls.
pub async fn trigger(app: &App, caller: &Caller, command: TriggerCall, finish: Finish<Live>) -> Result<Live> {
    permit(caller, Scope::CallsWrite)?;
    let board = switchboard(app, || command.agent.to_string())?;
    let environment = caller.environment;
    let number = app.store.read(move |tx| calling_number(tx, environment)).await?;
    let agent = routing::outgoing(app, environment, number, command.agent).await?;
    let plan = agent.plan?;
    let lead = routing::outgoing(app, environment, number, command.lead).await?.plan?;
    let then = Then {
        say: Some(Spoken { text: whisper(&command), language: "en-US".to_owned(), times: TIMES }),
        next: Next::Lead(shown_as(lead.begin, Some(number)), lead.otherwise),
    };
    let mut begin = BeginCall::of_ours(app, environment, number, command.agent, &plan, agent.explanation);
    begin.fee = Some(FEE);
    begin.tags = labels(&command);
    begin.custom_fields = command.metadata;
    carried(app, &*board, begin, (plan, then), finish).await
}

fn whisper(command: &TriggerCall) -> String {
    let source = command.source.as_ref().map_or_else(String::new, |source| format!(" from {source}"));
    format!("New lead{source}: {}. Connecting you now.", command.name)
}

fn labels(command: &TriggerCall) -> Map<String, Value> {
    let labels = json!({ "lead_phone": command.lead.to_string(), "lead_name": command.name, "source": command.source });
    match labels {
        Value::Object(labels) => labels.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}
