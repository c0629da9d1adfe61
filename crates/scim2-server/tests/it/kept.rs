//! Required never-returned attributes are kept, and no client loses data that it could not see.

use scim2_core::{Compat, Registry};
use serde_json::{Value, json};

use crate::harness::{GROUP, Server, USER, registry_with};

const VAULT: &str = "urn:example:schemas:1.0:Vault";
const GRID: &str = "urn:example:schemas:1.0:Grid";

/// A resource type whose never-returned attributes and parts are required.
fn vaults() -> Registry {
    let never = |name: &str| json!({ "name": name, "returned": "never", "required": true });
    let vault = json!({ "id": VAULT, "name": "Vault", "attributes": [
        { "name": "label" },
        never("pin"),
        { "name": "pins", "returned": "never", "required": true, "multiValued": true },
        { "name": "puk", "returned": "never" },
        { "name": "shut", "type": "complex", "returned": "never", "subAttributes": [
            { "name": "a", "required": true }, { "name": "b" },
        ] },
        { "name": "box", "type": "complex", "subAttributes": [{ "name": "size" }, never("code")] },
        { "name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value" }, { "name": "type" }, { "name": "memo", "returned": "request" }, never("secret"),
        ] },
        { "name": "slots", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "place" }, { "name": "secret", "returned": "never" },
        ] },
        { "name": "seals", "type": "complex", "multiValued": true, "mutability": "immutable", "subAttributes": [
            { "name": "value" }, { "name": "wax", "returned": "never" },
        ] },
        { "name": "stamp", "type": "complex", "mutability": "immutable", "subAttributes": [
            { "name": "value" }, { "name": "ink", "returned": "never" },
        ] },
    ] });
    let grid = json!({ "id": GRID, "name": "Grid", "attributes": [
        { "name": "cells" }, never("phrase"), { "name": "salt", "returned": "never" },
    ] });
    let type_ = json!({
        "name": "Vault", "endpoint": "/Vaults", "schema": VAULT, "schemaExtensions": [{ "schema": GRID }],
    });
    registry_with([vault, grid], [type_])
}

fn vault() -> Value {
    json!({
        "schemas": [VAULT, GRID], "label": "A", "pin": "P", "pins": ["1", "2"], "puk": "U",
        "shut": { "a": "SA", "b": "SB" },
        "box": { "size": "L", "code": "C" },
        "keys": [
            { "value": "a", "type": "x", "memo": "MA", "secret": "KA" },
            { "value": "a", "type": "y", "memo": "MB", "secret": "KB" },
            { "value": "c", "type": "x", "secret": "KC" },
        ],
        "slots": [{ "place": "up", "secret": "SU" }, { "place": "down", "secret": "SD" }],
        "seals": [{ "value": "s", "wax": "red" }, { "value": "t" }],
        "stamp": { "value": "p", "ink": "blue" },
        GRID: { "cells": "9", "phrase": "GP", "salt": "GS" },
    })
}

struct Vault {
    server: Server,
    path: String,
}

impl Vault {
    fn new(compat: Compat) -> Self {
        let server =
            Server::with(|builder| builder.registry(vaults()).options(|options| options.compat = compat));
        let id = server.created("/Vaults", vault());
        Self { server, path: format!("/Vaults/{id}") }
    }

    /// The stored resource with its never-returned attributes.
    fn stored(&self) -> Value {
        let mut stored =
            crate::never_returned::whole(&self.server, "Vault", self.path.trim_start_matches("/Vaults/"));
        stored["schemas"] = json!([VAULT, GRID]);
        stored
    }

    #[track_caller]
    fn holds(&self, changes: &[(&str, Value)]) {
        let mut expected = vault();
        for (pointer, value) in changes {
            *expected.pointer_mut(pointer).expect("a place") = value.clone();
        }
        assert_eq!(self.stored(), expected);
    }

