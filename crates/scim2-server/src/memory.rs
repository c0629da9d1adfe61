//! A [`ResourceStore`] in memory, for tests, demonstrations and as a model of the contract.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use scim2_core::{CompiledType, Object, ResourceId, Version};

use crate::context::{Context, TenantId};
use crate::store::{
    Body, GroupMembership, Include, MemberTarget, MembersWrite, Outcome, ResourceStore, StoreError,
    StoredResource, Write, names_never_returned,
};

mod members;
mod tenant;

use tenant::{Row, Tenant};

/// Keeps resources in the memory of the process. They are lost when it ends.
///
/// ```
/// use scim2_server::{Context, MemoryStore, ResourceStore, store::Include};
/// # use std::sync::Arc;
/// # let registry = Arc::new(scim2_core::Registry::standard());
/// # let cx = Context::new(registry, Default::default(), "test", Default::default());
/// # futures_util::FutureExt::now_or_never(async {
/// let store = MemoryStore::new();
/// let user = cx.registry.resource_type("User").expect("a standard type");
/// assert!(store.retrieve(&cx, user, "2819c223", Include::default()).await?.is_none());
/// # Ok::<(), scim2_server::StoreError>(())
/// # }).expect("ready")?;
/// # Ok::<(), scim2_server::StoreError>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    // The lock is never held across an await: every method is one step.
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    tenants: HashMap<TenantId, Tenant>,
    last_version: u64,
}

impl MemoryStore {
    /// A store without resources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T: Default>(&self, cx: &Context, read: impl FnOnce(&Tenant) -> T) -> T {
        // A panic under the lock leaves a state that is still consistent row by row.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.tenants.get(&cx.tenant).map(read).unwrap_or_default()
    }

    fn write<T>(&self, cx: &Context, write: impl FnOnce(&mut Tenant, &mut Stamp<'_>) -> T) -> T {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State { tenants, last_version } = &mut *state;
        write(tenants.entry(cx.tenant.clone()).or_default(), &mut Stamp { last_version, now: cx.now })
    }

    fn create_now(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        let row = |stamp: &mut Stamp<'_>, write: &Write| -> Result<Row, StoreError> {
            Ok(Row {
                resource_type: Arc::clone(&write.resource_type),
                id: write.id.clone(),
                version: stamp.version(),
                created: stamp.now,
                last_modified: stamp.now,
                body: json(&write.body)?,
                never_returned: write.never_returned.clone(),
            })
        };
        self.write(cx, |tenant, stamp| {
            if tenant.exists(write.id.as_str()) {
                return Err(StoreError::uniqueness("id"));
            }
            let keys = tenant.claim(&write)?;
            let row = row(stamp, &write)?;
            tenant.put(row, keys);
            tenant.write_members(&write.id, write.members);
            Ok(tenant.stored(&write.resource_type, write.id.as_str(), write.include))
        })?
        .ok_or_else(|| StoreError::internal("a resource vanished while it was created"))
    }

    fn replace_now(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        self.write(cx, |tenant, stamp| {
            let Some(old) = tenant.row(&write.resource_type, write.id.as_str()) else {
                return Ok(Outcome::NotFound);
            };
            if old.version != *expected {
                return Ok(Outcome::Conflict(old.version.clone()));
            }
            let mut row = old.clone();
            let keys = tenant.claim(&write)?;
            // The order of attributes does not matter.
            let names_never_returned =
                names_never_returned(&write.resource_type, write.changed.iter().map(|path| &**path));
            let content_changed = names_never_returned
                || row.never_returned != write.never_returned
                || *row.body.to_object()? != write.body;
            if content_changed {
                row.body = json(&write.body)?;
                row.never_returned = write.never_returned;
            }
            let members_changed = tenant.write_members(&write.id, write.members);
            if members_changed || content_changed {
                row.version = stamp.version();
                row.last_modified = stamp.now;
            }
            tenant.put(row, keys);
            Ok(tenant
                .stored(&write.resource_type, write.id.as_str(), write.include)
                .map_or(Outcome::NotFound, Outcome::Done))
        })
    }

    fn delete_now(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
    ) -> Outcome<()> {
        self.write(cx, |tenant, stamp| {
            let Some(row) = tenant.row(resource_type, id) else { return Outcome::NotFound };
            if expected.is_some_and(|expected| *expected != row.version) {
                return Outcome::Conflict(row.version.clone());
            }
            let id = row.id.clone();
            tenant.remove(resource_type, &id);
            for group in tenant.forget(&id) {
                tenant.touch(&group, stamp);
            }
            Outcome::Done(())
        })
    }

    fn write_members_now(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
        members: MembersWrite,
        include: Include,
    ) -> Outcome<StoredResource> {
        self.write(cx, |tenant, stamp| {
            let Some(row) = tenant.row(resource_type, id) else { return Outcome::NotFound };
            if expected.is_some_and(|expected| *expected != row.version) {
                return Outcome::Conflict(row.version.clone());
            }
            let group = row.id.clone();
            if tenant.write_members(&group, members) {
                tenant.touch(&group, stamp);
            }
            tenant.stored(resource_type, id, include).map_or(Outcome::NotFound, Outcome::Done)
        })
    }
}

/// Sets the version and the time of the resources that a write changes.
struct Stamp<'a> {
    last_version: &'a mut u64,
    now: DateTime<Utc>,
}

impl Stamp<'_> {
    fn version(&mut self) -> Version {
        *self.last_version += 1;
        Version::from(*self.last_version)
    }
}

fn json(object: &Object) -> Result<Body, StoreError> {
    serde_json::to_vec(object).map(|json| Body::Json(Bytes::from(json))).map_err(StoreError::internal)
}

impl ResourceStore for MemoryStore {
    async fn create(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        self.create_now(cx, write)
    }

    async fn retrieve(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> Result<Option<StoredResource>, StoreError> {
        Ok(self.read(cx, |tenant| tenant.stored(resource_type, id, include)))
    }

    async fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        self.replace_now(cx, expected, write)
    }

    async fn delete(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
    ) -> Result<Outcome<()>, StoreError> {
        Ok(self.delete_now(cx, resource_type, id, expected))
    }

    async fn list(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        after: Option<&ResourceId>,
        limit: usize,
        include: Include,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let after = after.map_or(Bound::Unbounded, |id| Bound::Excluded(id.as_str()));
        Ok(self.read(cx, |tenant| tenant.list(resource_type, after, limit, include)))
    }

    async fn write_members(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
        members: MembersWrite,
        include: Include,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        Ok(self.write_members_now(cx, resource_type, id, expected, members, include))
    }

    async fn resolve_members(
        &self,
        cx: &Context,
        ids: &[ResourceId],
    ) -> Result<Vec<Option<MemberTarget>>, StoreError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = state.tenants.get(&cx.tenant);
        Ok(ids.iter().map(|id| tenant.and_then(|tenant| tenant.target(id.as_str()))).collect())
    }

    fn groups_of(
        &self,
        cx: &Context,
        id: &ResourceId,
    ) -> impl Future<Output = Result<Vec<GroupMembership>, StoreError>> + Send {
        std::future::ready(Ok(self.read(cx, |tenant| tenant.groups_of(id))))
    }
}
