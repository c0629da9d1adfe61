//! `--schemas`: resource types without a line of Rust.

use scim2_testkit::process::Launch;
use serde_json::{Value, json};

use crate::binary::{done, expect, run, run_with_input, served};

const BADGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/example-badge");
const DEVICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/rfc9944");
const BADGE: &str = "urn:example:params:scim:schemas:1.0:Badge";
const PARKING: &str = "urn:example:params:scim:schemas:extension:parking:1.0:Badge";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn badge(number: &str) -> Value {
    json!({
        "schemas": [BADGE, PARKING],
        "number": number,
        "chipId": format!("Chip{number}"),
        "enabled": true,
        "uses": 3,
        "deposit": 12.5,
        "validUntil": "2027-01-31T00:00:00Z",
        "photo": "aGVsbG8=",
        "manual": "https://example.com/rules",
        "doors": [{"value": "north", "type": "outer", "primary": true}, {"value": "lab", "type": "inner"}],
        "tags": ["red", "old"],
        "remark": "lost once",
        "pin": "1234",
        PARKING: {"lot": "A", "spaces": [4, 5]},
    })
}

fn query(filter: &str) -> String {
    let filter = filter.replace('"', "%22").replace(' ', "%20").replace('+', "%2B");
    let filter = filter.replace('[', "%5B").replace(']', "%5D");
    format!("/Badges?filter={filter}")
}

#[test]
fn a_resource_type_of_a_folder_is_stored_read_and_projected() {
    let (server, _folder) = served(&["--schemas", BADGES]);
    let endpoint = server.endpoint();
    let made = expect(endpoint, 201, "POST", "/Badges", Some(badge("7")));
    let id = made["id"].as_str().unwrap();
    let target = format!("/Badges/{id}");
    assert_eq!(made["meta"]["resourceType"], "Badge");
    assert_eq!(made["meta"]["location"], format!("{}{target}", endpoint.base_url()));
    assert_eq!(made[PARKING], json!({"lot": "A", "spaces": [4, 5]}));

    let read = expect(endpoint, 200, "GET", &target, None);
    assert_eq!(read["deposit"], 12.5);
    assert!(read.get("remark").is_none() && read.get("photo").is_none(), "returned: request");
    assert!(read.get("pin").is_none(), "returned: never");
    let asked = expect(endpoint, 200, "GET", &format!("{target}?attributes=remark,pin"), None);
    assert_eq!((&asked["remark"], &asked["number"]), (&json!("lost once"), &json!("7")), "returned: always");
    assert!(asked.get("pin").is_none() && asked.get("uses").is_none());
    expect(endpoint, 204, "DELETE", &target, None);
    expect(endpoint, 404, "GET", &target, None);
}

#[test]
fn a_resource_type_of_a_folder_is_validated() {
    let (server, _folder) = served(&["--schemas", BADGES]);
    let endpoint = server.endpoint();
    let refused = |status: u16, scim_type: &str, body: Value| {
        let error = expect(endpoint, status, "POST", "/Badges", Some(body));
        assert_eq!(error["scimType"], scim_type, "{error}");
        error["detail"].as_str().unwrap().to_owned()
    };
    expect(endpoint, 201, "POST", "/Badges", Some(badge("7")));
    assert!(refused(409, "uniqueness", badge("7")).contains("number"));
    assert!(refused(400, "invalidValue", json!({"schemas": [BADGE], "uses": 1})).contains("number"));
    for (name, value) in [
        ("uses", json!(1.5)),
        ("deposit", json!("much")),
        ("validUntil", json!("tomorrow")),
        ("photo", json!("not base64!")),
        ("enabled", json!("perhaps")),
        ("doors", json!(5)),
    ] {
        let detail = refused(400, "invalidValue", json!({"schemas": [BADGE], "number": "8", name: value}));
        assert!(detail.contains(name), "{name}: {detail}");
    }
}

