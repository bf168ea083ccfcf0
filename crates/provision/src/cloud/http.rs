//! The one HTTP client of a run, for every service: the system's certificates are read once, and connections are shared.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use aws_smithy_http_client::tls::{self, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::error::{Error, Result};

/// A client that goes through the proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) and trusts
/// the certificates of a PEM file besides the system's.
///
/// # Errors
/// The bundle cannot be read, or holds no certificate.
pub fn client(bundle: Option<&Path>, proxies: ProxyConfig) -> Result<SharedHttpClient> {
    let tls = match bundle {
        Some(bundle) => trusting(bundle)?,
        None => TlsContext::default(),
    };
    Ok(SharedHttpClient::new(Client { tls, proxies, connectors: Mutex::default() }))
}

/// The proxies for an endpoint: none where it is on this machine, which no proxy reaches.
pub fn proxies(endpoint: Option<&str>) -> ProxyConfig {
    let host = endpoint.and_then(|url| url.parse::<http::Uri>().ok());
    let here = host.as_ref().and_then(|url| url.host()).is_some_and(is_loopback);
    if here { ProxyConfig::disabled() } else { ProxyConfig::from_env() }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[derive(Debug)]
struct Client {
    tls: TlsContext,
    proxies: ProxyConfig,
    /// By time-out to connect and to read: a connector is made once.
    connectors: Mutex<HashMap<[Option<Duration>; 2], SharedHttpConnector>>,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let key = [settings.connect_timeout(), settings.read_timeout()];
        let mut connectors = self.connectors.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let made = connectors.entry(key).or_insert_with(|| {
            let mut builder = Connector::builder()
                .connector_settings(settings.clone())
                .proxy_config(self.proxies.clone())
                .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(self.tls.clone());
            builder.set_sleep_impl(parts.sleep_impl());
            SharedHttpConnector::new(builder.build())
        });
        made.clone()
    }
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn trusting(bundle: &Path) -> Result<TlsContext> {
    let doing = || format!("reading the CA bundle {}", bundle.display());
    let pem = std::fs::read(bundle).map_err(|e| Error::new(doing(), e))?;
    if !pem.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Err(
            Error::new(doing(), "the file has no certificate").hint("use a PEM file with a BEGIN CERTIFICATE block")
        );
    }
    let store = tls::TrustStore::default().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(store).build().map_err(|e| Error::new(doing(), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_a_certificate_is_refused_by_name() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = client(Some(&manifest), ProxyConfig::disabled()).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml: the file has no certificate"), "{error}");
    }

    #[test]
    fn an_endpoint_on_this_machine_is_reached_without_a_proxy() {
        for here in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:4566", "http://s3.localhost"] {
            assert!(proxies(Some(here)).is_disabled(), "{here}");
        }
        for there in [None, Some("https://kinesis.eu-west-1.amazonaws.com"), Some("http://10.0.0.1:4566")] {
            assert!(proxies(there).is_from_env(), "{there:?}");
        }
    }
}
