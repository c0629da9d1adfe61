//! Makes derived data again (index rows, display names, counts) and removes memberships of resources that do not exist.

use std::fmt;
use std::sync::Arc;

use scim2_server::{Context, StoreErrorKind};

use super::dump;
use super::engine::AnySession;
use super::fsck::{self, FsckOptions, Miscounted, Report, counted};
use crate::audit::Entry;
use crate::model::index::{IndexRow, TypeIndex};
use crate::model::row::{parse, version_of};
use crate::session::{Fault, Row, Session as _, Transaction};
use crate::sql::{Param, Sql, blob, display, integer};

/// What a repair did, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// What did not agree before.
    pub before: Report,
    /// What was done, a line each.
    pub done: Vec<String>,
    /// The faults that are left, because no other data says what was there: a body that is not JSON, a broken chain of
    /// the audit log. Restore a backup for these.
    pub after: Report,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before: _, done, after } = self;
        done.iter().try_for_each(|line| writeln!(f, "repaired: {line}"))?;
        after.fmt(f)
    }
}

/// Checks, repairs in one transaction, and checks again. The session keeps others from writing meanwhile.
pub(super) async fn repair(session: &mut AnySession, cx: &Context) -> Result<Repair, Fault> {
    let options = FsckOptions::default();
    let before = fsck::check(session, &cx.registry, &options).await?;
    if before.is_clean() {
        return Ok(Repair { after: before.clone(), before, done: Vec::new() });
    }
    let mut repairs = Repairs { session, cx, done: Vec::new() };
    let done = match repairs.all(&before).await {
        Ok(()) => repairs.done,
        // What something would be made again from is on a damaged page.
        Err(fault) if before.broken.file && is_damage(&fault) => {
            let mut after = before.clone();
            after.fault("nothing is repaired while tables cannot be read: restore a backup");
            return Ok(Repair { before, done: Vec::new(), after });
        }
        Err(fault) => return Err(fault),
    };
    let after = fsck::check(session, &cx.registry, &options).await?;
    Ok(Repair { before, done, after })
}

fn is_damage(fault: &Fault) -> bool {
    match fault {
        Fault::Damaged(_) => true,
        Fault::Failed(error) => *error.kind() == StoreErrorKind::Internal,
        Fault::Conflict(_) => false,
    }
}

/// What was found of a resource, if anything.
struct Of<T> {
    tenant: i64,
    pk: i64,
    found: Option<T>,
}

/// The repairs of one transaction, and a line for each that did something.
struct Repairs<'a> {
    session: &'a mut AnySession,
    cx: &'a Context,
    done: Vec<String>,
}

