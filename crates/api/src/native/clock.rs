//! `/clock`: the time of an environment, which a test environment's owner may move.

use http::{Method, StatusCode};
use serde::Serialize;
use tandem_app::clock::{self, Move, MoveClock, Moved};
use tandem_catalogue::{Code, Error, Result};
use tandem_kernel::Period;
use utoipa::ToSchema;

use crate::http::{Call, Endpoint, Field, Kind, Reply};

const TAG: &str = "Clock";
/// A hundred years.
const LONGEST: i64 = 3_155_760_000;
const WAYS: &str = "by_seconds, by, to, frozen";
const ADVANCE: &[Field] = &[
    Field::new("by_seconds", Kind::Int { min: 0, max: LONGEST }, "How far, in seconds.", "86400"),
    Field::new(
        "by",
        Kind::Form {
            pattern: "^P(?=[0-9T])([0-9]{1,4}Y)?([0-9]{1,5}M)?([0-9]{1,6}W)?([0-9]{1,7}D)?(T(?=[0-9])([0-9]{1,8}H)?([0-9]{1,9}M)?([0-9]{1,10}S)?)?$",
            fits: |text| Period::parse(text).is_some(),
            rule: "must be a duration as ISO 8601 writes it, such as P1M or P1DT12H",
        },
        "How far by the calendar, in UTC: `P1M` is the same day of the next month.",
        r#""P1M""#,
    ),
    Field::new("to", Kind::Time, "Where to.", r#""2030-01-01T00:00:00Z""#),
    Field::new("frozen", Kind::Bool, "Whether the clock stands still afterwards; as before where it is not said.", "true"),
];

/// Where the clock is.
#[derive(Serialize, ToSchema)]
struct ClockStateDto {
    /// The environment's time.
    now: String,
    /// Where it was to go.
    target: String,
    /// Whether it stands still.
    frozen: bool,
    /// Pieces of work that fell due on the way and were done.
    ran: u64,
    /// Whether it arrived. If there was too much to do on the way for one request, a further one with `to` set to `target` goes on.
    arrived: bool,
}

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    let endpoints = [
        Endpoint::new("getClock", Method::GET, "/clock", "Read your environment's clock.", get)
            .answers::<ClockStateDto>(StatusCode::OK),
        Endpoint::new(
            "advanceClock",
            Method::POST,
            "/clock/advance",
            "Move a test environment's clock forward, through all that falls due on the way.",
            advance,
        )
        .body(ADVANCE)
        .answers::<ClockStateDto>(StatusCode::OK)
        .codes(&[Code::ClockNotMovable, Code::OneOfRequired]),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.tag(TAG)).collect()
}

async fn get(call: Call) -> Result<Reply> {
    let moved = clock::read(&call.app, &call.caller()?).await?;
    Ok(state(&moved))
}

async fn advance(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (seconds, period, to, frozen) = (form.int("by_seconds"), form.text("by"), form.time("to"), form.boolean("frozen"));
    form.finish()?;
    let ways = [seconds.map(Move::By), period.and_then(|text| Period::parse(&text)).map(Move::Over), to.map(Move::To)];
    let mut ways = ways.into_iter().flatten();
    let to = match (ways.next(), ways.next(), frozen) {
        (Some(way), None, _) => way,
        (None, _, Some(_)) => Move::Stay,
        (None, _, None) => return Err(Error::one_of_required(WAYS)),
        (Some(_), Some(_), _) => {
            let field = if to.is_some() { "to" } else { "by" };
            return Err(Error::invalid_value(field, "must not come with another way to say how far"));
        }
    };
    let moved = clock::advance(&call.app, &call.caller()?, call.operation(), MoveClock { to, frozen }).await?;
    Ok(state(&moved))
}

fn state(moved: &Moved) -> Reply {
    let Moved { now, target, frozen, ran, arrived } = *moved;
    Reply::json(StatusCode::OK, &ClockStateDto { now: now.to_string(), target: target.to_string(), frozen, ran, arrived })
}
