//! Every filter and path that the RFCs print and that identity providers are known to send.

use scim2_core::{Compat, Registry};
use scim2_filter::{AttrPath, Filter, FilterParser, PatchPath, Resolver};
use scim2_testkit::dialects;
use scim2_testkit::examples::{self, ExpressionKind};
use serde_json::Value;

#[test]
fn rfc7644_expressions_read_as_their_note_says() {
    let mut seen = 0;
    for expression in examples::expressions() {
        let text = expression.text;
        let read = match expression.kind {
            ExpressionKind::Filter => text.parse::<Filter>().map(drop),
            ExpressionKind::Path => text.parse::<PatchPath>().map(drop),
            ExpressionKind::Attribute => {
                text.split(',').try_for_each(|path| path.parse::<AttrPath>().map(drop))
            }
        };
        assert_eq!(read.is_ok(), expression.is_valid(), "{text}: {read:?}");
        seen += 1;
    }
    assert!(seen >= 40, "{seen}");
}

#[test]
fn filters_and_paths_of_identity_providers_resolve() {
    let registry = Registry::standard();
    let compat = Compat::default();
    let parser = FilterParser::new().leniency(compat.into());
    let (mut filters, mut paths) = (0, 0);
    for exchange in dialects::client_exchanges() {
        let endpoint = if exchange.request.path.contains("Groups") { "/Groups" } else { "/Users" };
        let resolver = Resolver::new(registry.by_endpoint(endpoint).unwrap(), compat);
        if let Some(text) = exchange.request.query.as_ref().and_then(|query| query.get("filter")) {
            let filter = parser.parse(text).unwrap_or_else(|error| panic!("{}: {error:#}", exchange.id));
            resolver.filter(&filter).unwrap_or_else(|error| panic!("{}: {error}", exchange.id));
            filters += 1;
        }
        let body = exchange.request.body.as_ref().map(|body| serde_json::to_value(body).unwrap());
        let operations = body.as_ref().and_then(|body| body.get("Operations")).and_then(Value::as_array);
        for path in operations.into_iter().flatten().filter_map(|operation| operation.get("path")?.as_str()) {
            if path.starts_with('/') {
                continue; // a Bulk operation
            }
            let Ok(path) = parser.parse_path(path) else {
                // Only what the service provider is expected to refuse.
                assert!(
                    exchange.expect.status.iter().all(|status| *status >= 400),
                    "{}: {path}",
                    exchange.id
                );
                continue;
            };
            resolver.attribute(path.attr()).unwrap_or_else(|error| panic!("{}: {error}", exchange.id));
            paths += 1;
        }
    }
    assert!(filters >= 15 && paths >= 40, "{filters} filters, {paths} paths");
}
