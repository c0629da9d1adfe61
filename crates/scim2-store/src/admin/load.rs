//! Loading many resources at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scim2_core::compare::StringRule;
use scim2_core::{CompiledType, Object, ResourceId, Value, Version};
use scim2_server::store::Member;
use scim2_server::{Context, StoreError};

use super::Admin;
use super::engine::Database;
use crate::error::OpenError;
use crate::model::index::{IndexRow, TypeIndex};
use crate::model::row::{Found, parse};
#[cfg(feature = "postgres")]
use crate::postgres::PoolLoader;
use crate::sqlite::load::FileLoader;

/// How a [`Loader`] treats what it finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Whether a resource that is there and differs takes the loaded content. Without it the
    /// resource stays as it is: [`Loaded::Differs`].
    pub replace: bool,
    /// Whether everything is undone at the end: what would be refused is found out and nothing
    /// else is done.
    pub dry_run: bool,
}

/// A resource to be loaded, or members for one that was.
#[derive(Debug)]
#[non_exhaustive]
pub enum Load {
    /// A resource.
    Resource(Box<LoadResource>),
    /// Members that a group gets beside those it has.
    Members {
        /// The resource type of the group.
        resource_type: Arc<CompiledType>,
        /// The id of the group.
        id: ResourceId,
        /// The members; an empty resource type stands for any.
        members: Vec<Member>,
    },
}

/// A resource to be loaded, as [`Write`](scim2_server::store::Write) has it, and what a resource
/// that lived elsewhere before brings with it.
#[derive(Debug)]
pub struct LoadResource {
    /// The resource type.
    pub resource_type: Arc<CompiledType>,
    /// The id.
    pub id: ResourceId,
    /// Whether the id was made just now: the resource is then taken for the one that has its
    /// unique values, if there is one.
    pub new_id: bool,
    /// The attributes in canonical form.
    pub body: Object,
    /// The never-returned attributes: the password's hash.
    pub never_returned: Object,
    /// Whether the never-returned attributes were made just now, and so cannot be compared: a salted hash
    /// of the same password is another one.
    pub new_never_returned: bool,
    /// The members; an empty resource type stands for any. They may be loaded later.
    pub members: Vec<Member>,
    /// When it was created; the time of the load if nobody knows.
    pub created: Option<DateTime<Utc>>,
    /// When it was last changed; when it was created if nobody knows.
    pub last_modified: Option<DateTime<Utc>>,
    /// Its version, kept if it is a number as ours are.
    pub version: Option<Version>,
}

/// What became of a [`Load`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Loaded {
    /// The resource is new.
    Created,
    /// It was there, and is now as loaded.
    Replaced,
    /// It was there as it is.
    Unchanged,
    /// It was there, with other content, which stays. Its members stay too.
    Differs,
    /// Members were added to it, or will be when they are loaded.
    Extended,
    /// It cannot be stored.
    Refused(StoreError),
}

/// A member for which there is no resource at the end of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unresolved {
    /// The `tag` of the load that named it.
    pub tag: u64,
    /// What it was named.
    pub member: String,
    /// Its position among the members of the load, counted from 1.
    pub position: u64,
    /// How many members the load has.
    pub of: u64,
}

/// Makes loads ready, on any thread.
#[derive(Debug, Clone)]
pub struct Preparer {
    indexes: Arc<Vec<Arc<TypeIndex>>>,
    now: i64,
}

/// A [`Load`] with all that could be computed before it is written.
#[derive(Debug)]
pub struct PreparedLoad {
    pub(crate) tag: u64,
    pub(crate) index: Arc<TypeIndex>,
    pub(crate) id: ResourceId,
    pub(crate) members: Vec<Member>,
    /// `None` for members alone.
    pub(crate) resource: Option<Content>,
}

#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) new_id: bool,
    pub(crate) display: Option<Box<str>>,
    pub(crate) never_returned: Option<String>,
    pub(crate) new_never_returned: bool,
    pub(crate) body: String,
    pub(crate) rows: Vec<IndexRow>,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) version: i64,
}

impl Preparer {
    pub(crate) fn new(indexes: Arc<Vec<Arc<TypeIndex>>>, now: i64) -> Self {
        Self { indexes, now }
    }

