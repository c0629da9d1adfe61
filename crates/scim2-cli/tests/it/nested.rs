//! Extensions within an extension, as RFC 9944 prints devices: answers have each where the client put it.

use std::path::Path;

use scim2_testkit::http::Endpoint;
use scim2_testkit::postgres::Database;
use scim2_testkit::process::{Launch, ServerProcess};
use serde_json::{Map, Value, json};

use crate::binary::{done, expect, run};

const DEVICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/rfc9944");
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const DEVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:Device";
const BLE: &str = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device";
const JUST_WORKS: &str = "urn:ietf:params:scim:schemas:extension:pairingJustWorks:2.0:Device";
const PASS_KEY: &str = "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device";
const OOB: &str = "urn:ietf:params:scim:schemas:extension:pairingOOB:2.0:Device";
const DPP: &str = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device";

/// Data for each extension of a device that can have some, except BLE.
fn data(app: &Value) -> Map<String, Value> {
    let all = json!({
        JUST_WORKS: {"key": 0},
        PASS_KEY: {"key": 31_415},
        OOB: {"key": "k7", "randomNumber": 27_182_818_284_590_i64, "confirmationNumber": 5},
        DPP: {"dppVersion": 2, "bootstrappingMethod": ["QR"], "bootstrapKey": "a2V5", "serialNumber": "S1"},
        "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device": {"applications": [{"value": app["id"]}]},
        "urn:ietf:params:scim:schemas:extension:fido-device-onboard:2.0:Devices": {"fdoVoucher": "dm91Y2hlcg=="},
        "urn:ietf:params:scim:schemas:extension:ethernet-mab:2.0:Device": {"deviceMacAddress": "00:53:00:00:00:0a"},
        "urn:ietf:params:scim:schemas:extension:zigbee:2.0:Device": {
            "versionSupport": ["3.0"], "deviceEui64Address": "00:53:00:ff:fe:00:00:01"},
    });
    all.as_object().cloned().unwrap()
}

/// A device with these extensions within BLE, and those beside it.
fn device(within: &Map<String, Value>, beside: &Map<String, Value>) -> Value {
    let mut ble = json!({"versionSupport": ["5.3"], "deviceMacAddress": "00:53:00:00:00:01", "mobility": true,
        "pairingMethods": [PASS_KEY]});
    ble.as_object_mut().unwrap().extend(within.clone());
    let mut schemas = vec![json!(DEVICE), json!(BLE)];
    schemas.extend(within.keys().chain(beside.keys()).map(|uri| json!(uri)));
    let mut device = json!({"schemas": schemas, "displayName": "Scale", "active": true, BLE: ble});
    device.as_object_mut().unwrap().extend(beside.clone());
    device
}

/// Says whether an answer has all that was sent, in its place; what the server added is not looked at.
fn holds(answer: &Value, sent: &Value) -> bool {
    match (answer, sent) {
        (Value::Object(answer), Value::Object(sent)) => {
            let holds = |(name, sent): (&String, &Value)| {
                name == "schemas" || answer.get(name).is_some_and(|answer| holds(answer, sent))
            };
            sent.iter().all(holds)
        }
        (Value::Array(answer), Value::Array(sent)) => {
            answer.len() == sent.len() && answer.iter().zip(sent).all(|(answer, sent)| holds(answer, sent))
        }
        (answer, sent) => answer == sent,
    }
}

#[track_caller]
fn is_as_sent(answer: &Value, sent: &Value, name: &str) {
    assert!(holds(answer, sent), "{name}: {answer:#}");
    let extensions = |value: &Value| -> Vec<String> {
        let names = value.as_object().unwrap().keys();
        names.filter(|name| name.contains(':')).cloned().collect()
    };
    assert_eq!(extensions(answer), extensions(sent), "{name}");
    assert_eq!(extensions(&answer[BLE]), extensions(&sent[BLE]), "{name}");
    assert!(!answer.to_string().contains("@within"), "{name}: {answer}");
}

