//! Calls until somebody takes them.

use std::{net::SocketAddr, time::Duration};

use tandem_media::{
    Path, Reading, Stream, StreamEvent,
    sdp::{Description, Direction, Session},
};
use tandem_sip::{Dial, Ended, Incoming, IncomingCall, Outgoing, Progress, Reason, Refusal};
use tokio::{sync::mpsc, time::timeout};

use super::{
    PATIENCE, Phone, Talk,
    talk::{STRETCH, tone},
};

/// Why a call was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// What `Reason` fields say.
    pub reasons: Vec<Reason>,
    /// What `Retry-After` says.
    pub retry_after: Option<u32>,
    /// Where else to call.
    pub contacts: Vec<String>,
}

impl Refused {
    /// The value of Q.850, where one is given.
    pub fn q850(&self) -> Option<u16> {
        self.reasons.iter().find(|reason| reason.protocol == "Q.850").map(|reason| reason.cause)
    }

    /// The words beside it: the catalogue's code and the call's id.
    pub fn text(&self) -> &str {
        self.reasons.iter().find_map(|reason| reason.text.as_deref()).unwrap_or_default()
    }
}

/// How a call that a telephone makes came out.
#[derive(Debug)]
pub enum Outcome {
    /// Somebody took it.
    Answered(Talk),
    /// It was refused.
    Refused(Refused),
    /// Nobody answered in time.
    TimedOut,
    /// It could not be sent.
    Unreachable,
    /// It was given up.
    Cancelled,
}

/// A call that a telephone makes. Dropping it gives it up.
pub struct Calling {
    outgoing: Outgoing,
    sound: Option<(Stream, mpsc::Receiver<StreamEvent>, Session)>,
    rings: Option<u16>,
    /// Whether there was early media.
    pub early: bool,
}

impl Phone {
    /// Calls a number, or a user, through a server.
    pub async fn call(&self, server: SocketAddr, from: &str, to: &str) -> Calling {
        self.call_with(server, from, to, |_| {}).await
    }

    /// As [`Self::call`], with other details: header fields, hops, the time to ring.
    pub async fn call_with(&self, server: SocketAddr, from: &str, to: &str, change: impl FnOnce(&mut Dial)) -> Calling {
        let (stream, events, mut session) = self.session();
        let sdp = session.offer(Direction::SendRecv).to_string().into_bytes();
        let mut dial = Dial::new(&self.uri(Some(to), server), &format!("sip:{from}@{}", self.address()), sdp);
        dial.target = self.target(server);
        dial.contact_user = Some(from.to_owned());
        dial.login = self.line().as_ref().map(|line| line.login.clone());
        change(&mut dial);
        Calling { outgoing: self.sip.dial(dial), sound: Some((stream, events, session)), rings: None, early: false }
    }

    /// The next call that comes in.
    pub async fn incoming(&self) -> Arriving {
        self.next_within(PATIENCE).await.expect("a call comes in")
    }

    /// The next call that comes in within a time, if one does.
    pub async fn next_within(&self, patience: Duration) -> Option<Arriving> {
        let mut incoming = self.incoming.lock().await;
        let Some(Incoming::Call(call)) = timeout(patience, incoming.recv()).await.ok()? else { panic!("the telephone is closed") };
        Some(Arriving { call, sound: self.session() })
    }
}

impl Calling {
    /// Its Call-ID.
    pub fn call_id(&self) -> &str {
        self.outgoing.call_id()
    }

    async fn next(&mut self) -> Progress {
        let next = timeout(PATIENCE, self.outgoing.next()).await;
        next.expect("something becomes of a call").expect("a call that is not over")
    }

    fn rang(&mut self, status: u16, sdp: Option<&[u8]>) {
        self.rings = Some(status);
        if let (Some(sdp), Some((stream, _, session))) = (sdp, &mut self.sound) {
            let early = Description::parse(sdp).expect("a description with early media");
            stream.negotiated(&session.accept(&early).expect("early media that fit"));
            self.early = true;
        }
    }

    /// Waits until it rings; the status that says so.
    pub async fn ringing(&mut self) -> u16 {
        while self.rings.is_none() {
            match self.next().await {
                Progress::Ringing { status, sdp } => self.rang(status, sdp.as_deref()),
                other => panic!("it does not ring: {other:?}"),
            }
        }
        self.rings.unwrap_or_default()
    }

    /// Waits until it hears a tone before anybody has answered.
    pub async fn hears(&mut self, hertz: u16) -> Reading {
        let (stream, ..) = self.sound.as_ref().expect("nobody has answered");
        let (mut hearing, mut heard) = (stream.hear(), Vec::new());
        let heard = timeout(PATIENCE, async {
            loop {
                heard.extend(hearing.next().await.expect("a stream that goes on"));
                if heard.len() >= STRETCH {
                    let reading = Reading::of(&std::mem::take(&mut heard));
                    if reading.is_tone(f32::from(hertz)) {
                        return reading;
                    }
                }
            }
        });
        heard.await.unwrap_or_else(|_| panic!("{hertz} Hz are not heard while it rings"))
    }

    /// Says a tone before anybody has answered.
    pub fn say(&self, hertz: u16) {
        let (stream, ..) = self.sound.as_ref().expect("nobody has answered");
        stream.connect(&Path::Held(&tone(hertz)));
    }

