//! The first token of a store.

use std::net::SocketAddr;

use scim2_auth::TokenSecret;
use scim2_server::Access;

use super::provider::{base_url, local_url};
use crate::config::{BOOTSTRAP_TOKEN, Config};
use crate::failure::{Failure, say};
use crate::store::{TokenKeeper, new_token};

/// The variable with the first token, if the operator chooses it. It is not a configuration key: a flag would show the
/// token to everybody who can list processes, and a file would keep it.
const VARIABLE: &str = BOOTSTRAP_TOKEN;

/// Makes a token if the store has none, and shows it unless the operator chose it. A store with only revoked tokens gets
/// no new one, so that a restart gives nobody access again.
pub(super) async fn ensure(
    tokens: &mut impl TokenKeeper,
    config: &Config,
    address: SocketAddr,
) -> Result<(), Failure> {
    let given = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    if tokens.any().await? {
        if given.is_some() {
            say(format_args!("the store has tokens: `{VARIABLE}` is not added to them"));
        }
        return Ok(());
    }
    match given {
        Some(value) => {
            let secret = value.to_str().and_then(TokenSecret::parse).ok_or_else(|| {
                Failure::usage(format!("`{VARIABLE}`: expected 16 or more visible ASCII characters"))
            })?;
            if !secret.is_hard_to_guess() {
                return Err(Failure::usage(format!(
                    "`{VARIABLE}` is too easy to guess; expected random characters, such as those that \
                     `openssl rand -hex 16` prints"
                )));
            }
            tokens.add(&new_token("bootstrap", &secret, Access::Write, None)).await?;
        }
        None => {
            let secret = TokenSecret::generate().map_err(Failure::run)?;
            tokens.add(&new_token("first", &secret, Access::Write, None)).await?;
            show(&secret, config, address);
        }
    }
    Ok(())
}

fn show(secret: &TokenSecret, config: &Config, address: SocketAddr) {
    let (base, here, token) = (base_url(config, address), local_url(config, address), secret.reveal());
    say(format_args!(
        "\
This store is new. A token was made for it; it is shown this once, and only its hash is kept.

  base URL  {base}
  token     {token}

Try it:

  curl -H 'Authorization: Bearer {token}' {here}/Users
"
    ));
}
