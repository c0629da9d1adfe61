//! RFC 7643 §3 and §8: the representations of users and groups; RFC 7644 §3.3, §3.5.1, §3.6, §3.14.

use serde_json::json;

use super::*;

#[test]
fn rfc7643_3_resource_structure() {
    let service = Service::start();
    let manager = service.user("grace@example.com");
    let body = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "4711",
        "userName": "ada@example.com",
        "name": {"familyName": "Lovelace", "givenName": "Ada"},
        ENTERPRISE: {"employeeNumber": "12", "department": "Engines", "manager": {"value": manager}},
    });
    let created = service.expect(201, "POST", "/Users", Some(&body));
    assert_eq!(created["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(created[ENTERPRISE]["manager"]["value"], manager);
    for key in ["id", "externalId", "meta", "userName", "name"] {
        assert!(!created[key].is_null(), "{key}");
    }
}

#[test]
fn rfc7643_8_1_user_minimal() {
    let service = Service::start();
    let id = service.user("ada@example.com");
    let user = service.get(&format!("/Users/{id}"));
    has_shape_of("7643-8.1-user-minimal", &user);
    assert_eq!(user["meta"]["location"], service.url(&format!("/Users/{id}")));
    assert_eq!(user["meta"]["resourceType"], "User");
}

#[test]
fn rfc7643_8_2_user_full() {
    let service = Service::start();
    let body = json!({
        "schemas": [USER],
        "externalId": "4711",
        "userName": "ada@example.com",
        "name": {
            "formatted": "Countess Ada King Lovelace, FRS", "familyName": "Lovelace", "givenName": "Ada",
            "middleName": "King", "honorificPrefix": "Countess", "honorificSuffix": "FRS",
        },
        "displayName": "Ada Lovelace",
        "nickName": "Ada",
        "profileUrl": "https://people.example.com/ada",
        "emails": [
            {"value": "ada@example.com", "type": "work", "primary": true},
            {"value": "ada@example.org", "type": "home"},
        ],
        "addresses": [{
            "type": "work", "streetAddress": "1 Engine Lane", "locality": "London", "region": "LDN",
            "postalCode": "W1", "country": "GB", "formatted": "1 Engine Lane\nLondon W1", "primary": true,
        }],
        "phoneNumbers": [{"value": "tel:+44-20-5550-0100", "type": "work"}],
        "ims": [{"value": "ada", "type": "xmpp"}],
        "photos": [{"value": "https://people.example.com/ada.png", "type": "photo"}],
        "userType": "Employee",
        "title": "Analyst",
        "preferredLanguage": "en-GB",
        "locale": "en-GB",
        "timezone": "Europe/London",
        "active": true,
        "password": "an engine weaves algebraic patterns",
        "x509Certificates": [{"value": "AAECAwQ="}],
    });
    let created = service.expect(201, "POST", "/Users", Some(&body));
    let id = id_of(&created);
    let group = service.group("Analysts", &[&id]);
    let user = service.get(&format!("/Users/{id}"));
    let mut expected = body;
    let expected = expected.as_object_mut().expect("an object");
    expected.remove("password");
    for (key, value) in expected {
        assert_eq!(user[key], *value, "{key}");
    }
    assert!(user.get("password").is_none());
    assert_eq!(user["groups"][0]["value"], group);
    assert_eq!(user["groups"][0]["$ref"], service.url(&format!("/Groups/{group}")));
    assert_eq!(user["groups"][0]["display"], "Analysts");
}

#[test]
fn rfc7643_8_3_user_enterprise() {
    let service = Service::start();
    let manager = service.user("grace@example.com");
    let body = json!({
        "schemas": [USER, ENTERPRISE],
        "userName": "ada@example.com",
        ENTERPRISE: {
            "employeeNumber": "12", "costCenter": "7", "organization": "Example", "division": "Research",
            "department": "Engines",
            "manager": {"value": manager, "$ref": service.url(&format!("/Users/{manager}")), "displayName": "x"},
        },
    });
    let created = service.expect(201, "POST", "/Users", Some(&body));
    for key in ["employeeNumber", "costCenter", "organization", "division", "department"] {
        assert_eq!(created[ENTERPRISE][key], body[ENTERPRISE][key], "{key}");
    }
    assert_eq!(created[ENTERPRISE]["manager"]["value"], manager);
    // readOnly: what the client says is ignored.
    assert_ne!(created[ENTERPRISE]["manager"]["displayName"], "x");
}

#[test]
fn rfc7643_8_4_group() {
    let service = Service::start();
    let (ada, grace) = (service.user("ada@example.com"), service.user("grace@example.com"));
    let id = service.group("Analysts", &[&ada, &grace]);
    let group = service.get(&format!("/Groups/{id}"));
    for member in group["members"].as_array().expect("members") {
        let value = member["value"].as_str().expect("an id");
        assert_eq!(member["$ref"], service.url(&format!("/Users/{value}")));
        assert_eq!(member["type"], "User");
    }
    let mut ids = [ada.as_str(), grace.as_str()];
    ids.sort_unstable();
    assert_eq!(values_of(&group["members"]), ids);
    assert_eq!(group["meta"]["resourceType"], "Group");
}

#[test]
fn rfc7644_3_3_create_a_user() {
    let service = Service::start();
    let body = json!({
        "schemas": [USER], "userName": "ada", "externalId": "ada",
        "name": {"formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada"},
    });
    has_shape_of("7644-3.3-create-user-request", &body);
    let answer = service.send("POST", "/Users", Some(&body));
    assert_eq!(answer.status, 201);
    let created = answer.json().expect("a body");
    has_shape_of("7644-3.3-create-user-response", &created);
    assert_eq!(answer.header("location"), created["meta"]["location"].as_str());
    assert_eq!(answer.header("etag"), created["meta"]["version"].as_str());
    assert_eq!(
        answer.header("content-type").map(|it| it.split(';').next()),
        Some(Some("application/scim+json"))
    );
}

#[test]
fn rfc7644_3_5_1_replace_a_user() {
    let service = Service::start();
    let before = json!({
        "schemas": [USER], "userName": "ada", "nickName": "A",
        "roles": [{"value": "analyst"}], "emails": [{"value": "old@example.com"}],
    });
    let id = service.create("/Users", &before);
    let body = json!({
        "schemas": [USER], "id": id, "userName": "ada", "externalId": "ada",
        "name": {"formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada", "middleName": "King"},
        "roles": [],
        "emails": [{"value": "ada@example.com"}, {"value": "ada@example.org"}],
    });
    has_shape_of("7644-3.5.1-put-user-request", &body);
    let replaced = service.expect(200, "PUT", &format!("/Users/{id}"), Some(&body));
    has_shape_of("7644-3.5.1-put-user-response", &replaced);
    assert_eq!(values_of(&replaced["emails"]), ["ada@example.com", "ada@example.org"]);
    assert!(replaced.get("roles").is_none(), "an empty array unassigns");
    assert!(replaced.get("nickName").is_none(), "what is omitted is cleared");
    assert_eq!(service.get(&format!("/Users/{id}")), replaced);
}

#[test]
fn rfc7644_3_6_a_deleted_resource_is_not_found() {
    let service = Service::start();
    let id = service.user("ada");
    let answer = service.send("DELETE", &format!("/Users/{id}"), None);
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let gone = service.expect(404, "GET", &format!("/Users/{id}"), None);
    has_shape_of("7644-3.6-get-deleted-404-response", &gone);
    assert_eq!(gone["status"], "404");
    service.expect(404, "DELETE", &format!("/Users/{id}"), None);
    service.expect(404, "PUT", &format!("/Users/{id}"), Some(&json!({"schemas": [USER], "userName": "ada"})));
    // The name is free again.
    service.user("ada");
}

#[test]
fn rfc7644_3_14_etag_of_a_created_user() {
    let service = Service::start();
    let body = json!({
        "schemas": [USER], "userName": "ada", "externalId": "ada",
        "name": {"formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada"},
    });
    has_shape_of("7644-3.14-etag-create-request", &body);
    let answer = service.send("POST", "/Users", Some(&body));
    let created = answer.json().expect("a body");
    has_shape_of("7644-3.14-etag-create-response", &created);
    let etag = answer.header("etag").expect("an ETag").to_owned();
    assert_eq!(created["meta"]["version"], etag.as_str());

    let path = format!("/Users/{}", id_of(&created));
    let unchanged = service.send_with("GET", &path, &[("If-None-Match", &etag)], None);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let other = json!({"schemas": [USER], "userName": "ada", "title": "Countess"});
    let refused = service.send_with("PUT", &path, &[("If-Match", "W/\"nobody's\"")], Some(&other));
    assert_eq!(refused.status, 412);
    let replaced = service.send_with("PUT", &path, &[("If-Match", &etag)], Some(&other));
    assert_eq!(replaced.status, 200);
    assert_ne!(replaced.header("etag"), Some(etag.as_str()));
    let changed = service.send_with("GET", &path, &[("If-None-Match", &etag)], None);
    assert_eq!(changed.status, 200);
}
