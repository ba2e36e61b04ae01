//! Calls: addresses, ports, sound there and back, certificates, speech, recordings; and what calls of the last days tell.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tandem_app::{App, recordings::Objects};
use tandem_media::play::{Espeak, Speech, Utterance};
use tandem_sip::Transport;
use tandem_store::repo::{
    devices,
    live_calls::{self, Spoken},
};
use tandem_voice::{Echo, echo};
use tokio::{
    net::{TcpListener, UdpSocket},
    time::timeout,
};

use super::Finding;
use crate::{
    config::{Config, Voice},
    serve::tls,
};

/// How far back calls are looked at, and how many of them.
const DAYS: i64 = 2;
const CALLS: i64 = 5_000;
/// Registrations that are looked at.
const DEVICES: i64 = 1_000;
/// Ports of media that are tried.
const TRIED: u16 = 64;
/// A delay that is heard, there and back.
const SLOW: Duration = Duration::from_millis(100);
/// Where what to do about addresses is written.
const PAGE: &str = "docs/voice.md has a section on NAT";

/// Looks at everything that calls need.
pub async fn all(config: &Config) -> Vec<Finding> {
    let mut voice = config.voice.clone();
    if config.demo && voice.listen.is_empty() {
        voice.listen = Voice::of_a_demonstration();
    }
    let (Ok(listeners), Ok(ports)) = (voice.listeners(), voice.ports()) else { return Vec::new() }; // they were checked when they were read
    let Some((_, first)) = listeners.first() else {
        return vec![Finding::fine("calls", "voice.listen is empty: calls are neither taken nor made")];
    };
    let mut findings = vec![told_address(first.ip(), voice.advertise)];
    for (transport, address) in &listeners {
        findings.push(listener(*transport, *address).await);
    }
    findings.push(enough_ports(&ports, voice.calls));
    findings.push(free_ports(first.ip(), &ports));
    findings.push(sound(first.ip(), &ports).await);
    if voice.is_secure() {
        findings.extend(names(config));
    }
    findings.extend(voice.authorities.as_deref().map(authorities));
    findings.push(speech().await);
    findings.push(recordings(config).await);
    findings
}

/// The address that telephones and trunks are told, as SIP's Contact and in session descriptions.
fn told_address(bound: IpAddr, advertised: Option<IpAddr>) -> Finding {
    const WHAT: &str = "address for calls";
    let told = advertised.unwrap_or(bound);
    if told.is_unspecified() {
        let found = format!("others are told {told}, where nobody can answer: calls are dropped after 32 s, and nothing is heard");
        return Finding::wrong(WHAT, found, "set voice.advertise to the address that others reach this machine at");
    }
    if told.is_loopback() {
        return Finding::notice(
            WHAT,
            format!("others are told {told}: only this machine can call"),
            "as it should be for a trial alone",
        );
    }
    if is_private(told) {
        let found = format!("others are told {told}, which is of a private network");
        let remedy = format!("where telephones or trunks are outside of it, set voice.advertise to the public address; {PAGE}");
        return Finding::notice(WHAT, found, remedy);
    }
    Finding::fine(WHAT, format!("others are told {told}"))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, ..] = four.octets();
            four.is_private() || four.is_link_local() || four.is_loopback() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(six) => six.is_unique_local() || six.is_unicast_link_local() || six.is_loopback(),
    }
}

async fn listener(transport: Transport, address: SocketAddr) -> Finding {
    const WHAT: &str = "SIP";
    let place = format!("{transport}:{address}");
    let tried = match transport {
        Transport::Udp => UdpSocket::bind(address).await.map(drop),
        _ => TcpListener::bind(address).await.map(drop),
    };
    match tried {
        Ok(()) => Finding::fine(WHAT, format!("{place} is free")),
        Err(fault) if fault.kind() == ErrorKind::AddrInUse => match (transport, answers(address).await) {
            (Transport::Udp, Some(who)) => Finding::fine(WHAT, format!("{who} answers on {place}")),
            (Transport::Udp, None) => {
                let remedy = "find out who has it (ss -ulpn); another telephone system may run on this machine";
                Finding::wrong(WHAT, format!("{place} is in use, and what has it answers no OPTIONS"), remedy)
            }
            _ => Finding::notice(
                WHAT,
                format!("{place} is in use"),
                "if a running Tandem has it all is well; otherwise choose another one",
            ),
        },
        Err(fault) => Finding::wrong(
            WHAT,
            format!("{place}: {fault}"),
            "name an address of this machine in voice.listen, and a port that this user may have",
        ),
    }
}

