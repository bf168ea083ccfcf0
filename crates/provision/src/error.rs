//! The one error type: what was being done, why it failed, and what to do next.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn StdError + Send + Sync>;

/// "creating delivery stream raw: Firehose is unable to assume role …", with a hint where we know one.
#[derive(Debug)]
pub struct Error {
    doing: String,
    source: Option<Cause>,
    hint: Option<String>,
    answer: Option<Box<Answer>>,
}

/// AWS's own answer, without words of ours.
#[derive(Debug)]
struct Answer {
    code: String,
    message: String,
    request_id: Option<String>,
}

impl Error {
    /// `doing` is a verb and its object, lower case: `creating stream events`.
    pub fn new(doing: impl Into<String>, cause: impl Into<Cause>) -> Error {
        Error { source: Some(cause.into()), ..Error::msg(doing) }
    }

    /// An error without a deeper cause.
    pub fn msg(what: impl Into<String>) -> Error {
        Error { doing: what.into(), source: None, hint: None, answer: None }
    }

    /// An error with AWS's own message. (The SDK's `Display` says only "service error".)
    pub fn aws<E, R>(doing: impl Into<String>, error: SdkError<E, R>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let answer = error.as_service_error().and_then(|e| {
            let message = e.message().unwrap_or_default().to_owned();
            Some(Box::new(Answer { code: e.code()?.to_owned(), message, request_id: request_id(&error) }))
        });
        let said = match &error {
            SdkError::ServiceError(e) => {
                let message = e.err().message().filter(|said| !said.is_empty()).unwrap_or("no message");
                format!("{} ({})", message, e.err().code().unwrap_or("no code"))
            }
            other => chain(other),
        };
        let hint = refused_action(&said).map(|action| format!("these credentials need {action}"));
        Error { hint, answer, ..Error::new(doing, said) }
    }

    /// Adds a hint: what to do next, in lower case, without a full stop.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// An error that AWS returned for one item of a batch.
    pub fn of_item(doing: impl Into<String>, code: &str, message: &str) -> Error {
        let said = format!("{message} ({code})");
        let answer = Answer { code: code.to_owned(), message: message.to_owned(), request_id: None };
        Error { answer: Some(Box::new(answer)), ..Error::new(doing, said) }
    }

    /// AWS's error code, for example `ResourceInUseException`, when AWS answered at all.
    pub fn code(&self) -> Option<&str> {
        Some(&self.answer.as_ref()?.code)
    }

    /// Whether AWS returned this code, and a message with this part. An empty part fits any message.
    pub fn says(&self, code: &str, part: &str) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.code == code && answer.message.contains(part))
    }

    /// The AWS request ID, which AWS support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.answer.as_ref()?.request_id.as_deref()
    }

    pub fn what_next(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// The IDs of a failed request. S3 has a second one.
fn request_id<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<String> {
    let metadata = error.as_service_error()?.meta();
    let id = metadata.extra("aws_request_id")?;
    Some(match metadata.extra("s3_extended_request_id") {
        Some(extended) => format!("{id} ({extended})"),
        None => id.to_owned(),
    })
}

/// The action in AWS's "not authorized" message: `s3:GetBucketTagging`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn refused_action(said: &str) -> Option<&str> {
    let (_, action) = said.split_once("not authorized to perform: ")?;
    action.split_whitespace().next()
}

impl fmt::Display for Error {
    /// Writes the whole chain of causes. It has more than one line only if a cause has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        match &self.source {
            Some(cause) => write!(f, ": {}", chain(cause.as_ref())),
            None => Ok(()),
        }
    }
}

// `source` is None on purpose: Display already walks the chain, and a second walk would say everything twice.
impl StdError for Error {}

/// All messages down to the root cause, without repetitions.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.ends_with(&text) {
            said = format!("{said}: {text}");
        }
        next = cause.source();
    }
    said
}
