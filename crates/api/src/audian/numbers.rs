//! `/numbers`: search, purchase, list, read, release, configure.

use http::{Method, StatusCode};
use tandem_app::numbers::{self, ConfigureNumber, ListNumbers, NumberRef, PurchaseNumber, SearchNumbers};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    Features,
    config::{
        ConfigChange, ForwardingChange, LONGEST_NAME, MOST_RING_TARGETS, Patch, RING_SECONDS, Recording, Ring, RingTarget, RingTo,
        Schedule, ScheduleRule, Strategy, VoicemailChange, check_name,
    },
    inventory::{MAX_PATTERN, MAX_STARS, Pattern, PatternFault},
    number::Number,
};
use tandem_kernel::{DeviceId, Location, LocationFault};

use super::{
    convert,
    dto::{ConfigDto, NumberDto, NumbersDto, OffersDto, Success},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Numbers";
const FEATURES: &[&str] = &["voice", "sms", "mms", "fax"];
const STATES: &[&str] = &["active", "suspended", "porting", "porting_out"];
const NAME: Kind = Kind::Text { min: 1, max: LONGEST_NAME as usize };
const ID: &[(&str, &str)] = &[("number_id", "The number's id, or the number in E.164.")];
pub(super) const OFFSET: Field = Field::new("offset", Kind::Int { min: 0, max: 1_000_000_000 }, "How many to leave out.", "0");
pub(super) const LIMIT: Field = Field::new("limit", Kind::Int { min: 1, max: 100 }, "How many to return.", "20");

const SEARCH: &[Field] = &[
    Field::new("location", Kind::Text { min: 0, max: 64 }, "A country, a state of it, an area code in that.", r#""US-CA-415""#),
    Field::new(
        "pattern",
        Kind::Text { min: 0, max: 64 },
        "National digits: * any run, ? and x one digit, letters as on a keypad. Without * the number starts with it.",
        r#""415*""#,
    ),
    Field::new("features", Kind::Choices(FEATURES), "What the number must be able to do, all of them.", r#"["voice","sms"]"#),
    LIMIT,
    OFFSET,
];
const LIST: &[Field] = &[Field::new("status", Kind::Choice(STATES), "Only numbers in this state.", r#""active""#), LIMIT, OFFSET];
const PURCHASE: &[Field] = &[
    Field::new("number", Kind::Phone, "The number to buy, in E.164.", r#""+14155550123""#)
        .or(&["phone_number", "phoneNumber"])
        .missing_as("phone_number")
        .required(),
    Field::new("friendly_name", NAME, "Your name for it.", r#""Front desk""#).or(&["friendlyName"]),
];
const FORWARDING: &[Field] = &[
    Field::new("enabled", Kind::Bool, "Whether calls are forwarded.", "true").clearable(),
    Field::new("forward_to", Kind::Text { min: 0, max: 64 }, "The target in E.164.", r#""+14155550199""#)
        .or(&["forwardTo"])
        .missing_as("forwardTo")
        .clearable(),
    Field::new("when_unavailable", Kind::Bool, "Only when the number's own devices cannot be reached.", "false").clearable(),
    Field::new("rings_before_forward", Kind::Int { min: 1, max: 12 }, "Rings before the call goes on.", "4").clearable(),
];
const VOICEMAIL: &[Field] = &[
    Field::new("enabled", Kind::Bool, "Whether callers may leave a message.", "true").clearable(),
    Field::new("transcription", Kind::Bool, "Whether messages are written down.", "true").clearable(),
    Field::new("delete_after_days", Kind::Int { min: 1, max: 365 }, "Days that messages are kept.", "30").clearable(),
    Field::new(
        "greeting_id",
        Kind::Text { min: 1, max: 64 },
        "The recording (WAV) that callers hear before the tone; a sentence is spoken where it is left out. An addition of ours.",
        "",
    )
    .or(&["greetingId"])
    .clearable(),
];
const CONFERENCE: &[Field] = &[Field::new("conference_id", Kind::Text { min: 1, max: 64 }, "The conference's id.", "").required()];
const RULE: &[Field] = &[
    Field::new("days", Kind::Ints { min: 1, max: 7, most: 7 }, "1 for Monday to 7 for Sunday.", "[1,2,3,4,5]").required(),
    Field::new("from", Kind::Text { min: 5, max: 5 }, "HH:MM, inclusive.", r#""09:00""#).required(),
    Field::new("to", Kind::Text { min: 5, max: 5 }, "HH:MM, exclusive.", r#""17:00""#).required(),
    Field::new("forward_to", Kind::Phone, "The target in E.164.", r#""+14155550199""#).or(&["forwardTo"]).required(),
];
const SCHEDULE: &[Field] = &[
    Field::new("time_zone", Kind::Text { min: 1, max: 64 }, "An IANA time zone.", r#""America/New_York""#).required(),
    Field::new("rules", Kind::Objects(RULE, 32), "The first that fits wins.", "").required(),
];
/// Whose voices can be recorded.
pub const SIDES: &[&str] = &["all", "caller", "callee"];
const RECORDING: &[Field] = &[
    Field::new("enabled", Kind::Bool, "Whether calls are recorded.", "true").required(),
    Field::new("format", Kind::Choice(&["wav", "mp3", "opus"]), "The file's format.", r#""wav""#),
    Field::new("participant", Kind::Choice(SIDES), "Whose voice.", r#""all""#),
];
const DEVICE: Kind = Kind::Form {
    pattern: "^dev_sip_[0-7][0-9a-hjkmnp-tv-z]{25}$",
    fits: |text| DeviceId::parse(text).is_some(),
    rule: "must be the id of a device",
};
const RING_TARGET: &[Field] = &[
    Field::new("device_id", DEVICE, "The SIP device.", r#""dev_sip_01hzy3v7k2m8x4c6b9d1f5g7h0""#),
    Field::new("number", Kind::Phone, "Or the number, in E.164.", r#""+14155550199""#),
    Field::new(
        "ring_seconds",
        Kind::Int { min: RING_SECONDS.1, max: RING_SECONDS.2 },
        "How long it rings; 20 where it is left out.",
        "20",
    ),
];
const RING: &[Field] = &[
    Field::new(
        "strategy",
        Kind::Choice(Strategy::WORDS),
        "One after the other or all together; in_turn where it is left out.",
        r#""in_turn""#,
    ),
    Field::new("targets", Kind::Objects(RING_TARGET, MOST_RING_TARGETS), "Which telephones.", "").required(),
];
const CONFIG: &[Field] = &[
    Field::new("friendly_name", NAME, "Your name for the number.", r#""Front desk""#).or(&["friendlyName"]).clearable(),
    Field::new("ring", Kind::Object(RING), "Telephones that ring before the call is forwarded. Ours.", "").clearable(),
    Field::new("call_forwarding", Kind::Object(FORWARDING), "Where calls go.", "").or(&["callForwarding"]).clearable(),
    Field::new("voicemail", Kind::Object(VOICEMAIL), "What becomes of calls that nobody takes.", "").clearable(),
    Field::new(
        "sms_webhook",
        Kind::Text { min: 1, max: 2048 },
        "Who is told of incoming messages.",
        r#""https://example.com/sms""#,
    )
    .or(&["smsWebhook"])
    .clearable(),
    Field::new("voice_webhook", Kind::Text { min: 1, max: 2048 }, "Who is asked about calls, before anything is done with them. What it is asked and may answer is ours: see the page about webhooks.", r#""https://example.com/voice""#)
        .or(&["voiceWebhook"])
        .clearable(),
    Field::new("conference", Kind::Object(CONFERENCE), "The conference that callers join.", "").clearable(),
    Field::new("call_flow_id", Kind::Text { min: 1, max: 64 }, "The call flow that answers.", "").clearable(),
    Field::new("schedule", Kind::Object(SCHEDULE), "Forward targets by time of day.", "").clearable(),
    Field::new("recording", Kind::Object(RECORDING), "Whether calls are recorded.", "").clearable(),
];
const PHONE_CODES: [Code; 2] = [Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber];
const FOUND_CODES: [Code; 2] = [Code::NumberNotFound, Code::OwnedNumberNotFound];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("searchNumbers", Method::GET, "/numbers/search", "Find numbers that can be bought.", search)
            .tag(TAG)
            .query(SEARCH)
            .answers::<Success<OffersDto>>(StatusCode::OK)
            .codes(&[Code::InvalidLocation, Code::UnsupportedLocation]),
        Endpoint::new("purchaseNumber", Method::POST, "/numbers/purchase", "Buy a number.", purchase)
            .tag(TAG)
            .body(PURCHASE)
            .answers::<Success<NumberDto>>(StatusCode::CREATED)
            .codes(&[
                PHONE_CODES[0],
                PHONE_CODES[1],
                Code::AlreadyExists,
                Code::PurchaseInProgress,
                Code::NumberNotAvailable,
                Code::InsufficientFunds,
                Code::SpendingLimitReached,
                Code::BadGateway,
                Code::CarrierUnavailable,
            ]),
        Endpoint::new("listNumbers", Method::GET, "/numbers", "List your numbers.", list)
            .tag(TAG)
            .query(LIST)
            .answers::<Success<NumbersDto>>(StatusCode::OK),
        Endpoint::new("getNumber", Method::GET, "/numbers/{number_id}", "Read one of your numbers.", get)
            .tag(TAG)
            .path_docs(ID)
            .answers::<Success<NumberDto>>(StatusCode::OK)
            .codes(&FOUND_CODES)
            .ours(),
        Endpoint::new("releaseNumber", Method::DELETE, "/numbers/{number_id}", "Give a number back.", release)
            .tag(TAG)
            .path_docs(ID)
            .answers::<Success<NumberDto>>(StatusCode::OK)
            .codes(&[FOUND_CODES[0], FOUND_CODES[1], Code::NumberPorting])
            .ours(),
        Endpoint::new("getNumberConfig", Method::GET, "/numbers/{number_id}/config", "Read a number's configuration.", get_config)
            .tag(TAG)
            .path_docs(ID)
            .answers::<Success<ConfigDto>>(StatusCode::OK)
            .codes(&FOUND_CODES),
        Endpoint::new("configureNumber", Method::PUT, "/numbers/{number_id}/config", "Configure a number.", put_config)
            .tag(TAG)
            .path_docs(ID)
            .body(CONFIG)
            .answers::<Success<ConfigDto>>(StatusCode::OK)
            .codes(&[
                FOUND_CODES[0],
                FOUND_CODES[1],
                Code::NumberPorting,
                PHONE_CODES[0],
                PHONE_CODES[1],
                Code::ForwardTargetInvalid,
                Code::ForwardTargetUnreachable,
                Code::ForwardLoop,
                Code::RoutingTargetMissing,
                Code::InvalidRouting,
            ]),
    ]
}

async fn search(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (location, pattern, features) = (form.text("location"), form.text("pattern"), form.choices("features"));
    let (limit, offset) = page(&mut form, 10);
    form.finish()?;
    let bits = features.unwrap_or_default().into_iter().filter_map(Features::parse).fold(Features::default(), Features::with);
    let command = SearchNumbers {
        location: location.filter(|text| !text.is_empty()).map(|text| read_location(&text)).transpose()?,
        pattern: pattern.filter(|text| !text.is_empty()).map(|text| read_pattern(&text)).transpose()?,
        features: bits,
        offset: u64::try_from(offset).unwrap_or(0),
        limit: usize::try_from(limit).unwrap_or(0),
        ..SearchNumbers::default()
    };
    let found = numbers::search(&call.app, &call.caller()?, command).await?;
    let data = OffersDto { numbers: found.numbers.iter().map(convert::offer).collect(), total: found.total, limit, offset };
    Ok(Reply::json(StatusCode::OK, &Success::of(data)))
}

async fn purchase(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (phone, friendly_name) = (form.phone("number"), form.text("friendly_name"));
    form.finish()?;
    if let Some(name) = &friendly_name {
        check_name(&form.spelling("friendly_name"), name)?;
    }
    let command = PurchaseNumber { friendly_name, ..PurchaseNumber::new(phone.ok_or_else(Error::internal)?) };
    let render = |number: &Number| Reply::json(StatusCode::CREATED, &Success::of(convert::number(number)));
    let (caller, operation) = (call.caller()?, call.operation());
    call.answer(render, |finish| numbers::purchase(&call.app, &caller, operation, command, finish)).await
}

async fn list(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let state = form.choice("status");
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let found = numbers::list(&call.app, &call.caller()?, ListNumbers { state, limit, offset }).await?;
    let data = NumbersDto { numbers: found.numbers.iter().map(convert::number).collect(), total: found.total, limit, offset };
    Ok(Reply::json(StatusCode::OK, &Success::of(data)))
}

async fn get(call: Call) -> Result<Reply> {
    let number = numbers::get(&call.app, &call.caller()?, named(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &Success::of(convert::number(&number))))
}

async fn release(call: Call) -> Result<Reply> {
    let render = |number: &Number| Reply::json(StatusCode::OK, &Success::of(convert::number(number)));
    let caller = call.caller()?;
    call.answer(render, |finish| numbers::release(&call.app, &caller, named(&call), finish)).await
}

async fn get_config(call: Call) -> Result<Reply> {
    let number = numbers::get(&call.app, &call.caller()?, named(&call)).await?;
    Ok(Reply::json(StatusCode::OK, &Success::of(convert::config(&number))))
}

async fn put_config(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let mut target_spelling = "forwardTo".to_owned();
    let change = read_change(&mut form, &mut target_spelling);
    form.finish()?;
    let command = ConfigureNumber { number: named(&call), change, address: Patch::Keep };
    let render = |number: &Number| Reply::json(StatusCode::OK, &Success::of(convert::config(number)));
    let caller = call.caller()?;
    let outcome = call.answer(render, |finish| numbers::configure(&call.app, &caller, command, finish)).await;
    outcome.map_err(|error| {
        error.rename_field(|field| match field {
            "forward_to" => target_spelling.clone(),
            other => form.spelling(other),
        })
    })
}

fn read_change(form: &mut Form, target_spelling: &mut String) -> ConfigChange {
    ConfigChange {
        friendly_name: form.patch("friendly_name", Form::text),
        ring: form.patch("ring", |form, name| form.object(name, read_ring).flatten()),
        call_forwarding: form.patch("call_forwarding", |form, name| {
            form.object(name, |form| {
                *target_spelling = form.spelling("forward_to");
                ForwardingChange {
                    enabled: form.patch("enabled", Form::boolean),
                    forward_to: form.patch("forward_to", Form::text),
                    when_unavailable: form.patch("when_unavailable", Form::boolean),
                    rings_before_forward: form.patch("rings_before_forward", Form::int),
                }
            })
        }),
        voicemail: form.patch("voicemail", |form, name| {
            form.object(name, |form| VoicemailChange {
                enabled: form.patch("enabled", Form::boolean),
                transcription: form.patch("transcription", Form::boolean),
                delete_after_days: form.patch("delete_after_days", Form::int),
                greeting: form.patch("greeting_id", Form::text),
            })
        }),
        sms_webhook_method: if form.has("sms_webhook") { Patch::Clear } else { Patch::Keep },
        sms_webhook: form.patch("sms_webhook", Form::text),
        voice_webhook: form.patch("voice_webhook", Form::text),
        conference_id: form.patch("conference", |form, name| form.object(name, |form| form.text("conference_id")).flatten()),
        call_flow_id: form.patch("call_flow_id", Form::text),
        schedule: form.patch("schedule", |form, name| form.object(name, read_schedule).flatten()),
        recording: form.patch("recording", |form, name| form.object(name, read_recording)),
        ..ConfigChange::default()
    }
}

/// Whether and how calls are recorded.
pub fn read_recording(form: &mut Form) -> Recording {
    Recording {
        enabled: form.boolean("enabled").unwrap_or(false),
        format: form.choice("format").unwrap_or("wav").to_owned(),
        participant: form.choice("participant").unwrap_or("all").to_owned(),
    }
}

fn read_ring(form: &mut Form) -> Option<Ring> {
    let strategy = form.choice("strategy").and_then(Strategy::parse).unwrap_or(Strategy::InTurn);
    let targets = form.objects("targets", |form| {
        let (device, number) = (form.text("device_id").as_deref().and_then(DeviceId::parse), form.phone("number"));
        let seconds = form.int("ring_seconds").unwrap_or(RING_SECONDS.0);
        let to = match (device, number) {
            (Some(device), None) => RingTo::Device(device),
            (None, Some(number)) => RingTo::Number(number),
            _ => return None,
        };
        Some(RingTarget { to, seconds })
    });
    // A target that is neither, or both, makes the list one that no number can have.
    let targets: Option<Vec<RingTarget>> = targets?.into_iter().collect();
    Some(Ring { strategy, targets: targets.unwrap_or_default() })
}

fn read_schedule(form: &mut Form) -> Option<Schedule> {
    let time_zone = form.text("time_zone");
    let rules = form.objects("rules", |form| {
        let (days, from, to, target) = (form.ints("days"), form.text("from"), form.text("to"), form.phone("forward_to"));
        Some(ScheduleRule { days: days?, from: from?, to: to?, forward_to: target? })
    });
    Some(Schedule { time_zone: time_zone?, rules: rules?.into_iter().flatten().collect() })
}

fn named(call: &Call) -> NumberRef {
    NumberRef::parse(call.param("number_id"))
}

/// `limit` and `offset`.
pub(super) fn page(form: &mut Form, usual: i64) -> (i64, i64) {
    (form.int("limit").unwrap_or(usual), form.int("offset").unwrap_or(0))
}

fn read_location(text: &str) -> Result<Location> {
    let unsupported = |reason: &'static str| Error::unsupported_location("location", text.to_owned(), reason);
    Location::parse(text).map_err(|fault| match fault {
        LocationFault::Format => Error::invalid_location("location", text.to_owned()),
        LocationFault::UnknownCountry => unsupported("there is no such country"),
        LocationFault::UnknownRegion => unsupported("the country has no such state"),
        LocationFault::UnknownArea => unsupported("the country has no such area code"),
        LocationFault::AreaNotInRegion => unsupported("the area code lies in another state"),
    })
}

fn read_pattern(text: &str) -> Result<Pattern> {
    Pattern::parse(text).map_err(|fault| {
        let rule = match fault {
            PatternFault::Empty => "must not be empty".to_owned(),
            PatternFault::TooLong => format!("must have at most {MAX_PATTERN} characters"),
            PatternFault::TooManyStars => format!("must have at most {MAX_STARS} stars"),
            PatternFault::Character { found, position } => {
                format!("must have digits, letters, *, ? and x only, but has '{found}' at place {position}")
            }
        };
        Error::invalid_value("pattern", rule)
    })
}
