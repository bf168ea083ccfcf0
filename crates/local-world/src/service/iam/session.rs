//! Callers: the account's root, which any credentials stand for, or a session of a role, whose token we gave out.
//!
//! The token itself says whose it is, as on AWS, so that nothing has to be kept.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::arn;
use crate::model::json::decode_base64;
use crate::request::{AwsError, Request};
use crate::time::Millis;

use super::State;
use super::role::Role;

/// The credentials of a role's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key: String,
    pub secret: String,
    pub token: String,
}

/// The content of a token.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    role_id: String,
    session: String,
    /// Forever, where there is no time.
    expires: Option<Millis>,
    /// Keys of the session's tags that go on to the sessions it begins, in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transitive: Vec<String>,
    #[serde(flatten)]
    policies: Policies,
}

/// Session policies: what the session may do is what they allow too, where there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// A document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Managed ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
}

impl Policies {
    pub fn is_empty(&self) -> bool {
        self.policy.is_none() && self.policy_arns.is_empty()
    }

    /// Characters of all of them.
    pub fn len(&self) -> usize {
        self.policy.iter().chain(&self.policy_arns).map(|text| text.chars().count()).sum()
    }
}

/// A session that is asked for.
#[derive(Debug, Default)]
pub struct Session {
    pub name: String,
    /// Forever, where there is no time.
    pub expires: Option<Millis>,
    /// Keys, in lower case, of tags that go on to the sessions it begins.
    pub transitive: Vec<String>,
    pub policies: Policies,
}

/// The sender of a request.
#[derive(Debug)]
pub enum Caller<'a> {
    Root,
    Session { role: &'a Role, name: String, transitive: Vec<String>, policies: Policies },
}

/// Credentials for a session of the role.
pub fn issue(role: &Role, session: Session) -> Credentials {
    let Session { name, expires, transitive, policies } = session;
    credentials(&Token { role_id: role.id.clone(), session: name, expires, transitive, policies })
}

/// The credentials that were issued with this token; `None` if it is not one of the emulator's.
pub fn credentials_of(token: &str) -> Option<Credentials> {
    Some(credentials(&read(token)?))
}

fn credentials(token: &Token) -> Credentials {
    let access_key = access_key(&token.role_id);
    let token = serde_json::to_vec(token).expect("a struct of strings serialises");
    let secret = base64_simd::STANDARD.encode_to_string(Sha256::digest(&token));
    Credentials { access_key, secret: secret[..40].to_owned(), token: base64_simd::STANDARD.encode_to_string(token) }
}

fn read(token: &str) -> Option<Token> {
    serde_json::from_slice(&decode_base64(token.as_bytes())?).ok()
}

fn access_key(role_id: &str) -> String {
    role_id.replacen("AROA", "ASIA", 1)
}

/// Finds the sender of a request. Tokens that are not ours, such as those of a real account, stand for root like other credentials.
///
/// # Errors
/// `None` of an expired session, or of a role that has gone, calls any more.
pub(super) fn caller<'a>(state: &'a State, request: &Request, now: Millis) -> Result<Caller<'a>, AwsError> {
    let token = request.header("x-amz-security-token").or_else(|| request.query("X-Amz-Security-Token"));
    let Some(token) = token.and_then(read) else { return Ok(Caller::Root) };
    let role = state.roles.iter().map(|(_, role)| role).find(|role| role.id == token.role_id);
    let invalid = || ("InvalidClientTokenId", "The security token included in the request is invalid.");
    let refused = |(code, message): (&'static str, &str)| AwsError::new(code, message).with_status(403);
    let role =
        role.filter(|role| request.access_key == Some(access_key(&role.id))).ok_or_else(|| refused(invalid()))?;
    if token.expires.is_some_and(|at| at <= now) {
        return Err(refused(("ExpiredToken", "The security token included in the request is expired")));
    }
    let Token { session: name, transitive, policies, .. } = token;
    Ok(Caller::Session { role, name, transitive, policies })
}

impl Caller<'_> {
    pub fn arn(&self, region: &str, account: &str) -> String {
        match self {
            Caller::Root => arn::global("iam", region, account, "root"),
            Caller::Session { role, name, .. } => session_arn(role, name, region, account),
        }
    }

    /// Keys, in lower case, of the tags that a session of its own begins with.
    pub fn transitive(&self) -> &[String] {
        match self {
            Caller::Root => &[],
            Caller::Session { transitive, .. } => transitive,
        }
    }

    /// `UserId` of GetCallerIdentity.
    pub fn id(&self, account: &str) -> String {
        match self {
            Caller::Root => account.to_owned(),
            Caller::Session { role, name, .. } => format!("{}:{name}", role.id),
        }
    }
}

pub fn session_arn(role: &Role, session: &str, region: &str, account: &str) -> String {
    arn::global("sts", region, account, &format!("assumed-role/{}/{session}", role.name))
}
