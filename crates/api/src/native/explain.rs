//! `…/explain`: why decisions about numbers, ports, requests and money came out as they did.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::{
    calls::{self, CallView},
    explain::{self, ExplainedCharge, Which},
    flows, menus,
    numbers::NumberRef,
    verifications,
};
use tandem_catalogue::{Code, Result};
use tandem_domain::Step;
use tandem_kernel::ExplanationId;
use tandem_store::repo::explanations::Kept;
use utoipa::ToSchema;

use super::{
    page::{PAGE, Window},
    wallet::TransferDto,
};
use crate::http::{Call, Endpoint, Reply, reply::number as amount};

const TAG: &str = "Explanations";

/// An object and what was decided about it.
#[derive(Serialize, ToSchema)]
struct ExplainedDto {
    /// The object.
    subject: SubjectDto,
    /// What was decided, oldest first.
    data: Vec<ExplanationDto>,
    /// What to send as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// What something was decided about.
#[derive(Serialize, ToSchema)]
pub(super) struct SubjectDto {
    /// `number`, `port`, `message`, `verification`, `call_flow`, `ivr_menu`, `call` or `request`.
    pub(super) kind: &'static str,
    /// Its id.
    pub(super) id: String,
    /// What people know it by: a telephone number, or method and path.
    pub(super) name: String,
    /// Where it is now: its status.
    pub(super) state: String,
}

/// One decision.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplanationDto {
    /// Its id.
    id: String,
    /// What was decided: `purchase`, `renewal`, `port`, `routing` and the like.
    decision: String,
    /// How it came out.
    outcome: String,
    /// The rules that were looked at, in order; the last one decided.
    steps: Vec<StepDto>,
    /// When, by the environment's clock.
    at: String,
}

/// One rule that was looked at.
#[derive(Serialize, ToSchema)]
struct StepDto {
    /// The rule.
    rule: String,
    /// The values that were compared.
    compared: String,
    /// Whether the rule was met.
    met: bool,
}

/// A movement of money, what it did to the wallet, and for what it was made.
#[derive(Serialize, ToSchema)]
struct ChargeDto {
    /// The movement.
    transfer: TransferDto,
    /// What its amounts are in.
    currency: String,
    /// The balances before it.
    before: BalancesDto,
    /// The balances after it.
    after: BalancesDto,
    /// What became of it, if it is a hold.
    hold: Option<HoldDto>,
    /// The hold that it drew on, if it is a capture or a release.
    drawn_on: Option<TransferDto>,
    /// The object for whose sake it was made, where that is explained.
    object: Option<ObjectDto>,
    /// What was decided about that object at the same time.
    explanations: Vec<ExplanationDto>,
}

/// A wallet at one moment.
#[derive(Serialize, ToSchema)]
struct BalancesDto {
    /// What could be spent.
    #[schema(value_type = f64)]
    available: Value,
    /// What was set aside.
    #[schema(value_type = f64)]
    held: Value,
}

/// What has become of a hold.
#[derive(Serialize, ToSchema)]
struct HoldDto {
    /// What is still set aside.
    #[schema(value_type = f64)]
    remaining: Value,
    /// What was charged of it.
    #[schema(value_type = f64)]
    captured: Value,
}

