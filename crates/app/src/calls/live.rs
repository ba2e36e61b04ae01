//! A call that goes on: each step is one unit of work, done once however often it is asked for.

use serde_json::{Map, Value};
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    account::AccountStatus,
    call::{
        self, Call, Detail, Direction, Ending, Live, PACE, Phase, Rate, SpokenCode, Tariff, Traffic,
        money::{self, AHEAD, Grant, Piece},
        rates,
    },
    config, property,
    routing::Plan,
};
use tandem_kernel::{CallId, DeviceId, EnvironmentId, Money, PhoneNumber, Timestamp, TrunkId, VerificationId};
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{
    Fault, Tx,
    repo::{accounts, calls, ledger, live_calls, numbers},
};

use super::notes;
use crate::{App, app::Desk, conferences, spending::Budget, verifications};

/// A call that begins.
#[derive(Clone, Debug)]
pub struct BeginCall {
    /// Its id, made by whoever carries it: the same id begins one call.
    pub id: CallId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Who begins it.
    pub direction: Direction,
    /// Who calls; none who hides the number.
    pub from: Option<PhoneNumber>,
    /// Who is called.
    pub to: PhoneNumber,
    /// The number of the environment's that it is about: the one that was called, or the one that calls.
    pub number: PhoneNumber,
    /// The trunk that brought it.
    pub trunk_in: Option<TrunkId>,
    /// The device that made it.
    pub device: Option<DeviceId>,
    /// `api`, `device`, `trunk`, `pocket`, `internal` or `verification`.
    pub initiated_by: String,
    /// The caller's name.
    pub from_name: Option<String>,
    /// The numbers through which it came.
    pub path: Vec<PhoneNumber>,
    /// The numbers outside that are called first: the dearest of them is what the beginning has to be paid for.
    pub outside: Vec<PhoneNumber>,
    /// Seconds that it may ring.
    pub timeout: Option<i64>,
    /// Seconds that it may last; as long as the policy allows where nothing is said.
    pub max_duration: Option<i64>,
    /// What it costs once whoever is called first has answered, in place of what the numbers cost, in millionths.
    pub fee: Option<i64>,
    /// The verification whose code it says. Such a call need not be about a number of the environment's.
    pub code: Option<VerificationId>,
    /// Its maker's labels.
    pub tags: Map<String, Value>,
    /// Its maker's fields.
    pub custom_fields: Map<String, Value>,
    /// Why it goes where it goes.
    pub explanation: Explanation,
}

impl BeginCall {
    /// A call that the account has us make, as a plan says.
    #[must_use]
    pub fn of_ours(
        app: &App,
        environment: EnvironmentId,
        from: PhoneNumber,
        to: PhoneNumber,
        plan: &Plan,
        explanation: Explanation,
    ) -> Self {
        Self {
            id: CallId::new(app.machine_now(), &*app.rng),
            environment,
            direction: Direction::Outbound,
            from: Some(from),
            to,
            number: from,
            trunk_in: None,
            device: None,
            initiated_by: "api".to_owned(),
            from_name: None,
            path: Vec::new(),
            outside: plan.begin.outside().collect(),
            timeout: None,
            max_duration: None,
            fee: None,
            code: None,
            tags: Map::new(),
            custom_fields: Map::new(),
            explanation,
        }
    }
}

/// What a call that has a price of its own costs once somebody has answered.
const fn flat(fee: i64) -> Rate {
    Rate { setup: fee, ..Rate::FREE }
}

/// Who took a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The number outside that took it.
    pub endpoint: Option<PhoneNumber>,
    /// The device.
    pub device: Option<DeviceId>,
    /// The trunk that carries it on.
    pub trunk: Option<TrunkId>,
    /// Whether that number costs nothing: it is one of this installation's.
    pub internal: bool,
}

