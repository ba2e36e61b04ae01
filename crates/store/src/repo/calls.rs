//! Calls that are over. Every way to look through them reads a bounded number of rows, however many there are.

use tandem_catalogue::Result;
use tandem_domain::call::{ANONYMOUS, Attribution, Call, Direction, Disposition, Filter, Origin};
use tandem_kernel::{CallId, EnvironmentId, PhoneNumber, PropertyId, Timestamp};

use crate::{Fault, Param, Row, Tx};

/// Calls that one look goes through at the most to find those that a filter lets through.
pub const MOST_SEEN: i64 = 20_000;

const SELECT: &str = "SELECT id, environment_id, property_id, direction, caller, callee, endpoint, started_at, answered_at, ended_at, duration, \
                      disposition, source, medium, campaign, content, prompts, recording, country, region, city, first_call, written FROM calls";
/// Whether the caller called for the first time is asked of the index, in the order in which calls are inserted.
const INSERT: &str = "INSERT INTO calls (id, environment_id, property_id, direction, caller, callee, endpoint, started_at, answered_at, ended_at, \
                      duration, disposition, source, medium, campaign, content, prompts, recording, country, region, city, written, \
                      callee_key, endpoint_key, caller_key, first_call) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
                      $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $5 = 'anonymous' OR NOT EXISTS (SELECT 1 FROM calls \
                      WHERE caller_key = $25))";

/// Writes calls of one environment down, in their order, and sets the place of each. The unit of work must hold the environment's lock:
/// so those who read see the places of no call before those of all calls that came before it.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn insert_many(tx: &mut Tx, environment: EnvironmentId, calls: &mut [Call]) -> Result<()> {
    let count = i64::try_from(calls.len()).unwrap_or(i64::MAX);
    let row = tx.first(
        "INSERT INTO call_sequences (environment_id, written) VALUES ($1, $2) \
         ON CONFLICT (environment_id) DO UPDATE SET written = call_sequences.written + $2 RETURNING written",
        &[environment.as_bytes().into(), count.into()],
    )?;
    let last = row.ok_or_else(|| Fault::data("a counter without a row"))?.int(0)?;
    for (place, call) in (last - count + 1..).zip(calls.iter_mut()) {
        call.written = place;
    }
    let derived: Vec<Derived> = calls.iter().map(Derived::of).collect();
    let rows: Vec<Vec<Param>> = calls.iter().zip(&derived).map(|(call, derived)| values(call, derived)).collect();
    tx.execute_many(INSERT, &rows).map(drop)
}

/// What columns hold that a call does not have as it is.
struct Derived {
    caller: String,
    prompts: String,
    callee_key: [u8; 24],
    endpoint_key: Option<[u8; 24]>,
    caller_key: Option<[u8; 24]>,
}

impl Derived {
    fn of(call: &Call) -> Self {
        Self {
            caller: call.caller(),
            prompts: call.prompts.join(","),
            callee_key: key(call.environment.as_bytes(), call.to),
            endpoint_key: call.endpoint.map(|endpoint| key(call.environment.as_bytes(), endpoint)),
            caller_key: call.from.map(|from| key(call.property.as_bytes(), from)),
        }
    }
}

/// An environment or a property, and a number, in one.
fn key(owner: &[u8; 16], number: PhoneNumber) -> [u8; 24] {
    let mut key = [0; 24];
    let bytes = owner.iter().copied().chain(number.digits().to_be_bytes());
    for (to, from) in key.iter_mut().zip(bytes) {
        *to = from;
    }
    key
}

