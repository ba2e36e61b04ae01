//! Calls that an account has us make.

use serde_json::{Map, Value};
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Features,
    call::Live,
    config::Recording,
    flow::Destination,
    routing::{Plan, Treatment},
};
use tandem_kernel::{Caller, EnvironmentId, PhoneNumber, Scope};
use tandem_store::{Tx, repo::numbers};

use super::{
    control::shown_as,
    live::{BeginCall, begin_in},
    switchboard::{MadeCall, Next, Spoken, Switchboard, Then, switchboard},
};
use crate::{
    App, Finish, permit,
    routing::{self, RouteQuery},
};

/// A call to make.
#[derive(Clone, Debug)]
pub struct MakeCall {
    /// The number of the account's that calls.
    pub from: PhoneNumber,
    /// Who is called.
    pub to: PhoneNumber,
    /// Seconds that it may ring.
    pub timeout: i64,
    /// Seconds that it may last.
    pub max_duration: i64,
    /// The account's labels.
    pub tags: Map<String, Value>,
    /// The account's fields.
    pub custom_fields: Map<String, Value>,
    /// Whether and how it is recorded; as the number says if none.
    pub recording: Option<Recording>,
    /// What whoever answers hears first.
    pub say: Option<Spoken>,
    /// Where they are led; where the number leads to if none.
    pub to_then: Option<Destination>,
}

/// Makes a call. Whoever answers is led to where the request says, otherwise to where the number that calls leads its own callers; where
/// that is nowhere, they hear music until an order to the call says what follows.
///
/// # Errors
/// `insufficient_scope`, those of routing for both ends, `insufficient_funds`, `trunks_unavailable` where nothing here carries calls.
pub async fn make(app: &App, caller: &Caller, command: MakeCall, finish: Finish<Live>) -> Result<Live> {
    permit(caller, Scope::CallsWrite)?;
    let board = switchboard(app, || command.to.to_string())?;
    let routed = routing::outgoing(app, caller.environment, command.from, command.to).await?;
    let mut plan = routed.plan?;
    ring_for(&mut plan, command.timeout);
    if command.recording.is_some() {
        plan.recording.clone_from(&command.recording);
    }
    let then = then(app, caller, &command).await?;
    let begin = BeginCall {
        timeout: Some(command.timeout),
        max_duration: Some(command.max_duration),
        tags: command.tags,
        custom_fields: command.custom_fields,
        ..BeginCall::of_ours(app, caller.environment, command.from, command.to, &plan, routed.explanation)
    };
    carried(app, &*board, begin, (plan, then), finish).await
}

/// Begins a call of ours and has it carried.
pub(super) async fn carried(
    app: &App,
    board: &dyn Switchboard,
    begin: BeginCall,
    (plan, then): (Plan, Then),
    finish: Finish<Live>,
) -> Result<Live> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, begin.environment)?;
        let begun = begin_in(tx, &desk, &begin)?;
        finish(tx, &begun.0)?;
        Ok(begun)
    };
    let (live, grant) = app.store.write(work).await?;
    app.mailbox.ring();
    board.carry(MadeCall { live: live.clone(), grant, plan, then }).await;
    Ok(live)
}

/// The number that calls where nobody says which: the one that the environment has had longest of those that carry calls.
///
/// # Errors
/// `operation_not_allowed` where there is none.
pub(crate) fn calling_number(tx: &mut Tx, environment: EnvironmentId) -> Result<PhoneNumber> {
    let number = numbers::oldest_with(tx, environment, Features::VOICE)?;
    let none = || Error::operation_not_allowed("None of your numbers carries calls".to_owned());
    number.map(|number| number.phone).ok_or_else(none)
}

fn ring_for(plan: &mut Plan, seconds: i64) {
    if let Treatment::Ring(stages) = &mut plan.begin {
        for stage in stages {
            stage.ring_seconds = seconds;
        }
    }
}

/// What whoever answers is connected to, decided before anybody is called.
async fn then(app: &App, caller: &Caller, command: &MakeCall) -> Result<Then> {
    let query = RouteQuery { from: Some(command.to), ..RouteQuery::default() };
    if command.to_then == Some(Destination::Hangup) {
        return Ok(Then { say: command.say.clone(), next: Next::End });
    }
    let routed = match &command.to_then {
        Some(to) => Some(routing::onward(app, caller.environment, command.from, to.clone(), query).await?),
        None => routing::own(app, caller.environment, command.from, query).await?,
    };
    let next = match routed {
        Some(routed) => {
            let plan = routed.plan?;
            Next::Lead(shown_as(plan.begin, Some(command.from)), plan.otherwise)
        }
        None if command.say.is_some() => Next::End,
        None => Next::Wait,
    };
    Ok(Then { say: command.say.clone(), next })
}
