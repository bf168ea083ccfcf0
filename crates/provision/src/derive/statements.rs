//! The statements of derived roles: the least that a function or a delivery stream needs for what the spec wants of it.
//! <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html>

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{Name, Names};
use crate::prefix::literal;
use crate::resource::bucket::Bucket;
use crate::resource::delivery_stream::shape::{self, Destination, LAMBDA, Shape};
use crate::resource::delivery_stream::{DeliveryStream, Ref};
use crate::resource::function::{self, Function};
use crate::resource::role::{KeyOf, Statement};
use crate::resource::stream::Stream;
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

/// The statements of the role that a delivery stream runs as, and what it writes to that may be encrypted with a key that the spec
/// does not name: AWS is asked when the role is looked at.
pub fn of_delivery(
    name: &Name,
    delivery: &DeliveryStream,
    stack: &Stack,
    names: &Names,
) -> (Vec<Statement>, Vec<KeyOf>) {
    let shape = delivery.shape(name, names);
    let mut all = objects(&shape);
    if let Some(function) = shape.processors.get(LAMBDA).and_then(|parameters| parameters.get("LambdaArn")) {
        let actions = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"];
        all.push(Statement::allow(&actions, vec![function.clone()]));
    }
    let logs: BTreeSet<String> = shape.destinations().filter_map(|place| log_stream(place, names)).collect();
    if !logs.is_empty() {
        all.push(Statement::allow(&["logs:PutLogEvents"], logs.into_iter().collect()));
    }
    all.extend(shape.destinations().filter_map(|place| object_key(place, names)));
    let keys = keys_of_buckets(delivery, stack).into_iter();
    all.extend(keys.map(|key| Statement::use_of_key(&["kms:Decrypt", "kms:GenerateDataKey"], key, "s3", names)));
    (all, buckets_with_unknown_keys(delivery, stack))
}

/// The same of the role that reads the stream: none for direct put.
pub fn of_reader(name: &Name, delivery: &DeliveryStream, stack: &Stack, names: &Names) -> (Vec<Statement>, Vec<KeyOf>) {
    let (Some((stream, _)), Some(source)) = (delivery.shape(name, names).source, &delivery.source) else {
        return (vec![], vec![]);
    };
    let actions = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"];
    let mut all = vec![Statement::allow(&actions, vec![stream.clone()])];
    all.extend(source_key(source, stack, names));
    (all, (!source.managed).then_some(KeyOf::Stream(stream)).into_iter().collect())
}

/// The keys of buckets of ours that encrypt what the delivery stream writes, because it says no key of its own.
pub fn keys_of_buckets<'s>(delivery: &DeliveryStream, stack: &'s Stack) -> BTreeSet<&'s str> {
    let written = [(&delivery.bucket, &delivery.encryption)];
    let backup = delivery.backup.iter().map(|backup| (&backup.bucket, &backup.encryption));
    let by_default = written.into_iter().chain(backup).filter(|(_, own)| own.is_none());
    by_default.filter_map(|(bucket, _)| stack.bucket(&bucket.logical)?.encryption.as_deref()).collect()
}

fn buckets_with_unknown_keys(delivery: &DeliveryStream, stack: &Stack) -> Vec<KeyOf> {
    let found = |bucket: &&Ref<Bucket>| stack.bucket(&bucket.logical).is_none_or(|bucket| !bucket.create);
    let written = [(&delivery.bucket, delivery.encryption.is_none())];
    let backup = delivery.backup.as_ref().map(|backup| (&backup.bucket, backup.encryption.is_none()));
    let buckets: BTreeSet<String> = written
        .into_iter()
        .chain(backup)
        .filter(|(bucket, by_default)| *by_default && found(bucket))
        .map(|(bucket, _)| shape::last(&bucket.id))
        .collect();
    buckets.into_iter().map(KeyOf::Bucket).collect()
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
fn source_key(source: &Ref<Stream>, stack: &Stack, names: &Names) -> Option<Statement> {
    let stream = stack.streams.get(&source.logical)?.managed()?;
    let key = stream.desired.encryption.as_deref().filter(|key| !key.ends_with("alias/aws/kinesis"))?;
    Some(Statement::use_of_key(&["kms:Decrypt"], key, "kinesis", names))
}

fn object_key(place: &Destination, names: &Names) -> Option<Statement> {
    let key = place.encryption.as_deref()?;
    Some(Statement::use_of_key(&["kms:Decrypt", "kms:GenerateDataKey"], key, "s3", names))
}
