//! The writes, as the writing thread executes them. Each function checks first and then writes, so that a refused
//! write has changed nothing: see [`Fault`].

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, params};
use scim2_core::Version;
use scim2_server::store::{Include, MembersWrite, Outcome, StoredResource, Write};
use scim2_server::{Context, StoreError};

use super::batch::Batch;
use super::cleanup::Gone;
use super::members::new_pk;
use super::read;
use super::{members, writer::Fault};
use crate::audit::Entry;
use crate::model::content::Content;
use crate::model::ids::IdCache;
use crate::model::index::{Difference, TypeIndex};
use crate::model::row::{Asked, Found, version_of};

/// A resource to be written, with everything that can be computed outside of the writing thread.
pub(crate) struct Prepared {
    cx: Context,
    ids: Arc<IdCache>,
    index: Arc<TypeIndex>,
    tenant: i64,
    content: Content,
    members: MembersWrite,
    changed: String,
    include: Include,
    /// How the index changes; `None` if the attributes stay as they are.
    difference: Option<Difference>,
    /// The version that the difference was computed from; 0 for a new resource.
    old_version: i64,
}

impl Prepared {
    /// A new resource, or one that replaces `old`.
    pub(crate) fn new(
        cx: &Context,
        ids: &Arc<IdCache>,
        index: Arc<TypeIndex>,
        tenant: i64,
        write: Write,
        old: Option<&Found>,
    ) -> Result<Self, StoreError> {
        let Write { resource_type: _, id, body, never_returned, members, changed, include } = write;
        let content = Content::new(id, &body, &never_returned)?;
        let changed = changed.join("\n");
        let difference = match old {
            None => Some(Difference { remove: Vec::new(), add: index.rows(&body) }),
            Some(old) => {
                content.difference(&index, &body, &changed, &old.body, old.never_returned.as_deref())?
            }
        };
        Ok(Self {
            cx: cx.clone(),
            ids: Arc::clone(ids),
            index,
            tenant,
            content,
            members,
            changed,
            include,
            difference,
            old_version: old.map_or(0, |old| old.version),
        })
    }

    fn now(&self) -> i64 {
        self.cx.now.timestamp_millis()
    }

    fn text(&self) -> ToSqlOutput<'_> {
        ToSqlOutput::Borrowed(ValueRef::Text(&self.content.body))
    }

    fn audit(&self, batch: &mut Batch<'_>, action: &str, version: i64) -> Result<(), Fault> {
        let version = version_of(version);
        batch.audit(
            self.tenant,
            &Entry {
                version: version.as_str(),
                changed: &self.changed,
                ..Entry::new(&self.cx, action, self.index.resource_type.name(), self.content.id.as_str())
            },
        )
    }

    /// The resource as it is stored now, without members if there are many. `within` holds its groups if they are
    /// known.
    fn stored(&self, batch: &Batch<'_>, row: Row, within: Option<Vec<i64>>) -> Result<StoredResource, Fault> {
        let Row { pk, version, created, modified } = row;
        let found = Found {
            pk,
            id: self.content.id.clone(),
            version,
            created,
            modified,
            within,
            never_returned: self.content.never_returned.clone(),
            body: self.content.body.clone(),
        };
        Ok(read::written(found, batch.connection(), &self.ids, &self.index, self.tenant, self.include)?)
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

pub(crate) fn create(batch: &mut Batch<'_>, write: &Prepared) -> Result<StoredResource, Fault> {
    let rows = write.difference.as_ref().map_or(&[][..], |difference| &difference.add);
    batch.check_unique(write.tenant, &write.index, rows, None)?;
    let now = write.now();
    let added = batch
        .prepare(concat!(
            "INSERT INTO resource (pk, tenant, type, id, version, created, modified, display, hidden, body) \
                 VALUES (",
            new_pk!(),
            ", ?1, ?2, ?3, 1, ?4, ?4, ?5, ?6, ?7)"
        ))?
        .insert(params![
            write.tenant,
            write.index.number,
            write.content.id.as_str(),
            now,
            write.content.display.as_deref(),
            write.content.never_returned,
            write.text()
        ]);
    let pk = match added {
        // A failed statement has changed nothing.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Err(Fault::Refused(StoreError::uniqueness("id")));
        }
        added => added?,
    };
    batch.add_rows(write.tenant, pk, rows)?;
    members::change(batch, write.tenant, pk, now, &write.members)?;
    write.audit(batch, "create", 1)?;
    // No group can have a member whose id did not exist.
    write.stored(batch, Row { pk, version: 1, created: now, modified: now }, Some(Vec::new()))
}

