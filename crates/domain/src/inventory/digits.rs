//! The digits of a block as bit planes, and the patterns decided over them.

use super::pattern::{Atom, Pattern};

/// As many entries as are decided at a time: the planes of a tile fit the processor's nearest cache.
pub(super) const TILE_WORDS: usize = 64;

/// One bit for each of a tile's entries.
pub(super) type Tile = [u64; TILE_WORDS];

/// For each tile, position in the national number and bit of the half-byte there: who has that bit. The planes of a tile
/// stand together.
pub(super) struct DigitPlanes {
    planes: Vec<Tile>,
    /// The fewest and the most national digits in the block.
    pub shortest: usize,
    pub longest: usize,
}

/// Room for the work of a search, kept from tile to tile.
#[derive(Default)]
pub(super) struct Scratch {
    reached: Vec<Tile>,
    next: Vec<Tile>,
}

impl DigitPlanes {
    /// Takes national numbers as they are spelled in a [`super::key::Key`].
    pub fn new(nationals: &[u64]) -> Self {
        let digits = |national: &u64| 16 - national.trailing_zeros() as usize / 4;
        let longest = nationals.iter().map(digits).max().unwrap_or_default();
        let shortest = nationals.iter().map(digits).min().unwrap_or_default();
        let tiles = nationals.len().div_ceil(TILE_WORDS * 64);
        let mut planes = vec![[0; TILE_WORDS]; tiles * longest * 4];
        let tiles = planes.chunks_mut((longest * 4).max(1)).zip(nationals.chunks(TILE_WORDS * 64));
        for (tile, nationals) in tiles {
            for (word, entries) in nationals.chunks(64).enumerate() {
                let mut square = [0; 64];
                square.iter_mut().zip(entries).for_each(|(row, national)| *row = *national);
                transpose(&mut square);
                for (plane, row) in tile.iter_mut().zip(square.iter().rev()) {
                    if let Some(bits) = plane.get_mut(word) {
                        *bits = *row;
                    }
                }
            }
        }
        Self { planes, shortest, longest }
    }

    /// Which entries of the tile fit the pattern.
    ///
    /// Run after run, and for each position: who can have all runs up to this one placed before that position? An entry that
    /// can at one position also can at every later one.
    pub fn matching(&self, tile: usize, pattern: &Pattern, scratch: &mut Scratch) -> Tile {
        let positions = self.longest + 1;
        let Scratch { reached, next } = scratch;
        refill(reached, positions, u64::MAX);
        for (at, run) in pattern.runs().iter().enumerate() {
            refill(next, positions, 0);
            for start in pattern.starts(at, self.shortest, self.longest) {
                let (Some(from), Some(into)) = (reached.get(start), next.get_mut(start + run.len())) else { continue };
                let mut fits = *from;
                self.keep_run(tile, start, run, &mut fits);
                if pattern.ends_number(at) {
                    self.keep_ended(tile, start + run.len(), &mut fits);
                }
                join(into, &fits);
            }
            for position in 1..positions {
                if let Some([before, here]) = next.get_mut(position - 1..=position) {
                    join(here, before);
                }
            }
            std::mem::swap(reached, next);
        }
        reached.last().copied().unwrap_or([0; TILE_WORDS])
    }

    /// The four planes of a position; `None` where no number of the block has so many digits.
    fn position(&self, tile: usize, position: usize) -> Option<&[Tile; 4]> {
        let at = (tile * self.longest + position) * 4;
        if position < self.longest { self.planes.get(at..at + 4)?.first_chunk() } else { None }
    }

    /// Keeps the entries in which the run stands at `start`.
    fn keep_run(&self, tile: usize, start: usize, run: &[Atom], kept: &mut Tile) {
        for (at, atom) in run.iter().enumerate() {
            if kept.iter().all(|word| *word == 0) {
                return;
            }
            match (self.position(tile, start + at), atom) {
                (None, _) => kept.fill(0),
                (Some(planes), Atom::Digit(digit)) => keep_digit(planes, *digit, kept),
                (Some(planes), Atom::Any) => kept.iter_mut().zip(present(planes)).for_each(|(kept, present)| *kept &= present),
            }
        }
    }

    /// Keeps the entries that have no digit at `position`.
    fn keep_ended(&self, tile: usize, position: usize, kept: &mut Tile) {
        if let Some(planes) = self.position(tile, position) {
            kept.iter_mut().zip(present(planes)).for_each(|(kept, present)| *kept &= !present);
        }
    }
}

fn keep_digit([eights, fours, twos, ones]: &[Tile; 4], digit: u8, kept: &mut Tile) {
    let half_byte = digit + 1;
    let unless = |bit: u8| if half_byte >> bit & 1 == 1 { 0 } else { u64::MAX };
    let (eight, four, two, one) = (unless(3), unless(2), unless(1), unless(0));
    let planes = eights.iter().zip(fours).zip(twos).zip(ones);
    for (kept, (((eights, fours), twos), ones)) in kept.iter_mut().zip(planes) {
        *kept &= (eights ^ eight) & (fours ^ four) & (twos ^ two) & (ones ^ one);
    }
}

fn present([eights, fours, twos, ones]: &[Tile; 4]) -> impl Iterator<Item = u64> {
    eights.iter().zip(fours).zip(twos).zip(ones).map(|(((eights, fours), twos), ones)| eights | fours | twos | ones)
}

fn join(into: &mut Tile, from: &Tile) {
    into.iter_mut().zip(from).for_each(|(into, from)| *into |= from);
}

fn refill(tiles: &mut Vec<Tile>, count: usize, word: u64) {
    tiles.clear();
    tiles.resize(count, [word; TILE_WORDS]);
}

/// Turns rows into columns: bit *i* of row *j* becomes bit *j* of row *i*.
fn transpose(square: &mut [u64; 64]) {
    let (mut step, mut low) = (32, u64::MAX >> 32);
    while step > 0 {
        for pair in square.chunks_exact_mut(2 * step) {
            let (upper, lower) = pair.split_at_mut(step);
            for (upper, lower) in upper.iter_mut().zip(lower) {
                let swapped = (*upper >> step ^ *lower) & low;
                *upper ^= swapped << step;
                *lower ^= swapped;
            }
        }
        step /= 2;
        low ^= low << step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let mut square: [u64; 64] = std::array::from_fn(|row| (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let before = square;
        transpose(&mut square);
        for (row, bits) in square.iter().enumerate() {
            let column = before.iter().enumerate().fold(0, |column, (at, bits)| column | (bits >> row & 1) << at);
            assert_eq!(*bits, column, "{row}");
        }
    }
}
