//! Passwords as salted Argon2id hashes, computed off the threads that answer requests.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, SaltString};
use scim2_server::{HashError, PasswordHasher};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Hashes with Argon2id and the parameters OWASP recommends, which are the crate's defaults: 19 MiB,
/// two passes, one lane. At most as many hashes as there are permits are computed at a time, so a
/// flood of passwords waits instead of filling the memory.
pub(crate) struct Argon2id {
    permits: Arc<Semaphore>,
}

impl Argon2id {
    /// Computes at most `at_once` hashes at a time, each in 19 MiB.
    pub(crate) fn new(at_once: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(at_once.max(1))) }
    }
}

impl PasswordHasher for Argon2id {
    async fn hash(&self, password: String) -> Result<String, HashError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| HashError)?;
        let hashed = spawn_blocking(move || {
            // The permit goes with the work: a request that is given up does not stop it.
            let _permit = permit;
            hash(&password)
        });
        hashed.await.map_err(|_| HashError)?
    }
}

/// The hash, computed on this thread.
pub(crate) fn hash(password: &str) -> Result<String, HashError> {
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