    /// PUT of what GET answers, changed.
    fn put(&self, change: impl FnOnce(&mut Value)) -> crate::harness::Answer {
        let mut body = self.server.get(&self.path).json;
        change(&mut body);
        self.server.put(&self.path, body)
    }
}

fn modes() -> [Compat; 3] {
    [Compat::default(), Compat::strict(), Compat::profile()]
}

#[test]
fn s_3_5_1_09_a_put_does_not_unassign_what_is_required_and_hidden() {
    for compat in modes() {
        let vault = Vault::new(compat);
        for (pointer, value) in [
            ("/pin", Value::Null),
            ("/pin", json!("")),
            ("/pins", Value::Null),
            ("/pins", json!([])),
            ("/pins", json!([""])),
            ("/shut", json!({ "b": "B" })),
            ("/box/code", Value::Null),
            ("/box/code", json!("")),
            ("/keys/0/secret", Value::Null),
            (&format!("/{GRID}/phrase"), Value::Null),
            (&format!("/{GRID}"), json!({ "phrase": null })),
        ] {
            let put = vault.put(|body| {
                let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
                body.pointer_mut(parent).expect("a place")[name] = value.clone();
            });
            put.refused(400, "invalidValue");
            assert!(!put.detail().contains("`P`"), "{}", put.detail());
            vault.holds(&[]);
        }
        // What is optional goes, and what is not mentioned stays.
        vault.put(|body| body["puk"] = Value::Null).ok();
        assert_eq!((&vault.stored()["puk"], &vault.stored()["pin"]), (&Value::Null, &json!("P")));
    }
}

#[test]
fn s_3_5_1_09_a_put_gives_new_values_the_hidden_parts_they_must_have() {
    for compat in modes() {
        let vault = Vault::new(compat);
        for change in [
            json!({ "keys": [{ "value": "n", "type": "x" }] }),
            json!({ "keys": [{ "value": "a", "type": "x" }, { "value": "a", "type": "y" }, { "value": "a", "type": "z" }] }),
        ] {
            let put = vault.put(|body| body["keys"] = change["keys"].clone());
            put.refused(400, "invalidValue");
            assert!(put.detail().contains("keys.secret"), "{}", put.detail());
            vault.holds(&[]);
        }
        let id = vault.server.created("/Vaults", json!({ "schemas": [VAULT], "pin": "P", "pins": ["1"] }));
        let path = format!("/Vaults/{id}");
        for body in [
            json!({ "schemas": [VAULT], "box": { "size": "L" } }),
            json!({ "schemas": [VAULT], "keys": [{ "value": "a" }] }),
            json!({ "schemas": [VAULT, GRID], GRID: { "cells": "1" } }),
        ] {
            vault.server.put(&path, body).refused(400, "invalidValue");
        }
        let patch = json!([{ "op": "add", "path": format!("{GRID}:cells"), "value": "1" }]);
        vault.server.operations(&path, patch).refused(400, "invalidValue");
        let body = json!({ "schemas": [VAULT, GRID], "box": { "size": "L", "code": "C" }, GRID: { "cells": "1", "phrase": "G" } });
        vault.server.put(&path, body).ok();
    }
}

#[test]
fn a_23_s_3_5_1_04_a_put_of_what_a_get_answered_with_one_change_loses_nothing() {
    for compat in modes() {
        for (pointer, value) in [
            ("/keys/0/type", json!("z")),
            ("/keys/1/type", json!("z")),
            ("/keys/2/type", Value::Null),
            ("/slots/0/place", json!("left")),
            ("/slots/1/place", json!("up")),
            ("/box/size", json!("M")),
            ("/label", json!("B")),
        ] {
            let vault = Vault::new(compat);
            let put = vault.put(|body| *body.pointer_mut(pointer).expect("a place") = value.clone());
            put.ok();
            if value.is_null() {
                assert_eq!(vault.stored()["keys"][2], json!({ "value": "c", "secret": "KC" }));
            } else {
                vault.holds(&[(pointer, value)]);
            }
        }
        // In another order, with one gone and another begun.
        let vault = Vault::new(compat);
        let put = vault.put(|body| {
            body["keys"] = json!([
                { "value": "n", "secret": "KN" },
                { "type": "w", "value": "A" },
                { "type": "y", "value": "a" },
            ]);
        });
        put.ok();
        assert_eq!(
            vault.stored()["keys"],
            json!([
                { "value": "n", "secret": "KN" },
                { "type": "w", "value": "A", "memo": "MA", "secret": "KA" },
                { "type": "y", "value": "a", "memo": "MB", "secret": "KB" },
            ])
        );
    }
}

