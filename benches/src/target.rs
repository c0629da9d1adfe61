//! The SCIM server that is driven.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use crate::directory::{Directory, user_name};
use crate::{Result, TargetOptions, load};

/// The number of concurrent requests while a directory is made or looked up.
const AT_ONCE: u64 = 64;

/// A base URL and the token for it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    authority: Arc<str>,
    path: Arc<str>,
    authorization: Arc<str>,
}

impl Target {
    pub(crate) fn new(options: &TargetOptions) -> Result<Self> {
        let url = options.url.as_deref().ok_or("expected --url")?;
        let uri: Uri = url.parse()?;
        if uri.scheme_str() != Some("http") {
            return Err("expected a URL that begins with http://; put a proxy in front of https".into());
        }
        let authority = uri.authority().ok_or("expected a URL with a host")?;
        let address = (authority.host(), authority.port_u16().unwrap_or(80));
        let address = address.to_socket_addrs()?.next().ok_or("the host has no address")?;
        let token = options.token.as_deref().ok_or("expected --token or SCIM2_BENCH_TOKEN")?;
        Ok(Self {
            address,
            authority: authority.as_str().into(),
            path: uri.path().trim_end_matches('/').into(),
            authorization: format!("Bearer {token}").into(),
        })
    }

    pub(crate) fn get(&self, target: &str) -> Request<Full<Bytes>> {
        self.request(Method::GET, target, String::new())
    }

    #[expect(clippy::expect_used, reason = "made of the parts of a URL and of targets of this program")]
    pub(crate) fn request(&self, method: Method, target: &str, body: String) -> Request<Full<Bytes>> {
        Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.path))
            .header(header::HOST, &*self.authority)
            .header(header::AUTHORIZATION, &*self.authorization)
            .header(header::CONTENT_TYPE, "application/scim+json")
            .body(Full::new(Bytes::from(body)))
            .expect("a valid request")
    }

    /// Posts the resources 0 to `count` with limited concurrency.
    pub(crate) fn create_all(
        &self,
        endpoint: &'static str,
        count: u64,
        body: impl Fn(u64) -> String + Send + Sync + 'static,
    ) -> Result<()> {
        self.each(count, move |target, number| target.request(Method::POST, endpoint, body(number))).map(drop)
    }

    /// Whether the server uses the ids of the directory's seed, as after an import.
    pub(crate) fn has_ids_of(&self, directory: Directory) -> Result<bool> {
        let probe = self.get(&format!("/Users/{}", directory.user_id(0)));
        Ok(self.send(probe)?.0 == 200)
    }

    /// The ids of `count` users, spread evenly over the directory and looked up by name.
    pub(crate) fn user_ids(&self, directory: Directory, count: u64) -> Result<Vec<String>> {
        let number = move |at: u64| at * (directory.users / count.max(1)).max(1);
        let answers = self.each(count, move |target, at| {
            target
                .get(&format!("/Users?attributes=id&filter=userName%20eq%20%22{}%22", user_name(number(at))))
        })?;
        answers.iter().map(first_id).collect()
    }

    /// The id of the group of that name.
    pub(crate) fn group_id(&self, name: &str) -> Result<String> {
        let name = name.replace(' ', "%20");
        let target = format!("/Groups?attributes=id&filter=displayName%20eq%20%22{name}%22");
        first_id(&self.json(&target)?)
    }

    /// A 200 answer to a GET.
    pub(crate) fn json(&self, target: &str) -> Result<Value> {
        match self.send(self.get(target))? {
            (200, body) => Ok(serde_json::from_slice(&body)?),
            (status, body) => {
                Err(format!("GET {target} answered {status}: {}", String::from_utf8_lossy(&body)).into())
            }
        }
    }

    /// Sends one request. Returns the status and the body of the answer.
    pub(crate) fn send(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let response = load::connect(self.address).await?.send_request(request).await?;
            let status = response.status().as_u16();
            Ok((status, response.into_body().collect().await?.to_bytes()))
        })
    }

    /// Sends the requests 0 to `count` with limited concurrency. Returns their answers in order.
    fn each(
        &self,
        count: u64,
        make: impl Fn(&Self, u64) -> Request<Full<Bytes>> + Send + Sync + 'static,
    ) -> Result<Vec<Value>> {
        let make = Arc::new(make);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            let lanes = AT_ONCE.min(count.max(1));
            let tasks: Vec<_> = (0..lanes)
                .map(|lane| {
                    let (target, make) = (self.clone(), Arc::clone(&make));
                    tokio::spawn(async move {
                        let mut sender = load::connect(target.address).await?;
                        let mut answers = Vec::new();
                        let step = usize::try_from(lanes)?;
                        for number in (lane..count).step_by(step) {
                            sender.ready().await?;
                            let response = sender.send_request(make(&target, number)).await?;
                            let status = response.status();
                            let body = response.into_body().collect().await?.to_bytes();
                            if !status.is_success() {
                                let body = String::from_utf8_lossy(&body).into_owned();
                                return Err(format!("number {number} was answered {status}: {body}").into());
                            }
                            answers.push((number, serde_json::from_slice(&body)?));
                        }
                        Result::Ok(answers)
                    })
                })
                .collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.extend(task.await??);
            }
            answers.sort_by_key(|(number, _)| *number);
            Ok(answers.into_iter().map(|(_, answer)| answer).collect())
        })
    }
}

fn first_id(list: &Value) -> Result<String> {
    let id = list.pointer("/Resources/0/id").and_then(Value::as_str);
    Ok(id.ok_or("the server does not have the directory; `seed` it first")?.to_owned())
}
