//! A function's own environment variables, and which Lambda refuses.

use std::collections::BTreeMap;

use aws_facts::lambda::RESERVED_VARIABLES;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::request::AwsError;

use super::invalid;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment {
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl Environment {
    const MAX_BYTES: usize = 4096;

    /// Fails where Lambda refuses the variables.
    pub fn acceptable(&self) -> Result<(), AwsError> {
        let reserved: Vec<&str> =
            self.variables.keys().map(String::as_str).filter(|name| RESERVED_VARIABLES.contains(name)).collect();
        if !reserved.is_empty() {
            return Err(invalid(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided contains reserved keys that are currently not supported for modification. Reserved keys used \
                 in this request: {}",
                reserved.join(", ")
            )));
        }
        let measured = json!(self.variables).to_string();
        if measured.len() > Self::MAX_BYTES {
            return Err(invalid(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided exceeded the 4KB limit. String measured: {measured}"
            )));
        }
        Ok(())
    }
}
