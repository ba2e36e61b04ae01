//! Documents that support a port: what its owner sends for the losing carrier to read.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{DocumentId, PortId, Timestamp};

use crate::config::check_name;

/// The greatest document, in bytes.
pub const LARGEST: usize = 700 * 1024;
/// Documents that a port takes.
pub const MOST: usize = 10;

/// What a document proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DocumentKind {
    /// A letter of authorization, by which the end user asks for the number to be moved (LOA).
    Loa,
    /// A bill of the losing carrier.
    Bill,
    /// Anything else.
    Other,
}

impl DocumentKind {
    /// All of them, for messages.
    pub const CHOICES: &'static str = "loa, bill, other";

    /// The word that stores and pages use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loa => "loa",
            Self::Bill => "bill",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Loa, Self::Bill, Self::Other].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A kind of file that every carrier can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaType {
    /// A PDF.
    Pdf,
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
}

impl MediaType {
    const ALL: [(Self, &'static [u8]); 3] =
        [(Self::Pdf, b"%PDF-"), (Self::Png, b"\x89PNG\r\n\x1a\n"), (Self::Jpeg, b"\xff\xd8\xff")];

    /// What a file is by the bytes that it begins with; what its sender calls it does not count.
    #[must_use]
    pub fn of(content: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, magic)| content.starts_with(magic)).map(|(kind, _)| kind)
    }

    /// The name that HTTP uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().map(|(kind, _)| kind).find(|kind| kind.as_str() == text)
    }
}

/// A document, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// The port that it supports.
    pub port: PortId,
    /// What it proves.
    pub kind: DocumentKind,
    /// Its sender's name for it.
    pub name: String,
    /// What sort of file it is.
    pub media_type: MediaType,
    /// Its length in bytes.
    pub size: i64,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Checks a document's name and content; what sort of file it is.
///
/// # Errors
/// What is wrong with the name, and `document_refused` for content that is too large or no file of a known sort.
pub fn check(name: &str, content: &[u8]) -> Result<MediaType> {
    check_name("name", name)?;
    if content.len() > LARGEST {
        return Err(Error::document_refused("content", format!("must be at most {} KiB", LARGEST / 1024)));
    }
    MediaType::of(content).ok_or_else(|| Error::document_refused("content", "must be a PDF, PNG or JPEG"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        for (content, kind) in [
            (&b"%PDF-1.7 and so on"[..], Some(MediaType::Pdf)),
            (b"\x89PNG\r\n\x1a\n....", Some(MediaType::Png)),
            (b"\xff\xd8\xff\xe0....JFIF", Some(MediaType::Jpeg)),
            (b"GIF89a", None),
            (b"\x89PNG", None),
            (b"", None),
        ] {
            assert_eq!(MediaType::of(content), kind);
        }
        for (kind, _) in MediaType::ALL {
            assert_eq!(MediaType::parse(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn too_much_and_nothing_known_are_refused() {
        let mut large = b"%PDF-".to_vec();
        large.resize(LARGEST, 0);
        assert_eq!(check("bill.pdf", &large).expect("just small enough"), MediaType::Pdf);
        large.push(0);
        for (name, content) in
            [("bill.pdf", large.as_slice()), ("bill.txt", b"plain text"), ("", b"%PDF-1.7"), ("a\nb", b"%PDF-1.7")]
        {
            check(name, content).expect_err(name);
        }
    }
}
