//! Lines are read by one thread, understood by some, and stored in their order by one.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use scim2_core::validate::Ignored;
use scim2_store::{PreparedLoad, Preparer};

use super::line::LineReader;
use super::look::Shape;
use super::summary::Summary;
use crate::commands::progress::Progress;
use crate::failure::Failure;
use crate::store::Loading;

/// The longest line, in bytes: a group of a million members with their names.
const LONGEST_LINE: u64 = 256 << 20;

/// About how many bytes of lines are understood at a time.
const CHUNK: usize = 256 << 10;

/// How many chunks may be understood before they are stored, so that there is work for all threads while index
/// rows are being written.
const AHEAD: usize = 24;

/// About how many bytes a refused line takes beside its reason.
const REFUSED: usize = 64;

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
    unknown: Vec<Ignored>,
}

struct Refused {
    line: u64,
    reason: String,
}

/// Loads the lines of a file; whatever stops it, what came before is loaded.
pub(super) fn run(
    (mut input, shape): (Box<dyn BufRead + Send>, Shape),
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
        let reading = scope.spawn(move || read(&mut *input, shape, &chunks));
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

fn read(input: &mut dyn BufRead, shape: Shape, chunks: &SyncSender<Chunk>) -> Result<(), String> {
    let mut first = 1;
    for place in 0.. {
        let mut chunk =
            Chunk { place, first, text: Vec::with_capacity(CHUNK + (CHUNK >> 3)), ends: Vec::new() };
        let mut failed = Ok(());
        while chunk.text.len() < CHUNK {
            let before = chunk.text.len();
            let mut limited = (&mut *input).take(LONGEST_LINE);
            let read = match shape {
                Shape::Lines => limited.read_until(b'\n', &mut chunk.text),
                Shape::Document => limited.read_to_end(&mut chunk.text),
            };
            match read {
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
        // Sending fails if storing failed, which the storing thread reports.
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
            for read in reader.read(raw) {
                let ready = read.and_then(|read| {
                    let load = preparer.prepare(line, read.load).map_err(|error| error.to_string())?;
                    Ok(Ready { line, load, unknown: read.unknown })
                });
                lines.push(ready.map_err(|reason| Refused { line, reason }));
            }
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
    let mut lines = Lines { results, early: BTreeMap::new(), next: 0, current: Vec::new().into_iter() };
    loop {
        let mut transaction = Transaction {
            lines: &mut lines,
            room: loader.transaction(),
            taken: Vec::new(),
            refused: Vec::new(),
            summary: &mut *summary,
            progress: &mut *progress,
        };
        let loaded = loader.load(&mut transaction);
        let Transaction { taken, refused, .. } = transaction;
        let outcomes = loaded.map_err(|error| {
            let first = taken.first().copied().unwrap_or_default();
            Failure::run(format!(
                "stopped: {error}; what came before line {first} is stored, run it again to go on"
            ))
        })?;
        if taken.is_empty() && refused.is_empty() {
            return Ok(());
        }
        // Told in the order of the file.
        let mut refused = refused.into_iter().peekable();
        for (line, outcome) in taken.into_iter().zip(outcomes) {
            while let Some((line, reason)) = refused.next_if(|(before, _)| *before < line) {
                summary.refused(line, &reason, progress);
            }
            summary.outcome(line, &outcome, progress);
        }
        for (line, reason) in refused {
            summary.refused(line, &reason, progress);
        }
    }
}

/// The lines that were understood or not, in their order.
struct Lines {
    results: Receiver<Understood>,
    /// Chunks that overtook others; no more than there are threads.
    early: BTreeMap<u64, Understood>,
    next: u64,
    current: std::vec::IntoIter<Result<Ready, Refused>>,
}

impl Lines {
    fn next(&mut self, progress: &mut Progress) -> Option<Result<Ready, Refused>> {
        loop {
            if let Some(line) = self.current.next() {
                return Some(line);
            }
            let chunk = match self.early.remove(&self.next) {
                Some(chunk) => chunk,
                None => {
                    let chunk = self.results.recv().ok()?;
                    self.early.insert(chunk.place, chunk);
                    continue;
                }
            };
            self.next += 1;
            progress.advance(chunk.bytes, chunk.lines.iter().flatten().count() as u64);
            self.current = chunk.lines.into_iter();
        }
    }
}

/// The loads of one transaction, taken from the lines while they are stored.
struct Transaction<'a> {
    lines: &'a mut Lines,
    /// How many bytes it may still have.
    room: usize,
    /// The numbers of the lines.
    taken: Vec<u64>,
    /// The lines between that were not understood.
    refused: Vec<(u64, String)>,
    summary: &'a mut Summary,
    progress: &'a mut Progress,
}

impl Iterator for Transaction<'_> {
    type Item = PreparedLoad;

    fn next(&mut self) -> Option<PreparedLoad> {
        while self.room > 0 {
            match self.lines.next(self.progress)? {
                Err(Refused { line, reason }) => {
                    self.room = self.room.saturating_sub(REFUSED + reason.len());
                    self.refused.push((line, reason));
                }
                Ok(Ready { line, load, unknown }) => {
                    self.summary.unknown(&unknown);
                    self.room = self.room.saturating_sub(load.size());
                    self.taken.push(line);
                    return Some(load);
                }
            }
        }
        None
    }
}
