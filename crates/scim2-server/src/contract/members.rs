//! Checks of members and their groups.

use std::sync::Arc;

use super::{Bench, Check, MEMBERS, done, holds, member, member_ids, resource_id, same, store_error};
use crate::store::{Comparison, Include, Member, MemberTarget, MembersWrite, Outcome, ResourceStore, Write};

/// Users `u1` to `u4`, with display names, and a group `g1` without members.
async fn set_up<S: ResourceStore>(bench: &Bench<S>) -> Check {
    for n in 1..=4 {
        let name = format!("user-{n}");
        bench.create(bench.user(&format!("u{n}"), &name, &format!(r#","displayName":"User {n}""#))?).await?;
    }
    bench.create(bench.group("g1", "Group 1")?).await?;
    Ok(())
}

fn users(ids: &[&str]) -> Result<Vec<Member>, String> {
    ids.iter().map(|id| member(id, "User")).collect()
}

fn add(ids: &[&str]) -> Result<MembersWrite, String> {
    Ok(MembersWrite::Change { remove: Vec::new(), add: users(ids)? })
}

fn remove(ids: &[&str]) -> Result<MembersWrite, String> {
    let remove = ids.iter().map(|id| resource_id(id)).collect::<Result<_, _>>()?;
    Ok(MembersWrite::Change { remove, add: Vec::new() })
}

pub(super) async fn members_are_compared<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let named = Member { display: Some("Chief".into()), ..member("u2", "User")? };
    let added = vec![member("u3", "User")?, named, member("u1", "User")?];
    let added = MembersWrite::Change { remove: Vec::new(), add: added };
    let group = bench.change_members("g1", added).await?;
    let type_ = Arc::clone(bench.type_("Group")?);
    let compare = async |group: &str, ids: &[&str]| {
        let ids = ids.iter().map(|id| resource_id(id)).collect::<Result<Vec<_>, String>>()?;
        bench.store.compare_members(&bench.cx(), &type_, group, &ids).await.map_err(store_error)
    };
    let target = |name: &str| MemberTarget { resource_type: "User".into(), display: Some(name.into()) };
    let expected = Comparison {
        version: group.version.clone(),
        stay: vec![(2, target("Chief")), (1, target("User 1"))],
        leave: vec![resource_id("u3")?],
    };
    let found = compare("g1", &["u4", "u1", "u2", "nobody"]).await?;
    same("members compared with others", found, Some(expected))?;
    let everybody = ["u3", "u2", "u1"].iter().map(|id| resource_id(id)).collect::<Result<_, String>>()?;
    let expected = Comparison { version: group.version, stay: Vec::new(), leave: everybody };
    same("members compared with nobody", compare("g1", &[]).await?, Some(expected))?;
    same("a group that is not there", compare("g9", &["u1"]).await?, None)?;
    same("a user is not a group", compare("u1", &["u1"]).await?, None)
}

pub(super) async fn members_are_set_and_changed<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let created = bench
        .create(Write {
            members: MembersWrite::Set(users(&["u1", "u2"])?),
            include: MEMBERS,
            ..bench.group("g2", "Group 2")?
        })
        .await?;
    same("the members of a new group", sorted(member_ids(&created)), vec!["u1", "u2"])?;
    let group = bench.change_members("g2", add(&["u3", "u1"])?).await?;
    same("the members after an add", sorted(member_ids(&group)), vec!["u1", "u2", "u3"])?;
    let group = bench.change_members("g2", remove(&["u1", "u4", "nobody"])?).await?;
    same("the members after a remove", sorted(member_ids(&group)), vec!["u2", "u3"])?;
    let group = bench.change_members("g2", MembersWrite::Set(users(&["u4", "u2"])?)).await?;
    same("the members after a set", sorted(member_ids(&group)), vec!["u2", "u4"])?;
    let write = Write {
        members: MembersWrite::Change { remove: vec![resource_id("u2")?], add: users(&["u1"])? },
        changed: vec!["displayName".into()],
        include: MEMBERS,
        ..bench.group("g2", "Renamed")?
    };
    let group = done(bench.store.replace(&bench.cx(), &group.version, write).await.map_err(store_error)?)?;
    same("the members after a replace", sorted(member_ids(&group)), vec!["u1", "u4"])?;
    let types: Vec<&str> = group.members.iter().flatten().map(|member| &*member.resource_type).collect();
    same("the types of the members", types, vec!["User", "User"])?;
    let unasked = bench.retrieve("Group", "g2", Include::default()).await?;
    same("the members of an answer that did not ask", unasked.members, None)?;
    let group = bench.change_members("g2", MembersWrite::Set(Vec::new())).await?;
    same("the members after an empty set", member_ids(&group), Vec::new())
}

pub(super) async fn members_that_do_not_exist_are_left_out<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let group = bench.change_members("g1", add(&["u1", "nobody"])?).await?;
    same("the members after an add", member_ids(&group), vec!["u1"])?;
    let group = bench.change_members("g1", MembersWrite::Set(users(&["nobody", "u2"])?)).await?;
    same("the members after a set", member_ids(&group), vec!["u2"])?;
    let other = bench.cx_of("other", 0);
    let write = bench.user("foreign", "foreign", "")?;
    bench.store.create(&other, write).await.map_err(store_error)?;
    let group = bench.change_members("g1", add(&["foreign"])?).await?;
    same("the members after an add of another tenant's user", member_ids(&group), vec!["u2"])
}

