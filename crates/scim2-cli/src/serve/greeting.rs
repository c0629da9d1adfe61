//! The lines that the server prints at its start, at every log level: the store, the number of users, the log level,
//! and the address.

use std::net::SocketAddr;

use scim2_server::store::{Query, Target};
use scim2_server::{Context, ResourceStore, ServiceProvider};

use super::provider::{base_url, local_url};
use crate::commands::counted;
use crate::config::{Config, StoreUrl};
use crate::failure::say;

/// Prints these lines. The last one names the address; programs wait for it.
pub(super) async fn greet<S: ResourceStore>(
    config: &Config,
    provider: &ServiceProvider<S>,
    cx: &Context,
    address: SocketAddr,
) {
    // With `explain_queries` this query is skipped, because only queries of clients are to be logged.
    let users = if config.explain_queries { None } else { users(provider, cx).await };
    let users = users.map(|users| format!(": {}", counted(users, "user", "users"))).unwrap_or_default();
    match &config.store {
        StoreUrl::Memory => say("scim2 keeps its data in memory: they are gone when it ends"),
        store => say(format_args!(
            "scim2 keeps its data in {}{users}; `scim2 token create` with this --store makes a token",
            store.absolute()
        )),
    }
    let more = match config.log.as_str() {
        "error" => "; --log warn adds a line for each refused request",
        "warn" => ": faults and refused requests; --log info adds tolerated deviations of clients",
        _ => "",
    };
    say(format_args!("scim2 logs at `{}`{more}", config.log));

    let (here, base) = (local_url(config, address), base_url(config, address));
    if here == base {
        say(format_args!("scim2 listening on {here}"));
    } else {
        say(format_args!("scim2 listening on {here} with base URL {base}"));
    }
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "listening beyond this machine without TLS; put a proxy that has it in front");
        let asked = config.trust_host || config.trust_forwarded;
        if config.base_url.is_none() && address.ip().is_unspecified() && !asked {
            tracing::warn!(
                "no base URL is set: locations begin with {base}, which other machines cannot reach"
            );
        }
    }
}

/// The number of users. Stores keep it, so it is one look-up.
async fn users<S: ResourceStore>(provider: &ServiceProvider<S>, cx: &Context) -> Option<u64> {
    let resource_type = std::sync::Arc::clone(provider.registry().resource_type("User")?);
    let query = Query {
        time_limit: Some(std::time::Duration::from_secs(1)),
        ..Query::new(vec![Target { resource_type, filter: None, sort: None }], 0)
    };
    // If the query fails or takes long, the line is printed without the number.
    provider.store().query(cx, &query).await.ok().map(|page| page.total)
}