#[test]
fn q_roundtrip_a_patch_that_replaces_by_what_is_seen_changes_nothing() {
    for compat in modes() {
        let vault = Vault::new(compat);
        let shown = vault.server.get(&vault.path);
        for path in ["label", "box", "keys", "slots", "seals", "stamp", GRID] {
            let operation = json!([{ "op": "replace", "path": path, "value": shown.json[path] }]);
            let answer = vault.server.operations(&vault.path, operation);
            answer.ok();
            assert_eq!(answer.header("etag"), shown.header("etag"), "{path}");
            vault.holds(&[]);
        }
        if !compat.is_profile() {
            let path = r#"keys[value eq "a" and type eq "y"]"#;
            let operation =
                json!([{ "op": "replace", "path": path, "value": { "value": "A", "type": "z" } }]);
            vault.server.operations(&vault.path, operation).ok();
            vault.holds(&[("/keys/1/value", json!("A")), ("/keys/1/type", json!("z"))]);
            let operation = json!([{ "op": "replace", "path": "keys", "value": shown.json["keys"] }]);
            vault.server.operations(&vault.path, operation).ok();
            vault.holds(&[]);
        }
        for path in ["keys", "slots"] {
            let before = vault.server.get(&vault.path);
            let operation = json!([{ "op": "add", "path": path, "value": shown.json[path] }]);
            let answer = vault.server.operations(&vault.path, operation);
            assert_eq!(answer.ok(), &before.json, "what is there is not added again");
            assert_eq!(answer.header("etag"), before.header("etag"));
        }
        if compat == Compat::default() {
            vault.server.operations(&vault.path, json!([{ "op": "replace", "value": shown.json }])).ok();
            vault.holds(&[]);
        }
        // What it names goes.
        let operation = json!([{ "op": "replace", "path": "slots", "value": [
            { "place": "up", "secret": null }, { "place": "down" },
        ] }]);
        vault.server.operations(&vault.path, operation).ok();
        vault.holds(&[("/slots/0", json!({ "place": "up" }))]);
        let operation =
            json!([{ "op": "replace", "path": "keys", "value": [{ "value": "a", "secret": null }] }]);
        vault.server.operations(&vault.path, operation).refused(400, "invalidValue");
    }
}

#[test]
fn c_7_07_what_is_immutable_may_be_given_again_in_any_spelling() {
    for compat in modes() {
        let vault = Vault::new(compat);
        let before = vault.server.get(&vault.path);
        for (op, path, value) in [
            ("replace", "seals", json!([{ "value": "T" }, { "value": "S" }])),
            ("add", "seals", json!([{ "value": "t" }, { "value": "s" }])),
            ("replace", "stamp", json!({ "value": "P" })),
            ("add", "stamp", json!({ "value": "P" })),
            ("replace", "stamp.value", json!("P")),
        ] {
            let operation = json!([{ "op": op, "path": path, "value": value }]);
            let answer = vault.server.operations(&vault.path, operation);
            answer.ok();
            assert_eq!(answer.header("etag"), before.header("etag"), "{op} {path}");
            vault.holds(&[]);
        }
        for (path, value) in [("seals", json!([{ "value": "s" }])), ("stamp", json!({ "value": "q" }))] {
            let operation = json!([{ "op": "replace", "path": path, "value": value }]);
            vault.server.operations(&vault.path, operation).refused(400, "mutability");
        }
    }
}

