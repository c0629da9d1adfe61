use alloc::boxed::Box;
use alloc::vec::Vec;

use scim2_core::compare::{Instant, StringRule};
use scim2_core::{AttributeDef, AttributeId, CompiledType, ExtensionId, Number, Owner, Quirk, Value};

use crate::CompareOp;

/// A filter compiled for one resource type, ready to run over many resources.
///
/// Every path is resolved, and every literal is converted to its comparison key. Evaluation therefore
/// allocates nothing for ASCII strings and for other strings of up to 256 bytes, except that PRECIS
/// allocates for a `userName` with capital letters beyond ASCII.
///
/// ```
/// use scim2_core::{Compat, Object, Registry};
/// use scim2_filter::{CompiledFilter, Filter};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let filter: Filter = r#"emails[type eq "WORK" and value ew "@example.com"]"#.parse()?;
/// let filter = CompiledFilter::new(&filter, user, Compat::default())?;
///
/// let resource: Object = serde_json::from_str(
///     r#"{"userName":"bjensen","emails":[{"type":"work","value":"bj@example.com"}]}"#,
/// )?;
/// assert!(filter.matches(&resource));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Readings
/// - A test of a multi-valued attribute holds if it holds for any value. So `emails ne "x"` holds
///   if one address differs. `ne` also holds if there is no value.
/// - `pr` needs a value that is not empty. `""`, `[]`, `{}` and an object of empty members are
///   empty; `false` and `0` are not. `eq null` is `not (… pr)`, `ne null` is `pr`.
/// - A complex attribute with a sub-attribute `value` is compared by it: `emails co "x"`,
///   `manager eq "42"`.
/// - `co`, `sw` and `ew` apply to strings and references, the order operators to these, numbers and
///   dateTimes.
/// - A name or a schema that the resource type does not have is an error.
/// - Attributes that are returned `never` cannot be tested.
/// - Strings compare by the [rule](StringRule) of their attribute, dateTimes as instants, numbers
///   by value.
///
/// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledFilter {
    pub(super) condition: Condition,
    pub(super) leniencies: Vec<Quirk>,
    pub(super) absent: Vec<Box<str>>,
}

impl CompiledFilter {
    /// The condition. Walk it to run the filter elsewhere, such as in a database.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// The quirks that resolution needed, each once. [`FilterParser::parse_reporting`](crate::FilterParser::parse_reporting)
    /// reports those that the parser needed.
    #[must_use]
    pub fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }

    /// The paths that the resource type does not have and that count as absent, in lower case, from the root of the
    /// resource. Empty unless the resolver has
    /// [`unknown_is_absent`](crate::Resolver::unknown_is_absent).
    #[must_use]
    pub fn absent_paths(&self) -> &[Box<str>] {
        &self.absent
    }
}

/// The compiled filter of a value path, which tests the elements of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementFilter {
    pub(super) condition: Condition,
    pub(super) leniencies: Vec<Quirk>,
}

impl ElementFilter {
    /// The condition on one element.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// The quirks that resolution needed, each once. [`FilterParser::parse_reporting`](crate::FilterParser::parse_reporting)
    /// reports those that the parser needed.
    #[must_use]
    pub fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }
}

/// A condition on a resource, or on an element within [`Condition::Element`].
///
/// Constants are folded: [`Always`](Self::Always) and [`Never`](Self::Never) occur only at the root
/// or directly within an [`Element`](Self::Element). A condition is not nested deeper than its filter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// Holds for every resource.
    Always,
    /// Holds for no resource.
    Never,
    /// All of at least two conditions hold.
    And(Vec<Condition>),
    /// One of at least two conditions holds.
    Or(Vec<Condition>),
    /// The condition does not hold.
    Not(Box<Condition>),
    /// The attribute has a value that is not empty.
    Present(Subject),
    /// The resource has the extension, with a value in it that is not empty.
    HasExtension(ExtensionSubject),
    /// A value of the attribute compares.
    Compare(Comparison),
    /// One element of the attribute satisfies the condition, whose subjects are the attribute's
    /// sub-attributes, or the element itself if the attribute is simple.
    Element {
        /// The attribute.
        subject: Subject,
        /// What one element must satisfy.
        condition: Box<Condition>,
    },
}

