//! The contract of [`ResourceStore`] as checks that run on any store.
//!
//! ```
//! use scim2_server::{MemoryStore, contract};
//! # use futures_util::FutureExt;
//!
//! # async {
//! // Each check gets a store of its own, without resources.
//! let failures = contract::run(|| async { MemoryStore::new() }).await;
//! assert!(failures.is_empty(), "{failures:#?}");
//! # }.now_or_never().expect("a store in memory never waits");
//! ```
//!
//! The checks need no runtime of their own; run them on the runtime of the store.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use scim2_core::{CompiledType, Object, Registry, ResourceId};

use crate::context::{Context, TenantId};
use crate::store::{
    Include, Member, MembersWrite, Outcome, ResourceStore, StoreError, StoredResource, Write,
};

mod members;
mod queries;
mod resources;

/// A rule of the contract that a store breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The name of the check.
    pub check: &'static str,
    /// What was expected, and what the store did.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.message)
    }
}

/// The result of a check.
type Check = Result<(), String>;

macro_rules! checks {
    ($($module:ident: $($check:ident),+;)+) => {
        /// Runs every check, each on a store made for it, and returns those that fail.
        pub async fn run<S, F>(store: impl Fn() -> F) -> Vec<Failure>
        where
            S: ResourceStore,
            F: Future<Output = S>,
        {
            let mut failures = Vec::new();
            $($(
                if let Err(message) = $module::$check(&Bench::new(store().await)).await {
                    failures.push(Failure { check: stringify!($check), message });
                }
            )+)+
            failures
        }

        /// The names of all checks.
        pub const CHECKS: &[&str] = &[$($(stringify!($check),)+)+];
    };
}

checks! {
    resources:
        a_created_resource_is_retrieved,
        never_returned_attributes_come_only_when_asked_for,
        what_is_not_there_is_none,
        resource_types_are_apart,
        tenants_are_apart,
        a_replace_needs_the_present_version,
        a_replace_that_changes_nothing_keeps_the_version,
        a_version_never_comes_again,
        a_deleted_resource_is_gone,
        a_delete_may_need_the_present_version,
        unique_values_are_refused_on_create,
        unique_values_are_refused_on_replace,
        unique_values_are_free_again_after_delete,
        a_list_is_in_order_of_id;
    members:
        members_are_compared,
        members_are_set_and_changed,
        members_that_do_not_exist_are_left_out,
        members_that_change_nothing_keep_the_version,
        members_show_their_name_or_the_given_one,
        members_may_need_the_present_version,
        a_member_change_moves_the_group_alone,
        a_deleted_member_leaves_its_groups,
        a_deleted_group_leaves_its_members,
        members_resolve_to_their_types,
        groups_are_direct_or_indirect,
        what_is_shown_of_groups_is_of_now,
        groups_in_a_circle_end;
    queries:
        a_query_pages_in_order_of_id,
        a_query_counts_without_a_page,
        a_query_filters,
        a_query_filters_by_what_is_computed,
        a_query_sorts_with_missing_values_at_the_end,
        a_query_sorts_descending_with_missing_values_first,
        a_query_sorts_by_the_primary_value,
        a_query_walks_by_position,
        a_page_ends_when_it_is_full,
        a_walk_loses_and_repeats_nothing,
        a_query_covers_several_types,
        a_query_sees_its_tenant_alone,
        a_query_stops_at_the_scan_limit;
}

/// A store, and what the checks need.
struct Bench<S> {
    store: S,
    registry: Arc<Registry>,
}

impl<S: ResourceStore> Bench<S> {
    fn new(store: S) -> Self {
        Self { store, registry: Arc::new(Registry::standard()) }
    }

    fn cx(&self) -> Context {
        self.cx_of("default", 0)
    }

