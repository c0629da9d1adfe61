//! Members of loaded groups: those that are there at once, the others when everything is loaded.

use std::collections::{BTreeSet, HashMap};

use scim2_core::ResourceId;
use tokio_postgres::types::Type;

use super::audit::Log;
use super::{Groups, Scope};
use crate::admin::load::Unresolved;
use crate::postgres::connection::Statement;
use crate::postgres::fault::Fault;
use crate::postgres::read::{display, id};

/// A member that is to be added to a group, in its place.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) group: i64,
    pub(super) added: i64,
    /// The number of its resource type; `None` where any will do.
    pub(super) type_number: Option<i64>,
    pub(super) id: ResourceId,
    pub(super) display: Option<Box<str>>,
    pub(super) tag: u64,
    /// Its position among the members of that load, and how many they are.
    pub(super) position: u64,
    pub(super) of: u64,
}

impl Waiting {
    pub(super) fn unresolved(self) -> Unresolved {
        let Self { tag, id, position, of, .. } = self;
        Unresolved { tag, member: id.as_str().to_owned(), position, of }
    }
}

/// What an id of a member stands for.
struct Target {
    pk: i64,
    type_number: i64,
    name: Option<Box<str>>,
}

/// Adds those members whose resources are there and returns the others. Groups that were there
/// before and that change move their version once.
pub(super) async fn add(
    scope: Scope<'_>,
    groups: &mut Groups,
    members: &[Waiting],
    log: &mut Log<'_>,
) -> Result<Vec<Waiting>, Fault> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let targets = targets(scope, members).await?;
    let there = lock(scope, members).await?;
    let mut missing = Vec::new();
    let (mut pks, mut places, mut of, mut displays) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for member in members {
        let fits = |target: &&Target| member.type_number.is_none_or(|number| number == target.type_number);
        let Some(target) = targets.get(&member.id).and_then(|found| found.iter().find(fits)) else {
            missing.push(member.clone());
            continue;
        };
        if there.contains(&member.group) {
            // A display name that equals the member's own was copied from an answer, and is not stored.
            let own = member.display.as_deref().filter(|own| target.name.as_deref() != Some(*own));
            pks.push(target.pk);
            places.push(member.added);
            of.push(member.group);
            displays.push(own.map(|own| own.as_bytes().to_vec()));
        }
    }
    let changed = insert(scope, &of, &places, &pks, &displays).await?;
    let old = changed.into_iter().filter(|group| !groups.made.contains(group) && groups.moved.insert(*group));
    touch(scope, &old.collect::<Vec<_>>(), log).await?;
    Ok(missing)
}

/// What the ids stand for, by type; kept from being deleted before the end of the transaction.
async fn targets(scope: Scope<'_>, members: &[Waiting]) -> Result<HashMap<ResourceId, Vec<Target>>, Fault> {
    const TARGETS: Statement = Statement {
        // Not `ANY($2)`, which may compare each resource with each of thousands of ids.
        text: "SELECT r.id, r.pk, r.type, r.display FROM unnest($2::text[]) AS i (id) CROSS JOIN type t \
                JOIN resource r ON r.tenant = $1 AND r.type = t.number AND r.id = i.id \
                ORDER BY r.pk FOR KEY SHARE OF r",
        types: &[Type::INT8, Type::TEXT_ARRAY],
    };
    let ids: BTreeSet<&str> = members.iter().map(|member| member.id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut targets: HashMap<ResourceId, Vec<Target>> = HashMap::new();
    for row in scope.connection.query(&TARGETS, &[&scope.tenant, &ids]).await? {
        let target = Target { pk: row.try_get(1)?, type_number: row.try_get(2)?, name: display(&row, 3)? };
        targets.entry(id(&row, 0)?).or_default().push(target);
    }
    for found in targets.values_mut() {
        found.sort_by_key(|target| target.type_number);
    }
    Ok(targets)
}

/// Locks the groups that are still there.
async fn lock(scope: Scope<'_>, members: &[Waiting]) -> Result<BTreeSet<i64>, Fault> {
    const LOCK: Statement = Statement {
        text: "SELECT pk FROM resource WHERE tenant = $1 AND pk = ANY($2) ORDER BY pk FOR NO KEY UPDATE",
        types: &[Type::INT8, Type::INT8_ARRAY],
    };
    let groups: BTreeSet<i64> = members.iter().map(|member| member.group).collect();
    let groups: Vec<i64> = groups.into_iter().collect();
    let rows = scope.connection.query(&LOCK, &[&scope.tenant, &groups]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Inserts memberships that are not there yet and returns the groups that got any.
async fn insert(
    scope: Scope<'_>,
    groups: &[i64],
    added: &[i64],
    pks: &[i64],
    displays: &[Option<Vec<u8>>],
) -> Result<Vec<i64>, Fault> {
    const INSERT: Statement = Statement {
        text: "WITH new AS ( \
                INSERT INTO member (tenant, group_pk, added, member_pk, display) \
                SELECT $1, n.group_pk, n.added, n.member_pk, n.display \
                FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[]) \
                 AS n (group_pk, added, member_pk, display) \
                ON CONFLICT (tenant, member_pk, group_pk) DO NOTHING RETURNING group_pk \
               ) SELECT DISTINCT group_pk FROM new ORDER BY group_pk",
        types: &[Type::INT8, Type::INT8_ARRAY, Type::INT8_ARRAY, Type::INT8_ARRAY, Type::BYTEA_ARRAY],
    };
    if pks.is_empty() {
        return Ok(Vec::new());
    }
    let rows = scope.connection.query(&INSERT, &[&scope.tenant, &groups, &added, &pks, &displays]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Moves the version of groups that were there before.
async fn touch(scope: Scope<'_>, groups: &[i64], log: &mut Log<'_>) -> Result<(), Fault> {
    const MOVE: Statement = Statement {
        text: "UPDATE resource SET version = version + 1, modified = greatest(modified, $3) \
               WHERE tenant = $1 AND pk = ANY($2) RETURNING type, id, version",
        types: &[Type::INT8, Type::INT8_ARRAY, Type::INT8],
    };
    if groups.is_empty() {
        return Ok(());
    }
    let now = scope.cx.now.timestamp_millis();
    for row in scope.connection.query(&MOVE, &[&scope.tenant, &groups, &now]).await? {
        let number: i64 = row.try_get(0)?;
        let Some(index) = scope.indexes.iter().find(|index| index.number == number) else { continue };
        let attribute = index.resource_type.members().map(|id| index.resource_type.attribute(id).path());
        log.add("modify", index, row.try_get(1)?, row.try_get(2)?, attribute.unwrap_or_default());
    }
    Ok(())
}
