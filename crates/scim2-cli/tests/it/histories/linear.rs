//! Whether there is one order of all that was answered that explains every answer.
//!
//! A history is linearizable if each of its operations can be thought to have happened at one point in time between its
//! question and its answer, such that each got the answer that was right at that moment (Herlihy and Wing 1990). The
//! search is that of Wing and Gong, with the memory of Lowe: what was tried once from the same state is not tried again.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};

/// One operation and what it was answered.
#[derive(Debug, Clone)]
pub(super) struct Event<O> {
    asked: u64,
    answered: u64,
    pub(super) what: O,
}

/// A clock that advances each time it is read.
#[derive(Debug, Default)]
pub(super) struct Moments(AtomicU64);

impl Moments {
    fn now(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// What an operation did, and between which moments.
    pub(super) fn of<O>(&self, operation: impl FnOnce() -> O) -> Event<O> {
        let asked = self.now();
        let what = operation();
        Event { asked, answered: self.now(), what }
    }
}

/// Something that can be asked and changed.
pub(super) trait Model: Clone + Eq + Hash + Debug {
    /// A question with its answer.
    type Operation: Debug + Clone;

    /// What is there afterwards, if the answer is right.
    fn after(&self, operation: &Self::Operation) -> Option<Self>;
}

/// Finds an order that explains everything; otherwise says where the longest explanation ends.
pub(super) fn explain<M: Model>(begin: M, events: &[Event<M::Operation>]) -> Result<(), String> {
    let mut search = Search { events, tried: HashSet::new(), longest: (0, String::new()) };
    let left = (0..events.len()).collect();
    if search.goes_on(begin, left) { Ok(()) } else { Err(search.longest.1) }
}

struct Search<'e, M: Model> {
    events: &'e [Event<M::Operation>],
    tried: HashSet<(M, BTreeSet<usize>)>,
    /// How many were explained, and what could not be.
    longest: (usize, String),
}

impl<M: Model> Search<'_, M> {
    /// Whether the events that are left can follow.
    fn goes_on(&mut self, state: M, mut left: BTreeSet<usize>) -> bool {
        let possible = loop {
            // None is later than the first answer of those that are left.
            let Some(first) = left.iter().map(|index| self.events[*index].answered).min() else {
                return true;
            };
            let possible: Vec<usize> =
                left.iter().copied().filter(|index| self.events[*index].asked < first).collect();
            let before = left.len();
            // What changes nothing and is right now need not wait.
            for index in &possible {
                if state.after(&self.events[*index].what).as_ref() == Some(&state) {
                    left.remove(index);
                }
            }
            if left.len() == before {
                break possible;
            }
        };
        if !self.tried.insert((state.clone(), left.clone())) {
            return false;
        }
        let explained = self.events.len() - left.len();
        if explained >= self.longest.0 {
            let open: Vec<_> = possible.iter().map(|index| &self.events[*index]).collect();
            self.longest =
                (explained, format!("after {explained} events {state:?} does not explain {open:#?}"));
        }
        possible.into_iter().any(|index| {
            let Some(next) = state.after(&self.events[index].what) else { return false };
            let mut left = left.clone();
            left.remove(&index);
            self.goes_on(next, left)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that is read and set.
    impl Model for u8 {
        type Operation = (char, u8);

        fn after(&self, (what, number): &(char, u8)) -> Option<u8> {
            match what {
                'w' => Some(*number),
                _ => (self == number).then_some(*self),
            }
        }
    }

    fn history(events: &[(u64, u64, (char, u8))]) -> Result<(), String> {
        let events = events.iter().map(|(asked, answered, what)| Event {
            asked: *asked,
            answered: *answered,
            what: *what,
        });
        explain(0_u8, &events.collect::<Vec<_>>())
    }

    #[test]
    fn what_overlaps_may_have_happened_in_any_order_and_what_does_not_in_one() {
        history(&[(0, 9, ('w', 1)), (1, 2, ('r', 0)), (3, 4, ('r', 1))]).unwrap();
        history(&[(0, 5, ('w', 1)), (1, 6, ('w', 2)), (7, 8, ('r', 1))]).unwrap();
        history(&[(0, 5, ('w', 1)), (1, 6, ('w', 2)), (7, 8, ('r', 2))]).unwrap();
        let stale = history(&[(0, 1, ('w', 1)), (2, 3, ('r', 0))]).unwrap_err();
        assert!(stale.starts_with("after 1 events 1 does not explain"), "{stale}");
        let back_and_forth = [(0, 9, ('w', 1)), (1, 2, ('r', 1)), (3, 4, ('r', 0))];
        history(&back_and_forth).unwrap_err();
        // Two readers who saw two writes in different orders.
        history(&[(0, 9, ('w', 1)), (0, 9, ('w', 2)), (1, 2, ('r', 1)), (3, 4, ('r', 2)), (5, 6, ('r', 1))])
            .unwrap_err();
    }
}
