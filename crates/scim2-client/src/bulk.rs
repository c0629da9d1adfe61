use http::{Method, StatusCode};
use scim2_protocol::{BulkRequest, BulkResponse};

use crate::client::Client;
use crate::error::ClientError;
use crate::exchange::Call;
use crate::transport::Transport;

impl<T: Transport> Client<T> {
    /// Runs many operations in one request
    /// ([RFC 7644 §3.7](https://www.rfc-editor.org/rfc/rfc7644#section-3.7)).
    ///
    /// A failed operation is not an error of the call: see its result.
    ///
    /// # Errors
    /// As every call. 413 if there are more operations or bytes than the service provider
    /// accepts; 501 or 404 if it does not support bulk requests.
    pub async fn bulk(&self, request: &BulkRequest) -> Result<BulkResponse, ClientError> {
        let call = Call::new(Method::POST, self.url("/Bulk", None)?).json(request)?;
        let answer = self.call(call).await?;
        match answer.status() {
            StatusCode::OK => self.read(&answer, "a BulkResponse"),
            _ => Err(self.failure(&answer)),
        }
    }
}
