//! Two parties speak: hold, digits, the money, and who hangs up.

use std::time::Duration;

use tandem_app::calls;
use tandem_catalogue::Code;
use tandem_domain::call::{Ending, Reason, money::Grant};
use tandem_media::{
    Path, StreamEvent,
    play::{Part, Prompt, Signal, Tone},
    sdp::Direction,
};
use tandem_sip::{By, Event, Info};
use tokio::time::Instant;

use super::{Call, ring::Answered};
use crate::{
    leg::{Happening, Leg},
    refusal::{because, reasons},
    sound::{Sound, capabilities},
};

/// What stops a call that goes on.
enum Stop {
    /// One of the two hung up, or is gone.
    Ended(By, Vec<tandem_sip::Reason>),
    /// We end it.
    Ours(Reason),
}

/// When something has to be done about the money.
struct Meter {
    since: Instant,
    grant: Grant,
    warned: bool,
}

enum Due {
    Extend,
    Warn,
    End,
}

impl Meter {
    fn next(&self) -> (Instant, Due) {
        let at = |seconds: i64| self.since + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        match (self.grant.extend_at, self.grant.warn_at) {
            (Some(seconds), _) => (at(seconds), Due::Extend),
            (None, Some(seconds)) if !self.warned => (at(seconds), Due::Warn),
            _ => (at(self.grant.until), Due::End),
        }
    }
}

impl Call {
    /// Answers the caller and joins the two, until one of them or the money ends it.
    pub(super) async fn talk(&mut self, answered: Answered) -> Ending {
        let Answered { callee, by } = answered;
        let Some(incoming) = self.caller.take() else { return Ending::of(Reason::Internal) };
        let opened = Sound::open(self.house.media_of(&incoming), capabilities(None, callee.sound.codec()));
        let mut sound = match opened {
            Ok(sound) => sound,
            Err(reason) => {
                incoming.refuse(because(reason, self.live.id)).await;
                return Ending::of(reason);
            }
        };
        let answer = match incoming.offer() {
            Some(offer) => sound.answer(&offer, Direction::SendRecv),
            None => Ok(sound.offer(Direction::SendRecv)),
        };
        let sdp = match answer {
            Ok(sdp) => sdp,
            Err(reason) => {
                incoming.refuse(because(reason, self.live.id)).await;
                return Ending::of(reason);
            }
        };
        match calls::answer(&self.house.app, self.live.id, by).await {
            Ok(grant) => self.grant = grant,
            Err(error) => {
                incoming.refuse(because(Reason::of_error(&error), self.live.id)).await;
                return Ending::of(Reason::of_error(&error));
            }
        }
        let since = Instant::now();
        let caller = match incoming.answer(sdp).await {
            Ok(dialog) => Leg::new(dialog, sound),
            Err(_) => return Ending::of(Reason::Canceled),
        };
        caller.sound.stream.connect(&Path::Relay(&callee.sound.stream));
        let meter = Meter { since, grant: self.grant, warned: false };
        self.until_the_end([caller, callee], meter).await
    }

    async fn until_the_end(&mut self, mut legs: [Leg; 2], mut meter: Meter) -> Ending {
        let stop = loop {
            let (at, due) = meter.next();
            let [caller, callee] = &mut legs;
            let (place, happening) = tokio::select! {
                happening = caller.next() => (0, happening),
                happening = callee.next() => (1, happening),
                () = tokio::time::sleep_until(at) => match self.due(due, &mut meter, caller).await {
                    None => continue,
                    Some(reason) => break Stop::Ours(reason),
                },
            };
            if let Some(stop) = happened(&mut legs, place, happening) {
                break stop;
            }
        };
        let quality = quality(&legs);
        let (reason, q850) = match &stop {
            Stop::Ours(reason) => (*reason, None),
            Stop::Ended(By::Them | By::Us, given) => {
                let (_, value) = crate::refusal::meant(200, given);
                (Reason::Normal, value)
            }
            Stop::Ended(By::SessionExpired | By::Transport, _) => (Reason::Failed, None),
        };
        for leg in &legs {
            leg.control.bye(reasons(reason, self.live.id)).await; // one of them may be gone already
        }
        Ending { q850, quality: Some(quality), ..Ending::of(reason) }
    }

