//! What SMSCs say of parts: their answers, and receipts.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use tandem_catalogue::Result;
use tandem_domain::message::{self, Failure, Message, MessageState, PartState};
use tandem_kernel::{EnvironmentId, MessageId, SmscId, uuid_v7};
use tandem_store::{
    Tx,
    repo::{
        message_parts::{self, Early, Part},
        messages, outbox,
    },
};

use super::{
    gateway::{Lost, Receipt, Submitted, Taken, part_id},
    life::Changes,
};
use crate::{
    App,
    app::{Desk, Pen},
};

/// Receipts that a sweep looks at.
const SWEPT: i64 = 1_000;

pub(super) async fn record(app: &App, submitted: Vec<Submitted>) -> Result<()> {
    if submitted.is_empty() {
        return Ok(());
    }
    let (pen, submitted) = (app.pen(), Arc::new(submitted));
    let said = submitted.clone();
    app.store.write(move |tx| record_in(tx, &pen, &said)).await?;
    app.outbox.ring(); // the next ones in their lines may have come forward
    app.mailbox.ring();
    // After the commit: whoever keeps a receipt from now on sees the part.
    let early = app.store.read(move |tx| early_for(tx, &submitted)).await?;
    apply(app, early).await
}

fn record_in(tx: &mut Tx, pen: &Pen, submitted: &[Submitted]) -> Result<()> {
    let mut said: HashMap<MessageId, Vec<&Submitted>> = HashMap::new();
    for one in submitted {
        said.entry(one.message).or_default().push(one);
    }
    let ids: Vec<MessageId> = said.keys().copied().collect();
    for (environment, ids) in messages::environments_of(tx, &ids)? {
        let desk = pen.open(tx, environment)?;
        let answers = || ids.iter().filter_map(|id| said.get(id)).flatten();
        // What was claimed anew since, here or by whoever took it over, may have been submitted since.
        let unsent: HashSet<MessageId> = answers().filter(|one| one.outcome == Taken::NotSent).map(|one| one.message).collect();
        let claims: HashSet<_> = outbox::claims_of(tx, &unsent.into_iter().collect::<Vec<_>>())?.into_iter().collect();
        let answers = answers().filter(|one| one.outcome != Taken::NotSent || claims.contains(&(one.message, one.claim)));
        message_parts::note(tx, &answers.map(|one| part_of(&desk, one)).collect::<Vec<_>>())?;
        settle(tx, &desk, &ids)?;
    }
    Ok(())
}

fn part_of(desk: &Desk, one: &Submitted) -> Part {
    let (state, remote_id, error) = match &one.outcome {
        Taken::Accepted { remote_id } => (PartState::Accepted, Some(remote_id.clone()), None),
        Taken::Refused { status, name } => (PartState::Refused, None, Some(format!("{name} (0x{status:08x})"))),
        Taken::NotSent => (PartState::Unsent, None, None),
        Taken::Lost(why) => (PartState::Lost, None, Some(why.as_str().to_owned())),
    };
    let (message, part, smsc) = (one.message, one.part, one.smsc);
    Part { message, part, state, smsc, remote_id, error, submitted_at: desk.now, receipt_at: None }
}

/// Brings messages to what their parts make of them.
fn settle(tx: &mut Tx, desk: &Desk, ids: &[MessageId]) -> Result<()> {
    let mut parts: HashMap<MessageId, Vec<Part>> = HashMap::new();
    for part in message_parts::of(tx, ids)? {
        parts.entry(part.message).or_default().push(part);
    }
    let mut changes = Changes::default();
    for mut message in messages::of_ids(tx, ids)? {
        let parts = parts.remove(&message.id).unwrap_or_default();
        let steps = steps(&message, &parts);
        if !steps.is_empty() {
            message.smsc = parts.last().map(|part| part.smsc);
            changes.step(desk, message, &steps, failure(&parts));
        }
    }
    changes.write(tx, desk)
}

fn steps(message: &Message, parts: &[Part]) -> Vec<MessageState> {
    let known: Vec<PartState> = parts.iter().map(|part| part.state).collect();
    let next = |state: &MessageState| message::next(*state, message.parts, &known);
    std::iter::successors(next(&message.state), next).collect()
}

