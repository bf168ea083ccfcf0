//! The AWS SDK's HTTP client, in this process: no socket, no port.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::drive::{Content, Engine};

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

async fn exchange(engine: &Engine, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body: Bytes = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    let answer = engine.exchange(http::Request::from_parts(parts, body)).await;
    let response = answer.map_err(|lost| ConnectorError::io(lost.into()))?;
    let body = |content| match content {
        Content::Whole(whole) => SdkBody::from(whole.unwrap_or_default()),
        events => SdkBody::from_body_1_x(events),
    };
    HttpResponse::try_from(response.map(body)).map_err(|error| ConnectorError::user(error.into()))
}