fn values<'a>(call: &'a Call, derived: &'a Derived) -> Vec<Param<'a>> {
    let Attribution { source, medium, campaign, content } = &call.attribution;
    let Origin { country, region, city } = &call.origin;
    vec![
        call.id.as_bytes().into(),
        call.environment.as_bytes().into(),
        call.property.as_bytes().into(),
        call.direction.as_str().into(),
        (&derived.caller).into(),
        call.to.digits().into(),
        call.endpoint.map(PhoneNumber::digits).into(),
        call.started_at.into(),
        call.answered_at.into(),
        call.ended_at.into(),
        call.duration.into(),
        call.disposition.as_str().into(),
        source.as_ref().into(),
        medium.as_ref().into(),
        campaign.as_ref().into(),
        content.as_ref().into(),
        (&derived.prompts).into(),
        call.recording.as_ref().into(),
        country.as_ref().into(),
        region.as_ref().into(),
        city.as_ref().into(),
        call.written.into(),
        (&derived.callee_key).into(),
        derived.endpoint_key.as_ref().into(),
        derived.caller_key.as_ref().into(),
    ]
}

/// Reads a call, whoever it is of.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn of_id(tx: &mut Tx, id: CallId) -> Result<Option<Call>> {
    let rows = tx.query_built(&format!("{SELECT} WHERE id = $1"), &[id.as_bytes().into()])?;
    Ok(rows.first().map(call).transpose()?)
}

/// Reads an environment's call.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn get(tx: &mut Tx, environment: EnvironmentId, id: CallId) -> Result<Option<Call>> {
    Ok(of_id(tx, id)?.filter(|call| call.environment == environment))
}

/// An environment's calls in the order in which they began, the newest first: those before `before`.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn newest(tx: &mut Tx, environment: EnvironmentId, before: Option<(Timestamp, CallId)>, limit: i64) -> Result<Vec<Call>> {
    let (at, id) = before.map_or((Timestamp::from_micros(i64::MAX), CallId::from_bytes([255; 16])), |before| before);
    let rows = tx.query_built(
        &format!("{SELECT} WHERE environment_id = $1 AND (started_at, id) < ($2, $3) ORDER BY started_at DESC, id DESC LIMIT $4"),
        &[environment.as_bytes().into(), at.into(), id.as_bytes().into(), limit.into()],
    )?;
    Ok(rows.iter().map(call).collect::<Result<_, Fault>>()?)
}

/// How many calls an environment has written down.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn written(tx: &mut Tx, environment: EnvironmentId) -> Result<i64> {
    let row = tx.first("SELECT written FROM call_sequences WHERE environment_id = $1", &[environment.as_bytes().into()])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// A stretch of the calls in the order in which they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
    /// After this one.
    pub after: Option<(Timestamp, CallId)>,
    /// How many.
    pub limit: i64,
    /// How many of those that the filter lets through to leave out.
    pub skip: i64,
}

/// What was found in a stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The calls.
    pub calls: Vec<Call>,
    /// The last call that was looked at, where the look ended before the stretch did and before the limit was reached.
    pub seen: Option<CallId>,
}

/// An environment's calls that a filter lets through, in the order in which they began. The filter's property is one of the environment's.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn list(tx: &mut Tx, environment: EnvironmentId, filter: &Filter, stretch: &Stretch) -> Result<Found> {
    let (mut query, lane) = Query::along(environment, filter);
    let (from, id): (i64, &[u8]) = match &stretch.after {
        Some((at, id)) => (at.micros(), id.as_bytes()),
        None => (stretch.from.unwrap_or_default().micros(), &[]), // no id sorts before nothing
    };
    query.add(&["(started_at, id) > (", ", ", ")"], vec![Held::Int(from), Held::Bytes(id.to_vec())]);
    if let Some(until) = stretch.until {
        query.add(&["started_at < ", ""], vec![Held::Int(until.micros())]);
    }
    let seen = if lane.is_whole(filter) { None } else { query.boundary(tx)? };
    if let Some((at, id)) = seen {
        query.add(&["(started_at, id) <= (", ", ", ")"], vec![Held::Int(at.micros()), Held::Bytes(id.as_bytes().to_vec())]);
    }
    query.filter(filter, lane);
    let (limit, skip) = (query.hold(Held::Int(stretch.limit)), query.hold(Held::Int(stretch.skip)));
    let sql = format!("{SELECT} WHERE {} ORDER BY started_at, id LIMIT ${limit} OFFSET ${skip}", query.sql);
    let rows = tx.query_built(&sql, &query.params())?;
    let calls = rows.iter().map(call).collect::<Result<Vec<_>, Fault>>()?;
    let full = i64::try_from(calls.len()).is_ok_and(|length| length >= stretch.limit);
    Ok(Found { calls, seen: seen.filter(|_| !full).map(|(_, id)| id) })
}

