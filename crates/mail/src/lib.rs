//! E-mails on their way out: to one relay, by SMTP.
#![warn(missing_docs)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::Error,
};
use tandem_app::mail::{Mail, MailFault, Mailer};

/// How long sending one may take, from the connection to the relay's last word.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a relay answers that does not know us (RFC 4954): its operator's matter, and no word about the e-mail.
const UNKNOWN_HERE: [u16; 4] = [530, 534, 535, 538];

/// The relay.
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

impl Relay {
    /// The relay at a URL, which sends in the name of `from`: `smtps://USER:PASSWORD@HOST`, `smtp://HOST:PORT?tls=required` for
    /// STARTTLS, `smtp://HOST:PORT` without encryption.
    ///
    /// # Errors
    /// What is wrong with the URL or the address, in words.
    pub fn new(url: &str, from: &str) -> Result<Self, String> {
        let from: Address = from.parse().map_err(|fault| format!("'{from}' is no e-mail address: {fault}"))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|fault| format!("no relay is there: {fault}"))?;
        Ok(Self { transport: builder.timeout(Some(PATIENCE)).build(), from })
    }

    /// For [`tandem_app::messages::PostOffice::set`].
    #[must_use]
    pub fn shared(self) -> Arc<dyn Mailer> {
        Arc::new(self)
    }

    /// The e-mail as it is written. The customer's address is its author and ours the sender, so that the relay stands for it.
    fn write(&self, mail: &Mail) -> Result<Message, String> {
        let words = |fault: &dyn std::fmt::Display| format!("the e-mail cannot be written: {fault}");
        let address =
            |text: &str| text.parse::<Address>().map(|address| Mailbox::new(None, address)).map_err(|fault| words(&fault));
        let own = Mailbox::new(None, self.from.clone());
        let builder = Message::builder()
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.domain())))
            .to(address(&mail.to)?)
            .subject(&mail.subject)
            .header(ContentType::TEXT_PLAIN);
        let builder = match &mail.from {
            Some(from) => builder.from(address(from)?).sender(own),
            None => builder.from(own),
        };
        builder.body(mail.text.clone()).map_err(|fault| words(&fault))
    }
}

#[async_trait]
impl Mailer for Relay {
    async fn send(&self, mail: &Mail) -> Result<String, MailFault> {
        let message = self.write(mail).map_err(MailFault::Refused)?;
        // The transport's own patience ends with the connection.
        let sent = tokio::time::timeout(PATIENCE, self.transport.send(message)).await;
        let sent = sent.map_err(|_| MailFault::Unreachable(format!("no answer within {} seconds", PATIENCE.as_secs())))?;
        sent.map(|answer| format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "))).map_err(fault_of)
    }
}

fn fault_of(error: Error) -> MailFault {
    let code = error.status().map(u16::from);
    let said = error.to_string();
    if error.is_permanent() && !code.is_some_and(|code| UNKNOWN_HERE.contains(&code)) {
        MailFault::Refused(said)
    } else {
        MailFault::Unreachable(said)
    }
}
