//! The log of refused requests: one line each, or one line for many.

mod shares;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use scim2_protocol::ErrorResponse;

use self::shares::Shares;

/// How long lines are counted together.
const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// How many equal lines are written in a window.
const MAX_SAME_LINES: u64 = 10;

/// How many different lines are counted separately.
const MAX_KINDS: usize = 128;

/// The longest path, name or detail in a log line, in characters: longer than any of ours.
const MAX_FIELD_CHARS: usize = 256;

/// A request, or an operation of a Bulk, that was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused<'r> {
    pub(crate) request_id: &'r str,
    /// `None` if the bytes that came were not a valid request.
    pub(crate) method: Option<&'r str>,
    /// The path without the query, which may hold names and addresses of people.
    pub(crate) path: Option<&'r str>,
    /// The number of the operation in a Bulk, from 1.
    pub(crate) operation: Option<usize>,
    /// The name of the credential, as far as it is known.
    pub(crate) credential: Option<&'r str>,
    /// Why the credential was not accepted, as a code.
    pub(crate) reason: Option<&'static str>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) error: &'r ErrorResponse,
}

/// Writes a line for each refusal. Ten lines that differ only in the path are written in a minute. Each
/// credential or address causes at most as many lines as its [share](Shares) allows. The others are counted,
/// and the counts are logged at the end of the minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kinds: Vec<Kind>,
    window: Option<DateTime<Utc>>,
    shares: Shares,
}

/// Refusals whose lines are equal except for the path.
#[derive(Debug)]
struct Kind {
    key: u64,
    begun: DateTime<Utc>,
    seen: u64,
    status: u16,
    detail: Box<str>,
    credential: Option<Box<str>>,
    address: Option<IpAddr>,
}

/// The fields of a log line. Each has a limited length, whatever the client sent.
#[derive(Debug, Clone, Copy)]
struct Line<'r> {
    request_id: &'r str,
    method: Option<&'static str>,
    path: Option<&'r str>,
    operation: Option<usize>,
    status: u16,
    scim_type: Option<&'r str>,
    detail: Option<&'r str>,
    credential: Option<&'r str>,
    reason: Option<&'static str>,
    address: Option<IpAddr>,
}

impl<'r> Line<'r> {
    fn of(refused: &Refused<'r>) -> Self {
        let Refused { request_id, method, path, operation, credential, reason, address, error } = *refused;
        Self {
            request_id: cut(request_id),
            method: method.map(method_name),
            path: path.map(path_of_line),
            operation,
            status: error.status.as_u16(),
            scim_type: error.scim_type.as_ref().map(|keyword| cut(keyword.as_str())),
            detail: error.log_line.as_deref().map(cut),
            credential: credential.map(cut),
            reason,
            address,
        }
    }

    /// A hash of the line without its path: equal for lines of one kind.
    fn key(&self) -> u64 {
        let Self {
            request_id: _,
            method,
            path: _,
            operation: _,
            status,
            scim_type,
            detail,
            credential,
            reason,
            address,
        } = self;
        let mut hasher = DefaultHasher::new();
        (method, status, scim_type, detail).hash(&mut hasher);
        (credential, reason, address).hash(&mut hasher);
        hasher.finish()
    }
}

impl Refusals {
    pub(crate) fn log(&self, refused: &Refused<'_>, now: DateTime<Utc>) {
        if !tracing::enabled!(tracing::Level::WARN) {
            return;
        }
        let line = Line::of(refused);
        let is_written = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.finish(now);
            state.admits(&line, now)
        };
        if is_written {
            tracing::warn!(
                request = line.request_id,
                method = line.method,
                path = line.path,
                operation = line.operation,
                status = line.status,
                scim_type = line.scim_type,
                detail = line.detail,
                credential = line.credential,
                reason = line.reason,
                address = line.address.map(tracing::field::display),
                "refused"
            );
        }
    }

    /// Logs how many lines were left out in the minutes that are over.
    pub(crate) fn flush(&self, now: DateTime<Utc>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).finish(now);
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.kinds.iter().for_each(Kind::say);
        state.shares.say();
    }
}

impl State {
    /// Ends the windows that are over. They also end if the clock goes back.
    fn finish(&mut self, now: DateTime<Utc>) {
        self.kinds.retain(|kind| {
            let goes_on = (now - kind.begun).abs() < WINDOW;
            if !goes_on {
                kind.say();
            }
            goes_on
        });
        if self.window.is_none_or(|begun| (now - begun).abs() >= WINDOW) {
            self.shares.say();
            (self.window, self.shares) = (Some(now), Shares::default());
        }
    }

    /// Says whether a line is written. Otherwise the line is counted once, with its kind or with its source.
    fn admits(&mut self, line: &Line<'_>, now: DateTime<Utc>) -> bool {
        let key = line.key();
        let kind = match self.kinds.iter_mut().position(|kind| kind.key == key) {
            Some(at) => self.kinds.get_mut(at),
            None if self.kinds.len() < MAX_KINDS => {
                self.kinds.push(Kind::new(key, line, now));
                self.kinds.last_mut()
            }
            None => None,
        };
        let is_new = kind.is_none_or(|kind| {
            kind.seen += 1;
            kind.seen <= MAX_SAME_LINES
        });
        is_new && self.shares.admits(line)
    }
}

impl Kind {
    fn new(key: u64, line: &Line<'_>, now: DateTime<Utc>) -> Self {
        Self {
            key,
            begun: now,
            seen: 0,
            status: line.status,
            detail: line.detail.or(line.reason).unwrap_or_default().into(),
            credential: line.credential.map(Box::from),
            address: line.address,
        }
    }

    fn say(&self) {
        if self.seen > MAX_SAME_LINES {
            let requests = self.seen - MAX_SAME_LINES;
            tracing::warn!(
                requests,
                status = self.status,
                detail = &*self.detail,
                credential = self.credential.as_deref(),
                address = self.address.map(tracing::field::display),
                "more were refused like these"
            );
        }
    }
}

/// The name of a method in a log line. A client may send a method of any length, so only standard ones are named.
pub(crate) fn method_name(method: &str) -> &'static str {
    /// [RFC 9110 §9.3](https://www.rfc-editor.org/rfc/rfc9110#section-9.3) and RFC 5789.
    const STANDARD: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    STANDARD.into_iter().find(|name| *name == method).unwrap_or("other")
}

/// A path in a log line: without its query, and cut.
pub(crate) fn path_of_line(path: &str) -> &str {
    cut(path.split('?').next().unwrap_or_default())
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_FIELD_CHARS).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
