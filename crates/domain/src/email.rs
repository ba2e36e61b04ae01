//! E-mail addresses.

/// What an address looks like, for documents.
pub const PATTERN: &str = r"^[!-?A-~]{1,64}@[!-?A-~]{1,190}$";
/// What is said of a text that is none.
pub const RULE: &str = "must be an email address";

/// One `@` between two runs of printable characters; whether anybody reads there only a message can tell.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let part = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@')
    };
    text.split_once('@').is_some_and(|(name, host)| part(name, 64) && part(host, 190))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_between_printable_characters() {
        for text in ["ada@example.com", "a@b", "ada+x@sub.example.com"] {
            assert!(is_email(text), "{text}");
        }
        for text in ["", "ada", "@", "ada@", "@example.com", "a@b@c", "a b@c", "a@b\n", "é@example.com"] {
            assert!(!is_email(text), "{text}");
        }
    }
}
