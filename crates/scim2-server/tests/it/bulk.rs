//! RFC 7644 §3.7: bulk requests.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use scim2_server::Clock;
use serde_json::{Value, json};

use crate::harness::{Answer, BASE, ENTERPRISE, GROUP, Server, USER, raw};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn send(server: &Server, operations: Value) -> Answer {
    server.post("/Bulk", json!({ "schemas": [BULK], "Operations": operations }))
}

fn user(bulk_id: &str, name: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "schemas": [USER], "userName": name } })
}

fn group(bulk_id: &str, name: &str, member: &str) -> Value {
    json!({
        "method": "POST", "path": "/Groups", "bulkId": bulk_id,
        "data": { "schemas": [GROUP], "displayName": name, "members": [{ "value": member }] },
    })
}

/// The statuses of all results, by the order of the request.
#[track_caller]
fn statuses(answer: &Answer) -> Vec<&str> {
    let operations = answer.ok()["Operations"].as_array().expect("Operations");
    operations.iter().map(|operation| operation["status"].as_str().expect("a string, A-17")).collect()
}

#[test]
fn s_3_7_02_08_12_14_s_3_7_3_a_job_answers_each_operation() {
    let server = Server::new();
    let old = server.user("old");
    let gone = server.user("gone");
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "title", "value": "Dr" }],
    });
    let answer = send(
        &server,
        json!([
            user("a", "ada"),
            { "method": "PUT", "path": format!("/Users/{old}"), "data": { "schemas": [USER], "userName": "new" } },
            { "method": "patch", "path": format!("/Users/{old}"), "bulkId": "p", "data": patch },
            { "method": "DELETE", "path": format!("/Users/{gone}") },
            { "method": "DELETE", "path": "/Users/none" },
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "200", "200", "204", "404"]);
    insta::assert_json_snapshot!("bulk_response", answer.json);
    assert_eq!(server.get("/Users").column("userName"), ["new", "ada"]);
}

#[test]
fn s_3_7_2_02_references_work_in_any_order() {
    let server = Server::new();
    let answer = send(&server, json!([group("g", "Tour", "bulkId:u"), user("u", "ada")]));
    assert_eq!(statuses(&answer), ["201", "201"]);
    let group = server.get("/Groups").resources()[0].clone();
    let user = server.get("/Users").resources()[0].clone();
    assert_eq!(group["members"][0]["value"], user["id"]);
    assert_eq!(answer.json["Operations"][0]["location"], group["meta"]["location"]);
    assert_eq!(answer.json["Operations"][0]["version"], group["meta"]["version"]);
    assert_eq!(answer.json["Operations"][0]["bulkId"], "g");
}

#[test]
fn s_3_7_2_02_references_work_in_the_filters_of_patch_paths() {
    let server = Server::new();
    let patch = |operation: Value| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
    let by = |attribute: &str| format!(r#"members[{attribute} eq "bulkId:u"]"#);
    let remove = json!({ "op": "remove", "path": by("value") });
    let nobody = json!({ "op": "remove", "path": by("display") });
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": "bulkId:u" }] });
    let group_patch = |data: Value| json!({ "method": "PATCH", "path": "/Groups/bulkId:g", "data": data });
    let operations = [
        group("g", "Tour", "bulkId:v"),
        user("u", "ada"),
        user("v", "bob"),
        group_patch(patch(add)),
        group_patch(patch(remove)),
        group_patch(patch(nobody)),
    ];
    let answer = send(&server, json!(operations));
    assert!(statuses(&answer).iter().all(|status| status.starts_with('2')), "{:?}", answer.json);
    let group = server.get("/Groups").resources()[0].clone();
    let users = server.get("/Users?filter=userName%20eq%20%22bob%22").resources()[0].clone();
    assert_eq!(group["members"].as_array().map(Vec::len), Some(1), "{group}");
    assert_eq!(group["members"][0]["value"], users["id"]);
}

#[test]
fn s_3_7_13_a_job_ends_where_its_operations_one_by_one_do() {
    let rename = |name: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "userName", "value": name }],
        })
    };
    let patch = |id: &str, name: &str| json!({ "method": "PATCH", "path": format!("/Users/{id}"), "data": rename(name) });
    let delete = |id: &str| json!({ "method": "DELETE", "path": format!("/Users/{id}") });
    for operations in [
        // A name is free only after the one who had it is gone.
        vec![user("a", "ada"), delete("r-00001"), user("b", "ada"), user("c", "ADA")],
        // Two change names by way of a third.
        vec![
            user("a", "ada"),
            user("b", "bob"),
            patch("r-00001", "x"),
            patch("r-00002", "ada"),
            patch("r-00001", "bob"),
            patch("r-00002", "bob"),
        ],
        // The last word counts.
        vec![
            user("a", "ada"),
            patch("r-00001", "b"),
            patch("r-00001", "c"),
            delete("r-00009"),
            patch("r-00001", "d"),
        ],
    ] {
        let (bulk, single) = (Server::new(), Server::new());
        let answer = send(&bulk, json!(operations));
        let expected: Vec<String> = operations
            .iter()
            .map(|operation| {
                let path = operation["path"].as_str().expect("a path");
                let one = match operation["method"].as_str() {
                    Some("POST") => single.post(path, operation["data"].clone()),
                    Some("PATCH") => single.patch(path, operation["data"].clone()),
                    _ => single.delete(path),
                };
                one.status.as_str().to_owned()
            })
            .collect();
        assert_eq!(statuses(&answer), expected);
        assert_eq!(bulk.get("/Users").json, single.get("/Users").json);
    }
}

