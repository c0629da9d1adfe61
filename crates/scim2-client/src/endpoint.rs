//! The operations on the resources of one type.

use std::fmt;
use std::marker::PhantomData;

use http::Method;
use http::StatusCode;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use scim2_core::{Object, Version};
use scim2_protocol::{ListResponse, Projection, QueryParameters, SearchRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::ClientError;
use crate::exchange::{Answer, Call};
use crate::json;
use crate::outcome::{Retrieved, Stored, Written};
use crate::transport::Transport;

mod pages;

pub use pages::Pages;

/// A Rust type of resources with a known endpoint:
/// [`User`](scim2_core::resource::User), [`Group`](scim2_core::resource::Group), or a type of your own.
///
/// ```
/// use scim2_client::ScimResource;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Badge {
///     schemas: Vec<String>,
///     number: String,
/// }
///
/// impl ScimResource for Badge {
///     const ENDPOINT: &'static str = "/Badges";
/// }
/// ```
pub trait ScimResource: Serialize + DeserializeOwned + 'static {
    /// The endpoint below the base URL, with its leading slash: `/Users`.
    const ENDPOINT: &'static str;
}

impl ScimResource for scim2_core::resource::User {
    const ENDPOINT: &'static str = "/Users";
}

impl ScimResource for scim2_core::resource::Group {
    const ENDPOINT: &'static str = "/Groups";
}

/// The resources at one endpoint, as `R`.
///
/// A typed `R` may need attributes that a [`Projection`] leaves out, as a user needs its `userName`;
/// an [`Object`] needs none.
pub struct Endpoint<'c, T, R> {
    client: &'c Client<T>,
    path: String,
    resource: PhantomData<fn() -> R>,
}

/// Options for retrieving a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetrieveOptions {
    /// The wanted attributes.
    pub projection: Projection,
    /// The version that the client has. The resource is returned only if it has another one.
    pub if_none_match: Option<Version>,
}

/// Options for creating, replacing, modifying or deleting a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// The wanted attributes of the response.
    pub projection: Projection,
    /// The version that the resource must have. Ignored when creating.
    pub if_match: Option<Version>,
}

impl<'c, T: Transport, R: Serialize + DeserializeOwned + 'static> Endpoint<'c, T, R> {
    pub(crate) const fn new(client: &'c Client<T>, path: String) -> Self {
        Self { client, path, resource: PhantomData }
    }

    /// Creates a resource ([RFC 7644 §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)).
    ///
    /// `id` and `meta` are not sent, because the service provider assigns them.
    ///
    /// # Errors
    /// [`Status`](crate::ClientErrorKind::Status) if it was refused, with
    /// [`Uniqueness`](scim2_core::ScimType::Uniqueness) if such a resource exists already.
    pub async fn create(&self, resource: &R, options: &WriteOptions) -> Result<Stored<R>, ClientError> {
        let call = Call::new(Method::POST, self.client.url(&self.path, None)?)
            .query(&projected(&options.projection))
            .json(&to_create(resource)?)?;
        let answer = self.client.call(call).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::OK => self.client.stored(&answer),
            _ => Err(self.client.failure(&answer)),
        }
    }

    /// Retrieves a resource ([RFC 7644 §3.4.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.1)).
    ///
    /// # Errors
    /// As every call. A missing resource is not an error.
    pub async fn retrieve(&self, id: &str, options: &RetrieveOptions) -> Result<Retrieved<R>, ClientError> {
        retrieve(self.client, self.client.url(&self.path, Some(id))?, options).await
    }

    /// Replaces a resource ([RFC 7644 §3.5.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.1)).
    ///
    /// # Errors
    /// As every call.
    pub async fn replace(
        &self,
        id: &str,
        resource: &R,
        options: &WriteOptions,
    ) -> Result<Written<Stored<R>>, ClientError> {
        replace(self.client, self.client.url(&self.path, Some(id))?, resource, options).await
    }

    /// Modifies a resource ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).
    ///
    /// `patch_op` is a `PatchOp`, or another value that the service provider accepts. A provider may respond
    /// without the resource.
    ///
    /// # Errors
    /// As every call.
    pub async fn patch(
        &self,
        id: &str,
        patch_op: &(impl Serialize + Sync + ?Sized),
        options: &WriteOptions,
    ) -> Result<Written<Option<Stored<R>>>, ClientError> {
        patch(self.client, self.client.url(&self.path, Some(id))?, patch_op, options).await
    }

    /// Deletes a resource ([RFC 7644 §3.6](https://www.rfc-editor.org/rfc/rfc7644#section-3.6)).
    ///
    /// # Errors
    /// As every call. A missing resource is not an error.
    pub async fn delete(&self, id: &str, options: &WriteOptions) -> Result<Written<()>, ClientError> {
        delete(self.client, self.client.url(&self.path, Some(id))?, options).await
    }

    /// Queries by GET, one page ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2)).
    ///
    /// # Errors
    /// As every call.
    pub async fn query(&self, query: &QueryParameters) -> Result<ListResponse<R>, ClientError> {
        let answer = self.client.call(self.query_call(query, QueryBy::Get)?).await?;
        self.list(&answer)
    }

    /// Queries by POST to `/.search`, one page
    /// ([RFC 7644 §3.4.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.3)): for filters that
    /// are long, or that hold data which should not be in a URL
    /// ([§7.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-7.5.2)).
    ///
    /// # Errors
    /// As every call.
    pub async fn search(&self, query: &QueryParameters) -> Result<ListResponse<R>, ClientError> {
        let answer = self.client.call(self.query_call(query, QueryBy::Search)?).await?;
        self.list(&answer)
    }

    /// Queries page by page, by GET.
    pub fn pages(&self, query: QueryParameters) -> Pages<'c, T, R> {
        Pages::new(Self::new(self.client, self.path.clone()), query, QueryBy::Get)
    }

    /// Queries page by page, by POST to `/.search`.
    pub fn search_pages(&self, query: QueryParameters) -> Pages<'c, T, R> {
        Pages::new(Self::new(self.client, self.path.clone()), query, QueryBy::Search)
    }

    fn query_call(&self, query: &QueryParameters, by: QueryBy) -> Result<Call, ClientError> {
        match by {
            QueryBy::Get => {
                Ok(Call::new(Method::GET, self.client.url(&self.path, None)?).query(&query.to_query_string()))
            }
            QueryBy::Search => Call::new(Method::POST, self.client.url(&self.path, Some(".search"))?)
                .json(&SearchRequest(query.clone())),
        }
    }

    fn list<L: DeserializeOwned + 'static>(&self, answer: &Answer) -> Result<ListResponse<L>, ClientError> {
        match answer.status() {
            StatusCode::OK => self.client.read_list(answer),
            _ => Err(self.client.failure(answer)),
        }
    }
}

