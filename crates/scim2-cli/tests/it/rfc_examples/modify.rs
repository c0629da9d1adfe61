//! RFC 7644 §3.5.2: the printed PATCH messages.

use serde_json::json;

use super::*;

#[test]
fn rfc7644_3_5_2_the_body_of_a_patch() {
    let service = Service::start();
    let ada = service.user("ada");
    let group = service.group("Analysts", &[]);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{
            "op": "add", "path": "members",
            "value": [{"display": "Ada", "$ref": service.url(&format!("/Users/{ada}")), "value": ada}],
        }],
    });
    has_shape_of("7644-3.5.2-patch-basic-structure", &body);
    let answer = service.send("PATCH", &format!("/Groups/{group}?attributes=members"), Some(&body));
    assert_eq!(answer.status, 200, "attributes were asked for");
    assert_eq!(values_of(&answer.json().expect("a body")["members"]), [ada.as_str()]);
}

#[test]
fn rfc7644_3_5_2_1_add_a_member() {
    let service = Service::start();
    let (ada, grace) = (service.user("ada"), service.user("grace"));
    let path = format!("/Groups/{}", service.group("Analysts", &[&ada]));
    let add = json!([{"op": "add", "path": "members", "value": [{"display": "Grace", "value": grace}]}]);
    let group = service.patch(&path, add.clone());
    let mut both = [ada.as_str(), grace.as_str()];
    both.sort_unstable();
    assert_eq!(values_of(&group["members"]), both);
    // Adding who is there already changes nothing, not even the version.
    assert_eq!(service.patch(&path, add), group);
}

#[test]
fn rfc7644_3_5_2_1_add_without_a_path() {
    let service = Service::start();
    let id = service.create(
        "/Users",
        &json!({"schemas": [USER], "userName": "ada", "emails": [{"value": "ada@example.com", "type": "work"}]}),
    );
    let user = service.patch(
        &format!("/Users/{id}"),
        json!([{"op": "add", "value": {"emails": [{"value": "ada@example.org", "type": "home"}], "nickname": "Ada"}}]),
    );
    assert_eq!(values_of(&user["emails"]), ["ada@example.com", "ada@example.org"]);
    assert_eq!(user["nickName"], "Ada", "spelt as the schema spells it");
}

#[test]
fn rfc7644_3_5_2_2_remove_by_value_path() {
    let service = Service::start();
    let (ada, grace) = (service.user("ada"), service.user("grace"));
    let path = format!("/Groups/{}", service.group("Analysts", &[&ada, &grace]));
    let group =
        service.patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}]));
    assert_eq!(values_of(&group["members"]), [grace.as_str()]);
}

#[test]
fn rfc7644_3_5_2_2_remove_all_members() {
    let service = Service::start();
    let ada = service.user("ada");
    let path = format!("/Groups/{}", service.group("Analysts", &[&ada]));
    let group = service.patch(&path, json!([{"op": "remove", "path": "members"}]));
    assert!(group.get("members").is_none());
    assert!(service.get(&format!("/Users/{ada}")).get("groups").is_none());
}

#[test]
fn rfc7644_3_5_2_2_remove_emails_by_filter() {
    let service = Service::start();
    let id = service.create(
        "/Users",
        &json!({"schemas": [USER], "userName": "ada", "emails": [
            {"value": "ada@example.com", "type": "work"},
            {"value": "ada@example.org", "type": "work"},
            {"value": "ada@home.example.com", "type": "home"},
        ]}),
    );
    let operation =
        json!([{"op": "remove", "path": "emails[type eq \"work\" and value ew \"example.com\"]"}]);
    let user = service.patch(&format!("/Users/{id}"), operation);
    assert_eq!(values_of(&user["emails"]), ["ada@example.org", "ada@home.example.com"]);
}

#[test]
fn rfc7644_3_5_2_2_remove_one_member_and_add_another() {
    let service = Service::start();
    let (ada, grace) = (service.user("ada"), service.user("grace"));
    let path = format!("/Groups/{}", service.group("Analysts", &[&ada]));
    let group = service.patch(
        &path,
        // As printed: no space before the literal.
        json!([
            {"op": "remove", "path": format!("members[value eq\"{ada}\"]")},
            {"op": "add", "path": "members", "value": [{"display": "Grace", "value": grace}]},
        ]),
    );
    assert_eq!(values_of(&group["members"]), [grace.as_str()]);
}

