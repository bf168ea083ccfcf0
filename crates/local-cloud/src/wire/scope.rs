//! The credential scope of a signature: who calls, where, and for which service. Signatures are not verified here.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use http::HeaderMap;

/// The credential scope of a request. A request that is not signed has none of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
}

/// Reads `Authorization`, or `X-Amz-Credential` of a presigned query.
pub fn of(headers: &HeaderMap, query: &[(String, String)]) -> Scope {
    let header = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let in_header = header.and_then(|text| Some(text.split_once("Credential=")?.1.split(',').next()?.trim()));
    let parameter = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    // The last is of the second version of signatures, which boto3 still presigns with.
    let credential = in_header.or_else(|| parameter("X-Amz-Credential")).or_else(|| parameter("AWSAccessKeyId"));
    credential.map(parse).unwrap_or_default()
}

/// `AKID/20260101/us-east-1/kinesis/aws4_request`.
fn parse(credential: &str) -> Scope {
    let mut parts = credential.split('/').map(|part| Some(part.to_owned()).filter(|part| !part.is_empty()));
    let access_key = parts.next().flatten();
    parts.next();
    Scope { access_key, region: parts.next().flatten(), service: parts.next().flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_read_from_the_header_or_the_query() {
        let expected =
            Scope { access_key: Some("AK".into()), region: Some("eu-west-1".into()), service: Some("firehose".into()) };
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers, &[]), Scope::default());
        let credential = "AK/20260101/eu-west-1/firehose/aws4_request";
        assert_eq!(of(&headers, &[("X-Amz-Credential".into(), credential.into())]), expected);
        let older = of(&headers, &[("AWSAccessKeyId".into(), "AK".into())]);
        assert_eq!(older, Scope { access_key: Some("AK".into()), ..Scope::default() });
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
        headers.insert("authorization", signed.parse().expect("plain text"));
        assert_eq!(of(&headers, &[]), expected);
    }
}
