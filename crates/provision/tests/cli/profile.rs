//! The credentials and the region that a command uses: those of the profile that a flag names go before the environment's.

use super::Trial;
use super::secrets::nobody_is_known;

const CONFIG: &str = "[default]
region = eu-west-1
[profile config-only]
region = eu-west-2
aws_access_key_id = AKIDCONFIG
aws_secret_access_key = secret-of-config
[profile region-only]
region = eu-central-1
[profile both]
region = eu-west-3
[profile sso]
region = eu-north-1
sso_start_url = https://example.invalid/start
sso_region = eu-north-1
sso_account_id = 111122223333
sso_role_name = dev
[profile login]
login_session = arn:aws:iam::111122223333:user/ana
region = eu-north-1
";
const CREDENTIALS: &str = "[credentials-only]
aws_access_key_id = AKIDCREDENTIALS
aws_secret_access_key = secret-of-credentials
[both]
aws_access_key_id = AKIDBOTH
aws_secret_access_key = secret-of-both
";

/// Flag, AWS_PROFILE, whether keys are in the environment; the key and region that sign, or what is said.
type Case = (Option<&'static str>, Option<&'static str>, bool, Result<&'static str, &'static str>);

#[test]
fn the_profile_of_the_flag_goes_before_keys_in_the_environment() {
    let trial = Trial::new("pass");
    trial.write("config", CONFIG);
    trial.write("credentials", CREDENTIALS);
    let spec = super::SPEC.replace("target: { region: us-east-1 }\n", "");
    trial.write("provision.yaml", &spec);
    let (address, keys) = nobody_is_known();
    let files = [
        ("AWS_CONFIG_FILE", trial.path().join("config").display().to_string()),
        ("AWS_SHARED_CREDENTIALS_FILE", trial.path().join("credentials").display().to_string()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    let keys_too = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret-of-environment")];
    let region = [("AWS_REGION", "ap-south-1")];
    let table: &[Case] = &[
        (None, None, true, Ok("AKIDENV ap-south-1")),
        (Some("config-only"), None, true, Ok("AKIDCONFIG eu-west-2")),
        (Some("config-only"), None, false, Ok("AKIDCONFIG eu-west-2")),
        (Some("credentials-only"), None, true, Ok("AKIDCREDENTIALS ap-south-1")),
        (Some("both"), None, true, Ok("AKIDBOTH eu-west-3")),
        (Some("both"), Some("config-only"), true, Ok("AKIDBOTH eu-west-3")),
        (Some("both"), Some("nowhere"), false, Ok("AKIDBOTH eu-west-3")),
        (None, Some("both"), false, Ok("AKIDBOTH ap-south-1")),
        (None, Some("both"), true, Ok("AKIDENV ap-south-1")),
        (None, Some("default"), true, Ok("AKIDENV ap-south-1")),
        (Some("region-only"), None, true, Err("no usable credentials")),
        (Some("sso"), None, true, Err("aws sso login")),
        (Some("login"), None, true, Err("aws login")),
        (Some("nowhere"), None, true, Err("--profile nowhere: there is no such profile in ")),
        (None, Some("nowhere"), true, Err("AWS_PROFILE=nowhere: there is no such profile in ")),
    ];
    for (flag, variable, with_keys, expected) in table {
        let endpoint = format!("http://{address}");
        let mut arguments = vec!["plan", "--endpoint", &endpoint];
        arguments.extend(flag.iter().flat_map(|flag| ["--profile", flag]));
        let mut environment: Vec<(&str, &str)> = files.iter().map(|(name, value)| (*name, value.as_str())).collect();
        environment.extend(region);
        environment.extend(keys_too.iter().filter(|_| *with_keys));
        environment.extend(variable.iter().map(|profile| ("AWS_PROFILE", *profile)));
        let ran = trial.run_with(&arguments, &environment);
        let told = format!("{flag:?} {variable:?} {with_keys}: {}{}", ran.out, ran.err);
        assert_eq!(ran.code, 1, "{told}");
        let signed = keys.try_iter().last().map(|scope| {
            let parts: Vec<&str> = scope.split('/').collect();
            format!("{} {}", parts[0], parts[2])
        });
        match expected {
            Ok(key) => assert_eq!(signed.as_deref(), Some(*key), "{told}"),
            Err(why) => assert!(ran.err.contains(why) && signed.is_none(), "{told}: {signed:?}"),
        }
        if expected.is_err_and(|why| why.contains("nowhere")) {
            assert!(ran.err.contains(&files[0].1) && ran.err.contains(&files[1].1), "{told}");
            assert!(
                ran.err.contains("available profiles: both, config-only, credentials-only, default, login"),
                "{told}"
            );
        }
        assert!(!ran.err.contains("secret-of"), "{told}");
    }
}
