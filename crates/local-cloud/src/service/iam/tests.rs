use super::*;
use crate::settings::{Delays, Settings};

const TRUST: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}}"#;
const ARN: &str = "arn:aws:iam::000000000000:role/p/R";

fn ask(world: &mut World, now: Millis, parameters: &[(&str, &str)]) -> Result<String, AwsError> {
    let request = Request {
        method: http::Method::POST,
        path: "/".into(),
        query: vec![],
        headers: http::HeaderMap::new(),
        body: serde_urlencoded::to_string(parameters).unwrap().into(),
        region: "us-east-1".into(),
        signed_for: None,
        access_key: None,
        id: "id-1".into(),
    };
    match call(world, &mut Turn::at(now), &request)? {
        Answer::Reply(reply) => Ok(String::from_utf8(reply.body.to_vec()).unwrap()),
        Answer::Pending(_) | Answer::Events(_) => panic!("IAM answers at once"),
    }
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
    assert_eq!(assumable(&world, ARN, "lambda.amazonaws.com", 1079), Err(NotAssumable::Refused));
    assert_eq!(assumable(&world, ARN, "lambda.amazonaws.com", 1080), Ok(()));
    assert_eq!(assumable(&world, ARN, "firehose.amazonaws.com", 1080), Err(NotAssumable::Refused));
    assert_eq!(assumable(&world, &ARN.replace("/p/", "/"), "lambda.amazonaws.com", 1080), Err(NotAssumable::Absent));
}

#[test]
fn a_policy_counts_after_the_delay_and_no_longer_once_deleted() {
    let mut world = world_with_role();
    let put = [("Action", "PutRolePolicy"), ("RoleName", "r"), ("PolicyName", "P"), ("PolicyDocument", POLICY)];
    ask(&mut world, 2000, &put).unwrap();
    assert!(!allows(&world, ARN, "logs:PutLogEvents", "x", 2079));
    assert!(allows(&world, ARN, "logs:PutLogEvents", "x", 2080));
    assert!(!allows(&world, ARN, "logs:CreateLogGroup", "x", 2080));
    ask(&mut world, 3000, &[("Action", "DeleteRolePolicy"), ("RoleName", "R"), ("PolicyName", "P")]).unwrap();
    assert!(!allows(&world, ARN, "logs:PutLogEvents", "x", 3000));
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
