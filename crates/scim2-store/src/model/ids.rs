//! The numbers that stand for tenants, resource types and paths in the database.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use scim2_core::CompiledType;
use scim2_server::TenantId;

use crate::model::index::TypeIndex;

/// What is known of the numbers without asking the database.
#[derive(Debug, Default)]
pub(crate) struct IdCache {
    tenants: RwLock<HashMap<TenantId, i64>>,
    types: RwLock<Types>,
}

#[derive(Debug, Default)]
struct Types {
    /// One for each resource type, as it was compiled last.
    indexes: Vec<Arc<TypeIndex>>,
    /// All type names in the database, also of types that no registry of this process has.
    names: HashMap<i64, Arc<str>>,
}

impl IdCache {
    pub(crate) fn tenant(&self, tenant: &TenantId) -> Option<i64> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(tenant).copied()
    }

    pub(crate) fn add_tenant(&self, tenant: TenantId, number: i64) {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(tenant, number);
    }

    /// The index of a resource type, if this very compilation of it is known.
    pub(crate) fn index(&self, resource_type: &Arc<CompiledType>) -> Option<Arc<TypeIndex>> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        types.indexes.iter().find(|index| Arc::ptr_eq(&index.resource_type, resource_type)).cloned()
    }

    pub(crate) fn add_index(&self, index: &Arc<TypeIndex>) {
        let mut types = self.types.write().unwrap_or_else(PoisonError::into_inner);
        types.indexes.retain(|known| known.number != index.number);
        types.indexes.push(Arc::clone(index));
        types.names.insert(index.number, index.resource_type.name().into());
    }

    /// Takes the index of a resource type for filled, unless it has another one by now.
    pub(crate) fn set_filled(&self, index: &TypeIndex) {
        if self.index(&index.resource_type).is_some() {
            self.add_index(&Arc::new(index.filled()));
        }
    }

    pub(crate) fn type_name(&self, number: i64) -> Option<Arc<str>> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        types.names.get(&number).cloned()
    }

    /// Takes these for the names of all types.
    pub(crate) fn set_types(&self, names: HashMap<i64, Arc<str>>) {
        self.types.write().unwrap_or_else(PoisonError::into_inner).names = names;
    }
}
