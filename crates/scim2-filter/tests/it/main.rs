//! What `scim2-filter` reads, refuses and prints, one file for each section of the grammar.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod errors;
#[cfg(all(test, feature = "eval"))]
mod evaluation;
#[cfg(test)]
mod filters;
#[cfg(all(test, feature = "eval"))]
mod model;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod round_trip;
#[cfg(all(test, feature = "eval"))]
mod sorting;
