//! Every operation of every document, asked in every wrong way: by nobody, by the wrong ones, with bodies that are none, and with
//! each field missing, of another type, out of range, huge and unknown. The harness compares each answer with the document; here
//! it is checked that what is wrong is refused, and never with a fault of ours.

use http::Method;
use serde_json::{Map, Value, json};
use tandem_catalogue::Dialect;
use tandem_domain::purchase::Offer;
use tandem_kernel::Environment::{self, Test};
use tandem_testkit::{Answer, Client, LOCAL, Persona, Server, Stage, offer, on_both};

use crate::numbers::{buy, row};

/// Operations that any valid key may ask for, whatever its scopes.
const WITHOUT_SCOPE: &[&str] = &["getOwnAccount"];
/// Characters that a field is sent which takes no such length.
const HUGE: usize = 300_000;

/// An operation of a document.
struct Operation {
    dialect: Dialect,
    prefix: String,
    method: Method,
    template: String,
    described: Value,
}

fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    for dialect in Dialect::ALL {
        let Some(document) = tandem_api::openapi(dialect) else { continue };
        let prefix = document["servers"][0]["url"].as_str().expect("a server").to_owned();
        for (template, methods) in document["paths"].as_object().expect("paths") {
            for (method, described) in methods.as_object().expect("operations") {
                let method = method.to_ascii_uppercase().parse().expect("a method");
                let (prefix, template, described) = (prefix.clone(), template.clone(), described.clone());
                all.push(Operation { dialect, prefix, method, template, described });
            }
        }
    }
    all
}

impl Operation {
    fn id(&self) -> &str {
        self.described["operationId"].as_str().expect("an id")
    }

    fn needs_key(&self) -> bool {
        self.described.get("security").is_some()
    }

    fn body_schema(&self) -> Option<&Value> {
        self.described["requestBody"]["content"].get("application/json").map(|content| &content["schema"])
    }

