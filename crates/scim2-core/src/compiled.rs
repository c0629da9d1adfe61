//! Resource types compiled for look-up: every attribute has a number, every name finds it at once.

use std::fmt;
use std::hash::Hasher;
use std::ops::Range;

use hashbrown::HashTable;
use scim2_names::{SchemaUri, eq_ignore_case, hash_ignore_case};

use crate::compare::StringRule;
use crate::schema::{Attribute, AttributeType, Mutability, ResourceType, Returned, Schema, Uniqueness};
use crate::urn;
use crate::value::{Object, Value};

mod build;
mod common;
mod format;
mod limits;
mod misspelt;
mod nesting;
mod references;

pub(crate) use build::is_required_of_clients;
pub use build::{CompileError, CompileErrorKind};
pub use format::Format;
pub use limits::StringLimits;
pub use misspelt::MessageSchemas;
pub use references::References;

/// A resource type with its core schema, its extensions and the common attributes, compiled.
///
/// Look-ups by (schema URI, name, sub-name) ignore ASCII case, take constant time and allocate
/// nothing ([RFC 7643 §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1),
/// [RFC 7644 §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10)).
///
/// ```
/// use scim2_core::{Registry, schema::Mutability};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let id = user.find(None, "NAME", Some("givenname")).expect("an attribute of User");
/// assert_eq!(user.attribute(id).path(), "name.givenName");
/// assert_eq!(user.attribute(id).mutability(), Mutability::ReadWrite);
/// assert!(user.find(None, "name", Some("nope")).is_none());
/// ```
#[derive(Clone)]
pub struct CompiledType {
    resource_type: ResourceType,
    /// The extensions, in the order of the resource type's document.
    extensions: Vec<CompiledExtension>,
    /// All attributes: the top level of common, core and extension attributes each directly
    /// followed by its sub-attributes.
    attributes: Vec<AttributeDef>,
    /// Finds an attribute by owner and name; see [`Owner`].
    names: HashTable<AttributeId>,
    /// The schemas of the registry that this type does not use.
    foreign: Vec<SchemaUri>,
    members: Option<AttributeId>,
    groups: Option<AttributeId>,
    unique: Vec<AttributeId>,
    references: Vec<References>,
    /// Top-level core attributes and those of extensions that a resource must have.
    required: Vec<AttributeId>,
    /// Attributes with required sub-attributes.
    with_required: Vec<AttributeId>,
    /// Never-returned attributes and sub-attributes; see [`AttributeDef::is_never_returned`].
    never_returned: Vec<AttributeId>,
    /// Top-level attributes with parts that default answers do not show and clients may write.
    not_returned_by_default: Vec<AttributeId>,
    /// Immutable attributes, and immutable sub-attributes of singular ones.
    immutable: Vec<AttributeId>,
    /// Top-level readOnly attributes that are stored and not computed.
    kept: Vec<AttributeId>,
    /// Booleans that are true on creation unless mentioned.
    true_on_create: Vec<AttributeId>,
    has_returned_request: bool,
    string_limits: StringLimits,
}

/// The number of an attribute within its [`CompiledType`]. It is stable while the process lives, is never
/// stored, and means nothing to any other type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeId(u16);

impl AttributeId {
    /// The number, from 0 to [`CompiledType::attribute_count`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The number of an extension within its [`CompiledType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionId(u16);

impl ExtensionId {
    /// The number, in the order of [`CompiledType::extensions`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where an attribute is defined, and so where it is in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A common attribute: `schemas`, `id`, `externalId`, `meta`
    /// ([RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1)).
    Common,
    /// The core schema of the resource type.
    Core,
    /// An extension: the attribute is in an object under the extension's URI.
    Extension(ExtensionId),
}

/// An extension of a compiled resource type.
#[derive(Debug, Clone)]
pub struct CompiledExtension {
    uri: SchemaUri,
    required: bool,
}

impl CompiledExtension {
    /// The URI, as its schema spells it; the key of the extension's object in a body.
    #[must_use]
    pub fn uri(&self) -> &SchemaUri {
        &self.uri
    }

    /// Whether every resource of the type must have the extension.
    #[must_use]
    pub fn required(&self) -> bool {
        self.required
    }
}

/// A compiled attribute or sub-attribute.
#[derive(Clone)]
pub struct AttributeDef {
    id: AttributeId,
    owner: Owner,
    parent: Option<AttributeId>,
    sub_attributes: Range<u16>,
    path: Box<str>,
    rule: StringRule,
    format: Option<Format>,
    never_returned: bool,
    max_bytes: usize,
    attribute: Attribute, // without its sub-attributes, which are attributes of their own here
}

impl AttributeDef {
    /// The number of the attribute.
    #[must_use]
    pub fn id(&self) -> AttributeId {
        self.id
    }

