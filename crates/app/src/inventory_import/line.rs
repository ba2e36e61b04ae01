//! What stands on one line: its fields as text, whichever way it is written.

use std::borrow::Cow;

use serde_json::Value;
use tandem_catalogue::{Error, Result};

/// The columns of CSV, and the members of JSON lines.
pub const COLUMNS: [&str; 6] = ["number", "features", "monthly", "setup", "address_requirement", "currency"];
/// How many of them, from the first, every line must have.
const REQUIRED: usize = 3;

/// The fields of a line, in the order of [`COLUMNS`]; empty where there is none.
pub type Fields<'a> = [Cow<'a, str>; COLUMNS.len()];

/// Which column stands where.
#[derive(Debug)]
pub struct Header(Vec<usize>);

impl Header {
    /// Reads the header line.
    ///
    /// # Errors
    /// `unknown_parameter` for a strange column, `missing_parameter` for one that is not there.
    pub fn parse(line: &str) -> Result<Self> {
        let line = line.trim_start_matches('\u{feff}');
        let names = if line.is_empty() { Vec::new() } else { split(line).unwrap_or_default() };
        let mut places = Vec::with_capacity(names.len());
        for name in &names {
            let name = name.trim().to_ascii_lowercase();
            let place = COLUMNS.iter().position(|column| *column == name);
            places.push(place.ok_or_else(|| Error::unknown_parameter(name.clone(), nearest(&name)))?);
        }
        let missing = COLUMNS.iter().enumerate().take(REQUIRED).find(|(place, _)| !places.contains(place));
        match missing {
            Some((_, column)) => Err(Error::missing_parameter(*column)),
            None => Ok(Self(places)),
        }
    }

    /// The fields of a line under this header.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn fields<'a>(&self, line: &'a str) -> Result<Fields<'a>, String> {
        let texts = split(line).ok_or("a quotation mark is not closed")?;
        if texts.len() != self.0.len() {
            return Err(format!("it has {} fields where the header has {}", texts.len(), self.0.len()));
        }
        let mut fields = Fields::default();
        for (place, text) in self.0.iter().zip(texts) {
            if let Some(field) = fields.get_mut(*place) {
                *field = trimmed(text);
            }
        }
        Ok(fields)
    }
}

/// The members of a JSON object.
///
/// # Errors
/// The reason, in words.
pub fn json_fields(line: &str) -> Result<Fields<'static>, String> {
    let value: Value = serde_json::from_str(line).map_err(|fault| format!("it is no JSON: {fault}"))?;
    let Value::Object(members) = value else { return Err("it is no JSON object".to_owned()) };
    let mut fields = Fields::default();
    for (name, value) in members {
        let place = COLUMNS.iter().position(|column| *column == name);
        let field = place.and_then(|place| fields.get_mut(place));
        *field.ok_or_else(|| format!("'{name}' is unknown; {}", nearest(&name)))? = match value {
            Value::String(text) => text.into(),
            Value::Number(number) => number.to_string().into(),
            Value::Array(items) => join(items).ok_or_else(|| format!("{name}: a list may hold texts only"))?.into(),
            Value::Null => Cow::default(),
            Value::Bool(_) | Value::Object(_) => return Err(format!("{name}: must be a text or a number")),
        };
    }
    Ok(fields)
}

fn join(items: Vec<Value>) -> Option<String> {
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    texts.map(|texts| texts.join("|"))
}

/// The column that a strange name was probably meant to be.
fn nearest(name: &str) -> String {
    let near = COLUMNS.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    format!("did you mean '{}'?", near.copied().unwrap_or_default())
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => text.trim().into(),
        Cow::Owned(text) => text.trim().to_owned().into(),
    }
}

/// Splits a line at its commas (RFC 4180, but a field ends with its line); `None` where a quotation mark is not closed.
fn split(line: &str) -> Option<Vec<Cow<'_, str>>> {
    if !line.contains('"') {
        return Some(line.split(',').map(Cow::Borrowed).collect());
    }
    let mut fields = vec![String::new()];
    let (mut quoted, mut letters) = (false, line.chars().peekable());
    while let Some(letter) = letters.next() {
        let Some(field) = fields.last_mut() else { break };
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => field.push(letter),
        }
    }
    (!quoted).then(|| fields.into_iter().map(Cow::Owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_stand_in_any_order_and_be_quoted() {
        let header = Header::parse("\u{feff}Monthly, number,features").expect("a good header");
        let fields = header.fields(r#"0.99,+14155550100,"voice,sms""#).expect("a good line");
        assert_eq!(fields[..4], ["+14155550100", "voice,sms", "0.99", ""]);
        assert_eq!(header.fields("1,2").expect_err("too few"), "it has 2 fields where the header has 3");
        assert_eq!(header.fields(r#"1,"2,3"#).expect_err("open"), "a quotation mark is not closed");
    }

    #[test]
    fn a_header_that_lacks_or_invents_a_column_is_refused() {
        let missing = Header::parse("number,features,setup").expect_err("no monthly");
        assert_eq!(missing.code().name(), "missing_parameter");
        let strange = Header::parse("number,feature,monthly").expect_err("feature");
        assert_eq!(strange.value("hint").map(ToString::to_string).as_deref(), Some("did you mean 'features'?"));
    }

    #[test]
    fn json_members_may_be_texts_numbers_and_lists() {
        let fields = json_fields(r#"{"number":"+14155550100","features":["voice","sms"],"monthly":0.99,"setup":null}"#);
        assert_eq!(fields.expect("a good line")[..4], ["+14155550100", "voice|sms", "0.99", ""]);
        assert_eq!(json_fields(r#"{"montly":1}"#).expect_err("strange"), "'montly' is unknown; did you mean 'monthly'?");
        assert_eq!(json_fields("[]").expect_err("no object"), "it is no JSON object");
    }
}
