//! How the fields of typed resources are read from values and written to them.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

use super::Secret;
use crate::validate::{ValidationError, ValidationErrorKind as Kind};
use crate::value::Value;

/// One value: a string, a boolean, an instant, or a complex value with fields of its own.
pub(super) trait Single: Sized {
    const EXPECTED: &'static str;

    /// Reads the value. An error about the value as a whole has an empty path.
    fn read(value: Value) -> Result<Self, ValidationError>;

    fn write(&self) -> Value;

    fn refuse(value: &Value) -> ValidationError {
        ValidationError::new(Kind::Type, "", Self::EXPECTED, value.kind())
    }
}

/// The content of a field: a required value, an optional one, or a list.
pub(super) trait Field: Sized {
    fn read(value: Option<Value>) -> Result<Self, ValidationError>;

    fn write(&self) -> Option<Value>;
}

impl<T: Single> Field for Option<T> {
    fn read(value: Option<Value>) -> Result<Self, ValidationError> {
        value.filter(|value| !value.is_unassigned()).map(T::read).transpose()
    }

    fn write(&self) -> Option<Value> {
        self.as_ref().map(T::write)
    }
}

impl<T: Single> Field for Vec<T> {
    fn read(value: Option<Value>) -> Result<Self, ValidationError> {
        match value {
            None | Some(Value::Null) => Ok(Self::new()),
            Some(Value::Array(values)) => values.into_iter().map(T::read).collect(),
            Some(value) => Ok(vec![T::read(value)?]),
        }
    }

    fn write(&self) -> Option<Value> {
        (!self.is_empty()).then(|| Value::Array(self.iter().map(T::write).collect()))
    }
}

impl Field for String {
    fn read(value: Option<Value>) -> Result<Self, ValidationError> {
        match value {
            None | Some(Value::Null) => {
                Err(ValidationError::new(Kind::Required, "", <Self as Single>::EXPECTED, "nothing"))
            }
            Some(value) => <Self as Single>::read(value),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Single::write(self))
    }
}

impl Single for String {
    const EXPECTED: &'static str = "a string";

    fn read(value: Value) -> Result<Self, ValidationError> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(<Self as Single>::refuse(&other)),
        }
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl Single for bool {
    const EXPECTED: &'static str = "a boolean";

    fn read(value: Value) -> Result<Self, ValidationError> {
        value.as_bool().ok_or_else(|| Self::refuse(&value))
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Single for Secret {
    const EXPECTED: &'static str = "a string";

    fn read(value: Value) -> Result<Self, ValidationError> {
        match value {
            Value::String(text) => Ok(text.into()),
            other => Err(Self::refuse(&other)),
        }
    }

    fn write(&self) -> Value {
        self.expose().into()
    }
}

impl Single for DateTime<Utc> {
    const EXPECTED: &'static str = "a date and time such as `2008-01-23T04:56:22Z`";

    fn read(value: Value) -> Result<Self, ValidationError> {
        let text = value.as_str().ok_or_else(|| Self::refuse(&value))?;
        DateTime::parse_from_rfc3339(text)
            .map(|instant| instant.to_utc())
            // Without a time zone it is UTC.
            .or_else(|_| text.parse::<NaiveDateTime>().map(|local| local.and_utc()))
            .map_err(|_| Self::refuse(&value))
    }

    fn write(&self) -> Value {
        self.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
    }
}

/// Defines a typed object: its fields with their names on the wire, and `other` for the rest.
macro_rules! typed {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty = $wire:expr,)*
        }
        $(finish = $finish:path;)?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[cfg_attr(feature = "schemars", schemars(rename = $wire))]
                pub $field: $type,
            )*
            /// All other members, by their names on the wire.
            #[cfg_attr(feature = "schemars", schemars(flatten))]
            pub other: $crate::Object,
        }

        impl $name {
            /// The attributes by their names on the wire, without unassigned ones.
            #[must_use]
            pub fn to_object(&self) -> $crate::Object {
                let Self { $($field,)* other } = self;
                let mut object = $crate::Object::new();
                $(
                    if let Some(value) = $crate::resource::field::Field::write($field) {
                        object.insert($wire, value);
                    }
                )*
                for (name, value) in other.iter() {
                    if !object.contains(name) {
                        object.insert(name, value.clone());
                    }
                }
                $($finish(self, &mut object);)?
                object
            }
        }

        impl TryFrom<$crate::Object> for $name {
            type Error = $crate::validate::ValidationError;

            fn try_from(mut object: $crate::Object) -> Result<Self, Self::Error> {
                Ok(Self {
                    $(
                        $field: $crate::resource::field::Field::read(object.remove($wire))
                            .map_err(|error| error.below($wire))?,
                    )*
                    other: object,
                })
            }
        }

        impl $crate::resource::field::Single for $name {
            const EXPECTED: &'static str = "an object";

            fn read(value: $crate::Value) -> Result<Self, $crate::validate::ValidationError> {
                match value {
                    $crate::Value::Object(object) => Self::try_from(object),
                    other => Err(Self::refuse(&other)),
                }
            }

            fn write(&self) -> $crate::Value {
                self.to_object().into()
            }
        }

        impl From<&$name> for $crate::Object {
            fn from(typed: &$name) -> Self {
                typed.to_object()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.to_object().serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let object = <$crate::Object as serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(object).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// The conversions between a typed resource and the dynamic form.
macro_rules! typed_resource {
    ($name:ident) => {
        impl From<&$name> for $crate::resource::Resource {
            fn from(typed: &$name) -> Self {
                typed.to_object().into()
            }
        }

        impl From<$name> for $crate::resource::Resource {
            fn from(typed: $name) -> Self {
                typed.to_object().into()
            }
        }

        impl TryFrom<$crate::resource::Resource> for $name {
            type Error = $crate::validate::ValidationError;

            fn try_from(resource: $crate::resource::Resource) -> Result<Self, Self::Error> {
                Self::try_from(resource.into_object())
            }
        }
    };
}

pub(super) use {typed, typed_resource};
