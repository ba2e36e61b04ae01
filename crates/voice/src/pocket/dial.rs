//! Calls that handsets make.

use std::{sync::Arc, time::Duration};

use tandem_app::handsets::HandsetDial;
use tandem_kernel::EnvironmentId;
use tandem_media::{dtmf::Key, sdp::Direction};
use tandem_sip::{Dial, Progress, Source, Target, Transport};

use super::{
    Pocket,
    handset::{Conduct, begun, speak},
    mute,
    scenario::{Leaves, Says},
};
use crate::near::ENVIRONMENT;

/// Makes a call and carries it to its end.
pub(super) async fn dial(pocket: Arc<Pocket>, environment: EnvironmentId, wanted: HandsetDial) {
    if wanted.behaviour == "never_acknowledges" {
        return mute::dial(&pocket, environment, &wanted).await;
    }
    let Some(mut ready) = pocket.ready() else { return };
    let mut call = Dial::new(
        &format!("sip:{}@{}", wanted.to, pocket.exchange),
        &format!("sip:{}@{}", wanted.from, pocket.address()),
        ready.session.offer(Direction::SendRecv).to_string().into_bytes(),
    );
    call.target = Target::Source(Source { transport: Transport::Udp, address: pocket.exchange });
    call.ring = seconds(wanted.ring_seconds);
    call.fields.push((ENVIRONMENT.to_owned(), environment.to_string()));
    let mut calling = pocket.sip.dial(call);
    let begun = begun(true, wanted.from.to_string(), wanted.to.to_string(), calling.call_id().to_owned(), pocket.now());
    let entry = pocket.log.begin(environment, wanted.from, begun);
    while let Some(progress) = calling.next().await {
        let (by, status, reasons) = match progress {
            Progress::Ringing { sdp, .. } => {
                entry.note(|call| call.state = "ringing");
                sdp.into_iter().for_each(|early| ready.accept(&early));
                continue;
            }
            Progress::Answered { dialog, sdp } => {
                ready.accept(&sdp.unwrap_or_default());
                return speak(&pocket, dialog, ready, &entry, conduct(&wanted)).await;
            }
            Progress::Failed { status, reasons, .. } => ("platform", Some(status), reasons),
            Progress::TimedOut | Progress::Cancelled => ("handset", Some(487), Vec::new()),
            Progress::Unreachable | Progress::Refused => ("network", None, Vec::new()),
        };
        entry.ended(&pocket, by, status, None);
        return entry.note(|call| call.reason = reasons.first().map(ToString::to_string));
    }
}

fn conduct(wanted: &HandsetDial) -> Conduct {
    let says = match wanted.behaviour {
        "silent" => Says::Silence,
        "one_way" => Says::Nothing,
        _ => Says::Tones,
    };
    let leaves = if wanted.behaviour == "vanishes" { Leaves::Vanishing } else { Leaves::Politely };
    Conduct { says, presses: presses(&wanted.digits), lasts: seconds(wanted.seconds), leaves, hears: None }
}

/// Keys a second after the answer and half a second apart; a comma is a second's pause.
fn presses(digits: &str) -> Vec<(Duration, Key)> {
    let mut at = Duration::from_secs(1);
    let mut presses = Vec::new();
    for sign in digits.chars() {
        match Key::new(sign) {
            Some(key) => {
                presses.push((at, key));
                at += Duration::from_millis(500);
            }
            None => at += Duration::from_secs(1),
        }
    }
    presses
}

pub(super) fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}
