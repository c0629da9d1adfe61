//! What a client sent, made ready for the store.

use scim2_core::schema::Mutability;
use scim2_core::{AttributeId, CompiledType, Object, ResourceId, Value};

use super::Answer;
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

/// A body in canonical form.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) body: Object,
}

impl<S: ResourceStore> ServiceProvider<S> {
    pub(super) fn incoming(&self, _cx: &Context, type_: &CompiledType, body: Object) -> Answer<Incoming> {
        let mut canonical = Object::with_capacity(body.len());
        canonical.insert("schemas", vec![type_.schema().as_str()]);
        for (name, value) in body {
            if let Some(id) = type_.find(None, &name, None)
                && type_.attribute(id).mutability() != Mutability::ReadOnly
                && !type_.attribute(id).is_hidden()
            {
                canonical.insert(type_.attribute(id).name(), value);
            }
        }
        Ok(Incoming { body: canonical })
    }
}

impl Incoming {
    /// The top-level attributes that the client sets.
    pub(super) fn written(&self, type_: &CompiledType) -> Vec<AttributeId> {
        self.body.iter().filter_map(|(name, _)| type_.find(None, name, None)).collect()
    }

    /// The body as it is stored: `schemas`, `id`, then the rest.
    pub(super) fn body_with_id(&self, id: &ResourceId) -> Object {
        let mut body = Object::with_capacity(self.body.len() + 1);
        body.insert("schemas", self.body.get("schemas").cloned().unwrap_or_default());
        body.insert("id", Value::from(id.as_str()));
        body.extend(self.body.clone());
        body
    }
}
