//! PATCH as a specification: tables of cases, each with the requirement or the quirk it shows.

mod rfc7644_3_5_2_1_add;
mod rfc7644_3_5_2_2_remove;
mod rfc7644_3_5_2_3_replace;
mod support;