    async fn due(&mut self, due: Due, meter: &mut Meter, caller: &Leg) -> Option<Reason> {
        match due {
            Due::Extend => match calls::extend(&self.house.app, self.live.id).await {
                Ok(grant) => meter.grant = grant,
                // The reconciler took this process for dead and ended the call: nobody would pay for more of it.
                Err(error) if error.code() == Code::CallOver => return Some(Reason::Lost),
                Err(error) => {
                    tracing::warn!(id = %self.live.id, ?error, "nothing more can be set aside for a call");
                    meter.grant.extend_at = None;
                }
            },
            Due::Warn => {
                meter.warned = true;
                warn(caller);
            }
            Due::End if meter.grant.warn_at.is_some() => return Some(Reason::FundsEnded),
            Due::End => return Some(Reason::TimeLimit),
        }
        None
    }
}

/// What one party does changes what the other hears.
fn happened(legs: &mut [Leg; 2], place: usize, happening: Happening) -> Option<Stop> {
    let [first, second] = legs;
    let (who, other) = if place == 0 { (first, second) } else { (second, first) };
    match happening {
        Happening::Said(Event::Ended(ended)) => return Some(Stop::Ended(ended.by, ended.reasons)),
        Happening::Said(Event::Offer(offer)) => {
            if who.answer(offer) {
                join(who, other);
            }
        }
        Happening::Said(Event::Confirmed { sdp }) => who.confirmed(sdp.as_deref()),
        Happening::Said(Event::Info(info)) => digits_of(info, other),
        Happening::Said(Event::Refer(refer)) => refer.refuse(603),
        Happening::Said(Event::Notified { .. }) => {}
        Happening::Heard(StreamEvent::Silent(silence)) => tracing::debug!(?silence, "a party is silent"),
        Happening::Heard(_) => {}
    }
    None
}

/// Joins the two, unless one has put the other on hold: then that one hears music.
fn join(who: &Leg, other: &Leg) {
    if who.holds || other.holds {
        let music = Prompt::music();
        for (held, by) in [(other, who), (who, other)] {
            let path = if by.holds { Path::Held(&music) } else { Path::Nothing };
            held.sound.stream.connect(&path);
        }
        return;
    }
    who.sound.stream.connect(&Path::Relay(&other.sound.stream));
}

/// Digits that come as SIP INFO (`application/dtmf-relay`, `application/dtmf`) go on as events or tones.
fn digits_of(info: Info, other: &Leg) {
    let text = String::from_utf8_lossy(&info.body);
    let key = match info.kind.split(';').next().map(str::trim) {
        Some("application/dtmf-relay") => text.lines().find_map(|line| line.trim().strip_prefix("Signal=")?.trim().chars().next()),
        Some("application/dtmf") => text.trim().chars().next(),
        _ => return info.refuse(415),
    };
    let Some(keys) = key.and_then(|key| tandem_media::dtmf::Key::all(&key.to_string())) else { return info.refuse(400) };
    if let Err(fault) = other.sound.stream.send_digits(&keys) {
        tracing::info!(%fault, "a digit is not passed on");
    }
    info.accept();
}

/// Tells the caller that the money is about to end.
fn warn(caller: &Leg) {
    let tone = Tone::of(Signal::Beep, tandem_kernel::Country::US);
    let beep = || Part::Sound(tone.sound(tandem_media::Rate::Narrow));
    let prompt = Prompt { parts: vec![beep(), beep(), beep()], ..Prompt::sounds([]) };
    if let Err(fault) = caller.sound.stream.play(&prompt) {
        tracing::info!(%fault, "the caller is not warned");
    }
}

/// How the packets of both came and went.
fn quality(legs: &[Leg; 2]) -> serde_json::Value {
    let of = |leg: &Leg| {
        let quality = leg.sound.stream.quality();
        serde_json::json!({
            "codec": leg.sound.codec().map(tandem_media::Codec::name),
            "received": quality.received,
            "sent": quality.sent,
            "lost": quality.lost,
            "late": quality.late,
            "jitter_ms": quality.jitter.as_secs_f64() * 1e3,
            "round_trip_ms": quality.round_trip.map(|trip| trip.as_secs_f64() * 1e3),
            "mos": quality.score,
        })
    };
    let [caller, callee] = legs;
    serde_json::json!({ "caller": of(caller), "callee": of(callee) })
}
