//! Forms of bulk operations that mean the same as the one that the RFC defines.

use scim2_core::{Object, Quirk, Value};
use scim2_protocol::{BulkMethod, BulkOperation};

use crate::context::Context;
use crate::engine::tolerated;

/// Brings operations into the form that the rest of the engine reads: paths relative to the base URI, a
/// PATCH message as an object.
///
/// RFC 7644 §3.7 prints the `data` of a PATCH as a bare list of operations. It lacks `schemas` like
/// other messages of the same clients, so one switch covers both.
pub(super) fn normalize(cx: &Context, operations: &mut [BulkOperation], allows: impl Fn(Quirk) -> bool) {
    let mut listed = false;
    for operation in operations {
        if let Some(relative) = below_base(&cx.base_url, &operation.path) {
            operation.path = relative.to_owned();
        }
        if operation.method == BulkMethod::Patch
            && allows(Quirk::PatchNoSchemas)
            && let Some(data @ Value::Array(_)) = &mut operation.data
        {
            let list = std::mem::take(data);
            *data = Object::from_iter([("Operations", list)]).into();
            listed = true;
        }
    }
    if listed {
        tolerated(cx, "any", &[Quirk::PatchNoSchemas]);
    }
}

/// The part after the base URI, or after its path: some clients send the whole URI of a resource, some send the
/// path of the request.
fn below_base<'p>(base_url: &str, path: &'p str) -> Option<&'p str> {
    let authority_and_path = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let base_path =
        authority_and_path.find('/').and_then(|at| authority_and_path.get(at..)).unwrap_or_default();
    [base_url, base_path]
        .into_iter()
        .filter(|prefix| !prefix.is_empty())
        .find_map(|prefix| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_base() {
        let base = "https://example.com/scim/v2";
        for (path, expected) in [
            ("/Users/1", None),
            ("/scim/v2/Users/1", Some("/Users/1")),
            ("https://example.com/scim/v2/Users/1", Some("/Users/1")),
            ("https://other.example/scim/v2/Users/1", None),
            ("/scim/v22/Users", None),
            ("/scim/v2", None),
        ] {
            assert_eq!(below_base(base, path), expected, "{path}");
        }
        assert_eq!(below_base("https://example.com", "/Users"), None);
    }
}
