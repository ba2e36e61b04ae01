//! In whose name a code is sent.

/// The brand where none is said.
pub const USUAL_BRAND: &str = "Telephony.io";
/// Characters of the longest brand.
pub const LONGEST_BRAND: usize = 18;
/// What is said of a brand that does not fit.
pub const BRAND_RULE: &str =
    "must have 1 to 18 letters, digits, spaces and - & ' . , ! + only, at least one letter, and must not read as a link";

/// Whether a brand may stand in a message: whoever may choose it must not be able to put a link or other text there.
#[must_use]
pub fn brand_fits(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || " -&'.,!+".contains(c);
    let length = text.chars().count();
    let plain = (1..=LONGEST_BRAND).contains(&length) && text.trim() == text && text.chars().all(allowed);
    let named = text.chars().any(char::is_alphabetic);
    text == USUAL_BRAND || plain && named && !reads_as_link(text)
}

/// Handsets make a link of a point between two words.
fn reads_as_link(text: &str) -> bool {
    let mut around = text.chars().zip(text.chars().skip(1)).zip(text.chars().skip(2));
    around.any(|((before, point), after)| point == '.' && before.is_alphanumeric() && after.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_links_and_markup_do_not() {
        for text in [
            USUAL_BRAND,
            "A",
            "Acme",
            "St. Ives",
            "Marks & Co",
            "O'Neill's",
            "Café 24",
            "Ärzte-Haus",
            "Yahoo!",
            "exactly eighteen c",
        ] {
            assert!(brand_fits(text), "{text}");
        }
        for text in [
            "",
            " ",
            " Acme",
            "Acme ",
            "evil.com",
            "a.b",
            "http://x",
            "x/y",
            "<b>",
            "{code}",
            "a$b",
            "a:b",
            "a@b",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "123456",
            "nineteen characters",
        ] {
            assert!(!brand_fits(text), "{text}");
        }
    }
}