impl Condition {
    /// Says whether the condition tests an attribute for which `of` is true. Sub-attributes within
    /// [`Element`](Self::Element) count too.
    pub fn mentions(&self, of: &impl Fn(AttributeId) -> bool) -> bool {
        // The parser limits the depth of the filter, and with it this recursion.
        match self {
            Self::Always | Self::Never | Self::HasExtension(_) => false,
            Self::And(conditions) | Self::Or(conditions) => {
                conditions.iter().any(|condition| condition.mentions(of))
            }
            Self::Not(condition) => condition.mentions(of),
            Self::Present(subject) => of(subject.attribute()),
            Self::Compare(comparison) => of(comparison.subject().attribute()),
            Self::Element { subject, condition } => of(subject.attribute()) || condition.mentions(of),
        }
    }

    pub(super) fn and(conditions: Vec<Self>) -> Self {
        Self::fold(conditions, &Self::Always, &Self::Never, Self::And)
    }

    pub(super) fn or(conditions: Vec<Self>) -> Self {
        Self::fold(conditions, &Self::Never, &Self::Always, Self::Or)
    }

    /// Joins conditions. `neutral` operands are left out; one `decisive` operand decides the result.
    fn fold(mut conditions: Vec<Self>, neutral: &Self, decisive: &Self, join: fn(Vec<Self>) -> Self) -> Self {
        if conditions.contains(decisive) {
            return decisive.clone();
        }
        conditions.retain(|condition| condition != neutral);
        match conditions.len() {
            0 => neutral.clone(),
            1 => conditions.pop().unwrap_or_else(|| neutral.clone()),
            _ => join(conditions),
        }
    }

    pub(super) fn not(condition: Self) -> Self {
        match condition {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// A tested attribute or sub-attribute, with the way to its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    attribute: AttributeId,
    pub(super) place: Place,
}

/// The way to the values, from the place of the condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// From the resource.
    Resource { extension: Option<Box<str>>, name: Box<str>, sub: Option<Box<str>> },
    /// From an element: a sub-attribute of it.
    Sub(Box<str>),
    /// The element.
    Element,
}

impl Subject {
    /// The attribute, reached from a resource.
    pub(super) fn in_resource(type_: &CompiledType, def: &AttributeDef) -> Self {
        let extension = match def.owner() {
            Owner::Extension(id) => Some(type_.extension(id).uri().as_str().into()),
            Owner::Common | Owner::Core => None,
        };
        let (name, sub) = match def.parent() {
            Some(parent) => (type_.attribute(parent).name().into(), Some(def.name().into())),
            None => (def.name().into(), None),
        };
        Self { attribute: def.id(), place: Place::Resource { extension, name, sub } }
    }

    /// The sub-attribute, reached from an element of its parent.
    pub(super) fn in_element(def: &AttributeDef) -> Self {
        Self { attribute: def.id(), place: Place::Sub(def.name().into()) }
    }

    /// The element of a simple attribute.
    pub(super) fn element(def: &AttributeDef) -> Self {
        Self { attribute: def.id(), place: Place::Element }
    }

    /// The attribute or sub-attribute.
    #[must_use]
    pub fn attribute(&self) -> AttributeId {
        self.attribute
    }
}

/// An extension that is tested for presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionSubject {
    pub(super) extension: ExtensionId,
    pub(super) uri: Box<str>,
}

impl ExtensionSubject {
    /// The extension.
    #[must_use]
    pub fn extension(&self) -> ExtensionId {
        self.extension
    }
}

/// A comparison of an attribute that is not complex.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub(super) subject: Subject,
    pub(super) op: CompareOp,
    pub(super) operand: Operand,
    pub(super) value: Value,
}

impl Comparison {
    /// The attribute whose values are compared.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The operator. It applies to the attribute's type.
    #[must_use]
    pub fn op(&self) -> CompareOp {
        self.op
    }

    /// The literal to compare with, as a comparison key.
    #[must_use]
    pub fn operand(&self) -> &Operand {
        &self.operand
    }

    /// The literal to compare with, as a value of the attribute's type in the spelling of the filter.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }
}

/// A literal, converted for comparison.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// For a string, reference or binary attribute: the comparison key by the attribute's rule.
    Text {
        /// The key.
        key: Box<str>,
        /// The rule that made it.
        rule: StringRule,
    },
    /// For an integer or decimal attribute.
    Number(Number),
    /// For a boolean attribute.
    Bool(bool),
    /// For a dateTime attribute.
    Instant(Instant),
}
