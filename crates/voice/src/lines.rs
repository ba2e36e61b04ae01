//! Which call a dialog is a part of, so that one call of a telephone can be joined with another of it (RFC 3891).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_kernel::{CallId, EnvironmentId};
use tandem_sip::DialogId;

type Known = HashMap<DialogId, (CallId, EnvironmentId)>;

/// The dialogs of all parties that are there.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Known>>);

/// A dialog that can be found, until this is dropped.
pub(crate) struct Listed {
    lines: Lines,
    id: DialogId,
}

impl Lines {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a dialog be found.
    pub fn list(&self, id: DialogId, call: CallId, environment: EnvironmentId) -> Listed {
        self.known().insert(id.clone(), (call, environment));
        Listed { lines: self.clone(), id }
    }

    /// The call of an environment that a dialog is a part of.
    pub fn find(&self, id: &DialogId, environment: EnvironmentId) -> Option<CallId> {
        self.known().get(id).filter(|(_, whose)| *whose == environment).map(|(call, _)| *call)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.lines.known().remove(&self.id);
    }
}

/// The dialog that a `Replaces` means, as we know it: its tags are those of whoever is asked and of whoever asks.
pub(crate) fn meant(replaces: &str) -> Option<DialogId> {
    let mut parts = replaces.split(';').map(str::trim);
    let call_id = parts.next().filter(|id| !id.is_empty())?.to_owned();
    let (mut local, mut remote) = (None, None);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.to_ascii_lowercase().as_str() {
            "to-tag" => local = Some(value.to_owned()),
            "from-tag" => remote = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(DialogId { call_id, local_tag: local?, remote_tag: remote? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaces_names_our_tag_first() {
        let id = DialogId { call_id: "a@b".to_owned(), local_tag: "ours".to_owned(), remote_tag: "theirs".to_owned() };
        assert_eq!(meant("a@b;to-tag=ours;from-tag=theirs"), Some(id.clone()));
        assert_eq!(meant("a@b; From-Tag=theirs;early-only;To-Tag=ours"), Some(id));
        assert_eq!(meant("a@b;to-tag=ours"), None);
    }
}
