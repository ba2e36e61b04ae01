//! What is said in a call with a code.

use std::fmt;

use super::Locale;

/// A code that is said digit by digit, twice.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictation {
    /// In which language.
    pub locale: Locale,
    /// What is said before the code.
    pub before: String,
    /// The code.
    pub digits: String,
    /// What is said before it is said again.
    pub again: String,
    /// What is said last.
    pub after: String,
}

/// A code is in no log.
impl fmt::Debug for Dictation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictation").field("locale", &self.locale).finish_non_exhaustive()
    }
}

impl Dictation {
    /// A code in somebody's name.
    #[must_use]
    pub fn of(locale: Locale, brand: &str, code: &str) -> Self {
        let (before, again, after) = match locale {
            Locale::En => (format!("Hello. Your {brand} code is:"), "Once more:", "Goodbye."),
            Locale::Es => (format!("Hola. Tu clave de {brand} es:"), "Otra vez:", "Adiós."),
            Locale::Fr => (format!("Bonjour. Votre code {brand} est :"), "Je répète :", "Au revoir."),
        };
        Self { locale, before, digits: code.to_owned(), again: again.to_owned(), after: after.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_in_no_log() {
        for locale in [Locale::En, Locale::Es, Locale::Fr] {
            let said = Dictation::of(locale, "Acme", "271828");
            assert!(said.before.contains("Acme") && !said.before.contains("27") && !said.again.is_empty());
            assert!(!format!("{said:?}").contains("271828"));
        }
    }
}
