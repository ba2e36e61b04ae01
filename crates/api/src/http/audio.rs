//! Recordings as they are listened to: whole, or the part that `Range` asks for (RFC 9110 section 14).

use std::ops::Range;

use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use tandem_app::{
    App,
    recordings::{self, Chunks},
};
use tandem_catalogue::{Error, Result};
use tandem_domain::recording::Recording;

use super::{
    Call,
    reply::{JSON, Reply, Streamed},
};

/// WAV.
pub const WAV: &str = "audio/wav";
/// Opus in Ogg.
pub const OGG: &str = "audio/ogg";
/// What recordings are.
pub const TYPES: &[&str] = &[WAV, OGG];
/// The longest range that is repeated to whoever asked for it.
const LONGEST: usize = 100;

/// A recording's bytes, or some of them.
///
/// # Errors
/// `range_not_satisfiable`, `unavailable` where the object store does not answer.
pub async fn listen(call: &Call, recording: &Recording) -> Result<Reply> {
    let size = u64::try_from(recording.size).unwrap_or(0);
    let tag = format!("\"{}-{}\"", recording.id, recording.size);
    let wanted = wanted(&call.headers, &tag, size)?;
    let range = wanted.clone().unwrap_or(0..size);
    let bytes = if call.head { futures_util::stream::empty().boxed() } else { stream(&call.app, recording, range.clone()).await? };
    let status = if wanted.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let streamed = Streamed::new(range.end - range.start, bytes);
    let mut reply = Reply::streamed(status, media_type(recording), streamed)
        .with("accept-ranges", "bytes")
        .with("etag", tag)
        .with("content-disposition", format!("inline; filename=\"{}.{}\"", recording.id, extension(recording)));
    if wanted.is_some() {
        reply = reply.with("content-range", format!("bytes {}-{}/{size}", range.start, range.end - 1));
    }
    Ok(reply)
}

/// Whether JSON is asked for, and no sound.
#[must_use]
pub fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut json = false;
    for range in accepts.flat_map(|value| value.split(',')) {
        match range.split(';').next().unwrap_or("").trim() {
            JSON => json = true,
            other if other == "*/*" || other.starts_with("audio/") => return false,
            _ => {}
        }
    }
    json
}

/// The first chunk is waited for, so that what cannot be read is told as such.
async fn stream(
    app: &App,
    recording: &Recording,
    range: Range<u64>,
) -> Result<futures_util::stream::BoxStream<'static, std::io::Result<bytes::Bytes>>> {
    let mut chunks = recordings::bytes(app, recording, range).await?;
    let first = chunks.next().await.transpose();
    let first = first.map_err(|fault| recordings::cut_off(&fault))?;
    let rest = futures_util::stream::unfold(chunks, next);
    Ok(futures_util::stream::iter(first.map(Ok)).chain(rest).boxed())
}

async fn next(mut chunks: Box<dyn Chunks>) -> Option<(std::io::Result<bytes::Bytes>, Box<dyn Chunks>)> {
    let chunk = chunks.next().await?;
    let chunk = chunk.map_err(|fault| {
        tracing::warn!(%fault, "a recording is cut off on its way to a listener");
        std::io::Error::other(fault.to_string())
    });
    Some((chunk, chunks))
}

fn media_type(recording: &Recording) -> &'static str {
    if recording.format == "opus" { OGG } else { WAV }
}

fn extension(recording: &Recording) -> &'static str {
    if recording.format == "opus" { "ogg" } else { "wav" }
}

/// The one range that is asked for; none where all of it is. Several ranges, other units and what cannot be read count as nothing, which
/// is what the RFC lets a server do.
fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Result<Option<Range<u64>>> {
    let Some(text) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    if headers.get(header::IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Ok(None);
    }
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else { return Ok(None) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (first.trim(), last.trim()) {
        ("", last) => number(last).map(|count| size.saturating_sub(count)..size),
        (first, "") => number(first).map(|first| first..size),
        (first, last) => match number(first).zip(number(last)) {
            Some((first, last)) if first <= last => Some(first..size.min(last.saturating_add(1))),
            _ => None,
        },
    };
    match range {
        Some(range) if range.start < range.end => Ok(Some(range)),
        Some(_) => {
            let shown: String = text.chars().take(LONGEST).collect();
            Err(Error::range_not_satisfiable(shown, i64::try_from(size).unwrap_or(i64::MAX)))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tandem_catalogue::Code;

    use super::*;

    fn asked(range: &'static str, if_range: Option<&'static str>) -> std::result::Result<Option<Range<u64>>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        if let Some(tag) = if_range {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(tag));
        }
        wanted(&headers, "\"a\"", 100).map_err(|error| error.code())
    }

    #[test]
    fn a_range_is_what_it_says() {
        assert_eq!(asked("bytes=0-9", None), Ok(Some(0..10)));
        assert_eq!(asked("bytes=90-", None), Ok(Some(90..100)));
        assert_eq!(asked("bytes=-30", None), Ok(Some(70..100)));
        assert_eq!(asked("bytes=-300", None), Ok(Some(0..100)));
        assert_eq!(asked("bytes=99-4711", None), Ok(Some(99..100)));
        for beyond in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(asked(beyond, None), Err(Code::RangeNotSatisfiable));
        }
        for nothing in ["bytes=9-1", "bytes=0-1,5-6", "lines=1-2", "bytes=x-", "bytes=-", "bytes"] {
            assert_eq!(asked(nothing, None), Ok(None), "{nothing}");
        }
        assert_eq!(asked("bytes=0-9", Some("\"a\"")), Ok(Some(0..10)));
        assert_eq!(asked("bytes=0-9", Some("\"b\"")), Ok(None));
    }

    #[test]
    fn json_is_answered_where_it_alone_is_asked_for() {
        let asked = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            wants_json(&headers)
        };
        assert!(asked("application/json") && asked("text/html, application/json;q=0.9"));
        assert!(!asked("application/json, */*") && !asked("audio/wav, application/json") && !asked("*/*"));
        assert!(!wants_json(&HeaderMap::new()));
    }
}
