//! The pocket network's numbers: some for every area of four countries, more where many people look, the same at every start.

use std::{collections::HashSet, ops::Range};

use tandem_app::magic;
use tandem_domain::{
    Features,
    purchase::{Offer, OfferState},
};
use tandem_kernel::{Country, Currency, Money, PhoneNumber, places};

use super::{
    Simulated,
    scenario::{Buy, Purpose, Trick, scenarios},
};

/// Numbers that an exchange gives at the most.
const OF_AN_EXCHANGE: u64 = 20;
/// Exchanges that are tried for an area before it is left with what it has: some plans have few.
const MOST_TRIES: u64 = 400;
/// Line numbers that people like, and pay for.
const FINE_LINES: [u64; 6] = [1000, 1234, 2222, 5000, 7000, 7777];

const US_POPULAR: [&str; 16] =
    ["206", "212", "213", "303", "305", "310", "312", "404", "415", "512", "617", "646", "702", "713", "718", "917"];
const CA_POPULAR: [&str; 6] = ["403", "416", "514", "604", "613", "647"];
const GB_POPULAR: [&str; 8] = ["113", "117", "121", "131", "141", "151", "161", "28"];

/// What the numbers of a block have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    UnitedStates,
    Canada,
    TollFree,
    Britain,
    BritishFree,
    Australia,
    AustralianFree,
}

/// A block of numbers: what they begin with, and how an exchange and a line follow.
struct Block {
    sort: Sort,
    prefix: u64,
    exchanges: Range<u64>,
    /// One more than the highest line of an exchange, a power of ten.
    lines: u64,
    want: usize,
}

/// All numbers that the pocket network sells, in order, the magic ones included.
#[must_use]
pub fn inventory() -> Vec<Offer> {
    let mut offers: Vec<Offer> = blocks().iter().flat_map(numbers).collect();
    offers.extend(magic());
    offers.sort_unstable_by_key(|offer| offer.phone);
    offers
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for (country, sort, popular) in [(Country::US, Sort::UnitedStates, &US_POPULAR[..]), (Country::CA, Sort::Canada, &CA_POPULAR)] {
        let want = |area| if popular.contains(&area) { 200 } else { 40 };
        let areas = places::areas(country, None).into_iter();
        blocks.extend(areas.filter_map(|area| american(sort, country, area, want(area))));
    }
    blocks.extend(places::toll_free(Country::US).iter().filter_map(|area| american(Sort::TollFree, Country::US, area, 120)));
    blocks.extend(places::areas(Country::GB, None).into_iter().filter_map(british));
    blocks.push(Block { sort: Sort::BritishFree, prefix: 44_800, exchanges: 100..1_000, lines: 10_000, want: 120 });
    blocks.extend(places::areas(Country::AU, None).into_iter().filter_map(australian));
    blocks.push(Block { sort: Sort::AustralianFree, prefix: 611_800, exchanges: 100..1_000, lines: 1_000, want: 120 });
    blocks
}

fn american(sort: Sort, country: Country, area: &str, want: usize) -> Option<Block> {
    let prefix = places::area_prefix(country, area)?;
    Some(Block { sort, prefix, exchanges: 200..1_000, lines: 10_000, want })
}

/// A British national number has ten digits: what the area leaves of them is exchange and line.
fn british(area: &'static str) -> Option<Block> {
    let prefix = places::area_prefix(Country::GB, area)?;
    let (lines, exchanges) = match area.len() {
        2 => (10_000, 2_000..9_000),
        3 => (10_000, 200..900),
        4 => (1_000, 200..900),
        _ => (1_000, 20..90),
    };
    let want = match area {
        "20" => 600,
        area if GB_POPULAR.contains(&area) => 120,
        _ => 4,
    };
    Some(Block { sort: Sort::Britain, prefix, exchanges, lines, want })
}

fn australian(area: &'static str) -> Option<Block> {
    let prefix = places::area_prefix(Country::AU, area)?;
    let (exchanges, want) = match area {
        "2" => (8_000..10_000, 500),
        "3" => (8_500..10_000, 400),
        "7" => (3_000..3_700, 300),
        _ => (8_100..9_500, 300),
    };
    Some(Block { sort: Sort::Australia, prefix, exchanges, lines: 10_000, want })
}

