//! `/Countries`: what numbers can be bought, where. All of it is our own design.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tandem_app::numbers::{self, FoundNumber, SearchNumbers};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{NumberType, address, inventory::Pattern};
use tandem_kernel::{Country, Location, places};
use utoipa::ToSchema;

use super::{
    convert::{CAPABILITY_WORDS, capabilities, country, features},
    numbers::requirement,
    page,
};
use crate::http::{Call, Endpoint, Field, Kind, Reply, reply::number};

const TAG: &str = "Available numbers";
/// Results that a page has unless the caller says otherwise.
const USUAL: i64 = 50;
const DIGITS: Kind =
    Kind::Form { pattern: "^[0-9]{1,15}$", fits: is_digits, rule: "must be 1 to 15 digits of the number without its calling code" };
const PLACE: Kind = Kind::Text { min: 1, max: 128 };

const REGION: Field = Field::new("Region", PLACE, "A region: its code by ISO 3166-2 or its English name.", r#""NSW""#);
const SEARCH: &[Field] = &[
    Field::new("Type", Kind::Choice(NumberType::WORDS), "Only numbers of this type.", r#""Local""#)
        .unknown_as(Error::unknown_number_type),
    Field::new("Capabilities", Kind::Choices(CAPABILITY_WORDS), "What the numbers must be able to do, all of it.", r#"["Voice"]"#)
        .or(&["Capabilites"])
        .unknown_as(Error::unknown_capability),
    REGION,
    Field::new("City", PLACE, "A city, as the list of locations writes it.", r#""Sydney""#),
    Field::new("Prefix", DIGITS, "What the number begins with, after its calling code.", r#""292""#),
    Field::new("Contains", DIGITS, "Digits that the number has one after the other, after the prefix.", r#""777""#),
    page::COUNT,
    page::SKIP,
    page::TOKEN,
];
const LOCATIONS: &[Field] = &[REGION, page::COUNT, page::SKIP, page::TOKEN];
const PATH: &[(&str, &str)] = &[("CountryCode", "The country, by ISO 3166-1 (two letters).")];

/// A country in which numbers can be bought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct CountryDto {
    /// Its code, by ISO 3166-1.
    #[schema(example = "AU")]
    country_code: String,
    /// Its English name.
    #[schema(example = "Australia")]
    name: &'static str,
    /// What is dialled before its numbers.
    #[schema(example = 61)]
    calling_code: u16,
    /// How many numbers are for sale.
    available: u64,
}

/// Countries in which numbers can be bought, by code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct CountriesAnswer {
    /// The countries.
    countries: Vec<CountryDto>,
    /// How many there are.
    total_count: u64,
}

/// A region, or a city of one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct LocationDto {
    /// The country's code.
    country_code: String,
    /// The region's code, by ISO 3166-2.
    #[schema(example = "NSW")]
    region: Option<&'static str>,
    /// Its English name.
    #[schema(example = "New South Wales")]
    region_name: Option<&'static str>,
    /// The city, where the cities of a region were asked for.
    city: Option<&'static str>,
}

/// Locations that can be named when numbers are looked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct LocationsAnswer {
    /// The page.
    locations: Vec<LocationDto>,
    /// How many there are in all.
    total_count: u64,
    /// What leads to the next page; null on the last.
    next_page_token: Option<String>,
}

/// A number that can be bought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct OfferDto {
    /// The number in E.164.
    #[schema(example = "+61292000000")]
    number: String,
    /// Its type.
    r#type: &'static str,
    /// What it can do.
    capabilities: Vec<&'static str>,
    /// Its country.
    country_code: Option<String>,
    /// Its region, where that is known.
    region: Option<&'static str>,
    /// Its city, where that is known.
    city: Option<&'static str>,
    /// Which address its country wants: `None`, `Any` (in the country) or `Local` (in the number's region).
    address_requirement: &'static str,
    /// What a month costs.
    #[schema(value_type = f64, example = 2.99)]
    monthly_price: Value,
    /// What getting it costs.
    #[schema(value_type = f64, example = 0)]
    setup_price: Value,
    /// The prices' currency.
    #[schema(example = "USD")]
    currency: String,
}

/// Numbers that can be bought, in the order of their digits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct AvailableNumbersAnswer {
    /// The page.
    available_numbers: Vec<OfferDto>,
    /// How many were found in all.
    total_count: u64,
    /// What leads to the next page; null on the last.
    next_page_token: Option<String>,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("listCountries", Method::GET, "/Countries", "List the countries in which numbers can be bought.", countries)
            .answers::<CountriesAnswer>(StatusCode::OK),
        Endpoint::new(
            "listLocations",
            Method::GET,
            "/Countries/{CountryCode}/Locations",
            "List the regions of a country, or the cities of a region.",
            locations,
        )
        .path_docs(PATH)
        .query(LOCATIONS)
        .answers::<LocationsAnswer>(StatusCode::OK)
        .codes(&[Code::InvalidCountryCode, Code::CountryNotFound, Code::CountryUnavailable, Code::UnsupportedLocation]),
        Endpoint::new(
            "findAvailableNumbers",
            Method::GET,
            "/Countries/{CountryCode}/AvailableNumbers",
            "Find numbers that can be bought.",
            find,
        )
        .path_docs(PATH)
        .query(SEARCH)
        .answers::<AvailableNumbersAnswer>(StatusCode::OK)
        .codes(&[
            Code::InvalidCountryCode,
            Code::CountryNotFound,
            Code::CountryUnavailable,
            Code::UnsupportedLocation,
            Code::UnknownNumberType,
            Code::UnknownCapability,
        ]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG).ours()).collect()
}

