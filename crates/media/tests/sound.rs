//! What is heard: transcoding, digits, prompts, conferences, recordings, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use std::{path::PathBuf, time::Duration};

use common::{PATIENCE, Phone, media, only, strength, told, tone};
use tandem_media::{
    Codec, ConferenceOptions, MediaError, Outcome, Path, Rate, Stream, StreamEvent, Tones,
    dtmf::{self, Digit, Key, Keys, Means},
    play::{Part, Prompt, Repeat, Sound},
    record::{Format, Layout, Side, Spec},
    sdp::Capabilities,
};
use tokio::{sync::mpsc::Receiver, time::timeout};

type Party = (Phone, Stream, Receiver<StreamEvent>);

async fn party(media: &tandem_media::Media, codec: Codec, events: bool, seed: u32) -> Party {
    let (stream, told) = media.stream().unwrap();
    let mut phone = Phone::new(Capabilities { events, ..only(codec) }, seed).await;
    phone.call(&stream, Capabilities { codecs: Codec::ALL.to_vec(), ..Capabilities::default() });
    (phone, stream, told)
}

/// Says a tone in real time, until it is dropped.
async fn hum(phone: &mut Phone, hertz: f64, rate: Rate) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for at in (0..).step_by(rate.frame()) {
        ticks.tick().await;
        phone.say(&tone(hertz, rate.hertz(), at, rate.frame())).await;
    }
}

/// What `hears` hears for so many samples while the others hum.
async fn while_humming(hears: &mut Phone, count: usize, others: Vec<(&mut Phone, f64, Rate)>) -> Vec<i16> {
    hears.drain();
    let hums = others.into_iter().map(|(phone, hertz, rate)| Box::pin(hum(phone, hertz, rate)));
    let hums: Vec<_> = hums.collect();
    tokio::select! {
        heard = timeout(PATIENCE, hears.hear(count)) => heard.expect("sound in time"),
        () = together(hums) => unreachable!("hums do not end"),
    }
}

async fn together<F: Future<Output = ()> + Unpin>(mut all: Vec<F>) {
    std::future::poll_fn(|context| {
        all.iter_mut().for_each(|one| assert!(std::pin::Pin::new(one).poll(context).is_pending()));
        std::task::Poll::Pending
    })
    .await
}

#[tokio::test]
async fn a_tone_gets_through_between_any_two_codecs() {
    let media = media();
    for (from, to) in
        [(Codec::Pcmu, Codec::Pcma), (Codec::Pcma, Codec::G722), (Codec::G722, Codec::Opus), (Codec::Opus, Codec::Pcmu)]
    {
        let (mut a, stream_a, _ea) = party(&media, from, true, 1).await;
        let (mut b, stream_b, _eb) = party(&media, to, true, 2).await;
        stream_a.connect(&Path::Relay(&stream_b));
        let rate = to.rate();
        let heard = while_humming(&mut b, rate.samples(600), vec![(&mut a, 440.0, from.rate())]).await;
        let heard = &heard[rate.samples(200)..];
        let tone = strength(heard, 440.0, rate.hertz());
        assert!((4500.0..7500.0).contains(&tone), "{from:?} {to:?} {tone}");
        assert!(strength(heard, 1000.0, rate.hertz()) < 300.0);
    }
}

#[tokio::test]
async fn our_digits_come_out_as_events_each_with_three_ends() {
    let media = media();
    let (mut phone, stream, _events) = party(&media, Codec::Pcmu, true, 1).await;
    let mut sent = stream.send_digits(&Key::all("1#").unwrap()).unwrap();
    let mut ends = Vec::new();
    let mut stamps = Vec::new();
    let mut numbers = Vec::new();
    while ends.len() < 6 {
        let (header, payload) = phone.receive().await;
        assert_eq!(header.payload_type, phone.agreed.as_ref().unwrap().receive_events[0].payload);
        assert_eq!(header.marker, !stamps.contains(&header.timestamp));
        stamps.push(header.timestamp);
        numbers.push(header.sequence);
        if payload[1] & 0x80 != 0 {
            ends.push((payload[0], u16::from_be_bytes([payload[2], payload[3]])));
        }
    }
    assert_eq!(ends, [(1, 800), (1, 800), (1, 800), (11, 800), (11, 800), (11, 800)]);
    stamps.dedup();
    // 100 ms of digit and 100 ms of pause, as the clock of the machine had it.
    assert!(stamps.len() == 2 && (1400..4000).contains(&stamps[1].wrapping_sub(stamps[0])), "{stamps:?}");
    assert!(numbers.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == 1));
    assert_eq!(timeout(PATIENCE, sent.finished()).await.unwrap(), Outcome::Finished);
}

