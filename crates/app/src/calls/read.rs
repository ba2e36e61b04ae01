//! Reading calls that are over.

use tandem_catalogue::{Error, Result};
use tandem_domain::call::{Call, Filter, Token};
use tandem_kernel::{CallId, Caller, Scope, Timestamp};
use tandem_store::{
    Tx,
    repo::calls::{self, Found, MOST_SEEN, Stretch},
};

use crate::{
    App, permit,
    properties::{self, PropertyRef},
};

/// How a caller names one of its calls: by id, or by something that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRef {
    /// The id, if the text is one.
    pub id: Option<CallId>,
    /// As the caller wrote it.
    pub text: String,
}

/// Which calls to list.
#[derive(Debug, Clone, Default)]
pub struct ListCalls {
    /// Of this property; of all where there is none.
    pub property: Option<PropertyRef>,
    /// Only those that it lets through. Its own property is not looked at.
    pub filter: Filter,
    /// Where to look.
    pub place: Place,
    /// How many.
    pub count: i64,
    /// How many to leave out; not beside a token.
    pub skip: i64,
}

/// Where to look for calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Among those that began in a stretch of time.
    Began {
        /// From then on.
        from: Option<Timestamp>,
        /// Before then.
        until: Option<Timestamp>,
        /// After this one.
        after: Option<CallId>,
    },
    /// Among those that were written since a token was issued.
    Written(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Began { from: None, until: None, after: None }
    }
}

/// Some calls.
#[derive(Debug, Clone)]
pub struct CallList {
    /// The calls, oldest first.
    pub calls: Vec<Call>,
    /// What takes the reader to the calls that are written from now on; where a list that began with a token did not come to its end, to
    /// those that it did not come to.
    pub token: String,
    /// The call after which the next page begins, where there is one.
    pub next: Option<CallId>,
}

/// Reads one call.
///
/// # Errors
/// `call_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, call: CallRef) -> Result<Call> {
    let environment = caller.environment;
    let missing = Error::call_not_found(call.text);
    let found = match call.id {
        Some(id) => app.store.read(move |tx| calls::get(tx, environment, id)).await?,
        None => None,
    };
    let found = found.ok_or(missing)?;
    permit(caller, Scope::CallsRead)?;
    Ok(found)
}

/// Lists calls, oldest first. However many there are, a bounded number is looked at: where a filter lets few of them through, a page may
/// have fewer calls than were asked for, or none, and yet lead to a next one.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`, `invalid_value` for a token or page that this environment did not give out, and for more
/// calls to leave out than are looked at.
pub async fn list(app: &App, caller: &Caller, command: ListCalls) -> Result<CallList> {
    let caller = *caller;
    let read = move |tx: &mut Tx| {
        let mut filter = command.filter.clone();
        filter.property = match &command.property {
            Some(property) => Some(properties::find(tx, caller.environment, property)?.id),
            None => None,
        };
        permit(&caller, Scope::CallsRead)?;
        match &command.place {
            Place::Written(token) => since(tx, &caller, &filter, token, command.count),
            Place::Began { from, until, after } => {
                let after = after.map(|id| begin_of(tx, &caller, id)).transpose()?;
                // One more than is wanted tells whether there is a next page.
                let stretch = Stretch { from: *from, until: *until, after, limit: command.count + 1, skip: command.skip };
                began(tx, &caller, &filter, &stretch, command.count)
            }
        }
    };
    app.store.read(read).await
}

fn begin_of(tx: &mut Tx, caller: &Caller, id: CallId) -> Result<(Timestamp, CallId)> {
    let call = calls::get(tx, caller.environment, id)?;
    let call = call.ok_or_else(|| Error::invalid_value("page_token", "must be a NextPageToken of an earlier answer"))?;
    Ok((call.started_at, call.id))
}

fn began(tx: &mut Tx, caller: &Caller, filter: &Filter, stretch: &Stretch, count: i64) -> Result<CallList> {
    let token = Token { written: calls::written(tx, caller.environment)? }.text(caller.environment);
    let Found { mut calls, seen } = calls::list(tx, caller.environment, filter, stretch)?;
    if calls.is_empty() && seen.is_some() && stretch.skip > 0 {
        let rule =
            format!("reaches beyond the {MOST_SEEN} calls that are looked at at once; leave it out and go on from the last page");
        return Err(Error::invalid_value("skip", rule));
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let more = calls.len() > count;
    calls.truncate(count);
    let next = if more { calls.last().map(|call| call.id) } else { seen };
    Ok(CallList { calls, token, next })
}

fn since(tx: &mut Tx, caller: &Caller, filter: &Filter, token: &str, count: i64) -> Result<CallList> {
    let environment = caller.environment;
    let now = calls::written(tx, environment)?;
    let after = Token::parse(environment, token).filter(|token| token.written <= now);
    let after = after.ok_or_else(|| Error::invalid_value("token", "must be a Token of an earlier answer"))?.written;
    let mut calls = calls::since(tx, environment, filter, after, count)?;
    let full = i64::try_from(calls.len()).is_ok_and(|length| length >= count);
    let seen = match calls.last().filter(|_| full) {
        Some(last) => last.written,
        None => now.min(after.saturating_add(MOST_SEEN)),
    };
    calls.sort_by_key(|call| (call.started_at, call.id));
    Ok(CallList { calls, token: Token { written: seen }.text(environment), next: None })
}
