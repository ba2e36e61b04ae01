//! Names and values as a query or an HTML form carries them (`application/x-www-form-urlencoded`).

/// Decodes a query. What is not UTF-8 is replaced.
#[must_use]
pub fn pairs(query: &str) -> Vec<(String, String)> {
    split(query, |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Decodes the body of an HTML form. A text that is not UTF-8 is taken for Latin-1, as a page in that encoding sends it.
#[must_use]
pub fn form_pairs(body: &str) -> Vec<(String, String)> {
    split(body, |bytes| String::from_utf8(bytes).unwrap_or_else(|fault| fault.as_bytes().iter().copied().map(char::from).collect()))
}

fn split(query: &str, read: impl Fn(Vec<u8>) -> String) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (read(decode(name)), read(decode(value))))
        .collect()
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'+' => b' ',
            b'%' => {
                let mut ahead = bytes.clone();
                match (ahead.next().and_then(hex), ahead.next().and_then(hex)) {
                    (Some(high), Some(low)) => {
                        bytes = ahead;
                        high * 16 + low
                    }
                    _ => b'%',
                }
            }
            other => other,
        };
        out.push(decoded);
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
