//! Reading a request by the description of its fields.
//!
//! All fields are looked at before the first fault is answered, so that faults come in the order in which they are documented:
//! what is missing, what is of the wrong type, what is malformed, what is out of range.

use serde_json::{Map, Value};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{config::Patch, message::Sender};
use tandem_kernel::{Money, PhoneFault, PhoneNumber, Timestamp};

use super::{
    field::{Field, Kind},
    manner::Reading,
    names::{nearest, strangers},
};

/// The order in which faults are answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Missing,
    Type,
    Format,
    Range,
}

type Fault = (Rank, Error);

/// Members of an object of the caller's own, and characters of it as JSON, at the most.
const MOST_FREE: (usize, usize) = (50, 8_192);

/// Where values come from: a query has only text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    Body,
    Query,
}

/// A request being read.
#[derive(Debug)]
pub struct Form {
    values: Map<String, Value>,
    fields: &'static [Field],
    source: Source,
    reading: Reading,
    within: String,
    /// Whether empty text is as good as nothing.
    ignores_blanks: bool,
    faults: Vec<Fault>,
    renamed: Vec<(&'static str, String)>,
}

impl Form {
    /// Reads a body's members.
    #[must_use]
    pub fn body(values: Map<String, Value>, fields: &'static [Field], reading: Reading) -> Self {
        Self::new(values, fields, Source::Body, reading, String::new())
    }

    /// Reads a query's parameters. A repeated one is a list, and so is one written `name[]`.
    #[must_use]
    pub fn query(pairs: &[(String, String)], fields: &'static [Field], reading: Reading) -> Self {
        let mut values = Map::new();
        for (name, value) in pairs {
            let name = name.strip_suffix("[]").unwrap_or(name);
            match values.get_mut(name) {
                Some(Value::Array(list)) => list.push(value.clone().into()),
                Some(first) => *first = Value::Array(vec![first.take(), value.clone().into()]),
                None => {
                    values.insert(name.to_owned(), value.clone().into());
                }
            }
        }
        Self::new(values, fields, Source::Query, reading, String::new())
    }

    fn new(values: Map<String, Value>, fields: &'static [Field], source: Source, reading: Reading, within: String) -> Self {
        let ignores_blanks = reading.ignores_blanks();
        let mut form = Self { values, fields, source, reading, within, ignores_blanks, faults: Vec::new(), renamed: Vec::new() };
        for field in fields {
            let sent = form.sent(field).map(|(name, _)| name.to_owned());
            if field.required && form.value(field).is_none() {
                let name = sent.as_deref().unwrap_or(field.missing_as);
                form.faults.push((Rank::Missing, Error::missing_parameter(form.path(name))));
            }
            if let Some(name) = sent.filter(|name| !reading.same(name, field.name)) {
                form.renamed.push((field.name, name));
            }
        }
        form
    }

    /// The same form, in which empty text is a value: for a change, where leaving out means another thing.
    #[must_use]
    pub fn taking_blanks(self) -> Self {
        Self { ignores_blanks: false, ..self }
    }

    /// The first fault in the documented order, the others with it; nothing if there is none.
    ///
    /// # Errors
    /// That fault.
    pub fn finish(&mut self) -> Result<()> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort_by_key(|(rank, _)| *rank);
        let mut errors = faults.into_iter().map(|(_, error)| error);
        match errors.next() {
            Some(first) => Err(first.and(errors.collect())),
            None => Ok(()),
        }
    }

    /// How the caller spelled a field, for errors that arise later; `missing_as` where it sent none.
    #[must_use]
    pub fn spelling(&self, name: &str) -> String {
        let field = self.fields.iter().find(|field| field.name == name);
        let sent = field.and_then(|field| self.sent(field)).map(|(name, _)| name.to_owned());
        sent.or_else(|| field.map(|field| field.missing_as.to_owned())).unwrap_or_else(|| name.to_owned())
    }

