//! Whether a code may be sent now: the brakes against those who make others pay, or who pester a number.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{LineType, PhoneNumber, Timestamp};

use super::{Channel, Policy};
use crate::Explanation;

/// Seconds over which the sends to one number are counted.
pub const NUMBER_WINDOW: i64 = 600;
/// Seconds over which ranges and callers are counted.
pub const HOUR: i64 = 3_600;

/// What happened before, as far as the rules ask.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// When codes were sent to the number within ten minutes, newest first.
    pub to_number: Vec<Timestamp>,
    /// When the guesses at the number's last code were used up, if its time is not over: until then there is no new one.
    pub locked_until: Option<Timestamp>,
    /// Other numbers of the same range that codes were sent to within an hour.
    pub neighbours: i64,
    /// The send within an hour that has to grow old before the key may send again.
    pub key_full_since: Option<Timestamp>,
    /// The same of the whole environment.
    pub environment_full_since: Option<Timestamp>,
    /// Verifications to the country that ended within a day, and those of them that were approved.
    pub ended: i64,
    /// Those that were approved.
    pub approved: i64,
}

/// Decides whether a code may be sent by a channel to `phone` at `now`. Every rule that was looked at is noted, the one that refuses last.
///
/// # Errors
/// `verification_not_mobile`, `verification_country_not_allowed`, `verification_blocked`, `verification_throttled`.
pub fn decide(
    policy: &Policy,
    history: &History,
    (channel, phone): (Channel, PhoneNumber),
    now: Timestamp,
    why: &mut Explanation,
) -> Result<()> {
    line(channel, phone, why)?;
    country(policy, phone, why)?;
    approval(policy, history, why)?;
    range(policy, history, why)?;
    number(policy, history, now, why)?;
    let limits = &policy.limits;
    caller(("the key's sends in an hour", limits.sends_per_key), history.key_full_since, now, why)?;
    caller(("the environment's sends in an hour", limits.sends_per_environment), history.environment_full_since, now, why)
}

/// Codes to what is no handset reach nobody, unless they are spoken; and those to numbers that share their price are what fraud lives on.
fn line(channel: Channel, phone: PhoneNumber, why: &mut Explanation) -> Result<()> {
    let line = phone.line_type();
    let handset = match line {
        LineType::Mobile | LineType::FixedLineOrMobile | LineType::Voip | LineType::Unknown => true,
        LineType::FixedLine => channel == Channel::Voice,
        LineType::TollFree
        | LineType::PremiumRate
        | LineType::SharedCost
        | LineType::PersonalNumber
        | LineType::Pager
        | LineType::Uan
        | LineType::Voicemail => false,
    };
    match why.note("the number can be a handset's", line.as_str(), handset) {
        true => Ok(()),
        false => Err(Error::verification_not_mobile("phone_number", phone.to_string(), line.as_str())),
    }
}

fn country(policy: &Policy, phone: PhoneNumber, why: &mut Explanation) -> Result<()> {
    let country = phone.country();
    let name = country.map_or_else(|| "no country".to_owned(), |country| country.to_string());
    let allowed = country.is_some_and(|country| policy.countries.contains(&country));
    let compared = format!("{name}, {} countries are allowed", policy.countries.len());
    match why.note("the number's country is one that codes may be sent to", compared, allowed) {
        true => Ok(()),
        false => Err(Error::verification_country_not_allowed(name)),
    }
}

fn approval(policy: &Policy, history: &History, why: &mut Explanation) -> Result<()> {
    let (least, sample) = (policy.limits.least_approval, policy.limits.approval_sample);
    let enough = history.ended < sample || history.approved * 100 >= least * history.ended;
    let compared = format!("{} of {} in a day; at least {least} % once {sample} have ended", history.approved, history.ended);
    match why.note("enough of the country's verifications are approved", compared, enough) {
        true => Ok(()),
        false => Err(Error::verification_blocked("too few of the codes that were sent to its country were used")),
    }
}

fn range(policy: &Policy, history: &History, why: &mut Explanation) -> Result<()> {
    let most = policy.limits.numbers_per_range;
    let within = history.neighbours < most;
    let compared = format!("{} neighbours in an hour, at most {most}", history.neighbours);
    match why.note("few numbers that differ in the last four digits only got codes", compared, within) {
        true => Ok(()),
        false => Err(Error::verification_blocked("codes were sent to too many of its neighbours")),
    }
}