    /// The context of a tenant, some seconds after the first.
    fn cx_of(&self, tenant: &str, seconds: i64) -> Context {
        Context {
            base_url: "https://example.com/scim/v2".into(),
            ..Context::new(
                Arc::clone(&self.registry),
                TenantId::parse(tenant).unwrap_or_default(),
                "contract",
                DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600 + seconds),
            )
        }
    }

    fn type_(&self, name: &str) -> Result<&Arc<CompiledType>, String> {
        self.registry.resource_type(name).ok_or_else(|| format!("the registry has no {name}"))
    }

    /// A User to be stored; `attributes` are further ones as JSON.
    fn user(&self, id: &str, user_name: &str, attributes: &str) -> Result<Write, String> {
        self.write("User", id, &format!(r#"{{"userName":"{user_name}"{attributes}}}"#))
    }

    fn group(&self, id: &str, name: &str) -> Result<Write, String> {
        self.write("Group", id, &format!(r#"{{"displayName":"{name}"}}"#))
    }

    fn write(&self, type_: &str, id: &str, attributes: &str) -> Result<Write, String> {
        let resource_type = Arc::clone(self.type_(type_)?);
        let attributes: Object = serde_json::from_str(attributes).map_err(|error| error.to_string())?;
        let mut body = Object::new();
        body.insert("schemas", vec![resource_type.schema().as_str()]);
        body.insert("id", id);
        body.extend(attributes);
        Ok(Write {
            resource_type,
            id: resource_id(id)?,
            body,
            never_returned: Object::new(),
            members: MembersWrite::Keep,
            changed: Vec::new(),
            include: Include::default(),
        })
    }

    async fn create(&self, write: Write) -> Result<StoredResource, String> {
        self.store.create(&self.cx(), write).await.map_err(store_error)
    }

    async fn retrieve(&self, type_: &str, id: &str, include: Include) -> Result<StoredResource, String> {
        let found =
            self.store.retrieve(&self.cx(), self.type_(type_)?, id, include).await.map_err(store_error)?;
        found.ok_or_else(|| format!("expected the {type_} `{id}`, found none"))
    }

    async fn exists(&self, type_: &str, id: &str) -> Result<bool, String> {
        let include = Include::default();
        let found =
            self.store.retrieve(&self.cx(), self.type_(type_)?, id, include).await.map_err(store_error)?;
        Ok(found.is_some())
    }

    /// Changes the members of a group, whatever its version, some seconds after its creation.
    async fn change_members(&self, group: &str, members: MembersWrite) -> Result<StoredResource, String> {
        let (cx, type_) = (self.cx_of("default", 60), self.type_("Group")?);
        let include = Include { members: true, ..Include::default() };
        let outcome = self.store.write_members(&cx, type_, group, None, members, include).await;
        done(outcome.map_err(store_error)?)
    }
}

const MEMBERS: Include = Include { members: true, groups: false, never_returned: false };

fn resource_id(id: &str) -> Result<ResourceId, String> {
    ResourceId::parse(id).map_err(|error| error.to_string())
}

fn member(id: &str, type_: &str) -> Result<Member, String> {
    Ok(Member { value: resource_id(id)?, resource_type: type_.into(), display: None })
}

fn store_error(error: StoreError) -> String {
    let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("the store failed: {error}{cause}")
}

fn done<T>(outcome: Outcome<T>) -> Result<T, String> {
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::NotFound => Err("expected a resource, the store has none".to_owned()),
        Outcome::Conflict(version) => Err(format!("expected no conflict, the store has version `{version}`")),
    }
}

/// The ids of the members that an answer holds.
fn member_ids(stored: &StoredResource) -> Vec<&str> {
    stored.members.iter().flatten().map(|member| member.value.as_str()).collect()
}

/// A string of a body, empty if it has none.
fn text(stored: &StoredResource, name: &str) -> Result<String, String> {
    let body = stored.attributes().map_err(store_error)?;
    Ok(body.get_str(name).unwrap_or_default().to_owned())
}

/// Fails a check unless two values are equal.
fn same<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Check {
    if found == expected {
        Ok(())
    } else {
        Err(format!("expected {what} to be {expected:?}, found {found:?}"))
    }
}

/// Fails a check unless something holds.
fn holds(what: &str, holds: bool) -> Check {
    if holds { Ok(()) } else { Err(format!("expected that {what}")) }
}
