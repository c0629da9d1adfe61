//! The page that a query asks for, and the link to the next one: by index ([RFC 7644
//! §3.4.2.4](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.4)) or by cursor ([RFC 9865
//! §2](https://www.rfc-editor.org/rfc/rfc9865#section-2)).

use scim2_core::discovery::PaginationMethod;
use scim2_core::{Mode, ScimType};
use scim2_filter::SortKey;
use scim2_protocol::{ErrorResponse, ListResponse, QueryParameters};

use super::Question;
use super::cursor::{Cursor, CursorError, Cursors, LONGEST_KEY, Place, Side, key_length};
use super::recent_pages::{PageKey, Step};
use crate::context::Context;
use crate::engine::{Answer, fault};
use crate::provider::ServiceProvider;
use crate::store::{CursorKey, Include, Position, QueryPage, ResourceStore, Start, StoredResource, Target};

/// The page that the client asks for.
#[derive(Debug)]
pub(super) struct Paging<'k> {
    pub(super) start: Start,
    pub(super) count: u64,
    way: Way<'k>,
}

#[derive(Debug)]
enum Way<'k> {
    Index { start_index: u64 },
    Cursor { cursors: Cursors<'k>, expires: i64, secret: bool },
}

impl<S: ResourceStore> ServiceProvider<S> {
    pub(super) async fn paging(
        &self,
        cx: &Context,
        question: &Question<'_>,
        targets: &[Target],
    ) -> Answer<Paging<'_>> {
        let Question { parameters, .. } = *question;
        let options = &self.inner.options;
        let limits = &options.limits;
        let now = cx.now.timestamp();
        let by_default =
            options.default_pagination == PaginationMethod::Cursor && parameters.start_index.is_none();
        let Some(cursor) = parameters.cursor.as_deref().or(by_default.then_some("")) else {
            let start_index = parameters.start_index.unwrap_or(1);
            let recalled = if start_index > 1 {
                self.inner.recent_pages.recall(&PageKey::new(cx, question), start_index, now)
            } else {
                None
            };
            return Ok(Paging {
                start: recalled.map_or(Start::Index(start_index), Start::After),
                count: parameters.count.unwrap_or(limits.default_page_size).min(limits.max_results),
                way: Way::Index { start_index },
            });
        };
        self.check_parameters(parameters)?;
        let cursors = Cursors::new(self.cursor_key(cx).await?, question.scope(cx));
        let secret = targets.iter().any(|target| {
            target.sort.is_some_and(|attribute| self.is_sensitive(&target.resource_type, attribute))
        });
        let expires = now.saturating_add(limits.cursor_timeout.into());
        let way = Way::Cursor { cursors, expires, secret };
        if cursor.is_empty() {
            let count = parameters.count.unwrap_or(limits.default_page_size).min(limits.max_results);
            return Ok(Paging { start: Start::Index(1), count, way });
        }
        let Cursor { side, at, count, .. } = cursors.read(cursor, now)?;
        let count = u64::from(count);
        if parameters.count.is_some_and(|given| given != count && given != 0) {
            let detail = format!("expected the `count` that the cursor came with, {count}, or none");
            return Err(ErrorResponse::of_scim_type(ScimType::InvalidCount, detail));
        }
        let position = match at {
            Place::At(position) => Some(position),
            Place::OfResource { id, digest } => {
                Some(self.position_of(cx, targets, id.as_str(), |key| cursors.digest(key) == digest).await?)
            }
            Place::Beginning => None,
        };
        let start = match (side, position) {
            (Side::Behind, Some(position)) => Start::After(position),
            (Side::Before, Some(position)) => Start::Before(position),
            // There is nothing before the beginning, and no such cursor is issued.
            (Side::Behind | Side::Before, None) => Start::Index(1),
        };
        Ok(Paging { start, count: parameters.count.unwrap_or(count).min(limits.max_results), way })
    }

    /// Checks the parameters that must not come with a `cursor`.
    fn check_parameters(&self, parameters: &QueryParameters) -> Answer<()> {
        let options = &self.inner.options;
        let most = options.limits.max_results;
        if parameters.cursor.is_some() && parameters.count.is_some_and(|count| count > most) {
            let detail = format!("expected a `count` of at most {most} beside `cursor`");
            return Err(ErrorResponse::of_scim_type(ScimType::InvalidCount, detail));
        }
        // In other modes the cursor wins.
        if parameters.start_index.is_some() && options.compat.mode() == Mode::Strict {
            let detail = "expected `cursor` or `startIndex`, found both";
            return Err(ErrorResponse::of_scim_type(ScimType::InvalidValue, detail));
        }
        Ok(())
    }

    /// The position of a resource, if it still has the sort key that is meant.
    async fn position_of(
        &self,
        cx: &Context,
        targets: &[Target],
        id: &str,
        is_meant: impl Fn(&scim2_filter::SortValue<'_>) -> bool + Send + Sync,
    ) -> Answer<Position> {
        for Target { resource_type, sort, .. } in targets {
            let Some(sort) = *sort else { continue };
            let is = |computed: Option<_>| {
                computed.is_some_and(|id| id == sort || resource_type.attribute(sort).parent() == Some(id))
            };
            let include = Include {
                members: is(resource_type.members()),
                groups: is(resource_type.groups()),
                never_returned: false,
            };
            let found = self.inner.store.retrieve(cx, resource_type, id, include).await;
            let Some(mut found) = found.map_err(|error| fault(cx, &error))? else { continue };
            self.complete_groups(cx, &mut found, include).await?;
            let resource = found.representation(cx).map_err(|error| fault(cx, &error))?;
            let key = SortKey::new(resource_type, sort).value(&resource);
            if is_meant(&key) {
                return Ok(Position { key: key.into_owned(), id: found.id });
            }
        }
        Err(CursorError::Expired.into())
    }

    /// The key that cursors are signed with: that of the store, or a new one that lasts until the process ends.
    async fn cursor_key(&self, cx: &Context) -> Answer<&CursorKey> {
        if let Some(key) = self.inner.cursor_key.get() {
            return Ok(key);
        }
        let key = match self.inner.store.cursor_key().await.map_err(|error| fault(cx, &error))? {
            Some(key) => key,
            None => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(|error| {
                    tracing::error!(request = %cx.request_id, %error, "no random bytes for the cursor key");
                    ErrorResponse::service_unavailable("cursors cannot be made now")
                })?;
                CursorKey::from(bytes)
            }
        };
        Ok(self.inner.cursor_key.get_or_init(|| key))
    }

    /// The page as a message. The end of a page by index is remembered.
    pub(super) fn list(
        &self,
        cx: &Context,
        question: &Question<'_>,
        paging: &Paging<'_>,
        page: QueryPage,
    ) -> ListResponse<StoredResource> {
        let QueryPage { total, resources, previous, next } = page;
        match &paging.way {
            Way::Index { start_index } => {
                let begins = match &paging.start {
                    Start::After(at) => Some(Step { start_index: *start_index, at: at.clone() }),
                    Start::Index(_) | Start::Before(_) => None,
                };
                let behind = start_index.saturating_add(resources.len() as u64);
                let ends = next.map(|at| Step { start_index: behind, at });
                let key = || PageKey::new(cx, question);
                self.inner.recent_pages.remember(key, [begins, ends], cx.now.timestamp());
                ListResponse::page(resources, *start_index, total)
            }
            Way::Cursor { cursors, expires, secret } => {
                let place = |position: Position| {
                    let unfit = *secret || key_length(&position.key) > LONGEST_KEY;
                    if unfit {
                        Place::OfResource { digest: cursors.digest(&position.key), id: position.id }
                    } else {
                        Place::At(position)
                    }
                };
                let cursor = |side, at: Place| {
                    let count = u32::try_from(paging.count).unwrap_or(u32::MAX);
                    cursors.write(&Cursor { side, at, count, expires: *expires })
                };
                // A client that walked back to before the first resource gets a cursor to the beginning.
                let nothing_before = matches!(paging.start, Start::Before(_)) && resources.is_empty();
                let turns = nothing_before && total > 0 && paging.count > 0;
                let next = next.map(place).or(turns.then_some(Place::Beginning));
                let next = next.map(|at| cursor(Side::Behind, at));
                let mut list = ListResponse::cursor_page(resources, Some(total), next);
                list.previous_cursor = previous.map(|position| cursor(Side::Before, place(position)));
                list
            }
        }
    }
}
