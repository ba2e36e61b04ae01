use std::collections::{BTreeSet, HashSet};

use super::*;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::from_e164(text).expect(text)
}

fn country(code: &str) -> Country {
    Country::parse(code).expect(code)
}

#[test]
fn a_number_has_the_name_of_its_longest_prefix() {
    for (text, name) in [
        ("+12125551234", "New York, NY"),
        ("+14155550100", "San Francisco, CA"),
        ("+16285550100", "California"),
        ("+16046850100", "Vancouver, BC"),
        ("+12575550100", "British Columbia"),
        ("+442079460123", "London"),
        ("+441314960123", "Edinburgh"),
        ("+61292123456", "Sydney"),
        ("+61261234567", "Canberra"),
        ("+390641234567", "Rome"),
        ("+390669812345", "Vatican City"),
        ("+81312345678", "Tokyo"),
    ] {
        assert_eq!(lookup(number(text)), Some(name), "{text}");
    }
}

#[test]
fn a_number_without_a_place_has_no_name() {
    for text in ["+18005550100", "+18335550100", "+447700900123", "+61412345678", "+99912345678"] {
        assert_eq!(lookup(number(text)), None, "{text}");
        assert_eq!(place_in(number(text)), None, "{text}");
    }
}

#[test]
fn a_list_of_many_places_reads_as_the_region() {
    let district = number("+61241234567");
    assert!(lookup(district).expect("its places").len() > 100);
    assert_eq!(place_in(district), Some("New South Wales"));
    assert_eq!(place_in(number("+12125551234")), Some("New York, NY"));
    assert_eq!(place_in(number("+16285550100")), Some("California"));
    assert_eq!(place_in(number("+442079460123")), Some("London"));
}

#[test]
fn areas_old_and_new_have_their_region() {
    for (area, region) in [
        ("415", "CA"),
        ("628", "CA"),
        ("332", "NY"),
        ("718", "NY"),
        ("203", "CT"),
        ("310", "CA"),
        ("713", "TX"),
        ("659", "AL"),
        ("947", "MI"),
        ("202", "DC"),
        ("771", "DC"),
        ("206", "WA"),
        ("907", "AK"),
        ("808", "HI"),
    ] {
        assert_eq!(region_of_area(Country::US, area), Some(region), "{area}");
        assert_eq!(region_of_area(Country::CA, area), None, "{area}");
    }
    for (area, region) in
        [("604", "BC"), ("236", "BC"), ("257", "BC"), ("368", "AB"), ("742", "ON"), ("905", "ON"), ("902", "NS"), ("867", "NT")]
    {
        assert_eq!(region_of_area(Country::CA, area), Some(region), "{area}");
        assert_eq!(region_of_area(Country::US, area), None, "{area}");
    }
    for (area, region) in
        [("20", "ENG"), ("121", "ENG"), ("1481", ""), ("131", "SCT"), ("13873", "SCT"), ("29", "WLS"), ("28", "NIR")]
    {
        assert_eq!(region_of_area(Country::GB, area).unwrap_or(""), region, "{area}");
    }
    for (area, region) in [("2", "NSW"), ("3", "VIC"), ("7", "QLD"), ("8", "WA"), ("4", "")] {
        assert_eq!(region_of_area(Country::AU, area).unwrap_or(""), region, "{area}");
    }
}

#[test]
fn every_area_is_its_regions_and_every_region_has_areas() {
    for (country, count, regions_count) in
        [(Country::US, 300, 51), (Country::CA, 40, 13), (Country::GB, 600, 4), (Country::AU, 4, 8)]
    {
        assert_eq!(regions(country).len(), regions_count);
        let all = areas(country, None);
        assert!(all.len() >= count, "{country} has {}", all.len());
        assert!(all.is_sorted());
        for area in &all {
            let code = region_of_area(country, area).expect(area);
            assert!(areas(country, Some(code)).contains(area));
        }
        let by_region: BTreeSet<_> = regions(country).iter().flat_map(|region| areas(country, Some(region.code))).collect();
        assert_eq!(by_region, all.into_iter().collect());
        assert!(regions(country).iter().all(|region| !areas(country, Some(region.code)).is_empty()));
    }
    assert_eq!(areas(Country::US, Some("ZZ")), Vec::<&str>::new());
    assert_eq!(areas(country("DE"), None), Vec::<&str>::new());
}

#[test]
fn toll_free_areas_are_in_no_region() {
    assert_eq!(toll_free(Country::US), ["800", "833", "844", "855", "866", "877", "888"]);
    assert_eq!(toll_free(Country::CA), [""; 0]);
    for area in toll_free(Country::US) {
        assert_eq!(region_of_area(Country::US, area), None);
        assert!(!areas(Country::US, None).contains(area));
        assert!(prefixes(Country::US).contains(&area_prefix(Country::US, area).expect(area)));
    }
    assert_eq!(region_of(number("+18005550100")).map(|region| region.code), None);
}

