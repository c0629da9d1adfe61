//! The common attributes, which no schema document lists
//! ([RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1)).

use scim2_names::AttrName;

use crate::schema::{Attribute, AttributeType, Mutability, Returned, Uniqueness};

/// `schemas`, `id`, `externalId` and `meta`, with the characteristics the RFC gives them in prose.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        // "schemas" is returned always, so that every representation says what it is.
        Attribute {
            type_: AttributeType::Reference,
            multi_valued: true,
            required: true,
            returned: Returned::Always,
            reference_types: vec!["uri".to_owned()],
            ..named("schemas")
        },
        Attribute {
            case_exact: true,
            mutability: Mutability::ReadOnly,
            returned: Returned::Always,
            uniqueness: Uniqueness::Server,
            ..named("id")
        },
        Attribute { case_exact: true, ..named("externalId") },
        Attribute {
            type_: AttributeType::Complex,
            mutability: Mutability::ReadOnly,
            sub_attributes: vec![
                read_only("resourceType", AttributeType::String),
                read_only("created", AttributeType::DateTime),
                read_only("lastModified", AttributeType::DateTime),
                read_only("location", AttributeType::Reference),
                read_only("version", AttributeType::String),
            ],
            ..named("meta")
        },
    ]
}

fn read_only(name: &str, type_: AttributeType) -> Attribute {
    Attribute { type_, case_exact: true, mutability: Mutability::ReadOnly, ..named(name) }
}

fn named(name: &str) -> Attribute {
    #[expect(clippy::expect_used, reason = "the names are those written above")]
    Attribute::new(AttrName::parse(name).expect("a common attribute has a valid name"))
}
