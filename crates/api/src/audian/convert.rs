//! Between the wire types of this dialect and the views of the use cases.

use tandem_app::numbers::FoundNumber;
use tandem_domain::{
    config::{NumberConfig, RingTo},
    document::Document,
    number::Number,
    port::{Port, PortState},
};
use tandem_kernel::{PhoneNumber, places};

use super::dto::{
    BillingDto, ConferenceDto, ConfigDto, DocumentDto, ForwardingDto, NumberDto, OfferDto, PortDto, PriceDto, RecordingDto,
    RingDto, RingTargetDto, ScheduleDto, ScheduleRuleDto, VoicemailDto,
};
use crate::http::reply::number as amount;

/// A number for sale.
pub fn offer(found: &FoundNumber) -> OfferDto {
    OfferDto {
        number: found.phone.to_string(),
        location: place(found.phone),
        available: true,
        price: PriceDto { monthly: amount(found.monthly.micros), setup: amount(found.setup.micros) },
        features: found.features.names().collect(),
    }
}

/// A number of the account.
pub fn number(number: &Number) -> NumberDto {
    NumberDto {
        id: number.id.to_string(),
        number: number.phone.to_string(),
        friendly_name: number.friendly_name.clone(),
        status: number.state.as_str(),
        features: number.features.names().collect(),
        location: place(number.phone),
        purchased_at: number.purchased_at.to_string(),
        expires_at: number.expires_at().to_string(),
        billing: BillingDto { monthly_cost: amount(number.monthly.micros), next_charge: number.next_charge().to_string() },
    }
}

/// A number's configuration.
pub fn config(number: &Number) -> ConfigDto {
    let NumberConfig {
        ring,
        call_forwarding,
        voicemail,
        sms_webhook,
        voice_webhook,
        conference_id,
        call_flow_id,
        schedule,
        recording,
        ..
    } = number.config.clone();
    ConfigDto {
        id: number.id.to_string(),
        number: number.phone.to_string(),
        friendly_name: number.friendly_name.clone(),
        ring: ring.map(|ring| RingDto {
            strategy: ring.strategy.as_str(),
            targets: ring
                .targets
                .iter()
                .map(|target| RingTargetDto {
                    device_id: if let RingTo::Device(id) = target.to { Some(id.to_string()) } else { None },
                    number: if let RingTo::Number(number) = target.to { Some(number.to_string()) } else { None },
                    ring_seconds: target.seconds,
                })
                .collect(),
        }),
        call_forwarding: call_forwarding.map(|forwarding| ForwardingDto {
            enabled: forwarding.enabled,
            forward_to: forwarding.forward_to.map(|target| target.to_string()),
            when_unavailable: forwarding.when_unavailable,
            rings_before_forward: forwarding.rings_before_forward,
        }),
        voicemail: voicemail.map(|voicemail| VoicemailDto {
            enabled: voicemail.enabled,
            transcription: voicemail.transcription,
            delete_after_days: voicemail.delete_after_days,
            greeting_id: voicemail.greeting,
        }),
        sms_webhook,
        voice_webhook,
        conference: conference_id.map(|conference_id| ConferenceDto { conference_id }),
        call_flow_id,
        schedule: schedule.map(|schedule| ScheduleDto {
            time_zone: schedule.time_zone,
            rules: schedule
                .rules
                .into_iter()
                .map(|rule| ScheduleRuleDto {
                    days: rule.days,
                    from: rule.from,
                    to: rule.to,
                    forward_to: rule.forward_to.to_string(),
                })
                .collect(),
        }),
        recording: recording.map(|recording| RecordingDto {
            enabled: recording.enabled,
            format: recording.format,
            participant: recording.participant,
        }),
    }
}

/// Where a number belongs, as far as is known; its country's name at the least.
fn place(phone: PhoneNumber) -> String {
    let place = places::place_in(phone).or_else(|| phone.country().and_then(places::country_name));
    place.unwrap_or("").to_owned()
}

/// A port.
pub fn port(port: &Port) -> PortDto {
    let created_at = port.created_at.to_string();
    let (scheduled_for, completed_at, rejection_reason) = match &port.state {
        PortState::Scheduled { at } => (Some(at.to_string()), None, None),
        PortState::Completed { at } => (None, Some(at.to_string()), None),
        PortState::Rejected { reason } => (None, None, Some(reason.clone())),
        PortState::Pending | PortState::Submitted | PortState::Canceled => (None, None, None),
    };
    PortDto {
        id: port.id.to_string(),
        number: port.details.phone.to_string(),
        number_id: port.number.to_string(),
        status: port.state.as_str(),
        carrier_status: port.state.carrier_status(),
        carrier_name: port.details.carrier_name.clone(),
        created_at_too: created_at.clone(),
        created_at,
        updated_at: port.updated_at.to_string(),
        estimated_completion: port.estimated_completion.to_string(),
        scheduled_for,
        completed_at,
        rejection_reason,
        fee: amount(port.fee.micros),
    }
}

/// A document.
pub fn document(document: &Document) -> DocumentDto {
    DocumentDto {
        id: document.id.to_string(),
        port_id: document.port.to_string(),
        r#type: document.kind.as_str(),
        name: document.name.clone(),
        media_type: document.media_type.as_str().to_owned(),
        size: document.size,
        created_at: document.created_at.to_string(),
    }
}
