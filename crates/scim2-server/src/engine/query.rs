//! Queries on a resource type and on the root, by GET and by `/.search`
//! ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2),
//! [§3.4.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.3)).

use std::sync::Arc;

use scim2_core::{AttributeId, CompiledType, ScimType};
use scim2_filter::{Condition, Filter, FilterParser, Leniency, ResolveError, Resolver};
use scim2_protocol::{ErrorResponse, ListResponse, QueryParameters, SortOrder};

use super::{Answer, Reply, fault};
use crate::context::Context;
use crate::projection::{Plan, write_resource};
use crate::provider::ServiceProvider;
use crate::store::{Query, ResourceStore, Start, StoreError, StoredResource, Target, Want};

impl<S: ResourceStore> ServiceProvider<S> {
    /// Answers a query on one resource type, or on all of them if there is none. `in_uri` says that
    /// the parameters stood where proxies and logs see them.
    pub(crate) async fn query(
        &self,
        cx: &Context,
        type_: Option<&Arc<CompiledType>>,
        parameters: &QueryParameters,
        in_uri: bool,
    ) -> Answer {
        let options = &self.inner.options;
        let filter = self.parse_filter(parameters)?;
        let types: Vec<&Arc<CompiledType>> = match type_ {
            Some(type_) => vec![type_],
            None => cx.registry.resource_types().collect(),
        };
        let mut targets = Vec::with_capacity(types.len());
        let mut plans = Vec::with_capacity(types.len());
        let mut want = Want::default();
        for resource_type in types {
            let target = self.target(resource_type, type_.is_none(), filter.as_ref(), parameters)?;
            if in_uri && let Some(filter) = &target.filter {
                self.check_sensitive(resource_type, filter.condition())?;
            }
            // Of a type that cannot match the store need not hear.
            let never = target.filter.as_ref().is_some_and(|filter| *filter.condition() == Condition::Never);
            if never {
                continue;
            }
            let plan = Plan::new(resource_type, &parameters.projection, &[]);
            want.members |= plan.want().members;
            want.groups |= plan.want().groups;
            plans.push((Arc::clone(resource_type), plan));
            targets.push(target);
        }
        let count = parameters.count.unwrap_or(options.limits.default_page_size);
        let start_index = parameters.start_index.unwrap_or(1);
        let query = Query {
            targets,
            descending: parameters.sort_order == SortOrder::Descending,
            start: Start::Index(start_index),
            count: count.min(options.limits.max_results),
            want,
            scan_limit: options.limits.scan_limit,
        };
        let page = self.inner.store.query(cx, &query).await.map_err(|error| fault(cx, &error))?;

        let mut resources = page.resources;
        for stored in &mut resources {
            if let Some(plan) = plan_of(&plans, stored) {
                self.complete(cx, stored, plan).await?;
            }
        }
        let mut failure: Option<StoreError> = None;
        let list = ListResponse::page(resources, start_index, page.total);
        let json = list.to_json_with(|stored, out| {
            let written = match plan_of(&plans, stored) {
                Some(plan) => write_resource(out, cx, stored, plan),
                None => Err(StoreError::internal("the store answered a resource of another type")),
            };
            failure = written.err().or(failure.take());
        });
        match failure {
            Some(error) => Err(fault(cx, &error)),
            None => Ok(Reply::ok(json)),
        }
    }

    fn parse_filter(&self, parameters: &QueryParameters) -> Answer<Option<Filter>> {
        let options = &self.inner.options;
        let Some(text) = &parameters.filter else { return Ok(None) };
        if !options.features.filter {
            return Err(ErrorResponse::not_implemented("this service provider has no filters"));
        }
        let filter = FilterParser::new()
            .max_length(options.limits.filter_length)
            .max_depth(options.limits.filter_depth)
            .max_terms(options.limits.filter_terms)
            .leniency(Leniency::from(&options.compat))
            .parse(text);
        match filter {
            Ok(filter) => Ok(Some(filter)),
            Err(error) => Err(ErrorResponse::of_scim_type(error.scim_type(), error.to_string())),
        }
    }

    /// S-7.5.2-02: what the operator calls sensitive is asked for in a body, not in a URI.
    fn check_sensitive(&self, type_: &CompiledType, condition: &Condition) -> Answer<()> {
        let sensitive = &self.inner.options.sensitive_attributes;
        let is_sensitive = |id: AttributeId| {
            let def = type_.attribute(id);
            let paths = [Some(def.path()), def.parent().map(|parent| type_.attribute(parent).path())];
            paths
                .into_iter()
                .flatten()
                .any(|path| sensitive.iter().any(|name| name.eq_ignore_ascii_case(path)))
        };
        if sensitive.is_empty() || !condition.mentions(&is_sensitive) {
            return Ok(());
        }
        Err(ErrorResponse::of_scim_type(
            ScimType::Sensitive,
            "the filter names an attribute that must not stand in a URI: send it by POST to `/.search`",
        ))
    }

    fn target(
        &self,
        resource_type: &Arc<CompiledType>,
        of_many: bool,
        filter: Option<&Filter>,
        parameters: &QueryParameters,
    ) -> Answer<Target> {
        let resolver = Resolver::new(resource_type, self.inner.options.compat);
        // S-3.4.2.1-03: of several types each has only some of the attributes.
        let resolver = if of_many { resolver.unknown_is_absent() } else { resolver };
        let refused = |error: ResolveError| ErrorResponse::of_scim_type(error.scim_type(), error.to_string());
        let filter = filter.map(|filter| resolver.filter(filter)).transpose().map_err(refused)?;
        let sort = match &parameters.sort_by {
            Some(path) if self.inner.options.features.sort => {
                resolver.sort_key(path).map_err(refused)?.map(|key| key.attribute())
            }
            _ => None,
        };
        Ok(Target { resource_type: Arc::clone(resource_type), filter, sort })
    }
}

/// The plan for a resource: that of its type, which the store may hold as its own copy.
fn plan_of<'p>(plans: &'p [(Arc<CompiledType>, Plan)], stored: &StoredResource) -> Option<&'p Plan> {
    let found = plans.iter().find(|(type_, _)| {
        Arc::ptr_eq(type_, &stored.resource_type) || type_.name() == stored.resource_type.name()
    });
    found.map(|(_, plan)| plan)
}
