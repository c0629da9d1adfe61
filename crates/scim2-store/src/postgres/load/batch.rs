//! One transaction of a load: what is there is looked up together, what is new is written together.

use std::collections::{HashMap, HashSet};

use scim2_core::ResourceId;
use scim2_server::StoreError;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::audit::Log;
use super::members::{self, Waiting};
use super::{Groups, Scope};
use crate::admin::load::{Content, Loaded, PreparedLoad, changed_names, same};
use crate::model::index::{Difference, IndexRow};
use crate::model::row::{Found, columns, parse};
use crate::postgres::attribute::{add_rows, remove_rows, removing};
use crate::postgres::connection::Statement;
use crate::postgres::fault::Fault;
use crate::postgres::read;

/// A value that one resource may have.
type Unique = (i64, Vec<u8>);

pub(super) struct Run<'a> {
    scope: Scope<'a>,
    groups: &'a mut Groups,
    log: Log<'a>,
    /// What was there when the transaction began to look, by type and id.
    there: HashMap<(i64, ResourceId), Found>,
    holders: HashMap<Unique, i64>,
    /// What this transaction has changed of that: it is looked up again.
    written: HashSet<(i64, ResourceId)>,
    taken: HashSet<Unique>,
    new: Vec<New<'a>>,
    members: Vec<Waiting>,
    missing: Vec<Waiting>,
}

/// A resource that will be inserted: no other has its id or unique values.
struct New<'a> {
    load: &'a PreparedLoad,
    content: &'a Content,
}

