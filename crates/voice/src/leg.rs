//! One party of a call that was answered.

use serde_json::{Value, json};
use tandem_kernel::{CallId, EnvironmentId, PhoneNumber};
use tandem_media::{StreamEvent, sdp::Direction};
use tandem_sip::{Control, Dialog, DialogId, Event, Offer};

use crate::{
    lines::{Lines, Listed},
    sound::{Sound, holds},
};

/// What a party does.
pub(crate) enum Happening {
    /// By SIP.
    Said(Event),
    /// By its sound.
    Heard(StreamEvent),
}

/// The key that a body of `application/dtmf-relay` names.
pub(crate) fn signal(body: &str) -> Option<char> {
    body.lines().find_map(|line| line.trim().strip_prefix("Signal=")?.trim().chars().next())
}

/// One party of a call that was answered.
pub(crate) struct Leg {
    dialog: Dialog,
    pub control: Control,
    pub sound: Sound,
    /// Its number outside, which is paid for while it is there.
    pub number: Option<PhoneNumber>,
    /// Whether the other side has put us on hold.
    pub holds: bool,
    listening: bool,
    listed: Option<Listed>,
}

impl Leg {
    pub fn new(dialog: Dialog, mut sound: Sound, number: Option<PhoneNumber>) -> Self {
        sound.begin();
        let control = dialog.control();
        Self { dialog, control, sound, number, holds: false, listening: true, listed: None }
    }

    /// What its dialog is known by.
    pub const fn id(&self) -> &DialogId {
        self.dialog.id()
    }

    /// Lets another call of the same telephone find it.
    pub fn list(&mut self, lines: &Lines, call: CallId, environment: EnvironmentId) {
        let id = self.id().clone();
        self.listed.get_or_insert_with(|| lines.list(id, call, environment));
    }

    /// What happens next. After the end nothing does.
    pub async fn next(&mut self) -> Happening {
        loop {
            tokio::select! {
                event = self.dialog.next() => match event {
                    Some(event) => return Happening::Said(event),
                    None => std::future::pending().await,
                },
                heard = self.sound.events.recv(), if self.listening => match heard {
                    Some(event) => return Happening::Heard(event),
                    None => self.listening = false,
                },
            }
        }
    }

    /// Answers an offer within the call. Whether the party's hold changed.
    pub fn answer(&mut self, offer: Offer) -> bool {
        let Some(sdp) = offer.sdp.clone() else {
            let ours = self.sound.offer(Direction::SendRecv); // their answer comes with the acknowledgement
            offer.accept(ours);
            return false;
        };
        match self.sound.answer(&sdp, Direction::SendRecv) {
            Ok(answer) => {
                offer.accept(answer);
                let before = std::mem::replace(&mut self.holds, holds(&sdp));
                before != self.holds
            }
            Err(_) => {
                offer.refuse(488);
                false
            }
        }
    }

    /// Takes the answer that came with an acknowledgement.
    pub fn confirmed(&mut self, sdp: Option<&[u8]>) {
        if let Some(sdp) = sdp
            && self.sound.accept(sdp).is_err()
        {
            tracing::info!("the answer in an acknowledgement does not fit our offer");
        }
    }

    /// How its packets came and went.
    pub fn quality(&self) -> Value {
        let quality = self.sound.stream.quality();
        json!({
            "codec": self.sound.codec().map(tandem_media::Codec::name),
            "received": quality.received,
            "sent": quality.sent,
            "lost": quality.lost,
            "late": quality.late,
            "jitter_ms": quality.jitter.as_secs_f64() * 1e3,
            "round_trip_ms": quality.round_trip.map(|trip| trip.as_secs_f64() * 1e3),
            "mos": quality.score,
        })
    }
}
