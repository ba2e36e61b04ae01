//! `/voice`: an agent is rung, hears of a lead, and is connected.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tandem_app::calls::{self, CallView, FEE, TriggerCall};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::call::{Detail, Live, Phase};
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Field, Kind, Reply, reply::number as amount};

const TAG: &str = "Voice";
const TRIGGER: &[Field] = &[
    Field::new("agentPhone", Kind::Phone, "The agent's number, in E.164.", r#""+61412345678""#).required(),
    Field::new("leadPhone", Kind::Phone, "The lead's number, in E.164.", r#""+61487654321""#).required(),
    Field::new("leadName", Kind::Text { min: 1, max: 128 }, "What the lead is called: the agent hears it.", r#""Ada Lovelace""#)
        .required(),
    Field::new("source", Kind::Text { min: 1, max: 128 }, "Whence the lead came: the agent hears it.", r#""Website Form""#),
    Field::new("metadata", Kind::Free, "Your fields, which come back with `call.completed`.", r#"{"propertyId":"4711"}"#),
];

/// A call that was begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TriggeredDto {
    /// Always true.
    success: bool,
    /// The call's id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// `initiated`.
    status: &'static str,
    /// The agent's number.
    agent_phone: String,
    /// The lead's number.
    lead_phone: String,
    /// How long that takes as a rule.
    estimated_connect_time: &'static str,
    /// What is paid when the agent answers; set aside until then.
    #[schema(value_type = f64, example = 0.1)]
    credits_used: Value,
}

/// A call.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VoiceCallDto {
    /// Always true.
    success: bool,
    /// The call's id.
    #[schema(example = "call_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    call_id: String,
    /// `initiated`, `ringing`, `answered`, `completed` or `failed`.
    status: &'static str,
    /// Who was rung first.
    agent_phone: String,
    /// Who was called for them; null for calls that were made otherwise.
    lead_phone: Option<String>,
    /// When it began.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it ended; null while it goes on.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// Seconds since the agent answered; null while it goes on.
    duration: Option<i64>,
    /// Why it ended; null while it goes on.
    reason: Option<&'static str>,
    /// What it cost; null while it goes on.
    #[schema(value_type = Option<f64>)]
    cost: Option<Value>,
    /// Your fields.
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            "triggerCall",
            Method::POST,
            "/voice/trigger-call",
            "Ring an agent, tell of a lead, and connect the two.",
            trigger,
        )
        .tag(TAG)
        .body(TRIGGER)
        .answers::<TriggeredDto>(StatusCode::OK)
        .codes(&[
            Code::InvalidPhoneNumber,
            Code::UnassignedPhoneNumber,
            Code::OperationNotAllowed,
            Code::CallCountryNotAllowed,
            Code::CallTooDear,
            Code::CallLimitReached,
            Code::NoRoute,
            Code::TrunksUnavailable,
            Code::InsufficientFunds,
            Code::SpendingLimitReached,
        ]),
        Endpoint::new("getCall", Method::GET, "/voice/calls/{callId}", "Read one of your calls.", get)
            .tag(TAG)
            .path_docs(&[("callId", "The call's id.")])
            .answers::<VoiceCallDto>(StatusCode::OK)
            .codes(&[Code::CallNotFound])
            .ours(),
    ]
}

async fn trigger(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (agent, lead, name) = (form.phone("agentPhone"), form.phone("leadPhone"), form.text("leadName"));
    let (source, metadata) = (form.text("source"), form.free("metadata").unwrap_or_default());
    form.finish()?;
    let command = TriggerCall {
        agent: agent.ok_or_else(Error::internal)?,
        lead: lead.ok_or_else(Error::internal)?,
        name: name.ok_or_else(Error::internal)?,
        source,
        metadata,
    };
    let (caller, lead) = (call.caller()?, command.lead);
    let render = move |live: &Live| {
        let triggered = TriggeredDto {
            success: true,
            call_id: live.id.to_string(),
            status: Phase::Initiated.as_str(),
            agent_phone: live.to.to_string(),
            lead_phone: lead.to_string(),
            estimated_connect_time: "2-3 seconds",
            credits_used: amount(FEE),
        };
        Reply::json(StatusCode::OK, &triggered)
    };
    call.answer(render, |finish| calls::trigger(&call.app, &caller, command, finish)).await
}

async fn get(call: Call) -> Result<Reply> {
    let view = calls::find_shown(&call.app, &call.caller()?, call.param("callId").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&view)))
}

fn dto(view: &CallView) -> VoiceCallDto {
    let lead = |detail: &Detail| detail.tags.get("lead_phone").and_then(Value::as_str).map(str::to_owned);
    let blank = VoiceCallDto {
        success: true,
        call_id: view.id().to_string(),
        status: view.status(),
        agent_phone: String::new(),
        lead_phone: None,
        created_at: view.started_at().to_string(),
        ended_at: None,
        duration: None,
        reason: None,
        cost: None,
        metadata: Map::new(),
    };
    match view {
        CallView::Live(live) => VoiceCallDto {
            agent_phone: live.to.to_string(),
            lead_phone: lead(&live.detail),
            metadata: live.detail.custom_fields.clone(),
            ..blank
        },
        CallView::Over(call, outcome) => VoiceCallDto {
            agent_phone: call.to.to_string(),
            lead_phone: outcome.as_ref().and_then(|outcome| lead(&outcome.detail)),
            ended_at: Some(call.ended_at.to_string()),
            duration: Some(call.duration),
            reason: outcome.as_ref().map(|outcome| outcome.reason.as_str()),
            cost: outcome.as_ref().map(|outcome| amount(outcome.cost)),
            metadata: outcome.as_ref().map(|outcome| outcome.detail.custom_fields.clone()).unwrap_or_default(),
            ..blank
        },
    }
}
