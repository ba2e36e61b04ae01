//! `/Flows`: what becomes of calls. They are made as call flows of the Audian API; all of an account's projects have them.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::flows::{self, ListFlows};
use tandem_catalogue::{Code, Result};
use tandem_kernel::FlowId;
use utoipa::ToSchema;

use super::{convert::property_of, convert::unix, page, properties::PATH};
use crate::http::{Call, Endpoint, Field, Reply};

/// Flows that a page has unless the caller says otherwise.
const USUAL: i64 = 50;
const PAGE: &[Field] = &[page::COUNT, page::SKIP, page::TOKEN];

/// A flow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct FlowDto {
    /// The project's sid.
    property_sid: String,
    /// What a number's `Flow` names.
    #[schema(example = "cf_01hzy3v7k2m8x4c6b9d1f5g7h0")]
    config_id: String,
    /// Another one with each change.
    #[schema(example = "1")]
    revision: String,
    /// Its name.
    name: String,
    /// `CallFlow`.
    r#type: &'static str,
    /// When it was last changed, in Unix seconds.
    #[schema(example = 1_704_067_200)]
    last_updated: i64,
}

/// Flows, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct FlowsAnswer {
    /// The page.
    flows: Vec<FlowDto>,
    /// How many there are in all.
    total_count: i64,
    /// What leads to the next page; null on the last.
    next_page_token: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            "listFlows",
            Method::GET,
            "/Properties/{PropertySid}/Flows",
            "List the flows that a project's numbers can name.",
            list,
        )
        .tag("Flows")
        .path_docs(PATH)
        .query(PAGE)
        .answers::<FlowsAnswer>(StatusCode::OK)
        .codes(&[Code::PropertyNotFound]),
    ]
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let after = page.after.map(FlowId::from_bytes);
    let property = property_of(&call);
    let sid = property.text.clone();
    let command = ListFlows { property: Some(property), after, limit: page.limit(), offset: page.skip };
    let mut found = flows::list(&call.app, &call.caller()?, command).await?;
    let flow = |flow: &tandem_domain::flow::CallFlow| FlowDto {
        property_sid: sid.clone(),
        config_id: flow.id.to_string(),
        revision: flow.version.to_string(),
        name: flow.name.clone(),
        r#type: "CallFlow",
        last_updated: unix(flow.updated_at),
    };
    let answer = FlowsAnswer {
        next_page_token: page.cut(&mut found.flows, |flow| *flow.id.as_bytes()),
        flows: found.flows.iter().map(flow).collect(),
        total_count: found.total,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}
