//! The operations, as their documents describe them.

use http::Method;
use serde_json::Value;
use tandem_catalogue::Dialect;
use tandem_testkit::{Answer, Client};

use super::{values, world::World};

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Account,
    Operator,
    Either,
    Anybody,
}

/// An operation with what it takes.
#[derive(Clone)]
pub struct Case {
    pub dialect: Dialect,
    pub method: Method,
    prefix: String,
    /// The path within the dialect, with `{parameters}`.
    pub template: String,
    pub access: Access,
    /// The schema of a JSON body.
    pub body: Option<Value>,
    /// What a body is announced as.
    media_type: String,
    /// Whether it takes a body of another type.
    pub raw: bool,
    /// Parameters of the query with their schemas.
    pub query: Vec<(String, Value)>,
    /// The query that it cannot do without.
    required_query: String,
}

/// All operations of all documents.
pub async fn all(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    for dialect in Dialect::ALL {
        let answer = world.server.client().get(&format!("/openapi/{}.json", dialect.as_str())).await;
        if answer.status == 404 {
            continue; // not served yet
        }
        let document = answer.assert_status(200).body.clone();
        let prefix = document["servers"][0]["url"].as_str().expect("a server").to_owned();
        for (template, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                cases.push(Case::read(dialect, &prefix, template, method, operation));
            }
        }
    }
    assert!(cases.len() > 60, "the documents have {} operations", cases.len());
    for case in &cases {
        case.path(world); // says at once which parameter nobody knows
    }
    cases
}

/// The parameter that a text of Telephony.io's is about; there is one telephone number in each of its operations but one.
fn named_in(text: &str) -> Option<&str> {
    if text == "Invalid phone number format" {
        return Some("phone_number");
    }
    let (before, _) = text.split_once(" parameter ")?;
    before.strip_prefix("The ").map(|name| name.trim_matches('\''))
}

impl Case {
    fn read(dialect: Dialect, prefix: &str, template: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().expect("parameters");
        let query: Vec<&Value> = parameters.iter().filter(|parameter| parameter["in"] == "query").collect();
        let name = |parameter: &Value| parameter["name"].as_str().expect("a name").to_owned();
        let needed = query.iter().filter(|parameter| parameter["required"] == true);
        let needed: Vec<_> =
            needed.enumerate().map(|(place, it)| format!("{}={}", name(it), values::rising(place, &it["schema"]))).collect();
        let content = &operation["requestBody"]["content"];
        let json = content
            .as_object()
            .and_then(|content| content.iter().find(|(name, _)| *name == "application/json" || name.ends_with("+json")));
        Self {
            dialect,
            method: method.to_ascii_uppercase().parse().expect("a method"),
            prefix: prefix.to_owned(),
            template: template.to_owned(),
            access: match operation["x-access"].as_str() {
                Some("account") => Access::Account,
                Some("operator") => Access::Operator,
                Some("either") => Access::Either,
                None if operation["security"].is_null() => Access::Anybody,
                other => panic!("{template}: who is {other:?}?"),
            },
            body: json.map(|(_, content)| content["schema"].clone()),
            media_type: json.map_or("text/csv", |(media_type, _)| media_type).to_owned(),
            raw: content.is_object() && json.is_none(),
            query: query.iter().map(|parameter| (name(parameter), parameter["schema"].clone())).collect(),
            required_query: needed.join("&"),
        }
    }

    /// For reports.
    pub fn name(&self) -> String {
        format!("{} {}{}", self.method, self.prefix, self.template)
    }

    /// Names of the parameters in the path.
    pub fn parameters(&self) -> Vec<&str> {
        let names = self.template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.collect()
    }

