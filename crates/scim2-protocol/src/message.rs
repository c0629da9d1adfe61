//! Reads a message: its schema, then each member, then a check for unknown members.

use scim2_core::compiled::MessageSchemas;
use scim2_core::validate::log_path;
use scim2_core::{Compat, Number, Object, Quirk, Value};

use crate::message_error::{MessageError, MessageErrorKind, shorten};

/// Receives each quirk that reading a message needed, and the member that needed it.
pub(crate) type Note<'n> = &'n mut dyn FnMut(Quirk, &str);

/// An object that is being read as a message or as a part of one.
pub(crate) struct Members {
    /// The name of the object in error lines: `a SearchRequest`.
    what: &'static str,
    members: Object,
}

impl Members {
    /// Starts reading a message, which has its URI in `schemas`.
    pub(crate) fn of_message(
        what: &'static str,
        urn: &str,
        mut members: Object,
        compat: &Compat,
        note: Note<'_>,
    ) -> Result<Self, MessageError> {
        let found = match MessageSchemas::of(members.get("schemas"), urn) {
            MessageSchemas::Exact => None,
            MessageSchemas::Needs(quirk) if compat.allows(quirk) => {
                note(quirk, "schemas");
                None
            }
            MessageSchemas::Needs(Quirk::PatchNoSchemas) => Some("no `schemas`"),
            MessageSchemas::Needs(_) | MessageSchemas::Other => Some("another message"),
        };
        if let Some(found) = found {
            let line = format!("expected `{urn}` in `schemas` of {what}, found {found}");
            return Err(MessageError::new(MessageErrorKind::Schemas, line));
        }
        members.remove("schemas");
        Ok(Self { what, members })
    }

    /// Starts reading a part of a message.
    pub(crate) fn of_part(what: &'static str, value: Value) -> Result<Self, MessageError> {
        match value {
            Value::Object(members) => Ok(Self { what, members }),
            other => {
                let line = format!("expected {what} as an object, found {}", other.kind());
                Err(MessageError::new(MessageErrorKind::WrongType, line))
            }
        }
    }

    /// A member of any type. `null` counts as absent.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.members.remove(name).filter(|value| !matches!(value, Value::Null))
    }

    pub(crate) fn take_string(&mut self, name: &'static str) -> Result<Option<String>, MessageError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(name, "a string", &other)),
        }
    }

    pub(crate) fn take_array(&mut self, name: &'static str) -> Result<Option<Vec<Value>>, MessageError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(other) => Err(self.wrong_type(name, "an array", &other)),
        }
    }

    /// An integer of any sign. A number beyond 64 bits is clamped to their range.
    pub(crate) fn take_integer(&mut self, name: &'static str) -> Result<Option<i64>, MessageError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.as_number() {
            // A clamped number is still above or below every limit.
            Some(number) if number.is_integer() => {
                let beyond = if *number < Number::from(0_i64) { i64::MIN } else { i64::MAX };
                Ok(Some(number.as_i64().unwrap_or(beyond)))
            }
            Some(_) => Err(MessageError::invalid_value(name, "an integer", &value.to_string())),
            None => {
                let line =
                    format!("expected an integer in `{name}` of {}, found {}", self.what, value.kind());
                Err(MessageError::new(MessageErrorKind::InvalidValue, line))
            }
        }
    }

    pub(crate) fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T, MessageError> {
        value.ok_or_else(|| {
            let line = format!("expected `{name}` in {}, found none", self.what);
            MessageError::new(MessageErrorKind::MissingMember, line)
        })
    }

    /// Ends the reading. The remaining members are unknown.
    pub(crate) fn finish(self, compat: &Compat, note: Note<'_>) -> Result<(), MessageError> {
        for (name, _) in self.members.iter() {
            let logged = log_path(name);
            if !compat.allows(Quirk::UnknownKeys) {
                let line = |name: &str| format!("expected a member of {}, found `{name}`", self.what);
                let error = MessageError::new(MessageErrorKind::UnknownMember, line(&shorten(name)));
                return Err(error.with_log_line(line(&logged)));
            }
            note(Quirk::UnknownKeys, &logged);
        }
        Ok(())
    }

    fn wrong_type(&self, name: &str, expected: &str, found: &Value) -> MessageError {
        let line = format!("expected {expected} in `{name}` of {}, found {}", self.what, found.kind());
        MessageError::new(MessageErrorKind::WrongType, line)
    }
}
