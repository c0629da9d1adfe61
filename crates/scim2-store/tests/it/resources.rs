//! Resources are read as they were written, with and without members and groups.

use scim2_core::Version;
use scim2_server::store::{Body, Include, MembersWrite, Outcome, StoredResource, Write};
use scim2_server::{ResourceStore, StoreErrorKind, TenantId};

use crate::common::{block_on, context, group, id, member, object, on_each_engine, time, type_of, user};

on_each_engine!(
    a_resource_is_read_as_it_was_written,
    a_replacement_moves_the_version_and_frees_the_name,
    members_are_added_removed_and_kept_in_place,
    a_set_of_members_writes_only_what_differs,
    groups_are_found_through_groups_and_cycles_end,
    a_deletion_takes_memberships_along,
    a_list_is_in_order_of_id_and_goes_on_behind_any,
);

const ALL: Include = Include { members: true, groups: true, never_returned: true };

fn json(resource: &StoredResource) -> String {
    match &resource.body {
        Body::Json(bytes) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        Body::Object(object) => object.to_string(),
    }
}

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("{other:?}"),
    }
}

fn member_ids(resource: &StoredResource) -> Vec<&str> {
    resource.members.as_deref().expect("asked for").iter().map(|member| member.value.as_str()).collect()
}

fn a_resource_is_read_as_it_was_written(store: &impl ResourceStore) {
    block_on(async {
        let cx = context();
        let users = type_of(&cx, "User");
        let write = Write { never_returned: object(r#"{"password":"hash"}"#), ..user(&cx, "u1", "Ada") };
        let created = store.create(&cx, write.clone()).await.expect("creates");
        let read = store.retrieve(&cx, &users, "u1", ALL).await.expect("reads").expect("there");
        assert_eq!(json(&read), write.body.to_string());
        assert_eq!(json(&read), json(&created));
        assert_eq!((read.created, read.last_modified), (time(0), time(0)));
        assert_eq!(read.version, created.version);
        assert_eq!(read.never_returned, Some(write.never_returned));
        assert_eq!(read.groups, Some(Vec::new()));
        assert!(read.members.is_none(), "a user has none");
        for other in ["U1", "u", "", "/", "\0"] {
            assert!(store.retrieve(&cx, &users, other, ALL).await.expect("reads").is_none(), "{other:?}");
        }
        assert!(store.retrieve(&cx, &type_of(&cx, "Group"), "u1", ALL).await.expect("reads").is_none());
        let other = scim2_server::Context { tenant: TenantId::parse("other").expect("a name"), ..cx.clone() };
        assert!(store.retrieve(&other, &users, "u1", ALL).await.expect("reads").is_none());
        store.create(&other, user(&other, "u1", "ada")).await.expect("another tenant's names are free");
        let error = store.create(&cx, user(&cx, "u1", "bob")).await.expect_err("the id is taken");
        assert_eq!(*error.kind(), StoreErrorKind::Uniqueness("id".into()));
    });
}

fn a_replacement_moves_the_version_and_frees_the_name(store: &impl ResourceStore) {
    block_on(async {
        let mut cx = context();
        let first = store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        cx.now = time(60);
        let second =
            done(store.replace(&cx, &first.version, user(&cx, "u1", "ADA2")).await.expect("replaces"));
        assert_ne!(second.version, first.version);
        assert_eq!((second.created, second.last_modified), (time(0), time(60)));
        let conflict = store.replace(&cx, &first.version, user(&cx, "u1", "ada3")).await.expect("answers");
        assert!(matches!(conflict, Outcome::Conflict(version) if version == second.version));
        let missing = store.replace(&cx, &first.version, user(&cx, "u9", "ada3")).await.expect("answers");
        assert!(matches!(missing, Outcome::NotFound));
        store.create(&cx, user(&cx, "u2", "Ada")).await.expect("the old name is free");
        let taken = store.create(&cx, user(&cx, "u3", "ada2")).await.expect_err("the new one is not");
        assert_eq!(*taken.kind(), StoreErrorKind::Uniqueness("userName".into()));
        let same =
            done(store.replace(&cx, &second.version, user(&cx, "u1", "ada2")).await.expect("its own name"));
        assert_ne!(same.version, second.version);
    });
}

fn members_are_added_removed_and_kept_in_place(store: &impl ResourceStore) {
    block_on(async {
        let cx = context();
        for n in 1..=4 {
            store.create(&cx, user(&cx, &format!("u{n}"), &format!("user{n}"))).await.expect("creates");
        }
        let write = Write { include: ALL, ..group(&cx, "g1", &["u3", "u1", "gone", "u1"]) };
        let first = store.create(&cx, write).await.expect("creates");
        assert_eq!(member_ids(&first), ["u3", "u1"], "one that is not there is left out");
        let display = first.members.as_deref().expect("asked for")[0].display.as_deref();
        assert_eq!(display, Some("D user3"), "the member's own name");

        let mut renamed = member("User", "u1");
        renamed.display = Some("One".into());
        let change = MembersWrite::Change {
            remove: vec![id("u3"), id("u4"), id("gone")],
            add: vec![member("User", "u2"), renamed.clone()],
        };
        let write = Write { members: change.clone(), include: ALL, ..group(&cx, "g1", &[]) };
        let second = done(store.replace(&cx, &first.version, write.clone()).await.expect("replaces"));
        assert_eq!(member_ids(&second), ["u1", "u2"]);
        assert_eq!(second.members.as_deref().expect("asked for")[0], renamed);
        assert_ne!(second.version, first.version);

        let write = Write { members: MembersWrite::Keep, include: ALL, ..group(&cx, "g1", &[]) };
        let same = done(store.replace(&cx, &second.version, write).await.expect("replaces"));
        assert_eq!(same.version, second.version, "nothing was changed");

        let user =
            store.retrieve(&cx, &type_of(&cx, "User"), "u1", ALL).await.expect("reads").expect("there");
        assert_eq!(user.version, Version::from(1_u64), "a group's write moves no member's version");
        let groups = user.groups.expect("asked for");
        assert_eq!(groups.len(), 1);
        assert_eq!((groups[0].value.as_str(), groups[0].direct), ("g1", true));
        assert_eq!(groups[0].display.as_deref(), Some("G g1"));
    });
}

fn a_set_of_members_writes_only_what_differs(store: &impl ResourceStore) {
    block_on(async {
        let cx = context();
        for n in 1..=4 {
            store.create(&cx, user(&cx, &format!("u{n}"), &format!("user{n}"))).await.expect("creates");
        }
        let first = store.create(&cx, group(&cx, "g1", &["u1", "u2", "u3"])).await.expect("creates");
        let write = Write { include: ALL, ..group(&cx, "g1", &["u4", "u3", "u1"]) };
        let second = done(store.replace(&cx, &first.version, write).await.expect("replaces"));
        assert_eq!(member_ids(&second), ["u1", "u3", "u4"], "who stays keeps the place");
        let same = Write { include: ALL, ..group(&cx, "g1", &["u1", "u3", "u4"]) };
        let same = done(store.replace(&cx, &second.version, same).await.expect("replaces"));
        assert_eq!(same.version, second.version);
        let set = MembersWrite::Set(vec![member("User", "u2")]);
        let groups = type_of(&cx, "Group");
        let set =
            store.write_members(&cx, &groups, "g1", Some(&first.version), set, ALL).await.expect("answers");
        assert!(matches!(set, Outcome::Conflict(version) if version == second.version));
    });
}

fn groups_are_found_through_groups_and_cycles_end(store: &impl ResourceStore) {
    block_on(async {
        let cx = context();
        store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        for name in ["g1", "g2", "g3"] {
            store.create(&cx, group(&cx, name, &[])).await.expect("creates");
        }
        // u1 in g1 in g2 in g3 in g1.
        for (name, kind, inner) in
            [("g1", "User", "u1"), ("g1", "Group", "g3"), ("g2", "Group", "g1"), ("g3", "Group", "g2")]
        {
            let groups = type_of(&cx, "Group");
            let old =
                store.retrieve(&cx, &groups, name, Include::default()).await.expect("reads").expect("there");
            let add = MembersWrite::Change { remove: Vec::new(), add: vec![member(kind, inner)] };
            let write = Write { members: add, ..group(&cx, name, &[]) };
            done(store.replace(&cx, &old.version, write).await.expect("replaces"));
        }
        let user =
            store.retrieve(&cx, &type_of(&cx, "User"), "u1", ALL).await.expect("reads").expect("there");
        let groups: Vec<_> =
            user.groups.as_deref().expect("asked for").iter().map(|g| (g.value.as_str(), g.direct)).collect();
        assert_eq!(groups, [("g1", true), ("g2", false), ("g3", false)]);
    });
}

fn a_deletion_takes_memberships_along(store: &impl ResourceStore) {
    block_on(async {
        let mut cx = context();
        let (users, groups) = (type_of(&cx, "User"), type_of(&cx, "Group"));
        for n in 1..=2 {
            store.create(&cx, user(&cx, &format!("u{n}"), &format!("user{n}"))).await.expect("creates");
        }
        let created = store.create(&cx, group(&cx, "g1", &["u1", "u2"])).await.expect("creates");
        cx.now = time(60);
        let other = Version::parse("none").expect("a version");
        let conflict = store.delete(&cx, &users, "u1", Some(&other)).await.expect("answers");
        assert!(matches!(conflict, Outcome::Conflict(_)));
        done(store.delete(&cx, &users, "u1", None).await.expect("deletes"));
        assert!(matches!(store.delete(&cx, &users, "u1", None).await.expect("answers"), Outcome::NotFound));
        let read = store.retrieve(&cx, &groups, "g1", ALL).await.expect("reads").expect("there");
        assert_eq!(member_ids(&read), ["u2"]);
        assert_ne!(read.version, created.version);
        assert_eq!(read.last_modified, time(60));
        done(store.delete(&cx, &groups, "g1", Some(&read.version)).await.expect("deletes"));
        let user = store.retrieve(&cx, &users, "u2", ALL).await.expect("reads").expect("there");
        assert_eq!(user.groups, Some(Vec::new()));
        store.create(&cx, self::user(&cx, "u3", "user1")).await.expect("the name is free");
    });
}

fn a_list_is_in_order_of_id_and_goes_on_behind_any(store: &impl ResourceStore) {
    block_on(async {
        let cx = context();
        let users = type_of(&cx, "User");
        for name in ["b", "a", "d", "c"] {
            store.create(&cx, user(&cx, name, name)).await.expect("creates");
        }
        let ids = |listed: Vec<StoredResource>| {
            listed.iter().map(|resource| resource.id.as_str().to_owned()).collect::<Vec<_>>()
        };
        let all = store.list(&cx, &users, None, 3, Include::default()).await.expect("lists");
        assert_eq!(ids(all), ["a", "b", "c"]);
        let rest = store.list(&cx, &users, Some(&id("b")), 9, Include::default()).await.expect("lists");
        assert_eq!(ids(rest), ["c", "d"]);
    });
}
