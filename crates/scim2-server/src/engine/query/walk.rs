//! Walks by index: where the page just served ended.
//!
//! A client that asks for the page behind it, `startIndex` plus `itemsPerPage`, gets what follows
//! the last resource it has seen: the page costs what the first one did however far behind it is,
//! and what was deleted or created before it moves nothing. Any other jump counts places.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::cursor::{LONGEST_KEY, Scope, key_length};
use crate::store::Position;

/// How many walks are remembered.
const MOST: usize = 1024;

/// How long one is, in seconds.
const LIFETIME: i64 = 300;

/// Where pages ended, by query and client and the index of the next page.
#[derive(Debug, Default)]
pub(crate) struct Walks(Mutex<HashMap<(Scope, u64), Step>>);

#[derive(Debug)]
struct Step {
    at: Position,
    since: i64,
}

impl Walks {
    /// Behind what the page that begins at an index lies, if the page before it was just served.
    pub(super) fn recall(&self, scope: Scope, start_index: u64, now: i64) -> Option<Position> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let step = steps.get(&(scope, start_index))?;
        (now.abs_diff(step.since) <= LIFETIME.unsigned_abs()).then(|| step.at.clone())
    }

    /// Remembers behind what the page that begins at an index lies.
    pub(super) fn remember(&self, scope: Scope, start_index: u64, at: Position, now: i64) {
        if key_length(&at.key) > LONGEST_KEY {
            return;
        }
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() >= MOST && !steps.contains_key(&(scope, start_index)) {
            let oldest = steps.iter().min_by_key(|(_, step)| step.since).map(|(key, _)| *key);
            oldest.and_then(|oldest| steps.remove(&oldest));
        }
        steps.insert((scope, start_index), Step { at, since: now });
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

    #[test]
    fn a_step_is_of_its_query_and_client_and_grows_old() {
        let walks = Walks::default();
        let (a, b) = (scope("a"), scope("b"));
        walks.remember(a.of("ada"), 101, at(100), 0);
        assert_eq!(walks.recall(a.of("ada"), 101, LIFETIME), Some(at(100)));
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
    fn the_oldest_step_makes_room() {
        let walks = Walks::default();
        let steps = i64::try_from(MOST).expect("few") + 1;
        for step in 0..steps {
            walks.remember(scope("a"), step.unsigned_abs(), at(0), step);
        }
        assert_eq!(walks.recall(scope("a"), 0, 0), None);
        assert_eq!(walks.recall(scope("a"), 1, 1), Some(at(0)));
        assert_eq!(walks.0.lock().expect("whole").len(), MOST);
    }
}
