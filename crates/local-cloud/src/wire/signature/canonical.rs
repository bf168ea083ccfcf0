//! Verifies a signature: brings the request into canonical form, signs it with the secret and compares.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::{ALGORITHM, Claim, Denied};
use crate::wire::chunked;

/// Is the request signed with this secret?
pub(super) fn verify(head: &Parts, body: &Bytes, claim: &Claim, secret_key: &str) -> Result<(), Denied> {
    let [_, day, region, service, end] = claim.credential.each_ref().map(String::as_str);
    let time = claim.time.as_deref().ok_or(Denied::Undated)?;
    let canonical = [
        head.method.as_str(),
        &path(head.uri.path(), service),
        &canonical_query(parameters(head)),
        &canonical_headers(head, &claim.signed_headers),
        &claim.signed_headers,
        &payload(head, body, claim.presigned, service)?,
    ]
    .join("\n");
    let scope = [day, region, service, end];
    let key = scope.iter().fold(format!("AWS4{secret_key}").into_bytes(), |key, part| hmac(&key, part));
    let signer = Signer { key, time, scope: scope.join("/") };
    if signer.sign("", &[&hash(canonical)]) != claim.signature {
        return Err(Denied::Mismatch);
    }
    match head.headers.get("x-amz-content-sha256").map(|word| word.as_bytes()) {
        Some(b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD") => signer.chunks(body, &claim.signature).map(|_| ()),
        Some(b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") => signer.chunks_and_trailers(body, &claim.signature),
        _ => Ok(()),
    }
}

/// Signs a request and the chunks of its body.
struct Signer<'a> {
    key: Vec<u8>,
    time: &'a str,
    scope: String,
}

impl Signer<'_> {
    fn sign(&self, of: &str, lines: &[&str]) -> String {
        let to_sign = [&[&format!("{ALGORITHM}{of}"), self.time, &self.scope], lines].concat().join("\n");
        hex::encode(hmac(&self.key, &to_sign))
    }

    /// Each chunk is signed with the signature of the one before; gives the last.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
    fn chunks(&self, body: &Bytes, seed: &str) -> Result<String, Denied> {
        let chunks = chunked::signed(body.clone()).map_err(|_| Denied::Mismatch)?;
        chunks.iter().try_fold(seed.to_owned(), |before, (data, signature)| {
            let signed = self.sign("-PAYLOAD", &[&before, &hash(""), &hash(data)]);
            if signed == *signature { Ok(signed) } else { Err(Denied::Mismatch) }
        })
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
    fn chunks_and_trailers(&self, body: &Bytes, seed: &str) -> Result<(), Denied> {
        let last = self.chunks(body, seed)?;
        let (_, trailers) = chunked::decode(body.clone()).map_err(|_| Denied::Mismatch)?;
        let lower = |(name, value): chunked::Trailer| (name.to_ascii_lowercase(), value);
        let (signature, mut trailers): (Vec<_>, Vec<_>) =
            trailers.into_iter().map(lower).partition(|(name, _)| name == "x-amz-trailer-signature");
        trailers.sort_unstable();
        let text: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signed = self.sign("-TRAILER", &[&last, &hash(text)]);
        if signature.first().is_some_and(|(_, found)| *found == signed) { Ok(()) } else { Err(Denied::Mismatch) }
    }
}

/// A parameter of the query, decoded.
pub(super) fn parameter(head: &Parts, wanted: &str) -> Option<String> {
    parameters(head).into_iter().find(|(name, _)| name == wanted).map(|(_, value)| value)
}

/// The hash that was signed for; it must be that of the body, unless it says that it is of none.
fn payload(head: &Parts, body: &Bytes, presigned: bool, service: &str) -> Result<String, Denied> {
    let announced = head.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    match announced {
        Some(word) if word.len() != 64 => Ok(word.to_owned()),
        None if presigned && service == "s3" => Ok("UNSIGNED-PAYLOAD".into()),
        _ => {
            let hash = hash(body);
            if announced.is_none_or(|announced| announced == hash) { Ok(hash) } else { Err(Denied::Mismatch) }
        }
    }
}

/// All services but S3 encode what is encoded once more.
fn path(path: &str, service: &str) -> String {
    if service == "s3" { path.to_owned() } else { path.split('/').map(encode).collect::<Vec<_>>().join("/") }
}

fn parameters(head: &Parts) -> Vec<(String, String)> {
    serde_urlencoded::from_str(head.uri.query().unwrap_or_default()).unwrap_or_default()
}

fn canonical_query(query: Vec<(String, String)>) -> String {
    let signed = query.iter().filter(|(name, _)| name != "X-Amz-Signature");
    let mut pairs: Vec<String> = signed.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// A line for each, and an empty one. What is not there is signed as empty, and so by nobody.
fn canonical_headers(head: &Parts, signed: &str) -> String {
    let line = |name: &str| {
        let values = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let values: Vec<String> = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        // In the second version of HTTP, the host stands in the address; the SDK for JavaScript signs it by its name there.
        let host = head.uri.authority().filter(|_| matches!(name, "host" | ":authority"));
        let text = host.filter(|_| values.is_empty()).map_or_else(|| values.join(","), ToString::to_string);
        format!("{name}:{text}\n")
    };
    signed.split(';').map(line).collect()
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_brought_into_one_form() {
        assert_eq!(path("/2015-03-31/functions/a%3Ab", "lambda"), "/2015-03-31/functions/a%253Ab");
        assert_eq!(path("/b/a%20b", "s3"), "/b/a%20b");
        let head =
            http::Request::get("/?b=2+3&a=%2F&X-Amz-Signature=1&c").body(()).expect("valid parts").into_parts().0;
        assert_eq!(canonical_query(parameters(&head)), "a=%2F&b=2%203&c=");
    }
}