impl Repairs<'_> {
    async fn all(&mut self, before: &Report) -> Result<(), Fault> {
        let mut indexes = Vec::new();
        for resource_type in self.cx.registry.resource_types() {
            indexes.push(self.session.register_type(resource_type).await?);
        }
        self.session.begin(Transaction::Write).await?;
        self.session.lock_all(&indexes).await?;
        if before.broken.file && self.session.reindex().await? {
            self.note(1, "file", ", whose indexes were made again");
        }
        if before.broken.guards {
            let made = self.session.repair_layout().await?;
            self.note(made, "part", " of the layout made again");
        }
        let mut names = 0;
        for index in &indexes {
            names += self.display_names(index).await?;
        }
        self.note(names, "display name", " taken from the bodies");
        let has_unknown = !dump::unknown(self.session, &self.cx.registry, None).await?.is_empty();
        if !has_unknown && (before.broken.index || before.broken.file) {
            // PostgreSQL: TRUNCATE would empty it for queries that are under way.
            self.session.execute(Sql::new("DELETE FROM attribute", [])).await?;
            let mut resources = 0;
            for index in &indexes {
                resources += self.index_rows(index).await?;
            }
            self.note(resources, "resource", " whose index rows were made again");
        }
        let counts = self.counts().await?;
        self.note(counts, "count", " made again");
        let members = self.members().await?;
        self.note(members, "membership", " that led nowhere taken away");
        self.session.commit().await
    }

    /// Notes what was done to a number of things.
    fn note(&mut self, count: usize, one: &str, done: &str) {
        if count > 0 {
            self.done.push(format!("{}{done}", counted(count as u64, one)));
        }
    }

    async fn display_names(&mut self, index: &TypeIndex) -> Result<usize, Fault> {
        let (mut last, mut count) = ((i64::MIN, i64::MIN), 0);
        loop {
            let columns = "tenant, pk, display, body";
            let next = self.session.dialect().resources_after(columns, index.number, last);
            let page = self.session.page(next, |row| {
                let stored = row.display(2)?;
                // A body that is not JSON has no name.
                let body = parse(row.text_bytes(3)?).ok();
                let name = body.map(|body| body.get_str("displayName").map(Box::from));
                Ok(Of { tenant: row.get(0)?, pk: row.get(1)?, found: name.filter(|name| *name != stored) })
            });
            let page = page.await?;
            let Some(resource) = page.last() else { return Ok(count) };
            last = (resource.tenant, resource.pk);
            let wrong = page.into_iter().filter_map(|Of { tenant, pk, found }| {
                Some(vec![display(found?), integer(tenant), integer(pk)])
            });
            let wrong: Vec<Vec<Param>> = wrong.collect();
            count += wrong.len();
            let correct = "UPDATE resource SET display = ? WHERE tenant = ? AND pk = ?";
            self.session.each(correct, wrong, |_| Ok(())).await?;
        }
    }

    /// Makes all rows of a type. To find out which of them are wrong would cost more, and this happens once.
    async fn index_rows(&mut self, index: &Arc<TypeIndex>) -> Result<usize, Fault> {
        let (mut last, mut count) = ((i64::MIN, i64::MIN), 0);
        loop {
            let next = self.session.dialect().resources_after("tenant, pk, body", index.number, last);
            let of_type = Arc::clone(index);
            let page = self.session.page(next, move |row| {
                let rows = parse(row.text_bytes(2)?).ok().map(|body| of_type.rows(&body));
                Ok(Of { tenant: row.get(0)?, pk: row.get(1)?, found: rows })
            });
            let page = page.await?;
            let Some(resource) = page.last() else { return Ok(count) };
            last = (resource.tenant, resource.pk);
            let (mut unique, mut others) = (Vec::new(), Vec::new());
            for Of { tenant, pk, found } in page {
                let Some(rows) = found else { continue };
                count += 1;
                for IndexRow { path, value, element, unique: is_unique } in rows {
                    let row =
                        vec![integer(tenant), integer(path), blob(value), integer(pk), integer(element)];
                    if is_unique { &mut unique } else { &mut others }.push(row);
                }
            }
            let dialect = self.session.dialect();
            let columns = "INSERT INTO attribute (tenant, path, value, pk, element, uniq)";
            // If two resources have a value that only one may have, the older one keeps it.
            let add = format!(
                "{columns} SELECT ?, ?, ?, ?, ?, {} WHERE NOT EXISTS \
                 (SELECT 1 FROM attribute WHERE tenant = ? AND path = ? AND value = ? AND {}) RETURNING 1",
                dialect.unique(),
                dialect.is_unique()
            );
            let runs = unique.iter().map(|row| row.iter().chain(row.iter().take(3)).cloned().collect());
            let added = self.session.each(&add, runs.collect(), |_| Ok(())).await?;
            others.extend(
                unique.into_iter().zip(added).filter(|(_, added)| added.is_none()).map(|(row, _)| row),
            );
            let add = format!("{columns} VALUES (?, ?, ?, ?, ?, {})", dialect.not_unique());
            self.session.each(&add, others, |_| Ok(())).await?;
        }
    }

    /// Corrects what was counted; what waits to be counted stays so.
    async fn counts(&mut self) -> Result<usize, Fault> {
        let wrong = fsck::miscounted(self.session).await?;
        let corrections =
            wrong.iter().map(|Miscounted { tenant, type_number, resources, counted, .. }| {
                vec![integer(*tenant), integer(*type_number), integer(resources - counted)]
            });
        let correct = "INSERT INTO resource_count (tenant, type, resources) VALUES (?, ?, ?) \
                       ON CONFLICT (tenant, type) DO UPDATE SET resources = resource_count.resources + excluded.resources";
        self.session.each(correct, corrections.collect(), |_| Ok(())).await?;
        Ok(wrong.len())
    }

    async fn members(&mut self) -> Result<usize, Fault> {
        let remove = "DELETE FROM member AS m WHERE \
             NOT EXISTS (SELECT 1 FROM resource g WHERE g.tenant = m.tenant AND g.pk = m.group_pk) \
             OR NOT EXISTS (SELECT 1 FROM resource r WHERE r.tenant = m.tenant AND r.pk = m.member_pk) \
             RETURNING tenant, group_pk";
        let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
        let removed = self.session.rows(Sql::new(remove, []), read).await?;
        let mut groups = removed.clone();
        groups.sort_unstable();
        groups.dedup();
        let types = dump::all_types(self.session).await?;
        let now = self.cx.now.timestamp_millis();
        for (tenant, group) in groups {
            let greatest = self.session.dialect().greatest();
            let change = Sql::new(
                format!(
                    "UPDATE resource SET version = version + 1, modified = {greatest}(modified, ?) \
                     WHERE tenant = ? AND pk = ? RETURNING type, id, version"
                ),
                [integer(now), integer(tenant), integer(group)],
            );
            let read =
                |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<String>(1)?, version_of(row.get(2)?)));
            // A group that is not there itself has no version.
            let Some((number, id, version)) = self.session.first(change, read).await? else { continue };
            let name = types.iter().find(|(known, _)| *known == number);
            let name = name.map(|(_, name)| &**name).unwrap_or_default();
            let entry = Entry {
                version: version.as_str(),
                changed: "members",
                ..Entry::new(self.cx, "modify", name, &id)
            };
            self.session.log(tenant, &entry).await?;
        }
        Ok(removed.len())
    }
}
