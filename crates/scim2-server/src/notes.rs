//! The deviations of one request that were tolerated, and the parts of it that were ignored.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use scim2_core::Quirk;
use scim2_core::validate::IgnoredReason;

/// The leniencies of one request, collected while it is worked on and logged as one line when it is
/// answered. A clone of a [`Context`](crate::Context) begins with none.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Vec<Note>>);

/// How many notes of a request name a place. Beyond that there is one note for each quirk.
const MAX_NOTES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) what: Noted,
    /// The resource type and the attribute, as far as they are known. Empty if the log level leaves them out.
    place: String,
    /// How often it happened. In a bulk request or a list of members that may be often.
    pub(crate) times: u64,
}

/// What can be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// A deviation of the client, that a stricter mode would refuse.
    Tolerated(Quirk),
    /// Something that was left out without a deviation, and why.
    Ignored(&'static str),
}

impl Notes {
    pub(crate) fn tolerated(&self, quirk: Quirk, resource_type: &str, path: &str) {
        self.note(Noted::Tolerated(quirk), resource_type, path);
    }

    /// Notes an attribute of a body that was left out. For an ambiguous name this is called once for each extension
    /// that has an attribute of that name.
    pub(crate) fn ignored(&self, reason: IgnoredReason, resource_type: &str, path: &str) {
        match reason.quirk() {
            Some(quirk) if reason == IgnoredReason::Ambiguous => {
                self.tolerated(quirk, resource_type, "");
                self.left_out(reason.as_str(), resource_type, path);
            }
            Some(quirk) => self.tolerated(quirk, resource_type, path),
            None => self.left_out(reason.as_str(), resource_type, path),
        }
    }

    /// Notes that something was left out for a reason other than a deviation.
    pub(crate) fn left_out(&self, reason: &'static str, resource_type: &str, path: &str) {
        self.note(Noted::Ignored(reason), resource_type, path);
    }

    fn note(&self, what: Noted, resource_type: &str, path: &str) {
        let place = match tracing::enabled!(tracing::Level::INFO) {
            true if path.is_empty() => resource_type.to_owned(),
            true => format!("{resource_type} {path}"),
            false => String::new(),
        };
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // If there is no room for another place, count it with the first place.
        let is_full = notes.len() >= MAX_NOTES;
        match notes.iter_mut().find(|note| note.what == what && (is_full || note.place == place)) {
            Some(note) => note.times += 1,
            None => notes.push(Note { what, place, times: 1 }),
        }
    }

    /// Takes the notes out.
    pub(crate) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clone for Notes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The notes that are wanted as one text: `string-bool (User active), unknown-attribute (User shoeSize) ×3`.
pub(crate) fn listed<'n>(notes: impl Iterator<Item = &'n Note>) -> Option<String> {
    let mut text = String::new();
    for Note { what, place, times } in notes {
        let separator = if text.is_empty() { "" } else { ", " };
        let name = match what {
            Noted::Tolerated(quirk) => quirk.name(),
            Noted::Ignored(reason) => reason,
        };
        // INVARIANT: writing to a `String` never fails.
        let _ = write!(text, "{separator}{name}");
        if !place.is_empty() {
            let _ = write!(text, " ({})", place.escape_debug());
        }
        if *times > 1 {
            let _ = write!(text, " ×{times}");
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_name_is_reported_as_ambiguous() {
        let notes = Notes::default();
        for path in ["urn:example:A:code", "urn:example:B:code"] {
            notes.ignored(IgnoredReason::Ambiguous, "User", path);
        }
        let all = notes.take();
        let of = |what| all.iter().filter(|note| note.what == what).map(|note| note.times).sum::<u64>();
        assert_eq!(of(Noted::Tolerated(Quirk::UnknownAttribute)), 2);
        assert_eq!(of(Noted::Ignored(IgnoredReason::Ambiguous.as_str())), 2);
    }

    #[test]
    fn notes_beyond_the_limit_are_counted_only() {
        let notes = Notes::default();
        for number in 0..10 * Quirk::ALL.len() {
            notes.tolerated(Quirk::ALL[number % Quirk::ALL.len()], "User", "");
            notes.left_out("readOnly", "User", "");
        }
        let all = notes.take();
        assert_eq!(all.len(), Quirk::ALL.len() + 1);
        assert!(
            all.iter().filter(|note| note.what != Noted::Ignored("readOnly")).all(|note| note.times == 10)
        );
        assert!(notes.take().is_empty());
    }
}
