//! Members of inputs that AWS acts on and this engine does not: refused where they are given, never overlooked.

use serde_json::Value;

use crate::request::AwsError;

/// A service's refusal, and its inputs' members, in any operation, as JSON pointers. A test (`world/tests/members`) knows those that are
/// neither here nor read, and why nothing happens without them.
const NOT_HERE: &[(&str, &str, &[&str])] = &[
    ("kinesis", "InvalidArgumentException", &["/DryRun", "/RecordDistributionStrategy", "/WarmThroughputMiBps"]),
    (
        "lambda",
        "InvalidParameterValueException",
        &[
            "/AcceleratorConfig",
            "/CapacityProviderConfig",
            "/Code/S3ObjectStorageMode",
            "/Code/SourceKMSKeyArn",
            "/CodeSigningConfigArn",
            "/DeadLetterConfig",
            "/DestinationConfig",
            "/DurableConfig",
            "/FileSystemConfigs",
            "/ImageConfig",
            "/PackageType",
            "/PublishTo",
            "/RuntimeConfig",
            "/S3ObjectStorageMode",
            "/SourceKMSKeyArn",
            "/TenancyConfig",
        ],
    ),
    ("logs", "InvalidParameterException", &["/accountIdentifiers", "/includeLinkedAccounts"]),
    (
        "iam",
        "InvalidInput",
        &["/OrderedOrganizationPolicyInputList", "/PolicyExclusionList", "/ResourceHandlingOption", "/ResourceOwner"],
    ),
    (
        "sts",
        "ValidationError",
        &["/MinimumSessionTokenSize", "/ProvidedContexts", "/SerialNumber", "/SourceIdentity", "/TokenCode"],
    ),
];

/// Values of such members that ask for what is done anyway.
const DEFAULTS: &[&str] = &["", "COPY", "USER_PARTITION_KEY", "Zip"];

/// The members of a service's inputs that are refused, as paths.
#[cfg(test)]
pub fn refused_members(service: &str) -> impl Iterator<Item = String> {
    let members = NOT_HERE.iter().find(|(of, ..)| *of == service).map_or(&[][..], |(.., members)| members);
    members.iter().map(|member| member.trim_start_matches('/').replace('/', "."))
}

/// # Errors
/// The service's own code, for the first of its members that is given and not empty.
pub fn check(service: &str, input: &Value) -> Result<(), AwsError> {
    let Some((_, code, members)) = NOT_HERE.iter().find(|(of, ..)| *of == service) else { return Ok(()) };
    let given = members.iter().find(|member| input.pointer(member).is_some_and(asks));
    given.map_or(Ok(()), |member| {
        let member = member.trim_start_matches('/').replace('/', ".");
        Err(AwsError::new(code, format!("{member} is not supported by the built-in emulator")))
    })
}

/// Clients send members that they were not given, too.
fn asks(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !DEFAULTS.contains(&text.as_str()),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(asks),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::model::MODELS;
    use super::*;

    #[test]
    fn what_is_named_is_a_member_of_an_input() {
        for (service, _, members) in NOT_HERE {
            let tables = &MODELS[*service];
            for member in *members {
                let leads = |input: &String| {
                    let mut names = member.split('/').skip(1);
                    names.try_fold(tables.shape(input), |shape, name| {
                        let (_, inner) = shape.members.iter().find(|(known, _)| known == name)?;
                        Some(tables.shape(inner))
                    })
                };
                assert!(tables.operations.values().any(|input| leads(input).is_some()), "{service} {member}");
            }
        }
    }

    #[test]
    fn what_is_not_here_is_refused_where_something_is_asked() {
        let message =
            |service, input| check(service, &input).map_err(|error| format!("{}: {}", error.code, error.message));
        let table = [
            ("lambda", json!({ "Code": { "ZipFile": "", "SourceKMSKeyArn": "arn" } }), Some("Code.SourceKMSKeyArn")),
            ("lambda", json!({ "FileSystemConfigs": [{ "Arn": "a" }] }), Some("FileSystemConfigs")),
            ("lambda", json!({ "FileSystemConfigs": [], "ImageConfig": { "Command": [] }, "PublishTo": null }), None),
            ("lambda", json!({ "FunctionName": "f", "S3ObjectStorageMode": "COPY" }), None),
            ("lambda", json!({ "S3ObjectStorageMode": "REFERENCE" }), Some("S3ObjectStorageMode")),
            ("firehose", json!({ "DeliveryStreamName": "d" }), None),
        ];
        for (service, input, refused) in table {
            let expected = refused.map_or(Ok(()), |member| {
                Err(format!("InvalidParameterValueException: {member} is not supported by the built-in emulator"))
            });
            assert_eq!(message(service, input.clone()), expected, "{service} {input}");
        }
    }
}
