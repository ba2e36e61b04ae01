//! What the owner of a call can do with it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;

use super::{By, Ended, Event, Reason};

/// What a dialog is known by (RFC 3261 section 12).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DialogId {
    /// Its Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The other side's.
    pub remote_tag: String,
}

/// Why a request within a dialog did not do what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It was refused.
    Refused(u16),
    /// It was not answered, or could not be sent.
    Unanswered,
    /// The dialog is over.
    Over,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => write!(f, "refused with {status}"),
            Self::Unanswered => f.write_str("not answered"),
            Self::Over => f.write_str("the dialog is over"),
        }
    }
}

impl std::error::Error for Failed {}

/// Why a re-INVITE did not change the session. The session is as it was before, unless the dialog is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReinviteError {
    /// It failed.
    Failed(Failed),
    /// Another one of ours is under way.
    Pending,
    /// Both sides kept offering at once.
    Glare,
}

impl fmt::Display for ReinviteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failed) => failed.fmt(f),
            Self::Pending => f.write_str("another offer is under way"),
            Self::Glare => f.write_str("both sides kept offering"),
        }
    }
}

impl std::error::Error for ReinviteError {}

/// A request for the task that owns the dialog.
#[derive(Debug)]
pub(crate) enum Command {
    Bye(Vec<Reason>),
    Vanish,
    Reinvite {
        sdp: Vec<u8>,
        reply: oneshot::Sender<Result<Option<Vec<u8>>, ReinviteError>>,
    },
    Request {
        method: rsipstack::sip::Method,
        fields: Vec<(String, String)>,
        body: Option<(String, Vec<u8>)>,
        reply: oneshot::Sender<Result<u16, Failed>>,
    },
}

/// Acts on a call. It may be copied; the call lives as long as its [`Dialog`].
#[derive(Debug, Clone)]
pub struct Control {
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Control {
    /// Ends the call. Its [`Dialog`] tells when it is over.
    pub async fn bye(&self, reasons: Vec<Reason>) {
        let _ = self.commands.send(Command::Bye(reasons)).await; // it may be over already
    }

    /// Leaves the call as a telephone does whose power goes: nothing is said to the other side, and nothing that it says is answered.
    /// For simulations.
    pub async fn vanish(&self) {
        let _ = self.commands.send(Command::Vanish).await; // it may be over already
    }

    /// Offers another session and gives the answer. Where the other side offers at the same time, it is tried again after the wait
    /// that RFC 3261 section 14.1 says.
    ///
    /// # Errors
    /// The other side refuses or does not answer.
    pub async fn reinvite(&self, sdp: Vec<u8>) -> Result<Option<Vec<u8>>, ReinviteError> {
        let (reply, answer) = oneshot::channel();
        let over = ReinviteError::Failed(Failed::Over);
        self.commands.send(Command::Reinvite { sdp, reply }).await.map_err(|_| over)?;
        answer.await.map_err(|_| over)?
    }

    async fn request(
        &self,
        method: rsipstack::sip::Method,
        fields: Vec<(String, String)>,
        body: Option<(String, Vec<u8>)>,
    ) -> Result<u16, Failed> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Request { method, fields, body, reply }).await.map_err(|_| Failed::Over)?;
        answer.await.map_err(|_| Failed::Over)?
    }

    /// Sends an INFO (RFC 6086).
    ///
    /// # Errors
    /// The other side refuses or does not answer.
    pub async fn info(&self, kind: &str, body: Vec<u8>) -> Result<u16, Failed> {
        self.request(rsipstack::sip::Method::Info, Vec::new(), Some((kind.to_owned(), body))).await
    }

    /// Asks the other side to call somebody else instead (RFC 3515). What comes of it arrives as [`Event::Notified`].
    ///
    /// # Errors
    /// The other side refuses or does not answer.
    pub async fn refer(&self, to: &str, replaces: Option<&str>, by: Option<&str>) -> Result<u16, Failed> {
        let to = replaces.map_or_else(|| format!("<{to}>"), |replaces| format!("<{to}?Replaces={}>", escaped(replaces)));
        let mut fields = vec![("Refer-To".to_owned(), to)];
        fields.extend(by.map(|by| ("Referred-By".to_owned(), format!("<{by}>"))));
        self.request(rsipstack::sip::Method::Refer, fields, None).await
    }

    /// Tells how the call that a REFER asked for fares (RFC 3515 section 2.4.4). A final status is the last word.
    ///
    /// # Errors
    /// The other side refuses or does not answer.
    pub async fn notify_refer(&self, status: u16, reason: &str) -> Result<u16, Failed> {
        let state = if status < 200 { "active;expires=60" } else { "terminated;reason=noresource" };
        let fields = vec![("Event".to_owned(), "refer".to_owned()), ("Subscription-State".to_owned(), state.to_owned())];
        let body = format!("SIP/2.0 {status} {reason}\r\n").into_bytes();
        self.request(rsipstack::sip::Method::Notify, fields, Some(("message/sipfrag;version=2.0".to_owned(), body))).await
    }
}

/// A header within a URI (RFC 3261 section 19.1.1).
fn escaped(value: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet);
    value.bytes().map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") }).collect()
}

/// A call that was answered. Dropping it ends the call.
#[derive(Debug)]
pub struct Dialog {
    pub(crate) id: DialogId,
    pub(crate) control: Control,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) ended: Arc<OnceLock<Ended>>,
    pub(crate) told: bool,
    pub(crate) _alive: DropGuard,
}

impl Dialog {
    /// What it is known by.
    #[must_use]
    pub const fn id(&self) -> &DialogId {
        &self.id
    }

    /// What acts on it.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// What happens next. The last is always [`Event::Ended`], and after it there is nothing.
    pub async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.events.recv().await {
            return Some(event);
        }
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(Event::Ended(self.ended.get().cloned().unwrap_or(Ended::by(By::Transport))))
    }
}

/// Both ends of a dialog: the owner's and the task's.
pub(crate) struct Ends {
    pub events: mpsc::Sender<Event>,
    pub commands: mpsc::Receiver<Command>,
    pub ended: Arc<OnceLock<Ended>>,
    pub dropped: tokio_util::sync::CancellationToken,
}

/// A dialog's handle and what its task holds of it.
pub(crate) fn handle(id: DialogId) -> (Dialog, Ends) {
    let (events_in, events) = mpsc::channel(64);
    let (commands, commands_out) = mpsc::channel(16);
    let (ended, dropped) = (Arc::new(OnceLock::new()), tokio_util::sync::CancellationToken::new());
    let ends = Ends { events: events_in, commands: commands_out, ended: Arc::clone(&ended), dropped: dropped.clone() };
    (Dialog { id, control: Control { commands }, events, ended, told: false, _alive: dropped.drop_guard() }, ends)
}
