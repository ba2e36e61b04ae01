//! Every answer against the OpenAPI document of its dialect: the status is documented for the operation, the code is one of those
//! that the document lists for it, the body fits the schema, the headers are there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use tandem_catalogue::{Code, Dialect};

use crate::Answer;

/// A dialect's document.
struct Contract {
    dialect: Dialect,
    prefix: String,
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

fn contracts() -> &'static [Contract] {
    static CONTRACTS: OnceLock<Vec<Contract>> = OnceLock::new();
    CONTRACTS.get_or_init(|| {
        let served = Dialect::ALL.into_iter().filter_map(|dialect| Some((dialect, tandem_api::openapi(dialect)?)));
        served
            .map(|(dialect, document)| {
                let prefix = document["servers"][0]["url"].as_str().expect("a server").to_owned();
                Contract { dialect, prefix, document, validators: Mutex::default() }
            })
            .collect()
    })
}

/// Where an answer came from.
pub struct Origin {
    /// The dialect.
    pub dialect: Dialect,
    /// The operation, if the path and method belong to one.
    pub operation: Option<String>,
}

/// Checks an answer; where it came from, if that is a dialect.
pub fn check(answer: &Answer) -> Option<Origin> {
    let path = answer.exchange.path.split('?').next().unwrap_or("");
    let contract = contracts().iter().find(|contract| within(path, &contract.prefix).is_some())?;
    assert!(
        answer.header("x-request-id").is_some_and(|id| id.starts_with("req_")),
        "every answer carries its request's id{answer}"
    );
    let inner = within(path, &contract.prefix).unwrap_or("");
    match contract.operation(answer.exchange.method.as_str(), inner) {
        Some((template, operation)) => {
            contract.check_operation(answer, template, operation);
            let operation = operation["operationId"].as_str().map(str::to_owned);
            Some(Origin { dialect: contract.dialect, operation })
        }
        None => {
            contract.check_lost(answer);
            Some(Origin { dialect: contract.dialect, operation: None })
        }
    }
}

fn within<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Contract {
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let paths = self.document["paths"].as_object().expect("paths");
        let fitting = paths.iter().filter(|(template, _)| fits(template, path));
        // A path that is written out wins over one with parameters, as in the router.
        let (template, operations) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
        let method = if method == "HEAD" { "get" } else { &method.to_ascii_lowercase() };
        operations.get(method).map(|operation| (template.as_str(), operation))
    }

    fn check_operation(&self, answer: &Answer, template: &str, operation: &Value) {
        let status = answer.status.to_string();
        let response = &operation["responses"][&status];
        assert!(response.is_object(), "{template} does not document {status}{answer}");
        let content = response["content"].as_object();
        let same = content.and_then(|content| content.iter().find(|(name, _)| answer.header("content-type") == Some(name)));
        let (media_type, schema) = match same.or_else(|| content.and_then(|content| content.iter().next())) {
            Some((media_type, content)) => (media_type.as_str(), &content["schema"]),
            None => ("", &Value::Null),
        };
        if answer.exchange.method != http::Method::HEAD && !answer.text().is_empty() {
            assert!(answer.header("content-type") == Some(media_type), "{media_type} was expected{answer}");
        }
        if media_type.ends_with("json") && answer.exchange.method != http::Method::HEAD {
            let place = format!("{} {template} {status}", answer.exchange.method);
            self.check_schema(answer, &place, schema);
        }
        self.check_code(answer, response);
        check_headers(answer, response);
    }

    /// A path or a method that does not exist is refused in the dialect's own words.
    fn check_lost(&self, answer: &Answer) {
        assert!([404, 405, 429, 503].contains(&answer.status), "nothing is documented here, so nothing can succeed{answer}");
        self.check_schema(answer, "an error", &json!({ "$ref": "#/components/schemas/Error" }));
    }

    fn check_schema(&self, answer: &Answer, place: &str, schema: &Value) {
        let validator = {
            let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
            let compiled = || Arc::new(self.compile(schema).unwrap_or_else(|fault| panic!("the schema of {place}: {fault}")));
            validators.entry(place.to_owned()).or_insert_with(compiled).clone()
        };
        let faults: Vec<String> =
            validator.iter_errors(&answer.body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "the body does not fit the schema of {place}: {faults:?}{answer}");
    }

    fn compile(&self, schema: &Value) -> Result<Validator, String> {
        let mut root = Map::new();
        root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        root.insert("components".to_owned(), self.document["components"].clone());
        root.insert("allOf".to_owned(), json!([schema]));
        jsonschema::options().should_validate_formats(true).build(&root.into()).map_err(|fault| fault.to_string())
    }

    fn check_code(&self, answer: &Answer, response: &Value) {
        let Some(listed) = response["x-codes"].as_array() else { return };
        let replayed = answer.header("idempotent-replayed").is_some();
        let named = answer.header("x-tandem-error");
        assert!(
            replayed || listed.iter().any(|code| code.as_str() == named),
            "the document lists {listed:?} for this status{answer}"
        );
        let codes = listed.iter().filter_map(Value::as_str).filter(|code| replayed || Some(*code) == named).filter_map(Code::parse);
        let said = match self.dialect {
            Dialect::Audian => answer.body["error"]["code"].as_str(),
            Dialect::Native | Dialect::TelephonyIo => answer.body["code"].as_str(),
            Dialect::FoneDynamics => answer.body["ResponseStatus"]["ErrorCode"].as_str(),
        };
        let known = codes.map(|code| code.entry().wire(self.dialect)).any(|wire| Some(wire.code) == said);
        assert!(known || answer.text().is_empty(), "the body says another code{answer}");
    }
}

fn check_headers(answer: &Answer, response: &Value) {
    let documented = response["headers"].as_object();
    let replayed = answer.header("idempotent-replayed").is_some();
    for (name, header) in documented.into_iter().flatten().filter(|(name, _)| !(replayed && name.as_str() == "X-Tandem-Error")) {
        // Without a credential there is no account whose limit could be told.
        let Some(value) = answer.header(name) else { panic!("the header {name} is documented{answer}") };
        if header["schema"]["type"] == "integer" {
            assert!(value.parse::<i64>().is_ok(), "{name} is no whole number{answer}");
        }
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(same)
}
