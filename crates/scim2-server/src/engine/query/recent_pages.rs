//! Pages by index: remembers where the page ended that was just served.
//!
//! If a client asks for the next page (`startIndex` plus `itemsPerPage`), it gets the resources after the last
//! one it has seen. The page is as fast as the first one, however far it is from the beginning, and resources
//! created or deleted before it do not shift it. The same holds if the client asks for the same page again. Any
//! other `startIndex` counts resources from the beginning.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use scim2_protocol::QueryParameters;

use super::Question;
use super::cursor::{LONGEST_KEY, key_length};
use crate::context::Context;
use crate::store::Position;

/// How many queries are remembered.
const MAX_QUERIES: usize = 1024;

/// The longest key that is remembered, in bytes.
const MAX_KEY_LENGTH: usize = 4096;

/// How long a query is remembered after its last page, in seconds.
const LIFETIME: i64 = 60;

/// The page that was served last to each client and query.
#[derive(Debug, Default)]
pub(crate) struct RecentPages(Mutex<HashMap<PageKey, RecentPage>>);

/// A client and its query, as the text that the client sent. A client that pages sends the same text for each
/// page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PageKey(Box<str>);

impl PageKey {
    pub(super) fn new(cx: &Context, question: &Question<'_>) -> Self {
        let Question { type_, parameters: QueryParameters { filter, sort_by, sort_order, .. }, .. } =
            question;
        let parts = [
            cx.tenant.as_str(),
            &cx.actor,
            type_.map(|type_| type_.name()).unwrap_or_default(),
            sort_order.as_str(),
            sort_by.as_ref().map(|path| path.as_str()).unwrap_or_default(),
            // The filter is last, because it may contain any character.
            filter.as_deref().unwrap_or_default(),
        ];
        Self(parts.join("\0").into())
    }
}

#[derive(Debug)]
struct RecentPage {
    /// The beginning of the page, if it is not the first, and the beginning of the next page.
    steps: [Option<Step>; 2],
    since: i64,
}

/// The page with this `startIndex` begins after this position.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) start_index: u64,
    pub(super) at: Position,
}

impl RecentPages {
    /// The position after which the page with this `startIndex` begins, if that page or the one before it was
    /// just served.
    pub(super) fn recall(&self, key: &PageKey, start_index: u64, now: i64) -> Option<Position> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.get(key).filter(|page| now.abs_diff(page.since) <= LIFETIME.unsigned_abs())?;
        let step = page.steps.iter().flatten().find(|step| step.start_index == start_index)?;
        Some(step.at.clone())
    }

    /// Remembers where the page that was just served begins and where the next one begins. Forgets the page
    /// before.
    pub(super) fn remember(&self, key: impl FnOnce() -> PageKey, steps: [Option<Step>; 2], now: i64) {
        let steps = steps.map(|step| step.filter(|step| key_length(&step.at.key) <= LONGEST_KEY));
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing = steps.iter().all(Option::is_none);
        // Most answers have one page, so most servers remember nothing. Then no key is computed.
        if nothing && pages.is_empty() {
            return;
        }
        let key = key();
        if nothing || key.0.len() > MAX_KEY_LENGTH {
            pages.remove(&key);
            return;
        }
        if pages.len() >= MAX_QUERIES && !pages.contains_key(&key) {
            let oldest = pages.iter().min_by_key(|(_, page)| page.since).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| pages.remove(&oldest));
        }
        pages.insert(key, RecentPage { steps, since: now });
    }
}

#[cfg(test)]
mod tests {
    use scim2_core::ResourceId;
    use scim2_filter::SortValue;

    use super::*;

    fn key(name: &str) -> PageKey {
        PageKey(name.into())
    }

    fn at(id: usize) -> Position {
        Position { key: SortValue::Missing, id: ResourceId::parse(&format!("u{id}")).expect("an id") }
    }

    fn step(start_index: u64, id: usize) -> Option<Step> {
        Some(Step { start_index, at: at(id) })
    }

    #[test]
    fn a_step_is_of_its_query_and_client_and_grows_old() {
        let pages = RecentPages::default();
        pages.remember(|| key("ada"), [step(101, 100), step(201, 200)], 0);
        assert_eq!(pages.recall(&key("ada"), 101, LIFETIME), Some(at(100)));
        assert_eq!(pages.recall(&key("ada"), 201, LIFETIME), Some(at(200)));
        for (name, index, now) in [("ada", 101, LIFETIME + 1), ("ada", 102, 0), ("bob", 101, 0)] {
            assert_eq!(pages.recall(&key(name), index, now), None);
        }
    }

    #[test]
    fn only_the_last_page_is_remembered() {
        let pages = RecentPages::default();
        pages.remember(|| key("a"), [None, step(101, 100)], 0);
        pages.remember(|| key("a"), [step(101, 100), step(201, 200)], 0);
        pages.remember(|| key("a"), [step(201, 200), step(301, 300)], 0);
        assert_eq!(pages.recall(&key("a"), 101, 0), None);
        pages.remember(|| key("a"), [None, None], 0);
        assert_eq!(pages.recall(&key("a"), 301, 0), None);
        assert!(pages.0.lock().expect("whole").is_empty());
    }

    #[test]
    fn the_oldest_walk_makes_room() {
        let pages = RecentPages::default();
        let clients = i64::try_from(MAX_QUERIES).expect("few") + 1;
        for client in 0..clients {
            pages.remember(|| key(&client.to_string()), [None, step(101, 100)], client);
        }
        assert_eq!(pages.recall(&key("0"), 101, 0), None);
        assert_eq!(pages.recall(&key("1"), 101, 1), Some(at(100)));
        assert_eq!(pages.0.lock().expect("whole").len(), MAX_QUERIES);
    }

    #[test]
    fn a_query_of_any_length_is_forgotten_again() {
        let pages = RecentPages::default();
        let long = "x".repeat(MAX_KEY_LENGTH + 1);
        pages.remember(|| key(&long), [None, step(101, 100)], 0);
        assert_eq!(pages.recall(&key(&long), 101, 0), None);
        assert!(pages.0.lock().expect("whole").is_empty());
    }
}
