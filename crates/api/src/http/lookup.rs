//! What is known of a number, as every dialect that is asked shows it.

use serde::Serialize;
use serde_json::{Map, Value};
use tandem_app::lookup::{self, LookedUp};
use tandem_catalogue::{Error, Result};
use tandem_domain::lookup::Known;
use tandem_kernel::places;
use utoipa::ToSchema;

use super::{Call, Reply};

/// Characters of the longest text that is looked at.
const LONGEST: i64 = 64;

/// What is known of a number.
#[derive(Serialize, ToSchema)]
pub struct KnownDto {
    /// What was asked about.
    #[schema(example = "+61412345678")]
    phone_number: String,
    /// Whether it is a number of some country's or service's plan.
    valid: bool,
    /// Why it is none: `not_a_number`, `unknown_calling_code`, `too_short`, `too_long`, `invalid_length` or `not_assigned`, which is
    /// a number that its plan could have but has given to nobody.
    #[schema(example = json!(null))]
    reason: Option<&'static str>,
    /// What is dialled before the national number.
    #[schema(example = 61)]
    calling_code: Option<u16>,
    /// The country, by ISO 3166-1.
    #[schema(example = "AU")]
    country_code: Option<String>,
    /// Its English name.
    #[schema(example = "Australia")]
    country_name: Option<&'static str>,
    /// The part of the country, by ISO 3166-2 without the country.
    #[schema(example = json!(null))]
    region_code: Option<&'static str>,
    /// Its English name.
    #[schema(example = json!(null))]
    region: Option<&'static str>,
    /// Where the number was first issued.
    #[schema(example = json!(null))]
    place: Option<&'static str>,
    /// `fixed_line`, `mobile`, `fixed_line_or_mobile`, `toll_free`, `premium_rate`, `shared_cost`, `voip`, `personal_number`, `pager`,
    /// `uan`, `voicemail` or `unknown`.
    #[schema(example = "mobile")]
    line_type: Option<&'static str>,
    /// To whom the number was first allocated.
    #[schema(example = "Optus")]
    carrier: Option<&'static str>,
    /// IANA's names of the time zones that it can be in.
    #[schema(example = json!(["Australia/Sydney"]))]
    time_zones: Option<Vec<&'static str>>,
    /// As people of its country write it.
    #[schema(example = "0412 345 678")]
    national_format: Option<String>,
    /// As people abroad write it.
    #[schema(example = "+61 412 345 678")]
    international_format: Option<String>,
    /// What is not known or known in part only, by member, and why.
    #[schema(value_type = HashMap<String, String>, example = json!({ "carrier": "To whom the number was first allocated; it may have been ported since." }))]
    notes: Map<String, Value>,
}

impl KnownDto {
    /// Renders what was found.
    pub fn of(found: &LookedUp) -> Self {
        let known = found.answer.as_ref();
        let of = |read: fn(&Known) -> Option<&'static str>| known.ok().and_then(read);
        let notes = known.map(|known| known.notes.as_slice()).unwrap_or_default();
        Self {
            phone_number: known.map_or_else(|_| found.asked.clone(), |known| known.number.to_string()),
            valid: known.is_ok(),
            reason: known.err().map(|unfit| unfit.as_str()),
            calling_code: known.ok().map(|known| known.calling_code),
            country_code: known.ok().and_then(|known| known.country).map(|country| country.to_string()),
            country_name: of(|known| known.country.and_then(places::country_name)),
            region_code: of(|known| known.region.map(|(code, _)| code)),
            region: of(|known| known.region.map(|(_, name)| name)),
            place: of(|known| known.place),
            line_type: of(|known| Some(known.line_type.as_str())),
            carrier: of(|known| known.carrier),
            time_zones: known.ok().map(|known| known.time_zones.clone()).filter(|zones| !zones.is_empty()),
            national_format: known.ok().map(|known| known.number.national_format()),
            international_format: known.ok().map(|known| known.number.international_format()),
            notes: notes.iter().map(|(member, why)| ((*member).to_owned(), (*why).into())).collect(),
        }
    }
}

/// Looks up the number in the path; `render` gives the answer its dialect's form.
///
/// # Errors
/// `too_long`, and what the lookup is refused with.
pub async fn look_up(call: &Call, render: fn(&LookedUp) -> Reply) -> Result<Reply> {
    let asked = call.param("number").trim().to_owned();
    if asked.chars().count() > usize::try_from(LONGEST).unwrap_or(usize::MAX) {
        return Err(Error::too_long("number", LONGEST));
    }
    let (caller, operation) = (call.caller()?, call.operation());
    call.answer(render, |finish| lookup::look_up(&call.app, &caller, operation, asked, call.head, finish)).await
}