/// Begins a call: looks at the brakes, sets the beginning's money aside, and tells of it.
///
/// # Errors
/// `account_suspended`, `call_limit_reached`, `spending_limit_reached`, `insufficient_funds`, `call_over` for an id whose call has ended.
pub async fn begin(app: &App, command: BeginCall) -> Result<(Live, Grant)> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, command.environment)?;
        begin_in(tx, &desk, &command)
    };
    let begun = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(begun)
}

/// As [`begin`], in a unit of work that is open.
pub(crate) fn begin_in(tx: &mut Tx, desk: &Desk, command: &BeginCall) -> Result<(Live, Grant)> {
    if let Some(live) = live_calls::get(tx, command.id)? {
        let grant = granted(&live);
        return Ok((live, grant));
    }
    if calls::get(tx, command.environment, command.id)?.is_some() {
        return Err(Error::call_over(command.id.to_string()));
    }
    let mut why = command.explanation.clone();
    check_account(tx, desk)?;
    let policy = live_calls::policy(tx, command.environment)?.unwrap_or_default();
    let traffic = traffic(tx, desk)?;
    let currency = ledger::wallet(tx, command.environment)?.currency;
    policy.check_traffic(traffic, currency, &mut why)?;
    let longest = command.max_duration.map_or(policy.longest, |seconds| seconds.min(policy.longest));
    let mut live = blank(tx, desk, command, longest)?;
    let piece = set_aside(tx, desk, &mut live, policy.left_today(traffic.spent), 0)?;
    let enough = piece.granted > 0 || live.tariff.is_free();
    let compared = format!("{} s are paid for with {}", piece.granted, Money::new(live.held, currency));
    if !why.note("the wallet pays for the beginning of the call", compared, enough) {
        return Err(too_poor(tx, desk, &live)?);
    }
    live_calls::insert(tx, &live)?;
    notes::initiated(tx, desk, &live)?;
    why.subject = live.id.to_string();
    desk.explain(tx, &why.concluding("the call was begun"))?;
    let grant = grant(&live, piece);
    Ok((live, grant))
}

/// Before other numbers outside are rung: sets aside what the dearest of them costs from now on, so that whoever answers is paid for.
///
/// # Errors
/// `call_over`, `insufficient_funds`.
pub async fn dial(app: &App, id: CallId, outside: Vec<PhoneNumber>) -> Result<Grant> {
    changed(app, id, move |tx, desk, mut live| {
        let spoken = live.spoken(desk.pen.machine_now());
        let covered = live.is_covered();
        let priced = outside.iter().filter(|_| !covered);
        live.tariff.offer(priced.map(|number| rates::of(Direction::Outbound, *number)), spoken);
        let piece = set_aside_now(tx, desk, &mut live, spoken)?;
        if piece.granted <= spoken && !live.tariff.is_free() {
            return Err(too_poor(tx, desk, &live)?);
        }
        live_calls::update(tx, &live)?;
        Ok(grant(&live, piece))
    })
    .await
}

/// A telephone rings. Told once.
///
/// # Errors
/// `call_over`.
pub async fn ring(app: &App, id: CallId) -> Result<()> {
    changed(app, id, |tx, desk, mut live| {
        if live.phase == Phase::Initiated {
            live.phase = Phase::Ringing;
            live_calls::update(tx, &live)?;
            notes::ringing(tx, desk, &live)?;
        }
        Ok(())
    })
    .await
}