/// Who answers OPTIONS there, by its own name.
async fn answers(address: SocketAddr) -> Option<String> {
    let here: IpAddr = if address.ip().is_unspecified() { [127, 0, 0, 1].into() } else { address.ip() };
    let socket = UdpSocket::bind((here, 0)).await.ok()?;
    let (own, to) = (socket.local_addr().ok()?, SocketAddr::new(here, address.port()));
    let asked = format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKdoctor{port};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:doctor@{own}>;tag=doctor\r\nTo: <sip:{to}>\r\nCall-ID: doctor-{port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        port = own.port()
    );
    let mut buffer = [0; 4_096];
    for _ in 0..3 {
        socket.send_to(asked.as_bytes(), to).await.ok()?;
        if let Ok(Ok(length)) = timeout(Duration::from_millis(500), socket.recv(&mut buffer)).await {
            let answer = String::from_utf8_lossy(buffer.get(..length)?).into_owned();
            let server =
                answer.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("server")));
            return Some(server.map_or_else(|| "something".to_owned(), |(_, name)| name.trim().to_owned()));
        }
    }
    None
}

/// Each party of a call has two ports, and a call has two parties.
fn enough_ports(ports: &RangeInclusive<u16>, calls: u32) -> Finding {
    const WHAT: &str = "ports of media";
    let (first, last) = (*ports.start(), *ports.end());
    let carried = (u32::from(last) - u32::from(first)).div_ceil(2) / 2;
    if carried < calls {
        let found = format!("{first}-{last} are enough for {carried} calls, and voice.calls is {calls}");
        return Finding::notice(WHAT, found, "widen voice.media_ports, in the firewall as well, or lower voice.calls");
    }
    if let Some((from, to)) = given_out().filter(|(from, to)| *from <= last && *to >= first) {
        let found = format!("{first}-{last} overlap {from}-{to}, of which the system gives ports to every program");
        return Finding::notice(WHAT, found, "choose voice.media_ports below, or raise net.ipv4.ip_local_port_range");
    }
    Finding::fine(WHAT, format!("{first}-{last} are enough for {carried} calls"))
}

/// The ports that the system gives out by itself, where it says so.
fn given_out() -> Option<(u16, u16)> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn free_ports(address: IpAddr, ports: &RangeInclusive<u16>) -> Finding {
    const WHAT: &str = "free ports of media";
    let step = ((ports.end() - ports.start()) / TRIED).max(1);
    let tried: Vec<u16> = ports.clone().step_by(step.into()).collect();
    let mut faults = tried.iter().filter_map(|port| std::net::UdpSocket::bind((address, *port)).err());
    let first = faults.next();
    let taken = faults.count() + usize::from(first.is_some());
    let found = format!("{taken} of {} that were tried at {address} cannot be had", tried.len());
    match first {
        None => Finding::fine(WHAT, format!("all of {} that were tried at {address} are free", tried.len())),
        Some(fault) if taken == tried.len() => Finding::wrong(
            WHAT,
            format!("{found}: {fault}"),
            "name an address of this machine first in voice.listen, and ports that nobody has",
        ),
        Some(_) if taken * 4 > tried.len() => {
            Finding::notice(WHAT, found, "if calls go on that is why; otherwise choose other ports")
        }
        Some(_) => Finding::fine(WHAT, found),
    }
}

/// A real call to an echo and back.
async fn sound(address: IpAddr, ports: &RangeInclusive<u16>) -> Finding {
    const WHAT: &str = "sound both ways";
    let here = if address.is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { address };
    let heard = timeout(Duration::from_secs(15), echo(here, ports.clone())).await;
    match heard.unwrap_or_else(|_| Err("it did not end in 15 seconds".to_owned())) {
        Ok(echo) => heard_back(WHAT, here, echo),
        Err(why) => {
            let remedy = "a firewall of this machine may be in the way (UDP to its own addresses), or the ports are used up";
            Finding::wrong(WHAT, format!("a call to an echo at {here} failed: {why}"), remedy)
        }
    }
}