    /// Where the attribute is defined.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// The complex attribute this is a sub-attribute of.
    #[must_use]
    pub fn parent(&self) -> Option<AttributeId> {
        self.parent
    }

    /// The name as the schema spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.attribute.name.as_str()
    }

    /// The path in standard notation as the schema spells it: `name.givenName`, with the
    /// extension's URI and a colon in front if it is an extension's.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The description for people.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.attribute.description.as_deref()
    }

    /// The data type.
    #[must_use]
    pub fn attribute_type(&self) -> AttributeType {
        self.attribute.type_
    }

    /// Whether the attribute is complex.
    #[must_use]
    pub fn is_complex(&self) -> bool {
        self.attribute.type_ == AttributeType::Complex
    }

    /// Whether the attribute has a list of values.
    #[must_use]
    pub fn multi_valued(&self) -> bool {
        self.attribute.multi_valued
    }

    /// Whether a resource (or, for a sub-attribute, a value of its parent) must have it.
    #[must_use]
    pub fn required(&self) -> bool {
        self.attribute.required
    }

    /// Whether strings compare with letter case.
    #[must_use]
    pub fn case_exact(&self) -> bool {
        self.attribute.case_exact
    }

    /// The values the attribute is expected to take; empty for any.
    #[must_use]
    pub fn canonical_values(&self) -> &[String] {
        &self.attribute.canonical_values
    }

    /// Whether clients may write it, and when.
    #[must_use]
    pub fn mutability(&self) -> Mutability {
        self.attribute.mutability
    }

    /// When it is part of a response.
    #[must_use]
    pub fn returned(&self) -> Returned {
        self.attribute.returned
    }

    /// Whether two resources may have the same value.
    #[must_use]
    pub fn uniqueness(&self) -> Uniqueness {
        self.attribute.uniqueness
    }

    /// What a reference may point to.
    #[must_use]
    pub fn reference_types(&self) -> &[String] {
        &self.attribute.reference_types
    }

    /// How strings of this attribute compare.
    #[must_use]
    pub fn string_rule(&self) -> StringRule {
        self.rule
    }

    /// The form that strict modes demand of a value, beyond its data type.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// Says whether no response ever shows the attribute: it is writeOnly or returned `never`, or a part of
    /// such an attribute.
    #[must_use]
    pub fn is_never_returned(&self) -> bool {
        self.never_returned
    }

    /// The most bytes that a string from a client may have here: see [`StringLimits`].
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Says whether answers leave the attribute out by default: it is never returned, or returned only on
    /// request.
    #[must_use]
    pub fn is_not_returned_by_default(&self) -> bool {
        self.never_returned || self.returned() == Returned::Request
    }
}

impl fmt::Debug for AttributeDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttributeDef")
            .field("path", &self.path)
            .field("type", &self.attribute.type_.as_str())
            .finish_non_exhaustive()
    }
}