    /// The path with a choice for each parameter.
    pub fn path_with(&self, choose: impl Fn(&str) -> String) -> String {
        let filled = self.template.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(parameter) => choose(parameter),
            None => part.to_owned(),
        });
        let path = format!("{}{}", self.prefix, filled.collect::<Vec<_>>().join("/"));
        if self.required_query.is_empty() { path } else { format!("{path}?{}", self.required_query) }
    }

    /// A path that names what is there.
    pub fn path(&self, world: &World) -> String {
        self.path_with(|parameter| world.named(self.access, &self.template, parameter))
    }

    /// The path with a further query.
    pub fn path_and(&self, world: &World, query: &str) -> String {
        let path = self.path(world);
        let join = if path.contains('?') { '&' } else { '?' };
        format!("{path}{join}{query}")
    }

    /// A body that is as it should be.
    pub fn sample(&self) -> Option<Value> {
        self.body.as_ref().map(|schema| values::body(&self.template, schema))
    }

    /// Sends it with a body that is as it should be.
    pub async fn send(&self, client: &Client, path: &str) -> Answer {
        let body = match self.sample() {
            Some(sample) => Some(sample.to_string().into_bytes()),
            None => self.raw.then(|| b"number\n".to_vec()),
        };
        self.send_body(client, path, body).await
    }

    /// Sends it with any body. No answer may say that the server failed.
    pub async fn send_body(&self, client: &Client, path: &str, body: Option<Vec<u8>>) -> Answer {
        self.send_as(&self.media_type, client, path, body).await
    }

    /// The same, announced as something else.
    pub async fn send_as(&self, media_type: &str, client: &Client, path: &str, body: Option<Vec<u8>>) -> Answer {
        let client = client.header("content-type", media_type);
        let answer = client.send(self.method.clone(), path, body).await;
        let silent = answer.header("x-tandem-error") == Some("trunks_unavailable"); // nothing carries calls where the probe asks
        assert!(answer.status < 500 || silent, "the server failed{answer}");
        let shown = answer.sent_header("x-auth-token").or_else(|| answer.sent_header("authorization"));
        let known = shown.is_some_and(|key| key.contains("sk_") || key.contains("pk_"));
        if known && answer.status != 401 && self.access != Access::Anybody {
            self.tells_limits(&answer);
        }
        answer
    }

    /// The code that an answer says, in the catalogue's or the dialect's words.
    pub fn code<'a>(&self, answer: &'a Answer) -> &'a str {
        let code = match self.dialect {
            Dialect::Audian => &answer.body["error"]["code"],
            Dialect::FoneDynamics => &answer.body["ResponseStatus"]["ErrorCode"],
            _ => &answer.body["code"],
        };
        code.as_str().unwrap_or("")
    }

    /// The parameter that an answer names as the one at fault: a name of the dialect's, or a JSON pointer.
    pub fn param(&self, answer: &Answer) -> Option<String> {
        let named = match self.dialect {
            Dialect::Audian => answer.body["error"]["param"].as_str(),
            Dialect::FoneDynamics => answer.body["ResponseStatus"]["Errors"][0]["FieldName"].as_str(),
            // Its errors are flat: only the text tells.
            Dialect::TelephonyIo => answer.body["error"].as_str().and_then(named_in),
            _ => answer.body["errors"][0]["pointer"].as_str(),
        };
        named.map(str::to_owned)
    }

    /// The status of what is not there.
    pub fn not_there(&self) -> u16 {
        if self.dialect == Dialect::FoneDynamics { 400 } else { 404 }
    }

    /// Whether a body may come as the form of a page.
    pub fn takes_html_forms(&self) -> bool {
        self.dialect == Dialect::FoneDynamics && self.media_type == "application/json"
    }

    /// How the dialect names a member of a body or of a query.
    pub fn spelled(&self, name: &str, pointer: &str) -> String {
        match self.dialect {
            Dialect::Native => pointer.to_owned(),
            Dialect::FoneDynamics => pointer.trim_start_matches('/').replace('/', "."),
            Dialect::Audian | Dialect::TelephonyIo => name.to_owned(),
        }
    }

    /// Whether names that no field has are refused, and not only told of in a header.
    pub fn strict(&self) -> bool {
        self.dialect == Dialect::Native
    }

    /// Checks a refusal: its status and one of several codes.
    #[track_caller]
    pub fn refused(&self, answer: &Answer, status: u16, codes: &[&str]) {
        answer.assert_status(status);
        let code = self.code(answer);
        assert!(codes.contains(&code), "one of {codes:?} was expected{answer}");
    }

    /// Checks that an answer to a caller whom the server knows tells the limits.
    #[track_caller]
    fn tells_limits(&self, answer: &Answer) {
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(answer.header(name).is_some(), "{name} was expected{answer}");
        }
    }
}
