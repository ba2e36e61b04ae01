//! Whether a number can be bought.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{EnvironmentId, Money, PhoneNumber, PropertyId};

use crate::{Explanation, Features, address::Requirement};

/// Where a number of the inventory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferState {
    /// For sale.
    Available,
    /// Set aside: for an order that runs, or by the operator.
    Reserved,
    /// In an account's possession.
    Assigned,
    /// Released a short while ago.
    Quarantined,
}

impl OfferState {
    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Assigned => "assigned",
            Self::Quarantined => "quarantined",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Available, Self::Reserved, Self::Assigned, Self::Quarantined].into_iter().find(|state| state.as_str() == text)
    }
}

/// A number of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The telephone number.
    pub phone: PhoneNumber,
    /// Who carries it.
    pub carrier: String,
    /// What it can do.
    pub features: Features,
    /// What a month costs.
    pub monthly: Money,
    /// What getting it costs.
    pub setup: Money,
    /// `none`, `any`, `local`: which address its country wants.
    pub address_requirement: String,
    /// Where it is.
    pub state: OfferState,
    /// Who has it, if anybody.
    pub holder: Option<EnvironmentId>,
}

impl Offer {
    /// Which address its country wants.
    #[must_use]
    pub fn requirement(&self) -> Requirement {
        Requirement::parse(&self.address_requirement).unwrap_or_default()
    }

    /// What is due at purchase: the setup and the first month.
    ///
    /// # Errors
    /// `internal` where the sum does not fit, which import refuses.
    pub fn price(&self) -> Result<Money> {
        self.setup.checked_add(self.monthly).ok_or_else(Error::internal)
    }
}

/// What an account has of a number already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// The property that has it.
    pub by: PropertyId,
    /// The property that is to have it, where the buyer named one.
    pub wanted_for: Option<PropertyId>,
}

/// Decides whether `buyer` can buy the number; money is the ledger's question, asked last.
///
/// # Errors
/// `number_belongs_to_different_property`, `already_exists`, `purchase_in_progress`, `number_not_available`, in this order.
pub fn decide<'a>(
    phone: PhoneNumber,
    offer: Option<&'a Offer>,
    buyer: EnvironmentId,
    held: Option<Held>,
    explanation: &mut Explanation,
) -> Result<&'a Offer> {
    if !explanation.note("the account does not have the number already", phone.to_string(), held.is_none()) {
        let elsewhere = held.is_some_and(|held| held.wanted_for.is_some_and(|wanted| wanted != held.by));
        let refused = if elsewhere { Error::number_belongs_to_different_property } else { Error::already_exists };
        return Err(refused(phone.to_string()));
    }
    let gone = || Error::number_not_available(phone.to_string());
    let Some(offer) = offer else {
        explanation.note("the number is in the inventory", phone.to_string(), false);
        return Err(gone());
    };
    explanation.note("the number is in the inventory", offer.carrier.clone(), true);
    let own_order = offer.state == OfferState::Reserved && offer.holder == Some(buyer);
    if !explanation.note("no order of this account for it is under way", offer.state.as_str(), !own_order) {
        return Err(Error::purchase_in_progress(phone.to_string()));
    }
    let free = offer.state == OfferState::Available;
    if !explanation.note("the number is for sale", offer.state.as_str(), free) {
        return Err(gone());
    }
    Ok(offer)
}
