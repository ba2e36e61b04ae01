//! One party's side of offers and answers over the life of a call.

use std::{net::IpAddr, sync::Arc};

use tandem_kernel::Rng;

use super::{
    Address, Attribute, Capabilities, Crypto, Description, Direction, EventFormat, Format, Key, Negotiated, Origin, Payload,
    Refusal, Section, Security, SrtpKeys, Suite,
    negotiate::{self, Carriage},
};
use crate::Codec;

/// Where we receive, as the other side has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The address that is told.
    pub address: IpAddr,
    /// RTP's port.
    pub port: u16,
    /// RTCP's port.
    pub rtcp: u16,
}

/// The agreement as one party holds it: what it said last, under which numbers, and with which keys.
///
/// Every further offer or answer keeps the sections, the payload types and the keys of those before (RFC 3264 section 8), and raises
/// the version where something changed.
pub struct Session {
    local: Local,
    capabilities: Capabilities,
    rng: Arc<dyn Rng>,
    id: u64,
    version: u64,
    /// What we said last, and whether it was an offer that waits for its answer.
    said: Option<Description>,
    offered: bool,
    /// Which section is ours.
    audio: usize,
    /// Numbers that a codec or the events (by their clock) had in this session.
    numbers: Vec<(Meaning, u8)>,
    keys: Vec<(Suite, Key)>,
    secure: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Codec(Codec),
    Events(u32),
}

impl Session {
    /// A party that receives at `local`.
    #[must_use]
    pub fn new(local: Local, capabilities: Capabilities, rng: Arc<dyn Rng>) -> Self {
        let mut id = [0; 8];
        rng.fill(&mut id);
        // Within 62 bits, which every reader's integer holds.
        let id = u64::from_be_bytes(id) >> 2;
        let secure = capabilities.security == Security::Required;
        let (numbers, keys) = (Vec::new(), Vec::new());
        Self { local, capabilities, rng, id, version: 0, said: None, offered: false, audio: 0, numbers, keys, secure }
    }

    /// Our offer: all our codecs, or what was agreed on before with a new direction (hold is [`Direction::SendOnly`] or
    /// [`Direction::Inactive`]).
    pub fn offer(&mut self, direction: Direction) -> Description {
        let ours = self.audio_offer(direction);
        let mut media: Vec<Section> = match &self.said {
            Some(said) => said.media.iter().map(Section::refused).collect(),
            None => Vec::new(),
        };
        match media.get_mut(self.audio) {
            Some(place) => *place = ours,
            None => media.push(ours),
        }
        let offer = self.say(media);
        self.offered = true;
        offer
    }

    fn audio_offer(&mut self, direction: Direction) -> Section {
        let mut formats = Vec::new();
        let mut attributes = Vec::new();
        let codecs = self.capabilities.codecs.clone();
        for codec in &codecs {
            let number = self.number(Meaning::Codec(*codec));
            formats.push(number.to_string());
            attributes.extend(described(Payload { payload: number, codec: *codec }));
        }
        if self.capabilities.events {
            let mut clocks: Vec<u32> = codecs.iter().map(|codec| codec.clock()).collect();
            clocks.sort_unstable();
            clocks.dedup();
            for clock in clocks {
                let number = self.number(Meaning::Events(clock));
                formats.push(number.to_string());
                attributes.extend(event(EventFormat { payload: number, clock }));
            }
        }
        attributes.push(Attribute::new("ptime", self.capabilities.ptime));
        if self.secure {
            for (tag, suite) in (1..).zip(Suite::ALL) {
                attributes.push(Attribute::new("crypto", Crypto { tag, suite, key: self.key(suite) }));
            }
        }
        attributes.push(Attribute::flag(direction.name()));
        self.rtcp(&mut attributes, self.capabilities.rtcp_mux);
        let protocol = if self.secure { "RTP/SAVP" } else { "RTP/AVP" };
        self.section(protocol.to_owned(), formats, attributes)
    }

