//! Writes the head of the audit log to the log of the server. Somebody who can change the store cannot change that copy.

use std::time::Duration;

use scim2_store::{Admin, AuditHead};
use tokio::task::JoinHandle;

/// The target of the lines, which are logged at every log level.
pub(crate) const TARGET: &str = "scim2::audit_head";

/// Logs the heads at the start, and after each interval in which rows were written.
pub(super) struct HeadLog {
    store: Admin,
    /// `None` if nothing is logged.
    task: Option<JoinHandle<()>>,
}

impl HeadLog {
    pub(super) async fn start(store: Admin, interval: Duration) -> Self {
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

    /// Logs the heads once more, after the last write.
    pub(super) async fn finish(self) {
        if let Some(task) = &self.task {
            task.abort();
            log(&self.store, &[]).await;
        }
    }
}

impl Drop for HeadLog {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Logs the heads that are not among the last ones, and returns them all.
async fn log(store: &Admin, last: &[AuditHead]) -> Vec<AuditHead> {
    match store.audit_heads().await {
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
