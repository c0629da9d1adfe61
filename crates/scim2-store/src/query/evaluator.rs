//! Evaluates what SQL cannot express, one resource at a time.

use scim2_core::work::WorkBudget;
use scim2_core::{AttributeId, CompiledType, Object};
use scim2_filter::{CompiledFilter, SortKey, SortValue};
use scim2_server::StoreError;
use scim2_server::store::{EvaluationCost, Include, Target};

/// Evaluates the filter and the sort key of resources.
pub(crate) struct Evaluator<'s> {
    /// The filter, if SQL did not decide it.
    filter: Option<&'s CompiledFilter>,
    sort: Option<SortKey>,
    cost: EvaluationCost,
    /// What it needs beside the body.
    pub(crate) include: Include,
    /// Whether it needs `meta` or a `$ref`, which bodies do not hold.
    computed: bool,
}

impl<'s> Evaluator<'s> {
    /// `exact`: all evaluated resources are known to match.
    pub(crate) fn new(type_: &CompiledType, target: &'s Target, exact: bool) -> Self {
        let filter = target.filter.as_ref().filter(|_| !exact);
        let uses = |id: AttributeId| {
            let of = |used: AttributeId| used == id || type_.attribute(used).parent() == Some(id);
            filter.is_some_and(|filter| filter.condition().mentions(&of)) || target.sort.is_some_and(of)
        };
        Self {
            filter,
            cost: EvaluationCost::of(filter),
            sort: target.sort.map(|id| SortKey::new(type_, id)),
            include: Include {
                members: type_.members().is_some_and(uses),
                groups: type_.groups().is_some_and(uses),
                never_returned: false,
            },
            computed: type_.find(None, "meta", None).is_some_and(uses)
                || type_.references().iter().any(|references| uses(references.attribute())),
        }
    }

    /// Whether it evaluates anything.
    pub(crate) fn reads_bodies(&self) -> bool {
        self.filter.is_some() || self.sort.is_some()
    }

    /// The work of evaluating a body of this many bytes.
    pub(crate) fn work(&self, body: usize) -> u64 {
        self.cost.work(body as u64)
    }

    /// Whether it evaluates a filter.
    pub(crate) fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether it evaluates a sort key.
    pub(crate) fn sorts(&self) -> bool {
        self.sort.is_some()
    }

    /// Whether it needs the body only.
    pub(crate) fn body_suffices(&self) -> bool {
        !(self.computed || self.include.members || self.include.groups)
    }

    /// The sort key of a resource, if the resource matches. The object is the body. If that does not suffice, it is
    /// the resource with `meta` and what the evaluator [includes](Self::include). The work is taken from the budget
    /// of the request.
    pub(crate) fn judge(
        &self,
        resource: &Object,
        budget: &WorkBudget,
    ) -> Result<Option<SortValue<'static>>, StoreError> {
        let work = budget.begin();
        if let Some(filter) = self.filter
            && !filter.matches_within(resource, &work)?
        {
            return Ok(None);
        }
        match &self.sort {
            Some(sort) => Ok(Some(sort.value_within(resource, &work)?.into_owned())),
            None => Ok(Some(SortValue::Missing)),
        }
    }
}
