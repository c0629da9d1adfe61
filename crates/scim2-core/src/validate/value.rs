//! The value of one attribute: types, leniencies and forms. Bodies and PATCH both use it.

use super::format;
use super::primary;
use super::report::IgnoredReason;
use super::required;
use super::{Report, ValidationError, ValidationErrorKind as Kind};
use crate::compat::{Compat, Quirk};
use crate::compiled::{AttributeDef, AttributeId, CompiledType};
use crate::json::{JsonErrorKind, JsonReader};
use crate::schema::{AttributeType, Mutability};
use crate::value::{Object, Value};

impl CompiledType {
    /// Canonicalizes a value of an attribute, for PATCH.
    ///
    /// For a multi-valued attribute the value is a list, or one element, which becomes a list of one. `None`
    /// means unassigned: `null`, `[]`, or nothing that could be kept. Names get the spelling of the schema,
    /// readOnly and unknown sub-attributes are left out, and the first of two primary values stays primary;
    /// `report` records it. The caller decides whether the attribute may be written or unassigned.
    ///
    /// # Errors
    /// See [`ValidationErrorKind`](super::ValidationErrorKind).
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn canonical_value(
        &self,
        id: AttributeId,
        value: Value,
        compat: &Compat,
        report: &mut Report,
    ) -> Result<Option<Value>, ValidationError> {
        Canonicalizer { type_: self, compat, report, marks: false }.value(self.attribute(id), value)
    }

    /// Canonicalizes one element of a multi-valued attribute; of a singular attribute, its value.
    ///
    /// # Errors
    /// As [`canonical_value`](Self::canonical_value).
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn canonical_element(
        &self,
        id: AttributeId,
        value: Value,
        compat: &Compat,
        report: &mut Report,
    ) -> Result<Option<Value>, ValidationError> {
        Canonicalizer { type_: self, compat, report, marks: false }.single(self.attribute(id), value)
    }
}

impl CompiledType {
    /// The JSON array or object in the text of an attribute's whole value, if the attribute is complex or
    /// multi-valued and [`Quirk::JsonText`] is tolerated; otherwise the value unchanged.
    ///
    /// # Errors
    /// If the text breaks a limit of [`JsonReader`].
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn read_json_text(
        &self,
        id: AttributeId,
        value: Value,
        compat: &Compat,
        report: &mut Report,
    ) -> Result<Value, ValidationError> {
        Canonicalizer { type_: self, compat, report, marks: false }.json_text(
            self.attribute(id),
            value,
            Part::Whole,
        )
    }

    /// The JSON object in the text of one element of a complex multi-valued attribute, if [`Quirk::JsonText`]
    /// is tolerated; otherwise the element unchanged. An element is never read as a list.
    ///
    /// # Errors
    /// As [`read_json_text`](Self::read_json_text).
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn read_json_element(
        &self,
        id: AttributeId,
        value: Value,
        compat: &Compat,
        report: &mut Report,
    ) -> Result<Value, ValidationError> {
        Canonicalizer { type_: self, compat, report, marks: false }.json_text(
            self.attribute(id),
            value,
            Part::Element,
        )
    }
}

/// The part of an attribute that a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The whole attribute: the list of a multi-valued one.
    Whole,
    /// One value of a list.
    Element,
}

/// Canonicalizes values of one resource type. The schema bounds the recursion: a complex attribute contains no
/// complex one.
pub(super) struct Canonicalizer<'a> {
    pub(super) type_: &'a CompiledType,
    pub(super) compat: &'a Compat,
    pub(super) report: &'a mut Report,
    /// Whether an unassigned sub-attribute that is not returned by default becomes `null` in the canonical
    /// form, for a replace that would keep it: see [`not_returned_by_default`](super::not_returned_by_default).
    pub(super) marks: bool,
}

