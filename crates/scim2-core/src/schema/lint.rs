//! Checks of a schema document before a resource type is compiled from it.

use std::collections::HashSet;
use std::fmt;

use super::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};
use crate::registry::Registry;
use crate::urn;

/// A rule that a schema breaks, or something that its author probably does not mean.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether the schema can still be used.
    pub severity: Severity,
    /// The URI of the schema.
    pub schema: String,
    /// The attribute within it, `name` or `name.sub`; empty for the schema as a whole.
    pub attribute: String,
    /// What is wrong, without the place.
    pub message: String,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The RFC advises against it, or it has no effect.
    Warning,
    /// The RFC forbids it.
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, schema, attribute, message } = self;
        let severity = match severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        match attribute.as_str() {
            "" => write!(f, "{severity}: `{schema}`: {message}"),
            attribute => write!(f, "{severity}: `{attribute}` of `{schema}`: {message}"),
        }
    }
}

impl Schema {
    /// Looks for violations of [RFC 7643 §2 and §7](https://www.rfc-editor.org/rfc/rfc7643#section-7) and for
    /// settings without effect. Names and data types are checked when the document is read.
    ///
    /// ```
    /// use scim2_core::schema::Schema;
    ///
    /// let schema: Schema = serde_json::from_str(
    ///     r#"{"id":"urn:example:1.0:Badge","attributes":[{"name":"floor","referenceTypes":["Floor"]}]}"#,
    /// )?;
    /// let findings: Vec<_> = schema.lint().iter().map(ToString::to_string).collect();
    /// assert_eq!(
    ///     findings,
    ///     ["error: `floor` of `urn:example:1.0:Badge`: referenceTypes belong to references, this is a string"],
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut lint = Lint { schema: self, findings: Vec::new() };
        if self.attributes.is_empty() {
            lint.note(Severity::Warning, "", "a schema without attributes");
        }
        lint.repeated("", &self.attributes);
        for attribute in &self.attributes {
            lint.top_level(attribute);
        }
        lint.findings
    }
}

impl Registry {
    /// Checks all schemas, also against each other: references name existing resource types, and extensions do
    /// not use the names of core attributes ([RFC 7643
    /// §3.3](https://www.rfc-editor.org/rfc/rfc7643#section-3.3)).
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.schemas().flat_map(Schema::lint).collect();
        let names: Vec<&str> = self.resource_types().map(|type_| type_.name()).collect();
        for schema in self.schemas() {
            let mut lint = Lint { schema, findings: Vec::new() };
            for attribute in &schema.attributes {
                lint.reference_types("", attribute, &names);
                for sub in &attribute.sub_attributes {
                    lint.reference_types(attribute.name.as_str(), sub, &names);
                }
            }
            findings.append(&mut lint.findings);
        }
        for type_ in self.resource_types() {
            let Some(core) = self.schema(type_.schema().as_str()) else { continue };
            for (_, extension) in type_.extensions() {
                let Some(schema) = self.schema(extension.uri().as_str()) else { continue };
                let mut lint = Lint { schema, findings: Vec::new() };
                for attribute in &schema.attributes {
                    if core.attributes.iter().any(|known| known.name == attribute.name) {
                        let message =
                            format!("the core schema of resource type `{}` has that name too", type_.name());
                        lint.note(Severity::Warning, attribute.name.as_str(), message);
                    }
                }
                findings.append(&mut lint.findings);
            }
        }
        findings
    }
}

