use alloc::vec::Vec;

use scim2_core::{AttributeDef, AttributeId, Compat, CompiledType, ExtensionId, Owner, Quirk};
use scim2_names::eq_ignore_case;

use super::error::{Purpose, ResolveError, ResolveErrorKind as Kind};
use super::leniency::Noted;
use crate::AttrPath;

/// Looks names up in one resource type.
///
/// ```
/// use scim2_core::{Compat, Registry};
/// use scim2_filter::{Resolver, Target};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let resolver = Resolver::new(user, Compat::default());
/// let path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:USER:manager.value".parse()?;
/// let Target::Attribute(id) = resolver.attribute(&path)? else { unreachable!() };
/// assert_eq!(
///     user.attribute(id).path(),
///     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
/// );
/// assert!(resolver.attribute(&"nope".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A path with a schema is split by the schemas of the resource type, the longest first, because a
/// URN has colons and dots of its own. Without a schema it names a common or core attribute, or,
/// with [`Quirk::ExtShortName`], an attribute of the one extension that has it.
///
/// [RFC 7644 §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10)
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Resolver<'t> {
    pub(super) type_: &'t CompiledType,
    pub(super) compat: Compat,
    pub(super) unknown_is_absent: bool,
}

/// The target of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The core schema's URI alone: the resource itself.
    Resource,
    /// An extension's URI alone.
    Extension(ExtensionId),
    /// An attribute or sub-attribute.
    Attribute(AttributeId),
}

impl<'t> Resolver<'t> {
    /// A resolver for `type_` that tolerates what `compat` does.
    pub fn new(type_: &'t CompiledType, compat: Compat) -> Self {
        Self { type_, compat, unknown_is_absent: false }
    }

    /// Treats an attribute that the resource type does not have as absent, as a query
    /// over several resource types must. [`CompiledFilter::absent_paths`](crate::CompiledFilter::absent_paths)
    /// lists these attributes. An attribute that no resource type has is a mistake of the client.
    ///
    /// [RFC 7644 §3.4.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.1)
    pub fn unknown_is_absent(self) -> Self {
        Self { unknown_is_absent: true, ..self }
    }

