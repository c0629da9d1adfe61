//! Operations without a path, and on a whole extension: each key of the value is a target.

use scim2_core::schema::Mutability;
use scim2_core::validate::{IgnoredReason, Report};
use scim2_core::{AttrName, AttributeDef, ExtensionId, Object, Owner, Quirk, Value};
use scim2_filter::{AttrPath, FilterParser, PatchPath};

use super::{Patch, nested_in};
use crate::error::PatchErrorKind;
use crate::patch_op::Op;
use crate::path;
use crate::target::{Target, resolve};

impl Patch<'_, '_> {
    /// Applies each key as if it were a path (Q-PATHLESS). `schemas` is skipped.
    pub(super) fn pathless(&mut self, op: Op, object: Object) -> Result<(), PatchErrorKind> {
        for (key, value) in object {
            if key.eq_ignore_ascii_case("schemas") {
                continue;
            }
            let part = self.cx.begin_part();
            if let Some(extension) = self.cx.type_.find_extension(&key) {
                self.assign_extension(op, extension, value)?;
            } else if let Some(unknown) = self.assign_named(op, &key, value)? {
                self.ignore_key(&key, unknown)?;
            }
            self.cx.end_part(&part);
        }
        Ok(())
    }

    /// Assigns what a key names. Returns the error if the key names nothing.
    fn assign_named(
        &mut self,
        op: Op,
        key: &str,
        value: Value,
    ) -> Result<Option<PatchErrorKind>, PatchErrorKind> {
        let unknown = || Ok(Some(PatchErrorKind::UnknownAttribute(key.into())));
        if let Some(top) = self.cx.type_.find(None, key, None) {
            self.assign_key(op, Target::Attribute { top, filter: None, sub: None }, value)?;
            return Ok(None);
        }
        let is_path = key.contains(['.', ':', '[']);
        let mut needed = Vec::new();
        let path = match AttrName::parse(key) {
            Ok(name) => PatchPath::from(AttrPath::from(name)),
            // Q-DOTTED-KEYS, A-11.
            Err(_) if is_path && self.cx.compat.allows(Quirk::DottedKeys) => {
                match path::parse(key, FilterParser::new(), self.cx.compat, |quirk| needed.push(quirk)) {
                    Ok(path) => path,
                    Err(_) => return unknown(),
                }
            }
            Err(_) => return unknown(),
        };
        let target = match resolve(&path, &mut self.cx) {
            Ok(target) => target,
            Err(PatchErrorKind::WholeResource(_)) => match value {
                // The core attributes under their URI, as those of an extension are under its URI. One level only:
                // deeper ones would recurse without a bound.
                Value::Object(object) if !object.iter().any(|(key, _)| key.contains(':')) => {
                    self.cx.tolerate(Quirk::DottedKeys);
                    self.pathless(op, object)?;
                    return Ok(None);
                }
                _ => return unknown(),
            },
            Err(ambiguous) if ambiguous.is_ambiguous() => return Ok(Some(ambiguous)),
            Err(_) => return unknown(),
        };
        needed.into_iter().for_each(|quirk| self.cx.tolerate(quirk));
        if is_path && !matches!(target, Target::Extension(_)) {
            self.cx.tolerate(Quirk::DottedKeys);
        }
        let nested = nested_in(&path, self.cx.type_);
        let assigned = self.record_nesting(nested, |patch| match target {
            Target::Extension(extension) => patch.assign_extension(op, extension, value),
            target => patch.assign_key(op, target, value),
        });
        match assigned {
            Err(kind) if target.has_filter() && kind.is_unknown_name() => Ok(Some(kind)),
            assigned => assigned.map(|()| None),
        }
    }

    /// Merges the attributes of an extension. In the interoperability profile `replace` replaces the whole extension
    /// (I-6.5-03).
    pub(super) fn assign_extension(
        &mut self,
        op: Op,
        extension: ExtensionId,
        value: Value,
    ) -> Result<(), PatchErrorKind> {
        if value.is_unassigned() || value.as_object().is_some_and(Object::is_empty) {
            return match (op, value) {
                (Op::Replace, Value::Null) => self.remove_extension(extension),
                _ => Ok(()),
            };
        }
        let object = self.attributes_of(value)?;
        if op == Op::Replace && self.cx.compat.is_profile() {
            self.clear_extension(extension, &object)?;
        }
        let type_ = self.cx.type_;
        for (key, value) in object {
            let part = self.cx.begin_part();
            if let Some(top) = type_.find_in(Owner::Extension(extension), &key) {
                self.assign_key(op, Target::Attribute { top, filter: None, sub: None }, value)?;
            } else if let Some(nested) = type_.find_extension(&key).filter(|nested| *nested != extension) {
                self.record_nesting(Some((extension, nested)), |patch| {
                    patch.assign_extension(op, nested, value)
                })?;
            } else {
                let name = format!("{}:{key}", type_.extension(extension).uri());
                if let Some(unknown) = self.assign_named(op, &name, value)? {
                    self.check_known(extension, &key)?;
                    self.ignore_key(&name, unknown)?;
                }
            }
            self.cx.end_part(&part);
        }
        Ok(())
    }

