//! `scim2 serve`: the service provider on a socket.

pub(crate) mod audit_head;
mod base_path;
mod connections;
mod deadline;
mod delegate;
mod descriptors;
mod exchange;
mod first_start;
mod framed;
mod gate;
mod greeting;
mod health;
mod host;
mod listener;
mod long_work;
mod once_a_minute;
mod overload;
mod provider;
mod refusal;
#[cfg(test)]
mod slow_clients;
mod stop;
mod totals;
mod unread;
mod yield_before_write;

use std::net::SocketAddr;

use scim2_auth::MemoryTokens;
use scim2_core::Registry;
use scim2_store::{Admin, Indexing};
use tokio::net::TcpListener;

use self::audit_head::HeadLog;
use crate::args::{DONE, ServeArgs};
use crate::commands::counted;
use crate::config::{Config, StoreUrl};
use crate::failure::{Failure, Outcome};
use crate::store;
use crate::{logs, schemas};

pub(crate) fn run(args: &ServeArgs) -> Outcome {
    let mut config = Config::load(&args.settings)?;
    logs::start(&config);
    config.max_connections = descriptors::fit_connections(config.max_connections);
    let (registry, indexing) = model(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.worker_threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::run(format!("threads cannot be started: {error}")))?;
    runtime.block_on(serve(config, registry, indexing))
}

/// The resource types to serve, and which of their attributes are indexed.
///
/// # Errors
/// Names the schema document or the attribute, and what is wrong with it.
pub(crate) fn model(config: &Config) -> Result<(Registry, Indexing), Failure> {
    let registry = schemas::load(&config.schemas, &config.compat()).map_err(Failure::usage)?;
    let indexing = Indexing::new(&registry, &config.indexed, &config.unindexed).map_err(Failure::usage)?;
    known(&registry, &config.sensitive_attributes)?;
    Ok((registry, indexing))
}

async fn serve(config: Config, registry: Registry, indexing: Indexing) -> Outcome {
    // Bind the address first, so that a second server that is started by mistake touches no data.
    let (listener, address) = listen(config.listen).await?;
    // From here on a signal ends the program in order, even while the store is being opened.
    let stop = stop::Stop::listen()?;
    match &config.store {
        StoreUrl::Memory => {
            let mut tokens = MemoryTokens::new();
            first_start::ensure(&mut tokens, &config, address).await?;
            let store = scim2_server::MemoryStore::new();
            provider::run(&config, registry, store, tokens, (listener, address), stop).await?;
        }
        StoreUrl::Sqlite(path) => {
            let store = store::open_or_create(path, &config, indexing)?;
            store.prepare(&registry).await.map_err(Failure::run)?;
            warn_of_unserved_types(&store.admin(), &registry).await?;
            first_start::ensure(&mut store.admin(), &config, address).await?;
            let heads = HeadLog::start(store.admin(), config.audit_head_interval).await;
            provider::run(&config, registry, store.clone(), store.clone(), (listener, address), stop).await?;
            heads.finish().await;
            store.close().map_err(|error| Failure::run(format!("the store did not close: {error}")))?;
        }
        StoreUrl::Postgres(database) => {
            let store = store::connect(&config, database, indexing).await?;
            store.prepare(&registry).await.map_err(Failure::run)?;
            warn_of_unserved_types(&store.admin(), &registry).await?;
            first_start::ensure(&mut store.admin(), &config, address).await?;
            let heads = HeadLog::start(store.admin(), config.audit_head_interval).await;
            provider::run(&config, registry, store.clone(), store.clone(), (listener, address), stop).await?;
            heads.finish().await;
            store.close();
        }
    }
    DONE
}

/// Logs the resource types of which the store has resources and that no schema file defines any more.
async fn warn_of_unserved_types(admin: &Admin, registry: &Registry) -> Result<(), Failure> {
    for (name, count) in admin.unknown_types(registry, None).await.map_err(Failure::run)? {
        tracing::warn!(
            "the store has {} of the type `{}`, which nothing in --schemas defines: they are kept and not served; give \
             the folder that defines the type",
            counted(count, "resource", "resources"),
            name.escape_debug()
        );
    }
    Ok(())
}

/// Checks that each path names an attribute of some resource type.
fn known(registry: &Registry, paths: &[String]) -> Result<(), Failure> {
    let is_known = |path: &String| {
        let mut attributes = registry.resource_types().flat_map(|type_| type_.attributes());
        attributes.any(|def| def.path().eq_ignore_ascii_case(path))
    };
    match paths.iter().find(|path| !is_known(path)) {
        None => Ok(()),
        Some(path) => Err(Failure::usage(format!(
            "`{}` cannot be sensitive: no resource type has such an attribute",
            path.escape_debug()
        ))),
    }
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("cannot listen on {wanted}: {}", reason(&error)));
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The cause of an error in words that help an operator.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        std::io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied; ports below 1024 need root".to_owned(),
        _ => error.to_string(),
    }
}

/// The address under which this machine reaches the server.
fn local(address: SocketAddr) -> SocketAddr {
    let mut local = address;
    if address.ip().is_unspecified() {
        local.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    local
}
