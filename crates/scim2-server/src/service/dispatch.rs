//! Leads a request to the operation of the engine that it asks for.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Method, Request};
use http_body::Body;
use scim2_core::work::WorkBudget;
use scim2_core::{CompiledType, Quirk, ScimType};
use scim2_protocol::{Detail, ErrorResponse, Preconditions, Projection, QueryParameters, SearchRequest};

use super::body::BoxError;
use super::refusal::Refusal;
use super::route::{Route, is_canonical, route, unreserved};
use super::{ScimService, base, body, over_budget};
use crate::context::{Access, Context, Principal, TenantId};
use crate::engine::{Answer, Reply, RequestBody, StillAllowed, shorten};
use crate::forwarded::{ClientAddress, ToleratedBelow};
use crate::in_flight::{COUNTED_FROM, HeldBytes};
use crate::notes::{Note, Noted, Notes, listed};
use crate::ports::Authenticator;
use crate::projection;
use crate::refusals::{method_name, path_of_line};
use crate::store::ResourceStore;

impl<S: ResourceStore, A: Authenticator> ScimService<S, A> {
    pub(super) async fn dispatch<B>(
        &self,
        request: Request<B>,
        request_id: &Arc<str>,
    ) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let provider = &self.inner.provider;
        let options = provider.options();
        let address = head.extensions.get().map(|address: &ClientAddress| address.client);
        let log = |refusal: Refusal| {
            self.log_refusal(&refusal, Some((&head.method, &head.uri)), address, request_id);
            refusal
        };
        let (unreserved, base) = (unreserved(head.uri.path()), options.base_url.path());
        let mut path = route(&unreserved, base, options.compat.allows(Quirk::TrailingSlash));
        let is_variant = !is_canonical(head.uri.path(), &unreserved, base);
        if is_variant && !options.compat.allows(Quirk::PathVariants) {
            path = path.of_variant();
        }
        let mut bytes = provider.inner.bytes.clone();
        let is_anonymous = options.anonymous_discovery && path.is_discovery();
        let principal = if is_anonymous {
            if let Some(address) = head.extensions.get::<ClientAddress>() {
                bytes = bytes.for_source(address.client);
            }
            anonymous()
        } else {
            self.authenticate(&head).await.map_err(log)?
        };
        let credential = (!is_anonymous).then_some(&principal.actor);
        let cx = Context {
            tenant: principal.tenant.clone(),
            actor: Arc::clone(&principal.actor),
            now: provider.inner.clock.now(),
            request_id: Arc::clone(request_id),
            registry: Arc::clone(provider.registry()),
            base_url: base::base_url(&options.base_url, &head)
                .map_err(|error| log(Refusal::from(error).of(&head.method, credential)))?,
            work: work_budget(&path, &head.method, options.limits.max_work),
            notes: Notes::default(),
            bytes,
        };
        self.note_quirks(&cx, &head, base, is_variant);
        let (reads, held) = (path.is_read_by(&head.method), OnceLock::new());
        let call = Call { service: self, cx: &cx, head: &head, principal: &principal, held: &held };
        let outcome = match call.answer(path, body).await {
            Ok(reply) => counted(&cx, reply, reads).map_err(Refusal::from),
            refused => refused,
        };
        self.log_notes(&cx, &head);
        outcome.map_err(|refusal| log(refusal.of(&head.method, credential)))
    }

    async fn authenticate(&self, head: &Parts) -> Result<Principal, Refusal> {
        let authenticator = &self.inner.authenticator;
        let principal = authenticator.authenticate(head).await;
        principal.map_err(|error| Refusal::of_credential(&error, authenticator))
    }

    /// Notes the deviations of the head of a request.
    fn note_quirks(&self, cx: &Context, head: &Parts, base: &str, is_variant: bool) {
        let options = self.inner.provider.options();
        let path = head.uri.path();
        let has_slash = path.ends_with('/') && path.trim_end_matches('/') != base;
        if has_slash && options.compat.allows(Quirk::TrailingSlash) {
            cx.notes.tolerated(Quirk::TrailingSlash, "", "");
        }
        if is_variant && options.compat.allows(Quirk::PathVariants) {
            cx.notes.tolerated(Quirk::PathVariants, "", "");
        }
        if let Some(ToleratedBelow(quirk)) = head.extensions.get() {
            cx.notes.tolerated(*quirk, "", "");
        }
        if options.compat.allows(Quirk::AuthNoScheme) {
            let field = head.headers.get(AUTHORIZATION).and_then(|field| field.to_str().ok());
            if field.is_some_and(|field| !field.trim().contains(' ')) {
                cx.notes.tolerated(Quirk::AuthNoScheme, "", "");
            }
        }
    }

    /// Logs one line for the deviations of a request from the RFCs. It names attributes, never values.
    fn log_notes(&self, cx: &Context, head: &Parts) {
        let notes = cx.notes.take();
        if notes.is_empty() {
            return;
        }
        self.inner.provider.inner.counters.note(&notes);
        if tracing::enabled!(tracing::Level::INFO) {
            let (tolerated, ignored): (Vec<&Note>, Vec<&Note>) =
                notes.iter().partition(|note| matches!(note.what, Noted::Tolerated(_)));
            tracing::info!(
                request = %cx.request_id,
                method = method_name(head.method.as_str()),
                path = path_of_line(head.uri.path()),
                credential = &*cx.actor,
                tolerated = listed(tolerated.into_iter()),
                ignored = listed(ignored.into_iter()),
                "lenient"
            );
        }
    }
}

