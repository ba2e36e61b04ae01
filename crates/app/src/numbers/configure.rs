//! Configuring a number.

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::{
    Explanation,
    config::{ConfigChange, NumberConfig, Patch, RingTo, check_name},
    event::EventKind,
    flow::{Destination, Place},
    number::Number,
};
use tandem_kernel::{Caller, Scope};
use tandem_store::{Tx, repo::numbers};

use super::{NumberRef, find, purchase::check_suits};
use crate::{
    App, Finish,
    addresses::{self, AddressRef},
    flows::{Reaching, Source, Target, check_targets, reaching},
    permit,
};

/// A change of a number's configuration.
#[derive(Debug, Clone)]
pub struct ConfigureNumber {
    /// Which number.
    pub number: NumberRef,
    /// What changes.
    pub change: ConfigChange,
    /// The address that it is registered with. Without one, a number that needs one is pending.
    pub address: Patch<AddressRef>,
}

/// Merges a change into a number's configuration, after checking that what it routes to can be reached.
///
/// # Errors
/// What is wrong with a member, `number_not_found`, `address_not_found`, `insufficient_scope`, `number_porting`, `address_unsuitable`, and the codes of invalid routing.
pub async fn configure(app: &App, caller: &Caller, command: ConfigureNumber, finish: Finish<Number>) -> Result<Number> {
    NumberConfig::default().merged(&without_target(&command.change))?; // what is malformed is said before what is missing
    if let Patch::Set(name) = &command.change.friendly_name {
        check_name("friendly_name", name)?;
    }
    let (pen, reach, caller) = (app.pen(), reaching(app, caller.kind)?, *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let mut number = find(tx, caller.environment, &command.number)?;
        let address = match &command.address {
            Patch::Set(address) => Some((addresses::find(tx, caller.environment, address)?, address.text.clone())),
            Patch::Keep | Patch::Clear => None,
        };
        permit(&caller, Scope::NumbersWrite)?;
        number.check_modifiable()?;
        if let Some((address, sent)) = &address {
            check_suits(address, sent, number.requirement, number.phone)?;
        }
        let config = number.config.merged(&command.change)?;
        let mut explanation = Explanation::of("routing", number.id.to_string());
        check_routing(tx, &number, &config, &reach, &mut explanation)?;
        number.config = config;
        match &command.change.friendly_name {
            Patch::Keep => {}
            Patch::Clear => number.friendly_name = None,
            Patch::Set(name) => number.friendly_name = Some(name.clone()),
        }
        let waited = number.wants().is_some();
        match command.address {
            Patch::Keep => {}
            Patch::Clear => number.address = None,
            Patch::Set(_) => number.address = address.map(|(address, _)| address.id),
        }
        number.version += 1;
        numbers::update(tx, &number)?;
        let name = number.id.to_string();
        if let (true, None, Some(address)) = (waited, number.wants(), number.address) {
            let data = json!({ "number": number.phone.to_string(), "address": address.to_string() });
            desk.event(tx, &name, EventKind::NumberActivated, &data)?;
        }
        desk.event(tx, &name, EventKind::NumberConfigured, &json!({ "number": number.phone.to_string() }))?;
        desk.explain(tx, &explanation.concluding("the configuration was accepted"))?;
        finish(tx, &number)?;
        Ok(number)
    };
    app.store.write(work).await
}

/// The change without forward target and switch, which depend on what the number has already.
fn without_target(change: &ConfigChange) -> ConfigChange {
    let mut change = change.clone();
    if let Patch::Set(forwarding) = &mut change.call_forwarding {
        forwarding.forward_to = Patch::Keep;
        forwarding.enabled = Patch::Keep;
    }
    change
}

fn check_routing(
    tx: &mut Tx,
    number: &Number,
    config: &NumberConfig,
    reach: &Reaching,
    explanation: &mut Explanation,
) -> Result<()> {
    let conference = config.conference_id.as_deref().map(|id| ("conference_id", "conference", id));
    let flow = config.call_flow_id.as_deref().map(|id| ("call_flow_id", "call_flow", id));
    let named = conference.into_iter().chain(flow).map(|(field, kind, id)| {
        let to = Destination::read(kind, Some(id), field)?;
        Ok(Target { field: field.to_owned(), to, certain: true })
    });
    let forwards = config.forward_targets().map(|(field, target)| {
        let to = Destination::Number(target);
        Ok(Target { field: field.to_owned(), to, certain: true })
    });
    let rung = config.rings().map(|to| {
        let to = match to {
            RingTo::Device(id) => Destination::Device(id),
            RingTo::Number(number) => Destination::Number(number),
        };
        Ok(Target { field: "ring".to_owned(), to, certain: true })
    });
    let targets = named.chain(forwards).chain(rung).collect::<Result<Vec<_>>>()?;
    let from = Source { environment: number.environment, own: Place::Number(number.phone), leads_here: None };
    check_targets(tx, from, &targets, reach, explanation)
}
