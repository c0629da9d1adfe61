//! Groups: members as clients send them and as they are answered.

use serde_json::{Value, json};

use crate::harness::{BASE, GROUP, Server, USER};

fn members(answer: &Value) -> Vec<&str> {
    answer["members"].as_array().into_iter().flatten().filter_map(|member| member["value"].as_str()).collect()
}

#[test]
fn c_4_2_03_a_68_members_carry_computed_references_and_types() {
    let server = Server::new();
    let user =
        server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "displayName": "Ada" }));
    let inner = server.group("Inner", &[]);
    let created = server.post(
        "/Groups",
        json!({
            "schemas": [GROUP], "displayName": "Outer",
            "members": [
                { "value": user, "$ref": "https://elsewhere.example/Users/1", "type": "Group" },
                { "value": inner, "$ref": null, "display": "Given" },
                { "value": user, "display": "again" },
            ],
        }),
    );
    assert_eq!(
        created.json["members"],
        json!([
            { "value": user, "$ref": format!("{BASE}/Users/{user}"), "type": "User", "display": "Ada" },
            { "value": inner, "$ref": format!("{BASE}/Groups/{inner}"), "type": "Group", "display": "Given" },
        ])
    );
    let reference = created.json["members"][0]["$ref"].as_str().expect("a URI").replace(BASE, "");
    assert_eq!(server.get(&reference).ok()["id"], json!(user), "C-2.3.7-04");
}

#[test]
fn c_4_1_2_06_07_08_a_user_shows_direct_and_indirect_groups() {
    let server = Server::new();
    let user = server.user("ada");
    let inner = server.group("Inner", &[&user]);
    let outer = server.group("Outer", &[&inner]);
    let before = server.get(&format!("/Users/{user}"));
    assert_eq!(
        before.ok()["groups"],
        json!([
            { "value": inner, "$ref": format!("{BASE}/Groups/{inner}"), "display": "Inner", "type": "direct" },
            { "value": outer, "$ref": format!("{BASE}/Groups/{outer}"), "display": "Outer", "type": "indirect" },
        ])
    );
    for group in before.json["groups"].as_array().expect("groups") {
        let reference = group["$ref"].as_str().expect("a URI").replace(BASE, "");
        assert_eq!(server.get(&reference).ok()["id"], group["value"], "C-2.3.7-04, C-4.1.2-07");
    }
    assert_eq!(before.header("etag"), "W/\"1\"", "computed groups move no version");
    let put = json!({ "schemas": [USER], "userName": "ada", "groups": [] });
    assert_eq!(server.put(&format!("/Users/{user}"), put).ok()["groups"], before.json["groups"]);
    assert_eq!(server.get("/Users").resources()[0]["groups"], before.json["groups"]);
}

#[test]
fn the_groups_of_a_user_stand_in_one_order() {
    let server = Server::new();
    let user = server.user("ada");
    // r-00002 to r-00005; the last is the only direct one, and holds nobody else.
    let outer: Vec<String> = ["A", "B", "C"].iter().map(|name| server.group(name, &[])).collect();
    let direct = server.group("D", &[&user]);
    for (group, member) in [(&outer[2], &direct), (&outer[0], &outer[2]), (&outer[1], &outer[0])] {
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }]);
        assert_eq!(server.operations(&format!("/Groups/{group}"), add).status, 204);
    }
    let found = server.get(&format!("/Users/{user}")).ok()["groups"].clone();
    let ids: Vec<_> = found.as_array().expect("groups").iter().map(|group| group["value"].clone()).collect();
    assert_eq!(ids, [json!(direct), json!(outer[0]), json!(outer[1]), json!(outer[2])]);
}

#[test]
fn c_4_2_04_groups_in_a_circle_do_not_loop() {
    let server = Server::new();
    let user = server.user("ada");
    let first = server.group("First", &[&user]);
    let second = server.group("Second", &[&first]);
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": second }, { "value": first }] }]);
    assert_eq!(server.operations(&format!("/Groups/{first}"), add).status, 204);
    assert_eq!(server.get(&format!("/Users/{user}")).ok()["groups"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.get("/Groups").ok()["totalResults"], 2);
}

#[test]
fn q_group_204_a_patch_of_a_group_is_answered_204_unless_attributes_are_asked_for() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada]);
    let path = format!("/Groups/{group}");
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": bob }] }]);
    let patched = server.operations(&path, add);
    assert_eq!((patched.status.as_u16(), patched.bytes.len()), (204, 0));
    assert_eq!(members(server.get(&path).ok()), [ada.as_str(), bob.as_str()]);
    let rename = json!([{ "op": "replace", "value": { "displayName": "World", "id": group } }]);
    assert_eq!(server.operations(&path, rename.clone()).status, 204);
    let asked = server.operations(&format!("{path}?excludedAttributes=members"), rename);
    assert_eq!((&asked.ok()["displayName"], &asked.json["members"]), (&json!("World"), &json!(null)));
}

