//! Handing messages to whoever submits them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use tandem_catalogue::Result;
use tandem_domain::message::{Failure, Message, MessageState, PartState, reference, segment};
use tandem_kernel::{Environment, EnvironmentId, MessageId, SmscId, Timestamp};
use tandem_store::{
    Fault, Tx,
    repo::{
        accounts,
        message_parts::{self, Part},
        messages,
        outbox::{self, Lines},
        smscs,
    },
};

use super::{
    gateway::{DEAD_AFTER, Lost, Outgoing, Route, Submitted, Taken, choose},
    life::Changes,
    receipts::record,
};
use crate::{App, app::Pen, smscs::POCKET};

/// Messages that are taken over at a time.
const MOST_RECOVERED: i64 = 500;
/// Why a message has failed that cannot be written.
const UNREADABLE: &str = "unreadable";

/// Messages that were taken, and what is known of their parts.
struct Claimed {
    messages: Vec<Message>,
    parts: Vec<Part>,
    clocks: HashMap<EnvironmentId, Timestamp>,
    /// With the SMSC that each goes through, and its claim.
    held: HashMap<MessageId, (Option<SmscId>, [u8; 16])>,
}

pub(super) async fn claim(app: &App, kind: Environment, routes: Vec<Route>, most: usize) -> Result<Vec<Outgoing>> {
    let (pen, beat, lines) = (app.pen(), beats(app), lines(&routes));
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let claim = app.claims.begin(kind, false, &*app.rng, app.machine_now());
    let id = claim.id;
    let claimed = app.store.write(move |tx| {
        live(tx, &pen, beat)?;
        let mut room: HashMap<SmscId, usize> = routes.iter().map(|route| (route.smsc, route.room)).collect();
        let mut taken = Vec::new();
        for (message, to) in outbox::ready(tx, kind, &lines, most)? {
            let Some(route) = choose(&routes, to) else { continue };
            if let Some(left) = room.get_mut(&route.smsc).filter(|left| **left > 0) {
                *left -= 1;
                taken.push((message, route.smsc));
            }
        }
        outbox::take(tx, &taken, &pen.node, &id)?;
        let ids: Vec<MessageId> = taken.iter().map(|(message, _)| *message).collect();
        messages::set_sending(tx, &ids)?;
        load(tx, &pen, taken.into_iter().map(|(message, smsc)| (message, (Some(smsc), id))).collect())
    });
    let found = hand_out(app, claimed.await?, false).await?;
    claim.answered();
    Ok(found)
}

