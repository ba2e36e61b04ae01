//! Reading receipts, which every SMSC writes a little differently.

use tandem_app::messages::gateway::ReceiptState;

use crate::wire::{Short, alphabet};

/// How a receipt writes the id that the answer to the submit gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdStyle {
    /// Nobody knows: other readings of long ids are tried too. Short ones might be somebody else's.
    Auto,
    /// The same.
    Same,
    /// The answer in decimal digits, the receipt in hexadecimal ones.
    Hex,
    /// The answer in hexadecimal digits, the receipt in decimal ones.
    Decimal,
}

impl IdStyle {
    const ALL: [Self; 4] = [Self::Auto, Self::Same, Self::Hex, Self::Decimal];

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Same => "same",
            Self::Hex => "hex",
            Self::Decimal => "decimal",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.as_str() == text)
    }
}

/// Digits from which on an id is so rare that another reading of it is not somebody else's.
const RARE: usize = 8;

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub id: String,
    pub state: ReceiptState,
    pub error: Option<String>,
}

/// Reads a receipt: by its TLVs, and by its text where they say nothing.
pub(super) fn read(short: &Short) -> Option<Reading> {
    let text = alphabet::read(short.data_coding, &short.text);
    let told = short.receipted.as_deref().map(printable).filter(|id| !id.is_empty());
    let id = told.or_else(|| field(&text, "id:"))?;
    let by_text = || field(&text, "stat:").and_then(|word| state_of_word(&word));
    let state = short.state.and_then(state_of_code).or_else(by_text)?;
    let failed = !matches!(state, ReceiptState::Delivered | ReceiptState::Accepted | ReceiptState::Enroute);
    let told = field(&text, "err:").filter(|error| error.bytes().any(|byte| byte != b'0'));
    let error = told.or_else(|| short.network_error.filter(|code| *code != 0).map(|code| code.to_string()));
    Some(Reading { id, state, error: error.filter(|_| failed) })
}

/// The value of a field, to the next space; names are written in any case, and some put a space behind the colon.
fn field(text: &str, name: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = lower.get(..*at).and_then(|before| before.chars().next_back());
        before.is_none_or(|letter| !letter.is_ascii_alphanumeric())
    })?;
    let rest = text.get(start + name.len()..)?.trim_start();
    let value: String = rest.chars().take_while(|letter| !letter.is_whitespace()).collect();
    let value = printable(&value);
    let value = value.trim_matches(|letter| matches!(letter, '"' | '\'' | ';' | ','));
    (!value.is_empty() && !value.contains(':')).then(|| value.to_owned())
}

/// Without what is no letter: some end their fields with a zero, which no database takes.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

fn state_of_word(word: &str) -> Option<ReceiptState> {
    let word = word.to_ascii_uppercase();
    // Some write the word out, some cut it at seven letters.
    let known = [
        ("DELIV", ReceiptState::Delivered),
        ("UNDEL", ReceiptState::Undelivered),
        ("EXPIR", ReceiptState::Expired),
        ("REJEC", ReceiptState::Rejected),
        ("DELET", ReceiptState::Deleted),
        ("ACCEP", ReceiptState::Accepted),
        ("ACKED", ReceiptState::Accepted),
        ("BUFF", ReceiptState::Enroute),
        ("ENROU", ReceiptState::Enroute),
        ("SCHED", ReceiptState::Enroute),
        ("UNKNO", ReceiptState::Unknown),
        ("SKIPP", ReceiptState::Undelivered),
        ("FAILE", ReceiptState::Undelivered),
    ];
    known.into_iter().find(|(beginning, _)| word.starts_with(beginning)).map(|(_, state)| state)
}

const fn state_of_code(code: u8) -> Option<ReceiptState> {
    Some(match code {
        0 | 1 => ReceiptState::Enroute,
        2 => ReceiptState::Delivered,
        3 => ReceiptState::Expired,
        4 => ReceiptState::Deleted,
        5 | 9 => ReceiptState::Undelivered,
        6 => ReceiptState::Accepted,
        7 => ReceiptState::Unknown,
        8 => ReceiptState::Rejected,
        _ => return None,
    })
}

