//! From the fields of a line to a number for sale.

use tandem_domain::{
    Features,
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Currency, Money, PhoneFault, PhoneNumber};

use super::{OWNED, line::Fields};

/// The highest price of a month or a setup, in units.
const DEAREST: i64 = 1_000_000;
const REQUIREMENTS: [&str; 3] = ["none", "any", "local"];

/// Checks the fields.
///
/// # Errors
/// The reason, in words: the first that applies, in the order of the columns.
pub fn offer(fields: &Fields) -> Result<Offer, String> {
    let [number, features, monthly, setup, requirement, currency] = fields.each_ref().map(AsRef::as_ref);
    let phone = PhoneNumber::parse(number).map_err(|fault| match fault {
        PhoneFault::Format => format!("number: '{}' is not written as + and 7 to 15 digits", shown(number)),
        PhoneFault::NotAssigned => format!("number: no numbering plan has {number}"),
    })?;
    let features = read_features(features)?;
    let (monthly, setup) = (price("monthly", monthly)?, if setup.is_empty() { 0 } else { price("setup", setup)? });
    let requirement = if requirement.is_empty() { "none" } else { requirement };
    if !REQUIREMENTS.contains(&requirement) {
        return Err(format!("address_requirement: '{}' is none of none, any, local", shown(requirement)));
    }
    if !currency.is_empty() && currency != Currency::USD.as_str() {
        return Err(format!("currency: '{}' is not USD, the only one that numbers are sold in", shown(currency)));
    }
    Ok(Offer {
        phone,
        carrier: OWNED.to_owned(),
        features,
        monthly: Money::new(monthly, Currency::USD),
        setup: Money::new(setup, Currency::USD),
        address_requirement: requirement.to_owned(),
        state: OfferState::Available,
        holder: None,
    })
}

fn read_features(text: &str) -> Result<Features, String> {
    let names = text.split(['|', ';', ',', ' ']).filter(|name| !name.is_empty());
    let features = names.map(|name| {
        Features::parse(&name.to_ascii_lowercase())
            .ok_or_else(|| format!("features: '{}' is none of {}", shown(name), Features::CHOICES))
    });
    let features = features.collect::<Result<Vec<_>, _>>()?.into_iter().reduce(Features::with);
    features.ok_or_else(|| format!("features: there must be at least one of {}", Features::CHOICES))
}

fn price(name: &str, text: &str) -> Result<i64, String> {
    let amount = Money::parse_micros(text);
    let amount = amount.ok_or_else(|| format!("{name}: '{}' is no amount with at most six decimals", shown(text)))?;
    if !(0..=DEAREST * Money::UNIT).contains(&amount) {
        return Err(format!("{name}: {text} is not between 0 and {DEAREST}"));
    }
    Ok(amount)
}

/// The beginning of a value, for a message of one line.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: [&str; 6]) -> Result<Offer, String> {
        offer(&texts.map(Into::into))
    }

    #[test]
    fn a_good_line_is_an_offer() {
        let offer = read(["+14155550100", "voice sms;MMS", "0.99", "", "", ""]).expect("a good line");
        assert_eq!(offer.features, Features::VOICE.with(Features::SMS).with(Features::MMS));
        assert_eq!((offer.monthly.micros, offer.setup.micros, offer.address_requirement.as_str()), (990_000, 0, "none"));
    }

    #[test]
    fn a_bad_line_says_what_is_bad() {
        for (fields, reason) in [
            (["4155550100", "voice", "1", "", "", ""], "number: '4155550100' is not written as + and 7 to 15 digits"),
            (["+10005550100", "voice", "1", "", "", ""], "number: no numbering plan has +10005550100"),
            (["+14155550100", "vioce", "1", "", "", ""], "features: 'vioce' is none of voice, sms, mms, fax"),
            (["+14155550100", " | ", "1", "", "", ""], "features: there must be at least one of voice, sms, mms, fax"),
            (["+14155550100", "voice", "1,5", "", "", ""], "monthly: '1,5' is no amount with at most six decimals"),
            (["+14155550100", "voice", "", "", "", ""], "monthly: '' is no amount with at most six decimals"),
            (["+14155550100", "voice", "1", "-0.5", "", ""], "setup: -0.5 is not between 0 and 1000000"),
            (["+14155550100", "voice", "1000000.01", "", "", ""], "monthly: 1000000.01 is not between 0 and 1000000"),
            (["+14155550100", "voice", "1", "", "nearby", ""], "address_requirement: 'nearby' is none of none, any, local"),
            (["+14155550100", "voice", "1", "", "", "EUR"], "currency: 'EUR' is not USD, the only one that numbers are sold in"),
        ] {
            assert_eq!(read(fields).expect_err(reason), reason);
        }
    }
}
