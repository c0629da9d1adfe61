//! TLS connections, configured with libpq's parameters.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;

/// How a connection is secured.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    mode: Mode,
    /// The trusted authorities: a file of certificates, or `None` for those that the machine trusts.
    root: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// The value of `sslmode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    Disable,
    /// Encrypt if the server can.
    #[default]
    Prefer,
    /// Encrypt, whoever the server is.
    Require,
    /// Check that a trusted authority signed the server's certificate.
    VerifyCa,
    /// Check the name of the server, too.
    VerifyFull,
}

impl Tls {
    /// Reads one parameter. `false` if it is not about TLS.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<bool, OpenError> {
        let file = || Some(PathBuf::from(value)).filter(|_| !value.is_empty());
        match name {
            "sslmode" => {
                self.mode = match value {
                    "disable" => Mode::Disable,
                    "allow" | "prefer" => Mode::Prefer,
                    "require" => Mode::Require,
                    "verify-ca" => Mode::VerifyCa,
                    "verify-full" => Mode::VerifyFull,
                    _ => {
                        let value: String = value.chars().take(32).flat_map(char::escape_debug).collect();
                        return Err(OpenError::address(format!(
                            "`sslmode={value}`: expected `disable`, `prefer`, `require`, `verify-ca` or `verify-full`"
                        )));
                    }
                }
            }
            "sslrootcert" => self.root = file().filter(|_| value != "system"),
            "sslcert" => self.certificate = file(),
            "sslkey" => self.key = file(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The setting of the driver, which ensures that nothing is sent in plain text.
    pub(super) fn mode(&self) -> SslMode {
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }

    /// The connector for new connections.
    ///
    /// # Errors
    /// Names the parameter whose file cannot be used.
    pub(super) fn connector(&self) -> Result<Connector, OpenError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let trust = match (self.mode, &self.root) {
            // Without a name to check there is nothing to verify, as with libpq.
            (Mode::Disable | Mode::Prefer, _) | (Mode::Require, None) => Trust::Anyone,
            (Mode::Require | Mode::VerifyCa, _) => Trust::AnyName(self.roots(&provider)?),
            (Mode::VerifyFull, _) => Trust::Name(self.roots(&provider)?),
        };
        let verifier = Arc::new(Verifier { trust, provider: Arc::clone(&provider) });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(OpenError::io)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match (&self.certificate, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates("sslcert", certificate)?;
                let key =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("sslkey", key, &error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| unusable("sslcert", certificate, &error))?
            }
            _ => return Err(OpenError::address("`sslcert` and `sslkey` go together".to_owned())),
        };
        Ok(Connector(MakeRustlsConnect::new(config)))
    }

    fn roots(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, OpenError> {
        let mut roots = RootCertStore::empty();
        match &self.root {
            Some(path) => {
                for certificate in certificates("sslrootcert", path)? {
                    roots.add(certificate).map_err(|error| unusable("sslrootcert", path, &error))?;
                }
            }
            None => {
                // Skip certificates of the machine that are too old to be parsed.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().map_err(
            |_| {
                OpenError::address(
                    "no certificate authority is trusted; expected `sslrootcert=FILE`".to_owned(),
                )
            },
        )
    }
}

fn certificates(parameter: &str, path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let failed = |error| unusable(parameter, path, &error);
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if chain.is_empty() {
        return Err(unusable(parameter, path, &"it holds no certificate"));
    }
    Ok(chain)
}

fn unusable(parameter: &str, path: &std::path::Path, error: &dyn fmt::Display) -> OpenError {
    OpenError::address(format!("`{parameter}={}`: {error}", path.display()))
}

/// Makes connections to a database secure.
#[derive(Clone)]
pub(super) struct Connector(pub(super) MakeRustlsConnect);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

/// Which servers are accepted.
#[derive(Debug)]
enum Trust {
    Anyone,
    AnyName(Arc<WebPkiServerVerifier>),
    Name(Arc<WebPkiServerVerifier>),
}

/// Verifies the certificate as the mode demands. Every mode verifies that the server has the private key.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match &self.trust {
            Trust::Anyone => Ok(ServerCertVerified::assertion()),
            Trust::Name(verifier) => verify(verifier),
            Trust::AnyName(verifier) => match verify(verifier) {
                // The name is checked last.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                verified => verified,
            },
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
