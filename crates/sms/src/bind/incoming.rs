//! What an SMSC delivers, as the platform understands it.

use tandem_app::messages::gateway::{Incoming, IncomingPart, Receipt, Whose};
use tandem_domain::message::Sender;
use tandem_kernel::{PhoneNumber, Timestamp, hex};

use super::{Config, Long, receipt};
use crate::wire::{Address, Place, Short, alphabet};

/// The most parts that a message of ours has.
const MOST_PARTS: u8 = 10;

/// What a delivery turned out to be.
pub(super) enum Read {
    /// Receipts: one, or one for each part where texts go whole.
    Receipts(Vec<Receipt>),
    /// A message, whole.
    Message(Incoming),
    /// A part of a message.
    Part(IncomingPart),
    /// Something that says nothing.
    Nothing,
}

/// Reads a delivery.
pub(super) fn read(config: &Config, short: &Short, now: Timestamp) -> Read {
    // Some bring receipts without saying so, and some give their messages an id as if they were receipts.
    let receipt = short.is_receipt() || (short.receipted.is_some() && receipt::read(short).is_some());
    if receipt {
        return receipts(config, short, now).map_or(Read::Nothing, Read::Receipts);
    }
    let Some(to) = number(&short.to) else {
        tracing::info!(smsc = %config.id, to = short.to.text, "a message came in for what is no number");
        return Read::Nothing;
    };
    let (from, id) = (sender(&short.from), id_of(short));
    let (smsc, kind) = (config.id, config.kind);
    match short.place {
        None => {
            let body = alphabet::read(short.data_coding, &short.text);
            Read::Message(Incoming { smsc, kind, from, to, body, id })
        }
        Some(Place { reference, part, of }) => {
            let whose = Whose { smsc, from, to, reference, parts: of };
            let (encoding, octets) = alphabet::plain(short.data_coding, &short.text);
            Read::Part(IncomingPart { whose, kind, part, encoding, octets, id })
        }
    }
}

/// What tells a delivery from others, where the SMSC says anything of the kind. Some count anew when they start, so that the id alone
/// is not enough.
fn id_of(short: &Short) -> String {
    match (&short.receipted, &short.vendor_part) {
        (Some(id), _) => format!("{id} {} {}", short.from.text, short.to.text),
        (None, Some(name)) => hex(name),
        (None, None) => String::new(),
    }
}

fn receipts(config: &Config, short: &Short, at: Timestamp) -> Option<Vec<Receipt>> {
    let Some(reading) = receipt::read(short) else {
        tracing::warn!(smsc = %config.id, "a receipt cannot be read");
        return None;
    };
    let ids = receipt::readings(&reading.id, config.ids);
    let of_part = |part: u8| Receipt {
        smsc: config.id,
        remote_ids: ids.iter().map(|id| part_id(id, part)).collect(),
        state: reading.state,
        error: reading.error.clone(),
        at,
    };
    // One receipt speaks for all parts where they went as one.
    let parts = if config.long == Long::Payload { MOST_PARTS } else { 1 };
    Some((1..=parts).map(of_part).collect())
}

/// The id of a part of a text that went whole under one id.
pub(super) fn part_id(id: &str, part: u8) -> String {
    if part == 1 { id.to_owned() } else { format!("{id}/{part}") }
}

/// A number where the address is one: with a `+`, or in international form by its type, or so long that nothing else can be meant.
fn number(address: &Address) -> Option<PhoneNumber> {
    let digits = address.text.trim_start_matches('+');
    let digits = digits.strip_prefix("00").unwrap_or(digits);
    PhoneNumber::from_e164(&format!("+{digits}"))
}

fn sender(address: &Address) -> Sender {
    let letters = address.ton == 5;
    let national = !address.text.starts_with('+') && matches!(address.ton, 2..=4 | 6);
    if !letters
        && !national
        && let Some(number) = number(address)
    {
        return Sender::Number(number);
    }
    Sender::of_network(&address.text)
}

#[cfg(test)]
mod tests {
    use tandem_app::smscs::POCKET;
    use tandem_kernel::Environment;

    use super::*;

    fn config() -> Config {
        let kind = super::super::Kind { ton: 1, npi: 1 };
        Config {
            id: POCKET,
            kind: Environment::Live,
            host: String::new(),
            port: 0,
            tls: None,
            system_id: String::new(),
            password: String::new(),
            system_type: String::new(),
            mode: super::super::Mode::Transceiver,
            version: 0x34,
            window: 1,
            rate: None,
            number: kind,
            name: kind,
            code: kind,
            plus: false,
            long: Long::Udh8,
            ids: super::super::IdStyle::Auto,
            latin1: false,
            registered: 1,
            validity: true,
            named: false,
            prefixes: Vec::new(),
            cost: 0,
            drained: false,
            enquire: std::time::Duration::ZERO,
            patience: std::time::Duration::ZERO,
        }
    }

    fn delivery(text: &str) -> Short {
        let address = |text: &str| Address { ton: 1, npi: 1, text: text.to_owned() };
        let (data_coding, text) = alphabet::write(text);
        Short { from: address("14155550199"), to: address("+14155550100"), data_coding, text, ..Short::default() }
    }

    fn id(short: &Short) -> Option<String> {
        match read(&config(), short, Timestamp::from_micros(0)) {
            Read::Message(message) => Some(message.id),
            _ => None,
        }
    }

    #[test]
    fn a_message_with_an_id_is_no_receipt() {
        assert_eq!(id(&delivery("Hello")).as_deref(), Some(""));
        let named = Short { receipted: Some("a1".to_owned()), ..delivery("Hello") };
        assert_eq!(id(&named).as_deref(), Some("a1 14155550199 +14155550100"));
        let ours = Short { vendor_part: Some([7; 17]), ..delivery("Hello") };
        assert_eq!(id(&ours), Some("07".repeat(17)));
        for receipt in [
            Short { receipted: Some("a1".to_owned()), state: Some(2), ..delivery("") },
            Short { receipted: Some("a1".to_owned()), ..delivery("id:a1 stat:DELIVRD") },
            Short { esm_class: 4, ..delivery("id:a1 stat:DELIVRD") },
        ] {
            let read = read(&config(), &receipt, Timestamp::from_micros(0));
            assert!(matches!(&read, Read::Receipts(of) if of[0].remote_ids == ["a1"]));
        }
        let nowhere = Short { to: Address::default(), ..delivery("Hello") };
        assert!(matches!(read(&config(), &nowhere, Timestamp::from_micros(0)), Read::Nothing));
    }
}