/// Counts the bytes of an answer until they are written. The answer to a write cannot be refused any more; it
/// is about as large as its request.
fn counted(cx: &Context, reply: Reply, reads: bool) -> Answer {
    let Some(length) = reply.body.whole_length().filter(|length| *length >= COUNTED_FROM) else {
        return Ok(reply);
    };
    let held = if reads {
        cx.hold_bytes(length as u64).map_err(over_budget)?
    } else {
        cx.hold_bytes_anyway(length as u64)
    };
    Ok(Reply { body: reply.body.counted(held), ..reply })
}

/// The work that a request may cause. Reading or deleting one resource is bounded by its size, so these most
/// frequent requests need no counter.
fn work_budget(path: &Route<'_>, method: &Method, limit: u64) -> WorkBudget {
    let many = match path {
        Route::Endpoint(_) | Route::Search(_) | Route::Root | Route::RootSearch | Route::Bulk => true,
        Route::Resource(..) | Route::Me => matches!(*method, Method::PUT | Method::PATCH),
        _ => false,
    };
    if many { WorkBudget::new(limit) } else { WorkBudget::unlimited() }
}

/// The principal of a discovery request without a credential.
fn anonymous() -> Principal {
    Principal { tenant: TenantId::default(), actor: "anonymous".into(), access: Access::Read, resource: None }
}

/// One request under way.
struct Call<'a, S, A> {
    service: &'a ScimService<S, A>,
    cx: &'a Context,
    head: &'a Parts,
    principal: &'a Principal,
    /// The bytes of its body, counted until it is answered.
    held: &'a OnceLock<HeldBytes>,
}

impl<S: ResourceStore, A: Authenticator> StillAllowed for Call<'_, S, A> {
    async fn still_allowed(&self) -> Answer<()> {
        let authenticator = &self.service.inner.authenticator;
        match authenticator.authenticate(self.head).await {
            Ok(now) if now.tenant == self.principal.tenant && now.access == Access::Write => Ok(()),
            Ok(_) => Err(ErrorResponse::forbidden("the credential of this request no longer allows writing")),
            Err(error) => Err(*Refusal::of_credential(&error, authenticator).error),
        }
    }
}

