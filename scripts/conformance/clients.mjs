// The AWS SDK for JavaScript, version 3, against the endpoint of AWS_ENDPOINT_URL; against AWS where that is not set.

import * as firehose from "@aws-sdk/client-firehose";
import * as iam from "@aws-sdk/client-iam";
import * as kinesis from "@aws-sdk/client-kinesis";
import * as lambda from "@aws-sdk/client-lambda";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as s3 from "@aws-sdk/client-s3";
import * as sts from "@aws-sdk/client-sts";

import { check, finish, later, patient, refused, run, until, zip } from "./support.mjs";

const streams = patient(new kinesis.KinesisClient());
const deliveries = patient(new firehose.FirehoseClient());
const objects = patient(new s3.S3Client({ forcePathStyle: true }));
const roles = patient(new iam.IAMClient());
const functions = patient(new lambda.LambdaClient());
const groups = patient(new logs.CloudWatchLogsClient());

const text = (bytes) => Buffer.from(bytes).toString();

await finish([stream, subscription, bucketAndRole, delivery, invocation, identityAndLogs]);

async function stream() {
  const StreamName = run;
  check("Kinesis is spoken to by HTTP/2", streams.config.requestHandler.constructor.name, "NodeHttp2Handler");
  await streams.send(new kinesis.CreateStreamCommand({ StreamName, ShardCount: 2, Tags: { run } }));
  later(() => streams.send(new kinesis.DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true })));
  await kinesis.waitUntilStreamExists({ client: streams, maxWaitTime: 180, minDelay: 1, maxDelay: 2 }, { StreamName });
  const { Shards } = await streams.send(new kinesis.ListShardsCommand({ StreamName }));
  check("two shards", Shards.map((shard) => shard.ShardId), ["shardId-000000000000", "shardId-000000000001"]);
  const { HashKeyRange } = Shards[1];
  check("they halve the hash keys", HashKeyRange.StartingHashKey, (2n ** 127n).toString());

  const Records = [...Array(500).keys()].map((n) => ({ Data: Buffer.from(`record ${n}`), PartitionKey: `key ${n}` }));
  const put = await streams.send(new kinesis.PutRecordsCommand({ StreamName, Records }));
  check("no record is refused", put.FailedRecordCount, 0);
  const found = [];
  for (const { ShardId } of Shards) found.push(...(await read(StreamName, ShardId, put)));
  check("every record is read, byte to byte", found.sort(), Records.map((record) => text(record.Data)).sort());

  await refused("an absent stream is a modelled error",
    streams.send(new kinesis.DescribeStreamCommand({ StreamName: `${run}-absent` })),
    kinesis.ResourceNotFoundException, /-absent under account \d{12} not found/);
  await refused("an iterator that is none is a modelled error",
    streams.send(new kinesis.GetRecordsCommand({ ShardIterator: "AAAA" })),
    kinesis.InvalidArgumentException, /./);
}

