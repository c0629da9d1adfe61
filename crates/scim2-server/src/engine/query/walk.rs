//! Walks by index: where the page just served ended.
//!
//! A client that asks for the page behind it, `startIndex` plus `itemsPerPage`, gets what follows
//! the last resource it has seen: the page costs what the first one did however far behind it is,
//! and what was deleted or created before it moves nothing. So does one that asks for the same page
//! again. Any other jump counts places, and begins anew: what an older walk saw means nothing to it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use scim2_protocol::QueryParameters;

use super::Question;
use super::cursor::{LONGEST_KEY, key_length};
use crate::context::Context;
use crate::store::Position;

/// How many walks are remembered.
const MOST: usize = 1024;

/// The longest client and query together that are, in bytes.
const LONGEST: usize = 4096;

/// How long one is, in seconds, after its last page.
const LIFETIME: i64 = 60;

/// The page that was served last, by query and client.
#[derive(Debug, Default)]
pub(crate) struct Walks(Mutex<HashMap<Walker, Walk>>);

/// A client and its query, in the letters in which it asks: who walks asks for each page alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Walker(Box<str>);

impl Walker {
    pub(super) fn new(cx: &Context, question: &Question<'_>) -> Self {
        let Question { type_, parameters: QueryParameters { filter, sort_by, sort_order, .. }, .. } =
            question;
        let parts = [
            cx.tenant.as_str(),
            &cx.actor,
            type_.map(|type_| type_.name()).unwrap_or_default(),
            sort_order.as_str(),
            sort_by.as_ref().map(|path| path.as_str()).unwrap_or_default(),
            // Last, since it may hold anything.
            filter.as_deref().unwrap_or_default(),
        ];
        Self(parts.join("\0").into())
    }
}

#[derive(Debug)]
struct Walk {
    /// Where the page begins, if not at the first resource, and where the next one does.
    steps: [Option<Step>; 2],
    since: i64,
}

/// The page that begins at an index follows a position.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) start_index: u64,
    pub(super) at: Position,
}

impl Walks {
    /// Behind what the page that begins at an index lies, if it or the page before it was just served.
    pub(super) fn recall(&self, walker: &Walker, start_index: u64, now: i64) -> Option<Position> {
        let walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let walk = walks.get(walker).filter(|walk| now.abs_diff(walk.since) <= LIFETIME.unsigned_abs())?;
        let step = walk.steps.iter().flatten().find(|step| step.start_index == start_index)?;
        Some(step.at.clone())
    }

    /// Remembers the page just served, by where it and the one behind it begin, and forgets the one before.
    pub(super) fn remember(&self, walker: impl FnOnce() -> Walker, steps: [Option<Step>; 2], now: i64) {
        let steps = steps.map(|step| step.filter(|step| key_length(&step.at.key) <= LONGEST_KEY));
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing = steps.iter().all(Option::is_none);
        // Most answers are all there is, and most servers serve no walk.
        if nothing && walks.is_empty() {
            return;
        }
        let walker = walker();
        if nothing || walker.0.len() > LONGEST {
            walks.remove(&walker);
            return;
        }
        if walks.len() >= MOST && !walks.contains_key(&walker) {
            let oldest = walks.iter().min_by_key(|(_, walk)| walk.since).map(|(walker, _)| walker.clone());
            oldest.and_then(|oldest| walks.remove(&oldest));
        }
        walks.insert(walker, Walk { steps, since: now });
    }
}

#[cfg(test)]
mod tests {
    use scim2_core::ResourceId;
    use scim2_filter::SortValue;

    use super::*;

    fn walker(name: &str) -> Walker {
        Walker(name.into())
    }

    fn at(id: usize) -> Position {
        Position { key: SortValue::Missing, id: ResourceId::parse(&format!("u{id}")).expect("an id") }
    }

    fn step(start_index: u64, id: usize) -> Option<Step> {
        Some(Step { start_index, at: at(id) })
    }

    #[test]
    fn a_step_is_of_its_query_and_client_and_grows_old() {
        let walks = Walks::default();
        walks.remember(|| walker("ada"), [step(101, 100), step(201, 200)], 0);
        assert_eq!(walks.recall(&walker("ada"), 101, LIFETIME), Some(at(100)));
        assert_eq!(walks.recall(&walker("ada"), 201, LIFETIME), Some(at(200)));
        for (name, index, now) in [("ada", 101, LIFETIME + 1), ("ada", 102, 0), ("bob", 101, 0)] {
            assert_eq!(walks.recall(&walker(name), index, now), None);
        }
    }

    #[test]
    fn only_the_last_page_is_remembered() {
        let walks = Walks::default();
        walks.remember(|| walker("a"), [None, step(101, 100)], 0);
        walks.remember(|| walker("a"), [step(101, 100), step(201, 200)], 0);
        walks.remember(|| walker("a"), [step(201, 200), step(301, 300)], 0);
        assert_eq!(walks.recall(&walker("a"), 101, 0), None);
        walks.remember(|| walker("a"), [None, None], 0);
        assert_eq!(walks.recall(&walker("a"), 301, 0), None);
        assert!(walks.0.lock().expect("whole").is_empty());
    }

    #[test]
    fn the_oldest_walk_makes_room() {
        let walks = Walks::default();
        let clients = i64::try_from(MOST).expect("few") + 1;
        for client in 0..clients {
            walks.remember(|| walker(&client.to_string()), [None, step(101, 100)], client);
        }
        assert_eq!(walks.recall(&walker("0"), 101, 0), None);
        assert_eq!(walks.recall(&walker("1"), 101, 1), Some(at(100)));
        assert_eq!(walks.0.lock().expect("whole").len(), MOST);
    }

    #[test]
    fn a_query_of_any_length_is_forgotten_again() {
        let walks = Walks::default();
        let long = "x".repeat(LONGEST + 1);
        walks.remember(|| walker(&long), [None, step(101, 100)], 0);
        assert_eq!(walks.recall(&walker(&long), 101, 0), None);
        assert!(walks.0.lock().expect("whole").is_empty());
    }
}
