//! The telephones of the pocket network: the port to whoever rings them, and what they did.

use std::sync::Arc;

use tandem_catalogue::{Error, Result};
use tandem_kernel::{Caller, EnvironmentId, PhoneNumber, Timestamp};
use tandem_store::{Tx, repo::numbers};

use crate::{App, Finish, magic::MagicNumbers, smscs::allowed};

/// A call that a handset is to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandsetDial {
    /// The handset's number.
    pub from: PhoneNumber,
    /// A number of the environment's.
    pub to: PhoneNumber,
    /// What it does: one of [`BEHAVIOURS`].
    pub behaviour: &'static str,
    /// The keys that it presses once it was answered; a comma is a second's pause.
    pub digits: String,
    /// After how many seconds it hangs up.
    pub seconds: i64,
    /// How long it lets it ring, in seconds.
    pub ring_seconds: i64,
}

/// What a handset can do that calls: it speaks, is silent, sends no packets, never acknowledges the answer, or loses its power instead
/// of hanging up.
pub const BEHAVIOURS: &[&str] = &["speaks", "silent", "one_way", "never_acknowledges", "vanishes"];

/// A call of a handset.
#[derive(Clone, Debug, PartialEq)]
pub struct HandsetCall {
    /// Whether it made it or took it.
    pub made: bool,
    /// Who called.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// The Call-ID.
    pub call_id: String,
    /// `calling`, `ringing`, `answered` or `ended`.
    pub state: &'static str,
    /// Who ended it: `handset`, `platform` or `network`; none while it goes on.
    pub ended_by: Option<&'static str>,
    /// The status that it was refused with, or that the handset refused it with.
    pub status: Option<u16>,
    /// The `Reason` that it was ended with.
    pub reason: Option<String>,
    /// When it began, by the machine's clock.
    pub began_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The digits that came.
    pub digits: String,
    /// The digits of a code that a call of the platform's said, as the handset heard them; a space where it paused.
    pub spoken: String,
    /// The frequencies that were heard for 200 ms and more, in hertz, in their order.
    pub tones: Vec<i64>,
    /// The loudest 200 ms, in decibels below full scale; none where nothing was heard.
    pub level: Option<f32>,
    /// For how many milliseconds something was heard.
    pub heard_millis: i64,
}

/// Whoever rings the handsets.
pub trait Handsets: Send + Sync {
    /// What became of a handset's calls, the oldest first.
    fn calls(&self, environment: EnvironmentId, number: PhoneNumber) -> Vec<HandsetCall>;

    /// A handset calls; false where there are as many calls as there may be.
    fn dial(&self, environment: EnvironmentId, dial: &HandsetDial) -> bool;

    /// The numbers that make handsets behave in a certain way.
    fn magic_numbers(&self) -> Vec<MagicNumbers>;
}

/// What became of a handset's calls, the oldest first.
///
/// # Errors
/// `insufficient_scope`, `operation_not_allowed` in a live environment.
pub fn calls_of(app: &App, caller: &Caller, number: PhoneNumber) -> Result<Vec<HandsetCall>> {
    allowed(caller)?;
    Ok(handsets(app).map(|handsets| handsets.calls(caller.environment, number)).unwrap_or_default())
}

/// A handset calls a number of the caller's environment, as somebody would over a trunk.
///
/// # Errors
/// `number_not_found` for a number that the environment does not have, `insufficient_scope`, `operation_not_allowed` in a live
/// environment or where this process carries no calls, `overloaded`.
pub async fn dial(app: &App, caller: &Caller, command: HandsetDial, finish: Finish<HandsetDial>) -> Result<HandsetDial> {
    let (environment, to) = (caller.environment, command.to);
    let read = move |tx: &mut Tx| Ok(numbers::by_phone(tx, environment, to)?.is_some());
    if !app.store.read(read).await? {
        return Err(Error::number_not_found(command.to.to_string()));
    }
    allowed(caller)?;
    let Some(handsets) = handsets(app) else {
        return Err(Error::operation_not_allowed("this process carries no calls".to_owned()));
    };
    let kept = command.clone();
    app.store.write(move |tx| finish(tx, &kept)).await?;
    if handsets.dial(environment, &command) { Ok(command) } else { Err(Error::overloaded(1)) }
}

/// The numbers that make handsets behave in a certain way.
#[must_use]
pub fn magic_callees(app: &App) -> Vec<MagicNumbers> {
    handsets(app).map(|handsets| handsets.magic_numbers()).unwrap_or_default()
}

fn handsets(app: &App) -> Option<&Arc<dyn Handsets>> {
    app.handsets.get()
}
