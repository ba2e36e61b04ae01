//! `/Numbers`: purchase, list, read, configure, release.

use http::{Method as Verb, StatusCode};
use tandem_app::numbers::{self, ConfigureNumber, FindNumbers, NumberRef, PurchaseNumber};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    NumberType,
    address::Requirement,
    config::{AttributionChange, ConfigChange, ForwardingChange, Patch, SmsForwardingChange, check_name},
    number::Number,
    webhook::Method,
};
use tandem_kernel::{NumberId, PhoneFault, PhoneNumber};

use super::{
    addresses::ACCOUNT_PATH,
    convert::{CAPABILITY_WORDS, address_ref, check_account, features, property_of},
    messages::{SENDER, sender},
    numbers_dto::{NumberAnswer, NumbersAnswer, PurchasedAnswer, dto, status},
    page,
    properties::PATH,
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply};

const TAG: &str = "Numbers";
/// Numbers that a page has unless the caller says otherwise.
const USUAL: i64 = 200;
const LABEL: Kind = Kind::Text { min: 0, max: 128 };
const SID: Kind = Kind::Text { min: 0, max: 64 };
const METHODS: &[&str] = &["Endpoint", "Flow"];
const WEBHOOK_METHODS: &[&str] = &["POST", "GET"];
const RECORDINGS: &[&str] = &["Off", "Call"];

