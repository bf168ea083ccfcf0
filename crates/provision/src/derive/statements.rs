//! What a role must allow, and no more: the least that a function or a delivery stream needs for what the spec wants of it.
//! <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::names::{Name, Names};
use crate::prefix::literal;
use crate::resource::delivery_stream::shape::{Destination, LAMBDA, Shape};
use crate::resource::delivery_stream::{DeliveryStream, Ref};
use crate::resource::function::{self, Function};
use crate::resource::role::Statement;
use crate::spec::stack::Stack;

/// A function may write to its own log group, but not create it: an invocation that ends after `down` must not bring a
/// deleted group back.
pub fn of_function(name: &Name, function: &Function, names: &Names) -> Vec<Statement> {
    let group = names.log_group_arn(&function::log_group(&function.log, name));
    let mut all = vec![Statement::allow(&["logs:CreateLogStream", "logs:PutLogEvents"], vec![format!("{group}:*")])];
    if function.vpc.is_some() {
        // Network interfaces have no names that could be given here.
        let actions = [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ];
        all.push(Statement::allow(&actions, vec!["*".into()]));
    }
    all.extend(function.allow.clone());
    all
}

pub fn of_delivery(name: &Name, delivery: &DeliveryStream, stack: &Stack, names: &Names) -> Vec<Statement> {
    let shape = delivery.shape(name, names);
    let mut all = Vec::new();
    if let Some((stream, _)) = &shape.source {
        let actions =
            ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"];
        all.push(Statement::allow(&actions, vec![stream.clone()]));
    }
    all.extend(delivery.source.as_ref().and_then(|source| source_key(source, stack, names)));
    all.extend(objects(&shape));
    if let Some(function) = shape.processors.get(LAMBDA).and_then(|parameters| parameters.get("LambdaArn")) {
        let actions = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"];
        all.push(Statement::allow(&actions, vec![function.clone()]));
    }
    let logs: BTreeSet<String> = shape.destinations().filter_map(|place| log_stream(place, names)).collect();
    if !logs.is_empty() {
        all.push(Statement::allow(&["logs:PutLogEvents"], logs.into_iter().collect()));
    }
    all.extend(shape.destinations().filter_map(|place| object_key(place, names)));
    all
}

/// Buckets whole, objects only under the prefixes' fixed beginnings.
fn objects(shape: &Shape) -> Vec<Statement> {
    let mut buckets: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for place in shape.destinations() {
        let objects = buckets.entry(&place.bucket).or_default();
        objects.insert(under(place, &place.prefix));
        // Where there is no error prefix, errors go under the prefix.
        if !place.error_prefix.is_empty() {
            objects.insert(under(place, &place.error_prefix));
        }
    }
    let whole = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"];
    let each = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"];
    let whole = Statement::allow(&whole, buckets.keys().map(|bucket| bucket.to_string()).collect());
    vec![whole, Statement::allow(&each, buckets.into_values().flatten().collect())]
}

fn under(place: &Destination, prefix: &str) -> String {
    format!("{}/{}*", place.bucket, literal(prefix))
}

fn log_stream(place: &Destination, names: &Names) -> Option<String> {
    let (group, stream) = place.log.as_ref()?;
    Some(format!("{}:log-stream:{stream}", names.log_group_arn(group)))
}

/// Reading an encrypted stream. AWS's own key for Kinesis is open to the account's principals through Kinesis.
fn source_key(source: &Ref, stack: &Stack, names: &Names) -> Option<Statement> {
    let stream = stack.streams.get(&source.logical)?.managed()?;
    let key = stream.desired.encryption.as_deref().filter(|key| !key.ends_with("alias/aws/kinesis"))?;
    Some(kms(&["kms:Decrypt"], key, "kinesis", names))
}

fn object_key(place: &Destination, names: &Names) -> Option<Statement> {
    let key = place.encryption.as_deref()?;
    Some(kms(&["kms:Decrypt", "kms:GenerateDataKey"], key, "s3", names))
}

/// The use of a key through one service. An alias is no resource: it is a condition on the keys.
fn kms(actions: &[&str], key: &str, service: &str, names: &Names) -> Statement {
    let dns = if names.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let mut condition = json!({"StringEquals": {"kms:ViaService": format!("{service}.{}.{dns}", names.region)}});
    let alias = key.rsplit(':').next().filter(|key| key.starts_with("alias/"));
    let resource = match alias {
        Some(alias) => {
            condition["ForAnyValue:StringEquals"] = json!({"kms:ResourceAliases": alias});
            names.arn("kms", "key/*")
        }
        None if key.starts_with("arn:") => key.to_owned(),
        None => names.arn("kms", &format!("key/{key}")),
    };
    Statement { condition: Some(condition), ..Statement::allow(actions, vec![resource]) }
}
