//! A short message as submit_sm and deliver_sm carry it.

use rusmpp::{
    pdus::{DeliverSm, SubmitSm},
    tlvs::{Tlv, TlvTag, TlvValue},
    types::AnyOctetString,
    values::MessagePayload,
};

/// The vendor TLV by which our own binds name a message and its part, so that our own SMSC knows one that it has already; and the other
/// way round.
pub const VENDOR_PART: u16 = 0x1471;
/// The vendor TLV by which our own binds name the environment of a message.
pub const VENDOR_ENVIRONMENT: u16 = 0x1472;

/// An address with its type and plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Address {
    /// Type of number: 1 international, 5 letters, …
    pub ton: u8,
    /// Numbering plan: 1 is E.164.
    pub npi: u8,
    /// Digits or letters.
    pub text: String,
}

/// Where a part belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// What the parts of one message have in common.
    pub reference: u16,
    /// Which part, from 1.
    pub part: u8,
    /// Of how many.
    pub of: u8,
}

/// A short message, or a part of a longer one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Short {
    /// From whom.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// Mode, type, and whether there is a header in the text.
    pub esm_class: u8,
    /// The alphabet.
    pub data_coding: u8,
    /// Which receipts are asked for.
    pub registered: u8,
    /// How long it may take, as the wire writes it.
    pub validity: String,
    /// The header that the text begins with, if there is one, without its length.
    pub header: Vec<u8>,
    /// The text in that alphabet.
    pub text: Vec<u8>,
    /// Its place among others.
    pub place: Option<Place>,
    /// Of a receipt: which message it is about.
    pub receipted: Option<String>,
    /// Of a receipt: what became of it.
    pub state: Option<u8>,
    /// Of a receipt: the network's reason, after the octet that says which network.
    pub network_error: Option<u16>,
    /// The part's name, where our own bind sent it.
    pub vendor_part: Option<[u8; 17]>,
    /// Its environment, where our own bind sent it.
    pub vendor_environment: Option<[u8; 16]>,
}

/// Whether the text begins with a header.
const HAS_HEADER: u8 = 0x40;
/// What says that it is a receipt, or news on the way to one.
const RECEIPT: u8 = 0x3C;

impl Short {
    /// Whether it is no message of a person but a receipt or an intermediate notification.
    #[must_use]
    pub const fn is_receipt(&self) -> bool {
        matches!(self.esm_class & RECEIPT, 0x04 | 0x20)
    }

    /// Whether it is news on the way to a receipt.
    #[must_use]
    pub const fn is_intermediate(&self) -> bool {
        self.esm_class & RECEIPT == 0x20
    }

    fn fill(mut self, bytes: &[u8], tlvs: &[Tlv]) -> Self {
        self.text = bytes.to_vec();
        let (mut reference, mut part, mut of) = (None, None, None);
        for value in tlvs.iter().filter_map(Tlv::value) {
            match value {
                TlvValue::MessagePayload(payload) => self.text = payload.value.as_ref().to_vec(),
                TlvValue::SarMsgRefNum(number) => reference = Some(*number),
                TlvValue::SarSegmentSeqnum(number) => part = Some(*number),
                TlvValue::SarTotalSegments(number) => of = Some(*number),
                TlvValue::ReceiptedMessageId(id) => self.receipted = Some(id.as_str().to_owned()),
                TlvValue::MessageState(state) => self.state = Some(u8::from(*state)),
                TlvValue::NetworkErrorCode(code) => self.network_error = Some(code.error_code),
                TlvValue::Other { tag, value } => self.vendor(u16::from(*tag), value.as_ref()),
                _ => {}
            }
        }
        if self.esm_class & HAS_HEADER != 0 {
            self.split_header();
        }
        if let (None, Some(reference), Some(part), Some(of)) = (self.place, reference, part, of) {
            self.place = Some(Place { reference, part, of }).filter(Place::makes_sense);
        }
        self
    }