/// An object that is explained.
#[derive(Serialize, ToSchema)]
struct ObjectDto {
    /// Its id.
    id: String,
    /// Where all that was decided about it is explained.
    explained_at: String,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new(
            "explainNumber",
            Method::GET,
            "/numbers/{number_id}/explain",
            "What was decided about one of your numbers.",
            number,
        )
        .path_docs(&[("number_id", "The number's id, or the number in E.164.")])
        .query(PAGE)
        .answers::<ExplainedDto>(StatusCode::OK)
        .codes(&[Code::NumberNotFound, Code::OwnedNumberNotFound]),
        Endpoint::new("explainCharge", Method::GET, "/charges/{transfer_id}/explain", "Why money moved in your wallet.", charge)
            .path_docs(&[("transfer_id", "The transfer's id.")])
            .answers::<ChargeDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
        Endpoint::new("explainPort", Method::GET, "/ports/{port_id}/explain", "What was decided about one of your ports.", port)
            .path_docs(&[("port_id", "The port's id.")])
            .query(PAGE)
            .answers::<ExplainedDto>(StatusCode::OK)
            .codes(&[Code::PortNotFound]),
        Endpoint::new(
            "explainVerification",
            Method::GET,
            "/verifications/{verification_id}/explain",
            "What was decided about one of your verifications.",
            verification,
        )
        .path_docs(&[("verification_id", "The verification's id.")])
        .query(PAGE)
        .answers::<ExplainedDto>(StatusCode::OK)
        .codes(&[Code::VerificationNotFound]),
        Endpoint::new(
            "explainCallFlow",
            Method::GET,
            "/call-flows/{call_flow_id}/explain",
            "What was looked at when one of your call flows was accepted.",
            call_flow,
        )
        .path_docs(&[("call_flow_id", "The call flow's id.")])
        .query(PAGE)
        .answers::<ExplainedDto>(StatusCode::OK)
        .codes(&[Code::FlowNotFound]),
        Endpoint::new(
            "explainIvrMenu",
            Method::GET,
            "/ivr-menus/{menu_id}/explain",
            "What was looked at when one of your menus was accepted.",
            ivr_menu,
        )
        .path_docs(&[("menu_id", "The menu's id.")])
        .query(PAGE)
        .answers::<ExplainedDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
        Endpoint::new(
            "explainCall",
            Method::GET,
            "/calls/{call_id}/explain",
            "Why one of your calls went where it went, and what it cost.",
            one_call,
        )
        .path_docs(&[("call_id", "The call's id.")])
        .query(PAGE)
        .answers::<ExplainedDto>(StatusCode::OK)
        .codes(&[Code::CallNotFound]),
        Endpoint::new(
            "explainRequest",
            Method::GET,
            "/requests/{request_id}/explain",
            "What was decided, and most of all refused, in the course of one of your requests.",
            request,
        )
        .path_docs(&[("request_id", "The request's id, as `X-Request-Id` names it.")])
        .query(PAGE)
        .answers::<ExplainedDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn number(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let named = NumberRef::parse(call.param("number_id"));
    let (number, kept) = explain::number(&call.app, &call.caller()?, named, which).await?;
    let subject = SubjectDto {
        kind: "number",
        id: number.id.to_string(),
        name: number.phone.to_string(),
        state: number.state.as_str().to_owned(),
    };
    Ok(explained(subject, window, kept))
}

async fn port(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let (port, kept) = explain::port(&call.app, &call.caller()?, call.param("port_id").to_owned(), which).await?;
    let subject = SubjectDto {
        kind: "port",
        id: port.id.to_string(),
        name: port.details.phone.to_string(),
        state: port.state.as_str().to_owned(),
    };
    Ok(explained(subject, window, kept))
}

async fn verification(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let id = call.param("verification_id").to_owned();
    let (found, kept) = verifications::explain(&call.app, &call.caller()?, id, which).await?;
    let subject = SubjectDto {
        kind: "verification",
        id: found.id.to_string(),
        name: found.phone.to_string(),
        state: found.state.as_str().to_owned(),
    };
    Ok(explained(subject, window, kept))
}

async fn call_flow(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let (flow, kept) = flows::explain(&call.app, &call.caller()?, call.param("call_flow_id").to_owned(), which).await?;
    let state = if flow.active { "active" } else { "inactive" };
    let subject = SubjectDto { kind: "call_flow", id: flow.id.to_string(), name: flow.name, state: state.to_owned() };
    Ok(explained(subject, window, kept))
}

async fn ivr_menu(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let (menu, kept) = menus::explain(&call.app, &call.caller()?, call.param("menu_id").to_owned(), which).await?;
    let subject = SubjectDto { kind: "ivr_menu", id: menu.id.to_string(), name: menu.name, state: "active".to_owned() };
    Ok(explained(subject, window, kept))
}

async fn one_call(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let (view, kept) = calls::explain(&call.app, &call.caller()?, call.param("call_id").to_owned(), which).await?;
    let name = match &view {
        CallView::Live(live) => format!("{} to {}", live.caller(), live.to),
        CallView::Over(call, _) => format!("{} to {}", call.caller(), call.to),
    };
    let subject = SubjectDto { kind: "call", id: view.id().to_string(), name, state: view.status().to_owned() };
    Ok(explained(subject, window, kept))
}

async fn request(call: Call) -> Result<Reply> {
    let (window, which) = which(&call)?;
    let (found, kept) = explain::request(&call.app, &call.caller()?, call.param("request_id").to_owned(), which).await?;
    let [_, _, method, _, path, code, ..] = &found.texts;
    let subject = SubjectDto {
        kind: "request",
        id: found.id.to_string(),
        name: format!("{method} {path}"),
        state: format!("{} {code}", found.status).trim_end().to_owned(),
    };
    Ok(explained(subject, window, kept))
}

async fn charge(call: Call) -> Result<Reply> {
    let found = explain::charge(&call.app, &call.caller()?, call.param("transfer_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &charged(found)))
}

pub(super) fn which(call: &Call) -> Result<(Window, Which)> {
    let mut form = call.query_form()?;
    let window = Window::read(&mut form);
    form.finish()?;
    Ok((window, Which { after: window.cursor.map(ExplanationId::from_bytes), limit: window.fetch() }))
}

fn explained(subject: SubjectDto, window: Window, kept: Vec<Kept>) -> Reply {
    let page = window.page(kept, |kept| *kept.id.as_bytes(), explanation);
    Reply::json(StatusCode::OK, &ExplainedDto { subject, data: page.data, next_cursor: page.next_cursor })
}

pub(super) fn explanation(kept: &Kept) -> ExplanationDto {
    let step = |step: &Step| StepDto { rule: step.rule.clone(), compared: step.compared.clone(), met: step.met };
    ExplanationDto {
        id: kept.id.to_string(),
        decision: kept.decision.clone(),
        outcome: kept.outcome.clone(),
        steps: kept.steps.iter().map(step).collect(),
        at: kept.at.to_string(),
    }
}

fn charged(found: ExplainedCharge) -> ChargeDto {
    let balances = |(available, held)| BalancesDto { available: amount(available), held: amount(held) };
    let object = |id: String| {
        let collections = [(tandem_kernel::PortId::PREFIX, "ports"), (tandem_kernel::MessageId::PREFIX, "messages")];
        let collection = collections.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("numbers", |(_, name)| name);
        ObjectDto { explained_at: format!("/v1/{collection}/{id}/explain"), id }
    };
    ChargeDto {
        currency: found.wallet.currency.to_string(),
        before: balances(found.before),
        after: balances((found.transfer.available_after, found.transfer.held_after)),
        hold: found.hold.map(|(remaining, captured)| HoldDto { remaining: amount(remaining), captured: amount(captured) }),
        drawn_on: found.drawn_on.as_ref().map(TransferDto::of),
        object: found.object.map(object),
        explanations: found.explanations.iter().map(explanation).collect(),
        transfer: TransferDto::of(&found.transfer),
    }
}
