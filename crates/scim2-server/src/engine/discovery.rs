//! What the service provider says of itself
//! ([RFC 7644 §4](https://www.rfc-editor.org/rfc/rfc7644#section-4)).

use scim2_core::discovery::{self, BulkSupport, FilterSupport, Pagination, ServiceProviderConfig, Supported};
use scim2_core::schema::Returned;
use scim2_core::{Object, Value, urn};
use scim2_filter::AttrPath;
use scim2_protocol::{Detail, ErrorResponse, ListResponse, Projection};

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
        let mut pagination = Pagination::default();
        pagination.cursor = true;
        pagination.index = true;
        pagination.default_pagination_method = Some(options.default_pagination);
        pagination.default_page_size = Some(options.limits.default_page_size);
        pagination.max_page_size = Some(options.limits.max_results);
        pagination.cursor_timeout = Some(options.limits.cursor_timeout.into());
        config.pagination = Some(pagination);
        config.interop_profile_conformant = options.compat.is_profile().then_some(true);
        config
    }

    pub(crate) fn discover_config(&self, cx: &Context, projection: &Projection) -> Answer {
        let mut config = self.service_provider_config().to_resource(&cx.base_url);
        Cut::new(cx, urn::SERVICE_PROVIDER_CONFIG, projection).apply(&mut config);
        one(&config)
    }

    /// All schemas, or the one of that URI, whatever its letter case.
    pub(crate) fn discover_schemas(
        &self,
        cx: &Context,
        uri: Option<&str>,
        projection: &Projection,
    ) -> Answer {
        let schemas = discovery::schemas(&cx.registry, &cx.base_url);
        let cut = Cut::new(cx, urn::SCHEMA, projection);
        pick(schemas, &cut, uri, |schema, uri| {
            schema.get_str("id").is_some_and(|id| id.eq_ignore_ascii_case(uri))
        })
    }

    /// All resource types, or the one of that name.
    pub(crate) fn discover_resource_types(
        &self,
        cx: &Context,
        name: Option<&str>,
        projection: &Projection,
    ) -> Answer {
        let types = discovery::resource_types(&cx.registry, &cx.base_url);
        let cut = Cut::new(cx, urn::RESOURCE_TYPE, projection);
        pick(types, &cut, name, |type_, name| type_.get_str("id") == Some(name))
    }
}

fn pick(
    mut documents: Vec<Object>,
    cut: &Cut<'_>,
    id: Option<&str>,
    is: impl Fn(&Object, &str) -> bool,
) -> Answer {
    if let Some(id) = id {
        return match documents.iter_mut().find(|document| is(document, id)) {
            Some(document) => {
                cut.apply(document);
                one(document)
            }
            None => {
                let detail = format!("there is nothing with the id `{}` here", shorten(id));
                Err(ErrorResponse::not_found(Detail::new(detail, "there is nothing with this id here")))
            }
        };
    }
    documents.iter_mut().for_each(|document| cut.apply(document));
    let list = ListResponse::all(documents);
    let json = list.to_json_with(|document, out| out.extend_from_slice(document.to_string().as_bytes()));
    Ok(Reply { is_public: true, ..Reply::ok(json) })
}

fn one(document: &Object) -> Answer {
    Ok(Reply { is_public: true, ..Reply::ok(document.to_string().into_bytes()) })
}

/// What of a document is answered. The schema of schemas nests too deep to be compiled, so that
/// documents are projected by the names alone.
struct Cut<'a> {
    projection: &'a Projection,
    uri: &'static str,
    /// What stays whatever the client asks for.
    always: Vec<&'a str>,
}

impl<'a> Cut<'a> {
    fn new(cx: &'a Context, uri: &'static str, projection: &'a Projection) -> Self {
        let attributes = cx.registry.schema(uri).into_iter().flat_map(|schema| &schema.attributes);
        let always = attributes.filter(|attribute| attribute.returned == Returned::Always);
        let always = ["schemas", "id"].into_iter().chain(always.map(|attribute| attribute.name.as_str()));
        Self { projection, uri, always: always.collect() }
    }

    fn apply(&self, document: &mut Object) {
        match self.projection {
            Projection::Default => {}
            Projection::Attributes(paths) => {
                document.retain(|name, value| {
                    if self.stays(name) {
                        return true;
                    }
                    let mut named = paths.iter().filter(|path| self.names(path, name)).peekable();
                    if named.peek().is_none() {
                        return false;
                    }
                    let subs: Option<Vec<&str>> = named.map(AttrPath::sub_attribute).collect();
                    subs.is_none_or(|subs| {
                        retain(value, &|name| subs.iter().any(|sub| sub.eq_ignore_ascii_case(name)))
                    })
                });
            }
            Projection::ExcludedAttributes(paths) => {
                document.retain(|name, value| {
                    let named = || paths.iter().filter(|path| self.names(path, name));
                    if self.stays(name) || named().next().is_none() {
                        return true;
                    }
                    let gone = |name: &str| {
                        named().filter_map(AttrPath::sub_attribute).any(|sub| sub.eq_ignore_ascii_case(name))
                    };
                    named().all(|path| path.sub_attribute().is_some()) && retain(value, &|name| !gone(name))
                });
            }
        }
    }

    fn stays(&self, name: &str) -> bool {
        self.always.iter().any(|always| always.eq_ignore_ascii_case(name))
    }

    fn names(&self, path: &AttrPath, name: &str) -> bool {
        path.schema().is_none_or(|uri| uri.eq_ignore_ascii_case(self.uri))
            && path.name().eq_ignore_ascii_case(name)
    }
}

/// Keeps some sub-attributes of each value, and says whether anything is left.
fn retain(value: &mut Value, keep: &impl Fn(&str) -> bool) -> bool {
    let retain = |value: &mut Value| {
        value.as_object_mut().is_some_and(|object| {
            object.retain(|name, _| keep(name));
            !object.is_empty()
        })
    };
    match value {
        Value::Array(values) => {
            values.retain_mut(retain);
            !values.is_empty()
        }
        value => retain(value),
    }
}
