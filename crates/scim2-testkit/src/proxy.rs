//! A real proxy between a test and a server.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::needs::{self, Need};

/// Which proxy, with its usual settings and connections to the server that are re-used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// nginx, which takes a whole body before it asks the server.
    Nginx,
    /// nginx, which hands a body on as it comes (`proxy_request_buffering off`).
    NginxUnbuffered,
    /// HAProxy.
    Haproxy,
}

/// How often a proxy that starts is asked whether it listens, and how many times: two minutes in all.
const START_INTERVAL: Duration = Duration::from_millis(20);
const START_ATTEMPTS: u32 = 6000;

/// A running proxy; ends when this is dropped, and also when this process ends without dropping it.
#[derive(Debug)]
pub struct Proxy {
    authority: String,
    shell: Child,
}

impl Proxy {
    /// Starts one in front of the server at `upstream` (host and port); its files lie in `folder`. `None` where the
    /// proxy is not installed and whoever runs the tests accepts that.
    ///
    /// # Errors
    /// When it does not start.
    ///
    /// # Panics
    /// Where the proxy is missing and nobody said that it may be: see [`needs`].
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
        // It ends when its standard input does, which we hold.
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

    /// Where it listens: host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It has ended, or there is nothing more to be done.
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
