//! The operator's choice of indexed attributes.

use scim2_core::{AttributeDef, CompiledType, Registry};

use crate::error::OpenError;
use crate::model::index::is_indexable;

/// Attributes to index in addition to the defaults, and defaults not to index.
///
/// An attribute is named `TYPE:PATH`, with the name of a resource type and the full path of one of its attributes:
/// `User:title`, `Group:externalId`, `User:urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter`.
/// Case does not matter. Attributes whose `uniqueness` is not `none` are always indexed.
///
/// ```
/// use scim2_core::Registry;
/// use scim2_store::Indexing;
///
/// let registry = Registry::standard();
/// Indexing::new(&registry, &["User:title".to_owned()], &["User:active".to_owned()])?;
/// let error = Indexing::new(&registry, &["User:shoeSize".to_owned()], &[]).expect_err("no attribute");
/// assert_eq!(error.to_string(), "`User:shoeSize` cannot be indexed: there is no such attribute");
/// # Ok::<(), scim2_store::OpenError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexing {
    choices: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    resource_type: String,
    path: String,
    indexed: bool,
}

impl Indexing {
    /// The defaults with these changes.
    ///
    /// # Errors
    /// [`OpenErrorKind::Index`](crate::OpenErrorKind::Index) names an attribute that does not exist, cannot be
    /// indexed (it is computed, never returned, or complex), or must be indexed.
    pub fn new(registry: &Registry, indexed: &[String], unindexed: &[String]) -> Result<Self, OpenError> {
        let wanted = indexed.iter().map(|name| (name, true));
        let unwanted = unindexed.iter().map(|name| (name, false));
        let choices = wanted.chain(unwanted).map(|(name, indexed)| choice(registry, name, indexed));
        Ok(Self { choices: choices.collect::<Result<_, _>>()? })
    }

    /// The operator's choice for an attribute, if there is one.
    pub(crate) fn choice(&self, resource_type: &CompiledType, def: &AttributeDef) -> Option<bool> {
        let of_it =
            |choice: &&Choice| choice.resource_type == resource_type.name() && choice.path == def.path();
        self.choices.iter().rfind(of_it).map(|choice| choice.indexed)
    }
}

fn choice(registry: &Registry, name: &str, indexed: bool) -> Result<Choice, OpenError> {
    let cut = || name.chars().take(200).flat_map(char::escape_debug).collect::<String>();
    let refused = |why: &str| {
        let verb = if indexed { "cannot be indexed" } else { "must be indexed" };
        OpenError::index(format!("`{}` {verb}: {why}", cut()))
    };
    let Some((type_name, path)) = name.split_once(':') else {
        return Err(OpenError::index(format!(
            "expected `TYPE:PATH` such as `User:title`, found `{}`",
            cut()
        )));
    };
    let resource_type = registry.resource_types().find(|type_| type_.name().eq_ignore_ascii_case(type_name));
    let Some(resource_type) = resource_type else {
        return Err(OpenError::index(format!("`{}`: there is no such resource type", cut())));
    };
    let def = resource_type.attributes().iter().find(|def| def.path().eq_ignore_ascii_case(path));
    let Some(def) = def else { return Err(refused("there is no such attribute")) };
    if !is_indexable(resource_type, def) {
        return Err(refused("it is complex, computed, or never returned"));
    }
    if !indexed && resource_type.is_unique(def.id()) {
        return Err(refused("its values are unique"));
    }
    Ok(Choice { resource_type: resource_type.name().to_owned(), path: def.path().to_owned(), indexed })
}
