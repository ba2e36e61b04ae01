//! Numbers on the wire.

use serde::Serialize;
use tandem_domain::{
    NumberType,
    number::{Number, NumberState},
    sid::account_sid,
    webhook::Method,
};
use tandem_kernel::{AccountId, places};
use utoipa::ToSchema;

use super::{
    convert::{address_sid, capabilities, property_sid},
    numbers::requirement,
};

/// A number.
#[derive(Serialize, ToSchema)]
pub struct NumberDto {
    /// The number in E.164.
    #[serde(rename = "Number")]
    #[schema(example = "+61292000000")]
    number: String,
    /// The account's sid.
    #[serde(rename = "AccountSid")]
    account_sid: String,
    /// The sid of the project that has it.
    #[serde(rename = "PropertySid")]
    property_sid: String,
    /// Your name for it.
    #[serde(rename = "Friendly")]
    friendly: Option<String>,
    /// `Local`, `Toll-Free`, `Shared-Rate` or `National`.
    #[serde(rename = "Type")]
    kind: &'static str,
    /// What it can do: `Voice`, `SMS`, `MMS`.
    #[serde(rename = "Capabilities")]
    capabilities: Vec<&'static str>,
    /// `Active`, or `Pending` until there is an address that suits; also ours: `Suspended`, `Porting`, `PortingOut`, `Released`.
    #[serde(rename = "Status")]
    status: &'static str,
    /// The sid of the address that it is registered with.
    #[serde(rename = "AddressSid")]
    address_sid: Option<String>,
    /// Which address its country wants: `None`, `Any` (in the country) or `Local` (in the number's region).
    #[serde(rename = "AddressRequirement")]
    requirement: &'static str,
    /// Its country, by ISO 3166-1.
    #[serde(rename = "CountryCode")]
    country: Option<String>,
    /// Its region, where that is known.
    #[serde(rename = "Region")]
    region: Option<&'static str>,
    /// Its city, where that is known.
    #[serde(rename = "City")]
    city: Option<&'static str>,
    /// Where calls go: `Endpoint`, `Flow`, or null for neither.
    #[serde(rename = "RoutingMethod")]
    routing: Option<&'static str>,
    /// The number that calls go to.
    #[serde(rename = "EndpointNumber")]
    endpoint: Option<String>,
    /// The flow that calls go to.
    #[serde(rename = "Flow")]
    flow: Option<String>,
    /// `Off` or `Call`.
    #[serde(rename = "Recording")]
    recording: &'static str,
    /// Where people found the number.
    #[serde(rename = "Attribution_Source")]
    source: Option<String>,
    /// By what means.
    #[serde(rename = "Attribution_Medium")]
    medium: Option<String>,
    /// In which campaign.
    #[serde(rename = "Attribution_Campaign")]
    campaign: Option<String>,
    /// By which content of it.
    #[serde(rename = "Attribution_Content")]
    content: Option<String>,
    /// Whom a message that is sent on comes from.
    #[serde(rename = "SendSmsFrom")]
    sms_from: Option<String>,
    /// Who gets messages that come in, as a message.
    #[serde(rename = "SendSmsTo")]
    sms_to: Option<String>,
    /// Whom such an e-mail comes from.
    #[serde(rename = "SendEmailFrom")]
    email_from: Option<String>,
    /// Who gets messages that come in, as an e-mail.
    #[serde(rename = "SendEmailTo")]
    email_to: Option<String>,
    /// Who is told of messages that come in.
    #[serde(rename = "WebhookUri")]
    webhook: Option<String>,
    /// How: `POST` or `GET`. One that the Audian API set is told in that API's way, by `POST`.
    #[serde(rename = "WebhookMethod")]
    webhook_method: Option<&'static str>,
}

/// One number.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NumberAnswer {
    /// The number.
    pub number: NumberDto,
}

/// Numbers, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NumbersAnswer {
    /// The page.
    pub numbers: Vec<NumberDto>,
    /// How many there are in all.
    pub total_count: i64,
    /// What leads to the next page; null on the last.
    pub next_page_token: Option<String>,
}

/// A number that was bought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PurchasedAnswer {
    /// The number in E.164.
    #[schema(example = "+61292000000")]
    pub number: String,
    /// `Active`, or `Pending` until there is an address that suits.
    #[schema(example = "Active")]
    pub status: &'static str,
}

/// Where a number is in its life.
pub fn status(number: &Number) -> &'static str {
    match number.state {
        NumberState::Active if number.wants().is_some() => "Pending",
        NumberState::Active => "Active",
        NumberState::Suspended { .. } => "Suspended",
        NumberState::Porting { .. } => "Porting",
        NumberState::PortingOut => "PortingOut",
        NumberState::Released { .. } => "Released",
    }
}

/// A number as this dialect shows it.
pub fn dto(account: AccountId, number: &Number) -> NumberDto {
    let config = number.config.clone();
    let forwarding = config.call_forwarding.unwrap_or_default();
    let routing = match (&config.call_flow_id, forwarding.enabled) {
        (Some(_), _) => Some("Flow"),
        (None, true) => Some("Endpoint"),
        (None, false) => None,
    };
    let is_recorded = config.recording.is_some_and(|recording| recording.enabled);
    NumberDto {
        number: number.phone.to_string(),
        account_sid: account_sid(account),
        property_sid: property_sid(number.property),
        friendly: number.friendly_name.clone(),
        kind: NumberType::of(number.phone).as_str(),
        capabilities: capabilities(number.features),
        status: status(number),
        address_sid: number.address.map(address_sid),
        requirement: requirement(number.requirement),
        country: number.phone.country().map(|country| country.to_string()),
        region: places::region_of(number.phone).map(|region| region.code),
        city: places::city_of(number.phone),
        routing,
        endpoint: forwarding.forward_to.map(|target| target.to_string()),
        flow: config.call_flow_id,
        recording: if is_recorded { "Call" } else { "Off" },
        source: config.attribution.source,
        medium: config.attribution.medium,
        campaign: config.attribution.campaign,
        content: config.attribution.content,
        sms_from: config.sms_forwarding.sms_from,
        sms_to: config.sms_forwarding.sms_to.map(|number| number.to_string()),
        email_from: config.sms_forwarding.email_from,
        email_to: config.sms_forwarding.email_to,
        webhook_method: config.sms_webhook.as_ref().map(|_| config.sms_webhook_method.map_or("POST", Method::as_str)),
        webhook: config.sms_webhook,
    }
}