#[test]
fn s_3_7_2_03_references_in_extensions_are_resolved() {
    let server = Server::new();
    let mut employee = user("e", "employee");
    employee["data"]["schemas"] = json!([USER, ENTERPRISE]);
    employee["data"][ENTERPRISE] = json!({ "manager": { "value": "bulkId:m" } });
    let answer = send(&server, json!([employee, user("m", "manager")]));
    assert_eq!(statuses(&answer), ["201", "201"]);
    let found = server.get("/Users?filter=userName%20eq%20%22employee%22").resources()[0].clone();
    let manager = server.get("/Users?filter=userName%20eq%20%22manager%22").resources()[0].clone();
    assert_eq!(found[ENTERPRISE]["manager"]["value"], manager["id"]);
}

#[test]
fn s_3_7_2_02_only_what_refers_to_resources_holds_references() {
    let server = Server::new();
    let mut ada = user("a", "bulkId:a");
    ada["data"]["displayName"] = "bulkId:nobody".into();
    ada["data"]["externalId"] = "bulkId:a".into();
    ada["data"]["emails"] = json!([{ "value": "bulkId:a@example.com", "display": "bulkId:a" }]);
    ada["data"]["nickName"] = "bulkId:".into();
    let patch = |operation: Value| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        json!({ "method": "PATCH", "path": "/Users/bulkId:a", "data": {
            "schemas": schemas, "Operations": [operation],
        } })
    };
    let answer = send(
        &server,
        json!([
            ada,
            patch(json!({ "op": "add", "path": "title", "value": "bulkId:nobody" })),
            patch(json!({ "op": "add", "value": { "userType": "bulkId:nobody" } })),
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "200", "200"], "{}", answer.json);
    let user = server.get("/Users").resources()[0].clone();
    assert_eq!(user["userName"], "bulkId:a");
    assert_eq!(user["externalId"], "bulkId:a");
    assert_eq!(user["emails"], json!([{ "value": "bulkId:a@example.com", "display": "bulkId:a" }]));
    for name in ["displayName", "title", "userType"] {
        assert_eq!(user[name], "bulkId:nobody", "{name}");
    }
}

