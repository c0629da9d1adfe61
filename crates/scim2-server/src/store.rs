//! The port below: where resources are kept.
//!
//! # How to implement it
//!
//! An application that keeps its users in a table of its own implements the five needed methods of
//! [`ResourceStore`]: [`create`](ResourceStore::create), [`retrieve`](ResourceStore::retrieve),
//! [`replace`](ResourceStore::replace), [`delete`](ResourceStore::delete) and
//! [`list`](ResourceStore::list). Queries, membership and nested groups then work, correctly and
//! slowly, by the provided methods, which a real store overrides one by one as it grows. The
//! contract suite in [`crate::contract`] tells whether the contract is kept.

use std::future::Future;
use std::sync::Arc;

use scim2_core::{CompiledType, Object, ResourceId, Version};

use crate::context::Context;

mod default;
mod error;
mod member_lookup;
mod pace;
mod query;
mod stored;
mod streamed;

pub use error::{StoreError, StoreErrorKind};
pub use member_lookup::{Comparison, MemberLookup};
pub use pace::{EvaluationCost, Pace};
pub(crate) use pace::{Stretch, yield_now};
pub use query::{PageBudget, Position, Query, QueryPage, Start, Target};
pub use stored::{Body, StoredResource};
pub(crate) use stored::{exceeds_json_size, json_size};
pub use streamed::{MemberStream, StreamedResource};

/// Where the resources of a service provider are kept.
///
/// # Contract
/// - **Tenants.** Every method sees and touches only what belongs to [`Context::tenant`].
/// - **Atomic and durable.** A write is done wholly before its future is ready with `Ok`, or not at
///   all. Two writes of one resource never interleave.
/// - **Versions.** Every write that changes a resource gives it a [`Version`] it never had before;
///   a write to `members` moves the group's version, never the member's.
/// - **Nothing changed.** A [`replace`](Self::replace) with empty [`Write::changed`], or a
///   [`write_members`](Self::write_members), that leaves the members as they are too, leaves the
///   version and the time of the last change as they are. A replace that [names](names_never_returned) a
///   never-returned attribute always moves them.
/// - **Uniqueness.** `create` and `replace` fail with [`StoreErrorKind::Uniqueness`], and change
///   nothing, if another resource of the same type has an equal key for a unique attribute
///   ([`CompiledType::unique_attributes`]). A resource does not conflict with itself.
/// - **Order.** [`list`](Self::list) is ordered by id and stable.
/// - **Deletion.** A deleted resource is in no answer, its id is never used again, and its
///   memberships go with it: groups it was a member of lose the member and move their version.
pub trait ResourceStore: Send + Sync + 'static {
    /// Adds a resource and returns it as stored.
    ///
    /// # Errors
    /// [`StoreErrorKind::Uniqueness`] if a unique value is taken.
    fn create(
        &self,
        cx: &Context,
        write: Write,
    ) -> impl Future<Output = Result<StoredResource, StoreError>> + Send;

    /// The resource of that type and id, with as much of it as `include` asks for. `id` is what the
    /// client wrote and need not be an id at all.
    ///
    /// # Errors
    /// Only if the store cannot answer; a resource that is not there is `None`.
    fn retrieve(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> impl Future<Output = Result<Option<StoredResource>, StoreError>> + Send;

    /// The same for an answer that is written as it is read: the members of a group that has many
    /// may come in pieces, all of one moment and that of the resource.
    ///
    /// The provided method has everything at once, as [`retrieve`](Self::retrieve) does.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve); what fails later fails in the pieces.
    fn retrieve_streamed(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> impl Future<Output = Result<Option<StreamedResource>, StoreError>> + Send {
        async move { Ok(self.retrieve(cx, resource_type, id, include).await?.map(StreamedResource::from)) }
    }

    /// Replaces a resource if its version is still `expected`.
    ///
    /// # Errors
    /// [`StoreErrorKind::Uniqueness`] if a unique value is taken. A resource that is gone, or has
    /// another version, is an [`Outcome`], not an error.
    fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> impl Future<Output = Result<Outcome<StoredResource>, StoreError>> + Send;

    /// Deletes a resource, if its version is `expected` when one is given.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn delete(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
    ) -> impl Future<Output = Result<Outcome<()>, StoreError>> + Send;

    /// At most `limit` resources of a type whose id is greater than `after`, in order of id.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn list(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        after: Option<&ResourceId>,
        limit: usize,
        include: Include,
    ) -> impl Future<Output = Result<Vec<StoredResource>, StoreError>> + Send;

    /// The resources that match, in order, one page of them, and how many match in all.
    ///
    /// Of a group that has many members a page may leave them out, `None` where they were asked for:
    /// they are then read by [`retrieve_streamed`](Self::retrieve_streamed).
    ///
    /// The provided method reads every resource of the targets through [`list`](Self::list).
    ///
    /// # Errors
    /// [`StoreErrorKind::TooMany`] if more than [`Query::scan_limit`] resources match or would
    /// have to be looked at, or if the work takes longer than [`Query::time_limit`].
    fn query(
        &self,
        cx: &Context,
        query: &Query,
    ) -> impl Future<Output = Result<QueryPage, StoreError>> + Send {
        default::query(self, cx, query)
    }

    /// Changes the members of a group and nothing else, if its version is `expected` when one is
    /// given. Calls without an expected version commute: none of them conflicts with another.
    /// `include` is as in [`Write::include`].
    ///
    /// The provided method retrieves the group without its members and replaces it, again if
    /// another write came between, at most [`CONTENTION_LIMIT`] times.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if other writes came between too often.
    fn write_members(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
        members: MembersWrite,
        include: Include,
    ) -> impl Future<Output = Result<Outcome<StoredResource>, StoreError>> + Send {
        default::write_members(self, cx, resource_type, id, expected, members, include)
    }

    /// What the ids of members point to, in the order asked; `None` where there is no such resource.
    ///
    /// The provided method tries every resource type.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn resolve_members(
        &self,
        cx: &Context,
        ids: &[ResourceId],
    ) -> impl Future<Output = Result<Vec<Option<MemberTarget>>, StoreError>> + Send {
        default::resolve_members(self, cx, ids)
    }

    /// Compares the members of a group with those it is to have, each of which is asked for once.
    /// `None` if there is no such group.
    ///
    /// Who replaces ten thousand members looks up only those that come: what the others are is told
    /// by their rows in the group.
    ///
    /// The provided method retrieves the group with its members.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn compare_members(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        ids: &[ResourceId],
    ) -> impl Future<Output = Result<Option<Comparison>, StoreError>> + Send {
        default::compare_members(self, cx, resource_type, id, ids)
    }

    /// The groups a resource is a member of, directly or through other groups, direct ones first,
    /// each once; a group that contains itself through others is not its own group.
    ///
    /// The provided method reads every group with its members.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn groups_of(
        &self,
        cx: &Context,
        id: &ResourceId,
    ) -> impl Future<Output = Result<Vec<GroupMembership>, StoreError>> + Send {
        default::groups_of(self, cx, id)
    }

    /// What cursors are signed with: random, kept with the resources, and the same for every process
    /// that serves them, so that a cursor of one is good at another and after a restart.
    ///
    /// The provided method has none; the service provider then makes one for itself.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn cursor_key(&self) -> impl Future<Output = Result<Option<CursorKey>, StoreError>> + Send {
        std::future::ready(Ok(None))
    }
}