fn number(policy: &Policy, history: &History, now: Timestamp, why: &mut Explanation) -> Result<()> {
    let locked = history.locked_until.filter(|until| *until > now);
    let compared = locked.map_or_else(|| "there is none".to_owned(), |until| format!("it lasts until {until}"));
    why.note("no verification of the number whose attempts are used up lasts", compared, locked.is_none());
    if let Some(until) = locked {
        return Err(throttled(now, until));
    }
    let limits = &policy.limits;
    let rested = history.to_number.first().map(|last| last.plus_seconds(limits.cooldown)).filter(|at| *at > now);
    let compared = rested.map_or_else(|| format!("{} s or more", limits.cooldown), |at| format!("not before {at}"));
    why.note("the last code to the number is long enough ago", compared, rested.is_none());
    if let Some(until) = rested {
        return Err(throttled(now, until));
    }
    let most = usize::try_from(limits.sends_per_number).unwrap_or(usize::MAX);
    let fullest = most.checked_sub(1).and_then(|place| history.to_number.get(place)).map(|at| at.plus_seconds(NUMBER_WINDOW));
    let full = fullest.filter(|until| *until > now);
    let compared = format!("{} in ten minutes, at most {most}", history.to_number.len());
    why.note("few codes were sent to the number", compared, full.is_none());
    full.map_or(Ok(()), |until| Err(throttled(now, until)))
}

fn caller((rule, most): (&'static str, i64), full_since: Option<Timestamp>, now: Timestamp, why: &mut Explanation) -> Result<()> {
    let full = full_since.map(|at| at.plus_seconds(HOUR)).filter(|until| *until > now);
    let compared = full.map_or_else(|| format!("below {most}"), |until| format!("{most}, the first of which counts until {until}"));
    why.note(format!("{rule} are within the limit"), compared, full.is_none());
    full.map_or(Ok(()), |until| Err(throttled(now, until)))
}

/// Whole seconds, never too few.
fn throttled(now: Timestamp, until: Timestamp) -> Error {
    let micros = until.micros() - now.micros();
    Error::verification_throttled((micros + 999_999).div_euclid(1_000_000).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_catalogue::Code;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000).plus_seconds(seconds)
    }

    fn refused(history: &History, phone: &str) -> (Code, Option<i64>) {
        let mut why = Explanation::of("verification", "x");
        let phone = PhoneNumber::from_e164(phone).expect(phone);
        let error = decide(&Policy::default(), history, (Channel::Sms, phone), at(0), &mut why).expect_err("a refusal");
        assert!(why.steps.last().is_some_and(|step| !step.met), "{why:?}");
        (error.code(), error.retry_after())
    }

    #[test]
    fn a_number_has_to_rest() {
        let after = |seconds: i64| History { to_number: vec![at(-seconds)], ..History::default() };
        assert_eq!(refused(&after(0), "+61412345678"), (Code::VerificationThrottled, Some(30)));
        assert_eq!(refused(&after(29), "+61412345678"), (Code::VerificationThrottled, Some(1)));
        let half = History { to_number: vec![at(-30).plus_micros(500_000)], ..History::default() };
        assert_eq!(refused(&half, "+61412345678"), (Code::VerificationThrottled, Some(1)), "never too early");
        let five = History { to_number: [40, 80, 120, 160, 200].map(|ago| at(-ago)).into(), ..History::default() };
        assert_eq!(refused(&five, "+61412345678"), (Code::VerificationThrottled, Some(400)));
        let locked = History { locked_until: Some(at(77)), ..History::default() };
        assert_eq!(refused(&locked, "+61412345678"), (Code::VerificationThrottled, Some(77)));
    }

    #[test]
    fn what_is_no_handset_gets_none() {
        // A landline, a premium number, a personal number, a toll-free one.
        for phone in ["+442079460123", "+449098790879", "+447012345678", "+18005551234", "+80012345678"] {
            assert_eq!(refused(&History::default(), phone).0, Code::VerificationNotMobile, "{phone}");
        }
    }

    #[test]
    fn what_looks_like_fraud_is_blocked() {
        let quiet = History::default();
        assert_eq!(refused(&quiet, "+2348031234567").0, Code::VerificationCountryNotAllowed);
        let run = History { neighbours: 10, ..History::default() };
        assert_eq!(refused(&run, "+61412345678").0, Code::VerificationBlocked);
        let unused = History { ended: 30, approved: 2, ..History::default() };
        assert_eq!(refused(&unused, "+61412345678").0, Code::VerificationBlocked);
        let busy = History { key_full_since: Some(at(-3_000)), ..History::default() };
        assert_eq!(refused(&busy, "+61412345678"), (Code::VerificationThrottled, Some(600)));
    }

    #[test]
    fn what_is_usual_passes() {
        let history = History {
            to_number: [31, 80, 120, 160].map(|ago| at(-ago)).into(),
            locked_until: Some(at(0)),
            neighbours: 9,
            key_full_since: Some(at(-3_600)),
            environment_full_since: None,
            ended: 30,
            approved: 3,
        };
        let mut why = Explanation::of("verification", "x");
        let phone = PhoneNumber::from_e164("+61412345678").expect("a number");
        assert!(decide(&Policy::default(), &history, (Channel::Sms, phone), at(0), &mut why).is_ok());
        assert!(why.steps.len() >= 8 && why.steps.iter().all(|step| step.met));
    }
}