/// The ids that a receipt may mean, the likeliest first.
#[must_use]
pub fn readings(id: &str, style: IdStyle) -> Vec<String> {
    let bare = id.trim_start_matches('0');
    let decimal = || bare.parse::<u128>().ok();
    let hexadecimal = || u128::from_str_radix(bare, 16).ok();
    let of_hex = || decimal().map(|number| [format!("{number:x}"), format!("{number:X}")]);
    let of_decimal = || hexadecimal().map(|number| number.to_string());
    let mut readings = match style {
        IdStyle::Same => vec![id.to_owned()],
        IdStyle::Hex => of_decimal().into_iter().collect(),
        IdStyle::Decimal => of_hex().into_iter().flatten().collect(),
        IdStyle::Auto => {
            let mut readings = vec![id.to_owned(), bare.to_owned()];
            if bare.len() >= RARE {
                readings.extend(of_decimal());
                readings.extend(of_hex().into_iter().flatten());
                readings.extend([id.to_ascii_lowercase(), id.to_ascii_uppercase()]);
            }
            readings
        }
    };
    if style != IdStyle::Auto {
        readings.push(id.to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    readings.retain(|reading| !reading.is_empty() && seen.insert(reading.clone()));
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(text: &str) -> Option<(String, ReceiptState, Option<String>)> {
        let (data_coding, text) = alphabet::write(text);
        let short = Short { esm_class: 4, data_coding, text, ..Short::default() };
        read(&short).map(|reading| (reading.id, reading.state, reading.error))
    }

    #[test]
    fn receipts_of_many_makes_are_read() {
        use ReceiptState::{Deleted, Delivered, Enroute, Expired, Rejected, Undelivered, Unknown};
        let no = None::<&str>;
        for (text, id, state, error) in [
            (
                "id:42 sub:001 dlvrd:001 submit date:2403051234 done date:2403051235 stat:DELIVRD err:000 text:hello",
                "42",
                Delivered,
                no,
            ),
            (
                "ID:A1 SUB:001 DLVRD:000 SUBMIT DATE:2403051234 DONE DATE:2403051235 STAT:UNDELIV ERR:011 TEXT:",
                "A1",
                Undelivered,
                Some("011"),
            ),
            ("id:a1 stat:expired err:27", "a1", Expired, Some("27")),
            ("id:a-1_b stat:REJECTD", "a-1_b", Rejected, no),
            ("id: 77 stat: DELETED err: 1", "77", Deleted, Some("1")),
            ("id:0007 sub:1 dlvrd:1 done date:240305123456 stat:DELIVERED err:NW000 Text:id:9 stat:UNDELIV", "0007", Delivered, no),
            ("stat:UNDELIVERABLE id:5 err:\"E12\"", "5", Undelivered, Some("E12")),
            ("id:6 stat:ENROUTE", "6", Enroute, no),
            ("id:6 stat:BUFFRED", "6", Enroute, no),
            ("id:6 stat:UNKNOWN err:000", "6", Unknown, no),
            ("id:8 sub:001 dlvrd:001 stat:ACKED", "8", ReceiptState::Accepted, no),
        ] {
            assert_eq!(receipt(text), Some((id.to_owned(), state, error.map(str::to_owned))), "{text}");
        }
        for text in ["", "hello", "id:5", "stat:DELIVRD", "id: stat:DELIVRD", "id:5 stat:GONE", "bid:5 stat:DELIVRD"] {
            assert_eq!(receipt(text), None, "{text}");
        }
    }

    #[test]
    fn tlvs_go_before_the_text() {
        let (data_coding, text) = alphabet::write("id:1 stat:UNDELIV err:005");
        let short = Short { data_coding, text, receipted: Some("abc".into()), state: Some(2), ..Short::default() };
        assert_eq!(read(&short), Some(Reading { id: "abc".into(), state: ReceiptState::Delivered, error: None }));
        let bare = Short { receipted: Some("abc".into()), state: Some(5), network_error: Some(34), ..Short::default() };
        assert_eq!(read(&bare), Some(Reading { id: "abc".into(), state: ReceiptState::Undelivered, error: Some("34".into()) }));
    }

    #[test]
    fn what_is_no_letter_is_left_out() {
        for coding in [alphabet::LATIN1, 0x01] {
            let text = b"id:a1\0 stat:UNDELIV err:011\0".to_vec();
            let short = Short { esm_class: 4, data_coding: coding, text, ..Short::default() };
            let said = read(&short).map(|reading| (reading.id, reading.error));
            assert_eq!(said, Some(("a1".to_owned(), Some("011".to_owned()))), "{coding}");
        }
        let tlv = Short { receipted: Some("a\u{1}b\0".into()), state: Some(2), ..Short::default() };
        assert_eq!(read(&tlv).map(|reading| reading.id).as_deref(), Some("ab"));
    }

    #[test]
    fn ids_are_read_both_ways_where_that_cannot_be_somebody_elses() {
        assert_eq!(readings("16", IdStyle::Auto), ["16"]);
        assert_eq!(readings("0016", IdStyle::Auto), ["0016", "16"]);
        assert_eq!(readings("2540be400", IdStyle::Auto), ["2540be400", "10000000000", "2540BE400"]);
        assert_eq!(readings("10000000000", IdStyle::Auto)[2..4], ["2540be400", "2540BE400"].map(str::to_owned));
        assert_eq!(readings("10", IdStyle::Hex), ["16", "10"]);
        assert_eq!(readings("26", IdStyle::Decimal), ["1a", "1A", "26"]);
        assert_eq!(readings("x-1", IdStyle::Hex), ["x-1"]);
        assert_eq!(readings("x-1", IdStyle::Same), ["x-1"]);
    }
}
