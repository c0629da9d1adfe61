//! Finds the resource that already has the unique value of a refused write.

use std::sync::Arc;
use std::time::Duration;

use scim2_core::{AttributeId, Compat, CompiledType, Object, ResourceId, ScimType, Value};
use scim2_filter::{FilterParser, Resolver};
use scim2_protocol::{Detail, ErrorResponse};

use super::fault;
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::{Query, ResourceStore, StoreError, StoreErrorKind, Target};

/// The unique values that a write sets.
#[derive(Debug, Default)]
pub(super) struct Claims(Vec<(AttributeId, Value)>);

impl Claims {
    /// The unique values of a body in canonical form.
    pub(super) fn of(type_: &CompiledType, body: &Object) -> Self {
        let values = type_.unique_attributes().iter();
        Self(values.flat_map(|id| type_.values_of(body, *id).map(|value| (*id, value.clone()))).collect())
    }

    /// The unique values of a body if the write changes a unique attribute, or else none.
    pub(super) fn of_changes(type_: &CompiledType, body: &Object, changed: &[Box<str>]) -> Self {
        let is_changed = |id: &AttributeId| {
            let path = type_.attribute(*id).path();
            changed.iter().any(|changed| path.starts_with(&**changed))
        };
        if type_.unique_attributes().iter().any(is_changed) { Self::of(type_, body) } else { Self::default() }
    }
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// The answer to a failed write of the resource `own`. For a unique value that is taken it names the resource that
    /// has it, so that a client that lost its ids finds it. This reveals nothing: every credential may read all
    /// resources of its tenant.
    pub(super) async fn write_fault(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        claims: &Claims,
        own: &str,
        error: &StoreError,
    ) -> ErrorResponse {
        let StoreErrorKind::Uniqueness(path) = error.kind() else { return fault(cx, error) };
        match self.holder(cx, type_, claims, own, path).await {
            Some(holder) => {
                let detail = format!("{error}: the {} with the id `{holder}` has it", type_.name());
                ErrorResponse::of_scim_type(ScimType::Uniqueness, Detail::of_names(detail))
            }
            None => fault(cx, error),
        }
    }

    /// Another resource that has one of the values. `None` if the query fails or the resource was deleted.
    async fn holder(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        claims: &Claims,
        own: &str,
        path: &str,
    ) -> Option<ResourceId> {
        for (_, value) in claims.0.iter().filter(|(id, _)| type_.attribute(*id).path() == path) {
            // A complex attribute is unique by its `value`.
            let (path, value) = match value {
                Value::Object(object) => (format!("{path}.value"), object.get("value")?),
                value => (path.to_owned(), value),
            };
            let text = format!("{path} eq {value}");
            let filter = FilterParser::new().max_length(text.len()).parse(&text).ok()?;
            let filter = Resolver::new(type_, Compat::strict()).filter(&filter).ok()?;
            let query = Query {
                time_limit: Some(Duration::from_secs(1)),
                ..Query::new(
                    vec![Target { resource_type: Arc::clone(type_), filter: Some(filter), sort: None }],
                    2,
                )
            };
            let page = self.inner.store.query(cx, &query).await.ok()?;
            let holder = page.resources.into_iter().map(|stored| stored.id).find(|id| id.as_str() != own);
            if holder.is_some() {
                return holder;
            }
        }
        None
    }
}