#[test]
fn a_number_knows_its_region_where_its_area_does_not() {
    for (text, country, code) in [
        ("+14155550100", Country::US, "CA"),
        ("+19023680100", Country::CA, "PE"),
        ("+19024220100", Country::CA, "NS"),
        ("+18676680100", Country::CA, "YT"),
        ("+18679790100", Country::CA, "NU"),
        ("+441387312345", Country::GB, "SCT"),
        ("+442890123456", Country::GB, "NIR"),
        ("+61261234567", Country::AU, "ACT"),
        ("+61299998888", Country::AU, "NSW"),
        ("+61362123456", Country::AU, "TAS"),
        ("+61882123456", Country::AU, "SA"),
        ("+61889412345", Country::AU, "NT"),
        ("+61880812345", Country::AU, "NSW"),
        ("+61892123456", Country::AU, "WA"),
    ] {
        let region = region_of(number(text)).expect(text);
        assert_eq!((region.country(), region.code), (country, code), "{text}");
    }
    // Christmas Island dials 08 as well, but is a country of its own.
    for text in ["+61891641234", "+61412345678", "+4915112345678", "+17875550100"] {
        assert!(region_of(number(text)).is_none(), "{text}");
    }
}

#[test]
fn no_number_is_in_two_regions() {
    let all: Vec<u64> = countries().flat_map(regions).flat_map(Region::prefixes).copied().collect();
    let known: HashSet<u64> = all.iter().copied().collect();
    assert_eq!(known.len(), all.len());
    for prefix in all {
        let shorter = std::iter::successors(Some(prefix / 10), |prefix| Some(prefix / 10)).take_while(|prefix| *prefix > 0);
        assert!(shorter.into_iter().all(|shorter| !known.contains(&shorter)), "{prefix}");
    }
}

#[test]
fn the_regions_of_a_country_are_within_the_country() {
    for region in countries().flat_map(regions) {
        for prefix in region.prefixes() {
            let text = prefix.to_string();
            let within = prefixes(region.country()).iter().any(|whole| text.starts_with(&whole.to_string()));
            assert!(within, "{} {prefix}", region.name);
        }
    }
}

#[test]
fn area_prefixes_have_the_calling_code() {
    assert_eq!(area_prefix(Country::US, "415"), Some(1415));
    assert_eq!(area_prefix(Country::US, "800"), Some(1800));
    assert_eq!(area_prefix(Country::GB, "20"), Some(4420));
    assert_eq!(area_prefix(Country::AU, "8"), Some(618));
    for (country, area) in
        [(Country::US, "604"), (Country::CA, "800"), (Country::GB, "020"), (Country::US, ""), (country("DE"), "30")]
    {
        assert_eq!(area_prefix(country, area), None, "{country} {area}");
    }
}

#[test]
fn countries_are_known_by_code_and_name() {
    for (code, calling, name) in [
        ("US", 1, "United States"),
        ("CA", 1, "Canada"),
        ("GB", 44, "United Kingdom"),
        ("PR", 1, "Puerto Rico"),
        ("KZ", 7, "Kazakhstan"),
    ] {
        assert!(known_country(country(code)));
        assert_eq!(calling_code(country(code)), Some(calling));
        assert_eq!(country_name(country(code)), Some(name));
    }
    for code in ["ZZ", "UK", "AQ"] {
        assert!(!known_country(country(code)), "{code}");
        assert_eq!(calling_code(country(code)), None);
        assert_eq!(prefixes(country(code)), [0; 0]);
    }
    assert_eq!(countries().count(), 245);
    assert!(countries().all(|country| !prefixes(country).is_empty()));
}

#[test]
fn tables_agree_with_the_numbering_plans() {
    for text in [
        "+14155551234",
        "+16045550123",
        "+442079460123",
        "+61299998888",
        "+17875550100",
        "+77172123456",
        "+441481256789",
        "+4779123456",
    ] {
        let number = PhoneNumber::parse(text).expect(text);
        let country = number.country().expect(text);
        assert!(prefixes(country).iter().any(|prefix| text[1..].starts_with(&prefix.to_string())), "{text} of {country}");
    }
}

#[test]
fn carriers_are_known_where_plans_publish_them() {
    for (text, known) in [
        ("+61412345678", Some("Optus")),
        ("+2348031234567", Some("MTN")),
        ("+919812345678", Some("Idea")),
        ("+14155551234", None),
        ("+442079460123", None),
    ] {
        assert_eq!(carrier(PhoneNumber::parse(text).expect(text)), known, "{text}");
    }
}

#[test]
fn time_zones_are_those_of_the_place_or_of_the_code() {
    let of = |text: &str| time_zones(PhoneNumber::parse(text).expect(text));
    assert_eq!(of("+14155551234"), ["America/Los_Angeles"]);
    assert_eq!(of("+4930123456"), ["Europe/Berlin"]);
    assert_eq!(of("+61299998888"), ["Australia/Sydney"]);
    assert!(time_zones_of_code(1).len() > 30);
    assert_eq!(time_zones_of_code(49), ["Europe/Berlin"]);
}
