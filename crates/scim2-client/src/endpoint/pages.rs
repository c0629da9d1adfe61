use std::fmt;

use futures_core::Stream;
use futures_util::stream::{self, TryStreamExt};
use scim2_core::Value;
use scim2_protocol::{ListResponse, QueryParameters};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Endpoint, QueryBy};
use crate::error::ClientError;
use crate::transport::Transport;

/// The results of a query, page by page
/// ([RFC 7644 §3.4.2.4](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.4),
/// [RFC 9865 §2](https://www.rfc-editor.org/rfc/rfc9865#section-2)).
///
/// The next page begins after the received resources, because providers limit the page size. The
/// pages end at `totalResults`, at an empty page, and at a page with the same resources as the
/// previous one, which providers send that ignore paging. That page is not returned.
///
/// With a `cursor` in the query (empty for the first page) the pages follow `nextCursor`. They also
/// do so if the first response has a `nextCursor` and no `startIndex`, because such a provider has only cursors.
///
/// Resources may be created and deleted between two pages, so one may occur twice or not at all.
pub struct Pages<'c, T, R> {
    endpoint: Endpoint<'c, T, R>,
    by: QueryBy,
    /// The parameters of the next page. `None` after the last page.
    next: Option<QueryParameters>,
    /// The number of received resources.
    received: u64,
    /// The ids of the previous page.
    ids: Vec<Value>,
}

/// The page size, if the query has no `count`.
const DEFAULT_COUNT: u64 = 100;

impl<'c, T: Transport, R: Serialize + DeserializeOwned + 'static> Pages<'c, T, R> {
    pub(super) fn new(endpoint: Endpoint<'c, T, R>, mut query: QueryParameters, by: QueryBy) -> Self {
        query.count.get_or_insert(DEFAULT_COUNT);
        if query.cursor.is_none() {
            query.start_index.get_or_insert(1);
        } else {
            query.start_index = None;
        }
        Self { endpoint, by, next: Some(query), received: 0, ids: Vec::new() }
    }

    /// The next page. `None` after the last page. Only the first page may be empty.
    ///
    /// # Errors
    /// As every call. After an error the same page can be requested again.
    pub async fn next_page(&mut self) -> Result<Option<ListResponse<R>>, ClientError> {
        let Some(query) = &self.next else { return Ok(None) };
        let answer = self.endpoint.client.call(self.endpoint.query_call(query, self.by)?).await?;
        let page: ListResponse<R> = self.endpoint.list(&answer)?;
        let ids: Vec<Value> = self
            .endpoint
            .list::<Identified>(&answer)?
            .resources
            .into_iter()
            .map(|resource| resource.id)
            .filter(|id| *id != Value::Null)
            .collect();

        let first = self.received == 0;
        let repeated = !first && !ids.is_empty() && ids == self.ids;
        if repeated || (!first && page.resources.is_empty()) {
            self.next = None;
            return Ok(None);
        }
        self.received = self.received.saturating_add(page.resources.len() as u64);
        // Without ids a repeated page cannot be detected, and without a total the pages would not end.
        let endless = ids.is_empty() && page.total_results.is_none();
        self.next = if endless && page.next_cursor.is_none() { None } else { self.following(&page) };
        self.ids = ids;
        Ok(Some(page))
    }

    /// The pages as a stream. After an error it ends.
    pub fn into_stream(self) -> impl Stream<Item = Result<ListResponse<R>, ClientError>> + 'c
    where
        R: 'c,
    {
        stream::try_unfold(
            self,
            |mut pages| async move { Ok(pages.next_page().await?.map(|page| (page, pages))) },
        )
    }

    /// The resources of all pages as a stream. After an error it ends.
    pub fn into_resources(self) -> impl Stream<Item = Result<R, ClientError>> + 'c
    where
        R: 'c,
    {
        self.into_stream().map_ok(|page| stream::iter(page.resources.into_iter().map(Ok))).try_flatten()
    }

    /// The parameters of the page after `page`, which is not a repeated one.
    fn following(&self, page: &ListResponse<R>) -> Option<QueryParameters> {
        let query = self.next.as_ref()?;
        let by_cursor = query.cursor.is_some() || (page.start_index.is_none() && page.next_cursor.is_some());
        if by_cursor {
            let cursor = page.next_cursor.clone().filter(|cursor| !cursor.is_empty());
            if cursor.is_none() || cursor == query.cursor {
                return None;
            }
            return Some(QueryParameters { cursor, start_index: None, ..query.clone() });
        }
        let start_index = query.start_index.unwrap_or(1).checked_add(page.resources.len() as u64)?;
        let ended = page.resources.is_empty() || page.total_results.is_some_and(|total| start_index > total);
        (!ended).then(|| QueryParameters { start_index: Some(start_index), ..query.clone() })
    }
}

impl<T, R> fmt::Debug for Pages<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("endpoint", &self.endpoint)
            .field("next", &self.next)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// The identity of a resource.
#[derive(Deserialize)]
struct Identified {
    #[serde(default, alias = "ID", alias = "Id")]
    id: Value,
}
