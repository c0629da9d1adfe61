//! Buffers members between the database and a slow client.
//!
//! The reader of the database never waits for the client. Members that the client has not taken yet go to an
//! anonymous file. So a snapshot, thread or connection is held only as long as reading takes, and the memory is
//! bounded.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use scim2_core::ResourceId;
use scim2_server::StoreError;
use scim2_server::in_flight::HeldBytes;
use scim2_server::store::Member;

use crate::error::file_error;

/// The members of a group that has more are streamed to the client, and read apart from the group.
pub(crate) const MAX_INLINE_MEMBERS: usize = 1000;

/// The size of a piece, in bytes: some five hundred members.
const PIECE: usize = 32 << 10;

/// How many bytes of one answer wait in memory.
const HELD: usize = 1 << 20;

/// About how many bytes a buffered member takes: its id, the name of its type, sometimes a display name.
const MEMBER: u64 = 64;

/// A queue of members that overflows to a file in this folder. `held` counts its bytes.
pub(crate) fn spool(folder: PathBuf, held: HeldBytes) -> (Inlet, Outlet) {
    let state = Arc::new(Mutex::new(State {
        pieces: VecDeque::new(),
        size: 0,
        file: None,
        pushed: 0,
        expected: 0,
        held,
        end: None,
        wanted: true,
        waker: None,
    }));
    let piece = Vec::with_capacity(PIECE + 1024);
    (Inlet { state: Arc::clone(&state), folder, piece }, Outlet { state })
}

#[derive(Debug)]
struct State {
    /// The oldest pieces. Those in the file follow.
    pieces: VecDeque<Vec<u8>>,
    size: usize,
    file: Option<Overflow>,
    /// How many bytes were pushed.
    pushed: u64,
    /// How many bytes were counted before the first member was pushed.
    expected: u64,
    /// Counts the bytes of waiting and expected members.
    held: HeldBytes,
    /// The result of reading, once it has ended.
    end: Option<Result<(), StoreError>>,
    /// Whether the receiver still exists.
    wanted: bool,
    waker: Option<Waker>,
}

/// A file of pieces. The length of each piece is written before it.
#[derive(Debug)]
struct Overflow {
    file: File,
    read: u64,
    written: u64,
}

/// The sending end.
#[derive(Debug)]
pub(crate) struct Inlet {
    state: Arc<Mutex<State>>,
    folder: PathBuf,
    piece: Vec<u8>,
}

/// The receiving end.
#[derive(Debug)]
pub(crate) struct Outlet {
    state: Arc<Mutex<State>>,
}