pub(super) async fn members_that_change_nothing_keep_the_version<S: ResourceStore>(
    bench: &Bench<S>,
) -> Check {
    set_up(bench).await?;
    let group = bench.change_members("g1", add(&["u1", "u2"])?).await?;
    let nothing = [
        MembersWrite::Keep,
        add(&["u2"])?,
        remove(&["u3", "nobody"])?,
        add(&["nobody"])?,
        MembersWrite::Set(users(&["u2", "u1"])?),
    ];
    for write in nothing {
        let what = format!("the version after {write:?}");
        let same_group = bench.change_members("g1", write).await?;
        same(&what, &same_group.version, &group.version)?;
        same("`lastModified`", same_group.last_modified, group.last_modified)?;
    }
    let write = Write { members: MembersWrite::Set(users(&["u1", "u2"])?), ..bench.group("g1", "Group 1")? };
    let later = bench.cx_of("default", 120);
    let replaced = done(bench.store.replace(&later, &group.version, write).await.map_err(store_error)?)?;
    same("the version after a replace by the same", replaced.version, group.version)
}

pub(super) async fn members_show_their_name_or_the_given_one<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    bench.create(bench.user("u5", "nameless", "")?).await?;
    let mut members = users(&["u1", "u2", "u5"])?;
    if let Some(member) = members.get_mut(1) {
        member.display = Some("Given".into());
    }
    let group = bench.change_members("g1", MembersWrite::Set(members)).await?;
    let display = |id: &str| {
        let members = group.members.iter().flatten();
        members.filter(|member| member.value.as_str() == id).find_map(|member| member.display.clone())
    };
    same("the name of a member", display("u1").as_deref(), Some("User 1"))?;
    same("the name that was given", display("u2").as_deref(), Some("Given"))?;
    same("the name of a member that has none", display("u5"), None)?;
    // A write without `display` keeps it. A write with another one changes the group.
    let kept = bench.change_members("g1", add(&["u2"])?).await?;
    same("the version", &kept.version, &group.version)?;
    let renamed = Member { display: Some("Other".into()), ..member("u2", "User")? };
    let change = MembersWrite::Change { remove: Vec::new(), add: vec![renamed] };
    let changed = bench.change_members("g1", change).await?;
    holds("another display is another version", changed.version != group.version)?;
    let shown = changed.members.iter().flatten().any(|member| member.display.as_deref() == Some("Other"));
    holds("the other display is shown", shown)
}

