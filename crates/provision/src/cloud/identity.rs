//! The account of the credentials. Names and ARNs need the account before anything can be read; where it is known without asking,
//! STS confirms it beside the first reads, which saves a round trip.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::OnceCell;

use super::{Calls, account};
use crate::error::{Error, Result};

/// An account that is taken for granted until STS has confirmed it. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct Identity(Option<Arc<Assumed>>);

#[derive(Debug)]
struct Assumed {
    account: String,
    sdk: SdkConfig,
    calls: Calls,
    confirmed: OnceCell<()>,
}

impl Identity {
    /// STS has still to confirm that the credentials are of this account.
    pub fn assumed(account: &str, sdk: &SdkConfig, calls: &Calls) -> Identity {
        let assumed =
            Assumed { account: account.to_owned(), sdk: sdk.clone(), calls: calls.clone(), confirmed: OnceCell::new() };
        Identity(Some(Arc::new(assumed)))
    }

    /// Asks STS, unless it has answered already. Nothing may be changed before this.
    ///
    /// # Errors
    /// The credentials are of another account, or not valid.
    pub async fn confirm(&self) -> Result<()> {
        let Some(assumed) = &self.0 else { return Ok(()) };
        let asked = assumed.confirmed.get_or_try_init(async || {
            let caller = account(&assumed.sdk, &assumed.calls).await?;
            refuse_other(&assumed.account, &caller.account)
        });
        asked.await.copied()
    }
}

/// These credentials are not of the account that the spec names.
pub fn refuse_other(wanted: &str, account: &str) -> Result<()> {
    if wanted == account {
        return Ok(());
    }
    Err(Error::msg(format!("the spec is for account {wanted}, but these credentials belong to account {account}"))
        .hint("use another --profile, or change target.account in the spec"))
}

/// The account that the credentials themselves name: those of a role and of a single sign-on do, and others where a file or
/// `AWS_ACCOUNT_ID` says so. Gives the configuration that goes on with the same credentials.
pub async fn stated(sdk: SdkConfig) -> (Option<String>, SdkConfig) {
    let Some(provider) = sdk.credentials_provider() else { return (None, sdk) };
    // A failure is told by the first call, in context.
    let Ok(first) = provider.provide_credentials().await else { return (None, sdk) };
    let account = first.account_id().map(|account| account.as_str().to_owned());
    let resolved = SharedCredentialsProvider::new(Resolved { first, provider });
    (account, sdk.into_builder().credentials_provider(resolved).build())
}

/// Credentials that are there already, and where to get others when they expire.
#[derive(Debug)]
struct Resolved {
    first: Credentials,
    provider: SharedCredentialsProvider,
}

/// Others are asked for so long before these expire; the SDK asks ten seconds before.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);

impl ProvideCredentials for Resolved {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.expiry() {
            Some(expiry) if expiry < SystemTime::now() + BEFORE_EXPIRY => self.provider.provide_credentials(),
            _ => future::ProvideCredentials::ready(Ok(self.first.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts how often it is asked.
    #[derive(Debug)]
    struct Counted(Credentials, Arc<AtomicUsize>);

    impl ProvideCredentials for Counted {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.1.fetch_add(1, Ordering::Relaxed);
            future::ProvideCredentials::ready(Ok(self.0.clone()))
        }
    }

    async fn asked_twice(credentials: aws_credential_types::CredentialsBuilder) -> (Option<String>, usize) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = SharedCredentialsProvider::new(Counted(credentials.build(), count.clone()));
        let (account, sdk) = stated(SdkConfig::builder().credentials_provider(counted).build()).await;
        let provider = sdk.credentials_provider().unwrap();
        let given = provider.provide_credentials().await.unwrap();
        assert_eq!(given.access_key_id(), "key");
        (account, count.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_until_they_expire() {
        let key = || Credentials::builder().access_key_id("key").secret_access_key("s").provider_name("test");
        let at = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        assert_eq!(asked_twice(key()).await, (None, 1));
        let of_role = key().account_id("111122223333");
        assert_eq!(asked_twice(of_role.clone().expiry(at(3600))).await, (Some("111122223333".into()), 1));
        assert_eq!(asked_twice(of_role.expiry(at(30))).await, (Some("111122223333".into()), 2));
    }

    #[test]
    fn credentials_of_another_account_are_refused() {
        assert!(refuse_other("111122223333", "111122223333").is_ok());
        let error = refuse_other("111122223333", "444455556666").unwrap_err();
        let said = "the spec is for account 111122223333, but these credentials belong to account 444455556666";
        assert_eq!(error.to_string(), said);
    }
}
