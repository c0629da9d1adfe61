//! What the client sends, and what it makes of the answers.

#[cfg(test)]
mod dialects;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod end_to_end;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod pages;
#[cfg(test)]
#[cfg(feature = "reqwest")]
mod reqwest_transport;
#[cfg(test)]
mod script;
