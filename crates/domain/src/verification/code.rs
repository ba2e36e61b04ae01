//! Codes: digits from the secure generator, each as likely as any other.

use tandem_kernel::Rng;

/// The least and the most digits of a code.
pub const CODE_LENGTHS: (i64, i64) = (4, 10);
/// Digits of a code where it is not said.
pub const USUAL_CODE_LENGTH: i64 = 6;
/// Bytes from here on are thrown away: the 250 below make each digit 25 times.
const UNBIASED: u8 = 250;

/// A new code.
#[must_use]
pub fn make_code(length: i64, rng: &dyn Rng) -> String {
    let (least, most) = CODE_LENGTHS;
    let wanted = usize::try_from(length.clamp(least, most)).unwrap_or(0);
    let mut code = String::with_capacity(wanted);
    let mut random = [0; 16];
    while code.len() < wanted {
        rng.fill(&mut random);
        let digits = random.iter().filter(|byte| **byte < UNBIASED).map(|byte| char::from(b'0' + byte % 10));
        code.extend(digits.take(wanted - code.len()));
    }
    code
}

/// Whether a text could be a code.
#[must_use]
pub fn code_fits(text: &str) -> bool {
    (4..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_kernel::SeededRng;

    /// Gives the bytes of a count, one after the other.
    struct Counting(std::sync::atomic::AtomicU8);

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn codes_have_the_length_asked_for() {
        let rng = SeededRng::new(1);
        for length in 4..=10 {
            let code = make_code(length, &rng);
            assert!(code_fits(&code) && code.len() == usize::try_from(length).expect("a length"), "{code}");
        }
        for text in ["", "123", "12345678901", "12 45", "12345a", "１２３４"] {
            assert!(!code_fits(text), "{text}");
        }
    }

    #[test]
    fn every_digit_is_as_likely_as_any_other() {
        // Every byte sixteen times: each digit 400 times, and what would favour the low digits is thrown away.
        let rng = Counting(std::sync::atomic::AtomicU8::new(0));
        let mut counts = [0_u32; 10];
        for _ in 0..400 {
            for digit in make_code(10, &rng).bytes() {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        assert!(most.zip(least).is_some_and(|(most, least)| most - least < 40), "{counts:?}");
        let rng = SeededRng::new(2);
        let firsts = (0..10_000).filter(|_| make_code(6, &rng).starts_with('0')).count();
        assert!((850..1150).contains(&firsts), "{firsts} of 10,000 begin with 0");
    }
}
