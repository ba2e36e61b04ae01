//! What an SMSC delivers, as the platform understands it.

use tandem_app::messages::gateway::{Incoming, IncomingPart, Receipt, Whose};
use tandem_domain::message::{Sender, segment::MOST_PARTS};
use tandem_kernel::{PhoneNumber, Timestamp, hex};

use super::{Config, Long, receipt};
use crate::wire::{Address, Place, Short, alphabet};

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
    let most = u8::try_from(MOST_PARTS).unwrap_or(u8::MAX);
    let parts = if config.long == Long::Payload { most } else { 1 };
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

    /// Commands as an SMSC or an application might send them, to begin from.
    fn commands() -> Vec<rusmpp::Command> {
        use crate::wire::command;
        let headed = Short { esm_class: 0x40, header: vec![0, 3, 7, 2, 1], ..delivery("part") };
        let sar = Short { place: Some(Place { reference: 300, part: 2, of: 2 }), ..delivery("Привет") };
        let receipt =
            Short { esm_class: 4, receipted: Some("ab1".into()), state: Some(2), ..delivery("id:ab1 stat:DELIVRD err:000") };
        let long = Short { text: vec![b'x'; 300], vendor_part: Some([5; 17]), vendor_environment: Some([6; 16]), ..delivery("") };
        let all = [delivery("Hello [€]"), headed, sar, receipt, long];
        all.iter().flat_map(|short| [command(0, 7, short.deliver()), command(0, 8, short.submit_named())]).collect()
    }

    /// Reads all that octets hold, as a bind and the SMSC do; how many deliveries and submits that were.
    fn swallow(octets: &[u8]) -> usize {
        let mut from = bytes::BytesMut::from(octets);
        let mut read_any = 0;
        while let Ok(Some(frame)) = crate::wire::frame::take(&mut from, 64 * 1024) {
            let short = match &frame.pdu {
                Some(rusmpp::Pdu::DeliverSm(pdu)) => Short::from(pdu),
                Some(rusmpp::Pdu::SubmitSm(pdu)) => Short::from(pdu),
                _ => continue,
            };
            read_any += 1;
            let _ = read(&config(), &short, Timestamp::from_micros(0)); // whatever it is, it is something
            let _ = (receipt::read(&short), alphabet::read(short.data_coding, &short.text), short.submit_named(), short.deliver());
        }
        read_any
    }

    #[test]
    fn nothing_that_can_be_sent_brings_us_down() {
        use tandem_kernel::{Rng, SeededRng};
        let rng = SeededRng::new(20_260_101);
        let dice = |most: usize| {
            let mut octets = [0; 4];
            rng.fill(&mut octets);
            usize::try_from(u32::from_be_bytes(octets)).expect("a number") % most.max(1)
        };
        let mut understood = 0;
        let commands = commands();
        for round in 0..60_000 {
            let mut octets = bytes::BytesMut::new();
            crate::wire::frame::put(&mut octets, &commands[round % commands.len()]);
            let mut octets = octets.to_vec();
            match round % 3 {
                // Some octets are others; the length stays, so that the rest is read.
                0 => (0..=dice(4)).for_each(|_| {
                    let at = 16 + dice(octets.len() - 16);
                    octets[at] = u8::try_from(dice(256)).expect("an octet");
                }),
                // It is cut short, or is longer than it should be.
                1 => {
                    octets.resize(16 + dice(octets.len() + 40), 0xff);
                    let length = u32::try_from(octets.len()).expect("short").to_be_bytes();
                    octets[..4].copy_from_slice(&length);
                }
                // All but the header is noise.
                _ => rng.fill(&mut octets[16..]),
            }
            understood += swallow(&octets);
        }
        assert!(understood > 10_000, "{understood}");
        let mut noise = vec![0; 4096];
        for _ in 0..1_000 {
            rng.fill(&mut noise);
            noise[..2].fill(0);
            swallow(&noise);
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
