//! RFC 7644 §3.7: the printed Bulk messages.

use serde_json::json;

use super::*;

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

#[test]
fn rfc7644_3_7_1_circular_references() {
    let service = Service::start();
    let request = json!({"schemas": [REQUEST], "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "one",
         "data": {"schemas": [GROUP], "displayName": "North", "members": [{"type": "Group", "value": "bulkId:two"}]}},
        {"method": "POST", "path": "/Groups", "bulkId": "two",
         "data": {"schemas": [GROUP], "displayName": "South", "members": [{"type": "Group", "value": "bulkId:one"}]}},
    ]});
    has_shape_of("7644-3.7.1-bulk-circular-request", &request);
    let response = service.expect(200, "POST", "/Bulk", Some(&request));
    let operations = response["Operations"].as_array().expect("operations");
    assert!(operations.iter().all(|it| it["status"] == "201"), "{response:#}");
    let list =
        service.get("/Groups?filter=displayName%20eq%20%22North%22%20or%20displayName%20eq%20%22South%22");
    has_shape_of("7644-3.7.1-bulk-circular-result-list-response", &list);
    let groups = list["Resources"].as_array().expect("groups");
    let (north, south) = match groups.as_slice() {
        [a, b] if a["displayName"] == "North" => (a, b),
        [a, b] => (b, a),
        other => panic!("expected two groups, got {other:?}"),
    };
    assert_eq!(north["members"][0]["value"], south["id"]);
    assert_eq!(south["members"][0]["value"], north["id"]);
    assert_eq!(north["members"][0]["type"], "Group");
}

#[test]
fn rfc7644_3_7_2_a_user_and_a_group_with_it() {
    let service = Service::start();
    let request = json!({"schemas": [REQUEST], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "ada"}},
        {"method": "POST", "path": "/Groups", "bulkId": "g",
         "data": {"schemas": [GROUP], "displayName": "Guides", "members": [{"type": "User", "value": "bulkId:u"}]}},
    ]});
    has_shape_of("7644-3.7.2-bulk-user-and-group-request", &request);
    let response = service.expect(200, "POST", "/Bulk", Some(&request));
    let operations = response["Operations"].as_array().expect("operations");
    for (operation, bulk_id) in operations.iter().zip(["u", "g"]) {
        assert_eq!((&operation["status"], &operation["bulkId"]), (&json!("201"), &json!(bulk_id)));
        assert_eq!(operation["method"], "POST");
        assert!(operation["version"].is_string() && operation["location"].is_string(), "{operation}");
    }
    let user = last_segment(&operations[0]["location"]);
    let group = service.get(&format!("/Groups/{}", last_segment(&operations[1]["location"])));
    has_shape_of("7644-3.7.2-bulk-group-after-response", &group);
    assert_eq!(group["members"][0]["value"], user);
}

#[test]
fn rfc7644_3_7_2_a_manager_of_the_same_request() {
    let service = Service::start();
    let request = json!({"schemas": [REQUEST], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "boss", "data": {"schemas": [USER], "userName": "grace"}},
        {"method": "POST", "path": "/Users", "bulkId": "ada", "data": {
            "schemas": [USER, ENTERPRISE], "userName": "ada",
            ENTERPRISE: {"employeeNumber": "12", "manager": {"value": "bulkId:boss"}},
        }},
    ]});
    has_shape_of("7644-3.7.2-bulk-enterprise-manager-request", &request);
    let response = service.expect(200, "POST", "/Bulk", Some(&request));
    let ada = service.get(&format!("/Users/{}", last_segment(&response["Operations"][1]["location"])));
    assert_eq!(ada[ENTERPRISE]["manager"]["value"], last_segment(&response["Operations"][0]["location"]));
}

