//! Writes. Each is a transaction of its own.
//!
//! A write is refused if another node has changed the indexed attributes of its resource type. An advisory lock,
//! which writes share and such a change holds exclusively, keeps them the same until the commit.

use std::sync::Arc;

use futures_util::future::{join, join3};
use scim2_core::{Object, ResourceId, Version};
use scim2_server::store::{Include, MembersWrite, Outcome, StoredResource};
use scim2_server::{Context, StoreError};
use tokio_postgres::types::Type;

use super::attribute::{Columns, add_rows, missing, remove_rows, removing};
use super::audit::Auditing;
use super::connection::{Connection, Ready, Share, Statement, Value};
use super::fault::Fault;
use super::ids::check_generation;
use super::lock::Lock;
use super::members::{self, Change, Changing};
use super::read::{self, More};
use crate::audit::Entry;
use crate::model::content::Content;
use crate::model::index::{Difference, TypeIndex};
use crate::model::row::{Asked, Found, columns, parse, version_of};
use crate::spool::MAX_INLINE_MEMBERS;

/// A resource to be written.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) cx: Context,
    pub(crate) index: Arc<TypeIndex>,
    pub(crate) tenant: i64,
    pub(crate) content: Content,
    /// The attributes of the content.
    pub(crate) body: Object,
    /// The changed paths, one in a line.
    pub(crate) changed: String,
    pub(crate) include: Include,
}

impl Writing {
    fn now(&self) -> i64 {
        self.cx.now.timestamp_millis()
    }

    fn entry<'a>(&'a self, action: &'a str, version: &'a Version) -> Entry<'a> {
        Entry {
            version: version.as_str(),
            changed: &self.changed,
            ..Entry::new(&self.cx, action, self.index.resource_type.name(), self.content.id.as_str())
        }
    }

    /// The resource as it will be stored, without members if there are many.
    async fn stored(&self, connection: &Connection, row: Row) -> Result<StoredResource, Fault> {
        let Row { pk, version, created, modified } = row;
        let found = Found {
            pk,
            id: self.content.id.clone(),
            version,
            created,
            modified,
            never_returned: self.content.never_returned.clone(),
            body: self.content.body.clone(),
            within: None,
        };
        let asked = Asked::new(&self.index, self.include);
        let mut more = More::read_up_to(connection, self.tenant, &[pk], asked, MAX_INLINE_MEMBERS).await?;
        Ok(more.stored(found, &self.index, self.include)?)
    }
}

/// The columns of a resource that are not its content.
#[derive(Clone, Copy)]
struct Row {
    pk: i64,
    version: i64,
    created: i64,
    modified: i64,
}

/// Begins a transaction that writes resources of a type, and checks that the type is still indexed as this node
/// knows it.
#[derive(Debug)]
struct Beginning<'i> {
    index: &'i TypeIndex,
    text: String,
    generation: Ready<'static>,
}

impl<'i> Beginning<'i> {
    async fn ready(connection: &Connection, index: &'i TypeIndex) -> Result<Self, Fault> {
        const GENERATION: Statement =
            Statement { text: "SELECT generation FROM type WHERE number = $1", types: &[Type::INT8] };
        let text = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {}",
            Lock::Resources(index.number).shared()
        );
        Ok(Self { index, text, generation: connection.ready(&GENERATION).await? })
    }

    /// Sent when first polled.
    async fn send(&self, connection: &Connection) -> Result<(), Fault> {
        let (begun, rows) =
            join(connection.begin_with(&self.text), connection.send(&self.generation, &[&self.index.number]))
                .await;
        begun?;
        check_generation(self.index, &rows?)
    }
}