#[tokio::test]
async fn without_events_digits_are_tones_both_ways() {
    let media = media();
    let (mut phone, stream, mut events) = party(&media, Codec::Pcmu, false, 1).await;
    stream.send_digits(&Key::all("42").unwrap()).unwrap();
    let heard = phone.hear(3200).await;
    let mut detector = dtmf::Detector::default();
    let digits: String = detector.take(&heard).ended.iter().map(|digit| digit.key.name()).collect();
    assert_eq!(digits, "42");

    let mut said = dtmf::tone(Key::new('9').unwrap(), Rate::Narrow, 100);
    said.extend([0; 1600]);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for frame in said.chunks(160) {
        ticks.tick().await;
        phone.say(frame).await;
    }
    let StreamEvent::Digit(digit) = told(&mut events, |event| matches!(event, StreamEvent::Digit(_))).await else { unreachable!() };
    assert_eq!((digit.key.name(), digit.means), ('9', Means::Tone));
    assert!((80..=120).contains(&digit.duration.as_millis()), "{digit:?}");
}

#[tokio::test]
async fn a_digit_that_comes_as_event_and_as_tone_is_one() {
    let media = media();
    let (mut phone, stream, mut events) = party(&media, Codec::Pcmu, true, 1).await;
    stream.listen_for_tones(Tones::Always);
    let event = phone.agreed.as_ref().unwrap().send_events.unwrap().payload;
    for flags in [10, 0x8A, 0x8A] {
        let header = tandem_media::rtp::Header { payload_type: event, ..phone.header };
        phone.send_as(header, &[3, flags, 3, 32]).await;
        phone.header.sequence += 1;
    }
    let key = |name| dtmf::tone(Key::new(name).unwrap(), Rate::Narrow, 80);
    let said = [key('3'), vec![0; 640], key('4'), vec![0; 1600]].concat();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for frame in said.chunks(160) {
        ticks.tick().await;
        phone.say(frame).await;
    }
    let mut digits = Vec::new();
    for _ in 0..2 {
        let StreamEvent::Digit(digit) = told(&mut events, |event| matches!(event, StreamEvent::Digit(_))).await else {
            unreachable!()
        };
        digits.push((digit.key.name(), digit.means));
    }
    assert_eq!(digits, [('3', Means::Event), ('4', Means::Tone)]);
}

#[tokio::test]
async fn a_digit_crosses_from_events_to_tones() {
    let media = media();
    let (mut a, stream_a, _ea) = party(&media, Codec::Pcmu, true, 1).await;
    let (mut b, stream_b, _eb) = party(&media, Codec::Pcma, false, 2).await;
    stream_a.connect(&Path::Relay(&stream_b));
    let event = a.agreed.as_ref().unwrap().send_events.unwrap().payload;
    for (sequence, flags) in [10, 10, 0x8A, 0x8A, 0x8A].into_iter().enumerate() {
        let header = tandem_media::rtp::Header { payload_type: event, sequence: sequence as u16, ..a.header };
        a.send_as(header, &[7, flags, 3, 32]).await;
    }
    let heard = b.hear(1600).await;
    let told = dtmf::Detector::default().take(&heard);
    assert_eq!(told.began, [Key::new('7').unwrap()]);
}

fn sound(value: i16, milliseconds: usize) -> Sound {
    Sound::new(Rate::Narrow, vec![value; milliseconds * 8].into())
}