    fn query(&self) -> impl Iterator<Item = (&str, &Value)> {
        let parameters = self.described["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        query.map(|parameter| (parameter["name"].as_str().expect("a name"), &parameter["schema"]))
    }

    /// The names of the parameters in its path.
    fn parameters(&self) -> Vec<&str> {
        self.template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// Its path with `values` in the places of its parameters.
    fn path(&self, value: impl Fn(&str) -> String) -> String {
        let filled =
            self.parameters().iter().fold(self.template.clone(), |path, name| path.replace(&format!("{{{name}}}"), &value(name)));
        format!("{}{filled}", self.prefix)
    }

    async fn send(&self, client: &Client, path: &str, body: Option<&Value>) -> Answer {
        let answer = client.send(self.method.clone(), path, body.map(|body| body.to_string().into_bytes())).await;
        assert!(answer.status < 500, "{}{answer}", self.id());
        answer
    }
}

/// A value that fits a schema: its example, or the least that it allows.
fn fitting(schema: &Value) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    match kinds(schema).first().map(String::as_str) {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Value::Object(required.map(|name| (name.to_owned(), fitting(&schema["properties"][name]))).collect())
        }
        Some("array") => json!([fitting(&schema["items"])]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        _ => match schema["enum"].as_array() {
            Some(words) => words[0].clone(),
            None => json!("x".repeat(usize::try_from(schema["minLength"].as_u64().unwrap_or(1)).expect("short"))),
        },
    }
}

/// The JSON types that a schema allows.
fn kinds(schema: &Value) -> Vec<String> {
    match &schema["type"] {
        Value::String(kind) => vec![kind.clone()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Values of types that a schema does not allow.
fn of_other_types(schema: &Value) -> Vec<Value> {
    let kinds = kinds(schema);
    let candidates = [
        ("boolean", json!(true)),
        ("integer", json!(12)),
        ("number", json!(1.5)),
        ("string", json!("x")),
        ("array", json!([])),
        ("object", json!({})),
    ];
    let allowed = |kind: &str| kinds.iter().any(|known| known == kind || (known == "number" && kind == "integer"));
    candidates.into_iter().filter(|(kind, _)| !kinds.is_empty() && !allowed(kind)).map(|(_, value)| value).collect()
}

/// Values of the right type that a schema does not allow.
fn out_of_range(schema: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    if let Some(least) = schema["minimum"].as_i64() {
        values.extend([json!(least - 1), json!(i64::MIN)]);
    }
    if let Some(most) = schema["maximum"].as_i64() {
        values.extend([json!(most + 1), json!(i64::MAX), json!(u64::MAX), json!(1e300)]);
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| *least > 0) {
        values.push(json!("x".repeat(usize::try_from(least - 1).expect("short"))));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        values.extend([json!("x".repeat(usize::try_from(most + 1).expect("short"))), json!("x".repeat(HUGE))]);
    }
    if schema["enum"].is_array() {
        values.extend([json!("nonsense"), json!("")]);
    }
    if schema["format"] == "e164" {
        values.extend([json!("12"), json!("+"), json!("415-555-1234"), json!("+10005551234"), json!("x".repeat(HUGE))]);
    }
    if schema["format"] == "date-time" {
        values.extend([json!("yesterday"), json!("2024-13-01"), json!("")]);
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        values.push(Value::Array(vec![fitting(&schema["items"]); usize::try_from(most + 1).expect("short")]));
    }
    values
}

/// The members of an object's schema, those of its members included: where each is, whether it must be there, its schema.
fn members(schema: &Value, place: &[String]) -> Vec<(Vec<String>, bool, Value)> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let mut all = Vec::new();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let mut place = place.to_vec();
        place.push(name.clone());
        all.extend(members(member, &place));
        all.push((place, required(name), member.clone()));
    }
    all
}

/// A body with `value` at a place, or nothing there; objects on the way are made.
fn with(body: &Value, place: &[String], value: Option<Value>) -> Value {
    let mut object: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    let (name, rest) = place.split_first().expect("a place");
    match (rest.is_empty(), value) {
        (true, Some(value)) => {
            object.insert(name.clone(), value);
        }
        (true, None) => {
            object.shift_remove(name);
        }
        (false, value) => {
            let inner = with(object.get(name).unwrap_or(&Value::Null), rest, value);
            object.insert(name.clone(), inner);
        }
    }
    Value::Object(object)
}

/// Somebody with one object of each kind.
struct Owner {
    persona: Persona,
    number: String,
    port: String,
    request: String,
    transfer: String,
}

impl Owner {
    async fn settle(server: &Server, index: u64) -> Self {
        let persona = server.account("Owner").await;
        persona.unlimited(Test).await;
        persona.unlimited(Environment::Live).await;
        let number = buy(&persona.test(), &row(14_155_550_100, 1 + index)[usize::try_from(index).expect("small")]).await;
        let ported = format!("+1206555{:04}", 1000 + index);
        let client = persona.test();
        let port = client.post("/audian/v2/ports", json!({
            "number": ported, "account_number": "A-1", "billing_phone": ported, "end_user_name": "Ada Lovelace",
            "end_user_address": { "street": "1 Main St", "city": "Seattle", "state": "WA", "postal_code": "98101", "country": "US" },
        }));
        let port = port.await;
        let port = port.assert_status(202).data_text("id");
        let request = persona.test().get("/audian/v2/numbers").await.header("x-request-id").expect("an id").to_owned();
        let transfer = persona.charges(Test).await[0].id.to_string();
        server.settle().await;
        Self { persona, number, port, request, transfer }
    }

    /// What a parameter in a path is called for this owner's objects.
    fn value(&self, name: &str) -> String {
        match name {
            "number_id" | "object_id" => self.number.clone(),
            "port_id" => self.port.clone(),
            "request_id" => self.request.clone(),
            "transfer_id" => self.transfer.clone(),
            "key_id" => self.persona.test.key_id.to_string(),
            "account_id" => self.persona.account.to_string(),
            "environment" => "test".to_owned(),
            "number" => "+14155550399".to_owned(),
            "code" => "internal".to_owned(),
            _ => format!("{}_abc123", name.trim_end_matches("_id")),
        }
    }
}

/// Whether a parameter names something that belongs to one account.
fn belongs_to_somebody(name: &str) -> bool {
    ["number_id", "port_id", "object_id", "request_id", "transfer_id", "key_id"].contains(&name)
}

#[track_caller]
fn assert_refused(operation: &Operation, answer: &Answer, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status), "{} should have answered one of {statuses:?}{answer}", operation.id());
}

/// Asks without the right to: nobody, nonsense, the other sort of key, no scopes, somebody else, the other environment.
async fn ask_without_right(server: &Server, operation: &Operation, owner: &Owner, stranger: &Persona, by_operator: bool) {
    let path = operation.path(|name| owner.value(name));
    let body = operation.body_schema().map(fitting);
    let send = |client: Client| {
        let (path, body) = (path.clone(), body.clone());
        async move { operation.send(&client, &path, body.as_ref()).await }
    };
    assert_refused(operation, &send(server.client()).await, &[401]);
    assert_refused(operation, &send(server.client_with("sk_test_nonsense")).await, &[401]);
    if by_operator {
        assert_refused(operation, &send(stranger.test()).await, &[403]);
        assert_refused(operation, &send(owner.persona.live()).await, &[403]);
        return;
    }
    assert_refused(operation, &send(server.operator()).await, &[401]);
    let powerless = send(owner.persona.test_with(&[]).await).await;
    let allowed = WITHOUT_SCOPE.contains(&operation.id());
    assert_refused(operation, &powerless, if allowed { &[200] } else { &[400, 403, 404, 422] });
    if operation.parameters().iter().any(|name| belongs_to_somebody(name)) {
        for other in [stranger.test(), stranger.live(), owner.persona.live()] {
            assert_refused(operation, &send(other).await, &[404]);
        }
    }
}

