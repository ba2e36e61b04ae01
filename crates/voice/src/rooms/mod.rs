//! Live conferences: each has a room in one process, which is open as long as somebody is in it.
//!
//! The store says who takes part, who is muted and who waits; the rooms of this process follow it, at once where it was changed here and
//! within two seconds where another process changed it. A call that would come into a conference whose room another process has is
//! refused there for a moment (`conferences::enter`), so that no conference falls into two halves.

mod attend;
mod door;
mod floor;
mod music;
mod tape;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_app::conferences::{Entered, Roll};
use tandem_domain::conference::{Conference, Participant, Presence};
use tandem_kernel::{CallId, ConferenceId, EnvironmentId};
use tandem_media::{ConferenceOptions, Rate};
use tokio::sync::{Notify, watch};

pub(crate) use attend::Attending;
pub(crate) use door::{Door, TRIES, Verdict};
pub(crate) use floor::{Floor, keep};

use crate::house::House;
use music::Music;
use tape::Recorder;

/// What is to become of one who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    muted: bool,
    held: bool,
    /// Nobody else is there.
    alone: bool,
    /// It is to go.
    gone: bool,
}

/// The rooms of this process. There are no more of them than calls.
#[derive(Default)]
pub(crate) struct Rooms {
    open: Mutex<HashMap<ConferenceId, Arc<Room>>>,
    stirred: Notify,
}

/// One room.
struct Room {
    id: ConferenceId,
    environment: EnvironmentId,
    mixer: tandem_media::Conference,
    participants_record: bool,
    /// What those who wait hear.
    music: Music,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seats: HashMap<CallId, watch::Sender<Order>>,
    recorder: Recorder,
}

impl Rooms {
    fn open(&self) -> MutexGuard<'_, HashMap<ConferenceId, Arc<Room>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: ConferenceId) -> Option<Arc<Room>> {
        self.open().get(&id).cloned()
    }

    /// A seat in a conference's room, which is opened for the first; whether it was.
    fn seat(&self, house: &House, entered: &Entered, call: CallId) -> (Arc<Room>, watch::Receiver<Order>, bool) {
        let mut open = self.open();
        let first = !open.contains_key(&entered.conference.id);
        let room = open.entry(entered.conference.id).or_insert_with(|| Arc::new(Room::new(house, &entered.conference))).clone();
        let orders = room.add(call, &entered.participant);
        drop(open);
        self.stirred.notify_one();
        (room, orders, first)
    }

    /// Gives a seat back; the room is closed after the last.
    fn unseat(&self, room: &Arc<Room>, call: CallId) {
        let mut open = self.open();
        if room.remove(call) == 0 && open.get(&room.id).is_some_and(|known| Arc::ptr_eq(known, room)) {
            open.remove(&room.id);
        }
    }

    /// The store has changed: whoever keeps the rooms looks.
    fn stir(&self) {
        self.stirred.notify_one();
    }

    /// The rooms, each with those who are in it.
    fn occupied(&self) -> Vec<(Arc<Room>, Vec<CallId>)> {
        let rooms: Vec<Arc<Room>> = self.open().values().cloned().collect();
        rooms.into_iter().map(|room| (room.clone(), room.state().seats.keys().copied().collect())).collect()
    }
}

impl Room {
    fn new(house: &House, conference: &Conference) -> Self {
        let members = usize::try_from(conference.max_participants).unwrap_or(usize::MAX).max(1_000); // rows decide
        let options = ConferenceOptions { rate: Rate::Wide, members, tones: conference.member_notification };
        Self {
            id: conference.id,
            environment: conference.environment,
            mixer: house.media.conference(options),
            participants_record: conference.allow_recording_by_participant,
            music: Music::of(conference),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, call: CallId, participant: &Participant) -> watch::Receiver<Order> {
        let mut state = self.state();
        let first = Order { muted: participant.muted, held: participant.on_hold, alone: true, gone: false };
        let (seat, orders) = watch::channel(first);
        state.seats.insert(call, seat);
        state.tell_who_is_alone();
        orders
    }

    /// How many are left.
    fn remove(&self, call: CallId) -> usize {
        let mut state = self.state();
        state.seats.remove(&call);
        state.tell_who_is_alone();
        state.seats.len()
    }

    /// Does as the store says, to those who were there before it was asked.
    fn follow(&self, roll: Option<&Roll>, asked: &[CallId]) {
        let state = self.state();
        for (call, seat) in state.seats.iter().filter(|(call, _)| asked.contains(call)) {
            let mut present = roll.into_iter().flat_map(|(_, present)| present);
            let row = present.find(|one| one.call == Some(*call) && one.presence == Presence::Joined);
            seat.send_if_modified(|order| {
                let before = *order;
                match row {
                    Some(row) => (order.muted, order.held) = (row.muted, row.on_hold),
                    None => order.gone = true,
                }
                before != *order
            });
        }
    }
}

impl State {
    fn tell_who_is_alone(&self) {
        let alone = self.seats.len() == 1;
        for seat in self.seats.values() {
            seat.send_if_modified(|order| std::mem::replace(&mut order.alone, alone) != alone);
        }
    }
}
