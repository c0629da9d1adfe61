//! The format of an exchange, and its reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// Reads a list of exchanges.
///
/// ```
/// use scim2_conformance::{Evidence, read_exchanges};
///
/// let exchanges = read_exchanges(br#"[{
///     "id": "acme-client-deactivate", "vendor": "acme", "role": "client",
///     "summary": "deactivates an account", "evidence": "captured", "quirks": ["Q-STRING-BOOL"],
///     "given": [{"$handle": "alice", "$type": "User", "userName": "alice", "active": true}],
///     "request": {
///         "method": "PATCH", "path": "/Users/{alice}", "headers": {"Authorization": "Bearer {token}"},
///         "body": {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
///     },
///     "expect": {"status": [200, 204], "notes": "the account is disabled", "resulting_state": {"active": false}},
///     "source": "a log"
/// }]"#)?;
/// assert_eq!(exchanges[0].evidence, Evidence::Captured);
/// assert_eq!(read_exchanges(b"[{}]").unwrap_err().to_string(), "line 1, column 3: missing field `id`");
/// # Ok::<(), scim2_conformance::ReadError>(())
/// ```
///
/// # Errors
/// [`ReadError`] if the text is not JSON, if a member is missing or unknown, if two exchanges have the same `id`, or if
/// a `sequence` does not have the form `name#number`.
pub fn read_exchanges(json: &[u8]) -> Result<Vec<Exchange>, ReadError> {
    let exchanges: Vec<Exchange> =
        serde_json::from_slice(json).map_err(|error| ReadError(Reason::Json(error)))?;
    let mut ids = BTreeSet::new();
    for exchange in &exchanges {
        if !ids.insert(&*exchange.id) {
            return Err(ReadError(Reason::RepeatedId(exchange.id.clone())));
        }
        if exchange.sequence.is_some() && exchange.conversation().is_none() {
            return Err(ReadError(Reason::Sequence(exchange.id.clone())));
        }
    }
    Ok(exchanges)
}

/// One request, the state before it, and what its response and the state after it should be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exchange {
    /// `<vendor>-<role>-<slug>`, unique among all exchanges.
    pub id: String,
    /// The vendor whose dialect this is, in lower case.
    pub vendor: String,
    /// Whether the vendor sends the request or answers it.
    pub role: Role,
    /// One line about the exchange.
    pub summary: String,
    /// How certain it is that the vendor does this.
    pub evidence: Evidence,
    /// Names of the deviations that the exchange shows: `Q-…` for servers to tolerate, `S-…` for clients to survive.
    pub quirks: Vec<String>,
    /// `name#number`: a step of the conversation `name`. An exchange without it stands alone.
    #[serde(default)]
    pub sequence: Option<String>,
    /// The resources that exist before the request. Each has its attributes, a `$type` (`User` or `Group`), and a
    /// `$handle`: `{handle}` in later texts is replaced by its `id`.
    #[serde(default)]
    pub given: Vec<Value>,
    /// The request.
    pub request: ExchangeRequest,
    /// What should come of it.
    pub expect: Expectation,
    /// Where the exchange comes from: the vendor's page, a repository, an issue or a file.
    pub source: String,
}

impl Exchange {
    /// The name of the conversation and the number of this step, if it is one.
    #[must_use]
    pub fn conversation(&self) -> Option<(&str, u32)> {
        let (name, number) = self.sequence.as_deref()?.split_once('#')?;
        Some((name, number.parse().ok()?))
    }
}

/// Which side of an exchange the vendor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The vendor sends the request, as an identity provider does.
    Client,
    /// The vendor answers the request, as a service provider with its own limits does.
    Server,
}

/// How certain the request and the vendor's behavior are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Evidence {
    /// The vendor's own page describes the call.
    VendorDoc,
    /// Read in the vendor's source code, tests or request collection.
    VendorCode,
    /// Quoted from a log, an issue or a pull request.
    Captured,
    /// Described by a third party. The body was written from the description.
    Reported,
    /// The vendor names the call or the limit. The body or the status is a guess.
    Inferred,
}

impl Evidence {
    /// Says whether somebody saw or wrote the exact exchange. Exchanges of the other grades may differ from the real
    /// ones in details.
    #[must_use]
    pub fn is_first_hand(self) -> bool {
        matches!(self, Self::VendorDoc | Self::VendorCode | Self::Captured)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::VendorDoc => "vendor-doc",
            Self::VendorCode => "vendor-code",
            Self::Captured => "captured",
            Self::Reported => "reported",
            Self::Inferred => "inferred",
        })
    }
}

