//! Calls as their owner sees them, whether they go on or are over.

use std::collections::HashMap;

use tandem_catalogue::{Error, Result};
use tandem_domain::call::{Call, Live, Outcome};
use tandem_kernel::{CallId, Caller, Scope, Timestamp};
use tandem_store::{
    Tx,
    repo::{calls, explanations::Kept, live_calls},
};

use crate::{
    App,
    explain::{Which, of},
    permit,
};

/// A call that goes on, or one that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallView {
    /// It goes on.
    Live(Box<Live>),
    /// It is over; what is known beside its record is missing where another system wrote the record.
    Over(Box<Call>, Option<Box<Outcome>>),
}

impl CallView {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> CallId {
        match self {
            Self::Live(live) => live.id,
            Self::Over(call, _) => call.id,
        }
    }

    /// How far it has come, or whether somebody took it.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Live(live) => live.phase.as_str(),
            Self::Over(call, _) if call.answered_at.is_some() => "completed",
            Self::Over(..) => "failed",
        }
    }

    /// When it began, by the environment's clock.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        match self {
            Self::Live(live) => live.started_at,
            Self::Over(call, _) => call.started_at,
        }
    }
}

/// Reads a call.
///
/// # Errors
/// `call_not_found`, `insufficient_scope`.
pub async fn find_shown(app: &App, caller: &Caller, id: String) -> Result<CallView> {
    let caller = *caller;
    app.store.read(move |tx| find(tx, &caller, &id)).await
}

fn find(tx: &mut Tx, caller: &Caller, id: &str) -> Result<CallView> {
    let missing = || Error::call_not_found(id.to_owned());
    let parsed = CallId::parse(id).ok_or_else(missing)?;
    let live = live_calls::get(tx, parsed)?.filter(|live| live.environment == caller.environment);
    let view = match live {
        Some(live) => CallView::Live(Box::new(live)),
        None => {
            let call = calls::get(tx, caller.environment, parsed)?.ok_or_else(missing)?;
            let outcome = live_calls::outcomes(tx, &[parsed])?.pop();
            CallView::Over(Box::new(call), outcome.map(|(_, outcome)| Box::new(outcome)))
        }
    };
    permit(caller, Scope::CallsRead)?;
    Ok(view)
}

/// An environment's calls: those that go on and those that are over, the newest first, before a call.
///
/// # Errors
/// `insufficient_scope`, `call_not_found` for a place that is none of the environment's calls.
pub async fn list_shown(app: &App, caller: &Caller, before: Option<CallId>, limit: i64) -> Result<Vec<CallView>> {
    permit(caller, Scope::CallsRead)?;
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let environment = caller.environment;
        let place = match before {
            Some(id) => Some((begin_of(tx, &caller, id)?, id)),
            None => None,
        };
        let live = live_calls::newest(tx, environment, place, limit)?;
        let over = calls::newest(tx, environment, place, limit)?;
        let ids: Vec<CallId> = over.iter().map(|call| call.id).collect();
        let mut outcomes: HashMap<CallId, Outcome> = live_calls::outcomes(tx, &ids)?.into_iter().collect();
        let over = over.into_iter().map(|call| {
            let outcome = outcomes.remove(&call.id).map(Box::new);
            CallView::Over(Box::new(call), outcome)
        });
        let mut all: Vec<CallView> = live.into_iter().map(|live| CallView::Live(Box::new(live))).chain(over).collect();
        all.sort_by_key(|view| std::cmp::Reverse((view.started_at(), view.id())));
        all.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(all)
    };
    app.store.read(read).await
}

fn begin_of(tx: &mut Tx, caller: &Caller, id: CallId) -> Result<Timestamp> {
    Ok(find(tx, caller, &id.to_string())?.started_at())
}

/// Explains what was decided about a call.
///
/// # Errors
/// `call_not_found`, `insufficient_scope`.
pub async fn explain(app: &App, caller: &Caller, id: String, which: Which) -> Result<(CallView, Vec<Kept>)> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let view = find(tx, &asker, &id)?;
        permit(&asker, Scope::LogsRead)?;
        let kept = of(tx, &asker, &view.id().to_string(), which)?;
        Ok((view, kept))
    };
    app.store.read(read).await
}