#[test]
fn a_resource_type_of_a_folder_is_filtered_sorted_and_patched() {
    let (server, folder) = served(&["--schemas", BADGES]);
    let endpoint = server.endpoint();
    let mut ids = Vec::new();
    for number in ["10", "20", "30"] {
        let made = expect(endpoint, 201, "POST", "/Badges", Some(badge(number)));
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let found = |filter: &str| expect(endpoint, 200, "GET", &query(filter), None)["totalResults"].clone();
    assert_eq!(found(r#"number eq "20""#), 1);
    assert_eq!(found(r#"chipId eq "chip20""#), 0, "caseExact");
    assert_eq!(found(r#"chipId eq "Chip20""#), 1);
    assert_eq!(found(r#"uses ge 3 and deposit lt 12.75 and enabled eq true"#), 3);
    assert_eq!(found(r#"validUntil gt "2027-01-31T00:30:00+01:00""#), 3, "an instant");
    assert_eq!(found(r#"doors[value eq "north" and type eq "inner"]"#), 0, "one element");
    assert_eq!(found(r#"doors[value eq "lab" and type eq "inner"]"#), 3);
    assert_eq!(found(&format!(r#"{PARKING}:lot eq "a""#)), 3);
    assert_eq!(found(r#"tags eq "red" and not (tags eq "blue")"#), 3);

    let page = expect(endpoint, 200, "GET", "/Badges?sortBy=number&sortOrder=descending&count=2", None);
    let numbers: Vec<_> =
        page["Resources"].as_array().unwrap().iter().map(|badge| &badge["number"]).collect();
    assert_eq!(numbers, ["30", "20"]);

    let target = format!("/Badges/{}", ids[0]);
    let patched = |operations: Value| {
        endpoint.call("PATCH", &target, Some(&json!({"schemas": [PATCH], "Operations": operations}))).unwrap()
    };
    let answer = patched(json!([
        {"op": "replace", "path": "doors[value eq \"lab\"].display", "value": "Laboratory"},
        {"op": "add", "path": "tags", "value": ["new"]},
        {"op": "remove", "path": format!("{PARKING}:spaces")},
        {"op": "replace", "value": {"uses": 4}},
    ]));
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let badge = answer.json().unwrap();
    assert_eq!(badge["doors"][1]["display"], "Laboratory");
    assert_eq!(badge["tags"], json!(["red", "old", "new"]));
    assert_eq!((&badge["uses"], &badge[PARKING]), (&json!(4), &json!({"lot": "A"})));
    let answer = patched(json!([{"op": "replace", "path": "number", "value": "11"}]));
    assert_eq!(
        (answer.status, &answer.json().unwrap()["scimType"]),
        (400, &json!("mutability")),
        "immutable"
    );
    let answer = patched(json!([{"op": "replace", "path": "issuedBy", "value": "me"}]));
    assert_eq!((answer.status, &answer.json().unwrap()["scimType"]), (400, &json!("mutability")), "readOnly");

    let report = done(folder.path(), &["fsck", "--store", "sqlite:scim2.db", "--schemas", BADGES]);
    assert!(report.ends_with(": all agree\n"), "{report}");
}

#[test]
fn discovery_lists_what_the_folders_hold() {
    let (server, _folder) = served(&["--schemas", BADGES, "--schemas", DEVICES]);
    let endpoint = server.endpoint();
    let types = expect(endpoint, 200, "GET", "/ResourceTypes", None);
    let names: Vec<_> = types["Resources"].as_array().unwrap().iter().map(|type_| &type_["name"]).collect();
    assert_eq!(names, ["User", "Group", "Badge", "Device", "EndpointApp"]);
    let badge = expect(endpoint, 200, "GET", "/ResourceTypes/Badge", None);
    assert_eq!((&badge["endpoint"], &badge["schema"]), (&json!("/Badges"), &json!(BADGE)));
    let schema = expect(endpoint, 200, "GET", &format!("/Schemas/{BADGE}"), None);
    let number =
        schema["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == "number");
    assert_eq!(
        (&number.unwrap()["mutability"], &number.unwrap()["caseExact"]),
        (&json!("immutable"), &json!(true))
    );
}

/// RFC 9944 prints the pairing methods of a device as extensions within the BLE extension. Nothing of them is lost:
/// they are kept, validated and found as the extensions of the Device that they are, and answered where they were.
#[test]
fn extension_within_extension_is_kept_validated_and_found() {
    const DEVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:Device";
    const BLE: &str = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device";
    const PASS_KEY: &str = "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device";
    const OOB: &str = "urn:ietf:params:scim:schemas:extension:pairingOOB:2.0:Device";

    for mode in ["default", "strict"] {
        let (server, _folder) = served(&["--schemas", DEVICES, "--compat", mode]);
        let endpoint = server.endpoint();
        let device = |address: &str, key: Value| {
            json!({"schemas": [DEVICE, BLE, PASS_KEY, OOB], "displayName": "Scale", "active": true, BLE: {
                "versionSupport": ["5.3"], "deviceMacAddress": address, "isRandom": false, "mobility": true,
                "pairingMethods": [PASS_KEY, OOB], PASS_KEY: {"key": key},
                OOB: {"key": "TheKeyvalueRetrievedFromOOB", "randomNumber": 238796813516896_i64}}})
        };
        let made =
            expect(endpoint, 201, "POST", "/Devices", Some(device("00:53:00:00:00:01", json!(123_456))));
        assert_eq!(made[BLE][PASS_KEY], json!({"key": 123_456}), "{mode}: {made}");
        assert_eq!(made[BLE][OOB]["randomNumber"], 238_796_813_516_896_i64, "{mode}: {made}");
        assert_eq!(made["schemas"].as_array().map(Vec::len), Some(4), "{mode}: {made}");
        let target = format!("/Devices/{}", made["id"].as_str().unwrap());

        let refused = device("00:53:00:00:00:02", json!("secret"));
        let refused = expect(endpoint, 400, "POST", "/Devices", Some(refused));
        assert!(
            refused["detail"].as_str().unwrap().contains(&format!("{PASS_KEY}:key")),
            "{mode}: {refused}"
        );

        for path in [format!("{PASS_KEY}:key"), format!("{BLE}:{PASS_KEY}:key")] {
            let found = |number: u32| {
                let list = format!("/Devices?filter={path}%20eq%20{number}");
                expect(endpoint, 200, "GET", &list, None)["totalResults"].clone()
            };
            assert_eq!((found(123_456), found(1)), (json!(1), json!(0)), "{mode}: {path}");
        }
        let patch = |operation: Value| {
            let message = json!({"schemas": [PATCH], "Operations": [operation]});
            expect(endpoint, 200, "PATCH", &target, Some(message))
        };
        let path = format!("{BLE}:{PASS_KEY}:key");
        assert_eq!(patch(json!({"op": "replace", "path": path, "value": 7}))[BLE][PASS_KEY]["key"], 7);
        let nested = json!({"mobility": false, PASS_KEY: {"key": 8}});
        let after = patch(json!({"op": "replace", "path": BLE, "value": nested}));
        assert_eq!((&after[BLE][PASS_KEY]["key"], &after[BLE]["mobility"]), (&json!(8), &json!(false)));

        // What was answered, and what was sent first, may both be sent again.
        let read = expect(endpoint, 200, "GET", &target, None);
        assert_eq!(expect(endpoint, 200, "PUT", &target, Some(read.clone())), read);
        let put = expect(endpoint, 200, "PUT", &target, Some(device("00:53:00:00:00:01", json!(9))));
        assert_eq!(put[BLE][PASS_KEY]["key"], 9);
    }
}

#[test]
fn a_device_is_a_resource_and_a_member_of_groups() {
    const DEVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:Device";
    const BLE: &str = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device";

    let (server, _folder) = served(&["--schemas", DEVICES]);
    let endpoint = server.endpoint();
    let device = json!({"schemas": [DEVICE, BLE], "displayName": "Scale", "active": true, BLE: {
        "versionSupport": ["5.3"], "deviceMacAddress": "00:53:00:00:00:01", "irk": "00aa11bb", "isRandom": false,
        "mobility": true, "pairingMethods": ["urn:ietf:params:scim:schemas:extension:pairingNull:2.0:Device"]}});
    let made = expect(endpoint, 201, "POST", "/Devices", Some(device));
    assert!(made[BLE].get("irk").is_none(), "never returned: {made}");
    assert_eq!(made[BLE]["deviceMacAddress"], "00:53:00:00:00:01");
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Scales",
        "members": [{"value": made["id"]}]});
    let group = expect(endpoint, 201, "POST", "/Groups", Some(group));
    assert_eq!(group["members"][0]["type"], "Device");
    let read = expect(endpoint, 200, "GET", &format!("/Devices/{}", made["id"].as_str().unwrap()), None);
    assert_eq!(read["groups"][0]["value"], group["id"]);

    let app = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],
        "applicationType": "telemetry", "applicationName": "Readings"});
    let app = expect(endpoint, 201, "POST", "/EndpointApps", Some(app));
    let rename = |path: &str| {
        let operation = json!({"op": "replace", "path": path, "value": "deviceControl"});
        let patch = json!({"schemas": [PATCH], "Operations": [operation]});
        let target = format!("/EndpointApps/{}", app["id"].as_str().unwrap());
        endpoint.call("PATCH", &target, Some(&patch)).unwrap().status
    };
    assert_eq!((rename("applicationName"), rename("applicationType")), (200, 400), "immutable");
}

#[test]
fn a_filter_is_tried_on_lines_of_a_resource_type_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["filter", "--type", "Badge", "--schemas", BADGES, "uses gt 3", "--match", "-"];
    let ran = run_with_input(folder.path(), &arguments, "{\"uses\":3}\n{\"uses\":4}\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "{\"uses\":4}\n"), "{}", ran.err);
}

#[test]
fn a_folder_that_does_not_fit_names_file_and_attribute() {
    let folder = tempfile::tempdir().unwrap();
    let schema = r#"{"id": "urn:example:x", "attributes": [{"name": "a", "type": "text"}]}"#;
    std::fs::write(folder.path().join("x.json"), schema).unwrap();
    let ran = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--schemas", "."]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.err,
        "scim2: ./x.json: schema `urn:example:x`: attribute `a`: `type`: expected `string`, `boolean`, \
         `decimal`, `integer`, `dateTime`, `binary`, `reference` or `complex`, found `text`\n"
    );
}

/// A schema is checked even if no resource type has it yet.
#[test]
fn c_1_2_01_c_2_3_8_02_a_schema_of_no_resource_type_is_looked_at_too() {
    for (attributes, expected) in [
        (
            r#"{"name": "a", "type": "string", "subAttributes": [{"name": "b"}]}"#,
            "`a` of `urn:example:x` has sub-attributes but is not complex",
        ),
        (r#"{"name": "a"}, {"name": "A"}"#, "`A` of `urn:example:x` is defined twice"),
        (
            r#"{"name": "a", "type": "complex", "subAttributes": [{"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}"#,
            "`b` of `urn:example:x` is complex inside a complex attribute",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let schema = format!(r#"{{"id": "urn:example:x", "attributes": [{attributes}]}}"#);
        std::fs::write(folder.path().join("x.json"), schema).unwrap();
        let ran = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--schemas", "."]);
        assert_eq!((ran.code, ran.err), (Some(2), format!("scim2: ./x.json: {expected}\n")));
    }
}

/// What no schema describes any more cannot be judged, so nobody sees it. It is back with its schema.
#[test]
fn data_of_an_extension_whose_schema_is_gone_is_kept_and_not_shown() {
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const CARE: &str = "urn:example:2.0:Care";
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("care");
    std::fs::create_dir(&schemas).unwrap();
    let care = json!([
        {"id": CARE, "attributes": [{"name": "note", "returned": "request"}, {"name": "ward"}]},
        {"name": "User", "endpoint": "/Users", "schema": USER, "schemaExtensions": [{"schema": CARE}]},
    ]);
    std::fs::write(schemas.join("care.json"), care.to_string()).unwrap();
    let bare = Launch::new(env!("CARGO_BIN_EXE_scim2"), folder.path());
    let with_schema = bare.clone().arg("--schemas").arg(&schemas);

    let server = with_schema.start().unwrap();
    let ada = json!({"schemas": [USER, CARE], "userName": "ada", CARE: {"note": "PRIVATE", "ward": "7"}});
    let made = expect(server.endpoint(), 201, "POST", "/Users", Some(ada));
    let target = format!("/Users/{}", made["id"].as_str().unwrap());
    assert_eq!(expect(server.endpoint(), 200, "GET", &target, None)[CARE], json!({"ward": "7"}));
    drop(server);

    let server = bare.start().unwrap();
    let endpoint = server.endpoint();
    let patch = |path: &str, value: &str| {
        let operations = [json!({"op": "replace", "path": path, "value": value})];
        Some(json!({"schemas": [PATCH], "Operations": operations}))
    };
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G",
        "members": [{"value": made["id"]}]});
    expect(endpoint, 201, "POST", "/Groups", Some(group));
    let answers = [
        expect(endpoint, 200, "GET", &target, None),
        expect(endpoint, 200, "GET", &format!("{target}?attributes={CARE}"), None),
        expect(endpoint, 200, "GET", &format!("{target}?excludedAttributes=groups"), None),
        expect(endpoint, 200, "GET", "/Users", None),
        expect(endpoint, 200, "GET", "/", None),
        expect(endpoint, 200, "POST", "/.search", Some(json!({"filter": "userName eq \"ada\""}))),
        expect(endpoint, 200, "PATCH", &target, patch("title", "Dr")),
        expect(
            endpoint,
            200,
            "PUT",
            &target,
            Some(json!({"schemas": [USER], "userName": "ada", "title": "Sir"})),
        ),
        expect(endpoint, 200, "GET", &target, None),
    ];
    for answer in answers {
        let text = answer.to_string();
        assert!(!text.contains("PRIVATE") && !text.contains(CARE), "{text}");
        assert!(text.contains("ada") || text.contains("schemas"), "{text}");
    }
    let filter = format!("/Users?filter={}", CARE.replace(':', "%3A") + "%3Award%20pr");
    assert_eq!(expect(endpoint, 400, "GET", &filter, None)["scimType"], "invalidFilter");
    drop(server);

    let server = with_schema.start().unwrap();
    let asked =
        expect(server.endpoint(), 200, "GET", &format!("{target}?attributes={CARE}:note,title"), None);
    assert_eq!((&asked[CARE], &asked["title"]), (&json!({"note": "PRIVATE"}), &json!("Sir")));
}

/// Q-EXT-SHORT-NAME: neither extension gets the value, and the operator reads which two it could be.
#[test]
fn import_of_an_ambiguous_short_name_names_both_extensions() {
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const EXTENSIONS: [&str; 2] = ["urn:example:2.0:Care", "urn:example:2.0:Desk"];
    let folder = tempfile::tempdir().unwrap();
    let schemas = json!([
        {"id": EXTENSIONS[0], "attributes": [{"name": "room"}]},
        {"id": EXTENSIONS[1], "attributes": [{"name": "room"}]},
        {"name": "User", "endpoint": "/Users", "schema": USER,
            "schemaExtensions": EXTENSIONS.map(|uri| json!({"schema": uri}))},
    ]);
    std::fs::create_dir(folder.path().join("own")).unwrap();
    std::fs::write(folder.path().join("own/schemas.json"), schemas.to_string()).unwrap();
    let line = json!({"schemas": [USER], "userName": "ada", "room": "7", "shoeSize": 38});
    std::fs::write(folder.path().join("f.jsonl"), line.to_string()).unwrap();
    let arguments = ["import", "--json", "f.jsonl", "--schemas", "own", "--store", "sqlite:a.db"];
    let ran = run(folder.path(), &arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(summary["unknownAttributes"], json!({"shoeSize": 1}));
    assert_eq!(
        summary["ambiguousAttributes"],
        json!({"urn:example:2.0:Care:room": 1, "urn:example:2.0:Desk:room": 1})
    );
    for uri in EXTENSIONS {
        assert!(ran.err.contains(&format!("could mean `{uri}:room`")), "{}", ran.err);
    }
}

#[test]
fn resources_of_a_type_without_schema_file_are_reported_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Launch::new(env!("CARGO_BIN_EXE_scim2"), folder.path());
    let server = bare.clone().arg("--schemas").arg(BADGES).start().unwrap();
    expect(server.endpoint(), 201, "POST", "/Badges", Some(badge("7")));
    assert!(!server.said().contains("kept and not served"), "{}", server.said());
    drop(server);
    let server = bare.start().unwrap();
    let said = server.said_once(|said| said.contains("kept and not served")).unwrap();
    let line = said.lines().find(|line| line.contains("kept and not served")).unwrap();
    assert!(
        line.contains("the store has 1 resource of the type `Badge`, which nothing in --schemas defines"),
        "{line}"
    );
}