#[test]
fn members_come_and_go_by_patch() {
    let server = Server::new();
    let users: Vec<String> = ["a", "b", "c", "d"].iter().map(|name| server.user(name)).collect();
    let [a, b, c, d] = users.as_slice() else { unreachable!() };
    let group = server.group("Tour", &[a, b]);
    let path = format!("/Groups/{group}");
    let check = |operation: Value, expected: &[&String]| {
        let patched = server.operations(&path, json!([operation.clone()]));
        assert_eq!(patched.status, 204, "{operation}: {}", patched.json);
        let group = server.get(&path);
        let mut found = members(group.ok());
        found.sort_unstable();
        assert_eq!(found, expected.iter().map(|id| id.as_str()).collect::<Vec<_>>(), "{operation}");
    };
    check(json!({ "op": "add", "path": "members", "value": { "value": c } }), &[a, b, c]);
    check(json!({ "op": "remove", "path": format!("members[value eq \"{a}\"]") }), &[b, c]);
    check(json!({ "op": "remove", "path": "members[value eq \"nobody\"]" }), &[b, c]);
    check(json!({ "op": "Remove", "path": "members", "value": [{ "value": b }] }), &[c]);
    check(json!({ "op": "remove", "path": "members", "value": [] }), &[c]);
    check(json!({ "op": "add", "value": { "members": [{ "value": d }] } }), &[c, d]);
    check(json!({ "op": "add", "value": { "members": [{ "value": a }], "externalId": "x" } }), &[a, c, d]);
    check(json!({ "op": "remove", "path": "members[type eq \"User\" and not (value eq \"nobody\")]" }), &[]);
    check(json!({ "op": "add", "path": "members", "value": [b] }), &[b]);
    check(json!({ "op": "replace", "path": "members", "value": [{ "value": a }, { "value": d }] }), &[a, d]);
    check(json!({ "op": "replace", "path": "members", "value": [] }), &[]);
    check(json!({ "op": "replace", "path": "members", "value": [{ "value": a }] }), &[a]);
    check(json!({ "op": "remove", "path": "members" }), &[]);
}

#[test]
fn q_dup_member_a_present_member_changes_nothing() {
    let server = Server::new();
    let ada = server.user("ada");
    let group = server.group("Tour", &[&ada]);
    let path = format!("/Groups/{group}");
    let before = server.get(&path).bytes;
    server.sleep(60);
    for operation in [
        json!({ "op": "add", "path": "members", "value": [{ "value": ada }] }),
        json!({ "op": "replace", "path": "members", "value": [{ "value": ada }] }),
        json!({ "op": "remove", "path": "members[value eq \"nobody\"]" }),
    ] {
        server.operations(&path, json!([operation]));
        assert_eq!(server.get(&path).bytes, before);
    }
}

#[test]
fn q_unknown_member_a_member_that_does_not_exist_is_refused_by_name() {
    let server = Server::new();
    let ada = server.user("ada");
    let group = server.group("Tour", &[&ada]);
    let path = format!("/Groups/{group}");
    let before = server.get(&path).bytes;
    let body = json!({ "schemas": [GROUP], "displayName": "Other", "members": [{ "value": "nobody-7" }] });
    let add = json!([
        { "op": "replace", "path": "displayName", "value": "x" },
        { "op": "add", "path": "members", "value": [{ "value": "nobody-7" }] },
    ]);
    for answer in [
        server.post("/Groups", body.clone()),
        server.put(&path, body),
        server.operations(&path, add),
        server.operations(
            &path,
            json!([{ "op": "add", "path": "members", "value": [{ "value": "bulkId:nobody-7" }] }]),
        ),
    ] {
        answer.refused(400, "invalidValue");
        assert!(answer.detail().contains("nobody-7"), "{}", answer.detail());
    }
    assert_eq!(server.get(&path).bytes, before);
    assert_eq!(server.get("/Groups").json["totalResults"], 1);
}

#[test]
fn unknown_members_are_dropped_if_so_configured() {
    use scim2_server::UnknownMember;
    let server =
        Server::with(|builder| builder.options(|options| options.unknown_member = UnknownMember::Drop));
    let ada = server.user("ada");
    let group = server.group("Tour", &[&ada, "nobody"]);
    let path = format!("/Groups/{group}");
    assert_eq!(members(server.get(&path).ok()), [ada.as_str()]);
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "no/body" }] }]);
    assert_eq!(server.operations(&path, add).status, 204);
    assert_eq!(members(server.get(&path).ok()), [ada.as_str()]);
}

#[test]
fn c_4_2_02_the_value_of_a_member_is_immutable() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada]);
    let path = format!("/Groups/{group}");
    let replace =
        json!([{ "op": "replace", "path": format!("members[value eq \"{ada}\"].value"), "value": bob }]);
    server.operations(&path, replace).refused(400, "mutability");
    assert_eq!(members(server.get(&path).ok()), [ada.as_str()]);
}

#[test]
fn a_group_needs_a_name() {
    let server = Server::new();
    server.post("/Groups", json!({ "schemas": [GROUP] })).refused(400, "invalidValue");
}

#[test]
fn a_35_q_ref_check_groups_are_found_by_their_members() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada]);
    server.group("Other", &[&bob]);
    for filter in [
        format!("members%20eq%20%22{ada}%22"),
        format!("members.value%20eq%20%22{ada}%22"),
        format!("members%5Bvalue%20eq%20%22{ada}%22%5D"),
        format!("id%20eq%20%22{group}%22%20and%20members%20eq%20%22{ada}%22"),
    ] {
        let list = server.get(&format!("/Groups?filter={filter}&excludedAttributes=members"));
        assert_eq!(list.column("id"), [group.as_str()], "{filter}");
        assert!(list.resources()[0]["members"].is_null());
    }
}