pub(super) async fn members_may_need_the_present_version<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let first = bench.retrieve("Group", "g1", Include::default()).await?;
    let second = bench.change_members("g1", add(&["u1"])?).await?;
    let (cx, type_) = (bench.cx(), bench.type_("Group")?);
    let write =
        bench.store.write_members(&cx, type_, "g1", Some(&first.version), add(&["u2"])?, MEMBERS).await;
    match write.map_err(store_error)? {
        Outcome::Conflict(version) => same("the version in the conflict", &version, &second.version)?,
        other => return Err(format!("expected a conflict, found {other:?}")),
    }
    let write =
        bench.store.write_members(&cx, type_, "g1", Some(&second.version), add(&["u2"])?, MEMBERS).await;
    same("the members", sorted(member_ids(&done(write.map_err(store_error)?)?)), vec!["u1", "u2"])?;
    let gone = bench.store.write_members(&cx, type_, "g9", None, add(&["u2"])?, MEMBERS).await;
    holds("a write to no group is NotFound", matches!(gone.map_err(store_error)?, Outcome::NotFound))
}

pub(super) async fn a_member_change_moves_the_group_alone<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let (group, user) = (
        bench.retrieve("Group", "g1", Include::default()).await?,
        bench.retrieve("User", "u1", Include::default()).await?,
    );
    let changed = bench.change_members("g1", add(&["u1"])?).await?;
    holds("the group has another version", changed.version != group.version)?;
    same("the group's `lastModified`", changed.last_modified, bench.cx_of("default", 60).now)?;
    let member = bench.retrieve("User", "u1", Include::default()).await?;
    same("the member's version", &member.version, &user.version)?;
    same("the member's `lastModified`", member.last_modified, user.last_modified)
}

pub(super) async fn a_deleted_member_leaves_its_groups<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let before = bench.change_members("g1", add(&["u1", "u2"])?).await?;
    let deleted = bench.store.delete(&bench.cx_of("default", 90), bench.type_("User")?, "u1", None).await;
    done(deleted.map_err(store_error)?)?;
    let after = bench.retrieve("Group", "g1", MEMBERS).await?;
    same("the members", member_ids(&after), vec!["u2"])?;
    holds("the group has another version", after.version != before.version)?;
    same("the group's `lastModified`", after.last_modified, bench.cx_of("default", 90).now)
}

pub(super) async fn a_deleted_group_leaves_its_members<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    bench.create(bench.group("g2", "Group 2")?).await?;
    bench.change_members("g1", add(&["u1"])?).await?;
    bench.change_members("g2", MembersWrite::Set(vec![member("g1", "Group")?])).await?;
    done(bench.store.delete(&bench.cx(), bench.type_("Group")?, "g1", None).await.map_err(store_error)?)?;
    same("the groups of the member", groups(bench, "u1").await?, Vec::new())?;
    let outer = bench.retrieve("Group", "g2", MEMBERS).await?;
    same("the members of the outer group", member_ids(&outer), Vec::new())
}

pub(super) async fn members_resolve_to_their_types<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let ids = [resource_id("g1")?, resource_id("nobody")?, resource_id("u1")?];
    let targets = bench.store.resolve_members(&bench.cx(), &ids).await.map_err(store_error)?;
    let found: Vec<Option<(&str, Option<&str>)>> = targets
        .iter()
        .map(|target| target.as_ref().map(|target| (&*target.resource_type, target.display.as_deref())))
        .collect();
    same(
        "what the ids point to",
        found,
        vec![Some(("Group", Some("Group 1"))), None, Some(("User", Some("User 1")))],
    )?;
    let other = bench.store.resolve_members(&bench.cx_of("other", 0), &ids).await.map_err(store_error)?;
    holds("another tenant sees none of them", other.iter().all(Option::is_none))
}

