//! What of a request the log may keep.

use serde_json::Value;

/// Members whose values are secrets, or too private or large for a log.
const SECRET: [&str; 16] = [
    "account_pin",
    "pin",
    "password",
    "token",
    "secret",
    "signing_secret",
    "code",
    "api_key",
    "key",
    "authorization",
    "content",
    "account_number",
    "text",
    "body",
    "end_user_name",
    "end_user_address",
];
/// Bytes of the longest body that is looked at; only files are longer.
const LONGEST_READ: usize = 1024 * 1024;
/// Bytes of a body that the log keeps.
const LONGEST: usize = 2048;

/// A body as the log keeps it.
#[must_use]
pub fn body(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    if bytes.len() > LONGEST_READ {
        return format!("[{} bytes]", bytes.len());
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            hide(&mut value);
            cut(value.to_string())
        }
        Err(_) => format!("[{} bytes that are not JSON]", bytes.len()),
    }
}

/// A path with its query as the log keeps it.
#[must_use]
pub fn path(whole: &str) -> String {
    let Some((path, query)) = whole.split_once('?') else { return cut(whole.to_owned()) };
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=[redacted]"),
        _ => pair.to_owned(),
    });
    cut(format!("{path}?{}", shown.collect::<Vec<_>>().join("&")))
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Cuts a text to what the log keeps, on a character.
#[must_use]
pub fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text.replace('\0', "")
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(name) {
                    *member = "[redacted]".into();
                } else {
                    hide(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let kept = body(br#"{"number":"+14155551234","account_pin":"1234","a":[{"Password":"x"}]}"#);
        assert_eq!(kept, r#"{"number":"+14155551234","account_pin":"[redacted]","a":[{"Password":"[redacted]"}]}"#);
        assert_eq!(path("/verify/check?code=123456&x=1"), "/verify/check?code=[redacted]&x=1");
        assert_eq!(body(b"{"), "[1 bytes that are not JSON]");
        assert!(body(format!("{{\"a\":\"{}\"}}", "é".repeat(5000)).as_bytes()).len() < 2100);
    }
}
