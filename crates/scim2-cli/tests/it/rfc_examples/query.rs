//! RFC 7644 §3.4 and §3.9: retrieving, querying, paging, searching, projecting.

use serde_json::json;

use super::*;

#[test]
fn rfc7644_3_4_1_retrieve_a_known_resource() {
    let service = Service::start();
    let body = json!({
        "schemas": [USER], "userName": "ada", "externalId": "ada",
        "name": {"formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada"},
        "phoneNumbers": [{"value": "555-0100", "type": "work"}],
        "emails": [{"value": "ada@example.com", "type": "work"}],
    });
    let id = service.create("/Users", &body);
    let answer = service.send("GET", &format!("/Users/{id}"), None);
    let user = answer.json().expect("a body");
    has_shape_of("7644-3.4.1-get-user-response", &user);
    assert_eq!(answer.header("etag"), user["meta"]["version"].as_str());
}

#[test]
fn rfc7644_3_4_2_query_with_attributes() {
    let service = Service::start();
    for name in ["ada", "grace"] {
        service.create("/Users", &json!({"schemas": [USER], "userName": name, "title": "Dr"}));
    }
    let list = service.get("/Users?attributes=userName");
    has_shape_of("7644-3.4.2-query-attributes-username-response", &list);
    assert_eq!(list["totalResults"], 2);
    for user in list["Resources"].as_array().expect("resources") {
        assert!(user.get("title").is_none() && user.get("meta").is_none(), "{user}");
        assert_eq!(user["schemas"], json!([USER]), "returned always");
    }
}

#[test]
fn rfc7644_3_4_2_4_pages() {
    let service = Service::start();
    for number in 0..25 {
        service.user(&format!("user{number:02}"));
    }
    let first = service.get("/Users?startIndex=1&count=10");
    has_shape_of("7644-3.4.2.4-list-paged-response", &first);
    assert_eq!(
        (&first["totalResults"], &first["itemsPerPage"], &first["startIndex"]),
        (&json!(25), &json!(10), &json!(1))
    );
    let mut ids = Vec::new();
    for start in [1, 11, 21] {
        let page = service.get(&format!("/Users?startIndex={start}&count=10"));
        ids.extend(page["Resources"].as_array().expect("resources").iter().map(id_of));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 25, "pages neither repeat nor miss a resource");
    let past = service.get("/Users?startIndex=26&count=10");
    assert_eq!((&past["totalResults"], &past["itemsPerPage"]), (&json!(25), &json!(0)));
    let counted = service.get("/Users?count=0");
    assert_eq!((&counted["totalResults"], &counted["itemsPerPage"]), (&json!(25), &json!(0)));
}

#[test]
fn rfc7644_3_4_3_search_over_all_types() {
    let service = Service::start();
    let user = service
        .create("/Users", &json!({"schemas": [USER], "userName": "smith", "displayName": "Smith, Ada"}));
    let group = service.group("Smith Family", &[]);
    service.group("Jones Family", &[]);
    let request = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "attributes": ["displayName", "userName"], "filter": "displayName sw \"smith\"", "startIndex": 1, "count": 10,
    });
    has_shape_of("7644-3.4.3-search-request", &request);
    let found = service.expect(200, "POST", "/.search", Some(&request));
    has_shape_of("7644-3.4.3-search-response", &found);
    let mut ids: Vec<_> = found["Resources"].as_array().expect("resources").iter().map(id_of).collect();
    ids.sort_unstable();
    let mut expected = [user, group];
    expected.sort_unstable();
    assert_eq!(ids, expected);

    let users = service.expect(200, "POST", "/Users/.search", Some(&request));
    assert_eq!(users["totalResults"], 1);
}

#[test]
fn rfc7644_3_9_retrieve_with_attributes() {
    let service = Service::start();
    let body = json!({"schemas": [USER], "userName": "ada", "title": "Dr", "name": {"givenName": "Ada", "familyName": "L"}});
    let id = service.create("/Users", &body);
    let user = service.get(&format!("/Users/{id}?attributes=userName"));
    has_shape_of("7644-3.9-get-user-attributes-response", &user);
    assert_eq!(user, json!({"schemas": [USER], "id": id, "userName": "ada"}));
    let part = service.get(&format!("/Users/{id}?attributes=name.givenName"));
    assert_eq!(part["name"], json!({"givenName": "Ada"}));
    let without = service.get(&format!("/Users/{id}?excludedAttributes=title,name.familyName"));
    assert!(without.get("title").is_none());
    assert_eq!(without["name"], json!({"givenName": "Ada"}));
}
