//! How the money of a call is set aside: a piece at a time, so that a call neither costs more than there is nor ties it all up.

use super::Tariff;

/// Seconds that are paid for at a time.
pub const BLOCK: i64 = 60;
/// Seconds before the end of what is paid for at which more is set aside.
pub const AHEAD: i64 = 20;
/// Seconds before the end of the money at which the caller is warned.
pub const WARNING: i64 = 15;

/// What is to be set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Millionths to set aside in addition.
    pub hold: i64,
    /// Seconds that are paid for with it.
    pub granted: i64,
    /// Whether the money ends there.
    pub is_last: bool,
}

/// The next piece: `granted` seconds and `held` millionths are there, `available` could be set aside in addition, and the call may last
/// `longest` seconds. Where the tariff has changed since, what is held may pay for fewer seconds than before.
#[must_use]
pub fn next(tariff: &Tariff, granted: i64, held: i64, available: i64, longest: i64) -> Piece {
    let target = granted.saturating_add(BLOCK).min(longest);
    let affordable = tariff.affords(held.saturating_add(available.max(0)), target);
    let hold = tariff.ahead(affordable).saturating_sub(held).max(0);
    Piece { hold, granted: affordable, is_last: affordable < target }
}

/// Until when a call may go on, in seconds since it was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// When it has to end.
    pub until: i64,
    /// When more is to be asked for; none where there is no more.
    pub extend_at: Option<i64>,
    /// When the caller is to be warned that the money ends; none where it does not.
    pub warn_at: Option<i64>,
}

impl Grant {
    /// What follows from a piece.
    #[must_use]
    pub fn of(piece: Piece, longest: i64) -> Self {
        let ends = piece.is_last || piece.granted >= longest;
        Self {
            until: piece.granted,
            extend_at: (!ends).then(|| (piece.granted - AHEAD).max(0)),
            warn_at: piece.is_last.then(|| (piece.granted - WARNING).max(0)),
        }
    }

    /// For a call that costs nothing.
    #[must_use]
    pub const fn free(longest: i64) -> Self {
        Self { until: longest, extend_at: None, warn_at: None }
    }
}

/// What a call that lasted so long costs in the end: never more than was set aside.
#[must_use]
pub fn cost(tariff: &Tariff, seconds: i64, held: i64) -> i64 {
    tariff.cost(seconds).min(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Rate;

    /// A second costs a thousand.
    const TARIFF: Tariff =
        Tariff { inbound: Rate { setup: 0, minute: 60_000, first: 1, step: 1 }, ways: Vec::new(), offered: (Rate::FREE, 0) };

    #[test]
    fn pieces_are_minutes_until_the_money_ends() {
        let first = next(&TARIFF, 0, 0, 90_000, 3_600);
        assert_eq!(first, Piece { hold: 60_000, granted: 60, is_last: false });
        assert_eq!(Grant::of(first, 3_600), Grant { until: 60, extend_at: Some(40), warn_at: None });
        let last = next(&TARIFF, 60, 60_000, 30_000, 3_600);
        assert_eq!(last, Piece { hold: 30_000, granted: 90, is_last: true });
        assert_eq!(Grant::of(last, 3_600), Grant { until: 90, extend_at: None, warn_at: Some(75) });
        let short = next(&TARIFF, 0, 0, 30_000, 3_600);
        assert_eq!((short.granted, short.is_last), (30, true));
        assert_eq!(next(&TARIFF, 0, 0, 999, 3_600).granted, 0);
    }

    #[test]
    fn the_longest_call_is_no_end_of_money() {
        let piece = next(&TARIFF, 60, 60_000, 1_000_000, 90);
        assert_eq!((piece.granted, piece.is_last), (90, false));
        assert_eq!(Grant::of(piece, 90), Grant { until: 90, extend_at: None, warn_at: None });
    }

    #[test]
    fn a_dearer_tariff_shortens_what_is_paid_for() {
        let dearer = Tariff { inbound: Rate { minute: 120_000, ..TARIFF.inbound }, ..TARIFF };
        assert_eq!(next(&dearer, 0, 60_000, 0, 3_600), Piece { hold: 0, granted: 30, is_last: true });
        assert_eq!((cost(&dearer, 31, 60_000), cost(&dearer, 10, 60_000)), (60_000, 20_000));
    }
}
