//! Pages of lists: `Results_Count` and `Results_Skip`, or a `PageToken` that leads to what comes next.

use tandem_catalogue::{Error, Result};
use tandem_kernel::{base32, from_base32};

use crate::http::{Field, Form, Kind};

/// The most results that a page may have.
pub const MOST: i64 = 200;
/// The most results that may be left out: beyond that, a token leads on at no cost.
pub const MOST_SKIPPED: i64 = 10_000;

/// What tokens begin with that tell how many results lie before a page.
const COUNTED: u128 = 0x636f_756e_7465_6421;
const RULE: &str = "must be a NextPageToken of an earlier answer";

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
    Kind::Form { pattern: "^[0-9a-z]{26}$", fits: is_token, rule: RULE },
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

impl Page {
    /// How many results to read: one more than the page has, which tells whether there is a next one.
    pub const fn limit(&self) -> i64 {
        self.count + 1
    }

    /// Leaves of what was read what belongs on the page. What leads to the next one, where there is one.
    pub fn cut<T>(&self, results: &mut Vec<T>, id: impl Fn(&T) -> [u8; 16]) -> Option<String> {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let more = results.len() > count;
        results.truncate(count);
        results.last().filter(|_| more).map(|last| base32(id(last)))
    }

    /// Of a list whose results are counted and have no ids: how many lie before the page.
    ///
    /// # Errors
    /// `invalid_value` for a token of another list.
    pub fn offset(&self) -> Result<u64> {
        let Some(token) = self.after else { return Ok(u64::try_from(self.skip).unwrap_or(0)) };
        let (of, place) = (u128::from_be_bytes(token) >> 64, u128::from_be_bytes(token) & u128::from(u64::MAX));
        match u64::try_from(place) {
            Ok(place) if of == COUNTED => Ok(place),
            _ => Err(Error::invalid_value(TOKEN.name, RULE)),
        }
    }

    /// What leads to the page after one of such a list that ends at `end` of `total` results; none for the last.
    pub fn after_counted(end: u64, total: u64) -> Option<String> {
        (end < total).then(|| base32((COUNTED << 64 | u128::from(end)).to_be_bytes()))
    }
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
