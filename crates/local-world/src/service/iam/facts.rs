//! The facts that the emulator knows about a request, as keys of conditions.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> and, of S3,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>.

use jiff::Timestamp;

use super::condition::fact;
use super::role::Role;
use super::session::Caller;
use crate::request::Request;
use crate::time::Millis;

type Facts = Vec<(String, Vec<String>)>;

/// The condition keys of a client's call. It comes from this machine. The engine stands for AWS's HTTPS endpoints, so the call counts as
/// encrypted: a policy that demands TLS shuts no local client out.
pub fn of_call(account: &str, request: &Request, caller: &Caller, now: Millis) -> Facts {
    let mut facts = at(now);
    facts.extend([
        fact("aws:principalaccount", account),
        fact("aws:requestedregion", request.region.as_str()),
        fact("aws:resourceaccount", account),
        fact("aws:securetransport", "true"),
        fact("aws:sourceip", "127.0.0.1"),
        fact("aws:userid", caller.id(account)),
    ]);
    match caller {
        Caller::Root => {
            facts.push(fact("aws:principalarn", caller.arn(&request.region, account)));
            facts.push(fact("aws:principaltype", "Account"));
        }
        Caller::Session { role, .. } => facts.extend(of_role(role)),
    }
    facts.extend(of_s3(request));
    facts
}

/// The condition keys of a call that a service makes as this role.
pub fn of_service(account: &str, role: &Role, now: Millis) -> Facts {
    let mut facts = at(now);
    facts.extend(of_role(role));
    facts.extend(["aws:sourceaccount", "aws:principalaccount", "aws:resourceaccount"].map(|key| fact(key, account)));
    facts
}

/// In the world's time.
fn at(now: Millis) -> Facts {
    let time = Timestamp::from_millisecond(now as i64).unwrap_or(Timestamp::MAX);
    vec![
        fact("aws:currenttime", time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        fact("aws:epochtime", time.as_second().to_string()),
    ]
}

fn of_role(role: &Role) -> Facts {
    let tags =
        role.tags.iter().map(|(key, value)| fact(&format!("aws:principaltag/{}", key.to_lowercase()), value.as_str()));
    let own = [fact("aws:principalarn", role.arn.as_str()), fact("aws:principaltype", "AssumedRole")];
    own.into_iter().chain(tags).collect()
}

/// S3's keys for what a request says in its query and headers, or does not say.
fn of_s3(request: &Request) -> impl Iterator<Item = (String, Vec<String>)> {
    let key = |name: &str| format!("s3:{}", name.to_lowercase());
    let queries = ["prefix", "delimiter", "max-keys", "versionId"].map(|name| (key(name), request.query(name)));
    let headers = ["x-amz-acl", "x-amz-copy-source", "x-amz-server-side-encryption", "x-amz-storage-class"]
        .map(|name| (key(name), request.header(name)));
    queries.into_iter().chain(headers).map(|(key, said)| (key, said.map(str::to_owned).into_iter().collect()))
}