pub(crate) fn replace(batch: &mut Batch<'_>, write: &Prepared) -> Result<Outcome<StoredResource>, Fault> {
    let mut row = match current(batch, write.tenant, write.index.number, write.content.id.as_str())? {
        None => return Ok(Outcome::NotFound),
        Some(row) if row.version != write.old_version => {
            return Ok(Outcome::Conflict(version_of(row.version)));
        }
        Some(row) => row,
    };
    if let Some(difference) = &write.difference {
        batch.check_unique(write.tenant, &write.index, &difference.add, Some(row.pk))?;
    }
    let members = members::change(batch, write.tenant, row.pk, write.now(), &write.members)?;
    if !members && write.difference.is_none() {
        return Ok(Outcome::Done(write.stored(batch, row, None)?));
    }
    row.version += 1;
    // `meta.lastModified` never goes back, even if the clock does.
    row.modified = row.modified.max(write.now());
    if let Some(difference) = &write.difference {
        batch.remove_rows(write.tenant, row.pk, &difference.remove)?;
        batch.add_rows(write.tenant, row.pk, &difference.add)?;
        batch
            .prepare(
                "UPDATE resource SET version = ?2, modified = ?3, display = ?4, hidden = ?5, body = ?6 \
                 WHERE pk = ?1",
            )?
            .execute(params![
                row.pk,
                row.version,
                row.modified,
                write.content.display.as_deref(),
                write.content.never_returned,
                write.text()
            ])?;
    } else {
        touch(batch, row)?;
    }
    write.audit(batch, "modify", row.version)?;
    Ok(Outcome::Done(write.stored(batch, row, None)?))
}

/// A change of members only.
pub(crate) struct MembersChange {
    pub(crate) cx: Context,
    pub(crate) ids: Arc<IdCache>,
    pub(crate) index: Arc<TypeIndex>,
    pub(crate) tenant: i64,
    pub(crate) id: String,
    pub(crate) expected: Option<Version>,
    pub(crate) members: MembersWrite,
    pub(crate) include: Include,
}

pub(crate) fn write_members(
    batch: &mut Batch<'_>,
    write: &MembersChange,
) -> Result<Outcome<StoredResource>, Fault> {
    let MembersChange { cx, ids, index, tenant, id, expected, members, include } = write;
    let Some(mut row) = current(batch, *tenant, index.number, id)? else {
        return Ok(Outcome::NotFound);
    };
    if let Some(conflict) = conflict(row.version, expected.as_ref()) {
        return Ok(conflict);
    }
    let now = cx.now.timestamp_millis();
    if members::change(batch, *tenant, row.pk, now, members)? {
        row.version += 1;
        row.modified = row.modified.max(now);
        touch(batch, row)?;
        let version = version_of(row.version);
        let attribute = index.resource_type.members().map(|id| index.resource_type.attribute(id).path());
        batch.audit(
            *tenant,
            &Entry {
                version: version.as_str(),
                changed: attribute.unwrap_or_default(),
                ..Entry::new(cx, "modify", index.resource_type.name(), id)
            },
        )?;
    }
    let found = read::by_id(batch.connection(), *tenant, index.number, id, Asked::NOTHING)?;
    Ok(match found {
        None => Outcome::NotFound,
        Some(found) => {
            Outcome::Done(read::written(found, batch.connection(), ids, index, *tenant, *include)?)
        }
    })
}

/// A resource to be deleted.
pub(crate) struct Deletion {
    pub(crate) cx: Context,
    pub(crate) index: Arc<TypeIndex>,
    pub(crate) tenant: i64,
    pub(crate) id: String,
    pub(crate) expected: Option<Version>,
}

/// Returns the group if its members are left to the cleanup.
pub(crate) fn delete(batch: &mut Batch<'_>, deletion: &Deletion) -> Result<Outcome<Option<Gone>>, Fault> {
    let Deletion { cx, index, tenant, id, expected } = deletion;
    let Some(found) = read::by_id(batch.connection(), *tenant, index.number, id, Asked::NOTHING)? else {
        return Ok(Outcome::NotFound);
    };
    if let Some(conflict) = conflict(found.version, expected.as_ref()) {
        return Ok(conflict);
    }
    let body = read::parse(ValueRef::Text(&found.body))?;
    batch.remove_rows(*tenant, found.pk, &index.rows(&body))?;
    let left = members::forget(batch, *tenant, found.pk, cx.now.timestamp_millis())?;
    batch.prepare("DELETE FROM resource WHERE pk = ?1")?.execute([found.pk])?;
    batch.audit(*tenant, &Entry::new(cx, "delete", index.resource_type.name(), id))?;
    Ok(Outcome::Done(left.then_some((*tenant, found.pk))))
}

fn current(batch: &Batch<'_>, tenant: i64, type_number: i64, id: &str) -> Result<Option<Row>, Fault> {
    let mut statement = batch.prepare(
        "SELECT pk, version, created, modified FROM resource WHERE tenant = ?1 AND type = ?2 AND id = ?3",
    )?;
    let mut rows = statement.query(params![tenant, type_number, id])?;
    Ok(match rows.next()? {
        None => None,
        Some(row) => {
            Some(Row { pk: row.get(0)?, version: row.get(1)?, created: row.get(2)?, modified: row.get(3)? })
        }
    })
}

fn conflict<T>(version: i64, expected: Option<&Version>) -> Option<Outcome<T>> {
    let version = version_of(version);
    expected.is_some_and(|expected| *expected != version).then_some(Outcome::Conflict(version))
}

/// Increments the version of a resource whose content stays the same.
fn touch(batch: &Batch<'_>, row: Row) -> Result<(), Fault> {
    batch.prepare("UPDATE resource SET version = ?2, modified = ?3 WHERE pk = ?1")?.execute([
        row.pk,
        row.version,
        row.modified,
    ])?;
    Ok(())
}
