//! Log lines on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};
use crate::serve::audit_head;
use crate::terminal::LogLines;

/// Directives for libraries that would log the values of SQL statements, and with them hashes of passwords and tokens, at
/// `debug` and `trace`. They apply whatever level is configured.
const SILENT: &[&str] = &["tokio_postgres=info", "tokio_postgres::query=info"];

/// Starts logging. Standard output is for the results of commands, so logs go to standard error.
pub(crate) fn start(config: &Config) {
    // INVARIANT: the value was parsed when it was read.
    let filter = EnvFilter::try_new(&config.log).unwrap_or_default();
    let explain = config.explain_queries.then(|| format!("{}=debug", scim2_store::EXPLAIN));
    let heads = (!config.audit_head_interval.is_zero()).then(|| format!("{}=info", audit_head::TARGET));
    let always = SILENT.iter().copied().chain(explain.as_deref()).chain(heads.as_deref());
    let filter = always.filter_map(|directive| directive.parse().ok()).fold(filter, EnvFilter::add_directive);
    let is_json = matches!(config.log_format, LogFormat::Json);
    // A line that cannot be written is lost. Reporting that on standard error would panic if standard error is closed.
    let builder = tracing_subscriber::fmt().log_internal_errors(false);
    let builder =
        builder.with_env_filter(filter).with_writer(move || LogLines { out: io::stderr(), is_json });
    // Only tests can have a subscriber already, and any subscriber will do for them.
    let _ = match config.log_format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}
