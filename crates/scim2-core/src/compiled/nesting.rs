//! Extensions within an extension, as RFC 9944 prints the pairing methods of a device.
//!
//! In canonical form each extension is a member of the resource itself, where validation, indexes, filters and
//! PATCH look for it. The body also records which extension the client put inside which other one, under a name
//! that no attribute can have. Answers use that record to nest the extensions again, and never show it.

use super::{CompiledType, ExtensionId};
use crate::value::{Object, Value};

impl CompiledType {
    /// The member of a canonical body that records which extension is inside which: an object with the URI of
    /// the inner extension as name and the URI of the outer one as value. It is absent if all extensions are in
    /// the resource itself. No schema can define an attribute of this name and no client can send it.
    pub const NESTING: &'static str = "@within";

    /// Says whether an extension of this type can be inside another one, which takes at least two extensions.
    #[must_use]
    pub fn can_nest(&self) -> bool {
        self.extensions.len() > 1
    }

    /// The extension that contains another one.
    ///
    /// # Panics
    /// If the number is another type's.
    #[must_use]
    pub fn outer_extension(&self, object: &Object, inner: ExtensionId) -> Option<ExtensionId> {
        let nesting = object.get(Self::NESTING)?.as_object()?;
        self.find_extension(nesting.get_str(self.extension(inner).uri.as_str())?)
    }

    /// The extensions that are inside another one.
    pub fn inner_extensions(&self, object: &Object, outer: ExtensionId) -> Vec<ExtensionId> {
        if !self.can_nest() || !object.contains(Self::NESTING) {
            return Vec::new();
        }
        let inner = self.extensions().map(|(id, _)| id);
        inner.filter(|inner| self.outer_extension(object, *inner) == Some(outer)).collect()
    }

    /// Records that an extension is inside another one. Does nothing if the other one is already inside it.
    ///
    /// # Panics
    /// If a number is another type's.
    pub fn put_within(&self, object: &mut Object, inner: ExtensionId, outer: ExtensionId) {
        let mut at = Some(outer);
        // A chain is at most as long as there are extensions.
        for _ in 0..=self.extensions.len() {
            match at {
                Some(id) if id == inner => return,
                Some(id) => at = self.outer_extension(object, id),
                None => break,
            }
        }
        let outer = self.extension(outer).uri.as_str();
        object.object_entry(Self::NESTING).insert(self.extension(inner).uri.as_str(), outer);
    }

    /// Removes the records of extensions that are no longer in the body.
    pub fn forget_nesting(&self, object: &mut Object) {
        let Some(Value::Object(mut nesting)) = object.remove(Self::NESTING) else { return };
        nesting.retain(|inner, _| object.contains(inner));
        if !nesting.is_empty() {
            object.insert(Self::NESTING, nesting);
        }
    }

    /// Gives a representation the form of an answer: each extension is where the client put it, and `schemas`
    /// also lists the extensions that contain others.
    ///
    /// ```
    /// use scim2_core::validate::Purpose;
    /// use scim2_core::{Compat, Registry, CompiledType, schema::{ResourceType, Schema}};
    ///
    /// let lamp: ResourceType = serde_json::from_str(r#"{"name":"Lamp","endpoint":"/Lamps","schema":"urn:x:lamp",
    ///     "schemaExtensions":[{"schema":"urn:x:radio","required":false},{"schema":"urn:x:pairing","required":false}]}"#)?;
    /// let schemas = ["lamp", "radio", "pairing"].map(|name| {
    ///     format!(r#"{{"id":"urn:x:{name}","attributes":[{{"name":"{name}"}}]}}"#)
    /// });
    /// let schemas = schemas.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<Schema>, _>>()?;
    /// let lamp = CompiledType::compile(lamp, |uri| schemas.iter().find(|schema| schema.id == *uri))?;
    ///
    /// let sent = r#"{"schemas":["urn:x:lamp","urn:x:radio","urn:x:pairing"],"urn:x:radio":{"radio":"a","urn:x:pairing":{"pairing":"b"}}}"#;
    /// let mut object = lamp.canonicalize(serde_json::from_str(sent)?, Purpose::Create, &Compat::default())?.object;
    /// assert!(object.contains("urn:x:pairing"));
    /// lamp.nest_extensions(&mut object);
    /// assert_eq!(object.to_string(), sent);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nest_extensions(&self, object: &mut Object) {
        let Some(Value::Object(nesting)) = object.remove(Self::NESTING) else { return };
        let mut waiting: Vec<(&str, &str)> = nesting
            .iter()
            .filter_map(|(inner, outer)| Some((inner, outer.as_str()?)))
            .filter(|(inner, outer)| object.contains(inner) && self.find_extension(outer).is_some())
            .collect();
        // An extension is moved only after all extensions that go inside it.
        while let Some(at) = (0..waiting.len()).find(|at| {
            waiting.get(*at).is_some_and(|(inner, _)| !waiting.iter().any(|(_, outer)| outer == inner))
        }) {
            let (inner, outer) = waiting.swap_remove(at);
            let Some(value) = object.remove(inner) else { continue };
            object.object_entry(outer).insert(inner, value);
            if let Some(Value::Array(schemas)) = object.get_mut("schemas")
                && !schemas.iter().any(|uri| uri.as_str() == Some(outer))
            {
                schemas.push(outer.into());
            }
        }
    }

    /// The extension whose URI a path begins with, and the extension URI that follows it.
    #[must_use]
    pub fn split_nested(&self, text: &str) -> Option<(ExtensionId, ExtensionId)> {
        let (outer, rest) = self.longest_schema(text)?;
        let (inner, _) = self.longest_schema(rest.strip_prefix(':')?)?;
        outer.zip(inner).filter(|(outer, inner)| outer != inner)
    }
}