#[tokio::test]
async fn prompts_follow_each_other_and_a_digit_ends_those_that_it_may() {
    let media = media();
    let (mut phone, stream, _events) = party(&media, Codec::Pcma, true, 1).await;
    let one = Keys::of(&[Key::new('1').unwrap()]);
    let forever = Prompt { repeat: Repeat::Forever, ..Prompt::sounds([sound(8000, 100)]) };
    let mut first = stream.play(&Prompt::sounds([sound(4000, 60)])).unwrap();
    let mut second = stream.play(&forever.clone().interrupted_by(one)).unwrap();
    let mut third = stream.play(&forever.clone().interrupted_by(Keys::ALL)).unwrap();
    let mut fourth = stream.play(&Prompt::sounds([sound(2000, 60)])).unwrap();
    let mut fifth = stream.play(&forever.interrupted_by(one)).unwrap();
    assert_eq!(timeout(PATIENCE, first.finished()).await.unwrap(), Outcome::Finished);
    let heard = phone.hear(160 * 6).await;
    assert!(heard[10] > 3900 && heard[10] < 4100 && heard[900] > 7800, "{} {}", heard[10], heard[900]);
    let event = phone.agreed.as_ref().unwrap().send_events.unwrap().payload;
    // Another key changes nothing; this one ends two, at once when it is pressed.
    for (sequence, key) in [(1, 2), (2, 1)] {
        let header =
            tandem_media::rtp::Header { payload_type: event, sequence, timestamp: u32::from(sequence) * 4000, ..phone.header };
        phone.send_as(header, &[key, 10, 0, 160]).await;
    }
    let interrupted = Outcome::Interrupted(Key::new('1').unwrap());
    assert_eq!(timeout(PATIENCE, second.finished()).await.unwrap(), interrupted);
    assert_eq!(timeout(PATIENCE, third.finished()).await.unwrap(), interrupted);
    assert_eq!(timeout(PATIENCE, fourth.finished()).await.unwrap(), Outcome::Finished);
    fifth.cancel();
    assert_eq!(timeout(PATIENCE, fifth.finished()).await.unwrap(), Outcome::Cancelled);
    let mut last = stream.play(&Prompt { repeat: Repeat::Forever, ..Prompt::sounds([sound(1, 20)]) }).unwrap();
    for _ in 0..63 {
        stream.play(&Prompt::sounds([sound(1, 20)])).unwrap();
    }
    assert_eq!(stream.play(&Prompt::sounds([])).err().map(|fault| fault.kind()), Some("queue_full"));
    drop(stream);
    assert_eq!(timeout(PATIENCE, last.finished()).await.unwrap(), Outcome::Cancelled);
}

#[tokio::test]
async fn who_waits_hears_music_and_then_the_other() {
    let media = media();
    let (mut a, stream_a, _ea) = party(&media, Codec::Pcmu, true, 1).await;
    let (mut b, stream_b, _eb) = party(&media, Codec::Pcmu, true, 2).await;
    let music = Prompt::music();
    stream_a.connect(&Path::Held(&music));
    let heard = a.hear(8000).await;
    assert!(heard.iter().any(|sample| sample.abs() > 2000));
    stream_a.connect(&Path::Relay(&stream_b));
    b.send(&[0x55; 160]).await;
    let wanted = timeout(PATIENCE, async { while a.receive().await.1 != [0x55; 160] {} });
    wanted.await.expect("the other");
}

#[tokio::test]
async fn each_of_a_conference_hears_the_others_and_not_himself() {
    let media = media();
    let conference = media.conference(ConferenceOptions { members: 3, tones: false, ..ConferenceOptions::default() });
    let (mut a, stream_a, _ea) = party(&media, Codec::Pcmu, true, 1).await;
    let (mut b, stream_b, _eb) = party(&media, Codec::G722, true, 2).await;
    let (mut c, stream_c, _ec) = party(&media, Codec::Pcma, true, 3).await;
    let _a = stream_a.join(&conference).unwrap();
    let member_b = stream_b.join(&conference).unwrap();
    let _c = stream_c.join(&conference).unwrap();
    let (fourth, _ed) = media.stream().unwrap();
    assert!(matches!(fourth.join(&conference), Err(MediaError::ConferenceFull)));

    let heard = while_humming(&mut a, 8000, vec![(&mut b, 600.0, Rate::Wide), (&mut c, 1000.0, Rate::Narrow)]).await;
    let [own, wide, narrow] = [400.0, 600.0, 1000.0].map(|hertz| strength(&heard[4000..], hertz, 8000));
    assert!(own < 300.0 && wide > 3500.0 && narrow > 3500.0, "{own} {wide} {narrow}");
    let heard = while_humming(&mut c, 8000, vec![(&mut a, 400.0, Rate::Narrow), (&mut b, 600.0, Rate::Wide)]).await;
    let [other, own] = [400.0, 1000.0].map(|hertz| strength(&heard[4000..], hertz, 8000));
    assert!(other > 3500.0 && own < 300.0, "{other} {own}");

    member_b.mute(true);
    while_humming(&mut a, 4000, vec![(&mut b, 600.0, Rate::Wide), (&mut c, 1000.0, Rate::Narrow)]).await;
    let heard = while_humming(&mut a, 8000, vec![(&mut b, 600.0, Rate::Wide), (&mut c, 1000.0, Rate::Narrow)]).await;
    assert!(strength(&heard, 600.0, 8000) < 300.0 && strength(&heard, 1000.0, 8000) > 3000.0);
    drop(member_b);
    assert_eq!(conference.members(), 2);
    assert!(fourth.join(&conference).is_ok());
    assert_eq!(conference.members(), 2);
    drop(conference);
    assert_eq!(stream_a.quality().lost, 0);
}

