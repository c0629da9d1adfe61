//! The port below: where resources are kept.
//!
//! # How to implement it
//!
//! An application that keeps its users in a table of its own implements the five needed methods of
//! [`ResourceStore`]: [`create`](ResourceStore::create), [`retrieve`](ResourceStore::retrieve),
//! [`replace`](ResourceStore::replace), [`delete`](ResourceStore::delete) and [`list`](ResourceStore::list).
//! The provided methods then answer queries, memberships and nested groups, correctly but slowly. A real store
//! overrides them one by one as it grows. The suite in [`crate::contract`] checks whether a store keeps the
//! contract.

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
/// - **Atomic and durable.** When the future of a write is ready with `Ok`, the whole write is durable; after
///   an error nothing of it is stored. Two writes of one resource never interleave.
/// - **Versions.** Every write that changes a resource gives it a [`Version`] it never had before; a write to
///   `members` changes the version of the group, never that of the member.
/// - **Nothing changed.** A [`replace`](Self::replace) with empty [`Write::changed`], or a
///   [`write_members`](Self::write_members), that also leaves the members unchanged, keeps the version and the
///   time of the last change. A replace that [names](names_never_returned) a never-returned attribute always
///   changes both.
/// - **Uniqueness.** `create` and `replace` fail with [`StoreErrorKind::Uniqueness`], and change
///   nothing, if another resource of the same type has an equal key for a unique attribute
///   ([`CompiledType::unique_attributes`]). A resource does not conflict with itself.
/// - **Order.** [`list`](Self::list) is ordered by id and stable.
/// - **Deletion.** A deleted resource is in no answer, and its id is never used again. Groups that it was a
///   member of lose the member and get a new version.
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

    /// The resource of that type and id, with as much of it as `include` asks for. `id` is what the client
    /// wrote and may be any text.
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

    /// Retrieves a resource for an answer that is streamed. The members of a large group may come in parts, all
    /// from the same snapshot as the resource.
    ///
    /// The provided method reads everything at once, as [`retrieve`](Self::retrieve) does.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve); a later failure is returned by [`MemberStream::next`].
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

    /// One page of the resources that match, in order, and the number of all that match.
    ///
    /// A page may leave out the members of a large group: they are then `None` although they were asked for,
    /// and the engine reads them by [`retrieve_streamed`](Self::retrieve_streamed).
    ///
    /// The provided method reads every resource of the targets through [`list`](Self::list).
    ///
    /// # Errors
    /// [`StoreErrorKind::TooMany`] if more than [`Query::scan_limit`] resources match or would have to be read,
    /// or if the work takes longer than [`Query::time_limit`].
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
    /// The provided method retrieves the group without its members and replaces it. If another write came in
    /// between, it tries again, at most [`CONTENTION_LIMIT`] times.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if other writes came in between too often.
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

    /// Compares the members of a group with the members it is to have, `ids`, which are distinct. `None` if
    /// there is no such group.
    ///
    /// A PUT of ten thousand members then looks up only the new members. The rows of the group already tell
    /// what the other members are.
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

    /// The random key that signs cursors. It is stored with the resources and is the same for every process
    /// that serves them, so a cursor is valid in another process and after a restart.
    ///
    /// The provided method returns none. The service provider then makes a key that lasts until it ends.
    ///
    /// # Errors
    /// Only if the store cannot answer.
    fn cursor_key(&self) -> impl Future<Output = Result<Option<CursorKey>, StoreError>> + Send {
        std::future::ready(Ok(None))
    }
}

/// 32 random bytes that cursors are signed with ([RFC 9865
/// §5](https://www.rfc-editor.org/rfc/rfc9865#section-5)). A client that knows them can forge positions, but
/// gains no rights. They are not printed.
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

/// How often a read-modify-write is attempted when other writes come in between.
pub const CONTENTION_LIMIT: usize = 64;

/// The parts of a resource to return beyond its body. A part that is left out costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Include {
    /// The members of a group.
    pub members: bool,
    /// The groups the resource is a member of, directly or through other groups.
    pub groups: bool,
    /// The never-returned attributes: the hash of the password and other writeOnly values.
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
    /// The never-returned attributes: the hash of the password and other writeOnly values.
    pub never_returned: Object,
    /// What happens to the members. For a resource type without members always
    /// [`MembersWrite::Keep`].
    pub members: MembersWrite,
    /// The paths of the attributes that change, for the audit log; empty on create. A never-returned attribute
    /// that is named here changes the version even if its value stays the same: see [`names_never_returned`].
    pub changed: Vec<Box<str>>,
    /// The parts that the returned resource must have. A store may leave out the members of a large group, as
    /// in [`query`](ResourceStore::query).
    pub include: Include,
}

/// Says whether the changed paths include a never-returned attribute. Such a write changes the version even if
/// the value stays the same. Otherwise a client that may write the attribute but not read it could learn
/// whether it guessed the value.
pub fn names_never_returned<'p>(type_: &CompiledType, mut changed: impl Iterator<Item = &'p str>) -> bool {
    let is_never_returned =
        |path: &str| type_.never_returned_attributes().iter().any(|id| type_.attribute(*id).path() == path);
    changed.any(is_never_returned)
}

/// What a write does to the members of a group. Members that no longer exist when the write
/// happens are left out, as if they had been deleted just after it.
#[derive(Debug, Clone, Default)]
pub enum MembersWrite {
    /// Keeps the members (none, on create).
    #[default]
    Keep,
    /// The group has these members and no others.
    Set(Vec<Member>),
    /// Removes some members, then adds some. Removing an absent member or adding a present one does nothing.
    Change {
        /// The ids of the members to remove; unknown ids are skipped.
        remove: Vec<ResourceId>,
        /// The members to add. A present member keeps its place and takes the new `display` if one is given.
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
    /// In a write: the display name that the client gave. In an answer: that name, or else the `displayName` of
    /// the member.
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

/// The result of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The write was done.
    Done(T),
    /// There is no such resource.
    NotFound,
    /// The resource has this version, and not the expected one.
    Conflict(Version),
}
