//! Signatures of the fourth version, checked in full where a secret was given: what arrived is signed again and compared. The
//! time of a signature is not compared with the clock, which may be moved here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::{Digest, Sha256};

use crate::request::AwsError;

/// The one key that signs, and its secret.
#[derive(Clone)]
pub struct Secret {
    access_key: String,
    secret_key: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({}:...)", self.access_key)
    }
}

impl Secret {
    /// `KEY:SECRET`
    pub fn parse(text: &str) -> Option<Secret> {
        let (access_key, secret_key) =
            text.split_once(':').filter(|(key, secret)| !key.is_empty() && !secret.is_empty())?;
        Some(Secret { access_key: access_key.into(), secret_key: secret_key.into() })
    }
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    Incomplete,
    UnknownKey,
    Mismatch,
}

impl Denied {
    /// As the service of this name says it.
    pub fn error(self, service: &str) -> AwsError {
        const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your key \
                                and signing method.";
        let (code, message) = match (self, service) {
            (Denied::Incomplete, "s3") => ("AccessDenied", "Access Denied"),
            (Denied::Incomplete, "iam" | "sts") => {
                ("IncompleteSignature", "The request must contain a complete signature.")
            }
            (Denied::Incomplete, _) => {
                ("IncompleteSignatureException", "The request must contain a complete signature.")
            }
            (Denied::UnknownKey, "s3") => {
                ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
            }
            (Denied::UnknownKey, "iam" | "sts") => {
                ("InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            (Denied::UnknownKey, _) => {
                ("UnrecognizedClientException", "The security token included in the request is invalid.")
            }
            (Denied::Mismatch, "s3" | "iam" | "sts") => ("SignatureDoesNotMatch", MISMATCH),
            (Denied::Mismatch, _) => ("InvalidSignatureException", MISMATCH),
        };
        AwsError::new(code, message).with_status(403)
    }
}

/// What a request says of its signature, in the header or in a presigned query.
struct Claim {
    credential: String,
    signed_headers: String,
    signature: String,
    time: String,
    presigned: bool,
}

/// Is the request signed with this secret?
pub fn verify(head: &Parts, body: &Bytes, secret: &Secret) -> Result<(), Denied> {
    let query = parameters(head);
    let claim = claim(head, &query).ok_or(Denied::Incomplete)?;
    let scope: Vec<&str> = claim.credential.split('/').collect();
    let [access_key, day, region, service, "aws4_request"] = scope[..] else { return Err(Denied::Incomplete) };
    if access_key != secret.access_key {
        return Err(Denied::UnknownKey);
    }
    let payload = payload(head, body, &claim, service)?;
    let canonical = [
        head.method.as_str(),
        &path(head.uri.path(), service),
        &canonical_query(query),
        &canonical_headers(head, &claim.signed_headers).ok_or(Denied::Incomplete)?,
        &claim.signed_headers,
        &payload,
    ]
    .join("\n");
    let scope = [day, region, service, "aws4_request"].join("/");
    let to_sign = ["AWS4-HMAC-SHA256", &claim.time, &scope, &hex(&Sha256::digest(canonical))].join("\n");
    let first = format!("AWS4{}", secret.secret_key).into_bytes();
    let key = [day, region, service, "aws4_request"].iter().fold(first, |key, part| hmac(&key, part));
    if hex(&hmac(&key, &to_sign)) == claim.signature { Ok(()) } else { Err(Denied::Mismatch) }
}

fn claim(head: &Parts, query: &[(String, String)]) -> Option<Claim> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(authorization) = header("authorization") {
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
            fields.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
        };
        return Some(Claim {
            credential: field("Credential")?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
            time: header("x-amz-date")?.to_owned(),
            presigned: false,
        });
    }
    let parameter = |name: &str| query.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    Some(Claim {
        credential: parameter("X-Amz-Credential")?,
        signed_headers: parameter("X-Amz-SignedHeaders")?,
        signature: parameter("X-Amz-Signature")?,
        time: parameter("X-Amz-Date")?,
        presigned: true,
    })
}

