//! The speed of the disk below the data folder, and of SQLite on it without a server.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::Result;

/// The time of one `fdatasync` after appending a page: p50 and p99.
pub(crate) fn fdatasync(folder: &Path) -> Result<(Duration, Duration)> {
    let path = folder.join("fdatasync.probe");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < 2_000 && begun.elapsed() < Duration::from_secs(4) {
        file.write_all(&[0_u8; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    drop(file);
    std::fs::remove_file(path)?;
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Ok((at(50), at(99)))
}

/// Waits until the disk has written what earlier measurements left.
pub(crate) fn settle() {
    // If the program `sync` is missing, the next measurement is disturbed a little.
    let _ = std::process::Command::new("sync").status();
}

/// The order in which names, numbers and addresses of new users arrive, which decides where the index grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// In ascending order.
    InOrder,
    /// In random order, like real names.
    Scattered,
}

/// A bare loop of the SQL statements that `scim2-store` runs for a new user. It runs on a copy of the server's database,
/// so that tables, indexes and sizes are the same. The rows are copies of one user's rows with new keys.
pub(crate) struct BareSql {
    connection: Connection,
    statements: Vec<Statement>,
    /// Users written so far.
    users: u64,
}

/// The rows of a user in one table, and how they are written.
struct Statement {
    sql: String,
    rows: Vec<Vec<Value>>,
    /// Whether the texts are keys that are chosen by clients.
    chosen: bool,
}

impl BareSql {
    /// Opens `copy`, and reads the rows of the newest user of `database`.
    pub(crate) fn open(copy: &Path, database: &Path) -> Result<Self> {
        let connection = Connection::open(copy)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -16 << 10)?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 31)?;
        let source = Connection::open(database)?;
        let pk: i64 = source.query_row("SELECT max(pk) FROM resource", [], |row| row.get(0))?;
        let seq: i64 = source.query_row("SELECT max(seq) FROM audit", [], |row| row.get(0))?;
        let statements = [("resource", "pk", pk), ("attribute", "pk", pk), ("audit", "seq", seq)]
            .into_iter()
            .map(|(table, key, value)| Statement::of(&source, table, key, value))
            .collect::<Result<_>>()?;
        Ok(Self { connection, statements, users: 0 })
    }

    /// The users per second that the loop writes in this time, with `batch` users per transaction.
    pub(crate) fn insert(&mut self, keys: Keys, batch: u64, duration: Duration) -> Result<f64> {
        let (begun, before) = (Instant::now(), self.users);
        while begun.elapsed() < duration {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            for _ in 0..batch {
                self.users += 1;
                for statement in &self.statements {
                    statement.insert(&self.connection, keys, self.users)?;
                }
            }
            self.connection.execute_batch("COMMIT")?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate is an estimate")]
        let rate = (self.users - before) as f64 / begun.elapsed().as_secs_f64();
        Ok(rate)
    }
}

impl Statement {
    fn of(source: &Connection, table: &str, key: &str, value: i64) -> Result<Self> {
        let mut select = source.prepare(&format!("SELECT * FROM {table} WHERE {key} = ?1"))?;
        let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
        let rows = select
            .query_map(params![value], |row| (0..columns.len()).map(|at| row.get(at)).collect())?
            .collect::<std::result::Result<Vec<Vec<Value>>, _>>()?;
        let marks = vec!["?"; columns.len()].join(",");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(","));
        Ok(Self { sql, rows, chosen: table == "attribute" })
    }

    /// Writes the rows for another user. Integer keys are counted up; texts and blobs end in the number, so that unique
    /// values stay unique and sizes stay the same.
    fn insert(&self, connection: &Connection, keys: Keys, number: u64) -> Result<()> {
        let digits = match keys {
            // Twelve digits hold more than 2^39 numbers, and an odd factor maps these one to one.
            Keys::Scattered if self.chosen => {
                number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (1 << 39) + (1 << 38)
            }
            _ => number,
        };
        let digits = format!("{digits:012}");
        let mut statement = connection.prepare_cached(&self.sql)?;
        for row in &self.rows {
            let keyed = row.iter().enumerate().map(|(at, value)| match value {
                Value::Text(text) if text.len() >= 12 && text.is_char_boundary(text.len() - 12) => {
                    Value::Text(format!("{}{digits}", text.get(..text.len() - 12).unwrap_or_default()))
                }
                Value::Blob(blob) if blob.len() >= 12 => {
                    let mut blob = blob.clone();
                    let tail = blob.len() - 12;
                    blob.splice(tail.., digits.bytes());
                    Value::Blob(blob)
                }
                Value::Integer(old) if *old > 1_000 || (at == 0 && self.sql.contains("resource (")) => {
                    Value::Integer(old.wrapping_add(i64::try_from(number).unwrap_or_default()))
                }
                other => other.clone(),
            });
            statement.execute(rusqlite::params_from_iter(keyed))?;
        }
        Ok(())
    }
}
