//! Reading messages.

use tandem_catalogue::{Error, Result};
use tandem_domain::message::Message;
use tandem_kernel::{Caller, EnvironmentId, MessageId, Scope};
use tandem_store::{
    Tx,
    repo::messages::{self, Filter},
};

use crate::{App, permit};

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