    /// Makes a load ready. `tag` comes back in [`Unresolved`]: the number of a line.
    ///
    /// # Errors
    /// [`InvalidValue`](scim2_server::StoreErrorKind::InvalidValue) for an id that cannot be looked
    /// up; `Internal` for a resource type that the loader's registry does not have.
    pub fn prepare(&self, tag: u64, load: Load) -> Result<PreparedLoad, StoreError> {
        match load {
            Load::Members { resource_type, id, members } => {
                Ok(PreparedLoad { tag, index: self.index(&resource_type)?, id, members, resource: None })
            }
            Load::Resource(load) => {
                let LoadResource {
                    resource_type,
                    id,
                    new_id,
                    body,
                    never_returned,
                    new_never_returned,
                    members,
                    created,
                    last_modified,
                    version,
                } = *load;
                let index = self.index(&resource_type)?;
                if StringRule::CaseExact.key(id.as_str()) != id.as_str() {
                    return Err(StoreError::invalid_value(
                        "id",
                        "expected an id in Unicode normalization form C",
                    ));
                }
                let created = created.map_or(self.now, |time| time.timestamp_millis());
                let never_returned = if never_returned.is_empty() {
                    None
                } else {
                    Some(serde_json::to_string(&never_returned).map_err(StoreError::internal)?)
                };
                let content = Content {
                    new_id,
                    display: body.get_str("displayName").map(Into::into),
                    never_returned,
                    new_never_returned,
                    rows: index.rows(&body),
                    body: serde_json::to_string(&body).map_err(StoreError::internal)?,
                    created,
                    modified: last_modified.map_or(created, |time| time.timestamp_millis()),
                    version: version.as_ref().and_then(number).unwrap_or(1),
                };
                Ok(PreparedLoad { tag, index, id, members, resource: Some(content) })
            }
        }
    }

    fn index(&self, resource_type: &Arc<CompiledType>) -> Result<Arc<TypeIndex>, StoreError> {
        let known = self.indexes.iter().find(|index| Arc::ptr_eq(&index.resource_type, resource_type));
        known.cloned().ok_or_else(|| StoreError::internal("a resource type of another registry"))
    }
}

impl PreparedLoad {
    /// About how many bytes it takes, for who gathers loads into batches.
    #[must_use]
    pub fn size(&self) -> usize {
        let content =
            self.resource.as_ref().map_or(0, |content| content.body.len() + 100 * content.rows.len());
        256 + content + 150 * self.members.len()
    }
}

/// Whether a resource has the loaded content. Never-returned attributes that the load does not mention are not
/// compared.
pub(crate) fn same(there: &Found, content: &Content) -> Result<bool, StoreError> {
    let bodies = *there.body == *content.body.as_bytes() || {
        let (mut old, mut new) = (parse(&there.body)?, parse(content.body.as_bytes())?);
        if content.new_id {
            old.remove("id");
            new.remove("id");
        }
        old == new
    };
    Ok(bodies
        && match &content.never_returned {
            None => true,
            Some(_) if content.new_never_returned => true,
            Some(new) => match &there.never_returned {
                None => false,
                Some(old) => old == new || parse(old.as_bytes())? == parse(new.as_bytes())?,
            },
        })
}

/// The attributes in which two bodies differ, a line each.
pub(crate) fn changed_names(old: &Object, new: &Object) -> String {
    let gone = old.iter().map(|(name, _)| name).filter(|name| !new.contains(name));
    let (was, is) = (old.get(CompiledType::NESTING), new.get(CompiledType::NESTING));
    let outer = |nesting: Option<&Value>, name: &str| nesting?.as_object()?.get(name).cloned();
    let differs = new
        .iter()
        .filter(|(name, value)| old.get(name) != Some(*value) || outer(was, name) != outer(is, name))
        .map(|(name, _)| name);
    let names = differs.chain(gone).filter(|name| !matches!(*name, "schemas" | "id" | CompiledType::NESTING));
    names.collect::<Vec<&str>>().join("\n")
}

/// The number that a version of ours is.
fn number(version: &Version) -> Option<i64> {
    version.as_str().parse().ok().filter(|number| *number > 0)
}

