//! What the inventory index costs at ten million numbers: time to build, memory, and the time of each kind of search.
//!
//! `cargo run --release -p bench --bin inventory [numbers]`. The numbers are made from a fixed seed: nine tenths are North
//! American, in 350 areas of equal size, the rest in seven other countries; one in ten is not available. Every figure is of
//! the whole answer: the exact total and a page of twenty.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tandem_domain::inventory::{Entry, Index, Page, Pattern, Query};

const AREAS: u64 = 350;

fn main() {
    let wanted = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000_000);
    let before = resident();
    let (plain, took) = timed(|| Index::build(numbers(wanted)).unwrap_or_default());
    println!("build            {took:>10.2?}  {} numbers, {} available", plain.len(), plain.available_len());
    println!("memory           {:>7} MiB  without three-digit lists", resident() - before);
    println!("\n## without three-digit lists\n");
    searches(&plain);
    let (index, took) = timed(|| plain.with_grams());
    drop(plain);
    println!("\nthree-digit lists{took:>10.2?}");
    println!("memory           {:>7} MiB  with them; highest so far {} MiB", resident() - before, highest());
    println!("\n## with three-digit lists\n");
    searches(&index);
    println!("\n## changes\n");
    changes(index);
    println!("\nhighest memory   {:>7} MiB", highest());
}

/// SplitMix64: the same numbers on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        choices.get(self.below(choices.len() as u64) as usize).copied().unwrap_or_default()
    }
}

/// One of 201, 203, … 899.
fn area(random: &mut Random) -> u64 {
    201 + 2 * random.below(AREAS)
}

fn number(random: &mut Random) -> u64 {
    if random.below(10) < 9 {
        return 10_000_000_000 + area(random) * 10_000_000 + 2_000_000 + random.below(8_000_000);
    }
    match random.below(7) {
        0 => 447_000_000_000 + random.below(1_000_000_000),
        1 => 493_000_000_000 + random.below(100_000_000_000),
        2 => 33_600_000_000 + random.below(200_000_000),
        3 => 61_400_000_000 + random.below(100_000_000),
        4 => 353_800_000_000 + random.below(90_000_000),
        5 => 819_000_000_000 + random.below(99_999_999),
        _ => 44_200_000_000 + random.below(100_000_000),
    }
}

fn entry(random: &mut Random) -> Entry {
    let number = number(random);
    let features = random.one_of(&[1, 1, 3, 3, 3, 7, 7, 15]);
    let monthly = random.one_of(&[500_000, 990_000, 990_000, 1_000_000, 1_500_000, 2_000_000, 5_000_000, 25_000_000]);
    let setup = if monthly > 4_000_000 { 10_000_000 } else { 0 };
    Entry {
        number,
        features,
        monthly,
        setup,
        needs_address: (number / 10_000_000_000 != 1).into(),
        available: random.below(10) > 0,
    }
}

fn numbers(count: u64) -> impl Iterator<Item = Entry> {
    let mut random = Random(1);
    (0..count).map(move |_| entry(&mut random))
}

fn query(prefixes: &[u64], pattern: &str) -> Query {
    let pattern = (!pattern.is_empty()).then(|| Pattern::parse(pattern).ok()).flatten();
    Query { prefixes: prefixes.to_vec(), pattern, limit: 20, ..Query::default() }
}

/// Some digits, as many as there are zeros in `width`.
fn digits(random: &mut Random, width: u64) -> String {
    let width = width as usize;
    format!("{:0width$}", random.below(10_u64.pow(width as u32)))
}

