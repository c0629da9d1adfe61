use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{LINEAR, Object, Value};
use crate::json::{Faults, JsonErrorKind};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { depth: usize::MAX, faults: &Faults::default() }.deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ObjectSeed { depth: usize::MAX, faults: &Faults::default() }.deserialize(deserializer)
    }
}

/// Reads any value, at most `depth` arrays and objects deep.
#[derive(Clone, Copy)]
pub(crate) struct ValueSeed<'a> {
    pub(crate) depth: usize,
    pub(crate) faults: &'a Faults<'a>,
}

/// Reads an object, at most `depth` arrays and objects deep, itself included.
#[derive(Clone, Copy)]
pub(crate) struct ObjectSeed<'a> {
    pub(crate) depth: usize,
    pub(crate) faults: &'a Faults<'a>,
}

impl<'a> ValueSeed<'a> {
    fn below<E: Error>(self) -> Result<ValueSeed<'a>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.faults.raise(JsonErrorKind::Depth)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.faults.number(value).map(Value::Number).ok_or_else(|| E::custom("a number is finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.faults.check_text(text)?;
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        self.faults.check_text(&text)?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        ObjectSeed { depth: self.depth, faults: self.faults }.visit_map(map).map(Value::Object)
    }
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let inner = ValueSeed { depth: self.depth, faults: self.faults }.below()?;
        let mut object = Object::new();
        let mut seen = std::collections::HashSet::new(); // filled once a linear search would be slow
        while let Some(name) = map.next_key_seed(NameSeed(self.faults))? {
            let repeated = if object.len() < LINEAR {
                object.contains(&name)
            } else {
                if seen.is_empty() {
                    seen.extend(object.iter().map(|(name, _)| name.to_ascii_lowercase()));
                }
                !seen.insert(name.to_ascii_lowercase())
            };
            if repeated {
                return Err(self.faults.raise(JsonErrorKind::DuplicateName(shorten(&name))));
            }
            let value = map.next_value_seed(inner)?;
            object.members.push((name, value));
        }
        Ok(object)
    }
}

struct NameSeed<'a>(&'a Faults<'a>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Box<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Box<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Box<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Box<str>, E> {
        self.0.check_text(text)?;
        Ok(text.into())
    }
}

/// What an error line repeats of a peer's text.
fn shorten(text: &str) -> Box<str> {
    text.chars().take(64).collect()
}
