//! Queries on a resource type and on the root, by GET and by `/.search`
//! ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2),
//! [§3.4.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.3)).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use scim2_core::{AttributeId, CompiledType, Quirk, ScimType};
use scim2_filter::{
    AttrPath, CompiledFilter, Condition, Filter, FilterErrorKind, FilterParser, Leniency, ResolveError,
    Resolver,
};
use scim2_protocol::{Detail, ErrorResponse, QueryParameters, SortOrder};

use self::cursor::Scope;
#[cfg(fuzzing)]
pub use self::cursor::cursor_roundtrip;
use super::pieces::{Part, Plans, is_unread, plan_of, planned};
use super::{Answer, Reply, fault, shorten, tolerated, too_much_work};
use crate::context::Context;
use crate::projection::{self, Plan, write_resource};
use crate::provider::ServiceProvider;
use crate::store::{Include, Query, ResourceStore, StoreError, StoredResource, Target};

mod cursor;
mod paging;
mod recent_pages;

pub(crate) use recent_pages::RecentPages;

/// The largest page that is written as a whole, in bytes: above it, pages are written in pieces.
const MAX_WHOLE_PAGE: usize = 256 << 10;

impl<S: ResourceStore> ServiceProvider<S> {
    /// Answers a query on one resource type, or on all of them if there is none. `in_uri` says that the
    /// parameters were in the URI, which proxies and logs see.
    pub(crate) async fn query(
        &self,
        cx: &Context,
        type_: Option<&Arc<CompiledType>>,
        parameters: &QueryParameters,
        in_uri: bool,
    ) -> Answer {
        let options = &self.inner.options;
        let mut quirks = Vec::new();
        let filter = self.parse_filter(parameters, in_uri, &mut quirks)?;
        let types: Vec<&Arc<CompiledType>> = match type_ {
            Some(type_) => vec![type_],
            None => cx.registry.resource_types().collect(),
        };
        let mut targets = Vec::with_capacity(types.len());
        let mut plans = Vec::with_capacity(types.len());
        let mut include = Include::default();
        let mut nowhere = Nowhere::default();
        for resource_type in types {
            projection::check(cx, resource_type, &parameters.projection, options.compat, type_.is_none())?;
            let target =
                self.target(resource_type, type_.is_none(), filter.as_ref(), parameters, &mut quirks)?;
            if type_.is_none() {
                nowhere.meet(&target);
            }
            if in_uri && let Some(filter) = &target.filter {
                self.check_sensitive(resource_type, filter.condition())?;
            }
            // Skip resource types that cannot match.
            let never = target.filter.as_ref().is_some_and(|filter| *filter.condition() == Condition::Never);
            if never {
                continue;
            }
            let plan = Plan::new(resource_type, &parameters.projection, &[], options.compat);
            quirks.extend(plan.leniencies());
            include.members |= plan.include().members;
            include.groups |= plan.include().groups;
            plans.push((Arc::clone(resource_type), plan));
            targets.push(target);
        }
        if type_.is_none() {
            nowhere.check(parameters.sort_by.as_ref().filter(|_| options.features.sort))?;
        }
        quirks.sort_unstable_by_key(|quirk| quirk.name());
        quirks.dedup();
        tolerated(cx, type_.map_or("any", |type_| type_.name()), &quirks);
        // Without a sort attribute there is no order to reverse.
        let sorts = targets.iter().any(|target| target.sort.is_some());
        let descending = sorts && parameters.sort_order == SortOrder::Descending;
        let question = Question { type_, filter: filter.as_ref(), parameters };
        let paging = self.paging(cx, &question, &targets).await?;
        let query = Query {
            targets,
            descending,
            start: paging.start.clone(),
            count: paging.count,
            include,
            scan_limit: options.limits.scan_limit,
            time_limit: Some(Duration::from_secs(options.limits.query_timeout.into())),
            max_bytes: Some(options.limits.page_bytes),
        };
        cx.check_bytes().map_err(|exceeded| fault(cx, &exceeded.into()))?;
        let mut page = self.inner.store.query(cx, &query).await.map_err(|error| fault(cx, &error))?;

        let work = page.resources.iter().map(StoredResource::size).fold(0, u64::saturating_add);
        cx.work.spend(work).map_err(too_much_work)?;
        for stored in &mut page.resources {
            if let Some(plan) = plan_of(&plans, stored) {
                self.complete(cx, stored, plan).await?;
            }
        }
        let mut list = self.list(cx, &question, &paging, page);
        let (begin, end) = list.json_around();
        let resources = std::mem::take(&mut list.resources);
        self.page_reply(cx, plans, resources, begin, end).map_err(|error| fault(cx, &error))
    }

