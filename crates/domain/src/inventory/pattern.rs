//! Patterns over national numbers: `415*`, `*FLOWERS`, `???7777`.

use std::fmt;
use std::ops::Range;

use super::key::Prefix;

/// The longest pattern that is read, in characters.
pub const MAX_PATTERN: usize = 32;
/// The most `*` that one pattern may have: each makes a search dearer.
pub const MAX_STARS: usize = 4;

/// What a national number (the digits after the calling code) has to look like.
///
/// `*` stands for any run of digits, also none; `?`, `x` and `X` for exactly one; other letters for the digit of their keypad
/// key. A pattern without `*` says how the number begins: `415` is `415*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// What stands between the stars, none of them empty.
    runs: Vec<Vec<Atom>>,
    /// Whether digits may come before the first run, and after the last.
    open_start: bool,
    open_end: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Atom {
    Digit(u8),
    Any,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatternFault {
    /// There is nothing in it.
    Empty,
    /// It has more than [`MAX_PATTERN`] characters.
    TooLong,
    /// It has more than [`MAX_STARS`] stars.
    TooManyStars,
    /// It has a character that means nothing in a pattern.
    Character {
        /// The character.
        found: char,
        /// Where it stands, counted in characters from 1.
        position: usize,
    },
}

impl fmt::Display for PatternFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the pattern is empty"),
            Self::TooLong => write!(f, "the pattern has more than {MAX_PATTERN} characters"),
            Self::TooManyStars => write!(f, "the pattern has more than {MAX_STARS} `*`"),
            Self::Character { found, position } => {
                write!(f, "`{}` at position {position} means nothing here", found.escape_debug())
            }
        }
    }
}

