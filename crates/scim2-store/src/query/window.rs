//! Keeps the entries of one page out of a sequence that is not in order, and drops the others.

use std::cmp::Ordering;

use scim2_server::store::{Position, Query, Start};

use super::Hit;

/// A resource that matches.
pub(crate) struct Entry {
    pub(crate) position: Position,
    pub(crate) hit: Hit,
}

impl AsRef<Hit> for Entry {
    fn as_ref(&self) -> &Hit {
        &self.hit
    }
}

impl AsMut<Hit> for Entry {
    fn as_mut(&mut self) -> &mut Hit {
        &mut self.hit
    }
}

/// Counts all entries and keeps those up to the end of the page, at most twice as many.
pub(crate) struct Window {
    entries: Vec<Entry>,
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
pub(crate) struct Page {
    /// In the order in which the page is filled: from its beginning, or `backwards` from its end.
    pub(crate) entries: Vec<Entry>,
    /// The positions at its ends, where others are beyond them.
    pub(crate) previous: Option<Position>,
    pub(crate) next: Option<Position>,
    /// Whether it ends before a position, and is filled from its end.
    pub(crate) backwards: bool,
}

impl Page {
    /// Leaves out the entry at a place, and those after it, because the page has no more room.
    pub(crate) fn end_before(&mut self, at: usize) {
        let last = at.checked_sub(1).and_then(|at| self.entries.get(at));
        let last = last.map(|entry| entry.position.clone());
        if self.backwards {
            self.previous = last;
        } else {
            self.next = last;
        }
    }
}

impl Window {
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

    pub(crate) fn add(&mut self, entry: Entry) {
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

    /// What was kept so far.
    pub(crate) fn hits(&self) -> impl Iterator<Item = &Hit> {
        self.entries.iter().map(AsRef::as_ref)
    }

    /// The entries of the page.
    pub(crate) fn into_page(mut self) -> Page {
        self.trim();
        let order = self.order();
        self.entries.sort_unstable_by(|a, b| order(&a.position, &b.position));
        let Self { mut entries, total, beyond, start, skip, end, .. } = self;
        entries.drain(..skip.min(entries.len()));
        // Both ways of paging have seen all entries by now.
        let inside = total - beyond;
        let follow = inside > end as u64;
        let precede = if matches!(start, Start::Index(_)) { skip > 0 } else { beyond > 0 };
        let edge = |others: bool, entry: Option<&Entry>| {
            entry.filter(|_| others).map(|entry| entry.position.clone())
        };
        let (near, far) = (edge(precede, entries.first()), edge(follow, entries.last()));
        let backwards = matches!(start, Start::Before(_));
        let (previous, next) = if backwards { (far, near) } else { (near, far) };
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
    fn order(&self) -> impl Fn(&Position, &Position) -> Ordering + use<> {
        let (descending, backwards) = (self.descending, matches!(self.start, Start::Before(_)));
        move |a, b| {
            let order = a.compare(b, descending);
            if backwards { order.reverse() } else { order }
        }
    }
}
