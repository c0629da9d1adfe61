//! The provided methods of [`ResourceStore`]: correct for every store, quick for none.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use scim2_core::{CompiledType, Object, ResourceId, Version};

use super::{
    CONTENTION_LIMIT, GroupMembership, MemberTarget, MembersWrite, Outcome, Query, QueryPage, ResourceStore,
    StoreError, StoredResource, Want, Write,
};
use crate::context::Context;

/// How many resources are read at a time.
const BATCH: usize = 256;

pub(super) async fn query<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    query: &Query,
) -> Result<QueryPage, StoreError> {
    let mut found = Vec::new();
    for target in &query.targets {
        found.extend(all(store, cx, &target.resource_type, query.want).await?);
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let total = found.len() as u64;
    let skip = usize::try_from(query.start_index.saturating_sub(1)).unwrap_or(usize::MAX);
    let count = usize::try_from(query.count).unwrap_or(usize::MAX);
    Ok(QueryPage { total, resources: found.into_iter().skip(skip).take(count).collect() })
}

pub(super) async fn write_members<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    resource_type: &Arc<CompiledType>,
    id: &str,
    expected: Option<&Version>,
    members: MembersWrite,
    want: Want,
) -> Result<Outcome<StoredResource>, StoreError> {
    for _ in 0..CONTENTION_LIMIT {
        let hidden = Want { hidden: true, ..Want::default() };
        let Some(stored) = store.retrieve(cx, resource_type, id, hidden).await? else {
            return Ok(Outcome::NotFound);
        };
        if expected.is_some_and(|expected| *expected != stored.version) {
            return Ok(Outcome::Conflict(stored.version));
        }
        let write = Write {
            resource_type: Arc::clone(resource_type),
            id: stored.id,
            body: stored.body.into_object()?,
            hidden: stored.hidden.unwrap_or_default(),
            members: members.clone(),
            changed: Vec::new(),
            want,
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
            if let Some(found) = store.retrieve(cx, resource_type, id.as_str(), Want::default()).await? {
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

pub(super) async fn groups_of<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    id: &ResourceId,
) -> Result<Vec<GroupMembership>, StoreError> {
    let mut groups = Vec::new();
    let mut containing: HashMap<ResourceId, Vec<usize>> = HashMap::new();
    for resource_type in cx.registry.resource_types().filter(|type_| type_.members().is_some()) {
        let want = Want { members: true, ..Want::default() };
        for group in all(store, cx, resource_type, want).await? {
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
    // Breadth first, so that the direct groups come first; `seen` ends cycles.
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
    Ok(memberships)
}

async fn all<S: ResourceStore + ?Sized>(
    store: &S,
    cx: &Context,
    resource_type: &Arc<CompiledType>,
    want: Want,
) -> Result<Vec<StoredResource>, StoreError> {
    let mut found: Vec<StoredResource> = Vec::new();
    loop {
        let after = found.last().map(|last| last.id.clone());
        let batch = store.list(cx, resource_type, after.as_ref(), BATCH, want).await?;
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
