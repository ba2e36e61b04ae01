//! `/smscs`: the SMSCs that the live environments' messages go through, as operators look after them.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::smscs::{self, BindStatus, ChangeSmsc, SmscView};
use tandem_catalogue::{Code, Error, Result};
use tandem_kernel::Money;
use tandem_store::repo::smscs::Settings;
use utoipa::ToSchema;

use crate::http::{Access, Call, Endpoint, Field, Form, Kind, Reply, reply::number as amount};

const TAG: &str = "SMSCs";
const SMSC: &[(&str, &str)] = &[("smsc_id", "The SMSC's id.")];
const MODES: &[&str] = &["transmitter", "receiver", "transceiver"];
const LONG: &[&str] = &["udh8", "udh16", "sar", "payload"];
const IDS: &[&str] = &["auto", "same", "hex", "decimal"];
const STATES: &[&str] = &["active", "drained"];
const DEAREST: i64 = 1_000 * Money::UNIT;
const OCTET: Kind = Kind::Ints { min: 0, max: 255, most: 2 };

macro_rules! fields {
    ($name:ident, $host:expr, $system_id:expr, $password:expr, $label:expr, [$($more:expr),*]) => {
        const $name: &[Field] = &[
            $label, $host, $system_id, $password,
            Field::new("port", Kind::Int { min: 1, max: 65_535 }, "At which port; 2775 where it is not said.", "2775"),
            Field::new("tls", Kind::Bool, "Whether TLS is spoken; it needs `authority`.", "false"),
            Field::new("authority", Kind::Text { min: 1, max: 100_000 }, "The certificate of the authority that signed the SMSC's, PEM.", "\"-----BEGIN CERTIFICATE-----\""),
            Field::new("system_type", Kind::Text { min: 0, max: 12 }, "What sort of system we say we are.", "\"\""),
            Field::new("mode", Kind::Choice(MODES), "What the bind is for; `transceiver` where it is not said.", "\"transceiver\""),
            Field::new("version", Kind::Choice(&["3.4", "5.0"]), "The version of SMPP; 3.4 where it is not said.", "\"3.4\""),
            Field::new("window", Kind::Int { min: 1, max: 10_000 }, "Submits whose answers may be outstanding; 10 where it is not said.", "100"),
            Field::new("rate", Kind::Int { min: 0, max: 1_000_000 }, "Submits a second; 0 is no limit.", "50"),
            Field::new("prefixes", Kind::Ints { min: 1, max: 999_999_999_999_999, most: 1_000 }, "The beginnings of recipients that it takes; all where none is said. The longest one decides between several SMSCs.", "[44, 1415]"),
            Field::new("cost", Kind::Amount { min: 0, max: DEAREST }, "What a segment costs there: of two that take a recipient the cheaper one is asked first.", "0.004"),
            Field::new("number_type", OCTET, "Type and plan (TON, NPI) of senders that are numbers.", "[1, 1]"),
            Field::new("name_type", OCTET, "Type and plan of senders that are names.", "[5, 0]"),
            Field::new("code_type", OCTET, "Type and plan of short codes.", "[3, 0]"),
            Field::new("plus", Kind::Bool, "Whether numbers have a `+`.", "false"),
            Field::new("long", Kind::Choice(LONG), "How the segments of a long text are told apart; `udh8` where it is not said.", "\"udh16\""),
            Field::new("receipt_ids", Kind::Choice(IDS), "How receipts write ids: as the answer to the submit did, or in hexadecimal or decimal digits where that had the other ones. `auto` tries all for long ids.", "\"auto\""),
            Field::new("latin1", Kind::Bool, "Whether texts of the default alphabet go as Latin-1 where they can.", "false"),
            Field::new("registered_delivery", Kind::Int { min: 0, max: 31 }, "Which receipts are asked for; 1 is all final ones.", "1"),
            Field::new("send_validity", Kind::Bool, "Whether submits say how long they are valid.", "true"),
            Field::new("name_parts", Kind::Bool, "Whether every submit carries its name in the vendor TLV 0x1471, by which an SMSC of ours knows a repetition.", "false"),
            Field::new("enquire_seconds", Kind::Int { min: 1, max: 3_600 }, "Seconds of silence after which the connection is asked after.", "30"),
            Field::new("answer_seconds", Kind::Int { min: 1, max: 600 }, "Seconds that an answer may take.", "30"),
            $($more),*
        ];
    };
}

