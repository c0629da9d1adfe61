use scim2_core::Object;
use scim2_core::schema::{ResourceType, Schema};

use crate::script::{Script, answer, error_body, run};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[test]
fn s_spc_plural_singular_first() {
    let spc = r#"{"patch":{"supported":true}}"#;
    let script = Script::new([answer(200, spc), answer(404, "<html>"), answer(200, spc)]);
    let client = script.client();
    for _ in 0..2 {
        let config: Object = run(client.service_provider_config()).unwrap();
        assert!(config.contains("patch"));
    }
    assert_eq!(
        script.lines(),
        [
            "GET https://example.com/scim/v2/ServiceProviderConfig",
            "GET https://example.com/scim/v2/ServiceProviderConfig",
            "GET https://example.com/scim/v2/ServiceProviderConfigs",
        ]
    );
    let script = Script::new([answer(404, "first"), answer(500, "second")]);
    let error = run(script.client().service_provider_config::<Object>()).unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.body()), (404, Some("first")));
}

#[test]
fn s_4_02_and_03_documents() {
    let list = |document: &str| format!(r#"{{"totalResults":1,"Resources":[{document}]}}"#);
    let schema = format!(r#"{{"id":"{USER}","name":"User","attributes":[{{"name":"userName"}}]}}"#);
    let resource_type = format!(r#"{{"id":"User","name":"User","endpoint":"/Users","schema":"{USER}"}}"#);
    let script = Script::new([
        answer(200, &list(&schema)),
        answer(200, &schema),
        answer(404, &error_body(404)),
        answer(200, &format!(" [{resource_type}]")),
        answer(200, &resource_type),
        answer(404, "<html>"),
    ]);
    let client = script.client();
    assert_eq!(run(client.schemas::<Schema>()).unwrap()[0].attributes.len(), 1);
    assert!(run(client.schema::<Schema>(USER)).unwrap().is_some());
    assert!(run(client.schema::<Schema>("urn:x:y")).unwrap().is_none());
    assert_eq!(run(client.resource_types::<ResourceType>()).unwrap().len(), 1);
    assert!(run(client.resource_type::<Object>("User")).unwrap().is_some());
    assert!(run(client.resource_type::<Object>("User")).is_err(), "a 404 without a SCIM error");
    assert_eq!(script.lines()[1], format!("GET https://example.com/scim/v2/Schemas/{USER}"));
    assert_eq!(script.lines()[4], "GET https://example.com/scim/v2/ResourceTypes/User");
}
