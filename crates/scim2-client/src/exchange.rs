//! Sends one request and reads its response.

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION, USER_AGENT,
};
use http::{Method, Request, Response, StatusCode};
use scim2_core::{Object, Value, Version};
use scim2_protocol::{ErrorResponse, ListResponse, MediaType};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::client::Client;
use crate::error::ClientError;
use crate::json;
use crate::outcome::Stored;
use crate::transport::Transport;

/// How many redirects are followed: one from `/Me` to the resource, and one from an old path
/// to a new one. A third is probably a loop.
const MAX_REDIRECTS: usize = 3;

/// A request that is being built.
pub(crate) struct Call {
    method: Method,
    url: String,
    condition: Option<(HeaderName, Version)>,
    body: Option<Bytes>,
}

impl Call {
    pub(crate) fn new(method: Method, url: String) -> Self {
        Self { method, url, condition: None, body: None }
    }

    /// Appends parameters to the URL.
    pub(crate) fn query(mut self, query: &str) -> Self {
        if !query.is_empty() {
            self.url.push('?');
            self.url.push_str(query);
        }
        self
    }

    /// Requires that the resource has, or does not have, a version.
    pub(crate) fn condition(mut self, header: HeaderName, version: Option<&Version>) -> Self {
        self.condition = version.map(|version| (header, version.clone()));
        self
    }

    pub(crate) fn json(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self, ClientError> {
        let json = serde_json::to_vec(body)
            .map_err(|_| ClientError::request("the body cannot be written as JSON"))?;
        self.body = Some(json.into());
        Ok(self)
    }

    fn request<T>(&self, client: &Client<T>) -> Result<Request<Bytes>, ClientError> {
        let mut request = Request::new(self.body.clone().unwrap_or_default());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() =
            self.url.parse().map_err(|_| ClientError::request("the request does not fit into a URL"))?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, client.user_agent.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/scim+json, application/json"));
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, MediaType::ScimJson.to_header_value());
        }
        if let Some(token) = &client.token {
            headers.insert(AUTHORIZATION, token.authorization().clone());
        }
        if let Some((name, version)) = &self.condition {
            headers.insert(name.clone(), scim2_protocol::headers::etag(version));
        }
        Ok(request)
    }
}

impl<T: Transport> Client<T> {
    /// The URL of an endpoint or of a resource there.
    pub(crate) fn url(&self, endpoint: &str, id: Option<&str>) -> Result<String, ClientError> {
        self.base_url
            .join(endpoint, id)
            .ok_or(ClientError::request("no URL can name a resource with this id"))
    }

    /// Sends a request and follows 307 and 308 redirects, with method and body, on the same server
    /// only: no other server may see the token.
    pub(crate) async fn call(&self, mut call: Call) -> Result<Answer, ClientError> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.transport.send(call.request(self)?).await?;
            let status = response.status();
            if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
                return Ok(Answer { response });
            }
            let target = response
                .headers()
                .get(LOCATION)
                .and_then(|location| location.to_str().ok())
                .and_then(|location| Url::parse(&call.url).ok()?.join(location).ok())
                .ok_or_else(|| ClientError::redirect(status, "it names no location"))?;
            if !self.base_url.same_origin(&target) {
                return Err(ClientError::redirect(status, "it points to another server"));
            }
            call.url = target.into();
        }
        Err(ClientError::redirect(StatusCode::PERMANENT_REDIRECT, "it points on and on"))
    }

    /// The error of an unexpected response.
    pub(crate) fn failure(&self, answer: &Answer) -> ClientError {
        let mut error = answer.error();
        if let (Some(token), Some(detail)) =
            (&self.token, error.as_mut().and_then(|error| error.detail.as_mut()))
        {
            *detail = token.redact(detail);
        }
        ClientError::status_error(answer.status(), error, self.shown(answer))
    }

    /// Reads a body, whatever its content type says.
    pub(crate) fn read<R: DeserializeOwned + 'static>(
        &self,
        answer: &Answer,
        expected: &'static str,
    ) -> Result<R, ClientError> {
        json::read(answer.body()).map_err(|error| self.unreadable(answer, expected, &error))
    }

    /// The error of a body that cannot be read.
    pub(crate) fn unreadable(
        &self,
        answer: &Answer,
        expected: &'static str,
        error: &serde_json::Error,
    ) -> ClientError {
        // The causes of data errors repeat values. Those of syntax errors only name the position.
        let cause = (!error.is_data()).then(|| error.to_string());
        ClientError::unexpected_body(answer.status(), expected, self.shown(answer), cause)
    }

    /// Reads a body as a page.
    pub(crate) fn read_list<R: DeserializeOwned + 'static>(
        &self,
        answer: &Answer,
    ) -> Result<ListResponse<R>, ClientError> {
        json::read_list(answer.body()).map_err(|error| self.unreadable(answer, "a ListResponse", &error))
    }

    /// Reads a body as a resource.
    pub(crate) fn stored<R: DeserializeOwned + 'static>(
        &self,
        answer: &Answer,
    ) -> Result<Stored<R>, ClientError> {
        const EXPECTED: &str = "a resource";
        let object: Object = self.read(answer, EXPECTED)?;
        let meta = object.get("meta").and_then(Value::as_object);
        let header = |name| answer.response.headers().get(name)?.to_str().ok();
        let version = header(ETAG).or_else(|| meta?.get_str("version")).and_then(Version::from_etag);
        let location = header(LOCATION).or_else(|| meta?.get_str("location")).map(str::to_owned);
        Ok(Stored { resource: self.read(answer, EXPECTED)?, version, location })
    }

    /// The beginning of a body, without the token.
    fn shown(&self, answer: &Answer) -> String {
        // Redact first: a token that is cut in two would not be found.
        let kept = answer.body().get(..ClientError::MAX_BODY_BYTES * 16).unwrap_or(answer.body());
        let text = String::from_utf8_lossy(kept);
        match &self.token {
            Some(token) => token.redact(&text),
            None => text.into_owned(),
        }
    }
}

/// A response.
pub(crate) struct Answer {
    response: Response<Bytes>,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.response.body()
    }

    /// The SCIM error in the body, whatever the content type says.
    pub(crate) fn error(&self) -> Option<ErrorResponse> {
        let object = serde_json::from_slice::<Object>(self.body()).ok()?;
        ErrorResponse::from_object(&object, self.status())
    }

    /// Says whether the response means that the resource does not exist. A 404 without a SCIM
    /// error may come from a proxy, or from a method that is not supported.
    pub(crate) fn is_missing(&self) -> bool {
        self.status() == StatusCode::NOT_FOUND && self.error().is_some()
    }
}
