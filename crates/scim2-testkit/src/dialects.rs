//! Requests of real identity providers and answers of real service providers, as replayable exchanges.
//!
//! `fixtures/dialects` has one file for each vendor. Exchanges of [`Role::Client`] are replayed against our server by
//! `scim2_conformance::replay`. Exchanges of [`Role::Server`] show what our client must survive.
//!
//! ```
//! use scim2_testkit::dialects::{self, Evidence};
//!
//! let exchange = dialects::get("entra-client-test-connection").expect("a fixture");
//! assert_eq!(exchange.evidence, Evidence::VendorDoc);
//! assert_eq!(exchange.request.path, "/Users");
//! assert_eq!(exchange.expect.status, [200]);
//! ```

use scim2_conformance::read_exchanges;
pub use scim2_conformance::{Evidence, Exchange, Role};

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

/// Every exchange of every file.
#[expect(clippy::expect_used, reason = "the fixtures are part of this crate and a test reads them all")]
fn exchanges() -> Vec<Exchange> {
    FILES.iter().flat_map(|text| read_exchanges(text.as_bytes()).expect("fixtures are exchanges")).collect()
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
