//! Putting the parts of incoming messages together. Each is in the store before its SMSC hears that it was taken.

use std::collections::BTreeMap;

use tandem_catalogue::Result;
use tandem_domain::{Explanation, message::Encoding};
use tandem_kernel::{MessageId, Timestamp};
use tandem_store::{
    Tx,
    repo::{
        incoming_parts::{self, Piece, Whose},
        jobs,
    },
};

use super::{
    gateway::{Incoming, IncomingPart},
    incoming,
    owner::Owner,
};
use crate::{
    App,
    app::{Desk, Pen},
    due::Done,
};

/// The due work that delivers an incoming message without the parts that did not come. Its subject is the parts' group.
pub const INCOMPLETE_JOB: &str = "message.incomplete";

/// Minutes that the other parts of a message are waited for. Networks repeat what was not acknowledged within some minutes; a reader
/// would rather have a text with gaps than wait much longer.
const PATIENCE: i64 = 30;
/// Minutes after its message was delivered in which a part that comes again, with the same text, is known as a repetition. Handsets
/// come back to the same reference later.
const REMEMBERED: i64 = 60;
/// What stands for parts that did not come.
const GAP: &str = "[...]";

pub(super) async fn receive_part(app: &App, part: IncomingPart) -> Result<()> {
    let pen = app.pen();
    app.store.write(move |tx| receive_part_in(tx, &pen, &part)).await?;
    app.outbox.ring();
    app.bell.ring();
    app.mailbox.ring();
    Ok(())
}

fn receive_part_in(tx: &mut Tx, pen: &Pen, came: &IncomingPart) -> Result<()> {
    let Some(owner) = Owner::find(tx, came.kind, &came.whose.from, came.whose.to)? else { return Ok(()) };
    let desk = pen.open(tx, owner.environment())?;
    let mut kept = incoming_parts::of(tx, &came.whose)?;
    let same = kept.iter().find(|kept| kept.part == came.part);
    if same.is_some_and(|same| is_repeated(same, came)) {
        return Ok(());
    }
    // The reference belongs to another message now.
    if let Some(first) = kept.first().filter(|first| first.done || same.is_some()) {
        if !first.done {
            deliver(tx, &desk, &owner, &came.whose, &kept)?;
            jobs::cancel(tx, INCOMPLETE_JOB, &first.group)?;
        }
        incoming_parts::forget(tx, &first.group)?;
        kept.clear();
    }
    let group = kept.first().map_or_else(|| *desk.id(MessageId::new).as_bytes(), |first| first.group);
    let piece =
        Piece { part: came.part, group, id: came.id.clone(), encoding: came.encoding, octets: came.octets.clone(), done: false };
    incoming_parts::add(tx, &came.whose, &piece)?;
    if kept.is_empty() {
        desk.schedule(tx, INCOMPLETE_JOB, group, 0, desk.now.plus_seconds(PATIENCE * 60))?;
    }
    kept.push(piece);
    if kept.len() < usize::from(came.whose.parts) {
        return Ok(());
    }
    deliver(tx, &desk, &owner, &came.whose, &kept)?;
    incoming_parts::finish(tx, &group, pen.machine_now())?;
    jobs::cancel(tx, INCOMPLETE_JOB, &group)
}

/// Whether a part is one that is kept, brought again.
fn is_repeated(kept: &Piece, came: &IncomingPart) -> bool {
    if kept.id.is_empty() || came.id.is_empty() {
        (kept.encoding, kept.octets.as_slice()) == (came.encoding, came.octets.as_slice())
    } else {
        kept.id == came.id
    }
}

/// Due work: delivers what has come of a message whose other parts did not.
///
/// # Errors
/// Faults of the store.
pub fn give_up(tx: &mut Tx, desk: &Desk, group: [u8; 16]) -> Result<Done> {
    let Some((whose, pieces)) = incoming_parts::unfinished(tx, &group)? else { return Ok(Done::Finished) };
    let owner = Owner::find(tx, desk.settings.kind, &whose.from, whose.to)?;
    if let Some(owner) = owner.filter(|owner| owner.environment() == desk.settings.id) {
        deliver(tx, desk, &owner, &whose, &pieces)?;
    }
    incoming_parts::finish(tx, &group, desk.pen.machine_now())?;
    Ok(Done::Finished)
}

/// Forgets parts that are repeated no more.
///
/// # Errors
/// Faults of the store.
pub(crate) fn forget_old(tx: &mut Tx, now: Timestamp) -> Result<()> {
    incoming_parts::forget_done(tx, now.plus_seconds(-REMEMBERED * 60))
}

/// Takes the message in that these parts are, and says where some are missing.
fn deliver(tx: &mut Tx, desk: &Desk, owner: &Owner, whose: &Whose, pieces: &[Piece]) -> Result<()> {
    let by_part: BTreeMap<u8, &Piece> = pieces.iter().map(|piece| (piece.part, piece)).collect();
    let (smsc, kind, from, to) = (whose.smsc, desk.settings.kind, whose.from.clone(), whose.to);
    let body = text_of(whose.parts, &by_part);
    let id = incoming::take_in(tx, desk, owner, &Incoming { smsc, kind, from, to, body, id: String::new() })?;
    let missing: Vec<String> = (1..=whose.parts).filter(|part| !by_part.contains_key(part)).map(|part| part.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    tracing::info!(%id, %smsc, missing = missing.join(", "), of = whose.parts, "a message came in without all of its parts");
    let mut explanation = Explanation::of("reception", id.to_string());
    let compared = format!("segment {} of {} did not", missing.join(", "), whose.parts);
    explanation.note(
        format!("every segment comes within {PATIENCE} minutes, before the next message of its reference"),
        compared,
        false,
    );
    desk.explain(tx, &explanation.concluding(format!("what came was delivered; {GAP} stands for the rest")))
}

/// The text of parts: neighbours of one alphabet are read together, since a character may lie across their border.
fn text_of(parts: u8, pieces: &BTreeMap<u8, &Piece>) -> String {
    let (mut text, mut open): (String, Option<(Encoding, Vec<u8>)>) = Default::default();
    let mut missing = false;
    for part in 1..=parts {
        let piece = pieces.get(&part);
        let joins = piece.zip(open.as_ref()).is_some_and(|(piece, (encoding, _))| piece.encoding == *encoding);
        if !joins && let Some((encoding, octets)) = open.take() {
            text.push_str(&encoding.read(&octets));
        }
        match piece {
            Some(piece) => open.get_or_insert_with(|| (piece.encoding, Vec::new())).1.extend_from_slice(&piece.octets),
            None if !missing => text.push_str(GAP),
            None => {}
        }
        missing = piece.is_none();
    }
    if let Some((encoding, octets)) = open {
        text.push_str(&encoding.read(&octets));
    }
    text
}