/// What claims took whose answer did not come: nobody has seen it yet.
pub(super) async fn unanswered(app: &App, kind: Environment) -> Result<Vec<Outgoing>> {
    for again in [false, true] {
        let claims = app.claims.unanswered(kind, again);
        if claims.is_empty() {
            continue;
        }
        let found = look_for(app, kind, claims, again).await?;
        if !found.is_empty() {
            tracing::warn!(parts = found.len(), "messages were taken by a claim whose answer was lost; they are handed out now");
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

async fn look_for(app: &App, kind: Environment, claims: Vec<[u8; 16]>, again: bool) -> Result<Vec<Outgoing>> {
    let (pen, wanted) = (app.pen(), claims.clone());
    let work = move |tx: &mut Tx| {
        let taken = outbox::claimed(tx, kind, &pen.node, &wanted)?;
        let found: Vec<[u8; 16]> = taken.iter().map(|(_, claim)| *claim).collect();
        let held = taken.into_iter().map(|((message, smsc), claim)| (message, (smsc, claim))).collect();
        Ok((load(tx, &pen, held)?, found))
    };
    let (claimed, found) = app.store.write(work).await?;
    let parts = hand_out(app, claimed, again).await?;
    app.claims.looked_for(&claims, &found, app.machine_now());
    Ok(parts)
}

/// Whose messages there is room for: the recipients of each prefix whose route has some, without those of longer prefixes whose
/// route has none.
fn lines(routes: &[Route]) -> Vec<Lines> {
    let mut free: BTreeMap<&str, bool> = BTreeMap::new();
    for route in routes {
        let prefixes = route.prefixes.iter().map(String::as_str);
        for prefix in prefixes.chain(route.prefixes.is_empty().then_some("")) {
            free.entry(prefix).or_insert(route.room > 0); // the first of several is the one that counts
        }
    }
    let full: Vec<&str> = free.iter().filter(|(_, free)| !**free).map(|(prefix, _)| *prefix).collect();
    let but = |prefix: &str| full.iter().filter(|full| full.starts_with(prefix)).map(|full| (*full).to_owned()).collect();
    let open = free.iter().filter(|(_, free)| **free);
    open.map(|(prefix, _)| Lines { prefix: (*prefix).to_owned(), but: but(prefix) }).collect()
}

/// What dead processes had: parts to submit again where they went. What cannot be is said to have been lost.
pub(super) async fn recover(app: &App, kind: Environment) -> Result<Vec<Outgoing>> {
    let (pen, beat) = (app.pen(), beats(app));
    let claim = app.claims.begin(kind, true, &*app.rng, app.machine_now());
    let id = claim.id;
    let recovered = app.store.write(move |tx| {
        live(tx, &pen, beat)?;
        let dead_since = pen.machine_now().plus_seconds(-DEAD_AFTER);
        let taken = outbox::take_over(tx, kind, &pen.node, &id, dead_since, MOST_RECOVERED)?;
        if taken.is_empty() {
            return Ok(None);
        }
        let there: HashSet<SmscId> = smscs::ids(tx)?.into_iter().chain([POCKET]).collect();
        let held = taken.into_iter().map(|(message, smsc)| (message, (smsc, id))).collect();
        Ok(Some((load(tx, &pen, held)?, there)))
    });
    let mut found = Vec::new();
    if let Some((claimed, there)) = recovered.await? {
        let mut homeless = Vec::new();
        for part in hand_out(app, claimed, true).await? {
            match part.smsc.filter(|smsc| !there.contains(smsc)) {
                None => found.push(part),
                Some(smsc) => {
                    let outcome = if part.again { Taken::Lost(Lost::Removed) } else { Taken::NotSent };
                    homeless.push(Submitted { message: part.message, part: part.part, smsc, outcome, claim: part.claim });
                }
            }
        }
        record(app, homeless).await?;
    }
    claim.answered();
    Ok(found)
}

fn beats(app: &App) -> bool {
    app.pulse.is_due(app.machine_now())
}

fn live(tx: &mut Tx, pen: &Pen, beat: bool) -> Result<()> {
    if beat { outbox::beat(tx, &pen.node, pen.machine_now()) } else { Ok(()) }
}

fn load(tx: &mut Tx, pen: &Pen, held: HashMap<MessageId, (Option<SmscId>, [u8; 16])>) -> Result<Claimed> {
    let taken: Vec<MessageId> = held.keys().copied().collect();
    let parts = message_parts::of(tx, &taken)?;
    let unsent = parts.iter().filter(|part| part.state == PartState::Unsent).map(|part| part.message);
    message_parts::forget_unsent(tx, &unsent.collect::<Vec<_>>())?;
    let mut messages = messages::of_ids(tx, &taken)?;
    messages.sort_by_key(|message| message.id);
    let whose: BTreeSet<EnvironmentId> = messages.iter().map(|message| message.environment).collect();
    let whose: Vec<EnvironmentId> = whose.into_iter().collect();
    let found = accounts::environments_of(tx, &whose)?;
    if found.len() < whose.len() {
        return Err(Fault::data("a message without its environment").into());
    }
    let clocks = found.into_iter().map(|settings| (settings.id, settings.clock.at(pen.machine_now()))).collect();
    Ok(Claimed { messages, parts, clocks, held })
}

/// The parts that are to be submitted: those of which nothing is known, and those that certainly were not. A message that cannot be
/// written has failed: nobody else would end it.
async fn hand_out(app: &App, claimed: Claimed, recovered: bool) -> Result<Vec<Outgoing>> {
    let known: HashMap<(MessageId, u8), PartState> =
        claimed.parts.iter().map(|part| ((part.message, part.part), part.state)).collect();
    let (mut outgoing, mut unreadable) = (Vec::with_capacity(claimed.messages.len()), Vec::new());
    for message in claimed.messages {
        let now = claimed.clocks.get(&message.environment).copied().unwrap_or(message.created_at);
        let held = claimed.held.get(&message.id).copied().unwrap_or_default();
        match parts_of(app, &message) {
            Ok(payloads) => {
                outgoing.extend(outgoing_of(&message, held, payloads, now, |part| match known.get(&(message.id, part)) {
                    Some(PartState::Unsent) => Some(false),
                    Some(_) => None,
                    None => Some(recovered),
                }))
            }
            Err(reason) => {
                tracing::error!(id = %message.id, reason, "a message cannot be sent");
                unreadable.push((message.id, reason));
            }
        }
    }
    if !unreadable.is_empty() {
        fail(app, unreadable).await?;
    }
    Ok(outgoing)
}

async fn fail(app: &App, unreadable: Vec<(MessageId, &'static str)>) -> Result<()> {
    let pen = app.pen();
    let work = move |tx: &mut Tx| {
        let reasons: HashMap<MessageId, &str> = unreadable.iter().copied().collect();
        let ids: Vec<MessageId> = reasons.keys().copied().collect();
        for (environment, ids) in messages::environments_of(tx, &ids)? {
            let desk = pen.open(tx, environment)?;
            let mut changes = Changes::default();
            let found = messages::of_ids(tx, &ids)?.into_iter();
            for message in found.filter(|message| message.state == MessageState::Sending) {
                let reason = reasons.get(&message.id).copied().unwrap_or_default().to_owned();
                changes.step(&desk, message, &[MessageState::Failed], Some(Failure { code: UNREADABLE.to_owned(), reason }));
            }
            changes.write(tx, &desk)?;
        }
        Ok(())
    };
    app.store.write(work).await?;
    app.mailbox.ring();
    Ok(())
}

fn parts_of(app: &App, message: &Message) -> Result<Vec<Vec<u8>>, &'static str> {
    let body = match &message.sealed {
        None => message.body.clone(),
        Some(sealed) => {
            let opened = app.vault.open(sealed).and_then(|plain| String::from_utf8(plain).ok());
            opened.ok_or("its text was sealed with another secret key")?
        }
    };
    segment::cut_as(message.encoding, &body).ok_or("its encoding cannot write its text")
}

/// `wanted` says of each part whether it is to be submitted, and if so whether it may have been before.
fn outgoing_of(
    message: &Message,
    (smsc, claim): (Option<SmscId>, [u8; 16]),
    payloads: Vec<Vec<u8>>,
    now: Timestamp,
    wanted: impl Fn(u8) -> Option<bool>,
) -> Vec<Outgoing> {
    let whole: Arc<[u8]> = payloads.concat().into();
    let validity = (message.expires_at.micros() - now.micros()).max(0) / 1_000_000;
    let parts = (1..=message.parts).zip(payloads).filter_map(|(part, payload)| {
        Some(Outgoing {
            again: wanted(part)?,
            smsc,
            message: message.id,
            environment: message.environment,
            part,
            parts: message.parts,
            reference: reference(message.id),
            from: message.from.clone(),
            to: message.to,
            encoding: message.encoding,
            payload,
            whole: whole.clone(),
            created_at: message.created_at,
            validity,
            claim,
        })
    });
    parts.collect()
}