/// Somebody or something took it: from now on it costs what that number costs. Where a menu took it and somebody outside takes it from
/// there, or it is transferred, this is said again with that number, which is paid from then on until it has left. The same is told once.
///
/// # Errors
/// `call_over`.
pub async fn answer(app: &App, id: CallId, by: Answer) -> Result<Grant> {
    changed(app, id, move |tx, desk, mut live| {
        let first = live.phase != Phase::Answered;
        let there = |number| live.tariff.ways.iter().any(|way| way.to == number && way.until.is_none());
        let nobody_new = by.endpoint.is_none_or(there) && by.device.is_none();
        if !first && nobody_new {
            return Ok(granted(&live));
        }
        let now = desk.pen.machine_now();
        let spoken = if first { 0 } else { live.spoken(now) };
        if first {
            (live.phase, live.answered_at) = (Phase::Answered, Some(now));
        }
        (live.endpoint, live.trunk_out) = (by.endpoint, by.trunk);
        live.device = by.device.or(live.device);
        let covered = live.is_covered();
        let outside = by.endpoint.filter(|_| !by.internal || covered);
        let rate = |number| match live.detail.fee.filter(|_| covered) {
            Some(fee) if first => flat(fee),
            Some(_) => Rate::FREE,
            None => rates::of(Direction::Outbound, number),
        };
        live.tariff.reached(outside.map(|number| (number, rate(number))), spoken);
        let piece = set_aside_now(tx, desk, &mut live, spoken)?;
        live_calls::update(tx, &live)?;
        if first {
            notes::answered(tx, desk, &live)?;
        }
        Ok(grant(&live, piece))
    })
    .await
}

/// A party outside has left a call that goes on: it is paid until now. So is nobody who was rung.
///
/// # Errors
/// `call_over`.
pub async fn part(app: &App, id: CallId, left: Option<PhoneNumber>) -> Result<Grant> {
    changed(app, id, move |tx, desk, mut live| {
        let spoken = live.spoken(desk.pen.machine_now());
        live.tariff.offer([], 0);
        if let Some(number) = left {
            live.tariff.left(number, spoken);
        }
        if live.tariff.is_free() {
            live.granted = live.longest;
        }
        live_calls::update(tx, &live)?;
        Ok(granted(&live))
    })
    .await
}

/// All of the code that a call is for was said to whoever took it. Noted once.
///
/// # Errors
/// `call_over`.
pub async fn code_heard(app: &App, id: CallId) -> Result<()> {
    changed(app, id, |tx, desk, mut live| {
        let Some(code) = live.detail.code.as_mut().filter(|code| !code.heard) else { return Ok(()) };
        code.heard = true;
        let mut why = Explanation::of("verification", code.verification.to_string());
        why.note("somebody takes the call and hears the code", live.id.to_string(), true);
        live_calls::update(tx, &live)?;
        desk.explain(tx, &why.concluding("the code was heard"))
    })
    .await
}

/// A telephone has joined a call with another call of its own, and has left both: it is paid until now, and each call goes on.
///
/// # Errors
/// `call_over`.
pub async fn hand_on(app: &App, id: CallId, left: Option<PhoneNumber>, other: CallId) -> Result<Grant> {
    changed(app, id, move |tx, desk, mut live| {
        let spoken = live.spoken(desk.pen.machine_now());
        live.tariff.offer([], 0);
        let mut why = Explanation::of("join", live.id.to_string());
        why.note("a telephone joins two calls of its own and leaves both", format!("the other one is {other}"), true);
        if let Some(number) = left {
            live.tariff.left(number, spoken);
            why.note("who has left is paid no more", format!("{number}, after {spoken} s"), true);
        }
        if live.tariff.is_free() {
            live.granted = live.longest;
        }
        live_calls::update(tx, &live)?;
        desk.explain(tx, &why.concluding(format!("it goes on together with {other}, each with its own price, record and end")))?;
        Ok(granted(&live))
    })
    .await
}

/// An order has put the parties of a call on hold, or joined them again.
///
/// # Errors
/// `call_over`.
pub async fn put_on_hold(app: &App, id: CallId, held: bool) -> Result<()> {
    changed(app, id, move |tx, _, mut live| {
        live.detail.held = held;
        live_calls::update(tx, &live)
    })
    .await
}

