//! The layers that a function names: kept and shown, never unpacked. So none is known here, and which exist is not asked.

use aws_facts::lambda::MAX_LAYERS;
use serde::{Deserialize, Serialize};

use crate::request::AwsError;

use super::invalid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Layer {
    /// The ARN of a version of the layer.
    pub arn: String,
    pub code_size: u64,
}

impl Layer {
    pub fn new(arn: String) -> Layer {
        Layer { arn, code_size: 0 }
    }

    fn unversioned(&self) -> &str {
        self.arn.rsplit_once(':').map_or(&self.arn, |(layer, _)| layer)
    }
}

/// Fails where a function cannot have these together.
pub fn acceptable(layers: &[Layer]) -> Result<(), AwsError> {
    if layers.len() > MAX_LAYERS {
        return Err(invalid(format!("Cannot reference more than {MAX_LAYERS} layers.")));
    }
    for (at, layer) in layers.iter().enumerate() {
        if let Some(other) = layers[at + 1..].iter().find(|other| other.unversioned() == layer.unversioned()) {
            return Err(invalid(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {} \
                 are versions of the same layer.",
                layer.arn, other.arn
            )));
        }
    }
    Ok(())
}