    /// A page: one buffer if it is small, in pieces if it is large or has groups whose members are still to be read.
    fn page_reply(
        &self,
        cx: &Context,
        plans: Plans,
        resources: Vec<StoredResource>,
        mut json: Vec<u8>,
        end: &'static [u8],
    ) -> Result<Reply, StoreError> {
        let mut parts = VecDeque::new();
        let mut resources = resources.into_iter();
        let mut first = true;
        while json.len() < MAX_WHOLE_PAGE
            && let Some(stored) = resources.next()
        {
            if !std::mem::take(&mut first) {
                json.push(b',');
            }
            let plan = planned(&plans, &stored)?;
            if is_unread(&stored, plan) {
                parts.push_back(Part::Text(std::mem::take(&mut json).into()));
                parts.push_back(Part::Group(Box::new(stored)));
            } else {
                write_resource(&mut json, cx, &stored, plan)?;
            }
        }
        if resources.len() > 0 {
            let (begun, rest) = (json.len() as u64, resources.as_slice().iter());
            let mut held = cx.hold_bytes(rest.fold(begun, |size, next| size.saturating_add(next.size())))?;
            let begin = held.split(begun).attach(std::mem::take(&mut json));
            parts.extend([Part::Text(begin), Part::Resources(resources, held)]);
        }
        json.extend_from_slice(end);
        if parts.is_empty() {
            return Ok(Reply::ok(json));
        }
        parts.push_back(Part::Text(json.into()));
        Ok(Reply { body: self.in_parts(cx, plans, parts), ..Reply::ok(Vec::new()) })
    }

    fn parse_filter(
        &self,
        parameters: &QueryParameters,
        in_uri: bool,
        quirks: &mut Vec<Quirk>,
    ) -> Answer<Option<Filter>> {
        let options = &self.inner.options;
        let Some(text) = &parameters.filter else { return Ok(None) };
        if !options.features.filter {
            return Err(ErrorResponse::not_implemented("this service provider has no filters"));
        }
        let limits = &options.limits;
        // `/.search` takes filters that are too long for a URI.
        let longest = limits.search_filter_length.max(limits.filter_length);
        let filter = FilterParser::new()
            .max_length(if in_uri { limits.filter_length } else { longest })
            .max_depth(options.limits.filter_depth)
            .max_terms(options.limits.filter_terms)
            .leniency(Leniency::from(&options.compat))
            .parse_reporting(text);
        match filter {
            Ok((filter, used)) => {
                quirks.extend(used.quirks());
                Ok(Some(filter))
            }
            Err(error) => {
                let hint = match error.kind() {
                    _ if !in_uri => String::new(),
                    FilterErrorKind::TooLong => format!("; POST to `/.search` takes up to {longest}"),
                    // The URI may have cut it off.
                    _ if error.span().start >= text.len() => {
                        " (an `&` within a filter is written `%26` in a URI, and a `#` is `%23`)".to_owned()
                    }
                    _ => String::new(),
                };
                let detail = Detail::new(format!("{error}{hint}"), error.log_line() + &hint);
                Err(ErrorResponse::of_scim_type(error.scim_type(), detail))
            }
        }
    }

    /// S-7.5.2-02: an attribute that the operator calls sensitive may be named in a body, but not in a URI.
    fn check_sensitive(&self, type_: &CompiledType, condition: &Condition) -> Answer<()> {
        let none = self.inner.options.sensitive_attributes.is_empty();
        if none || !condition.mentions(&|id| self.is_sensitive(type_, id)) {
            return Ok(());
        }
        Err(ErrorResponse::of_scim_type(
            ScimType::Sensitive,
            "the filter names an attribute that must not stand in a URI: send it by POST to `/.search`",
        ))
    }

