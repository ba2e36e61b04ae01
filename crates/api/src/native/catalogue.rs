//! `/errors`: the catalogue itself, for anybody.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_catalogue::{Code, Dialect, Error, Result};
use utoipa::ToSchema;

use crate::http::{Access, Call, Endpoint, Reply};

/// A code of the catalogue.
#[derive(Serialize, ToSchema)]
struct CodeDto {
    /// Its name.
    code: &'static str,
    /// Its number, for ever.
    number: u16,
    /// A few words.
    title: &'static str,
    /// The message, with `{value}` placeholders.
    message: &'static str,
    /// Who has to act: `caller`, `account`, `carrier`, `callee` or `platform`.
    actor: &'static str,
    /// Whether a retry helps: `never`, `later` or `after`.
    retry: &'static str,
    /// Whether money may have moved.
    charged: bool,
    /// What leads to it.
    causes: &'static [&'static str],
    /// What to do.
    resolution: &'static [&'static str],
    /// How to provoke it in a test environment.
    trigger: &'static str,
    /// The SIP status that goes with it on a call.
    sip: Option<u16>,
    /// How each dialect says it.
    dialects: Vec<WireDto>,
}

/// How one dialect says a code.
#[derive(Serialize, ToSchema)]
struct WireDto {
    /// The dialect.
    dialect: &'static str,
    /// The HTTP status.
    status: u16,
    /// The dialect's code.
    code: &'static str,
    /// The dialect's type of error, where it has types.
    #[serde(skip_serializing_if = "str::is_empty")]
    r#type: &'static str,
    /// The message, with placeholders.
    message: &'static str,
}

/// All codes.
#[derive(Serialize, ToSchema)]
struct CodesDto {
    /// By name.
    errors: Vec<CodeDto>,
}

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("listErrors", Method::GET, "/errors", "All codes of the error catalogue.", list)
            .tag("Errors")
            .access(Access::Anybody)
            .answers::<CodesDto>(StatusCode::OK),
        Endpoint::new("getError", Method::GET, "/errors/{code}", "One code of the error catalogue.", get)
            .tag("Errors")
            .access(Access::Anybody)
            .path_docs(&[("code", "The code's name.")])
            .answers::<CodeDto>(StatusCode::OK)
            .codes(&[Code::ResourceNotFound]),
    ]
}

async fn list(_call: Call) -> Result<Reply> {
    Ok(Reply::json(StatusCode::OK, &CodesDto { errors: Code::ALL.iter().copied().map(dto).collect() }))
}

async fn get(call: Call) -> Result<Reply> {
    let name = call.param("code");
    let code = Code::parse(name).ok_or_else(|| Error::resource_not_found("error code", name.to_owned()))?;
    Ok(Reply::json(StatusCode::OK, &dto(code)))
}

fn dto(code: Code) -> CodeDto {
    let entry = code.entry();
    let dialects = Dialect::ALL.into_iter().map(|dialect| {
        let wire = entry.wire(dialect);
        WireDto { dialect: dialect.as_str(), status: wire.status, code: wire.code, r#type: wire.kind, message: wire.message }
    });
    CodeDto {
        code: entry.name,
        number: entry.number,
        title: entry.title,
        message: entry.message,
        actor: entry.actor.as_str(),
        retry: entry.retry.as_str(),
        charged: entry.charged,
        causes: entry.causes,
        resolution: entry.resolution,
        trigger: entry.trigger,
        sip: entry.sip,
        dialects: dialects.collect(),
    }
}
