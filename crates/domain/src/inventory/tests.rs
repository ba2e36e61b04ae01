//! The index against a model of it that is too simple to be wrong: a sorted map, searched from end to end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Entry, Index, NotANumber, Page, Pattern, Query};

/// The entries by their digits as text, which is the order of a page.
#[derive(Clone, Default)]
struct Model(BTreeMap<String, Entry>);

impl Model {
    fn insert(&mut self, entry: Entry) {
        let kept = self.0.entry(entry.number.to_string()).or_insert(entry);
        *kept = Entry { available: kept.available, ..entry };
    }

    fn set_available(&mut self, number: u64, available: bool) -> bool {
        self.0.get_mut(&number.to_string()).map(|entry| entry.available = available).is_some()
    }

    fn remove(&mut self, number: u64) -> bool {
        self.0.remove(&number.to_string()).is_some()
    }

    fn search(&self, asked: &Asked) -> Page {
        let all: Vec<Entry> = self.0.iter().filter(|(text, entry)| asked.wants(text, entry)).map(|(_, entry)| *entry).collect();
        let numbers = all.iter().skip(asked.offset).take(asked.limit).copied().collect();
        Page { numbers, total: all.len() as u64 }
    }
}

/// A query whose pattern is still the text it was made from.
#[derive(Clone, Debug)]
struct Asked {
    prefixes: Vec<u64>,
    pattern: Option<String>,
    features: u8,
    max_monthly: Option<i64>,
    offset: usize,
    limit: usize,
}

impl Asked {
    fn wants(&self, text: &str, entry: &Entry) -> bool {
        let placed = self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| text.starts_with(&prefix.to_string()));
        let national = &text[calling_code_of(text).len()..];
        entry.available
            && placed
            && entry.features & self.features == self.features
            && self.max_monthly.is_none_or(|most| entry.monthly <= most)
            && self.pattern.as_deref().is_none_or(|pattern| fits(&spelled_out(pattern), national.as_bytes()))
    }

    fn query(&self) -> Query {
        Query {
            prefixes: self.prefixes.clone(),
            pattern: self.pattern.as_deref().map(|text| Pattern::parse(text).unwrap()),
            features_all: self.features,
            max_monthly: self.max_monthly,
            offset: self.offset as u64,
            limit: self.limit,
        }
    }
}

/// The calling codes that the tests draw numbers from.
const CODES: [&str; 6] = ["1", "44", "45", "49", "353", "7"];

fn calling_code_of(text: &str) -> &str {
    CODES.into_iter().find(|code| text.starts_with(code)).unwrap()
}

fn spelled_out(pattern: &str) -> Vec<u8> {
    const KEYPAD: &[u8; 26] = b"22233344455566677778889?99";
    let key =
        |letter: u8| if letter.is_ascii_alphabetic() { KEYPAD[usize::from(letter.to_ascii_uppercase() - b'A')] } else { letter };
    let open_end: &[u8] = if pattern.contains('*') { b"" } else { b"*" };
    pattern.bytes().map(key).chain(open_end.iter().copied()).collect()
}

fn fits(pattern: &[u8], digits: &[u8]) -> bool {
    match pattern.split_first() {
        None => digits.is_empty(),
        Some((b'*', rest)) => (0..=digits.len()).any(|skipped| fits(rest, &digits[skipped..])),
        Some((wanted, rest)) => {
            digits.split_first().is_some_and(|(digit, digits)| (*wanted == b'?' || wanted == digit) && fits(rest, digits))
        }
    }
}

/// Numbers of few digits and few values of them, so that patterns fit and numbers meet.
fn numbers() -> impl Strategy<Value = u64> {
    (select(&CODES[..]), "[1-4][1-37]{0,2}[0-9][147]{1,5}")
        .prop_map(|(code, national)| format!("{code}{national}").parse().unwrap())
}

