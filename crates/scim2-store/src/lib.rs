//! A SCIM 2.0 resource store on SQLite or PostgreSQL: group commit, members as rows, filters in SQL.
//!
//! [`SqliteStore`] is a [`ResourceStore`](scim2_server::ResourceStore) in one file, for a service
//! provider that is one process. [`Admin`] is a database as its operator sees it, also while servers have it open.
//!
//! With the feature `postgres` there is also `PostgresStore`, for many nodes over one database. Both engines have the
//! same tables, the same plans and the same answers.
//!
//! ```
//! use scim2_core::Registry;
//! use scim2_server::{BaseUrl, ServiceProvider};
//! use scim2_store::{Admin, SqliteOptions, SqliteStore};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("scim2.db");
//! let store = SqliteStore::open(&path, SqliteOptions::default())?; // made if it is not there
//! let provider = ServiceProvider::builder(store)
//!     .options(|options| options.base_url = BaseUrl::fixed("https://example.com/scim/v2"))
//!     .build(); // `provider.service(authenticator)` is a tower service
//!
//! // What an operator does, beside the running server.
//! let report = futures_executor::block_on(Admin::open(&path)?.fsck(&Registry::standard()))?;
//! assert!(report.is_clean(), "{report}");
//! # drop(provider);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! On PostgreSQL, with the feature `postgres`:
//!
//! ```no_run
//! # #[cfg(feature = "postgres")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use scim2_server::ServiceProvider;
//! use scim2_store::{PostgresOptions, PostgresStore};
//!
//! let store = PostgresStore::open(&PostgresOptions::new("postgres://scim2@db.example.com/scim2")?).await?;
//! let provider = ServiceProvider::builder(store).build();
//! # drop(provider);
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! - **A write is one transaction**: the resource, its index rows, its members and its row in the audit log. With
//!   SQLite one thread writes: it takes the queued writes, commits them together and answers all of them. A write that
//!   fails does not affect the others. When the queue is full, writes are refused.
//! - **A read does not wait for writes.** A short read runs on the thread that asks. A read of many resources runs on
//!   one of a few threads, and is canceled when its caller stops waiting.
//! - **Filters run on the index**: rows of (tenant, path, key), where keys compare as the values do. If index rows
//!   cannot express a filter exactly, they narrow the candidates, and the evaluator of `scim2-filter` decides.
//! - **Members are rows.** Adding one takes the same time in a group of ten and of a million.
//! - **Bodies are stored as they are answered**, without computed attributes, so an answer copies them.
//!
//! # What is indexed
//!
//! In every resource type, each attribute whose `uniqueness` is not `none`, and, if the type has them, `externalId`,
//! `userName`, `displayName`, `active`, `emails.value`, `emails.type`, the sub-attributes of `name` that hold names, and
//! `employeeNumber`, `department` and `manager.value` of the enterprise extension. [`Indexing`] changes this list.
//! Existing resources are indexed in the background; until that is done, queries do not use the new index rows. `id`,
//! `meta.created`, `meta.lastModified`, `members.value` and `groups.value` need no index rows. If the schemas have changed
//! since the rows were computed, they are computed again when the resource type is first used.
//!
//! # Limits
//!
//! - One process serves a SQLite file; a second one is refused. Do not put the file on a network file system.
//! - PostgreSQL databases are backed up with PostgreSQL's own tools.
//! - Times are stored to the millisecond, ids in Unicode normalization form C.
//! - The members of a group are returned in the order in which they were added.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
mod audit;
#[cfg(feature = "auth")]
mod auth;
mod backup;
mod dialect;
mod error;
mod model;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod session;
mod spool;
mod sql;
mod sqlite;
mod token;

pub use admin::Admin;
pub use admin::dump::{DumpOptions, DumpSize, Dumped, DumpedResource};
pub use admin::fsck::{FsckOptions, Report};
pub use admin::load::{Load, LoadOptions, LoadResource, Loaded, Loader, PreparedLoad, Preparer, Unresolved};
pub use admin::repair::Repair;
pub use audit::{AuditHead, AuditHeadError, AuditKeyError, AuditKeys, AuditRecord};
pub use backup::{CopyError, CopyErrorKind, RestoreOptions, Restored, RestoredToken, TokenFate};
pub use error::{OpenError, OpenErrorKind};
pub use model::indexing::Indexing;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
pub use query::EXPLAIN;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use token::{NewToken, Token, TokenHash, TokenState};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
