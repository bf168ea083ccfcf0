//! Options on AWS: read, set and taken back, one after the other: S3 refuses changes of a bucket that come at once.

use aws_sdk_s3::types::{
    BucketLoggingStatus, BucketVersioningStatus, LoggingEnabled, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};
use futures::future::try_join_all;
use serde_json::{Map, Value};

use super::{ACCESS_LOGS, Act, ENCRYPTION, ON, VERSIONING, Values, policy};
use crate::claims::{Setting, on_setting};
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::Name;
use crate::resource::bucket::{ABSENT, DENIED};
use crate::resource::claims;
use crate::send::{self, About, found};

/// Asks for the wanted options, in one round; or tells why AWS does not answer.
pub async fn read(cx: &Cx, name: &Name, wanted: &Values) -> Result<Result<Values, String>> {
    let statements = async {
        match wanted.keys().any(|option| policy::sid(option).is_some()) {
            true => Ok(policy::values(&policy_of(cx, name).await?, wanted, &name.physical, &cx.names)),
            false => Ok(Values::new()),
        }
    };
    let read = futures::try_join!(
        one(wanted, ENCRYPTION, encryption(cx, name)),
        one(wanted, VERSIONING, versioning(cx, name)),
        one(wanted, ACCESS_LOGS, access_logs(cx, name)),
        statements
    );
    match read {
        Ok((key, versioning, logs, statements)) => {
            Ok(Ok([key, versioning, logs, statements].into_iter().flatten().collect()))
        }
        Err(error) if error.code() == Some(DENIED) => Ok(Err(error.to_string())),
        Err(error) if error.code() == Some(ABSENT) => Ok(Ok(Values::new())),
        Err(error) => Err(error),
    }
}

/// Asks for this option, if it is wanted.
async fn one(wanted: &Values, option: &str, ask: impl Future<Output = Result<Option<String>>>) -> Result<Values> {
    match wanted.contains_key(option) {
        true => Ok(ask.await?.into_iter().map(|value| (option.to_owned(), value)).collect()),
        false => Ok(Values::new()),
    }
}

/// The key of KMS. A key without bucket keys, which cost less, is not as wanted.
async fn encryption(cx: &Cx, name: &Name) -> Result<Option<String>> {
    let call = cx.s3().get_bucket_encryption().bucket(&name.physical);
    let answer = send::ask(cx, name, format!("reading the encryption of {name}"), || call.clone().send()).await;
    let answer = found(answer, "ServerSideEncryptionConfigurationNotFoundError")?;
    let rule = answer.and_then(|answer| answer.server_side_encryption_configuration?.rules.into_iter().next());
    Ok(rule.and_then(|rule| {
        let by_default = rule.apply_server_side_encryption_by_default?;
        let key = match by_default.sse_algorithm {
            ServerSideEncryption::Aes256 => return None,
            _ => by_default.kms_master_key_id.unwrap_or_else(|| "alias/aws/s3".into()),
        };
        let with_bucket_keys = rule.bucket_key_enabled == Some(true);
        let is_kms = by_default.sse_algorithm == ServerSideEncryption::AwsKms;
        Some(if with_bucket_keys && is_kms { key } else { format!("{key} without bucket keys") })
    }))
}

async fn versioning(cx: &Cx, name: &Name) -> Result<Option<String>> {
    let call = cx.s3().get_bucket_versioning().bucket(&name.physical);
    let answer = send::ask(cx, name, format!("reading the versioning of {name}"), || call.clone().send()).await?;
    Ok((answer.status == Some(BucketVersioningStatus::Enabled)).then(|| ON.to_owned()))
}

async fn access_logs(cx: &Cx, name: &Name) -> Result<Option<String>> {
    let call = cx.s3().get_bucket_logging().bucket(&name.physical);
    let answer = send::ask(cx, name, format!("reading the access logs of {name}"), || call.clone().send()).await?;
    Ok(answer.logging_enabled.map(|logs| format!("{}/{}", logs.target_bucket, logs.target_prefix)))
}

/// Empty where there is none.
async fn policy_of(cx: &Cx, name: &Name) -> Result<Map<String, Value>> {
    let call = cx.s3().get_bucket_policy().bucket(&name.physical);
    let answer = send::ask(cx, name, format!("reading the policy of {name}"), || call.clone().send()).await;
    let text = found(answer, "NoSuchBucketPolicy")?.and_then(|answer| answer.policy);
    text.map_or_else(|| Ok(Map::new()), |text| policy::parse(&text))
}