    /// In the interoperability profile, refuses a name that no schema has (I-5.3-01).
    fn check_known(&self, extension: ExtensionId, key: &str) -> Result<(), PatchErrorKind> {
        if !self.cx.compat.is_profile() {
            return Ok(());
        }
        let alone = Value::Object(Object::from_iter([(key, Value::Null)]));
        let known = self.cx.type_.canonical_extension(extension, alone, self.cx.compat, &mut Report::new());
        known.map(drop).map_err(PatchErrorKind::Unknown)
    }

    /// Removes the attributes of an extension that the client can see and does not send again.
    fn clear_extension(&mut self, extension: ExtensionId, keep: &Object) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        for def in type_.top_level(Owner::Extension(extension)) {
            if !keep.contains(def.name())
                && def.mutability() != Mutability::ReadOnly
                && type_.get(self.resource, def.id()).is_some_and(|value| type_.is_seen(def.id(), value))
            {
                self.remove(Target::Attribute { top: def.id(), filter: None, sub: None }, None)?;
            }
        }
        for inner in type_.inner_extensions(self.resource, extension) {
            if !keep.contains(type_.extension(inner).uri().as_str()) {
                self.remove_extension(inner)?;
            }
        }
        Ok(())
    }

    /// Assigns the value of a key. A readOnly attribute is ignored where that is tolerated (Q-READONLY-SENT, A-10).
    fn assign_key(&mut self, op: Op, target: Target<'_>, value: Value) -> Result<(), PatchErrorKind> {
        if self.ignores_read_only(target, &value)? {
            return Ok(());
        }
        self.assign(op, target, value)
    }

    /// Says whether the value of a key is ignored because the key names a readOnly attribute.
    pub(super) fn ignores_read_only(
        &mut self,
        target: Target<'_>,
        value: &Value,
    ) -> Result<bool, PatchErrorKind> {
        let (top, sub) = match target {
            Target::Attribute { top, sub, .. } => (top, sub),
            Target::SubValues { top, sub, .. } => (top, Some(sub)),
            Target::Extension(_) => return Ok(false),
        };
        for id in std::iter::once(top).chain(sub) {
            let def = self.cx.type_.attribute(id);
            if def.mutability() != Mutability::ReadOnly {
                continue;
            }
            // A value equal to the stored one, such as the own `id`, is not an attempt to change it.
            let parts = self.cx.type_.sub_attributes(top);
            let hides = def.is_never_returned() || parts.iter().any(AttributeDef::is_never_returned);
            if sub.is_none() && !hides && self.cx.type_.get(self.resource, top) == Some(value) {
                return Ok(true);
            }
            if !self.cx.allows(Quirk::ReadonlySent) {
                return Err(PatchErrorKind::ReadOnly(def.path().into()));
            }
            self.cx.ignore(def.path(), IgnoredReason::ReadOnly);
            return Ok(true);
        }
        Ok(false)
    }

    /// What a key in the object of an extension names: an attribute, a nested extension, or a sub-attribute
    /// (Q-DOTTED-KEYS).
    pub(super) fn target_in(&mut self, extension: ExtensionId, key: &str) -> Option<Target<'static>> {
        let type_ = self.cx.type_;
        let owner = Owner::Extension(extension);
        if let Some(top) = type_.find_in(owner, key) {
            return Some(Target::Attribute { top, filter: None, sub: None });
        }
        if let Some(nested) = type_.find_extension(key) {
            return Some(Target::Extension(nested));
        }
        let (name, sub) = key.split_once('.')?;
        let top = type_.find_in(owner, name)?;
        let sub = type_.find_sub(top, sub)?;
        self.cx.allows(Quirk::DottedKeys).then_some(Target::Attribute { top, filter: None, sub: Some(sub) })
    }

    /// Ignores a key that names nothing, if that is tolerated.
    pub(super) fn ignore_key(&mut self, key: &str, unknown: PatchErrorKind) -> Result<(), PatchErrorKind> {
        let quirk = if key.contains(':') { Quirk::UnknownExt } else { Quirk::UnknownAttribute };
        let reason = if key.contains(':') && self.cx.type_.split_schema(key).is_none() {
            IgnoredReason::UnknownExtension
        } else {
            IgnoredReason::UnknownAttribute
        };
        if !self.cx.allows(quirk) {
            return Err(unknown);
        }
        self.cx.ignore_unknown(key, reason, unknown);
        Ok(())
    }
}
