//! What real identity providers send and what real service providers answer, as replayable exchanges.
//!
//! One file per vendor stands in `fixtures/dialects`. Exchanges of [`Role::Client`] are replayed against *our*
//! server by [`crate::replay`]; exchanges of [`Role::Server`] say what our client must survive.
//!
//! ```
//! use scim2_testkit::dialects::{self, Evidence};
//!
//! let exchange = dialects::get("entra-client-test-connection").expect("a fixture");
//! assert_eq!(exchange.evidence, Evidence::VendorDoc);
//! assert_eq!(exchange.request.path, "/Users");
//! assert_eq!(exchange.expect.status, [200]);
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// Every exchange an identity provider sends, in the order of the files.
pub fn client_exchanges() -> Vec<Exchange> {
    exchanges().into_iter().filter(|exchange| exchange.role == Role::Client).collect()
}

/// Every exchange in which a vendor's service provider answers.
pub fn server_exchanges() -> Vec<Exchange> {
    exchanges().into_iter().filter(|exchange| exchange.role == Role::Server).collect()
}

/// One exchange by its id.
pub fn get(id: &str) -> Option<Exchange> {
    exchanges().into_iter().find(|exchange| exchange.id == id)
}

/// One request and what the answer to it should be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// `<vendor>-<role>-<slug>`, unique over all files.
    pub id: String,
    /// Whose dialect it is, in lower case.
    pub vendor: String,
    /// Whether the vendor sends or answers.
    pub role: Role,
    /// What the exchange is about, in a line.
    pub summary: String,
    /// How sure we are that the vendor does this.
    pub evidence: Evidence,
    /// The deviations it shows: `Q-` for servers to tolerate, `S-` for clients to survive.
    pub quirks: Vec<String>,
    /// `name#n`: the place in a conversation; an exchange without it stands alone.
    #[serde(default)]
    pub sequence: Option<String>,
    /// Resources to store first, each with `$handle` and `$type` beside its attributes.
    #[serde(default)]
    pub given: Vec<Value>,
    /// What is sent.
    pub request: ExchangeRequest,
    /// What the answer should be.
    pub expect: Expectation,
    /// Vendor page, repository, issue or file the exchange was taken from.
    pub source: String,
}

impl Exchange {
    /// The name of the conversation and the place in it, where it has one.
    pub fn conversation(&self) -> Option<(&str, u32)> {
        let (name, place) = self.sequence.as_deref()?.split_once('#')?;
        Some((name, place.parse().ok()?))
    }
}

/// Who the vendor is in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The vendor sends: an identity provider against our server.
    Client,
    /// The vendor answers: a service provider with limits, against our client.
    Server,
}

/// How sure we are of the request and the vendor's behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The vendor's own page describes the call.
    VendorDoc,
    /// Read out of the vendor's or product's own source, tests or collection.
    VendorCode,
    /// Quoted from a log, an issue or a pull request.
    Captured,
    /// Told by a third party; the body was assembled from the description.
    Reported,
    /// The vendor names the call or the limit; body or status code is a guess.
    Inferred,
}

impl Evidence {
    /// Whether an exchange of this grade must pass (the others may differ in detail).
    pub fn is_hard(self) -> bool {
        matches!(self, Evidence::VendorDoc | Evidence::VendorCode | Evidence::Captured)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Evidence::VendorDoc => "vendor-doc",
            Evidence::VendorCode => "vendor-code",
            Evidence::Captured => "captured",
            Evidence::Reported => "reported",
            Evidence::Inferred => "inferred",
        })
    }
}

/// The request of an [`Exchange`]; `{handle}` stands for the id of a given resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRequest {
    /// The HTTP method in capitals.
    pub method: String,
    /// The path below the SCIM base URL, with a leading slash.
    pub path: String,
    /// Query parameters, decoded.
    #[serde(default)]
    pub query: Option<BTreeMap<String, String>>,
    /// What stands after `?` to the byte, when it matters; may be empty.
    #[serde(default)]
    pub raw_query: Option<String>,
    /// Header fields, including `Authorization: Bearer {token}`.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// The JSON body, or none.
    #[serde(default)]
    pub body: Option<Value>,
}

/// What the answer to an [`Exchange`] should be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Acceptable status codes, the preferred one first.
    pub status: Vec<u16>,
    /// What matters, and what goes wrong otherwise.
    pub notes: String,
    /// Subset of the target resource as a GET shows it afterwards.
    #[serde(default)]
    pub resulting_state: Option<Value>,
    /// Subset of the answer's body.
    #[serde(default)]
    pub response_body: Option<Value>,
    /// Header fields of the answer.
    #[serde(default)]
    pub response_headers: Option<BTreeMap<String, String>>,
}

/// Every exchange of every file.
#[expect(clippy::expect_used, reason = "the fixtures are part of this crate and a test reads them all")]
fn exchanges() -> Vec<Exchange> {
    FILES
        .iter()
        .flat_map(|text| serde_json::from_str::<Vec<Exchange>>(text).expect("fixtures are exchanges"))
        .collect()
}

static FILES: &[&str] = &[
    include_str!("../fixtures/dialects/atlassian.json"),
    include_str!("../fixtures/dialects/authentik.json"),
    include_str!("../fixtures/dialects/aws-identity-center.json"),
    include_str!("../fixtures/dialects/cyberark.json"),
    include_str!("../fixtures/dialects/entra.json"),
    include_str!("../fixtures/dialects/fusionauth.json"),
    include_str!("../fixtures/dialects/github.json"),
    include_str!("../fixtures/dialects/google-cloud-identity.json"),
    include_str!("../fixtures/dialects/google-workspace.json"),
    include_str!("../fixtures/dialects/hcp-terraform.json"),
    include_str!("../fixtures/dialects/jumpcloud.json"),
    include_str!("../fixtures/dialects/keycloak.json"),
    include_str!("../fixtures/dialects/miro.json"),
    include_str!("../fixtures/dialects/okta.json"),
    include_str!("../fixtures/dialects/onelogin.json"),
    include_str!("../fixtures/dialects/ping.json"),
    include_str!("../fixtures/dialects/rippling.json"),
    include_str!("../fixtures/dialects/sailpoint.json"),
    include_str!("../fixtures/dialects/salesforce.json"),
    include_str!("../fixtures/dialects/slack.json"),
    include_str!("../fixtures/dialects/snowflake.json"),
    include_str!("../fixtures/dialects/webex.json"),
    include_str!("../fixtures/dialects/zoom.json"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_read_and_ids_are_unique() {
        let all = exchanges();
        let ids: BTreeSet<_> = all.iter().map(|exchange| exchange.id.as_str()).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!((client_exchanges().len(), server_exchanges().len()), (133, 41));
    }

    #[test]
    fn conversations_have_a_name_and_a_place() {
        let step = get("okta-client-put-user-update").expect("a fixture");
        assert_eq!(step.conversation(), Some(("okta-user-lifecycle", 4)));
        let alone = get("entra-client-match-username-miss").expect("a fixture");
        assert_eq!(alone.conversation(), None);
    }
}