/// Sets more aside for a call that goes on. Where it is asked too early, nothing changes.
///
/// # Errors
/// `call_over`.
pub async fn extend(app: &App, id: CallId) -> Result<Grant> {
    changed(app, id, |tx, desk, mut live| {
        let left = live.granted.saturating_sub(live.spoken(desk.pen.machine_now()));
        if live.tariff.is_free() || left > AHEAD {
            return Ok(granted(&live));
        }
        let start = live.granted;
        let piece = set_aside_now(tx, desk, &mut live, start)?;
        live_calls::update(tx, &live)?;
        Ok(grant(&live, piece))
    })
    .await
}

/// Ends a call: what was spoken is paid, the rest given back, its record and its one terminal event are written. A repetition answers the
/// record that is there.
///
/// # Errors
/// `call_not_found` for an id that began no call.
pub async fn finish(app: &App, id: CallId, ending: Ending) -> Result<Call> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let Some((environment, record)) = place(tx, id)? else { return Err(Error::call_not_found(id.to_string())) };
        if let Some(record) = record {
            return Ok(record);
        }
        let desk = pen.open(tx, environment)?;
        match live_calls::get(tx, id)? {
            Some(live) => close(tx, &desk, &live, &ending, pen.machine_now()),
            // Somebody else ended it while this waited for the environment.
            None => calls::get(tx, environment, id)?.ok_or_else(|| Error::call_not_found(id.to_string())),
        }
    };
    let call = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(call)
}

/// Ends a call that goes on, at `machine` of the machine's clock.
pub(super) fn close(tx: &mut Tx, desk: &Desk, live: &Live, ending: &Ending, machine: Timestamp) -> Result<Call> {
    if !live_calls::remove(tx, live.id)? {
        return Err(Error::concurrent_modification("call"));
    }
    let machine = live.over_at(machine);
    let seconds = live.spoken(machine);
    let cost = if live.answered_at.is_some() { money::cost(&live.tariff, seconds, live.held) } else { 0 };
    settle(tx, desk, live, cost)?;
    let (call, outcome) = live.ended(ending, cost, machine, desk.now);
    let mut records = [call];
    calls::insert_many(tx, live.environment, &mut records)?;
    live_calls::conclude(tx, live.environment, live.id, &outcome)?;
    let [call] = records;
    conferences::call_left(tx, desk, live.id)?;
    notes::ended(tx, desk, &call, &outcome)?;
    if let Some(code) = live.detail.code.filter(|code| !code.heard) {
        verifications::unheard(tx, desk, code.verification, (live.id, ending.reason))?;
    }
    let why = charge(tx, desk, live, seconds, cost)?;
    desk.explain(tx, &why)?;
    Ok(call)
}

/// Pays `cost` out of what was set aside, in the order in which it was, and gives the rest back.
fn settle(tx: &mut Tx, desk: &Desk, live: &Live, cost: i64) -> Result<()> {
    let mut left = cost;
    let mut postings = Vec::new();
    for (place, (hold, remaining)) in live_calls::open_holds(tx, live.id)?.into_iter().enumerate() {
        let paid = left.min(remaining);
        if paid > 0 {
            postings.push((Posting::Capture(hold, paid), cause(live, &format!("capture {place}"), "spoken")));
        }
        if remaining > paid {
            postings.push((Posting::Release(hold, remaining - paid), cause(live, &format!("release {place}"), "not spoken")));
        }
        left -= paid;
    }
    if !postings.is_empty() {
        ledger::post(tx, live.environment, postings, desk.now)?;
    }
    Ok(())
}

