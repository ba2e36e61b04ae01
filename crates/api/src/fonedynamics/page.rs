//! Pages of lists: `Results_Count` and `Results_Skip`, or a `PageToken` that leads to what comes next.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{base32, from_base32};

use crate::http::{Field, Form, Kind};

/// The most results that a page may have.
pub const MOST: i64 = 200;
/// The most results that may be left out: beyond that, a token leads on at no cost.
pub const MOST_SKIPPED: i64 = 10_000;

/// How many results a page has at the most.
pub const COUNT: Field =
    Field::new("Results_Count", Kind::Int { min: 1, max: MOST }, "How many results to return at the most.", "50");
/// How many results are left out.
pub const SKIP: Field = Field::new(
    "Results_Skip",
    Kind::Int { min: 0, max: MOST_SKIPPED },
    "How many results to leave out. Beyond ten thousand take NextPageToken.",
    "0",
);
/// Where a page begins.
pub const TOKEN: Field = Field::new(
    "PageToken",
    Kind::Form { pattern: "^[0-9a-z]{26}$", fits: is_token, rule: "must be a NextPageToken of an earlier answer" },
    "The NextPageToken of the answer before: the page goes on after it.",
    r#""06bq2n8c4w0000000000000000""#,
);

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// How many results.
    pub count: i64,
    /// How many to leave out.
    pub skip: i64,
    /// The result after which it begins.
    pub after: Option<[u8; 16]>,
}

/// Reads the page's parameters; `usual` results where none is said. Call before [`Form::finish`].
pub fn read(form: &mut Form, usual: i64) -> Page {
    let count = form.int(COUNT.name).unwrap_or(usual);
    let skip = form.int(SKIP.name).unwrap_or(0);
    let after = form.text(TOKEN.name).and_then(|token| from_base32(&token));
    Page { count, skip, after }
}

/// What leads to the page after one that ends with `last`; none where the page was not full.
pub fn next(page: &Page, length: usize, last: Option<[u8; 16]>) -> Option<String> {
    let full = i64::try_from(length).is_ok_and(|length| length >= page.count);
    last.filter(|_| full).map(base32)
}

fn is_token(text: &str) -> bool {
    from_base32(text).is_some()
}

/// Refuses a page that begins both by a token and by a count, which would not mean anything.
///
/// # Errors
/// `invalid_value`.
pub fn check(page: &Page) -> Result<()> {
    if page.after.is_some() && page.skip > 0 {
        return Err(Error::invalid_value(SKIP.name, "must be left out beside a PageToken"));
    }
    Ok(())
}
