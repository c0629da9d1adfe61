//! The first so many of a sequence that is not in order, without keeping the rest.

use std::cmp::Ordering;

use scim2_server::store::{Position, Query, Start};

/// A resource that matches; `F` is a row of it.
pub(crate) struct Entry<F> {
    pub(crate) position: Position,
    /// Which target it is of.
    pub(crate) side: usize,
    pub(crate) pk: i64,
    /// What was read of it, if that was kept.
    pub(crate) found: Option<Box<F>>,
}

/// Counts all entries and keeps those up to the end of the page, twice as many at most.
pub(crate) struct Window<F> {
    entries: Vec<Entry<F>>,
    total: u64,
    looked_at: u64,
    /// How many entries lie on the other side of where the page begins.
    beyond: u64,
    start: Start,
    skip: usize,
    end: usize,
    descending: bool,
}

/// One page of the entries.
pub(crate) struct Page<F> {
    pub(crate) entries: Vec<Entry<F>>,
    /// The positions at its ends, where others are beyond them.
    pub(crate) previous: Option<Position>,
    pub(crate) next: Option<Position>,
    /// Whether it ends before a position, and is filled from its end.
    pub(crate) backwards: bool,
}

impl<F> Page<F> {
    /// The places of the entries in the order in which the page is filled.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> + use<F> {
        let (entries, backwards) = (self.entries.len(), self.backwards);
        (0..entries).map(move |at| if backwards { entries - 1 - at } else { at })
    }

    /// Leaves out the entry at a place, and those that would come after it: there is no more room.
    pub(crate) fn end_before(&mut self, at: usize) {
        let edge = if self.backwards {
            self.entries.get(at + 1)
        } else {
            at.checked_sub(1).and_then(|at| self.entries.get(at))
        };
        let edge = edge.map(|entry| entry.position.clone());
        if self.backwards {
            self.previous = edge;
        } else {
            self.next = edge;
        }
    }
}

impl<F> Window<F> {
    pub(crate) fn new(query: &Query) -> Self {
        let skip = match query.start {
            Start::Index(index) => usize::try_from(index.saturating_sub(1)).unwrap_or(usize::MAX),
            Start::After(_) | Start::Before(_) => 0,
        };
        let count = usize::try_from(query.count).unwrap_or(usize::MAX);
        let end = if count == 0 { 0 } else { skip.saturating_add(count) };
        let (start, descending) = (query.start.clone(), query.descending);
        Self { entries: Vec::new(), total: 0, looked_at: 0, beyond: 0, start, skip, end, descending }
    }

    pub(crate) fn add(&mut self, entry: Entry<F>) {
        self.total += 1;
        if self.end == 0 {
            return;
        }
        let within = match &self.start {
            Start::Index(_) => true,
            Start::After(position) => entry.position.compare(position, self.descending).is_gt(),
            Start::Before(position) => entry.position.compare(position, self.descending).is_lt(),
        };
        if !within {
            self.beyond += 1;
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= self.end.saturating_mul(2).max(1024) {
            self.trim();
        }
    }

    /// So many more resources are looked at; returns how many were, of all targets together.
    pub(crate) fn look_at(&mut self, resources: u64) -> u64 {
        self.looked_at += resources;
        self.looked_at
    }

    /// How many were added.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The entries of the page in order.
    pub(crate) fn into_page(mut self) -> Page<F> {
        self.trim();
        let order = self.order();
        self.entries.sort_unstable_by(|a, b| order(&a.position, &b.position));
        let Self { mut entries, total, beyond, start, skip, end, .. } = self;
        entries.drain(..skip.min(entries.len()));
        // Both ways of paging have seen all entries by now.
        let inside = total - beyond;
        let mut behind = inside > end as u64;
        let mut before = if matches!(start, Start::Index(_)) { skip > 0 } else { beyond > 0 };
        let backwards = matches!(start, Start::Before(_));
        if backwards {
            entries.reverse();
            std::mem::swap(&mut before, &mut behind);
        }
        let edge = |there: bool, entry: Option<&Entry<F>>| {
            entry.filter(|_| there).map(|entry| entry.position.clone())
        };
        let (previous, next) = (edge(before, entries.first()), edge(behind, entries.last()));
        Page { entries, previous, next, backwards }
    }

    fn trim(&mut self) {
        if self.entries.len() > self.end {
            let order = self.order();
            self.entries.select_nth_unstable_by(self.end, |a, b| order(&a.position, &b.position));
            self.entries.truncate(self.end);
        }
    }

    /// Nearest to where the page begins first: a page that ends before a position begins there.
    fn order(&self) -> impl Fn(&Position, &Position) -> Ordering + use<F> {
        let (descending, backwards) = (self.descending, matches!(self.start, Start::Before(_)));
        move |a, b| {
            let order = a.compare(b, descending);
            if backwards { order.reverse() } else { order }
        }
    }
}