fn served(folder: &Path, store: Option<&str>, mode: &str) -> ServerProcess {
    let launch = Launch::new(env!("CARGO_BIN_EXE_scim2"), folder);
    let launch = match store {
        Some(store) => launch.store_at(store),
        None => launch,
    };
    launch.arg("--schemas").arg(DEVICES).arg("--compat").arg(mode).start().unwrap()
}

fn patched(endpoint: &Endpoint, target: &str, operation: Value) -> Value {
    let message = json!({"schemas": [PATCH], "Operations": [operation]});
    expect(endpoint, 200, "PATCH", target, Some(message))
}

fn each_extension_lies_where_it_was_put(store: Option<&str>) {
    for mode in ["default", "strict"] {
        let folder = tempfile::tempdir().unwrap();
        let server = served(folder.path(), store, mode);
        let endpoint = server.endpoint();
        let app = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],
            "applicationType": "telemetry", "applicationName": format!("Readings {mode}")});
        let app = expect(endpoint, 201, "POST", "/EndpointApps", Some(app));
        let (all, none) = (data(&app), Map::new());

        // Each alone, and all of them, within BLE and beside it.
        let mut kinds: Vec<Map<String, Value>> =
            all.iter().map(|(uri, value)| Map::from_iter([(uri.clone(), value.clone())])).collect();
        kinds.push(all.clone());
        for kind in &kinds {
            for sent in [device(kind, &none), device(&none, kind)] {
                let name = format!("{mode}: {sent}");
                let made = expect(endpoint, 201, "POST", "/Devices", Some(sent.clone()));
                is_as_sent(&made, &sent, &name);
                let target = format!("/Devices/{}", made["id"].as_str().unwrap());
                let read = expect(endpoint, 200, "GET", &target, None);
                assert_eq!(read, made, "{name}");
                assert_eq!(
                    expect(endpoint, 200, "PUT", &target, Some(read.clone())),
                    read,
                    "no change: {name}"
                );
                let listed = format!("/Devices?filter=id%20eq%20%22{}%22", made["id"].as_str().unwrap());
                assert_eq!(expect(endpoint, 200, "GET", &listed, None)["Resources"], json!([read]), "{name}");
                let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                    "filter": format!("id eq {}", made["id"])});
                let found = expect(endpoint, 200, "POST", "/Devices/.search", Some(search));
                assert_eq!(found["Resources"], json!([read]), "{name}");
            }
        }

        // Projection: an extension is named as any other, wherever it lies.
        let sent = device(&all, &none);
        let made = expect(endpoint, 201, "POST", "/Devices", Some(sent.clone()));
        let target = format!("/Devices/{}", made["id"].as_str().unwrap());
        let get = |query: &str| expect(endpoint, 200, "GET", &format!("{target}?{query}"), None);
        let only = get(&format!("attributes={PASS_KEY}:key"));
        assert_eq!((&only[BLE], only.get(PASS_KEY)), (&json!({PASS_KEY: {"key": 31_415}}), None), "{only}");
        let without = get(&format!("excludedAttributes={PASS_KEY}:key"));
        assert!(without[BLE].get(PASS_KEY).is_none() && without[BLE][OOB] == all[OOB], "{without}");
        let plain = get(&format!("excludedAttributes={BLE}"));
        assert!(holds(&plain[BLE], &json!(all)) && plain[BLE].get("mobility").is_none(), "{plain}");
        let own = get(&format!("attributes={BLE}:mobility"));
        assert_eq!(own[BLE], json!({"mobility": true}), "{own}");

        // A replace says again where each extension lies, and a different place alone is a change.
        let moved = device(&none, &all);
        let put = expect(endpoint, 200, "PUT", &target, Some(moved.clone()));
        is_as_sent(&put, &moved, "moved out");
        assert_ne!(put["meta"]["version"], made["meta"]["version"]);
        let put = expect(endpoint, 200, "PUT", &target, Some(sent.clone()));
        is_as_sent(&put, &sent, "moved in");

        // A PATCH leaves each where it lies, and puts a new one where it names it.
        let patch = |operation: Value| patched(endpoint, &target, operation);
        let after = patch(json!({"op": "replace", "path": format!("{PASS_KEY}:key"), "value": 1}));
        assert_eq!((&after[BLE][PASS_KEY]["key"], after.get(PASS_KEY)), (&json!(1), None));
        let after = patch(json!({"op": "remove", "path": OOB}));
        assert!(
            after[BLE].get(OOB).is_none() && !after["schemas"].to_string().contains("pairingOOB"),
            "{after}"
        );
        let after = patch(json!({"op": "add", "path": OOB, "value": all[OOB]}));
        assert_eq!((&after[OOB], after[BLE].get(OOB)), (&all[OOB], None), "named beside");
        patch(json!({"op": "remove", "path": OOB}));
        let after = patch(json!({"op": "add", "path": format!("{BLE}:{OOB}"), "value": all[OOB]}));
        assert_eq!((&after[BLE][OOB], after.get(OOB)), (&all[OOB], None), "named within");
        patch(json!({"op": "remove", "path": OOB}));
        let after = patch(json!({"op": "add", "value": {BLE: {OOB: all[OOB]}}}));
        assert_eq!((&after[BLE][OOB], after.get(OOB)), (&all[OOB], None), "within a value");
        let again = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": OOB},
            {"op": "add", "path": OOB, "value": all[OOB]}]});
        let after = expect(endpoint, 200, "PATCH", &target, Some(again));
        assert_eq!((&after[OOB], after[BLE].get(OOB)), (&all[OOB], None), "taken out in one message");
        let again = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": OOB},
            {"op": "add", "path": format!("{BLE}:{OOB}"), "value": all[OOB]}]});
        let after = expect(endpoint, 200, "PATCH", &target, Some(again));
        assert_eq!((&after[BLE][OOB], after.get(OOB)), (&all[OOB], None), "put in in one message");
        let before = expect(endpoint, 200, "GET", &target, None);
        let failing = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": OOB},
            {"op": "add", "path": OOB, "value": all[OOB]}, {"op": "replace", "path": "active", "value": [7]}]});
        expect(endpoint, 400, "PATCH", &target, Some(failing));
        assert_eq!(expect(endpoint, 200, "GET", &target, None), before, "nothing moved by what is refused");

        // What lies in an extension goes with it.
        let sent = device(&Map::from_iter([(OOB.to_owned(), all[OOB].clone())]), &none);
        let made = expect(endpoint, 201, "POST", "/Devices", Some(sent));
        let target = format!("/Devices/{}", made["id"].as_str().unwrap());
        let after = patched(endpoint, &target, json!({"op": "remove", "path": BLE}));
        assert_eq!((after.get(BLE), after.get(OOB), &after["schemas"]), (None, None, &json!([DEVICE])));
    }
}

