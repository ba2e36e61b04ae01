//! What a request may carry, said once: the same description checks requests and becomes their OpenAPI schema.

use serde_json::{Value, json};
use tandem_catalogue::Error;
use tandem_domain::email;

/// The longest text whose limit the document states.
const LONGEST_STATED: usize = 100_000;

/// A parameter of a query or a member of a body.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name, as the documentation spells it.
    pub name: &'static str,
    /// Other spellings that are accepted.
    pub aliases: &'static [&'static str],
    /// The spelling in errors where the caller sent none of them.
    pub missing_as: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Whether `null` is a value that takes away what was there.
    pub clearable: bool,
    /// The error for a word that is none of its own, by the field and the word; none for `invalid_choice`.
    pub unknown: Option<fn(String, String) -> Error>,
    /// What it means, for the documentation.
    pub doc: &'static str,
    /// An example, as JSON.
    pub example: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A telephone number in E.164.
    Phone,
    /// Text of so many characters.
    Text {
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// Text of a certain form.
    Form {
        /// The form, as a regular expression for the document.
        pattern: &'static str,
        /// Whether a text has it.
        fits: fn(&str) -> bool,
        /// What is said of a text that has not: `must be …`.
        rule: &'static str,
    },
    /// A whole number.
    Int {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// An amount of money: a number with at most six decimals, in millionths here.
    Amount {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// One of several words.
    Choice(&'static [&'static str]),
    /// Several of several words: a list, or separated by commas in a query.
    Choices(&'static [&'static str]),
    /// An instant as RFC 3339, or a date.
    Time,
    /// An object with these members.
    Object(&'static [Field]),
    /// An object with these members and no others: what it says would not hold if one were overlooked.
    Exact(&'static [Field]),
    /// A list of objects with these members, of so many at the most.
    Objects(&'static [Field], usize),
    /// As [`Self::Objects`], where each is taken or refused by itself: the document binds none of them.
    Each(&'static [Field], usize),
    /// A list of whole numbers.
    Ints {
        /// Each at least.
        min: i64,
        /// Each at most.
        max: i64,
        /// How many at the most.
        most: usize,
    },
    /// A list of texts of so many characters each.
    Texts {
        /// Each at most.
        max: usize,
        /// How many at the most.
        most: usize,
    },
    /// Who a message comes from: a telephone number in E.164, a short code, or a name.
    Sender,
    /// Any JSON object; its members are the caller's own.
    Free,
}

impl Field {
    /// An optional field.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str, example: &'static str) -> Self {
        Self { name, aliases: &[], missing_as: name, kind, required: false, clearable: false, unknown: None, doc, example }
    }

    /// The same field, required.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same field, where `null` takes away what was there.
    #[must_use]
    pub const fn clearable(self) -> Self {
        Self { clearable: true, ..self }
    }

    /// The same field with other spellings.
    #[must_use]
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The same field, with an error of its own for a word that is none of its own.
    #[must_use]
    pub const fn unknown_as(self, unknown: fn(String, String) -> Error) -> Self {
        Self { unknown: Some(unknown), ..self }
    }

    /// The same field, called so in errors where the caller sent none of its spellings.
    #[must_use]
    pub const fn missing_as(self, name: &'static str) -> Self {
        Self { missing_as: name, ..self }
    }

    /// All accepted spellings.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The field's OpenAPI schema; `blanks` where empty text in an optional field is as good as nothing.
    #[must_use]
    pub fn schema(&self, blanks: bool) -> Value {
        let mut schema = self.kind.schema(blanks);
        if blanks && !self.required {
            allow_blank(&mut schema);
        }
        if let Some(object) = schema.as_object_mut() {
            let doc = if self.clearable { format!("{} null takes it away.", self.doc) } else { self.doc.to_owned() };
            object.insert("description".to_owned(), doc.into());
            if let Ok(example) = serde_json::from_str::<Value>(self.example) {
                object.insert("example".to_owned(), example);
            }
            // Where a list may be left out, one without anything in it says as much.
            if !self.required && matches!(self.kind, Kind::Objects(..)) {
                object.remove("minItems");
            }
            // `null` for what is optional counts as not sent; for what is clearable it takes away what was there.
            if !self.required
                && let Some(kind) = object.get("type").cloned()
            {
                object.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(Value::Array(words)) = object.get_mut("enum") {
                    words.push(Value::Null);
                }
            }
        }
        schema
    }
}

impl Kind {
    /// An e-mail address.
    pub const EMAIL: Self = Self::Form { pattern: email::PATTERN, fits: email::is_email, rule: email::RULE };

    /// Whether it holds text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Phone | Self::Text { .. } | Self::Form { .. } | Self::Choice(_) | Self::Time | Self::Sender)
    }

    /// The OpenAPI schema of what it holds; `blanks` as for [`Field::schema`].
    #[must_use]
    pub fn schema(&self, blanks: bool) -> Value {
        match self {
            Self::Phone => json!({ "type": "string", "format": "e164", "pattern": r"^\+[1-9][0-9]{6,14}$" }),
            // A text near the limit of a whole body is refused by that limit first.
            Self::Text { min, max } if *max > LONGEST_STATED => json!({ "type": "string", "minLength": min }),
            Self::Text { min, max } => json!({ "type": "string", "minLength": min, "maxLength": max }),
            Self::Form { pattern, .. } => json!({ "type": "string", "pattern": pattern }),
            Self::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Amount { min, max } => {
                let unit = |micros: &i64| micros / 1_000_000;
                json!({ "type": "number", "minimum": unit(min), "maximum": unit(max) })
            }
            Self::Bool => json!({ "type": "boolean" }),
            Self::Choice(words) => json!({ "type": "string", "enum": words }),
            Self::Choices(words) => json!({ "type": "array", "items": { "type": "string", "enum": words } }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::Object(fields) => object_schema(fields, blanks),
            Self::Exact(fields) => {
                let mut schema = object_schema(fields, blanks);
                if let Some(object) = schema.as_object_mut() {
                    object.insert("additionalProperties".to_owned(), false.into());
                }
                schema
            }
            Self::Objects(fields, most) => {
                json!({ "type": "array", "items": object_schema(fields, blanks), "minItems": 1, "maxItems": most })
            }
            Self::Each(fields, most) => {
                let item = json!({ "description": "An object as x-schema says; what is wrong with one is answered in its place." });
                json!({ "type": "array", "items": item, "minItems": 1, "maxItems": most, "x-schema": object_schema(fields, blanks) })
            }
            Self::Ints { min, max, most } => {
                json!({ "type": "array", "items": { "type": "integer", "minimum": min, "maximum": max }, "maxItems": most })
            }
            Self::Texts { max, most } => {
                json!({ "type": "array", "items": { "type": "string", "minLength": 1, "maxLength": max }, "maxItems": most })
            }
            Self::Sender => json!({ "type": "string", "minLength": 1, "maxLength": 16 }),
            Self::Free => json!({ "type": "object" }),
        }
    }
}

/// Lets empty text through a schema.
pub fn allow_blank(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let least = object.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    if least > 0 {
        object.remove("minLength");
    }
    if least > 1 {
        object.insert("anyOf".to_owned(), json!([{ "maxLength": 0 }, { "minLength": least }]));
    }
    match object.get_mut("pattern") {
        Some(Value::String(pattern)) if !pattern.starts_with("^$") => *pattern = format!("^$|{pattern}"),
        _ => {}
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.push("".into());
    }
}

/// The OpenAPI schema of an object with these members; `blanks` as for [`Field::schema`].
#[must_use]
pub fn object_schema(fields: &[Field], blanks: bool) -> Value {
    let properties: serde_json::Map<_, _> = fields.iter().map(|field| (field.name.to_owned(), field.schema(blanks))).collect();
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if let (false, Some(object)) = (required.is_empty(), schema.as_object_mut()) {
        object.insert("required".to_owned(), json!(required));
    }
    schema
}
