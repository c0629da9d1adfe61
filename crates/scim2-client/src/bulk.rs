use http::{Method, StatusCode};
use scim2_protocol::{BulkRequest, BulkResponse};

use crate::client::Client;
use crate::error::ClientError;
use crate::exchange::Call;
use crate::transport::Transport;

impl<T: Transport> Client<T> {
    /// Carries out many operations in one request
    /// ([RFC 7644 §3.7](https://www.rfc-editor.org/rfc/rfc7644#section-3.7)).
    ///
    /// That operations failed is no error of the call: each result says what came of it.
    ///
    /// # Errors
    /// As every call: 413 if there are more operations, or more bytes, than the service provider
    /// takes; 501 or 404 if it takes none.
    pub async fn bulk(&self, request: &BulkRequest) -> Result<BulkResponse, ClientError> {
        let call = Call::new(Method::POST, self.url("/Bulk", None)?).json(request)?;
        let answer = self.call(call).await?;
        match answer.status() {
            StatusCode::OK => self.read(&answer, "a BulkResponse"),
            _ => Err(self.failure(&answer)),
        }
    }
}