/// The block's numbers, of exchanges that the numbering plan has.
fn numbers(block: &Block) -> Vec<Offer> {
    let mut offers = Vec::with_capacity(block.want);
    let mut used = HashSet::new();
    for attempt in 0..MOST_TRIES {
        let exchange = block.exchanges.start + mix(block.prefix, attempt) % (block.exchanges.end - block.exchanges.start);
        if offers.len() >= block.want {
            break;
        }
        if is_plausible(block, exchange) && used.insert(exchange) {
            let room = block.want - offers.len();
            offers.extend(of_exchange(block, exchange).take(room));
        }
    }
    offers
}

/// Numbers of one exchange: a fine one at times, and a row of ordinary ones. None where the plan has no such exchange; that it has
/// every line of those that it has is for the tests to know, since asking it costs more than all the rest.
fn of_exchange(block: &Block, exchange: u64) -> impl Iterator<Item = Offer> {
    let (sort, lines) = (block.sort, block.lines);
    let base = (block.prefix * power_above(block.exchanges.end) + exchange) * lines;
    let seed = mix(base, 0);
    let fine = FINE_LINES.get(usize::try_from(seed % 24).unwrap_or(usize::MAX)).map(|line| line % lines);
    let row = (0..OF_AN_EXCHANGE).map(move |place| (seed / 24 + place * 37) % lines);
    let lines = fine.into_iter().chain(row.filter(move |line| Some(*line) != fine));
    let known = is_valid(base).then_some(lines);
    known.into_iter().flatten().map(move |line| offer(sort, PhoneNumber::from_digits(base + line), Some(line) == fine))
}

fn is_valid(digits: u64) -> bool {
    PhoneNumber::parse(&PhoneNumber::from_digits(digits).to_string()).is_ok()
}

/// The exchanges of +1 that are no subscribers': services, directory assistance, time, tests, premium.
fn is_plausible(block: &Block, exchange: u64) -> bool {
    let american = matches!(block.sort, Sort::UnitedStates | Sort::Canada | Sort::TollFree);
    let service = exchange % 100 == 11 || matches!(exchange, 555 | 950 | 958 | 959 | 976);
    let aside = magic::is_set_aside((block.prefix * 1_000 + exchange) * 10_000);
    !(american && (service || aside))
}

fn offer(sort: Sort, phone: PhoneNumber, fine: bool) -> Offer {
    let dice = mix(phone.digits(), 1) % 10;
    let usual = match sort {
        Sort::UnitedStates | Sort::Canada => 99,
        Sort::Britain => 149,
        Sort::TollFree | Sort::BritishFree => 199,
        Sort::Australia => 299,
        Sort::AustralianFree => 399,
    };
    let (monthly, setup) = match dice {
        _ if fine => (499, 1_000),
        7.. => (usual + 50, 0),
        _ => (usual, 0),
    };
    let (voice, text) = (Features::VOICE, Features::VOICE.with(Features::SMS));
    let features = match sort {
        Sort::UnitedStates => text.with(Features::MMS),
        Sort::Canada | Sort::TollFree => text,
        Sort::Britain if dice < 5 => text,
        Sort::Britain | Sort::BritishFree | Sort::Australia | Sort::AustralianFree => voice,
    };
    Offer {
        phone,
        carrier: Simulated::NAME.to_owned(),
        features,
        monthly: dollars(monthly),
        setup: dollars(setup),
        address_requirement: if sort == Sort::Australia { "local" } else { "none" }.to_owned(),
        state: OfferState::Available,
        holder: None,
    }
}

/// The magic numbers that can be bought, all at one price.
fn magic() -> impl Iterator<Item = Offer> {
    let bought = scenarios().iter().filter(|scenario| scenario.trick.purpose() == Purpose::Purchase);
    bought.flat_map(|scenario| {
        let reserved = scenario.trick == Trick::Buy(Buy::Reserved);
        let state = if reserved { OfferState::Reserved } else { OfferState::Available };
        scenario.numbers().map(move |phone| Offer { monthly: dollars(99), state, ..offer(Sort::UnitedStates, phone, false) })
    })
}

