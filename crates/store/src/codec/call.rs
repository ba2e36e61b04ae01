//! What calls that go on keep as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tandem_domain::call::{Attribution, Detail, Origin, Policy, Rate, SpokenCode, Tariff, Way};
use tandem_kernel::{Country, PhoneNumber, VerificationId};

use super::{from_text, to_text};
use crate::Fault;

#[derive(Serialize, Deserialize)]
struct RateRow(i64, i64, i64, i64);

#[derive(Serialize, Deserialize)]
struct TariffRow {
    inbound: RateRow,
    #[serde(default)]
    ways: Vec<WayRow>,
    #[serde(default)]
    offered: Option<(RateRow, i64)>,
}

#[derive(Serialize, Deserialize)]
struct WayRow {
    to: u64,
    rate: RateRow,
    from: i64,
    until: Option<i64>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct DetailRow {
    by: String,
    from_name: Option<String>,
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    content: Option<String>,
    country: Option<String>,
    region: Option<String>,
    city: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<u64>,
    timeout: Option<i64>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    tags: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    custom_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<i64>,
    /// The verification whose code it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    heard: bool,
}

#[derive(Serialize, Deserialize)]
struct PolicyRow {
    countries: Vec<String>,
    most_per_minute: i64,
    most_per_day: i64,
    calls_per_minute: i64,
    most_concurrent: i64,
    longest: i64,
}

/// Writes a tariff.
pub fn tariff_to_text(tariff: &Tariff) -> String {
    let row = |rate: &Rate| RateRow(rate.setup, rate.minute, rate.first, rate.step);
    let way = |way: &Way| WayRow { to: way.to.digits(), rate: row(&way.rate), from: way.from, until: way.until };
    let (offered, at) = &tariff.offered;
    to_text(&TariffRow {
        inbound: row(&tariff.inbound),
        ways: tariff.ways.iter().map(way).collect(),
        offered: (!offered.is_free()).then(|| (row(offered), *at)),
    })
}

/// Reads a tariff.
///
/// # Errors
/// A fault where it is none; so for the others here.
pub fn tariff_from_text(text: &str) -> Result<Tariff, Fault> {
    let rate = |RateRow(setup, minute, first, step)| Rate { setup, minute, first, step };
    let row: TariffRow = from_text(text)?;
    let way = |way: WayRow| Way { to: PhoneNumber::from_digits(way.to), rate: rate(way.rate), from: way.from, until: way.until };
    Ok(Tariff {
        inbound: rate(row.inbound),
        ways: row.ways.into_iter().map(way).collect(),
        offered: row.offered.map_or((Rate::FREE, 0), |(offered, at)| (rate(offered), at)),
    })
}

/// Writes what a call carries along.
pub fn detail_to_text(detail: &Detail) -> String {
    let Detail { initiated_by, from_name, attribution, origin, path, timeout, tags, custom_fields, held, fee, code } =
        detail.clone();
    let Attribution { source, medium, campaign, content } = attribution;
    let Origin { country, region, city } = origin;
    let path = path.into_iter().map(PhoneNumber::digits).collect();
    to_text(&DetailRow {
        by: initiated_by,
        from_name,
        source,
        medium,
        campaign,
        content,
        country,
        region,
        city,
        path,
        timeout,
        tags,
        custom_fields,
        held,
        fee,
        code: code.map(|code| code.verification.to_string()),
        heard: code.is_some_and(|code| code.heard),
    })
}

/// Reads what a call carries along.
pub fn detail_from_text(text: &str) -> Result<Detail, Fault> {
    let row: DetailRow = from_text(text)?;
    Ok(Detail {
        initiated_by: row.by,
        from_name: row.from_name,
        attribution: Attribution { source: row.source, medium: row.medium, campaign: row.campaign, content: row.content },
        origin: Origin { country: row.country, region: row.region, city: row.city },
        path: row.path.into_iter().map(PhoneNumber::from_digits).collect(),
        timeout: row.timeout,
        tags: row.tags,
        custom_fields: row.custom_fields,
        held: row.held,
        fee: row.fee,
        code: row.code.and_then(|id| VerificationId::parse(&id)).map(|verification| SpokenCode { verification, heard: row.heard }),
    })
}

/// Writes what an environment's calls may do.
pub fn calling_policy_to_text(policy: &Policy) -> String {
    let Policy { countries, most_per_minute, most_per_day, calls_per_minute, most_concurrent, longest } = policy.clone();
    let countries = countries.iter().map(Country::to_string).collect();
    to_text(&PolicyRow { countries, most_per_minute, most_per_day, calls_per_minute, most_concurrent, longest })
}

/// Reads it.
pub fn calling_policy_from_text(text: &str) -> Result<Policy, Fault> {
    let PolicyRow { countries, most_per_minute, most_per_day, calls_per_minute, most_concurrent, longest } = from_text(text)?;
    let country = |text: &String| Country::parse(text).ok_or_else(|| Fault::data("a calling policy with an unknown country"));
    let countries = countries.iter().map(country).collect::<Result<_, _>>()?;
    Ok(Policy { countries, most_per_minute, most_per_day, calls_per_minute, most_concurrent, longest })
}
