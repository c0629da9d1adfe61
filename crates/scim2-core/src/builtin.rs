//! The documents of RFC 7643 that every service provider has by default.

use crate::compat::{Compat, Quirk};
use crate::schema::{ResourceType, Schema, SchemaExtension, Uniqueness};
use crate::urn;

/// The schemas of User, Group and EnterpriseUser with the errata applied, and the two resource types.
pub(crate) fn documents(compat: &Compat) -> (Vec<Schema>, Vec<ResourceType>) {
    let mut schemas = [
        include_str!("../schemas/User.json"),
        include_str!("../schemas/Group.json"),
        include_str!("../schemas/EnterpriseUser.json"),
    ]
    .map(schema);
    let names = schemas
        .iter_mut()
        .filter(|schema| schema.id == urn::GROUP)
        .flat_map(|schema| &mut schema.attributes)
        .filter(|attribute| attribute.name == "displayName");
    for name in names {
        name.uniqueness =
            if compat.allows(Quirk::GroupDisplayUnique) { Uniqueness::Server } else { Uniqueness::None };
    }
    let mut user = resource_type("User", "/Users", urn::USER, "A person's account");
    // Not required: the RFC's own example would force the extension on every User.
    user.schema_extensions.push(SchemaExtension { schema: uri(urn::ENTERPRISE_USER), required: false });
    let group = resource_type("Group", "/Groups", urn::GROUP, "A set of users and groups");
    (schemas.into(), vec![user, group])
}

/// The schemas of the discovery resources.
pub(crate) fn discovery_schemas() -> Vec<Schema> {
    [
        include_str!("../schemas/ServiceProviderConfig.json"),
        include_str!("../schemas/ResourceType.json"),
        include_str!("../schemas/Schema.json"),
    ]
    .map(schema)
    .into()
}

fn resource_type(name: &str, endpoint: &str, schema: &str, description: &str) -> ResourceType {
    let mut resource_type = ResourceType::new(name, endpoint, uri(schema));
    resource_type.description = Some(description.to_owned());
    resource_type
}

#[expect(clippy::expect_used, reason = "the documents are part of this crate and its tests")]
fn schema(json: &str) -> Schema {
    serde_json::from_str(json).expect("a built-in schema document")
}

#[expect(clippy::expect_used, reason = "the URIs are constants of this crate")]
fn uri(text: &str) -> scim2_names::SchemaUri {
    scim2_names::SchemaUri::parse(text).expect("a built-in schema URI")
}
