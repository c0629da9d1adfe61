//! Reads a PatchOp message within limits, and writes it in the RFC's spelling.

#[cfg(feature = "schemars")]
use std::borrow::Cow;

use scim2_core::compiled::MessageSchemas;
use scim2_core::{Compat, Object, Quirk, Value};
use scim2_filter::{DEFAULT_MAX_DEPTH, DEFAULT_MAX_LENGTH, DEFAULT_MAX_TERMS, FilterParser};

use super::{Op, Operation, PatchOp};
use crate::error::{PatchError, PatchErrorKind};
use crate::path;

/// The limits of a PATCH request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The number of operations. 1,000 by default.
    pub max_operations: usize,
    /// The length of a path in bytes.
    pub max_path_length: usize,
    /// How deeply the filter of a path may nest.
    pub max_filter_depth: usize,
    /// How many comparisons the filter of a path may hold.
    pub max_filter_terms: usize,
}

impl Limits {
    /// The defaults: 1,000 operations, and the defaults of `scim2-filter` for paths.
    pub const DEFAULT: Self = Self {
        max_operations: 1000,
        max_path_length: DEFAULT_MAX_LENGTH,
        max_filter_depth: DEFAULT_MAX_DEPTH,
        max_filter_terms: DEFAULT_MAX_TERMS,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl PatchOp {
    /// Reads a PATCH body. The letter case of member names and of `op` is always ignored. `compat` decides about other
    /// deviations: [`PatchNoSchemas`](Quirk::PatchNoSchemas), [`UnknownKeys`](Quirk::UnknownKeys), and the leniencies
    /// of filters, for filters in paths.
    ///
    /// # Errors
    /// [`Schemas`](PatchErrorKind::Schemas), [`Operations`](PatchErrorKind::Operations),
    /// [`TooManyOperations`](PatchErrorKind::TooManyOperations),
    /// [`Operation`](PatchErrorKind::Operation), [`UnknownKey`](PatchErrorKind::UnknownKey),
    /// [`Path`](PatchErrorKind::Path).
    pub fn from_object(message: Object, compat: &Compat, limits: &Limits) -> Result<Self, PatchError> {
        let parser = FilterParser::new()
            .max_length(limits.max_path_length)
            .max_depth(limits.max_filter_depth)
            .max_terms(limits.max_filter_terms);
        let mut reading = Reading { compat, parser, leniencies: Vec::new() };
        let mut operations = None;
        let mut schemas = None;
        for (name, value) in message {
            if name.eq_ignore_ascii_case("Operations") {
                operations = Some(value);
            } else if name.eq_ignore_ascii_case("schemas") {
                schemas = Some(value);
            } else if !reading.allows(Quirk::UnknownKeys) {
                return Err(PatchError::new(PatchErrorKind::UnknownKey(name)));
            }
        }
        reading.schemas(schemas.as_ref())?;
        let Some(Value::Array(operations)) = operations else {
            return Err(PatchError::new(PatchErrorKind::Operations));
        };
        if operations.is_empty() {
            return Err(PatchError::new(PatchErrorKind::Operations));
        }
        if operations.len() > limits.max_operations {
            return Err(PatchError::new(PatchErrorKind::TooManyOperations(limits.max_operations)));
        }
        let operations = operations
            .into_iter()
            .zip(1..)
            .map(|(value, number)| reading.operation(value, number))
            .collect::<Result<_, _>>()?;
        Ok(Self { operations, leniencies: reading.leniencies, is_rest_of_understood: false })
    }

    /// The message as a JSON object.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let operations = self.operations.iter().map(Operation::to_object).collect::<Vec<_>>();
        Object::from_iter([
            ("schemas", Value::from(vec![Self::SCHEMA])),
            ("Operations", Value::from(operations)),
        ])
    }
}

impl Operation {
    fn to_object(&self) -> Object {
        let mut object = Object::with_capacity(3);
        object.insert("op", self.op.as_str());
        if let Some(path) = &self.path {
            object.insert("path", path.to_string());
        }
        if let Some(value) = &self.value {
            object.insert("value", value.clone());
        }
        object
    }
}

/// The state of reading a message.
struct Reading<'c> {
    compat: &'c Compat,
    parser: FilterParser,
    leniencies: Vec<Quirk>,
}

impl Reading<'_> {
    /// Checks `schemas` (S-3.5.2-02). URIs other than that of the message are ignored.
    fn schemas(&mut self, schemas: Option<&Value>) -> Result<(), PatchError> {
        match MessageSchemas::of(schemas, PatchOp::SCHEMA) {
            MessageSchemas::Exact => Ok(()),
            MessageSchemas::Needs(quirk) if self.allows(quirk) => Ok(()),
            MessageSchemas::Needs(_) | MessageSchemas::Other => Err(PatchError::new(PatchErrorKind::Schemas)),
        }
    }

    fn operation(&mut self, value: Value, number: usize) -> Result<Operation, PatchError> {
        let fault = |expected| PatchError::new(PatchErrorKind::Operation(expected)).in_operation(number);
        let Value::Object(members) = value else { return Err(fault("an object")) };
        let (mut op, mut path, mut value) = (None, None, None);
        for (name, member) in members {
            match &*name.to_ascii_lowercase() {
                "op" => op = Some(member),
                "path" => path = Some(member),
                "value" => value = Some(member),
                _ if self.allows(Quirk::UnknownKeys) => {}
                _ => return Err(PatchError::new(PatchErrorKind::UnknownKey(name)).in_operation(number)),
            }
        }
        let op = op
            .as_ref()
            .and_then(Value::as_str)
            .and_then(Op::parse)
            .ok_or_else(|| fault("`op` to be `add`, `remove` or `replace`"))?;
        let path = match path {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                match path::parse(&text, self.parser, self.compat, |quirk| note(&mut self.leniencies, quirk))
                {
                    Ok(path) => Some(path),
                    Err(error) => return Err(PatchError::path(&text, error).at(number, op, Some(&text))),
                }
            }
            Some(_) => return Err(fault("`path` to be a string")),
        };
        Ok(Operation { op, path, value, number })
    }

    /// Says whether a quirk is tolerated, and notes it if so.
    fn allows(&mut self, quirk: Quirk) -> bool {
        let allowed = self.compat.allows(quirk);
        if allowed {
            note(&mut self.leniencies, quirk);
        }
        allowed
    }
}

fn note(leniencies: &mut Vec<Quirk>, quirk: Quirk) {
    if !leniencies.contains(&quirk) {
        leniencies.push(quirk);
    }
}

impl serde::Serialize for PatchOp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for PatchOp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let message = Object::deserialize(deserializer)?;
        Self::from_object(message, &Compat::default(), &Limits::DEFAULT).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for PatchOp {
    fn schema_name() -> Cow<'static, str> {
        "PatchOp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["schemas", "Operations"],
            "properties": {
                "schemas": { "type": "array", "items": { "type": "string" }, "contains": { "const": Self::SCHEMA } },
                "Operations": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["op"],
                        "properties": {
                            "op": { "enum": ["add", "remove", "replace"] },
                            "path": { "type": "string" },
                            "value": {}
                        }
                    }
                }
            }
        })
    }
}