impl Canonicalizer<'_> {
    pub(super) fn value(
        &mut self,
        def: &AttributeDef,
        value: Value,
    ) -> Result<Option<Value>, ValidationError> {
        if def.multi_valued() { self.list(def, value) } else { self.single(def, value) }
    }

    fn list(&mut self, def: &AttributeDef, value: Value) -> Result<Option<Value>, ValidationError> {
        let mut values = match self.json_text(def, value, Part::Whole)? {
            Value::Null => return Ok(None),
            Value::Array(values) => values
                .into_iter()
                .filter_map(|value| self.listed(def, value).transpose())
                .collect::<Result<Vec<_>, _>>()?,
            // One value in place of a list is always accepted.
            value => self.element(def, value)?.into_iter().collect(),
        };
        if values.len() > 1 {
            if self.type_.remove_duplicates(def.id(), &mut values) {
                self.report.ignore(def.path(), IgnoredReason::Duplicate);
            }
            primary::first_wins(self.type_, def, &mut values, self.compat, self.report)?;
        }
        Ok((!values.is_empty()).then_some(Value::Array(values)))
    }

    /// A single value, or one element of a multi-valued attribute. A list of one is unwrapped if that is
    /// tolerated.
    pub(super) fn single(
        &mut self,
        def: &AttributeDef,
        value: Value,
    ) -> Result<Option<Value>, ValidationError> {
        let part = if def.multi_valued() { Part::Element } else { Part::Whole };
        let mut values = match self.json_text(def, value, part)? {
            Value::Array(values) => values,
            value => return self.element(def, value),
        };
        match (values.pop(), values.is_empty()) {
            (None, _) => Ok(None),
            (Some(value), true) if self.compat.allows(Quirk::SingleAsArray) => {
                self.report.lenient(Quirk::SingleAsArray, def.path());
                self.listed(def, value)
            }
            (Some(_), true) => {
                Err(ValidationError::new(Kind::Type, def.path(), expectation(def), "an array"))
            }
            (Some(_), false) => Err(ValidationError::new(
                Kind::TooManyValues,
                def.path(),
                expectation(def),
                format!("an array of {} values", values.len() + 1),
            )),
        }
    }

    /// One value in an array. `null` unassigns a whole attribute and cannot be one of its values ([RFC 7643
    /// §2.5](https://www.rfc-editor.org/rfc/rfc7643#section-2.5)). Leaving it out would unassign values that
    /// the client did not mention.
    fn listed(&mut self, def: &AttributeDef, value: Value) -> Result<Option<Value>, ValidationError> {
        if value == Value::Null {
            return Err(ValidationError::value(Kind::Type, def, expectation(def), &value));
        }
        self.element(def, value)
    }

    /// One value of the attribute's data type.
    fn element(&mut self, def: &AttributeDef, value: Value) -> Result<Option<Value>, ValidationError> {
        let value = match value {
            Value::Object(object) if !def.is_complex() => self.wrapped(def, object)?,
            value => self.json_text(def, value, Part::Element)?,
        };
        let value = match (def.attribute_type(), value) {
            (_, Value::Null) => return Ok(None),
            (AttributeType::Complex, Value::Object(object)) => return self.complex(def, object),
            (AttributeType::Complex, Value::String(text)) => return self.complex_from_string(def, text),
            (AttributeType::Boolean, Value::String(text)) => self.boolean(def, text)?,
            (AttributeType::Boolean, value @ Value::Bool(_)) => value,
            (AttributeType::Decimal, value @ Value::Number(_)) => value,
            (AttributeType::Integer, Value::Number(number)) if number.is_integer() => Value::Number(number),
            (
                AttributeType::String
                | AttributeType::DateTime
                | AttributeType::Binary
                | AttributeType::Reference,
                Value::String(text),
            ) => {
                format::check(def, &text, self.compat)?;
                if format::needs_username_any(def, &text, self.compat) {
                    self.report.lenient(Quirk::UsernameAny, def.path());
                }
                Value::String(text)
            }
            (_, value) => return Err(ValidationError::value(Kind::Type, def, expectation(def), &value)),
        };
        Ok(Some(value))
    }

    /// An object in place of its simple `value` ([`Quirk::ValueObject`]).
    fn wrapped(&mut self, def: &AttributeDef, mut object: Object) -> Result<Value, ValidationError> {
        let allowed = self.compat.allows(Quirk::ValueObject);
        let simple = |value: &Value| !matches!(value, Value::Object(_) | Value::Array(_));
        let Some(value) = object.remove("value").filter(|value| allowed && simple(value)) else {
            let found = Value::Object(object);
            return Err(ValidationError::value(Kind::Type, def, expectation(def), &found));
        };
        for (name, _) in object.iter().filter(|(_, value)| !value.is_unassigned()) {
            self.unknown(def, name)?;
        }
        self.report.lenient(Quirk::ValueObject, def.path());
        Ok(value)
    }

    /// The JSON array or object in a text, if the attribute can have one ([`Quirk::JsonText`]). An element of a
    /// list is never read as a list, so an element of a list of simple values is never read: it may be JSON
    /// text on purpose.
    #[inline]
    fn json_text(&mut self, def: &AttributeDef, value: Value, part: Part) -> Result<Value, ValidationError> {
        let Value::String(text) = &value else { return Ok(value) };
        let takes = match text.bytes().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => part == Part::Whole && (def.is_complex() || def.multi_valued()),
            Some(b'{') => def.is_complex(),
            _ => false,
        };
        if takes && self.compat.allows(Quirk::JsonText) { self.parsed(def, value) } else { Ok(value) }
    }

    /// The JSON array or object in a text; the text itself if it is not JSON.
    #[cold]
    fn parsed(&mut self, def: &AttributeDef, value: Value) -> Result<Value, ValidationError> {
        let Value::String(text) = &value else { return Ok(value) };
        match JsonReader::new().value(text.as_bytes()) {
            Ok(read @ (Value::Array(_) | Value::Object(_))) => {
                self.report.lenient(Quirk::JsonText, def.path());
                Ok(read)
            }
            Err(error) if *error.kind() != JsonErrorKind::Syntax => {
                let expected = "JSON text within the limits of a body";
                Err(ValidationError::new(Kind::Format, def.path(), expected, "other text"))
            }
            _ => Ok(value),
        }
    }

    fn boolean(&mut self, def: &AttributeDef, text: String) -> Result<Value, ValidationError> {
        let read = match text.trim() {
            word if word.eq_ignore_ascii_case("true") => Some(true),
            word if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        match read {
            Some(flag) if self.compat.allows(Quirk::StringBool) => {
                self.report.lenient(Quirk::StringBool, def.path());
                Ok(Value::Bool(flag))
            }
            _ => Err(ValidationError::value(Kind::Type, def, expectation(def), &Value::String(text))),
        }
    }

    fn complex(&mut self, def: &AttributeDef, object: Object) -> Result<Option<Value>, ValidationError> {
        let membership = self.type_.members() == Some(def.id());
        let tells =
            |(name, value): (&str, &Value)| !value.is_unassigned() || name.eq_ignore_ascii_case("value");
        let means_somebody = membership && (object.is_empty() || object.iter().any(tells));
        let object = object.try_map(|name, value| {
            let Some(id) = self.type_.find_sub(def.id(), &name) else {
                self.unknown(def, &name)?;
                return Ok(None);
            };
            let sub = self.type_.attribute(id);
            if sub.mutability() == Mutability::ReadOnly {
                self.report.ignore(sub.path(), IgnoredReason::ReadOnly);
                return Ok(None);
            }
            self.report.given(sub);
            self.report.touch(sub);
            let mark = (self.marks && sub.is_not_returned_by_default() && value.is_unassigned())
                .then_some(Value::Null);
            let value = self.value(sub, value)?.or(mark);
            Ok(value.map(|value| (spelled(name, sub), value)))
        })?;
        let object = if membership { named(object) } else { object };
        if object.is_empty() && means_somebody {
            // Leaving it out would remove all members from a group.
            required::check_element(self.type_, def.id(), &object, true)?;
        }
        // Clients send an element of which they see nothing back as they saw it.
        let not_returned_by_default = self.marks
            && def.multi_valued()
            && self.type_.sub_attributes(def.id()).iter().any(AttributeDef::is_not_returned_by_default);
        Ok((not_returned_by_default || !object.is_empty()).then_some(Value::Object(object)))
    }

    /// A string in place of a complex value: its `value`, or nothing if it is empty.
    fn complex_from_string(
        &mut self,
        def: &AttributeDef,
        text: String,
    ) -> Result<Option<Value>, ValidationError> {
        // An empty string does not empty a group: `[]` and `null` do.
        let removes = text.is_empty() && self.type_.members() != Some(def.id());
        if removes && self.compat.allows(Quirk::EmptyStringRemove) {
            self.report.lenient(Quirk::EmptyStringRemove, def.path());
            return Ok(None);
        }
        let quirk = if def.multi_valued() { Quirk::MemberString } else { Quirk::ManagerString };
        match self.type_.find_sub(def.id(), "value") {
            Some(id) if self.compat.allows(quirk) => {
                let sub = self.type_.attribute(id);
                let value = self.value(sub, Value::String(text))?;
                self.report.lenient(quirk, def.path());
                Ok(value.map(|value| Value::Object(Object::from_iter([(sub.name(), value)]))))
            }
            _ => Err(ValidationError::value(Kind::Type, def, expectation(def), &Value::String(text))),
        }
    }

    fn unknown(&mut self, parent: &AttributeDef, name: &str) -> Result<(), ValidationError> {
        let path = format!("{}.{name}", parent.path());
        self.unknown_attribute(&path)
    }

    pub(super) fn unknown_attribute(&mut self, path: &str) -> Result<(), ValidationError> {
        if !self.compat.allows(Quirk::UnknownAttribute) {
            return Err(ValidationError::new(
                Kind::UnknownAttribute,
                path,
                format!("resource type `{}`", self.type_.name()),
                "",
            ));
        }
        self.report.ignore(path, IgnoredReason::UnknownAttribute);
        Ok(())
    }
}

/// A membership with only a `$ref`: the URI of a resource ends in its id.
fn named(mut membership: Object) -> Object {
    let id = match membership.get_str("value") {
        None | Some("") => membership.get_str("$ref").and_then(|uri| uri.rsplit('/').next()),
        Some(_) => None,
    };
    if let Some(id) = id.filter(|id| !id.is_empty()).map(str::to_owned) {
        membership.remove("value");
        membership.insert_first("value", id);
    }
    membership
}

/// The name in the spelling of the schema; the peer's text is reused if it is the same.
pub(super) fn spelled(name: Box<str>, def: &AttributeDef) -> Box<str> {
    if *name == *def.name() { name } else { def.name().into() }
}

/// The expected form of a value of the attribute, for error lines.
pub(super) fn expectation(def: &AttributeDef) -> &'static str {
    match def.attribute_type() {
        AttributeType::String => "a string",
        AttributeType::Boolean => "a boolean",
        AttributeType::Decimal => "a number",
        AttributeType::Integer => "a whole number without fraction and exponent",
        AttributeType::DateTime => "a date and time such as `2008-01-23T04:56:22Z`",
        AttributeType::Binary => "base64",
        AttributeType::Reference => "a URI",
        AttributeType::Complex => "an object",
    }
}
