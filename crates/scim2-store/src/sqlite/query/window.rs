//! The first so many of a sequence that is not in order, without keeping the rest.

use std::cmp::Ordering;

use scim2_core::ResourceId;
use scim2_filter::SortValue;
use scim2_server::store::Query;

use crate::sqlite::read::Found;

/// A resource that matches.
pub(crate) struct Entry {
    pub(crate) key: SortValue<'static>,
    pub(crate) id: ResourceId,
    /// Which target it is of.
    pub(crate) side: usize,
    pub(crate) pk: i64,
    /// What was read of it, if that was kept.
    pub(crate) found: Option<Box<Found>>,
}

/// Counts all entries and keeps those up to the end of the page, twice as many at most.
pub(crate) struct Window {
    entries: Vec<Entry>,
    total: u64,
    skip: usize,
    end: usize,
    descending: bool,
}

impl Window {
    pub(crate) fn new(query: &Query) -> Self {
        let skip = usize::try_from(query.start_index.saturating_sub(1)).unwrap_or(usize::MAX);
        let count = usize::try_from(query.count).unwrap_or(usize::MAX);
        let end = if count == 0 { 0 } else { skip.saturating_add(count) };
        Self { entries: Vec::new(), total: 0, skip, end, descending: query.descending }
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        self.total += 1;
        if self.end == 0 {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= self.end.saturating_mul(2).max(1024) {
            self.trim();
        }
    }

    /// How many were added.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// What was read of the entries, as far as it was kept.
    pub(crate) fn found(&self) -> impl Iterator<Item = &Found> {
        self.entries.iter().filter_map(|entry| entry.found.as_deref())
    }

    /// The entries of the page in order.
    pub(crate) fn into_page(mut self) -> impl Iterator<Item = Entry> {
        self.trim();
        let descending = self.descending;
        self.entries.sort_unstable_by(|a, b| compare(a, b, descending));
        self.entries.into_iter().skip(self.skip)
    }

    fn trim(&mut self) {
        let descending = self.descending;
        if self.entries.len() > self.end {
            self.entries.select_nth_unstable_by(self.end, |a, b| compare(a, b, descending));
            self.entries.truncate(self.end);
        }
    }
}

/// By key, and then by id whatever the direction.
fn compare(a: &Entry, b: &Entry, descending: bool) -> Ordering {
    let by_key = a.key.cmp(&b.key);
    (if descending { by_key.reverse() } else { by_key }).then_with(|| a.id.cmp(&b.id))
}