    fn vendor(&mut self, tag: u16, value: &[u8]) {
        match tag {
            VENDOR_PART => self.vendor_part = value.try_into().ok(),
            VENDOR_ENVIRONMENT => self.vendor_environment = value.try_into().ok(),
            _ => {}
        }
    }

    fn split_header(&mut self) {
        let length = self.text.first().copied().map_or(0, usize::from);
        if self.text.len() > length {
            let text = self.text.split_off(length + 1);
            self.header = self.text.split_off(1);
            self.text = text;
            self.place = place_in(&self.header);
        }
    }
}

impl Place {
    fn makes_sense(&self) -> bool {
        self.of > 1 && (1..=self.of).contains(&self.part)
    }
}

/// The place that a header names, in either of its two forms.
fn place_in(mut header: &[u8]) -> Option<Place> {
    while let [id, length, rest @ ..] = header {
        let (value, next) = rest.split_at_checked(usize::from(*length))?;
        let place = match (id, value) {
            (0x00, [reference, of, part]) => Some(Place { reference: u16::from(*reference), part: *part, of: *of }),
            (0x08, [high, low, of, part]) => Some(Place { reference: u16::from_be_bytes([*high, *low]), part: *part, of: *of }),
            _ => None,
        };
        if let Some(place) = place.filter(Place::makes_sense) {
            return Some(place);
        }
        header = next;
    }
    None
}

macro_rules! from_pdu {
    ($($pdu:ty),*) => {$(
        impl From<&$pdu> for Short {
            fn from(pdu: &$pdu) -> Self {
                let address = |ton, npi, text: &str| Address { ton, npi, text: text.to_owned() };
                let short = Self {
                    from: address(pdu.source_addr_ton.into(), pdu.source_addr_npi.into(), pdu.source_addr.as_str()),
                    to: address(pdu.dest_addr_ton.into(), pdu.dest_addr_npi.into(), pdu.destination_addr.as_str()),
                    esm_class: pdu.esm_class.into(),
                    data_coding: pdu.data_coding.into(),
                    registered: pdu.registered_delivery.into(),
                    validity: pdu.validity_period.as_str().to_owned(),
                    ..Self::default()
                };
                short.fill(pdu.short_message().as_ref(), pdu.tlvs())
            }
        }
    )*};
}
from_pdu!(SubmitSm, DeliverSm);

/// What of a short message goes into a PDU whichever way: builds both.
macro_rules! to_pdu {
    ($($name:ident: $pdu:ty, $values:ident;)*) => {$(
        impl Short {
            /// As a command.
            #[must_use]
            pub fn $name(&self) -> $pdu {
                use rusmpp::tlvs::$values as Value;
                let mut pdu = <$pdu>::default();
                pdu.source_addr_ton = self.from.ton.into();
                pdu.source_addr_npi = self.from.npi.into();
                pdu.source_addr = super::clipped(&self.from.text);
                pdu.dest_addr_ton = self.to.ton.into();
                pdu.dest_addr_npi = self.to.npi.into();
                pdu.destination_addr = super::clipped(&self.to.text);
                pdu.esm_class = self.esm_class.into();
                pdu.data_coding = self.data_coding.into();
                pdu.registered_delivery = self.registered.into();
                pdu.validity_period = self.validity.parse().unwrap_or_default();
                let text = self.with_header();
                match text.clone().try_into() {
                    Ok(short) => pdu.set_short_message(short),
                    Err(_) => pdu.push_tlv(Value::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(text)))),
                }
                if let Some(Place { reference, part, of }) = self.place.filter(|_| self.header.is_empty()) {
                    pdu.push_tlv(Value::SarMsgRefNum(reference));
                    pdu.push_tlv(Value::SarTotalSegments(of));
                    pdu.push_tlv(Value::SarSegmentSeqnum(part));
                }
                pdu
            }
        }
    )*};
}
to_pdu! {
    submit: SubmitSm, MessageSubmissionRequestTlvValue;
    deliver_bare: DeliverSm, MessageDeliveryRequestTlvValue;
}

