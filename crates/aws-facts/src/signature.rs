//! How far a request's signature may be from the service's clock, either way.

/// The bound of all services but S3.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>
pub const MAX_SKEW_MINUTES: i64 = 5;
/// The bound of S3.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>
pub const MAX_SKEW_MINUTES_OF_S3: i64 = 15;
