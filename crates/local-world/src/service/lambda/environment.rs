//! A function's own environment variables, and which Lambda refuses.

use std::collections::BTreeMap;

use aws_facts::lambda::{MAX_ENVIRONMENT_BYTES, RESERVED_VARIABLES, environment_bytes};
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
        if environment_bytes(&self.variables) > MAX_ENVIRONMENT_BYTES {
            let measured = json!(self.variables);
            return Err(invalid(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided exceeded the 4KB limit. String measured: {measured}"
            )));
        }
        Ok(())
    }
}
