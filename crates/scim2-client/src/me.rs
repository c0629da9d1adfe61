use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::endpoint::{self, RetrieveOptions, WriteOptions};
use crate::error::ClientError;
use crate::outcome::{Retrieved, Stored, Written};
use crate::transport::Transport;

/// The resource of the token's owner, as `R`
/// ([RFC 7644 §3.11](https://www.rfc-editor.org/rfc/rfc7644#section-3.11)).
///
/// A service provider may redirect to the resource, which is followed. A provider without
/// `/Me` responds with 501, which is an error of kind [`Status`](crate::ClientErrorKind::Status).
pub struct Me<'c, T, R> {
    client: &'c Client<T>,
    resource: PhantomData<fn() -> R>,
}

const ME: &str = "/Me";

impl<'c, T: Transport, R: Serialize + DeserializeOwned + 'static> Me<'c, T, R> {
    pub(crate) const fn new(client: &'c Client<T>) -> Self {
        Self { client, resource: PhantomData }
    }

    /// Retrieves it.
    ///
    /// # Errors
    /// As every call. A missing resource is not an error.
    pub async fn retrieve(&self, options: &RetrieveOptions) -> Result<Retrieved<R>, ClientError> {
        endpoint::retrieve(self.client, self.client.url(ME, None)?, options).await
    }

    /// Replaces it.
    ///
    /// # Errors
    /// As every call.
    pub async fn replace(
        &self,
        resource: &R,
        options: &WriteOptions,
    ) -> Result<Written<Stored<R>>, ClientError> {
        endpoint::replace(self.client, self.client.url(ME, None)?, resource, options).await
    }

    /// Modifies it.
    ///
    /// # Errors
    /// As every call.
    pub async fn patch(
        &self,
        patch_op: &(impl Serialize + Sync + ?Sized),
        options: &WriteOptions,
    ) -> Result<Written<Option<Stored<R>>>, ClientError> {
        endpoint::patch(self.client, self.client.url(ME, None)?, patch_op, options).await
    }

    /// Deletes it.
    ///
    /// # Errors
    /// As every call.
    pub async fn delete(&self, options: &WriteOptions) -> Result<Written<()>, ClientError> {
        endpoint::delete(self.client, self.client.url(ME, None)?, options).await
    }
}

impl<T, R> fmt::Debug for Me<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Me").field("client", self.client).finish_non_exhaustive()
    }
}
