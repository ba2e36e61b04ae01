//! Files that nobody closed, because the process died.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

use super::ogg::{LAST, PRE_SKIP, checksum};

/// Samples in a second, as Ogg counts Opus.
const GRANULES: u64 = 48_000;
/// What a page of Ogg begins with, up to its table of lengths.
const PAGE_HEAD: usize = 27;

/// Makes a file that was cut off one that can be listened to, as far as it goes: how large it is then, and how long. None where nothing is
/// in it. Waits for the disk.
///
/// # Errors
/// What the file system says; a file that is no recording.
pub fn repair(path: &Path) -> io::Result<Option<(u64, Duration)>> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut magic = [0; 4];
    match file.read_exact(&mut magic) {
        Ok(()) => file.seek(SeekFrom::Start(0)).map(drop)?,
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(fault) => return Err(fault),
    }
    let repaired = match &magic {
        b"RIFF" => wav(&mut file),
        b"OggS" => ogg(&mut file),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }?;
    file.sync_all()?;
    Ok(repaired)
}

/// The lengths in its head are made what they are.
fn wav(file: &mut File) -> io::Result<Option<(u64, Duration)>> {
    let size = file.metadata()?.len();
    let (mut place, mut format) = (12, None);
    loop {
        let mut head = [0; 8];
        if place + 8 > size {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut head)?;
        let [a, b, c, d, length @ ..] = head;
        match &[a, b, c, d] {
            b"data" => break,
            b"fmt " => {
                let mut octets = [0; 16];
                file.read_exact(&mut octets)?;
                let [_, _, _, _, r0, r1, r2, r3, _, _, _, _, a0, a1, _, _] = octets;
                format = Some((u32::from_le_bytes([r0, r1, r2, r3]), u16::from_le_bytes([a0, a1])));
            }
            _ => {}
        }
        place += 8 + u64::from(u32::from_le_bytes(length)).next_multiple_of(2);
    }
    let data = place + 8;
    let Some((hertz, frame)) = format.filter(|(hertz, frame)| *hertz > 0 && *frame > 0) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let frames = size.saturating_sub(data) / u64::from(frame);
    let length = frames * u64::from(frame);
    if frames == 0 {
        return Ok(None);
    }
    file.set_len(data + length)?;
    let octets = |length: u64| u32::try_from(length).map(u32::to_le_bytes).map_err(io::Error::other);
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&octets(data + length - 8)?)?;
    file.seek(SeekFrom::Start(place + 4))?;
    file.write_all(&octets(length)?)?;
    Ok(Some((data + length, Duration::from_micros(frames * 1_000_000 / u64::from(hertz)))))
}

/// The last whole page becomes the last one.
fn ogg(file: &mut File) -> io::Result<Option<(u64, Duration)>> {
    let mut pages = BufReader::new(&mut *file);
    let (mut end, mut last) = (0, None);
    while let Some(page) = page(&mut pages)? {
        let start = end;
        end += page.len() as u64;
        last = Some((start, page));
    }
    let Some((start, mut page)) = last else { return Ok(None) };
    let granule = page.get(6..14).and_then(|octets| octets.try_into().ok()).map_or(0, u64::from_le_bytes);
    let samples = granule.saturating_sub(u64::from(PRE_SKIP));
    if samples == 0 {
        return Ok(None);
    }
    let flags = page.get(5).copied().unwrap_or(0) | LAST;
    put(&mut page, 5, &[flags]);
    put(&mut page, 22, &[0; 4]);
    let sum = checksum(&page).to_le_bytes();
    put(&mut page, 22, &sum);
    file.set_len(end)?;
    file.seek(SeekFrom::Start(start))?;
    file.write_all(&page)?;
    Ok(Some((end, Duration::from_micros(samples * 1_000_000 / GRANULES))))
}

fn put(page: &mut [u8], at: usize, octets: &[u8]) {
    page.iter_mut().skip(at).zip(octets).for_each(|(to, from)| *to = *from);
}

/// The next page, if it is whole and its sum is right.
fn page(pages: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut page = vec![0; PAGE_HEAD];
    if !whole(pages.read_exact(&mut page))? || !page.starts_with(b"OggS") {
        return Ok(None);
    }
    let count = page.last().copied().map_or(0, usize::from);
    let mut lacing = vec![0; count];
    if !whole(pages.read_exact(&mut lacing))? {
        return Ok(None);
    }
    let mut body = vec![0; lacing.iter().map(|length| usize::from(*length)).sum()];
    if !whole(pages.read_exact(&mut body))? {
        return Ok(None);
    }
    page.extend(lacing);
    page.extend(body);
    let told = page.get(22..26).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_le_bytes);
    let mut bare = page.clone();
    put(&mut bare, 22, &[0; 4]);
    Ok((checksum(&bare) == told).then_some(page))
}

fn whole(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Rate,
        record::{Format, Layout, Spec, sink::Sink},
    };

    /// A recording of three seconds, of which the process told the disk nothing more.
    fn cut_off(name: &str, format: Format) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("tandem-media-{name}-{}", std::process::id()));
        let (layout, limit) = (Layout::Stereo, Duration::from_secs(60));
        let mut sink = Sink::open(&Spec { path: path.clone(), format, layout, rate: Rate::Narrow, limit }).unwrap();
        (0..150).for_each(|_| sink.samples(&[1000; 320]).unwrap());
        std::mem::forget(sink);
        path
    }

    #[test]
    fn a_wav_file_goes_as_far_as_its_samples_do() {
        let path = cut_off("cut.wav", Format::Wav);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&[1, 2, 3, 4, 5, 6, 7]).unwrap();
        let (size, length) = repair(&path).unwrap().unwrap();
        assert_eq!(size, std::fs::metadata(&path).unwrap().len());
        let reader = hound::WavReader::open(&path).unwrap();
        assert_eq!((reader.duration(), length), (24_001, Duration::from_micros(3_000_125)));
        assert_eq!(repair(&path).unwrap(), Some((size, length)), "a second time changes nothing");
        std::fs::write(&path, &std::fs::read(&path).unwrap()[..44]).unwrap();
        assert_eq!(repair(&path).unwrap(), None);
        std::fs::write(&path, b"RI").unwrap();
        assert_eq!(repair(&path).unwrap(), None);
        std::fs::write(&path, b"nonsense").unwrap();
        assert!(repair(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn an_ogg_file_ends_with_its_last_whole_page() {
        let path = cut_off("cut.ogg", Format::Opus);
        let before = std::fs::metadata(&path).unwrap().len();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"OggS\0\0half a page").unwrap();
        let (size, length) = repair(&path).unwrap().unwrap();
        assert!(size <= before && length >= Duration::from_secs(1), "{size} {length:?}");
        assert_eq!(repair(&path).unwrap(), Some((size, length)), "a second time changes nothing");
        std::fs::remove_file(&path).unwrap();
    }
}
