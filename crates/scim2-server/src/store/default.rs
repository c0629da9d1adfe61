//! The provided methods of [`ResourceStore`]: correct for every store, but slow.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use scim2_core::{AttributeId, CompiledType, Object, ResourceId, Version};
use scim2_filter::{CompiledFilter, SortKey, SortValue};

use super::{
    CONTENTION_LIMIT, Comparison, EvaluationCost, GroupMembership, Include, Member, MemberLookup,
    MemberTarget, MembersWrite, Outcome, Pace, Position, Query, QueryPage, ResourceStore, Start, StoreError,
    StoredResource, Target, Write,
};
use crate::context::Context;
use crate::projection::representation;

/// How many resources are read at a time.
const BATCH: usize = 256;

pub(super) async fn query<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    query: &Query,
) -> Result<QueryPage, StoreError> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    let mut pace = Pace::new(query.time_limit);
    for target in &query.targets {
        let scan = Scan::new(target);
        let mut after: Option<ResourceId> = None;
        loop {
            let batch = store.list(cx, &target.resource_type, after.as_ref(), BATCH, scan.include).await?;
            looked_at += batch.len() as u64;
            if query.scan_limit.is_some_and(|limit| looked_at > limit) {
                return Err(StoreError::too_many(
                    "the query would look at more resources than the service provider allows",
                ));
            }
            after = batch.last().map(|last| last.id.clone());
            let last = batch.len() < BATCH;
            for mut stored in batch {
                pace.spend(scan.cost.work(stored.size())).await?;
                if scan.include.groups && stored.groups.is_none() {
                    stored.groups = Some(store.groups_of(cx, &stored.id).await?);
                }
                if let Some(key) = scan.key(cx, &stored)? {
                    let position = Position { key, id: stored.id };
                    found.push(Found { position, resource_type: &target.resource_type });
                }
            }
            if last {
                break;
            }
        }
    }
    let total = found.len() as u64;
    found.sort_by(|a, b| a.position.compare(&b.position, query.descending));
    let mut page = place(&found, query);
    let backwards = matches!(query.start, Start::Before(_));
    let mut places: Vec<usize> = page.clone().collect();
    if backwards {
        places.reverse();
    }
    let mut resources = Vec::with_capacity(places.len());
    let mut budget = query.page_budget();
    for at in places {
        let Some(Found { position, resource_type }) = found.get(at) else { continue };
        // Leave out a resource that was deleted since the scan.
        let stored = store.retrieve(cx, resource_type, position.id.as_str(), query.include).await?;
        pace.spend(stored.as_ref().map_or(0, StoredResource::size)).await?;
        let Some(mut stored) = stored else { continue };
        if query.include.groups && resource_type.groups().is_some() && stored.groups.is_none() {
            stored.groups = Some(store.groups_of(cx, &stored.id).await?);
        }
        if !budget.takes(&stored) {
            page = if backwards { at + 1..page.end } else { page.start..at };
            break;
        }
        resources.push(stored);
    }
    if backwards {
        resources.reverse();
    }
    let shown = found.get(page.clone()).unwrap_or_default();
    let beyond = |there: bool, edge: Option<&Found<'_>>| edge.filter(|_| there).map(|it| it.position.clone());
    Ok(QueryPage {
        total,
        resources,
        previous: beyond(page.start > 0, shown.first()),
        next: beyond((page.end as u64) < total, shown.last()),
    })
}

/// Where the page is among all that match, in their order.
fn place(found: &[Found<'_>], query: &Query) -> Range<usize> {
    let count = usize::try_from(query.count).unwrap_or(usize::MAX);
    let order = |it: &Found<'_>, position: &Position| it.position.compare(position, query.descending);
    let start = match &query.start {
        Start::Index(index) => {
            usize::try_from(index.saturating_sub(1)).unwrap_or(usize::MAX).min(found.len())
        }
        Start::After(position) => found.partition_point(|it| order(it, position).is_le()),
        Start::Before(position) => {
            let end = found.partition_point(|it| order(it, position).is_lt());
            return end.saturating_sub(count)..end;
        }
    };
    start..start.saturating_add(count).min(found.len())
}

/// A resource that matches: enough to sort it and to read it again.
struct Found<'q> {
    position: Position,
    resource_type: &'q Arc<CompiledType>,
}

/// How the resources of one target are looked at.
struct Scan<'q> {
    filter: Option<&'q CompiledFilter>,
    sort: Option<SortKey>,
    include: Include,
    cost: EvaluationCost,
}

impl<'q> Scan<'q> {
    fn new(target: &'q Target) -> Self {
        let type_ = &*target.resource_type;
        let uses = |id: AttributeId| {
            let of = |used: AttributeId| used == id || type_.attribute(used).parent() == Some(id);
            target.filter.as_ref().is_some_and(|filter| filter.condition().mentions(&of))
                || target.sort.is_some_and(of)
        };
        Self {
            filter: target.filter.as_ref(),
            sort: target.sort.map(|id| SortKey::new(type_, id)),
            include: Include {
                members: type_.members().is_some_and(uses),
                groups: type_.groups().is_some_and(uses),
                never_returned: false,
            },
            cost: EvaluationCost::of(target.filter.as_ref()),
        }
    }

