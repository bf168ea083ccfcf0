//! Fuzz targets: bodies of requests.

use bytes::Bytes;
use serde_json::Value;

use super::{cbor, chunked};

/// JSON that was read from CBOR is the same after another round through CBOR.
#[test]
fn fuzz_cbor() {
    fuzz::over("cbor", |body| {
        let Some(json) = cbor::to_json(body).filter(|json| !json.is_empty()) else { return };
        if let Err(error) = serde_json::from_slice::<Value>(&json) {
            // Its reader then refuses it.
            return assert!(error.to_string().starts_with("recursion limit exceeded"), "{error}");
        }
        assert!(cbor::to_json(&cbor::from_json(&json)).is_some());
    });
}

#[test]
fn fuzz_chunked() {
    fuzz::over("chunked", |body| {
        let body = Bytes::copy_from_slice(body);
        let signed = chunked::signed(body.clone());
        if let Ok((data, _)) = chunked::decode(body) {
            let chunks = signed.expect("they are the same chunks");
            assert_eq!(chunks.iter().flat_map(|(chunk, _)| chunk.iter().copied()).collect::<Vec<_>>(), data);
        }
    });
}
