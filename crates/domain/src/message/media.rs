//! What may go with a message.

/// The most media of one message.
pub const MOST_MEDIA: usize = 10;
/// The most bytes of all media of one message.
pub const MOST_BYTES: usize = 5 * 1024 * 1024;
const LONGEST_URL: usize = 2048;

/// What is wrong with the address of a medium, if anything: whether it is a public one shows when it is fetched.
#[must_use]
pub fn fault_of_url(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Some("it must begin with https:// or http://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.is_empty() || authority.starts_with(':') {
        Some("it names no host")
    } else if authority.contains('@') {
        Some("it must not have credentials in it")
    } else if url.len() > LONGEST_URL || !url.chars().all(|c| c.is_ascii_graphic()) {
        Some("it must have at most 2048 characters, none of them beyond ASCII")
    } else {
        None
    }
}

/// What is wrong with what was fetched, beside `before` bytes of other media.
///
/// # Errors
/// A sentence.
pub fn check(media_type: &str, size: usize, before: usize) -> Result<(), String> {
    let plain = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let carried = ["image/", "audio/", "video/"].iter().any(|family| plain.len() > family.len() && plain.starts_with(family));
    if !carried && !["text/vcard", "text/x-vcard"].contains(&plain.as_str()) {
        return Err(format!("'{plain}' is no picture, sound, film or card"));
    }
    if size == 0 {
        return Err("there is nothing in it".to_owned());
    }
    if size.saturating_add(before) > MOST_BYTES {
        return Err(format!("all media together have more than {MOST_BYTES} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_web_addresses() {
        for url in ["https://example.com/a.jpg", "http://example.com:8080?x=1", "https://[2001:db8::1]/a"] {
            assert_eq!(fault_of_url(url), None, "{url}");
        }
        for url in [
            "",
            "ftp://example.com/a",
            "https://",
            "https:///a",
            "https://me:secret@example.com/",
            "https://exämple.com",
            "http://:80/",
        ] {
            assert!(fault_of_url(url).is_some(), "{url}");
        }
    }

    #[test]
    fn media_are_of_certain_kinds_and_sizes() {
        for media_type in ["image/jpeg", "Image/PNG", "audio/amr; x=1", "video/mp4", "text/vcard"] {
            assert_eq!(check(media_type, 10, 0), Ok(()), "{media_type}");
        }
        for media_type in ["text/html", "", "image/", "application/pdf"] {
            assert!(check(media_type, 10, 0).is_err(), "{media_type}");
        }
        assert!(check("image/png", MOST_BYTES, 0).is_ok() && check("image/png", MOST_BYTES, 1).is_err());
        assert!(check("image/png", 0, 0).is_err());
    }
}
