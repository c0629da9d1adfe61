//! Replays the exchanges of identity providers against any service: `replay BASE_URL TOKEN [PART OF AN ID]`.
//! It deletes every user and group there.

use std::process::ExitCode;

use scim2_testkit::{dialects, http::Endpoint, replay};

fn main() -> std::io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_url), Some(token)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: replay BASE_URL TOKEN [PART OF AN ID]");
        return Ok(ExitCode::from(2));
    };
    let part = arguments.next().unwrap_or_default();
    let mut exchanges = dialects::client_exchanges();
    exchanges.retain(|exchange| exchange.id.contains(&part));
    let report = replay::run(&Endpoint::new(&base_url, &token)?, &exchanges);
    println!("{report}");
    Ok(if report.failed().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
