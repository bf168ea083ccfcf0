//! Encryption at rest of a delivery stream that is put to directly. It changes what is described, not what is stored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DeliveryStream, Scope, State};
use crate::flow::refused::invalid;
use crate::request::AwsError;
use crate::time::Millis;

/// Starts and stops together.
const MOST_CHANGES: usize = 25;
const CHANGES_IN_MS: Millis = 24 * 3_600_000;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Encryption {
    key: Option<Key>,
    /// Until when it is only ENABLING or DISABLING.
    until: Millis,
    /// When it was started or stopped in the last day.
    changes: Vec<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Key {
    key_type: String,
    #[serde(rename = "KeyARN", skip_serializing_if = "Option::is_none")]
    key_arn: Option<String>,
}

impl Encryption {
    /// As asked for when a delivery stream is made.
    pub fn initial(asked: Option<Key>, kind: &str) -> Result<Encryption, AwsError> {
        if asked.is_some() && kind != "DirectPut" {
            return Err(not_direct());
        }
        let key = asked.map(Key::checked).transpose()?;
        Ok(Encryption { key, ..Encryption::default() })
    }

    pub fn is_on(&self, now: Millis) -> bool {
        self.key.is_some() && now >= self.until
    }

    pub fn view(&self, now: Millis) -> Value {
        let settled = now >= self.until;
        match (&self.key, settled) {
            (None, true) => json!({ "Status": "DISABLED" }),
            (None, false) => json!({ "Status": "DISABLING" }),
            (Some(key), settled) => {
                let mut view = serde_json::to_value(key).expect("our own rows serialise");
                view["Status"] = if settled { "ENABLED" } else { "ENABLING" }.into();
                view
            }
        }
    }
}

impl Key {
    fn checked(self) -> Result<Key, AwsError> {
        match (self.key_type.as_str(), &self.key_arn) {
            ("CUSTOMER_MANAGED_CMK", None) => {
                Err(invalid("KeyARN has to be specified when KeyType is CUSTOMER_MANAGED_CMK"))
            }
            ("AWS_OWNED_CMK", Some(_)) => Err(invalid("KeyARN cannot be specified when KeyType is AWS_OWNED_CMK")),
            _ => Ok(self),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Start {
    delivery_stream_name: String,
    delivery_stream_encryption_configuration_input: Option<Key>,
}

pub fn start(state: &mut State, at: &Scope, input: Start) -> Result<Value, AwsError> {
    let owned = || Key { key_type: "AWS_OWNED_CMK".into(), key_arn: None };
    let key = input.delivery_stream_encryption_configuration_input.unwrap_or_else(owned);
    set(state, at, &input.delivery_stream_name, Some(key.checked()?))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stop {
    delivery_stream_name: String,
}

pub fn stop(state: &mut State, at: &Scope, input: Stop) -> Result<Value, AwsError> {
    set(state, at, &input.delivery_stream_name, None)
}

fn set(state: &mut State, at: &Scope, name: &str, key: Option<Key>) -> Result<Value, AwsError> {
    let stream: &DeliveryStream = at.find(state, name)?;
    if stream.source.is_some() {
        return Err(not_direct());
    }
    super::state::check_active(stream)?;
    let mut changes = stream.encryption.changes.clone();
    changes.retain(|change| at.now.saturating_sub(*change) < CHANGES_IN_MS);
    if changes.len() >= MOST_CHANGES {
        // The words are ours.
        let message =
            format!("Encryption of a Firehose can be started and stopped at most {MOST_CHANGES} times in 24 hours");
        return Err(AwsError::new("LimitExceededException", message));
    }
    changes.push(at.now);
    let until = at.now + at.delay;
    if let Some(stream) = state.streams.get_mut(&at.key(name)) {
        stream.encryption = Encryption { key, until, changes };
    }
    Ok(json!({}))
}

fn not_direct() -> AwsError {
    invalid(
        "Server side encryption from firehose is only allowed for direct put delivery streams and database as a source \
         delivery streams",
    )
}