/** All records that were put to a shard, until as many were read. */
async function read(StreamName, ShardId, put) {
  const expected = put.Records.filter((record) => record.ShardId === ShardId);
  let { ShardIterator } = await streams.send(
    new kinesis.GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
  const found = [];
  while (found.length < expected.length) {
    const answer = await streams.send(new kinesis.GetRecordsCommand({ ShardIterator }));
    found.push(...answer.Records);
    ShardIterator = answer.NextShardIterator;
  }
  const numbers = (records) => records.map((record) => record.SequenceNumber);
  check(`${ShardId} has the records in their order`, numbers(found), numbers(expected));
  const age = Date.now() - found[0].ApproximateArrivalTimestamp.getTime();
  check(`${ShardId} says when they came`, Math.abs(age) < 600_000);
  return found.map((record) => text(record.Data));
}

async function subscription() {
  const { StreamDescriptionSummary } = await streams.send(new kinesis.DescribeStreamSummaryCommand({ StreamName: run }));
  const StreamARN = StreamDescriptionSummary.StreamARN;
  const { Consumer } = await streams.send(new kinesis.RegisterStreamConsumerCommand({ StreamARN, ConsumerName: run }));
  const { ConsumerARN } = Consumer;
  await until("the consumer is ACTIVE", async () => {
    const answer = await streams.send(new kinesis.DescribeStreamConsumerCommand({ ConsumerARN }));
    return answer.ConsumerDescription.ConsumerStatus === "ACTIVE";
  });
  const StartingPosition = { Type: "TRIM_HORIZON" };
  const { EventStream } = await streams.send(
    new kinesis.SubscribeToShardCommand({ ConsumerARN, ShardId: "shardId-000000000000", StartingPosition }));
  for await (const { SubscribeToShardEvent: event } of EventStream) {
    if (event?.Records.length) {
      check("a subscription brings records", /^record \d+$/.test(text(event.Records[0].Data)));
      check("and says where to go on", /^\d+$/.test(event.ContinuationSequenceNumber));
      break;
    }
  }
}

async function bucketAndRole() {
  const Bucket = run;
  const region = await objects.config.region();
  const CreateBucketConfiguration = region === "us-east-1" ? undefined : { LocationConstraint: region };
  await objects.send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  later(() => objects.send(new s3.DeleteBucketCommand({ Bucket })));
  later(empty);
  await objects.send(new s3.PutObjectCommand({ Bucket, Key: "a/ü +%.txt", Body: "hello", Metadata: { kind: "greeting" } }));
  const { Body, Metadata } = await objects.send(new s3.GetObjectCommand({ Bucket, Key: "a/ü +%.txt", Range: "bytes=1-3" }));
  check("a range of an object", [await Body.transformToString(), Metadata], ["ell", { kind: "greeting" }]);
  const { Contents, KeyCount } = await objects.send(new s3.ListObjectsV2Command({ Bucket, Prefix: "a/" }));
  check("objects are listed", [KeyCount, Contents[0].Key, Contents[0].Size], [1, "a/ü +%.txt", 5]);
  await refused("an absent object is a modelled error",
    objects.send(new s3.GetObjectCommand({ Bucket, Key: "absent" })), s3.NoSuchKey, /does not exist/);

  const trust = { Effect: "Allow", Action: "sts:AssumeRole",
    Principal: { Service: ["firehose.amazonaws.com", "lambda.amazonaws.com"] } };
  const allow = { Effect: "Allow", Action: ["s3:*", "logs:*"], Resource: "*" };
  const document = (statement) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await roles.send(new iam.CreateRoleCommand({ RoleName: run, AssumeRolePolicyDocument: document(trust) }));
  later(() => roles.send(new iam.DeleteRoleCommand({ RoleName: run })));
  await roles.send(new iam.PutRolePolicyCommand({ RoleName: run, PolicyName: "all", PolicyDocument: document(allow) }));
  later(() => roles.send(new iam.DeleteRolePolicyCommand({ RoleName: run, PolicyName: "all" })));
  const policy = await roles.send(new iam.GetRolePolicyCommand({ RoleName: run, PolicyName: "all" }));
  check("a role's policy is read back", decodeURIComponent(policy.PolicyDocument), document(allow));
  await refused("an absent role is a modelled error",
    roles.send(new iam.GetRoleCommand({ RoleName: `${run}-absent` })),
    iam.NoSuchEntityException, /The role with name .*-absent cannot be found/);
}

async function empty() {
  const { Contents = [] } = await objects.send(new s3.ListObjectsV2Command({ Bucket: run }));
  const Objects = Contents.map(({ Key }) => ({ Key }));
  if (Objects.length) await objects.send(new s3.DeleteObjectsCommand({ Bucket: run, Delete: { Objects } }));
}

async function roleArn() {
  return (await roles.send(new iam.GetRoleCommand({ RoleName: run }))).Role.Arn;
}

function notAssumableYet(error) {
  // In many ways: for a while services do not know a new role, or what it may do.
  return /assume|security token|not authorized|Access was denied|Verify that|not have permissions|CreateGrant|by EC2/i.test(error.message);
}

async function delivery() {
  const DeliveryStreamName = run;
  const RoleARN = await roleArn();
  const ExtendedS3DestinationConfiguration = {
    RoleARN, BucketARN: `arn:aws:s3:::${run}`, Prefix: "delivered/", BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
  };
  const create = new firehose.CreateDeliveryStreamCommand({ DeliveryStreamName, ExtendedS3DestinationConfiguration });
  await until("Firehose may assume the role", () => deliveries.send(create), notAssumableYet);
  later(() => deliveries.send(new firehose.DeleteDeliveryStreamCommand({ DeliveryStreamName })));
  const described = await until("the delivery stream is ACTIVE", async () => {
    const answer = await deliveries.send(new firehose.DescribeDeliveryStreamCommand({ DeliveryStreamName }));
    const description = answer.DeliveryStreamDescription;
    return description.DeliveryStreamStatus === "ACTIVE" && description;
  });
  const { Prefix, CompressionFormat } = described.Destinations[0].ExtendedS3DestinationDescription;
  check("its destination is described", [described.VersionId, Prefix, CompressionFormat], ["1", "delivered/", "UNCOMPRESSED"]);
  check("and when it was made", described.CreateTimestamp instanceof Date);
  const Records = ["one\n", "two\n", "three\n"].map((one) => ({ Data: Buffer.from(one) }));
  const put = await deliveries.send(new firehose.PutRecordBatchCommand({ DeliveryStreamName, Records }));
  check("a batch is taken", [put.FailedPutCount, put.RequestResponses.length], [0, 3]);
  const delivered = await until("the records are delivered", async () => {
    const { Contents = [] } = await objects.send(new s3.ListObjectsV2Command({ Bucket: run, Prefix: "delivered/" }));
    const parts = Contents.map(({ Key }) => objects.send(new s3.GetObjectCommand({ Bucket: run, Key })));
    const whole = await Promise.all(parts.map(async (part) => (await part).Body.transformToString()));
    return whole.join("").split("\n").length === 4 && whole.join("");
  });
  check("objects hold what was put", delivered.trim().split("\n").sort(), ["one", "three", "two"]);
  await refused("an absent delivery stream is a modelled error",
    deliveries.send(new firehose.DescribeDeliveryStreamCommand({ DeliveryStreamName: `${run}-absent` })),
    firehose.ResourceNotFoundException, /Firehose .*-absent under account \d{12} not found\./);
}

async function invocation() {
  const FunctionName = run;
  const code = "exports.handler = async (event) => { console.log('seen', event.n); if (event.n > 9) throw new Error('too much'); return { n: event.n ** 2 }; };";
  const create = new lambda.CreateFunctionCommand({
    FunctionName, Runtime: "nodejs22.x", Handler: "index.handler", Role: await roleArn(), Code: { ZipFile: zip("index.js", code) },
  });
  await until("Lambda may assume the role", () => functions.send(create), notAssumableYet);
  later(() => functions.send(new lambda.DeleteFunctionCommand({ FunctionName })));
  await lambda.waitUntilFunctionActiveV2({ client: functions, maxWaitTime: 180, minDelay: 1, maxDelay: 2 }, { FunctionName });
  const invoke = (n) => functions.send(
    new lambda.InvokeCommand({ FunctionName, LogType: "Tail", Payload: JSON.stringify({ n }) }));
  const good = await invoke(3);
  check("a function answers", [good.StatusCode, good.FunctionError, good.Payload.transformToString()], [200, undefined, '{"n":9}']);
  check("and shows the end of its log", /START RequestId[^]*seen 3[^]*REPORT RequestId/.test(text(Buffer.from(good.LogResult, "base64"))));
  const bad = await invoke(10);
  check("its error is its answer", [bad.FunctionError, JSON.parse(bad.Payload.transformToString()).errorMessage], ["Unhandled", "too much"]);
  await refused("an absent function is a modelled error",
    functions.send(new lambda.GetFunctionCommand({ FunctionName: `${run}-absent` })),
    lambda.ResourceNotFoundException, /Function not found: arn:aws:lambda:.*-absent/);
}

async function identityAndLogs() {
  const { Account, Arn } = await new sts.STSClient().send(new sts.GetCallerIdentityCommand({}));
  check("the caller is somebody of the account", Arn.includes(`:${Account}:`));
  const logGroupName = `/aws/lambda/${run}`;
  later(() => groups.send(new logs.DeleteLogGroupCommand({ logGroupName })));
  const events = await until("the function's log has both lines", async () => {
    const found = [];
    for await (const page of logs.paginateFilterLogEvents({ client: groups }, { logGroupName, filterPattern: "seen" })) found.push(...page.events);
    return found.length === 2 && found;
  }, (error) => error instanceof logs.ResourceNotFoundException);
  check("its log is found by a pattern", events.every(({ message }) => /seen (3|10)\n?$/.test(message)));
  await refused("an absent log group is a modelled error",
    groups.send(new logs.DescribeLogStreamsCommand({ logGroupName: `${logGroupName}-absent` })),
    logs.ResourceNotFoundException, /The specified log group does not exist/);
}
