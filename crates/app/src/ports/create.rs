//! Asking for a number that is with another carrier.

use serde_json::json;
use tandem_catalogue::{Code, Dialect, Error, Result};
use tandem_domain::{
    Explanation, Features,
    account::Account,
    address::Requirement,
    config::NumberConfig,
    event::EventKind,
    number::{Number, NumberState},
    port::{self, ESTIMATE_DAYS, Port, PortDetails, PortState, Standing},
    property::default_of,
};
use tandem_kernel::{Caller, Environment, EnvironmentId, ExplanationId, Money, NumberId, PhoneNumber, PortId, Scope};
use tandem_ledger::Posting;
use tandem_store::{
    Fault, Tx,
    repo::{accounts, inventory, ledger, numbers, ports},
};

use super::{advance::PORT_JOB, steps};
use crate::{
    App, Finish, Operation,
    app::{Desk, Settings},
    carrier::Portability,
    permit, spending,
};

/// Days that the hold of a fee is meant to last: more than the longest port, see [`super::schedule`].
const HOLD_DAYS: i64 = 180;
/// What a number that comes from elsewhere is taken to be able to do.
const FEATURES: Features = Features::VOICE.with(Features::SMS);

/// A number to port.
#[derive(Debug, Clone)]
pub struct PortNumber {
    /// The number and what the losing carrier wants to know.
    pub details: PortDetails,
}

/// Creates a port, and the account's number in the state `porting`. The fee is held until the port ends.
///
/// # Errors
/// What is wrong with the details, `insufficient_scope`, then `already_exists`, `cannot_port_pending`, `port_not_possible_now`,
/// `cannot_port_unverified`, then the carrier's `cannot_port_ineligible`, `cannot_port_carrier`, `bad_gateway` and
/// `carrier_unavailable`, then `spending_limit_reached` and `insufficient_funds`.
pub async fn create(app: &App, caller: &Caller, operation: Operation, command: PortNumber, finish: Finish<Port>) -> Result<Port> {
    command.details.check()?;
    permit(caller, Scope::PortsWrite)?;
    let phone = command.details.phone;
    let mut explanation = Explanation::of("port", caller.request.to_string());
    let outcome = attempt(app, caller, operation, command, finish, &mut explanation).await;
    match &outcome {
        Ok(_) => app.bell.ring(),
        Err(error) => explain_refusal(app, caller, phone, explanation, error),
    }
    outcome
}

