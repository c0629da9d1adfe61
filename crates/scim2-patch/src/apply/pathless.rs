//! Operations without a path, and on an extension as a whole: every key of the value is a target.

use scim2_core::schema::Mutability;
use scim2_core::validate::Report;
use scim2_core::{AttrName, AttributeDef, ExtensionId, Object, Owner, Quirk, Value};
use scim2_filter::{AttrPath, FilterParser};

use super::{Patch, nested_in};
use crate::error::PatchErrorKind;
use crate::patch_op::Op;
use crate::path;
use crate::target::{Target, resolve};

impl Patch<'_, '_> {
    /// Q-PATHLESS: each key as if it were a path; `schemas` says nothing new.
    pub(super) fn pathless(&mut self, op: Op, object: Object) -> Result<(), PatchErrorKind> {
        for (key, value) in object {
            if key.eq_ignore_ascii_case("schemas") {
                continue;
            }
            if let Some(extension) = self.cx.type_.find_extension(&key) {
                self.assign_extension(op, extension, value)?;
            } else if let Some(target) = self.named_by(&key) {
                self.assign_key(op, target, value)?;
            } else if !self.assign_path_key(op, &key, &value)? {
                self.unknown_key(&key)?;
                continue;
            }
            self.understood = true;
        }
        Ok(())
    }

    /// The attribute of which a key is the plain name.
    fn named_by(&mut self, key: &str) -> Option<Target<'static>> {
        if let Some(top) = self.cx.type_.find(None, key, None) {
            return Some(Target::Attribute { top, filter: None, sub: None });
        }
        let path = AttrPath::from(AttrName::parse(key).ok()?);
        match resolve(&path.into(), &mut self.cx).ok()? {
            Target::Attribute { top, .. } => Some(Target::Attribute { top, filter: None, sub: None }),
            Target::Extension(_) | Target::SubValues { .. } => None,
        }
    }

    /// The value of an extension, merged by its attributes; in the interoperability profile
    /// `replace` replaces it whole (I-6.5-03).
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
            let uri = type_.extension(extension).uri().as_str();
            if let Some(top) = type_.find_in(Owner::Extension(extension), &key) {
                self.assign_key(op, Target::Attribute { top, filter: None, sub: None }, value)?;
            } else if let Some(nested) = type_.find_extension(&key).filter(|nested| *nested != extension) {
                self.placed(Some((extension, nested)), |patch| patch.assign_extension(op, nested, value))?;
            } else if !self.assign_path_key(op, &format!("{uri}:{key}"), &value)? {
                self.check_known(extension, &key)?;
                self.unknown_key(&format!("{uri}:{key}"))?;
            }
        }
        Ok(())
    }

    /// I-5.3-01: what a value names that nobody knows is malformed there.
    fn check_known(&self, extension: ExtensionId, key: &str) -> Result<(), PatchErrorKind> {
        if !self.cx.compat.is_profile() {
            return Ok(());
        }
        let alone = Value::Object(Object::from_iter([(key, Value::Null)]));
        let known = self.cx.type_.canonical_extension(extension, alone, self.cx.compat, &mut Report::new());
        known.map(drop).map_err(PatchErrorKind::Unknown)
    }

    /// Takes away what the client sees of an extension and does not give again.
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

    /// Q-READONLY-SENT, A-10: what is readOnly is ignored here, where that is tolerated.
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
            // The own id, or another value that is as it stands, is not an attempt to change it.
            let parts = self.cx.type_.sub_attributes(top);
            let hides = def.is_never_returned() || parts.iter().any(AttributeDef::is_never_returned);
            if sub.is_none() && !hides && self.cx.type_.get(self.resource, top) == Some(value) {
                return Ok(true);
            }
            if !self.cx.allows(Quirk::ReadonlySent) {
                return Err(PatchErrorKind::ReadOnly(def.path().into()));
            }
            self.cx.ignore(def.path());
            return Ok(true);
        }
        Ok(false)
    }

    /// What a key names in the object of an extension: an attribute, an extension within it, or
    /// (Q-DOTTED-KEYS) a sub-attribute.
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

    /// Q-DOTTED-KEYS, A-11: a key that is a path. Says whether it was one.
    fn assign_path_key(&mut self, op: Op, key: &str, value: &Value) -> Result<bool, PatchErrorKind> {
        if !key.contains(['.', ':', '[']) || !self.cx.compat.allows(Quirk::DottedKeys) {
            return Ok(false);
        }
        let mut needed = Vec::new();
        let parsed = path::parse(key, FilterParser::new(), self.cx.compat, |quirk| needed.push(quirk));
        let Ok(path) = parsed else { return Ok(false) };
        needed.into_iter().for_each(|quirk| self.cx.tolerate(quirk));
        match resolve(&path, &mut self.cx) {
            Ok(target @ (Target::Attribute { .. } | Target::SubValues { .. })) => {
                self.cx.tolerate(Quirk::DottedKeys);
                self.placed(nested_in(&path, self.cx.type_), |patch| {
                    patch.assign_key(op, target, value.clone())
                })?;
                Ok(true)
            }
            // The core attributes under their URI, as an extension's stand under its own.
            Err(PatchErrorKind::WholeResource(_)) => {
                let Value::Object(object) = value else { return Ok(false) };
                // One level is a habit, and more would nest without end.
                if object.iter().any(|(key, _)| key.contains(':')) {
                    return Ok(false);
                }
                self.cx.tolerate(Quirk::DottedKeys);
                self.pathless(op, object.clone())?;
                Ok(true)
            }
            Ok(Target::Extension(extension)) => {
                let nested = nested_in(&path, self.cx.type_);
                self.placed(nested, |patch| patch.assign_extension(op, extension, value.clone()))?;
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }

    pub(super) fn unknown_key(&mut self, key: &str) -> Result<(), PatchErrorKind> {
        let quirk = if key.contains(':') { Quirk::UnknownExt } else { Quirk::UnknownAttribute };
        if self.cx.allows(quirk) {
            self.cx.ignore(key);
            return Ok(());
        }
        Err(PatchErrorKind::UnknownAttribute(key.into()))
    }
}
