//! `/trunks`: how calls come from other telephone companies and go to them, as operators look after it.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::trunks::{self, AddTrunk, ChangeTrunk, Edit, Registers, TrunkView};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    config::Patch,
    trunk::{
        Codec, Destinations, Direction, GREATEST, Health, HealthState, MOST_NETWORKS, MOST_REWRITES, MOST_ROUTES, Network, Rewrite,
        Route, Srtp, Transport, Trunk, USUAL_PING,
    },
};
use tandem_kernel::{Country, Environment, Timestamp, TrunkId};
use utoipa::ToSchema;

use super::verifications::COUNTRIES;
use crate::http::{Access, Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Trunks";
const ID: &[(&str, &str)] = &[("trunk_id", "The trunk's id.")];
const STATES: &[&str] = &["active", "drained"];
const LOST: &str = "The password was shown once, in the first answer. If it is lost, make new credentials.";
const DIGITS: Kind = Kind::Form {
    pattern: "^[0-9]{0,15}$",
    fits: |text| text.len() <= 15 && text.bytes().all(|digit| digit.is_ascii_digit()),
    rule: "must have at most 15 digits and nothing else",
};
const ADDED: Kind = Kind::Form {
    pattern: "^[0-9*#]{0,20}$",
    fits: |text| text.len() <= 20 && text.bytes().all(|digit| digit.is_ascii_digit() || digit == b'*' || digit == b'#'),
    rule: "must have at most 20 digits, * and #",
};
const HOST: Kind = Kind::Text { min: 1, max: 253 };
const REWRITE: &[Field] = &[
    Field::new("prefix", DIGITS, "The beginning of the numbers that it is for; all where it is not said.", r#""61""#),
    Field::new("strip", Kind::Int { min: 0, max: 20 }, "Digits that are taken away at the front.", "2"),
    Field::new("add", ADDED, "What is put there instead.", r#""0""#),
];
const ROUTE: &[Field] = &[
    Field::new(
        "prefix",
        DIGITS,
        "The beginning of the numbers, with the country's code; an empty one is every number.",
        r#""1415""#,
    ),
    Field::new("country", Kind::Choice(COUNTRIES), "Or the country of the numbers, by ISO 3166-1.", r#""US""#),
    Field::new(
        "priority",
        Kind::Int { min: 0, max: GREATEST },
        "Of several trunks with a beginning of the same length the lowest is asked first; 0 where it is not said.",
        "0",
    ),
    Field::new(
        "weight",
        Kind::Int { min: 0, max: GREATEST },
        "Of several with the same priority, how often this one is asked first; 1 where it is not said.",
        "1",
    ),
];
const REGISTERS: &[Field] = &[
    Field::new("user", Kind::Text { min: 1, max: 128 }, "Whom we are there.", r#""tandem""#).required(),
    Field::new("auth_user", Kind::Text { min: 1, max: 128 }, "The user name of the challenge, where it is another.", r#""tandem""#),
    Field::new("password", Kind::Text { min: 1, max: 128 }, "The password. It is kept sealed.", r#""correct horse""#).required(),
    Field::new(
        "expires_seconds",
        Kind::Int { min: 60, max: 86_400 },
        "How long a registration holds; 3600 where it is not said.",
        "3600",
    ),
];

macro_rules! fields {
    ($name:ident, $label:expr, [$($more:expr),*]) => {
        const $name: &[Field] = &[
            $label,
            Field::new("serves", Kind::Choice(&["live", "test"]), "Of which environments it carries calls; `live` where it is not said.", r#""live""#),
            Field::new("direction", Kind::Choice(Direction::WORDS), "Which calls it carries; `both` where it is not said.", r#""both""#),
            Field::new("host", HOST, "Where it is asked for calls.", r#""sip.example.com""#).clearable(),
            Field::new("port", Kind::Int { min: 1, max: 65_535 }, "At which port; what DNS and the transport say where it is not said.", "5060").clearable(),
            Field::new("transport", Kind::Choice(Transport::WORDS), "How SIP goes over the wire; `udp` where it is not said.", r#""udp""#),
            Field::new("addresses", Kind::Texts { max: 64, most: MOST_NETWORKS }, "Addresses and ranges (CIDR) that it comes from: who comes from there needs no password.", r#"["192.0.2.0/24"]"#),
            Field::new("registers", Kind::Object(REGISTERS), "How we register with it, where we do.", "").clearable(),
            Field::new("outgoing", Kind::Objects(REWRITE, MOST_REWRITES), "How numbers are written that it is given: the rule with the longest beginning decides.", "").clearable(),
            Field::new("incoming", Kind::Objects(REWRITE, MOST_REWRITES), "How those are read that it gives, so that they become E.164.", "").clearable(),
            Field::new("plus", Kind::Bool, "Whether it wants a `+` before numbers; true where it is not said.", "true"),
            Field::new("routes", Kind::Objects(ROUTE, MOST_ROUTES), "Where it carries calls to, by prefix or country.", "").clearable(),
            Field::new("capacity", Kind::Int { min: 1, max: 1_000_000 }, "Calls that it carries at once; no limit where it is not said.", "100").clearable(),
            Field::new("codecs", Kind::Choices(Codec::WORDS), "Codecs, the one that it likes best first; pcmu and pcma where it is not said.", r#"["pcma","pcmu"]"#),
            Field::new("srtp", Kind::Choice(Srtp::WORDS), "Whether what is spoken is encrypted; `off` where it is not said.", r#""off""#),
            Field::new("ping_seconds", Kind::Int { min: 1, max: 3_600 }, "How often it is asked whether it is there (OPTIONS); 30 where it is not said, never where it is null.", "30").clearable(),
            $($more),*
        ];
    };
}

const NAME: Field = Field::new("name", Kind::Text { min: 1, max: 128 }, "Your name for it.", r#""Northern carrier""#);
fields!(
    ADD,
    NAME.required(),
    [Field::new(
        "credentials",
        Kind::Bool,
        "Whether it proves who it is by a user name and a password. They are made here and shown once.",
        "false"
    )]
);
fields!(
    CHANGE,
    NAME,
    [Field::new(
        "state",
        Kind::Choice(STATES),
        "`drained` gets no new calls and brings them still; `active` undoes it.",
        r#""drained""#
    )]
);

/// A trunk.
#[derive(Serialize, ToSchema)]
struct TrunkDto {
    /// Its id.
    id: String,
    /// Your name for it.
    name: String,
    /// `active` or `drained`.
    state: &'static str,
    /// Of which environments it carries calls: `live` or `test`.
    serves: &'static str,
    /// `inbound`, `outbound` or `both`.
    direction: &'static str,
    /// Where it is asked for calls.
    host: Option<String>,
    /// At which port.
    port: Option<u16>,
    /// `udp`, `tcp` or `tls`.
    transport: &'static str,
    /// Addresses and ranges that it comes from.
    addresses: Vec<String>,
    /// The user name by which it proves who it is, where it does.
    user_name: Option<String>,
    /// How we register with it.
    registers: Option<RegistersDto>,
    /// How numbers are written that it is given.
    outgoing: Vec<RewriteDto>,
    /// How those are read that it gives.
    incoming: Vec<RewriteDto>,
    /// Whether it wants a `+` before numbers.
    plus: bool,
    /// Where it carries calls to.
    routes: Vec<RouteDto>,
    /// Calls that it carries at once; no limit if none.
    capacity: Option<i64>,
    /// Codecs, the one that it likes best first.
    codecs: Vec<&'static str>,
    /// `off`, `optional` or `required`.
    srtp: &'static str,
    /// How often it is asked whether it is there; null for never.
    ping_seconds: Option<i64>,
    /// Whether it answers.
    health: HealthDto,
    /// When it was added.
    created_at: String,
    /// When it was changed.
    changed_at: String,
}

/// How we register with a trunk.
#[derive(Serialize, ToSchema)]
struct RegistersDto {
    /// Whom we are there.
    user: String,
    /// The user name of the challenge, where it is another.
    auth_user: Option<String>,
    /// How long a registration holds.
    expires_seconds: i64,
}

/// How numbers with one beginning are written.
#[derive(Serialize, ToSchema)]
struct RewriteDto {
    /// The beginning; an empty one is that of every number.
    prefix: String,
    /// Digits that are taken away at the front.
    strip: usize,
    /// What is put there instead.
    add: String,
}

/// Destinations that a trunk carries calls to.
#[derive(Serialize, ToSchema)]
struct RouteDto {
    /// The beginning of the numbers, where it is by that.
    prefix: Option<String>,
    /// Their country, where it is by that.
    country: Option<String>,
    /// The lowest is asked first.
    priority: i64,
    /// How often this one is asked first.
    weight: i64,
}

/// Whether a trunk answers.
#[derive(Serialize, ToSchema)]
struct HealthDto {
    /// `unknown`, `up` or `down`.
    state: &'static str,
    /// Since when.
    since: String,
    /// What was wrong last.
    detail: Option<String>,
    /// When it last answered OPTIONS, or our registration, as one that takes calls.
    last_answer: Option<String>,
}

/// All trunks.
#[derive(Serialize, ToSchema)]
struct TrunksDto {
    /// The oldest first.
    data: Vec<TrunkDto>,
}

/// A trunk, with the credentials that were just made for it.
#[derive(Serialize, ToSchema)]
struct NewTrunkDto {
    #[serde(flatten)]
    trunk: TrunkDto,
    /// Its password: only in the first answer, never kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// Why the password is not there, in the answer to a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    const ONE: &str = "/trunks/{trunk_id}";
    const LOOKUP: &[Code] = &[Code::ResourceNotFound];
    let endpoints = [
        Endpoint::new("addTrunk", Method::POST, "/trunks", "Add a trunk.", add)
            .body(ADD)
            .answers::<NewTrunkDto>(StatusCode::CREATED),
        Endpoint::new("listTrunks", Method::GET, "/trunks", "List the trunks.", list).answers::<TrunksDto>(StatusCode::OK),
        Endpoint::new("getTrunk", Method::GET, ONE, "Read a trunk.", get)
            .path_docs(ID)
            .answers::<TrunkDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new("changeTrunk", Method::PATCH, ONE, "Change a trunk. Calls that it carries go on as they began.", change)
            .path_docs(ID)
            .body(CHANGE)
            .answers::<TrunkDto>(StatusCode::OK)
            .codes(LOOKUP),
        Endpoint::new(
            "rotateTrunkCredentials",
            Method::POST,
            "/trunks/{trunk_id}/credentials",
            "Make a user name and a password for a trunk; those before are worth nothing at once.",
            rotate,
        )
        .path_docs(ID)
        .answers::<NewTrunkDto>(StatusCode::OK)
        .codes(LOOKUP),
        Endpoint::new(
            "removeTrunkCredentials",
            Method::DELETE,
            "/trunks/{trunk_id}/credentials",
            "Take a trunk's user name and password away.",
            remove_credentials,
        )
        .path_docs(ID)
        .answers::<TrunkDto>(StatusCode::OK)
        .codes(&[Code::ResourceNotFound, Code::InvalidValue]),
        Endpoint::new("removeTrunk", Method::DELETE, ONE, "Take a trunk away. Calls that it carries go on.", remove)
            .path_docs(ID)
            .answers::<TrunkDto>(StatusCode::OK)
            .codes(LOOKUP),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).access(Access::Operator)).collect()
}

async fn add(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let credentials = form.boolean("credentials").unwrap_or(false);
    let (edit, registers) = (edit(&mut form), form.object("registers", registers).flatten());
    form.finish()?;
    let mut trunk = blank();
    edit.check()?;
    (edit.into_edit())(&mut trunk);
    let command = AddTrunk { trunk, credentials, registers };
    call.answer_once(
        |view| fresh(StatusCode::CREATED, view, None),
        |view| fresh(StatusCode::CREATED, &without(view), Some(LOST)),
        |finish| trunks::add(&call.app, call.operator(), command, finish),
    )
    .await
}

async fn list(call: Call) -> Result<Reply> {
    let found = trunks::list(&call.app).await?;
    Ok(Reply::json(StatusCode::OK, &TrunksDto { data: found.iter().map(dto).collect() }))
}

async fn get(call: Call) -> Result<Reply> {
    let found = trunks::get(&call.app, call.param("trunk_id").to_owned()).await?;
    Ok(Reply::json(StatusCode::OK, &dto(&found)))
}

async fn change(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let registers = match form.patch("registers", |form, name| form.object(name, registers)) {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(registers) => Some(registers),
    };
    let edit = edit(&mut form);
    form.finish()?;
    let id = call.param("trunk_id").to_owned();
    trunks::get(&call.app, id.clone()).await?;
    edit.check()?;
    let command = ChangeTrunk { edit: edit.into_edit(), registers };
    call.answer(shown, |finish| trunks::change(&call.app, call.operator(), id, command, finish)).await
}

async fn rotate(call: Call) -> Result<Reply> {
    let id = call.param("trunk_id").to_owned();
    call.answer_once(
        |view| fresh(StatusCode::OK, view, None),
        |view| fresh(StatusCode::OK, &without(view), Some(LOST)),
        |finish| trunks::rotate_credentials(&call.app, call.operator(), id, finish),
    )
    .await
}

async fn remove_credentials(call: Call) -> Result<Reply> {
    let id = call.param("trunk_id").to_owned();
    call.answer(shown, |finish| trunks::remove_credentials(&call.app, call.operator(), id, finish)).await
}

async fn remove(call: Call) -> Result<Reply> {
    let id = call.param("trunk_id").to_owned();
    call.answer(shown, |finish| trunks::remove(&call.app, call.operator(), id, finish)).await
}

/// A trunk of which nothing is said.
fn blank() -> Trunk {
    let never = Timestamp::default();
    Trunk {
        id: TrunkId::from_bytes([0; 16]),
        name: String::new(),
        serves: Environment::Live,
        direction: Direction::Both,
        host: None,
        port: None,
        transport: Transport::Udp,
        networks: Vec::new(),
        user_name: None,
        registration: None,
        outgoing: Vec::new(),
        incoming: Vec::new(),
        plus: true,
        routes: Vec::new(),
        capacity: None,
        codecs: vec![Codec::Pcmu, Codec::Pcma],
        srtp: Srtp::Off,
        ping: Some(USUAL_PING),
        drained: false,
        health: HealthState::unknown(never),
        created_at: never,
        changed_at: never,
    }
}

/// What a request says of a trunk; what it does not name stays.
struct Said {
    name: Option<String>,
    serves: Option<Environment>,
    direction: Option<Direction>,
    host: Patch<String>,
    port: Patch<u16>,
    transport: Option<Transport>,
    addresses: Option<Vec<String>>,
    outgoing: Patch<Vec<Rewrite>>,
    incoming: Patch<Vec<Rewrite>>,
    plus: Option<bool>,
    routes: Patch<Vec<Option<Route>>>,
    capacity: Patch<i64>,
    codecs: Option<Vec<Codec>>,
    srtp: Option<Srtp>,
    ping: Patch<i64>,
    drained: Option<bool>,
}

fn edit(form: &mut Form) -> Said {
    Said {
        name: form.text("name"),
        serves: form.choice("serves").and_then(Environment::parse),
        direction: form.choice("direction").and_then(Direction::parse),
        host: form.patch("host", Form::text),
        port: form.patch("port", |form, name| form.int(name).and_then(|port| u16::try_from(port).ok())),
        transport: form.choice("transport").and_then(Transport::parse),
        addresses: form.texts("addresses"),
        outgoing: form.patch("outgoing", |form, name| form.objects(name, rewrite)),
        incoming: form.patch("incoming", |form, name| form.objects(name, rewrite)),
        plus: form.boolean("plus"),
        routes: form.patch("routes", |form, name| form.objects(name, route)),
        capacity: form.patch("capacity", Form::int),
        codecs: form.choices("codecs").map(|words| words.into_iter().filter_map(Codec::parse).collect()),
        srtp: form.choice("srtp").and_then(Srtp::parse),
        ping: form.patch("ping_seconds", Form::int),
        drained: form.choice("state").map(|state| state == "drained"),
    }
}

fn rewrite(form: &mut Form) -> Rewrite {
    Rewrite {
        prefix: form.text("prefix").unwrap_or_default(),
        strip: form.int("strip").and_then(|strip| usize::try_from(strip).ok()).unwrap_or(0),
        add: form.text("add").unwrap_or_default(),
    }
}

/// None where a route names no destination, or two.
fn route(form: &mut Form) -> Option<Route> {
    let (prefix, country) = (form.text("prefix"), form.choice("country").and_then(Country::parse));
    let (priority, weight) = (form.int("priority").unwrap_or(0), form.int("weight").unwrap_or(1));
    let to = match (prefix, country) {
        (Some(prefix), None) => Destinations::Prefix(prefix),
        (None, Some(country)) => Destinations::Country(country),
        _ => return None,
    };
    Some(Route { to, priority, weight })
}

/// None where something is missing, which the form knows.
fn registers(form: &mut Form) -> Option<Registers> {
    let (user, auth_user, password) = (form.text("user"), form.text("auth_user"), form.text("password"));
    let expires = form.int("expires_seconds").unwrap_or(3_600);
    Some(Registers { user: user?, auth_user, password: password?, expires })
}

impl Said {
    /// What one field alone cannot say.
    fn check(&self) -> Result<()> {
        let plain = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:_-".contains(&byte));
        if let Patch::Set(host) = &self.host
            && !plain(host)
        {
            return Err(Error::invalid_value("host", "must be a name or an address, without a port"));
        }
        let odd = self.addresses.iter().flatten().find(|text| Network::parse(text).is_none());
        if let Some(odd) = odd {
            let rule = format!("must have addresses and ranges such as 192.0.2.0/24, but has '{odd}'");
            return Err(Error::invalid_value("addresses", rule));
        }
        if let Patch::Set(routes) = &self.routes
            && let Some(place) = routes.iter().position(Option::is_none)
        {
            return Err(Error::invalid_value(format!("routes.{place}"), "must have either `prefix` or `country`"));
        }
        Ok(())
    }

    fn into_edit(self) -> Edit {
        let networks: Option<Vec<Network>> =
            self.addresses.as_ref().map(|texts| texts.iter().filter_map(|text| Network::parse(text)).collect());
        Arc::new(move |trunk| {
            set(&mut trunk.name, self.name.clone());
            set(&mut trunk.serves, self.serves);
            set(&mut trunk.direction, self.direction);
            put(&mut trunk.host, &self.host);
            put(&mut trunk.port, &self.port);
            set(&mut trunk.transport, self.transport);
            set(&mut trunk.networks, networks.clone());
            fill(&mut trunk.outgoing, &self.outgoing);
            fill(&mut trunk.incoming, &self.incoming);
            set(&mut trunk.plus, self.plus);
            match &self.routes {
                Patch::Keep => {}
                Patch::Clear => trunk.routes = Vec::new(),
                Patch::Set(routes) => trunk.routes = routes.iter().flatten().cloned().collect(),
            }
            put(&mut trunk.capacity, &self.capacity);
            set(&mut trunk.codecs, self.codecs.clone());
            set(&mut trunk.srtp, self.srtp);
            put(&mut trunk.ping, &self.ping);
            set(&mut trunk.drained, self.drained);
        })
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn put<T: Clone>(place: &mut Option<T>, patch: &Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *place = None,
        Patch::Set(value) => *place = Some(value.clone()),
    }
}

fn fill<T: Clone>(place: &mut Vec<T>, patch: &Patch<Vec<T>>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => place.clear(),
        Patch::Set(values) => place.clone_from(values),
    }
}

fn shown(view: &TrunkView) -> Reply {
    Reply::json(StatusCode::OK, &dto(&view.trunk))
}

fn without(view: &TrunkView) -> TrunkView {
    TrunkView { trunk: view.trunk.clone(), credentials: None }
}

fn fresh(status: StatusCode, view: &TrunkView, note: Option<&'static str>) -> Reply {
    let password = view.credentials.as_ref().map(|credentials| credentials.password.clone());
    let note = note.filter(|_| view.trunk.user_name.is_some());
    Reply::json(status, &NewTrunkDto { trunk: dto(&view.trunk), password, note })
}

fn dto(trunk: &Trunk) -> TrunkDto {
    TrunkDto {
        id: trunk.id.to_string(),
        name: trunk.name.clone(),
        state: if trunk.drained { "drained" } else { "active" },
        serves: trunk.serves.as_str(),
        direction: trunk.direction.as_str(),
        host: trunk.host.clone(),
        port: trunk.port,
        transport: trunk.transport.as_str(),
        addresses: trunk.networks.iter().map(Network::to_string).collect(),
        user_name: trunk.user_name.clone(),
        registers: trunk.registration.as_ref().map(|own| RegistersDto {
            user: own.user.clone(),
            auth_user: own.auth_user.clone(),
            expires_seconds: own.expires,
        }),
        outgoing: trunk.outgoing.iter().map(rewrite_dto).collect(),
        incoming: trunk.incoming.iter().map(rewrite_dto).collect(),
        plus: trunk.plus,
        routes: trunk.routes.iter().map(route_dto).collect(),
        capacity: trunk.capacity,
        codecs: trunk.codecs.iter().map(|codec| codec.as_str()).collect(),
        srtp: trunk.srtp.as_str(),
        ping_seconds: trunk.ping,
        health: HealthDto {
            state: Health::as_str(trunk.health.health),
            since: trunk.health.since.to_string(),
            detail: trunk.health.detail.clone(),
            last_answer: trunk.health.last_answer.map(|at| at.to_string()),
        },
        created_at: trunk.created_at.to_string(),
        changed_at: trunk.changed_at.to_string(),
    }
}

fn rewrite_dto(rule: &Rewrite) -> RewriteDto {
    RewriteDto { prefix: rule.prefix.clone(), strip: rule.strip, add: rule.add.clone() }
}

fn route_dto(route: &Route) -> RouteDto {
    let (prefix, country) = match &route.to {
        Destinations::Prefix(prefix) => (Some(prefix.clone()), None),
        Destinations::Country(country) => (None, Some(country.to_string())),
    };
    RouteDto { prefix, country, priority: route.priority, weight: route.weight }
}
