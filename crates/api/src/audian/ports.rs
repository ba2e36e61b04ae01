//! `/ports`: numbers that come from other carriers.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use tandem_app::ports::{self, AddDocument, ListPorts, PortNumber};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    document::{Document, DocumentKind},
    port::{Address, Port, PortDetails},
};

use super::{
    convert,
    dto::{DocumentDto, PortDto, PortsDto, Success},
    numbers::{LIMIT, OFFSET, page},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Ports";
const NAME: Kind = Kind::Text { min: 1, max: 128 };
const STATES: &[&str] = &["pending", "submitted", "scheduled", "completed", "rejected", "canceled"];
const KINDS: &[&str] = &["loa", "bill", "other"];
const ID: &[(&str, &str)] = &[("port_id", "The port's id.")];
/// The longest base64 text that can still decode to a document of the greatest size.
const LONGEST_CONTENT: usize = 960 * 1024;

const ADDRESS: &[Field] = &[
    Field::new("street", NAME, "House number and street.", r#""123 Market Street""#).required(),
    Field::new("city", NAME, "City.", r#""San Francisco""#).required(),
    Field::new("state", NAME, "State or province.", r#""CA""#).required(),
    Field::new("postal_code", NAME, "Postal code.", r#""94103""#).or(&["postalCode"]).required(),
    Field::new("country", NAME, "ISO 3166-1 alpha-2.", r#""US""#).required(),
];
const CREATE: &[Field] = &[
    Field::new("number", Kind::Phone, "The number to port, in E.164.", r#""+14152007999""#)
        .or(&["phone_number", "phoneNumber"])
        .missing_as("phone_number")
        .required(),
    Field::new("account_number", NAME, "Your account at the losing carrier.", r#""A-1234567""#).or(&["accountNumber"]).required(),
    Field::new("account_pin", NAME, "Its PIN.", r#""4321""#).or(&["accountPin"]),
    Field::new("carrier_name", NAME, "The losing carrier.", r#""Example Telecom""#).or(&["carrierName"]),
    Field::new("billing_phone", Kind::Phone, "The number on its bill.", r#""+14152007999""#).or(&["billingPhone"]).required(),
    Field::new("end_user_name", NAME, "The name on its bill.", r#""Ada Lovelace""#).or(&["endUserName"]).required(),
    Field::new("end_user_address", Kind::Object(ADDRESS), "The address on its bill.", "").or(&["endUserAddress"]).required(),
];
const LIST: &[Field] = &[Field::new("status", Kind::Choice(STATES), "Only ports in this state.", r#""pending""#), LIMIT, OFFSET];
const DOCUMENT: &[Field] = &[
    Field::new("type", Kind::Choice(KINDS), "What it proves: a letter of authorization, a bill, anything else.", r#""loa""#)
        .required(),
    Field::new("name", NAME, "The file's name.", r#""loa.pdf""#).required(),
    Field::new(
        "content",
        Kind::Text { min: 1, max: LONGEST_CONTENT },
        "The file as base64: PDF, PNG or JPEG.",
        r#""JVBERi0xLjQK""#,
    )
    .required(),
];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("createPort", Method::POST, "/ports", "Port a number in.", create)
            .tag(TAG)
            .body(CREATE)
            .answers::<Success<PortDto>>(StatusCode::ACCEPTED)
            .codes(&[
                Code::InvalidPhoneNumber,
                Code::UnassignedPhoneNumber,
                Code::AlreadyExists,
                Code::CannotPortPending,
                Code::PortNotPossibleNow,
                Code::CannotPortUnverified,
                Code::CannotPortIneligible,
                Code::CannotPortCarrier,
                Code::InsufficientFunds,
                Code::SpendingLimitReached,
                Code::BadGateway,
                Code::CarrierUnavailable,
            ]),
        Endpoint::new("listPorts", Method::GET, "/ports", "List your ports.", list)
            .tag(TAG)
            .query(LIST)
            .answers::<Success<PortsDto>>(StatusCode::OK)
            .ours(),
        Endpoint::new("getPort", Method::GET, "/ports/{port_id}", "Read one of your ports.", get)
            .tag(TAG)
            .path_docs(ID)
            .answers::<Success<PortDto>>(StatusCode::OK)
            .codes(&[Code::PortNotFound]),
        Endpoint::new("cancelPort", Method::DELETE, "/ports/{port_id}", "Call a port off.", cancel)
            .tag(TAG)
            .path_docs(ID)
            .answers::<Success<PortDto>>(StatusCode::OK)
            .codes(&[Code::PortNotFound, Code::InvalidTransition, Code::BadGateway, Code::CarrierUnavailable])
            .ours(),
        Endpoint::new("addPortDocument", Method::POST, "/ports/{port_id}/documents", "Add a document to a port.", add_document)
            .tag(TAG)
            .path_docs(ID)
            .body(DOCUMENT)
            .answers::<Success<DocumentDto>>(StatusCode::CREATED)
            .codes(&[Code::PortNotFound, Code::DocumentRefused, Code::InvalidTransition, Code::OperationNotAllowed])
            .ours(),
    ]
}

async fn create(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (phone, billing_phone) = (form.phone("number"), form.phone("billing_phone"));
    let [account_number, account_pin, carrier_name, end_user_name] =
        ["account_number", "account_pin", "carrier_name", "end_user_name"].map(|name| form.text(name));
    let address = form.object("end_user_address", read_address);
    form.finish()?;
    let missing = Error::internal;
    let details = PortDetails {
        phone: phone.ok_or_else(missing)?,
        account_number: account_number.ok_or_else(missing)?,
        account_pin,
        carrier_name,
        billing_phone: billing_phone.ok_or_else(missing)?,
        end_user_name: end_user_name.ok_or_else(missing)?,
        end_user_address: address.ok_or_else(missing)?,
    };
    let render = |port: &Port| Reply::json(StatusCode::ACCEPTED, &Success::of(convert::port(port)));
    let (caller, operation) = (call.caller()?, call.operation());
    let outcome = call.answer(render, |finish| ports::create(&call.app, &caller, operation, PortNumber { details }, finish)).await;
    outcome.map_err(|error| error.rename_field(|field| form.spelling(field)))
}

fn read_address(form: &mut Form) -> Address {
    let mut text = |name: &str| form.text(name).unwrap_or_default();
    Address {
        street: text("street"),
        city: text("city"),
        state: text("state"),
        postal_code: text("postal_code"),
        country: text("country"),
    }
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let state = form.choice("status");
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let found = ports::list(&call.app, &call.caller()?, ListPorts { state, limit, offset }).await?;
    let data = PortsDto { ports: found.ports.iter().map(convert::port).collect(), total: found.total, limit, offset };
    Ok(Reply::json(StatusCode::OK, &Success::of(data)))
}

async fn get(call: Call) -> Result<Reply> {
    let port = ports::get(&call.app, &call.caller()?, call.param("port_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &Success::of(convert::port(&port))))
}

async fn cancel(call: Call) -> Result<Reply> {
    let render = |port: &Port| Reply::json(StatusCode::OK, &Success::of(convert::port(port)));
    let caller = call.caller()?;
    let id = call.param("port_id").to_owned();
    call.answer(render, |finish| ports::cancel(&call.app, &caller, id, finish)).await
}

async fn add_document(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (kind, name, content) = (form.choice("type"), form.text("name"), form.text("content"));
    form.finish()?;
    let content = STANDARD.decode(content.unwrap_or_default());
    let command = AddDocument {
        port: call.param("port_id").to_owned(),
        kind: kind.and_then(DocumentKind::parse).ok_or_else(Error::internal)?,
        name: name.ok_or_else(Error::internal)?,
        content: content.map_err(|_| Error::document_refused("content", "must be base64 (RFC 4648, with padding)"))?,
    };
    let render = |document: &Document| Reply::json(StatusCode::CREATED, &Success::of(convert::document(document)));
    let caller = call.caller()?;
    call.answer(render, |finish| ports::add_document(&call.app, &caller, command, finish)).await
}