fn entries() -> impl Strategy<Value = Entry> {
    let terms = (0..8_u8, select(vec![0, 5, 5, 5, 7, 9, 11, 13]), 0..2_i64, 0..3_u8);
    (numbers(), terms, prop::bool::weighted(0.8)).prop_map(|(number, (features, monthly, setup, needs_address), available)| Entry {
        number,
        features,
        monthly,
        setup,
        needs_address,
        available,
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let prefix = prop_oneof![
        select(vec![1_u64, 4, 44, 441, 4412, 45, 35, 353, 7, 14, 11, 2, 999]),
        numbers().prop_map(|number| number / 1_000),
        numbers()
    ];
    let pattern = prop_oneof![
        "[*]?[1-47?]{1,3}[*]?",
        "[*]?[147]{3,7}[*]?",
        "[*]?[147]{3}[*?][147]{1,4}[*]?",
        "[1-4][147?]?[*][147]{1,4}",
        "[*][147][*][147?]{1,2}[*][147][*]",
        "[1-4*][*][147x]{1,2}[*][147]{1,3}[*?][147GPSQ]",
        "[*]{1,3}",
        "[*]?[0-9A-Za-z?]{1,10}",
    ];
    let filters = (select(vec![0, 0, 0, 1, 2, 5, 128]), prop::option::weighted(0.3, -1..15_i64));
    (vec(prefix, 0..4), prop::option::weighted(0.8, pattern), filters, 0..30_usize, 0..12_usize).prop_map(
        |(prefixes, pattern, (features, max_monthly), offset, limit)| Asked {
            prefixes,
            pattern,
            features,
            max_monthly,
            offset,
            limit,
        },
    )
}

/// What befalls an inventory.
#[derive(Clone, Debug)]
enum Event {
    Import(Vec<Entry>),
    SetAvailable(prop::sample::Index, bool),
    Remove(prop::sample::Index),
    Ask(Asked),
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => vec(entries(), 0..120).prop_map(Event::Import),
        3 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(which, available)| Event::SetAvailable(which, available)),
        2 => any::<prop::sample::Index>().prop_map(Event::Remove),
        6 => asked().prop_map(Event::Ask),
    ]
}

fn agree(index: &Index, model: &Model) {
    assert_eq!(index.len(), model.0.len() as u64);
    assert_eq!(index.available_len(), model.0.values().filter(|entry| entry.available).count() as u64);
}