#[test]
fn each_extension_lies_where_it_was_put_in_memory() {
    each_extension_lies_where_it_was_put(Some("memory"));
}

#[test]
fn each_extension_lies_where_it_was_put_on_sqlite() {
    each_extension_lies_where_it_was_put(None);
}

#[test]
fn each_extension_lies_where_it_was_put_on_postgres() {
    if let Some(database) = Database::create().unwrap() {
        each_extension_lies_where_it_was_put(Some(&database.url()));
    }
}

/// A Bulk request refers to what it makes from within an extension too.
#[test]
fn a_bulk_id_within_a_nested_extension_is_resolved() {
    const APPS: &str = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device";
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path(), Some("memory"), "default");
    let apps = json!({"applications": [{"value": "bulkId:app"}]});
    let sent = device(&Map::from_iter([(APPS.to_owned(), apps)]), &Map::new());
    let app = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],
        "applicationType": "telemetry", "applicationName": "Readings"});
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Devices", "bulkId": "device", "data": sent},
        {"method": "POST", "path": "/EndpointApps", "bulkId": "app", "data": app}]});
    let endpoint = server.endpoint();
    let answer = expect(endpoint, 200, "POST", "/Bulk", Some(bulk));
    let made = answer["Operations"].as_array().unwrap();
    assert!(made.iter().all(|operation| operation["status"] == "201"), "{answer}");
    let devices = expect(endpoint, 200, "GET", "/Devices", None);
    let apps = expect(endpoint, 200, "GET", "/EndpointApps", None);
    let device = &devices["Resources"][0];
    assert_eq!(device[BLE][APPS]["applications"][0]["value"], apps["Resources"][0]["id"], "{device}");
}

