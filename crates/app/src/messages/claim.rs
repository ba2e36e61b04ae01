//! Handing messages to whoever submits them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use tandem_catalogue::{Error, Result};
use tandem_domain::message::{Message, PartState, reference, segment};
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

use super::gateway::{DEAD_AFTER, Lost, Outgoing, Route, Submitted, Taken, choose};
use crate::{App, app::Pen, smscs::POCKET};

/// Messages that are taken over at a time.
const MOST_RECOVERED: i64 = 500;

/// Messages that were taken, and what is known of their parts.
struct Claimed {
    messages: Vec<Message>,
    parts: Vec<Part>,
    clocks: HashMap<EnvironmentId, Timestamp>,
    smscs: HashMap<MessageId, SmscId>,
}

pub(super) async fn claim(app: &App, kind: Environment, routes: Vec<Route>, most: usize) -> Result<Vec<Outgoing>> {
    let (pen, beat, lines) = (app.pen(), beats(app), lines(&routes));
    let most = i64::try_from(most).unwrap_or(i64::MAX);
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
        outbox::take(tx, &taken, &pen.node)?;
        let ids: Vec<MessageId> = taken.iter().map(|(message, _)| *message).collect();
        messages::set_sending(tx, &ids)?;
        load(tx, &pen, taken.into_iter().collect(), &ids)
    });
    Ok(hand_out(app, claimed.await?, false))
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

/// What a dead process had: parts to submit again where they went, and what is to be said of those that cannot be.
pub(super) async fn recover(app: &App, kind: Environment) -> Result<(Vec<Outgoing>, Vec<Submitted>)> {
    let (pen, beat) = (app.pen(), beats(app));
    let recovered = app.store.write(move |tx| {
        live(tx, &pen, beat)?;
        let dead_since = pen.machine_now().plus_seconds(-DEAD_AFTER);
        let taken = outbox::take_over(tx, kind, &pen.node, dead_since, MOST_RECOVERED)?;
        if taken.is_empty() {
            return Ok(None);
        }
        let there: HashSet<SmscId> = smscs::ids(tx)?.into_iter().chain([POCKET]).collect();
        let ids: Vec<MessageId> = taken.iter().map(|(message, _)| *message).collect();
        let known = taken.into_iter().filter_map(|(message, smsc)| Some((message, smsc?))).collect();
        Ok(Some((load(tx, &pen, known, &ids)?, there)))
    });
    let Some((claimed, there)) = recovered.await? else { return Ok(Default::default()) };
    let (mut found, mut homeless) = (Vec::new(), Vec::new());
    for part in hand_out(app, claimed, true) {
        match part.smsc.filter(|smsc| !there.contains(smsc)) {
            None => found.push(part),
            Some(smsc) => {
                let outcome = if part.again { Taken::Lost(Lost::Removed) } else { Taken::NotSent };
                homeless.push(Submitted { message: part.message, part: part.part, smsc, outcome });
            }
        }
    }
    Ok((found, homeless))
}

fn beats(app: &App) -> bool {
    app.pulse.is_due(app.machine_now())
}

fn live(tx: &mut Tx, pen: &Pen, beat: bool) -> Result<()> {
    if beat { outbox::beat(tx, &pen.node, pen.machine_now()) } else { Ok(()) }
}

fn load(tx: &mut Tx, pen: &Pen, smscs: HashMap<MessageId, SmscId>, taken: &[MessageId]) -> Result<Claimed> {
    let parts = message_parts::of(tx, taken)?;
    let unsent = parts.iter().filter(|part| part.state == PartState::Unsent).map(|part| part.message);
    message_parts::forget_unsent(tx, &unsent.collect::<Vec<_>>())?;
    let mut messages = messages::of_ids(tx, taken)?;
    messages.sort_by_key(|message| message.id);
    let whose: BTreeSet<EnvironmentId> = messages.iter().map(|message| message.environment).collect();
    let whose: Vec<EnvironmentId> = whose.into_iter().collect();
    let found = accounts::environments_of(tx, &whose)?;
    if found.len() < whose.len() {
        return Err(Fault::data("a message without its environment").into());
    }
    let clocks = found.into_iter().map(|settings| (settings.id, settings.clock.at(pen.machine_now()))).collect();
    Ok(Claimed { messages, parts, clocks, smscs })
}

/// The parts that are to be submitted: those of which nothing is known, and those that certainly were not.
fn hand_out(app: &App, claimed: Claimed, recovered: bool) -> Vec<Outgoing> {
    let known: HashMap<(MessageId, u8), PartState> =
        claimed.parts.iter().map(|part| ((part.message, part.part), part.state)).collect();
    let mut outgoing = Vec::with_capacity(claimed.messages.len());
    for message in claimed.messages {
        let now = claimed.clocks.get(&message.environment).copied().unwrap_or(message.created_at);
        let smsc = claimed.smscs.get(&message.id).copied();
        match parts_of(app, &message) {
            Ok(payloads) => {
                outgoing.extend(outgoing_of(&message, smsc, payloads, now, |part| match known.get(&(message.id, part)) {
                    Some(PartState::Unsent) => Some(false),
                    Some(_) => None,
                    None => Some(recovered),
                }))
            }
            // It stays with this process, and its deadline ends it; without the secret key nothing else can be done.
            Err(error) => tracing::error!(id = %message.id, report = error.internal_report(), "a message cannot be read"),
        }
    }
    outgoing
}

fn parts_of(app: &App, message: &Message) -> Result<Vec<Vec<u8>>> {
    let body = match &message.sealed {
        None => message.body.clone(),
        Some(sealed) => {
            let opened = app.vault.open(sealed).and_then(|plain| String::from_utf8(plain).ok());
            opened.ok_or_else(|| Error::internal().because("another secret key sealed it"))?
        }
    };
    segment::cut_as(message.encoding, &body).ok_or_else(|| Error::internal().because("its encoding cannot write it"))
}

/// `wanted` says of each part whether it is to be submitted, and if so whether it may have been before.
fn outgoing_of(
    message: &Message,
    smsc: Option<SmscId>,
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
        })
    });
    parts.collect()
}
