//! Where a function, or its latest update, is: the members of `FunctionConfiguration` that say so.

use serde::{Deserialize, Serialize};

/// State and update status, with their reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Status {
    pub state: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_status: Option<UpdatePhase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason_code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Pending,
    Active,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdatePhase {
    InProgress,
    Successful,
}

const BEING_CREATED: &str = "The function is being created.";

impl Status {
    pub fn pending() -> Status {
        Status {
            state: Phase::Pending,
            state_reason: Some(BEING_CREATED.into()),
            state_reason_code: Some("Creating".into()),
            last_update_status: None,
            last_update_status_reason: None,
            last_update_status_reason_code: None,
        }
    }

    pub fn updating() -> Status {
        Status {
            last_update_status: Some(UpdatePhase::InProgress),
            last_update_status_reason: Some(BEING_CREATED.into()),
            last_update_status_reason_code: Some("Creating".into()),
            ..Status::active()
        }
    }

    pub fn active() -> Status {
        Status {
            state: Phase::Active,
            state_reason: None,
            state_reason_code: None,
            last_update_status: Some(UpdatePhase::Successful),
            last_update_status_reason: None,
            last_update_status_reason_code: None,
        }
    }
}