    /// The sort key of a resource, if it matches.
    fn key(&self, cx: &Context, stored: &StoredResource) -> Result<Option<SortValue<'static>>, StoreError> {
        if self.filter.is_none() && self.sort.is_none() {
            return Ok(Some(SortValue::Missing));
        }
        let resource = representation(cx, stored)?;
        let work = cx.work.begin();
        if let Some(filter) = self.filter
            && !filter.matches_within(&resource, &work)?
        {
            return Ok(None);
        }
        match &self.sort {
            Some(sort) => Ok(Some(sort.value_within(&resource, &work)?.into_owned())),
            None => Ok(Some(SortValue::Missing)),
        }
    }
}

pub(super) async fn write_members<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    resource_type: &Arc<CompiledType>,
    id: &str,
    expected: Option<&Version>,
    members: MembersWrite,
    include: Include,
) -> Result<Outcome<StoredResource>, StoreError> {
    for _ in 0..CONTENTION_LIMIT {
        let never_returned = Include { never_returned: true, ..Include::default() };
        let Some(stored) = store.retrieve(cx, resource_type, id, never_returned).await? else {
            return Ok(Outcome::NotFound);
        };
        if expected.is_some_and(|expected| *expected != stored.version) {
            return Ok(Outcome::Conflict(stored.version));
        }
        let write = Write {
            resource_type: Arc::clone(resource_type),
            id: stored.id,
            body: stored.body.into_object()?,
            never_returned: stored.never_returned.unwrap_or_default(),
            members: members.clone(),
            changed: Vec::new(),
            include,
        };
        match store.replace(cx, &stored.version, write).await? {
            Outcome::Conflict(_) => {}
            outcome => return Ok(outcome),
        }
    }
    Err(StoreError::unavailable("the group is changed by too many requests at once"))
}

pub(super) async fn resolve_members<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    ids: &[ResourceId],
) -> Result<Vec<Option<MemberTarget>>, StoreError> {
    let mut targets = Vec::with_capacity(ids.len());
    for id in ids {
        let mut target = None;
        for resource_type in cx.registry.resource_types() {
            if let Some(found) = store.retrieve(cx, resource_type, id.as_str(), Include::default()).await? {
                target = Some(MemberTarget {
                    resource_type: resource_type.name().into(),
                    display: display_name(found.attributes()?.as_ref()),
                });
                break;
            }
        }
        targets.push(target);
    }
    Ok(targets)
}

pub(super) async fn compare_members<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    resource_type: &Arc<CompiledType>,
    id: &str,
    ids: &[ResourceId],
) -> Result<Option<Comparison>, StoreError> {
    let include = Include { members: true, ..Include::default() };
    let Some(group) = store.retrieve(cx, resource_type, id, include).await? else { return Ok(None) };
    let mut wanted = MemberLookup::new(ids);
    let mut comparison = Comparison { version: group.version, stay: Vec::new(), leave: Vec::new() };
    for Member { value, resource_type, display } in group.members.unwrap_or_default() {
        match wanted.place(value.as_str()) {
            Some(place) => comparison.stay.push((place, MemberTarget { resource_type, display })),
            None => comparison.leave.push(value),
        }
    }
    Ok(Some(comparison))
}

pub(super) async fn groups_of<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    id: &ResourceId,
) -> Result<Vec<GroupMembership>, StoreError> {
    let mut groups = Vec::new();
    let mut containing: HashMap<ResourceId, Vec<usize>> = HashMap::new();
    for resource_type in cx.registry.resource_types().filter(|type_| type_.members().is_some()) {
        let include = Include { members: true, ..Include::default() };
        for group in all(store, cx, resource_type, include).await? {
            for member in group.members.as_deref().unwrap_or_default() {
                containing.entry(member.value.clone()).or_default().push(groups.len());
            }
            groups.push(GroupMembership {
                display: display_name(group.attributes()?.as_ref()),
                value: group.id,
                resource_type: resource_type.name().into(),
                direct: false,
            });
        }
    }
    // Breadth first, so that a group is direct if it can be; `seen` ends cycles.
    let mut seen: HashSet<ResourceId> = HashSet::from([id.clone()]);
    let mut waiting = VecDeque::from([id.clone()]);
    let mut memberships = Vec::new();
    while let Some(member) = waiting.pop_front() {
        for group in containing.get(&member).into_iter().flatten().filter_map(|at| groups.get(*at)) {
            if seen.insert(group.value.clone()) {
                memberships.push(GroupMembership { direct: member == *id, ..group.clone() });
                waiting.push_back(group.value.clone());
            }
        }
    }
    memberships.sort_by(|a, b| (b.direct, &a.value).cmp(&(a.direct, &b.value)));
    Ok(memberships)
}

async fn all<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    resource_type: &Arc<CompiledType>,
    include: Include,
) -> Result<Vec<StoredResource>, StoreError> {
    let mut found: Vec<StoredResource> = Vec::new();
    loop {
        let after = found.last().map(|last| last.id.clone());
        let batch = store.list(cx, resource_type, after.as_ref(), BATCH, include).await?;
        let full = batch.len() >= BATCH;
        found.extend(batch);
        if !full {
            return Ok(found);
        }
    }
}

fn display_name(attributes: &Object) -> Option<Box<str>> {
    attributes.get_str("displayName").map(Into::into)
}
