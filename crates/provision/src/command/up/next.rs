//! Commands to paste: those that come next after `up`, for this environment.

use crate::names::env_flag;
use crate::secret;
use crate::session::{Place, Session};
use crate::spec::stack::Stack;

/// A command line for this environment, to paste: `provision down stack.yaml --region eu-west-1 --env pr-1`.
pub fn line(command: &str, session: &Session, stack: &Stack) -> String {
    let target = match &session.place {
        Place::Serving(_) | Place::Within(_) => " --local".to_owned(),
        Place::Endpoint(url) => format!(" --endpoint {}", secret::shown_url(url)),
        Place::Aws | Place::Mixed(_) => String::new(),
    };
    let region = match (&stack.target.region, &session.place) {
        (Some(_), _) | (None, Place::Serving(_) | Place::Within(_)) => String::new(),
        (None, Place::Aws | Place::Mixed(_) | Place::Endpoint(_)) => format!(" --region {}", session.cx.names.region),
    };
    let env = env_flag(session.cx.names.env.as_deref());
    format!("provision {command} {}{target}{region}{env}", stack.file.display())
}

/// Suggests the next commands.
pub fn next(session: &Session, stack: &Stack) -> String {
    let mut lines = vec![
        "next:".to_owned(),
        format!("  {}    # check every record", line("verify", session, stack)),
        format!("  {}", line("down", session, stack)),
    ];
    match &session.place {
        Place::Serving(url) => {
            lines.push("  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local".into());
            lines.extend(pasted(url, session, stack));
        }
        Place::Endpoint(url) => lines.extend(pasted(&secret::shown_url(url), session, stack)),
        Place::Within(_) => lines.push("  provision local serve    # for the AWS CLI and other clients".into()),
        Place::Aws | Place::Mixed(_) => {}
    }
    lines.join("\n")
}

/// Lines of the aws command line for an endpoint.
fn pasted(url: &str, session: &Session, stack: &Stack) -> Vec<String> {
    let aws = format!("aws --endpoint-url {url} --region {}", session.cx.names.region);
    let mut lines = vec![];
    if let Some(stream) = stack.streams.values().next() {
        let name = stream.physical();
        // From a pipe, because the two versions of the command line disagree on how --data is encoded.
        lines.push(format!(
            "  printf '{{\"a\":2}}' | {aws} kinesis put-record --stream-name {name} --partition-key a --data fileb:///dev/stdin"
        ));
    }
    lines.extend(
        stack.buckets.values().next().map(|bucket| format!("  {aws} s3 ls --recursive s3://{}/", bucket.physical())),
    );
    lines
}
