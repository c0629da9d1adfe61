//! The last part of a PUT or PATCH: what differs is written, and the answer shows it.

use std::sync::Arc;

use http::StatusCode;
use scim2_core::{AttributeId, CompiledType, Object, Value};

use super::conflict::Claims;
use super::members::MembershipDiff;
use super::write_loop::ChangeRequest;
use super::{Answer, Reply};
use crate::projection::Plan;
use crate::store::{Include, MembersWrite, Outcome, ResourceStore, StoredResource, Write};

/// A resource as a change leaves it.
pub(super) struct Changed {
    /// As in [`Write::body`].
    pub(super) body: Object,
    /// As in [`Write::never_returned`].
    pub(super) never_returned: Object,
    /// The paths of the attributes that differ from before.
    pub(super) paths: Vec<Box<str>>,
    pub(super) members: MembersChange,
}

/// What a change does to the members of a group.
pub(super) enum MembersChange {
    /// This, whatever the members are.
    Write(MembersWrite),
    /// It gives the group these members and no others.
    Diff(MembershipDiff),
}

/// What the answer to a change shows.
pub(super) struct AnswerPlan {
    pub(super) plan: Plan,
    /// Whether the answer has a body; without one it is 204.
    pub(super) has_body: bool,
}

impl AnswerPlan {
    /// What the store must return for the answer.
    pub(super) fn include(&self) -> Include {
        if self.has_body { self.plan.include() } else { Include::default() }
    }
}

impl<S: ResourceStore> ChangeRequest<'_, S> {
    /// Writes a resource if it differs from the `current` one, and answers with it.
    pub(super) async fn commit(
        &self,
        current: StoredResource,
        changed: Changed,
        answer: AnswerPlan,
    ) -> Answer<Outcome<Reply>> {
        let Self { provider, cx, type_, id, .. } = *self;
        let Changed { body, never_returned, paths, members } = changed;
        let (members, diff) = match members {
            MembersChange::Write(write) => (write, None),
            MembersChange::Diff(mut diff) => (std::mem::take(&mut diff.write), Some(diff)),
        };
        if paths.is_empty() && matches!(members, MembersWrite::Keep) {
            // A-66, S-3.5.2.1-08: a change that changes nothing is not written, so the version stays.
            return Ok(Outcome::Done(self.reply(current, diff, answer).await?));
        }
        let mut include = answer.include();
        // The diff knows the members.
        include.members &= diff.is_none();
        let claims = Claims::of_changes(type_, &body, &paths);
        let write = Write {
            resource_type: Arc::clone(type_),
            id: current.id,
            body,
            never_returned,
            members,
            changed: paths,
            include,
        };
        match provider.inner.store.replace(cx, &current.version, write).await {
            Ok(Outcome::Done(stored)) => Ok(Outcome::Done(self.reply(stored, diff, answer).await?)),
            Ok(Outcome::NotFound) => Ok(Outcome::NotFound),
            Ok(Outcome::Conflict(version)) => Ok(Outcome::Conflict(version)),
            Err(error) => Err(provider.write_fault(cx, type_, &claims, id, &error).await),
        }
    }

    /// The answer to a change that left the resource like this, and its members as the diff says.
    pub(super) async fn reply(
        &self,
        mut stored: StoredResource,
        diff: Option<MembershipDiff>,
        answer: AnswerPlan,
    ) -> Answer {
        let Self { provider, cx, .. } = *self;
        let AnswerPlan { plan, has_body } = answer;
        if !has_body {
            let location = Some(cx.location(&stored.resource_type, &stored.id));
            return Ok(Reply { version: Some(stored.version), location, ..Reply::no_content() });
        }
        if let Some(diff) = diff {
            return provider.reply_with_members(cx, stored, diff, plan).await;
        }
        if !plan.include().members {
            stored.members = None;
        }
        provider.written_reply(cx, StatusCode::OK, stored, plan).await
    }
}

/// The paths of the attributes that differ between two bodies in canonical form.
pub(super) fn differences(type_: &CompiledType, old: &Object, new: &Object) -> Vec<Box<str>> {
    let mut paths: Vec<Box<str>> = Vec::new();
    if type_.can_nest() && old.get(CompiledType::NESTING) != new.get(CompiledType::NESTING) {
        paths.extend(moved(type_, old, new));
    }
    let moved = paths.len();
    for (name, extension) in names(old, new).map(|name| (name, type_.find_extension(name))) {
        match extension {
            None if old.get(name) != new.get(name)
                && !matches!(name, "schemas" | "id" | CompiledType::NESTING) =>
            {
                paths.push(name.into());
            }
            None => {}
            Some(id) => {
                let uri = type_.extension(id).uri();
                let empty = Object::new();
                let part = |body| Object::get(body, name).and_then(Value::as_object).unwrap_or(&empty);
                let (old, new) = (part(old), part(new));
                for name in names(old, new).filter(|name| old.get(name) != new.get(name)) {
                    let path = format!("{uri}:{name}").into();
                    if !paths.iter().take(moved).any(|moved| *moved == path) {
                        paths.push(path);
                    }
                }
            }
        }
    }
    paths
}

/// The paths of the attributes whose extension is inside another extension than before.
fn moved(type_: &CompiledType, old: &Object, new: &Object) -> Vec<Box<str>> {
    let stays = |id| type_.outer_extension(old, id) == type_.outer_extension(new, id);
    let moved = type_.extensions().filter(|(id, _)| !stays(*id));
    moved
        .filter_map(|(_, extension)| Some((extension.uri(), new.get(extension.uri().as_str())?.as_object()?)))
        .flat_map(|(uri, object)| object.iter().map(move |(name, _)| format!("{uri}:{name}").into()))
        .collect()
}

fn names<'a>(old: &'a Object, new: &'a Object) -> impl Iterator<Item = &'a str> {
    let gone = old.iter().map(|(name, _)| name).filter(|name| !new.contains(name));
    new.iter().map(|(name, _)| name).chain(gone)
}

/// The paths of the never-returned attributes that a write changes. An attribute that the request names counts as
/// changed, because a hash does not say whether the password is the old one. An attribute that was absent and stays
/// absent does not count.
pub(super) fn never_returned_differences(
    type_: &CompiledType,
    old: Option<&Object>,
    new: &Object,
    is_named: impl Fn(AttributeId) -> bool,
) -> Vec<Box<str>> {
    let empty = Object::new();
    let old = old.unwrap_or(&empty);
    let changes = |id: &AttributeId| {
        let (mut new, mut old) = (type_.values_of(new, *id).peekable(), type_.values_of(old, *id).peekable());
        let any = new.peek().or(old.peek()).is_some();
        (any && is_named(*id)) || !new.eq(old)
    };
    type_
        .never_returned_attributes()
        .iter()
        .filter(|id| changes(id))
        .map(|id| type_.attribute(*id).path().into())
        .collect()
}
