//! RFC 9865: pages by cursor.

use serde_json::json;

use super::*;

fn users(service: &Service, count: usize) {
    for number in 0..count {
        service.user(&format!("user{number:02}"));
    }
}

#[test]
fn rfc9865_2_the_first_page_and_one_in_the_middle() {
    let service = Service::start();
    users(&service, 25);
    let first = service.get("/Users?count=10&cursor");
    has_shape_of("9865-2-first-page", &first);
    assert_eq!((&first["totalResults"], &first["itemsPerPage"]), (&json!(25), &json!(10)));
    assert!(first.get("previousCursor").is_none() && first.get("startIndex").is_none());

    let cursor = first["nextCursor"].as_str().expect("a cursor");
    let middle = service.get(&format!("/Users?count=10&cursor={cursor}"));
    has_shape_of("9865-2-middle-page", &middle);

    let cursor = middle["nextCursor"].as_str().expect("a cursor");
    let last = service.get(&format!("/Users?count=10&cursor={cursor}"));
    assert!(last.get("nextCursor").is_none(), "{last}");
    assert_eq!(last["itemsPerPage"], 5);

    let cursor = middle["previousCursor"].as_str().expect("a cursor");
    let back = service.get(&format!("/Users?count=10&cursor={cursor}"));
    assert_eq!(back["Resources"], first["Resources"]);
}

/// A cursor outlives the process that gave it out: its key is kept with the resources.
#[test]
fn rfc9865_2_a_cursor_is_good_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = crate::harness::launch(&folder);
    let server = launch.start().expect("the server starts");
    for name in ["ada", "grace", "mary"] {
        let user = json!({"schemas": [USER], "userName": name});
        server.endpoint().call("POST", "/Users", Some(&user)).expect("an answer");
    }
    let first = server.endpoint().call("GET", "/Users?count=1&cursor=", None).expect("an answer");
    let first = first.json().expect("a page");
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    drop(server);
    let server = launch.start().expect("the server starts");
    let target = format!("/Users?count=1&cursor={cursor}");
    let next = server.endpoint().call("GET", &target, None).expect("an answer");
    assert_eq!(next.json().expect("a page")["Resources"][0]["userName"], "grace");
}

#[test]
fn rfc9865_2_1_errors() {
    let service = Service::start_with(&["--cursor-timeout", "600"]);
    users(&service, 3);
    for (target, scim_type) in [
        ("/Users?count=1&cursor=VZUTiyhEQJ94IR", "invalidCursor"),
        ("/Users?count=1000&cursor", "invalidCount"),
    ] {
        let error = service.expect(400, "GET", target, None);
        assert_eq!(error["scimType"], scim_type, "{target}");
    }
    let config = service.get("/ServiceProviderConfig");
    assert_eq!(config["pagination"]["cursorTimeout"], 600);
}

#[test]
fn rfc9865_2_3_a_service_that_pages_by_cursor_unasked() {
    let service = Service::start_with(&["--default-pagination", "cursor", "--default-page-size", "10"]);
    users(&service, 12);
    let page = service.get("/Users");
    has_shape_of("9865-2.3-cursor-only-page", &page);
    assert_eq!(page["itemsPerPage"], 10);
}

#[test]
fn rfc9865_3_search_by_post() {
    let service = Service::start();
    for number in 0..12 {
        let name = format!("smith {number:02}");
        service.create(
            "/Users",
            &json!({"schemas": [USER], "userName": format!("user{number:02}"), "displayName": name}),
        );
    }
    let mut request = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "attributes": ["displayName", "userName"],
        "filter": "displayName sw \"Smith\"", "cursor": "", "count": 10,
    });
    has_shape_of("9865-3-search-request", &request);
    let first = service.expect(200, "POST", "/Users/.search", Some(&request));
    assert_eq!((&first["totalResults"], &first["itemsPerPage"]), (&json!(12), &json!(10)));
    request["cursor"] = first["nextCursor"].clone();
    let last = service.expect(200, "POST", "/Users/.search", Some(&request));
    assert_eq!(last["itemsPerPage"], 2);
    assert!(last.get("nextCursor").is_none());
}

#[test]
fn rfc9865_4_the_configuration_says_so() {
    let service = Service::start();
    let config = service.get("/ServiceProviderConfig");
    has_shape_of("9865-4-service-provider-config-fragment", &config);
    let schema = service.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig");
    let names: Vec<_> =
        schema["attributes"].as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert!(names.contains(&&json!("pagination")), "{names:?}");
}
