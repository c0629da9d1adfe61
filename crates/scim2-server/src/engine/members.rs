//! Members of groups ([RFC 7643 §4.2](https://www.rfc-editor.org/rfc/rfc7643#section-4.2)).

use std::collections::HashSet;

use scim2_core::{ResourceId, ScimType, Value};
use scim2_protocol::ErrorResponse;

use super::{Answer, fault, shorten};
use crate::context::Context;
use crate::options::UnknownMember;
use crate::provider::ServiceProvider;
use crate::store::{Member, ResourceStore};

/// A member as a client gave it. Its `type` and `$ref` are computed, whatever the client says.
#[derive(Debug)]
pub(super) struct Given {
    value: Box<str>,
    display: Option<Box<str>>,
}

impl Given {
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn display(&self) -> Option<&str> {
        self.display.as_deref()
    }
}

/// Reads the values of `members`.
pub(super) fn given(members: &Value) -> Answer<Vec<Given>> {
    members.values().map(given_one).collect()
}

fn given_one(member: &Value) -> Answer<Given> {
    let object = member.as_object();
    let text = |name: &str| object.and_then(|object| object.get_str(name)).filter(|text| !text.is_empty());
    match text("value") {
        Some(value) => Ok(Given { value: value.into(), display: text("display").map(Into::into) }),
        None => Err(ErrorResponse::of_scim_type(
            ScimType::InvalidValue,
            "expected an id in `value` of each of the `members`",
        )),
    }
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// Finds out what the members are. Of members given twice the first counts.
    ///
    /// One that does not exist is refused or left out, as the options say.
    pub(super) async fn resolve_members(&self, cx: &Context, given: Vec<Given>) -> Answer<Vec<Member>> {
        let mut seen = HashSet::with_capacity(given.len());
        let mut ids = Vec::with_capacity(given.len());
        let mut displays = Vec::with_capacity(given.len());
        for Given { value, display } in given {
            if !seen.insert(value.clone()) {
                continue;
            }
            match ResourceId::parse(&value) {
                Ok(id) => {
                    ids.push(id);
                    displays.push(display);
                }
                Err(_) => self.unknown_member(cx, &value)?,
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let targets = self.inner.store.resolve_members(cx, &ids).await.map_err(|error| fault(cx, &error))?;
        let mut members = Vec::with_capacity(ids.len());
        for ((value, display), target) in ids.into_iter().zip(displays).zip(targets) {
            match target {
                // What a client read here and sends back is no name of its own.
                Some(target) => members.push(Member {
                    display: display.filter(|display| target.display.as_ref() != Some(display)),
                    value,
                    resource_type: target.resource_type,
                }),
                None => self.unknown_member(cx, value.as_str())?,
            }
        }
        Ok(members)
    }

    fn unknown_member(&self, cx: &Context, id: &str) -> Answer<()> {
        match self.inner.options.unknown_member {
            UnknownMember::Refuse => Err(ErrorResponse::of_scim_type(
                ScimType::InvalidValue,
                format!("`members` names `{}`, which is no resource here", shorten(id)),
            )),
            UnknownMember::Drop => {
                tracing::info!(request = %cx.request_id, id = shorten(id), "a member that does not exist is left out");
                Ok(())
            }
        }
    }
}
