//! Log groups.

use std::collections::BTreeMap;

use aws_facts::logs::RETENTION_DAYS;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arn;
use crate::request::AwsError;
use crate::time::Millis;

use super::{Call, Outcome, group_name};

/// One group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub log_group_name: String,
    pub creation_time: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    pub log_group_class: String,
    pub log_group_arn: String,
    pub deletion_protection_enabled: bool,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Group {
    pub fn new(name: &str, region: &str, account: &str, now: Millis) -> Group {
        Group {
            log_group_name: name.to_owned(),
            creation_time: now,
            retention_in_days: None,
            kms_key_id: None,
            log_group_class: "STANDARD".into(),
            log_group_arn: arn::regional("logs", region, account, &format!("log-group:{name}")),
            deletion_protection_enabled: false,
            tags: BTreeMap::new(),
        }
    }

    /// As DescribeLogGroups shows it: the row without its tags, and the older form of the ARN. What was found by a
    /// pattern shows less.
    fn description(&self, by_pattern: bool) -> Value {
        let mut description = serde_json::to_value(self).expect("our own rows serialise");
        let members = description.as_object_mut().expect("a struct is an object");
        members.remove("tags");
        members.insert("arn".into(), format!("{}:*", self.log_group_arn).into());
        members.insert("metricFilterCount".into(), 0.into());
        if by_pattern {
            members.remove("deletionProtectionEnabled");
        } else {
            members.insert("storedBytes".into(), 0.into());
        }
        description
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: String,
    kms_key_id: Option<String>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
}

pub fn create(call: &mut Call) -> Outcome {
    let input: Create = call.input()?;
    let key = call.group_key(&input.log_group_name);
    if call.state.groups.contains(&key) {
        return Err(AwsError::new("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let plain = Group::new(&input.log_group_name, call.region, call.around.account, call.around.now);
    let group = Group {
        kms_key_id: input.kms_key_id,
        log_group_class: input.log_group_class.unwrap_or(plain.log_group_class),
        deletion_protection_enabled: input.deletion_protection_enabled.unwrap_or_default(),
        tags: input.tags.unwrap_or_default(),
        ..plain
    };
    call.state.groups.insert(key, group);
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
}

pub fn delete(call: &mut Call) -> Outcome {
    let Named { log_group_name } = call.input()?;
    if call.group(&log_group_name)?.deletion_protection_enabled {
        let message = "The log group has deletion protection enabled. Disable it, then delete the log group.";
        return Err(AwsError::new("ValidationException", message));
    }
    let within = call.stream_key(&log_group_name, "");
    call.state.remove_streams(&within);
    let key = call.group_key(&log_group_name);
    call.state.groups.remove(&key);
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Describe {
    log_group_name_prefix: String,
    log_group_name_pattern: String,
    log_group_class: Option<String>,
    /// Names or ARNs: of none, all are meant.
    log_group_identifiers: Vec<String>,
    next_token: Option<String>,
    limit: usize,
}

impl Default for Describe {
    fn default() -> Self {
        Describe {
            log_group_name_prefix: String::new(),
            log_group_name_pattern: String::new(),
            log_group_class: None,
            log_group_identifiers: vec![],
            next_token: None,
            limit: 50,
        }
    }
}

/// In the order of the names; the token is the last name given.
pub fn describe(call: &mut Call) -> Outcome {
    let input: Describe = call.input()?;
    if !input.log_group_name_prefix.is_empty() && !input.log_group_name_pattern.is_empty() {
        let message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(AwsError::new("InvalidParameterException", message));
    }
    let prefix = call.group_key(&input.log_group_name_prefix);
    let pattern = input.log_group_name_pattern;
    let identified = |group: &Group| {
        let of = |identifier: &String| *identifier == group.log_group_name || *identifier == group.log_group_arn;
        input.log_group_identifiers.is_empty() || input.log_group_identifiers.iter().any(of)
    };
    let wanted = |group: &&Group| {
        input.next_token.as_ref().is_none_or(|last| group.log_group_name > *last)
            && group.log_group_name.contains(&pattern)
            && input.log_group_class.as_ref().is_none_or(|class| group.log_group_class == *class)
            && identified(group)
    };
    let mut groups = call.state.groups.with_prefix(&prefix).map(|(_, group)| group).filter(wanted).peekable();
    let page: Vec<&Group> = groups.by_ref().take(input.limit).collect();
    let more = groups.peek().and(page.last()).map(|group| group.log_group_name.clone());
    let shown: Vec<Value> = page.iter().map(|group| group.description(!pattern.is_empty())).collect();
    let mut output = json!({ "logGroups": shown });
    if let Some(token) = more {
        output["nextToken"] = token.into();
    }
    Ok(output)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutRetention {
    log_group_name: String,
    retention_in_days: u32,
}

pub fn put_retention(call: &mut Call) -> Outcome {
    let input: PutRetention = call.input()?;
    if !RETENTION_DAYS.contains(&input.retention_in_days) {
        let message = format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {RETENTION_DAYS:?}",
            input.retention_in_days
        );
        return Err(AwsError::new("InvalidParameterException", message));
    }
    call.group_mut(&input.log_group_name)?.retention_in_days = Some(input.retention_in_days);
    Ok(Value::Null)
}

pub fn delete_retention(call: &mut Call) -> Outcome {
    let Named { log_group_name } = call.input()?;
    call.group_mut(&log_group_name)?.retention_in_days = None;
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutProtection {
    log_group_identifier: String,
    deletion_protection_enabled: bool,
}

pub fn put_protection(call: &mut Call) -> Outcome {
    let input: PutProtection = call.input()?;
    let group = call.group_mut(group_name(&input.log_group_identifier))?;
    group.deletion_protection_enabled = input.deletion_protection_enabled;
    Ok(Value::Null)
}