async fn countries(call: Call) -> Result<Reply> {
    let offered = numbers::countries(&call.app, &call.caller()?)?;
    let dto = |offered: &numbers::OfferedCountry| CountryDto {
        country_code: offered.country.to_string(),
        name: places::country_name(offered.country).unwrap_or(""),
        calling_code: places::calling_code(offered.country).unwrap_or(0),
        available: offered.available,
    };
    let countries: Vec<CountryDto> = offered.iter().map(dto).collect();
    let total_count = count(&countries);
    Ok(Reply::json(StatusCode::OK, &CountriesAnswer { countries, total_count }))
}

async fn locations(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let region = form.text("Region");
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let offset = page.offset()?;
    let country = offered(&call)?;
    let all = match region.map(|region| read_region(country, &region)).transpose()? {
        None => places::regions(country).iter().map(|region| location(country, Some((region.code, region.name)), None)).collect(),
        Some(code) => {
            let region = places::region(country, code).map(|region| (region.code, region.name));
            places::cities(country, Some(code)).into_iter().map(|city| location(country, region, Some(city))).collect::<Vec<_>>()
        }
    };
    let total_count = count(&all);
    let (skip, most) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(page.count).unwrap_or(0));
    let locations: Vec<_> = all.into_iter().skip(skip).take(most).collect();
    let next_page_token = page::Page::after_counted(offset.saturating_add(count(&locations)), total_count);
    Ok(Reply::json(StatusCode::OK, &LocationsAnswer { locations, total_count, next_page_token }))
}

async fn find(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let (kind, able) = (form.choice("Type"), form.choices("Capabilities"));
    let [region, city, prefix, contains] = ["Region", "City", "Prefix", "Contains"].map(|name| form.text(name));
    let page = page::read(&mut form, USUAL);
    form.finish()?;
    page::check(&page)?;
    let offset = page.offset()?;
    let country = offered(&call)?;
    let region = region.map(|region| read_region(country, &region)).transpose()?;
    let command = SearchNumbers {
        location: Some(Location { country, region, area: None }),
        city: city.map(|city| read_city(country, region, &city)).transpose()?,
        kind: kind.and_then(NumberType::parse),
        pattern: pattern(prefix, contains)?,
        features: features(able),
        max_monthly: None,
        offset,
        limit: usize::try_from(page.count).unwrap_or(0),
    };
    let found = numbers::search(&call.app, &call.caller()?, command).await?;
    let available_numbers: Vec<_> = found.numbers.iter().map(offer).collect();
    let answer = AvailableNumbersAnswer {
        next_page_token: page::Page::after_counted(offset.saturating_add(count(&available_numbers)), found.total),
        available_numbers,
        total_count: found.total,
    };
    Ok(Reply::json(StatusCode::OK, &answer))
}

/// The country that the path names, if numbers of it can be bought.
fn offered(call: &Call) -> Result<Country> {
    let country = country("CountryCode", call.param("CountryCode"))?;
    numbers::check_offered(&call.app, &call.caller()?, country)?;
    Ok(country)
}

fn read_region(country: Country, written: &str) -> Result<&'static str> {
    let unknown = || Error::unsupported_location("Region", format!("{country}-{written}"), "the country has no such region");
    address::find_region(country, written.trim()).ok_or_else(unknown)
}

fn read_city(country: Country, region: Option<&str>, city: &str) -> Result<Vec<u64>> {
    let prefixes = places::city_prefixes(country, region, city);
    if prefixes.is_empty() {
        let place = region.map_or_else(|| country.to_string(), |region| format!("{country}-{region}"));
        return Err(Error::unsupported_location("City", format!("{place}, {city}"), "there is no such city"));
    }
    Ok(prefixes)
}

fn pattern(prefix: Option<String>, contains: Option<String>) -> Result<Option<Pattern>> {
    let text = match (prefix, contains) {
        (None, None) => return Ok(None),
        (Some(prefix), None) => prefix,
        (None, Some(contains)) => format!("*{contains}*"),
        (Some(prefix), Some(contains)) => format!("{prefix}*{contains}*"),
    };
    let unread = |_| Error::invalid_value("Contains", "must be shorter");
    Pattern::parse(&text).map(Some).map_err(unread)
}

fn is_digits(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn location(country: Country, region: Option<(&'static str, &'static str)>, city: Option<&'static str>) -> LocationDto {
    LocationDto {
        country_code: country.to_string(),
        region: region.map(|(code, _)| code),
        region_name: region.map(|(_, name)| name),
        city,
    }
}

fn offer(found: &FoundNumber) -> OfferDto {
    OfferDto {
        number: found.phone.to_string(),
        r#type: NumberType::of(found.phone).as_str(),
        capabilities: capabilities(found.features),
        country_code: found.phone.country().map(|country| country.to_string()),
        region: places::region_of(found.phone).map(|region| region.code),
        city: places::city_of(found.phone),
        address_requirement: requirement(found.requirement),
        monthly_price: number(found.monthly.micros),
        setup_price: number(found.setup.micros),
        currency: found.monthly.currency.as_str().to_owned(),
    }
}

fn count<T>(list: &[T]) -> u64 {
    list.len() as u64
}