/// The request of an [`Exchange`]. In all its texts `{handle}` is replaced by the `id` of a given resource, `{token}` by
/// the bearer token, and `{basic}` by base64 of `user:password`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExchangeRequest {
    /// The HTTP method in capitals.
    pub method: String,
    /// The path below the base URL, with a leading slash.
    pub path: String,
    /// Query parameters, not encoded.
    #[serde(default)]
    pub query: Option<BTreeMap<String, String>>,
    /// Everything after `?` exactly as the vendor sends it, if that matters. May be empty.
    #[serde(default)]
    pub raw_query: Option<String>,
    /// Header fields.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// The JSON body. `None` or `null` means no body.
    #[serde(default)]
    pub body: Option<Value>,
}

/// What should come of an [`Exchange`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Expectation {
    /// Acceptable status codes, the preferred one first.
    pub status: Vec<u16>,
    /// What matters in this exchange, and what goes wrong otherwise.
    pub notes: String,
    /// Members that a later GET of the target shows. `{"$absent": true}` means that the GET is 404. `null` means that the
    /// attribute has no value. Arrays have these elements in any order and no others.
    #[serde(default)]
    pub resulting_state: Option<Value>,
    /// Members of the response body. Arrays have these elements in any order, and may have others.
    #[serde(default)]
    pub response_body: Option<Value>,
    /// Header fields of the response, without regard to parameters.
    #[serde(default)]
    pub response_headers: Option<BTreeMap<String, String>>,
}

/// Why a text is not a list of exchanges.
#[derive(Debug)]
pub struct ReadError(Reason);

#[derive(Debug)]
enum Reason {
    Json(serde_json::Error),
    RepeatedId(String),
    Sequence(String),
}

impl ReadError {
    /// The line and column at fault, both counted from 1. `None` if the JSON is fine and an exchange is not.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        match &self.0 {
            Reason::Json(error) => Some((error.line(), error.column())),
            Reason::RepeatedId(_) | Reason::Sequence(_) => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Json(error) => {
                let (line, column) = (error.line(), error.column());
                let text = error.to_string();
                let place = format!(" at line {line} column {column}");
                write!(f, "line {line}, column {column}: {}", text.strip_suffix(&place).unwrap_or(&text))
            }
            Reason::RepeatedId(id) => {
                write!(f, "expected each `id` once, found `{}` twice", id.escape_debug())
            }
            Reason::Sequence(id) => {
                write!(f, "expected `sequence` of `{}` to have the form `name#number`", id.escape_debug())
            }
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Reason::Json(error) => Some(error),
            Reason::RepeatedId(_) | Reason::Sequence(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"id":"a","vendor":"v","role":"client","summary":"s","evidence":"reported","quirks":[],
        "request":{"method":"GET","path":"/Users"},"expect":{"status":[200],"notes":"n"},"source":"s""#;

    #[test]
    fn exchanges_with_a_fault_are_refused_with_its_place() {
        for (text, line) in [
            (format!("[{ONE}}}]"), None),
            (format!("[{ONE}}},{ONE}}}]"), Some("expected each `id` once, found `a` twice")),
            (
                format!(r#"[{ONE},"sequence":"first"}}]"#),
                Some("expected `sequence` of `a` to have the form `name#number`"),
            ),
            (format!(r#"[{ONE},"colour":"red"}}]"#), Some("line 2, column 110: unknown field `colour`")),
            ("[".to_owned(), Some("line 1, column 1: EOF while parsing a list")),
        ] {
            let found = read_exchanges(text.as_bytes()).err().map(|error| error.to_string());
            match (&found, line) {
                (Some(found), Some(line)) => assert!(found.starts_with(line), "{found}"),
                _ => assert_eq!(found.as_deref(), line),
            }
        }
    }

    #[test]
    fn conversation_is_a_name_and_a_number() {
        let text = format!(r#"[{ONE},"sequence":"okta-user-lifecycle#4"}}]"#);
        let exchanges = read_exchanges(text.as_bytes()).expect("an exchange");
        assert_eq!(exchanges[0].conversation(), Some(("okta-user-lifecycle", 4)));
    }
}
