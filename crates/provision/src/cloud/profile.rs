//! The profile that a command was told to use: as with the aws command line, `--profile` goes before keys in the environment, and
//! one that is nowhere is an error.

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{Profile, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::{Error, Result};

/// Refuses a profile that is nowhere, and gives the region of the one that the flag names.
pub(super) async fn region(flag: Option<&str>) -> Result<Option<Region>> {
    let variable = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let (name, said) = match (flag, &variable) {
        (Some(name), _) => (name, format!("--profile {name}")),
        // The default profile need not be written down.
        (None, Some(name)) if name != "default" => (name.as_str(), format!("AWS_PROFILE={name}")),
        (None, _) => return Ok(None),
    };
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await;
    let profiles = loaded.map_err(|error| Error::new(format!("{said}: reading the profiles"), error))?;
    let profile = profiles.get_profile(name).ok_or_else(|| nowhere(&said, &profiles))?;
    let region = |profile: &Profile| profile.get("region").map(|region| Region::new(region.to_owned()));
    Ok(flag.and(region(profile)))
}

fn nowhere(said: &str, profiles: &ProfileSet) -> Error {
    let file = |variable: &str, usual: &str| {
        let named = std::env::var(variable).ok().filter(|path| !path.is_empty());
        named.unwrap_or_else(|| format!("~/.aws/{usual}"))
    };
    let (config, credentials) = (file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
    let mut names: Vec<&str> = profiles.profiles().collect();
    names.sort_unstable();
    let hint = match names.is_empty() {
        true => "there are no profiles; create one with `aws configure sso`, `aws login` or `aws configure`".into(),
        false => format!("available profiles: {}", names.join(", ")),
    };
    Error::msg(format!("{said}: there is no such profile in {config} or {credentials}")).hint(hint)
}

/// The credentials of that profile; of the machine, where the profile has none. Never those of the environment.
pub(super) fn credentials(
    name: &str,
    region: Option<Region>,
    http: Option<SharedHttpClient>,
) -> SharedCredentialsProvider {
    let mut config = ProviderConfig::without_region().with_region(region);
    if let Some(http) = http {
        config = config.with_http_client(http);
    }
    let profile = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    let machine = ImdsCredentialsProvider::builder().configure(&config).build();
    let chain = CredentialsProviderChain::first_try("Profile", profile);
    SharedCredentialsProvider::new(chain.or_else("EcsContainer", container).or_else("Ec2InstanceMetadata", machine))
}
