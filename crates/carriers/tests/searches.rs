//! Searches that look at every number of a large inventory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod world;

use tandem_app::numbers::{self, SearchNumbers};
use tandem_domain::inventory::{Entry, Pattern};
use tandem_kernel::Environment;
use tandem_testkit::on_both;
use world::{MONTH, World};

fn entry(line: u64) -> Entry {
    Entry { number: 12_122_000_000 + 7 * line, features: 1, monthly: MONTH, setup: 0, needs_address: 0, available: true }
}

on_both! {
    async fn digits_that_stand_apart_are_found_among_very_many_numbers(world: World) {
        let ada = world.owner("Ada").await.live;
        let entries: Vec<Entry> = (0..250_000).map(entry).collect();
        world.app.stock.insert(Environment::Live, &entries).expect("they are numbers");
        let pattern = Pattern::parse("*7?7*").expect("a pattern");
        let command = SearchNumbers { pattern: Some(pattern), limit: 3, ..SearchNumbers::default() };
        let found = numbers::search(&world.app, &ada, command).await.expect("a search");
        let fits = |entry: &&Entry| {
            let digits = (entry.number % 10_000_000_000).to_string();
            digits.as_bytes().windows(3).any(|three| three[0] == b'7' && three[2] == b'7')
        };
        let wanted: Vec<u64> = entries.iter().filter(fits).map(|entry| entry.number).collect();
        let numbers: Vec<u64> = found.numbers.iter().map(|number| number.phone.digits()).collect();
        assert_eq!((found.total, numbers.as_slice()), (wanted.len() as u64, &wanted[..3]));
        world.finish().await;
    }
}