impl Inlet {
    /// Announces the number of members, and counts their bytes before the first one is pushed.
    ///
    /// # Errors
    /// If the answer would exceed its byte limit.
    pub(crate) fn expect(&mut self, members: u64) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        state.held.grow(members.saturating_mul(MEMBER))?;
        state.expected = state.held.bytes();
        Ok(())
    }

    /// Pushes a member. `false` if the receiver was dropped.
    pub(crate) fn push(
        &mut self,
        id: &str,
        resource_type: &str,
        display: Option<&str>,
    ) -> Result<bool, StoreError> {
        write_text(&mut self.piece, Some(id));
        write_text(&mut self.piece, Some(resource_type));
        write_text(&mut self.piece, display);
        if self.piece.len() < PIECE { Ok(true) } else { self.flush() }
    }

    /// Sets how reading ended. If this is not called, the receiver gets an error.
    pub(crate) fn finish(mut self, end: Result<(), StoreError>) {
        let end = end.and_then(|()| self.flush().map(|_| ()));
        lock(&self.state).end.get_or_insert(end);
    }

    fn flush(&mut self) -> Result<bool, StoreError> {
        let mut state = lock(&self.state);
        if !state.wanted {
            return Ok(false);
        }
        if self.piece.is_empty() {
            return Ok(true);
        }
        state.count_pushed(self.piece.len());
        let behind = state.file.as_ref().is_some_and(|file| file.read < file.written);
        if !behind && state.size + self.piece.len() <= HELD {
            let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE + 1024));
            state.size += piece.len();
            state.pieces.push_back(piece);
        } else {
            let file = match &mut state.file {
                Some(file) => file,
                none => {
                    let file = tempfile::tempfile_in(&self.folder).map_err(file_error)?;
                    none.insert(Overflow { file, read: 0, written: 0 })
                }
            };
            file.push(&self.piece).map_err(file_error)?;
            self.piece.clear();
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        Ok(true)
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.end.get_or_insert_with(|| Err(StoreError::internal("reading members ended before its end")));
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Outlet {
    /// The next members, in order.
    pub(crate) fn poll(
        &mut self,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Vec<Member>, StoreError>>> {
        let mut state = lock(&self.state);
        let piece = match state.next() {
            Ok(piece) => piece,
            Err(error) => return Poll::Ready(Some(Err(StoreError::internal(error)))),
        };
        if let Some(piece) = piece {
            state.held.shrink(piece.len() as u64);
            drop(state);
            return Poll::Ready(Some(members(&piece)));
        }
        match &mut state.end {
            None => {
                state.waker = Some(task.waker().clone());
                Poll::Pending
            }
            Some(end) => Poll::Ready(std::mem::replace(end, Ok(())).err().map(Err)),
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.wanted = false;
        state.pieces.clear();
        state.file = None;
        let held = state.held.bytes();
        state.held.shrink(held);
    }
}

impl State {
    /// Counts bytes beyond the announced ones, without refusing them: the answer has begun.
    fn count_pushed(&mut self, bytes: usize) {
        let before = self.pushed;
        self.pushed = before.saturating_add(bytes as u64);
        let beyond = |pushed: u64| pushed.saturating_sub(self.expected);
        self.held.grow_anyway(beyond(self.pushed) - beyond(before));
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(piece) = self.pieces.pop_front() {
            self.size -= piece.len();
            return Ok(Some(piece));
        }
        self.file.as_mut().map_or(Ok(None), Overflow::next)
    }
}

impl Overflow {
    fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(piece)?;
        self.written += 4 + u64::from(length);
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.read == self.written {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.file.seek(SeekFrom::Start(self.read))?;
        self.file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        let mut piece = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact(&mut piece)?;
        self.read += 4 + u64::from(length);
        if self.read == self.written {
            // Everything in the file was read, so start from its beginning.
            (self.read, self.written) = (0, 0);
        }
        Ok(Some(piece))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text with its length plus one before it; 0 for no text.
fn write_text(out: &mut Vec<u8>, text: Option<&str>) {
    // INVARIANT: no attribute has four gigabytes.
    let length = text.map_or(0, |text| u32::try_from(text.len()).unwrap_or_default() + 1);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
}

fn read_text<'p>(piece: &mut &'p [u8]) -> Option<Option<&'p str>> {
    let (length, rest) = piece.split_first_chunk()?;
    let Some(length) = u32::from_le_bytes(*length).checked_sub(1) else {
        *piece = rest;
        return Some(None);
    };
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *piece = rest;
    std::str::from_utf8(text).ok().map(Some)
}

fn members(mut piece: &[u8]) -> Result<Vec<Member>, StoreError> {
    let mut members = Vec::with_capacity(piece.len() / 64);
    while !piece.is_empty() {
        let mut text = || read_text(&mut piece);
        let (Some(Some(id)), Some(Some(resource_type)), Some(display)) = (text(), text(), text()) else {
            return Err(StoreError::internal("members were not read as they were written"));
        };
        let value = ResourceId::parse(id).map_err(StoreError::internal)?;
        members.push(Member { value, resource_type: resource_type.into(), display: display.map(Into::into) });
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use scim2_server::in_flight::ByteBudget;
    use scim2_server::store::MemberStream;
    use scim2_server::{Context, TenantId};

    use super::*;

    fn open() -> (tempfile::TempDir, Inlet, MemberStream) {
        let folder = tempfile::tempdir().expect("a folder");
        let (inlet, mut outlet) = spool(folder.path().to_owned(), held());
        (folder, inlet, MemberStream::new(move |task| outlet.poll(task)))
    }

    fn held() -> HeldBytes {
        context(&ByteBudget::unlimited()).hold_bytes_anyway(0)
    }

    fn context(bytes: &ByteBudget) -> Context {
        Context {
            bytes: bytes.clone(),
            ..Context::new(
                Arc::new(scim2_core::Registry::standard()),
                TenantId::default(),
                "test",
                chrono::DateTime::default(),
            )
        }
    }

    #[test]
    fn members_are_counted_from_before_they_are_read_until_they_are_taken() {
        let bytes = ByteBudget::new(1 << 20, 1 << 20);
        let folder = tempfile::tempdir().expect("a folder");
        let spool = || spool(folder.path().to_owned(), context(&bytes).hold_bytes_anyway(0));
        let (mut inlet, mut outlet) = spool();
        inlet.expect(5_000).expect("there is room");
        assert_eq!(bytes.used(), 5_000 * MEMBER);
        let (mut other, _) = spool();
        let error = other.expect(100_000).expect_err("no room");
        assert_eq!(*error.kind(), scim2_server::StoreErrorKind::Throttled);
        assert!(push(&mut inlet, 0..5_000));
        assert_eq!(bytes.used(), 5_000 * MEMBER, "no more than was expected");
        // Members beyond the announced number are counted too.
        assert!(push(&mut inlet, 5_000..50_000));
        let pushed = lock(&inlet.state).pushed;
        assert!(pushed > 5_000 * MEMBER && bytes.used() == pushed, "{pushed}");
        let mut pieces = MemberStream::new(move |task| outlet.poll(task));
        take(&mut pieces);
        assert!(bytes.used() < pushed);
        drop(pieces);
        assert_eq!(bytes.used(), 0);
    }

    fn push(inlet: &mut Inlet, mut numbers: std::ops::Range<usize>) -> bool {
        numbers.all(|number| {
            inlet.push(&format!("id{number}"), "User", display(number).as_deref()).expect("takes it")
        })
    }

    fn display(number: usize) -> Option<String> {
        Some("é".repeat(number % 3)).filter(|display| !display.is_empty())
    }

    fn take(pieces: &mut MemberStream) -> Option<Vec<Member>> {
        pieces.next().now_or_never().expect("does not wait").map(|piece| piece.expect("no error"))
    }

    #[test]
    fn members_come_out_in_order_whether_the_reader_is_behind_or_not() {
        let (folder, mut inlet, mut pieces) = open();
        let mut seen = Vec::new();
        assert!(push(&mut inlet, 0..100_000), "far more than is held");
        while seen.len() < 50_000 {
            seen.extend(take(&mut pieces).expect("more"));
        }
        assert!(push(&mut inlet, 100_000..150_000));
        while let Some(piece) = pieces.next().now_or_never().flatten() {
            seen.extend(piece.expect("no error"));
        }
        assert!(push(&mut inlet, 150_000..200_000));
        inlet.finish(Ok(()));
        while let Some(piece) = take(&mut pieces) {
            seen.extend(piece);
        }
        assert_eq!(seen.len(), 200_000);
        for (number, member) in seen.iter().enumerate() {
            assert_eq!(member.value.as_str(), format!("id{number}"));
            assert_eq!(&*member.resource_type, "User");
            assert_eq!(member.display.as_deref(), display(number).as_deref());
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "the file has no name");
    }

    #[test]
    fn what_is_held_in_memory_is_bounded() {
        let (_folder, mut inlet, pieces) = open();
        assert!(push(&mut inlet, 0..200_000));
        let state = lock(&inlet.state);
        assert!(state.size <= HELD);
        assert_eq!(state.pieces.iter().map(Vec::len).sum::<usize>(), state.size);
        assert!(state.file.as_ref().is_some_and(|file| file.written > 0));
        drop(state);
        drop(pieces);
        assert!(!push(&mut inlet, 0..2000), "nobody wants them");
        assert!(lock(&inlet.state).file.is_none());
    }

    #[test]
    fn an_end_before_the_end_is_an_error() {
        let (_folder, inlet, mut pieces) = open();
        assert!(pieces.next().now_or_never().is_none(), "waits");
        drop(inlet);
        let end = pieces.next().now_or_never().expect("does not wait");
        assert!(end.is_some_and(|end| end.is_err()));
        let (_folder, inlet, mut pieces) = open();
        inlet.finish(Err(StoreError::unavailable("the query was canceled")));
        let end = pieces.next().now_or_never().expect("does not wait");
        assert!(end.is_some_and(|end| end.is_err()));
        assert!(take(&mut pieces).is_none());
    }
}
