//! Words that no kind has for itself. Patterns and bounds are those of AWS's service models.

use crate::yaml::scalar::patterns;

patterns! {
    StackName[63] = "[a-z0-9][a-z0-9-]*", "lower-case letters, digits and `-`";
    EnvName[31] = "[a-z0-9][a-z0-9-]*", "lower-case letters, digits and `-`";
    /// A key of a section, as others refer to it.
    Key[63] = "[a-zA-Z][a-zA-Z0-9_-]*", "the key of an entry: letters, digits, `_` and `-`, a letter first";
    Region[usize::MAX] = "[a-z]{2,4}(-[a-z]+)+-[0-9]+", "a region, such as us-east-1";
    Account[usize::MAX] = "[0-9]{12}", "an account: 12 digits";
    TagPrefix[64] = "[a-zA-Z0-9][a-zA-Z0-9_.=+@-]*", "letters, digits and `_.=+@-`";
    VariableName[256] = "[a-zA-Z_][a-zA-Z0-9_]*", "the name of a variable: letters, digits and `_`";
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
    IamPath[256] = "/|/[!-~]+/", "`/`, or a path that begins and ends with `/`";
    PolicyArn[2048] = "arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[!-~]+", "the ARN of a policy";
}
