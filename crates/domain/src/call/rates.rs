//! What a call costs: by the longest beginning of the number that fits. Inbound by our number, outbound by the other one.

use std::sync::LazyLock;

use tandem_kernel::{Money, PhoneNumber};

use super::Direction;

const TABLE: &str = include_str!("../../../../catalogue/prices/calls.csv");
/// Millionths of a second's price are counted in sixtieths, so that nothing is lost on the way.
const MINUTE: i64 = 60;

/// What calls of one direction to or from numbers with one beginning cost, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// When somebody answers.
    pub setup: i64,
    /// Each minute.
    pub minute: i64,
    /// Seconds that are paid at the least.
    pub first: i64,
    /// Seconds that are paid together after that.
    pub step: i64,
}

/// A line of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Line {
    prefix: &'static str,
    inbound: i64,
    outbound: Rate,
}

/// Where nothing else is said: dear enough that nobody loses by it.
const ELSEWHERE: Line = Line { prefix: "", inbound: 20_000, outbound: Rate { setup: 0, minute: 400_000, first: 60, step: 60 } };

/// Sorted by prefix.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let mut lines: Vec<Line> = TABLE.lines().filter_map(read).collect();
    lines.sort_by_key(|line| line.prefix);
    lines
});

fn read(line: &'static str) -> Option<Line> {
    let mut columns = line.split(',').map(str::trim);
    let prefix = columns.next().filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_digit()))?;
    let mut money = || columns.next().and_then(Money::parse_micros);
    let (inbound, setup, minute) = (money()?, money()?, money()?);
    let (first, step) = (columns.next()?.parse().ok()?, columns.next()?.parse().ok()?);
    Some(Line { prefix, inbound, outbound: Rate { setup, minute, first, step } })
}

fn line(number: PhoneNumber) -> Line {
    let digits = number.digits().to_string();
    let beginnings = (0..=digits.len()).rev().filter_map(|length| digits.get(..length));
    let find = |prefix: &str| LINES.binary_search_by_key(&prefix, |line| line.prefix).ok().and_then(|at| LINES.get(at)).copied();
    beginnings.filter_map(find).next().unwrap_or(ELSEWHERE)
}

/// The rate of calls: inbound ones to a number of ours, outbound ones to anybody's.
#[must_use]
pub fn of(direction: Direction, number: PhoneNumber) -> Rate {
    let line = line(number);
    match direction {
        Direction::Inbound => Rate { setup: 0, minute: line.inbound, first: 1, step: 1 },
        Direction::Outbound => line.outbound,
    }
}

impl Rate {
    /// What costs nothing.
    pub const FREE: Self = Self { setup: 0, minute: 0, first: 1, step: 1 };

    /// Whether it costs nothing.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.setup == 0 && self.minute == 0
    }

    /// Seconds that are paid for so many that were spoken.
    #[must_use]
    pub const fn billed(&self, seconds: i64) -> i64 {
        if seconds <= 0 {
            return 0;
        }
        if seconds <= self.first {
            return self.first;
        }
        let step = if self.step > 0 { self.step } else { 1 };
        let over = seconds - self.first;
        self.first + over.saturating_add(step - 1) / step * step
    }

    /// What so many seconds cost, rounded up to a millionth; nothing for a call that was not answered.
    #[must_use]
    pub fn cost(&self, seconds: i64) -> i64 {
        if seconds <= 0 {
            return 0;
        }
        let exact = i128::from(self.billed(seconds)) * i128::from(self.minute);
        let rounded = (exact + i128::from(MINUTE - 1)) / i128::from(MINUTE);
        i64::try_from(rounded).unwrap_or(i64::MAX).saturating_add(self.setup)
    }
}

/// A party outside that was reached: what it costs from a second of the call on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    /// Its number.
    pub to: PhoneNumber,
    /// What it costs.
    pub rate: Rate,
    /// Seconds after the call was taken at which the party was: who chose from a menu first does not pay for that twice.
    pub from: i64,
    /// When it left; none while it is there.
    pub until: Option<i64>,
}

/// What a call costs in all: for coming in, for each party outside that it reached, and for those that are rung.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tariff {
    /// For coming in to a number of ours; free where it did not.
    pub inbound: Rate,
    /// The parties outside that were reached.
    pub ways: Vec<Way>,
    /// The dearest of those that are rung, and since which second: it has to be affordable, and is paid by whoever answers.
    pub offered: (Rate, i64),
}

impl Tariff {
    /// What costs nothing.
    pub const FREE: Self = Self { inbound: Rate::FREE, ways: Vec::new(), offered: (Rate::FREE, 0) };

