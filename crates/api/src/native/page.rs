//! Pages of lists: `{"data":[…],"next_cursor":…}`. A cursor is the place of the last item, written so that nobody reads it.

use std::borrow::Cow;

use serde::Serialize;
use tandem_kernel::{base32, from_base32};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
    },
};

use crate::http::{Field, Form, Kind};

const USUAL: i64 = 20;

/// How many to return.
pub const LIMIT: Field = Field::new("limit", Kind::Int { min: 1, max: 100 }, "How many to return; 20 where it is not said.", "20");
/// Where the page before ended.
pub const CURSOR: Field = Field::new(
    "cursor",
    Kind::Form {
        pattern: "^[0-7][0-9a-hjkmnp-tv-z]{25}$",
        fits: |text| from_base32(text).is_some(),
        rule: "must be the next_cursor of another page",
    },
    "The `next_cursor` of the page before.",
    "",
);
/// The query of a list without filters.
pub const PAGE: &[Field] = &[LIMIT, CURSOR];

/// A page of a list.
#[derive(Serialize)]
pub struct Page<T: ToSchema> {
    /// The page.
    pub data: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// By hand: the derived schema of a generic type leaves out what its list refers to.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = Ref::from_schema_name(T::name());
        let text = SchemaType::from_iter([Type::String, Type::Null]);
        let cursor = ObjectBuilder::new()
            .schema_type(text)
            .description(Some("What to send as `cursor` for the next page; null on the last one."));
        ObjectBuilder::new()
            .property("data", ArrayBuilder::new().items(items))
            .required("data")
            .property("next_cursor", cursor)
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("Page_{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// Which part of a list was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The place of the last item of the page before.
    pub cursor: Option<[u8; 16]>,
    limit: i64,
}

impl Window {
    /// Reads `limit` and `cursor`.
    pub fn read(form: &mut Form) -> Self {
        let limit = form.int("limit").unwrap_or(USUAL);
        Self { cursor: form.text("cursor").and_then(|text| from_base32(&text)), limit }
    }

    /// How many items to fetch: one more than the page holds, which tells whether there is a next one.
    pub const fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Makes the page from what was fetched; `place` says where an item stands.
    pub fn page<T, D: ToSchema>(&self, mut items: Vec<T>, place: impl Fn(&T) -> [u8; 16], dto: impl FnMut(&T) -> D) -> Page<D> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| base32(place(last)));
        Page { data: items.iter().map(dto).collect(), next_cursor }
    }
}

/// The place of what is numbered.
pub fn numbered(sequence: i64) -> [u8; 16] {
    let mut place = [0; 16];
    for (to, from) in place.iter_mut().skip(8).zip(sequence.to_be_bytes()) {
        *to = from;
    }
    place
}

/// The number of a place.
pub fn number_of(place: [u8; 16]) -> i64 {
    let (_, sequence) = place.split_at(8);
    sequence.try_into().map_or(0, i64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_names_the_next_and_the_last_does_not() {
        let window = Window { cursor: None, limit: 2 };
        let page = window.page(vec![1, 2, 3], |item| numbered(*item), |item| item.to_string());
        assert_eq!(page.data, ["1", "2"]);
        let cursor = page.next_cursor.and_then(|text| from_base32(&text)).expect("a next page");
        assert_eq!(number_of(cursor), 2);
        let last = window.page(vec![3], |item| numbered(*item), |item| item.to_string());
        assert_eq!((last.data.len(), last.next_cursor), (1, None));
    }
}