#[tokio::test]
async fn all_hear_who_joins() {
    let media = media();
    let conference = media.conference(ConferenceOptions::default());
    let (mut a, stream_a, _ea) = party(&media, Codec::Pcmu, true, 1).await;
    let _member = stream_a.join(&conference).unwrap();
    let heard = a.hear(2400).await;
    assert!(strength(&heard, 440.0, 8000) > 500.0 && strength(&heard, 660.0, 8000) > 500.0);
}

#[tokio::test]
async fn the_whole_of_a_conference_is_recorded() {
    let media = media();
    let conference = media.conference(ConferenceOptions { tones: false, rate: Rate::Wide, ..ConferenceOptions::default() });
    let (mut a, stream_a, _ea) = party(&media, Codec::Pcmu, true, 1).await;
    let (mut b, stream_b, _eb) = party(&media, Codec::G722, true, 2).await;
    let (mut c, stream_c, _ec) = party(&media, Codec::G722, true, 3).await;
    let _members = [&stream_a, &stream_b, &stream_c].map(|stream| stream.join(&conference).unwrap());
    let file = File::new("conference.wav");
    let recording = media.record(spec(&file, Layout::One(Side::Caller), Rate::Wide)).await.unwrap();
    conference.record(&recording, Side::Caller);
    conference
        .play(&Prompt { repeat: Repeat::Forever, ..Prompt::sounds([Sound::new(Rate::Wide, tone(5000.0, 16_000, 0, 320).into())]) })
        .unwrap();
    let heard = while_humming(&mut c, 16_000, vec![(&mut a, 400.0, Rate::Narrow), (&mut b, 3800.0, Rate::Wide)]).await;
    let finished = recording.finish().await.unwrap();
    let recorded: Vec<i16> = hound::WavReader::open(&file.0).unwrap().samples().map(Result::unwrap).collect();
    assert!(finished.duration > Duration::from_millis(800), "{finished:?}");
    // G.722 brings what the telephone's band cannot.
    for samples in [&heard[8000..], &recorded[8000..12_800]] {
        let all = [400.0, 3800.0, 5000.0].map(|hertz| strength(samples, hertz, 16_000));
        assert!(all.iter().all(|strength| *strength > 2500.0), "{all:?}");
    }
}

struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("tandem-media-{}-{name}", std::process::id())))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn spec(file: &File, layout: Layout, rate: Rate) -> Spec {
    Spec { path: file.0.clone(), format: Format::Wav, layout, rate, limit: Duration::from_secs(60) }
}

