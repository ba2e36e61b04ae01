//! Where a call can be sent.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{ConferenceId, DeviceId, FlowId, MenuId, PhoneNumber, RecordingId};

use super::Place;
use crate::config;

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To a menu.
    Menu(MenuId),
    /// To another flow.
    Flow(FlowId),
    /// To a telephone number.
    Number(PhoneNumber),
    /// To a SIP device.
    Device(DeviceId),
    /// Into a conference.
    Conference(ConferenceId),
    /// To a recording, which is played; then it ends.
    Recording(RecordingId),
    /// To the voicemail of the number that was called.
    Voicemail,
    /// It ends.
    Hangup,
}

impl Destination {
    /// The words for them.
    pub const KINDS: &'static [&'static str] =
        &["ivr_menu", "phone_number", "call_flow", "conference", "recording", "sip_device", "voicemail", "hangup"];

    /// Reads one from its two members; `field` is what names the target.
    ///
    /// # Errors
    /// `missing_parameter`, `invalid_choice`, `forward_target_invalid`, `routing_target_missing` for what cannot be an id, and
    /// `invalid_routing` for a target where there is none.
    pub fn read(kind: &str, target: Option<&str>, field: &str) -> Result<Self> {
        let named = target.filter(|target| !target.is_empty());
        let id = || named.ok_or_else(|| Error::missing_parameter(field.to_owned()));
        let missing = |kind: &'static str, id: &str| Error::routing_target_missing(field.to_owned(), kind, id.to_owned());
        match kind {
            "ivr_menu" => id().and_then(|id| MenuId::parse(id).map(Self::Menu).ok_or_else(|| missing("IVR menu", id))),
            "call_flow" => id().and_then(|id| FlowId::parse(id).map(Self::Flow).ok_or_else(|| missing("call flow", id))),
            "conference" => {
                id().and_then(|id| ConferenceId::parse(id).map(Self::Conference).ok_or_else(|| missing("conference", id)))
            }
            "recording" => id().and_then(|id| RecordingId::parse(id).map(Self::Recording).ok_or_else(|| missing("recording", id))),
            "sip_device" => id().and_then(|id| DeviceId::parse(id).map(Self::Device).ok_or_else(|| missing("device", id))),
            "phone_number" => id().and_then(|number| config::target(field, number).map(Self::Number)),
            "voicemail" | "hangup" if named.is_some() => {
                Err(Error::invalid_routing(field.to_owned(), format!("'{kind}' takes no destination")))
            }
            "voicemail" => Ok(Self::Voicemail),
            "hangup" => Ok(Self::Hangup),
            _ => Err(Error::invalid_choice(format!("{field}_type"), Self::KINDS.join(", "))),
        }
    }

    /// The word for its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Menu(_) => "ivr_menu",
            Self::Flow(_) => "call_flow",
            Self::Number(_) => "phone_number",
            Self::Device(_) => "sip_device",
            Self::Conference(_) => "conference",
            Self::Recording(_) => "recording",
            Self::Voicemail => "voicemail",
            Self::Hangup => "hangup",
        }
    }

    /// What it names, as it was named.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        match self {
            Self::Menu(id) => Some(id.to_string()),
            Self::Flow(id) => Some(id.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Device(id) => Some(id.to_string()),
            Self::Conference(id) => Some(id.to_string()),
            Self::Recording(id) => Some(id.to_string()),
            Self::Voicemail | Self::Hangup => None,
        }
    }

    /// The place from which the call may be sent on, where it is one.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Menu(id) => Some(Place::Menu(*id)),
            Self::Flow(id) => Some(Place::Flow(*id)),
            Self::Number(number) => Some(Place::Number(*number)),
            Self::Device(_) | Self::Conference(_) | Self::Recording(_) | Self::Voicemail | Self::Hangup => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_catalogue::Code;

    use super::*;

    #[test]
    fn each_kind_reads_back() {
        let menu = MenuId::from_bytes([3; 16]).to_string();
        let flow = FlowId::from_bytes([3; 16]).to_string();
        let (conference, recording) = (ConferenceId::from_bytes([3; 16]).to_string(), RecordingId::from_bytes([3; 16]).to_string());
        let device = DeviceId::from_bytes([3; 16]).to_string();
        let targets = [&menu, "+14155550100", &flow, &conference, &recording, &device];
        for (place, kind) in Destination::KINDS.iter().enumerate() {
            let target = targets.get(place).copied();
            let read = Destination::read(kind, target, "destination").expect(kind);
            assert_eq!((read.kind(), read.target().as_deref()), (*kind, target));
        }
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        let code = |kind, target| Destination::read(kind, target, "destination").expect_err(kind).code();
        assert_eq!(code("ivr_menu", None), Code::MissingParameter);
        assert_eq!(code("ivr_menu", Some("")), Code::MissingParameter);
        assert_eq!(code("ivr_menu", Some("menu_abc123")), Code::RoutingTargetMissing);
        assert_eq!(code("phone_number", Some("12")), Code::ForwardTargetInvalid);
        assert_eq!(code("hangup", Some("+14155550100")), Code::InvalidRouting);
        assert_eq!(code("teleport", Some("x")), Code::InvalidChoice);
    }
}
