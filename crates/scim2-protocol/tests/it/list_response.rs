use scim2_core::Object;
use scim2_protocol::ListResponse;

#[track_caller]
fn read(json: &str) -> ListResponse<Object> {
    serde_json::from_str(json).expect(json)
}

#[test]
fn rfc7644_3_4_2_and_rfc9865_every_printed_list() {
    let mut seen = 0;
    for (name, text) in scim2_testkit::examples::all() {
        if !text.contains("messages:2.0:ListResponse") {
            continue;
        }
        seen += 1;
        let list = read(text);
        let written = serde_json::to_string(&list).expect("writes");
        assert_eq!(read(&written), list, "{name}");
    }
    assert!(seen >= 6, "{seen} lists");
}

#[test]
fn s_3_4_2_04_to_07_a_page_on_the_wire() {
    let page = ListResponse::page(vec![Object::from_iter([("id", "b")])], 2, 2);
    insta::assert_snapshot!(
        serde_json::to_string(&page).expect("writes"),
        @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":2,"startIndex":2,"itemsPerPage":1,"Resources":[{"id":"b"}]}"#
    );
    insta::assert_snapshot!(
        serde_json::to_string(&ListResponse::<Object>::all(vec![])).expect("writes"),
        @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}"#
    );
    let mut page = ListResponse::cursor_page(vec![Object::new()], None, Some("n\"".to_owned()));
    page.previous_cursor = Some("p".to_owned());
    let written = serde_json::to_string(&page).expect("writes");
    insta::assert_snapshot!(
        written,
        @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"itemsPerPage":1,"nextCursor":"n\"","previousCursor":"p","Resources":[{}]}"#
    );
    let spliced = page.to_json_with(|resource, out| out.extend_from_slice(resource.to_string().as_bytes()));
    assert_eq!(spliced, written.as_bytes());
}

#[test]
fn s_error_nonstandard_lists_of_real_providers() {
    let list = read(
        r#"{"TOTALRESULTS": "3", "itemsPerPage": 1.0, "startIndex": null, "resources": null, "x": {"y": [1]}}"#,
    );
    assert_eq!((list.total_results, list.items_per_page, list.start_index), (Some(3), Some(1), None));
    assert!(list.resources.is_empty());
    assert_eq!(read(r#"{"Resources": [], "totalResults": -1.0}"#).total_results, Some(0));
}

#[test]
fn body_without_list_members_is_not_an_empty_list() {
    for json in [
        "{}",
        "[]",
        r#"{"detail": "no", "status": "404"}"#,
        r#"{"id": "1"}"#,
        r#"{"totalResults": "many"}"#,
        r#"{"totalResults": 1.5}"#,
    ] {
        assert!(serde_json::from_str::<ListResponse<Object>>(json).is_err(), "{json}");
    }
}

#[test]
fn order_of_members_survives() {
    let list = read(r#"{"totalResults": 1, "Resources": [{"z": 1, "a": 2}]}"#);
    assert_eq!(list.resources[0].to_string(), r#"{"z":1,"a":2}"#);
    assert_eq!(list.map(|resource| resource.len()).resources, [2]);
}