/// Why a message did not arrive: what was said of the first part that did not.
fn failure(parts: &[Part]) -> Option<Failure> {
    let ends = |part: &&Part| matches!(part.state, PartState::Refused | PartState::Lost) || part.state.has_failed();
    let bad = parts.iter().find(ends)?;
    let word = |error: &str| error.split(' ').next().unwrap_or(error).to_owned();
    let code = bad.error.as_deref().map_or_else(|| bad.state.as_str().to_owned(), word);
    let said = bad.error.as_deref().map_or_else(String::new, |error| format!(": {error}"));
    let reason = match bad.state {
        PartState::Refused => format!("the SMSC refused segment {}{said}", bad.part),
        PartState::Lost => format!("segment {} may have been submitted, but {}", bad.part, Lost::because(&code)),
        state => format!("segment {} was {}{said}", bad.part, state.as_str()),
    };
    Some(Failure { code, reason })
}

/// A receipt with the part that it is about.
struct Matched {
    environment: EnvironmentId,
    part: Part,
    state: PartState,
    error: Option<String>,
    early: Option<[u8; 16]>,
}

pub(super) async fn receipts(app: &App, receipts: Vec<Receipt>) -> Result<()> {
    let receipts: Vec<Receipt> = receipts.into_iter().filter(|receipt| receipt.state.part().is_some()).collect();
    if receipts.is_empty() {
        return Ok(());
    }
    let pen = app.pen();
    let kept = app.store.write(move |tx| receipts_in(tx, &pen, &receipts)).await?;
    app.mailbox.ring();
    // After the commit: whoever records a part from now on sees the receipt.
    if kept.is_empty() { Ok(()) } else { apply(app, kept).await }
}

/// Applies receipts whose part is known, and keeps the others; returns the latter.
fn receipts_in(tx: &mut Tx, pen: &Pen, receipts: &[Receipt]) -> Result<Vec<Early>> {
    let known = look_up(tx, receipts.iter().flat_map(|receipt| receipt.remote_ids.iter().map(|id| (receipt.smsc, id.as_str()))))?;
    let (mut matched, mut early) = (Vec::new(), Vec::new());
    for receipt in receipts {
        let Some(state) = receipt.state.part() else { continue };
        let found = receipt.remote_ids.iter().find_map(|id| known.get(&(receipt.smsc, id.clone())));
        match found {
            Some((environment, part)) => {
                let error = receipt.error.clone();
                matched.push(Matched { environment: *environment, part: part.clone(), state, error, early: None });
            }
            None => early.extend(kept(pen, receipt, state)),
        }
    }
    message_parts::keep_early(tx, &early, pen.machine_now())?;
    deliver(tx, pen, matched)?;
    Ok(early)
}

/// A receipt under every way to read its id.
fn kept(pen: &Pen, receipt: &Receipt, state: PartState) -> Vec<Early> {
    let id = uuid_v7(pen.machine_now(), &*pen.rng).into_bytes();
    let distinct: HashSet<&String> = receipt.remote_ids.iter().collect();
    let kept = distinct.into_iter().map(|remote_id| Early {
        id,
        smsc: receipt.smsc,
        remote_id: remote_id.clone(),
        state,
        error: receipt.error.clone(),
        at: receipt.at,
    });
    kept.collect()
}

type Known = HashMap<(SmscId, String), (EnvironmentId, Part)>;

/// The youngest part of each name.
fn look_up<'a>(tx: &mut Tx, names: impl Iterator<Item = (SmscId, &'a str)>) -> Result<Known> {
    let mut known = HashMap::new();
    for (smsc, ids) in by_smsc(names) {
        for (environment, part) in message_parts::of_remote(tx, smsc, &ids)? {
            known.insert((smsc, part.remote_id.clone().unwrap_or_default()), (environment, part));
        }
    }
    Ok(known)
}

fn by_smsc<'a>(names: impl Iterator<Item = (SmscId, &'a str)>) -> BTreeMap<SmscId, Vec<&'a str>> {
    let mut grouped: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (smsc, id) in names {
        grouped.entry(smsc).or_default().push(id);
    }
    grouped
}

