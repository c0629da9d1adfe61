//! From documents to the compiled form.

use std::collections::BTreeSet;

use super::*;

/// Why a resource type could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    kind: CompileErrorKind,
    schema: SchemaUri,
    subject: Box<str>,
}

/// The rule of [RFC 7643 §6 and §7](https://www.rfc-editor.org/rfc/rfc7643#section-7) that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileErrorKind {
    /// The resource type names a schema that is not defined.
    UnknownSchema,
    /// The resource type names the same schema twice.
    RepeatedSchema,
    /// Another resource type has the same name or the same endpoint (I-6.1-01).
    RepeatedType,
    /// The endpoint is not a single path segment after a slash, or is one that the protocol uses.
    Endpoint,
    /// A complex attribute is inside a complex attribute (C-2.3.8-02).
    NestedComplex,
    /// A simple attribute has sub-attributes (C-1.2-01).
    SubAttributesOfSimple,
    /// A name is defined twice in one place, in the same or another letter case.
    RepeatedName,
    /// A never-returned attribute is unique. Refusing a duplicate would tell what others have, and a store does
    /// not look for equal secrets ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
    NeverReturnedUnique,
    /// An attribute that is not a reference has `referenceTypes` (C-7-15).
    ReferenceTypes,
    /// An attribute called `password` would be stored or returned in plain text. Only a singular string of a
    /// core schema that is writeOnly and returned `never` is stored as a hash ([RFC 7643
    /// §9.2](https://www.rfc-editor.org/rfc/rfc7643#section-9.2)).
    Password,
    /// There are more attributes than can be numbered.
    TooMany,
}

impl CompileError {
    pub(crate) fn of_type(kind: CompileErrorKind, resource_type: &ResourceType) -> Self {
        let ResourceType { name, endpoint, schema, .. } = resource_type;
        let subject = if kind == CompileErrorKind::Endpoint { endpoint } else { name };
        Self { kind, schema: schema.clone(), subject: subject.as_str().into() }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn kind(&self) -> CompileErrorKind {
        self.kind
    }

    /// The schema at fault, or the one that the resource type at fault names.
    #[must_use]
    pub fn schema(&self) -> &SchemaUri {
        &self.schema
    }

    /// The name of the resource type, if its document is at fault and not a schema.
    #[must_use]
    pub fn resource_type(&self) -> Option<&str> {
        match self.kind {
            CompileErrorKind::UnknownSchema
            | CompileErrorKind::RepeatedSchema
            | CompileErrorKind::RepeatedType => Some(&self.subject),
            CompileErrorKind::Endpoint
            | CompileErrorKind::NestedComplex
            | CompileErrorKind::SubAttributesOfSimple
            | CompileErrorKind::RepeatedName
            | CompileErrorKind::NeverReturnedUnique
            | CompileErrorKind::ReferenceTypes
            | CompileErrorKind::Password
            | CompileErrorKind::TooMany => None,
        }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, schema, subject } = self;
        match kind {
            CompileErrorKind::UnknownSchema => {
                write!(f, "resource type `{subject}` names the schema `{schema}`, which is not defined")
            }
            CompileErrorKind::RepeatedSchema => {
                write!(f, "resource type `{subject}` names the schema `{schema}` twice")
            }
            CompileErrorKind::RepeatedType => {
                write!(f, "resource type `{subject}` has the name or the endpoint of another one")
            }
            CompileErrorKind::Endpoint => {
                write!(
                    f,
                    "expected an endpoint such as `/Things` that the protocol does not use itself, found `{subject}`"
                )
            }
            CompileErrorKind::NestedComplex => {
                write!(f, "`{subject}` of `{schema}` is complex inside a complex attribute")
            }
            CompileErrorKind::SubAttributesOfSimple => {
                write!(f, "`{subject}` of `{schema}` has sub-attributes but is not complex")
            }
            CompileErrorKind::RepeatedName => write!(f, "`{subject}` of `{schema}` is defined twice"),
            CompileErrorKind::NeverReturnedUnique => write!(
                f,
                "`{subject}` of `{schema}` is never returned: expected the `uniqueness` `none` of it, found another one"
            ),
            CompileErrorKind::ReferenceTypes => write!(
                f,
                "`{subject}` of `{schema}` has `referenceTypes`: expected the type `reference` of it, found another one"
            ),
            CompileErrorKind::Password => write!(
                f,
                "`{subject}` of `{schema}` would not be kept secret: expected a singular string at the top of a core \
                 schema, with the mutability `writeOnly` and returned `never`, since only that is stored as a hash"
            ),
            CompileErrorKind::TooMany => write!(f, "`{schema}` defines more attributes than 65000"),
        }
    }
}

