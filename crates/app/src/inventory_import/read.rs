//! Reading the text: lines, then batches of offers and of bad lines.

use std::io::{self, BufRead, BufReader, Read};

use tandem_catalogue::{Error, Result};
use tandem_domain::purchase::Offer;
use tokio::sync::mpsc;

use super::{
    BATCH, BadLine, Format, count,
    line::{Fields, Header, json_fields},
    offer::offer,
};

/// Bytes of the longest line that is looked at.
const LONGEST: usize = 4096;
/// Bytes that are read at a time.
const BUFFER: usize = 256 * 1024;

/// Lines that were looked at together.
#[derive(Debug, Default)]
pub struct Batch {
    /// What the good ones say.
    pub offers: Vec<Offer>,
    /// The bad ones.
    pub refused: Vec<BadLine>,
    /// How many there were.
    pub lines: u64,
    /// Bytes, line ends included.
    pub bytes: u64,
}

impl Batch {
    /// Puts the numbers in order; of one that stands there twice the later line counts.
    fn sort(&mut self) {
        self.offers.reverse();
        self.offers.sort_by_key(|offer| offer.phone);
        self.offers.dedup_by_key(|offer| offer.phone);
    }
}

/// Sends `source` on in batches until it ends or nobody wants more.
pub fn batches(source: impl Read, format: Format, out: &mpsc::Sender<Batch>) -> Result<()> {
    let mut lines = Lines { source: BufReader::with_capacity(BUFFER, source), text: Vec::new(), number: 0 };
    let mut batch = Batch::default();
    let header = match format {
        Format::JsonLines => None,
        Format::Csv => {
            let (read, line) = lines.next()?;
            batch.bytes = count(read);
            Some(Header::parse(line.unwrap_or_default())?)
        }
    };
    loop {
        let (read, line) = lines.next()?;
        batch.bytes = batch.bytes.saturating_add(count(read));
        if read > 0 && !matches!(line, Ok("")) {
            batch.lines += 1;
            let checked = line.and_then(|line| fields(line, header.as_ref())).and_then(|fields| offer(&fields));
            match checked {
                Ok(offer) => batch.offers.push(offer),
                Err(reason) => batch.refused.push(BadLine { line: lines.number, reason }),
            }
        }
        if read == 0 || batch.offers.len().max(batch.refused.len()) >= BATCH {
            batch.sort();
            let sent = out.blocking_send(std::mem::take(&mut batch));
            if read == 0 || sent.is_err() {
                return Ok(());
            }
        }
    }
}

fn fields<'a>(line: &'a str, header: Option<&Header>) -> Result<Fields<'a>, String> {
    match header {
        Some(header) => header.fields(line),
        None => json_fields(line),
    }
}

struct Lines<R> {
    source: R,
    text: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its end, and how many bytes it took: none at the end of the text.
    fn next(&mut self) -> Result<(usize, Result<&str, String>)> {
        self.text.clear();
        self.number += 1;
        let broken = |fault: io::Error| Error::malformed_body("the text breaks off").because(fault);
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let mut read = (&mut self.source).take(limit).read_until(b'\n', &mut self.text).map_err(broken)?;
        if read == LONGEST && !self.text.ends_with(b"\n") {
            read += self.source.skip_until(b'\n').map_err(broken)?;
            return Ok((read, Err(format!("it is longer than {LONGEST} bytes"))));
        }
        let line = std::str::from_utf8(&self.text).map(str::trim).map_err(|_| "it is no UTF-8".to_owned());
        Ok((read, line))
    }
}

/// The sending end of [`chunks`]. Dropping it before an empty chunk was sent means that the text broke off.
pub type Chunks = mpsc::Sender<Vec<u8>>;

/// Text that arrives in chunks, read as if it were a file; reading blocks its thread until the next chunk is there.
#[derive(Debug)]
pub struct ChunkReader {
    incoming: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
}

/// A channel for text that comes over the network: an empty chunk ends it.
#[must_use]
pub fn chunks() -> (Chunks, ChunkReader) {
    let (sender, incoming) = mpsc::channel(8);
    (sender, ChunkReader { incoming, chunk: Vec::new(), taken: 0, ended: false })
}

impl Read for ChunkReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() && !self.ended {
            let next = self.incoming.blocking_recv();
            self.chunk = next.ok_or(io::ErrorKind::UnexpectedEof)?;
            self.taken = 0;
            self.ended = self.chunk.is_empty();
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let read = (&*rest).read(into)?;
        self.taken += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], format: Format) -> Result<Batch> {
        let (sender, mut receiver) = mpsc::channel(4);
        batches(text, format, &sender)?;
        Ok(receiver.try_recv().expect("one batch"))
    }

    #[test]
    fn every_bad_line_is_named_and_the_rest_is_kept() {
        let long = "x".repeat(10_000);
        let text = format!(
            "number,features,monthly\r\n+14155550100,voice,1\r\n\r\nnonsense\r\n{long}\r\n+14155550101,voice,1\r\n+1415555010\"2,voice,1\n+14155550103,sms,2"
        );
        let batch = read(text.as_bytes(), Format::Csv).expect("a good header");
        assert_eq!(
            batch.offers.iter().map(|offer| offer.phone.digits()).collect::<Vec<_>>(),
            [14_155_550_100, 14_155_550_101, 14_155_550_103]
        );
        assert_eq!(batch.refused.iter().map(|bad| bad.line).collect::<Vec<_>>(), [4, 5, 7]);
        assert_eq!((batch.lines, batch.bytes), (6, text.len() as u64));
    }

    #[test]
    fn of_a_number_that_stands_there_twice_the_later_line_counts() {
        let text = b"number,features,monthly\n+14155550101,voice,1\n+14155550100,voice,1\n+14155550101,voice,2\n";
        let batch = read(text, Format::Csv).expect("a good header");
        let prices: Vec<_> = batch.offers.iter().map(|offer| (offer.phone.digits(), offer.monthly.micros)).collect();
        assert_eq!((prices, batch.lines), (vec![(14_155_550_100, 1_000_000), (14_155_550_101, 2_000_000)], 3));
    }

    #[test]
    fn what_is_no_text_is_a_bad_line() {
        let batch = read(b"\xff\xfe\n{\"number\":\"+14155550100\",\"features\":\"voice\",\"monthly\":1}\n", Format::JsonLines);
        let batch = batch.expect("no header");
        assert_eq!((batch.offers.len(), batch.refused.len()), (1, 1));
        assert_eq!(batch.refused[0].reason, "it is no UTF-8");
    }

    #[tokio::test]
    async fn a_text_that_breaks_off_is_not_taken_for_a_short_one() {
        for (whole, good) in [(true, true), (false, false)] {
            let (sender, mut reader) = chunks();
            let reading = tokio::task::spawn_blocking(move || reader.read_to_string(&mut String::new()).is_ok());
            sender.send(b"number,".to_vec()).await.expect("there is room");
            if whole {
                sender.send(Vec::new()).await.expect("there is room");
            }
            drop(sender);
            assert_eq!(reading.await.expect("no panic"), good);
        }
    }
}