    /// Whether nothing more is to be paid as long as everything stays as it is.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let mut open = self.ways.iter().filter(|way| way.until.is_none());
        self.inbound.is_free() && self.offered.0.is_free() && open.all(|way| way.rate.is_free())
    }

    /// What so many seconds cost, counted from when the call was taken.
    #[must_use]
    pub fn cost(&self, seconds: i64) -> i64 {
        let spoken = |way: &Way| way.until.map_or(seconds, |until| until.min(seconds)).saturating_sub(way.from);
        let ways = self.ways.iter().map(|way| way.rate.cost(spoken(way)));
        ways.fold(self.inbound.cost(seconds), i64::saturating_add)
    }

    /// The same where the dearest of those that are rung is reached at once.
    #[must_use]
    pub fn ahead(&self, seconds: i64) -> i64 {
        let (rate, from) = self.offered;
        self.cost(seconds).saturating_add(rate.cost(seconds.saturating_sub(from)))
    }

    /// The seconds that `amount` pays for, `most` at the most.
    #[must_use]
    pub fn affords(&self, amount: i64, most: i64) -> i64 {
        let (mut enough, mut beyond) = (0, most.max(0).saturating_add(1)); // costs grow with seconds: halve the distance
        while beyond - enough > 1 {
            let middle = enough + (beyond - enough) / 2;
            if self.ahead(middle) <= amount { enough = middle } else { beyond = middle }
        }
        enough
    }

    /// These are rung: the dearest counts, by minute and then by setup.
    pub fn offer(&mut self, ways: impl IntoIterator<Item = Rate>, at: i64) {
        let dearest = ways.into_iter().max_by_key(|rate| (rate.minute, rate.setup, rate.first));
        self.offered = (dearest.unwrap_or(Rate::FREE), at);
    }

    /// Somebody was reached, or a party that costs nothing outside: nothing is offered any more.
    pub fn reached(&mut self, way: Option<(PhoneNumber, Rate)>, at: i64) {
        self.offered = (Rate::FREE, 0);
        self.ways.extend(way.map(|(to, rate)| Way { to, rate, from: at, until: None }));
    }

    /// A party outside has left.
    pub fn left(&mut self, to: PhoneNumber, at: i64) {
        for way in self.ways.iter_mut().filter(|way| way.to == to && way.until.is_none()) {
            way.until = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(digits: u64) -> PhoneNumber {
        PhoneNumber::from_digits(digits)
    }

    #[test]
    fn every_line_of_the_table_is_read_and_none_twice() {
        let lines = TABLE.lines().skip(1).filter(|line| !line.is_empty()).count();
        assert_eq!(LINES.len(), lines, "the first line is the heading, every other one a rate");
        assert!(LINES.windows(2).all(|pair| pair[0].prefix < pair[1].prefix));
        assert!(LINES.iter().all(|line| line.outbound.minute > 0 && line.outbound.step > 0 && line.outbound.first > 0));
    }

    #[test]
    fn the_longest_beginning_wins() {
        assert_eq!(of(Direction::Outbound, number(447_700_900_123)).minute, 40_000);
        assert_eq!(of(Direction::Outbound, number(442_079_460_123)).minute, 15_000);
        assert_eq!(of(Direction::Inbound, number(18_005_550_100)).minute, 22_000);
        assert_eq!(of(Direction::Outbound, number(99_999_999_999)), ELSEWHERE.outbound);
    }

    #[test]
    fn increments_are_paid_whole_and_nothing_is_paid_for_no_answer() {
        let rate = Rate { setup: 1_000, minute: 60_000, first: 30, step: 6 };
        assert_eq!([0, 1, 30, 31, 36, 37].map(|seconds| rate.billed(seconds)), [0, 30, 30, 36, 36, 42]);
        assert_eq!((rate.cost(0), rate.cost(1), rate.cost(31)), (0, 31_000, 37_000));
        assert_eq!(Rate { setup: 0, minute: 1, first: 1, step: 1 }.cost(1), 1, "rounded up");
    }

    #[test]
    fn each_party_is_paid_while_it_is_there() {
        let minute = |minute| Rate { setup: 0, minute, first: 1, step: 1 };
        let mut tariff = Tariff { inbound: minute(6_000), ..Tariff::FREE };
        tariff.offer([minute(60_000), minute(120_000)], 10);
        assert_eq!((tariff.cost(20), tariff.ahead(20)), (2_000, 22_000), "nobody has answered yet");
        tariff.reached(Some((number(1), minute(60_000))), 20);
        assert_eq!((tariff.cost(50), tariff.ahead(50)), (35_000, 35_000));
        tariff.left(number(1), 30);
        assert_eq!(tariff.cost(50), 15_000);
        assert!(!tariff.is_free(), "it still comes in");
        tariff.reached(Some((number(2), minute(120_000))), 40);
        assert_eq!(tariff.cost(50), 35_000);
    }

    proptest! {
        #[test]
        fn what_is_afforded_is_paid_and_a_second_more_is_not(
            minute in 1..2_000_000_i64, setup in 0..500_000_i64, first in 1..61_i64, step in 1..61_i64, amount in 0..5_000_000_i64,
        ) {
            let mut tariff = Tariff { inbound: Rate { setup: 0, minute: 8_500, first: 1, step: 1 }, ..Tariff::FREE };
            tariff.offer([Rate { setup, minute, first, step }], 0);
            let seconds = tariff.affords(amount, 3_600);
            prop_assert!(tariff.ahead(seconds) <= amount);
            prop_assert!(seconds == 3_600 || tariff.ahead(seconds + 1) > amount);
        }
    }
}