    /// The whole path of a field as the caller spelled it, for errors that arise later.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        self.path(&self.spelling(name))
    }

    /// The fields that the caller spelled in another way than the documentation, by the latter's name.
    #[must_use]
    pub fn renamed(&self) -> &[(&'static str, String)] {
        &self.renamed
    }

    /// Names that no field has, each with the nearest that one has.
    #[must_use]
    pub fn unknown(&self) -> Vec<(String, Option<&'static str>)> {
        let known = |name: &str| self.fields.iter().any(|field| field.spellings().any(|known| self.reading.same(name, known)));
        let names = self.values.keys().filter(|name| !known(name));
        names.map(|name| (self.path(name), nearest(name, self.fields.iter().map(|field| field.name)))).collect()
    }

    /// The same of its objects and of the objects in its lists, of so many at the most.
    #[must_use]
    pub fn unknown_within(&self, most: usize) -> Vec<(String, Option<&'static str>)> {
        let mut found = Vec::new();
        strangers(&self.values, self.fields, self.reading, &self.within, most, &mut found);
        found
    }

    /// A telephone number.
    pub fn phone(&mut self, name: &str) -> Option<PhoneNumber> {
        let reading = self.reading;
        self.take(name, |path, value, _| {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) if reading == Reading::AnyCase => return read_phone(path, &number.to_string()),
                Value::Number(_) => return Err((Rank::Type, Error::wrong_type(path, "in E.164 format"))),
                _ => return Err((Rank::Type, Error::malformed_parameter(path))),
            };
            read_phone(path, text)
        })
    }

    /// Text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, text)
    }

    /// A whole number.
    pub fn int(&mut self, name: &str) -> Option<i64> {
        let source = self.source;
        self.take(name, |path, value, kind| int(path, value, kind, source))
    }

    /// An amount, in millionths.
    pub fn amount(&mut self, name: &str) -> Option<i64> {
        let source = self.source;
        self.take(name, |path, value, kind| amount(path, value, kind, source))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let (source, reading) = (self.source, self.reading);
        self.take(name, |path, value, _| match (source, value) {
            (_, Value::Bool(value)) => Ok(*value),
            (Source::Query, Value::String(text)) if reading.same(text, "true") => Ok(true),
            (Source::Query, Value::String(text)) if reading.same(text, "false") => Ok(false),
            _ => Err((Rank::Type, Error::wrong_type(path, "true or false"))),
        })
    }

    /// One of several words.
    pub fn choice(&mut self, name: &str) -> Option<&'static str> {
        let words = self.words(name);
        self.take(name, |path, value, _| {
            let Some(words) = words else { return Err(misread(&path)) };
            let Value::String(text) = value else { return Err((Rank::Type, Error::wrong_type(path, "a string"))) };
            words.find(path, text)
        })
    }

    /// Several of several words.
    pub fn choices(&mut self, name: &str) -> Option<Vec<&'static str>> {
        let (source, words) = (self.source, self.words(name));
        self.take(name, |path, value, _| {
            let Some(words) = words else { return Err(misread(&path)) };
            let wrong = || (Rank::Type, Error::wrong_type(path.clone(), "a list of strings"));
            let listed: Vec<&str> = match (source, value) {
                (_, Value::Array(list)) => list.iter().map(|item| item.as_str().ok_or_else(wrong)).collect::<Result<_, Fault>>()?,
                (Source::Query, Value::String(text)) => vec![text],
                _ => return Err(wrong()),
            };
            // `features=` is an empty list; `features=sms,` holds a word that is none.
            if let [""] = listed[..] {
                return Ok(Vec::new());
            }
            listed.iter().flat_map(|item| item.split(',')).map(|item| words.find(path.clone(), item.trim())).collect()
        })
    }

    /// An instant.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        self.take(name, |path, value, _| {
            let Value::String(text) = value else { return Err((Rank::Type, Error::wrong_type(path, "a date or a time"))) };
            let rule = "must be a date (2024-01-31) or a time as RFC 3339 (2024-01-31T12:00:00Z)";
            Timestamp::parse(text).ok_or_else(|| (Rank::Format, Error::invalid_value(path, rule)))
        })
    }

    /// A list of whole numbers.
    pub fn ints(&mut self, name: &str) -> Option<Vec<i64>> {
        self.take(name, |path, value, kind| {
            let Kind::Ints { min, max, most } = *kind else { return Err(misread(&path)) };
            let Value::Array(list) = value else { return Err((Rank::Type, Error::wrong_type(path, "a list of whole numbers"))) };
            if list.len() > most {
                let rule = format!("must have at most {most} entries");
                return Err((Rank::Range, Error::invalid_value(path, rule)));
            }
            list.iter().map(|item| int(path.clone(), item, &Kind::Int { min, max }, Source::Body)).collect()
        })
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.take(name, |path, value, kind| {
            let Kind::Texts { max, most } = *kind else { return Err(misread(&path)) };
            let Value::Array(list) = value else { return Err((Rank::Type, Error::wrong_type(path, "a list of strings"))) };
            if list.len() > most {
                let rule = format!("must have at most {most} entries");
                return Err((Rank::Range, Error::invalid_value(path, rule)));
            }
            list.iter().map(|item| text(path.clone(), item, &Kind::Text { min: 1, max })).collect()
        })
    }

    /// Who a message comes from.
    pub fn sender(&mut self, name: &str) -> Option<Sender> {
        self.take(name, |path, value, _| {
            let Value::String(text) = value else { return Err((Rank::Type, Error::wrong_type(path, "a string"))) };
            let meant_as_number = text.starts_with(['+', '(']) || text.bytes().filter(u8::is_ascii_digit).count() > 6;
            if meant_as_number {
                return read_phone(path, text).map(Sender::Number);
            }
            let rule = "must be a phone number in E.164, or a name of 1 to 11 letters, digits and spaces";
            Sender::parse(text).ok_or_else(|| (Rank::Format, Error::invalid_value(path, rule)))
        })
    }

    /// Text that `read` understands, by the caller's spelling of the field; what it refuses joins the faults.
    pub fn parsed<T>(&mut self, name: &str, read: impl FnOnce(&str, &str) -> Result<T>) -> Option<T> {
        self.take(name, |path, value, kind| {
            let text = text(path.clone(), value, kind)?;
            read(&path, &text).map_err(|error| {
                let range = matches!(error.code(), Code::TooLong | Code::TooShort | Code::OutOfRange);
                (if range { Rank::Range } else { Rank::Format }, error)
            })
        })
    }

    /// The members of each object of a list, read by `read` and each with its own faults; none where there is no such list.
    pub fn each<T>(&mut self, name: &str, read: impl Fn(&mut Self) -> Result<T>) -> Option<Vec<Result<T>>> {
        let (path, value, kind) = self.look(name)?;
        let Kind::Each(fields, most) = kind else { return None };
        let Value::Array(list) = value else {
            self.faults.push((Rank::Type, Error::wrong_type(path, "a list of objects")));
            return None;
        };
        if list.is_empty() || list.len() > most {
            self.faults.push((Rank::Range, Error::invalid_value(path, format!("must have 1 to {most} entries"))));
            return None;
        }
        let one = |item| match item {
            Value::Object(map) => read(&mut Self::new(map, fields, self.source, self.reading, String::new())),
            _ => Err(Error::wrong_type(name.to_owned(), "a list of objects")),
        };
        Some(list.into_iter().map(one).collect())
    }

    /// Any object of the caller's own, of a size that can be carried along.
    pub fn free(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.take(name, |path, value, _| match value {
            Value::Object(map) if map.len() > MOST_FREE.0 || value.to_string().chars().count() > MOST_FREE.1 => {
                let rule = format!("must have at most {} members and {} characters", MOST_FREE.0, MOST_FREE.1);
                Err((Rank::Range, Error::invalid_value(path, rule)))
            }
            Value::Object(map) => Ok(map.clone()),
            _ => Err((Rank::Type, Error::wrong_type(path, "an object"))),
        })
    }

    /// An object's members, read by `read`; its faults join this form's.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let (path, value, kind) = self.look(name)?;
        let (Kind::Object(fields) | Kind::Exact(fields)) = kind else { return None };
        let Value::Object(map) = value else {
            self.faults.push((Rank::Type, Error::wrong_type(path, "an object")));
            return None;
        };
        let exact = matches!(kind, Kind::Exact(_));
        Some(self.nested(map, fields, path, |form| {
            if exact {
                form.refuse_unknown();
            }
            read(form)
        }))
    }

    /// The members of each object of a list, read by `read`.
    pub fn objects<T>(&mut self, name: &str, mut read: impl FnMut(&mut Self) -> T) -> Option<Vec<T>> {
        let (path, value, kind) = self.look(name)?;
        let Kind::Objects(fields, most) = kind else { return None };
        let Value::Array(list) = value else {
            self.faults.push((Rank::Type, Error::wrong_type(path, "a list of objects")));
            return None;
        };
        if list.len() > most {
            let rule = format!("must have at most {most} entries");
            self.faults.push((Rank::Range, Error::invalid_value(path, rule)));
            return None;
        }
        let mut read_items = Vec::with_capacity(list.len());
        for (index, item) in list.into_iter().enumerate() {
            let path = format!("{path}.{index}");
            match item {
                Value::Object(map) => read_items.push(self.nested(map, fields, path, &mut read)),
                _ => self.faults.push((Rank::Type, Error::wrong_type(path, "an object"))),
            }
        }
        Some(read_items)
    }

    /// A field that may be left alone, taken away by `null`, or set.
    pub fn patch<T>(&mut self, name: &str, read: impl FnOnce(&mut Self, &str) -> Option<T>) -> Patch<T> {
        let field = self.fields.iter().find(|field| field.name == name);
        match field.and_then(|field| self.sent(field)) {
            None => Patch::Keep,
            Some((_, Value::Null)) => Patch::Clear,
            Some(_) => read(self, name).map_or(Patch::Keep, Patch::Set),
        }
    }

    /// As [`Self::patch`], where empty text takes away as well: an HTML form has no `null`.
    pub fn patch_or_empty<T>(&mut self, name: &str, read: impl FnOnce(&mut Self, &str) -> Option<T>) -> Patch<T> {
        let field = self.fields.iter().find(|field| field.name == name);
        match field.and_then(|field| self.sent(field)) {
            Some((_, Value::String(text))) if text.is_empty() => Patch::Clear,
            _ => self.patch(name, read),
        }
    }

    /// Notes that a field is missing which another one makes necessary.
    pub fn miss(&mut self, name: &str) {
        self.faults.push((Rank::Missing, Error::missing_parameter(self.path(name))));
    }

    /// Whether a field was sent, `null` and empty text counting too.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && self.sent(field).is_some())
    }

    /// Whether a field has a value, readable or not.
    #[must_use]
    pub fn given(&self, name: &str) -> bool {
        let field = self.fields.iter().find(|field| field.name == name);
        let value = field.and_then(|field| self.value(field)).map(|(_, value)| value);
        value.is_some_and(|value| value.as_str() != Some(""))
    }

    fn nested<T>(
        &mut self,
        map: Map<String, Value>,
        fields: &'static [Field],
        path: String,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut child = Self::new(map, fields, self.source, self.reading, path);
        child.ignores_blanks = self.ignores_blanks;
        let value = read(&mut child);
        self.faults.append(&mut child.faults);
        self.renamed.append(&mut child.renamed);
        value
    }

    fn refuse_unknown(&mut self) {
        let hint =
            |near: Option<&str>| near.map_or_else(|| "see the documentation".to_owned(), |near| format!("did you mean '{near}'?"));
        let unknown = self.unknown().into_iter();
        self.faults
            .extend(unknown.map(|(name, near)| (Rank::Format, Error::unknown_parameter(name, hint(near)))).collect::<Vec<_>>());
    }

    fn take<T>(&mut self, name: &str, read: impl FnOnce(String, &Value, &Kind) -> Result<T, Fault>) -> Option<T> {
        let (path, value, kind) = self.look(name)?;
        match read(path, &value, &kind) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    fn words(&self, name: &str) -> Option<Words> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        match field.kind {
            Kind::Choice(words) | Kind::Choices(words) => Some(Words { words, reading: self.reading, unknown: field.unknown }),
            _ => None,
        }
    }

    fn look(&self, name: &str) -> Option<(String, Value, Kind)> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        let (sent, value) = self.value(field)?;
        Some((self.path(sent), value.clone(), field.kind))
    }

    /// The value of a field, `null` and empty text counting as none.
    fn value(&self, field: &Field) -> Option<(&str, &Value)> {
        let none = field.required || (self.ignores_blanks && field.kind.is_text());
        let empty = |value: &Value| value.is_null() || (none && value.as_str() == Some(""));
        self.sent(field).filter(|(_, value)| !empty(value))
    }

    fn sent(&self, field: &Field) -> Option<(&str, &Value)> {
        let exact = field.spellings().find_map(|name| self.values.get_key_value(name));
        let found = match self.reading {
            Reading::Exact => exact,
            Reading::AnyCase => exact.or_else(|| {
                let same = |name: &str| field.spellings().any(|known| name.eq_ignore_ascii_case(known));
                self.values.iter().find(|(name, _)| same(name))
            }),
        };
        found.map(|(name, value)| (name.as_str(), value))
    }

    fn path(&self, name: &str) -> String {
        if self.within.is_empty() { name.to_owned() } else { format!("{}.{name}", self.within) }
    }
}