impl CompiledType {
    /// Compiles a resource type. `schemas` must hold its core schema and all its extensions.
    ///
    /// # Errors
    /// If a schema is missing, a complex attribute is inside a complex one, a name is defined twice, a
    /// never-returned attribute is unique, an attribute that is not a reference has `referenceTypes`, or there
    /// are more than 65,000 attributes: see [`CompileErrorKind`].
    pub fn compile<'a>(
        resource_type: ResourceType,
        schemas: impl Fn(&SchemaUri) -> Option<&'a Schema>,
    ) -> Result<Self, CompileError> {
        build::compile(resource_type, schemas)
    }

    /// The resource type's document.
    #[must_use]
    pub fn resource_type(&self) -> &ResourceType {
        &self.resource_type
    }

    /// The name, which `meta.resourceType` repeats.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.resource_type.name
    }

    /// The endpoint with its slash: `/Users`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.resource_type.endpoint
    }

    /// The URI of the core schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaUri {
        &self.resource_type.schema
    }

    /// The extensions with their numbers.
    pub fn extensions(&self) -> impl Iterator<Item = (ExtensionId, &CompiledExtension)> {
        self.extensions.iter().zip(0_u16..).map(|(extension, at)| (ExtensionId(at), extension))
    }

    /// The extension of that URI, whatever its letter case.
    #[must_use]
    pub fn find_extension(&self, uri: &str) -> Option<ExtensionId> {
        self.extensions().find(|(_, extension)| extension.uri == *uri).map(|(id, _)| id)
    }

    /// An extension of this type.
    ///
    /// # Panics
    /// If the number is another type's.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "documented to panic on another type's number")]
    pub fn extension(&self, id: ExtensionId) -> &CompiledExtension {
        &self.extensions[id.index()]
    }

    /// The attributes of an owner at the top level, in the order of their schema.
    pub fn top_level(&self, owner: Owner) -> impl Iterator<Item = &AttributeDef> {
        self.attributes.iter().filter(move |def| def.parent.is_none() && def.owner == owner)
    }

    /// All attributes and sub-attributes in order of their numbers.
    #[must_use]
    pub fn attributes(&self) -> &[AttributeDef] {
        &self.attributes
    }

    /// How many attributes and sub-attributes there are.
    #[must_use]
    pub fn attribute_count(&self) -> usize {
        self.attributes.len()
    }

    /// An attribute of this type.
    ///
    /// # Panics
    /// If the number is another type's.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "documented to panic on another type's number")]
    pub fn attribute(&self, id: AttributeId) -> &AttributeDef {
        &self.attributes[id.index()]
    }

    /// The sub-attributes of a complex attribute, in the order of their schema; none of a simple one.
    #[must_use]
    pub fn sub_attributes(&self, id: AttributeId) -> &[AttributeDef] {
        let range = &self.attribute(id).sub_attributes;
        self.attributes.get(usize::from(range.start)..usize::from(range.end)).unwrap_or_default()
    }

    /// Finds an attribute by schema URI, name and sub-name, whatever their letter case.
    ///
    /// Without a URI, or with the core schema's, the name is that of a common or core attribute. With an
    /// extension's URI it is an attribute of that extension.
    #[must_use]
    pub fn find(&self, schema: Option<&str>, name: &str, sub: Option<&str>) -> Option<AttributeId> {
        let id = match schema {
            None => self.find_core(name),
            Some(uri) if self.resource_type.schema == *uri => self.find_core(name),
            Some(uri) => {
                self.find_extension(uri).and_then(|owner| self.find_in(Owner::Extension(owner), name))
            }
        }?;
        match sub {
            None => Some(id),
            Some(sub) => self.find_sub(id, sub),
        }
    }

    /// Finds a top-level attribute of one owner.
    #[must_use]
    pub fn find_in(&self, owner: Owner, name: &str) -> Option<AttributeId> {
        self.look_up(Scope::Owner(owner), name)
    }

    /// Finds a sub-attribute of a complex attribute.
    #[must_use]
    pub fn find_sub(&self, parent: AttributeId, name: &str) -> Option<AttributeId> {
        self.look_up(Scope::Parent(parent), name)
    }

    fn find_core(&self, name: &str) -> Option<AttributeId> {
        // A core schema cannot redefine a common attribute: C-3.1-02.
        self.find_in(Owner::Common, name).or_else(|| self.find_in(Owner::Core, name))
    }

    fn look_up(&self, scope: Scope, name: &str) -> Option<AttributeId> {
        self.names
            .find(hash_name(scope, name), |id| {
                let def = self.attribute(*id);
                Scope::of(def) == scope && eq_ignore_case(def.name(), name)
            })
            .copied()
    }

    /// The longest schema URI of this type that `text` begins with, and the rest of the text.
    ///
    /// The rest is empty, or begins with the separator: `:` or, if the caller tolerates it, `.`. `None` as the
    /// extension means the core schema. This rule tells the colons and dots of a URI from those of an attribute
    /// path. An extension's URI may be followed by that of another extension, which is then the result.
    #[must_use]
    pub fn split_schema<'t>(&self, text: &'t str) -> Option<(Option<ExtensionId>, &'t str)> {
        let (schema, rest) = self.longest_schema(text)?;
        // An extension inside an extension is an extension of the resource type.
        let within = rest.strip_prefix(':').filter(|_| schema.is_some());
        match within.and_then(|rest| self.longest_schema(rest)) {
            Some((Some(nested), rest)) => Some((Some(nested), rest)),
            _ => Some((schema, rest)),
        }
    }

    fn longest_schema<'t>(&self, text: &'t str) -> Option<(Option<ExtensionId>, &'t str)> {
        let core = std::iter::once((None, self.schema()));
        let extensions = self.extensions().map(|(id, extension)| (Some(id), extension.uri()));
        core.chain(extensions)
            .filter_map(|(id, uri)| {
                let start = text.get(..uri.as_str().len())?;
                let rest = text.get(uri.as_str().len()..)?;
                let ends = rest.is_empty() || rest.starts_with([':', '.']);
                (ends && *uri == *start).then_some((id, rest))
            })
            .min_by_key(|(_, rest)| rest.len())
    }

    /// The value of an attribute in a body; for a sub-attribute, its value in the first value of its parent.
    #[must_use]
    pub fn get<'o>(&self, object: &'o Object, id: AttributeId) -> Option<&'o Value> {
        let def = self.attribute(id);
        match def.parent {
            Some(parent) => {
                self.get(object, parent)?.values().find_map(|value| value.as_object()?.get(def.name()))
            }
            None => self.owner_object(object, def.owner)?.get(def.name()),
        }
    }

    /// The object that holds the attributes of an owner: the body itself, or the object of the extension.
    #[must_use]
    pub fn owner_object<'o>(&self, object: &'o Object, owner: Owner) -> Option<&'o Object> {
        match owner {
            Owner::Common | Owner::Core => Some(object),
            Owner::Extension(id) => object.get(self.extension(id).uri.as_str())?.as_object(),
        }
    }

    /// The attribute whose values are memberships: multi-valued, complex, called `members`, with
    /// the sub-attributes `value` and `$ref`. The store keeps its values as rows.
    #[must_use]
    pub fn members(&self) -> Option<AttributeId> {
        self.members
    }

    /// The attribute that is computed from memberships: multi-valued, complex, readOnly, called
    /// `groups`, with the sub-attribute `value`.
    #[must_use]
    pub fn groups(&self) -> Option<AttributeId> {
        self.groups
    }

    /// The attributes whose values refer to resources by their ids, except members and groups.
    #[must_use]
    pub fn references(&self) -> &[References] {
        &self.references
    }

    /// The attributes whose `uniqueness` is not `none`, without `id` and the readOnly ones, in order. A complex
    /// attribute is represented by its sub-attribute `value`.
    #[must_use]
    pub fn unique_attributes(&self) -> &[AttributeId] {
        &self.unique
    }

    /// Says whether an attribute is one of those.
    #[must_use]
    pub fn is_unique(&self, id: AttributeId) -> bool {
        self.unique.binary_search(&id).is_ok()
    }

    /// The attributes that no response ever shows, sub-attributes included: see
    /// [`AttributeDef::is_never_returned`].
    #[must_use]
    pub fn never_returned_attributes(&self) -> &[AttributeId] {
        &self.never_returned
    }

    /// Records which schemas of a registry this type does not use.
    pub(crate) fn tell_apart<'a>(&mut self, schemas: impl Iterator<Item = &'a SchemaUri>) {
        let ours = |uri: &SchemaUri| self.schema() == uri || self.find_extension(uri.as_str()).is_some();
        self.foreign = schemas.filter(|uri| !ours(uri)).cloned().collect();
    }

    /// Says whether a URI belongs to something else: another resource type, a discovery document or a message.
    pub(crate) fn is_foreign(&self, uri: &str) -> bool {
        const MESSAGES: &str = "urn:ietf:params:scim:api:";
        uri.get(..MESSAGES.len()).is_some_and(|start| eq_ignore_case(start, MESSAGES))
            || self.foreign.iter().any(|foreign| *foreign == *uri)
    }

    pub(crate) fn required(&self) -> &[AttributeId] {
        &self.required
    }

    pub(crate) fn with_required(&self) -> &[AttributeId] {
        &self.with_required
    }

    pub(crate) fn not_returned_by_default(&self) -> &[AttributeId] {
        &self.not_returned_by_default
    }

    pub(crate) fn immutable(&self) -> &[AttributeId] {
        &self.immutable
    }

    pub(crate) fn kept(&self) -> &[AttributeId] {
        &self.kept
    }

    pub(crate) fn true_on_create(&self) -> &[AttributeId] {
        &self.true_on_create
    }

    /// Says whether an attribute is returned only on request, so that a stored body cannot be the answer
    /// unchanged.
    #[must_use]
    pub fn has_returned_request(&self) -> bool {
        self.has_returned_request
    }
}

impl fmt::Debug for CompiledType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledType")
            .field("name", &self.name())
            .field("attributes", &self.attributes.len())
            .finish_non_exhaustive()
    }
}

/// The scope within which a name is unique.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Owner(Owner),
    Parent(AttributeId),
}

impl Scope {
    fn of(def: &AttributeDef) -> Self {
        def.parent.map_or(Self::Owner(def.owner), Self::Parent)
    }
}

fn hash_name(scope: Scope, name: &str) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    match scope {
        Scope::Owner(Owner::Common) => hasher.write_u8(0),
        Scope::Owner(Owner::Core) => hasher.write_u8(1),
        Scope::Owner(Owner::Extension(id)) => hasher.write(&id.0.to_le_bytes()),
        Scope::Parent(id) => hasher.write(&id.0.to_be_bytes()),
    }
    hash_ignore_case(name, &mut hasher);
    hasher.finish()
}

/// FNV-1a. Names are short and the table is built from schemas that the operator chose. A hash that is quick on
/// short keys is enough: the size of the table, not the peer, bounds the collisions of a look-up.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
