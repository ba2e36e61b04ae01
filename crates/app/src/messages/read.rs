//! Reading messages.

use tandem_catalogue::{Error, Result};
use tandem_domain::message::{Message, MessageState};
use tandem_kernel::{Caller, EnvironmentId, MessageId, Scope, Timestamp};
use tandem_store::{
    Tx,
    repo::messages::{self, Filter, Span},
};

use crate::{
    App, permit,
    properties::{self, PropertyRef},
};

/// Which messages to list.
#[derive(Debug, Clone, Default)]
pub struct ListMessages {
    /// Only those that it lets through.
    pub filter: Filter,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// A page of messages.
#[derive(Debug, Clone)]
pub struct MessageList {
    /// The page, newest first.
    pub messages: Vec<Message>,
    /// How many there are in all.
    pub total: i64,
}

/// Finds an environment's message by the text of its id.
///
/// # Errors
/// `message_not_found`.
pub(crate) fn find(tx: &mut Tx, environment: EnvironmentId, id: &str) -> Result<Message> {
    let found = match MessageId::parse(id) {
        Some(id) => messages::get(tx, environment, id)?,
        None => None,
    };
    found.ok_or_else(|| Error::message_not_found(id.to_owned()))
}

/// Reads one message.
///
/// # Errors
/// `message_not_found`, `insufficient_scope`.
pub async fn get(app: &App, caller: &Caller, id: String) -> Result<Message> {
    let environment = caller.environment;
    let found = app.store.read(move |tx| find(tx, environment, &id)).await?;
    permit(caller, Scope::MessagesRead)?;
    Ok(found)
}

/// Lists messages.
///
/// # Errors
/// `insufficient_scope`.
pub async fn list(app: &App, caller: &Caller, command: ListMessages) -> Result<MessageList> {
    permit(caller, Scope::MessagesRead)?;
    let environment = caller.environment;
    let ListMessages { filter, limit, offset } = command;
    let read = move |tx: &mut Tx| {
        let messages = messages::list(tx, environment, &filter, limit, offset)?;
        Ok(MessageList { messages, total: messages::count(tx, environment, &filter)? })
    };
    app.store.read(read).await
}

/// Finds messages without counting them all, newest first.
///
/// # Errors
/// `insufficient_scope`.
pub async fn search(app: &App, caller: &Caller, filter: Filter, limit: i64) -> Result<Vec<Message>> {
    permit(caller, Scope::MessagesRead)?;
    let environment = caller.environment;
    app.store.read(move |tx| messages::list(tx, environment, &filter, limit, 0)).await
}

/// Which messages of a property to find, oldest first.
#[derive(Debug, Clone)]
pub struct FindMessages {
    /// In one of these states.
    pub states: Vec<MessageState>,
    /// Accepted or received then or later.
    pub from: Timestamp,
    /// Accepted or received before then.
    pub to: Timestamp,
    /// From the one after this.
    pub after: Option<MessageId>,
    /// How many.
    pub limit: i64,
    /// How many to leave out.
    pub offset: i64,
}

/// Finds a property's messages of a span of time.
///
/// # Errors
/// `property_not_found`, `insufficient_scope`, `invalid_value` for `after` where that is no message of the environment's.
pub async fn find_of_property(app: &App, caller: &Caller, property: PropertyRef, command: FindMessages) -> Result<Vec<Message>> {
    let asker = *caller;
    let read = move |tx: &mut Tx| {
        let property = properties::find(tx, asker.environment, &property)?;
        permit(&asker, Scope::MessagesRead)?;
        let after = match command.after {
            Some(id) => {
                let last = messages::get(tx, asker.environment, id)?;
                let last = last.ok_or_else(|| Error::invalid_value("page_token", "must be one of an earlier answer"))?;
                Some((last.created_at, last.id))
            }
            None => None,
        };
        let FindMessages { states, from, to, limit, offset, .. } = command.clone();
        messages::of_property(tx, property.id, &Span { states, from, to, after, limit, offset })
    };
    app.store.read(read).await
}
