//! How long strings may be, on every way into a resource.

use futures_util::FutureExt;
use scim2_core::{Object, ResourceId, Value as Scim};
use scim2_server::store::{Include, MembersWrite, Write};
use scim2_server::{Context, ResourceStore, TenantId};
use serde_json::{Value, json};

use crate::harness::{Server, USER};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Arabic-Indic digits, whose contextual rule looks at the whole text for each of them.
fn digits(bytes: usize) -> String {
    // A name from right to left does not begin with a digit.
    format!("\u{628}{}", "\u{660}".repeat(bytes / 2 - 1))
}

fn server() -> Server {
    Server::with(|builder| {
        builder
            .password_hasher(crate::harness::Reversing)
            .options(|options| options.limits.strings.max_string = 8000)
    })
}

/// Makes the value of an attribute of a text.
type MakeValue = fn(&str) -> Value;

/// Each attribute with its limit, as a value of that many bytes.
fn limits() -> [(&'static str, usize, MakeValue); 4] {
    [
        ("userName", 1024, |text| json!(text)),
        ("password", 4096, |text| json!(text)),
        ("title", 8000, |text| json!(text)),
        ("emails", 8000, |text| json!([{"value": text, "type": "work"}])),
    ]
}

#[test]
fn too_long_string_is_refused_on_every_way_in() {
    let server = server();
    let id = server.created("/Users", json!({"schemas": [USER], "userName": "ada"}));
    let path = format!("/Users/{id}");
    for (name, most, value) in limits() {
        for (bytes, fits) in [(most, true), (most + 2, false), (400_000, false)] {
            let value = value(&digits(bytes));
            let body = |user_name: &str| {
                let mut body = json!({"schemas": [USER], "userName": user_name});
                body[name] = value.clone();
                body
            };
            let patch = |operations: Value| json!({"schemas": [PATCH_OP], "Operations": operations});
            let bulk = |method: &str, path: &str, data: Value| {
                let operation = json!({"method": method, "path": path, "bulkId": "b", "data": data});
                json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation],
                })
            };
            let operation = json!([{"op": "replace", "path": name, "value": value}]);
            let mut ways = vec![
                ("PUT", server.put(&path, body("ada"))),
                ("PATCH", server.patch(&path, patch(operation.clone()))),
                ("PATCH without a path", {
                    let mut given = json!({});
                    given[name] = value.clone();
                    server.patch(&path, patch(json!([{"op": "add", "value": given}])))
                }),
            ];
            if name == "emails" {
                let text = digits(bytes);
                let add = |path: &str, value: Value| {
                    server.patch(&path_of(&id), patch(json!([{"op": "add", "path": path, "value": value}])))
                };
                ways.push(("a value path", add(r#"emails[type eq "work"].value"#, json!(text))));
                ways.push((
                    "a value path without a target",
                    add(r#"emails[type eq "home"].value"#, json!(text)),
                ));
                if bytes <= most + 2 {
                    // A filter's literal becomes a value.
                    let path = format!(r#"emails[value eq "{text}" and type eq "other"].primary"#);
                    ways.push(("a literal", add(&path, json!(false))));
                }
            }
            for (way, answer) in ways {
                if fits {
                    assert!(answer.status.is_success(), "{name} {way} {bytes}: {}", answer.json);
                } else {
                    answer.refused(400, "invalidValue");
                    let detail = answer.detail();
                    assert!(detail.contains(&format!("at most {most} bytes")), "{name} {way}: {detail}");
                    assert!(way == "a literal" || !detail.contains('\u{660}'), "{name} {way}: {detail}");
                }
            }
            for answer in [
                server.post("/Bulk", bulk("PUT", &path, body("ada"))),
                server.post("/Bulk", bulk("PATCH", &path, patch(operation))),
            ] {
                let status = answer.ok()["Operations"][0]["status"].clone();
                assert_eq!(status == "200", fits, "{name} {bytes}: {}", answer.json);
            }
            server.put(&path, json!({"schemas": [USER], "userName": "ada"})).ok();
            let created = server.post("/Users", body("new"));
            assert_eq!(created.status == 201, fits, "{name} {bytes}");
            if fits {
                server.delete(&format!("/Users/{}", created.json["id"].as_str().expect("an id")));
            }
        }
    }
}

fn path_of(id: &str) -> String {
    format!("/Users/{id}")
}

/// A name that was stored when there was no limit stays, and its owner can be changed and found.
#[test]
fn long_name_that_is_stored_already_stays_usable() {
    let server = Server::new();
    let name = digits(80_000);
    let cx = Context::new(
        server.provider.registry().clone(),
        TenantId::default(),
        "test",
        chrono::DateTime::UNIX_EPOCH,
    );
    let id = "stored";
    let write = Write {
        resource_type: cx.registry.resource_type("User").expect("a standard type").clone(),
        id: ResourceId::parse(id).expect("an id"),
        body: Object::from_iter([
            ("schemas", Scim::from(vec![USER])),
            ("id", Scim::from(id)),
            ("userName", Scim::from(name.as_str())),
        ]),
        never_returned: Object::new(),
        members: MembersWrite::Keep,
        changed: Vec::new(),
        include: Include::default(),
    };
    let created = server.provider.store().create(&cx, write).now_or_never().expect("no waiting");
    created.expect("it is stored");
    let path = path_of(id);
    let operations = json!([{"op": "replace", "path": "active", "value": false}]);
    server.patch(&path, json!({"schemas": [PATCH_OP], "Operations": operations})).ok();
    let found = server.get("/Users?filter=userName%20co%20%22%D9%A0%22&sortBy=userName&attributes=active");
    assert_eq!(found.resources()[0]["active"], false);
    server.put(&path, json!({"schemas": [USER], "userName": name})).refused(400, "invalidValue");
    server.put(&path, json!({"schemas": [USER], "userName": "ada"})).ok();
}