fn heard_back(what: &'static str, here: IpAddr, echo: Echo) -> Finding {
    let Echo { sent, back, usual, longest } = echo;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let lost = f64::from(sent.saturating_sub(back)) / f64::from(sent.max(1)) * 100.0;
    let found = format!(
        "of {sent} packets to an echo at {here}, {back} came back ({lost:.0} % lost), usually in {:.1} ms, {:.1} ms at the most",
        millis(usual),
        millis(longest)
    );
    if back == 0 {
        return Finding::wrong(what, found, "a firewall of this machine drops UDP on voice.media_ports: open them");
    }
    if back < sent || usual > SLOW {
        return Finding::notice(what, found, "the machine is too busy for sound, or its network drops packets: look at its load");
    }
    Finding::fine(what, found)
}

/// The names that the certificate is for, which telephones and trunks check.
fn names(config: &Config) -> Option<Finding> {
    const WHAT: &str = "certificate for calls";
    let file = tls::Files::of(config).certificate;
    let names = tls::names(&file)?;
    let listed = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
    let found = format!("it is for {listed}");
    let public = config.public_url.as_deref().and_then(|url| url.split("//").nth(1)?.split(['/', ':']).next());
    let told = config.voice.advertise.map(|address| address.to_string());
    let mut wanted = public.map(str::to_owned).into_iter().chain(told);
    let covered = |host: &String| names.iter().any(|name| is_for(name, host));
    let missing = wanted.find(|host| !covered(host));
    Some(match missing {
        _ if names.is_empty() => Finding::wrong(WHAT, found, "have one made for the name that telephones are given"),
        Some(host) if !names.iter().any(|name| public.is_some_and(|public| is_for(name, public))) => {
            let remedy =
                format!("telephones that are given {host} refuse it: give them one of its names, or have one made for that");
            Finding::notice(WHAT, found, remedy)
        }
        _ => Finding::fine(WHAT, found),
    })
}

/// Whether a certificate's name, which may begin with a star, is a host's.
fn is_for(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(rest)),
        None => name.eq_ignore_ascii_case(host),
    }
}

fn authorities(file: &Path) -> Finding {
    const WHAT: &str = "authorities of trunks";
    match tls::trust(Some(file)) {
        Ok(_) => Finding::fine(WHAT, format!("{} can be read", file.display())),
        Err(fault) => Finding::wrong(WHAT, fault.message, "voice.authorities names a file with certificates as PEM"),
    }
}

async fn speech() -> Finding {
    const WHAT: &str = "speech";
    let engine = Espeak::new("espeak-ng".into(), std::env::temp_dir(), 1, 1 << 20);
    match engine.say(Utterance { text: "one".to_owned(), language: "en-US".to_owned() }).await {
        Ok(_) => Finding::fine(WHAT, "espeak-ng speaks"),
        Err(fault) => {
            let found = format!("{fault}: beeps stand for words in menus, greetings and announcements");
            Finding::notice(WHAT, found, "install espeak-ng")
        }
    }
}

/// Keeps a few bytes where recordings are kept, reads them, and takes them away.
async fn recordings(config: &Config) -> Finding {
    const WHAT: &str = "recordings";
    let place = config.recordings.store.clone().unwrap_or_else(|| config.data_dir.join("recordings").display().to_string());
    if config.recordings.store.is_none() && !config.data_dir.exists() {
        return Finding::notice(WHAT, format!("{place} is not there yet"), "the first start makes it");
    }
    let kept = match config.objects() {
        Ok(objects) => kept(&objects).await,
        Err(fault) => Err(fault.message),
    };
    match kept {
        Ok(()) => Finding::fine(WHAT, format!("{place} keeps what is put there, and gives it back")),
        Err(why) => Finding::wrong(
            WHAT,
            format!("{place}: {why}"),
            "mend recordings.store or its options; until then recordings wait in the data directory",
        ),
    }
}

