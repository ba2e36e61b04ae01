//! Webhooks: who wants to hear of which events, in which dialect, how often a delivery is tried, and what it says.

pub mod address;
mod delivery;
mod endpoint;
pub mod javascript;
mod payload;
mod schedule;

pub use delivery::{Attempt, Delivery, DeliveryState, Progress};
pub use endpoint::{Change, Interest, LONGEST_URL, Method, Secret, State, Webhook, check_method, check_url, known_events};
pub use payload::{Body, CHOICES, Happening, Target, render};
pub use schedule::{Answer, Next, PATIENCE, Schedule};