pub(crate) async fn create(
    share: &Share<'_>,
    writing: &Writing,
    change: &Change,
) -> Result<StoredResource, Fault> {
    // If the id or a unique value is taken, nothing is inserted.
    const CREATE: Statement = Statement {
        text: "WITH new AS ( \
                INSERT INTO resource (tenant, type, id, version, created, modified, display, hidden, body) \
                VALUES ($1, $2, $3, 1, $4, $4, $5, $6, $7) \
                ON CONFLICT (tenant, type, id) DO NOTHING RETURNING pk \
               ), added AS ( \
                INSERT INTO attribute (tenant, path, value, pk, element, uniq) \
                SELECT $1, n.path, n.value, new.pk, n.element, n.uniq FROM new CROSS JOIN \
                 unnest($8::bigint[], $9::bytea[], $10::bigint[], $11::boolean[]) AS n (path, value, element, uniq) \
                ON CONFLICT (tenant, path, value) WHERE uniq DO NOTHING RETURNING path, value, element \
               ) \
               SELECT added.path, added.value, added.element, new.pk FROM new LEFT JOIN added ON TRUE",
        types: &[
            Type::INT8,
            Type::INT8,
            Type::TEXT,
            Type::INT8,
            Type::BYTEA,
            Type::TEXT,
            Type::TEXT,
            Type::INT8_ARRAY,
            Type::BYTEA_ARRAY,
            Type::INT8_ARRAY,
            Type::BOOL_ARRAY,
        ],
    };
    let connection = &share.take().await?;
    let Writing { index, tenant, content, .. } = writing;
    let now = writing.now();
    let rows = index.rows(&writing.body);
    let beginning = Beginning::ready(connection, index).await?;
    let create = connection.ready(&CREATE).await?;
    let changing = Changing::ready(connection).await?;
    let audit = Auditing::ready(connection).await?;
    let located = if change.is_empty() {
        None
    } else {
        beginning.send(connection).await?;
        Some(members::locate(connection, *tenant, change).await?)
    };
    let Columns { paths, values, elements, unique } = Columns::new(&rows);
    let display = content.display.as_deref().map(str::as_bytes);
    let body = body(content)?;
    let id = content.id.as_str();
    let values: [Value<'_>; 11] = [
        tenant,
        &index.number,
        &id,
        &now,
        &display,
        &content.never_returned,
        &body,
        &paths,
        &values,
        &elements,
        &unique,
    ];
    let created = connection.send(&create, &values);
    let created = if located.is_some() {
        created.await?
    } else {
        let (begun, created) = join(beginning.send(connection), created).await;
        begun?;
        created?
    };
    let Some(first) = created.first() else { return Err(StoreError::uniqueness("id").into()) };
    let pk = first.try_get(3)?;
    if !rows.is_empty() {
        let nothing = first.try_get::<_, Option<i64>>(0)?.is_none();
        let added = if nothing { &[] } else { created.as_slice() };
        if let Some(taken) = missing(&rows, added)?.first() {
            return Err(StoreError::uniqueness(index.spelling(taken.path)).into());
        }
    }
    if let Some(located) = &located {
        changing.run(connection, *tenant, pk, now, located).await?;
    }
    let stored = writing.stored(connection, Row { pk, version: 1, created: now, modified: now }).await?;
    let version = version_of(1);
    let entry = writing.entry("create", &version);
    let more = (index.number, 1);
    let logged = audit.log_count(connection, *tenant, more, &entry);
    let (logged, committed) = join(logged, connection.commit()).await;
    logged?;
    committed?;
    Ok(stored)
}

fn body(content: &Content) -> Result<&str, StoreError> {
    std::str::from_utf8(&content.body).map_err(StoreError::internal)
}

/// Locks a resource, if it exists.
async fn lock(
    connection: &Connection,
    statement: &Statement,
    tenant: i64,
    type_number: i64,
    id: &str,
) -> Result<Option<Found>, Fault> {
    if id.contains('\0') {
        return Ok(None);
    }
    let rows = connection.query(statement, &[&tenant, &type_number, &id]).await?;
    rows.first().map(read::found).transpose()
}

/// Others may add it as a member meanwhile.
const LOCK_TO_CHANGE: Statement = Statement {
    text: concat!(
        "SELECT ",
        columns!(),
        " FROM resource r WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 FOR NO KEY UPDATE"
    ),
    types: &[Type::INT8, Type::INT8, Type::TEXT],
};

const LOCK_TO_DELETE: Statement = Statement {
    text: concat!(
        "SELECT ",
        columns!(),
        " FROM resource r WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 FOR UPDATE"
    ),
    types: &[Type::INT8, Type::INT8, Type::TEXT],
};

const MOVE: Statement = Statement {
    text: "UPDATE resource SET version = $3, modified = $4 WHERE tenant = $1 AND pk = $2",
    types: &[Type::INT8, Type::INT8, Type::INT8, Type::INT8],
};

