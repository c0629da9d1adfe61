//! Discovery of the service provider's configuration, schemas and resource types
//! ([RFC 7644 §4](https://www.rfc-editor.org/rfc/rfc7644#section-4)).

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::ClientError;
use crate::exchange::{Answer, Call};
use crate::json;
use crate::transport::Transport;

impl<T: Transport> Client<T> {
    /// The configuration of the service provider
    /// ([RFC 7643 §5](https://www.rfc-editor.org/rfc/rfc7643#section-5)), as `D`: a
    /// [`ServiceProviderConfig`](scim2_core::discovery::ServiceProviderConfig), or an
    /// [`Object`](scim2_core::Object), in which a missing member differs from `false`. If
    /// `/ServiceProviderConfig` is not found, `/ServiceProviderConfigs` of earlier drafts is requested.
    ///
    /// # Errors
    /// As every call.
    pub async fn service_provider_config<D: DeserializeOwned + 'static>(&self) -> Result<D, ClientError> {
        let answer = self.get("/ServiceProviderConfig", None).await?;
        match answer.status() {
            StatusCode::OK => self.read(&answer, "a ServiceProviderConfig"),
            StatusCode::NOT_FOUND => {
                let plural = self.get("/ServiceProviderConfigs", None).await?;
                match plural.status() {
                    StatusCode::OK => self.read(&plural, "a ServiceProviderConfig"),
                    // The first response is that of the RFC's endpoint.
                    _ => Err(self.failure(&answer)),
                }
            }
            _ => Err(self.failure(&answer)),
        }
    }

    /// All schemas, as [`Schema`](scim2_core::schema::Schema) or as any other `D`.
    ///
    /// # Errors
    /// As every call.
    pub async fn schemas<D: DeserializeOwned + 'static>(&self) -> Result<Vec<D>, ClientError> {
        self.all("/Schemas").await
    }

    /// The schema with this URI, or `None`.
    ///
    /// # Errors
    /// As every call.
    pub async fn schema<D: DeserializeOwned + 'static>(&self, uri: &str) -> Result<Option<D>, ClientError> {
        self.one("/Schemas", uri).await
    }

    /// All resource types, as [`ResourceType`](scim2_core::schema::ResourceType) or as any other `D`.
    ///
    /// # Errors
    /// As every call.
    pub async fn resource_types<D: DeserializeOwned + 'static>(&self) -> Result<Vec<D>, ClientError> {
        self.all("/ResourceTypes").await
    }

    /// The resource type of this name, or `None`.
    ///
    /// # Errors
    /// As every call.
    pub async fn resource_type<D: DeserializeOwned + 'static>(
        &self,
        name: &str,
    ) -> Result<Option<D>, ClientError> {
        self.one("/ResourceTypes", name).await
    }

    /// All documents of an endpoint: a ListResponse, or the bare array that some providers return.
    async fn all<D: DeserializeOwned + 'static>(&self, endpoint: &str) -> Result<Vec<D>, ClientError> {
        let answer = self.get(endpoint, None).await?;
        if answer.status() != StatusCode::OK {
            return Err(self.failure(&answer));
        }
        if answer.body().trim_ascii_start().starts_with(b"[") {
            let read = json::read_array(answer.body());
            return read.map_err(|error| self.unreadable(&answer, "an array of documents", &error));
        }
        self.read_list(&answer).map(|list| list.resources)
    }

    async fn one<D: DeserializeOwned + 'static>(
        &self,
        endpoint: &str,
        id: &str,
    ) -> Result<Option<D>, ClientError> {
        let answer = self.get(endpoint, Some(id)).await?;
        match answer.status() {
            StatusCode::OK => self.read(&answer, "a document").map(Some),
            _ if answer.is_missing() => Ok(None),
            _ => Err(self.failure(&answer)),
        }
    }

    async fn get(&self, endpoint: &str, id: Option<&str>) -> Result<Answer, ClientError> {
        self.call(Call::new(Method::GET, self.url(endpoint, id)?)).await
    }
}
