//! Menus that callers choose from by keys.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{EnvironmentId, MenuId, Timestamp};

use super::Destination;
use crate::config::check_name;

/// The longest prompt, in characters.
pub const LONGEST_PROMPT: usize = 5000;
/// Choices that a menu can have.
pub const MOST_CHOICES: usize = 50;

/// A menu that callers choose from by keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IvrMenu {
    /// Its id.
    pub id: MenuId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Its owner's name for it.
    pub name: String,
    /// What callers hear.
    pub prompt: String,
    /// What they can choose.
    pub options: Vec<Choice>,
    /// The language that the prompt is spoken in, as BCP 47 names it.
    pub language: String,
    /// The voice that speaks it.
    pub voice: String,
    /// Keys that a choice has at the most, 1 to 10.
    pub max_digits: i64,
    /// Seconds that the menu waits for a key, 1 to 60.
    pub timeout_seconds: i64,
    /// How often it is said before the caller has chosen nothing, 1 to 10.
    pub max_attempts: i64,
    /// Where callers go who choose nothing.
    pub fallback: Destination,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// One of a menu's choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The keys: `0` to `9`, `*`, `#`.
    pub digit: String,
    /// Where they lead.
    pub to: Destination,
}

/// What the keys that were pressed so far mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// This was chosen.
    Chosen(&'a Destination),
    /// More keys may follow.
    More,
    /// There is no such choice.
    Nothing,
}

impl IvrMenu {
    /// Checks what does not depend on what else there is.
    ///
    /// # Errors
    /// `too_short`, `too_long`, `out_of_range`, `missing_parameter`, `invalid_value`, each with its field.
    pub fn check(&self) -> Result<()> {
        check_name("name", &self.name)?;
        if self.prompt.trim().is_empty() {
            return Err(Error::missing_parameter("prompt"));
        }
        if self.voice.is_empty() || self.voice.chars().any(char::is_control) {
            return Err(Error::invalid_value("voice", "must not be empty or have control characters"));
        }
        let ranges = [
            ("max_digits", self.max_digits, 10),
            ("timeout_seconds", self.timeout_seconds, 60),
            ("max_attempts", self.max_attempts, 10),
        ];
        if let Some((field, _, most)) = ranges.into_iter().find(|(_, value, most)| !(1..=*most).contains(value)) {
            return Err(Error::out_of_range(field, 1, most));
        }
        if self.options.is_empty() {
            return Err(Error::missing_parameter("options"));
        }
        if self.options.len() > MOST_CHOICES {
            return Err(Error::invalid_value("options", format!("must have at most {MOST_CHOICES} entries")));
        }
        (0..self.options.len()).try_for_each(|place| self.check_choice(place))
    }

    fn check_choice(&self, place: usize) -> Result<()> {
        let Some(choice) = self.options.get(place) else { return Ok(()) };
        let wrong = |rule: String| Err(Error::invalid_value(format!("options.{place}.digit"), rule));
        let keys = choice.digit.len();
        if keys == 0 || !choice.digit.bytes().all(|key| key.is_ascii_digit() || key == b'*' || key == b'#') {
            return wrong("must have the keys 0 to 9, * and # only".to_owned());
        }
        if i64::try_from(keys).unwrap_or(i64::MAX) > self.max_digits {
            return wrong(format!("must have at most as many keys as max_digits says, which is {}", self.max_digits));
        }
        if self.options.iter().take(place).any(|earlier| earlier.digit == choice.digit) {
            return wrong(format!("must be another for each option, but {} is there twice", choice.digit));
        }
        Ok(())
    }

    /// Everywhere that it may send a call to, each with the field that says so and whether it does by itself, without a choice.
    pub fn destinations(&self) -> impl Iterator<Item = (String, &Destination, bool)> {
        let chosen = self.options.iter().enumerate();
        let chosen = chosen.map(|(place, choice)| (format!("options.{place}.destination"), &choice.to, false));
        chosen.chain(std::iter::once(("fallback.destination".to_owned(), &self.fallback, true)))
    }

    /// What the keys so far mean; `complete` where no more will come.
    #[must_use]
    pub fn hear(&self, keys: &str, complete: bool) -> Heard<'_> {
        let chosen = self.options.iter().find(|choice| choice.digit == keys);
        let longer = self.options.iter().any(|choice| choice.digit.len() > keys.len() && choice.digit.starts_with(keys));
        match chosen {
            _ if longer && !complete => Heard::More,
            Some(choice) => Heard::Chosen(&choice.to),
            None => Heard::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_catalogue::Dialect;

    use super::*;

    fn menu(digits: &[&str], max_digits: i64) -> IvrMenu {
        let choice = |digit: &&str| Choice { digit: (*digit).to_owned(), to: Destination::Voicemail };
        IvrMenu {
            id: MenuId::from_bytes([1; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            name: "Main".to_owned(),
            prompt: "Press 1.".to_owned(),
            options: digits.iter().map(choice).collect(),
            language: "en-US".to_owned(),
            voice: "female".to_owned(),
            max_digits,
            timeout_seconds: 5,
            max_attempts: 3,
            fallback: Destination::Hangup,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    #[test]
    fn keys_are_heard_until_they_are_a_choice() {
        let menu = menu(&["1", "12", "#"], 2);
        assert_eq!(menu.hear("1", false), Heard::More);
        assert_eq!(menu.hear("1", true), Heard::Chosen(&Destination::Voicemail));
        assert_eq!(menu.hear("12", false), Heard::Chosen(&Destination::Voicemail));
        assert_eq!(menu.hear("#", false), Heard::Chosen(&Destination::Voicemail));
        assert_eq!(menu.hear("2", false), Heard::Nothing);
        assert_eq!(menu.hear("", true), Heard::Nothing);
    }

    #[test]
    fn what_is_wrong_by_itself_is_named() {
        let field = |menu: IvrMenu| menu.check().expect_err("a fault").render(Dialect::Native).field.expect("a field");
        assert!(menu(&["1", "2"], 1).check().is_ok());
        assert_eq!(field(menu(&[], 1)), "options");
        assert_eq!(field(menu(&["1", "1"], 1)), "options.1.digit");
        assert_eq!(field(menu(&["12"], 1)), "options.0.digit");
        assert_eq!(field(menu(&["x"], 1)), "options.0.digit");
        assert_eq!(field(menu(&["1"], 11)), "max_digits");
        assert_eq!(field(IvrMenu { prompt: " ".to_owned(), ..menu(&["1"], 1) }), "prompt");
    }
}
