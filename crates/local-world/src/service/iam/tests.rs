use super::view::NotAssumable;
use super::*;
use crate::settings::Settings;
use crate::time::Delays;
use crate::world::World;
use crate::world::tests::calls;

mod sizes;

const TRUST: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}}"#;
const ARN: &str = "arn:aws:iam::000000000000:role/p/R";

fn ask(world: &mut World, now: Millis, parameters: &[(&str, &str)]) -> Result<String, AwsError> {
    let body = calls::body(world, now, "iam", &calls::form(parameters))?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn world_with_role() -> World {
    let mut world = World::new(Settings { delays: Delays::FAST, ..Settings::default() });
    let create = [("Action", "CreateRole"), ("RoleName", "R"), ("Path", "/p/"), ("AssumeRolePolicyDocument", TRUST)];
    ask(&mut world, 1000, &create).unwrap();
    world
}

#[test]
fn a_role_is_assumable_later_than_it_exists_and_only_by_whom_it_trusts() {
    let world = world_with_role();
    assert_eq!(world.access(1079).iam.assumable(ARN, "lambda.amazonaws.com"), Err(NotAssumable::Refused));
    assert_eq!(world.access(1080).iam.assumable(ARN, "lambda.amazonaws.com"), Ok(()));
    assert_eq!(world.access(1080).iam.assumable(ARN, "firehose.amazonaws.com"), Err(NotAssumable::Refused));
    assert_eq!(
        world.access(1080).iam.assumable(&ARN.replace("/p/", "/"), "lambda.amazonaws.com"),
        Err(NotAssumable::Absent)
    );
}

#[test]
fn a_session_assumes_a_role_that_asks_for_an_external_id_with_that_id_only() {
    let mut world = world_with_role();
    let trust = format!(
        r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{ARN}"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"right"}}}}}}}}"#
    );
    ask(&mut world, 1000, &[("Action", "CreateRole"), ("RoleName", "Q"), ("AssumeRolePolicyDocument", &trust)])
        .unwrap();
    let caller = Caller::Session {
        role: world.iam.roles.get("r").unwrap(),
        name: "s".into(),
        transitive: vec![],
        policies: Policies::default(),
    };
    let wanted = world.iam.roles.get("q").unwrap();
    let may = |id| world.access(5000).iam.assumable_by(wanted, &caller, "us-east-1", id);
    assert_eq!([None, Some("wrong"), Some("right")].map(may), [false, false, true]);
}

#[test]
fn a_policy_counts_after_the_delay_and_no_longer_once_deleted() {
    let mut world = world_with_role();
    let put = [("Action", "PutRolePolicy"), ("RoleName", "r"), ("PolicyName", "P"), ("PolicyDocument", POLICY)];
    ask(&mut world, 2000, &put).unwrap();
    assert!(!world.access(2079).allows(ARN, "logs:PutLogEvents", "x"));
    assert!(world.access(2080).allows(ARN, "logs:PutLogEvents", "x"));
    assert!(!world.access(2080).allows(ARN, "logs:CreateLogGroup", "x"));
    ask(&mut world, 3000, &[("Action", "DeleteRolePolicy"), ("RoleName", "R"), ("PolicyName", "P")]).unwrap();
    assert!(!world.access(3000).allows(ARN, "logs:PutLogEvents", "x"));
}

#[test]
fn a_role_is_deleted_only_after_its_policies() {
    let mut world = world_with_role();
    let delete = [("Action", "DeleteRole"), ("RoleName", "R")];
    let basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    ask(&mut world, 1, &[("Action", "AttachRolePolicy"), ("RoleName", "R"), ("PolicyArn", basic)]).unwrap();
    assert_eq!(ask(&mut world, 1, &delete).unwrap_err().code, "DeleteConflict");
    ask(&mut world, 1, &[("Action", "DetachRolePolicy"), ("RoleName", "R"), ("PolicyArn", basic)]).unwrap();
    ask(&mut world, 1, &delete).unwrap();
    let gone = ask(&mut world, 1, &delete).unwrap_err();
    assert_eq!((gone.code, gone.status), ("NoSuchEntity", 404));
    assert_eq!(gone.message, "The role with name R cannot be found.");
}

#[test]
fn what_is_refused_and_how() {
    let mut world = world_with_role();
    let own = [("Action", "CreatePolicy"), ("PolicyName", "Own"), ("PolicyDocument", POLICY)];
    ask(&mut world, 4000, &own).unwrap();
    for (parameters, code, message) in [
        (
            vec![("Action", "CreateRole"), ("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)],
            "EntityAlreadyExists",
            "Role with name r already exists.",
        ),
        (
            vec![("Action", "UpdateAssumeRolePolicy"), ("RoleName", "R"), ("PolicyDocument", "{")],
            "MalformedPolicyDocument",
            "This policy contains invalid Json",
        ),
        (
            vec![("Action", "AttachRolePolicy"), ("RoleName", "R"), ("PolicyArn", "arn:aws:iam::aws:policy/No")],
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/No does not exist or is not attachable.",
        ),
        (
            vec![("Action", "AttachRolePolicy"), ("RoleName", "R"), ("PolicyArn", "longpolicynamebutnoarn")],
            "ValidationError",
            "Invalid ARN:  Could not be parsed!",
        ),
        (
            vec![("Action", "CreatePolicy"), ("PolicyName", "own"), ("Path", "/q/"), ("PolicyDocument", POLICY)],
            "EntityAlreadyExists",
            "A policy called own already exists. Duplicate names are not allowed.",
        ),
        (
            vec![
                ("Action", "TagRole"),
                ("RoleName", "R"),
                ("Tags.member.1.Key", "a"),
                ("Tags.member.1.Value", ""),
                ("Tags.member.2.Key", "A"),
                ("Tags.member.2.Value", ""),
            ],
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        (
            vec![("Action", "ListEntitiesForPolicy"), ("PolicyArn", "arn:aws:iam::aws:policy/No")],
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/No was not found.",
        ),
        (
            vec![("Action", "GetRolePolicy"), ("RoleName", "R"), ("PolicyName", "P")],
            "NoSuchEntity",
            "The role policy with name P cannot be found.",
        ),
    ] {
        let error = ask(&mut world, 5000, &parameters).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, message));
    }
}

#[test]
fn a_restored_world_knows_the_same_roles() {
    let mut world = world_with_role();
    let mut restored = World::new(Settings::default());
    for change in world.take_changes(true) {
        assert!(restored.restore(change.table, &change.key, &change.value.expect("nothing was removed")).unwrap());
    }
    let get = [("Action", "GetRole"), ("RoleName", "R")];
    assert_eq!(ask(&mut restored, 9000, &get).unwrap(), ask(&mut world, 9000, &get).unwrap());
}

/// The texts of the elements of that name.
fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&open).skip(1).filter_map(|part| part.split_once(&close).map(|(text, _)| text)).collect()
}

