//! Checksums that clients send with a body, compared with what came, and the members in which answers give them back.

use base64_simd::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use md5::{Digest, Md5};
use s3s::dto;

use crate::request::{AwsError, Request};
use crate::service::s3::checksum::{Algorithm, mismatch};
use crate::service::s3::{Checksum, Object, Sums, Upload};
use crate::wire::chunked::Trailer;

/// Members of an answer set to this checksum, if there is one. `typed`: to its type too.
macro_rules! with_checksum {
    ($output:expr, $checksum:expr $(, $typed:ident)?) => {{
        let checksum: Option<&$crate::service::s3::Checksum> = $checksum;
        let of = |algorithm| checksum.filter(|sum| sum.algorithm == algorithm).map(|sum| sum.value.clone());
        let mut output = $output;
        output.checksum_crc32 = of($crate::service::s3::checksum::Algorithm::Crc32);
        output.checksum_crc32c = of($crate::service::s3::checksum::Algorithm::Crc32c);
        output.checksum_crc64nvme = of($crate::service::s3::checksum::Algorithm::Crc64Nvme);
        output.checksum_sha1 = of($crate::service::s3::checksum::Algorithm::Sha1);
        output.checksum_sha256 = of($crate::service::s3::checksum::Algorithm::Sha256);
        $(
            let $typed = checksum.map(|sum| $crate::wire::s3::checksum::kind(sum.is_composite()));
            output.checksum_type = $typed;
        )?
        output
    }};
}
pub(super) use with_checksum;

/// The name of the header of an algorithm.
fn header(algorithm: Algorithm) -> String {
    format!("x-amz-checksum-{}", algorithm.name().to_lowercase())
}

/// Trailers that say a checksum become headers. Those that were announced must have come.
pub fn from_trailers(request: &mut Request, trailers: Vec<Trailer>) -> Result<(), AwsError> {
    let malformed = || {
        let message =
            "The request contained trailing data that was not well-formed or did not conform to our published schema.";
        AwsError::new("MalformedTrailerError", message)
    };
    let announced = request.header("x-amz-trailer").unwrap_or_default().to_lowercase();
    let come = |name: &str| trailers.iter().any(|(there, _)| there.eq_ignore_ascii_case(name));
    if announced.split(',').map(str::trim).any(|name| !name.is_empty() && !come(name)) {
        return Err(malformed());
    }
    for (name, value) in trailers {
        let name = name.to_lowercase();
        if name.starts_with("x-amz-checksum-") {
            let name = HeaderName::try_from(name).map_err(|_| malformed())?;
            request.headers.insert(name, HeaderValue::try_from(value).map_err(|_| malformed())?);
        }
    }
    Ok(())
}

/// Is this `Content-MD5` that of the body?
pub fn is_md5(said: &str, body: &[u8]) -> Result<(), AwsError> {
    let invalid = || {
        AwsError::new("InvalidDigest", "The Content-MD5 you specified was invalid.").with_detail("Content-MD5", said)
    };
    let digest = STANDARD.decode_to_vec(said).ok().filter(|digest| digest.len() == 16).ok_or_else(invalid)?;
    let found = Md5::digest(body);
    if digest == found.as_slice() {
        return Ok(());
    }
    let refused = AwsError::new("BadDigest", "The Content-MD5 you specified did not match what we received.");
    let refused = refused.with_detail("ExpectedDigest", said);
    Err(refused.with_detail("CalculatedDigest", STANDARD.encode_to_string(found)))
}

/// The checksum that the client sent for the body, after it was verified.
pub fn verified(request: &Request) -> Result<Option<Checksum>, AwsError> {
    // There it is of the object, which is not the body.
    if request.method == Method::POST && request.query("uploadId").is_some() {
        return Ok(None);
    }
    let said: Vec<(Algorithm, &str)> = Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| Some((algorithm, request.header(&header(algorithm))?)))
        .collect();
    let (algorithm, value) = match said[..] {
        [] => return Ok(None),
        [one] => one,
        _ => {
            let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(AwsError::new("InvalidRequest", message));
        }
    };
    let found = algorithm.of(&request.body);
    if found.value == value {
        return Ok(Some(found));
    }
    let is_digest = |value: &str| STANDARD.decode_to_vec(value).is_ok() && value.len() == found.value.len();
    if !is_digest(value) {
        let message = format!("Value for {} header is invalid.", header(algorithm));
        return Err(AwsError::new("InvalidRequest", message));
    }
    Err(mismatch(algorithm.name()))
}

/// An object's checksum: S3 makes one for whoever did not send one.
pub fn of(object: &Object, sums: &Sums, body: &Bytes) -> Checksum {
    object.checksum.clone().unwrap_or_else(|| sums.checksum(Algorithm::Crc64Nvme, body))
}

/// By what S3 makes one itself of a part that came without a checksum, when the upload wants one of the whole object.
pub fn of_whole_upload(upload: &Upload) -> Option<Algorithm> {
    upload.checksum.filter(|wanted| !wanted.composite).map(|wanted| wanted.algorithm)
}

/// As listings show it.
pub fn algorithms(sum: Option<&Checksum>) -> Option<dto::ChecksumAlgorithmList> {
    sum.map(|sum| vec![dto::ChecksumAlgorithm::from_static(sum.algorithm.name())])
}

pub fn kind(is_composite: bool) -> dto::ChecksumType {
    dto::ChecksumType::from_static(if is_composite {
        dto::ChecksumType::COMPOSITE
    } else {
        dto::ChecksumType::FULL_OBJECT
    })
}

/// The first that is given, in the order of [`Algorithm::ALL`].
pub fn first(values: [Option<String>; Algorithm::ALL.len()]) -> Option<Checksum> {
    Algorithm::ALL.into_iter().zip(values).find_map(|(algorithm, value)| Some(Checksum { algorithm, value: value? }))
}

/// The members that a part or a completion says a checksum in.
macro_rules! said {
    ($input:expr) => {
        $crate::wire::s3::checksum::first([
            $input.checksum_crc32,
            $input.checksum_crc32c,
            $input.checksum_crc64nvme,
            $input.checksum_sha1,
            $input.checksum_sha256,
        ])
    };
}
pub(super) use said;
