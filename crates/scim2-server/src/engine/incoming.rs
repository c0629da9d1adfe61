//! What a client sent, made ready for the store.

use scim2_core::validate::{Canonical, Purpose};
use scim2_core::{AttributeId, CompiledType, Object, Owner, ResourceId, Value};
use scim2_protocol::ErrorResponse;

use super::Answer;
use super::members::{MemberInput, inputs};
use super::password::Hashed;
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::references;
use crate::store::ResourceStore;

/// The body of a create or replace in canonical form, taken apart as the store keeps it.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Without `meta`, members, groups and what is hidden.
    pub(super) body: Object,
    /// The never-returned attributes that the client sets, passwords hashed.
    pub(super) never_returned: Object,
    /// The never-returned attributes that the client unassigns.
    pub(super) cleared: Vec<AttributeId>,
    /// The top-level attributes that the client mentions, also those it unassigns.
    pub(super) mentioned: Vec<AttributeId>,
    /// The members as they are given, none if the type has no members.
    pub(super) members: Vec<MemberInput>,
    /// The top-level attributes that the client sets, and the sub-attributes returned on request that it gives.
    pub(super) written: Vec<AttributeId>,
}

impl<S: ResourceStore> ServiceProvider<S> {
    pub(super) async fn incoming(
        &self,
        cx: &Context,
        type_: &CompiledType,
        body: Object,
        purpose: Purpose<'_>,
        hashed: &mut Hashed,
    ) -> Answer<Incoming> {
        let canonical = type_.canonicalize(body, purpose, &self.inner.options.compat);
        let canonical = canonical.map_err(ErrorResponse::from)?;
        note(cx, type_, &canonical);
        let Canonical { object: mut body, cleared, mentioned, given_on_request, .. } = canonical;
        references::settle(&cx.registry, type_, &mut body);
        // What a replace kept was not written.
        let mut written = top_level(type_, &body);
        written.retain(|id| mentioned.contains(id));
        written.extend(given_on_request);
        let mut never_returned = type_.take_never_returned(&mut body);
        self.protect_password(type_, &mut never_returned, hashed).await?;
        let members = match type_.members().and_then(|id| body.remove(type_.attribute(id).name())) {
            Some(members) => inputs(&members)?,
            None => Vec::new(),
        };
        Ok(Incoming { body, never_returned, cleared, mentioned, members, written })
    }
}

/// Names and reasons, never values.
fn note(cx: &Context, type_: &CompiledType, canonical: &Canonical) {
    for ignored in &canonical.ignored {
        cx.notes.ignored(ignored.reason, type_.name(), &ignored.path);
    }
    for (quirk, attribute) in &canonical.leniencies {
        cx.notes.tolerated(*quirk, type_.name(), attribute);
    }
}

/// The attributes of the top level that a body in canonical form has.
fn top_level(type_: &CompiledType, body: &Object) -> Vec<AttributeId> {
    let mut found = Vec::with_capacity(body.len());
    for (name, value) in body.iter() {
        match (type_.find_extension(name), value) {
            (Some(extension), Value::Object(attributes)) => {
                let owner = Owner::Extension(extension);
                found.extend(attributes.iter().filter_map(|(name, _)| type_.find_in(owner, name)));
            }
            _ => found.extend(type_.find(None, name, None)),
        }
    }
    found
}

/// A body with its id, which stands behind `schemas`.
pub(super) fn with_id(body: Object, id: &ResourceId) -> Object {
    let mut with_id = Object::with_capacity(body.len() + 1);
    for (at, (name, value)) in body.into_iter().enumerate() {
        if at == 1 {
            with_id.insert("id", id.as_str());
        }
        with_id.insert(name, value);
    }
    with_id.insert("id", id.as_str());
    with_id
}
