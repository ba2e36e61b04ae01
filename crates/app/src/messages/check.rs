//! Whether messages may be sent: what has to be known for that, read for many at once, and the rules.

use std::collections::{HashMap, HashSet};

use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation, Features,
    account::Account,
    message::{
        Channel, Sender,
        pool::{MOST_LEASES, Pool},
    },
    number::{Number, NumberState},
    property::{Property, default_of},
};
use tandem_kernel::{Environment, EnvironmentId, PhoneNumber, PropertyId};
use tandem_store::{
    Fault, Tx,
    repo::{
        accounts,
        leases::{self, Lease},
        numbers,
        optouts::{self, OptOut},
        properties,
    },
};

use super::send::{Origin, Terms};
use crate::{app::Desk, carrier::Carriers};

/// A message, as far as it decides whether it may be sent.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub from: &'a Origin,
    pub to: PhoneNumber,
    pub channel: Channel,
    pub terms: Terms,
    pub property: Option<PropertyId>,
    /// The number that replies are to be handed on from.
    pub forward_from: Option<PhoneNumber>,
}

/// Who sends, where a message may be sent.
pub(super) struct Checked {
    pub from: Sender,
    pub leased: bool,
    pub property: PropertyId,
}

/// What decisions about some messages need to know.
pub(super) struct Known {
    environment: EnvironmentId,
    pub account: Account,
    pool: Pool,
    numbers: HashMap<PhoneNumber, Number>,
    properties: HashMap<PropertyId, Property>,
    opt_outs: HashMap<PhoneNumber, Vec<OptOut>>,
    leases: HashMap<PhoneNumber, Vec<Lease>>,
}

/// The property that a number belongs to.
pub(super) const fn property_of(number: &Number) -> PropertyId {
    number.property
}

impl Known {
    pub(super) fn read(tx: &mut Tx, desk: &Desk, subjects: &[Subject]) -> Result<Self> {
        let environment = desk.settings.id;
        let account = accounts::get(tx, desk.settings.account)?.ok_or_else(|| Fault::data("an environment without its account"))?;
        let own = subjects.iter().filter(|subject| subject.terms == Terms::Customer);
        let senders: HashSet<PhoneNumber> =
            own.flat_map(|subject| [number_of(subject.from), subject.forward_from]).flatten().collect();
        let numbers = numbers::by_phones(tx, environment, &senders.into_iter().collect::<Vec<_>>())?;
        let named = subjects.iter().filter_map(|subject| subject.property).chain(numbers.iter().map(property_of));
        let named: HashSet<PropertyId> = named.chain([default_of(environment)]).collect();
        let listed = subjects.iter().any(|subject| subject.terms.are_listed());
        let named = if listed { named.into_iter().collect() } else { Vec::new() };
        let properties = properties::of_ids(tx, environment, &named)?;
        let asked: HashSet<PhoneNumber> =
            subjects.iter().filter(|subject| subject.terms != Terms::Reply).map(|subject| subject.to).collect();
        let mut opt_outs: HashMap<PhoneNumber, Vec<OptOut>> = HashMap::new();
        for found in optouts::of_recipients(tx, environment, &asked.into_iter().collect::<Vec<_>>())? {
            opt_outs.entry(found.to).or_default().push(found);
        }
        Ok(Self {
            environment,
            account,
            pool: desk.pen.pool(desk.settings.kind).clone(),
            numbers: numbers.into_iter().map(|number| (number.phone, number)).collect(),
            properties: properties.into_iter().map(|property| (property.id, property)).collect(),
            opt_outs,
            leases: read_leases(tx, desk.settings.kind, subjects)?,
        })
    }

    /// Decides about one of them.
    pub(super) fn check(&self, subject: Subject, carriers: Option<&Carriers>, explanation: &mut Explanation) -> Result<Checked> {
        let default = default_of(self.environment);
        if !subject.terms.are_listed() {
            let Origin::Sender(from) = subject.from else { return Err(Error::internal()) };
            self.check_recipient(from, subject, explanation)?;
            return Ok(Checked { from: from.clone(), leased: false, property: subject.property.unwrap_or(default) });
        }
        check_account(&self.account, subject.channel, explanation)?;
        let number = match number_of(subject.from) {
            Some(phone) if subject.terms == Terms::Customer => Some(self.check_number("from", phone, subject, explanation)?),
            _ => None,
        };
        let property = subject.property.or_else(|| number.map(property_of)).unwrap_or(default);
        if let Some(phone) = subject.forward_from {
            let forwarded = Subject { channel: Channel::Sms, property: Some(property), ..subject };
            self.check_number("forward_from", phone, forwarded, explanation)?;
        }
        let known = self.properties.get(&property).ok_or_else(|| Fault::data("a number without its property"))?;
        check_property(known, explanation)?;
        let (from, leased) = self.sender(subject, explanation)?;
        check_country(&self.account, subject.to, explanation)?;
        self.check_recipient(&from, subject, explanation)?;
        if let (Some(number), Some(carriers), Channel::Mms) = (number, carriers, subject.channel) {
            check_carrier(carriers, number, explanation)?;
        }
        let from = if leased { Sender::Number(self.lend(subject.to, explanation)?) } else { from };
        Ok(Checked { from, leased, property })
    }

