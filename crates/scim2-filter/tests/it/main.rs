//! What `scim2-filter` reads, refuses and prints, one file for each section of the grammar.

#[cfg(feature = "eval")]
#[cfg(test)]
mod allocations;
#[cfg(test)]
mod bounds;
#[cfg(feature = "eval")]
#[cfg(test)]
mod corpora;
#[cfg(test)]
mod errors;
#[cfg(feature = "eval")]
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod filters;
#[cfg(feature = "eval")]
#[cfg(test)]
mod fixtures;
#[cfg(feature = "eval")]
#[cfg(test)]
mod model;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod round_trip;
#[cfg(feature = "eval")]
#[cfg(test)]
mod sorting;
#[cfg(test)]
mod tree;
#[cfg(feature = "eval")]
#[cfg(test)]
mod work;