#[test]
fn s_3_7_2_02_references_are_found_however_they_are_written() {
    let manager = format!("{ENTERPRISE}:manager");
    let message = |operation: Value| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
    for operation in [
        json!({ "op": "add", "path": manager, "value": { "value": "bulkId:m" } }),
        json!({ "op": "add", "path": manager, "value": "bulkId:m" }),
        json!({ "op": "add", "path": format!("{manager}.value"), "value": "bulkId:m" }),
        json!({ "op": "add", "path": "manager", "value": [{ "VALUE": "bulkId:m" }] }),
        json!({ "op": "add", "path": ENTERPRISE, "value": { "Manager": { "value": "bulkId:m" } } }),
        json!({ "op": "add", "value": { ENTERPRISE: { "manager": { "value": "bulkId:m" } } } }),
        json!({ "op": "add", "value": { manager.clone(): { "value": "bulkId:m" } } }),
        json!({ "op": "add", "value": { format!("{manager}.value"): "bulkId:m" } }),
        json!({ "op": "add", "value": { "manager": "bulkId:m" } }),
    ] {
        let server = Server::new();
        let id = server.user("ada");
        let path = format!("/Users/{id}");
        let patch = json!({ "method": "PATCH", "path": path, "data": message(operation.clone()) });
        let answer = send(&server, json!([patch, user("m", "boss")]));
        assert_eq!(statuses(&answer), ["200", "201"], "{operation}: {}", answer.json);
        let boss = server.get("/Users?filter=userName%20eq%20%22boss%22").resources()[0]["id"].clone();
        assert_eq!(server.get(&path).ok()[ENTERPRISE]["manager"]["value"], boss, "{operation}");
    }
    let server = Server::new();
    let id = server.group("Tour", &[]);
    for (number, operation) in [
        json!({ "op": "add", "path": "members", "value": [{ "value": "bulkId:u" }] }),
        json!({ "op": "add", "path": "members", "value": "bulkId:u" }),
        json!({ "op": "add", "value": { "Members": [{ "value": "bulkId:u" }] } }),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/Groups/{id}");
        let patch = json!({ "method": "PATCH", "path": path, "data": message(operation.clone()) });
        let answer = send(&server, json!([patch, user("u", &format!("user-{number}"))]));
        assert_eq!(statuses(&answer), ["204", "201"], "{operation}: {}", answer.json);
        assert_eq!(server.get(&path).ok()["members"].as_array().map(Vec::len), Some(number + 1));
    }
}

#[test]
fn s_3_7_1_01_circular_references_are_resolved() {
    let server = Server::new();
    let with_manager = |bulk_id: &str, name: &str, manager: &str| {
        let mut user = user(bulk_id, name);
        user["data"]["schemas"] = json!([USER, ENTERPRISE]);
        user["data"][ENTERPRISE] = json!({ "employeeNumber": "7", "manager": { "value": manager } });
        user
    };
    let answer = send(
        &server,
        json!([
            group("a", "A", "bulkId:b"),
            group("b", "B", "bulkId:c"),
            group("c", "C", "bulkId:a"),
            with_manager("x", "x", "bulkId:y"),
            with_manager("y", "y", "bulkId:x"),
            group("self", "Self", "bulkId:self"),
        ]),
    );
    assert_eq!(statuses(&answer), ["201"; 6], "{}", answer.json);
    let id = |path: &str, name: &str, value: &str| {
        let list = server.get(path);
        let found = list.resources().iter().find(|resource| resource[name] == value).cloned();
        found.unwrap_or_else(|| panic!("no {value}"))
    };
    for (outer, inner) in [("A", "B"), ("B", "C"), ("C", "A"), ("Self", "Self")] {
        let members = id("/Groups", "displayName", outer)["members"].clone();
        assert_eq!(members[0]["value"], id("/Groups", "displayName", inner)["id"], "{outer}");
        assert_eq!(members.as_array().map(Vec::len), Some(1));
    }
    for (user, manager) in [("x", "y"), ("y", "x")] {
        let user = id("/Users", "userName", user);
        assert_eq!(user[ENTERPRISE]["manager"]["value"], id("/Users", "userName", manager)["id"]);
        assert_eq!((&user[ENTERPRISE]["employeeNumber"], &user["active"]), (&json!("7"), &json!(true)));
    }
    for operation in answer.json["Operations"].as_array().expect("Operations") {
        let path = operation["location"].as_str().expect("a URI").replace(BASE, "");
        assert_eq!(server.get(&path).header("etag"), operation["version"], "{operation}");
    }
}

#[test]
fn s_3_7_3_02_within_a_circle_an_operation_fails_for_its_own_reason() {
    let server = Server::new();
    let delete = json!({ "method": "DELETE", "path": "/Groups/bulkId:b" });
    let answer = send(&server, json!([group("a", "A", "bulkId:b"), group("b", "", "bulkId:a"), delete]));
    let operations = answer.json["Operations"].as_array().expect("Operations");
    let failed = &operations[1];
    assert_eq!((&failed["status"], &failed["response"]["scimType"]), (&json!("400"), &json!("invalidValue")));
    assert!(operations[2].get("location").is_none(), "{answer:?}", answer = answer.json);
    assert_ne!(operations[2]["status"], "204");
    assert_eq!(server.get("/Groups").resources().len(), 0, "nothing is left of the circle");
}

