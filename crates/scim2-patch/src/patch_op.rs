//! The PatchOp message: a list of operations
//! ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).

use std::fmt;

use scim2_core::resource::Resource;
use scim2_core::{CompiledType, Quirk, Value};
use scim2_filter::PatchPath;

use crate::diff::{DiffOptions, diff};
use crate::error::{PatchError, cut};

mod message;

pub use message::Limits;

/// The message of a PATCH request: operations that are applied in order, all or none.
///
/// ```json
/// {
///   "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
///   "Operations": [{"op": "replace", "path": "name.givenName", "value": "Ada"}]
/// }
/// ```
///
/// A service provider reads it with [`from_object`](Self::from_object). A client builds it:
///
/// ```
/// use scim2_patch::PatchOp;
///
/// let op = PatchOp::new()
///     .replace("name.givenName", "Ada")?
///     .remove(r#"emails[type eq "home"]"#)?;
/// assert_eq!(
///     op.to_object().to_string(),
///     r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"name.givenName","value":"Ada"},{"op":"remove","path":"emails[type eq \"home\"]"}]}"#
/// );
/// assert!(PatchOp::new().remove("emails[0]").is_err());
/// # Ok::<(), scim2_patch::PatchError>(())
/// ```
///
/// With `serde` it is read as [`from_object`](Self::from_object) does with the default
/// [`Compat`](scim2_core::Compat) and [`Limits`].
#[derive(Clone, Default)]
pub struct PatchOp {
    operations: Vec<Operation>,
    leniencies: Vec<Quirk>,
    is_rest_of_understood: bool,
}

impl PatchOp {
    /// The URI of the message, which its `schemas` holds.
    pub const SCHEMA: &'static str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

    /// A message without operations. It becomes valid with the first one.
    #[must_use]
    pub const fn new() -> Self {
        Self { operations: Vec::new(), leniencies: Vec::new(), is_rest_of_understood: false }
    }

    /// The operations that turn one typed resource into another: [`diff`](fn@crate::diff), for a
    /// client that changes a [`User`](scim2_core::resource::User) of its own.
    ///
    /// ```
    /// use scim2_core::Registry;
    /// use scim2_core::resource::{Email, User};
    /// use scim2_patch::{DiffOptions, PatchOp};
    ///
    /// let registry = Registry::standard();
    /// let type_ = registry.resource_type("User").expect("a standard type");
    /// let before = User::new("ada");
    /// let mut after = before.clone();
    /// after.title = Some("Countess".to_owned());
    /// after.emails.push(Email::new("ada@example.com").with_type("work"));
    ///
    /// let op = PatchOp::between(&before, &after, type_, &DiffOptions::DEFAULT);
    /// let expected = PatchOp::new()
    ///     .add("title", "Countess")?
    ///     .add("emails", vec![Email::new("ada@example.com").with_type("work").to_object()])?;
    /// assert_eq!(op, expected);
    /// # Ok::<(), scim2_patch::PatchError>(())
    /// ```
    #[must_use]
    pub fn between<'r, R>(before: &'r R, after: &'r R, type_: &CompiledType, options: &DiffOptions) -> Self
    where
        Resource: From<&'r R>,
    {
        let (before, after) = (Resource::from(before), Resource::from(after));
        diff(before.object(), after.object(), type_, options)
    }

    /// Appends an `add` of `value` at `path`.
    ///
    /// # Errors
    /// [`Path`](crate::PatchErrorKind::Path) if the path is malformed.
    pub fn add(self, path: &str, value: impl Into<Value>) -> Result<Self, PatchError> {
        self.push_text(Op::Add, path, Some(value.into()))
    }

    /// Appends a `replace` of the value at `path` by `value`.
    ///
    /// # Errors
    /// [`Path`](crate::PatchErrorKind::Path) if the path is malformed.
    pub fn replace(self, path: &str, value: impl Into<Value>) -> Result<Self, PatchError> {
        self.push_text(Op::Replace, path, Some(value.into()))
    }

    /// Appends a `remove` of the value at `path`.
    ///
    /// # Errors
    /// [`Path`](crate::PatchErrorKind::Path) if the path is malformed.
    pub fn remove(self, path: &str) -> Result<Self, PatchError> {
        self.push_text(Op::Remove, path, None)
    }

    /// Appends any operation, with or without a path.
    #[must_use]
    pub fn with(mut self, op: Op, path: Option<PatchPath>, value: Option<Value>) -> Self {
        let number = self.operations.len() + 1;
        self.operations.push(Operation { op, path, value, number });
        self
    }

    /// The operations in order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Says whether there is no operation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The deviations that were tolerated while the message was read, each once. Empty if it was built by hand.
    #[must_use]
    pub fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }

    /// Some operations of a message, each with its number there. `understood` says whether another part of the
    /// message was understood, so that these operations may hold nothing but unknown names.
    pub(crate) fn rest(operations: Vec<Operation>, understood: bool) -> Self {
        Self { operations, leniencies: Vec::new(), is_rest_of_understood: understood }
    }

    pub(crate) fn is_rest_of_understood(&self) -> bool {
        self.is_rest_of_understood
    }

    fn push_text(self, op: Op, path: &str, value: Option<Value>) -> Result<Self, PatchError> {
        let number = self.operations.len() + 1;
        match path.parse() {
            Ok(path) => Ok(self.with(op, Some(path), value)),
            Err(error) => Err(PatchError::path(path, error).at(number, op, Some(path))),
        }
    }
}

impl PartialEq for PatchOp {
    /// Compares the operations only, not the recorded leniencies.
    fn eq(&self, other: &Self) -> bool {
        self.operations == other.operations
    }
}

impl fmt::Debug for PatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.operations).finish()
    }
}

/// One operation of a [`PatchOp`].
#[derive(Clone)]
pub struct Operation {
    pub(crate) op: Op,
    pub(crate) path: Option<PatchPath>,
    pub(crate) value: Option<Value>,
    pub(crate) number: usize,
}

impl Operation {
    /// The kind of the operation.
    #[must_use]
    pub fn op(&self) -> Op {
        self.op
    }

    /// The target. `None` means the whole resource.
    #[must_use]
    pub fn path(&self) -> Option<&PatchPath> {
        self.path.as_ref()
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The position of the operation in the received message, counted from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }
}

impl PartialEq for Operation {
    /// Ignores the number, which is only a position.
    fn eq(&self, other: &Self) -> bool {
        (self.op, &self.path, &self.value) == (other.op, &other.path, &other.value)
    }
}

impl fmt::Debug for Operation {
    /// Shows only the kind of the value, because it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.op)?;
        if let Some(path) = &self.path {
            write!(f, " {}", cut(&path.to_string()))?;
        }
        match &self.value {
            Some(value) => write!(f, " ({})", value.kind()),
            None => Ok(()),
        }
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Adds values, or sub-attributes ([RFC 7644 §3.5.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1)).
    Add,
    /// Removes values ([RFC 7644 §3.5.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.2)).
    Remove,
    /// Replaces values ([RFC 7644 §3.5.2.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.3)).
    Replace,
}

impl Op {
    /// The keyword in the message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }

    /// Reads the keyword in any letter case: Entra ID sends `Add`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Add, Self::Remove, Self::Replace].into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
