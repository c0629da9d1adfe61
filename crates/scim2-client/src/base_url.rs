use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

/// The base URL of a service provider: everything before `/Users`
/// ([RFC 7644 §1.3](https://www.rfc-editor.org/rfc/rfc7644#section-1.3)).
///
/// ```
/// use scim2_client::BaseUrl;
///
/// assert_eq!(BaseUrl::parse("https://example.com/scim/v2/")?.as_str(), "https://example.com/scim/v2");
/// assert!(BaseUrl::parse("http://localhost:8080/scim/v2").is_ok());
///
/// assert!(BaseUrl::parse("https://example.com/scim?tenant=1").is_err()); // RFC 7644 §1.3
/// assert!(BaseUrl::parse("https://ada:secret@example.com/scim").is_err()); // RFC 7644 §7.1
/// assert!(BaseUrl::parse("http://example.com/scim").is_err()); // RFC 7644 §7.2
/// # Ok::<(), scim2_client::BaseUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// INVARIANT: a URL without query, fragment and userinfo that does not end in a slash.
    text: String,
}

/// Why a text is not a [`BaseUrl`]. The line does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// It is not a URL.
    Syntax,
    /// It is neither `https` nor `http`.
    Scheme,
    /// It is `http` to another machine, which would send tokens and personal data in plain text.
    Plain,
    /// It holds a user name or a password.
    UserInfo,
    /// It has a query string or a fragment.
    Query,
}

impl BaseUrl {
    /// Checks a text: `https`, or `http` to this machine.
    ///
    /// # Errors
    /// See [`BaseUrlError`].
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::Syntax)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !loopback {
            return Err(BaseUrlError::Plain);
        }
        Self::from_url(&url)
    }

    /// Checks a text as [`parse`](Self::parse) does, but accepts `http` to any machine: for tests, and for networks
    /// that are secured in another way.
    ///
    /// # Errors
    /// All of [`BaseUrlError`] except [`BaseUrlError::Plain`].
    pub fn parse_plain(text: &str) -> Result<Self, BaseUrlError> {
        Self::from_url(&Url::parse(text).map_err(|_| BaseUrlError::Syntax)?)
    }

    /// The URL, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL of a reference in a resource, such as the `$ref` of a member or a manager.
    ///
    /// A relative reference is relative to the base URL, not to the URL of the resource. Providers also
    /// send `../Users/1`, as the RFC prints it: the `..` steps stop at the base URL. A path that begins
    /// with a slash is relative to the host. `None` if the text is not a reference, such as a space or a URL
    /// without a host.
    ///
    /// ```
    /// # use scim2_client::BaseUrl;
    /// let base = BaseUrl::parse("https://example.com/scim/v2")?;
    /// let manager = base.resolve("../Users/26118915");
    /// assert_eq!(manager.as_deref(), Some("https://example.com/scim/v2/Users/26118915"));
    /// assert_eq!(base.resolve("https://"), None);
    /// # Ok::<(), scim2_client::BaseUrlError>(())
    /// ```
    ///
    /// [RFC 7643 §2.3.7](https://www.rfc-editor.org/rfc/rfc7643#section-2.3.7)
    #[must_use]
    pub fn resolve(&self, reference: &str) -> Option<String> {
        if reference.is_empty() || reference.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let mut relative = reference;
        while let Some(rest) = relative.strip_prefix("../").or_else(|| relative.strip_prefix("./")) {
            relative = rest;
        }
        let base = Url::parse(&format!("{}/", self.text)).ok()?;
        base.join(relative).map(String::from).ok()
    }

    /// The URL of `endpoint`, which begins with a slash, and of a resource there.
    ///
    /// Each segment is percent-encoded, so that an id is always one segment. `None`
    /// for an id that a URL cannot hold: empty, `.` or `..`.
    pub(crate) fn join(&self, endpoint: &str, id: Option<&str>) -> Option<String> {
        let mut url = self.text.clone();
        for segment in endpoint.split('/').filter(|segment| !segment.is_empty()).chain(id) {
            if matches!(segment, "" | "." | "..") {
                return None;
            }
            url.push('/');
            url.extend(utf8_percent_encode(segment, SEGMENT));
        }
        Some(url)
    }

    /// Says whether a URL has the same scheme, host and port, so that it may receive the token.
    pub(crate) fn same_origin(&self, other: &Url) -> bool {
        Url::parse(&self.text).is_ok_and(|base| base.origin() == other.origin())
    }

    fn from_url(url: &Url) -> Result<Self, BaseUrlError> {
        if !matches!(url.scheme(), "https" | "http") {
            Err(BaseUrlError::Scheme)
        } else if !url.username().is_empty() || url.password().is_some() {
            Err(BaseUrlError::UserInfo)
        } else if url.query().is_some() || url.fragment().is_some() {
            Err(BaseUrlError::Query)
        } else {
            Ok(Self { text: url.as_str().trim_end_matches('/').to_owned() })
        }
    }
}