async fn kept(objects: &Arc<dyn Objects>) -> Result<(), String> {
    let key = format!("doctor-{}", std::process::id());
    let file = std::env::temp_dir().join(&key);
    std::fs::write(&file, b"was here").map_err(|fault| format!("{}: {fault}", file.display()))?;
    let put = timeout(Duration::from_secs(20), objects.put(&key, &file)).await;
    let _ = std::fs::remove_file(&file); // it is temporary anyway
    put.map_err(|_| "no answer in 20 seconds".to_owned())?.map_err(|fault| fault.to_string())?;
    let mut chunks = objects.get(&key, 0..8).await.map_err(|fault| fault.to_string())?;
    let mut back = Vec::new();
    while let Some(chunk) = chunks.next().await {
        back.extend(chunk.map_err(|fault| fault.to_string())?);
    }
    objects.delete(&key).await.map_err(|fault| fault.to_string())?;
    if back == b"was here" { Ok(()) } else { Err("it gives back something else".to_owned()) }
}

/// What calls and registrations of the last days tell of known faults.
pub async fn symptoms(app: &App, config: &Config) -> Vec<Finding> {
    let now = app.machine_now();
    let since = now.plus_days(-DAYS);
    let read =
        app.store.scan(move |tx| Ok((live_calls::spoken_since(tx, since, CALLS)?, devices::places(tx, now, DEVICES)?))).await;
    let (calls, places) = match read {
        Ok(read) => read,
        Err(fault) => return vec![super::checks::refused("recent calls", "the database", fault.into())],
    };
    let first = config.voice.listeners().ok().and_then(|all| all.first().map(|(_, address)| address.ip()));
    let told = config.voice.advertise.or(first);
    let mut findings: Vec<Finding> =
        [unacknowledged(&calls), one_way(&calls), strangers(&places, told)].into_iter().flatten().collect();
    if findings.is_empty() && !calls.is_empty() {
        findings.push(Finding::fine("recent calls", format!("{} were spoken in {DAYS} days, without a known fault", calls.len())));
    }
    findings
}

fn example(calls: &[&Spoken]) -> String {
    calls.first().map_or_else(String::new, |call| call.id.to_string())
}

/// Calls that ended because our answer was never acknowledged: after 32 s (RFC 3261 section 13.3.1.4).
fn unacknowledged(calls: &[Spoken]) -> Option<Finding> {
    let known: Vec<&Spoken> = calls.iter().filter(|call| call.reason == "failed" && call.sip == 408).collect();
    if known.is_empty() {
        return None;
    }
    let found = format!(
        "{} of {} calls were dropped some 32 s after they were answered, as no ACK came (such as {})",
        known.len(),
        calls.len(),
        example(&known)
    );
    let remedy =
        format!("the Contact of our answer cannot be reached: set voice.advertise, and let SIP in through the firewall; {PAGE}");
    Some(Finding::wrong("dropped calls", found, remedy))
}

/// Calls in which one party's packets came and the other's did not.
fn one_way(calls: &[Spoken]) -> Option<Finding> {
    let received = |quality: &Value, party: &str| quality.get(party)?.get("received")?.as_i64();
    let deaf = |call: &&Spoken| {
        let Some(quality) = &call.quality else { return false };
        let (caller, callee) = (received(quality, "caller"), received(quality, "callee"));
        matches!((caller, callee), (Some(0), Some(some)) | (Some(some), Some(0)) if some > 50)
    };
    let known: Vec<&Spoken> = calls.iter().filter(deaf).collect();
    if known.is_empty() {
        return None;
    }
    let found =
        format!("in {} of {} calls packets came from one party only (such as {})", known.len(), calls.len(), example(&known));
    let remedy = format!(
        "let UDP in on voice.media_ports, set voice.advertise where a NAT is in front, and switch off SIP ALG in routers; {PAGE}"
    );
    Some(Finding::wrong("one-way sound", found, remedy))
}