struct Lint<'a> {
    schema: &'a Schema,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn note(&mut self, severity: Severity, attribute: &str, message: impl Into<String>) {
        self.findings.push(Finding {
            severity,
            schema: self.schema.id.to_string(),
            attribute: attribute.to_owned(),
            message: message.into(),
        });
    }

    fn top_level(&mut self, attribute: &Attribute) {
        let path = attribute.name.as_str();
        let common = ["schemas", "id", "externalId", "meta"].iter().any(|name| attribute.name == **name);
        // Only the schemas of resource types and of schemas list their `id`.
        if common && !is_of_discovery(self.schema) {
            let message = "a common attribute is the same for all resources and cannot be redefined";
            self.note(Severity::Warning, path, message);
        }
        self.characteristics(path, attribute);
        if attribute.type_ != AttributeType::Complex {
            if !attribute.sub_attributes.is_empty() {
                let message =
                    format!("sub-attributes belong to complex attributes, this is {}", a(attribute));
                self.note(Severity::Error, path, message);
            }
            return;
        }
        if attribute.sub_attributes.is_empty() {
            self.note(Severity::Warning, path, "a complex attribute without sub-attributes");
        }
        self.repeated(path, &attribute.sub_attributes);
        for sub in &attribute.sub_attributes {
            let path = format!("{path}.{}", sub.name);
            self.characteristics(&path, sub);
            if attribute.multi_valued {
                self.predefined(&path, sub);
            }
            if sub.type_ == AttributeType::Complex && self.schema.id != urn::SCHEMA {
                self.note(Severity::Error, &path, "complex inside a complex attribute");
            } else if sub.type_ != AttributeType::Complex && !sub.sub_attributes.is_empty() {
                let message = format!("sub-attributes belong to complex attributes, this is {}", a(sub));
                self.note(Severity::Error, &path, message);
            }
        }
    }

    fn characteristics(&mut self, path: &str, attribute: &Attribute) {
        let type_ = attribute.type_;
        if !attribute.reference_types.is_empty() && type_ != AttributeType::Reference {
            let message = format!("referenceTypes belong to references, this is {}", a(attribute));
            self.note(Severity::Error, path, message);
        }
        if type_ == AttributeType::Reference && attribute.reference_types.is_empty() {
            self.note(Severity::Warning, path, "a reference without referenceTypes");
        }
        if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
            self.note(
                Severity::Warning,
                path,
                "a writeOnly attribute is never returned, whatever `returned` says",
            );
        }
        if attribute.uniqueness != Uniqueness::None
            && matches!(type_, AttributeType::Boolean | AttributeType::DateTime | AttributeType::Binary)
        {
            self.note(Severity::Error, path, format!("{} cannot be unique", a(attribute)));
        }
        if !attribute.canonical_values.is_empty()
            && !matches!(type_, AttributeType::String | AttributeType::Reference)
        {
            self.note(Severity::Warning, path, format!("canonicalValues mean nothing for {}", a(attribute)));
        }
        if attribute.case_exact
            && !matches!(type_, AttributeType::String | AttributeType::Reference | AttributeType::Binary)
        {
            self.note(Severity::Warning, path, format!("caseExact means nothing for {}", a(attribute)));
        }
    }

    /// Checks the sub-attributes of multi-valued attributes whose meaning is fixed ([RFC 7643
    /// §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).
    fn predefined(&mut self, path: &str, sub: &Attribute) {
        let expected = match sub.name.as_str().to_ascii_lowercase().as_str() {
            "type" | "display" => AttributeType::String,
            "primary" => AttributeType::Boolean,
            "$ref" => AttributeType::Reference,
            _ => return,
        };
        if sub.type_ != expected || sub.multi_valued && sub.type_ == expected {
            let message = format!("expected the predefined singular {}, found {}", expected.as_str(), a(sub));
            self.note(Severity::Error, path, message);
        }
    }

    fn repeated(&mut self, parent: &str, attributes: &[Attribute]) {
        let mut seen = HashSet::new();
        for attribute in attributes {
            if !seen.insert(&attribute.name) {
                let dot = if parent.is_empty() { "" } else { "." };
                self.note(Severity::Error, &format!("{parent}{dot}{}", attribute.name), "defined twice");
            }
        }
    }

    fn reference_types(&mut self, parent: &str, attribute: &Attribute, names: &[&str]) {
        for type_ in &attribute.reference_types {
            if !matches!(type_.as_str(), "external" | "uri") && !names.contains(&type_.as_str()) {
                let dot = if parent.is_empty() { "" } else { "." };
                let message = format!(
                    "expected a resource type, `external` or `uri` in referenceTypes, found `{type_}`"
                );
                self.note(Severity::Error, &format!("{parent}{dot}{}", attribute.name), message);
            }
        }
    }
}

fn is_of_discovery(schema: &Schema) -> bool {
    [urn::SERVICE_PROVIDER_CONFIG, urn::RESOURCE_TYPE, urn::SCHEMA].iter().any(|uri| schema.id == **uri)
}

/// The kind of an attribute with its article.
fn a(attribute: &Attribute) -> String {
    let article = if attribute.type_ == AttributeType::Integer { "an" } else { "a" };
    format!("{article} {}", attribute.type_.as_str())
}
