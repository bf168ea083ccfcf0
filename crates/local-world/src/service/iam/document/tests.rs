use super::*;

const SYNTAX: &str = "Syntax errors in policy.";

fn said(text: &str, kind: Kind) -> String {
    check(text, kind).map_or_else(|error| error.message, |()| String::new())
}

#[test]
fn a_statement_is_refused_in_the_words_of_aws() {
    let vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    let get = r#""Action":"s3:GetObject""#;
    for (rest, expected) in [
        (format!(r#"{get},"Resource":"*""#), ""),
        (format!(r#"{get},"Resource":["arn:aws:s3:::a/*","arn:aws-cn:s3:::b"],"Sid":"one""#), ""),
        (r#""NotAction":["iam:*","sts:?et*"],"NotResource":"arn:aws:iam::000000000000:ro*""#.into(), ""),
        (format!(r#"{get},"Resource":"*","Condition":{{"ForAnyValue:StringLikeIfExists":{{"a:b":["x",1]}}}}"#), ""),
        (format!(r#"{get},"Resource":"*","Condition":{{"DateGreaterThan":{{"aws:now":"2026-01-01"}}}}"#), ""),
        (format!(r#"{get},"Resource":"arn:aws:s3:eu-west-1:000000000000:accesspoint/a""#), ""),
        (format!(r#"{get},"Resource":["arn:aws:fdsasf",null],"Condition":{{"x":{{}}}}"#), ""),
        (format!(r#"{get},"Resource":"*","Extra":1"#), SYNTAX),
        (format!(r#"{get},"NotAction":"s3:Put*","Resource":"*""#), SYNTAX),
        (format!(r#"{get},"Resource":"*","NotResource":[]"#), SYNTAX),
        (format!(r#"{get},"Resource":{{"a":"*"}}"#), SYNTAX),
        (r#""Action":[[]],"Resource":"*""#.into(), SYNTAX),
        (format!(r#"{get},"Resource":"*","Sid":[]"#), SYNTAX),
        (format!(r#"{get},"Resource":"*","Condition":"a""#), SYNTAX),
        (format!(r#"{get},"Resource":"*","Condition":{{"x":{{"a":"1"}}}}"#), SYNTAX),
        (format!(r#"{get},"Resource":"*","Condition":{{"Bool":{{"a":{{}}}}}}"#), SYNTAX),
        (r#""Resource":"arn:aws:s3::a""#.into(), LEGACY),
        (r#""Resource":"*""#.into(), NO_ACTIONS),
        (r#""Action":[],"Resource":"*""#.into(), NO_ACTIONS),
        (get.into(), "Policy statement must contain resources."),
        (r#""Action":"invalid""#.into(), vendor),
        (r#""NotAction":"","Resource":"*""#.into(), vendor),
        (r#""Action":"a a:Get","Resource":"*""#.into(), "Vendor a a is not valid"),
        (r#""Action":"s3:List:Bucket","Resource":"*""#.into(), "Actions/Condition can contain only one colon."),
        (r#""Action":"s:3:Get","Resource":"lake""#.into(), "Resource lake must be in ARN format or \"*\"."),
        (format!(r#"{get},"Resource":"arn:x:s3:::a""#), "Partition \"x\" is not valid for resource \"arn:x:s3:::a\"."),
        (
            format!(r#"{get},"Resource":"arn:aws:s3:us-east-1::a""#),
            "Resource arn:aws:s3:us-east-1::a can not contain region information.",
        ),
        (
            format!(r#"{get},"Resource":"arn:aws""#),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (format!(r#"{get},"Resource":"*","Principal":"*""#), "Policy document should not specify a principal."),
    ] {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{rest}}}}}"#);
        assert_eq!(said(&text, Kind::Managed), expected, "{text}");
    }
    let iam = r#"{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam:::roles/a"}}"#;
    assert!(said(iam, Kind::Inline).starts_with("IAM resource path must either be \"*\" or start with user/, "));
}

#[test]
fn a_document_is_refused_in_the_words_of_aws() {
    let one = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let version = "Policy document must be version 2012-10-17 or greater.";
    let table = [
        (format!(r#"{{"Statement":{one}}}"#), Kind::Inline, ""),
        (format!(r#"{{"Statement":{one}}}"#), Kind::Managed, version),
        (format!(r#"{{"Version":"2008-10-17","Statement":[{one}]}}"#), Kind::Managed, version),
        (format!(r#"{{"Version":"2013-10-17","Statement":{one}}}"#), Kind::Inline, SYNTAX),
        (format!(r#"{{"Id":{{}},"Statement":{one}}}"#), Kind::Inline, SYNTAX),
        (format!(r#"{{"Extra":1,"Statement":{one}}}"#), Kind::Inline, SYNTAX),
        (r#"{"Statement":[]}"#.into(), Kind::Inline, SYNTAX),
        ("[]".into(), Kind::Inline, SYNTAX),
        ("{".into(), Kind::Inline, "This policy contains invalid Json"),
        (one.replace("Allow", "denY"), Kind::Inline, SYNTAX),
        (format!(r#"{{"Statement":{}}}"#, one.replace("Allow", "denY")), Kind::Inline, LEGACY),
        (
            format!(r#"{{"Statement":[{0},{0}]}}"#, one.replacen('{', r#"{"Sid":"a","#, 1)),
            Kind::Inline,
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (format!(r#"{{"Statement":[{0},{0}]}}"#, one.replacen('{', r#"{"Sid":"","#, 1)), Kind::Inline, ""),
    ];
    for (text, kind, expected) in table {
        assert_eq!(said(&text, kind), expected, "{text}");
    }
}

#[test]
fn whom_a_role_trusts_is_said_with_a_principal_and_without_a_resource() {
    for (rest, expected) in [
        (r#""Principal":{"Service":"lambda.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]"#, ""),
        (r#""Action":"sts:AssumeRole""#, "Missing required field Principal"),
        (r#""Principal":"*","Action":"sts:AssumeRole","Resource":"*""#, "Has prohibited field Resource"),
        (r#""Principal":"*""#, NO_ACTIONS),
        (
            r#""Principal":"*","Action":["sts:AssumeRole","s3:GetObject"]"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
    ] {
        let text = format!(r#"{{"Statement":[{{"Effect":"Allow",{rest}}}]}}"#);
        assert_eq!(said(&text, Kind::Trust), expected, "{text}");
    }
}
