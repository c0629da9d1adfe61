//! The table of the main job: reads against a bare route, writes against a bare loop of SQL.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};

use crate::directory::{user_body, user_name};
use crate::load::{self, Make, Run};
use crate::report::{self, Row, micros};
use crate::server::Server;
use crate::{Result, TableOptions, disk};

/// A bootstrap token for the server under test, which nobody else reaches.
const TOKEN: &str = "scim2-bench-token-0123456789";

pub(crate) fn run(options: &TableOptions) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let (p50, p99) = disk::fdatasync(&folder)?;
    eprintln!("fdatasync of the data folder: p50 {}, p99 {}", micros(p50), micros(p99));
    eprintln!("seed {}, {} users, {} worker threads", options.seed, options.users, options.threads);

    let binary = match &options.binary {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("scim2"),
    };
    let database = folder.join("bench.db");
    let serve = || {
        let mut command = Command::new(&binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--worker-threads", &options.threads.to_string()])
            .arg("--store")
            .arg(format!("sqlite:{}", database.display()))
            .env("SCIM2_BOOTSTRAP_TOKEN", TOKEN);
        command
    };

    let server = Server::start(&mut serve())?;
    let ids = Arc::new(seed(server.address, options.users)?);
    drop(server);

    let server = Server::start(&mut serve())?;
    let mut rows = vec![
        Row {
            what: format!("start on {} users", options.users),
            ours: server.started_in.as_secs_f64() * 1e3,
            yardstick: None,
            bar: None,
            run: None,
            unit: "ms",
        },
        memory("resident memory, idle", server.resident_memory()?),
        memory("anonymous memory, idle", server.anonymous_memory()?),
    ];

    let by_id: Arc<Make> = {
        let ids = ids.clone();
        Arc::new(move |random, _| {
            let at = usize::try_from(random.below(ids.len() as u64)).unwrap_or_default();
            get(&format!("/scim/v2/Users/{}", ids.get(at).map_or("", String::as_str)))
        })
    };
    let users = ids.len() as u64;
    let by_name: Arc<Make> = Arc::new(move |random, _| {
        get(&format!("/scim/v2/Users?filter=userName%20eq%20%22{}%22", user_name(random.below(users))))
    });
    for (what, bar, make) in
        [("GET /Users/{id}", 0.45, by_id), ("GET /Users?filter=userName eq", 0.40, by_name)]
    {
        let sample = fetch(server.address, (make)(&mut crate::random::Random::new(options.seed), 0))?;
        let body = folder.join("bare-body.json");
        std::fs::write(&body, &sample)?;
        let bare = bare_route(&body, options.threads)?;
        let (ours, yardstick) = in_turns(options, server.address, bare.address, &make)?;
        rows.push(Row {
            what: format!("{what}, {} connections", options.connections),
            ours: ours.rate,
            yardstick: Some(yardstick.rate),
            bar: Some(bar),
            run: Some(ours),
            unit: "/s",
        });
    }

    for (connections, batch, bar) in [(64_usize, 64_u64, 0.30), (1, 1, 0.50)] {
        let mut ours = Vec::new();
        let mut yardstick = Vec::new();
        for round in 0..options.rounds {
            let stamp = (round as u64 + 1) << 56 | batch << 48;
            let make: Arc<Make> = Arc::new(move |_, sequence| post(&user_body(stamp | sequence).to_string()));
            ours.push(load::drive(
                server.address,
                connections,
                Duration::from_secs(options.seconds),
                options.seed,
                201,
                make,
            )?);
            yardstick.push(disk::bare_inserts(&database, &folder, batch, options.seconds)?);
        }
        let ours = median_run(ours);
        yardstick.sort_by(f64::total_cmp);
        rows.push(Row {
            what: format!("POST /Users, {connections} connections (bare SQL x{batch})"),
            ours: ours.rate,
            yardstick: yardstick.get(yardstick.len() / 2).copied(),
            bar: Some(bar),
            run: Some(ours),
            unit: "/s",
        });
    }
    rows.push(memory("anonymous memory after the load", server.anonymous_memory()?));
    if options.json {
        println!("{}", report::json(&rows));
    } else {
        report::table(&rows);
    }
    Ok(())
}

fn memory(what: &str, bytes: u64) -> Row {
    #[expect(clippy::cast_precision_loss, reason = "shown in whole megabytes")]
    let megabytes = bytes as f64 / 1e6;
    Row { what: what.to_owned(), ours: megabytes, yardstick: None, bar: None, run: None, unit: "MB" }
}

fn bare_route(body: &Path, threads: usize) -> Result<Server> {
    let program: PathBuf = std::env::current_exe()?;
    Server::start(
        Command::new(program).arg("bare").arg("--body").arg(body).args(["--threads", &threads.to_string()]),
    )
}

/// Ours and the yardstick, turn by turn, so that a busy moment of the machine hits both.
fn in_turns(
    options: &TableOptions,
    ours: SocketAddr,
    yardstick: SocketAddr,
    make: &Arc<Make>,
) -> Result<(Run, Run)> {
    let drive = |address| {
        let seconds = Duration::from_secs(options.seconds);
        load::drive(address, options.connections, seconds, options.seed, 200, make.clone())
    };
    let mut first = Vec::new();
    let mut second = Vec::new();
    for _ in 0..options.rounds {
        first.push(drive(ours)?);
        second.push(drive(yardstick)?);
    }
    Ok((median_run(first), median_run(second)))
}

#[expect(clippy::expect_used, reason = "a table is measured in at least one round")]
fn median_run(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    runs.get(runs.len() / 2).cloned().expect("at least one round")
}

/// Creates the users over HTTP and returns their ids.
fn seed(address: SocketAddr, users: u64) -> Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        const CONNECTIONS: u64 = 64;
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|lane| {
                tokio::spawn(async move {
                    let mut sender = load::connect(address).await?;
                    let mut ids = Vec::new();
                    for number in (lane..users).step_by(CONNECTIONS as usize) {
                        let response = sender.send_request(post(&user_body(number).to_string())).await?;
                        let status = response.status();
                        let body = response.into_body().collect().await?.to_bytes();
                        if status != 201 {
                            return Err(format!(
                                "POST answered {status}: {}",
                                String::from_utf8_lossy(&body)
                            )
                            .into());
                        }
                        let user: serde_json::Value = serde_json::from_slice(&body)?;
                        ids.push(
                            user.get("id").and_then(serde_json::Value::as_str).ok_or("no id")?.to_owned(),
                        );
                        sender.ready().await?;
                    }
                    Result::Ok(ids)
                })
            })
            .collect();
        let mut ids = Vec::new();
        for task in tasks {
            ids.extend(task.await??);
        }
        Ok(ids)
    })
}

fn fetch(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Bytes> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let response = load::connect(address).await?.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != 200 {
            return Err(format!("GET answered {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(body)
    })
}

fn get(target: &str) -> Request<Full<Bytes>> {
    request(Method::GET, target, Bytes::new())
}

fn post(body: &str) -> Request<Full<Bytes>> {
    request(Method::POST, "/scim/v2/Users", Bytes::copy_from_slice(body.as_bytes()))
}

#[expect(clippy::expect_used, reason = "the parts are the constants of this file")]
fn request(method: Method, target: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, "127.0.0.1")
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(header::CONTENT_TYPE, "application/scim+json")
        .body(Full::new(body))
        .expect("a valid request")
}
