//! Connections for reading, as many as there are threads that read at once.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use scim2_server::StoreError;

use super::connection;

/// Connections that wait for work; more are closed when they are given back.
const IDLE: usize = 32;

/// A stack of idle connections. Taking one never waits: if all are taken, another is opened.
#[derive(Debug)]
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn take(&self) -> Result<Reader<'_>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::reader(&self.path).map_err(StoreError::internal)?,
        };
        Ok(Reader { pool: self, connection: Some(connection) })
    }
}

/// A connection out of the pool, which goes back when this is dropped.
pub(crate) struct Reader<'p> {
    pool: &'p Pool,
    // INVARIANT: there until the drop.
    connection: Option<Connection>,
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is there until the drop"),
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is there until the drop"),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // A panic may have left a transaction open: such a connection does not come back.
        if let Some(connection) = self.connection.take().filter(Connection::is_autocommit) {
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE {
                idle.push(connection);
            }
        }
    }
}
