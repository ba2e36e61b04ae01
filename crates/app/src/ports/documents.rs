//! Documents that support a port.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    document::{self, Document, DocumentKind},
    event::EventKind,
    port::Port,
};
use tandem_kernel::{Caller, DocumentId, Scope};
use tandem_store::{Tx, repo::ports};

use super::read::{find, find_any};
use crate::{App, Asker, Finish, permit};

/// A document to add.
#[derive(Debug, Clone)]
pub struct AddDocument {
    /// The port, by the text of its id.
    pub port: String,
    /// What it proves.
    pub kind: DocumentKind,
    /// Its sender's name for it.
    pub name: String,
    /// The file.
    pub content: Vec<u8>,
}

/// Finds the port whose documents somebody wants to read.
fn readable(tx: &mut Tx, asker: &Asker, id: &str) -> Result<Port> {
    match asker {
        Asker::Account(caller) => {
            let port = find(tx, caller.environment, id)?;
            permit(caller, Scope::PortsRead)?;
            Ok(port)
        }
        Asker::Operator => find_any(tx, id),
    }
}

/// Adds a document to a port that is under way.
///
/// # Errors
/// What is wrong with the name, `document_refused`, `port_not_found`, `insufficient_scope`, `invalid_transition` for a port that
/// has ended, `operation_not_allowed` for one that has as many as it takes.
pub async fn add_document(app: &App, caller: &Caller, command: AddDocument, finish: Finish<Document>) -> Result<Document> {
    let media_type = document::check(&command.name, &command.content)?;
    let (pen, caller) = (app.pen(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let port = find(tx, caller.environment, &command.port)?;
        permit(&caller, Scope::PortsWrite)?;
        if port.state.is_final() {
            return Err(Error::invalid_transition("port", port.state.as_str(), "documented"));
        }
        if ports::documents(tx, port.id)?.len() >= document::MOST {
            return Err(Error::operation_not_allowed(format!("A port takes at most {} documents", document::MOST)));
        }
        let document = Document {
            id: desk.id(DocumentId::new),
            port: port.id,
            kind: command.kind,
            name: command.name.clone(),
            media_type,
            size: i64::try_from(command.content.len()).unwrap_or(i64::MAX),
            created_at: desk.now,
        };
        ports::add_document(tx, &document, &command.content)?;
        let data = json!({ "document": document.id.to_string(), "type": document.kind.as_str(), "size": document.size });
        desk.event(tx, &port.id.to_string(), EventKind::PortDocumentAdded, &data)?;
        finish(tx, &document)?;
        Ok(document)
    };
    app.store.write(work).await
}

/// A port's documents without their contents, oldest first.
///
/// # Errors
/// `port_not_found`, `insufficient_scope`.
pub async fn documents(app: &App, asker: Asker, port: String) -> Result<Vec<Document>> {
    let read = move |tx: &mut Tx| {
        let port = readable(tx, &asker, &port)?;
        ports::documents(tx, port.id)
    };
    app.store.read(read).await
}

/// A document and its content.
///
/// # Errors
/// `port_not_found`, `insufficient_scope`, `resource_not_found`.
pub async fn document(app: &App, asker: Asker, port: String, id: String) -> Result<(Document, Vec<u8>)> {
    let read = move |tx: &mut Tx| {
        let port = readable(tx, &asker, &port)?;
        let found = match DocumentId::parse(&id) {
            Some(id) => ports::document_with_content(tx, port.id, id)?,
            None => None,
        };
        found.ok_or_else(|| Error::resource_not_found("document", id.clone()))
    };
    app.store.read(read).await
}