pub async fn apply(cx: &Cx, name: &Name, acts: &[Act]) -> Result<()> {
    let bucket = name.physical.as_str();
    try_join_all(acts.iter().filter_map(|act| match act {
        Act::Ask(setting) => Some(async { claims::make(cx, About::from(name), &on_setting(&cx.names, setting)).await }),
        _ => None,
    }))
    .await?;
    let mut statements = vec![];
    for act in acts {
        let (option, value) = match act {
            Act::Set(Setting { option, value }) => (option.as_str(), Some(value.as_str())),
            Act::Reset(option) => (option.as_str(), None),
            Act::Ask(_) | Act::Forget(_) => continue,
        };
        match (option, policy::sid(option)) {
            (_, Some(sid)) => {
                let statement = value.and_then(|value| policy::statement(option, value, bucket, &cx.names));
                statements.push((sid, statement));
            }
            (ENCRYPTION, _) => set_encryption(cx, name, value).await?,
            (VERSIONING, _) => set_versioning(cx, name, value.is_some()).await?,
            (ACCESS_LOGS, _) => set_access_logs(cx, name, value).await?,
            // An option of a newer version of this program.
            _ => {}
        }
    }
    if !statements.is_empty() {
        set_statements(cx, name, &statements).await?;
    }
    try_join_all(acts.iter().filter_map(|act| match act {
        Act::Forget(setting) => Some(async { claims::remove(cx, bucket, &on_setting(&cx.names, setting)).await }),
        _ => None,
    }))
    .await
    .map(drop)
}

/// `None`: back to S3's own keys.
async fn set_encryption(cx: &Cx, name: &Name, key: Option<&str>) -> Result<()> {
    let (client, owner) = (cx.s3(), &cx.names.account);
    let Some(key) = key else {
        let call = client.delete_bucket_encryption().bucket(&name.physical).expected_bucket_owner(owner);
        return send::change(cx, name, format!("updating {name}"), || call.clone().send()).await;
    };
    let by_default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id(key)
        .build()
        .expect("the algorithm is set");
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .bucket_key_enabled(true)
        .build();
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().expect("a rule is set");
    let call = client.put_bucket_encryption().bucket(&name.physical).expected_bucket_owner(owner);
    let call = call.server_side_encryption_configuration(configuration);
    send::change(cx, name, format!("encrypting {name}"), || call.clone().send()).await
}

async fn set_versioning(cx: &Cx, name: &Name, on: bool) -> Result<()> {
    let status = if on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
    let configuration = VersioningConfiguration::builder().status(status).build();
    let call = cx.s3().put_bucket_versioning().bucket(&name.physical).versioning_configuration(configuration);
    let call = call.expected_bucket_owner(&cx.names.account);
    send::change(cx, name, format!("updating {name}"), || call.clone().send()).await
}

/// `None`: no logs.
async fn set_access_logs(cx: &Cx, name: &Name, to: Option<&str>) -> Result<()> {
    let enabled = to.and_then(|to| to.split_once('/')).map(|(bucket, prefix)| {
        let logs = LoggingEnabled::builder().target_bucket(bucket).target_prefix(prefix).build();
        logs.expect("bucket and prefix are set")
    });
    let status = BucketLoggingStatus::builder().set_logging_enabled(enabled).build();
    let call = cx.s3().put_bucket_logging().bucket(&name.physical).bucket_logging_status(status);
    let call = call.expected_bucket_owner(&cx.names.account);
    send::change(cx, name, format!("updating {name}"), || call.clone().send()).await
}

/// Reads the policy anew: others may have changed it.
async fn set_statements(cx: &Cx, name: &Name, changes: &[(String, Option<Value>)]) -> Result<()> {
    let (client, owner) = (cx.s3(), &cx.names.account);
    match policy::with(policy_of(cx, name).await?, changes) {
        Some(policy) => {
            let call = client.put_bucket_policy().bucket(&name.physical).policy(policy.to_string());
            send::change(cx, name, format!("updating {name}"), || call.clone().expected_bucket_owner(owner).send())
                .await
        }
        None => {
            let call = client.delete_bucket_policy().bucket(&name.physical).expected_bucket_owner(owner);
            send::change(cx, name, format!("updating {name}"), || call.clone().send()).await
        }
    }
}