    /// Notes that a number was lent, for those that come after.
    pub(super) fn lent(&mut self, lease: Lease) {
        self.leases.entry(lease.recipient).or_default().push(lease);
    }

    fn check_number(
        &self,
        field: &'static str,
        phone: PhoneNumber,
        subject: Subject,
        explanation: &mut Explanation,
    ) -> Result<&Number> {
        let from = phone.to_string();
        let number = self.numbers.get(&phone).ok_or_else(|| Error::sender_not_owned(field, from.clone()))?;
        if subject.property.is_some_and(|property| property != property_of(number)) {
            return Err(Error::number_belongs_to_different_property(from));
        }
        match number.state {
            NumberState::Active => {}
            NumberState::Suspended { .. } => return Err(Error::sender_suspended(from)),
            NumberState::Porting { .. } | NumberState::PortingOut => return Err(Error::number_porting(from)),
            NumberState::Released { .. } => return Err(Error::sender_not_owned(field, from)),
        }
        explanation.note("the sender is an active number of the account", from.clone(), true);
        let (feature, service) = match subject.channel {
            Channel::Sms => (Features::SMS, "SMS"),
            Channel::Mms => (Features::MMS, "MMS"),
        };
        let rule = format!("the number can send {service}");
        let can = explanation.note(rule, number.features.to_string(), number.features.contains(feature));
        if can { Ok(number) } else { Err(Error::sender_lacks_feature(from, service)) }
    }

    /// The sender, or for a number that is to be lent any that its recipient has refused.
    fn sender(&self, subject: Subject, explanation: &mut Explanation) -> Result<(Sender, bool)> {
        let refused = || {
            let known = self.opt_outs.get(&subject.to).into_iter().flatten().map(|found| &found.from);
            let lent = known.clone().find(|from| from.number().is_some_and(|number| self.pool.has(number)));
            lent.cloned().unwrap_or_else(|| Sender::Name("a leased sender".to_owned()))
        };
        match subject.from {
            Origin::Sender(sender @ Sender::Name(_)) if subject.terms == Terms::Customer => {
                check_name(sender, subject, explanation)?;
                Ok((sender.clone(), false))
            }
            Origin::Sender(sender) => Ok((sender.clone(), false)),
            Origin::NameOrLeased(sender) => {
                let takes = takes_names(subject.to);
                if explanation.note("the destination takes messages from names", subject.to.to_string(), takes) {
                    Ok((sender.clone(), false))
                } else {
                    Ok((refused(), true))
                }
            }
            Origin::Leased => Ok((refused(), true)),
        }
    }

    fn check_recipient(&self, from: &Sender, subject: Subject, explanation: &mut Explanation) -> Result<()> {
        if subject.terms == Terms::Reply {
            return Ok(());
        }
        let refused = self.opt_outs.get(&subject.to).into_iter().flatten().find(|found| found.from == *from);
        let compared = refused.map_or_else(String::new, |found| format!("'{}' at {}", found.source, found.created_at));
        if explanation.note("the recipient wants messages from this sender", compared, refused.is_none()) {
            Ok(())
        } else {
            Err(Error::recipient_opted_out(subject.to.to_string(), from.to_string()))
        }
    }

    /// A number that nobody else may use for messages to this recipient at present.
    fn lend(&self, to: PhoneNumber, explanation: &mut Explanation) -> Result<PhoneNumber> {
        let leases = self.leases.get(&to).map(Vec::as_slice).unwrap_or_default();
        let own = leases.iter().filter(|lease| lease.environment == self.environment).count();
        let compared = format!("{own} of {MOST_LEASES}");
        if !explanation.note("the recipient may have another leased sender", compared, own < MOST_LEASES) {
            return Err(Error::lease_limit_reached("from", to.to_string(), i64::try_from(MOST_LEASES).unwrap_or(i64::MAX)));
        }
        let taken: HashSet<PhoneNumber> = leases.iter().map(|lease| lease.number).collect();
        let chosen = self.pool.choose(to, |number| taken.contains(&number));
        let compared = chosen.map_or_else(|| format!("{} are in use", taken.len()), |number| number.to_string());
        explanation.note("a sender can be leased for the recipient", compared, chosen.is_some());
        chosen.ok_or_else(|| Error::no_sender_to_lease(to.to_string()))
    }
}

