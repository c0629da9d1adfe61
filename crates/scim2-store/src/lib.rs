//! A SCIM 2.0 resource store on SQLite or PostgreSQL: group commit, members as rows, filters in SQL.
//!
//! [`SqliteStore`] is a [`ResourceStore`](scim2_server::ResourceStore) in one file, for a service
//! provider that is one process; [`Admin`] is the same file as its operator sees it, also while a
//! server has it open.
//!
//! With the feature `postgres` there is also `PostgresStore`, for many nodes over one database, and
//! `PostgresAdmin` beside it. Both engines have the same tables, the same plans and the same answers.
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
//! let report = Admin::open(&path)?.fsck(&Registry::standard())?;
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
//! - **A write is one transaction**: the resource, its rows in the index, its members and its row
//!   in the audit log. With SQLite one thread writes; it takes what is waiting, commits once and answers all.
//!   What one of them gets wrong harms none of the others. A full queue refuses.
//! - **A read waits for no writer.** What is found by an index is read on the thread that asks;
//!   what looks at many resources goes to a few threads of its own and ends when nobody waits
//!   for it any more.
//! - **Filters run on the index**: rows of (tenant, path, key), where the key of a value compares
//!   as the value does. What rows cannot say exactly they narrow, and the evaluator of
//!   `scim2-filter` finishes, one body at a time.
//! - **Members are rows.** Adding one costs the same in a group of ten and of a million.
//! - **Bodies are stored as they are answered**, without what is computed: reading one copies it.
//!
//! # What is indexed
//!
//! Of every resource type: each attribute whose `uniqueness` is not `none`, and, where it has
//! them, `externalId`, `userName`, `displayName`, `active`, `emails.value` and `.type`, the names
//! in `name`, and of the enterprise extension `employeeNumber`, `department` and `manager.value`.
//! [`Indexing`] adds to these and takes away. What is added to a directory that is there is filled in
//! the background, while queries go on without it. `id`, `meta.created`, `meta.lastModified`, `members.value` and `groups.value` are found without
//! it. Where schemas have changed since the rows were made, they are made again when the resource
//! type is first used.
//!
//! # Limits
//!
//! - One process serves a SQLite file; a second one is refused. A network file system is no place
//!   for it.
//! - A backup of a PostgreSQL database is made by its own programs.
//! - Times are kept to the millisecond, ids in Unicode normalisation form C.
//! - The members of a group come in the order they were added.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
mod audit;
#[cfg(feature = "auth")]
mod auth;
mod backup;
mod dialect;
mod error;
mod load;
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
pub use admin::repair::Repair;
pub use audit::{AuditHead, AuditHeadError, AuditKeyError, AuditKeys, AuditRecord};
pub use backup::{CopyError, CopyErrorKind, RestoreOptions, Restored, RestoredToken, TokenFate};
pub use error::{OpenError, OpenErrorKind};
pub use load::{Load, LoadOptions, LoadResource, Loaded, Loader, PreparedLoad, Preparer, Unresolved};
pub use model::indexing::Indexing;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresLoader, PostgresOptions, PostgresStore};
pub use query::EXPLAIN;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use token::{NewToken, Token, TokenHash, TokenState};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
