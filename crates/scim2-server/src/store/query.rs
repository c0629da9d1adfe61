use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use scim2_core::{AttributeId, CompiledType, ResourceId};
use scim2_filter::{CompiledFilter, SortValue};

use super::{Include, StoredResource};

/// Which resources, in which order, and which page of them
/// ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2)).
///
/// Without a sort attribute the order is that of the ids, over all targets together. With one,
/// resources without a value come last ascending and first descending, and equal ones are in
/// order of their ids, ascending in both cases.
#[derive(Debug, Clone)]
pub struct Query {
    /// The resource types to look at; more than one for a query on the root.
    pub targets: Vec<Target>,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Where the page is.
    pub start: Start,
    /// The most resources on the page. With 0 only the total is computed.
    pub count: u64,
    /// The parts of each resource to return.
    pub include: Include,
    /// How many resources may be looked at or match, if that is limited.
    pub scan_limit: Option<u64>,
    /// How long the store may work on it, if that is limited. Waiting for a thread or for a connection
    /// is not work.
    pub time_limit: Option<Duration>,
    /// How many bytes the resources of the page may take in memory together, if that is limited: the
    /// page ends early, beyond its first resource, where [`PageBudget::takes`] says so.
    pub max_bytes: Option<u64>,
}

impl Query {
    /// The first `count` resources of these targets in ascending order, each without members, groups and
    /// never-returned attributes. The query has no limits.
    #[must_use]
    pub fn new(targets: Vec<Target>, count: u64) -> Self {
        Self {
            targets,
            descending: false,
            start: Start::Index(1),
            count,
            include: Include::default(),
            scan_limit: None,
            time_limit: None,
            max_bytes: None,
        }
    }

    /// The budget for the resources of the page.
    #[must_use]
    pub fn page_budget(&self) -> PageBudget {
        PageBudget { left: self.max_bytes.unwrap_or(u64::MAX), is_empty: true }
    }
}

/// How many bytes a page may still hold. A store offers it the resources of the page one after the other, for
/// [`Start::Before`] from the last to the first. The page ends at the first resource that does not fit; that
/// resource is on the next page.
#[derive(Debug, Clone)]
pub struct PageBudget {
    left: u64,
    is_empty: bool,
}

impl PageBudget {
    /// Says whether a resource still fits. The first one always fits.
    #[must_use]
    pub fn takes(&mut self, stored: &StoredResource) -> bool {
        let left = self.left.checked_sub(stored.size());
        let takes = left.is_some() || self.is_empty;
        self.left = left.unwrap_or_default();
        self.is_empty = false;
        takes
    }
}

/// A resource type in a [`Query`].
#[derive(Debug, Clone)]
pub struct Target {
    /// The resource type.
    pub resource_type: Arc<CompiledType>,
    /// Which of its resources match; all if there is no filter.
    pub filter: Option<CompiledFilter>,
    /// The simple attribute that the resources are sorted by, if this type has it. For a multi-valued attribute
    /// the primary value counts, or else the first.
    pub sort: Option<AttributeId>,
}

/// Where a page is in the order of a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It begins with the resource at this place, counted from 1.
    Index(u64),
    /// It begins with the first resource after this position.
    After(Position),
    /// It ends with the last resource before this position.
    Before(Position),
}

/// A position in the order of a [`Query`]: that of a resource which may have moved or been deleted since.
/// Creating and deleting other resources does not change it ([RFC 9865
/// §2](https://www.rfc-editor.org/rfc/rfc9865#section-2)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What the resource was sorted by; [`SortValue::Missing`] without a sort attribute.
    pub key: SortValue<'static>,
    /// Its id.
    pub id: ResourceId,
}

impl Position {
    /// Which of two positions comes first: by key, which `descending` reverses, and then by id, always
    /// ascending.
    #[must_use]
    pub fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let by_key = self.key.cmp(&other.key);
        (if descending { by_key.reverse() } else { by_key }).then_with(|| self.id.cmp(&other.id))
    }
}

/// One page of the answer to a [`Query`].
#[derive(Debug, Clone)]
pub struct QueryPage {
    /// How many resources match in all.
    pub total: u64,
    /// The resources of the page.
    pub resources: Vec<StoredResource>,
    /// The position of the first resource of the page, if others come before it.
    pub previous: Option<Position>,
    /// The position of the last resource of the page, if others come after it.
    pub next: Option<Position>,
}
