//! The wire types of this dialect.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// `{"success":true,"data":…}`.
#[derive(Serialize, ToSchema)]
pub struct Success<T: ToSchema> {
    /// Always true.
    pub success: bool,
    /// What was asked for.
    #[schema(inline)]
    pub data: T,
}

impl<T: ToSchema> Success<T> {
    /// Wraps an answer.
    pub const fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

/// A number for sale.
#[derive(Serialize, ToSchema)]
pub struct OfferDto {
    /// E.164.
    #[schema(example = "+14155550123")]
    pub number: String,
    /// City and state, or as much of it as is known.
    #[schema(example = "San Francisco, CA")]
    pub location: String,
    /// Always true: what is taken is not found.
    pub available: bool,
    /// What it costs.
    pub price: PriceDto,
    /// What it can do.
    pub features: Vec<&'static str>,
}

/// What a number costs, in the account's currency.
#[derive(Serialize, ToSchema)]
pub struct PriceDto {
    /// Each month.
    #[schema(value_type = f64, example = 0.99)]
    pub monthly: Value,
    /// Once.
    #[schema(value_type = f64, example = 0)]
    pub setup: Value,
}

/// A page of numbers for sale.
#[derive(Serialize, ToSchema)]
pub struct OffersDto {
    /// The page.
    pub numbers: Vec<OfferDto>,
    /// How many were found in all.
    pub total: u64,
    /// How many were asked for.
    pub limit: i64,
    /// How many were left out.
    pub offset: i64,
}

/// A number of the account.
#[derive(Serialize, ToSchema)]
pub struct NumberDto {
    /// Its id.
    #[schema(example = "num_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    pub id: String,
    /// E.164.
    #[schema(example = "+14155550123")]
    pub number: String,
    /// Its owner's name for it.
    pub friendly_name: Option<String>,
    /// `active`, `suspended`, `porting`, `porting_out` or `released`.
    pub status: &'static str,
    /// What it can do.
    pub features: Vec<&'static str>,
    /// City and state, or as much of it as is known.
    pub location: String,
    /// When it was bought.
    #[schema(format = "date-time")]
    pub purchased_at: String,
    /// The end of the present year of service.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// What it costs.
    pub billing: BillingDto,
}

/// What a number of the account costs.
#[derive(Serialize, ToSchema)]
pub struct BillingDto {
    /// Each month, in the account's currency.
    #[schema(value_type = f64, example = 0.99)]
    pub monthly_cost: Value,
    /// When the next month is charged.
    #[schema(format = "date-time")]
    pub next_charge: String,
}

/// A page of numbers of the account.
#[derive(Serialize, ToSchema)]
pub struct NumbersDto {
    /// The page, oldest first.
    pub numbers: Vec<NumberDto>,
    /// How many there are in all.
    pub total: i64,
    /// How many were asked for.
    pub limit: i64,
    /// How many were left out.
    pub offset: i64,
}

/// A number's configuration. Members that are not set are left out.
#[derive(Serialize, ToSchema)]
pub struct ConfigDto {
    /// The number's id.
    pub id: String,
    /// E.164.
    pub number: String,
    /// Its owner's name for it.
    pub friendly_name: Option<String>,
    /// Telephones that ring before the call is forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring: Option<RingDto>,
    /// Where calls go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_forwarding: Option<ForwardingDto>,
    /// What becomes of calls that nobody takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<VoicemailDto>,
    /// Who is told of incoming messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_webhook: Option<String>,
    /// Who is asked about incoming calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_webhook: Option<String>,
    /// The conference that callers join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference: Option<ConferenceDto>,
    /// The call flow that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_flow_id: Option<String>,
    /// Forward targets by time of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleDto>,
    /// Whether calls are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingDto>,
}

/// Telephones that ring.
#[derive(Serialize, ToSchema)]
pub struct RingDto {
    /// `in_turn` or `at_once`.
    pub strategy: &'static str,
    /// Which.
    pub targets: Vec<RingTargetDto>,
}

/// One telephone.
#[derive(Serialize, ToSchema)]
pub struct RingTargetDto {
    /// The SIP device, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The number, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// How long it rings.
    pub ring_seconds: i64,
}

/// Where calls are forwarded.
#[derive(Serialize, ToSchema)]
pub struct ForwardingDto {
    /// Whether they are.
    pub enabled: bool,
    /// The target in E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_to: Option<String>,
    /// Only when the number's own devices cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when_unavailable: Option<bool>,
    /// Rings before the call goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rings_before_forward: Option<i64>,
}

/// What becomes of calls that nobody takes.
#[derive(Serialize, ToSchema)]
pub struct VoicemailDto {
    /// Whether callers may leave a message.
    pub enabled: bool,
    /// Whether messages are written down.
    pub transcription: bool,
    /// Days that messages are kept.
    pub delete_after_days: i64,
    /// The recording that callers hear before the tone; left out where a sentence is spoken. An addition of ours.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting_id: Option<String>,
}

/// The conference that callers join.
#[derive(Serialize, ToSchema)]
pub struct ConferenceDto {
    /// Its id.
    pub conference_id: String,
}

/// Forward targets by time of day.
#[derive(Serialize, ToSchema)]
pub struct ScheduleDto {
    /// An IANA time zone.
    pub time_zone: String,
    /// The first that fits wins.
    pub rules: Vec<ScheduleRuleDto>,
}

/// One stretch of the week.
#[derive(Serialize, ToSchema)]
pub struct ScheduleRuleDto {
    /// 1 for Monday to 7 for Sunday.
    pub days: Vec<i64>,
    /// `HH:MM`, inclusive.
    pub from: String,
    /// `HH:MM`, exclusive.
    pub to: String,
    /// The target in E.164.
    pub forward_to: String,
}

/// Whether calls are recorded.
#[derive(Serialize, ToSchema)]
pub struct RecordingDto {
    /// Whether they are.
    pub enabled: bool,
    /// `wav`, `mp3` or `opus`.
    pub format: String,
    /// `all`, `caller` or `callee`.
    pub participant: String,
}

/// A number on its way here.
#[derive(Serialize, ToSchema)]
pub struct PortDto {
    /// Its id.
    #[schema(example = "port_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    pub id: String,
    /// E.164.
    pub number: String,
    /// The id of the number of the account that it becomes.
    pub number_id: String,
    /// `pending`, `submitted`, `scheduled`, `completed`, `rejected` or `canceled`.
    pub status: &'static str,
    /// What the losing carrier says.
    pub carrier_status: &'static str,
    /// The losing carrier, as it was named.
    pub carrier_name: Option<String>,
    /// When it was asked for.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// The same again, as another page of the documentation spells it.
    #[serde(rename = "createdAt")]
    #[schema(format = "date-time")]
    pub created_at_too: String,
    /// When its state last changed.
    #[schema(format = "date-time")]
    pub updated_at: String,
    /// When it will probably be done.
    #[schema(format = "date-time")]
    pub estimated_completion: String,
    /// The date that the losing carrier named (FOC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    pub scheduled_for: Option<String>,
    /// Since when the number is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    pub completed_at: Option<String>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejection_reason: Option<String>,
    /// What it costs when it is completed.
    #[schema(value_type = f64, example = 25)]
    pub fee: Value,
}

/// A page of ports.
#[derive(Serialize, ToSchema)]
pub struct PortsDto {
    /// The page, oldest first.
    pub ports: Vec<PortDto>,
    /// How many there are in all.
    pub total: i64,
    /// How many were asked for.
    pub limit: i64,
    /// How many were left out.
    pub offset: i64,
}

/// A document that supports a port.
#[derive(Serialize, ToSchema)]
pub struct DocumentDto {
    /// Its id.
    pub id: String,
    /// The port's id.
    pub port_id: String,
    /// `loa`, `bill` or `other`.
    pub r#type: &'static str,
    /// The file's name.
    pub name: String,
    /// What it is by its content.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// When it was added.
    #[schema(format = "date-time")]
    pub created_at: String,
}