/// Each kind of search, the pages drawn anew every time.
type Kind = (&'static str, fn(&mut Random) -> Query);

const KINDS: &[Kind] = &[
    ("area", |r| query(&[1_000 + area(r)], "")),
    ("area + 2 features", |r| Query { features_all: 3, ..query(&[1_000 + area(r)], "") }),
    ("area + features + price", |r| Query { features_all: 3, max_monthly: Some(1_000_000), ..query(&[1_000 + area(r)], "") }),
    ("region (30 areas) + features", |r| {
        let areas: Vec<u64> = (0..30).map(|_| 1_000 + area(r)).collect();
        Query { features_all: 3, ..query(&areas, "") }
    }),
    ("country", |_| query(&[1], "")),
    ("country + features + price", |_| Query { features_all: 7, max_monthly: Some(1_000_000), ..query(&[1], "") }),
    ("everywhere + features", |_| Query { features_all: 3, ..query(&[], "") }),
    ("prefix 7 (415555*)", |r| query(&[1], &format!("{}{}*", area(r), 200 + r.below(800)))),
    ("country, deep offset", |r| Query { offset: r.below(8_000_000), ..query(&[1], "") }),
    ("country + features, deep offset", |r| Query { offset: r.below(5_000_000), features_all: 3, ..query(&[1], "") }),
    ("area + contains 3", |r| query(&[1_000 + area(r)], &format!("*{}*", digits(r, 3)))),
    ("area + contains 5", |r| query(&[1_000 + area(r)], &format!("*{}*", digits(r, 5)))),
    ("area + contains 7", |r| query(&[1_000 + area(r)], &format!("*{}*", digits(r, 7)))),
    ("region (30 areas) + contains 3", |r| {
        let areas: Vec<u64> = (0..30).map(|_| 1_000 + area(r)).collect();
        query(&areas, &format!("*{}*", digits(r, 3)))
    }),
    ("country + contains 3", |r| query(&[1], &format!("*{}*", digits(r, 3)))),
    ("country + contains 3 + features", |r| Query { features_all: 3, ..query(&[1], &format!("*{}*", digits(r, 3))) }),
    ("country + contains 3, price", |r| Query { max_monthly: Some(1_000_000), ..query(&[1], &format!("*{}*", digits(r, 3))) }),
    ("country + contains 3, deep offset", |r| Query { offset: r.below(60_000), ..query(&[1], &format!("*{}*", digits(r, 3))) }),
    ("country + contains 4", |r| query(&[1], &format!("*{}*", digits(r, 4)))),
    ("country + contains 5", |r| query(&[1], &format!("*{}*", digits(r, 5)))),
    ("country + contains 7", |r| query(&[1], &format!("*{}*", digits(r, 7)))),
    ("everywhere + contains 5", |r| query(&[], &format!("*{}*", digits(r, 5)))),
    ("everywhere + FLOWERS", |_| query(&[], "*FLOWERS*")),
    ("country + ends with 4", |r| query(&[1], &format!("*{}", digits(r, 4)))),
    ("country + ends with 3", |r| query(&[1], &format!("*{}", digits(r, 3)))),
    ("area + ends with 4", |r| query(&[1_000 + area(r)], &format!("*{}", digits(r, 4)))),
    ("country + area in pattern, ends 00", |r| query(&[1], &format!("{}*00", area(r)))),
    ("country + contains 3 + 3", |r| query(&[1], &format!("*{}*{}*", digits(r, 3), digits(r, 3)))),
    ("worst: everywhere + *777* (repeated)", |_| query(&[], "*777*")),
    ("worst: everywhere + *77*", |_| query(&[], "*77*")),
    ("worst: everywhere + *7*", |_| query(&[], "*7*")),
    ("worst: everywhere + *7", |_| query(&[], "*7")),
    ("worst: everywhere + *7*7*7*", |_| query(&[], "*7*7*7*")),
    ("worst: everywhere + *1?2*3?4*5?6*", |_| query(&[], "*1?2*3?4*5?6*")),
    ("worst: everywhere + *1?3?5?7*", |_| query(&[], "*1?3?5?7*")),
    ("worst: everywhere + *?*?*?*", |_| query(&[], "*?*?*?*")),
    ("worst: everywhere + *x2xx*5x*x*", |_| query(&[], "*x2xx*5x*x*")),
    ("worst: *x2xx*5x*x*, price, features", |_| Query {
        features_all: 3,
        max_monthly: Some(1_000_000),
        offset: 500_000,
        ..query(&[], "*x2xx*5x*x*")
    }),
];

fn searches(index: &Index) {
    println!("| search | p50 | p99 | worst | found |\n|---|---|---|---|---|");
    for (name, make) in KINDS {
        let mut random = Random(7);
        let mut times = Vec::new();
        let mut found = 0;
        let begun = Instant::now();
        while times.len() < 1_000 && (times.len() < 30 || begun.elapsed() < Duration::from_secs(4)) {
            let query = make(&mut random);
            let (page, took): (Page, Duration) = timed(|| index.search(black_box(&query)));
            found += page.total;
            times.push(took);
        }
        println!("| {name} | {} | {} |", spread(&mut times), found / times.len() as u64);
    }
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() - 1) * share / 100).copied().unwrap_or_default();
    format!("{:.1?} | {:.1?} | {:.1?}", at(50), at(99), at(100))
}

fn changes(mut index: Index) {
    let some: Vec<u64> = numbers(100_000).map(|entry| entry.number).collect();
    let mut times: Vec<Duration> = some.iter().map(|number| timed(|| index.set_available(*number, false)).1).collect();
    println!("set_available                  {}", spread(&mut times));
    let (base, took) = timed(|| index.clone());
    println!("clone                          {took:.1?}");
    let mut times: Vec<Duration> = some.iter().map(|number| timed(|| index.set_available(*number, true)).1).collect();
    println!("set_available beside a copy    {}", spread(&mut times));
    let mut times: Vec<Duration> = some.iter().map(|number| timed(|| black_box(index.get(*number))).1).collect();
    println!("get                            {}", spread(&mut times));
    let mut random = Random(99);
    let million: Vec<Entry> = (0..1_000_000).map(|_| entry(&mut random)).collect();
    let (merged, took) = timed(|| base.merged(million).unwrap_or_default());
    println!("merge of 1 000 000 numbers     {took:.2?}  {} numbers; highest memory {} MiB", merged.len(), highest());
    let mut merged = merged;
    let (caught, took) = timed(|| merged.catch_up(&base, &index));
    println!("catch_up with 100 000 changes  {took:.1?}  {caught}");
    let mut one = Random(123);
    let mut times: Vec<Duration> = (0..100).map(|_| timed(|| index.merged([entry(&mut one)])).1).collect();
    println!("merge of one number            {}", spread(&mut times));
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

fn resident() -> u64 {
    status("VmRSS:")
}

fn highest() -> u64 {
    status("VmHWM:")
}

/// A line of the process's status, in MiB; 0 where there is no such file.
fn status(line: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value =
        text.lines().find_map(|row| row.strip_prefix(line)).and_then(|row| row.trim().trim_end_matches(" kB").parse::<u64>().ok());
    value.unwrap_or_default() / 1024
}