#[tokio::test]
async fn a_call_is_recorded_with_one_party_on_each_side() {
    let media = media();
    let (mut a, stream_a, _ea) = party(&media, Codec::Pcmu, true, 1).await;
    let (mut b, stream_b, _eb) = party(&media, Codec::Pcmu, true, 2).await;
    stream_a.connect(&Path::Relay(&stream_b));
    let file = File::new("stereo.wav");
    let recording = media.record(spec(&file, Layout::Stereo, Rate::Narrow)).await.unwrap();
    stream_a.record(&recording, Side::Caller, None);
    stream_b.record(&recording, Side::Callee, None);
    let both = async {
        let (mut ticks, mut at) = (tokio::time::interval(Duration::from_millis(20)), 0);
        loop {
            ticks.tick().await;
            let (left, right) = (tone(500.0, 8000, at, 160), tone(1100.0, 8000, at, 160));
            a.say(&left).await;
            b.say(&right).await;
            at += 160;
            if at == 160 * 60 {
                recording.pause();
            }
            if at == 160 * 90 {
                recording.resume();
            }
            if at == 160 * 120 {
                break;
            }
        }
    };
    timeout(PATIENCE, both).await.unwrap();
    let finished = recording.finish().await.unwrap();
    let mut reader = hound::WavReader::open(&file.0).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8000));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    assert_eq!(finished.octets, samples.len() as u64 * 2 + 44);
    assert_eq!(finished.lost, Duration::ZERO);
    // 2.4 seconds less 0.6 of pause; the machine may be slower than its clock.
    assert!((1700..2200).contains(&finished.duration.as_millis()), "{finished:?}");
    let side = |at: usize| samples.iter().skip(at).step_by(2).copied().collect::<Vec<_>>();
    let (left, right) = (side(0), side(1));
    let middle = |side: &[i16]| side[2400..6400].to_vec();
    let [own, other] = [strength(&middle(&left), 500.0, 8000), strength(&middle(&left), 1100.0, 8000)];
    assert!(own > 4500.0 && other < 200.0, "{own} {other}");
    let [own, other] = [strength(&middle(&right), 1100.0, 8000), strength(&middle(&right), 500.0, 8000)];
    assert!(own > 4500.0 && other < 200.0, "{own} {other}");
}

#[tokio::test]
async fn a_recording_ends_at_its_limit_and_a_file_is_whole_before_its_end() {
    let media = media();
    let (_phone, stream, _events) = party(&media, Codec::Pcmu, true, 1).await;
    let file = File::new("limit.wav");
    let limit = Duration::from_millis(1600);
    let mut recording = media.record(Spec { limit, ..spec(&file, Layout::One(Side::Callee), Rate::Wide) }).await.unwrap();
    stream.record(&recording, Side::Caller, Some(Side::Callee));
    stream
        .play(&Prompt { parts: vec![Part::Sound(sound(9000, 100))], repeat: Repeat::Forever, interrupted_by: Keys::NONE })
        .unwrap();
    let length = async {
        loop {
            // What a crash would leave behind.
            let length = hound::WavReader::open(&file.0).map_or(0, |reader| reader.duration());
            if length > 0 {
                return length;
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(timeout(PATIENCE, length).await.unwrap() % 16_000, 0);
    timeout(PATIENCE, recording.full()).await.unwrap();
    let finished = recording.finish().await.unwrap();
    assert_eq!((finished.duration, finished.limited), (limit, true));
    let mut reader = hound::WavReader::open(&file.0).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().sample_rate, reader.duration()), (1, 16_000, 25_600));
    assert!(reader.samples::<i16>().skip(16_000).step_by(100).all(|sample| sample.unwrap() > 8000));
}

#[tokio::test]
async fn other_formats_are_made_or_refused() {
    let media = media();
    let file = File::new("call.opus");
    let made = |format| media.record(Spec { format, ..spec(&file, Layout::Mixed, Rate::Wide) });
    assert_eq!(made(Format::Mp3).await.err().map(|fault| fault.kind()), Some("unsupported_format"));
    assert!(!file.0.exists());
    let nowhere = Spec { path: file.0.join("no/such/folder"), ..spec(&file, Layout::Mixed, Rate::Wide) };
    assert_eq!(media.record(nowhere).await.err().map(|fault| fault.kind()), Some("recording"));
    let mut recording = media
        .record(Spec { format: Format::Opus, limit: Duration::from_secs(1), ..spec(&file, Layout::Mixed, Rate::Wide) })
        .await
        .unwrap();
    let (_phone, stream, _events) = party(&media, Codec::Pcmu, true, 1).await;
    stream.record(&recording, Side::Caller, Some(Side::Callee));
    stream.play(&Prompt::music()).unwrap();
    timeout(PATIENCE, recording.full()).await.unwrap();
    let finished = recording.finish().await.unwrap();
    assert!(finished.duration == Duration::from_secs(1) && (1000..8000).contains(&finished.octets), "{finished:?}");
}

#[test]
fn digits_are_values() {
    let digit = Digit { key: Key::new('a').unwrap(), duration: Duration::from_millis(40), means: Means::Tone };
    assert_eq!((digit.key.to_string(), Key::new('x'), Key::all("1 2")), ("A".to_owned(), None, None));
}
