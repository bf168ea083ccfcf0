//! The AWS SDK's HTTP client, in this process: no socket, no port.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::HeaderValue;
use http::header::HOST;
use http_body_util::BodyExt;

use crate::drive::Engine;
use crate::exchange::Content;

impl Engine {
    /// For `http_client` of an SDK configuration: every request is answered by this engine, whatever its endpoint.
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector { engine: self.clone() });
        http_client_fn(move |_, _| connector.clone())
    }
}

struct Connector {
    engine: Engine,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("local_cloud::Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.engine.clone();
        HttpConnectorFuture::new(async move { exchange(&engine, request).await })
    }
}

/// The header that a client on a socket writes from the address: a bucket's name may stand in it.
fn name_host(parts: &mut http::request::Parts) {
    let host = parts.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host
        && !parts.headers.contains_key(HOST)
    {
        parts.headers.insert(HOST, host);
    }
}

async fn exchange(engine: &Engine, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (mut parts, body) = request.into_parts();
    name_host(&mut parts);
    let body: Bytes = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    let answer = engine.exchange(http::Request::from_parts(parts, body)).await;
    let response = answer.map_err(|lost| ConnectorError::io(lost.into()))?;
    let body = |content| match content {
        Content::Whole(whole) => SdkBody::from(whole.unwrap_or_default()),
        events => SdkBody::from_body_1_x(events),
    };
    HttpResponse::try_from(response.map(body)).map_err(|error| ConnectorError::user(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_that_of_the_address_where_no_header_names_one() {
        for (header, expected) in
            [(None, "lake.s3.eu-west-1.amazonaws.com"), (Some("lake.localhost"), "lake.localhost")]
        {
            let mut request = http::Request::get("http://lake.s3.eu-west-1.amazonaws.com/a");
            if let Some(host) = header {
                request = request.header(HOST, host);
            }
            let (mut parts, ()) = request.body(()).expect("a request").into_parts();
            name_host(&mut parts);
            assert_eq!(parts.headers[HOST], expected);
        }
    }
}