/// Lets the event befall both, and compares what they say.
fn befall(index: &mut Index, model: &mut Model, event: &Event) {
    let nth = |model: &Model, which: &prop::sample::Index| {
        let held = model.0.values().map(|entry| entry.number);
        held.chain([19_999_999_999]).nth(which.index(model.0.len() + 1)).unwrap()
    };
    match event {
        Event::Import(entries) => {
            index.insert_many(entries.iter().copied()).unwrap();
            // Of a number's entries in one import the last one counts, its availability included.
            let last: BTreeMap<u64, Entry> = entries.iter().map(|entry| (entry.number, *entry)).collect();
            last.into_values().for_each(|entry| model.insert(entry));
        }
        Event::SetAvailable(which, available) => {
            let number = nth(model, which);
            assert_eq!(index.set_available(number, *available), model.set_available(number, *available));
            assert_eq!(index.get(number), model.0.get(&number.to_string()).copied());
        }
        Event::Remove(which) => {
            let number = nth(model, which);
            assert_eq!(index.remove(number), model.remove(number));
            assert_eq!(index.get(number), None);
        }
        Event::Ask(asked) => assert_eq!(index.search(&asked.query()), model.search(asked), "{asked:?}"),
    }
    agree(index, model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_the_model_finds(
        block in select(vec![3, 17, 65_536]),
        grams in any::<bool>(),
        first in vec(entries(), 0..400),
        events in vec(events(), 1..40),
    ) {
        let mut index = Index::with_blocks_of(block);
        let mut model = Model::default();
        if grams {
            index = index.with_grams();
        }
        befall(&mut index, &mut model, &Event::Import(first));
        for event in &events {
            befall(&mut index, &mut model, event);
        }
    }

    #[test]
    fn an_import_beside_the_live_index_loses_nothing(
        block in select(vec![3, 17, 65_536]),
        before in vec(entries(), 1..200),
        imported in vec(entries(), 0..200),
        meanwhile in vec(events().prop_filter("one import at a time", |event| !matches!(event, Event::Import(_))), 0..20),
        asked in vec(asked(), 1..10),
    ) {
        let (mut live, mut model) = (Index::with_blocks_of(block), Model::default());
        befall(&mut live, &mut model, &Event::Import(before));
        let (base, base_model) = (live.clone(), model.clone());
        let mut next = base.merged(imported.iter().copied()).unwrap().with_grams();
        for event in &meanwhile {
            befall(&mut live, &mut model, event);
        }
        assert!(next.catch_up(&base, &live));
        // A number that was removed meanwhile stays removed, even if the import names it.
        let before = base_model;
        let removed = |entry: &Entry| before.0.contains_key(&entry.number.to_string()) && live.get(entry.number).is_none();
        let kept = imported.into_iter().filter(|entry| !removed(entry));
        kept.map(|entry| (entry.number, entry)).collect::<BTreeMap<_, _>>().into_values().for_each(|entry| model.insert(entry));
        agree(&next, &model);
        for asked in asked {
            befall(&mut next, &mut model, &Event::Ask(asked));
        }
    }
}

fn plain(number: u64) -> Entry {
    Entry { number, features: 3, monthly: 1_000_000, setup: 0, needs_address: 0, available: true }
}

fn scattered(count: u64) -> impl Iterator<Item = Entry> {
    (0..count).map(|at| {
        let random = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let number = match random % 10 {
            0 => 442_000_000_000 + random % 1_000_000_000,
            1 => 4_930_000_000 + random % 60_000_000,
            _ => 14_150_000_000 + random % 20_000_000,
        };
        Entry { features: (random >> 8) as u8 & 3, monthly: (random >> 12) as i64 % 40, available: random % 7 > 0, ..plain(number) }
    })
}

#[test]
fn blocks_of_their_real_size_answer_like_the_model() {
    let mut model = Model::default();
    scattered(150_000).map(|entry| (entry.number, entry)).collect::<BTreeMap<_, _>>().into_values().for_each(|e| model.insert(e));
    let scanning = Index::build(scattered(150_000)).unwrap();
    let indexed = scanning.with_grams();
    assert!(indexed.has_grams() && !scanning.has_grams());
    agree(&indexed, &model);
    let places = [vec![], vec![1415], vec![1416, 44, 1415123], vec![49]];
    let patterns =
        ["415*", "*", "*777*", "*7777*", "*123456*", "*99", "*1234", "*1?3*5*", "41512*", "2*999*", "*7*", "*0*7*0*", "3?1*"];
    let filters = [(0, None, 0), (1, Some(17), 3), (3, None, 20_000), (4, None, 0), (0, Some(-1), 0), (2, Some(39), 1)];
    let pairs = places.iter().flat_map(|place| patterns.map(|pattern| (place, pattern)));
    for ((prefixes, pattern), (features, max_monthly, offset)) in pairs.zip(filters.into_iter().cycle()) {
        let asked =
            Asked { prefixes: prefixes.clone(), pattern: Some(pattern.to_owned()), features, max_monthly, offset, limit: 20 };
        let expected = model.search(&asked);
        assert_eq!(indexed.search(&asked.query()), expected, "{asked:?}");
        assert_eq!(scanning.search(&asked.query()), expected, "{asked:?}");
    }
    for offset in [0, 70_000, 120_000, 149_999] {
        let asked = Asked { prefixes: vec![], pattern: None, features: 1, max_monthly: None, offset, limit: 100 };
        assert_eq!(indexed.search(&asked.query()), model.search(&asked), "{asked:?}");
    }
}

#[test]
fn numbers_that_follow_one_another_are_found_without_the_lists() {
    // Every number has 415 and 555 at the same place, so the lists would name all of them.
    let index = Index::build((0..10_000).map(|last| plain(14_156_660_000 + last))).unwrap().with_grams();
    let query = |pattern| Query { pattern: Pattern::parse(pattern).ok(), limit: 1, ..Query::default() };
    assert_eq!(index.search(&query("*6666*")).total, 1_000);
    assert_eq!(index.search(&query("*566*")).total, 10_000);
    assert_eq!(index.search(&query("*5666*000")).total, 10);
}

#[test]
fn a_number_bought_is_not_found_and_importing_it_again_does_not_sell_it_twice() {
    let mut index = Index::build([plain(14_155_551_234), plain(14_155_551_235)]).unwrap();
    assert!(index.set_available(14_155_551_234, false));
    index.insert_many([Entry { monthly: 2_000_000, ..plain(14_155_551_234) }]).unwrap();
    assert_eq!(index.get(14_155_551_234), Some(Entry { monthly: 2_000_000, available: false, ..plain(14_155_551_234) }));
    let page = index.search(&Query { prefixes: vec![1415], limit: 10, ..Query::default() });
    assert_eq!(page, Page { numbers: vec![plain(14_155_551_235)], total: 1 });
    assert!(!index.set_available(14_155_551_236, true));
}

#[test]
fn an_import_that_was_overtaken_by_another_is_refused() {
    let mut live = Index::build([plain(14_155_551_234)]).unwrap();
    let base = live.clone();
    let mut late = base.merged([plain(442_079_460_123)]).unwrap();
    live.insert_many([plain(14_155_551_235)]).unwrap();
    assert!(!late.catch_up(&base, &live));
}

#[test]
fn a_value_that_is_no_number_fails_the_whole_import() {
    let mut index = Index::build([plain(14_155_551_234)]).unwrap();
    assert_eq!(index.insert_many([plain(14_155_551_235), plain(44)]), Err(NotANumber(44)));
    assert_eq!((index.len(), index.get(14_155_551_235)), (1, None));
    assert!(Index::default().is_empty());
}