#[test]
fn s_3_7_2_04_a_reference_to_nothing_or_to_what_failed_fails() {
    let server = Server::new();
    server.user("taken");
    let answer = send(
        &server,
        json!([
            group("a", "A", "bulkId:nobody"),
            group("b", "B", "bulkId:u"),
            user("u", "taken"),
            { "method": "DELETE", "path": "/Users/bulkId:u" },
        ]),
    );
    assert_eq!(statuses(&answer), ["400", "409", "409", "409"]);
    let operations = &answer.json["Operations"];
    assert_eq!(operations[0]["response"]["scimType"], "invalidValue");
    assert_eq!(operations[2]["response"]["scimType"], "uniqueness");
    assert!(
        operations
            .as_array()
            .expect("an array")
            .iter()
            .take(3)
            .all(|operation| operation["location"].is_null())
    );
    assert_eq!(server.get("/Groups").json["totalResults"], 0);
}

#[test]
fn a_19_a_path_may_name_a_new_resource() {
    let server = Server::new();
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "title", "value": "Dr" }],
    });
    let answer = send(
        &server,
        json!([{ "method": "PATCH", "path": "/Users/bulkId:u", "data": patch }, user("u", "ada")]),
    );
    assert_eq!(statuses(&answer), ["200", "201"]);
    assert_eq!(server.get("/Users").column("title"), ["Dr"]);
}

#[test]
fn s_3_7_09_10_fail_on_errors_stops_the_job() {
    let operations = json!([
        { "method": "DELETE", "path": "/Users/1" },
        user("a", "a"),
        { "method": "DELETE", "path": "/Users/2" },
        user("b", "b"),
    ]);
    for (limit, results, users) in [(Some(1), 1, 0), (Some(2), 3, 1), (None, 4, 2)] {
        let server = Server::new();
        let mut body = json!({ "schemas": [BULK], "Operations": operations });
        if let Some(limit) = limit {
            body["failOnErrors"] = json!(limit);
        }
        let answer = server.post("/Bulk", body);
        assert_eq!(statuses(&answer).len(), results);
        assert_eq!(server.get("/Users").json["totalResults"], users);
        assert!(answer.json["failOnErrors"].is_null(), "S-3.7-11");
    }
}

#[test]
fn s_3_7_07_a_version_guards_an_operation() {
    let server = Server::new();
    let id = server.user("ada");
    let put = |version: &str| {
        json!([{
            "method": "PUT", "path": format!("/Users/{id}"), "version": version,
            "data": { "schemas": [USER], "userName": "ada", "title": version },
        }])
    };
    assert_eq!(statuses(&send(&server, put("W/\"9\""))), ["412"]);
    assert_eq!(statuses(&send(&server, put("W/\"1\""))), ["200"]);
    assert_eq!(statuses(&send(&server, put("W/\"1\""))), ["412"]);
    let now = server.get(&format!("/Users/{id}")).header("etag").to_owned();
    let bare = now.trim_start_matches("W/").trim_matches('"').to_owned();
    assert_eq!(statuses(&send(&server, put(&bare))), ["200"]);
}

#[test]
fn s_3_7_03_04_05_06_malformed_operations() {
    let server = Server::new();
    for operations in [
        json!([{ "method": "GET", "path": "/Users/1" }]),
        json!([{ "method": "POST", "path": "/Users", "data": {} }]),
        json!([user("a", "a"), user("a", "b")]),
        json!([{ "path": "/Users/1" }]),
        json!([]),
    ] {
        let answer = send(&server, operations.clone());
        assert_eq!(answer.status, 400, "{operations}");
    }
    send(&server, json!([{ "method": "GET", "path": "/Users/1" }])).refused(400, "invalidSyntax");
    server
        .post("/Bulk", json!({ "schemas": [USER], "Operations": [user("a", "a")] }))
        .refused(400, "invalidSyntax");
    let answer = send(
        &server,
        json!([
            { "method": "POST", "path": "/Users/1", "bulkId": "a", "data": {} },
            { "method": "PUT", "path": "/Users/1" },
            { "method": "PUT", "path": "/Users", "data": {} },
            { "method": "POST", "path": "/Nothing", "bulkId": "b", "data": {} },
            { "method": "POST", "path": "/Users", "bulkId": "c", "data": [1] },
            { "method": "POST", "path": "Users", "bulkId": "d", "data": {} },
        ]),
    );
    assert_eq!(statuses(&answer), ["400", "400", "400", "404", "400", "404"]);
    assert_eq!(server.get("/Users").json["totalResults"], 0);
}

