//! The numbers whose use is lent: from them a message comes whose sender named no other, so that its recipient can answer.

use tandem_kernel::PhoneNumber;

/// Days that a number is lent to one recipient.
pub const LEASE_DAYS: i64 = 30;
/// Numbers that one environment may have lent to one recipient at once.
pub const MOST_LEASES: usize = 5;
/// The block of the pocket network whose numbers are lent in test environments: +1 628 209.
const POCKET: (u64, u64) = (16_282_090_000, 16_282_099_999);
/// The most numbers that one entry of a configuration may stand for.
const MOST_IN_RANGE: u64 = 100_000;

/// Numbers that are lent, as stretches of neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pool(Vec<(u64, u64)>);

impl Pool {
    /// The pocket network's.
    #[must_use]
    pub fn pocket() -> Self {
        Self(vec![POCKET])
    }

    /// Reads what an operator writes: numbers in E.164, and stretches of them as `FIRST..LAST`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let number = |text: &str| PhoneNumber::from_e164(text.trim()).map(PhoneNumber::digits);
        let stretch = |entry: &String| {
            let (first, last) = entry.split_once("..").unwrap_or((entry, entry));
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last && last - first < MOST_IN_RANGE => Ok((first, last)),
                _ => Err(format!("'{entry}' is neither a number in E.164 nor a stretch of them as +FIRST..+LAST")),
            }
        };
        entries.iter().map(stretch).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a number is lent here.
    #[must_use]
    pub fn has(&self, number: PhoneNumber) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number.digits()))
    }

    /// The first number that may be lent for messages to a recipient: of the recipient's own country where there is one.
    pub fn choose(&self, to: PhoneNumber, taken: impl Fn(PhoneNumber) -> bool) -> Option<PhoneNumber> {
        let country = to.country();
        let of_country = |first: u64| country.is_some() && PhoneNumber::from_digits(first).country() == country;
        let (near, far): (Vec<_>, Vec<_>) = self.0.iter().partition(|(first, _)| of_country(*first));
        near.into_iter().chain(far).find_map(|(first, last)| {
            // Recipients begin at different places, so that one number does not carry everybody's messages.
            let begin = first + to.digits() % (last - first + 1);
            let mut all = (begin..=last).chain(first..begin).map(PhoneNumber::from_digits);
            all.find(|number| *number != to && !taken(*number))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::from_e164(text).expect(text)
    }

    #[test]
    fn the_recipients_country_comes_first_and_each_number_once() {
        let pool = Pool::parse(&["+442079460100..+442079460101".into(), "+14155550100".into()]).expect("a pool");
        let (to, mut taken) = (number("+14155550199"), Vec::new());
        while let Some(next) = pool.choose(to, |number| taken.contains(&number)) {
            assert!(pool.has(next));
            taken.push(next);
        }
        assert_eq!(taken.len(), 3);
        assert_eq!(taken[0], number("+14155550100"));
        assert!(!pool.has(number("+14155550101")));
        assert!(Pool::pocket().choose(to, |_| false).is_some_and(|number| number.to_string().starts_with("+1628209")));
    }

    #[test]
    fn what_is_no_stretch_is_refused() {
        for entry in ["", "14155550100", "+14155550101..+14155550100", "+1..+99999999999", "+14155550100.."] {
            Pool::parse(&[entry.into()]).expect_err(entry);
        }
    }
}