const fn dollars(cents: i64) -> Money {
    Money::new(cents * Money::UNIT / 100, Currency::USD)
}

/// The least power of ten that is not below `end`: what makes room for an exchange behind the prefix.
const fn power_above(end: u64) -> u64 {
    let mut power = 1;
    while power < end {
        power *= 10;
    }
    power
}

/// Bits that look like chance and are the same every time (SplitMix64).
const fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::simulated::scenario_of;

    fn count(offers: &[Offer], prefix: u64) -> usize {
        let prefix = format!("+{prefix}");
        offers.iter().filter(|offer| offer.phone.to_string().starts_with(&prefix)).count()
    }

    #[test]
    fn every_area_has_numbers_and_popular_ones_have_more() {
        let offers = inventory();
        assert!((20_000..30_000).contains(&offers.len()), "{}", offers.len());
        for country in [Country::US, Country::CA] {
            for area in places::areas(country, None) {
                let prefix = places::area_prefix(country, area).expect(area);
                assert!(count(&offers, prefix) >= 40, "{area}: {}", count(&offers, prefix));
            }
        }
        for area in places::areas(Country::GB, None).into_iter().chain(places::areas(Country::AU, None)) {
            let country = if area.len() == 1 { Country::AU } else { Country::GB };
            let prefix = places::area_prefix(country, area).expect(area);
            assert!(count(&offers, prefix) >= 4, "{area}");
        }
        for prefix in [1_415, 1_212, 1_310, 1_604, 1_416, 4_420, 612] {
            assert!(count(&offers, prefix) >= 200, "{prefix}");
        }
        for prefix in [1_800, 1_888, 44_800, 611_800] {
            assert!(count(&offers, prefix) >= 100, "{prefix}");
        }
    }

    #[test]
    fn numbers_are_valid_and_offered_once_on_terms_that_make_sense() {
        let offers = inventory();
        let fours = [Country::US, Country::CA, Country::GB, Country::AU];
        for (offer, next) in offers.iter().zip(offers.iter().skip(1)) {
            assert!(offer.phone < next.phone, "in order and once: {}", next.phone);
        }
        for offer in &offers {
            let phone = offer.phone;
            assert_eq!(PhoneNumber::parse(&phone.to_string()), Ok(phone));
            assert!((990_000..=4_990_000).contains(&offer.monthly.micros), "{phone}");
            assert!(offer.features.contains(Features::VOICE));
            let country = phone.country();
            assert!(country.is_none_or(|country| fours.contains(&country)), "{phone} is in {country:?}");
            let local = country == Some(Country::AU) && !phone.national().starts_with("1800");
            assert_eq!(offer.address_requirement == "local", local, "{phone}");
        }
        let dear = offers.iter().filter(|offer| offer.setup.micros > 0).count();
        assert!(dear > 0 && dear * 20 < offers.len(), "{dear} have a setup price");
    }

    #[test]
    fn what_the_seeds_call_gone_and_what_is_magic_to_port_is_not_for_sale() {
        let offers = inventory();
        let has = |digits| offers.iter().any(|offer| offer.phone == PhoneNumber::from_digits(digits));
        assert!(!has(14_155_551_234));
        let kept = |offer: &&Offer| magic::is_set_aside(offer.phone.digits()) && scenario_of(offer.phone).is_none();
        assert_eq!(offers.iter().find(kept), None, "recipients and callees are for sale");
        for scenario in scenarios() {
            for phone in scenario.numbers() {
                let found = offers.iter().find(|offer| offer.phone == phone).map(|offer| offer.state);
                let expected = match scenario.trick {
                    Trick::Port(_) | Trick::Mms(_) => None,
                    Trick::Buy(Buy::Reserved) => Some(OfferState::Reserved),
                    Trick::Buy(_) => Some(OfferState::Available),
                };
                assert_eq!(found, expected, "{phone}");
            }
        }
    }

    #[test]
    fn it_is_the_same_every_time_and_soon_made() {
        let first = inventory();
        let began = Instant::now();
        assert_eq!(inventory(), first);
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 }); // far more than it takes, on a busy machine
        assert!(began.elapsed() < limit, "it took {:?}", began.elapsed());
        println!("{} numbers in {:?}", first.len(), began.elapsed());
    }
}
