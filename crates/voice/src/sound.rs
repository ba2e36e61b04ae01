//! One party's sound: its ports, what was agreed on, and what it tells.

use std::sync::Arc;

use tandem_domain::{
    call::Reason,
    trunk::{self, Srtp, Trunk},
};
use tandem_media::{
    Codec, Media, Stream, StreamEvent,
    sdp::{Capabilities, Description, Direction, Negotiated, Preference, Security, Session},
};
use tokio::sync::mpsc;

/// One party's sound.
pub(crate) struct Sound {
    /// Shared with a caller who hears it before anybody has answered.
    pub stream: Arc<Stream>,
    pub events: mpsc::Receiver<StreamEvent>,
    session: Session,
    agreed: Option<Codec>,
}

impl Sound {
    /// Ports for a party that can do this much.
    ///
    /// # Errors
    /// `Congestion` where there are no ports.
    pub fn open(media: &Media, capabilities: Capabilities) -> Result<Self, Reason> {
        let (stream, events) = media.stream().map_err(|fault| {
            tracing::warn!(%fault, "a call gets no media port");
            Reason::Congestion
        })?;
        let session = Session::new(stream.local(), capabilities, media.rng());
        Ok(Self { stream: Arc::new(stream), events, session, agreed: None })
    }

    /// What we offer.
    pub fn offer(&mut self, direction: Direction) -> Vec<u8> {
        self.session.offer(direction).to_string().into_bytes()
    }

    /// Our answer to an offer, which holds from now on.
    ///
    /// # Errors
    /// `Incompatible` where nothing can be agreed on: what was agreed before stays.
    pub fn answer(&mut self, offer: &[u8], direction: Direction) -> Result<Vec<u8>, Reason> {
        let offer = read(offer)?;
        let (answer, agreed) = self.session.answer(&offer, direction).map_err(incompatible)?;
        self.hold_to(&agreed);
        Ok(answer.to_string().into_bytes())
    }

    /// Takes the answer to our offer.
    ///
    /// # Errors
    /// `Incompatible` where it does not fit.
    pub fn accept(&mut self, answer: &[u8]) -> Result<(), Reason> {
        let agreed = self.session.accept(&read(answer)?).map_err(incompatible)?;
        self.hold_to(&agreed);
        Ok(())
    }

    fn hold_to(&mut self, agreed: &Negotiated) {
        self.agreed = Some(agreed.send.codec);
        self.stream.negotiated(agreed);
    }

    /// What was said before somebody answered counts no more: neither keys nor that nothing was heard.
    pub fn begin(&mut self) {
        while self.events.try_recv().is_ok() {}
    }

    /// The codec that was agreed on.
    pub const fn codec(&self) -> Option<Codec> {
        self.agreed
    }
}

/// What can be agreed on with a party: the codec that the other party of the call has comes first, so that nothing has to be put into
/// another form.
pub(crate) fn capabilities(trunk: Option<&Trunk>, first: Option<Codec>) -> Capabilities {
    let mut codecs = match trunk.map(|trunk| &trunk.codecs) {
        Some(codecs) if !codecs.is_empty() => codecs.iter().map(|codec| spoken(*codec)).collect(),
        _ => Capabilities::default().codecs,
    };
    if let Some(first) = first.filter(|codec| codecs.contains(codec)) {
        codecs.retain(|codec| *codec != first);
        codecs.insert(0, first);
    }
    let security = match trunk.map(|trunk| trunk.srtp) {
        Some(Srtp::Required) => Security::Required,
        Some(Srtp::Off) => Security::Off,
        Some(Srtp::Optional) | None => Security::Allowed,
    };
    let preference = if first.is_some() { Preference::Ours } else { Preference::Theirs };
    Capabilities { codecs, security, preference, ..Capabilities::default() }
}

/// The same where we are called: a trunk that has to encrypt is held to it, everybody else may.
pub(crate) fn answering(trunk: Option<&Trunk>, first: Option<Codec>) -> Capabilities {
    let security = match trunk.map(|trunk| trunk.srtp) {
        Some(Srtp::Required) => Security::Required,
        _ => Security::Allowed,
    };
    Capabilities { security, ..capabilities(None, first) }
}

const fn spoken(codec: trunk::Codec) -> Codec {
    match codec {
        trunk::Codec::Pcmu => Codec::Pcmu,
        trunk::Codec::Pcma => Codec::Pcma,
        trunk::Codec::G722 => Codec::G722,
        trunk::Codec::Opus => Codec::Opus,
    }
}

fn read(text: &[u8]) -> Result<Description, Reason> {
    Description::parse(text).map_err(|fault| {
        tracing::debug!(%fault, "a session description cannot be read");
        Reason::Incompatible
    })
}

fn incompatible(refusal: impl std::fmt::Display) -> Reason {
    tracing::debug!(%refusal, "no session can be agreed on");
    Reason::Incompatible
}

/// The codec that an offer names first, of those that we speak.
pub(crate) fn first_codec(offer: &[u8]) -> Option<Codec> {
    let offer = Description::parse(offer).ok()?;
    let audio = offer.media.iter().find(|section| section.port != 0)?;
    audio.described().iter().find_map(tandem_media::sdp::Format::codec)
}

/// Whether an offer wants what is said encrypted.
pub(crate) fn encrypts(offer: &[u8]) -> bool {
    let Ok(offer) = Description::parse(offer) else { return false };
    let audio = offer.media.iter().find(|section| section.port != 0);
    audio.is_some_and(|section| section.protocol.contains("SAVP"))
}

/// Whether the other side has put us on hold.
pub(crate) fn holds(offer: &[u8]) -> bool {
    let Ok(offer) = Description::parse(offer) else { return false };
    let audio = offer.media.iter().find(|section| section.port != 0);
    let direction = audio.and_then(|section| section.direction());
    matches!(direction, Some(Direction::SendOnly | Direction::Inactive))
}