/// `change` was computed from the expected version.
pub(crate) async fn replace(
    share: &Share<'_>,
    writing: &Writing,
    expected: &Version,
    change: &Change,
) -> Result<Outcome<StoredResource>, Fault> {
    const REPLACE: Statement = Statement {
        text: "UPDATE resource SET version = $3, modified = $4, display = $5, hidden = $6, body = $7 \
               WHERE tenant = $1 AND pk = $2",
        types: &[Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::BYTEA, Type::TEXT, Type::TEXT],
    };
    let connection = &share.take().await?;
    let Writing { index, tenant, content, .. } = writing;
    let now = writing.now();
    let changing = Changing::ready(connection).await?;
    let removing = removing(connection).await?;
    let replacing = connection.ready(&REPLACE).await?;
    let moving = connection.ready(&MOVE).await?;
    let audit = Auditing::ready(connection).await?;
    Beginning::ready(connection, index).await?.send(connection).await?;
    let located = members::locate(connection, *tenant, change).await?;
    let id = content.id.as_str();
    let Some(old) = lock(connection, &LOCK_TO_CHANGE, *tenant, index.number, id).await? else {
        return Ok(Outcome::NotFound);
    };
    let version = version_of(old.version);
    if version != *expected {
        return Ok(Outcome::Conflict(version));
    }
    let mut row = Row { pk: old.pk, version: old.version, created: old.created, modified: old.modified };
    let difference = content.difference(
        index,
        &writing.body,
        &writing.changed,
        &old.body,
        old.never_returned.as_deref(),
    )?;
    let members = changing.run(connection, *tenant, row.pk, now, &located).await?;
    if !members && difference.is_none() {
        return Ok(Outcome::Done(writing.stored(connection, row).await?));
    }
    row.version += 1;
    // `meta.lastModified` never goes back, even if the clock does or another node's clock is ahead.
    row.modified = row.modified.max(now);
    if let Some(Difference { remove, add }) = difference {
        remove_rows(connection, &removing, *tenant, row.pk, &remove).await?;
        if let Some(taken) = add_rows(connection, *tenant, row.pk, &add).await?.first() {
            return Err(StoreError::uniqueness(index.spelling(taken.path)).into());
        }
        let display = content.display.as_deref().map(str::as_bytes);
        let body = body(content)?;
        connection
            .send(
                &replacing,
                &[tenant, &row.pk, &row.version, &row.modified, &display, &content.never_returned, &body],
            )
            .await?;
    } else {
        connection.send(&moving, &[tenant, &row.pk, &row.version, &row.modified]).await?;
    }
    let stored = writing.stored(connection, row).await?;
    let version = version_of(row.version);
    let entry = writing.entry("modify", &version);
    let (logged, committed) = join(audit.log(connection, *tenant, &entry), connection.commit()).await;
    logged?;
    committed?;
    Ok(Outcome::Done(stored))
}

/// A change of members only.
#[derive(Debug)]
pub(crate) struct MembersChange {
    pub(crate) cx: Context,
    pub(crate) index: Arc<TypeIndex>,
    pub(crate) tenant: i64,
    pub(crate) id: String,
    pub(crate) expected: Option<Version>,
    pub(crate) members: MembersWrite,
    pub(crate) include: Include,
}

pub(crate) async fn write_members(
    share: &Share<'_>,
    write: &MembersChange,
) -> Result<Outcome<StoredResource>, Fault> {
    let MembersChange { cx, index, tenant, id, expected, members, include } = write;
    let connection = &share.take().await?;
    // A set of members becomes a change of the members that the group has in one version.
    let (change, basis) = match members {
        MembersWrite::Keep => (Change::default(), None),
        MembersWrite::Change { remove, add } => (Change { remove: remove.clone(), add: add.clone() }, None),
        MembersWrite::Set(members) => {
            let Some((old, change)) = planned(connection, *tenant, index.number, id, members.clone()).await?
            else {
                return Ok(Outcome::NotFound);
            };
            (change, Some(old))
        }
    };
    let changing = Changing::ready(connection).await?;
    let moving = connection.ready(&MOVE).await?;
    let audit = Auditing::ready(connection).await?;
    connection.begin().await?;
    let located = members::locate(connection, *tenant, &change).await?;
    let Some(mut found) = lock(connection, &LOCK_TO_CHANGE, *tenant, index.number, id).await? else {
        return Ok(Outcome::NotFound);
    };
    let version = version_of(found.version);
    if expected.as_ref().is_some_and(|expected| *expected != version) {
        return Ok(Outcome::Conflict(version));
    }
    if basis.is_some_and(|basis| basis != found.version) {
        return Err(Fault::Overtaken);
    }
    let now = cx.now.timestamp_millis();
    let changed = changing.run(connection, *tenant, found.pk, now, &located).await?;
    let asked = Asked::new(index, *include);
    let mut more = More::read_up_to(connection, *tenant, &[found.pk], asked, MAX_INLINE_MEMBERS).await?;
    if !changed {
        return Ok(Outcome::Done(more.stored(found, index, *include)?));
    }
    found.version += 1;
    found.modified = found.modified.max(now);
    let version = version_of(found.version);
    let attribute = index.resource_type.members().map(|id| index.resource_type.attribute(id).path());
    let entry = Entry {
        version: version.as_str(),
        changed: attribute.unwrap_or_default(),
        ..Entry::new(cx, "modify", index.resource_type.name(), id)
    };
    let (moved, logged, committed) = join3(
        connection.send(&moving, &[tenant, &found.pk, &found.version, &found.modified]),
        audit.log(connection, *tenant, &entry),
        connection.commit(),
    )
    .await;
    moved?;
    logged?;
    committed?;
    Ok(Outcome::Done(more.stored(found, index, *include)?))
}