#[test]
fn every_list_comes_page_by_page_and_what_was_deleted_meanwhile_makes_none_be_skipped() {
    let mut world = world_with_role();
    let own = |name: &str| format!("arn:aws:iam::000000000000:policy/{name}");
    for name in ["a", "b", "c"] {
        for parameters in [
            vec![("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", TRUST)],
            vec![("Action", "CreatePolicy"), ("PolicyName", name), ("PolicyDocument", POLICY)],
            vec![("Action", "PutRolePolicy"), ("RoleName", "R"), ("PolicyName", name), ("PolicyDocument", POLICY)],
            vec![("Action", "AttachRolePolicy"), ("RoleName", "R"), ("PolicyArn", &own(name))],
            vec![("Action", "AttachRolePolicy"), ("RoleName", name), ("PolicyArn", &own("a"))],
            vec![("Action", "CreatePolicyVersion"), ("PolicyArn", &own("a")), ("PolicyDocument", POLICY)],
            vec![("Action", "TagRole"), ("RoleName", "R"), ("Tags.member.1.Key", name), ("Tags.member.1.Value", "")],
            vec![
                ("Action", "TagPolicy"),
                ("PolicyArn", &own("a")),
                ("Tags.member.1.Key", name),
                ("Tags.member.1.Value", ""),
            ],
        ] {
            ask(&mut world, 1, &parameters).unwrap();
        }
    }
    let arn = own("a");
    for (action, of, element, expected) in [
        ("ListRoles", ("PathPrefix", "/"), "RoleName", vec!["a", "b", "c", "R"]),
        ("ListPolicies", ("Scope", "Local"), "PolicyName", vec!["a", "b", "c"]),
        ("ListRolePolicies", ("RoleName", "R"), "member", vec!["a", "b", "c"]),
        ("ListAttachedRolePolicies", ("RoleName", "R"), "PolicyName", vec!["a", "b", "c"]),
        ("ListEntitiesForPolicy", ("PolicyArn", &arn), "RoleName", vec!["a", "b", "c", "R"]),
        ("ListPolicyVersions", ("PolicyArn", &arn), "VersionId", vec!["v4", "v3", "v2", "v1"]),
        ("ListRoleTags", ("RoleName", "R"), "Key", vec!["a", "b", "c"]),
        ("ListPolicyTags", ("PolicyArn", &arn), "Key", vec!["a", "b", "c"]),
    ] {
        let (mut found, mut marker) = (vec![], None::<String>);
        loop {
            let mut parameters = vec![("Action", action), of, ("MaxItems", "2")];
            parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
            let page = ask(&mut world, 1, &parameters).unwrap();
            found.extend(texts(&page, element).into_iter().map(str::to_owned));
            marker = texts(&page, "Marker").first().map(|marker| String::from(*marker));
            assert_eq!(texts(&page, "IsTruncated"), [marker.is_some().to_string()], "{action}");
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{action}");
    }

    let first = ask(&mut world, 1, &[("Action", "ListRoles"), ("MaxItems", "1")]).unwrap();
    ask(&mut world, 1, &[("Action", "DetachRolePolicy"), ("RoleName", "a"), ("PolicyArn", &arn)]).unwrap();
    ask(&mut world, 1, &[("Action", "DeleteRole"), ("RoleName", "a")]).unwrap();
    let marker = texts(&first, "Marker")[0];
    let second = ask(&mut world, 1, &[("Action", "ListRoles"), ("MaxItems", "1"), ("Marker", marker)]).unwrap();
    assert_eq!((texts(&first, "RoleName"), texts(&second, "RoleName")), (vec!["a"], vec!["b"]));
    let none = ask(&mut world, 1, &[("Action", "ListRoles"), ("Marker", "!")]).unwrap_err();
    assert_eq!(none.code, "ValidationError");
}

#[test]
fn a_policy_shows_its_description_and_tags_where_aws_does() {
    let mut world = world_with_role();
    let create = |name| vec![("Action", "CreatePolicy"), ("PolicyName", name), ("PolicyDocument", POLICY)];
    let mut described = create("d");
    described.extend([("Description", "why"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]);
    let arn = |name: &str| format!("arn:aws:iam::000000000000:policy/{name}");
    let shown = |xml: String| [xml.contains("<Description>"), xml.contains("<Tags>")];
    for (name, created, parameters) in [("d", [false, true], described), ("p", [false, false], create("p"))] {
        assert_eq!(shown(ask(&mut world, 1, &parameters).unwrap()), created, "{name}");
        let got = ask(&mut world, 1, &[("Action", "GetPolicy"), ("PolicyArn", &arn(name))]).unwrap();
        assert_eq!(shown(got), [name == "d", true], "{name}");
    }
    let listed = ask(&mut world, 1, &[("Action", "ListPolicies"), ("Scope", "Local")]).unwrap();
    assert_eq!((texts(&listed, "PolicyName"), shown(listed.clone())), (vec!["d", "p"], [false, false]));

    let bound = [("Action", "PutRolePermissionsBoundary"), ("RoleName", "R"), ("PermissionsBoundary", &arn("p"))];
    ask(&mut world, 1, &bound).unwrap();
    let used = [("Action", "ListPolicies"), ("PolicyUsageFilter", "PermissionsBoundary")];
    let used = ask(&mut world, 1, &used).unwrap();
    assert_eq!(texts(&used, "PolicyName"), ["p"]);
    assert_eq!(texts(&used, "PermissionsBoundaryUsageCount"), ["1"]);
}

#[test]
fn a_role_has_fifty_tags_and_no_more() {
    let mut world = world_with_role();
    let mut tag = |key: &str| {
        let tag = [("Tags.member.1.Key", key), ("Tags.member.1.Value", "v")];
        ask(&mut world, 1, &[&[("Action", "TagRole"), ("RoleName", "R")], &tag[..]].concat())
    };
    for number in 0..50 {
        tag(&format!("k{number}")).unwrap();
    }
    tag("K7").unwrap();
    assert_eq!(tag("one more").unwrap_err().code, "LimitExceeded");
}

#[test]
fn what_a_stream_s_own_policy_allows_its_reader_needs_no_policy_of_the_role() {
    let mut world = world_with_role();
    let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    let kinesis = |world: &mut World, operation: &str, input: serde_json::Value| {
        calls::value(world, 2000, "kinesis", &calls::json(operation, &input)).unwrap();
    };
    kinesis(&mut world, "CreateStream", serde_json::json!({ "StreamName": "s", "ShardCount": 1 }));
    let (other, account) = ("arn:aws:iam::000000000000:role/Q", "arn:aws:iam::000000000000:root");
    for (principal, effect, expected) in [
        (ARN, "Allow", true),
        ("*", "Allow", true),
        (other, "Allow", false),
        (account, "Allow", false),
        (ARN, "Deny", false),
    ] {
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
            "Effect": effect, "Principal": { "AWS": principal }, "Action": "kinesis:Get*", "Resource": stream } });
        let input = serde_json::json!({ "ResourceARN": stream, "Policy": policy.to_string() });
        kinesis(&mut world, "PutResourcePolicy", input);
        assert_eq!(world.access(3000).allows(ARN, "kinesis:GetRecords", stream), expected, "{policy}");
    }
    assert!(!world.access(3000).allows(ARN, "kinesis:PutRecord", stream));
}