/// Checks that an account and a property of it may send texts at all.
pub(super) fn check_enabled(tx: &mut Tx, desk: &Desk, property: &Property) -> Result<()> {
    let account = accounts::get(tx, desk.settings.account)?.ok_or_else(|| Fault::data("an environment without its account"))?;
    let mut aside = super::send::explanation();
    check_account(&account, Channel::Sms, &mut aside)?;
    check_property(property, &mut aside)
}

fn check_property(property: &Property, explanation: &mut Explanation) -> Result<()> {
    let name = &property.name;
    if !explanation.note("the property is active", name.clone(), property.active) {
        return Err(Error::operation_not_allowed(format!("The property '{name}' is not active")));
    }
    if !explanation.note("SMS is enabled on the property", name.clone(), property.sms_enabled) {
        return Err(Error::operation_not_allowed(format!("SMS is not enabled on the property '{name}'")));
    }
    Ok(())
}

fn number_of(from: &Origin) -> Option<PhoneNumber> {
    match from {
        Origin::Sender(sender) => sender.number(),
        Origin::Leased | Origin::NameOrLeased(_) => None,
    }
}

fn read_leases(tx: &mut Tx, kind: Environment, subjects: &[Subject]) -> Result<HashMap<PhoneNumber, Vec<Lease>>> {
    let lent = |subject: &&Subject| match subject.from {
        Origin::Sender(_) => false,
        Origin::Leased => true,
        Origin::NameOrLeased(_) => !takes_names(subject.to),
    };
    let wanted: HashSet<PhoneNumber> = subjects.iter().filter(lent).map(|subject| subject.to).collect();
    let mut found: HashMap<PhoneNumber, Vec<Lease>> = HashMap::new();
    for lease in leases::of_recipients(tx, kind, &wanted.into_iter().collect::<Vec<_>>())? {
        found.entry(lease.recipient).or_default().push(lease);
    }
    Ok(found)
}

fn check_account(account: &Account, channel: Channel, explanation: &mut Explanation) -> Result<()> {
    let (on, service) = match channel {
        Channel::Sms => (account.sms_enabled, "SMS"),
        Channel::Mms => (account.mms_enabled, "MMS"),
    };
    let on = explanation.note(format!("{service} is enabled on the account"), on.to_string(), on);
    if on { Ok(()) } else { Err(Error::operation_not_allowed(format!("{service} is not enabled on your account"))) }
}

/// Networks of the North American plan carry no messages from names.
fn takes_names(to: PhoneNumber) -> bool {
    !to.to_string().starts_with("+1")
}

/// A name instead of a number; nobody can own a short code here.
fn check_name(name: &Sender, subject: Subject, explanation: &mut Explanation) -> Result<()> {
    if name.is_short_code() {
        return Err(Error::sender_not_owned("from", name.to_string()));
    }
    let allowed = takes_names(subject.to) && subject.channel == Channel::Sms;
    let allowed = explanation.note("the destination takes messages from names", subject.to.to_string(), allowed);
    if allowed { Ok(()) } else { Err(Error::sender_name_not_allowed("from", subject.to.to_string())) }
}

fn check_country(account: &Account, to: PhoneNumber, explanation: &mut Explanation) -> Result<()> {
    if account.message_countries.is_empty() {
        return Ok(());
    }
    let country = to.country();
    let name = country.map_or_else(|| "no country that is known".to_owned(), |country| country.to_string());
    let allowed = country.is_some_and(|country| account.message_countries.contains(&country));
    let compared = format!("{name}, {} countries are on the list", account.message_countries.len());
    if explanation.note("the recipient's country is on the account's list", compared, allowed) {
        Ok(())
    } else {
        Err(Error::destination_not_allowed(name))
    }
}

/// A message with media goes through the carrier of the number, which must have a service for them.
fn check_carrier(carriers: &Carriers, number: &Number, explanation: &mut Explanation) -> Result<()> {
    let offered = carriers.offers_mms(&number.carrier)?;
    if explanation.note("the number's carrier takes messages with media", number.carrier.clone(), offered) {
        Ok(())
    } else {
        Err(Error::mms_not_offered(number.phone.to_string()))
    }
}
