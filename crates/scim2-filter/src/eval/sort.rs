use alloc::borrow::Cow;

use scim2_core::compare::{Instant, StringRule};
use scim2_core::schema::AttributeType;
use scim2_core::work::{VISIT, Work, WorkExceeded, text_cost};
use scim2_core::{AttributeDef, AttributeId, CompiledType, Number, Object, Owner, Value};

use super::error::{Purpose, ResolveError, ResolveErrorKind as Kind};
use super::leniency::Noted;
use super::resolve::{Resolver, Target};
use crate::AttrPath;
use alloc::boxed::Box;

/// The attribute that resources are sorted by.
///
/// ```
/// use scim2_core::{Compat, Object, Registry};
/// use scim2_filter::Resolver;
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let by = Resolver::new(user, Compat::default()).sort_key(&"name.familyName".parse()?)?.expect("known");
///
/// let mut users: Vec<Object> = ["{}", r#"{"name":{"familyName":"Zoe"}}"#, r#"{"name":{"familyName":"ada"}}"#]
///     .iter().map(|json| serde_json::from_str(json)).collect::<Result<_, _>>()?;
/// users.sort_by(|a, b| by.value(a).cmp(&by.value(b)));
/// assert_eq!(users[0].to_string(), r#"{"name":{"familyName":"ada"}}"#);
/// assert!(users[2].is_empty()); // without a value: last
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// For a multi-valued attribute the primary value counts, or the first value if none is primary. A complex attribute
/// with a sub-attribute `value` is sorted by it.
///
/// [RFC 7644 §3.4.2.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.3)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    attribute: AttributeId,
    extension: Option<Box<str>>,
    name: Box<str>,
    sub: Option<Box<str>>,
    type_: AttributeType,
    rule: StringRule,
}

impl SortKey {
    /// Sorts by an attribute that is not complex.
    ///
    /// # Panics
    /// If `attribute` belongs to another resource type.
    #[must_use]
    pub fn new(type_: &CompiledType, attribute: AttributeId) -> Self {
        Self::of(type_, type_.attribute(attribute))
    }

    fn of(type_: &CompiledType, def: &AttributeDef) -> Self {
        let (name, sub) = match def.parent() {
            Some(parent) => (type_.attribute(parent).name().into(), Some(def.name().into())),
            None => (def.name().into(), None),
        };
        Self {
            attribute: def.id(),
            extension: match def.owner() {
                Owner::Extension(id) => Some(type_.extension(id).uri().as_str().into()),
                Owner::Common | Owner::Core => None,
            },
            name,
            sub,
            type_: def.attribute_type(),
            rule: def.string_rule(),
        }
    }

    /// The attribute.
    #[must_use]
    pub fn attribute(&self) -> AttributeId {
        self.attribute
    }

    /// The sort value of a resource. It compares by the attribute's type.
    #[must_use]
    pub fn value<'o>(&self, resource: &'o Object) -> SortValue<'o> {
        self.find(resource).and_then(|value| self.comparable(value)).unwrap_or(SortValue::Missing)
    }

    /// The sort value of a resource. Spends the bytes that it reads.
    ///
    /// # Errors
    /// If too few bytes are left.
    pub fn value_within<'o>(
        &self,
        resource: &'o Object,
        work: &Work<'_>,
    ) -> Result<SortValue<'o>, WorkExceeded> {
        let found = self.find(resource);
        let text = found.and_then(Value::as_str).map_or(0, text_cost);
        work.spend(VISIT.saturating_add(text))?;
        Ok(found.and_then(|value| self.comparable(value)).unwrap_or(SortValue::Missing))
    }

    fn find<'o>(&self, resource: &'o Object) -> Option<&'o Value> {
        let owner = match &self.extension {
            None => resource,
            Some(uri) => resource.get(uri)?.as_object()?,
        };
        let value = owner.get(&self.name)?;
        let is_primary = |element: &&Value| {
            let primary = element.as_object().and_then(|element| element.get("primary"));
            primary.and_then(Value::as_bool) == Some(true)
        };
        let one = value.values().find(is_primary).or_else(|| value.values().next())?;
        match &self.sub {
            None => Some(one),
            Some(sub) => one.as_object()?.get(sub)?.values().next(),
        }
    }

    fn comparable<'o>(&self, value: &'o Value) -> Option<SortValue<'o>> {
        Some(match value {
            Value::Bool(value) => SortValue::Bool(*value),
            Value::Number(number) => SortValue::Number(number.clone()),
            Value::String(text) if self.type_ == AttributeType::DateTime => {
                text.parse().map_or(SortValue::Text(Cow::Borrowed(text)), SortValue::Instant)
            }
            Value::String(text) => SortValue::Text(self.rule.key(text)),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        })
    }
}

/// The sort value of one resource. Resources without a value are the greatest: last ascending, first
/// descending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortValue<'o> {
    /// For a boolean attribute: `false` comes first.
    Bool(bool),
    /// For an integer or decimal attribute.
    Number(Number),
    /// For a dateTime attribute.
    Instant(Instant),
    /// For a string, reference or binary attribute: the comparison key, ordered by code points.
    Text(Cow<'o, str>),
    /// There is no value.
    Missing,
}

impl SortValue<'_> {
    /// The same value, independent of the resource.
    #[must_use]
    pub fn into_owned(self) -> SortValue<'static> {
        match self {
            Self::Bool(value) => SortValue::Bool(value),
            Self::Number(value) => SortValue::Number(value),
            Self::Instant(value) => SortValue::Instant(value),
            Self::Text(text) => SortValue::Text(text.into_owned().into()),
            Self::Missing => SortValue::Missing,
        }
    }
}

impl Resolver<'_> {
    /// Finds the attribute that `sortBy` names. `None` if the resource type does not have it and that
    /// [is not an error](Self::unknown_is_absent).
    ///
    /// # Errors
    /// With the keyword `invalidValue`: an unknown attribute, a whole schema, a complex attribute
    /// without `value`, an attribute that is returned `never`.
    pub fn sort_key(&self, path: &AttrPath) -> Result<Option<SortKey>, ResolveError> {
        let error = |kind, subject: &str| Err(ResolveError::new(kind, subject, self.type_, Purpose::Sort));
        let noted = Noted::default();
        let def = match self.find(path, Purpose::Sort, &noted) {
            Ok(Target::Attribute(id)) => self.type_.attribute(id),
            Ok(Target::Resource | Target::Extension(_)) => return error(Kind::WholeSchema, path.as_str()),
            Err(found) if self.counts_as_absent(&found) => return Ok(None),
            Err(found) => return Err(found),
        };
        let simple = match self.type_.find_sub(def.id(), "value") {
            Some(value) => self.type_.attribute(value),
            None if def.is_complex() => return error(Kind::Complex, def.path()),
            _ => def,
        };
        if def.is_never_returned() || simple.is_never_returned() {
            return error(Kind::NeverReturned, def.path());
        }
        Ok(Some(SortKey::of(self.type_, simple)))
    }
}