#[test]
fn s_3_7_4_02_limits_are_413_and_nothing_is_executed() {
    let server = Server::with(|builder| {
        builder.options(|options| {
            options.limits.bulk_operations = 2;
            options.limits.bulk_payload = 2000;
        })
    });
    let check = |answer: Answer| {
        answer.refused(413, "");
        for limit in ["maxOperations", "maxPayloadSize", "2 operations", "2000 bytes"] {
            assert!(answer.detail().contains(limit), "{}", answer.detail());
        }
        assert_eq!(server.get("/Users").json["totalResults"], 0);
    };
    check(send(&server, json!([user("a", "a"), user("b", "b"), user("c", "c")])));
    check(send(&server, json!([user("a", &"x".repeat(2000))])));
    assert_eq!(statuses(&send(&server, json!([user("a", "a"), user("b", "b")]))), ["201", "201"]);
    let config = server.get("/ServiceProviderConfig").json["bulk"].clone();
    assert_eq!(config, json!({ "supported": true, "maxOperations": 2, "maxPayloadSize": 2000 }));
}

#[test]
fn s_3_7_01_bulk_that_is_switched_off_is_501() {
    let server = Server::with(|builder| builder.options(|options| options.features.bulk = false));
    send(&server, json!([user("a", "a")])).refused(501, "");
    assert_eq!(server.get("/ServiceProviderConfig").json["bulk"]["supported"], false);
}

#[test]
fn a_job_of_references_upon_references_takes_no_quadratic_time() {
    let server = Server::new();
    let groups: Vec<Value> = (0..1000)
        .map(|n| group(&format!("g{n}"), &format!("G{n}"), &format!("bulkId:g{}", n + 1)))
        .take(999)
        .chain([group("g999", "G999", "bulkId:g0")])
        .collect();
    let answer = send(&server, json!(groups));
    assert!(statuses(&answer).iter().all(|status| *status == "201"));
    let list = server.get("/Groups?count=1&excludedAttributes=members");
    assert_eq!(list.ok()["totalResults"], 1000);
}

#[test]
fn bulk_is_for_post_alone_and_for_writers() {
    let server = Server::new();
    server.get("/Bulk").refused(405, "");
    let mut request = raw(http::Method::POST, "/Bulk", "{}");
    request.headers_mut().insert("authorization", "Bearer read".parse().expect("a value"));
    server.send(request).refused(403, "");
}

/// A clock of which each look takes a second.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn a_bulk_request_takes_no_longer_than_its_time() {
    let server = Server::with(|builder| {
        builder.clock(Ticking::default()).options(|options| options.limits.bulk_timeout = 3)
    });
    let users: Vec<Value> = ["a", "b", "c", "d"].iter().map(|name| user(name, name)).collect();
    let answer = send(&server, json!(users));
    assert_eq!(statuses(&answer), ["201", "201", "503", "503"]);
    let last = &answer.json["Operations"][3];
    assert_eq!(last["bulkId"], "d");
    assert_eq!(last["response"]["status"], "503");
    assert!(last["response"]["detail"].as_str().expect("a detail").contains("send it again"), "{last}");
    // What was not begun left nothing behind.
    assert_eq!(server.get("/Users").column("userName"), ["a", "b"]);
}

