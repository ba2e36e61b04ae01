//! Values that fit a schema, and values that do not.

use serde_json::{Map, Value, json};

/// What a port needs.
pub fn port_of(number: &str) -> Value {
    json!({
        "number": number, "account_number": "A-1234567", "billing_phone": number, "end_user_name": "Ada Lovelace",
        "end_user_address": {
            "street": "123 Market Street", "city": "San Francisco", "state": "CA", "postal_code": "94103", "country": "US",
        },
    })
}

/// A body with every member. Only where members exclude each other the schema cannot tell.
pub fn body(template: &str, schema: &Value) -> Value {
    match template {
        "/OnlineLogins/{OnlineLoginSid}" => {
            let mut body = sample(schema);
            if let Some(members) = body.as_object_mut() {
                members.remove("Permissions"); // names a project
            }
            body
        }
        "/clock/advance" => json!({ "by_seconds": 1 }),
        "/trunks" | "/trunks/{trunk_id}" => {
            let mut body = sample(schema);
            if let Some(route) = body.pointer_mut("/routes/0").and_then(Value::as_object_mut) {
                route.remove("country"); // a route is by prefix or by country
            }
            body
        }
        "/numbers/{number_id}/config" => {
            let mut body = sample(schema);
            if let Some(target) = body.pointer_mut("/ring/targets/0").and_then(Value::as_object_mut) {
                target.remove("number"); // a telephone is a device or a number
            }
            body
        }
        "/webhooks" => {
            let mut body = sample(schema);
            if let Some(members) = body.as_object_mut() {
                members.remove("account_id"); // an account can only name itself
            }
            body
        }
        _ => sample(schema),
    }
}

/// A value that fits.
pub fn sample(schema: &Value) -> Value {
    match schema.get("example") {
        Some(example) if !example.is_null() => return example.clone(),
        _ => {}
    }
    match kind(schema) {
        "object" => {
            let properties = schema["properties"].as_object();
            let members = properties.into_iter().flatten().map(|(name, schema)| (name.clone(), sample(schema)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        "array" => json!([sample(&schema["items"])]),
        "integer" | "number" => schema["minimum"].clone(),
        "boolean" => true.into(),
        _ => word(schema).into(),
    }
}

/// A text that fits for one of several parameters: of two numbers the latter is the larger one, as the end of a stretch has to be.
pub fn rising(place: usize, schema: &Value) -> String {
    let word = word(schema);
    match word.parse::<usize>() {
        Ok(number) if kind(schema) == "integer" => (number + place).to_string(),
        _ => word,
    }
}

/// A text that fits, for a query.
pub fn word(schema: &Value) -> String {
    if schema["format"] == "e164" {
        return "%2B14155550100".to_owned();
    }
    if kind(schema) == "integer" {
        return schema["minimum"].as_i64().unwrap_or(1).to_string();
    }
    let first = schema["enum"][0].as_str().map(str::to_owned);
    first.unwrap_or_else(|| "x".repeat(usize::try_from(schema["minLength"].as_u64().unwrap_or(1)).expect("a length")))
}

/// The type of a schema, beside null.
pub fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null")).unwrap_or(&schema["type"]);
    kinds.as_str().unwrap_or("")
}

/// The schema of a list's items; of anything else, its own.
pub fn kind_of_items(schema: &Value) -> &Value {
    schema.get("items").unwrap_or(schema)
}

/// A field of a body.
pub struct Field<'a> {
    /// Where it is: a JSON pointer.
    pub pointer: String,
    pub schema: &'a Value,
    pub required: bool,
}

impl Field<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or("")
    }
}

/// All fields of an object, those of its objects and of the objects in its lists too.
pub fn fields<'a>(schema: &'a Value, within: &str, found: &mut Vec<Field<'a>>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let pointer = format!("{within}/{name}");
        let required = schema["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name.as_str()));
        match kind(member) {
            "object" => fields(member, &pointer, found),
            "array" => fields(&member["items"], &format!("{pointer}/0"), found),
            _ => {}
        }
        found.push(Field { pointer, schema: member, required });
    }
}

/// The body with another value at a place.
pub fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    match body.pointer_mut(pointer) {
        Some(there) => *there = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            body.pointer_mut(parent).expect(pointer)[name] = value;
        }
    }
    body
}

/// The body without a member.
pub fn without(body: &Value, pointer: &str) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    body.pointer_mut(parent).expect(pointer).as_object_mut().expect(pointer).remove(name);
    body
}

/// Values of every JSON type that the schema does not take.
pub fn of_other_types(schema: &Value) -> Vec<Value> {
    let kind = kind(schema);
    let values = [
        ("boolean", json!(true)),
        ("number", json!(7)),
        ("string", json!("nonsense")),
        ("array", json!([])),
        ("object", json!({})),
    ];
    let fits = |name: &str| name == kind || (name == "number" && kind == "integer");
    let mut wrong: Vec<Value> = values.into_iter().filter(|(name, _)| !fits(name)).map(|(_, value)| value).collect();
    match kind {
        "integer" => wrong.extend([json!(1.5), json!("1")]),
        "number" => wrong.push(json!("1")),
        "array" => wrong.extend([json!([null]), json!([[]])]),
        _ => {}
    }
    wrong
}

/// Values of the right type that are too small, too large, too many, or no word of those that are known.
pub fn out_of_range(schema: &Value) -> Vec<Value> {
    let mut wrong = Vec::new();
    match kind(schema) {
        "integer" | "number" => {
            let bounds =
                [schema["minimum"].as_i64().and_then(|min| min.checked_sub(1)), schema["maximum"].as_i64().map(|max| max + 1)];
            wrong.extend(bounds.into_iter().flatten().map(Value::from));
            wrong.extend([json!(1e308), json!(-1e308), json!(i64::MAX), json!(i64::MIN), json!(u64::MAX)]);
            wrong.push(serde_json::from_str("1000000000000000000000000000000").expect("a number"));
        }
        "string" => {
            let at_most = schema["maxLength"].as_u64();
            wrong.extend(at_most.map(|most| "x".repeat(usize::try_from(most).expect("a length") + 1).into()));
            wrong.extend(schema["minLength"].as_u64().filter(|least| *least > 0).map(|_| Value::from("")));
            if ["pattern", "format", "enum"].iter().any(|rule| schema.get(*rule).is_some()) {
                wrong.extend([json!("nonsense"), json!("!"), json!("\u{0}"), json!("x".repeat(100_000))]);
            }
            if at_most.is_some_and(|most| most < 100_000) {
                wrong.push(json!("é".repeat(100_000)));
            }
        }
        "array" => {
            let most = schema["maxItems"].as_u64().map_or(0, |most| usize::try_from(most).expect("a length") + 1);
            wrong.extend((most > 0).then(|| vec![sample(&schema["items"]); most].into()));
            wrong.extend(out_of_range(&schema["items"]).into_iter().map(|item| json!([item])));
        }
        _ => {}
    }
    wrong
}
