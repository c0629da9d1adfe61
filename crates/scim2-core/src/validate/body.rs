//! A whole body: assigns each member to its place, then checks what the resource as a whole must have.

use super::nesting::Nesting;
use super::report::IgnoredReason;
use super::required::Asked;
use super::value::{Canonicalizer, expectation, spelled};
use super::{
    Canonical, Purpose, Report, ValidationError, ValidationErrorKind as Kind, dotted, replace, required,
    schemas,
};
use crate::compat::{Compat, Quirk};
use crate::compiled::{AttributeDef, AttributeId, CompiledType, ExtensionId, Owner};
use crate::json::JsonReader;
use crate::schema::Mutability;
use crate::value::{Object, Value};

pub(super) fn canonicalize(
    type_: &CompiledType,
    body: Object,
    purpose: Purpose<'_>,
    compat: &Compat,
) -> Result<Canonical, ValidationError> {
    let mut report = Report::new();
    let mut walk = Walk {
        canonicalizer: Canonicalizer {
            type_,
            compat,
            report: &mut report,
            marks: matches!(purpose, Purpose::Replace { .. }),
        },
        listed: None,
        common: Object::new(),
        core: Object::with_capacity(body.len() + 2),
        extensions: vec![Object::new(); type_.extensions().count()],
        mentioned: Mentioned::none(type_),
        nesting: Nesting::none(type_),
    };
    walk.body(body)?;
    let Walk { listed, common, core, extensions, mut mentioned, nesting, .. } = walk;
    for id in &report.touched {
        mentioned.add(*id);
    }
    schemas::check_listed(type_, listed.as_deref(), &extensions, compat, &mut report)?;

    let mut object = core;
    if matches!(purpose, Purpose::Create) {
        for id in type_.true_on_create().iter().filter(|id| !mentioned.has(**id)) {
            type_.put(&mut object, *id, true);
        }
    }
    for ((_, extension), attributes) in type_.extensions().zip(extensions) {
        if !attributes.is_empty() {
            object.push_new(extension.uri().as_str().into(), Value::Object(attributes));
        }
    }
    if let Purpose::Replace { current } = purpose {
        replace::carry_over(type_, &mut object, current, &mentioned, compat, &mut report)?;
    }
    for (name, value) in common.into_iter().rev() {
        object.insert_first(name, value);
    }
    if let Purpose::Replace { current } = purpose
        && let Some(id) = current.get("id")
    {
        object.insert_first("id", id.clone());
    }
    type_.recompute_schemas(&mut object);
    let current = match purpose {
        Purpose::Create => None,
        Purpose::Replace { current } => Some(current),
    };
    nesting.note(type_, &mut object, current);
    let asked = match purpose {
        Purpose::Create => Asked::All,
        Purpose::Replace { current } => Asked::Replaced { current, mentioned: &mentioned },
    };
    required::check(type_, &object, asked)?;

    let Report { ignored, leniencies, given_on_request, touched: _ } = report;
    let cleared = type_
        .never_returned_attributes()
        .iter()
        .copied()
        .filter(|id| type_.attribute(*id).parent().is_none())
        .filter(|id| mentioned.has(*id) && type_.get(&object, *id).is_none())
        .collect();
    let mentioned = type_.attributes().iter().map(AttributeDef::id).filter(|id| mentioned.has(*id)).collect();
    Ok(Canonical { object, ignored, leniencies, cleared, mentioned, given_on_request })
}

impl CompiledType {
    /// Canonicalizes the object of an extension, for a PATCH whose path is the bare URI. `None` means that
    /// nothing is assigned. A `schemas` inside has no meaning and is left out.
    ///
    /// # Errors
    /// See [`ValidationErrorKind`](super::ValidationErrorKind).
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn canonical_extension(
        &self,
        id: ExtensionId,
        value: Value,
        compat: &Compat,
        report: &mut Report,
    ) -> Result<Option<Object>, ValidationError> {
        let mut walk = Walk {
            canonicalizer: Canonicalizer { type_: self, compat, report, marks: false },
            listed: None,
            common: Object::new(),
            core: Object::new(),
            extensions: vec![Object::new(); self.extensions().count()],
            mentioned: Mentioned::none(self),
            nesting: Nesting::none(self),
        };
        walk.extension(id, value)?;
        let attributes = walk.extensions.into_iter().nth(id.index()).unwrap_or_default();
        Ok((!attributes.is_empty()).then_some(attributes))
    }

    /// Sets the value of a top-level attribute, in the object of its extension if it has one.
    pub(crate) fn put(&self, object: &mut Object, id: AttributeId, value: impl Into<Value>) {
        let def = self.attribute(id);
        let place = match def.owner() {
            Owner::Common | Owner::Core => object,
            Owner::Extension(extension) => object.object_entry(self.extension(extension).uri().as_str()),
        };
        place.insert(def.name(), value);
    }
}

