//! One transaction of a load.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::ResourceId;
use scim2_server::StoreError;

use super::members::{self, Group};
use super::{Groups, Scope};
use crate::admin::load::{Content, Loaded, PreparedLoad, changed_names, same};
use crate::audit::Entry;
use crate::model::index::{Difference, IndexRow, TypeIndex};
use crate::model::row::{Asked, Found, parse, version_of};
use crate::sqlite::batch::Batch;
use crate::sqlite::members::new_pk;
use crate::sqlite::read;
use crate::sqlite::writer::Fault;

/// The rows of the index are written at the end of the transaction and in their order, so that
/// neighbors are on one page.
pub(super) struct Run<'c> {
    batch: Batch<'c>,
    scope: Scope<'c>,
    /// Whether a resource that differs takes the loaded content.
    replace: bool,
    groups: &'c mut Groups,
    rows: Vec<(IndexRow, i64)>,
    /// The resources that have the unique values among `rows`.
    taken: HashMap<(i64, Vec<u8>), i64>,
}

impl<'c> Run<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        scope: Scope<'c>,
        replace: bool,
        groups: &'c mut Groups,
    ) -> Self {
        let batch = Batch::new(connection, scope.keys);
        Self { batch, scope, replace, groups, rows: Vec::new(), taken: HashMap::new() }
    }

    pub(super) fn run(mut self, loads: impl IntoIterator<Item = PreparedLoad>) -> Result<Vec<Loaded>, Fault> {
        let mut outcomes = Vec::new();
        for mut load in loads {
            let outcome = match load.resource.take() {
                Some(content) => self.resource(&load, content)?,
                None => self.members_alone(&load)?,
            };
            outcomes.push(outcome);
        }
        self.flush()?;
        Ok(outcomes)
    }

    fn resource(&mut self, load: &PreparedLoad, content: Content) -> Result<Loaded, Fault> {
        let holder = self.holder(&content.rows)?;
        if holder.is_none()
            && let Some(pk) = self.insert(load, &content)?
        {
            self.audit("create", load, content.version, "")?;
            for row in content.rows {
                if row.unique {
                    self.taken.insert((row.path, row.value.clone()), pk);
                }
                self.rows.push((row, pk));
            }
            if load.index.resource_type.members().is_some() {
                self.groups.made.insert(pk);
                self.add_members(load, pk)?;
            }
            return Ok(Loaded::Created);
        }
        let number = load.index.number;
        let there = if content.new_id {
            holder.map(|(_, pk)| read::by_pk(self.batch.connection(), pk)).transpose()?.flatten()
        } else {
            read::by_id(self.batch.connection(), self.scope.tenant, number, load.id.as_str(), Asked::NOTHING)?
        };
        let refused = |path: i64| Ok(Loaded::Refused(StoreError::uniqueness(load.index.spelling(path))));
        match (there, holder) {
            (None, Some((path, _))) => refused(path),
            (None, None) => Ok(Loaded::Refused(StoreError::uniqueness("id"))),
            (Some(there), _) if same(&there, &content).map_err(Fault::Broken)? => {
                self.add_members(load, there.pk)?;
                Ok(Loaded::Unchanged)
            }
            (Some(_), _) if !self.replace => {
                self.groups.kept.insert((number, load.id.clone()));
                Ok(Loaded::Differs)
            }
            (Some(there), Some((path, pk))) if pk != there.pk => {
                self.groups.kept.insert((number, load.id.clone()));
                refused(path)
            }
            (Some(there), _) => {
                self.replace(load, &there, &content)?;
                Ok(Loaded::Replaced)
            }
        }
    }

    /// The path and the resource that has a unique value of these rows.
    fn holder(&self, rows: &[IndexRow]) -> Result<Option<(i64, i64)>, Fault> {
        let mut stored = self.batch.prepare(
            "SELECT pk FROM attribute WHERE tenant = ?1 AND path = ?2 AND value = ?3 AND uniq = 1",
        )?;
        for row in rows.iter().filter(|row| row.unique) {
            if let Some(pk) = self.taken.get(&(row.path, row.value.clone())) {
                return Ok(Some((row.path, *pk)));
            }
            let pk = stored.query_row(params![self.scope.tenant, row.path, row.value], |row| row.get(0));
            if let Some(pk) = pk.optional()? {
                return Ok(Some((row.path, pk)));
            }
        }
        Ok(None)
    }

    /// `None` if the id is taken.
    fn insert(&self, load: &PreparedLoad, content: &Content) -> Result<Option<i64>, Fault> {
        let mut insert = self.batch.prepare(concat!(
            "INSERT INTO resource (pk, tenant, type, id, version, created, modified, display, hidden, body) \
                 VALUES (",
            new_pk!(),
            ", ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, type, id) DO NOTHING"
        ))?;
        let inserted = insert.execute(params![
            self.scope.tenant,
            load.index.number,
            load.id.as_str(),
            content.version,
            content.created,
            content.modified,
            content.display.as_deref(),
            content.never_returned,
            content.body
        ])?;
        Ok((inserted > 0).then(|| self.batch.connection().last_insert_rowid()))
    }

    fn replace(&mut self, load: &PreparedLoad, there: &Found, content: &Content) -> Result<(), Fault> {
        // The rows of the old body must be there to be taken away.
        self.flush()?;
        let mut body = parse(content.body.as_bytes()).map_err(Fault::Broken)?;
        let text = if content.new_id {
            body.insert("id", there.id.as_str());
            serde_json::to_string(&body).map_err(|error| Fault::Broken(StoreError::internal(error)))?
        } else {
            content.body.clone()
        };
        let old = parse(&there.body).map_err(Fault::Broken)?;
        let Difference { remove, add } = Difference::new(&load.index.rows(&old), &content.rows);
        self.batch.remove_rows(self.scope.tenant, there.pk, &remove)?;
        self.batch.add_rows(self.scope.tenant, there.pk, &add)?;
        let version = there.version + 1;
        let modified = there.modified.max(self.scope.cx.now.timestamp_millis());
        self.batch
            .prepare(
                "UPDATE resource SET version = ?2, modified = ?3, display = ?4, hidden = coalesce(?5, hidden), \
                 body = ?6 WHERE pk = ?1",
            )?
            .execute(params![
                there.pk,
                version,
                modified,
                content.display.as_deref(),
                content.never_returned,
                text
            ])?;
        let (id, changed) = (there.id.clone(), changed_names(&old, &body));
        self.audit_of(&load.index, &id, "modify", version, &changed)?;
        self.batch
            .prepare("DELETE FROM member WHERE tenant = ?1 AND group_pk = ?2")?
            .execute([self.scope.tenant, there.pk])?;
        self.groups.moved.insert(there.pk);
        self.add_members(load, there.pk)
    }

    fn members_alone(&mut self, load: &PreparedLoad) -> Result<Loaded, Fault> {
        let number = load.index.number;
        if self.groups.kept.contains(&(number, load.id.clone())) {
            return Ok(Loaded::Differs);
        }
        let there = read::by_id(
            self.batch.connection(),
            self.scope.tenant,
            number,
            load.id.as_str(),
            Asked::NOTHING,
        )?;
        let Some(there) = there else {
            return Ok(Loaded::Refused(StoreError::invalid_value("id", "there is no such group")));
        };
        self.add_members(load, there.pk)?;
        Ok(Loaded::Extended)
    }

    fn add_members(&mut self, load: &PreparedLoad, pk: i64) -> Result<(), Fault> {
        let fresh = self.groups.made.contains(&pk);
        let group = Group { pk, index: &load.index, id: load.id.as_str(), fresh };
        members::add(&mut self.batch, self.scope, self.groups, group, &load.members, load.tag)
    }

    fn audit(&mut self, action: &str, load: &PreparedLoad, version: i64, changed: &str) -> Result<(), Fault> {
        self.audit_of(&load.index, &load.id, action, version, changed)
    }

    fn audit_of(
        &mut self,
        index: &TypeIndex,
        id: &ResourceId,
        action: &str,
        version: i64,
        changed: &str,
    ) -> Result<(), Fault> {
        let version = version_of(version);
        let entry = Entry {
            version: version.as_str(),
            changed,
            ..Entry::new(self.scope.cx, action, index.resource_type.name(), id.as_str())
        };
        self.batch.audit(self.scope.tenant, &entry)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.rows.sort_unstable();
        let mut add = self.batch.prepare(
            "INSERT INTO attribute (tenant, path, value, pk, element, uniq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (IndexRow { path, value, element, unique }, pk) in self.rows.drain(..) {
            add.execute(params![self.scope.tenant, path, value, pk, element, unique.then_some(1)])?;
        }
        self.taken.clear();
        Ok(())
    }
}
