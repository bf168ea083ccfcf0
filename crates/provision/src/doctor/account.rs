//! Checks the credentials, their source and expiry, the account and the clock.

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_facts::signature::MAX_SKEW_MINUTES;
use jiff::Timestamp;

use super::Check;
use crate::cloud::{Caller, identity};
use crate::error::Error;

/// AWS refuses a signature whose time differs by more than this.
const SKEW_MAX_S: i64 = MAX_SKEW_MINUTES * 60;
const SKEW_CARE_S: i64 = 60;
/// An `up` and a `verify` take a few minutes.
const SHORT_S: i64 = 900;

/// The credentials that the calls are signed with. `caller`: whose AWS says they are.
pub async fn credentials(sdk: &SdkConfig, caller: &Result<Caller, Error>, now: i64) -> Check {
    let found = match sdk.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.ok(),
        None => None,
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) => {
            let source = found.as_ref().map(|found| format!(" (from {})", source(found))).unwrap_or_default();
            let remedy = error.what_next().unwrap_or("check which credentials are in use").to_owned();
            return Check::failed("credentials", format!("{error}{source}"), remedy);
        }
    };
    let Some(found) = found else { return Check::good("credentials", caller.arn.clone()) };
    let (arn, source) = (&caller.arn, source(&found));
    let expiry = found.expiry().and_then(|at| Timestamp::try_from(at).ok());
    match expiry.map(|at| (at.as_second() - now, at.strftime("%Y-%m-%d %H:%MZ").to_string())) {
        Some((left, until)) if left <= 0 => {
            let found = format!("{arn}, from {source}, expired at {until}");
            Check::failed("credentials", found, "sign in again (aws sso login, or aws login)")
        }
        Some((left, until)) if left < SHORT_S => {
            let found = format!("{arn}, from {source}, expire at {until}");
            Check::care("credentials", found, "sign in again before a long run (aws sso login, or aws login)")
        }
        Some((_, until)) => Check::good("credentials", format!("{arn}, from {source}, valid until {until}")),
        None => Check::good("credentials", format!("{arn}, from {source}")),
    }
}

/// The provider of the credentials, in the SDK's words. It is only available from their `Debug` text, which has no secrets.
fn source(credentials: &Credentials) -> String {
    let shown = format!("{credentials:?}");
    let name = shown.split("provider_name: \"").nth(1).and_then(|rest| rest.split('"').next());
    match name.unwrap_or_default() {
        "" => "an unnamed provider".to_owned(),
        "EnvironmentVariable" => "the environment".to_owned(),
        name => name.to_owned(),
    }
}

pub fn account(caller: &Caller, wanted: Option<&str>) -> Check {
    match wanted {
        Some(wanted) => match identity::refuse_other(wanted, &caller.account) {
            Err(error) => Check::failed("account", error.to_string(), error.what_next().unwrap_or_default()),
            Ok(()) => Check::good("account", format!("{}, as the spec says", caller.account)),
        },
        None => {
            Check::good("account", format!("{} (set target.account in the spec to refuse any other)", caller.account))
        }
    }
}

/// Compares this machine's clock with AWS's. Both are in epoch seconds.
pub fn clock(here: i64, there: i64) -> Check {
    let apart = (here - there).abs();
    let way = if here > there { "ahead of" } else { "behind" };
    let remedy = "set this machine's clock (timedatectl set-ntp true)";
    match apart {
        ..SKEW_CARE_S => Check::good("clock", format!("within {apart} s of AWS's clock")),
        SKEW_CARE_S..SKEW_MAX_S => Check::care("clock", format!("{apart} s {way} AWS's clock"), remedy),
        _ => Check::failed(
            "clock",
            format!("{apart} s {way} AWS's clock; AWS refuses signatures that are {SKEW_MAX_S} s off"),
            remedy,
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::doctor::State;

    fn caller() -> Caller {
        Caller { account: "111122223333".into(), arn: "arn:aws:iam::111122223333:user/ana".into() }
    }

    #[test]
    fn clocks_may_differ_by_less_than_a_minute() {
        for (here, there, state) in [
            (1_000, 1_000, State::Good),
            (1_059, 1_000, State::Good),
            (1_060, 1_000, State::Care),
            (0, 300, State::Failed),
        ] {
            assert_eq!(clock(here, there).state, state, "{here} {there}");
        }
        assert!(clock(0, 400).found.contains("behind"));
    }

    #[test]
    fn another_account_than_the_specs_is_refused() {
        assert_eq!(account(&caller(), Some("111122223333")).state, State::Good);
        assert_eq!(account(&caller(), None).state, State::Good);
        assert_eq!(account(&caller(), Some("444455556666")).state, State::Failed);
    }

    #[tokio::test]
    async fn it_is_told_whose_the_credentials_are_from_where_and_until_when() {
        let of = |expiry: Option<u64>| {
            let expiry = expiry.map(|at| UNIX_EPOCH + Duration::from_secs(at));
            let credentials = Credentials::new("AKID", "a secret", None, expiry, "ProfileFile");
            let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
            SdkConfig::builder().credentials_provider(provider).build()
        };
        for (expiry, state, part) in [
            (None, State::Good, "user/ana, from ProfileFile"),
            (Some(10_000), State::Good, "until 1970-01-01 02:46Z"),
            (Some(1_000), State::Care, "expire at"),
            (Some(500), State::Failed, "expired at"),
        ] {
            let check = credentials(&of(expiry), &Ok(caller()), 500).await;
            assert!(check.state == state && check.found.contains(part), "{check:?}");
            assert!(!check.found.contains("a secret"));
        }
        let refused = Err(Error::msg("reading the caller's identity from AWS: expired").hint("sign in"));
        let check = credentials(&of(None), &refused, 500).await;
        assert_eq!((check.state, check.remedy.as_deref()), (State::Failed, Some("sign in")));
        assert!(check.found.ends_with("(from ProfileFile)"), "{check:?}");
    }
}