/// The change that gives a group these members, and the version that it was computed from; `None` if the group does
/// not exist.
pub(crate) async fn planned(
    connection: &Connection,
    tenant: i64,
    type_number: i64,
    id: &str,
    members: Vec<scim2_server::store::Member>,
) -> Result<Option<(i64, Change)>, Fault> {
    connection.begin_snapshot().await?;
    let found = read::by_id(connection, tenant, type_number, id).await?;
    let planned = match found {
        None => None,
        Some(found) => {
            let change = members::difference(connection, tenant, found.pk, members).await?;
            Some((found.version, change))
        }
    };
    connection.commit().await?;
    Ok(planned)
}

/// A resource to be deleted.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub(crate) cx: Context,
    pub(crate) index: Arc<TypeIndex>,
    pub(crate) tenant: i64,
    pub(crate) id: String,
    pub(crate) expected: Option<Version>,
}

/// `true` if members are left to the cleanup.
pub(crate) async fn delete(share: &Share<'_>, deletion: &Deletion) -> Result<Outcome<bool>, Fault> {
    const DELETE: Statement = Statement {
        text: "DELETE FROM resource WHERE tenant = $1 AND pk = $2",
        types: &[Type::INT8, Type::INT8],
    };
    let Deletion { cx, index, tenant, id, expected } = deletion;
    let connection = &share.take().await?;
    let removing = removing(connection).await?;
    let deleting = connection.ready(&DELETE).await?;
    let audit = Auditing::ready(connection).await?;
    Beginning::ready(connection, index).await?.send(connection).await?;
    let Some(found) = lock(connection, &LOCK_TO_DELETE, *tenant, index.number, id).await? else {
        return Ok(Outcome::NotFound);
    };
    let version = version_of(found.version);
    if expected.as_ref().is_some_and(|expected| *expected != version) {
        return Ok(Outcome::Conflict(version));
    }
    let rows = index.rows(&parse(&found.body)?);
    let left = members::forget(connection, *tenant, found.pk, cx.now.timestamp_millis()).await?;
    remove_rows(connection, &removing, *tenant, found.pk, &rows).await?;
    let entry = Entry::new(cx, "delete", index.resource_type.name(), id);
    let (deleted, logged, committed) = join3(
        connection.send(&deleting, &[tenant, &found.pk]),
        audit.log_count(connection, *tenant, (index.number, -1), &entry),
        connection.commit(),
    )
    .await;
    deleted?;
    logged?;
    committed?;
    Ok(Outcome::Done(left))
}

/// The change of members of a replacement, computed from one version.
pub(crate) async fn plan_replacement(
    share: &Share<'_>,
    tenant: i64,
    index: &TypeIndex,
    id: &ResourceId,
    members: MembersWrite,
) -> Result<Option<Change>, Fault> {
    Ok(match members {
        MembersWrite::Keep => Some(Change::default()),
        MembersWrite::Change { remove, add } => Some(Change { remove, add }),
        MembersWrite::Set(members) => {
            let connection = share.take().await?;
            let planned = planned(&connection, tenant, index.number, id.as_str(), members).await?;
            planned.map(|(_, change)| change)
        }
    })
}