/// Loads resources into a database in large transactions, with everything that a write of a server
/// makes: index rows, members, audit rows, uniqueness.
///
/// To continue a load that was interrupted, load everything again: what is there is found to be
/// [`Unchanged`](Loaded::Unchanged).
///
/// No server can have a SQLite file open meanwhile, and it is written on the calling thread. What a call of
/// [`load`](Self::load) returned is in the file after a crash of the process, and on the disk after
/// [`finish`](Self::finish).
///
/// Nodes may serve a PostgreSQL database meanwhile. If one of them writes a resource at the same time, the transaction
/// is run again and finds it. Only writes of the same tenant wait, for the audit log, while one of these transactions
/// ends. What a call of [`load`](Self::load) returned is durable.
///
/// # Limits
/// - PostgreSQL: members that come before their resources are kept in memory until [`finish`](Self::finish), some
///   hundred bytes each. In an export they come after them.
/// - PostgreSQL: a dry run is one transaction. Nodes that write the same unique values wait for its end.
///
/// ```
/// use std::sync::Arc;
///
/// use scim2_core::{Registry, ResourceId};
/// use scim2_server::{Context, TenantId};
/// use scim2_store::{Admin, Load, LoadOptions, LoadResource, Loaded};
///
/// # futures_executor::block_on(async {
/// let folder = tempfile::tempdir()?;
/// let registry = Arc::new(Registry::standard());
/// let cx = Context::new(registry, TenantId::default(), "operator", chrono::DateTime::UNIX_EPOCH);
/// let admin = Admin::create(&folder.path().join("scim2.db"))?;
/// let mut loader = admin.loader(&cx, LoadOptions::default()).await?;
/// let user = LoadResource {
///     resource_type: Arc::clone(cx.registry.resource_type("User").expect("a standard type")),
///     id: ResourceId::parse("2819c223")?,
///     new_id: false,
///     body: serde_json::from_str(r#"{"id":"2819c223","userName":"ada"}"#)?,
///     never_returned: Default::default(),
///     new_never_returned: false,
///     members: Vec::new(),
///     created: None,
///     last_modified: None,
///     version: None,
/// };
/// let ready = loader.preparer().prepare(1, Load::Resource(Box::new(user)))?;
/// let outcomes = loader.load(vec![ready]).await?;
/// assert!(matches!(outcomes.as_slice(), [Loaded::Created]));
/// loader.finish(|member| panic!("a user has no members: {member:?}")).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Loader {
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Sqlite(Box<FileLoader>),
    #[cfg(feature = "postgres")]
    Postgres(Box<PoolLoader>),
}

impl Admin {
    /// Begins to load resources. `cx` says for which tenant, in whose name, when, and with which resource types.
    ///
    /// # Errors
    /// See [`OpenErrorKind`](crate::OpenErrorKind); `InUse` if a server has the SQLite file open.
    pub async fn loader(&self, cx: &Context, options: LoadOptions) -> Result<Loader, OpenError> {
        let engine = match &self.database {
            Database::Sqlite { path, audit_keys } => {
                Engine::Sqlite(Box::new(FileLoader::open(path, audit_keys, cx, options)?))
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(pool) => {
                Engine::Postgres(Box::new(PoolLoader::open(pool.clone(), cx, options).await?))
            }
        };
        Ok(Loader { engine })
    }
}

impl Loader {
    /// Prepares loads; clones work on as many threads as there are.
    #[must_use]
    pub fn preparer(&self) -> Preparer {
        match &self.engine {
            Engine::Sqlite(loader) => loader.preparer(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(loader) => loader.preparer(),
        }
    }

    /// How many [bytes](PreparedLoad::size) of loads one transaction should have. A file is written as the loads come,
    /// and only their index rows are kept in memory; for PostgreSQL all of them are.
    #[must_use]
    pub fn transaction_size(&self) -> usize {
        match &self.engine {
            Engine::Sqlite(_) => 96 << 20,
            #[cfg(feature = "postgres")]
            Engine::Postgres(_) => 24 << 20,
        }
    }

    /// Writes loads in one transaction, in their order, and says what became of each. The more come at a time, the
    /// less each costs.
    ///
    /// # Errors
    /// If the database cannot be written: nothing of this call was done then.
    pub async fn load(
        &mut self,
        loads: impl IntoIterator<Item = PreparedLoad>,
    ) -> Result<Vec<Loaded>, StoreError> {
        match &mut self.engine {
            Engine::Sqlite(loader) => loader.load(loads),
            #[cfg(feature = "postgres")]
            Engine::Postgres(loader) => loader.load(loads.into_iter().collect()).await,
        }
    }

    /// Adds the members that came before their resources, reports those whose resources did not come, and makes
    /// everything durable.
    ///
    /// # Errors
    /// If the database cannot be written; what was loaded before stays.
    pub async fn finish(self, unresolved: impl FnMut(Unresolved)) -> Result<(), StoreError> {
        match self.engine {
            Engine::Sqlite(loader) => loader.finish(unresolved),
            #[cfg(feature = "postgres")]
            Engine::Postgres(loader) => loader.finish(unresolved).await,
        }
    }
}
