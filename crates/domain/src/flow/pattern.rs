//! Patterns of what was dialled: `*`, `0`, `[0-9]`, `1[0-9]`.

use std::fmt;

/// The longest pattern, in characters.
pub const LONGEST_PATTERN: usize = 64;
/// Runs of any digits that a pattern can have: comparing takes a step for each way to share the digits out among them.
const MOST_STARS: usize = 2;

/// A pattern of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    atoms: Vec<Atom>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom {
    /// Any run of digits, also none.
    Any,
    /// One of these digits, a bit for each.
    One(u16),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The rule that it breaks, as `must …`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > LONGEST_PATTERN {
            return Err("must have 1 to 64 characters");
        }
        let (mut atoms, mut rest) = (Vec::new(), text.chars());
        while let Some(letter) = rest.next() {
            atoms.push(match letter {
                '*' => Atom::Any,
                '[' => Atom::One(class(&mut rest)?),
                digit => Atom::One(1 << place(digit).ok_or("must have digits, * and classes such as [1-3] only")?),
            });
        }
        if atoms.iter().filter(|atom| **atom == Atom::Any).count() > MOST_STARS {
            return Err("must have at most two *");
        }
        Ok(Self { text: text.to_owned(), atoms })
    }

    /// Whether digits fit, all of them.
    #[must_use]
    pub fn fits(&self, digits: &str) -> bool {
        let places: Option<Vec<u32>> = digits.chars().map(place).collect();
        places.is_some_and(|places| fits(&self.atoms, &places))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn place(digit: char) -> Option<u32> {
    digit.to_digit(10)
}

/// What stands between brackets: digits, and ranges of them.
fn class(rest: &mut std::str::Chars) -> Result<u16, &'static str> {
    const RULE: &str = "must have digits and ranges such as 1-3 between [ and ]";
    let mut bits = 0;
    loop {
        let first = match rest.next() {
            Some(']') if bits != 0 => return Ok(bits),
            digit => digit.and_then(place).ok_or(RULE)?,
        };
        let mut ahead = rest.clone();
        let last = if ahead.next() == Some('-') {
            rest.next();
            rest.next().and_then(place).filter(|last| *last >= first).ok_or(RULE)?
        } else {
            first
        };
        bits |= (first..=last).fold(0, |bits, digit| bits | 1 << digit);
    }
}

fn fits(atoms: &[Atom], digits: &[u32]) -> bool {
    match (atoms.split_first(), digits.split_first()) {
        (None, None) => true,
        (Some((Atom::Any, others)), None) => fits(others, digits),
        (Some((Atom::Any, others)), Some((_, later))) => fits(others, digits) || fits(atoms, later),
        (Some((Atom::One(bits), others)), Some((digit, later))) => bits & (1 << digit) != 0 && fits(others, later),
        (None, Some(_)) | (Some((Atom::One(_), _)), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_fit_as_the_pages_show() {
        for (pattern, fitting, others) in [
            ("*", vec!["", "1", "14155550100"], vec!["x"]),
            ("5", vec!["5"], vec!["", "4", "55"]),
            ("[0-9]", vec!["0", "9"], vec!["", "10"]),
            ("[1-3]", vec!["1", "2", "3"], vec!["0", "4"]),
            ("1[0-9]", vec!["10", "19"], vec!["1", "20", "100"]),
            ("[135-7]*", vec!["1", "6", "312"], vec!["2", ""]),
            ("1*9", vec!["19", "1239"], vec!["1", "92"]),
        ] {
            let read = Pattern::parse(pattern).expect(pattern);
            assert_eq!(read.to_string(), pattern);
            assert!(fitting.iter().all(|digits| read.fits(digits)), "{pattern}");
            assert!(others.iter().all(|digits| !read.fits(digits)), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "x", "[", "[]", "[a]", "[3-1]", "[1-", "[1", "+1", "***", "1-3", &"1".repeat(65)] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