const PURCHASE: &[Field] = &[
    Field::new("Number", Kind::Phone, "The number to buy, in E.164.", r#""+61292000000""#).required(),
    Field::new("AddressSid", SID, "The address that it is registered with; the first that suits, if none is named.", r#""""#),
];
const LIST: &[Field] = &[
    Field::new("Type", Kind::Choices(NumberType::WORDS), "Only numbers of one of these types.", r#"["Local"]"#)
        .unknown_as(Error::unknown_number_type),
    Field::new("Capabilities", Kind::Choices(CAPABILITY_WORDS), "Only numbers that can do all of this.", r#"["Voice","SMS"]"#)
        .or(&["Capabilites"])
        .unknown_as(Error::unknown_capability),
    page::COUNT,
    page::SKIP,
    page::TOKEN,
];
const CONFIGURE: &[Field] = &[
    Field::new("Friendly", LABEL, "Your name for it.", r#""Front desk""#).clearable(),
    Field::new("AddressSid", SID, "The address that it is registered with.", r#""""#).clearable(),
    Field::new("Attribution_Source", LABEL, "Where people found the number.", r#""google""#).clearable(),
    Field::new("Attribution_Medium", LABEL, "By what means.", r#""cpc""#).clearable(),
    Field::new("Attribution_Campaign", LABEL, "In which campaign.", r#""spring""#).clearable(),
    Field::new("Attribution_Content", LABEL, "By which content of it.", r#""banner""#).clearable(),
    Field::new("RoutingMethod", Kind::Choice(METHODS), "Where calls go: to EndpointNumber, or to Flow.", r#""Endpoint""#)
        .unknown_as(Error::unknown_routing_method)
        .clearable(),
    Field::new("EndpointNumber", Kind::Phone, "The number that calls go to, in E.164.", r#""+61293333333""#).clearable(),
    Field::new("Flow", SID, "The ConfigId of the flow that calls go to.", r#""cf_01hzy3v7k2m8x4c6b9d1f5g7h0""#).clearable(),
    Field::new("Recording", Kind::Choice(RECORDINGS), "Whether calls are recorded.", r#""Off""#)
        .unknown_as(Error::unknown_recording_option)
        .clearable(),
    Field::new(
        "SendSmsFrom",
        SENDER,
        "Whom a message that is sent on comes from: one of the project's numbers in E.164, or a name of 1 to 11 letters, digits and \
         spaces with at least one letter. Whoever wrote it if there is none.",
        r#""Example""#,
    )
    .clearable(),
    Field::new("SendSmsTo", Kind::Phone, "Who gets messages that come in, as a message.", r#""+61412345678""#).clearable(),
    Field::new("SendEmailFrom", Kind::EMAIL, "Whom such an e-mail comes from.", r#""sms@example.com""#).clearable(),
    Field::new("SendEmailTo", Kind::EMAIL, "Who gets messages that come in, as an e-mail.", r#""desk@example.com""#).clearable(),
    Field::new(
        "WebhookUri",
        Kind::Text { min: 0, max: 2048 },
        "Who is told of messages that come in, as messages' own webhooks are told (ours; the Audian API's sms_webhook).",
        r#""https://example.com/sms""#,
    )
    .clearable(),
    Field::new("WebhookMethod", Kind::Choice(WEBHOOK_METHODS), "How; POST if left out beside a WebhookUri (ours).", r#""POST""#),
];
const NUMBER_PATH: &[(&str, &str)] = &[("Number", "The number in E.164, without the +.")];
const FOUND: [Code; 3] = [Code::OwnedNumberNotFound, Code::InvalidPhoneNumber, Code::UnassignedPhoneNumber];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    [reading(), changing()].concat().into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

fn reading() -> Vec<Endpoint> {
    vec![
        Endpoint::new("getNumber", Verb::GET, "/Numbers/{Number}", "Read one of your numbers.", get)
            .path_docs(NUMBER_PATH)
            .answers::<NumberAnswer>(StatusCode::OK)
            .codes(&FOUND),
        Endpoint::new(
            "listProjectNumbers",
            Verb::GET,
            "/Properties/{PropertySid}/Numbers",
            "List a project's numbers.",
            of_property,
        )
        .path_docs(PATH)
        .query(LIST)
        .answers::<NumbersAnswer>(StatusCode::OK)
        .codes(&[Code::PropertyNotFound, Code::UnknownNumberType, Code::UnknownCapability]),
        Endpoint::new("listAccountNumbers", Verb::GET, "/Accounts/{AccountSid}/Numbers", "List your numbers.", of_account)
            .path_docs(ACCOUNT_PATH)
            .query(LIST)
            .answers::<NumbersAnswer>(StatusCode::OK)
            .codes(&[Code::AccountNotFound, Code::UnknownNumberType, Code::UnknownCapability]),
    ]
}

fn changing() -> Vec<Endpoint> {
    vec![
        Endpoint::new("purchaseNumber", Verb::POST, "/Properties/{PropertySid}/Numbers", "Buy a number.", purchase)
            .path_docs(PATH)
            .body(PURCHASE)
            .answers::<PurchasedAnswer>(StatusCode::OK)
            .codes(&[
                Code::InvalidPhoneNumber,
                Code::UnassignedPhoneNumber,
                Code::PropertyNotFound,
                Code::AddressNotFound,
                Code::AddressUnsuitable,
                Code::NumberBelongsToDifferentProperty,
                Code::AlreadyExists,
                Code::PurchaseInProgress,
                Code::OperationNotAllowed,
                Code::CountryUnavailable,
                Code::NumberNotAvailable,
                Code::InsufficientFunds,
                Code::SpendingLimitReached,
                Code::BadGateway,
                Code::CarrierUnavailable,
            ]),
        Endpoint::new("configureNumber", Verb::POST, "/Numbers/{Number}", "Change parts of a number's configuration.", configure)
            .path_docs(NUMBER_PATH)
            .body(CONFIGURE)
            .answers::<NumberAnswer>(StatusCode::OK)
            .codes(&[
                FOUND[0],
                FOUND[1],
                FOUND[2],
                Code::NumberPorting,
                Code::SenderNotOwned,
                Code::SenderLacksFeature,
                Code::NumberBelongsToDifferentProperty,
                Code::AddressNotFound,
                Code::AddressUnsuitable,
                Code::FlowNotFound,
                Code::OneOfRequired,
                Code::UnknownRoutingMethod,
                Code::UnknownRecordingOption,
                Code::ForwardTargetUnreachable,
                Code::ForwardLoop,
                Code::InvalidRouting,
            ]),
        Endpoint::new("releaseNumber", Verb::DELETE, "/Numbers/{Number}", "Give a number back.", release)
            .path_docs(NUMBER_PATH)
            .answers::<NumberAnswer>(StatusCode::OK)
            .codes(&[FOUND[0], FOUND[1], FOUND[2], Code::NumberPorting])
            .ours(),
    ]
}

async fn get(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let number = numbers::get(&call.app, &caller, named(&call)?).await?;
    Ok(Reply::json(StatusCode::OK, &NumberAnswer { number: dto(caller.account, &number) }))
}

async fn of_property(call: Call) -> Result<Reply> {
    let (page, command) = read_list(&call)?;
    list(&call, page, FindNumbers { property: Some(property_of(&call)), ..command }).await
}

async fn of_account(call: Call) -> Result<Reply> {
    let (page, command) = read_list(&call)?;
    check_account(&call)?;
    list(&call, page, command).await
}

fn read_list(call: &Call) -> Result<(page::Page, FindNumbers)> {
    let mut form = call.query_form()?;
    let (types, able) = (form.choices("Type"), form.choices("Capabilities"));
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let command = FindNumbers {
        property: None,
        types: types.unwrap_or_default().into_iter().filter_map(NumberType::parse).collect(),
        features: features(able),
        after: page.after.map(NumberId::from_bytes),
        limit: page.limit(),
        offset: page.skip,
    };
    Ok((page, command))
}

async fn list(call: &Call, page: page::Page, command: FindNumbers) -> Result<Reply> {
    let caller = call.caller()?;
    let mut found = numbers::find_of_property(&call.app, &caller, command).await?;
    let answer = NumbersAnswer {
        next_page_token: page.cut(&mut found.numbers, |number| *number.id.as_bytes()),
        numbers: found.numbers.iter().map(|number| dto(caller.account, number)).collect(),
        total_count: found.total,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn purchase(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (phone, address) = (form.phone("Number"), form.text("AddressSid"));
    form.finish()?;
    let phone = phone.ok_or_else(Error::internal)?;
    let command = PurchaseNumber {
        property: Some(property_of(&call)),
        address: address.filter(|sid| !sid.is_empty()).map(|sid| address_ref(&sid)),
        ..PurchaseNumber::new(phone)
    };
    let render = |number: &Number| {
        Reply::json(StatusCode::OK, &PurchasedAnswer { number: number.phone.to_string(), status: status(number) })
    };
    let (caller, operation) = (call.caller()?, call.operation());
    let bought = call.answer(render, |finish| numbers::purchase(&call.app, &caller, operation, command, finish)).await;
    bought.map_err(|error| match (error.code(), phone.country()) {
        (Code::NumberNotAvailable, Some(country)) if !numbers::is_offered(&call.app, &caller, country) => {
            Error::country_unavailable(country.to_string())
        }
        _ => error.rename_field(field_name),
    })
}

async fn configure(call: Call) -> Result<Reply> {
    let number = named(&call)?;
    let mut form = call.body_form()?;
    let (change, address) = (read_change(&mut form), form.patch_or_empty("AddressSid", Form::text));
    form.finish()?;
    if !CONFIGURE.iter().any(|field| form.has(field.name)) {
        let names: Vec<&str> = CONFIGURE.iter().map(|field| field.name).collect();
        return Err(Error::one_of_required(names.join(",")));
    }
    if let Patch::Set(name) = &change.friendly_name {
        check_name("Friendly", name)?;
    }
    let address = match address {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(sid) => Patch::Set(address_ref(&sid)),
    };
    let flow = if let Patch::Set(flow) = &change.call_flow_id { Some(flow.clone()) } else { None };
    let caller = call.caller()?;
    let render = move |number: &Number| Reply::json(StatusCode::OK, &NumberAnswer { number: dto(caller.account, number) });
    let command = ConfigureNumber { number, change, address };
    let done = call.answer(render, |finish| numbers::configure(&call.app, &caller, command, finish)).await;
    done.map_err(|error| match (error.code(), flow) {
        (Code::RoutingTargetMissing, Some(flow)) => Error::flow_not_found(flow),
        _ => error.rename_field(field_name),
    })
}

async fn release(call: Call) -> Result<Reply> {
    let caller = call.caller()?;
    let render = move |number: &Number| Reply::json(StatusCode::OK, &NumberAnswer { number: dto(caller.account, number) });
    let number = named(&call)?;
    call.answer(render, |finish| numbers::release(&call.app, &caller, number, finish)).await
}

/// The number that the path names by its digits.
fn named(call: &Call) -> Result<NumberRef> {
    let text = call.param("Number");
    let number = PhoneNumber::parse(&format!("+{}", text.strip_prefix('+').unwrap_or(text)));
    number.map(NumberRef::Phone).map_err(|fault| match fault {
        PhoneFault::Format => Error::invalid_phone_number("Number", text.to_owned()),
        PhoneFault::NotAssigned => Error::unassigned_phone_number("Number", text.to_owned()),
    })
}

fn read_change(form: &mut Form) -> ConfigChange {
    let webhook = form.patch_or_empty("WebhookUri", Form::text);
    let method = form.choice("WebhookMethod").and_then(Method::parse);
    let mut change = ConfigChange {
        friendly_name: form.patch_or_empty("Friendly", Form::text),
        sms_webhook_method: match (method, &webhook) {
            (_, Patch::Clear) => Patch::Clear,
            (Some(method), _) => Patch::Set(method),
            (None, Patch::Set(_)) => Patch::Set(Method::Post),
            (None, Patch::Keep) => Patch::Keep,
        },
        sms_webhook: webhook,
        attribution: AttributionChange {
            source: form.patch_or_empty("Attribution_Source", Form::text),
            medium: form.patch_or_empty("Attribution_Medium", Form::text),
            campaign: form.patch_or_empty("Attribution_Campaign", Form::text),
            content: form.patch_or_empty("Attribution_Content", Form::text),
        },
        sms_forwarding: SmsForwardingChange {
            sms_from: form.patch_or_empty("SendSmsFrom", |form, name| form.parsed(name, sender).map(|sender| sender.to_string())),
            sms_to: form.patch_or_empty("SendSmsTo", Form::phone),
            email_from: form.patch_or_empty("SendEmailFrom", Form::text),
            email_to: form.patch_or_empty("SendEmailTo", Form::text),
        },
        is_recorded: match form.patch_or_empty("Recording", Form::choice) {
            Patch::Keep => None,
            Patch::Clear => Some(false),
            Patch::Set(option) => Some(option == "Call"),
        },
        ..ConfigChange::default()
    };
    read_routing(form, &mut change);
    change
}

/// Where calls go. A method comes with what it needs; without one, what is named becomes the method: the flow, or else the number.
fn read_routing(form: &mut Form, change: &mut ConfigChange) {
    let method = form.patch_or_empty("RoutingMethod", Form::choice);
    let endpoint = form.patch_or_empty("EndpointNumber", Form::phone);
    let flow = form.patch_or_empty("Flow", Form::text);
    let method = match (method, &endpoint, &flow) {
        (Patch::Set(method), ..) => Patch::Set(method),
        (_, _, Patch::Set(_)) => Patch::Set("Flow"),
        (_, Patch::Set(_), _) => Patch::Set("Endpoint"),
        (method, ..) => method,
    };
    for (needed, by) in [("EndpointNumber", "Endpoint"), ("Flow", "Flow")] {
        if method == Patch::Set(by) && !form.given(needed) {
            form.miss(needed);
        }
    }
    change.stops_forwarding = method == Patch::Set("Flow") || method == Patch::Clear;
    change.call_flow_id = if method == Patch::Set("Endpoint") || method == Patch::Clear { Patch::Clear } else { flow };
    change.call_forwarding = match endpoint {
        Patch::Keep => Patch::Keep,
        Patch::Clear => {
            Patch::Set(ForwardingChange { enabled: Patch::Set(false), forward_to: Patch::Clear, ..ForwardingChange::default() })
        }
        Patch::Set(number) => Patch::Set(ForwardingChange {
            enabled: if method == Patch::Set("Endpoint") { Patch::Set(true) } else { Patch::Keep },
            forward_to: Patch::Set(number.to_string()),
            ..ForwardingChange::default()
        }),
    };
}

/// What this dialect calls a member of the configuration.
fn field_name(field: &str) -> String {
    match field {
        "address" => "AddressSid",
        "forward_to" => "EndpointNumber",
        "call_flow_id" => "Flow",
        "sms_webhook" => "WebhookUri",
        "sms_from" => "SendSmsFrom",
        "sms_to" => "SendSmsTo",
        "friendly_name" => "Friendly",
        other => other,
    }
    .to_owned()
}

/// The word for which address a country wants.
pub const fn requirement(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::None => "None",
        Requirement::Any => "Any",
        Requirement::Local => "Local",
    }
}