struct Walk<'a> {
    canonicalizer: Canonicalizer<'a>,
    /// The members of `schemas`, if it was given.
    listed: Option<Vec<schemas::Listed>>,
    common: Object,
    core: Object,
    extensions: Vec<Object>,
    mentioned: Mentioned,
    nesting: Nesting,
}

impl Walk<'_> {
    fn body(&mut self, body: Object) -> Result<(), ValidationError> {
        for (name, value) in dotted::gather(&mut self.canonicalizer, body, Owner::Core)? {
            if name.contains(':') {
                self.qualified(&name, value)?;
            } else {
                self.member(name, value)?;
            }
        }
        Ok(())
    }

    /// A member of a body whose name holds no colon.
    fn member(&mut self, name: Box<str>, value: Value) -> Result<(), ValidationError> {
        let type_ = self.canonicalizer.type_;
        if let Some(id) = type_.find_in(Owner::Common, &name) {
            self.common(type_.attribute(id), name, value)
        } else if let Some(id) = type_.find_in(Owner::Core, &name) {
            self.attribute(type_.attribute(id), name, value)
        } else {
            self.short_name(&name, value)
        }
    }

    /// The core attributes in an object under the URI of their schema, as the attributes of an extension are
    /// ([`Quirk::DottedKeys`]). Some clients use one such level; deeper ones are refused, so that nesting is
    /// bounded.
    fn core_object(&mut self, uri: &str, object: Object) -> Result<(), ValidationError> {
        self.canonicalizer.report.lenient(Quirk::DottedKeys, uri);
        for (name, value) in dotted::gather(&mut self.canonicalizer, object, Owner::Core)? {
            if name.eq_ignore_ascii_case("schemas") {
                self.canonicalizer.report.ignore(format!("{uri}:{name}"), IgnoredReason::Misplaced);
            } else if name.contains(':') {
                self.canonicalizer.unknown_attribute(&format!("{uri}:{name}"))?;
            } else {
                self.member(name, value)?;
            }
        }
        Ok(())
    }

    fn common(&mut self, def: &AttributeDef, name: Box<str>, value: Value) -> Result<(), ValidationError> {
        if def.name() == "schemas" {
            self.listed = schemas::read(value, &mut self.canonicalizer)?;
            Ok(())
        } else {
            self.attribute(def, name, value)
        }
    }

    /// An attribute of the resource type, from any of its schemas.
    fn attribute(&mut self, def: &AttributeDef, name: Box<str>, value: Value) -> Result<(), ValidationError> {
        if def.mutability() == Mutability::ReadOnly {
            self.canonicalizer.report.ignore(def.path(), IgnoredReason::ReadOnly);
            return Ok(());
        }
        if !self.mentioned.add(def.id()) {
            return Err(ValidationError::new(Kind::Repeated, def.path(), "", ""));
        }
        if let Some(value) = self.canonicalizer.value(def, value)? {
            let place = match def.owner() {
                Owner::Common => Some(&mut self.common),
                Owner::Core => Some(&mut self.core),
                Owner::Extension(id) => {
                    self.nesting.meet(id);
                    self.extensions.get_mut(id.index())
                }
            };
            if let Some(place) = place {
                place.push_new(spelled(name, def), value);
            }
        }
        Ok(())
    }

    /// A member whose name holds a colon: an extension, an attribute with the URI of its schema, or an unknown
    /// URI.
    fn qualified(&mut self, name: &str, value: Value) -> Result<(), ValidationError> {
        let type_ = self.canonicalizer.type_;
        let compat = self.canonicalizer.compat;
        let value = match (type_.split_schema(name), value) {
            (Some((None, "")), Value::Object(object)) if compat.allows(Quirk::DottedKeys) => {
                return self.core_object(name, object);
            }
            (_, value) => value,
        };
        match type_.split_schema(name) {
            Some((Some(extension), "")) => return self.extension(extension, value),
            Some((owner, rest)) if compat.allows(Quirk::DottedKeys) => {
                let owner = owner.map_or(Owner::Core, Owner::Extension);
                let attribute = rest.get(1..).unwrap_or_default();
                if let Some(id) = type_.find_in(owner, attribute) {
                    let def = type_.attribute(id);
                    self.canonicalizer.report.lenient(Quirk::DottedKeys, def.path());
                    return self.attribute(def, attribute.into(), value);
                }
            }
            _ => {}
        }
        if compat.allows(Quirk::UrnWrong) && type_.split_schema(name).is_none() {
            match type_.split_misspelt(name) {
                Some((Some(extension), "")) => {
                    self.canonicalizer.report.lenient(Quirk::UrnWrong, name);
                    return self.extension(extension, value);
                }
                Some((None, "")) if compat.allows(Quirk::DottedKeys) && value.as_object().is_some() => {
                    let Value::Object(object) = value else { return Ok(()) };
                    self.canonicalizer.report.lenient(Quirk::UrnWrong, name);
                    return self.core_object(name, object);
                }
                Some((owner, attribute)) if compat.allows(Quirk::DottedKeys) => {
                    let uri = owner.map(|id| type_.extension(id).uri().as_str());
                    let def = type_.find(uri, attribute, None).map(|id| type_.attribute(id));
                    if let Some(def) = def.filter(|def| def.name() != "schemas") {
                        self.canonicalizer.report.lenient(Quirk::UrnWrong, name);
                        return self.attribute(def, attribute.into(), value);
                    }
                }
                _ => {}
            }
        }
        if compat.allows(Quirk::UnknownExt) {
            self.canonicalizer.report.ignore(name, IgnoredReason::UnknownExtension);
            return Ok(());
        }
        Err(schemas::unknown(type_, name))
    }

    /// A name that the core schema does not have: an extension attribute without its URI, or an unknown name.
    fn short_name(&mut self, name: &str, value: Value) -> Result<(), ValidationError> {
        let type_ = self.canonicalizer.type_;
        if self.canonicalizer.compat.allows(Quirk::ExtShortName) {
            let mut owners =
                type_.extensions().filter_map(|(id, _)| type_.find_in(Owner::Extension(id), name));
            match (owners.next(), owners.next()) {
                (Some(id), None) => {
                    let def = type_.attribute(id);
                    self.canonicalizer.report.lenient(Quirk::ExtShortName, def.path());
                    return self.attribute(def, name.into(), value);
                }
                (Some(_), Some(_)) if self.canonicalizer.compat.allows(Quirk::UnknownAttribute) => {
                    dotted::ignore_ambiguous(&mut self.canonicalizer, name);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.canonicalizer.unknown_attribute(name)
    }

    fn extension(&mut self, id: ExtensionId, value: Value) -> Result<(), ValidationError> {
        let type_ = self.canonicalizer.type_;
        let uri = type_.extension(id).uri().as_str();
        let wrong = |found: &Value| {
            Err(ValidationError::new(Kind::Type, uri, "an object of attributes", found.kind()))
        };
        let value = match value {
            Value::String(text) if self.canonicalizer.compat.allows(Quirk::JsonText) => {
                match JsonReader::new().object(text.as_bytes()) {
                    Ok(attributes) => {
                        self.canonicalizer.report.lenient(Quirk::JsonText, uri);
                        Value::Object(attributes)
                    }
                    Err(_) => Value::String(text),
                }
            }
            value => value,
        };
        let attributes = match value {
            Value::Object(attributes) => attributes,
            value if value.is_unassigned() => {
                for def in type_.top_level(Owner::Extension(id)) {
                    self.mentioned.add(def.id());
                }
                return Ok(());
            }
            Value::Array(mut values)
                if values.len() == 1 && self.canonicalizer.compat.allows(Quirk::SingleAsArray) =>
            {
                match values.pop() {
                    Some(Value::Object(attributes)) => {
                        self.canonicalizer.report.lenient(Quirk::SingleAsArray, uri);
                        attributes
                    }
                    _ => return wrong(&Value::Array(values)),
                }
            }
            other => return wrong(&other),
        };
        let around = self.nesting.enter(id);
        for (name, value) in dotted::gather(&mut self.canonicalizer, attributes, Owner::Extension(id))? {
            if let Some(id) = type_.find_in(Owner::Extension(id), &name) {
                self.attribute(type_.attribute(id), name, value)?;
            } else if let Some((Some(_), _)) = type_.split_schema(&name) {
                // It is stored like every other extension of the resource type, next to this one.
                self.qualified(&name, value)?;
            } else if name.eq_ignore_ascii_case("schemas") {
                self.canonicalizer.report.ignore(format!("{uri}:{name}"), IgnoredReason::Misplaced);
            } else {
                self.canonicalizer.unknown_attribute(&format!("{uri}:{name}"))?;
            }
        }
        self.nesting.leave(around);
        Ok(())
    }
}

/// The attributes that a body mentions, including those it unassigns.
pub(super) struct Mentioned(Vec<u64>);

impl Mentioned {
    fn none(type_: &CompiledType) -> Self {
        Self(vec![0; type_.attribute_count() / 64 + 1])
    }

    /// Says whether the attribute was not mentioned before.
    fn add(&mut self, id: AttributeId) -> bool {
        let bit = 1 << (id.index() % 64);
        match self.0.get_mut(id.index() / 64) {
            Some(word) => {
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
            None => false,
        }
    }

    pub(super) fn has(&self, id: AttributeId) -> bool {
        self.0.get(id.index() / 64).is_some_and(|word| word & 1 << (id.index() % 64) != 0)
    }
}

/// The word for a missing attribute, for error lines.
pub(super) fn wanted(def: &AttributeDef) -> &'static str {
    if def.multi_valued() { "at least one value" } else { expectation(def) }
}
