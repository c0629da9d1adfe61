//! What the disk below the data folder does, and what SQLite does on it without any server.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

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

/// Users a second that a bare loop writes: the statements that `scim2-store` runs for a new user,
/// nothing around them, `batch` users a transaction, for `seconds`.
///
/// The schema is read from a database that the store itself made, so that tables and indexes are
/// the same; the rows are copies of one user's rows with fresh keys.
pub(crate) fn bare_inserts(template: &Path, folder: &Path, batch: u64, seconds: u64) -> Result<f64> {
    let path = folder.join(format!("bare-{batch}.db"));
    let connection = Connection::open(&path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    let rows = Rows::of(template, &connection)?;
    let begun = Instant::now();
    let mut users = 0_u64;
    while begun.elapsed() < Duration::from_secs(seconds) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..batch {
            rows.insert(&connection, users)?;
            users += 1;
        }
        connection.execute_batch("COMMIT")?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is an estimate")]
    let rate = users as f64 / begun.elapsed().as_secs_f64();
    drop(connection);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("bare-{batch}.db{suffix}")));
    }
    Ok(rate)
}

/// One user's rows as the store wrote them.
struct Rows {
    statements: Vec<(String, Vec<Vec<rusqlite::types::Value>>)>,
}

impl Rows {
    /// Copies the schema of `template` into `connection` and takes the rows of its newest user.
    fn of(template: &Path, connection: &Connection) -> Result<Self> {
        let source = Connection::open(template)?;
        let mut statement = source.prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index'",
        )?;
        let texts: Vec<String> =
            statement.query_map([], |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
        for text in texts {
            connection.execute_batch(&text)?;
        }
        let pk: i64 = source.query_row("SELECT max(pk) FROM resource", [], |row| row.get(0))?;
        let mut statements = Vec::new();
        for (table, key) in [("resource", "pk"), ("attribute", "pk"), ("audit", "seq")] {
            let key_value: i64 = if table == "audit" {
                source.query_row("SELECT max(seq) FROM audit", [], |row| row.get(0))?
            } else {
                pk
            };
            let mut select = source.prepare(&format!("SELECT * FROM {table} WHERE {key} = ?1"))?;
            let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
            let rows = select
                .query_map(params![key_value], |row| (0..columns.len()).map(|at| row.get(at)).collect())?
                .collect::<std::result::Result<Vec<Vec<rusqlite::types::Value>>, _>>()?;
            let marks = vec!["?"; columns.len()].join(",");
            statements.push((format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(",")), rows));
        }
        Ok(Self { statements })
    }

    /// Writes them again for another user: integer keys count on, texts and blobs get the number
    /// at their end, so that unique values stay unique and sizes stay what they were.
    fn insert(&self, connection: &Connection, number: u64) -> Result<()> {
        use rusqlite::types::Value;
        let digits = format!("{number:012}");
        for (sql, rows) in &self.statements {
            let mut statement = connection.prepare_cached(sql)?;
            for row in rows {
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
                    Value::Integer(old) if *old > 1_000 || (at == 0 && sql.contains("resource")) => {
                        Value::Integer(old.wrapping_add(i64::try_from(number).unwrap_or_default()))
                    }
                    other => other.clone(),
                });
                statement.execute(rusqlite::params_from_iter(keyed))?;
            }
        }
        Ok(())
    }
}
