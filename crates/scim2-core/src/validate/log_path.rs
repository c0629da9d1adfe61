//! Paths and keys of a peer in a form that is safe to log.

use super::error::cut;

/// A path or key without anything that can be a value: names are kept, a filter becomes `[…]`, and text that
/// cannot be a path of attribute names becomes `…`. Long text is cut.
///
/// ```
/// use scim2_core::validate::log_path;
///
/// assert_eq!(log_path("name.givenName"), "name.givenName");
/// assert_eq!(log_path(r#"emails[value eq "ada@example.com"].type"#), "emails[…].type");
/// assert_eq!(log_path("ada@example.com"), "…");
/// ```
#[must_use]
pub fn log_path(path: &str) -> String {
    let shown = match path.split_once('[') {
        None if is_name(path) => path.into(),
        Some((before, rest)) if is_name(before) => match rest.rsplit_once(']') {
            // A bracket within quotes does not end the filter: the text after it is part of the value.
            Some((filter, after)) if filter.matches('"').count() % 2 == 0 && is_name(after) => {
                format!("{before}[…]{after}")
            }
            _ => format!("{before}[…"),
        },
        _ => "…".to_owned(),
    };
    cut(&shown).into()
}

fn is_name(text: &str) -> bool {
    // An ellipsis is allowed, because the text may have passed through here, or been cut, before.
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '$' | '/' | '…'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_path_keeps_names_and_loses_filters() {
        let long = "x".repeat(101);
        let cut = format!("{}…", "x".repeat(100));
        for (path, logged) in [
            ("name.givenName", "name.givenName"),
            ("members.$ref", "members.$ref"),
            ("emails[value eq \"a@b\"].type", "emails[…].type"),
            ("emails[value eq \"a]b\"]", "emails[…]"),
            ("emails[value eq \"a@b\"", "emails[…"),
            ("emails[value eq \"a]b", "emails[…"),
            ("emails[value eq \"a].b", "emails[…"),
            ("emails[type eq \"x\"].a b", "emails[…"),
            ("ada@example.com", "…"),
            ("Ada King", "…"),
            (&long, &cut),
        ] {
            assert_eq!(log_path(path), logged, "{path}");
            assert_eq!(log_path(logged), logged, "{path}");
        }
    }
}
