//! The check of the header field `Host`, which the HTTP library does not make.

use http::header::HOST;
use http::{HeaderMap, Version};
use scim2_core::ScimType;
use scim2_protocol::ErrorResponse;
use scim2_server::is_host_port;

/// 400 for an HTTP/1.1 request with no `Host`, with several, or with one that is not a host. If a proxy used another one of
/// several `Host` fields than this server, the request would reach the wrong server
/// ([RFC 9112 §3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
pub(super) fn refuse(version: Version, headers: &HeaderMap) -> Option<ErrorResponse> {
    let error = || ErrorResponse::of_scim_type(ScimType::InvalidSyntax, "expected one `Host` in the request");
    (!is_fine(version, headers)).then(error)
}

fn is_fine(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version != Version::HTTP_11,
        // Empty where the URI has no authority.
        (Some(host), None) => host.to_str().is_ok_and(|host| host.is_empty() || is_host_port(host)),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_1_1_names_one_host() {
        for (version, hosts, fine) in [
            (Version::HTTP_11, &["scim.example.com"][..], true),
            (Version::HTTP_11, &["[::1]:8080"], true),
            (Version::HTTP_11, &[""], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_11, &["a.example.com", "b.example.com"], false),
            (Version::HTTP_11, &["a b"], false),
            (Version::HTTP_11, &["ada@a.example.com"], false),
            (Version::HTTP_11, &["a/b"], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_10, &["a", "b"], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            assert_eq!(refuse(version, &headers).is_none(), fine, "{version:?} {hosts:?}");
        }
    }
}
