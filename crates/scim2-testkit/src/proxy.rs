//! A real proxy between a test and a server.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::needs::{self, Need};

/// A proxy with its usual settings, which reuses connections to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// nginx, which reads a whole body before it connects to the server.
    Nginx,
    /// nginx, which streams the body (`proxy_request_buffering off`).
    NginxUnbuffered,
    /// HAProxy.
    Haproxy,
}

/// How often, and how many times, a starting proxy is asked whether it listens: two minutes in total.
const START_INTERVAL: Duration = Duration::from_millis(20);
const START_ATTEMPTS: u32 = 6000;

/// A running proxy. It ends when this is dropped, or when this process ends without dropping it.
#[derive(Debug)]
pub struct Proxy {
    authority: String,
    shell: Child,
}

impl Proxy {
    /// Starts a proxy in front of the server at `upstream` (host and port), with its files in `folder`. Returns
    /// `None` if the proxy is not installed and the person who runs the tests accepts that.
    ///
    /// # Errors
    /// If it does not start.
    ///
    /// # Panics
    /// If the proxy is missing and that was not accepted: see [`needs`].
    pub fn start(software: Software, upstream: &str, folder: &Path) -> io::Result<Option<Self>> {
        let (need, name) = match software {
            Software::Nginx | Software::NginxUnbuffered => (Need::Nginx, "nginx"),
            Software::Haproxy => (Need::Haproxy, "haproxy"),
        };
        if !needs::have(need) {
            return Ok(None);
        }
        let program = needs::program(name).ok_or_else(|| io::Error::other("the proxy is gone"))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let authority = format!("127.0.0.1:{port}");
        let folder = fs::canonicalize(folder)?;
        let configuration = folder.join(name);
        fs::write(&configuration, software.configuration(&authority, upstream, &folder))?;
        // It ends when its standard input is closed, and this process holds the other end.
        let script = r#""$@" < /dev/null & cat > /dev/null; kill $!; wait"#;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh"]).arg(program);
        command.args(software.arguments()).arg(&configuration);
        let errors = fs::File::create(folder.join("errors"))?;
        let shell = command.stdin(Stdio::piped()).stdout(errors.try_clone()?).stderr(errors).spawn()?;
        let proxy = Self { authority, shell };
        for _ in 0..START_ATTEMPTS {
            if TcpStream::connect(&proxy.authority).is_ok() {
                return Ok(Some(proxy));
            }
            std::thread::sleep(START_INTERVAL);
        }
        let said = fs::read_to_string(folder.join("errors")).unwrap_or_default();
        Err(io::Error::other(format!("{name} does not listen:\n{said}")))
    }

    /// Its address: host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It has already ended, or cannot be ended.
        let _ = self.shell.wait();
    }
}

impl Software {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Nginx | Self::NginxUnbuffered => &["-c"],
            Self::Haproxy => &["-db", "-f"],
        }
    }

    fn configuration(self, listen: &str, upstream: &str, folder: &Path) -> String {
        let folder = folder.display();
        let buffering = if self == Self::NginxUnbuffered { "off" } else { "on" };
        match self {
            Self::Nginx | Self::NginxUnbuffered => format!(
                "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\n\
                 access_log off;\nclient_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
                 fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
                 upstream scim {{ server {upstream}; keepalive 8; }}\n\
                 server {{ listen {listen}; location / {{\n\
                 proxy_pass http://scim; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
                 proxy_request_buffering {buffering};\n}} }}\n}}\n"
            ),
            Self::Haproxy => format!(
                "defaults\n  mode http\n  timeout connect 10s\n  timeout client 120s\n  timeout server 120s\n\
                 frontend front\n  bind {listen}\n  default_backend back\nbackend back\n  server scim {upstream}\n"
            ),
        }
    }
}