    fn is_sensitive(&self, type_: &CompiledType, id: AttributeId) -> bool {
        let def = type_.attribute(id);
        let paths = [Some(def.path()), def.parent().map(|parent| type_.attribute(parent).path())];
        let sensitive = &self.inner.options.sensitive_attributes;
        paths.into_iter().flatten().any(|path| sensitive.iter().any(|name| name.eq_ignore_ascii_case(path)))
    }

    fn target(
        &self,
        resource_type: &Arc<CompiledType>,
        of_many: bool,
        filter: Option<&Filter>,
        parameters: &QueryParameters,
        quirks: &mut Vec<Quirk>,
    ) -> Answer<Target> {
        let resolver = Resolver::new(resource_type, self.inner.options.compat);
        // S-3.4.2.1-03: each of several types has only some of the attributes.
        let resolver = if of_many { resolver.unknown_is_absent() } else { resolver };
        let refused = |error: ResolveError| ErrorResponse::from(error);
        let filter = filter.map(|filter| resolver.filter(filter)).transpose().map_err(refused)?;
        quirks.extend(filter.iter().flat_map(|filter| filter.leniencies()));
        let sort = match &parameters.sort_by {
            Some(path) if self.inner.options.features.sort => {
                quirks.extend(resolver.attribute_reporting(path).into_iter().flat_map(|(_, quirks)| quirks));
                resolver.sort_key(path).map_err(refused)?.map(|key| key.attribute())
            }
            _ => None,
        };
        Ok(Target { resource_type: Arc::clone(resource_type), filter, sort })
    }
}

/// The names in a query over all resource types that none of them has. Such a name is a mistake. The filter
/// would find nothing, and a client that finds nothing creates a duplicate.
#[derive(Debug, Default)]
struct Nowhere {
    /// The paths of the filter that no resource type so far has; `None` before the first.
    filter: Option<Vec<Box<str>>>,
    /// Whether some resource type can be sorted.
    sorts: bool,
}

impl Nowhere {
    fn meet(&mut self, target: &Target) {
        self.sorts |= target.sort.is_some();
        let absent = target.filter.as_ref().map(CompiledFilter::absent_paths).unwrap_or_default();
        match &mut self.filter {
            Some(nowhere) => nowhere.retain(|path| absent.contains(path)),
            nowhere => *nowhere = Some(absent.to_vec()),
        }
    }

    fn check(&self, sort_by: Option<&AttrPath>) -> Answer<()> {
        let refused = |scim_type, path: &str| {
            let detail = format!("no resource type has the attribute `{}`", shorten(path));
            Err(ErrorResponse::of_scim_type(scim_type, detail))
        };
        match (self.filter.iter().flatten().next(), sort_by) {
            (Some(path), _) => refused(ScimType::InvalidFilter, path),
            (None, Some(path)) if !self.sorts => refused(ScimType::InvalidValue, path.as_str()),
            (None, _) => Ok(()),
        }
    }
}

/// A query as it was asked.
#[derive(Debug, Clone, Copy)]
struct Question<'q> {
    /// The resource type, or none for all of them.
    type_: Option<&'q Arc<CompiledType>>,
    filter: Option<&'q Filter>,
    parameters: &'q QueryParameters,
}

impl Question<'_> {
    /// Identifies the query, whichever page it asks for and whichever attributes it shows. It is computed only
    /// for answers with several pages, because most answers have one.
    fn scope(&self, cx: &Context) -> Scope {
        let Self { type_, filter, parameters: QueryParameters { sort_by, sort_order, .. } } = self;
        let filter = filter.map(ToString::to_string).unwrap_or_default();
        let sort = sort_by.as_ref().map(|path| path.as_str().to_ascii_lowercase()).unwrap_or_default();
        let type_ = type_.map(|type_| type_.name()).unwrap_or_default();
        Scope::new(&cx.tenant, [type_, &filter, &sort, sort_order.as_str()])
    }
}
