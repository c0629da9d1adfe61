//! What `scim2-filter` reads, refuses and prints, one file for each section of the grammar.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod round_trip;
