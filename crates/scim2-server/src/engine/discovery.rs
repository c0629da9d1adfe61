//! What the service provider says of itself
//! ([RFC 7644 §4](https://www.rfc-editor.org/rfc/rfc7644#section-4)).

use scim2_core::Object;
use scim2_core::discovery::{self, BulkSupport, FilterSupport, ServiceProviderConfig, Supported};
use scim2_protocol::{ErrorResponse, ListResponse};

use super::{Answer, Reply, shorten};
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

impl<S: ResourceStore> ServiceProvider<S> {
    /// What the options make of `/ServiceProviderConfig`.
    #[must_use]
    pub fn service_provider_config(&self) -> ServiceProviderConfig {
        let options = &self.inner.options;
        let supported = |supported| Supported { supported };
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut config = ServiceProviderConfig::new();
        config.documentation_uri.clone_from(&options.documentation_uri);
        config.patch = supported(options.features.patch);
        config.bulk = BulkSupport {
            supported: options.features.bulk,
            max_operations: number(options.limits.bulk_operations),
            max_payload_size: number(options.limits.bulk_payload),
        };
        config.filter =
            FilterSupport { supported: options.features.filter, max_results: options.limits.max_results };
        config.change_password = supported(self.inner.hasher.is_some());
        config.sort = supported(options.features.sort);
        config.etag = Supported::YES;
        config.authentication_schemes.clone_from(&options.authentication_schemes);
        config.interop_profile_conformant = options.compat.is_profile().then_some(true);
        config
    }

    pub(crate) fn discover_config(&self, cx: &Context) -> Answer {
        one(&self.service_provider_config().to_resource(&cx.base_url))
    }

    /// All schemas, or the one of that URI, whatever its letter case.
    pub(crate) fn discover_schemas(&self, cx: &Context, uri: Option<&str>) -> Answer {
        let schemas = discovery::schemas(&cx.registry, &cx.base_url);
        pick(schemas, uri, |schema, uri| schema.get_str("id").is_some_and(|id| id.eq_ignore_ascii_case(uri)))
    }

    /// All resource types, or the one of that name.
    pub(crate) fn discover_resource_types(&self, cx: &Context, name: Option<&str>) -> Answer {
        let types = discovery::resource_types(&cx.registry, &cx.base_url);
        pick(types, name, |type_, name| type_.get_str("id") == Some(name))
    }
}

fn pick(documents: Vec<Object>, id: Option<&str>, is: impl Fn(&Object, &str) -> bool) -> Answer {
    let Some(id) = id else {
        let list = ListResponse::all(documents);
        return Ok(Reply::ok(list.to_json_with(|document, out| {
            out.extend_from_slice(document.to_string().as_bytes());
        })));
    };
    match documents.iter().find(|document| is(document, id)) {
        Some(document) => one(document),
        None => Err(ErrorResponse::not_found(format!("there is nothing with the id `{}` here", shorten(id)))),
    }
}

fn one(document: &Object) -> Answer {
    Ok(Reply::ok(document.to_string().into_bytes()))
}
