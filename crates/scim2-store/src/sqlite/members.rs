//! Members as rows: adding or removing one takes the same time in a group of ten and of a million.

use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::ResourceId;
use scim2_server::store::{Member, MembersWrite};

use super::batch::Batch;
use super::read;
use super::writer::Fault;
use crate::model;
use crate::spool::MAX_INLINE_MEMBERS;

/// Changes the members of a group as a write says. `true` if any row changed.
pub(crate) fn change(
    batch: &Batch<'_>,
    tenant: i64,
    group: i64,
    now: i64,
    write: &MembersWrite,
) -> Result<bool, Fault> {
    match write {
        MembersWrite::Keep => Ok(false),
        MembersWrite::Set(members) => {
            let (remove, add) = difference(batch.connection(), tenant, group, members.clone())?;
            change(batch, tenant, group, now, &MembersWrite::Change { remove, add })
        }
        MembersWrite::Change { remove, add } => {
            let mut changed = false;
            for id in remove {
                changed |= remove_one(batch, tenant, group, id)?;
            }
            Ok(add_all(batch, tenant, group, now, add)? || changed)
        }
    }
}

/// The difference between `members` and the members that a group has: see [`model::members`](crate::model::members).
pub(crate) fn difference(
    connection: &Connection,
    tenant: i64,
    group: i64,
    members: Vec<Member>,
) -> rusqlite::Result<(Vec<ResourceId>, Vec<Member>)> {
    let mut statement = connection.prepare_cached(
        "SELECT r.id, m.display FROM member m CROSS JOIN resource r ON r.pk = m.member_pk \
         WHERE m.tenant = ?1 AND m.group_pk = ?2",
    )?;
    let present = statement.query_map([tenant, group], |row| Ok((read::id(row, 0)?, row.get(1)?)))?;
    model::members::difference(members, present)
}

fn add_all(batch: &Batch<'_>, tenant: i64, group: i64, now: i64, members: &[Member]) -> Result<bool, Fault> {
    if members.is_empty() {
        return Ok(false);
    }
    let mut find = batch.prepare(
        "SELECT r.pk FROM type t CROSS JOIN resource r ON r.tenant = ?1 AND r.type = t.number AND r.id = ?3 \
         WHERE t.name = ?2",
    )?;
    // A resource that is a member already keeps its place, and its display name unless a new one is given.
    let mut add = batch.prepare(
        "INSERT INTO member (tenant, group_pk, added, member_pk, display) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant, member_pk, group_pk) DO UPDATE SET display = excluded.display \
         WHERE excluded.display IS NOT NULL AND display IS NOT excluded.display",
    )?;
    let last: Option<i64> = batch
        .prepare("SELECT max(added) FROM member WHERE tenant = ?1 AND group_pk = ?2")?
        .query_row([tenant, group], |row| row.get(0))?;
    let mut added = last.map_or(now, |last| now.max(last + 1));
    let mut changed = false;
    for member in members {
        let pk: Option<i64> = find
            .query_row(params![tenant, &*member.resource_type, member.value.as_str()], |row| row.get(0))
            .optional()?;
        // Leave out a resource that was deleted since it was looked up.
        let Some(pk) = pk else { continue };
        if add.execute(params![tenant, group, added, pk, member.display.as_deref()])? > 0 {
            changed = true;
            added += 1;
        }
    }
    Ok(changed)
}

