//! Signatures of the fourth version. That there is one, and well formed, is asked of every call; what it holds is checked where a
//! secret was given.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use jiff::Timestamp;

use crate::service::iam;
use crate::settings::Secret;

mod age;
mod canonical;
mod denied;

pub use denied::Denied;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request's signature and the data about it, from the header or from a presigned query.
struct Claim {
    /// Key, day, region, service and `aws4_request`.
    credential: [String; 5],
    signed_headers: String,
    signature: String,
    /// `20261123T030000Z`
    time: Option<String>,
    presigned: bool,
}

/// Does the request say who signed it, and is it, where there is a secret, signed with that, and not too long ago? The times are
/// the machine's and the world's, which may have been moved: clients go by their own clock, or by the `Date` of our answers.
///
/// # Errors
/// The first thing that is missing or wrong.
pub fn check(head: &Parts, body: &Bytes, secret: Option<&Secret>, now: [Timestamp; 2]) -> Result<(), Denied> {
    match (claim(head)?, secret) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err(Denied::Outdated),
        (Some(claim), Some(secret)) => {
            let secret = secret_of(head, &claim, secret)?;
            age::check(head, &claim, now)?;
            canonical::verify(head, body, &claim, &secret)
        }
    }
}

/// The secret that the claimed key would sign with.
fn secret_of<'a>(head: &Parts, claim: &Claim, secret: &'a Secret) -> Result<Cow<'a, str>, Denied> {
    let key = &claim.credential[0];
    let token = header(head, "x-amz-security-token").map(str::to_owned);
    let token = token.or_else(|| canonical::parameter(head, "X-Amz-Security-Token"));
    match token.as_deref().and_then(iam::credentials_of) {
        Some(session) if session.access_key == *key => Ok(session.secret.into()),
        None if secret.access_key == *key => Ok(secret.secret_key.as_str().into()),
        _ => Err(Denied::UnknownKey),
    }
}

/// `None`: it is signed as addresses were in the second version, which boto3 still does.
fn claim(head: &Parts) -> Result<Option<Claim>, Denied> {
    let query = head.uri.query().unwrap_or_default();
    let presigned = query.contains("X-Amz-Algorithm=") || query.contains("X-Amz-Credential=");
    match header(head, "authorization") {
        Some(_) if presigned => Err(Denied::Twice),
        Some(text) => in_header(head, text).map(Some),
        None if presigned => in_query(head).map(Some),
        None if query.contains("AWSAccessKeyId=") && query.contains("Signature=") => Ok(None),
        None => Err(Denied::Missing),
    }
}

fn in_header(head: &Parts, text: &str) -> Result<Claim, Denied> {
    let (algorithm, fields) = text.split_once(' ').unwrap_or(("", text));
    // The second version, of which S3 alone knows.
    if algorithm == "AWS" {
        return Err(Denied::Outdated);
    }
    let fields = fields.split(',').map(str::trim).filter(|field| !field.is_empty());
    let pairs: Option<Vec<(&str, &str)>> = fields.map(|field| field.split_once('=')).collect();
    let pairs = pairs.ok_or_else(|| Denied::NotAPair { authorization: text.into() })?;
    let field = |wanted: &str| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    match [field("Credential"), field("Signature"), field("SignedHeaders")] {
        _ if !algorithm.is_empty() && algorithm != ALGORITHM => Err(Denied::Algorithm(algorithm.into())),
        [Some(credential), Some(signature), Some(signed_headers)] => Ok(Claim {
            credential: scope(credential)?,
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            time: header(head, "x-amz-date").map(str::to_owned).or_else(|| plain_date(head)),
            presigned: false,
        }),
        found => {
            let lacks = ["Credential", "Signature", "SignedHeaders"].into_iter().zip(found);
            let lacks = lacks.filter(|(_, found)| found.is_none()).map(|(name, _)| name).collect();
            Err(Denied::Lacks { lacks, authorization: text.into() })
        }
    }
}

fn in_query(head: &Parts) -> Result<Claim, Denied> {
    const PARAMETERS: [&str; 5] =
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
    let found = PARAMETERS.map(|name| canonical::parameter(head, name).filter(|value| !value.is_empty()));
    let [Some(algorithm), Some(credential), Some(signature), Some(signed_headers), time @ Some(_)] = found else {
        let lacks = PARAMETERS.into_iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(name, _)| name);
        return Err(Denied::LacksParameters(lacks.collect()));
    };
    if algorithm != ALGORITHM {
        return Err(Denied::Algorithm(algorithm));
    }
    Ok(Claim { credential: scope(&credential)?, signed_headers, signature, time, presigned: true })
}

/// `AKID/20260101/us-east-1/kinesis/aws4_request`
fn scope(credential: &str) -> Result<[String; 5], Denied> {
    let parts: Vec<String> = credential.split('/').map(str::to_owned).collect();
    let parts: Result<[String; 5], _> = parts.try_into();
    parts
        .ok()
        .filter(|parts| parts.iter().all(|part| !part.is_empty()) && parts[4] == "aws4_request")
        .ok_or_else(|| Denied::Credential(credential.into()))
}

/// `Date`, as signatures write times.
fn plain_date(head: &Parts) -> Option<String> {
    let time = jiff::fmt::rfc2822::parse(header(head, "date")?).ok()?;
    Some(time.with_time_zone(jiff::tz::TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string())
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests;
