//! Messages out of a stream (RFC 3261 section 18.3, RFC 5626 section 3.5.1).

use crate::wire::{LARGEST, Raw, claimed_length, end_of_head};

/// What stands at the beginning of what has been read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// More has to be read.
    More,
    /// So many octets are a message.
    Message(usize),
    /// So many octets are a ping, to be answered with a line's end.
    Ping(usize),
    /// So many octets are to be passed over.
    Skip(usize),
    /// Where the next message begins cannot be known: this status, and the end.
    Lost(u16, &'static str),
}

/// Looks at what has been read.
pub(crate) fn frame(read: &[u8]) -> Frame {
    if read.starts_with(b"\r\n\r\n") {
        return Frame::Ping(4);
    }
    if read.starts_with(b"\r\n") {
        return if read.len() < 4 && b"\r\n\r\n".starts_with(read) { skip_or_wait(read) } else { Frame::Skip(2) };
    }
    let Some(head) = end_of_head(read) else {
        return if read.len() > LARGEST { Frame::Lost(513, "Message Too Large") } else { Frame::More };
    };
    let Some(raw) = Raw::cut(read) else { return Frame::Lost(400, "Bad Request") };
    match claimed_length(&raw) {
        Err(()) => Frame::Lost(400, "Bad Content-Length"),
        Ok(length) => match head.saturating_add(length.unwrap_or(0)) {
            whole if whole > LARGEST => Frame::Lost(513, "Message Too Large"),
            whole if whole > read.len() => Frame::More,
            whole => Frame::Message(whole),
        },
    }
}

/// One line's end alone is the answer to a ping of ours, or the first half of a ping: it is passed over once something follows.
const fn skip_or_wait(read: &[u8]) -> Frame {
    if read.len() == 2 { Frame::Skip(2) } else { Frame::More }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_where_they_end() {
        let one = b"OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabcSIP";
        assert_eq!(frame(one), Frame::Message(one.len() - 3));
        assert_eq!(frame(one.get(..30).expect("a part")), Frame::More);
        assert_eq!(frame(b"\r\n\r\n"), Frame::Ping(4));
        assert_eq!(frame(b"\r\nO"), Frame::Skip(2));
        assert_eq!(frame(b"O sip:a SIP/2.0\r\nl: -1\r\n\r\n"), Frame::Lost(400, "Bad Content-Length"));
        assert_eq!(frame(&vec![b'x'; LARGEST + 1]), Frame::Lost(513, "Message Too Large"));
    }
}
