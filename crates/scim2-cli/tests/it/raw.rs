//! HTTP/1.1 written by hand: bytes to a socket, answers from it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A connection to a server or a proxy.
pub(crate) struct Connection(BufReader<TcpStream>);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header fields, names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn to(authority: &str) -> Self {
        let stream = TcpStream::connect(authority).expect("a connection");
        // Longer than any answer takes on a busy machine: a test that hangs says where.
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a timeout");
        Self(BufReader::new(stream))
    }

    /// Writes bytes. A peer that is gone already is found when its answer is read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.get_mut().write_all(bytes.as_ref());
    }

    /// Reads an answer, or `None` if the connection was closed. 100 Continue is passed over.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        loop {
            let line = self.line()?;
            let status = line.get(9..12).and_then(|code| code.parse().ok()).expect("a status line");
            let mut answer = Answer { status, fields: Vec::new(), body: Vec::new() };
            while let Some(line) = self.line().filter(|line| !line.is_empty()) {
                let (name, value) = line.split_once(':').expect("a header field");
                answer.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            if let Some(length) = answer.field("content-length") {
                answer.body = vec![0; length.parse().expect("a length")];
                self.0.read_exact(&mut answer.body).expect("the body of the answer");
            }
            if status != 100 {
                return Some(answer);
            }
        }
    }

    /// Asserts that the server closes the connection without another answer.
    #[track_caller]
    pub(crate) fn closed(mut self) {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = self.0.read_to_end(&mut rest);
        assert_eq!(String::from_utf8_lossy(&rest), "", "an answer that nobody asked for");
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}
