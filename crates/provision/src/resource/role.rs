//! An IAM role with one inline policy: derived, one per delivery stream and per function, made of the statements that the
//! kinds say they need.

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Begins and ends with `/`.
    pub path: String,
    /// The service that assumes it: `firehose.amazonaws.com`, `lambda.amazonaws.com`.
    pub service: &'static str,
    /// Statements of the inline policy.
    pub statements: Vec<Statement>,
    pub boundary: Option<String>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// `Allow` or `Deny`.
    pub effect: String,
    pub action: Vec<String>,
    pub resource: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<serde_json::Value>,
}

/// The role something runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleRef {
    /// Derived: the logical name of the role node (`delivery-raw`, `function-square`).
    Derived(String),
    /// Somebody else's, by ARN: no IAM call is made.
    Existing(String),
}
