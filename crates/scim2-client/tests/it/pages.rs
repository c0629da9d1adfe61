use futures_util::TryStreamExt;
use scim2_core::Object;
use scim2_protocol::QueryParameters;

use crate::script::{Script, answer, run};

fn page(total: Option<u64>, ids: &[&str], more: &str) -> http::Response<bytes::Bytes> {
    let total = total.map_or(String::new(), |total| format!("\"totalResults\":{total},"));
    let resources: Vec<String> = ids.iter().map(|id| format!("{{\"id\":\"{id}\"}}")).collect();
    answer(200, &format!("{{{total}{more}\"Resources\":[{}]}}", resources.join(",")))
}

/// The ids of all pages, and the queries that were sent for them.
#[track_caller]
fn walk(
    query: QueryParameters,
    pages: impl IntoIterator<Item = http::Response<bytes::Bytes>>,
) -> (Vec<String>, Vec<String>) {
    let script = Script::new(pages);
    let client = script.client();
    let resources = client.endpoint::<Object>("/Users").pages(query).into_resources();
    let resources: Vec<Object> = run(resources.try_collect()).unwrap();
    let ids = resources.iter().map(|user| user.get_str("id").unwrap_or("none").to_owned()).collect();
    let queries = script.lines().iter().map(|line| line.split_once('?').unwrap().1.to_owned()).collect();
    (ids, queries)
}

#[test]
fn s_page_cap_the_next_page_begins_after_what_was_received() {
    let query = QueryParameters { count: Some(1000), ..QueryParameters::default() };
    let pages = [page(Some(5), &["1", "2"], ""), page(Some(5), &["3", "4"], ""), page(Some(5), &["5"], "")];
    let (ids, queries) = walk(query, pages);
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(queries, ["startIndex=1&count=1000", "startIndex=3&count=1000", "startIndex=5&count=1000"]);
}

#[test]
fn s_page_cap_an_empty_page_ends() {
    let (ids, queries) = walk(
        QueryParameters { start_index: Some(4), ..QueryParameters::default() },
        [page(Some(90), &["4"], ""), page(Some(90), &[], "")],
    );
    assert_eq!(ids, ["4"]);
    assert_eq!(queries, ["startIndex=4&count=100", "startIndex=5&count=100"]);
    let (ids, queries) = walk(QueryParameters::default(), [page(Some(0), &[], "")]);
    assert_eq!((ids.len(), queries.len()), (0, 1));
}

#[test]
fn s_no_paging_one_copy_of_a_repeated_page() {
    for total in [Some(6), None] {
        let all = || page(total, &["1", "2"], "");
        let (ids, queries) = walk(QueryParameters::default(), [all(), all(), all()]);
        assert_eq!((ids, queries.len()), (vec!["1".to_owned(), "2".to_owned()], 2), "{total:?}");
    }
}

#[test]
fn without_ids_and_total_the_first_page_is_the_last() {
    let body = r#"{"Resources":[{"userName":"a"}]}"#;
    let (ids, queries) = walk(QueryParameters::default(), [answer(200, body), answer(200, body)]);
    assert_eq!((ids.len(), queries.len()), (1, 1));
}

#[test]
fn p_2_01_and_05_cursors() {
    let query = QueryParameters { cursor: Some(String::new()), count: Some(2), ..QueryParameters::default() };
    let pages = [
        page(None, &["1", "2"], r#""nextCursor":"x","#),
        page(None, &["3"], r#""nextCursor":"y","#),
        page(None, &["4"], ""),
    ];
    let (ids, queries) = walk(query, pages);
    assert_eq!(ids, ["1", "2", "3", "4"]);
    assert_eq!(queries, ["count=2&cursor=", "count=2&cursor=x", "count=2&cursor=y"]);
}

#[test]
fn p_2_3_01_a_provider_that_knows_only_cursors() {
    let pages = [page(Some(3), &["1", "2"], r#""nextCursor":"x","#), page(Some(3), &["3"], "")];
    let (ids, queries) = walk(QueryParameters::default(), pages);
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(queries, ["startIndex=1&count=100", "count=100&cursor=x"]);
    // One that knows both is walked as it was begun.
    let pages = [page(Some(2), &["1"], r#""startIndex":1,"nextCursor":"x","#), page(Some(2), &["2"], "")];
    let (_, queries) = walk(QueryParameters::default(), pages);
    assert_eq!(queries, ["startIndex=1&count=100", "startIndex=2&count=100"]);
}

#[test]
fn a_cursor_that_repeats_ends() {
    let query = QueryParameters { cursor: Some("x".to_owned()), ..QueryParameters::default() };
    let (ids, queries) = walk(query, [page(None, &["1"], r#""nextCursor":"x","#)]);
    assert_eq!((ids.len(), queries.len()), (1, 1));
}

#[test]
fn after_an_error_the_same_page_can_be_asked_for_again() {
    let script = Script::new([page(Some(2), &["1"], ""), answer(503, ""), page(Some(2), &["2"], "")]);
    let client = script.client();
    let mut pages = client.endpoint::<Object>("/Users").search_pages(QueryParameters::default());
    assert_eq!(run(pages.next_page()).unwrap().unwrap().resources.len(), 1);
    assert_eq!(run(pages.next_page()).unwrap_err().status().unwrap(), 503);
    assert_eq!(run(pages.next_page()).unwrap().unwrap().resources[0].get_str("id"), Some("2"));
    assert!(run(pages.next_page()).unwrap().is_none());
    assert_eq!(script.lines(), ["POST https://example.com/scim/v2/Users/.search"; 3]);
}