/// Sends bodies that are none, and each member of the body wrong in each way.
async fn ask_with_wrong_bodies(operation: &Operation, client: &Client, path: &str) {
    let Some(schema) = operation.body_schema() else { return };
    let base = fitting(schema);
    for raw in ["{", "[]", "\"x\"", "nonsense", "{\"a\":1,}", "\u{0}"] {
        let answer = client.send(operation.method.clone(), path, Some(raw.as_bytes().to_vec())).await;
        assert_refused(operation, &answer, &[400]);
    }
    let csv = operation.send(&client.header("content-type", "text/csv"), path, Some(&base)).await;
    assert_refused(operation, &csv, &[415]);
    let large = operation.send(client, path, Some(&json!({ "x": "x".repeat(1_100_000) }))).await;
    assert_refused(operation, &large, &[413]);
    for (place, required, member) in members(schema, &[]) {
        if required {
            let without = operation.send(client, path, Some(&with(&base, &place, None))).await;
            assert_refused(operation, &without, &[400]);
            let null = operation.send(client, path, Some(&with(&base, &place, Some(Value::Null)))).await;
            assert_refused(operation, &null, &[400]);
        }
        for value in of_other_types(&member).into_iter().chain(out_of_range(&member)) {
            let answer = operation.send(client, path, Some(&with(&base, &place, Some(value)))).await;
            assert_refused(operation, &answer, &[400, 422]);
        }
        let strange = operation.send(client, path, Some(&with(&base, &place, Some(json!("\u{0}\u{7}\u{202e}é🦀"))))).await;
        assert!(strange.status < 500);
    }
    let unknown = operation.send(client, path, Some(&with(&base, &["zebra".to_owned()], Some(json!(1))))).await;
    match operation.dialect {
        Dialect::Native => assert_refused(operation, &unknown, &[400]),
        _ => assert_eq!(unknown.header("x-tandem-hint"), Some("zebra is ignored"), "{unknown}"),
    }
}

/// Sends each parameter of the query wrong in each way.
async fn ask_with_wrong_queries(operation: &Operation, client: &Client, path: &str) {
    let body = operation.body_schema().map(fitting);
    for (name, schema) in operation.query() {
        let number = kinds(schema).iter().any(|kind| kind == "integer" || kind == "number");
        let wrong = out_of_range(schema).into_iter().chain(number.then(|| json!("x"))).chain(number.then(|| json!("1.5")));
        for value in wrong.filter(|value| value.as_str().is_none_or(|text| !text.is_empty() && text.len() < 10_000)) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('+', "%2B");
            let answer = operation.send(client, &format!("{path}?{name}={text}"), body.as_ref()).await;
            assert_refused(operation, &answer, &[400]);
        }
        for text in ["", "%00", "%FF", "%F0%9F%A6%80", "'%22%3B--", "%", "%2", "=", "&", "a&b", "[]", "%20"] {
            operation.send(client, &format!("{path}?{name}={text}"), body.as_ref()).await;
        }
        operation.send(client, &format!("{path}?{name}=1&{name}=2&{name}[]=3&{name}"), body.as_ref()).await;
    }
    operation.send(client, &format!("{path}?zebra=1"), body.as_ref()).await;
}

/// Names objects that cannot be, in each place of the path.
async fn ask_for_what_cannot_be(operation: &Operation, client: &Client, owner: &Owner) {
    let body = operation.body_schema().map(fitting);
    for wrong in operation.parameters() {
        for text in
            ["x", "0", "%00", "%FF", "%2e%2e", "num_abc123", "+14155550198", "-1", "%F0%9F%A6%80", &"x".repeat(2000), "'--", "%20"]
        {
            let path = operation.path(|name| if name == wrong { text.to_owned() } else { owner.value(name) });
            assert_refused(operation, &operation.send(client, &path, body.as_ref()).await, &[400, 404]);
        }
    }
}

/// More numbers than there are operations.
fn many(_: Environment) -> Vec<Offer> {
    row(14_155_550_100, 300).iter().map(|number| offer(number, LOCAL, &["voice", "sms"])).collect()
}

on_both! {
    async fn whatever_is_wrong_is_refused_as_documented(stage: Stage) {
        let stage = stage.offers(many).config(|config| config.limits.anonymous_per_minute = 1_000_000);
        let server = stage.start().await;
        let stranger = server.account("Stranger").await;
        stranger.unlimited(Test).await;
        stranger.unlimited(Environment::Live).await;
        for (index, operation) in operations().iter().enumerate() {
            let owner = Owner::settle(&server, index as u64).await;
            let path = operation.path(|name| owner.value(name));
            let body = operation.body_schema().map(fitting);
            let tried = operation.send(&stranger.test(), &path, body.as_ref()).await;
            let by_operator = operation.dialect == Dialect::Native && tried.status == 403;
            let client = if by_operator { server.operator() } else { owner.persona.test() };
            if operation.needs_key() {
                ask_without_right(&server, operation, &owner, &stranger, by_operator).await;
            }
            ask_for_what_cannot_be(operation, &client, &owner).await;
            ask_with_wrong_queries(operation, &client, &path).await;
            ask_with_wrong_bodies(operation, &client, &path).await;
        }
    }
}