    /// The resource type.
    #[must_use]
    pub fn resource_type(&self) -> &'t CompiledType {
        self.type_
    }

    /// Finds the target of a path, for an `attributes` parameter or a PATCH path without a filter.
    ///
    /// # Errors
    /// [`UnknownAttribute`](Kind::UnknownAttribute), [`Ambiguous`](Kind::Ambiguous),
    /// [`UnknownSchema`](Kind::UnknownSchema) or [`NotComplex`](Kind::NotComplex), for which [`ResolveError::scim_type`] is `invalidPath`.
    pub fn attribute(&self, path: &AttrPath) -> Result<Target, ResolveError> {
        self.find(path, Purpose::Path, &Noted::default())
    }

    /// Finds the target of a path as [`attribute`](Self::attribute) does, and reports the quirks that it needed, each
    /// once.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute).
    pub fn attribute_reporting(&self, path: &AttrPath) -> Result<(Target, Vec<Quirk>), ResolveError> {
        let noted = Noted::default();
        let target = self.find(path, Purpose::Path, &noted)?;
        Ok((target, noted.into_quirks()))
    }

    pub(super) fn find(
        &self,
        path: &AttrPath,
        purpose: Purpose,
        noted: &Noted,
    ) -> Result<Target, ResolveError> {
        let fail = |kind| ResolveError::new(kind, path.as_str(), self.type_, purpose);
        if path.schema().is_none() {
            let top = self.top(path, purpose, noted)?;
            return self.with_sub(top, path.sub_attribute(), path, purpose);
        }
        let (owner, rest) = self.split(path.as_str(), noted).ok_or_else(|| fail(Kind::UnknownSchema))?;
        if rest.is_empty() {
            return Ok(owner.map_or(Target::Resource, Target::Extension));
        }
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let top = match owner {
            Some(extension) => self.type_.find_in(Owner::Extension(extension), name),
            None => self.type_.find(None, name, None),
        };
        self.with_sub(top.ok_or_else(|| fail(Kind::UnknownAttribute))?, sub, path, purpose)
    }

    fn with_sub(
        &self,
        top: AttributeId,
        sub: Option<&str>,
        path: &AttrPath,
        purpose: Purpose,
    ) -> Result<Target, ResolveError> {
        let Some(sub) = sub else { return Ok(Target::Attribute(top)) };
        let def = self.type_.attribute(top);
        if !def.is_complex() {
            // The client meant the values of the list.
            let hint = if def.multi_valued() { "its values are compared without `.value`" } else { "" };
            return Err(ResolveError::with(Kind::NotComplex, def.path(), self.type_, purpose, hint, ""));
        }
        let found = self.type_.find_sub(top, sub);
        let unknown = || ResolveError::new(Kind::UnknownAttribute, path.as_str(), self.type_, purpose);
        found.map(Target::Attribute).ok_or_else(unknown)
    }

    /// A name without a schema.
    fn top(&self, path: &AttrPath, purpose: Purpose, noted: &Noted) -> Result<AttributeId, ResolveError> {
        if let Some(found) = self.type_.find(None, path.name(), None) {
            return Ok(found);
        }
        let unknown = || ResolveError::new(Kind::UnknownAttribute, path.as_str(), self.type_, purpose);
        if !self.compat.allows(Quirk::ExtShortName) {
            return Err(unknown());
        }
        let having = || {
            let extensions = self.type_.extensions().map(|(id, _)| Owner::Extension(id));
            extensions.filter_map(|owner| self.type_.find_in(owner, path.name()))
        };
        let mut found = having();
        match (found.next(), found.next()) {
            (None, _) => Err(unknown()),
            (Some(only), None) => {
                noted.note(Quirk::ExtShortName);
                Ok(only)
            }
            (Some(_), Some(_)) => {
                let paths = having().map(|id| self.type_.attribute(id).path());
                Err(ResolveError::ambiguous(path.as_str(), paths, self.type_, purpose))
            }
        }
    }

    /// The schema a path begins with (`None` for the core schema), and the attribute that follows it,
    /// empty if there is none.
    fn split<'p>(&self, text: &'p str, noted: &Noted) -> Option<(Option<ExtensionId>, &'p str)> {
        let wrong = self.compat.allows(Quirk::UrnWrong);
        if let Some((owner, rest)) = self.type_.split_schema(text) {
            return match rest.as_bytes().first() {
                None => Some((owner, rest)),
                Some(b':') => Some((owner, rest.get(1..)?)),
                _ if wrong => {
                    noted.note(Quirk::UrnWrong);
                    Some((owner, rest.get(1..)?))
                }
                _ => None,
            };
        }
        let meant = if wrong { self.type_.split_misspelt(text) } else { None };
        if meant.is_some() {
            noted.note(Quirk::UrnWrong);
        }
        meant
    }

    /// The sub-attribute that a path within the brackets of `parent[…]` names; `None` is the element
    /// itself.
    pub(super) fn find_in_brackets(
        &self,
        parent: &AttributeDef,
        path: &AttrPath,
        noted: &Noted,
    ) -> Result<Option<AttributeId>, ResolveError> {
        let unknown = || {
            let subject = alloc::format!("{}.{}", parent.path(), path);
            ResolveError::new(Kind::UnknownAttribute, &subject, self.type_, Purpose::Filter)
        };
        let name = match path.schema() {
            None if path.sub_attribute().is_some() => return Err(unknown()),
            None => path.name(),
            Some(_) => {
                // `emails[urn:…:User:type eq "work"]` or `emails[urn:…:User:emails.type eq "work"]`
                let (owner, rest) = self.split(path.as_str(), noted).ok_or_else(unknown)?;
                let parents = match parent.owner() {
                    Owner::Extension(id) => Some(id),
                    Owner::Common | Owner::Core => None,
                };
                match rest.split_once('.') {
                    _ if owner != parents => return Err(unknown()),
                    Some((name, sub)) if eq_ignore_case(name, parent.name()) => sub,
                    Some(_) => return Err(unknown()),
                    None => rest,
                }
            }
        };
        if parent.is_complex() {
            self.type_.find_sub(parent.id(), name).map(Some).ok_or_else(unknown)
        } else if eq_ignore_case(name, "value") {
            Ok(None)
        } else {
            Err(unknown())
        }
    }

    /// Says whether the error is about an attribute that only other resource types have, so that it has
    /// no value here.
    pub(super) fn counts_as_absent(&self, error: &ResolveError) -> bool {
        self.unknown_is_absent && matches!(error.kind(), Kind::UnknownAttribute | Kind::UnknownSchema)
    }
}