fn read_phone(path: String, text: &str) -> Result<PhoneNumber, Fault> {
    PhoneNumber::parse(text).map_err(|fault| match fault {
        PhoneFault::Format => (Rank::Format, Error::invalid_phone_number(path, text.to_owned())),
        PhoneFault::NotAssigned => (Rank::Format, Error::unassigned_phone_number(path, text.to_owned())),
    })
}

fn misread(path: &str) -> Fault {
    (Rank::Type, Error::internal().because(format!("{path} is read as what it is not declared to be")))
}

/// The words that a field may hold.
#[derive(Clone, Copy)]
struct Words {
    words: &'static [&'static str],
    reading: Reading,
    unknown: Option<fn(String, String) -> Error>,
}

impl Words {
    fn find(&self, path: String, text: &str) -> Result<&'static str, Fault> {
        let known = self.words.iter().copied().find(|word| self.reading.same(word, text));
        known.ok_or_else(|| match self.unknown {
            Some(unknown) => (Rank::Range, unknown(path, text.to_owned())),
            None => (Rank::Range, Error::invalid_choice(path, self.words.join(", "))),
        })
    }
}

fn text(path: String, value: &Value, kind: &Kind) -> Result<String, Fault> {
    let Value::String(text) = value else { return Err((Rank::Type, Error::wrong_type(path, "a string"))) };
    if let &Kind::Form { fits, rule, .. } = kind {
        return if fits(text) { Ok(text.clone()) } else { Err((Rank::Format, Error::invalid_value(path, rule))) };
    }
    let &Kind::Text { min, max } = kind else { return Ok(text.clone()) };
    let length = text.chars().count();
    let bound = |bound: usize| i64::try_from(bound).unwrap_or(i64::MAX);
    if text.contains('\0') {
        return Err((Rank::Format, Error::invalid_value(path, "must not have null characters")));
    }
    if length < min {
        return Err((Rank::Range, Error::too_short(path, bound(min))));
    }
    if length > max {
        return Err((Rank::Range, Error::too_long(path, bound(max))));
    }
    Ok(text.clone())
}

