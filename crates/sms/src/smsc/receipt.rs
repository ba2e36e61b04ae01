//! How the SMSC of the pocket network writes receipts.

use tandem_kernel::Timestamp;

use crate::wire::{self, Short};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is on its way.
    EnRoute,
    /// The handset has it.
    Delivered,
    /// It was too late.
    Expired,
    /// It was called back.
    Deleted,
    /// It cannot be delivered.
    Undeliverable,
    /// Nobody knows.
    Unknown,
    /// It was refused on the way.
    Rejected,
}

impl State {
    /// As the message_state of the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::EnRoute => 1,
            Self::Delivered => 2,
            Self::Expired => 3,
            Self::Deleted => 4,
            Self::Undeliverable => 5,
            Self::Unknown => 7,
            Self::Rejected => 8,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::EnRoute => "ENROUTE",
            Self::Delivered => "DELIVRD",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
            Self::Undeliverable => "UNDELIV",
            Self::Unknown => "UNKNOWN",
            Self::Rejected => "REJECTD",
        }
    }

    const fn error(self) -> &'static str {
        match self {
            Self::EnRoute | Self::Delivered => "000",
            Self::Expired => "027",
            Self::Deleted => "030",
            Self::Undeliverable => "001",
            Self::Unknown => "255",
            Self::Rejected => "021",
        }
    }

    /// Whether a message that asked for these receipts gets one.
    #[must_use]
    pub const fn is_wanted(self, registered: u8) -> bool {
        match (registered & 0x03, self) {
            (_, Self::EnRoute) => registered & 0x10 != 0,
            (1, _) | (3, Self::Delivered) => true,
            (2, state) => !matches!(state, Self::Delivered),
            _ => false,
        }
    }
}

/// How a receipt is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As the specification's appendix has it, and by TLV.
    Usual,
    /// In capitals.
    Capitals,
    /// In small letters.
    Small,
    /// Id and state only.
    Short,
    /// Longer dates and an error in letters.
    Seconds,
    /// Without a text.
    Tlv,
    /// The id in hexadecimal digits.
    Hex,
    /// The id in decimal digits.
    Decimal,
}

impl Style {
    /// The id as the answer to the submit has it.
    #[must_use]
    pub fn answer_id(self, id: u64) -> String {
        if self == Self::Decimal { format!("{id:x}") } else { id.to_string() }
    }

    /// The id as the receipt has it.
    fn receipt_id(self, id: u64) -> String {
        if self == Self::Hex { format!("{id:X}") } else { id.to_string() }
    }
}

/// What a receipt is about.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The message.
    pub message: &'a Short,
    /// Its number.
    pub id: u64,
    /// When it was taken.
    pub taken: Timestamp,
    /// When this became of it.
    pub at: Timestamp,
}

/// A receipt, from the recipient back to the sender.
#[must_use]
pub fn write(about: &About<'_>, state: State, style: Style) -> Short {
    let id = style.receipt_id(about.id);
    let full = matches!(style, Style::Seconds);
    let date = |at| {
        let text = wire::clock_text(at, full);
        text.get(..if full { 12 } else { 10 }).unwrap_or_default().to_owned()
    };
    let (word, error) = (state.word(), state.error());
    let (submitted, done) = (date(about.taken), date(about.at));
    let delivered = u8::from(state == State::Delivered);
    // Receipts are read by programs: in the default alphabet, whatever the message was written in.
    let plain = |letter: char| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' };
    let opening: String =
        wire::alphabet::read(about.message.data_coding, &about.message.text).chars().take(20).map(plain).collect();
    let usual = format!("id:{id} sub:001 dlvrd:{delivered:03} submit date:{submitted} done date:{done} stat:{word} err:{error} ");
    let text = match style {
        Style::Usual | Style::Hex | Style::Decimal => format!("{usual}text:{opening}"),
        Style::Capitals => usual.to_uppercase() + "TEXT:",
        Style::Small => usual.to_lowercase(),
        Style::Short => format!("id:{id} stat:{word}"),
        Style::Seconds => format!("id:{id} submit date:{submitted} done date:{done} stat:{word} err:NW{error}"),
        Style::Tlv => String::new(),
    };
    let (coding, text) = wire::alphabet::write(&text);
    let by_tlv = matches!(style, Style::Usual | Style::Tlv);
    Short {
        from: about.message.to.clone(),
        to: about.message.from.clone(),
        esm_class: if state == State::EnRoute { 0x20 } else { 0x04 },
        data_coding: coding,
        text,
        receipted: by_tlv.then_some(id),
        state: by_tlv.then_some(state.code()),
        vendor_environment: about.message.vendor_environment,
        ..Short::default()
    }
}