/// A client must not send the name under which the store remembers the place.
#[test]
fn where_an_extension_lies_is_not_sent_by_its_stored_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path(), Some("memory"), "default");
    let beside = Map::from_iter([(PASS_KEY.to_owned(), json!({"key": 1}))]);
    let mut sent = device(&Map::new(), &beside);
    sent["@within"] = json!({PASS_KEY: BLE});
    let made = expect(server.endpoint(), 201, "POST", "/Devices", Some(sent));
    is_as_sent(&made, &device(&Map::new(), &beside), "flat");
    let target = format!("/Devices/{}", made["id"].as_str().unwrap());
    let operation = json!({"op": "add", "value": {"@within": {PASS_KEY: BLE}, "displayName": "Scales"}});
    let after = patched(server.endpoint(), &target, operation);
    assert_eq!((&after[PASS_KEY]["key"], &after["displayName"]), (&json!(1), &json!("Scales")));
}

/// Deeper, around in circles, and in two places at once: the first place counts, and nothing is lost.
#[test]
fn an_extension_lies_where_it_is_met_first() {
    let folder = tempfile::tempdir().unwrap();
    let server = served(folder.path(), Some("memory"), "default");
    let endpoint = server.endpoint();
    let dpp = json!({"dppVersion": 2, "bootstrapKey": "a2V5"});
    let mut deep = dpp.clone();
    deep[OOB] = json!({"key": "k", "randomNumber": 1, BLE: {"mobility": false}, PASS_KEY: {"key": 3}});
    let sent = device(&Map::from_iter([(DPP.to_owned(), deep)]), &Map::new());
    let mut expected = sent.clone();
    expected[BLE]["mobility"] = json!(false);
    expected[BLE][DPP][OOB].as_object_mut().unwrap().remove(BLE);
    let mut once = sent;
    once[BLE].as_object_mut().unwrap().remove("mobility");
    let made = expect(endpoint, 201, "POST", "/Devices", Some(once));
    is_as_sent(&made, &expected, "deep");
    let target = format!("/Devices/{}", made["id"].as_str().unwrap());
    assert_eq!(expect(endpoint, 200, "PUT", &target, Some(made.clone())), made);
    let circle = json!({"op": "add", "value": {PASS_KEY: {BLE: {"mobility": true}}}});
    assert_eq!(patched(endpoint, &target, circle)[BLE][DPP][OOB][PASS_KEY]["key"], 3);
}

#[test]
fn an_export_has_each_extension_where_it_lies_and_an_import_takes_it_so() {
    let folder = tempfile::tempdir().unwrap();
    let within = Map::from_iter([(PASS_KEY.to_owned(), json!({"key": 1}))]);
    let beside = Map::from_iter([(DPP.to_owned(), json!({"dppVersion": 2, "bootstrapKey": "a2V5"}))]);
    let sent = device(&within, &beside);
    let server = served(folder.path(), None, "default");
    expect(server.endpoint(), 201, "POST", "/Devices", Some(sent.clone()));
    let store = server.launch().store_url().into_string().unwrap();
    drop(server);
    let export = |store: &str| {
        let text = done(folder.path(), &["export", "--schemas", DEVICES, "--store", store, "-"]);
        is_as_sent(&serde_json::from_str(&text).unwrap(), &sent, "exported");
        text
    };
    let first = export(&store);
    std::fs::write(folder.path().join("devices.jsonl"), &first).unwrap();
    let import = ["import", "--json", "--schemas", DEVICES, "--store", "sqlite:b.db", "devices.jsonl"];
    for counted in ["created", "unchanged"] {
        let ran = run(folder.path(), &import);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()[counted], 1, "{}", ran.out);
    }
    assert_eq!(export("sqlite:b.db"), first);
    let sound = done(folder.path(), &["fsck", "--schemas", DEVICES, "--store", "sqlite:b.db"]);
    assert!(sound.contains("all agree"), "{sound}");
}

