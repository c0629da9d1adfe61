//! What a peer may send and cause, in bytes or in number.

use std::time::Duration;

use schemars::JsonSchema;
use scim2_core::compiled::StringLimits;
use serde::Deserialize;

use super::kinds::{As, Count, Depth, FilterDepth, Maybe, Size, Time};
use super::layers;

/// What a peer may send and cause, in bytes or in number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Limits {
    /// The largest request body except for bulk requests, and the largest resource that a PATCH may make, without its
    /// members; more is 413
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "8MiB", "x-heading" = "Limits (sizes in bytes, also written 64KiB or 8MiB)"))]
    pub(crate) max_body: usize,

    /// How deep JSON may nest, at most 120
    #[serde(with = "As::<Depth>")]
    #[schemars(extend("default" = 32))]
    pub(crate) max_depth: usize,

    /// The longest string of a resource, including base64 and references; more is 400 invalidValue. Longer strings that are
    /// stored already stay
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "1MiB"))]
    max_string: usize,

    /// The longest `userName`; more is 400 invalidValue
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "1KiB"))]
    max_user_name: usize,

    /// The longest `password`; more is 400 invalidValue
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "4KiB"))]
    max_password: usize,

    /// The longest filter in a URI, and the longest path of a PATCH operation
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "16KiB"))]
    pub(crate) max_filter_length: usize,

    /// The longest filter in the body of a POST to /.search, for filters that do not fit into a URI. At least
    /// `max_filter_length`
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "256KiB"))]
    pub(crate) max_search_filter_length: usize,

    /// How deep parentheses and brackets of a filter or a PATCH path may nest, at most 256
    #[serde(with = "As::<FilterDepth>")]
    #[schemars(extend("default" = 64))]
    pub(crate) max_filter_depth: usize,

    /// The number of attributes that a filter, or the path of a PATCH operation, may test
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 1024))]
    pub(crate) max_filter_terms: usize,

    /// The number of operations of a PATCH; more is 413
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 1000))]
    pub(crate) max_patch_operations: usize,

    /// The number of operations of a bulk request; more is 413
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 1000))]
    pub(crate) bulk_max_operations: usize,

    /// The largest bulk request; more is 413
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "8MiB"))]
    pub(crate) bulk_max_payload: usize,

    /// How long the operations of a bulk request may take. Operations that have not begun by then are answered 503, so that
    /// the client sends them again
    #[serde(with = "As::<Time>")]
    #[schemars(extend("default" = 60))]
    pub(crate) bulk_timeout: Duration,

    /// The number of bulk requests of one credential that run at the same time, and the number of its PATCH and PUT requests
    /// that change large resources. Others wait; if more than 64 wait, the next is answered 429
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 4))]
    pub(crate) bulk_concurrent: usize,

    /// How much work one request may cause, counted in the bytes that filters, PATCH, sorting and the operations of a bulk
    /// request read; 1024MiB are about a second of one processor. More is 400 tooMany. In a bulk request, each operation
    /// after that is answered 503, so that the client sends it again
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "1024MiB"))]
    pub(crate) max_work: usize,

    /// The largest page, counting each resource as it is stored, with its members and groups, and without `meta` and
    /// references. A page ends before the resource that would exceed the limit; `itemsPerPage` says where the next page
    /// begins
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "64MiB"))]
    pub(crate) max_page_bytes: usize,

    /// How long the store may work on one query before the query is stopped and refused with 400 tooMany. The time spent
    /// waiting for a thread or for a database connection does not count
    #[serde(with = "As::<Time>")]
    #[schemars(extend("default" = 30))]
    pub(crate) query_timeout: Duration,

    /// How many of the scan threads (SQLite, which has 3) or of the database connections (PostgreSQL) the requests of one
    /// credential may use at the same time. Others wait for their turn; if too many wait already, the next is answered 429
    #[serde(with = "As::<Maybe<Count>>")]
    #[schemars(extend("x-default" = "(three quarters of them)"))]
    pub(crate) credential_share: Option<usize>,

    /// How many bytes of incomplete requests and of unread answers may be held at a time, in memory and in spooled groups;
    /// beyond that requests get 503. Bodies below 64 KiB are not counted, and neither are the heads of requests (up to about
    /// 300 KiB for each connection, see `max_connections`)
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "512MiB"))]
    pub(crate) max_bytes_in_flight: usize,

    /// How many of these bytes one credential may hold, or one address where no credential is needed; beyond that its
    /// requests get 429. A single answer is never refused for its size
    #[serde(with = "As::<Size>")]
    #[schemars(extend("default" = "128MiB"))]
    pub(crate) max_bytes_in_flight_per_credential: usize,
}

impl Limits {
    /// How long the strings of resources may be.
    pub(crate) fn strings(&self) -> StringLimits {
        let mut limits = StringLimits::default();
        limits.max_string = self.max_string;
        limits.max_user_name = self.max_user_name;
        limits.max_password = self.max_password;
        limits
    }
}

impl Default for Limits {
    fn default() -> Self {
        layers::default_section()
    }
}