pub(super) async fn groups_are_direct_or_indirect<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    for n in 2..=4 {
        bench.create(bench.group(&format!("g{n}"), &format!("Group {n}"))?).await?;
    }
    bench.change_members("g1", add(&["u1"])?).await?;
    bench.change_members("g2", MembersWrite::Set(vec![member("g1", "Group")?])).await?;
    bench
        .change_members("g3", MembersWrite::Set(vec![member("g2", "Group")?, member("u1", "User")?]))
        .await?;
    let expected = [("g1", true), ("g2", false), ("g3", true)].map(|(id, direct)| (id.to_owned(), direct));
    same("the groups of a user", groups(bench, "u1").await?, expected.to_vec())?;
    same("the groups of a user in none", groups(bench, "u2").await?, Vec::new())?;

    let include = Include { groups: true, ..Include::default() };
    let stored = bench.retrieve("User", "u1", include).await?;
    if let Some(mut groups) = stored.groups {
        groups.sort_by(|a, b| a.value.cmp(&b.value));
        let found: Vec<_> = groups.iter().map(|group| (group.value.to_string(), group.direct)).collect();
        same("the groups in an answer", found, expected.to_vec())?;
        let named = groups.iter().all(|group| group.display.is_some() && &*group.resource_type == "Group");
        holds("each group has its type and name", named)?;
    }
    Ok(())
}

pub(super) async fn what_is_shown_of_groups_is_of_now<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    bench.create(bench.group("g2", "Group 2")?).await?;
    bench.change_members("g1", add(&["u1"])?).await?;
    shown(bench, &["g1 Group 1"]).await?;
    let group = bench.retrieve("Group", "g1", Include::default()).await?;
    let renamed = bench.group("g1", "Renamed")?;
    done(bench.store.replace(&bench.cx(), &group.version, renamed).await.map_err(store_error)?)?;
    shown(bench, &["g1 Renamed"]).await?;
    bench.change_members("g2", MembersWrite::Set(vec![member("g1", "Group")?])).await?;
    shown(bench, &["g1 Renamed", "g2 Group 2"]).await?;
    done(bench.store.delete(&bench.cx(), bench.type_("Group")?, "g2", None).await.map_err(store_error)?)?;
    shown(bench, &["g1 Renamed"]).await?;
    done(bench.store.delete(&bench.cx(), bench.type_("Group")?, "g1", None).await.map_err(store_error)?)?;
    shown(bench, &[]).await
}

/// The groups of `u1` as reads that follow each other show them, if the store computes them.
async fn shown<S: ResourceStore>(bench: &Bench<S>, expected: &[&str]) -> Check {
    let include = Include { groups: true, ..Include::default() };
    for _ in 0..3 {
        let found = bench.store.retrieve_streamed(&bench.cx(), bench.type_("User")?, "u1", include).await;
        let found = found.map_err(store_error)?.ok_or("the user is gone")?;
        if let Some(groups) = found.resource.groups {
            let groups = groups
                .iter()
                .map(|group| format!("{} {}", group.value, group.display.as_deref().unwrap_or("")));
            let mut groups: Vec<String> = groups.collect();
            groups.sort();
            same(
                "the groups of a user now",
                groups,
                expected.iter().map(|&group| group.to_owned()).collect(),
            )?;
        }
    }
    Ok(())
}

pub(super) async fn groups_in_a_circle_end<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    bench.create(bench.group("g2", "Group 2")?).await?;
    let groups_and_user = vec![member("g2", "Group")?, member("u1", "User")?];
    bench.change_members("g1", MembersWrite::Set(groups_and_user)).await?;
    bench
        .change_members("g2", MembersWrite::Set(vec![member("g1", "Group")?, member("g2", "Group")?]))
        .await?;
    let expected = vec![("g1".to_owned(), true), ("g2".to_owned(), false)];
    same("the groups of a user", groups(bench, "u1").await?, expected)?;
    same("the groups of a group in a circle", groups(bench, "g1").await?, vec![("g2".to_owned(), true)])
}

/// The ids of the groups of a resource, sorted, and whether it is a direct member.
async fn groups<S: ResourceStore>(bench: &Bench<S>, id: &str) -> Result<Vec<(String, bool)>, String> {
    let groups = bench.store.groups_of(&bench.cx(), &resource_id(id)?).await.map_err(store_error)?;
    let mut found: Vec<_> = groups.iter().map(|group| (group.value.to_string(), group.direct)).collect();
    found.sort();
    Ok(found)
}

fn sorted(mut ids: Vec<&str>) -> Vec<&str> {
    ids.sort_unstable();
    ids
}
