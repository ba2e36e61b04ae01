//! Cutting a text into the parts that fit into a message each.

use tandem_catalogue::{Error, Result};

use super::Encoding;

/// The most parts that a text may take: enough for 1600 letters, which is the longest that a dialect documents, of any alphabet whose
/// letters are two octets.
pub const MOST_PARTS: usize = 24;

/// A text, cut: each part's octets as [`Encoding::write`] writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How it is written.
    pub encoding: Encoding,
    /// The parts, in order; an empty text is one empty part.
    pub parts: Vec<Vec<u8>>,
}

impl Cut {
    /// All parts together, for an SMSC that takes a long text whole.
    #[must_use]
    pub fn whole(&self) -> Vec<u8> {
        self.parts.concat()
    }
}

/// Cuts a text in the cheapest encoding.
///
/// # Errors
/// `message_too_long` where it takes more than [`MOST_PARTS`].
pub fn cut(text: &str) -> Result<Cut> {
    let encoding = Encoding::choose(text);
    let parts = cut_as(encoding, text).ok_or_else(Error::internal)?;
    if parts.len() > MOST_PARTS {
        let count = |parts: usize| i64::try_from(parts).unwrap_or(i64::MAX);
        return Err(Error::message_too_long("body", count(parts.len()), count(MOST_PARTS)));
    }
    Ok(Cut { encoding, parts })
}