impl<'a> Run<'a> {
    pub(super) fn new(scope: Scope<'a>, groups: &'a mut Groups) -> Self {
        Self {
            scope,
            groups,
            log: Log::new(scope.cx),
            there: HashMap::new(),
            holders: HashMap::new(),
            written: HashSet::new(),
            taken: HashSet::new(),
            new: Vec::new(),
            members: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// What became of each load, and the members that wait for their resources.
    pub(super) async fn run(
        mut self,
        loads: &'a [PreparedLoad],
    ) -> Result<(Vec<Loaded>, Vec<Waiting>), Fault> {
        self.look_up(loads).await?;
        let mut outcomes = Vec::with_capacity(loads.len());
        for load in loads {
            if self.was_written(load) {
                self.flush().await?;
                self.look_up(std::slice::from_ref(load)).await?;
            }
            outcomes.push(match &load.resource {
                Some(content) => self.resource(load, content).await?,
                None => self.members_alone(load).await?,
            });
        }
        self.flush().await?;
        let Self { scope, log, missing, .. } = self;
        log.write(scope).await?;
        Ok((outcomes, missing))
    }

    async fn resource(&mut self, load: &'a PreparedLoad, content: &'a Content) -> Result<Loaded, Fault> {
        let number = load.index.number;
        let key = (number, load.id.clone());
        let unique = content.rows.iter().filter(|row| row.unique);
        let holder = unique.map(unique_value).find_map(|value| Some((value.0, *self.holders.get(&value)?)));
        let there = match (content.new_id, holder) {
            (true, Some((_, pk))) => {
                let mut found = read::by_pks(self.scope.connection, self.scope.tenant, &[pk], None).await?;
                found.remove(&pk)
            }
            (true, None) => None,
            (false, _) => self.there.get(&key).cloned(),
        };
        let refused = |path: i64| Loaded::Refused(StoreError::uniqueness(load.index.spelling(path)));
        Ok(match (there, holder) {
            (None, None) => {
                self.log.add("create", &load.index, load.id.as_str(), content.version, "");
                self.written.insert(key);
                self.taken.extend(content.rows.iter().filter(|row| row.unique).map(unique_value));
                self.new.push(New { load, content });
                Loaded::Created
            }
            (None, Some((path, _))) => refused(path),
            (Some(there), _) if same(&there, content)? => {
                self.add_members(load, there.pk).await?;
                Loaded::Unchanged
            }
            (Some(_), _) if !self.scope.options.replace => {
                self.groups.kept.insert(key);
                Loaded::Differs
            }
            (Some(there), Some((path, pk))) if pk != there.pk => {
                self.groups.kept.insert(key);
                refused(path)
            }
            (Some(there), _) => self.replace(load, &there, content).await?,
        })
    }

    async fn replace(
        &mut self,
        load: &'a PreparedLoad,
        there: &Found,
        content: &Content,
    ) -> Result<Loaded, Fault> {
        const REPLACE: Statement = Statement {
            text: "UPDATE resource SET version = $3 + 1, modified = greatest(modified, $4), display = $5, \
                    hidden = coalesce($6, hidden), body = $7 WHERE tenant = $1 AND pk = $2 AND version = $3 RETURNING 1",
            types: &[Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::BYTEA, Type::TEXT, Type::TEXT],
        };
        const FORGET: Statement = Statement {
            text: "DELETE FROM member WHERE tenant = $1 AND group_pk = $2",
            types: &[Type::INT8, Type::INT8],
        };
        let Scope { connection, tenant, cx, .. } = self.scope;
        let (old, mut body) = (parse(&there.body)?, parse(content.body.as_bytes())?);
        if content.new_id {
            body.insert("id", there.id.as_str());
        }
        let text = serde_json::to_string(&body).map_err(StoreError::internal)?;
        let display = content.display.as_deref().map(str::as_bytes);
        let now = cx.now.timestamp_millis();
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&tenant, &there.pk, &there.version, &now, &display, &content.never_returned, &text];
        if connection.query(&REPLACE, &values).await?.is_empty() {
            // A node wrote it since it was looked up.
            return Err(Fault::Overtaken);
        }
        let old_rows = load.index.rows(&old);
        let Difference { remove, add } = Difference::new(&old_rows, &content.rows);
        remove_rows(connection, &removing(connection).await?, tenant, there.pk, &remove).await?;
        if !add_rows(connection, tenant, there.pk, &add).await?.is_empty() {
            return Err(Fault::Overtaken);
        }
        let changed = changed_names(&old, &body);
        self.log.add("modify", &load.index, there.id.as_str(), there.version + 1, &changed);
        self.written.insert((load.index.number, there.id.clone()));
        self.taken.extend(old_rows.iter().chain(&content.rows).filter(|row| row.unique).map(unique_value));
        if load.index.resource_type.members().is_some() {
            connection.query(&FORGET, &[&tenant, &there.pk]).await?;
            self.groups.moved.insert(there.pk);
            self.add_members(load, there.pk).await?;
        }
        Ok(Loaded::Replaced)
    }

    async fn members_alone(&mut self, load: &'a PreparedLoad) -> Result<Loaded, Fault> {
        let key = (load.index.number, load.id.clone());
        if self.groups.kept.contains(&key) {
            return Ok(Loaded::Differs);
        }
        let Some(pk) = self.there.get(&key).map(|found| found.pk) else {
            return Ok(Loaded::Refused(StoreError::invalid_value("id", "there is no such group")));
        };
        self.add_members(load, pk).await?;
        Ok(Loaded::Extended)
    }

    /// Gives the members of a load their places in a group.
    async fn add_members(&mut self, load: &PreparedLoad, group: i64) -> Result<(), Fault> {
        const LAST: Statement = Statement {
            text: "SELECT max(added) FROM member WHERE tenant = $1 AND group_pk = $2",
            types: &[Type::INT8, Type::INT8],
        };
        let Scope { connection, tenant, cx, indexes, .. } = self.scope;
        if load.members.is_empty() {
            return Ok(());
        }
        let now = cx.now.timestamp_millis();
        let mut next = match self.groups.next.get(&group) {
            Some(next) => *next,
            None if self.groups.made.contains(&group) => now,
            None => {
                let rows = connection.query(&LAST, &[&tenant, &group]).await?;
                let last: Option<i64> = rows.first().map_or(Ok(None), |row| row.try_get(0))?;
                last.map_or(now, |last| last + 1)
            }
        };
        let of = load.members.len() as u64;
        for (position, member) in (1..).zip(&load.members) {
            let of_type = indexes.iter().find(|index| index.resource_type.name() == &*member.resource_type);
            self.members.push(Waiting {
                group,
                added: next,
                type_number: of_type.map(|index| index.number),
                id: member.value.clone(),
                display: member.display.clone(),
                tag: load.tag,
                position,
                of,
            });
            next += 1;
        }
        self.groups.next.insert(group, next);
        Ok(())
    }

    /// Says whether what a load depends on is not what was looked up.
    fn was_written(&self, load: &PreparedLoad) -> bool {
        let rows = load.resource.iter().flat_map(|content| &content.rows).filter(|row| row.unique);
        self.written.contains(&(load.index.number, load.id.clone()))
            || rows.map(unique_value).any(|value| self.taken.contains(&value))
    }

    async fn look_up(&mut self, loads: &[PreparedLoad]) -> Result<(), Fault> {
        const BY_ID: Statement = Statement {
            text: concat!(
                "SELECT ",
                columns!(),
                ", r.type FROM unnest($2::bigint[], $3::text[]) AS i (type, id) \
                 JOIN resource r ON r.tenant = $1 AND r.type = i.type AND r.id = i.id"
            ),
            types: &[Type::INT8, Type::INT8_ARRAY, Type::TEXT_ARRAY],
        };
        const HOLDERS: Statement = Statement {
            text: "SELECT a.path, a.value, a.pk FROM unnest($2::bigint[], $3::bytea[]) AS u (path, value) \
                   JOIN attribute a ON a.tenant = $1 AND a.path = u.path AND a.value = u.value AND a.uniq",
            types: &[Type::INT8, Type::INT8_ARRAY, Type::BYTEA_ARRAY],
        };
        let Scope { connection, tenant, .. } = self.scope;
        let known = loads.iter().filter(|load| load.resource.as_ref().is_none_or(|content| !content.new_id));
        let (types, ids): (Vec<i64>, Vec<&str>) =
            known.map(|load| (load.index.number, load.id.as_str())).unzip();
        for row in connection.query(&BY_ID, &[&tenant, &types, &ids]).await? {
            let found = read::found(&row)?;
            self.there.insert((row.try_get(8)?, found.id.clone()), found);
        }
        let rows = loads.iter().filter_map(|load| load.resource.as_ref()).flat_map(|content| &content.rows);
        let unique = || rows.clone().filter(|row| row.unique);
        let paths: Vec<i64> = unique().map(|row| row.path).collect();
        let values: Vec<&[u8]> = unique().map(|row| row.value.as_slice()).collect();
        if let [load] = loads {
            // Looked up again: what had a value may have given it up.
            for row in load.resource.iter().flat_map(|content| &content.rows) {
                self.holders.remove(&unique_value(row));
            }
        }
        for row in connection.query(&HOLDERS, &[&tenant, &paths, &values]).await? {
            self.holders.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
        Ok(())
    }

    /// Inserts what is new, and then the members that were given places.
    async fn flush(&mut self) -> Result<(), Fault> {
        let new = std::mem::take(&mut self.new);
        if !new.is_empty() {
            let pks = self.insert(&new).await?;
            let mut rows: Vec<(&IndexRow, i64)> = Vec::new();
            for New { load, content } in &new {
                let pk = *pks.get(&(load.index.number, load.id.clone())).ok_or(Fault::Overtaken)?;
                rows.extend(content.rows.iter().map(|row| (row, pk)));
                if load.index.resource_type.members().is_some() {
                    self.groups.made.insert(pk);
                    self.add_members(load, pk).await?;
                }
            }
            self.index(rows).await?;
        }
        let members = std::mem::take(&mut self.members);
        let missing = members::add(self.scope, self.groups, &members, &mut self.log).await?;
        self.missing.extend(missing);
        Ok(())
    }

    /// Inserts resources and returns their numbers.
    async fn insert(&self, new: &[New<'_>]) -> Result<HashMap<(i64, ResourceId), i64>, Fault> {
        const INSERT: Statement = Statement {
            text: "INSERT INTO resource (tenant, type, id, version, created, modified, display, hidden, body) \
                   SELECT $1, n.type, n.id, n.version, n.created, n.modified, n.display, n.hidden, n.body \
                   FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], \
                    $8::text[], $9::text[]) WITH ORDINALITY \
                    AS n (type, id, version, created, modified, display, hidden, body, at) ORDER BY n.at \
                   ON CONFLICT (tenant, type, id) DO NOTHING RETURNING pk, id, type",
            types: &[
                Type::INT8,
                Type::INT8_ARRAY,
                Type::TEXT_ARRAY,
                Type::INT8_ARRAY,
                Type::INT8_ARRAY,
                Type::INT8_ARRAY,
                Type::BYTEA_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
            ],
        };
        let types: Vec<i64> = new.iter().map(|new| new.load.index.number).collect();
        let ids: Vec<&str> = new.iter().map(|new| new.load.id.as_str()).collect();
        let numbers = |of: fn(&Content) -> i64| new.iter().map(|new| of(new.content)).collect::<Vec<i64>>();
        let (versions, created) = (numbers(|content| content.version), numbers(|content| content.created));
        let modified = numbers(|content| content.modified);
        let displays: Vec<Option<&[u8]>> =
            new.iter().map(|new| new.content.display.as_deref().map(str::as_bytes)).collect();
        let never_returned: Vec<Option<&str>> =
            new.iter().map(|new| new.content.never_returned.as_deref()).collect();
        let bodies: Vec<&str> = new.iter().map(|new| new.content.body.as_str()).collect();
        let Scope { connection, tenant, .. } = self.scope;
        let rows = connection
            .query(
                &INSERT,
                &[&tenant, &types, &ids, &versions, &created, &modified, &displays, &never_returned, &bodies],
            )
            .await?;
        rows.iter().map(|row| Ok(((row.try_get(2)?, read::id(row, 1)?), row.try_get(0)?))).collect()
    }

    /// Inserts rows of the index, in their order: neighbors are on one page, and those who insert
    /// the same unique values wait for each other in one direction.
    async fn index(&self, mut rows: Vec<(&IndexRow, i64)>) -> Result<(), Fault> {
        const INSERT: Statement = Statement {
            text: "INSERT INTO attribute (tenant, path, value, pk, element, uniq) \
                   SELECT $1, n.path, n.value, n.pk, n.element, n.uniq FROM unnest($2::bigint[], $3::bytea[], \
                    $4::bigint[], $5::bigint[], $6::boolean[]) AS n (path, value, pk, element, uniq)",
            types: &[
                Type::INT8,
                Type::INT8_ARRAY,
                Type::BYTEA_ARRAY,
                Type::INT8_ARRAY,
                Type::INT8_ARRAY,
                Type::BOOL_ARRAY,
            ],
        };
        rows.sort_unstable();
        let numbers = |of: fn(&(&IndexRow, i64)) -> i64| rows.iter().map(of).collect::<Vec<i64>>();
        let (paths, pks) = (numbers(|(row, _)| row.path), numbers(|(_, pk)| *pk));
        let elements = numbers(|(row, _)| row.element);
        let values: Vec<&[u8]> = rows.iter().map(|(row, _)| row.value.as_slice()).collect();
        let unique: Vec<bool> = rows.iter().map(|(row, _)| row.unique).collect();
        let Scope { connection, tenant, .. } = self.scope;
        let inserted = connection.query(&INSERT, &[&tenant, &paths, &values, &pks, &elements, &unique]).await;
        match inserted {
            // A node took one of the values since it was looked for.
            Err(Fault::Database(error)) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                Err(Fault::Overtaken)
            }
            inserted => inserted.map(|_| ()),
        }
    }
}

fn unique_value(row: &IndexRow) -> Unique {
    (row.path, row.value.clone())
}