#[test]
fn rfc7644_3_5_2_2_replace_all_members_by_remove_and_add() {
    let service = Service::start();
    let (ada, grace, alan) = (service.user("ada"), service.user("grace"), service.user("alan"));
    let path = format!("/Groups/{}", service.group("Analysts", &[&ada]));
    let group = service.patch(
        &path,
        json!([
            {"op": "remove", "path": "members"},
            {"op": "add", "path": "members", "value": [{"value": grace}, {"value": alan}]},
        ]),
    );
    let mut expected = [grace.as_str(), alan.as_str()];
    expected.sort_unstable();
    assert_eq!(values_of(&group["members"]), expected);
}

#[test]
fn rfc7644_3_5_2_3_replace_members() {
    let service = Service::start();
    let (ada, grace, alan) = (service.user("ada"), service.user("grace"), service.user("alan"));
    let path = format!("/Groups/{}", service.group("Analysts", &[&ada, &grace]));
    let group = service.patch(
        &path,
        json!([{"op": "replace", "path": "members", "value": [{"value": grace}, {"value": alan}]}]),
    );
    let mut expected = [grace.as_str(), alan.as_str()];
    expected.sort_unstable();
    assert_eq!(values_of(&group["members"]), expected);
}

/// Creates a user with a work and a home address and returns its path.
fn user_with_addresses(service: &Service) -> String {
    let body = json!({"schemas": [USER], "userName": "ada", "addresses": [
        {"type": "work", "streetAddress": "1 Engine Lane", "locality": "London", "country": "GB"},
        {"type": "home", "streetAddress": "2 Quiet Row", "locality": "Ockham", "country": "GB", "primary": true},
    ]});
    format!("/Users/{}", service.create("/Users", &body))
}

#[test]
fn rfc7644_3_5_2_3_replace_the_work_address() {
    let service = Service::start();
    let path = user_with_addresses(&service);
    let value = json!({"type": "work", "streetAddress": "9 Mill Street", "locality": "Paris", "country": "FR", "primary": true});
    let user = service
        .patch(&path, json!([{"op": "replace", "path": "addresses[type eq \"work\"]", "value": value}]));
    let addresses = user["addresses"].as_array().expect("addresses");
    assert_eq!(addresses.len(), 2);
    assert!(addresses.contains(&value), "{addresses:?}");
    let home = addresses.iter().find(|it| it["type"] == "home").expect("the home address");
    assert_ne!(home["primary"], true, "the newly set primary wins");
}

#[test]
fn rfc7644_3_5_2_3_replace_one_street_address() {
    let service = Service::start();
    let path = user_with_addresses(&service);
    let operation = json!([{"op": "replace", "path": "addresses[type eq \"work\"].streetAddress", "value": "9 Mill Street"}]);
    let user = service.patch(&path, operation);
    let addresses = user["addresses"].as_array().expect("addresses");
    let work = addresses.iter().find(|it| it["type"] == "work").expect("the work address");
    assert_eq!((&work["streetAddress"], &work["locality"]), (&json!("9 Mill Street"), &json!("London")));
    assert!(addresses.iter().any(|it| it["streetAddress"] == "2 Quiet Row"), "the other is as it was");
}

#[test]
fn rfc7644_3_5_2_3_replace_without_a_path() {
    let service = Service::start();
    let body = json!({"schemas": [USER], "userName": "ada", "nickName": "A", "emails": [{"value": "old@example.com"}]});
    let id = service.create("/Users", &body);
    let emails = json!([{"value": "ada@example.com", "type": "work", "primary": true}, {"value": "ada@example.org", "type": "home"}]);
    let user = service.patch(
        &format!("/Users/{id}"),
        json!([{"op": "replace", "value": {"emails": emails, "nickname": "Ada"}}]),
    );
    assert_eq!(user["emails"], emails);
    assert_eq!(user["nickName"], "Ada");
}