/// 26 kB of small PATCHes on one large resource kept a processor busy for 25 seconds.
#[test]
fn bulk_has_one_budget_of_work_and_answers_503_beyond_it() {
    let server = Server::with(|builder| builder.options(|options| options.limits.max_work = 4 << 20));
    let id = server.created(
        "/Users",
        json!({
            "schemas": [crate::harness::USER], "userName": "ada", "title": "x".repeat(20_000),
        }),
    );
    let patch = |n: usize| {
        json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "nickName", "value": format!("n{n}")}],
        }})
    };
    let operations: Vec<Value> = (0..20).map(patch).collect();
    let answer = send(&server, json!(operations));
    let statuses = statuses(&answer);
    let done = statuses.iter().filter(|status| **status == "200").count();
    // Each takes some 20 kB × 32 of 4 MiB.
    assert_eq!(done, 5, "{statuses:?}");
    assert!(statuses.iter().skip(done).all(|status| *status == "503"), "{statuses:?}");
    let detail = answer.json["Operations"][done]["response"]["detail"].as_str().expect("a detail");
    assert!(detail.contains("send it again in another"), "{detail}");
    assert_eq!(server.get(&format!("/Users/{id}")).ok()["nickName"], format!("n{}", done - 1));
    // A refused operation has the whole budget in another request.
    let again = send(&server, json!(operations[done..2 * done]));
    assert!(self::statuses(&again).iter().all(|status| *status == "200"), "{}", again.json);
    // The same on both sides of the budget, however often.
    assert_eq!(self::statuses(&send(&server, json!(operations))), statuses);
}

#[test]
fn bulk_operation_that_exceeds_the_budget_alone_returns_400_too_many() {
    let server = Server::with(|builder| builder.options(|options| options.limits.max_work = 1 << 20));
    let id = server.created(
        "/Users",
        json!({
            "schemas": [crate::harness::USER], "userName": "ada", "title": "x".repeat(40_000),
        }),
    );
    let message = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "nickName", "value": "n"}],
    });
    let operation = json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": message});
    let answer = send(&server, json!([operation]));
    assert_eq!(statuses(&answer), ["400"]);
    assert_eq!(answer.json["Operations"][0]["response"]["scimType"], "tooMany");
    server.patch(&format!("/Users/{id}"), message).refused(400, "tooMany");
    server.put(&format!("/Users/{id}"), json!({"userName": "ada"})).refused(400, "tooMany");
}

/// As RFC 7644 §3.7 prints it, and with paths as some clients send them.
#[test]
fn bulk_takes_a_bare_list_of_patch_operations_and_paths_with_the_base() {
    let server = Server::new();
    let old = server.user("old");
    let location = format!("{BASE}/Users/{old}");
    let base_path = BASE.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let base_path = base_path.expect("a base with a path");
    let list =
        json!([{ "op": "add", "path": "title", "value": "Dr" }, { "op": "remove", "path": "nickName" }]);
    for path in [format!("/Users/{old}"), format!("{base_path}/Users/{old}"), location.clone()] {
        let answer = send(&server, json!([{ "method": "PATCH", "path": path, "data": list }]));
        assert_eq!(statuses(&answer), ["200"], "{path}");
        assert_eq!(answer.json["Operations"][0]["location"], location, "{path}");
    }
    assert_eq!(server.get(&format!("/Users/{old}")).json["title"], "Dr");
    let elsewhere = json!([{ "method": "DELETE", "path": format!("{base_path}/v2/Users/{old}") }]);
    assert_eq!(statuses(&send(&server, elsewhere)), ["404"]);
    let strict =
        Server::with(|builder| builder.options(|options| options.compat = scim2_core::Compat::strict()));
    let old = strict.user("old");
    let answer = send(&strict, json!([{ "method": "PATCH", "path": format!("/Users/{old}"), "data": list }]));
    assert_eq!(statuses(&answer), ["400"]);
}

#[test]
fn query_in_bulk_path_is_refused_as_such() {
    let server = Server::new();
    let id = server.user("ada");
    for path in
        [format!("/Users/{id}?attributes=title"), format!("/Users/{id}?"), "/Users?count=1".to_owned()]
    {
        let answer = send(&server, json!([{ "method": "DELETE", "path": path }]));
        assert_eq!(statuses(&answer), ["400"], "{path}");
        let result = answer.ok()["Operations"][0]["response"].clone();
        assert!(
            result["detail"].as_str().is_some_and(|detail| detail.contains("has no query")),
            "{path}: {result}"
        );
    }
    server.get(&format!("/Users/{id}")).ok();
}