/// 32 random bytes that cursors are signed with
/// ([RFC 9865 §5](https://www.rfc-editor.org/rfc/rfc9865#section-5)). Whoever knows them can forge
/// positions, though no rights: they are not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for CursorKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

/// How often a read, change and write is tried again because another write came between.
pub const CONTENTION_LIMIT: usize = 64;

/// What of a resource is asked for beyond its body. Everything left out costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Include {
    /// The members of a group.
    pub members: bool,
    /// The groups the resource is a member of, directly or through other groups.
    pub groups: bool,
    /// What no response ever holds: the password's hash and other writeOnly values.
    pub never_returned: bool,
}

/// A resource to be stored.
#[derive(Debug, Clone)]
pub struct Write {
    /// The resource type.
    pub resource_type: Arc<CompiledType>,
    /// The id; new for a create.
    pub id: ResourceId,
    /// The attributes in canonical form: `schemas`, `id`, `externalId` and the rest, without
    /// `meta`, without never-returned attributes, without members and groups.
    pub body: Object,
    /// The attributes that no response holds: the password's hash, other writeOnly values.
    pub never_returned: Object,
    /// What happens to the members. For a resource type without members always
    /// [`MembersWrite::Keep`].
    pub members: MembersWrite,
    /// The paths of the attributes that change, for the audit log; empty on create. A never-returned attribute that is named
    /// here moves the version even if it holds what it held: see [`names_never_returned`].
    pub changed: Vec<Box<str>>,
    /// What the returned resource should hold. Of a group that has many members a store may leave
    /// them out, `None` where they were asked for: they are then read by
    /// [`retrieve_streamed`](ResourceStore::retrieve_streamed).
    pub include: Include,
}

/// Says whether the paths that change name an attribute that no response holds. Such a write moves the
/// version whatever it holds: otherwise a client that may write the attribute, and not see it, would
/// learn whether it guessed the value.
pub fn names_never_returned<'p>(type_: &CompiledType, mut changed: impl Iterator<Item = &'p str>) -> bool {
    let is_never_returned =
        |path: &str| type_.never_returned_attributes().iter().any(|id| type_.attribute(*id).path() == path);
    changed.any(is_never_returned)
}

/// What a write does to the members of a group. Members that no longer exist when the write
/// happens are left out, as if they had been deleted just after it.
#[derive(Debug, Clone, Default)]
pub enum MembersWrite {
    /// Leaves them as they are (none, on create).
    #[default]
    Keep,
    /// These and no others.
    Set(Vec<Member>),
    /// Takes some away, then adds some; what is already so stays so.
    Change {
        /// The ids of members that go; unknown ones are passed over.
        remove: Vec<ResourceId>,
        /// The members that come; one that is there already keeps its place and takes the new
        /// `display` if one is given.
        add: Vec<Member>,
    },
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id of the member.
    pub value: ResourceId,
    /// The name of the member's resource type.
    pub resource_type: Box<str>,
    /// In a write: the display name the client gave. In an answer: that, or else the member's own.
    pub display: Option<Box<str>>,
}

/// What the id of a member points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberTarget {
    /// The name of the resource type.
    pub resource_type: Box<str>,
    /// The resource's `displayName`.
    pub display: Option<Box<str>>,
}

/// A group that a resource is a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMembership {
    /// The id of the group.
    pub value: ResourceId,
    /// The name of the group's resource type.
    pub resource_type: Box<str>,
    /// The group's `displayName`.
    pub display: Option<Box<str>>,
    /// Whether the resource itself is in the group, or only a group it is in.
    pub direct: bool,
}

/// What became of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It was done.
    Done(T),
    /// There is no such resource.
    NotFound,
    /// The resource has another version, this one.
    Conflict(Version),
}
