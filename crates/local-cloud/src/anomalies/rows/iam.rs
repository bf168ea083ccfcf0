//! IAM is eventually consistent, and says so of itself.

use super::super::{About, Row, Shown, Words};

const EVENTUAL: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes are not always immediately visible)";

pub const ROWS: &[Row] = &[
    Row {
        name: "iam-absent",
        about: About::Role,
        after: &["iam:CreateRole"],
        absent: None,
        at: &[
            "iam:GetRole",
            "iam:ListRoleTags",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
            "iam:PutRolePolicy",
            "iam:AttachRolePolicy",
            "iam:TagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePermissionsBoundary",
        ],
        shown: Shown::Refused(&[Words {
            code: "NoSuchEntity",
            status: 404,
            message: "The role with name {name} cannot be found.",
        }]),
        lasts: (500, 4_000),
        settled: false,
        source: EVENTUAL,
    },
    Row {
        name: "iam-stale",
        about: About::Role,
        after: &[
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ],
        absent: None,
        at: &["iam:GetRole", "iam:ListRoleTags"],
        shown: Shown::Stale,
        lasts: (500, 4_000),
        settled: false,
        source: EVENTUAL,
    },
    Row {
        name: "iam-stale-policy",
        about: About::RolePolicy,
        after: &["iam:PutRolePolicy", "iam:DeleteRolePolicy"],
        absent: None,
        at: &["iam:GetRolePolicy"],
        shown: Shown::Stale,
        lasts: (500, 4_000),
        settled: false,
        source: EVENTUAL,
    },
    Row {
        name: "iam-lingering",
        about: About::Role,
        after: &["iam:DeleteRole"],
        absent: None,
        at: &["iam:GetRole", "iam:ListRolePolicies"],
        shown: Shown::Stale,
        lasts: (500, 4_000),
        settled: false,
        source: EVENTUAL,
    },
    Row {
        name: "iam-delete-conflict",
        about: About::Role,
        after: &["iam:DeleteRolePolicy"],
        absent: None,
        at: &["iam:DeleteRole"],
        shown: Shown::Refused(&[Words {
            code: "DeleteConflict",
            status: 409,
            message: "Cannot delete entity, must delete policies first.",
        }]),
        lasts: (1_000, 8_000),
        settled: false,
        source: "https://github.com/hashicorp/terraform/issues/3222; the cause: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html",
    },
    Row {
        name: "iam-detach-conflict",
        about: About::Role,
        after: &["iam:DetachRolePolicy"],
        absent: None,
        at: &["iam:DeleteRole"],
        shown: Shown::Refused(&[Words {
            code: "DeleteConflict",
            status: 409,
            message: "Cannot delete entity, must detach all policies first.",
        }]),
        lasts: (1_000, 8_000),
        settled: false,
        source: "[?] as of inline policies",
    },
];
