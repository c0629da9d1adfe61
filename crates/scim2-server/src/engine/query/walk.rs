//! Walks by index: where the page just served ended.
//!
//! A client that asks for the page behind it, `startIndex` plus `itemsPerPage`, gets what follows
//! the last resource it has seen: the page costs what the first one did however far behind it is,
//! and what was deleted or created before it moves nothing. So does one that asks for the same page
//! again. Any other jump counts places, and begins anew: what an older walk saw means nothing to it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::cursor::{LONGEST_KEY, Scope, key_length};
use crate::store::Position;

/// How many walks are remembered.
const MOST: usize = 1024;

/// How long one is, in seconds, after its last page.
const LIFETIME: i64 = 60;

/// The page that was served last, by query and client.
#[derive(Debug, Default)]
pub(crate) struct Walks(Mutex<HashMap<Scope, Walk>>);

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
    pub(super) fn recall(&self, scope: Scope, start_index: u64, now: i64) -> Option<Position> {
        let walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let walk = walks.get(&scope).filter(|walk| now.abs_diff(walk.since) <= LIFETIME.unsigned_abs())?;
        let step = walk.steps.iter().flatten().find(|step| step.start_index == start_index)?;
        Some(step.at.clone())
    }

    /// Remembers the page just served, by where it and the one behind it begin, and forgets the one before.
    pub(super) fn remember(&self, scope: Scope, steps: [Option<Step>; 2], now: i64) {
        let steps = steps.map(|step| step.filter(|step| key_length(&step.at.key) <= LONGEST_KEY));
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.iter().all(Option::is_none) {
            walks.remove(&scope);
            return;
        }
        if walks.len() >= MOST && !walks.contains_key(&scope) {
            let oldest = walks.iter().min_by_key(|(_, walk)| walk.since).map(|(scope, _)| *scope);
            oldest.and_then(|oldest| walks.remove(&oldest));
        }
        walks.insert(scope, Walk { steps, since: now });
    }
}

#[cfg(test)]
mod tests {
    use scim2_core::ResourceId;
    use scim2_filter::SortValue;

    use super::*;
    use crate::context::TenantId;

    fn scope(query: &str) -> Scope {
        Scope::new(&TenantId::default(), [query])
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
        let (a, b) = (scope("a"), scope("b"));
        walks.remember(a.of("ada"), [step(101, 100), step(201, 200)], 0);
        assert_eq!(walks.recall(a.of("ada"), 101, LIFETIME), Some(at(100)));
        assert_eq!(walks.recall(a.of("ada"), 201, LIFETIME), Some(at(200)));
        for (scope, index, now) in [
            (a.of("ada"), 101, LIFETIME + 1),
            (a.of("ada"), 102, 0),
            (a.of("bob"), 101, 0),
            (b.of("ada"), 101, 0),
        ] {
            assert_eq!(walks.recall(scope, index, now), None);
        }
    }

    #[test]
    fn only_the_last_page_is_remembered() {
        let walks = Walks::default();
        walks.remember(scope("a"), [None, step(101, 100)], 0);
        walks.remember(scope("a"), [step(101, 100), step(201, 200)], 0);
        walks.remember(scope("a"), [step(201, 200), step(301, 300)], 0);
        assert_eq!(walks.recall(scope("a"), 101, 0), None);
        walks.remember(scope("a"), [None, None], 0);
        assert_eq!(walks.recall(scope("a"), 301, 0), None);
        assert!(walks.0.lock().expect("whole").is_empty());
    }

    #[test]
    fn the_oldest_walk_makes_room() {
        let walks = Walks::default();
        let clients = i64::try_from(MOST).expect("few") + 1;
        for client in 0..clients {
            walks.remember(scope("a").of(&client.to_string()), [None, step(101, 100)], client);
        }
        assert_eq!(walks.recall(scope("a").of("0"), 101, 0), None);
        assert_eq!(walks.recall(scope("a").of("1"), 101, 1), Some(at(100)));
        assert_eq!(walks.0.lock().expect("whole").len(), MOST);
    }
}
