//! Configuring a number.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation, Features,
    config::{ConfigChange, NumberConfig, Patch, RingTo, check_name},
    event::EventKind,
    flow::{Destination, Place},
    message::Sender,
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
    command.change.check_urls(app.settings.webhooks_allow_private)?; // what is malformed is said before what is missing
    NumberConfig::default().merged(&without_target(&command.change))?;
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
        let sender = forwarder(tx, &number, &command.change)?;
        permit(&caller, Scope::NumbersWrite)?;
        number.check_modifiable()?;
        if let Some(sender) = &sender {
            check_forwarder(&number, sender)?;
        }
        if command.change.sms_forwarding.sms_to == Patch::Set(number.phone) {
            let path = format!("{0} → {0}", number.phone);
            return Err(Error::forward_loop("sms_to", number.phone.to_string(), path));
        }
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

/// The number from which messages that come in are to be handed on, if the change names one.
fn forwarder(tx: &mut Tx, number: &Number, change: &ConfigChange) -> Result<Option<Number>> {
    let Patch::Set(sender) = &change.sms_forwarding.sms_from else { return Ok(None) };
    let Some(phone) = Sender::parse(sender).and_then(|sender| sender.number()) else { return Ok(None) };
    let found = numbers::by_phone(tx, number.environment, phone)?;
    found.map(Some).ok_or_else(|| Error::sender_not_owned("sms_from", phone.to_string()))
}

/// Whether it may send for the number is asked again whenever it does: this is what does not pass.
fn check_forwarder(number: &Number, sender: &Number) -> Result<()> {
    if sender.property != number.property {
        return Err(Error::number_belongs_to_different_property(sender.phone.to_string()));
    }
    if !sender.features.contains(Features::SMS) {
        return Err(Error::sender_lacks_feature(sender.phone.to_string(), "SMS"));
    }
    Ok(())
}

/// The change without what depends on what the number has already: forward target and switch, and how its webhook is called.
fn without_target(change: &ConfigChange) -> ConfigChange {
    let mut change = change.clone();
    change.sms_webhook_method = Patch::Keep;
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
    let greeting = config.voicemail.as_ref().and_then(|voicemail| voicemail.greeting.as_deref());
    let greeting = greeting.map(|id| ("greeting_id", "recording", id));
    let named = conference.into_iter().chain(flow).chain(greeting).map(|(field, kind, id)| {
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