    /// Our answer to an offer, with `direction` for what we would like; the offer may allow less.
    ///
    /// # Errors
    /// See [`Refusal`]; what was agreed on before stays as it is.
    pub fn answer(&mut self, offer: &Description, direction: Direction) -> Result<(Description, Negotiated), Refusal> {
        let (index, crypto) = negotiate::choose(offer, &self.capabilities)?;
        let theirs = offer.media.get(index).ok_or(Refusal::NoAudio)?;
        let formats = theirs.described();
        let (payload, format) = negotiate::codec(&formats, &self.capabilities).ok_or(Refusal::NoCommonCodec)?;
        let events = self.capabilities.events.then(|| negotiate::events(&formats, payload.codec)).flatten();
        let mux = theirs.rtcp_mux() && self.capabilities.rtcp_mux;
        let target = negotiate::target(offer, theirs, mux);
        let may = negotiate::direction(offer, theirs).reversed();
        let said = direction.and(if target.held { may.and(Direction::RecvOnly) } else { may });
        let ptime = negotiate::ptime(theirs, &self.capabilities);
        self.learn(&formats);
        self.secure = crypto.is_some();
        let srtp = crypto.map(|crypto| (crypto.tag, self.agreed(&crypto)));

        let mut numbers = vec![payload.payload.to_string()];
        let mut attributes = described_as(payload, &format);
        if let Some(events) = events {
            numbers.push(events.payload.to_string());
            attributes.extend(event(events));
        }
        attributes.push(Attribute::new("ptime", ptime));
        if let Some((tag, keys)) = &srtp {
            attributes.push(Attribute::new("crypto", Crypto { tag: *tag, suite: keys.suite, key: keys.ours.clone() }));
        }
        attributes.push(Attribute::flag(said.name()));
        self.rtcp(&mut attributes, mux);
        let ours = self.section(theirs.protocol.clone(), numbers, attributes);
        let place = |(other, section): (usize, &Section)| if other == index { ours.clone() } else { section.refused() };
        let media = offer.media.iter().enumerate().map(place).collect();
        self.audio = index;
        let answer = self.say(media);
        self.offered = false;
        let negotiated = Negotiated {
            remote: target.rtp,
            remote_rtcp: target.rtcp,
            rtcp_mux: mux,
            v6: target.v6,
            send: payload,
            receive: vec![payload],
            send_events: events,
            receive_events: events.into_iter().collect(),
            ptime,
            direction: said,
            srtp: srtp.map(|(_, keys)| keys),
        };
        Ok((answer, negotiated))
    }

    /// What the other side's answer to our last offer makes of it. May be called again with another answer to the same offer, as a
    /// call that was forked brings.
    ///
    /// # Errors
    /// [`Refusal::Mismatch`] where it does not fit, and the others where it refuses.
    pub fn accept(&mut self, answer: &Description) -> Result<Negotiated, Refusal> {
        let offer = self.said.as_ref().filter(|_| self.offered).ok_or(Refusal::Mismatch)?;
        if answer.media.len() != offer.media.len() {
            return Err(Refusal::Mismatch);
        }
        let ours = offer.media.get(self.audio).ok_or(Refusal::Mismatch)?;
        let theirs = answer.media.get(self.audio).ok_or(Refusal::Mismatch)?;
        if theirs.port == 0 {
            return Err(Refusal::NoAudio);
        }
        let secure = match negotiate::carriage(theirs) {
            Some(carriage) if negotiate::carriage(ours) == Some(carriage) => carriage == Carriage::Secure,
            _ => return Err(Refusal::Mismatch),
        };
        let (mine, formats) = (ours.described(), theirs.described());
        let (send, _) =
            negotiate::codec(&formats, &Capabilities { preference: super::Preference::Theirs, ..self.capabilities.clone() })
                .ok_or(Refusal::NoCommonCodec)?;
        let mux = ours.rtcp_mux() && theirs.rtcp_mux();
        let target = negotiate::target(answer, theirs, mux);
        let offered = negotiate::direction(offer, ours);
        let may = negotiate::direction(answer, theirs).reversed().and(offered);
        let srtp = if secure { Some(self.matched(ours, theirs)?) } else { None };
        let send_events = self.capabilities.events.then(|| negotiate::events(&formats, send.codec)).flatten();
        Ok(Negotiated {
            remote: target.rtp,
            remote_rtcp: target.rtcp,
            rtcp_mux: mux,
            v6: target.v6,
            send,
            receive: receivable(&mine, &formats),
            send_events,
            receive_events: receivable_events(&mine, &formats),
            ptime: negotiate::ptime(theirs, &self.capabilities),
            direction: if target.held { may.and(Direction::RecvOnly) } else { may },
            srtp,
        })
    }

    /// What we said last.
    #[must_use]
    pub fn said(&self) -> Option<&Description> {
        self.said.as_ref()
    }

    fn matched(&self, ours: &Section, theirs: &Section) -> Result<SrtpKeys, Refusal> {
        let [answered] = <[Crypto; 1]>::try_from(theirs.cryptos()).map_err(|_| Refusal::Security)?;
        let fits = |crypto: &Crypto| crypto.tag == answered.tag && crypto.suite == answered.suite;
        let offered = ours.cryptos().into_iter().find(fits).ok_or(Refusal::Security)?;
        Ok(SrtpKeys { suite: answered.suite, ours: offered.key, theirs: answered.key })
    }

    fn agreed(&mut self, crypto: &Crypto) -> SrtpKeys {
        SrtpKeys { suite: crypto.suite, ours: self.key(crypto.suite), theirs: crypto.key.clone() }
    }

