//! The JSON bodies and the filter strings printed in the SCIM RFCs, as fixtures.
//!
//! They are code components of RFC 7643, 7644, 9865, 9944 and 9967, under the license in
//! `fixtures/examples/LICENSE-code-components.txt`. They show the *shape* of a message; a test of a rule uses its own
//! values.
//!
//! ```
//! let create = scim2_testkit::examples::json("7644-3.3-create-user-request").expect("a fixture");
//! assert_eq!(create["userName"], "bjensen");
//! assert!(scim2_testkit::examples::get("no-such-example").is_none());
//! ```

use serde_json::Value;

/// The text of one example, by its file name without `.json`: `<rfc>-<section>-<name>`.
pub fn get(name: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// One example as a JSON value.
pub fn json(name: &str) -> Option<Value> {
    get(name).and_then(|text| serde_json::from_str(text).ok())
}

/// Every example as (name, text), in the order of the names.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLES.iter().copied()
}

/// One filter, path or attribute string of RFC 7644.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The string as printed, line folds joined by one space.
    pub text: &'static str,
    /// The section that prints it, such as `3.4.2.2`.
    pub section: &'static str,
    /// Which grammar it belongs to.
    pub kind: ExpressionKind,
    /// A remark about it. It begins with `INVALID` if the printed ABNF refuses the printed string.
    pub note: &'static str,
}

impl Expression {
    /// Whether the printed ABNF accepts the string.
    pub fn is_valid(&self) -> bool {
        !self.note.starts_with("INVALID")
    }
}

/// The grammar an [`Expression`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpressionKind {
    /// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
    Filter,
    /// [RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)
    Path,
    /// [RFC 7644 §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10), also comma-separated lists
    Attribute,
}

/// Every filter, path and attribute string of RFC 7644.
pub fn expressions() -> impl Iterator<Item = Expression> {
    include_str!("../fixtures/examples/filters.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(
        |line| {
            let mut columns = line.split('\t');
            let (text, section) = (columns.next()?, columns.next()?);
            let kind = match columns.next()? {
                "filter" => ExpressionKind::Filter,
                "path" => ExpressionKind::Path,
                _ => ExpressionKind::Attribute,
            };
            Some(Expression { text, section, kind, note: columns.next().unwrap_or("") })
        },
    )
}

macro_rules! examples {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../fixtures/examples/", $name, ".json"))),)*]
    };
}

static EXAMPLES: &[(&str, &str)] = examples![
    "7643-3-resource-structure",
    "7643-8.1-user-minimal",
    "7643-8.2-user-full",
    "7643-8.3-user-enterprise",
    "7643-8.4-group",
    "7643-8.5-service-provider-config",
    "7643-8.6-resource-types-array",
    "7644-3.12-mutability-400-response",
    "7644-3.12-not-found-404-response",
    "7644-3.14-etag-create-request",
    "7644-3.14-etag-create-response",
    "7644-3.3-create-user-request",
    "7644-3.3-create-user-response",
    "7644-3.4.1-get-user-response",
    "7644-3.4.2-query-attributes-username-response",
    "7644-3.4.2.4-list-paged-response",
    "7644-3.4.3-search-request",
    "7644-3.4.3-search-response",
    "7644-3.5.1-put-user-request",
    "7644-3.5.1-put-user-response",
    "7644-3.5.2-patch-basic-structure",
    "7644-3.5.2.1-patch-add-member-request",
    "7644-3.5.2.1-patch-add-no-path-request",
    "7644-3.5.2.2-patch-remove-all-members-request",
    "7644-3.5.2.2-patch-remove-and-add-member-request",
    "7644-3.5.2.2-patch-remove-email-by-filter-request",
    "7644-3.5.2.2-patch-remove-one-member-request",
    "7644-3.5.2.2-patch-replace-all-members-remove-add-request",
    "7644-3.5.2.3-patch-replace-members-request",
    "7644-3.5.2.3-patch-replace-no-path-request",
    "7644-3.5.2.3-patch-replace-street-address-request",
    "7644-3.5.2.3-patch-replace-work-address-request",
    "7644-3.6-get-deleted-404-response",
    "7644-3.7.1-bulk-circular-request",
    "7644-3.7.1-bulk-circular-result-list-response",
    "7644-3.7.2-bulk-enterprise-manager-request",
    "7644-3.7.2-bulk-group-after-response",
    "7644-3.7.2-bulk-user-and-group-request",
    "7644-3.7.2-bulk-user-and-group-response",
    "7644-3.7.3-bulk-all-failed-response",
    "7644-3.7.3-bulk-fail-on-errors-response",
    "7644-3.7.3-bulk-failed-operation-fragment",
    "7644-3.7.3-bulk-mixed-request",
    "7644-3.7.3-bulk-mixed-response",
    "7644-3.7.4-bulk-too-large-413-response",
    "7644-3.9-get-user-attributes-response",
    "7644-4-resource-types-list-response",
    "7644-7.5.2-sensitive-403-response",
    "9865-2-first-page",
    "9865-2-middle-page",
    "9865-2.3-cursor-only-page",
    "9865-3-search-request",
    "9865-4-service-provider-config-fragment",
    "9944-3-device",
    "9944-6-endpoint-app",
    "9967-2.3.1-feed-add",
    "9967-2.3.2-feed-remove",
    "9967-2.4.1-create-full",
    "9967-2.4.1-create-notice",
    "9967-2.4.2-patch-full",
    "9967-2.4.2-patch-notice",
    "9967-2.4.3-put-full",
    "9967-2.4.3-put-notice",
    "9967-2.4.4-delete",
    "9967-2.4.5-activate",
    "9967-2.5.1.1-async-put-request",
    "9967-2.5.1.3-asyncresp",
    "9967-2.5.1.3-asyncresp-bulk-1",
    "9967-2.5.1.3-asyncresp-bulk-2",
    "9967-2.5.1.3-asyncresp-bulk-3",
    "9967-2.5.1.3-asyncresp-bulk-4",
    "9967-2.5.1.3-asyncresp-error",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_json() {
        for (name, text) in all() {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{name}");
        }
        assert_eq!(all().count(), 72);
    }

    #[test]
    fn expressions_are_read_with_section_and_kind() {
        let all: Vec<_> = expressions().collect();
        assert!(all.iter().any(|e| e.text == r#"userName eq "bjensen""#
            && e.kind == ExpressionKind::Filter
            && e.is_valid()));
        assert!(all.iter().any(|e| e.text == "displayName sw 'Group'" && !e.is_valid()));
        assert!(all.iter().all(|e| !e.section.is_empty()));
        assert_eq!(all.len(), 46);
    }
}