/// What a client does not see stays where it lay, and so does what no schema describes for a while.
#[test]
fn what_is_not_seen_lies_where_it_lay() {
    const LAMP: &str = "urn:example:2.0:Lamp";
    const RADIO: &str = "urn:example:2.0:Radio";
    const PAIRING: &str = "urn:example:2.0:Pairing";
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("lamps");
    std::fs::create_dir(&schemas).unwrap();
    let lamps = |extensions: &[&str]| {
        let extensions: Vec<Value> = extensions.iter().map(|uri| json!({"schema": uri})).collect();
        let lamps = json!([
            {"id": LAMP, "attributes": [{"name": "room"}]},
            {"id": RADIO, "attributes": [{"name": "address"}]},
            {"id": PAIRING, "attributes": [{"name": "pin", "returned": "request"}]},
            {"name": "Lamp", "endpoint": "/Lamps", "schema": LAMP, "schemaExtensions": extensions},
        ]);
        std::fs::write(schemas.join("lamps.json"), lamps.to_string()).unwrap();
        let launch = Launch::new(env!("CARGO_BIN_EXE_scim2"), folder.path());
        launch.arg("--schemas").arg(&schemas).start().unwrap()
    };
    let server = lamps(&[RADIO, PAIRING]);
    let endpoint = server.endpoint();
    let sent = json!({"schemas": [LAMP, RADIO, PAIRING], "room": "7",
        RADIO: {"address": "a", PAIRING: {"pin": "31"}}});
    let made = expect(endpoint, 201, "POST", "/Lamps", Some(sent.clone()));
    assert!(holds(&made, &sent), "what a write names is answered: {made}");
    let target = format!("/Lamps/{}", made["id"].as_str().unwrap());
    let asked = format!("{target}?attributes={PAIRING}:pin");
    let read = expect(endpoint, 200, "GET", &target, None);
    assert_eq!((&read[RADIO], read.get(PAIRING)), (&json!({"address": "a"}), None));
    assert_eq!(expect(endpoint, 200, "PUT", &target, Some(read.clone())), read, "no change");
    let mut other = read;
    other["room"] = json!("8");
    other.as_object_mut().unwrap().remove(RADIO);
    expect(endpoint, 200, "PUT", &target, Some(other));
    let seen = expect(endpoint, 200, "GET", &asked, None);
    assert_eq!(
        (&seen[RADIO], seen.get(PAIRING)),
        (&json!({PAIRING: {"pin": "31"}}), None),
        "it stayed: {seen}"
    );
    assert!(seen["schemas"].as_array().unwrap().contains(&json!(RADIO)), "{seen}");
    drop(server);

    // Without the outer schema it lies in the resource, without its own it is not shown.
    for (known, pin) in [(PAIRING, Some(&json!({"pin": "31"}))), (RADIO, None)] {
        let server = lamps(&[known]);
        for target in [&target, &asked] {
            let read = expect(server.endpoint(), 200, "GET", target, None);
            assert!(!read.to_string().contains("@within") && read.get(RADIO).is_none(), "{read}");
            assert_eq!(read.get(PAIRING), pin.filter(|_| target == &asked), "{read}");
        }
    }
    let server = lamps(&[RADIO, PAIRING]);
    let seen = expect(server.endpoint(), 200, "GET", &asked, None);
    assert_eq!(seen[RADIO], json!({PAIRING: {"pin": "31"}}), "it is back: {seen}");
}
