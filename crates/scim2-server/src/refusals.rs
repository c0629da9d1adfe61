//! The log of refused requests: one line each, or one line for many equal ones.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use scim2_protocol::ErrorResponse;

/// For how long lines are counted together.
const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// How many equal lines are written in a window.
const MAX_SAME_LINES: u64 = 10;

/// How many lines are written in a window in total.
const MAX_LINES: u64 = 300;

/// How many different lines are told apart.
const MAX_KINDS: usize = 128;

/// A request, or an operation of a Bulk, that was refused.
#[derive(Debug)]
pub(crate) struct Refused<'r> {
    pub(crate) request_id: &'r str,
    /// None where nothing that came can be trusted to be a request.
    pub(crate) method: Option<&'r str>,
    /// Without the query, which holds names and addresses of people.
    pub(crate) path: Option<&'r str>,
    /// The number of the operation in a Bulk, from 1.
    pub(crate) operation: Option<usize>,
    /// The name of the credential, as far as it is known.
    pub(crate) credential: Option<&'r str>,
    /// Why there is no credential, as a code.
    pub(crate) reason: Option<&'static str>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) error: &'r ErrorResponse,
}

/// Writes a line for each refusal. Of lines that differ in the path only, ten are written in a minute. The others are
/// counted, and the count is logged at the end of the minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kinds: Vec<Kind>,
    window: Option<DateTime<Utc>>,
    written: u64,
    /// Lines beyond [`MAX_LINES`], which are only counted.
    folded: u64,
}

/// Refusals whose lines are equal except for the path.
#[derive(Debug)]
struct Kind {
    key: u64,
    begun: DateTime<Utc>,
    seen: u64,
    status: u16,
    line: Box<str>,
}

impl Refusals {
    pub(crate) fn log(&self, refused: &Refused<'_>, now: DateTime<Utc>) {
        if !tracing::enabled!(tracing::Level::WARN) {
            return;
        }
        let Refused { request_id, method, path, operation, credential, reason, address, error } = *refused;
        let is_written = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.finish(now);
            state.admits(refused, now)
        };
        if is_written {
            tracing::warn!(
                request = request_id,
                method,
                path = path.map(shorten),
                operation,
                status = error.status.as_u16(),
                scim_type = error.scim_type.as_ref().map(|keyword| keyword.as_str()),
                detail = error.log_line.as_deref(),
                credential,
                reason,
                address = address.map(tracing::field::display),
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
        state.say();
    }
}

impl State {
    /// Ends the windows that are over. A clock that goes back ends them too.
    fn finish(&mut self, now: DateTime<Utc>) {
        self.kinds.retain(|kind| {
            let goes_on = (now - kind.begun).abs() < WINDOW;
            if !goes_on {
                kind.say();
            }
            goes_on
        });
        if self.window.is_none_or(|begun| (now - begun).abs() >= WINDOW) {
            self.say();
            (self.window, self.written, self.folded) = (Some(now), 0, 0);
        }
    }

    fn admits(&mut self, refused: &Refused<'_>, now: DateTime<Utc>) -> bool {
        let key = key(refused);
        let kind = match self.kinds.iter_mut().position(|kind| kind.key == key) {
            Some(at) => self.kinds.get_mut(at),
            None if self.kinds.len() < MAX_KINDS => {
                let line = refused.error.log_line.as_deref().or(refused.reason).unwrap_or_default().into();
                let status = refused.error.status.as_u16();
                self.kinds.push(Kind { key, begun: now, seen: 0, status, line });
                self.kinds.last_mut()
            }
            None => None,
        };
        let is_new = kind.is_none_or(|kind| {
            kind.seen += 1;
            kind.seen <= MAX_SAME_LINES
        });
        if is_new && self.written >= MAX_LINES {
            self.folded += 1;
            return false;
        }
        self.written += u64::from(is_new);
        is_new
    }

    fn say(&self) {
        if self.folded > 0 {
            tracing::warn!(requests = self.folded, "more were refused than are logged one by one");
        }
    }
}

impl Kind {
    fn say(&self) {
        if self.seen > MAX_SAME_LINES {
            let requests = self.seen - MAX_SAME_LINES;
            tracing::warn!(
                requests,
                status = self.status,
                detail = &*self.line,
                "more were refused like these"
            );
        }
    }
}

/// A hash of the line without its path: equal for lines of one kind.
fn key(refused: &Refused<'_>) -> u64 {
    let Refused { request_id: _, method, path: _, operation: _, credential, reason, address, error } =
        refused;
    let mut hasher = DefaultHasher::new();
    let scim_type = error.scim_type.as_ref().map(|keyword| keyword.as_str());
    (method, credential, reason, address).hash(&mut hasher);
    (error.status.as_u16(), scim_type, error.log_line.as_deref()).hash(&mut hasher);
    hasher.finish()
}

/// A path in a log line.
fn shorten(path: &str) -> &str {
    /// The longest path in a log line, in characters: longer than any of ours.
    const MAX_PATH: usize = 256;
    let path = path.split('?').next().unwrap_or_default();
    let end = path.char_indices().nth(MAX_PATH).map_or(path.len(), |(end, _)| end);
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<'r>(error: &'r ErrorResponse, path: &'r str) -> Refused<'r> {
        Refused {
            request_id: "1",
            method: Some("GET"),
            path: Some(path),
            operation: None,
            credential: Some("okta"),
            reason: None,
            address: None,
            error,
        }
    }

    #[test]
    fn same_lines_are_folded_and_others_are_not() {
        let mut state = State::default();
        let now = DateTime::UNIX_EPOCH;
        let (gone, other) = (ErrorResponse::not_found("there is none"), ErrorResponse::forbidden("no"));
        let mut written = |error: &ErrorResponse, seconds: i64| {
            let now = now + TimeDelta::seconds(seconds);
            state.finish(now);
            (0..100).filter(|_| state.admits(&refused(error, "/Users/1"), now)).count()
        };
        assert_eq!(written(&gone, 0), 10);
        assert_eq!(written(&gone, 59), 0);
        assert_eq!(written(&other, 59), 10);
        assert_eq!(written(&gone, 60), 10);
    }

    #[test]
    fn different_lines_are_bounded_too() {
        let mut state = State::default();
        let now = DateTime::UNIX_EPOCH;
        state.finish(now);
        let written = (0..10_000)
            .filter(|number| {
                let error =
                    ErrorResponse::not_found(scim2_protocol::Detail::of_names(format!("no {number}")));
                state.admits(&refused(&error, "/"), now)
            })
            .count();
        assert_eq!((written as u64, state.kinds.len()), (MAX_LINES, MAX_KINDS));
        assert_eq!(state.folded, 10_000 - MAX_LINES);
    }
}