fn charge(tx: &mut Tx, desk: &Desk, live: &Live, seconds: i64, cost: i64) -> Result<Explanation> {
    let currency = ledger::wallet(tx, desk.settings.id)?.currency;
    let money = |micros| Money::new(micros, currency);
    let mut why = Explanation::of("charge", live.id.to_string());
    why.note(
        "somebody answered",
        live.answered_at.map_or_else(|| "nobody did".to_owned(), |_| format!("{seconds} s were spoken")),
        seconds > 0,
    );
    let ways = live.tariff.ways.iter().map(|way| {
        let until = way.until.map_or(seconds, |until| until.min(seconds));
        (format!("going out to {}", way.to), way.rate, until.saturating_sub(way.from))
    });
    for (name, rate, seconds) in std::iter::once(("coming in".to_owned(), live.tariff.inbound, seconds)).chain(ways) {
        let compared =
            format!("{} a minute and {} once, {} s are paid", money(rate.minute), money(rate.setup), rate.billed(seconds));
        why.note(format!("{name} is paid for"), compared, !rate.is_free() && seconds > 0);
    }
    let within = live.tariff.cost(seconds) <= live.held || seconds == 0;
    why.note("what was set aside covers it", format!("{} were set aside", money(live.held)), within);
    Ok(why.concluding(format!("the call cost {}", money(cost))))
}

/// Where a call is: its environment, and its record if it is over.
fn place(tx: &mut Tx, id: CallId) -> Result<Option<(EnvironmentId, Option<Call>)>> {
    if let Some(environment) = live_calls::environment_of(tx, id)? {
        return Ok(Some((environment, None)));
    }
    Ok(calls::of_id(tx, id)?.map(|call| (call.environment, Some(call))))
}

/// A change of a call that goes on, behind its environment's lock.
async fn changed<T: Send + 'static>(
    app: &App,
    id: CallId,
    work: impl Fn(&mut Tx, &Desk, Live) -> Result<T> + Send + Sync + 'static,
) -> Result<T> {
    let pen = app.pen();
    let over = move || Error::call_over(id.to_string());
    let work = move |tx: &mut Tx| {
        let environment = live_calls::environment_of(tx, id)?.ok_or_else(over)?;
        let desk = pen.open(tx, environment)?;
        let live = live_calls::get(tx, id)?.ok_or_else(over)?;
        work(tx, &desk, live)
    };
    let done = app.store.write(work).await?;
    app.mailbox.ring();
    Ok(done)
}

fn check_account(tx: &mut Tx, desk: &Desk) -> Result<()> {
    let account = accounts::get(tx, desk.settings.account)?.ok_or_else(|| Fault::data("an environment without its account"))?;
    if account.status == AccountStatus::Active { Ok(()) } else { Err(Error::account_suspended()) }
}

/// What an environment's calls are doing now.
pub(crate) fn traffic(tx: &mut Tx, desk: &Desk) -> Result<Traffic> {
    let since = desk.pen.machine_now().plus_seconds(-PACE);
    live_calls::traffic(tx, desk.settings.id, since, desk.now.start_of_day())
}

/// A call of which nothing is paid yet.
fn blank(tx: &mut Tx, desk: &Desk, command: &BeginCall, longest: i64) -> Result<Live> {
    let (property, labels) = match numbers::by_phone(tx, command.environment, command.number)? {
        Some(number) => (number.property, number.config.attribution),
        None if command.code.is_some() => (property::default_of(command.environment), config::Attribution::default()),
        None => return Err(Error::owned_number_not_found(command.number.to_string())),
    };
    let inbound = match command.direction {
        Direction::Inbound => rates::of(Direction::Inbound, command.to),
        Direction::Outbound => Rate::FREE,
    };
    let mut tariff = Tariff { inbound, ..Tariff::FREE };
    match command.fee {
        Some(fee) => tariff.offer([flat(fee)], 0),
        None => tariff.offer(command.outside.iter().map(|number| rates::of(Direction::Outbound, *number)), 0),
    }
    Ok(Live {
        id: command.id,
        environment: command.environment,
        property,
        node: desk.pen.node,
        phase: Phase::Initiated,
        direction: command.direction,
        from: command.from,
        to: command.to,
        endpoint: None,
        trunk_in: command.trunk_in,
        trunk_out: None,
        device: command.device,
        started_at: desk.now,
        begun_at: desk.pen.machine_now(),
        answered_at: None,
        longest,
        tariff,
        granted: 0,
        held: 0,
        holds: 0,
        detail: Detail {
            initiated_by: command.initiated_by.clone(),
            from_name: command.from_name.clone(),
            attribution: call::Attribution {
                source: labels.source,
                medium: labels.medium,
                campaign: labels.campaign,
                content: labels.content,
            },
            origin: command.from.map(notes::origin).unwrap_or_default(),
            path: command.path.clone(),
            timeout: command.timeout,
            tags: command.tags.clone(),
            custom_fields: command.custom_fields.clone(),
            held: false,
            fee: command.fee,
            code: command.code.map(|verification| SpokenCode { verification, heard: false }),
        },
    })
}

