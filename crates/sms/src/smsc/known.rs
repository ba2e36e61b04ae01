//! The messages that the SMSC of the pocket network remembers, and only so many.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tandem_kernel::Timestamp;

use super::{
    outbox::System,
    receipt::{State, Style},
};
use crate::wire::Short;

/// Messages that are remembered.
const MOST: usize = 300_000;
/// How often a recipient of the full kind is put off, and how many such recipients are remembered.
const PUT_OFF: u8 = 3;
const MOST_PUT_OFF: usize = 10_000;

/// A message that was taken.
pub struct Message {
    /// What it says.
    pub short: Short,
    /// Who sent it.
    pub system: Arc<System>,
    /// How its receipts are written.
    pub style: Style,
    /// When it was taken.
    pub taken: Timestamp,
    /// What became of it.
    pub state: State,
}

/// The messages.
pub struct Known {
    first: u64,
    messages: VecDeque<(Message, Option<Timestamp>)>,
    by_name: HashMap<[u8; 17], u64>,
    put_off: HashMap<(String, String), u8>,
}

impl Known {
    /// Numbers messages from `first`.
    pub fn new(first: u64) -> Self {
        Self { first, messages: VecDeque::new(), by_name: HashMap::new(), put_off: HashMap::new() }
    }

    /// Takes a message; its number.
    pub fn add(&mut self, message: Message) -> u64 {
        if self.messages.len() >= MOST
            && let Some((oldest, _)) = self.messages.pop_front()
        {
            self.first += 1;
            if let Some(name) = oldest.short.vendor_part {
                self.by_name.remove(&name);
            }
        }
        let number = self.first + u64::try_from(self.messages.len()).unwrap_or(0);
        if let Some(name) = message.short.vendor_part {
            self.by_name.insert(name, number);
        }
        self.messages.push_back((message, None));
        number
    }

    /// The message of that name, if it was taken before: its number and the id that it was answered with.
    pub fn find(&self, name: &[u8; 17]) -> Option<(u64, String)> {
        let number = *self.by_name.get(name)?;
        Some((number, self.get(number)?.style.answer_id(number)))
    }

    /// A message by its number.
    pub fn get(&self, number: u64) -> Option<&Message> {
        self.slot(number).and_then(|slot| self.messages.get(slot)).map(|(message, _)| message)
    }

    /// When a message came to its end.
    pub fn ended(&self, number: u64) -> Option<Timestamp> {
        self.slot(number).and_then(|slot| self.messages.get(slot)).and_then(|(_, ended)| *ended)
    }

    fn slot(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    /// Ends a message; false where it had come to its end before.
    pub fn end(&mut self, number: u64, state: State, at: Timestamp) -> bool {
        let Some(slot) = self.slot(number) else { return false };
        let Some((message, ended)) = self.messages.get_mut(slot) else { return false };
        if ended.is_some() {
            return false;
        }
        message.state = state;
        *ended = Some(at);
        true
    }

    /// Whether a recipient that is full at first is so still.
    pub fn is_put_off(&mut self, short: &Short) -> bool {
        let key = (short.from.text.clone(), short.to.text.clone());
        if self.put_off.len() >= MOST_PUT_OFF {
            self.put_off.clear();
        }
        let times = self.put_off.entry(key.clone()).or_default();
        *times += 1;
        let still = *times <= PUT_OFF;
        if !still {
            self.put_off.remove(&key);
        }
        still
    }
}
