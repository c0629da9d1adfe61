use std::fmt;

use http::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base_url::BaseUrl;
use crate::bearer_token::BearerToken;
use crate::endpoint::{Endpoint, ScimResource};
use crate::me::Me;
use crate::transport::Transport;

/// A client of one service provider.
///
/// It has only settings and no other state. Cloning it is as cheap as cloning the transport.
#[derive(Clone)]
pub struct Client<T> {
    pub(crate) transport: T,
    pub(crate) base_url: BaseUrl,
    pub(crate) token: Option<BearerToken>,
    pub(crate) user_agent: HeaderValue,
}

impl<T: Transport> Client<T> {
    /// The default `User-Agent`; [`user_agent`](Self::user_agent) sets another. Some
    /// providers refuse requests without one.
    pub const USER_AGENT: &'static str = concat!("scim2-client/", env!("CARGO_PKG_VERSION"));

    /// A client without credentials.
    pub const fn new(transport: T, base_url: BaseUrl) -> Self {
        Self { transport, base_url, token: None, user_agent: HeaderValue::from_static(Self::USER_AGENT) }
    }

    /// Sets the token that is sent with every request.
    #[must_use]
    pub fn bearer_token(mut self, token: BearerToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Sets the `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// The base URL.
    pub const fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// The resources at an endpoint such as `/Users`, as `R`: an [`Object`](scim2_core::Object), or
    /// any type that serde reads and writes.
    ///
    /// Take endpoints from [`resource_types`](Self::resource_types)
    /// ([RFC 7644 §3.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.2)). Some providers tell
    /// `/Users` and `/users` apart.
    pub fn endpoint<R: Serialize + DeserializeOwned + 'static>(
        &self,
        endpoint: impl Into<String>,
    ) -> Endpoint<'_, T, R> {
        Endpoint::new(self, endpoint.into())
    }

    /// The resources of a type that knows its endpoint.
    pub fn of<R: ScimResource>(&self) -> Endpoint<'_, T, R> {
        Endpoint::new(self, R::ENDPOINT.to_owned())
    }

    /// The resources of all types, to be queried together
    /// ([RFC 7644 §3.4.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.1)).
    pub fn root<R: Serialize + DeserializeOwned + 'static>(&self) -> Endpoint<'_, T, R> {
        Endpoint::new(self, String::new())
    }

    /// The resource of the token's owner
    /// ([RFC 7644 §3.11](https://www.rfc-editor.org/rfc/rfc7644#section-3.11)).
    pub fn me<R: Serialize + DeserializeOwned + 'static>(&self) -> Me<'_, T, R> {
        Me::new(self)
    }
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url)
            .field("token", &self.token)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}
