//! Passwords, which are stored as hashes or not at all
//! ([RFC 7643 §9.2](https://www.rfc-editor.org/rfc/rfc7643#section-9.2)).

use std::borrow::Cow;

use scim2_core::{CompiledType, Object};
use scim2_protocol::{Detail, ErrorResponse};

use super::Answer;
use crate::ingest::{ClearPassword, PASSWORD};
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

impl<S: ResourceStore> ServiceProvider<S> {
    /// Puts the hash of a password into the never-returned attributes.
    ///
    /// Hashing is slow on purpose, so `hashed` keeps the hash for a write that is attempted again.
    pub(super) async fn hash_password(
        &self,
        password: Option<ClearPassword>,
        never_returned: &mut Object,
        hashed: &mut HashedPassword,
    ) -> Answer<()> {
        let Some(clear) = password else { return Ok(()) };
        if let Some(hash) = hashed.hash_of(&clear) {
            never_returned.insert(PASSWORD, hash);
            return Ok(());
        }
        let Some(hasher) = &self.inner.hasher else {
            return Err(ErrorResponse::not_implemented("this service provider stores no passwords"));
        };
        let hash = hasher.hash_boxed(clear.prepare()?).await;
        let hash =
            hash.map_err(|error| ErrorResponse::service_unavailable(Detail::of_names(error.to_string())))?;
        hashed.0 = Some((clear.into_string(), hash.clone()));
        never_returned.insert(PASSWORD, hash);
        Ok(())
    }
}

/// A resource together with its never-returned attributes, as a change must see it. The hash of the password is left
/// out, because it is not the value that a client would name.
pub(super) fn whole<'a>(
    type_: &CompiledType,
    body: &'a Object,
    never_returned: Option<&Object>,
) -> Cow<'a, Object> {
    let mut never_returned = never_returned.cloned().unwrap_or_default();
    ClearPassword::take(&mut never_returned);
    if never_returned.is_empty() {
        return Cow::Borrowed(body);
    }
    let mut whole = body.clone();
    type_.restore_never_returned(&mut whole, &never_returned);
    Cow::Owned(whole)
}

/// The password of a request and its hash.
#[derive(Default)]
pub(super) struct HashedPassword(Option<(String, String)>);

impl HashedPassword {
    fn hash_of(&self, clear: &ClearPassword) -> Option<String> {
        self.0.as_ref().filter(|(hashed, _)| hashed == clear.as_str()).map(|(_, hash)| hash.clone())
    }
}
