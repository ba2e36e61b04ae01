//! Frames: a command with its length before it. What cannot be read as a command still has a header to answer to.

use bytes::{Buf, BytesMut};
use rusmpp::{
    Command, CommandStatus, Pdu,
    decode::DecodeWithLength,
    encode::{Length, owned::Encode},
};

/// Octets of a header.
const HEADER: usize = 16;

/// A command as it came, or its header where the rest makes no sense.
#[derive(Debug)]
pub struct Frame {
    /// Which command.
    pub id: u32,
    /// Its status.
    pub status: u32,
    /// What its answer repeats.
    pub sequence: u32,
    /// The body, where it can be read and has one.
    pub pdu: Option<Pdu>,
    /// Whether there is a body that makes no sense.
    pub broken: bool,
}

/// A length that no command has: what follows cannot be found any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLength(pub u32);

/// Takes the next whole frame off `from`.
///
/// # Errors
/// A length below that of a header or above `most`.
pub fn take(from: &mut BytesMut, most: usize) -> Result<Option<Frame>, BadLength> {
    let Some(head) = from.first_chunk::<4>() else { return Ok(None) };
    let told = u32::from_be_bytes(*head);
    let length = usize::try_from(told).unwrap_or(usize::MAX);
    if length < HEADER || length > most {
        return Err(BadLength(told));
    }
    if from.len() < length {
        from.reserve(length - from.len());
        return Ok(None);
    }
    let mut frame = from.split_to(length);
    frame.advance(4);
    let (id, status, sequence) = {
        let mut head = frame.as_ref();
        (head.get_u32(), head.get_u32(), head.get_u32())
    };
    let read = Command::decode(&mut frame, length - 4);
    let broken = read.is_err();
    let pdu = read.ok().and_then(|(command, _)| command.pdu().cloned());
    Ok(Some(Frame { id, status, sequence, pdu, broken }))
}

/// A command.
#[must_use]
pub fn command(status: u32, sequence: u32, pdu: impl Into<Pdu>) -> Command {
    Command::new(CommandStatus::from(status), sequence, pdu)
}

/// The answer to what is no command.
#[must_use]
pub fn nack(status: u32, sequence: u32) -> Command {
    command(status, sequence, Pdu::GenericNack)
}

/// Appends a command with its length.
pub fn put(out: &mut BytesMut, command: &Command) {
    let length = 4 + command.length();
    out.reserve(length);
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    command.encode(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_whole_and_one_by_one() {
        let mut bytes = BytesMut::new();
        put(&mut bytes, &command(0, 7, Pdu::EnquireLink));
        put(&mut bytes, &command(0, 8, Pdu::Unbind));
        let mut half = BytesMut::from(&bytes[..20]);
        assert_eq!(take(&mut half, 1000).expect("a length").map(|frame| (frame.id, frame.sequence)), Some((0x15, 7)));
        assert!(take(&mut half, 1000).expect("a length").is_none());
        half.extend_from_slice(&bytes[20..]);
        assert_eq!(take(&mut half, 1000).expect("a length").map(|frame| (frame.id, frame.sequence)), Some((6, 8)));
    }

    #[test]
    fn what_makes_no_sense_has_a_header_and_leaves_the_next_frame_alone() {
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(&[0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4]);
        put(&mut bytes, &command(0, 10, Pdu::EnquireLink));
        let broken = take(&mut bytes, 1000).expect("a length").expect("a frame");
        assert!(broken.broken && broken.pdu.is_none() && (broken.id, broken.sequence) == (4, 9));
        assert_eq!(take(&mut bytes, 1000).expect("a length").map(|frame| frame.sequence), Some(10));
        for length in [0_u32, 15, 1001, u32::MAX] {
            let mut bad = BytesMut::from(length.to_be_bytes().as_slice());
            assert_eq!(take(&mut bad, 1000).err(), Some(BadLength(length)));
        }
    }
}