/// The hash that was signed for; it must be that of the body, unless it says that it is of none.
fn payload(head: &Parts, body: &Bytes, claim: &Claim, service: &str) -> Result<String, Denied> {
    let announced = head.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    match announced {
        Some(word) if word.len() != 64 => Ok(word.to_owned()),
        None if claim.presigned && service == "s3" => Ok("UNSIGNED-PAYLOAD".into()),
        _ => {
            let hash = hex(&Sha256::digest(body));
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

/// A line for each, and an empty one. `None` where one is not there.
fn canonical_headers(head: &Parts, signed: &str) -> Option<String> {
    let mut out = String::new();
    for name in signed.split(';') {
        let values = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let values: Vec<String> = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        // In the second version of HTTP, the host stands in the address.
        let host = || head.uri.authority().filter(|_| name == "host").map(|host| vec![host.as_str().to_owned()]);
        let values = if values.is_empty() { host()? } else { values };
        out.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    Some(out)
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
    fn documented(signature: &str, range: &str) -> Parts {
        let credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
        let request = http::Request::get("/test.txt")
            .header("host", "examplebucket.s3.amazonaws.com")
            .header("range", range)
            .header("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            .header("x-amz-date", "20130524T000000Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={credential},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                     Signature={signature}"
                ),
            );
        request.body(()).expect("valid parts").into_parts().0
    }

    #[test]
    fn a_signature_holds_for_what_was_signed_with_its_secret() {
        const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        let secret = |text| Secret::parse(text).expect("a key and a secret");
        let right = secret("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let check =
            |head: Parts, body: &'static [u8], secret: &Secret| verify(&head, &Bytes::from_static(body), secret);
        assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"", &right), Ok(()));
        assert_eq!(check(documented(SIGNATURE, "bytes=0-8"), b"", &right), Err(Denied::Mismatch));
        assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"x", &right), Err(Denied::Mismatch));
        assert_eq!(check(documented("00", "bytes=0-9"), b"", &right), Err(Denied::Mismatch));
        let other = secret("AKIAIOSFODNN7EXAMPLE:other");
        assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"", &other), Err(Denied::Mismatch));
        assert_eq!(check(documented(SIGNATURE, "bytes=0-9"), b"", &secret("AK:s")), Err(Denied::UnknownKey));
        let unsigned = http::Request::get("/").body(()).expect("valid parts").into_parts().0;
        assert_eq!(check(unsigned, b"", &right), Err(Denied::Incomplete));
        assert_eq!(Secret::parse("only-a-key").map(|_| ()), None);
        assert_eq!(format!("{other:?}"), "Secret(AKIAIOSFODNN7EXAMPLE:...)");
    }

    /// What botocore 1.44.5 signs with this key, on 23 November 2026 at three.
    #[test]
    fn what_a_client_signs_holds_for_each_kind_of_service_and_for_addresses_that_are_given_away() {
        let secret = Secret::parse("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("a key and a secret");
        let signed = |service: &str, headers: &str, signature: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/{service}/aws4_request, \
                 SignedHeaders={headers}, Signature={signature}"
            )
        };
        let base =
            || http::Request::builder().header("host", "127.0.0.1:4566").header("x-amz-date", "20261123T030000Z");
        let kinesis = base()
            .method("POST")
            .uri("/")
            .header("x-amz-target", "Kinesis_20131202.ListStreams")
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "authorization",
                signed(
                    "kinesis",
                    "content-type;host;x-amz-date;x-amz-target",
                    "e02e420b984683dc713bcd86a598cf7ed67adf448a957b112f40f8f3d9e36898",
                ),
            );
        let lambda = base().uri("/2015-03-31/functions/arn%3Aaws%3Alambda?Marker=a%2Fb%20c&MaxItems=5").header(
            "authorization",
            signed("lambda", "host;x-amz-date", "3ef2389c54b020612762e22435991c8b9a5812e17a006843102cc3f25dd1e84d"),
        );
        let presigned = http::Request::builder().header("host", "127.0.0.1:4566").uri(
            "/lake/a%20b?versionId=x%2By&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-west-1\
             %2Fs3%2Faws4_request&X-Amz-Date=20261123T030000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=0781b59af6019cdf69d4485487dc81e639d75b41bc44cd1dba42939c22121f66",
        );
        for (request, body) in [(kinesis, "{}"), (lambda, ""), (presigned, "")] {
            let head = request.body(()).expect("valid parts").into_parts().0;
            assert_eq!(verify(&head, &Bytes::from_static(body.as_bytes()), &secret), Ok(()), "{}", head.uri);
        }
    }

    #[test]
    fn paths_and_queries_are_brought_into_one_form() {
        assert_eq!(path("/2015-03-31/functions/a%3Ab", "lambda"), "/2015-03-31/functions/a%253Ab");
        assert_eq!(path("/b/a%20b", "s3"), "/b/a%20b");
        let head =
            http::Request::get("/?b=2+3&a=%2F&X-Amz-Signature=1&c").body(()).expect("valid parts").into_parts().0;
        assert_eq!(canonical_query(parameters(&head)), "a=%2F&b=2%203&c=");
    }
}
