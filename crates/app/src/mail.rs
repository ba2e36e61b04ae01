//! The port for sending e-mails.

use async_trait::async_trait;

/// An e-mail of plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What it is known by: the same however often it is sent.
    pub id: String,
    /// From whom; the platform's own address if none.
    pub from: Option<String>,
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Why an e-mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailFault {
    /// It never will be.
    Refused(String),
    /// Nobody took it, but may do so later.
    Unreachable(String),
}

/// Hands e-mails to a relay.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one, and says what the relay answered.
    async fn send(&self, mail: &Mail) -> Result<String, MailFault>;
}
