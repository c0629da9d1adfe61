//! All schemas and resource types of a service provider.

use std::fmt;
use std::sync::Arc;

use scim2_names::SchemaUri;

use crate::compat::Compat;
use crate::compiled::{CompileError, CompileErrorKind, CompiledType, StringLimits};
use crate::schema::{ResourceType, Schema};

/// The schemas and resource types of a service provider, compiled.
///
/// Resource types are data: [`standard`](Self::standard) holds User, Group and the enterprise
/// extension, and [`with`](Self::with) builds a registry with more of them, or with others.
///
/// ```
/// use scim2_core::Registry;
///
/// let registry = Registry::standard();
/// let names: Vec<_> = registry.resource_types().map(|type_| type_.name()).collect();
/// assert_eq!(names, ["User", "Group"]);
/// assert_eq!(registry.by_endpoint("/Groups").map(|type_| type_.name()), Some("Group"));
/// assert!(registry.schema("urn:ietf:params:scim:schemas:core:2.0:User").is_some());
/// ```
#[derive(Clone)]
pub struct Registry {
    schemas: Vec<Arc<Schema>>,
    discovery: Vec<Arc<Schema>>,
    types: Vec<Arc<CompiledType>>,
}

impl Registry {
    /// User, Group and the enterprise extension
    /// ([RFC 7643 §4](https://www.rfc-editor.org/rfc/rfc7643#section-4)), as the mode `default`
    /// has them.
    #[must_use]
    pub fn standard() -> Self {
        Self::standard_for(&Compat::default())
    }

    /// User, Group and the enterprise extension: see [`standard_documents`](Self::standard_documents).
    #[must_use]
    pub fn standard_for(compat: &Compat) -> Self {
        let (schemas, types) = Self::standard_documents(compat);
        #[expect(clippy::expect_used, reason = "the documents are part of this crate and its tests")]
        Self::with(schemas, types).expect("the built-in documents compile")
    }

    /// The documents of User, Group and the enterprise extension, to which a service provider adds
    /// its own before it calls [`with`](Self::with).
    ///
    /// The documents describe the actual behavior, so a quirk that changes a characteristic changes the
    /// document: under [`Quirk::GroupDisplayUnique`](crate::Quirk::GroupDisplayUnique) the `displayName` of
    /// Group has the uniqueness `server`, otherwise `none`.
    #[must_use]
    pub fn standard_documents(compat: &Compat) -> (Vec<Schema>, Vec<ResourceType>) {
        crate::builtin::documents(compat)
    }

    /// A registry of these schemas and resource types.
    ///
    /// # Errors
    /// If a resource type cannot be compiled, or has the name or endpoint of another one. If two schemas have
    /// the same URI, the last one is used.
    pub fn with(schemas: Vec<Schema>, types: Vec<ResourceType>) -> Result<Self, CompileError> {
        let mut known: Vec<Arc<Schema>> = Vec::new();
        for schema in schemas {
            let schema = Arc::new(schema);
            match known.iter_mut().find(|old| old.id == schema.id) {
                Some(old) => *old = schema,
                None => known.push(schema),
            }
        }
        for (at, type_) in types.iter().enumerate() {
            if !is_endpoint(&type_.endpoint) {
                return Err(CompileError::of_type(CompileErrorKind::Endpoint, type_));
            }
            let same = |other: &ResourceType| {
                other.name == type_.name || other.endpoint.eq_ignore_ascii_case(&type_.endpoint)
            };
            if types.iter().take(at).any(same) {
                return Err(CompileError::of_type(CompileErrorKind::RepeatedType, type_));
            }
        }
        let discovery: Vec<Arc<Schema>> = crate::builtin::discovery_schemas()
            .into_iter()
            .filter(|schema| !known.iter().any(|known| known.id == schema.id))
            .map(Arc::new)
            .collect();
        let types = types
            .into_iter()
            .map(|type_| {
                let mut compiled = CompiledType::compile(type_, |uri| {
                    known.iter().find(|schema| schema.id == *uri).map(|schema| &**schema)
                })?;
                compiled.tell_apart(known.iter().chain(&discovery).map(|schema| &schema.id));
                Ok(Arc::new(compiled))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { schemas: known, discovery, types })
    }

    /// The same registry with other limits for the length of strings than the [default](StringLimits::default).
    #[must_use]
    pub fn with_string_limits(mut self, limits: StringLimits) -> Self {
        for type_ in self.types.iter_mut().filter(|type_| type_.string_limits() != limits) {
            Arc::make_mut(type_).set_string_limits(limits);
        }
        self
    }

    /// The schemas, in the order they came.
    pub fn schemas(&self) -> impl ExactSizeIterator<Item = &Schema> {
        self.schemas.iter().map(|schema| &**schema)
    }

    /// The schemas of the discovery resources: of the service provider's configuration, of resource
    /// types and of schemas. No resource type uses them, and `/Schemas` lists them.
    pub fn discovery_schemas(&self) -> impl ExactSizeIterator<Item = &Schema> {
        self.discovery.iter().map(|schema| &**schema)
    }

    /// The schema of that URI in any letter case, including those of the discovery resources.
    #[must_use]
    pub fn schema(&self, uri: &str) -> Option<&Schema> {
        self.schemas().chain(self.discovery_schemas()).find(|schema| schema.id == *uri)
    }

    /// The resource types, in the order they came.
    pub fn resource_types(&self) -> impl ExactSizeIterator<Item = &Arc<CompiledType>> {
        self.types.iter()
    }

    /// The resource type of that name, with its letter case (it is a value, not an attribute name).
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&Arc<CompiledType>> {
        self.types.iter().find(|type_| type_.name() == name)
    }

    /// The resource type at an endpoint, given with its slash: `/Users`.
    #[must_use]
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Arc<CompiledType>> {
        self.types.iter().find(|type_| type_.endpoint() == endpoint)
    }

    /// The resource types whose core schema or extension has that URI.
    pub fn using<'a>(&'a self, uri: &'a SchemaUri) -> impl Iterator<Item = &'a Arc<CompiledType>> {
        self.types
            .iter()
            .filter(move |type_| type_.schema() == uri || type_.find_extension(uri.as_str()).is_some())
    }
}

/// Says whether a path can be an endpoint: one segment that the protocol does not use ([RFC 7644
/// §3.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.2)).
fn is_endpoint(endpoint: &str) -> bool {
    const TAKEN: [&str; 6] = ["Me", "Bulk", "ServiceProviderConfig", "ResourceTypes", "Schemas", ".search"];
    endpoint.strip_prefix('/').is_some_and(|segment| {
        !segment.is_empty()
            && !TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(segment))
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'))
    })
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.types).finish()
    }
}