/// The receipts that were kept for parts that are known now.
fn early_for(tx: &mut Tx, submitted: &[Submitted]) -> Result<Vec<Early>> {
    let names = submitted.iter().filter_map(|one| match &one.outcome {
        Taken::Accepted { remote_id } => Some((one.smsc, remote_id.as_str())),
        _ => None,
    });
    let mut early = Vec::new();
    for (smsc, ids) in by_smsc(names) {
        early.extend(message_parts::early(tx, smsc, &ids)?);
    }
    Ok(early)
}

/// Applies receipts that were kept, where their part is known; the others stay.
async fn apply(app: &App, early: Vec<Early>) -> Result<()> {
    if early.is_empty() {
        return Ok(());
    }
    let pen = app.pen();
    let applied = app.store.write(move |tx| {
        let known = look_up(tx, early.iter().map(|early| (early.smsc, early.remote_id.as_str())))?;
        let matched = early.iter().filter_map(|early| {
            let (environment, part) = known.get(&(early.smsc, early.remote_id.clone()))?;
            let error = early.error.clone();
            Some(Matched { environment: *environment, part: part.clone(), state: early.state, error, early: Some(early.id) })
        });
        let matched: Vec<Matched> = matched.collect();
        deliver(tx, &pen, matched)
    });
    applied.await?;
    app.mailbox.ring();
    Ok(())
}

/// Matches receipts that a process which died has left between keeping them and looking for their parts: those from `from`. Where the
/// next ones begin.
pub(super) async fn sweep(app: &App, from: [u8; 16]) -> Result<[u8; 16]> {
    let look = move |tx: &mut Tx| {
        let kept = message_parts::early_from(tx, &from, SWEPT)?;
        let full = i64::try_from(kept.len()).unwrap_or(SWEPT) >= SWEPT;
        let next = kept.last().filter(|_| full).map_or([0; 16], |last| last.id);
        let known = look_up(tx, kept.iter().map(|early| (early.smsc, early.remote_id.as_str())))?;
        let found = kept.into_iter().filter(|early| known.contains_key(&(early.smsc, early.remote_id.clone())));
        Ok((found.collect::<Vec<_>>(), next))
    };
    let (found, next) = app.store.read(look).await?;
    apply(app, found).await?;
    Ok(next)
}

/// Writes receipts to their parts, and brings the messages to what that makes of them. The first final word on a part stands.
fn deliver(tx: &mut Tx, pen: &Pen, matched: Vec<Matched>) -> Result<()> {
    let mut by_environment: BTreeMap<EnvironmentId, Vec<Matched>> = BTreeMap::new();
    for one in matched {
        by_environment.entry(one.environment).or_default().push(one);
    }
    for (environment, matched) in by_environment {
        let desk = pen.open(tx, environment)?;
        let ids: HashSet<MessageId> = matched.iter().map(|one| one.part.message).collect();
        let ids: Vec<MessageId> = ids.into_iter().collect();
        // Read again behind the lock: another process may have had the same receipt.
        let parts = message_parts::of(tx, &ids)?.into_iter().map(|part| ((part.message, part.part), part));
        let mut parts: HashMap<(MessageId, u8), Part> = parts.collect();
        let (mut changed, mut found) = (Vec::new(), Vec::new());
        for one in matched {
            found.extend(one.early);
            let (message, name) = (one.part.message, one.part.remote_id.as_deref().unwrap_or_default());
            for number in one.part.part..=u8::MAX {
                // The others are its own where all went under one id.
                let own =
                    |part: &&mut Part| part.smsc == one.part.smsc && part.remote_id.as_deref() == Some(&part_id(name, number));
                let part = parts.get_mut(&(message, number));
                let Some(part) = part.filter(|part| number == one.part.part || own(part)) else { break };
                if part.state == PartState::Accepted {
                    (part.state, part.error, part.receipt_at) = (one.state, one.error.clone(), Some(desk.now));
                    changed.push(part.clone());
                }
            }
        }
        message_parts::update(tx, &changed)?;
        message_parts::forget_early(tx, &found)?;
        settle(tx, &desk, &ids)?;
    }
    Ok(())
}
