//! The keys of unique attributes.

use std::borrow::Cow;

use crate::compare::Instant;
use crate::compiled::{AttributeId, CompiledType};
use crate::schema::AttributeType;
use crate::value::{Object, Value};

impl CompiledType {
    /// The values of the unique attributes of a resource, prepared for comparison. Two resources conflict if
    /// they have an equal pair.
    ///
    /// A multi-valued attribute has a key for each of its values. A complex attribute is compared by its
    /// `value`, and a `dateTime` as an instant. An empty string has no key: see
    /// [`is_unique_value`](Self::is_unique_value).
    ///
    /// ```
    /// use scim2_core::Registry;
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let ada = serde_json::from_str(r#"{"userName":"Ada@Example.com"}"#)?;
    /// let keys: Vec<_> = user.unique_keys(&ada).map(|(_, key)| key.into_owned()).collect();
    /// assert_eq!(keys, ["ada@example.com"]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn unique_keys<'a>(
        &'a self,
        object: &'a Object,
    ) -> impl Iterator<Item = (AttributeId, Cow<'a, str>)> {
        self.unique_attributes().iter().flat_map(move |id| {
            self.values_of(object, *id).filter_map(move |value| Some((*id, self.key_of(*id, value)?)))
        })
    }

    /// All values of an attribute or sub-attribute in a body, in order.
    pub fn values_of<'a>(&'a self, object: &'a Object, id: AttributeId) -> impl Iterator<Item = &'a Value> {
        let def = self.attribute(id);
        let top = def.parent().map_or(def, |parent| self.attribute(parent));
        let values = self
            .owner_object(object, def.owner())
            .and_then(|owner| owner.get(top.name()))
            .into_iter()
            .flat_map(Value::values);
        values.flat_map(move |value| {
            let found = if def.parent().is_some() {
                value.as_object().and_then(|object| object.get(def.name()))
            } else {
                Some(value)
            };
            found.into_iter().flat_map(Value::values)
        })
    }

    fn key_of<'a>(&self, id: AttributeId, value: &'a Value) -> Option<Cow<'a, str>> {
        if !Self::is_unique_value(value) {
            return None;
        }
        let def = self.attribute(id);
        match value {
            Value::String(text) if def.attribute_type() == AttributeType::DateTime => {
                Some(match text.parse::<Instant>() {
                    Ok(instant) => format!("{}.{:09}", instant.seconds(), instant.nanoseconds()).into(),
                    Err(_) => Cow::Borrowed(text),
                })
            }
            Value::String(text) => Some(def.string_rule().key(text)),
            Value::Number(number) => Some(Cow::Owned(number.key())),
            Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Value::Object(_) | Value::Null | Value::Array(_) => None,
        }
    }

    /// Says whether no other resource may have this value of a unique attribute. An empty string means that
    /// there is no value, so any number of resources may have it.
    #[must_use]
    pub fn is_unique_value(value: &Value) -> bool {
        match value {
            Value::String(text) => !text.is_empty(),
            Value::Number(_) | Value::Bool(_) => true,
            Value::Object(_) | Value::Null | Value::Array(_) => false,
        }
    }
}