/// An environment's calls that were written after a place and that a filter lets through, in the order in which they were written.
/// Looks at [`MOST_SEEN`] places; those after them are for the next look.
#[expect(clippy::missing_errors_doc, reason = "faults of the store only")]
pub fn since(tx: &mut Tx, environment: EnvironmentId, filter: &Filter, after: i64, limit: i64) -> Result<Vec<Call>> {
    let mut query = Query::of("environment_id", Held::Bytes(environment.as_bytes().to_vec()));
    query.add(&["written > ", ""], vec![Held::Int(after)]);
    query.add(&["written <= ", ""], vec![Held::Int(after.saturating_add(MOST_SEEN))]);
    query.filter(filter, Lane::Environment);
    let limit = query.hold(Held::Int(limit));
    let sql = format!("{SELECT} WHERE {} ORDER BY written LIMIT ${limit}", query.sql);
    let rows = tx.query_built(&sql, &query.params())?;
    Ok(rows.iter().map(call).collect::<Result<_, Fault>>()?)
}

/// The index along which calls are looked through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Environment,
    Property,
    Callee,
    Endpoint,
}

impl Lane {
    /// Whether the filter lets everything in the lane through.
    fn is_whole(self, filter: &Filter) -> bool {
        let Filter { property, dispositions, to, endpoints, sources, mediums, campaigns, contents, prompts, first } = filter;
        let texts = [sources, mediums, campaigns, contents, prompts];
        first.is_none()
            && dispositions.is_empty()
            && texts.into_iter().all(Vec::is_empty)
            && (property.is_none() || self == Self::Property)
            && (to.is_empty() || self == Self::Callee)
            && (endpoints.is_empty() || self == Self::Endpoint)
    }
}

enum Held {
    Text(String),
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
}

/// A condition that grows, with its values.
struct Query {
    sql: String,
    values: Vec<Held>,
}

impl Query {
    fn of(column: &str, value: Held) -> Self {
        Self { sql: format!("{column} = $1"), values: vec![value] }
    }

    /// Along the narrowest index that fits. Each is asked for by one column, which says the environment as well.
    fn along(environment: EnvironmentId, filter: &Filter) -> (Self, Lane) {
        let of = |column, bytes: &[u8], lane| (Self::of(column, Held::Bytes(bytes.to_vec())), lane);
        match (filter.to.as_slice(), filter.endpoints.as_slice(), filter.property) {
            ([to], ..) => of("callee_key", &key(environment.as_bytes(), *to), Lane::Callee),
            (_, [endpoint], _) => of("endpoint_key", &key(environment.as_bytes(), *endpoint), Lane::Endpoint),
            (_, _, Some(property)) => of("property_id", property.as_bytes(), Lane::Property),
            _ => of("environment_id", environment.as_bytes(), Lane::Environment),
        }
    }

    /// The last call that this look goes through, where more than that follow.
    fn boundary(&self, tx: &mut Tx) -> Result<Option<(Timestamp, CallId)>> {
        let last = MOST_SEEN - 1;
        let sql = format!("SELECT started_at, id FROM calls WHERE {} ORDER BY started_at, id LIMIT 1 OFFSET {last}", self.sql);
        let rows = tx.query_built(&sql, &self.params())?;
        let last = rows.first().map(|row| Ok::<_, Fault>((row.time(0)?, CallId::from_bytes(row.array(1)?))));
        Ok(last.transpose()?)
    }