impl<T, R> fmt::Debug for Endpoint<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("client", self.client).field("path", &self.path).finish()
    }
}

/// How a query is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QueryBy {
    Get,
    Search,
}

pub(crate) async fn retrieve<T: Transport, R: DeserializeOwned + 'static>(
    client: &Client<T>,
    url: String,
    options: &RetrieveOptions,
) -> Result<Retrieved<R>, ClientError> {
    let RetrieveOptions { projection, if_none_match } = options;
    let call = Call::new(Method::GET, url)
        .query(&projected(projection))
        .condition(IF_NONE_MATCH, if_none_match.as_ref());
    let answer = client.call(call).await?;
    match answer.status() {
        StatusCode::OK => client.stored(&answer).map(Retrieved::Found),
        StatusCode::NOT_MODIFIED if if_none_match.is_some() => Ok(Retrieved::NotModified),
        _ if answer.is_missing() => Ok(Retrieved::Missing),
        _ => Err(client.failure(&answer)),
    }
}

pub(crate) async fn replace<T: Transport, R: Serialize + DeserializeOwned + 'static>(
    client: &Client<T>,
    url: String,
    resource: &R,
    options: &WriteOptions,
) -> Result<Written<Stored<R>>, ClientError> {
    let answer = client.call(write_call(Method::PUT, url, options).json(resource)?).await?;
    written(client, &answer, options, |answer| match answer.status() {
        StatusCode::OK => client.stored(answer),
        _ => Err(client.failure(answer)),
    })
}

pub(crate) async fn patch<T: Transport, R: DeserializeOwned + 'static>(
    client: &Client<T>,
    url: String,
    patch_op: &(impl Serialize + Sync + ?Sized),
    options: &WriteOptions,
) -> Result<Written<Option<Stored<R>>>, ClientError> {
    let answer = client.call(write_call(Method::PATCH, url, options).json(patch_op)?).await?;
    written(client, &answer, options, |answer| match answer.status() {
        StatusCode::NO_CONTENT => Ok(None),
        StatusCode::OK if answer.body().is_empty() => Ok(None),
        StatusCode::OK => client.stored(answer).map(Some),
        _ => Err(client.failure(answer)),
    })
}

pub(crate) async fn delete<T: Transport>(
    client: &Client<T>,
    url: String,
    options: &WriteOptions,
) -> Result<Written<()>, ClientError> {
    let answer = client.call(write_call(Method::DELETE, url, options)).await?;
    written(client, &answer, options, |answer| match answer.status() {
        StatusCode::NO_CONTENT | StatusCode::OK => Ok(()),
        _ => Err(client.failure(answer)),
    })
}

fn write_call(method: Method, url: String, options: &WriteOptions) -> Call {
    let WriteOptions { projection, if_match } = options;
    Call::new(method, url).query(&projected(projection)).condition(IF_MATCH, if_match.as_ref())
}

/// Handles the statuses that all write operations share.
fn written<T: Transport, W>(
    client: &Client<T>,
    answer: &Answer,
    options: &WriteOptions,
    done: impl FnOnce(&Answer) -> Result<W, ClientError>,
) -> Result<Written<W>, ClientError> {
    match answer.status() {
        StatusCode::PRECONDITION_FAILED if options.if_match.is_some() => Ok(Written::VersionMismatch),
        _ if answer.is_missing() => Ok(Written::Missing),
        status if status.is_success() => done(answer).map(Written::Done),
        _ => Err(client.failure(answer)),
    }
}

fn projected(projection: &Projection) -> String {
    QueryParameters { projection: projection.clone(), ..QueryParameters::default() }.to_query_string()
}

/// The resource without the attributes that only the service provider sets
/// ([RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1)).
fn to_create(resource: &impl Serialize) -> Result<Object, ClientError> {
    let mut object = serde_json::to_vec(resource)
        .and_then(|json| json::read::<Object>(&json))
        .map_err(|_| ClientError::request("the resource cannot be written as a JSON object"))?;
    object.remove("id");
    object.remove("meta");
    Ok(object)
}
