//! How composite members are kept in one column: as JSON, read by every later version.

mod call;
mod flow;
mod trunk;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tandem_domain::{
    config::{
        Attribution, Forwarding, NumberConfig, Recording, Ring, RingTarget, RingTo, Schedule, ScheduleRule, SmsForwarding,
        Strategy, Voicemail,
    },
    webhook::Method,
};
use tandem_kernel::{DeviceId, PhoneNumber};

use crate::Fault;

pub use call::{
    calling_policy_from_text, calling_policy_to_text, detail_from_text, detail_to_text, tariff_from_text, tariff_to_text,
};
pub use flow::{
    choices_from_text, choices_to_text, destination, menu_settings_from_text, menu_settings_to_text, routing_from_text,
    routing_to_text,
};
pub use trunk::{trunk_from_text, trunk_to_text};

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct ConfigRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    ring: Option<RingRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarding: Option<ForwardingRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voicemail: Option<VoicemailRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_webhook_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conference_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_flow_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<ScheduleRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<RecordingRow>,
    #[serde(skip_serializing_if = "AttributionRow::is_empty")]
    attribution: AttributionRow,
    #[serde(skip_serializing_if = "SmsForwardingRow::is_empty")]
    sms_forwarding: SmsForwardingRow,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default)]
struct AttributionRow {
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    content: Option<String>,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default)]
struct SmsForwardingRow {
    sms_from: Option<String>,
    sms_to: Option<u64>,
    email_from: Option<String>,
    email_to: Option<String>,
}

impl AttributionRow {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn of(attribution: &Attribution) -> Self {
        let Attribution { source, medium, campaign, content } = attribution.clone();
        Self { source, medium, campaign, content }
    }
}

impl SmsForwardingRow {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn of(forwarding: &SmsForwarding) -> Self {
        let SmsForwarding { sms_from, sms_to, email_from, email_to } = forwarding.clone();
        Self { sms_from, sms_to: sms_to.map(PhoneNumber::digits), email_from, email_to }
    }
}

#[derive(Serialize, Deserialize)]
struct RingRow {
    strategy: String,
    targets: Vec<RingTargetRow>,
}

#[derive(Serialize, Deserialize)]
struct RingTargetRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    seconds: i64,
}

#[derive(Serialize, Deserialize)]
struct ForwardingRow {
    enabled: bool,
    to: Option<u64>,
    when_unavailable: Option<bool>,
    rings: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct VoicemailRow {
    enabled: bool,
    transcription: bool,
    days: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    greeting: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ScheduleRow {
    time_zone: String,
    rules: Vec<RuleRow>,
}

#[derive(Serialize, Deserialize)]
struct RuleRow {
    days: Vec<i64>,
    from: String,
    to: String,
    target: u64,
}

#[derive(Serialize, Deserialize)]
struct RecordingRow {
    enabled: bool,
    format: String,
    participant: String,
}

/// Writes any row type as JSON.
pub fn to_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() // row types have text keys only: it cannot fail
}

/// Reads any row type.
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|fault| Fault::Broken(fault.into()))
}

/// Writes a number's configuration.
pub fn config_to_text(config: &NumberConfig) -> String {
    to_text(&ConfigRow {
        ring: config.ring.as_ref().map(ring_row),
        forwarding: config.call_forwarding.as_ref().map(|forwarding| ForwardingRow {
            enabled: forwarding.enabled,
            to: forwarding.forward_to.map(PhoneNumber::digits),
            when_unavailable: forwarding.when_unavailable,
            rings: forwarding.rings_before_forward,
        }),
        voicemail: config.voicemail.as_ref().map(|voicemail| VoicemailRow {
            enabled: voicemail.enabled,
            transcription: voicemail.transcription,
            days: voicemail.delete_after_days,
            greeting: voicemail.greeting.clone(),
        }),
        sms_webhook: config.sms_webhook.clone(),
        sms_webhook_method: config.sms_webhook_method.map(|method| method.as_str().to_owned()),
        voice_webhook: config.voice_webhook.clone(),
        conference_id: config.conference_id.clone(),
        call_flow_id: config.call_flow_id.clone(),
        schedule: config.schedule.as_ref().map(|schedule| ScheduleRow {
            time_zone: schedule.time_zone.clone(),
            rules: schedule.rules.iter().map(rule_row).collect(),
        }),
        recording: config.recording.as_ref().map(|recording| RecordingRow {
            enabled: recording.enabled,
            format: recording.format.clone(),
            participant: recording.participant.clone(),
        }),
        attribution: AttributionRow::of(&config.attribution),
        sms_forwarding: SmsForwardingRow::of(&config.sms_forwarding),
    })
}

