//! Codes that did not arrive. The verification goes on: the same code can be sent again while it lasts.

use serde_json::json;
use tandem_catalogue::Result;
use tandem_domain::{Explanation, event::EventKind, message::Message};
use tandem_kernel::PhoneNumber;
use tandem_store::{Tx, repo::verifications};

use super::data;
use crate::app::Desk;

/// Tells of messages whose end was just written that they carried codes of verifications which still wait for them.
pub(crate) fn undelivered(tx: &mut Tx, desk: &Desk, messages: &[Message]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let phones: Vec<PhoneNumber> = messages.iter().map(|message| message.to).collect();
    let waiting = verifications::pending_of(tx, desk.settings.id, &phones)?;
    let (mut events, mut explanations) = (Vec::new(), Vec::new());
    for (message_id, verification) in waiting {
        let Some(message) = messages.iter().find(|message| message.id == message_id) else { continue };
        let (code, reason) =
            message.failure.as_ref().map_or(("", "it is not known why"), |it| (it.code.as_str(), it.reason.as_str()));
        let mut told = data(&verification);
        if let Some(members) = told.as_object_mut() {
            members.insert("message_id".into(), json!(message_id.to_string()));
            members.insert("error_code".into(), json!(code));
            members.insert("error_message".into(), json!(reason));
        }
        events.push((verification.id.to_string(), EventKind::VerifyUndelivered, told));
        let mut why = Explanation::of("verification", verification.id.to_string());
        why.note("the message with the code arrives", format!("{message_id} is {}: {reason}", message.state.as_str()), false);
        let until = verification.expires_at;
        explanations.push(why.concluding(format!("the code did not arrive; until {until} it can be sent again or come back")));
    }
    desk.explain_many(tx, &explanations)?;
    desk.events(tx, events)
}
