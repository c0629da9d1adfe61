//! Connections to a database that are encrypted, or refused.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use scim2_server::ResourceStore as _;
use scim2_store::{OpenError, OpenErrorKind, PostgresOptions, PostgresStore};
use scim2_testkit::postgres::Database;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::common::{block_on, context, user};

/// What every client asks before it says anything else: may it be TLS?
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Stands before a database and speaks TLS for it, or says that it cannot.
struct Front {
    port: u16,
    /// How many connections continued in plain text.
    in_clear: Arc<AtomicUsize>,
    database: Database,
    folder: tempfile::TempDir,
}

impl Front {
    /// `None` where there is no PostgreSQL. The certificate is for `localhost` and no other name.
    async fn start(speaks_tls: bool) -> Option<Self> {
        let database = Database::create().expect("a database")?;
        let folder = tempfile::tempdir().expect("a folder");
        let authority_key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).expect("a certificate");
        std::fs::write(folder.path().join("root.pem"), root.pem()).expect("writes");
        let stranger =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join("stranger.pem"), stranger.cert.pem()).expect("writes");

        let key = KeyPair::generate().expect("a key");
        let own = CertificateParams::new(vec!["localhost".to_owned()])
            .and_then(|params| params.signed_by(&key, &Issuer::new(authority, authority_key)))
            .expect("a certificate");
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_no_client_auth()
                .with_single_cert(vec![own.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
                .expect("a configuration");
        let acceptor = speaks_tls.then(|| TlsAcceptor::from(Arc::new(config)));

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let in_clear = Arc::new(AtomicUsize::new(0));
        let behind = behind(&database);
        let count = Arc::clone(&in_clear);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, behind.clone(), acceptor.clone(), Arc::clone(&count)));
            }
        });
        Some(Self { port, in_clear, database, folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self, host: &str, parameters: &str) -> Result<PostgresStore, OpenError> {
        let url = self.database.url();
        let name = url.rsplit('/').next().expect("a database");
        let url = format!("postgres://postgres@{host}:{}/{name}?{parameters}", self.port);
        PostgresStore::open(&PostgresOptions::new(&url)?).await
    }
}

/// The address of the database itself.
fn behind(database: &Database) -> String {
    let url = database.url();
    let (_, address) = url.split_once('@').expect("a user");
    address.split('/').next().expect("an address").to_owned()
}

async fn forward(
    mut client: TcpStream,
    behind: String,
    acceptor: Option<TlsAcceptor>,
    in_clear: Arc<AtomicUsize>,
) {
    let mut server = TcpStream::connect(behind).await.expect("the database listens");
    let mut first = [0; 8];
    if client.read_exact(&mut first).await.is_err() {
        return;
    }
    if first != SSL_REQUEST {
        in_clear.fetch_add(1, Ordering::SeqCst);
        server.write_all(&first).await.expect("sends");
        let _ = copy_bidirectional(&mut client, &mut server).await;
        return;
    }
    let Some(acceptor) = acceptor else {
        client.write_all(b"N").await.expect("sends");
        // Anything that follows is in plain text.
        if client.read_exact(&mut first).await.is_ok() {
            in_clear.fetch_add(1, Ordering::SeqCst);
            server.write_all(&first).await.expect("sends");
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        return;
    };
    client.write_all(b"S").await.expect("sends");
    // A client that does not trust us goes away.
    if let Ok(mut client) = acceptor.accept(client).await {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

#[test]
fn a_connection_is_encrypted_with_whom_the_mode_trusts() {
    block_on(async {
        let Some(front) = Front::start(true).await else { return };
        let (root, stranger) = (front.file("root.pem"), front.file("stranger.pem"));
        let (root, stranger) = (root.display(), stranger.display());
        for (host, parameters) in [
            ("127.0.0.1", String::new()),
            ("127.0.0.1", "sslmode=prefer".to_owned()),
            ("127.0.0.1", "sslmode=require".to_owned()),
            ("127.0.0.1", format!("sslmode=require&sslrootcert={root}")),
            ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={root}")),
            ("localhost", format!("sslmode=verify-full&sslrootcert={root}")),
        ] {
            let store = front.open(host, &parameters).await;
            let store = store.unwrap_or_else(|error| panic!("{host} {parameters}: {error}"));
            store.close();
        }
        for (host, parameters, said) in [
            ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={root}"), "name"),
            ("localhost", format!("sslmode=require&sslrootcert={stranger}"), "certificate"),
            ("localhost", format!("sslmode=verify-ca&sslrootcert={stranger}"), "certificate"),
            ("localhost", "sslmode=verify-full&sslrootcert=system".to_owned(), "certificate"),
        ] {
            let error = front.open(host, &parameters).await.expect_err(&parameters);
            assert_eq!(error.kind(), OpenErrorKind::Io, "{parameters}: {error}");
            assert!(error.to_string().contains(said), "{parameters}: {error}");
        }
        assert_eq!(front.in_clear.load(Ordering::SeqCst), 0, "nothing was sent in plain text");

        let cx = context();
        let store = front.open("localhost", &format!("sslmode=verify-full&sslrootcert={root}")).await;
        let store = store.expect("opens");
        store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        store.close();
    });
}

#[test]
fn what_must_be_encrypted_never_goes_in_clear() {
    block_on(async {
        let Some(front) = Front::start(false).await else { return };
        let root = front.file("root.pem");
        for mode in ["require", "verify-ca", "verify-full"] {
            let parameters = format!("sslmode={mode}&sslrootcert={}", root.display());
            let error = front.open("localhost", &parameters).await.expect_err("the server has no TLS");
            assert_eq!(error.kind(), OpenErrorKind::Io, "{mode}: {error}");
        }
        assert_eq!(front.in_clear.load(Ordering::SeqCst), 0);
        front.open("localhost", "sslmode=prefer").await.expect("in plain text, which is allowed").close();
        assert!(front.in_clear.load(Ordering::SeqCst) > 0);
    });
}

#[test]
fn what_is_wrong_with_a_file_is_said_before_anything_is_connected() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("writes");
    for (parameters, said) in [
        ("sslmode=sometimes".to_owned(), "`sslmode=sometimes`: expected `disable`"),
        ("sslmode=verify-ca&sslrootcert=/nowhere/root.pem".to_owned(), "`sslrootcert=/nowhere/root.pem`"),
        (format!("sslmode=verify-full&sslrootcert={}", empty.display()), "it holds no certificate"),
        ("sslmode=require&sslcert=/nowhere/own.pem".to_owned(), "`sslcert` and `sslkey` go together"),
    ] {
        let url = format!("postgres://postgres:hush-hush@127.0.0.1:1/scim2?{parameters}");
        let opened = PostgresOptions::new(&url).map(|options| block_on(PostgresStore::open(&options)));
        let error = opened.and_then(|opened| opened).expect_err(&parameters);
        assert_eq!(error.kind(), OpenErrorKind::Address, "{parameters}: {error}");
        assert!(error.to_string().contains(said), "{parameters}: {error}");
        assert!(!format!("{error} {error:?}").contains("hush-hush"), "{error:?}");
    }
}