impl std::error::Error for CompileError {}

pub(super) fn compile<'a>(
    resource_type: ResourceType,
    schemas: impl Fn(&SchemaUri) -> Option<&'a Schema>,
) -> Result<CompiledType, CompileError> {
    let find = |uri: &SchemaUri| {
        schemas(uri).ok_or_else(|| CompileError {
            kind: CompileErrorKind::UnknownSchema,
            schema: uri.clone(),
            subject: resource_type.name.as_str().into(),
        })
    };
    let core = find(&resource_type.schema)?;
    let mut table = Table { attributes: Vec::new(), names: HashTable::new() };
    for attribute in common::attributes() {
        table.add(&core.id, Owner::Common, &attribute)?;
    }
    for attribute in &core.attributes {
        // A schema that lists a common attribute does not change it: C-3.1-02.
        if table.find(Scope::Owner(Owner::Common), attribute.name.as_str()).is_none() {
            table.add(&core.id, Owner::Core, attribute)?;
        }
    }
    let mut extensions: Vec<CompiledExtension> = Vec::new();
    for extension in &resource_type.schema_extensions {
        let schema = find(&extension.schema)?;
        if schema.id == core.id || extensions.iter().any(|known| known.uri == schema.id) {
            return Err(CompileError {
                kind: CompileErrorKind::RepeatedSchema,
                schema: schema.id.clone(),
                subject: resource_type.name.as_str().into(),
            });
        }
        let owner = Owner::Extension(ExtensionId(table.number(extensions.len(), &schema.id)?));
        for attribute in &schema.attributes {
            table.add(&schema.id, owner, attribute)?;
        }
        extensions.push(CompiledExtension { uri: schema.id.clone(), required: extension.required });
    }
    let Table { attributes, names } = table;
    let unique = attributes
        .iter()
        .filter(|def| def.uniqueness() != Uniqueness::None && def.mutability() != Mutability::ReadOnly)
        .filter_map(|def| match def.attribute_type() {
            // Values of a complex attribute are compared by their `value`.
            AttributeType::Complex => {
                let of_it = |sub: &&AttributeDef| sub.parent() == Some(def.id);
                let value = |sub: &&AttributeDef| sub.name().eq_ignore_ascii_case("value");
                attributes.iter().find(|sub| of_it(sub) && value(sub)).map(|sub| sub.id)
            }
            _ => Some(def.id),
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let has_returned_request = attributes.iter().any(|def| def.returned() == Returned::Request);
    let mut compiled = CompiledType {
        // The schema's spelling of its URI replaces the one in the resource type.
        resource_type: ResourceType { schema: core.id.clone(), ..resource_type },
        extensions,
        attributes,
        names,
        foreign: Vec::new(),
        members: None,
        groups: None,
        unique,
        references: Vec::new(),
        required: Vec::new(),
        with_required: Vec::new(),
        never_returned: Vec::new(),
        not_returned_by_default: Vec::new(),
        immutable: Vec::new(),
        kept: Vec::new(),
        true_on_create: Vec::new(),
        has_returned_request,
        string_limits: StringLimits::default(),
    };
    compiled.set_string_limits(StringLimits::default());
    compiled.members =
        compiled.find_list("members", &["value", "$ref"], |def| def.mutability() == Mutability::ReadWrite);
    compiled.groups =
        compiled.find_list("groups", &["value"], |def| def.mutability() == Mutability::ReadOnly);
    compiled.references = references::find(&compiled);
    compiled.required = compiled.select(|def| {
        def.parent.is_none()
            && def.owner != Owner::Common
            && def.required()
            && def.mutability() != Mutability::ReadOnly
    });
    compiled.with_required = compiled.select(|def| {
        def.owner != Owner::Common
            && def.mutability() != Mutability::ReadOnly
            && (compiled.members == Some(def.id)
                || compiled.sub_attributes(def.id).iter().any(is_required_of_clients))
    });
    compiled.never_returned = compiled.select(|def| {
        def.is_never_returned()
            && !def.parent.is_some_and(|parent| compiled.attribute(parent).is_never_returned())
    });
    compiled.not_returned_by_default = compiled.select(|def| {
        let not_returned_by_default =
            |def: &AttributeDef| def.is_not_returned_by_default() && def.mutability() != Mutability::ReadOnly;
        def.parent.is_none()
            && def.owner != Owner::Common
            && def.mutability() != Mutability::ReadOnly
            && Some(def.id) != compiled.members
            && (not_returned_by_default(def)
                || compiled.sub_attributes(def.id).iter().any(not_returned_by_default))
    });
    compiled.immutable = compiled.select(|def| {
        def.mutability() == Mutability::Immutable
            && def.parent.is_none_or(|parent| {
                let parent = compiled.attribute(parent);
                !parent.multi_valued() && parent.mutability() != Mutability::ReadOnly
            })
    });
    compiled.kept = compiled.select(|def| {
        def.parent.is_none()
            && def.mutability() == Mutability::ReadOnly
            && Some(def.id) != compiled.groups
            && (def.owner != Owner::Common || def.name() == "id")
    });
    compiled.true_on_create = compiled.select(|def| {
        def.owner == Owner::Core
            && def.attribute_type() == AttributeType::Boolean
            && format::true_on_create(compiled.schema().as_str(), def.path())
    });
    Ok(compiled)
}

/// Says whether a value of the parent must have the sub-attribute and a client can set it.
pub(crate) fn is_required_of_clients(def: &AttributeDef) -> bool {
    def.required() && def.mutability() != Mutability::ReadOnly
}

impl CompiledType {
    fn select(&self, fits: impl Fn(&AttributeDef) -> bool) -> Vec<AttributeId> {
        self.attributes.iter().filter(|def| fits(def)).map(|def| def.id).collect()
    }

    /// The multi-valued complex core attribute of that name with these sub-attributes, if `fits`.
    fn find_list(
        &self,
        name: &str,
        subs: &[&str],
        fits: impl Fn(&AttributeDef) -> bool,
    ) -> Option<AttributeId> {
        let id = self.find_in(Owner::Core, name)?;
        let def = self.attribute(id);
        let whole = subs.iter().all(|sub| self.find_sub(id, sub).is_some());
        (def.multi_valued() && def.is_complex() && whole && fits(def)).then_some(id)
    }
}

/// The one attribute that a service provider must not keep in plain text.
const PASSWORD: &str = "password";

/// Says whether a service provider stores this `password` as a hash and never returns it.
fn is_kept_secret(owner: Owner, parent: Option<AttributeId>, attribute: &Attribute) -> bool {
    owner == Owner::Core
        && parent.is_none()
        && attribute.type_ == AttributeType::String
        && !attribute.multi_valued
        && attribute.mutability == Mutability::WriteOnly
        && attribute.returned == Returned::Never
}

struct Table {
    attributes: Vec<AttributeDef>,
    names: HashTable<AttributeId>,
}

impl Table {
    fn add(&mut self, schema: &SchemaUri, owner: Owner, attribute: &Attribute) -> Result<(), CompileError> {
        let fail = |kind, name: &Attribute| {
            Err(CompileError { kind, schema: schema.clone(), subject: name.name.as_str().into() })
        };
        let path = match owner {
            Owner::Extension(_) => format!("{schema}:{}", attribute.name),
            Owner::Common | Owner::Core => attribute.name.to_string(),
        };
        let id = self.push(schema, owner, None, path.clone(), attribute)?;
        if attribute.type_ != AttributeType::Complex && !attribute.sub_attributes.is_empty() {
            return fail(CompileErrorKind::SubAttributesOfSimple, attribute);
        }
        let start = self.next(schema)?;
        for sub in &attribute.sub_attributes {
            if sub.type_ == AttributeType::Complex {
                return fail(CompileErrorKind::NestedComplex, sub);
            }
            self.push(schema, owner, Some(id), format!("{path}.{}", sub.name), sub)?;
        }
        let end = self.next(schema)?;
        if let Some(def) = self.attributes.get_mut(id.index()) {
            def.sub_attributes = start..end;
        }
        Ok(())
    }

    fn push(
        &mut self,
        schema: &SchemaUri,
        owner: Owner,
        parent: Option<AttributeId>,
        path: String,
        attribute: &Attribute,
    ) -> Result<AttributeId, CompileError> {
        let name = attribute.name.as_str();
        let scope = parent.map_or(Scope::Owner(owner), Scope::Parent);
        if self.find(scope, name).is_some() {
            return Err(CompileError {
                kind: CompileErrorKind::RepeatedName,
                schema: schema.clone(),
                subject: path.into(),
            });
        }
        if attribute.type_ != AttributeType::Reference && !attribute.reference_types.is_empty() {
            return Err(CompileError {
                kind: CompileErrorKind::ReferenceTypes,
                schema: schema.clone(),
                subject: path.into(),
            });
        }
        let id = AttributeId(self.next(schema)?);
        let rule = if parent.is_none()
            && owner == Owner::Core
            && *schema == urn::USER
            && attribute.name == "userName"
        {
            // The only string that RFC 7644 §5 prepares by a PRECIS profile.
            StringRule::UserName
        } else if owner == Owner::Common && attribute.name == "schemas" {
            StringRule::CaseIgnore // schema URIs compare without case (RFC 7644 §3.10)
        } else if attribute.reference_types.iter().any(|type_| type_ != "external" && type_ != "uri") {
            StringRule::ResourceUri
        } else if attribute.type_ == AttributeType::Binary {
            StringRule::Base64 // case exact by RFC 7643 §2.3.6, whatever the document says
        } else if attribute.case_exact || attribute.type_ == AttributeType::Reference {
            StringRule::CaseExact // RFC 7643 §2.3.7, whatever the document says
        } else {
            StringRule::CaseIgnore
        };
        let format = if owner == Owner::Core { Format::of(schema.as_str(), &path) } else { None };
        let inherits =
            |parent: AttributeId| self.attributes.get(parent.index()).is_some_and(|def| def.never_returned);
        let never_returned = attribute.mutability == Mutability::WriteOnly
            || attribute.returned == Returned::Never
            || parent.is_some_and(inherits);
        if never_returned
            && attribute.uniqueness != Uniqueness::None
            && attribute.mutability != Mutability::ReadOnly
        {
            return Err(CompileError {
                kind: CompileErrorKind::NeverReturnedUnique,
                schema: schema.clone(),
                subject: path.into(),
            });
        }
        if eq_ignore_case(name, PASSWORD) && !is_kept_secret(owner, parent, attribute) {
            return Err(CompileError {
                kind: CompileErrorKind::Password,
                schema: schema.clone(),
                subject: path.into(),
            });
        }
        self.attributes.push(AttributeDef {
            id,
            owner,
            parent,
            sub_attributes: 0..0,
            path: path.into(),
            rule,
            format,
            never_returned,
            max_bytes: 0, // set with the limits of the type
            attribute: Attribute { sub_attributes: Vec::new(), ..attribute.clone() },
        });
        let attributes = &self.attributes;
        self.names.insert_unique(hash_name(scope, name), id, |id| {
            attributes.get(id.index()).map_or(0, |def| hash_name(Scope::of(def), def.name()))
        });
        Ok(id)
    }

    fn find(&self, scope: Scope, name: &str) -> Option<AttributeId> {
        self.names
            .find(hash_name(scope, name), |id| {
                self.attributes
                    .get(id.index())
                    .is_some_and(|def| Scope::of(def) == scope && eq_ignore_case(def.name(), name))
            })
            .copied()
    }

    fn next(&self, schema: &SchemaUri) -> Result<u16, CompileError> {
        self.number(self.attributes.len(), schema)
    }

    fn number(&self, count: usize, schema: &SchemaUri) -> Result<u16, CompileError> {
        const MAX_ATTRIBUTES: usize = 65_000;
        u16::try_from(count).ok().filter(|_| count < MAX_ATTRIBUTES).ok_or_else(|| CompileError {
            kind: CompileErrorKind::TooMany,
            schema: schema.clone(),
            subject: "".into(),
        })
    }
}