/// Devices outside that are told a private address of ours, or say a private one of theirs.
fn strangers(places: &[(String, String)], told: Option<IpAddr>) -> Option<Finding> {
    let source = |place: &(String, String)| place.1.parse::<SocketAddr>().ok().map(|source| source.ip());
    let outside = |place: &&(String, String)| source(place).is_some_and(|source| !is_private(source));
    let beyond: Vec<&(String, String)> = places.iter().filter(outside).collect();
    let (one, address) = beyond.first().map(|place| (place.0.clone(), place.1.clone()))?;
    if let Some(told) = told.filter(|told| is_private(*told) || told.is_unspecified()) {
        let found = format!(
            "{} devices register from outside (such as {address}) and are told {told}, which they cannot reach",
            beyond.len()
        );
        return Some(Finding::wrong("wrong Contact", found, format!("set voice.advertise to the public address; {PAGE}")));
    }
    let host = |contact: &str| contact.rsplit(['@', ':', ';']).find_map(|part| part.parse::<IpAddr>().ok());
    let named =
        |contact: &str| contact.split([':', '@', ';', '>']).find_map(|part| part.parse::<IpAddr>().ok()).or_else(|| host(contact));
    let behind: Vec<_> = beyond.iter().filter(|place| named(&place.0).is_some_and(is_private)).collect();
    if behind.is_empty() {
        return None;
    }
    let found = format!(
        "{} devices are behind a NAT (such as {one} at {address}); they are called where they registered from",
        behind.len()
    );
    Some(Finding::notice(
        "devices behind a NAT",
        found,
        "have them register every minute or two, or send keep-alive packets, or the NAT forgets them",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tandem_kernel::CallId;

    use super::*;
    use crate::doctor::Grade;

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    fn spoken(reason: &str, sip: i64, quality: Value) -> Spoken {
        Spoken { id: CallId::from_bytes([7; 16]), reason: reason.to_owned(), sip, duration: 32, quality: Some(quality) }
    }

    #[test]
    fn addresses_that_nobody_reaches_are_told() {
        for (bound, advertised, grade) in [
            ("0.0.0.0", None, Grade::Wrong),
            ("0.0.0.0", Some("203.0.113.7"), Grade::Fine),
            ("10.0.0.5", None, Grade::Notice),
            ("10.0.0.5", Some("203.0.113.7"), Grade::Fine),
            ("203.0.113.7", Some("192.168.1.2"), Grade::Notice),
            ("127.0.0.1", None, Grade::Notice),
            ("100.64.0.9", None, Grade::Notice),
            ("2001:db8::1", None, Grade::Fine),
            ("fd00::1", None, Grade::Notice),
        ] {
            let finding = told_address(address(bound), advertised.map(address));
            assert_eq!(finding.grade, grade, "{bound} {advertised:?}: {}", finding.found);
        }
    }

    #[test]
    fn ports_have_to_be_enough() {
        assert_eq!(enough_ports(&(20_000..=27_999), 2_000).grade, Grade::Fine);
        let few = enough_ports(&(20_000..=20_099), 2_000);
        assert_eq!(
            (few.grade, few.found.as_str()),
            (Grade::Notice, "20000-20099 are enough for 25 calls, and voice.calls is 2000")
        );
        assert_eq!(enough_ports(&(40_000..=49_999), 2_000).grade, if given_out().is_some() { Grade::Notice } else { Grade::Fine });
    }

    #[tokio::test]
    async fn ports_that_others_have_are_told() {
        let here = address("127.0.0.1");
        let taken = UdpSocket::bind((here, 0)).await.expect("a socket");
        let port = taken.local_addr().expect("an address").port();
        assert_eq!(free_ports(here, &(port..=port)).grade, Grade::Wrong);
        // Whoever has it answers no SIP.
        let mute = listener(Transport::Udp, taken.local_addr().expect("an address")).await;
        assert_eq!(mute.grade, Grade::Wrong, "{}", mute.found);
        let nowhere = listener(Transport::Tcp, "192.0.2.1:5060".parse().expect("an address")).await;
        assert_eq!(nowhere.grade, Grade::Wrong, "{}", nowhere.found);
        let answering = tokio::spawn(async move {
            let mut buffer = [0; 4_096];
            while let Ok((_, from)) = taken.recv_from(&mut buffer).await {
                taken.send_to(b"SIP/2.0 200 OK\r\nServer: Tandem\r\n\r\n", from).await.expect("an answer");
            }
        });
        let ours = listener(Transport::Udp, SocketAddr::new(here, port)).await;
        assert_eq!((ours.grade, ours.found), (Grade::Fine, format!("Tandem answers on udp:127.0.0.1:{port}")));
        answering.abort();
        assert!(answering.await.is_err_and(|ended| ended.is_cancelled()));
        assert_eq!(listener(Transport::Udp, SocketAddr::new(here, port)).await.grade, Grade::Fine);
    }

    #[tokio::test]
    async fn sound_goes_there_and_back() {
        let heard = sound(address("127.0.0.1"), &(20_000..=29_999)).await;
        assert!(heard.grade != Grade::Wrong && heard.found.contains("came back"), "{}", heard.found);
        let echo =
            |back, millis| Echo { sent: 50, back, usual: Duration::from_millis(millis), longest: Duration::from_millis(millis) };
        for (back, millis, grade) in [(50, 1, Grade::Fine), (49, 1, Grade::Notice), (50, 300, Grade::Notice), (0, 0, Grade::Wrong)]
        {
            assert_eq!(heard_back("sound", address("127.0.0.1"), echo(back, millis)).grade, grade);
        }
        let failed = sound(address("192.0.2.1"), &(20_000..=29_999)).await;
        assert_eq!(failed.grade, Grade::Wrong, "{}", failed.found);
    }

    #[tokio::test]
    async fn recordings_are_kept_and_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        let kept = recordings(&config).await;
        assert_eq!(kept.grade, Grade::Fine, "{}", kept.found);
        assert_eq!(std::fs::read_dir(folder.path().join("recordings")).expect("a folder").count(), 0, "nothing is left");
        let file = folder.path().join("file");
        std::fs::write(&file, "no folder").expect("written");
        config.recordings.store = Some(file.display().to_string());
        assert_eq!(recordings(&config).await.grade, Grade::Wrong);
        assert_eq!(authorities(&file).grade, Grade::Wrong);
    }

    #[test]
    fn certificates_are_for_names() {
        assert!(is_for("sip.example.com", "SIP.example.com") && is_for("*.example.com", "a.example.com"));
        assert!(
            !is_for("*.example.com", "example.com")
                && !is_for("*.example.com", "a.b.example.com")
                && !is_for("a.example.com", "b.example.com")
        );
    }

    #[test]
    fn known_faults_of_calls_are_recognised() {
        let both = json!({ "caller": { "received": 500 }, "callee": { "received": 490 } });
        let deaf = json!({ "caller": { "received": 500 }, "callee": { "received": 0 } });
        let fine = spoken("normal", 200, both.clone());
        assert!(unacknowledged(std::slice::from_ref(&fine)).is_none() && one_way(std::slice::from_ref(&fine)).is_none());
        let dropped = unacknowledged(&[fine.clone(), spoken("failed", 408, both)]).expect("a finding");
        assert!(dropped.grade == Grade::Wrong && dropped.found.starts_with("1 of 2 calls"), "{}", dropped.found);
        assert!(dropped.remedy.is_some_and(|remedy| remedy.contains("voice.advertise")));
        let silent = one_way(&[fine, spoken("normal", 200, deaf)]).expect("a finding");
        assert!(silent.remedy.is_some_and(|remedy| remedy.contains("voice.media_ports")), "{}", silent.found);
        let menu = spoken("normal", 200, json!({ "caller": { "received": 500 } }));
        assert!(one_way(&[menu]).is_none(), "who hears a menu is alone");
    }

    #[test]
    fn contacts_that_cannot_be_reached_are_recognised() {
        let place = |contact: &str, source: &str| (contact.to_owned(), source.to_owned());
        let outside = [place("sip:a@192.168.1.2:5060", "203.0.113.9:40000")];
        let wrong = strangers(&outside, Some(address("10.0.0.5"))).expect("a finding");
        assert_eq!((wrong.grade, wrong.what), (Grade::Wrong, "wrong Contact"));
        let behind = strangers(&outside, Some(address("203.0.113.7"))).expect("a finding");
        assert_eq!((behind.grade, behind.what), (Grade::Notice, "devices behind a NAT"));
        assert!(strangers(&[place("sip:a@203.0.113.9", "203.0.113.9:5060")], Some(address("203.0.113.7"))).is_none());
        assert!(
            strangers(&[place("sip:a@192.168.1.2", "192.168.1.2:5060")], Some(address("10.0.0.5"))).is_none(),
            "all are inside"
        );
    }
}