    fn key(&mut self, suite: Suite) -> Key {
        if let Some((_, key)) = self.keys.iter().find(|(known, _)| *known == suite) {
            return key.clone();
        }
        let key = Key::random(self.rng.as_ref());
        self.keys.push((suite, key.clone()));
        key
    }

    /// The numbers of the other side become ours: a number keeps its meaning within a session.
    fn learn(&mut self, formats: &[Format]) {
        for format in formats {
            let meaning = match format.codec() {
                Some(codec) => Meaning::Codec(codec),
                None if format.is_event() => Meaning::Events(format.clock),
                None => continue,
            };
            if self.numbers.iter().all(|(known, number)| *known != meaning && *number != format.payload) {
                self.numbers.push((meaning, format.payload));
            }
        }
    }

    fn number(&mut self, meaning: Meaning) -> u8 {
        if let Some((_, number)) = self.numbers.iter().find(|(known, _)| *known == meaning) {
            return *number;
        }
        let usual = match meaning {
            Meaning::Codec(codec) => codec.usual_payload(),
            Meaning::Events(8_000) => 101,
            Meaning::Events(_) => 110,
        };
        let free = |number: &u8| self.numbers.iter().all(|(_, taken)| taken != number);
        let number = std::iter::once(usual).chain(96..=127).find(free).unwrap_or(usual);
        self.numbers.push((meaning, number));
        number
    }

    fn rtcp(&self, attributes: &mut Vec<Attribute>, mux: bool) {
        if mux {
            attributes.push(Attribute::flag("rtcp-mux"));
        }
        if self.local.rtcp != self.local.port.wrapping_add(1) {
            attributes.push(Attribute::new("rtcp", self.local.rtcp));
        }
    }

    fn section(&self, protocol: String, formats: Vec<String>, attributes: Vec<Attribute>) -> Section {
        Section { kind: "audio".to_owned(), port: self.local.port, protocol, formats, connection: None, attributes }
    }

    fn say(&mut self, media: Vec<Section>) -> Description {
        if self.said.as_ref().is_none_or(|said| said.media != media) {
            self.version += 1;
        }
        let address = Address::Ip(self.local.address);
        let (session, version) = (self.id.to_string(), self.version.to_string());
        let origin = Origin { user: "-".to_owned(), session, version, address: address.clone() };
        let said = Description { origin, name: "-".to_owned(), connection: Some(address), attributes: Vec::new(), media };
        self.said = Some(said.clone());
        said
    }
}

fn described(payload: Payload) -> Vec<Attribute> {
    let Payload { payload, codec } = payload;
    let mut map = format!("{payload} {}/{}", codec.name(), codec.clock());
    if codec.channels() > 1 {
        map = format!("{map}/{}", codec.channels());
    }
    let map = Attribute::new("rtpmap", map);
    match codec.parameters() {
        Some(parameters) => vec![map, Attribute::new("fmtp", format!("{payload} {parameters}"))],
        None => vec![map],
    }
}

/// The same with the name as the offerer spells it.
fn described_as(payload: Payload, format: &Format) -> Vec<Attribute> {
    let mut attributes = described(payload);
    let channels = if format.channels > 1 { format!("/{}", format.channels) } else { String::new() };
    if let Some(map) = attributes.first_mut() {
        *map = Attribute::new("rtpmap", format!("{} {}/{}{channels}", format.payload, format.name, format.clock));
    }
    attributes
}

fn event(format: EventFormat) -> [Attribute; 2] {
    let EventFormat { payload, clock } = format;
    let map = Attribute::new("rtpmap", format!("{payload} telephone-event/{clock}"));
    [map, Attribute::new("fmtp", format!("{payload} 0-15"))]
}

/// What may come after an answer: what we offered and the answer kept, under our numbers and, where they mean nothing else, under
/// theirs: some send with the numbers of their own answer.
fn receivable(mine: &[Format], theirs: &[Format]) -> Vec<Payload> {
    let payload = |format: &Format| Some(Payload { payload: format.payload, codec: format.codec()? });
    let kept: Vec<Codec> = theirs.iter().filter_map(Format::codec).collect();
    let mut all: Vec<Payload> = mine.iter().filter_map(payload).filter(|known| kept.contains(&known.codec)).collect();
    for other in theirs.iter().filter_map(payload) {
        if mine.iter().all(|format| format.payload != other.payload) {
            all.push(other);
        }
    }
    all
}

fn receivable_events(mine: &[Format], theirs: &[Format]) -> Vec<EventFormat> {
    let event = |format: &Format| format.is_event().then_some(EventFormat { payload: format.payload, clock: format.clock });
    if theirs.iter().filter_map(event).next().is_none() {
        return Vec::new();
    }
    let mut all: Vec<EventFormat> = mine.iter().filter_map(event).collect();
    for other in theirs.iter().filter_map(event) {
        if mine.iter().all(|format| format.payload != other.payload) {
            all.push(other);
        }
    }
    all
}
