//! Why a call is not let in, in the words of each kind of service.

use base64_simd::STANDARD;
use sha2::{Digest, Sha256};

use crate::request::AwsError;

/// Why a call is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// It says nothing of who calls.
    Missing,
    /// It is signed in the header and in the query.
    Twice,
    /// It is signed in the second version, with another algorithm than is known.
    Outdated,
    /// By another algorithm.
    Algorithm(String),
    /// The header has a part that names nothing.
    NotAPair {
        authorization: String,
    },
    /// Parts of the header are missing.
    Lacks {
        lacks: Vec<&'static str>,
        authorization: String,
    },
    /// Parameters of the query are missing.
    LacksParameters(Vec<&'static str>),
    /// There is no time by which it could be checked.
    Undated,
    /// It is not key, day, region, service and `aws4_request`.
    Credential(String),
    UnknownKey,
    Mismatch,
    /// Its time is too far from now. In the words of the common front.
    Skewed(String),
    /// It was given away for a time that is over.
    Expired(String),
    /// It is to hold for no number of seconds up to a week.
    Lifetime,
}

impl Denied {
    /// As the service of this name says it.
    pub fn error(&self, service: &str) -> AwsError {
        match service {
            "s3" => self.by_s3(),
            "iam" | "sts" => self.by_query(),
            "lambda" => self.by_json().with_status(403),
            _ => self.by_json(),
        }
    }

    fn by_json(&self) -> AwsError {
        let (code, status) = match self {
            Denied::Missing => ("MissingAuthenticationTokenException", 403),
            Denied::UnknownKey => ("UnrecognizedClientException", 400),
            Denied::Mismatch | Denied::Twice | Denied::Skewed(_) | Denied::Expired(_) => {
                ("InvalidSignatureException", 400)
            }
            _ => ("IncompleteSignatureException", 403),
        };
        AwsError::new(code, self.words()).with_status(status)
    }

    fn by_query(&self) -> AwsError {
        let (code, status) = match self {
            Denied::Missing => {
                return AwsError::new("MissingAuthenticationToken", "Request is missing Authentication Token")
                    .with_status(403);
            }
            Denied::UnknownKey => ("InvalidClientTokenId", 403),
            Denied::Mismatch | Denied::Twice | Denied::Skewed(_) | Denied::Expired(_) => ("SignatureDoesNotMatch", 403),
            _ => ("IncompleteSignature", 400),
        };
        AwsError::new(code, self.words()).with_status(status)
    }

    /// The texts of AWS's common front, which all services but S3 share.
    fn words(&self) -> String {
        const LATE: &str = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        match self {
            Denied::Missing => "Missing Authentication Token".into(),
            Denied::Twice => {
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into()
            }
            Denied::Outdated => {
                "AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters."
                    .into()
            }
            Denied::Algorithm(name) => format!("Unsupported AWS 'algorithm': '{name}'."),
            Denied::NotAPair { authorization } => {
                let hash = STANDARD.encode_to_string(Sha256::digest(authorization));
                format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded \
                     with Base64): '{hash}'."
                )
            }
            Denied::Lacks { lacks, authorization } => {
                let lacks: String =
                    lacks.iter().map(|name| format!("Authorization header requires '{name}' parameter. ")).collect();
                let hash = STANDARD.encode_to_string(Sha256::digest(authorization));
                format!("{lacks}(Hashed with SHA-256 and encoded with Base64) Authorization={hash}")
            }
            Denied::LacksParameters(lacks) => {
                let lacks: String =
                    lacks.iter().map(|name| format!("AWS query-string parameters must include '{name}'. ")).collect();
                format!("{lacks}Re-examine the query-string parameters.")
            }
            Denied::Undated => LATE.into(),
            Denied::Credential(found) => format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{found}'"
            ),
            Denied::Skewed(words) | Denied::Expired(words) => words.clone(),
            // The words are ours.
            Denied::Lifetime => "X-Amz-Expires must be a number of seconds up to a week".into(),
            Denied::UnknownKey => "The security token included in the request is invalid.".into(),
            Denied::Mismatch => {
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                                 Access Key and signing method. Consult the service documentation for details."
                    .into()
            }
        }
    }

    fn by_s3(&self) -> AwsError {
        const MALFORMED: &str = "AuthorizationHeaderMalformed";
        let (code, message, status) = match self {
            Denied::Missing => ("AccessDenied", "Access Denied", 403),
            Denied::Undated => ("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403),
            Denied::Twice => (
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or \
                 the Authorization header should be specified",
                400,
            ),
            Denied::Outdated => (
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
                400,
            ),
            Denied::Algorithm(_) | Denied::NotAPair { .. } => {
                ("InvalidArgument", "Unsupported Authorization Type", 400)
            }
            Denied::Lacks { .. } => (
                MALFORMED,
                "The authorization header is malformed; the authorization header requires three components: Credential, \
                 SignedHeaders, and Signature.",
                400,
            ),
            Denied::LacksParameters(_) => (
                "AuthorizationQueryParametersError",
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, \
                 X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                400,
            ),
            Denied::Credential(_) => (
                MALFORMED,
                "The authorization header is malformed; the Credential is mal-formed; expecting \
                 \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
                400,
            ),
            Denied::Skewed(_) => (
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                403,
            ),
            Denied::Expired(_) => ("AccessDenied", "Request has expired", 403),
            Denied::Lifetime => (
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
                400,
            ),
            Denied::UnknownKey => {
                ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
            }
            Denied::Mismatch => (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
                403,
            ),
        };
        AwsError::new(code, message).with_status(status)
    }
}
