use scim2_core::Compat;
use scim2_protocol::{Projection, QueryParameters};

/// The parameters of a query string are written as a query string that reads back as the same parameters. It holds only
/// characters that a URI allows in its query. An error is one line.
///
/// # Panics
/// If one of these does not hold.
pub fn query_string_roundtrip(text: &str) {
    for compat in [Compat::strict(), Compat::default()] {
        match QueryParameters::from_query_str(text, &compat) {
            Ok(parameters) => {
                let printed = parameters.to_query_string();
                // `query` of RFC 3986 §3.4.
                let is_allowed =
                    |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?".contains(&byte);
                assert!(printed.bytes().all(is_allowed), "{printed}");
                let mut again = QueryParameters::from_query_str(&printed, &compat).expect("it reads back");
                // A list of which no name was understood stays an empty list, which no query string can say.
                if matches!(
                    &parameters.projection,
                    Projection::Attributes(paths) | Projection::ExcludedAttributes(paths) if paths.is_empty()
                ) {
                    again.projection = parameters.projection.clone();
                }
                assert_eq!(again, parameters, "{printed}");
            }
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
}