async fn attempt(
    app: &App,
    caller: &Caller,
    operation: Operation,
    command: PortNumber,
    finish: Finish<Port>,
    explanation: &mut Explanation,
) -> Result<Port> {
    let phone = command.details.phone;
    let begun = examine(app, caller, operation, phone, explanation).await?;
    let carrier = app.carriers.gaining(caller.kind);
    if !begun {
        ask(app, caller, carrier, phone, explanation).await?;
    }
    let (pen, settings, caller) = (app.pen(), app.settings.clone(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        if let Some(port) = ports::open_of_operation(tx, caller.environment, &operation.0)? {
            finish(tx, &port)?;
            return Ok(port); // this very request was carried out before
        }
        if begun {
            return Err(Error::concurrent_modification("port")); // and its port has ended since
        }
        let port = begin(tx, &desk, &settings, operation, carrier, &command.details)?;
        finish(tx, &port)?;
        Ok(port)
    };
    app.store.write(work).await
}

/// Looks at what we know of the number, before its carrier is asked; whether this very request made its port before.
async fn examine(
    app: &App,
    caller: &Caller,
    operation: Operation,
    phone: PhoneNumber,
    explanation: &mut Explanation,
) -> Result<bool> {
    let (caller, blank) = (*caller, explanation.clone());
    let read = app.store.read(move |tx| {
        let mut steps = blank.clone();
        if ports::open_of_operation(tx, caller.environment, &operation.0)?.is_some() {
            return Ok((steps, Ok(true)));
        }
        let verdict = check(tx, caller.kind, caller.environment, phone, &mut steps);
        Ok((steps, verdict.map(|_| false)))
    });
    let (steps, verdict) = read.await?;
    *explanation = steps;
    verdict
}

async fn ask(app: &App, caller: &Caller, carrier: &str, phone: PhoneNumber, explanation: &mut Explanation) -> Result<()> {
    let guarded = app.carriers.guarded(carrier, caller.environment, app.machine_now())?;
    let refused = match guarded.portability(phone).await.map_err(|mishap| mishap.error)? {
        Portability::Eligible => {
            explanation.note("the losing carrier lets the number go", carrier, true);
            return Ok(());
        }
        Portability::Ineligible => Error::cannot_port_ineligible(phone.to_string()),
        Portability::Unsupported { carrier } => Error::cannot_port_carrier(phone.to_string(), carrier),
    };
    Err(refused)
}

/// The rules about what we know of a number; the account that asks.
fn check(
    tx: &mut Tx,
    kind: Environment,
    environment: EnvironmentId,
    phone: PhoneNumber,
    explanation: &mut Explanation,
) -> Result<Account> {
    let settings = accounts::environment(tx, environment)?.ok_or_else(|| Fault::data("a caller without an environment"))?;
    let account = accounts::get(tx, settings.account)?.ok_or_else(|| Fault::data("an environment without an account"))?;
    let offer = inventory::get(tx, kind, phone)?;
    let standing = Standing {
        owned: numbers::by_phone(tx, environment, phone)?.map(|number| number.state),
        pending: ports::open_of_phone(tx, kind, phone)?.is_some(),
        offer: offer.as_ref(),
        verified: account.verified,
    };
    port::decide(phone, standing, explanation)?;
    Ok(account)
}

fn begin(
    tx: &mut Tx,
    desk: &Desk,
    settings: &Settings,
    operation: Operation,
    carrier: &str,
    details: &PortDetails,
) -> Result<Port> {
    let environment = desk.settings.id;
    let mut port = draft(desk, carrier, details);
    let mut explanation = Explanation::of("port", port.id.to_string());
    let account = check(tx, desk.settings.kind, environment, details.phone, &mut explanation)?;
    explanation.note("the losing carrier lets the number go", carrier, true);
    port.fee = Money::new(settings.port_fee, account.currency);
    hold(tx, desk, &mut port)?;
    explanation.note("the wallet covers the fee, which is set aside", port.fee.to_string(), true);
    let number = number(&port, Money::new(settings.ported_monthly, account.currency));
    numbers::insert(tx, &number)?;
    ports::insert(tx, desk.settings.kind, &operation.0, &port)?;
    desk.schedule(tx, PORT_JOB, *port.id.as_bytes(), 0, desk.now)?;
    desk.event(tx, &port.id.to_string(), EventKind::PortCreated, &steps::facts(&port))?;
    let data = json!({ "number": details.phone.to_string(), "port": port.id.to_string() });
    desk.event(tx, &number.id.to_string(), EventKind::NumberPorting, &data)?;
    desk.explain(tx, &explanation.concluding(format!("the port of {} was begun", details.phone)))?;
    Ok(port)
}

fn draft(desk: &Desk, carrier: &str, details: &PortDetails) -> Port {
    Port {
        id: desk.id(PortId::new),
        environment: desk.settings.id,
        number: desk.id(NumberId::new),
        carrier: carrier.to_owned(),
        details: details.clone(),
        state: PortState::Pending,
        fee: Money::new(0, tandem_kernel::Currency::USD),
        hold: None,
        estimated_completion: desk.now.plus_days(ESTIMATE_DAYS),
        created_at: desk.now,
        updated_at: desk.now,
        version: 1,
    }
}

fn hold(tx: &mut Tx, desk: &Desk, port: &mut Port) -> Result<()> {
    let fee = port.fee.micros;
    spending::check(tx, desk, fee)?;
    if fee > 0 {
        let cause = steps::cause(port, "hold", format!("Port of {}: set aside", port.details.phone));
        port.hold = Some(cause.id);
        let posting = Posting::Hold(fee, desk.now.plus_days(HOLD_DAYS));
        ledger::post(tx, port.environment, vec![(posting, cause)], desk.now)?;
    }
    Ok(())
}

/// The number that the port will bring. No month of it is paid for yet: the first is charged when it arrives.
fn number(port: &Port, monthly: Money) -> Number {
    Number {
        id: port.number,
        environment: port.environment,
        property: default_of(port.environment),
        requirement: Requirement::None,
        address: None,
        phone: port.details.phone,
        state: NumberState::Porting { port: port.id },
        friendly_name: None,
        carrier: port.carrier.clone(),
        features: FEATURES,
        monthly,
        setup: port.fee,
        config: NumberConfig::default(),
        purchased_at: port.created_at,
        periods_paid: 0,
        version: 1,
    }
}

fn explain_refusal(app: &App, caller: &Caller, phone: PhoneNumber, mut explanation: Explanation, error: &Error) {
    if matches!(error.code(), Code::Internal | Code::Unavailable | Code::Overloaded) {
        return;
    }
    if explanation.steps.last().is_none_or(|step| step.met) {
        explanation.note(error.code().entry().title, error.render(Dialect::Native).message, false);
    }
    let now = app.machine_now();
    let id = ExplanationId::new(now, &*app.rng);
    app.journal.explain(id, caller.environment, explanation.concluding(format!("{phone} was not ported")), now);
}
