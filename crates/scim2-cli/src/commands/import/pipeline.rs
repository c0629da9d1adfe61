//! Lines are read by one thread, understood by some, and stored in their order by one.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use scim2_store::{PreparedLoad, Preparer};

use super::line::LineReader;
use super::summary::Summary;
use crate::commands::progress::Progress;
use crate::failure::Failure;
use crate::store::Loading;

/// The longest line, in bytes: a group of a million members with their names.
const LONGEST_LINE: u64 = 256 << 20;

/// About how many bytes of lines are understood at a time.
const CHUNK: usize = 256 << 10;

/// About how many bytes of memory one transaction may take.
const TRANSACTION: usize = 24 << 20;

/// How many chunks may be understood before they are stored: those of a transaction, so that they are ready
/// when the one before it is done.
const AHEAD: usize = 32;

/// Some lines.
struct Chunk {
    /// The place of the chunk among the others.
    place: u64,
    /// The number of its first line.
    first: u64,
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

/// Some lines that were understood or not.
struct Understood {
    place: u64,
    /// How many bytes the lines had.
    bytes: u64,
    lines: Vec<Result<Ready, Refused>>,
}

struct Ready {
    line: u64,
    load: PreparedLoad,
    unknown: Vec<String>,
}

struct Refused {
    line: u64,
    reason: String,
}

/// Loads the lines of a file; whatever stops it, what came before is loaded.
pub(super) fn run(
    mut input: Box<dyn BufRead + Send>,
    reader: &LineReader,
    threads: usize,
    loader: &mut Loading,
    summary: &mut Summary,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let preparer = loader.preparer();
    let threads = threads.max(1);
    let (chunks, work) = sync_channel(threads);
    let work = Arc::new(Mutex::new(work));
    let (done, results) = sync_channel(AHEAD.max(threads));
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || read(&mut *input, &chunks));
        for _ in 0..threads {
            let (work, done, preparer) = (Arc::clone(&work), done.clone(), preparer.clone());
            scope.spawn(move || understand(&work, &done, reader, &preparer));
        }
        // When storing fails its receiver is gone, then the threads that send to it, then the receiver that
        // they share, and then the thread that reads.
        drop((work, done));
        let stored = store(results, loader, summary, progress);
        let read = reading.join().unwrap_or_else(|_| Err("reading panicked".to_owned()));
        stored.and(read.map_err(Failure::run))
    })
}

fn read(input: &mut dyn BufRead, chunks: &SyncSender<Chunk>) -> Result<(), String> {
    let mut first = 1;
    for place in 0.. {
        let mut chunk =
            Chunk { place, first, text: Vec::with_capacity(CHUNK + (CHUNK >> 3)), ends: Vec::new() };
        let mut failed = Ok(());
        while chunk.text.len() < CHUNK {
            let before = chunk.text.len();
            match input.take(LONGEST_LINE).read_until(b'\n', &mut chunk.text) {
                Ok(0) => break,
                Ok(length) if length as u64 == LONGEST_LINE && !chunk.text.ends_with(b"\n") => {
                    chunk.text.truncate(before);
                    failed = Err(format!(
                        "line {first}: a line has at most {LONGEST_LINE} bytes; give a large group's members \
                         on several lines"
                    ));
                    break;
                }
                Ok(_) => {
                    chunk.ends.push(chunk.text.len());
                    first += 1;
                }
                Err(error) => {
                    failed = Err(format!("line {first}: the file cannot be read: {error}"));
                    break;
                }
            }
        }
        let last = chunk.ends.is_empty();
        // Nobody takes it if storing failed, which is told there.
        if last || chunks.send(chunk).is_err() || failed.is_err() {
            return failed;
        }
    }
    Ok(())
}

fn understand(
    work: &Mutex<Receiver<Chunk>>,
    done: &SyncSender<Understood>,
    reader: &LineReader,
    preparer: &Preparer,
) {
    loop {
        let chunk = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Chunk { place, first, text, ends }) = chunk else { return };
        let mut begin = 0;
        let mut lines = Vec::with_capacity(ends.len());
        for (line, end) in (first..).zip(ends) {
            let raw = text.get(begin..end).unwrap_or_default();
            begin = end;
            let raw = if line == 1 { raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw) } else { raw };
            let raw = raw.trim_ascii();
            if raw.is_empty() {
                continue;
            }
            let ready = reader.read(raw).and_then(|read| {
                let load = preparer.prepare(line, read.load).map_err(|error| error.to_string())?;
                Ok(Ready { line, load, unknown: read.unknown })
            });
            lines.push(ready.map_err(|reason| Refused { line, reason }));
        }
        if done.send(Understood { place, bytes: text.len() as u64, lines }).is_err() {
            return;
        }
    }
}

fn store(
    results: Receiver<Understood>,
    loader: &mut Loading,
    summary: &mut Summary,
    progress: &mut Progress,
) -> Result<(), Failure> {
    // Chunks that overtook others; no more than there are threads.
    let mut early: BTreeMap<u64, Understood> = BTreeMap::new();
    let mut next = 0;
    let mut batch = Batch::default();
    for understood in results {
        early.insert(understood.place, understood);
        while let Some(Understood { place: _, bytes, lines }) = early.remove(&next) {
            next += 1;
            batch.bytes += bytes;
            for line in lines {
                match line {
                    Err(Refused { line, reason }) => batch.refused.push((line, reason)),
                    Ok(Ready { line, load, unknown }) => {
                        summary.unknown(&unknown);
                        batch.size += load.size();
                        batch.lines.push(line);
                        batch.loads.push(load);
                    }
                }
            }
            if batch.size >= TRANSACTION {
                batch.store(loader, summary, progress)?;
            }
        }
    }
    batch.store(loader, summary, progress)
}

/// What is stored in one transaction.
#[derive(Default)]
struct Batch {
    lines: Vec<u64>,
    loads: Vec<PreparedLoad>,
    size: usize,
    /// How much of the file it is.
    bytes: u64,
    /// The lines between that were not understood.
    refused: Vec<(u64, String)>,
}

impl Batch {
    fn store(
        &mut self,
        loader: &mut Loading,
        summary: &mut Summary,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let Self { lines, loads, size: _, bytes, refused } = std::mem::take(self);
        let count = loads.len() as u64;
        let outcomes = loader.load(loads).map_err(|error| {
            let first = lines.first().copied().unwrap_or_default();
            Failure::run(format!(
                "stopped at line {first}: {error}; what came before is stored, run it again to go on"
            ))
        })?;
        // Told in the order of the file.
        let mut refused = refused.into_iter().peekable();
        for (line, outcome) in lines.into_iter().zip(outcomes) {
            while let Some((line, reason)) = refused.next_if(|(before, _)| *before < line) {
                summary.refused(line, &reason, progress);
            }
            summary.outcome(line, &outcome, progress);
        }
        for (line, reason) in refused {
            summary.refused(line, &reason, progress);
        }
        progress.advance(bytes, count);
        Ok(())
    }
}