impl Short {
    fn with_header(&self) -> Vec<u8> {
        match u8::try_from(self.header.len()) {
            Ok(length @ 1..) => [&[length], self.header.as_slice(), &self.text].concat(),
            _ => self.text.clone(),
        }
    }

    /// As what our own binds send: with the part's name and its environment.
    #[must_use]
    pub fn submit_named(&self) -> SubmitSm {
        use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Value;
        let mut pdu = self.submit();
        let vendor = |tag: u16, value: &[u8]| Value::Other { tag: TlvTag::from(tag), value: AnyOctetString::from_slice(value) };
        if let Some(part) = &self.vendor_part {
            pdu.push_tlv(vendor(VENDOR_PART, part));
        }
        if let Some(environment) = &self.vendor_environment {
            pdu.push_tlv(vendor(VENDOR_ENVIRONMENT, environment));
        }
        pdu
    }

    /// As what an SMSC delivers: a receipt with what it is about, where it has that.
    #[must_use]
    pub fn deliver(&self) -> DeliverSm {
        use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Value;
        let mut pdu = self.deliver_bare();
        if let Some(id) = &self.receipted {
            pdu.push_tlv(Value::ReceiptedMessageId(super::clipped(id)));
        }
        if let Some(state) = self.state {
            pdu.push_tlv(Value::MessageState(state.into()));
        }
        if let Some(name) = &self.vendor_part {
            pdu.push_tlv(Value::Other { tag: TlvTag::from(VENDOR_PART), value: AnyOctetString::from_slice(name) });
        }
        if let Some(environment) = &self.vendor_environment {
            pdu.push_tlv(Value::Other { tag: TlvTag::from(VENDOR_ENVIRONMENT), value: AnyOctetString::from_slice(environment) });
        }
        pdu
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address { ton: 1, npi: 1, text: text.to_owned() }
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        let plain = Short { from: address("14155550100"), to: address("14155550101"), text: b"hello".to_vec(), ..Short::default() };
        let headed = Short { esm_class: 0x40, header: vec![0, 3, 7, 2, 1], ..plain.clone() };
        let read_headed = Short { place: Some(Place { reference: 7, part: 1, of: 2 }), ..headed.clone() };
        let sar = Short { place: Some(Place { reference: 300, part: 2, of: 2 }), ..plain.clone() };
        let long = Short { text: vec![b'x'; 300], vendor_part: Some([5; 17]), vendor_environment: Some([6; 16]), ..plain.clone() };
        for (sent, read) in [(&plain, &plain), (&headed, &read_headed), (&sar, &sar), (&long, &long)] {
            assert_eq!(Short::from(&sent.submit_named()), *read);
        }
        let receipt = Short { esm_class: 4, receipted: Some("ab1".into()), state: Some(2), ..plain };
        assert_eq!(Short::from(&receipt.deliver()), receipt);
        assert!(receipt.is_receipt() && !receipt.is_intermediate());
    }

    #[test]
    fn headers_of_both_forms_and_nonsense() {
        let place = |header: &[u8]| place_in(header).map(|place| (place.reference, place.part, place.of));
        assert_eq!(place(&[0, 3, 9, 3, 2]), Some((9, 2, 3)));
        assert_eq!(place(&[5, 4, 0, 1, 0, 2, 8, 4, 1, 0, 2, 1]), Some((256, 1, 2)));
        for nonsense in [&[][..], &[0], &[0, 3, 1], &[0, 3, 1, 2, 3], &[0, 3, 1, 2, 0], &[0, 3, 1, 1, 1], &[8, 3, 1, 2, 1]] {
            assert_eq!(place(nonsense), None, "{nonsense:?}");
        }
    }
}
