//! Whose a message is that comes in: of whoever has the number, or of whoever it is lent to for its sender.

use tandem_catalogue::Result;
use tandem_domain::{
    config::SmsForwarding,
    message::{Forward, Message, Sender, pool::LEASE_DAYS},
    number::Number,
    property::default_of,
};
use tandem_kernel::{Currency, Environment, EnvironmentId, PhoneNumber, PropertyId};
use tandem_store::{
    Tx,
    repo::{
        leases::{self, Lease},
        ledger, messages, numbers,
    },
};

use super::check::property_of;
use crate::app::Desk;

/// Whose a message is that comes in.
pub(super) enum Owner {
    /// Of whoever has the number.
    Number(Box<Number>),
    /// Of whoever sent the message for which the number was lent.
    Lease(Lease),
}

/// What is known of a message that comes in before it is kept.
pub(super) struct Origins {
    /// Whose it is.
    pub property: PropertyId,
    /// What money is counted in there.
    pub currency: Currency,
    /// The message of ours that it answers.
    pub answers: Option<Message>,
    /// Where it is handed on.
    pub forward: Forward,
}

impl Owner {
    /// Finds out whose; none where nobody has the number.
    pub(super) fn find(tx: &mut Tx, kind: Environment, from: &Sender, to: PhoneNumber) -> Result<Option<Self>> {
        if let Some(number) = numbers::of_kind(tx, kind, to)? {
            return Ok(Some(Self::Number(Box::new(number))));
        }
        let lease = match from.number() {
            Some(from) => leases::find(tx, kind, from, to)?,
            None => None,
        };
        if lease.is_none() {
            tracing::info!(%to, "a message came in for a number that nobody has");
        }
        Ok(lease.map(Self::Lease))
    }

    pub(super) const fn environment(&self) -> EnvironmentId {
        match self {
            Self::Number(number) => number.environment,
            Self::Lease(lease) => lease.environment,
        }
    }

    pub(super) const fn number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::Lease(_) => None,
        }
    }

    /// What follows from who wrote.
    pub(super) fn origins(&self, tx: &mut Tx, desk: &Desk, from: &Sender) -> Result<Origins> {
        let answers = match (self, from.number()) {
            (Self::Lease(lease), _) => messages::get(tx, lease.environment, lease.message)?,
            (Self::Number(number), Some(from)) => {
                let latest = messages::latest_between(tx, number.environment, number.phone, from)?;
                let since = desk.now.plus_days(-LEASE_DAYS);
                latest.filter(|message| message.sent_at.is_some_and(|at| at >= since))
            }
            (Self::Number(_), None) => None,
        };
        let usual = self.number().map(forward_of).unwrap_or_default();
        let property = match (self, &answers) {
            (Self::Number(number), _) => property_of(number),
            (Self::Lease(_), Some(message)) => message.property,
            (Self::Lease(lease), None) => default_of(lease.environment),
        };
        Ok(Origins {
            property,
            currency: ledger::wallet(tx, self.environment())?.currency,
            forward: answers.as_ref().map(|message| message.options.forward.clone()).unwrap_or_default().or(usual),
            answers,
        })
    }
}

/// Where a number's configuration hands on what comes in for it.
fn forward_of(number: &Number) -> Forward {
    let SmsForwarding { sms_from, sms_to, email_from, email_to } = number.config.sms_forwarding.clone();
    Forward { to_sms: sms_to, from_sms: sms_from.as_deref().and_then(Sender::parse), to_email: email_to, from_email: email_from }
}