/// All characters except those that RFC 3986 allows in a path segment. `:` is allowed, for schema URNs.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');

impl std::str::FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "expected a URL such as https://example.com/scim/v2",
            Self::Scheme => "expected a base URL that begins with https://",
            Self::Plain => "expected https, found http to another machine",
            Self::UserInfo => "expected a base URL without user name and password",
            Self::Query => "expected a base URL without query string and fragment",
        })
    }
}

impl std::error::Error for BaseUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_1_3_01_s_7_1_01_s_7_2_01_what_is_refused() {
        for (text, error) in [
            ("", BaseUrlError::Syntax),
            ("example.com/scim", BaseUrlError::Syntax),
            ("ftp://example.com", BaseUrlError::Scheme),
            ("http://example.com", BaseUrlError::Plain),
            ("http://localhost.example.com", BaseUrlError::Plain),
            ("https://u:p@h", BaseUrlError::UserInfo),
            ("https://u@h", BaseUrlError::UserInfo),
            ("https://h/?", BaseUrlError::Query),
            ("https://h/#a", BaseUrlError::Query),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
        }
        for text in ["http://127.0.0.1:8080", "http://[::1]/x", "https://h"] {
            assert!(BaseUrl::parse(text).is_ok(), "{text}");
        }
        assert!(BaseUrl::parse_plain("http://example.com").is_ok());
    }

    #[test]
    fn c_2_3_7_02_relative_references_resolve_against_the_base_url() {
        let base = BaseUrl::parse("https://h/scim/v2").unwrap();
        for (reference, url) in [
            ("Users/1", "https://h/scim/v2/Users/1"),
            ("./Users/1", "https://h/scim/v2/Users/1"),
            ("../Users/1", "https://h/scim/v2/Users/1"),
            ("../../Users/1", "https://h/scim/v2/Users/1"),
            ("/scim/v2/Users/1", "https://h/scim/v2/Users/1"),
            ("/v2/Users/1", "https://h/v2/Users/1"),
            ("//other/Users/1", "https://other/Users/1"),
            ("https://other/v2/Users/1", "https://other/v2/Users/1"),
            ("urn:uuid:1", "urn:uuid:1"),
            ("Users/a%2Fb", "https://h/scim/v2/Users/a%2Fb"),
        ] {
            assert_eq!(base.resolve(reference).as_deref(), Some(url), "{reference}");
        }
        for text in ["", " ", "Users/1 ", "https://", "//", "a\nb"] {
            assert_eq!(base.resolve(text), None, "{text:?}");
        }
    }

    #[test]
    fn s_1_2_01_an_id_stays_one_segment() {
        let base = BaseUrl::parse("https://h/scim/v2").unwrap();
        for (id, url) in [
            ("2819c223", "https://h/scim/v2/Users/2819c223"),
            ("a/b?c#d%e f", "https://h/scim/v2/Users/a%2Fb%3Fc%23d%25e%20f"),
            ("é+", "https://h/scim/v2/Users/%C3%A9%2B"),
        ] {
            assert_eq!(base.join("/Users", Some(id)).as_deref(), Some(url));
        }
        for id in ["", ".", ".."] {
            assert_eq!(base.join("/Users", Some(id)), None);
        }
        assert_eq!(base.join("", None).as_deref(), Some("https://h/scim/v2"));
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        assert_eq!(base.join("/Schemas", Some(urn)), Some(format!("https://h/scim/v2/Schemas/{urn}")));
    }
}