#[test]
fn c_2_5_02_null_is_no_value_of_a_list() {
    for compat in modes() {
        let server = Server::with(|builder| builder.options(|options| options.compat = compat));
        let user = server.user("ada");
        let group = server.group("Tour", &[&user]);
        let (user, group) = (format!("/Users/{user}"), format!("/Groups/{group}"));
        for nulls in [json!([null]), json!([null, null])] {
            let body = json!({ "schemas": [GROUP], "displayName": "Tour", "members": nulls });
            server.put(&group, body.clone()).refused(400, "invalidValue");
            server.post("/Groups", body).refused(400, "invalidValue");
            for op in ["replace", "add"] {
                for operation in [
                    json!({ "op": op, "path": "members", "value": nulls }),
                    json!({ "op": op, "value": { "members": nulls } }),
                ] {
                    let answer = server.operations(&group, json!([operation]));
                    assert_eq!(answer.status, 400, "{operation}");
                }
            }
            if compat == Compat::default() {
                let remove = json!([{ "op": "remove", "path": "members", "value": nulls }]);
                server.operations(&group, remove).refused(400, "invalidValue");
            }
            assert_eq!(server.get(&group).json["members"].as_array().map(Vec::len), Some(1));

            for name in ["emails", "photos", "phoneNumbers", "roles"] {
                let body = json!({ "schemas": [USER], "userName": "ada", name: nulls });
                server.put(&user, body).refused(400, "invalidValue");
                let body = json!({ "schemas": [USER], "userName": "bob", name: nulls });
                server.post("/Users", body).refused(400, "invalidValue");
                let operation = json!([{ "op": "replace", "path": name, "value": nulls }]);
                server.operations(&user, operation).refused(400, "invalidValue");
            }
            for name in ["title", "name"] {
                let body = json!({ "schemas": [USER], "userName": "ada", name: nulls });
                server.put(&user, body).refused(400, "invalidValue");
                let operation = json!([{ "op": "replace", "path": name, "value": nulls }]);
                server.operations(&user, operation).refused(400, "invalidValue");
            }
        }
        // Beside a value it is none either.
        let emails = json!([{ "value": "a@x" }, null]);
        let body = json!({ "schemas": [USER], "userName": "ada", "emails": emails });
        server.put(&user, body).refused(400, "invalidValue");
        let operation = json!([{ "op": "add", "path": "emails", "value": emails }]);
        server.operations(&user, operation).refused(400, "invalidValue");
    }
}

#[test]
fn a_23_an_element_of_which_nothing_is_seen_is_not_lost() {
    for compat in modes() {
        let vault = Vault::new(compat);
        let slots = json!([{ "secret": "SU" }, { "place": "down", "secret": "SD" }]);
        vault.put(|body| body["slots"] = slots.clone()).ok();
        let shown = vault.server.get(&vault.path);
        assert_eq!(shown.json["slots"], json!([{ "place": "down" }]));
        let put = vault.put(|_| {});
        assert_eq!((put.ok(), put.header("etag")), (&shown.json, shown.header("etag")));
        let operation = json!([{ "op": "replace", "path": "slots", "value": shown.json["slots"] }]);
        vault.server.operations(&vault.path, operation).ok();
        assert_eq!(vault.stored()["slots"], slots);
        vault.put(|body| body["slots"] = json!([{ "place": "down" }, {}, {}])).ok();
        assert_eq!(vault.stored()["slots"], json!([slots[1], slots[0]]));
        vault.put(|body| body["slots"] = json!([{ "place": "left" }])).ok();
        assert_eq!(vault.stored()["slots"], json!([{ "place": "left", "secret": "SD" }, slots[0]]));
        vault.put(|body| body["slots"] = json!([])).ok();
        assert!(vault.stored()["slots"].is_null());
    }
}