fn int(path: String, value: &Value, kind: &Kind, source: Source) -> Result<i64, Fault> {
    let &Kind::Int { min, max } = kind else { return Err(misread(&path)) };
    let range = || (Rank::Range, Error::out_of_range(path.clone(), min, max));
    let whole = || (Rank::Type, Error::wrong_type(path.clone(), "a whole number"));
    let number = match (source, value) {
        (Source::Query, Value::String(text)) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(whole());
            }
            text.parse::<i64>().map_err(|_| range())?
        }
        (Source::Body, Value::Number(number)) => match number.as_f64() {
            _ if number.is_i64() => number.as_i64().ok_or_else(range)?,
            Some(float) if float.fract() != 0.0 => return Err(whole()),
            _ => return Err(range()),
        },
        _ => return Err(whole()),
    };
    if (min..=max).contains(&number) { Ok(number) } else { Err(range()) }
}

fn amount(path: String, value: &Value, kind: &Kind, source: Source) -> Result<i64, Fault> {
    let &Kind::Amount { min, max } = kind else { return Err(misread(&path)) };
    let text = match (source, value) {
        (Source::Query, Value::String(text)) => text.clone(),
        (Source::Body, Value::Number(number)) => number.to_string(),
        _ => return Err((Rank::Type, Error::wrong_type(path, "a number"))),
    };
    let units = |micros: i64| micros / Money::UNIT;
    let float = text.parse::<f64>().ok().filter(|float| float.is_finite());
    let Some(float) = float else { return Err((Rank::Type, Error::wrong_type(path, "a number"))) };
    // Written with an exponent it may still be a plain amount: 1e2 is 100.
    let micros = Money::parse_micros(&text).or_else(|| Money::parse_micros(&format!("{float}")));
    match micros {
        Some(micros) if (min..=max).contains(&micros) => Ok(micros),
        None if float.abs() < 1e12 => Err((Rank::Format, Error::invalid_value(path, "must have at most six decimals"))),
        _ => Err((Rank::Range, Error::out_of_range(path, units(min), units(max)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tandem_catalogue::Dialect;

    const FIELDS: &[Field] = &[
        Field::new("number", Kind::Phone, "", "").or(&["phone_number"]).missing_as("phone_number").required(),
        Field::new("count", Kind::Int { min: 1, max: 100 }, "", ""),
        Field::new("price", Kind::Amount { min: 0, max: 5_000_000 }, "", ""),
    ];

    fn fault(value: Value) -> (Code, Option<String>) {
        let mut form = Form::body(value.as_object().cloned().unwrap_or_default(), FIELDS, Reading::Exact);
        form.phone("number");
        form.int("count");
        form.amount("price");
        let error = form.finish().expect_err("a fault");
        (error.code(), error.render(Dialect::Audian).field)
    }

    #[test]
    fn faults_come_in_the_documented_order_and_name_the_field_as_it_was_spelled() {
        let named = |code, field: &str| (code, Some(field.to_owned()));
        assert_eq!(fault(json!({ "count": "x" })), named(Code::MissingParameter, "phone_number"));
        assert_eq!(fault(json!({ "phone_number": "12", "count": "x" })), named(Code::WrongType, "count"));
        assert_eq!(fault(json!({ "phone_number": "12", "count": 0 })), named(Code::InvalidPhoneNumber, "phone_number"));
        assert_eq!(fault(json!({ "number": 14_155_551_234_u64 })), named(Code::WrongType, "number"));
        for count in [json!(0), json!(101), json!(1e30), json!(u64::MAX)] {
            assert_eq!(fault(json!({ "number": "+14155551234", "count": count })), named(Code::OutOfRange, "count"));
        }
        assert_eq!(fault(json!({ "number": "+14155551234", "price": 0.000_000_1 })), named(Code::InvalidValue, "price"));
        assert_eq!(fault(json!({ "number": "+14155551234", "price": 1e300 })), named(Code::OutOfRange, "price"));
    }

    #[test]
    fn an_unknown_name_is_told_its_nearest() {
        let form = Form::body(json!({ "nunber": 1, "zebra": 2 }).as_object().cloned().unwrap_or_default(), FIELDS, Reading::Exact);
        assert_eq!(form.unknown(), [("nunber".to_owned(), Some("number")), ("zebra".to_owned(), None)]);
    }
}
