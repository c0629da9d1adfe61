//! The yardstick: one axum handler, no middleware, the same bytes for every request.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::any;
use bytes::Bytes;

use crate::Result;

/// Serves until it is killed.
pub(crate) fn run(listen: SocketAddr, body: &Path, threads: usize) -> Result<()> {
    let body = Bytes::from(std::fs::read(body)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        eprintln!("bare route listening on http://{}", listener.local_addr()?);
        let answer = move || {
            let body = body.clone();
            async move { ([(CONTENT_TYPE, "application/scim+json")], body) }
        };
        let router = Router::new().route("/{*path}", any(answer));
        axum::serve(listener, router).await?;
        Ok(())
    })
}
