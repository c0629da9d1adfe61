//! `scim2 audit` and `scim2 fsck` beside a running server.

use std::path::Path;

use serde_json::{Value, json};

use crate::binary::{done, expect, run, served};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn entries(folder: &Path, more: &[&str]) -> Vec<Value> {
    let arguments = [&["audit", "--store", "sqlite:scim2.db", "--json"], more].concat();
    done(folder, &arguments).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_write_is_in_the_log_newest_last_and_a_refused_one_is_not() {
    let (server, folder) = served(&[]);
    let endpoint = server.endpoint();
    let body = json!({"schemas": [USER], "userName": "a", "password": "secret-of-a"});
    let user = expect(endpoint, 201, "POST", "/Users", Some(body.clone()));
    let id = user["id"].as_str().unwrap();
    let target = format!("/Users/{id}");
    expect(endpoint, 409, "POST", "/Users", Some(body));
    let patch =
        json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": false}]});
    expect(endpoint, 200, "PATCH", &target, Some(patch));
    expect(endpoint, 204, "DELETE", &target, None);

    let log = entries(folder.path(), &[]);
    let operations: Vec<_> = log.iter().map(|entry| entry["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["token.create", "create", "modify", "delete"]);
    assert!(log[1..].iter().all(|entry| entry["resourceId"] == id && entry["actor"] == "bootstrap"));
    assert_eq!(log[2]["changed"], json!(["active"]));
    let numbers: Vec<_> = log.iter().map(|entry| entry["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(log.iter().all(|entry| !entry.to_string().contains("secret-of-a")));

    let table = done(folder.path(), &["audit", "--store", "sqlite:scim2.db"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[2].contains("modify") && lines[2].contains(id) && lines[2].ends_with("active"), "{table}");
}

#[test]
fn a_scim_filter_chooses_and_a_limit_keeps_the_newest() {
    let (server, folder) = served(&[]);
    for name in ["a", "b", "c"] {
        expect(server.endpoint(), 201, "POST", "/Users", Some(json!({"schemas": [USER], "userName": name})));
    }
    let filter = r#"resourceType eq "User" and operation eq "create""#;
    assert_eq!(entries(folder.path(), &["--filter", filter]).len(), 3);
    let newest = entries(folder.path(), &["--filter", filter, "--limit", "2"]);
    let numbers: Vec<_> = newest.iter().map(|entry| entry["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 4]);
    assert_eq!(entries(folder.path(), &["--filter", r#"time lt "2000-01-01T00:00:00Z""#]).len(), 0);

    let ran = run(folder.path(), &["audit", "--store", "sqlite:scim2.db", "--filter", "operation = 1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("          ^"), "{}", ran.err);
    let ran = run(folder.path(), &["audit", "--store", "sqlite:scim2.db", "--filter", "userName pr"]);
    assert_eq!((ran.code, ran.err.lines().count()), (Some(2), 1), "{}", ran.err);
}

#[test]
fn the_check_agrees_while_the_server_runs() {
    let (server, folder) = served(&[]);
    let user =
        expect(server.endpoint(), 201, "POST", "/Users", Some(json!({"schemas": [USER], "userName": "a"})));
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g",
        "members": [{"value": user["id"]}]});
    expect(server.endpoint(), 201, "POST", "/Groups", Some(group));
    let report = done(folder.path(), &["fsck", "--store", "sqlite:scim2.db"]);
    assert!(report.starts_with("2 resources, "), "{report}");
    assert!(report.contains(" 1 membership, ") && report.ends_with(": all agree\n"), "{report}");
}
