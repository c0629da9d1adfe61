//! Salted Argon2id hashes of passwords, computed outside of the threads that answer requests.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, SaltString};
use scim2_server::{HashError, PasswordHasher};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Hashes passwords with Argon2id and the parameters that OWASP recommends, which are the defaults of the crate
/// `argon2`: 19 MiB, two passes, one lane. Only so many hashes are computed at a time, so a flood of passwords waits
/// instead of filling the memory.
///
/// Hashes are PHC strings, `$argon2id$v=19$…`, which most programs that check passwords can read.
#[derive(Debug, Clone)]
pub struct Argon2id {
    permits: Arc<Semaphore>,
}

impl Argon2id {
    /// Computes at most `max_concurrent` hashes at a time, in 19 MiB each; zero counts as one.
    #[must_use]
    pub fn new(max_concurrent: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(max_concurrent.max(1))) }
    }
}

impl PasswordHasher for Argon2id {
    async fn hash(&self, password: String) -> Result<String, HashError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| HashError)?;
        let hashed = spawn_blocking(move || {
            // The permit moves into the work: if the request is dropped, the hash is still computed.
            let _permit = permit;
            hash_password(&password)
        });
        hashed.await.map_err(|_| HashError)?
    }
}

/// The hash of a password, computed on this thread, which takes some hundredths of a second. Prepare the password
/// with [`prepare_password`](scim2_server::ports::prepare_password) first, as the service provider does.
///
/// # Errors
/// If the operating system has no random numbers for the salt, or the memory is exhausted.
pub fn hash_password(password: &str) -> Result<String, HashError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| HashError)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| HashError)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|_| HashError)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHash, PasswordVerifier as _};

    use super::*;

    #[tokio::test]
    async fn hashes_are_salted_and_verify() {
        let hasher = Argon2id::new(1);
        let first = hasher.hash("correct horse".to_owned()).await.unwrap();
        let second = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert_ne!(first, second);
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        let parsed = PasswordHash::new(&first).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"correct house", &parsed).is_err());
    }
}