#[test]
fn rfc7644_3_7_3_four_methods_in_one_request() {
    let service = Service::start();
    let (bob, dave, gone) = (service.user("bob"), service.user("dave"), service.user("gone"));
    let version = |id: &str| service.get(&format!("/Users/{id}"))["meta"]["version"].clone();
    let request = json!({"schemas": [REQUEST], "failOnErrors": 1, "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "new", "data": {"schemas": [USER], "userName": "ada"}},
        {"method": "PUT", "path": format!("/Users/{bob}"), "version": version(&bob),
         "data": {"schemas": [USER], "id": bob, "userName": "robert"}},
        {"method": "PATCH", "path": format!("/Users/{dave}"), "version": version(&dave), "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "remove", "path": "nickName"}, {"op": "add", "path": "userName", "value": "david"}],
        }},
        {"method": "DELETE", "path": format!("/Users/{gone}"), "version": version(&gone)},
    ]});
    has_shape_of("7644-3.7.3-bulk-mixed-request", &request);
    let response = service.expect(200, "POST", "/Bulk", Some(&request));
    has_shape_of("7644-3.7.3-bulk-mixed-response", &response);
    let statuses: Vec<_> = response["Operations"]
        .as_array()
        .expect("operations")
        .iter()
        .map(|it| it["status"].clone())
        .collect();
    assert_eq!(statuses, ["201", "200", "200", "204"]);
    assert_eq!(service.get(&format!("/Users/{bob}"))["userName"], "robert");
    assert_eq!(service.get(&format!("/Users/{dave}"))["userName"], "david");
    service.expect(404, "GET", &format!("/Users/{gone}"), None);
}

#[test]
fn rfc7644_3_7_3_the_first_error_ends_the_request() {
    let service = Service::start();
    let request = json!({"schemas": [REQUEST], "failOnErrors": 1, "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "bad", "data": {"schemas": [USER]}},
        {"method": "POST", "path": "/Users", "bulkId": "good", "data": {"schemas": [USER], "userName": "ada"}},
    ]});
    let response = service.expect(200, "POST", "/Bulk", Some(&request));
    has_shape_of("7644-3.7.3-bulk-fail-on-errors-response", &response);
    let operations = response["Operations"].as_array().expect("operations");
    assert_eq!(operations.len(), 1, "what was not tried is not listed");
    has_shape_of("7644-3.7.3-bulk-failed-operation-fragment", &operations[0]);
    assert!(operations[0].get("location").is_none(), "nothing was created");
    assert_eq!(service.get("/Users")["totalResults"], 0);
}

#[test]
fn rfc7644_3_7_3_without_fail_on_errors_everything_is_tried() {
    let service = Service::start();
    let (bob, dave) = (service.user("bob"), service.user("dave"));
    let request = json!({"schemas": [REQUEST], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "bad", "data": {"schemas": [USER]}},
        {"method": "PUT", "path": format!("/Users/{bob}"), "version": "W/\"old\"",
         "data": {"schemas": [USER], "userName": "robert"}},
        {"method": "PATCH", "path": format!("/Users/{dave}"), "version": "W/\"old\"", "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "userName", "value": "david"}],
        }},
        {"method": "DELETE", "path": "/Users/nobody"},
    ]});
    let response = service.expect(200, "POST", "/Bulk", Some(&request));
    let operations = response["Operations"].as_array().expect("operations");
    let statuses: Vec<_> = operations.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, ["400", "412", "412", "404"]);
    for operation in operations {
        assert_eq!(operation["response"]["status"], operation["status"]);
        assert!(operation["response"]["detail"].is_string());
    }
    assert_eq!(service.get(&format!("/Users/{bob}"))["userName"], "bob");
    assert_eq!(service.get(&format!("/Users/{dave}"))["userName"], "dave");
}

#[test]
fn rfc7644_3_7_4_too_large_a_request() {
    let service = Service::start();
    let limits = &service.get("/ServiceProviderConfig")["bulk"];
    let most = usize::try_from(limits["maxPayloadSize"].as_u64().expect("a number")).expect("a size");
    let request = json!({"schemas": [REQUEST], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER], "userName": "a".repeat(most)}},
    ]});
    let error = service.expect(413, "POST", "/Bulk", Some(&request));
    has_shape_of("7644-3.7.4-bulk-too-large-413-response", &error);

    let operations = limits["maxOperations"].as_u64().expect("a number") + 1;
    let one = json!({"method": "DELETE", "path": "/Users/nobody"});
    let many: Vec<_> = (0..operations).map(|_| one.clone()).collect();
    let error =
        service.expect(413, "POST", "/Bulk", Some(&json!({"schemas": [REQUEST], "Operations": many})));
    has_shape_of("7644-3.7.4-bulk-too-large-413-response", &error);
}
