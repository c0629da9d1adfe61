use std::sync::Arc;

use scim2_core::{AttributeId, CompiledType};
use scim2_filter::CompiledFilter;

use super::{StoredResource, Want};

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
    /// The place of the first resource of the page, counted from 1.
    pub start_index: u64,
    /// How many resources the page may have; with 0 only the total is wanted.
    pub count: u64,
    /// What of each resource is asked for.
    pub want: Want,
    /// How many resources may be looked at or match, if that is limited.
    pub scan_limit: Option<u64>,
}

/// A resource type in a [`Query`].
#[derive(Debug, Clone)]
pub struct Target {
    /// The resource type.
    pub resource_type: Arc<CompiledType>,
    /// Which of its resources match; all if there is no filter.
    pub filter: Option<CompiledFilter>,
    /// What the resources are sorted by, if this type has the attribute: a simple attribute, of a
    /// multi-valued one the primary value or else the first.
    pub sort: Option<AttributeId>,
}

/// One page of the answer to a [`Query`].
#[derive(Debug, Clone)]
pub struct QueryPage {
    /// How many resources match in all.
    pub total: u64,
    /// The resources of the page.
    pub resources: Vec<StoredResource>,
}
