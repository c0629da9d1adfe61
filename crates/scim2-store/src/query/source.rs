//! What the query runner asks of an engine.

use std::collections::HashMap;

use scim2_core::ResourceId;
use scim2_server::StoreError;
use scim2_server::store::{Include, StoredResource};

use super::TargetQuery;
use crate::dialect::Dialect;
use crate::model::index::TypeIndex;
use crate::model::row::{Asked, Found};
use crate::sql::Sql;

/// Rows of one snapshot, as an engine reads them.
///
/// Plans, windows, pages and the evaluator exist once, in [`Search`](super::Search). SQLite runs it on the thread that
/// asks, with futures that are always ready; PostgreSQL waits for its connection. Both pass rows to a [`Visitor`] as
/// they come, so neither collects what the runner drops at once.
pub(crate) trait RowSource: Sized {
    type Error: From<StoreError>;

    /// What was read together for the resources of one page.
    type Page;

    const DIALECT: Dialect;

    /// Whether [`at_once`](super::Search::at_once) reads a snapshot. Otherwise it may send one statement only, and
    /// [`run`](super::Search::run) tries again to look at few candidates.
    const INLINE_SNAPSHOT: bool;

    /// Up to how many candidates the sources of a plan are compared. Counting has a price, and PostgreSQL itself
    /// knows best in which order to join large sources.
    const MAX_COMPARED: u64;

    /// A page that begins no further than this from the start of the list is read with the bodies of its resources in
    /// one statement. Other pages find the primary keys first. `None` if this saves nothing.
    const MAX_SKIPPED_WITH_ROWS: Option<u64>;

    /// A larger body, in bytes, is not kept while other candidates are looked at. It is read again if its resource is
    /// on the page.
    const MAX_KEPT_BODY: usize;

    /// Whether a path has keys that only tell equality; `None` if the engine must be asked by
    /// [`opaque_paths`](Self::opaque_paths).
    fn has_opaque(&self, path: i64) -> Result<Option<bool>, StoreError>;

    /// The same for many paths at once.
    async fn opaque_paths(&self, paths: Vec<i64>) -> Result<HashMap<i64, bool>, Self::Error>;

    /// The smallest number in the only row of a statement, and its column.
    async fn smallest(&self, sql: &Sql) -> Result<(u64, usize), Self::Error>;

    /// Passes the rows that a statement finds to a visitor. `false` if there are more than `scan.max_rows`.
    async fn each_row(&self, sql: &Sql, scan: Scan, visitor: &mut impl Visitor) -> Result<bool, Self::Error>;

    /// Passes the primary keys and ids that a statement finds to a visitor.
    async fn each_id(&self, sql: &Sql, visitor: &mut impl Visitor) -> Result<(), Self::Error>;

    /// What a statement of `r.pk`, or `with_rows` of [`Found::COLUMNS`], finds. Rows behind `max_bytes` of bodies may
    /// be left out, but never the first two.
    async fn hits(&self, sql: Sql, with_rows: bool, max_bytes: Option<u64>) -> Result<Vec<Hit>, Self::Error>;

    /// Reads what the resources of a page need beside their rows. The hits are in the order in which the page is
    /// filled.
    async fn begin_page<H: AsRef<Hit>>(
        &self,
        hits: &[H],
        targets: &[TargetQuery<'_, '_, Self>],
    ) -> Result<Self::Page, Self::Error>;

    /// The resource of a hit, without its members if they are many; `None` if it was left out.
    fn resource(
        &self,
        page: &mut Self::Page,
        hit: &mut Hit,
        target: &TargetQuery<'_, '_, Self>,
    ) -> Result<Option<StoredResource>, StoreError>;
}

/// How a statement is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan {
    /// How many rows are few. More are not visited.
    pub(crate) max_rows: Option<usize>,
    /// What the visitor loads beside the row.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite loads it row by row"))]
    pub(crate) related: Asked,
}

/// Looks at rows, one after the other.
pub(crate) trait Visitor {
    /// The work of looking at a row, in bytes.
    fn work(&self, found: &Found) -> u64;

    /// Looks at a row. `load` makes it a resource with members and groups.
    fn row(
        &mut self,
        found: Found,
        load: impl FnOnce(Found, &TypeIndex, Include) -> Result<StoredResource, StoreError>,
    ) -> Result<(), StoreError>;

    /// Looks at the id of a resource.
    fn id(&mut self, pk: i64, id: ResourceId) -> Result<(), StoreError>;
}

/// A resource that is to be on a page.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) pk: i64,
    /// Which target of the query it belongs to.
    pub(crate) target: usize,
    /// Its row, if that was kept.
    pub(crate) found: Option<Box<Found>>,
}

impl AsRef<Self> for Hit {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsMut<Self> for Hit {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

/// Which paths have keys that only tell equality, as far as that is known.
#[derive(Debug, Default)]
pub(crate) struct OpaquePaths {
    known: HashMap<i64, bool>,
    unknown: Vec<i64>,
}

impl OpaquePaths {
    /// Whether a path has such keys. Until the engine was asked, it counts as one that has.
    pub(crate) fn has(&mut self, source: &impl RowSource, path: i64) -> Result<bool, StoreError> {
        if let Some(known) = self.known.get(&path) {
            return Ok(*known);
        }
        match source.has_opaque(path)? {
            Some(has) => {
                self.known.insert(path, has);
                Ok(has)
            }
            None => {
                if !self.unknown.contains(&path) {
                    self.unknown.push(path);
                }
                Ok(true)
            }
        }
    }

    /// Whether the engine must be asked about a path.
    pub(crate) fn is_complete(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Asks the engine about the paths that are not known.
    pub(crate) async fn ask<S: RowSource>(&mut self, source: &S) -> Result<(), S::Error> {
        let unknown = std::mem::take(&mut self.unknown);
        self.known.extend(source.opaque_paths(unknown).await?);
        Ok(())
    }
}
