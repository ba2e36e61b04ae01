//! What becomes of a call: call flows, whose rules look at what was dialled, and menus, which ask the caller.

mod conditions;
mod destination;
mod menu;
mod pattern;
mod place;

use tandem_catalogue::{Error, Result};
use tandem_kernel::{EnvironmentId, FlowId, PhoneNumber, Timestamp};

use crate::{Explanation, config::check_name};

pub use conditions::{ANONYMOUS, Conditions, Hours};
pub use destination::Destination;
pub use menu::{Choice, Heard, IvrMenu, LONGEST_PROMPT, MOST_CHOICES};
pub use pattern::{LONGEST_PATTERN, Pattern};
pub use place::{MOST_PLACES, Place, check_endless};

/// Rules that a flow can have.
pub const MOST_RULES: usize = 50;
/// The longest description, in characters.
pub const LONGEST_DESCRIPTION: usize = 500;

/// What becomes of calls, by rules of which the first that fits decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFlow {
    /// Its id.
    pub id: FlowId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Its owner's name for it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The number for which it was made, as long as that number leads here.
    pub phone: Option<PhoneNumber>,
    /// Whether it takes calls.
    pub active: bool,
    /// Looked at in order.
    pub routing: Vec<Rule>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// Where calls go that are dialled so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What was dialled.
    pub pattern: Pattern,
    /// Where the call goes.
    pub to: Destination,
    /// What must hold besides.
    pub conditions: Conditions,
}

/// What a rule is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialled<'a> {
    /// The digits that led here: those of the number that was called, of an extension, or the keys of a menu.
    pub digits: &'a str,
    /// Who calls; none who hides it.
    pub caller: Option<PhoneNumber>,
    /// When, by the environment's clock.
    pub at: Timestamp,
}

impl CallFlow {
    /// Checks what does not depend on what else there is.
    ///
    /// # Errors
    /// `too_short`, `too_long`, `invalid_value`, `invalid_routing`, each with its field.
    pub fn check(&self) -> Result<()> {
        check_name("name", &self.name)?;
        if self.description.chars().any(char::is_control) {
            return Err(Error::invalid_value("description", "must not have control characters"));
        }
        if self.routing.is_empty() {
            return Err(Error::missing_parameter("routing"));
        }
        if self.routing.len() > MOST_RULES {
            return Err(Error::invalid_value("routing", format!("must have at most {MOST_RULES} entries")));
        }
        let mut conditions = self.routing.iter().enumerate();
        conditions.try_for_each(|(place, rule)| rule.conditions.check(&format!("routing.{place}.conditions")))
    }

    /// Everywhere that it may send a call to, each with the field that says so and whether it does whoever calls at whatever time.
    pub fn destinations(&self) -> impl Iterator<Item = (String, &Destination, bool)> {
        let rules = self.routing.iter().enumerate();
        rules.map(|(place, rule)| (format!("routing.{place}.destination"), &rule.to, rule.conditions.is_empty()))
    }

    /// Where a call goes; none where no rule fits.
    pub fn route(&self, dialled: Dialled, explanation: &mut Explanation) -> Option<&Destination> {
        self.routing.iter().enumerate().find_map(|(place, rule)| {
            let number = place + 1;
            let compared = format!("'{}' against {}", dialled.digits, rule.pattern);
            let fits = explanation.note(format!("the pattern of rule {number} fits"), compared, rule.pattern.fits(dialled.digits))
                && rule.conditions.hold(dialled.caller, dialled.at, number, explanation);
            fits.then_some(&rule.to)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str, to: Destination) -> Rule {
        Rule { pattern: Pattern::parse(pattern).expect(pattern), to, conditions: Conditions::default() }
    }

    fn flow(routing: Vec<Rule>) -> CallFlow {
        CallFlow {
            id: FlowId::from_bytes([1; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            name: "Main".to_owned(),
            description: String::new(),
            phone: None,
            active: true,
            routing,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    fn dialled(digits: &str) -> Dialled<'_> {
        Dialled { digits, caller: PhoneNumber::from_e164("+14155550199"), at: Timestamp::from_micros(1_704_067_200_000_000) }
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_says_why() {
        let sales = Destination::Number(PhoneNumber::from_e164("+14155550123").expect("a number"));
        let night = Conditions {
            hours: Some(Hours { time_zone: "UTC".to_owned(), days: vec![7], from: "09:00".to_owned(), to: "17:00".to_owned() }),
            ..Conditions::default()
        };
        let on_sundays = Rule { conditions: night, ..rule("[1-3]", Destination::Hangup) };
        let flow = flow(vec![on_sundays, rule("[1-3]", sales.clone()), rule("1[0-9]", Destination::Voicemail)]);
        let mut explanation = Explanation::of("routing", "call_1");
        assert_eq!(flow.route(dialled("2"), &mut explanation), Some(&sales)); // 2024-01-01 was a Monday
        assert_eq!(explanation.steps.iter().map(|step| step.met).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(flow.route(dialled("19"), &mut explanation), Some(&Destination::Voicemail));
        assert_eq!(flow.route(dialled("4"), &mut explanation), None);
    }

    #[test]
    fn what_is_wrong_by_itself_is_named() {
        assert!(flow(vec![rule("*", Destination::Hangup)]).check().is_ok());
        assert_eq!(flow(Vec::new()).check().expect_err("no rules").code(), tandem_catalogue::Code::MissingParameter);
        let many = vec![rule("*", Destination::Hangup); MOST_RULES + 1];
        assert_eq!(flow(many).check().expect_err("too many").code(), tandem_catalogue::Code::InvalidValue);
    }
}