impl<S: ResourceStore, A: Authenticator> Call<'_, S, A> {
    async fn answer<B>(&self, path: Route<'_>, body: B) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (call, cx, provider) = (self, self.cx, self.provider());
        match path {
            Route::Endpoint(endpoint) => call.endpoint(endpoint, body).await,
            Route::Resource(endpoint, id) => {
                let type_ = call.resource_type(endpoint)?;
                call.resource(&type_, &id, body).await
            }
            Route::Search(endpoint) => {
                let type_ = call.resource_type(endpoint)?;
                call.search(Some(&type_), body).await
            }
            Route::Root => call.root().await,
            Route::RootSearch => call.search(None, body).await,
            // The futures of Bulk, PUT and PATCH are boxed, because they are several times as large as that of a GET,
            // and every request would have to move as much.
            Route::Bulk => Box::pin(call.bulk(body)).await,
            Route::Me => Box::pin(call.me(body)).await,
            Route::OtherVersion => Err(ErrorResponse::of_scim_type(
                ScimType::InvalidVers,
                "this service provider speaks version 2 of the protocol, `v2`",
            )
            .into()),
            Route::ServiceProviderConfig => {
                let projection = call.discovery()?;
                Ok(provider.discover_config(cx, &projection)?)
            }
            Route::Schemas(uri) => {
                let projection = call.discovery()?;
                Ok(provider.discover_schemas(cx, uri.as_deref(), &projection)?)
            }
            Route::ResourceTypes(name) => {
                let projection = call.discovery()?;
                Ok(provider.discover_resource_types(cx, name.as_deref(), &projection)?)
            }
            Route::Variant => Err(call.variant()),
            Route::Nowhere => Err(call.nowhere()),
        }
    }

    async fn endpoint<B>(&self, endpoint: &str, body: B) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let type_ = self.resource_type(endpoint)?;
        match self.head.method {
            Method::POST => {
                self.may_write()?;
                let resource = self.json(body).await?;
                let projection = self.projection_of(&type_)?;
                Ok(self.provider().create(self.cx, &type_, resource, &projection).await?)
            }
            Method::GET | Method::HEAD => {
                let parameters = self.parameters()?;
                Ok(self.provider().query(self.cx, Some(&type_), &parameters, true).await?)
            }
            _ => Err(self.not_allowed("GET, HEAD, POST")),
        }
    }

    async fn resource<B>(&self, type_: &Arc<CompiledType>, id: &str, body: B) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let conditions = Preconditions::from_headers(&self.head.headers);
        match self.head.method {
            Method::GET | Method::HEAD => {
                let projection = self.projection_of(type_)?;
                Ok(self.provider().retrieve(self.cx, type_, id, &projection, &conditions).await?)
            }
            Method::PUT => {
                self.may_write()?;
                let resource = self.json(body).await?;
                let projection = self.projection_of(type_)?;
                let provider = self.provider();
                Ok(Box::pin(provider.replace(self.cx, type_, id, resource, &projection, &conditions)).await?)
            }
            Method::PATCH => {
                self.provider().offers_patch()?;
                self.may_write()?;
                let message = self.json(body).await?;
                let projection = self.projection_of(type_)?;
                let provider = self.provider();
                Ok(Box::pin(provider.patch(self.cx, type_, id, message, &projection, &conditions)).await?)
            }
            Method::DELETE => {
                self.may_write()?;
                Ok(self.provider().delete(self.cx, type_, id, &conditions).await?)
            }
            _ => Err(self.not_allowed("GET, HEAD, PUT, PATCH, DELETE")),
        }
    }

    /// Checks a discovery request, which only reads and does not filter (S-4-05, S-4-06), and returns its
    /// projection.
    fn discovery(&self) -> Result<Projection, Refusal> {
        match self.head.method {
            Method::GET | Method::HEAD => {}
            _ => return Err(self.not_allowed("GET, HEAD")),
        }
        let query = self.head.uri.query().unwrap_or_default();
        let filters = query
            .split('&')
            .any(|pair| pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("filter")));
        if filters {
            return Err(ErrorResponse::forbidden("expected no `filter`: discovery is not filtered").into());
        }
        Ok(self.projection()?)
    }

    /// A query on the root covers all resource types (S-3.4.2.1-01).
    async fn root(&self) -> Result<Reply, Refusal> {
        match self.head.method {
            Method::GET | Method::HEAD => {
                let parameters = self.parameters()?;
                Ok(self.provider().query(self.cx, None, &parameters, true).await?)
            }
            _ => Err(self.not_allowed("GET, HEAD")),
        }
    }

    async fn search<B>(&self, type_: Option<&Arc<CompiledType>>, body: B) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        if self.head.method != Method::POST {
            return Err(self.not_allowed("POST"));
        }
        let message = self.json(body).await?;
        let mut note = |quirk, member: &str| self.cx.notes.tolerated(quirk, "SearchRequest", member);
        let compat = &self.provider().options().compat;
        let SearchRequest(parameters) =
            SearchRequest::from_object_noting(message.into_object(), compat, &mut note)
                .map_err(ErrorResponse::from)?;
        Ok(self.provider().query(self.cx, type_, &parameters, false).await?)
    }

    async fn bulk<B>(&self, body: B) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let provider = self.provider();
        let options = provider.options();
        if !options.features.bulk {
            return Err(ErrorResponse::not_implemented("this service provider has no bulk operations").into());
        }
        if self.head.method != Method::POST {
            return Err(self.not_allowed("POST"));
        }
        self.may_write()?;
        let limit = options.limits.bulk_payload;
        let message = self.read(body, limit, || provider.bulk_too_large()).await?;
        Ok(provider.bulk(self.cx, message, self).await?)
    }

    /// `/Me` is processed as the resource it stands for, whose URI is in `Location`
    /// ([RFC 7644 §3.11](https://www.rfc-editor.org/rfc/rfc7644#section-3.11)).
    async fn me<B>(&self, body: B) -> Result<Reply, Refusal>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let Some((resource_type, id)) = &self.principal.resource else {
            let detail = "`/Me` is not supported for this credential, which stands for no resource";
            return Err(ErrorResponse::not_implemented(detail).into());
        };
        let type_ = self.cx.registry.resource_type(resource_type).ok_or_else(|| self.nowhere())?;
        self.resource(type_, id.as_str(), body).await
    }

    fn provider(&self) -> &crate::provider::ServiceProvider<S> {
        &self.service.inner.provider
    }

    fn resource_type(&self, endpoint: &str) -> Result<Arc<CompiledType>, Refusal> {
        self.cx.registry.by_endpoint(endpoint).cloned().ok_or_else(|| self.nowhere())
    }

    fn projection(&self) -> Answer<Projection> {
        match self.head.uri.query() {
            None => Ok(Projection::Default),
            Some(query) => Ok(Projection::from_query_str(query, &self.provider().options().compat)?),
        }
    }

    /// The projection of resources of one type, whose names were looked up in it.
    fn projection_of(&self, type_: &CompiledType) -> Answer<Projection> {
        let projection = self.projection()?;
        projection::check(self.cx, type_, &projection, self.provider().options().compat, false)?;
        Ok(projection)
    }

    fn parameters(&self) -> Answer<QueryParameters> {
        let query = self.head.uri.query().unwrap_or_default();
        Ok(QueryParameters::from_query_str(query, &self.provider().options().compat)?)
    }

    fn may_write(&self) -> Answer<()> {
        match self.principal.access {
            Access::Write => Ok(()),
            Access::Read => {
                Err(ErrorResponse::forbidden("the credential of this request allows reading only"))
            }
        }
    }

    /// Reads the body, which must be a JSON object.
    async fn json<B>(&self, body: B) -> Answer<RequestBody<'static>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let limit = self.provider().options().limits.max_body;
        let too_large = || {
            ErrorResponse::payload_too_large(Detail::of_names(format!(
                "the body is larger than {limit} bytes, the limit"
            )))
        };
        self.read(body, limit, too_large).await
    }

    async fn read<B>(
        &self,
        body: B,
        limit: usize,
        too_large: impl Fn() -> ErrorResponse,
    ) -> Answer<RequestBody<'static>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (bytes, held) = body::read(self.cx, &self.head.headers, body, limit, too_large).await?;
        if let Some(held) = held {
            // A request has one body.
            let _ = self.held.set(held);
        }
        self.provider().parse(self.cx, bytes).await
    }

    fn nowhere(&self) -> Refusal {
        let path = shorten(self.head.uri.path());
        let detail = Detail::new(format!("there is no endpoint `{path}`"), "there is no such endpoint");
        ErrorResponse::not_found(detail).into()
    }

    /// 404 for a path that is not canonical, with the canonical form.
    fn variant(&self) -> Refusal {
        let base = self.provider().options().base_url.path();
        let rule = format!(
            "paths begin with `{base}` and the endpoint, without another version, and encode no letters, digits, \
             `-`, `.`, `_` or `~`; the switch `path_variants` takes other forms"
        );
        let path = shorten(self.head.uri.path());
        let detail = Detail::new(format!("there is no endpoint `{path}`: {rule}"), rule);
        ErrorResponse::not_found(detail).into()
    }

    /// a method that is never possible here.
    fn not_allowed(&self, allow: &'static str) -> Refusal {
        let method: Cow<'_, str> = shorten(self.head.method.as_str()).into();
        let detail =
            Detail::new(format!("expected {allow} here, found {method}"), format!("expected {allow} here"));
        Refusal { allow: Some(allow), ..ErrorResponse::method_not_allowed(detail).into() }
    }
}
