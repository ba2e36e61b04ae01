//! What a decision about a call has to know.

use std::collections::{HashMap, HashSet};

use tandem_kernel::{ConferenceId, Currency, DeviceId, FlowId, MenuId, PhoneNumber, RecordingId, Timestamp};

use super::Reach;
use crate::{
    call::{Policy, Traffic},
    device::Device,
    flow::CallFlow,
    trunk::choice::Load,
};

/// What a decision about a call has to know, read before it is made.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When, by the environment's clock.
    pub now: Timestamp,
    /// The devices that are named, each with the number of its registrations that hold.
    pub devices: HashMap<DeviceId, (Device, usize)>,
    /// The call flows that are named.
    pub flows: HashMap<FlowId, CallFlow>,
    /// Those of the menus that are named which are there.
    pub menus: HashSet<MenuId>,
    /// The same of conferences that go on or are to begin.
    pub conferences: HashSet<ConferenceId>,
    /// The same of recordings.
    pub recordings: HashSet<RecordingId>,
    /// Those of the numbers that are named which somebody has in this installation, in the same kind of environment.
    pub own: HashSet<PhoneNumber>,
    /// The trunks of that kind of environment.
    pub trunks: Vec<Load>,
    /// Where the pocket network reaches; none in live environments.
    pub pocket: Option<Reach>,
    /// What the environment's calls may do.
    pub policy: Policy,
    /// What they are doing.
    pub traffic: Traffic,
    /// What its money is counted in.
    pub currency: Currency,
    /// Millionths that can be spent.
    pub available: i64,
    /// Chance, for trunks of equal rank.
    pub dice: u64,
}

/// A call that comes in or goes out.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who calls; none who hides it.
    pub caller: Option<PhoneNumber>,
    /// The numbers through which it came, the first one first: those of ours, and those that the other side named.
    pub path: &'a [PhoneNumber],
}