/// Reads a number's configuration.
pub fn config_from_text(text: &str) -> Result<NumberConfig, Fault> {
    let row: ConfigRow = from_text(text)?;
    Ok(NumberConfig {
        ring: row.ring.map(ring).transpose()?,
        call_forwarding: row.forwarding.map(|forwarding| Forwarding {
            enabled: forwarding.enabled,
            forward_to: forwarding.to.map(PhoneNumber::from_digits),
            when_unavailable: forwarding.when_unavailable,
            rings_before_forward: forwarding.rings,
        }),
        voicemail: row.voicemail.map(|voicemail| Voicemail {
            enabled: voicemail.enabled,
            transcription: voicemail.transcription,
            delete_after_days: voicemail.days,
            greeting: voicemail.greeting,
        }),
        sms_webhook: row.sms_webhook,
        sms_webhook_method: row.sms_webhook_method.as_deref().and_then(Method::parse),
        voice_webhook: row.voice_webhook,
        conference_id: row.conference_id,
        call_flow_id: row.call_flow_id,
        schedule: row
            .schedule
            .map(|schedule| Schedule { time_zone: schedule.time_zone, rules: schedule.rules.into_iter().map(rule).collect() }),
        recording: row.recording.map(|recording| Recording {
            enabled: recording.enabled,
            format: recording.format,
            participant: recording.participant,
        }),
        attribution: attribution(row.attribution),
        sms_forwarding: sms_forwarding(row.sms_forwarding),
    })
}

fn ring_row(ring: &Ring) -> RingRow {
    let target = |target: &RingTarget| {
        let (device, number) = match target.to {
            RingTo::Device(id) => (Some(id.to_string()), None),
            RingTo::Number(number) => (None, Some(number.digits())),
        };
        RingTargetRow { device, number, seconds: target.seconds }
    };
    RingRow { strategy: ring.strategy.as_str().to_owned(), targets: ring.targets.iter().map(target).collect() }
}

fn ring(row: RingRow) -> Result<Ring, Fault> {
    let odd = || Fault::data("a number that rings something unknown");
    let target = |row: RingTargetRow| {
        let to = match row.number {
            Some(digits) => RingTo::Number(PhoneNumber::from_digits(digits)),
            None => RingTo::Device(row.device.as_deref().and_then(DeviceId::parse).ok_or_else(odd)?),
        };
        Ok(RingTarget { to, seconds: row.seconds })
    };
    let targets = row.targets.into_iter().map(target).collect::<Result<_, Fault>>()?;
    Ok(Ring { strategy: Strategy::parse(&row.strategy).ok_or_else(odd)?, targets })
}

fn attribution(row: AttributionRow) -> Attribution {
    let AttributionRow { source, medium, campaign, content } = row;
    Attribution { source, medium, campaign, content }
}

fn sms_forwarding(row: SmsForwardingRow) -> SmsForwarding {
    let SmsForwardingRow { sms_from, sms_to, email_from, email_to } = row;
    SmsForwarding { sms_from, sms_to: sms_to.map(PhoneNumber::from_digits), email_from, email_to }
}

fn rule_row(rule: &ScheduleRule) -> RuleRow {
    RuleRow { days: rule.days.clone(), from: rule.from.clone(), to: rule.to.clone(), target: rule.forward_to.digits() }
}

fn rule(row: RuleRow) -> ScheduleRule {
    ScheduleRule { days: row.days, from: row.from, to: row.to, forward_to: PhoneNumber::from_digits(row.target) }
}