/// Cuts a text in a given encoding; `None` where that cannot write it. What belongs together is not torn apart.
#[must_use]
pub fn cut_as(encoding: Encoding, text: &str) -> Option<Vec<Vec<u8>>> {
    let (alone, each) = encoding.limits();
    let whole = encoding.write(text)?;
    if whole.len() <= alone * encoding.width() {
        return Some(vec![whole]);
    }
    let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
    let mut room = each;
    let mut rest = whole.as_slice();
    for c in text.chars() {
        let units = encoding.units(c)?;
        if units > room {
            parts.push(Vec::new());
            room = each;
        }
        room -= units;
        let (glyph, after) = rest.split_at_checked(units * encoding.width())?;
        rest = after;
        parts.last_mut()?.extend_from_slice(glyph);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(text: &str) -> (&'static str, usize) {
        let cut = cut(text).expect(text);
        (cut.encoding.as_str(), cut.parts.len())
    }

    /// What every reference counts the same.
    #[test]
    fn segments_are_counted_as_everywhere() {
        let many = |c: &str, times: usize| c.repeat(times);
        for (text, expected) in [
            (String::new(), ("gsm7", 1)),
            (many("a", 1), ("gsm7", 1)),
            (many("a", 160), ("gsm7", 1)),
            (many("a", 161), ("gsm7", 2)),
            (many("a", 306), ("gsm7", 2)),
            (many("a", 307), ("gsm7", 3)),
            (many("a", 459), ("gsm7", 3)),
            (many("a", 460), ("gsm7", 4)),
            (many("a", 1530), ("gsm7", 10)),
            (many("@", 160), ("gsm7", 1)),
            (many("ß", 160), ("gsm7", 1)),
            (many("Δ", 161), ("gsm7", 2)),
            (many("\n", 160), ("gsm7", 1)),
            (many("€", 80), ("gsm7", 1)),
            (many("€", 81), ("gsm7", 2)),
            (many("a", 159) + "€", ("gsm7", 2)),
            (many("a", 158) + "€", ("gsm7", 1)),
            (many("a", 152) + "€" + &many("a", 151), ("gsm7", 2)),
            (many("a", 152) + "€" + &many("a", 152), ("gsm7", 3)),
            (many("€", 152), ("gsm7", 2)),
            (many("€", 153), ("gsm7", 3)),
            (many("[", 80), ("gsm7", 1)),
            (many("\u{c}", 80), ("gsm7", 1)),
            (many("ç", 1), ("ucs2", 1)),
            (many("`", 1), ("ucs2", 1)),
            (many("\t", 1), ("ucs2", 1)),
            (many("á", 70), ("ucs2", 1)),
            (many("á", 71), ("ucs2", 2)),
            (many("я", 134), ("ucs2", 2)),
            (many("я", 135), ("ucs2", 3)),
            (many("я", 670), ("ucs2", 10)),
            (many("a", 1600), ("gsm7", 11)),
            (many("€", 1600), ("gsm7", 22)),
            (many("я", 1600), ("ucs2", 24)),
            (many("a", 69) + "я", ("ucs2", 1)),
            (many("a", 70) + "я", ("ucs2", 2)),
            (many("😀", 35), ("ucs2", 1)),
            (many("😀", 36), ("ucs2", 2)),
            (many("😀", 66), ("ucs2", 2)),
            (many("😀", 67), ("ucs2", 3)),
            (many("я", 66) + "😀" + &many("я", 65), ("ucs2", 2)),
            (many("я", 66) + "😀" + &many("я", 66), ("ucs2", 3)),
        ] {
            assert_eq!(counted(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_takes_too_many_parts_is_refused() {
        for (text, parts) in [("a".repeat(3673), 25), ("я".repeat(1609), 25), ("😀".repeat(1000), 31)] {
            let refused = cut(&text).expect_err("too long");
            assert_eq!(refused.code().name(), "message_too_long");
            assert!(refused.render(tandem_catalogue::Dialect::Native).message.contains(&parts.to_string()));
        }
    }

    #[test]
    fn latin1_is_never_chosen_but_can_be_asked_for() {
        assert_eq!(Encoding::choose("ç"), Encoding::Ucs2);
        let lengths = |text: &str| cut_as(Encoding::Latin1, text).map(|parts| parts.iter().map(Vec::len).collect::<Vec<_>>());
        assert_eq!(lengths(&"ç".repeat(140)), Some(vec![140]));
        assert_eq!(lengths(&"ç".repeat(141)), Some(vec![134, 7]));
        assert_eq!(lengths("€"), None);
    }

    fn texts() -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            6 => prop::char::range('a', 'z'),
            2 => prop::sample::select(vec!['€', '[', ']', '{', '}', '~', '^', '|', '\\', '\u{c}']),
            1 => prop::sample::select(vec!['@', 'Ω', 'ß', '\n', '\r', '¡']),
        ];
        let any = prop_oneof![3 => prop::char::range('а', 'я'), 2 => prop::char::range('😀', '😿'), 1 => prop::char::any()];
        let of = |letters| prop::collection::vec(letters, 0..400).prop_map(|letters: Vec<char>| letters.into_iter().collect());
        prop_oneof![of(letter.boxed()), of(any.boxed())]
    }

    proptest! {
        #[test]
        fn nothing_is_lost_torn_or_too_long(text in texts()) {
            let encoding = Encoding::choose(&text);
            let parts = cut_as(encoding, &text).expect("the chosen encoding writes it");
            let (alone, each) = encoding.limits();
            let most = if parts.len() == 1 { alone } else { each } * encoding.width();
            prop_assert!(parts.iter().all(|part| part.len() <= most));
            prop_assert_eq!(encoding.read(&parts.concat()), text.clone());
            // Each part reads by itself: no escape and no surrogate is parted from what belongs to it.
            let apart: String = parts.iter().map(|part| encoding.read(part)).collect();
            prop_assert_eq!(apart, text.clone());
            let units: usize = text.chars().filter_map(|c| encoding.units(c)).sum();
            prop_assert!(parts.len() == 1 || units > alone);
            prop_assert!(parts.len() <= units.div_ceil(each - 1).max(1));
        }

        #[test]
        fn packed_septets_unpack(septets in prop::collection::vec(0_u8..128, 0..170), fill in 0_u8..8) {
            let packed = super::super::encoding::pack(&septets, fill);
            prop_assert_eq!(packed.len(), (usize::from(fill) + septets.len() * 7).div_ceil(8));
            prop_assert_eq!(super::super::encoding::unpack(&packed, fill, septets.len()), septets);
        }

        #[test]
        fn any_octets_read_as_something(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            for encoding in [Encoding::Gsm, Encoding::Latin1, Encoding::Ucs2] {
                let text = encoding.read(&octets);
                prop_assert!(text.chars().count() <= octets.len());
            }
        }
    }
}
