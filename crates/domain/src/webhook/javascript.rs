//! JSON as JavaScript writes it: what comes out here is unchanged when a program parses it and writes it again, so that a receiver
//! which signs `JSON.stringify` of what it parsed finds the signature that it was sent.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// The least number that is no index of an array: below it a member's name counts as a number and comes first.
const NO_INDEX: u64 = 4_294_967_295;

/// Writes a value.
#[must_use]
pub fn stringify(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Number(value) => text.push_str(&number(value)),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                comma(text, place);
                write(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => object(text, members),
        other => {
            let _ = write!(text, "{other}"); // to a string: it cannot fail, and texts are escaped as JavaScript does it
        }
    }
}

fn comma(text: &mut String, place: usize) {
    if place > 0 {
        text.push(',');
    }
}

fn object(text: &mut String, members: &Map<String, Value>) {
    let mut indexed: Vec<(u64, &String)> = members.keys().filter_map(|name| Some((index(name)?, name))).collect();
    indexed.sort_unstable();
    let named = members.keys().filter(|name| index(name).is_none());
    text.push('{');
    for (place, name) in indexed.into_iter().map(|(_, name)| name).chain(named).enumerate() {
        comma(text, place);
        let _ = write!(text, "{}:", Value::String(name.clone()));
        write(text, members.get(name).unwrap_or(&Value::Null));
    }
    text.push('}');
}

fn index(name: &str) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number < NO_INDEX && number.to_string() == name).then_some(number)
}

/// A number as JavaScript writes the double that it is there.
fn number(value: &Number) -> String {
    let double = value.as_f64().unwrap_or(0.0);
    if double == 0.0 {
        return "0".to_owned(); // also -0
    }
    // The shortest digits that give this double, and where the point stands among them.
    let scientific = format!("{:e}", double.abs());
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let (length, point) = (i64::try_from(digits.len()).unwrap_or(0), exponent.parse::<i64>().unwrap_or(0) + 1);
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let sign = if double < 0.0 { "-" } else { "" };
    if (1..=21).contains(&point) {
        if length <= point {
            return format!("{sign}{digits}{}", zeros(point - length));
        }
        let (whole, rest) = digits.split_at(usize::try_from(point).unwrap_or(0));
        return format!("{sign}{whole}.{rest}");
    }
    if (-5..=0).contains(&point) {
        return format!("{sign}0.{}{digits}", zeros(-point));
    }
    let (first, rest) = digits.split_at(1);
    let fraction = if rest.is_empty() { String::new() } else { format!(".{rest}") };
    let plus = if point > 0 { "+" } else { "" };
    format!("{sign}{first}{fraction}e{plus}{}", point - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(json: &str) -> String {
        stringify(&serde_json::from_str(json).expect(json))
    }

    #[test]
    fn numbers_are_written_as_javascript_does() {
        for (json, javascript) in [
            ("0.10", "0.1"),
            ("1.50", "1.5"),
            ("1.0", "1"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("1e2", "100"),
            ("1e21", "1e+21"),
            ("1e20", "100000000000000000000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("1.5e-9", "1.5e-9"),
            ("9007199254740993", "9007199254740992"),
            ("-1.25", "-1.25"),
            ("18446744073709551615", "18446744073709552000"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("7", "7"),
            ("5e-324", "5e-324"),
            ("0.1234567890123456789", "0.12345678901234568"),
            ("-1e-7", "-1e-7"),
        ] {
            assert_eq!(text(json), javascript);
        }
    }

    #[test]
    fn names_that_are_indices_come_first_and_in_order() {
        assert_eq!(
            text(r#"{"b":1,"10":2,"2":{"1":1,"0":2},"01":3,"a":4,"4294967295":5,"4294967294":6,"-1":7,"0":8}"#),
            r#"{"0":8,"2":{"0":2,"1":1},"10":2,"4294967294":6,"b":1,"01":3,"a":4,"4294967295":5,"-1":7}"#
        );
    }

    #[test]
    fn text_is_escaped_where_it_must_be_and_nowhere_else() {
        let value = json!({ "a": "é—\u{2028}\u{7f}😀/\"\\\n\r\t\u{8}\u{c}\u{1}", "b": [true, null, []] });
        assert_eq!(stringify(&value), "{\"a\":\"é—\u{2028}\u{7f}😀/\\\"\\\\\\n\\r\\t\\b\\f\\u0001\",\"b\":[true,null,[]]}");
    }
}