impl std::error::Error for PatternFault {}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternFault`] says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, PatternFault> {
        match text.chars().count() {
            0 => return Err(PatternFault::Empty),
            1..=MAX_PATTERN => {}
            _ => return Err(PatternFault::TooLong),
        }
        let mut runs = vec![Vec::new()];
        for (at, found) in text.chars().enumerate() {
            match (found, runs.last_mut()) {
                ('*', _) | (_, None) => runs.push(Vec::new()),
                (_, Some(run)) => run.push(Atom::read(found).ok_or(PatternFault::Character { found, position: at + 1 })?),
            }
        }
        if runs.len() > MAX_STARS + 1 {
            return Err(PatternFault::TooManyStars);
        }
        runs.retain(|run| !run.is_empty());
        Ok(Self { runs, open_start: text.starts_with('*'), open_end: text.ends_with('*') || !text.contains('*') })
    }

    pub(super) fn runs(&self) -> &[Vec<Atom>] {
        &self.runs
    }

    /// Whether the run is the last one and has to end where the number ends.
    pub(super) fn ends_number(&self, run: usize) -> bool {
        !self.open_end && run + 1 == self.runs.len()
    }

    /// The fewest digits of a number that the pattern can match.
    pub(super) fn shortest(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    /// Where in a national number the run can begin, if numbers have `shortest` to `longest` digits.
    pub(super) fn starts(&self, run: usize, shortest: usize, longest: usize) -> Range<usize> {
        let before: usize = self.runs.iter().take(run).map(Vec::len).sum();
        let rest: usize = self.runs.iter().skip(run).map(Vec::len).sum();
        let first = if self.ends_number(run) { before.max(shortest.saturating_sub(rest)) } else { before };
        let end = (longest + 1).saturating_sub(rest);
        if run == 0 && !self.open_start { first..end.min(1) } else { first..end }
    }

    /// The digits that the number is known to begin with.
    fn leading(&self) -> impl Iterator<Item = u8> {
        let anchored = if self.open_start { None } else { self.runs.first() };
        anchored.into_iter().flatten().map_while(|atom| atom.digit())
    }

    /// The calling code followed by the digits that the pattern begins with; `None` where no number has room for them.
    pub(super) fn prefix(&self, code: Prefix) -> Option<Prefix> {
        self.leading().try_fold(code, Prefix::then)
    }

    /// Whether the pattern only says how a number begins, so that nothing is left to check within [`Pattern::prefix`].
    pub(super) fn is_prefix(&self) -> bool {
        self.open_end && self.leading().count() == self.shortest()
    }

    /// Whether nothing narrows the numbers down that have to be looked at: a search for it takes milliseconds among millions.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        !self.is_prefix() && self.clues().is_empty()
    }

    /// For each run the longest row of known digits, from three up, by which to look numbers up; not counting the digits at
    /// the beginning, which [`Pattern::prefix`] has used already.
    pub(super) fn clues(&self) -> Vec<Clue> {
        let alone = self.runs.len() == 1 && self.open_start;
        let clue = |(run, atoms): (usize, &Vec<Atom>)| {
            let used = if run == 0 { self.leading().count() } else { 0 };
            let (at, digits) = rows(atoms).filter(|(at, _)| *at >= used).max_by_key(|(_, digits)| digits.len())?;
            let first = (at, gram(digits.first_chunk()?));
            let last = (digits.len() > 3).then(|| Some((at + digits.len() - 3, gram(digits.last_chunk()?)))).flatten();
            Some(Clue { run, first, last, decides: alone && digits.len() == atoms.len() && digits.len() <= 6 })
        };
        self.runs.iter().enumerate().filter_map(clue).collect()
    }

    /// Whether a national number, spelled as in a [`super::key::Key`], fits.
    ///
    /// The runs are placed from the last to the first, each as far right as it goes: that never spoils a fit further left. Sets of
    /// positions are kept as the top bits of the half-bytes.
    pub(super) fn matches(&self, national: u64) -> bool {
        let present = TOPS & !zeros(national);
        let end = present & present.wrapping_neg();
        let mut room = u64::MAX;
        for (at, run) in self.runs.iter().enumerate().rev() {
            let width = 4 * run.len() as u32;
            let mut fits = starts_of(run, national, present) & room;
            if self.ends_number(at) {
                fits &= end.checked_shl(width - 4).unwrap_or(0);
            }
            if at == 0 && !self.open_start {
                fits &= 1 << 63;
            }
            let start = fits & fits.wrapping_neg();
            if start == 0 {
                return false;
            }
            // The next run must end before this one begins. It cannot be wider than what is left.
            let width_before = at.checked_sub(1).and_then(|before| self.runs.get(before)).map_or(0, |run| 4 * run.len() as u32);
            room = if start.leading_zeros() < width_before { 0 } else { !((start << width_before) - 1) };
        }
        true
    }
}

impl Atom {
    fn read(found: char) -> Option<Self> {
        Some(Self::Digit(match found.to_ascii_uppercase() {
            '?' | 'X' => return Some(Self::Any),
            digit @ '0'..='9' => digit as u8 - b'0',
            'A'..='C' => 2,
            'D'..='F' => 3,
            'G'..='I' => 4,
            'J'..='L' => 5,
            'M'..='O' => 6,
            'P'..='S' => 7,
            'T'..='V' => 8,
            'W'..='Z' => 9,
            _ => return None,
        }))
    }

    fn digit(self) -> Option<u8> {
        match self {
            Self::Digit(digit) => Some(digit),
            Self::Any => None,
        }
    }
}

/// Three digits or more in a row, as the groups of three they begin and end with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clue {
    /// The run that they belong to.
    pub run: usize,
    /// The first group: where it begins within the run, and its value.
    pub first: (usize, usize),
    /// The last group, where there are more than three digits.
    pub last: Option<(usize, usize)>,
    /// Whether the pattern is nothing but this row: two groups that overlap or touch say everything about up to six digits, so
    /// nothing is left to check in a number that has them, but for where it ends.
    pub decides: bool,
}

/// The rows of known digits in a run, each with its place.
fn rows(run: &[Atom]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let mut at = 0;
    run.chunk_by(|one, next| one.digit().is_some() == next.digit().is_some()).map(move |row| {
        at += row.len();
        (at - row.len(), row.iter().filter_map(|atom| atom.digit()).collect())
    })
}

fn gram(digits: &[u8; 3]) -> usize {
    digits.iter().fold(0, |gram, digit| gram * 10 + usize::from(*digit))
}

/// The top bit of each half-byte.
const TOPS: u64 = 0x8888_8888_8888_8888;

/// The half-bytes that are zero, each as its top bit.
fn zeros(half_bytes: u64) -> u64 {
    !(((half_bytes & !TOPS) + !TOPS) | half_bytes) & TOPS
}

/// Where the run fits in the number, as top bits.
fn starts_of(run: &[Atom], national: u64, present: u64) -> u64 {
    run.iter().enumerate().fold(TOPS, |starts, (at, atom)| {
        let fits = match atom {
            Atom::Digit(digit) => zeros(national ^ ((u64::from(*digit) + 1) * 0x1111_1111_1111_1111)),
            Atom::Any => present,
        };
        starts & fits.checked_shl(4 * at as u32).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;

    fn fits(pattern: &str, number: u64) -> bool {
        let national = Key::of(number).map_or(0, |key| key.0 << (4 * key.code().digits));
        Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(national))
    }

    #[test]
    fn patterns_are_matched_against_the_national_number() {
        for pattern in [
            "415",
            "415*",
            "*1234",
            "*555*",
            "415555????",
            "4155551234",
            "4*4",
            "*",
            "?",
            "xX5*",
            "*415*1234*",
            "41555J1ADG",
            "**",
            "4*5*5*3*4",
            "*4155551234*",
            "4155551234*",
        ] {
            assert!(fits(pattern, 14_155_551_234), "{pattern}");
        }
        for pattern in [
            "1415",
            "15",
            "*415",
            "*123",
            "4155551234?",
            "*55555*",
            "5*",
            "*1234*1234*",
            "4*41",
            "?415*",
            "*4155551234?*",
            "*34*12*",
        ] {
            assert!(!fits(pattern, 14_155_551_234), "{pattern}");
        }
        assert!(fits("*FLOWERS", 18_003_569_377));
        assert!(fits("8xxflowers", 18_003_569_377));
        assert!(fits("20*", 442_079_460_123));
        assert!(!fits("44*", 442_079_460_123));
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let fault = |text: &str| Pattern::parse(text).err();
        assert_eq!(fault(""), Some(PatternFault::Empty));
        assert_eq!(fault(&"1".repeat(33)), Some(PatternFault::TooLong));
        assert_eq!(fault(&"1".repeat(32)), None);
        assert_eq!(fault("*1*2*3*4*"), Some(PatternFault::TooManyStars));
        assert_eq!(fault("1*2*3*4*5"), None);
        assert_eq!(fault("41-5"), Some(PatternFault::Character { found: '-', position: 3 }));
        assert_eq!(fault("é1"), Some(PatternFault::Character { found: 'é', position: 1 }));
        assert_eq!(fault("+1"), Some(PatternFault::Character { found: '+', position: 1 }));
    }

    #[test]
    fn a_clue_is_the_longest_row_of_known_digits_in_its_run() {
        let clues = |text: &str| Pattern::parse(text).map_or(Vec::new(), |pattern| pattern.clues());
        let seen = |text: &str| clues(text).last().map(|clue| (clue.run, clue.first, clue.last, clue.decides));
        assert_eq!(seen("415555"), None);
        assert_eq!(seen("*12*"), None);
        assert_eq!(seen("*123*"), Some((0, (0, 123), None, true)));
        assert_eq!(seen("*1234"), Some((0, (0, 123), Some((1, 234)), true)));
        assert_eq!(seen("*123456*"), Some((0, (0, 123), Some((3, 456)), true)));
        assert_eq!(seen("*1234567*"), Some((0, (0, 123), Some((4, 567)), false)));
        assert_eq!(seen("415?123*4567*"), Some((1, (0, 456), Some((1, 567)), false)));
        assert_eq!(seen("*12*3456?789*"), Some((1, (0, 345), Some((1, 456)), false)));
        assert_eq!(clues("*123*45*678").len(), 2);
        assert_eq!(seen("?789*"), Some((0, (1, 789), None, false)));
    }
}
