//! Caches the numbers of tenants, resource types and indexed paths.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use scim2_core::CompiledType;
use scim2_server::TenantId;

use crate::model::index::TypeIndex;

/// The numbers that are known without asking the database.
#[derive(Debug, Default)]
pub(crate) struct IdCache {
    tenants: RwLock<HashMap<TenantId, i64>>,
    types: RwLock<Types>,
}

#[derive(Debug, Default)]
struct Types {
    /// One index for each resource type, for its latest compilation.
    indexes: Vec<Arc<TypeIndex>>,
    /// All type names in the database, even of types that are not in any registry of this process.
    names: HashMap<i64, Arc<str>>,
}

impl IdCache {
    pub(crate) fn tenant(&self, tenant: &TenantId) -> Option<i64> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(tenant).copied()
    }

    pub(crate) fn add_tenant(&self, tenant: TenantId, number: i64) {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(tenant, number);
    }

    /// The index of a resource type, if it was made for this compilation of the type.
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

    /// Marks the index of a resource type as complete, unless another index has replaced it.
    pub(crate) fn set_filled(&self, index: &TypeIndex) {
        if self.index(&index.resource_type).is_some() {
            self.add_index(&Arc::new(index.filled()));
        }
    }

    pub(crate) fn type_name(&self, number: i64) -> Option<Arc<str>> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        types.names.get(&number).cloned()
    }

    /// Sets the names of all types.
    pub(crate) fn set_types(&self, names: HashMap<i64, Arc<str>>) {
        self.types.write().unwrap_or_else(PoisonError::into_inner).names = names;
    }
}