    /// Presses keys before anybody has answered.
    pub fn press(&self, keys: &str) {
        let (stream, ..) = self.sound.as_ref().expect("nobody has answered");
        drop(stream.send_digits(&tandem_media::dtmf::Key::all(keys).expect("keys")).expect("digits go out"));
    }

    /// How it comes out.
    pub async fn outcome(&mut self) -> Outcome {
        loop {
            return match self.next().await {
                Progress::Ringing { status, sdp } => {
                    self.rang(status, sdp.as_deref());
                    continue;
                }
                Progress::Answered { dialog, sdp } => {
                    let (stream, events, mut session) = self.sound.take().expect("a call is answered once");
                    let answer = Description::parse(&sdp.expect("an answer")).expect("an answer that can be read");
                    stream.negotiated(&session.accept(&answer).expect("an answer that fits"));
                    Outcome::Answered(Talk::begin(dialog, stream, events, session))
                }
                Progress::Failed { status, reasons, contacts, retry_after } => {
                    Outcome::Refused(Refused { status, reasons, retry_after, contacts })
                }
                Progress::TimedOut => Outcome::TimedOut,
                Progress::Unreachable | Progress::Refused => Outcome::Unreachable,
                Progress::Cancelled => Outcome::Cancelled,
            };
        }
    }

    /// Waits until somebody takes it.
    pub async fn answered(mut self) -> Talk {
        match self.outcome().await {
            Outcome::Answered(talk) => talk,
            other => panic!("it is not answered: {other:?}"),
        }
    }

    /// Waits until it is refused.
    pub async fn refused(mut self) -> Refused {
        match self.outcome().await {
            Outcome::Refused(refused) => refused,
            other => panic!("it is not refused: {other:?}"),
        }
    }

    /// Gives it up, and waits until that is through.
    pub async fn cancel(mut self) {
        self.outgoing.cancel(Vec::new());
        let outcome = self.outcome().await;
        assert!(matches!(outcome, Outcome::Cancelled), "it is not given up: {outcome:?}");
    }

    /// Gives it up; where it was answered meanwhile, it is hung up.
    pub async fn given_up(mut self) {
        self.outgoing.cancel(Vec::new());
        if let Outcome::Answered(talk) = self.outcome().await {
            talk.bye().await;
        }
    }
}

/// A call that came in. Dropping it refuses it.
pub struct Arriving {
    call: IncomingCall,
    sound: (Stream, mpsc::Receiver<StreamEvent>, Session),
}

impl Arriving {
    /// The number that is shown.
    pub fn from(&self) -> String {
        self.call.calling().unwrap_or_default()
    }

    /// The number or the user that is called.
    pub fn to(&self) -> String {
        self.call.called().unwrap_or_default()
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.call.header(name)
    }

    /// Rings.
    pub async fn ring(&self) {
        self.call.ring(180, None).await;
    }

    /// Rings with a tone that is heard before anybody answers (183).
    pub async fn ring_with(&mut self, hertz: u16) {
        let (stream, _, session) = &mut self.sound;
        let offer = Description::parse(&self.call.offer().expect("an offer")).expect("an offer that can be read");
        let (said, agreed) = session.answer(&offer, Direction::SendRecv).expect("an offer that fits");
        stream.negotiated(&agreed);
        stream.connect(&Path::Held(&tone(hertz)));
        self.call.ring(183, Some(said.to_string().into_bytes())).await;
    }

    /// What is heard of the caller within so many milliseconds, and the keys that came.
    pub async fn overhears(&mut self, milliseconds: u64) -> (Reading, usize) {
        let (stream, events, _) = &mut self.sound;
        let (mut hearing, mut heard) = (stream.hear(), Vec::new());
        let listening = async {
            while let Some(frame) = hearing.next().await {
                heard.extend(frame);
            }
        };
        drop(timeout(Duration::from_millis(milliseconds), listening).await);
        let mut keys = 0;
        while let Ok(event) = events.try_recv() {
            keys += usize::from(matches!(event, StreamEvent::Digit(_)));
        }
        (Reading::of(&heard), keys)
    }

    /// Takes the call.
    pub async fn answer(self) -> Talk {
        self.try_answer().await.unwrap_or_else(|ended| panic!("the caller is gone: {ended:?}"))
    }

    /// Takes the call, if the caller is still there.
    ///
    /// # Errors
    /// How it ended before.
    pub async fn try_answer(self) -> Result<Talk, Ended> {
        let (stream, events, mut session) = self.sound;
        let sdp = match self.call.offer() {
            Some(offer) => {
                let offer = Description::parse(&offer).expect("an offer that can be read");
                let (answer, agreed) = session.answer(&offer, Direction::SendRecv).expect("an offer that fits");
                stream.negotiated(&agreed);
                answer
            }
            None => session.offer(Direction::SendRecv),
        };
        let dialog = self.call.answer(sdp.to_string().into_bytes()).await?;
        Ok(Talk::begin(dialog, stream, events, session))
    }

    /// Refuses it.
    pub async fn refuse(self, status: u16) {
        self.call.refuse(Refusal::of(status)).await;
    }

    /// Refuses it with everything that a refusal may say.
    pub async fn refuse_with(self, refusal: Refusal) {
        self.call.refuse(refusal).await;
    }

    /// Waits until the caller gives up.
    pub async fn cancelled(self) -> Ended {
        timeout(PATIENCE, self.call.cancelled()).await.expect("the caller gives up")
    }
}