const LABEL: Field = Field::new("name", Kind::Text { min: 1, max: 128 }, "Your name for it.", r#""Northern SMSC""#);
const HOST: Field = Field::new("host", Kind::Text { min: 1, max: 253 }, "Where it is.", r#""smsc.example.com""#);
const SYSTEM_ID: Field = Field::new("system_id", Kind::Text { min: 1, max: 15 }, "What we call ourselves.", r#""tandem""#);
const PASSWORD: Field =
    Field::new("password", Kind::Text { min: 0, max: 8 }, "What we prove that with. It is kept sealed.", r#""secret08""#);
fields!(ADD, HOST.required(), SYSTEM_ID.required(), PASSWORD.required(), LABEL.required(), []);
fields!(
    CHANGE,
    HOST,
    SYSTEM_ID,
    PASSWORD,
    LABEL,
    [Field::new(
        "state",
        Kind::Choice(STATES),
        "`drained` submits nothing more and goes on receiving; `active` undoes it.",
        "\"drained\""
    )]
);

/// An SMSC.
#[derive(Serialize, ToSchema)]
struct SmscDto {
    /// Its id.
    id: String,
    /// Your name for it.
    name: String,
    /// `active` or `drained`.
    state: &'static str,
    /// Where it is.
    host: String,
    /// At which port.
    port: u16,
    /// Whether TLS is spoken.
    tls: bool,
    /// What we call ourselves.
    system_id: String,
    /// What sort of system we say we are.
    system_type: String,
    /// What the bind is for.
    mode: String,
    /// The version of SMPP.
    version: String,
    /// Submits whose answers may be outstanding.
    window: u32,
    /// Submits a second; no limit if none.
    rate: Option<u32>,
    /// The beginnings of recipients that it takes; all if none.
    prefixes: Vec<String>,
    /// What a segment costs there.
    #[schema(value_type = f64, example = 0.004)]
    cost: Value,
    /// Type and plan of senders that are numbers.
    number_type: [u8; 2],
    /// Type and plan of senders that are names.
    name_type: [u8; 2],
    /// Type and plan of short codes.
    code_type: [u8; 2],
    /// Whether numbers have a `+`.
    plus: bool,
    /// How the segments of a long text are told apart.
    long: String,
    /// How receipts write ids.
    receipt_ids: String,
    /// Whether texts of the default alphabet go as Latin-1 where they can.
    latin1: bool,
    /// Which receipts are asked for.
    registered_delivery: u8,
    /// Whether submits say how long they are valid.
    send_validity: bool,
    /// Whether every submit carries its name.
    name_parts: bool,
    /// Seconds of silence after which the connection is asked after.
    enquire_seconds: u32,
    /// Seconds that an answer may take.
    answer_seconds: u32,
    /// The bind in the process that answers; none where it has not been made yet.
    bind: Option<BindDto>,
    /// When it was added.
    created_at: String,
    /// When it was changed.
    changed_at: String,
}

/// A bind as it is now. Counts begin when the process does, or the SMSC is changed.
#[derive(Serialize, ToSchema)]
struct BindDto {
    /// `connecting`, `bound`, `waiting` before the next attempt, or `ended`.
    state: &'static str,
    /// Submits whose answers are outstanding.
    in_flight: u64,
    /// Submits that were sent, repetitions counted.
    submitted: u64,
    /// Segments that were taken.
    accepted: u64,
    /// Segments that were refused for good.
    refused: u64,
    /// Answers that asked for a slower pace.
    throttled: u64,
    /// Submits whose answers were lost.
    lost: u64,
    /// Receipts.
    receipts: u64,
    /// Messages that came in, segments counted.
    incoming: u64,
    /// Connections that were bound.
    binds: u64,
    /// What went wrong last.
    last_error: Option<String>,
}

/// All SMSCs.
#[derive(Serialize, ToSchema)]
struct SmscsDto {
    /// The oldest first.
    data: Vec<SmscDto>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ONE: &str = "/smscs/{smsc_id}";
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("addSmsc", Method::POST, "/smscs", "Add an SMSC; its bind is made at once.", add)
            .body(ADD)
            .answers::<SmscDto>(StatusCode::CREATED),
        Endpoint::new("listSmscs", Method::GET, "/smscs", "List the SMSCs with their binds.", list)
            .answers::<SmscsDto>(StatusCode::OK),
        Endpoint::new("getSmsc", Method::GET, ONE, "Read an SMSC and its bind.", get)
            .path_docs(SMSC)
            .answers::<SmscDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("changeSmsc", Method::PATCH, ONE, "Change an SMSC; its bind is made anew.", change)
            .path_docs(SMSC)
            .body(CHANGE)
            .answers::<SmscDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("drainSmsc", Method::POST, "/smscs/{smsc_id}/drain", "Submit nothing more through an SMSC. What it certainly has not had goes elsewhere at once; what it may have is asked for there until it answers.", drain)
            .path_docs(SMSC)
            .answers::<SmscDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("removeSmsc", Method::DELETE, ONE, "Take an SMSC away; its bind is ended in good order. What it certainly has not had goes elsewhere at once; what it may have ends as `expired`, with the error `smsc_removed`, costs nothing and is not sent again.", remove)
            .path_docs(SMSC)
            .answers::<SmscDto>(StatusCode::OK)
            .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).access(Access::Operator)).collect()
}

async fn add(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (name, password) = (form.text("name").unwrap_or_default(), form.text("password").unwrap_or_default());
    let edit = edit(&mut form);
    form.finish()?;
    let mut settings = Settings::default();
    edit(&mut settings);
    check(&settings)?;
    call.answer(created, |finish| smscs::add(&call.app, call.operator(), name, password, settings, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let found = smscs::list(&call.app).await?;
    Ok(Reply::json(StatusCode::OK, &SmscsDto { data: found.iter().map(dto).collect() }))
}

async fn get(call: Call) -> Result<Reply> {
    let found = smscs::get(&call.app, call.param("smsc_id").to_owned()).await?;
    Ok(shown(&found))
}

async fn change(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let command = ChangeSmsc {
        name: form.text("name"),
        password: form.text("password"),
        drained: form.choice("state").map(|state| state == "drained"),
        settings: None,
    };
    let edit = edit(&mut form);
    form.finish()?;
    let id = call.param("smsc_id").to_owned();
    let mut settings = smscs::get(&call.app, id.clone()).await?.smsc.settings;
    edit(&mut settings);
    check(&settings)?;
    let command = ChangeSmsc { settings: Some(edit), ..command };
    call.answer(shown, |finish| smscs::change(&call.app, call.operator(), id, command, finish)).await
}

async fn drain(call: Call) -> Result<Reply> {
    let command = ChangeSmsc { drained: Some(true), ..ChangeSmsc::default() };
    let id = call.param("smsc_id").to_owned();
    call.answer(shown, |finish| smscs::change(&call.app, call.operator(), id, command, finish)).await
}

async fn remove(call: Call) -> Result<Reply> {
    let id = call.param("smsc_id").to_owned();
    call.answer(shown, |finish| smscs::remove(&call.app, call.operator(), id, finish)).await
}

/// What one field alone cannot say.
fn check(settings: &Settings) -> Result<()> {
    if settings.tls && settings.authority.is_none() {
        return Err(Error::invalid_value("authority", "must be there where `tls` is true".to_owned()));
    }
    Ok(())
}

fn small<T: TryFrom<i64>>(value: Option<i64>) -> Option<T> {
    value.and_then(|value| T::try_from(value).ok())
}

fn kind(form: &mut Form, name: &str) -> Option<(u8, u8)> {
    let pair = form.ints(name)?;
    let mut pair = pair.into_iter().filter_map(|value| u8::try_from(value).ok());
    Some((pair.next()?, pair.next()?))
}

/// What a request changes about settings; what it does not name stays.
fn edit(form: &mut Form) -> smscs::Edit {
    let (host, system_id, system_type) = (form.text("host"), form.text("system_id"), form.text("system_type"));
    let (port, window, rate) = (small(form.int("port")), small(form.int("window")), small::<u32>(form.int("rate")));
    let (tls, plus, latin1) = (form.boolean("tls"), form.boolean("plus"), form.boolean("latin1"));
    let (validity, named, authority) = (form.boolean("send_validity"), form.boolean("name_parts"), form.text("authority"));
    let words = ["mode", "version", "long", "receipt_ids"].map(|name| form.choice(name));
    let kinds = ["number_type", "name_type", "code_type"].map(|name| kind(form, name));
    let (enquire, answer) = (small(form.int("enquire_seconds")), small(form.int("answer_seconds")));
    let (registered, cost) = (small(form.int("registered_delivery")), form.amount("cost"));
    let prefixes: Option<Vec<String>> = form.ints("prefixes").map(|list| list.iter().map(ToString::to_string).collect());
    Arc::new(move |settings| {
        let [mode, version, long, ids] = words;
        let [number, name, code] = kinds;
        set(&mut settings.host, host.clone());
        set(&mut settings.system_id, system_id.clone());
        set(&mut settings.system_type, system_type.clone());
        set(&mut settings.port, port);
        set(&mut settings.window, window);
        set(&mut settings.rate, rate.map(|rate| (rate > 0).then_some(rate)));
        set(&mut settings.tls, tls);
        set(&mut settings.authority, authority.clone().map(Some));
        set(&mut settings.plus, plus);
        set(&mut settings.latin1, latin1);
        set(&mut settings.validity, validity);
        set(&mut settings.named, named);
        for (place, word) in
            [(&mut settings.mode, mode), (&mut settings.version, version), (&mut settings.long, long), (&mut settings.ids, ids)]
        {
            set(place, word.map(str::to_owned));
        }
        set(&mut settings.number_type, number);
        set(&mut settings.name_type, name);
        set(&mut settings.code_type, code);
        set(&mut settings.enquire_seconds, enquire);
        set(&mut settings.answer_seconds, answer);
        set(&mut settings.registered, registered);
        set(&mut settings.cost, cost);
        set(&mut settings.prefixes, prefixes.clone());
    })
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn created(view: &SmscView) -> Reply {
    Reply::json(StatusCode::CREATED, &dto(view))
}

fn shown(view: &SmscView) -> Reply {
    Reply::json(StatusCode::OK, &dto(view))
}

fn dto(view: &SmscView) -> SmscDto {
    let (smsc, settings) = (&view.smsc, view.smsc.settings.clone());
    let pair = |(ton, npi): (u8, u8)| [ton, npi];
    SmscDto {
        id: smsc.id.to_string(),
        name: smsc.name.clone(),
        state: if smsc.drained { "drained" } else { "active" },
        host: settings.host,
        port: settings.port,
        tls: settings.tls,
        system_id: settings.system_id,
        system_type: settings.system_type,
        mode: settings.mode,
        version: settings.version,
        window: settings.window,
        rate: settings.rate,
        prefixes: settings.prefixes,
        cost: amount(settings.cost),
        number_type: pair(settings.number_type),
        name_type: pair(settings.name_type),
        code_type: pair(settings.code_type),
        plus: settings.plus,
        long: settings.long,
        receipt_ids: settings.ids,
        latin1: settings.latin1,
        registered_delivery: settings.registered,
        send_validity: settings.validity,
        name_parts: settings.named,
        enquire_seconds: settings.enquire_seconds,
        answer_seconds: settings.answer_seconds,
        bind: view.status.as_ref().map(bind),
        created_at: smsc.created_at.to_string(),
        changed_at: smsc.changed_at.to_string(),
    }
}

fn bind(status: &BindStatus) -> BindDto {
    BindDto {
        state: status.state,
        in_flight: status.in_flight,
        submitted: status.submitted,
        accepted: status.accepted,
        refused: status.refused,
        throttled: status.throttled,
        lost: status.lost,
        receipts: status.receipts,
        incoming: status.incoming,
        binds: status.binds,
        last_error: status.last_error.clone(),
    }
}
