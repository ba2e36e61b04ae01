//! What takes a reader of calls to those that were written since.

use sha2::{Digest, Sha256};
use tandem_kernel::{EnvironmentId, base32, from_base32};

/// A place in the order in which an environment's calls are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Calls that were written up to here are behind it.
    pub written: i64,
}

impl Token {
    /// The text that a reader gives back.
    #[must_use]
    pub fn text(self, environment: EnvironmentId) -> String {
        let mut bytes = [0; 16];
        let parts = self.written.to_be_bytes().into_iter().chain(check(environment, self.written));
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        base32(bytes)
    }

    /// Reads it; none for a text that this environment never gave out.
    #[must_use]
    pub fn parse(environment: EnvironmentId, text: &str) -> Option<Self> {
        let bytes = from_base32(text)?;
        let (written, _) = bytes.split_at(8);
        let token = Self { written: i64::from_be_bytes(written.try_into().ok()?) };
        (token.written >= 0 && token.text(environment) == text).then_some(token)
    }
}

fn check(environment: EnvironmentId, written: i64) -> impl Iterator<Item = u8> {
    let mut hash = Sha256::new();
    hash.update(environment.as_bytes());
    hash.update(written.to_be_bytes());
    hash.finalize().into_iter().take(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_where_it_was_given_out() {
        let (ours, theirs) = (EnvironmentId::from_bytes([1; 16]), EnvironmentId::from_bytes([2; 16]));
        for written in [0, 1, 10_000_000, i64::MAX] {
            let text = Token { written }.text(ours);
            assert_eq!(text.len(), 26);
            assert_eq!(Token::parse(ours, &text), Some(Token { written }));
            assert_eq!(Token::parse(theirs, &text), None);
        }
        for text in ["", "x", "00000000000000000000000000", "zzzzzzzzzzzzzzzzzzzzzzzzzz"] {
            assert_eq!(Token::parse(ours, text), None, "{text}");
        }
    }
}
