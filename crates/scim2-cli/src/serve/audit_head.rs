//! The head of the audit log in the log of the server, where whoever can write the store cannot change it.

use std::future::Future;
use std::time::Duration;

use scim2_server::StoreError;
use scim2_store::{AuditHead, PostgresStore, SqliteStore};
use tokio::task::JoinHandle;

/// The target of the lines, which are logged whatever the level of other lines is.
pub(crate) const TARGET: &str = "scim2::audit_head";

/// A store that has an audit log.
pub(super) trait AuditedStore: Clone + Send + Sync + 'static {
    /// The head of each tenant's log.
    fn heads(&self) -> impl Future<Output = Result<Vec<AuditHead>, StoreError>> + Send;
}

impl AuditedStore for SqliteStore {
    async fn heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        self.audit_heads()
    }
}

impl AuditedStore for PostgresStore {
    async fn heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        self.admin().audit_heads().await
    }
}

/// Logs the heads at the start, then after each interval in which something was written.
pub(super) struct HeadLog<S> {
    store: S,
    /// `None` if nothing is logged.
    task: Option<JoinHandle<()>>,
}

impl<S: AuditedStore> HeadLog<S> {
    pub(super) async fn start(store: S, interval: Duration) -> Self {
        if interval.is_zero() {
            return Self { store, task: None };
        }
        let mut last = log(&store, &[]).await;
        let task = tokio::spawn({
            let store = store.clone();
            async move {
                loop {
                    tokio::time::sleep(interval).await;
                    last = log(&store, &last).await;
                }
            }
        });
        Self { store, task: Some(task) }
    }

    /// Logs the heads once more, when nothing is written any more.
    pub(super) async fn finish(self) {
        if let Some(task) = &self.task {
            task.abort();
            log(&self.store, &[]).await;
        }
    }
}

impl<S> Drop for HeadLog<S> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Logs the heads that are not among the last ones, and returns them all.
async fn log(store: &impl AuditedStore, last: &[AuditHead]) -> Vec<AuditHead> {
    match store.heads().await {
        Ok(heads) => {
            for head in heads.iter().filter(|head| !last.contains(head)) {
                tracing::info!(target: TARGET, tenant = head.tenant().as_str(), %head, "audit log");
            }
            heads
        }
        Err(error) => {
            tracing::warn!(%error, "the head of the audit log cannot be read");
            last.to_vec()
        }
    }
}
