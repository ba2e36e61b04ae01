//! What an SMSC delivers, as the platform understands it.

use std::time::{Duration, Instant};

use tandem_app::messages::gateway::{Incoming, Receipt};
use tandem_domain::message::Sender;
use tandem_kernel::{PhoneNumber, Timestamp};

use super::{Config, Long, receipt};
use crate::wire::{Address, Short, Stitched, Stitcher, alphabet};

/// Messages whose parts have not all come, and how long the others are waited for.
const UNFINISHED: usize = 2_000;
const PATIENCE: Duration = Duration::from_secs(300);
/// The most parts that a message of ours has.
const MOST_PARTS: u8 = 10;

/// Puts parts together that come in.
pub(super) struct Reader {
    unfinished: Stitcher<(String, String), Short>,
}

/// What a delivery turned out to be.
pub(super) enum Read {
    /// Receipts: one, or one for each part where texts go whole.
    Receipts(Vec<Receipt>),
    /// A message, whole.
    Message(Incoming),
    /// A part whose others are missing, or something that says nothing.
    Nothing,
}

impl Reader {
    pub fn new() -> Self {
        Self { unfinished: Stitcher::new(UNFINISHED, PATIENCE) }
    }

    /// Reads a delivery; `cut_short` hears of messages whose other parts never came.
    pub fn read(&mut self, config: &Config, short: Short, now: Timestamp, mut cut_short: impl FnMut(Incoming)) -> Read {
        if short.is_receipt() || short.receipted.is_some() {
            return receipts(config, &short, now).map_or(Read::Nothing, Read::Receipts);
        }
        let Some(place) = short.place else { return message(config, vec![short]).map_or(Read::Nothing, Read::Message) };
        let whose = (short.from.text.clone(), short.to.text.clone());
        let forgotten = |parts| message(config, parts).into_iter().for_each(&mut cut_short);
        match self.unfinished.add(whose, place, short, Instant::now(), forgotten) {
            Stitched::Whole(parts) => message(config, parts).map_or(Read::Nothing, Read::Message),
            Stitched::Waiting | Stitched::Known => Read::Nothing,
        }
    }

    /// Gives up on messages whose other parts did not come.
    pub fn expire(&mut self, config: &Config, mut cut_short: impl FnMut(Incoming)) {
        self.unfinished.expire(Instant::now(), &mut |parts| message(config, parts).into_iter().for_each(&mut cut_short));
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

fn message(config: &Config, parts: Vec<Short>) -> Option<Incoming> {
    let first = parts.first()?;
    let (from, to) = (sender(&first.from), number(&first.to));
    let Some(to) = to else {
        tracing::info!(smsc = %config.id, to = first.to.text, "a message came in for what is no number");
        return None;
    };
    let coding = first.data_coding;
    let same = parts.iter().all(|part| part.data_coding == coding);
    let body = if same {
        let octets: Vec<u8> = parts.iter().flat_map(|part| part.text.iter().copied()).collect();
        alphabet::read(coding, &octets)
    } else {
        parts.iter().map(|part| alphabet::read(part.data_coding, &part.text)).collect()
    };
    Some(Incoming { smsc: config.id, kind: config.kind, from, to, body, id: String::new() })
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
