//! What a message with a code says. The letters are those of the GSM alphabet, so that it stays one part.

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locale {
    /// English.
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
}

impl Locale {
    /// Their codes.
    pub const WORDS: &'static [&'static str] = &["en", "es", "fr"];

    /// The code that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
        }
    }

    /// Reads the code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::En, Self::Es, Self::Fr].into_iter().find(|locale| locale.as_str() == text)
    }
}

/// The message.
#[must_use]
pub fn text(locale: Locale, brand: &str, code: &str, minutes: i64) -> String {
    let (one, many) = match locale {
        Locale::En => ("1 minute".to_owned(), format!("{minutes} minutes")),
        Locale::Es => ("1 minuto".to_owned(), format!("{minutes} minutos")),
        Locale::Fr => ("1 minute".to_owned(), format!("{minutes} minutes")),
    };
    let time = if minutes == 1 { one } else { many };
    match locale {
        Locale::En => format!("{code} is your {brand} code. It works for {time}. Do not share it with anyone."),
        Locale::Es => format!("{code} es tu clave de {brand}. Es valida durante {time}. No la compartas con nadie."),
        Locale::Fr => format!("{code} est votre code {brand}. Il est valable {time}. Ne le partagez avec personne."),
    }
}

/// The message as everybody but the handset sees it.
#[must_use]
pub fn hidden_text(locale: Locale, brand: &str, code_length: i64, minutes: i64) -> String {
    text(locale, brand, &"*".repeat(usize::try_from(code_length).unwrap_or(0)), minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_names_brand_code_and_time_in_one_part() {
        for locale in [Locale::En, Locale::Es, Locale::Fr] {
            let said = text(locale, "exactly eighteen c", "1234567890", 10);
            assert!(said.starts_with("1234567890 ") && said.contains("exactly eighteen c") && said.contains("10 minut"), "{said}");
            assert!(said.is_ascii() && said.len() <= 160, "{said}");
            assert!(text(locale, "A", "1234", 1).contains(" 1 minut"));
            assert!(!hidden_text(locale, "A", 4, 10).contains(|c: char| ('2'..='9').contains(&c)));
            assert_eq!(Locale::parse(locale.as_str()), Some(locale));
        }
    }
}
