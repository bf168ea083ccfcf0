//! Which bucket and key a request for S3 is about.

use http::Method;

use crate::host;
use crate::request::Request;

/// The address in path style: `/bucket/key`, percent-encoded, whatever style it came in.
pub struct Target {
    path: String,
}

impl Target {
    /// The target of a request in path style or, by its `Host` header, in virtual-hosted style.
    pub fn of(request: &Request) -> Target {
        let bucket = request.header("host").and_then(host::bucket);
        Target { path: bucket.map_or_else(|| request.path.clone(), |bucket| format!("/{bucket}{}", request.path)) }
    }

    /// The address in path style, percent-encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The bucket's name.
    pub fn bucket(&self) -> Option<&str> {
        self.path.split('/').nth(1).filter(|name| !name.is_empty())
    }

    /// Whether the request is about an object.
    pub fn has_key(&self) -> bool {
        self.key_bytes() > 0
    }

    /// Does the request make a bucket?
    pub fn is_created_by(&self, request: &Request) -> bool {
        request.method == Method::PUT && !self.has_key() && request.query.is_empty()
    }

    /// The length of the key, decoded.
    pub fn key_bytes(&self) -> usize {
        self.path.splitn(3, '/').nth(2).map_or(0, |key| key.len().saturating_sub(2 * key.matches('%').count()))
    }
}
