//! Passwords, which are stored as hashes or not at all
//! ([RFC 7643 §9.2](https://www.rfc-editor.org/rfc/rfc7643#section-9.2)).

use std::borrow::Cow;

use scim2_core::{CompiledType, Object, ScimType, Value};
use scim2_protocol::{Detail, ErrorResponse};

use super::Answer;
use crate::ports::prepare_password;
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

/// The name of the attribute whose value is a clear password.
const PASSWORD: &str = "password";

impl<S: ResourceStore> ServiceProvider<S> {
    /// Puts the hash of a password where the password was, prepared as
    /// [RFC 8265 §4.2](https://www.rfc-editor.org/rfc/rfc8265#section-4.2) says.
    ///
    /// `hashed` keeps the hash for a write that is tried again: hashing is slow on purpose.
    pub(super) async fn protect_password(
        &self,
        type_: &CompiledType,
        never_returned: &mut Object,
        hashed: &mut Hashed,
    ) -> Answer<()> {
        let clear = never_returned.get(PASSWORD).filter(|_| is_password_never_returned(type_));
        let Some(Value::String(clear)) = clear else { return Ok(()) };
        if let Some(hash) = hashed.of(clear) {
            never_returned.insert(PASSWORD, hash);
            return Ok(());
        }
        let Some(hasher) = &self.inner.hasher else {
            return Err(ErrorResponse::not_implemented("this service provider stores no passwords"));
        };
        let Some(prepared) = prepare_password(clear) else {
            return Err(ErrorResponse::of_scim_type(
                ScimType::InvalidValue,
                "`password` is empty or holds characters that the PRECIS profile OpaqueString refuses",
            ));
        };
        let hash = hasher.hash_boxed(prepared).await;
        let hash =
            hash.map_err(|error| ErrorResponse::service_unavailable(Detail::of_names(error.to_string())))?;
        hashed.0 = Some((clear.clone(), hash.clone()));
        never_returned.insert(PASSWORD, hash);
        Ok(())
    }
}

/// A resource together with what is hidden of it, as a change has to see it. The hash of a password
/// is left out: it is not what a client would call its value.
pub(super) fn whole<'a>(
    type_: &CompiledType,
    body: &'a Object,
    never_returned: Option<&Object>,
) -> Cow<'a, Object> {
    let mut never_returned = never_returned.cloned().unwrap_or_default();
    if is_password_never_returned(type_) {
        never_returned.remove(PASSWORD);
    }
    if never_returned.is_empty() {
        return Cow::Borrowed(body);
    }
    let mut whole = body.clone();
    type_.restore_never_returned(&mut whole, &never_returned);
    Cow::Owned(whole)
}

fn is_password_never_returned(type_: &CompiledType) -> bool {
    type_.find(None, PASSWORD, None).is_some_and(|id| type_.attribute(id).is_never_returned())
}

/// The password of a request and its hash.
#[derive(Default)]
pub(super) struct Hashed(Option<(String, String)>);

impl Hashed {
    fn of(&self, clear: &str) -> Option<String> {
        self.0.as_ref().filter(|(hashed, _)| hashed == clear).map(|(_, hash)| hash.clone())
    }
}