fn remove_one(batch: &Batch<'_>, tenant: i64, group: i64, id: &ResourceId) -> Result<bool, Fault> {
    let mut find = batch.prepare(
        "SELECT r.pk FROM type t CROSS JOIN resource r ON r.tenant = ?1 AND r.type = t.number AND r.id = ?2",
    )?;
    let pks = find
        .query_map(params![tenant, id.as_str()], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut removed = false;
    for pk in pks {
        removed |= remove_row(batch, tenant, group, pk)?;
    }
    Ok(removed)
}

fn remove_row(batch: &Batch<'_>, tenant: i64, group: i64, member: i64) -> Result<bool, Fault> {
    Ok(batch
        .prepare("DELETE FROM member WHERE tenant = ?1 AND group_pk = ?2 AND member_pk = ?3")?
        .execute([tenant, group, member])?
        > 0)
}

/// The primary key of a new resource: the next one, unless it belonged to a deleted group whose members are not all
/// deleted.
macro_rules! new_pk {
    () => {
        "(SELECT max(g.pk) + 1 FROM pending_deletion g WHERE g.pk > coalesce((SELECT max(pk) FROM resource), 0))"
    };
}

pub(crate) use new_pk;

/// Removes a resource from all groups, which changes their versions, and deletes its own members. `true` if these
/// are so many that the cleanup deletes them later.
pub(crate) fn forget(batch: &Batch<'_>, tenant: i64, pk: i64, now: i64) -> Result<bool, Fault> {
    batch
        .prepare(
            "UPDATE resource SET version = version + 1, modified = max(modified, ?3) \
             WHERE pk IN (SELECT group_pk FROM member WHERE tenant = ?1 AND member_pk = ?2)",
        )?
        .execute([tenant, pk, now])?;
    batch.prepare("DELETE FROM member WHERE tenant = ?1 AND member_pk = ?2")?.execute([tenant, pk])?;
    let few = i64::try_from(MAX_INLINE_MEMBERS).unwrap_or(i64::MAX);
    let many = batch
        .prepare("SELECT 1 FROM member WHERE tenant = ?1 AND group_pk = ?2 LIMIT 1 OFFSET ?3")?
        .exists([tenant, pk, few])?;
    if many {
        batch.prepare("INSERT INTO pending_deletion (pk, tenant) VALUES (?1, ?2)")?.execute([pk, tenant])?;
    } else {
        batch.prepare("DELETE FROM member WHERE tenant = ?1 AND group_pk = ?2")?.execute([tenant, pk])?;
    }
    Ok(many)
}

#[cfg(test)]
mod tests {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
    use scim2_core::Registry;
    use scim2_server::store::Include;

    use super::*;
    use crate::audit::Keyring;
    use crate::model::ids::IdCache;
    use crate::sqlite::{ids, layout};

    const SIZE: i64 = 10_000;

    /// A group with primary key 1, whose members are all users (2 and up) except the last.
    fn directory() -> Connection {
        let mut connection = Connection::open_in_memory().expect("opens");
        layout::migrate(&mut connection).expect("tables");
        connection
            .execute_batch(&format!(
                "INSERT INTO type (number, name) VALUES (1, 'User'), (2, 'Group');
                 INSERT INTO resource (pk, tenant, type, id, version, created, modified, body)
                  VALUES (1, 1, 2, 'g', 1, 0, 0, '{{\"id\":\"g\"}}');
                 WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {SIZE} + 2)
                 INSERT INTO resource (pk, tenant, type, id, version, created, modified, body)
                  SELECT n, 1, 1, 'u' || n, 1, 0, 0, '{{}}' FROM n;
                 INSERT INTO member (tenant, group_pk, added, member_pk)
                  SELECT 1, 1, pk, pk FROM resource WHERE pk BETWEEN 2 AND {SIZE} + 1"
            ))
            .expect("rows");
        connection
    }

    fn user(number: i64) -> Member {
        let value = ResourceId::parse(&format!("u{number}")).expect("an id");
        Member { value, resource_type: "User".into(), display: None }
    }

    fn keys() -> Keyring {
        Keyring::new(b"own", crate::AuditKeys::default())
    }

    /// The number of rows that a change writes.
    fn written(connection: &Connection, write: &MembersWrite) -> u64 {
        let before = connection.total_changes();
        change(&Batch::new(connection, &keys()), 1, 1, 0, write).expect("writes");
        connection.total_changes() - before
    }

    #[test]
    fn a_put_of_ten_thousand_members_with_one_changed_writes_two_rows() {
        let connection = directory();
        let all: Vec<Member> = (3..=SIZE + 2).map(user).collect();
        let (remove, add) = difference(&connection, 1, 1, all.clone()).expect("reads");
        assert_eq!((&remove, &add), (&vec![user(2).value], &vec![user(SIZE + 2)]));
        assert_eq!(written(&connection, &MembersWrite::Change { remove, add }), 2);
        assert_eq!(written(&connection, &MembersWrite::Set(all)), 0);
    }

    #[test]
    fn one_member_is_one_row_in_a_group_of_any_size() {
        let connection = directory();
        let one = MembersWrite::Change { remove: Vec::new(), add: vec![user(SIZE + 2)] };
        assert_eq!(written(&connection, &one), 1);
        assert_eq!(written(&connection, &one), 0);
        let one = MembersWrite::Change { remove: vec![user(17).value], add: Vec::new() };
        assert_eq!(written(&connection, &one), 1);
        assert_eq!(written(&connection, &one), 0);
    }

    #[test]
    fn what_excludes_the_members_reads_none() {
        let mut connection = directory();
        let registry = Registry::standard();
        let type_ = registry.resource_type("Group").expect("a standard type");
        let index = ids::register(&Batch::new(&connection, &keys()), type_, None).expect("registers");
        let deny = |context: AuthContext<'_>| match context.action {
            AuthAction::Read { table_name: "member", .. } => Authorization::Deny,
            _ => Authorization::Allow,
        };
        connection.authorizer(Some(deny)).expect("watches");
        let read = |include: Include| {
            let asked = crate::model::row::Asked::new(&index, include);
            let found = read::by_id(&connection, 1, 2, "g", asked)?.expect("there");
            read::stored(found, &connection, &IdCache::default(), &index, 1, include)
        };
        assert_eq!(read(Include::default()).expect("reads").members, None);
        assert_eq!(read(Include { groups: true, ..Include::default() }).expect("reads").members, None);
        read(Include { members: true, ..Include::default() }).expect_err("reads members");
    }
}