    /// Adds what the lane does not say already.
    fn filter(&mut self, filter: &Filter, lane: Lane) {
        let numbers = |numbers: &[PhoneNumber]| {
            numbers.iter().map(|number| Held::Int(i64::try_from(number.digits()).unwrap_or(i64::MAX))).collect()
        };
        let texts = |texts: &[String]| texts.iter().cloned().map(Held::Text).collect();
        if let Some(property) = filter.property.filter(|_| lane != Lane::Property) {
            self.add(&["property_id = ", ""], vec![Held::Bytes(property.as_bytes().to_vec())]);
        }
        if lane != Lane::Callee {
            self.one_of("callee", numbers(&filter.to));
        }
        if lane != Lane::Endpoint {
            self.one_of("endpoint", numbers(&filter.endpoints));
        }
        self.one_of("disposition", filter.dispositions.iter().map(|it| Held::Text(it.as_str().to_owned())).collect());
        self.one_of("source", texts(&filter.sources));
        self.one_of("medium", texts(&filter.mediums));
        self.one_of("campaign", texts(&filter.campaigns));
        self.one_of("content", texts(&filter.contents));
        if !filter.prompts.is_empty() {
            let paths = filter.prompts.iter().map(|path| {
                let (whole, begun) = (self.hold(Held::Text(path.clone())), self.hold(Held::Text(format!("{path},%"))));
                format!("prompts = ${whole} OR prompts LIKE ${begun}")
            });
            let paths = paths.collect::<Vec<_>>().join(" OR ");
            self.sql.push_str(&format!(" AND ({paths})"));
        }
        if let Some(first) = filter.first {
            self.add(&["first_call = ", ""], vec![Held::Bool(first)]);
        }
    }

    fn one_of(&mut self, column: &str, values: Vec<Held>) {
        if values.is_empty() {
            return;
        }
        let places: Vec<String> = values.into_iter().map(|value| format!("${}", self.hold(value))).collect();
        self.sql.push_str(&format!(" AND {column} IN ({})", places.join(", ")));
    }

    /// Adds a condition: its text around the values.
    fn add(&mut self, around: &[&str], values: Vec<Held>) {
        self.sql.push_str(" AND ");
        let mut texts = around.iter();
        self.sql.push_str(texts.next().unwrap_or(&""));
        for value in values {
            let place = self.hold(value);
            self.sql.push_str(&format!("${place}{}", texts.next().unwrap_or(&"")));
        }
    }

    /// Keeps a value; its number as a parameter.
    fn hold(&mut self, value: Held) -> usize {
        self.values.push(value);
        self.values.len()
    }

    fn params(&self) -> Vec<Param<'_>> {
        let param = |value| match value {
            &Held::Int(value) => Param::Int(value),
            &Held::Bool(value) => Param::Bool(value),
            Held::Text(text) => Param::Text(text),
            Held::Bytes(bytes) => Param::Bytes(bytes),
        };
        self.values.iter().map(param).collect()
    }
}

fn call(row: &Row) -> Result<Call, Fault> {
    let number = |column| row.opt_int(column)?.map(u64::try_from).transpose().map_err(|_| Fault::shape(column));
    let text = |column| row.opt_text(column).map(|text| text.map(str::to_owned));
    let caller = row.text(4)?;
    let from = if caller == ANONYMOUS { None } else { Some(row.word(4, PhoneNumber::from_e164)?) };
    Ok(Call {
        id: CallId::from_bytes(row.array(0)?),
        environment: EnvironmentId::from_bytes(row.array(1)?),
        property: PropertyId::from_bytes(row.array(2)?),
        direction: row.word(3, Direction::parse)?,
        from,
        to: number(5)?.map(PhoneNumber::from_digits).ok_or_else(|| Fault::shape(5))?,
        endpoint: number(6)?.map(PhoneNumber::from_digits),
        started_at: row.time(7)?,
        answered_at: row.opt_time(8)?,
        ended_at: row.time(9)?,
        duration: row.int(10)?,
        disposition: row.word(11, Disposition::parse)?,
        attribution: Attribution { source: text(12)?, medium: text(13)?, campaign: text(14)?, content: text(15)? },
        prompts: row.text(16)?.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect(),
        recording: text(17)?,
        origin: Origin { country: text(18)?, region: text(19)?, city: text(20)? },
        first: row.bool(21)?,
        written: row.int(22)?,
    })
}