/// As [`set_aside`], by what is known now.
fn set_aside_now(tx: &mut Tx, desk: &Desk, live: &mut Live, granted: i64) -> Result<Piece> {
    let policy = live_calls::policy(tx, live.environment)?.unwrap_or_default();
    let spent = live_calls::spent(tx, live.environment, desk.now.start_of_day())?;
    set_aside(tx, desk, live, policy.left_today(spent), granted)
}

/// Sets the next piece aside, counted from `granted` seconds, within what the wallet, the day's cap (`today`)
/// and the month's limit leave.
fn set_aside(tx: &mut Tx, desk: &Desk, live: &mut Live, today: i64, granted: i64) -> Result<Piece> {
    if live.tariff.is_free() {
        live.granted = live.longest;
        return Ok(Piece { hold: 0, granted: live.longest, is_last: false });
    }
    let available = ledger::wallet(tx, live.environment)?.available;
    let mut piece = money::next(&live.tariff, granted, live.held, available.min(today), live.longest);
    let mut budget = Budget::open(tx, desk)?;
    if let Err(refused) = budget.check(piece.hold) {
        if live.holds == 0 {
            return Err(refused);
        }
        piece = money::next(&live.tariff, granted, live.held, 0, live.longest);
    }
    live.granted = piece.granted;
    if piece.hold == 0 {
        return Ok(piece);
    }
    budget.take(piece.hold);
    budget.close(tx, desk)?;
    live.holds += 1;
    live.held = live.held.saturating_add(piece.hold);
    let cause = cause(live, &format!("hold {}", live.holds), "set aside");
    let hold = cause.id;
    // No deadline of the environment's clock ends it: it is settled when the call ends, and the reconciler ends what nobody does.
    let deadline = desk.now.plus_days(1);
    ledger::post(tx, live.environment, vec![(Posting::Hold(piece.hold, deadline), cause)], desk.now)?;
    live_calls::note_hold(tx, live.id, &hold)?;
    Ok(piece)
}

fn too_poor(tx: &mut Tx, desk: &Desk, live: &Live) -> Result<Error> {
    let wallet = ledger::wallet(tx, desk.settings.id)?;
    let money = |micros| Money::new(micros, wallet.currency);
    Ok(Error::insufficient_funds("for this call", money(live.tariff.ahead(1)), money(wallet.available)))
}

/// What a piece grants.
fn grant(live: &Live, piece: Piece) -> Grant {
    if live.tariff.is_free() { Grant::free(live.longest) } else { Grant::of(piece, live.longest) }
}

/// What a call's row grants. Whether there is more is asked again when it is needed.
fn granted(live: &Live) -> Grant {
    if live.tariff.is_free() {
        return Grant::free(live.longest);
    }
    Grant::of(Piece { hold: 0, granted: live.granted, is_last: false }, live.longest)
}

fn cause(live: &Live, step: &str, what: &str) -> Cause {
    let reference = live.id.to_string();
    let id = transfer_id(live.environment, &[&reference, step]);
    Cause { id, reference, description: format!("Call {} to {}: {what}", live.caller(), live.to), purpose: "for this call".into() }
}
