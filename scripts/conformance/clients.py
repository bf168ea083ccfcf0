#!/usr/bin/env python3
"""boto3 and the aws command line against the endpoint of AWS_ENDPOINT_URL; against AWS where that is not set. All names are
of this run, and nothing of it stays. They begin with CONFORMANCE_NAMES, where that is set."""

import contextlib
import io
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from patience import PASSING, Patience

RUN = f"{os.environ.get('CONFORMANCE_NAMES', 'conformance')}-{secrets.token_hex(5)}"
PATIENCE = Patience(RUN)
# Services do not know a new role, or what it may do, for a while, and say so in many ways.
NOT_YET = (
    "assume", "security token included in the request", "not authorized to perform", "Access was denied", "Verify that the IAM role",
    "execution role does not have permissions", "KMS key is invalid for CreateGrant", "throttled by EC2",
)
HANDLER = b"""
def handler(event, context):
    print("seen", event["n"])
    return {"n": 1 / event["n"]}
"""


def main():
    with contextlib.ExitStack() as later:
        kinesis(later)
        bucket(later)
        role = roles(later)
        session(role)
        firehose(later, role)
        function(later, role)


def kinesis(later):
    client = boto3.client("kinesis")
    client.create_stream(StreamName=RUN, ShardCount=1, Tags={"run": RUN})
    later.callback(client.delete_stream, StreamName=RUN, EnforceConsumerDeletion=True)
    client.get_waiter("stream_exists").wait(StreamName=RUN, WaiterConfig={"Delay": 1, "MaxAttempts": 180})
    tags = until("its tags are seen", lambda: client.list_tags_for_stream(StreamName=RUN)["Tags"])
    check("a stream has its tags", tags, [{"Key": "run", "Value": RUN}])
    data = [bytes([n % 256]) * (n + 1) for n in range(500)]
    records = [{"Data": one, "PartitionKey": str(n)} for n, one in enumerate(data)]
    check("no record is refused", client.put_records(StreamName=RUN, Records=records)["FailedRecordCount"], 0)
    first = {"StreamName": RUN, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    found, iterator = [], client.get_shard_iterator(**first)["ShardIterator"]
    while len(found) < len(data):
        answer = client.get_records(ShardIterator=iterator, Limit=200)
        found, iterator = found + answer["Records"], answer["NextShardIterator"]
    check("every record is read, in its order", [record["Data"] for record in found], data)
    check("with its key", [record["PartitionKey"] for record in found], [str(n) for n in range(len(data))])
    after = client.get_shard_iterator(**first | {
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": found[-2]["SequenceNumber"]
    })["ShardIterator"]
    check("an iterator after the last but one", client.get_records(ShardIterator=after)["Records"], found[-1:])
    refused("an absent stream", client.exceptions.ResourceNotFoundException, "-absent under account",
            client.describe_stream, StreamName=f"{RUN}-absent")
    refused("a stream that is there", client.exceptions.ResourceInUseException, "already exists",
            client.create_stream, StreamName=RUN, ShardCount=1)
    refused("a name that is none", ClientError, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            client.create_stream, StreamName=f"{RUN} none", ShardCount=1)
    shards = json.loads(aws("kinesis", "list-shards", "--stream-name", RUN))["Shards"]
    check("aws kinesis list-shards", [shard["ShardId"] for shard in shards], ["shardId-000000000000"])


def bucket(later):
    s3 = boto3.client("s3")
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=RUN, **where)
    later.callback(s3.delete_bucket, Bucket=RUN)
    later.callback(aws, "s3", "rm", "--recursive", f"s3://{RUN}")
    s3.put_object(Bucket=RUN, Key="a/ü +%.txt", Body=b"hello", ContentType="text/plain")
    found = s3.get_object(Bucket=RUN, Key="a/ü +%.txt")
    check("an object is read back", (found["Body"].read(), found["ContentType"]), (b"hello", "text/plain"))
    signer = boto3.client("s3", config=Config(signature_version="s3v4"))
    given_away = signer.generate_presigned_url("get_object", {"Bucket": RUN, "Key": "a/ü +%.txt"})
    check("an address that is given away", urllib.request.urlopen(given_away).read(), b"hello")
    refused("an absent object", s3.exceptions.NoSuchKey, "The specified key does not exist",
            s3.get_object, Bucket=RUN, Key="absent")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "b.txt").write_text("b")
        pathlib.Path(folder, "large").write_bytes(bytes(9 << 20))
        # An object's time has no fraction: what is uploaded within the second of its writing would look older than its file.
        for path in pathlib.Path(folder).iterdir():
            os.utime(path, (0, 0))
        aws("s3", "sync", folder, f"s3://{RUN}/synced")
        check("aws s3 sync again has nothing to do", aws("s3", "sync", folder, f"s3://{RUN}/synced"), "")
        listing = aws("s3", "ls", "--recursive", f"s3://{RUN}")
        check("aws s3 ls", [line.split(maxsplit=3)[2:] for line in listing.splitlines()],
              [["5", "a/ü +%.txt"], ["1", "synced/b.txt"], [str(9 << 20), "synced/large"]])


def roles(later):
    """A role that Firehose, Lambda and the account's own may assume."""
    iam = boto3.client("iam")
    account = boto3.client("sts").get_caller_identity()["Account"]
    services = ["firehose.amazonaws.com", "lambda.amazonaws.com"]
    principal = {"Service": services, "AWS": f"arn:aws:iam::{account}:root"}
    trust = document(Principal=principal, Action="sts:AssumeRole")
    role = iam.create_role(RoleName=RUN, AssumeRolePolicyDocument=trust, Tags=[{"Key": "run", "Value": RUN}])["Role"]
    later.callback(iam.delete_role, RoleName=RUN)
    everything = document(Action=["s3:*", "logs:*", "kinesis:ListStreams"], Resource="*")
    iam.put_role_policy(RoleName=RUN, PolicyName="all", PolicyDocument=everything)
    later.callback(iam.delete_role_policy, RoleName=RUN, PolicyName="all")
    refused("a role with a policy", iam.exceptions.DeleteConflictException, "must delete policies first",
            iam.delete_role, RoleName=RUN)
    refused("an absent role", iam.exceptions.NoSuchEntityException, "-absent cannot be found",
            iam.get_role, RoleName=f"{RUN}-absent")
    policy = json.loads(aws("iam", "get-role-policy", "--role-name", RUN, "--policy-name", "all"))
    check("aws iam reads the role's policy", policy["PolicyDocument"], json.loads(everything))
    actions = ["s3:GetObject", "iam:CreateUser"]
    results = iam.simulate_principal_policy(PolicySourceArn=role["Arn"], ActionNames=actions)["EvaluationResults"]
    check("a policy is simulated", [one["EvalDecision"] for one in results], ["allowed", "implicitDeny"])
    return role["Arn"]


def session(role):
    assume = lambda: boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="check")["Credentials"]
    credentials = until("the role may be assumed", assume, "AccessDenied")
    kept = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    arn = lambda: boto3.client("sts", **kept).get_caller_identity()["Arn"]
    check("a session knows whose it is", until("the session is known", arn, "InvalidClientTokenId").split(":")[-1],
          f"assumed-role/{RUN}/check")
    streams = lambda: boto3.client("kinesis", **kept).list_streams()["StreamNames"]
    check("it lists streams", RUN in until("it may list streams", streams, "AccessDenied", "InvalidClientTokenId"), True)


def firehose(later, role):
    client, s3 = boto3.client("firehose"), boto3.client("s3")
    place = {"RoleARN": role, "BucketARN": f"arn:aws:s3:::{RUN}"}
    destination = place | {
        "Prefix": "delivered/", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0}, "CompressionFormat": "GZIP"
    }
    create = lambda: client.create_delivery_stream(DeliveryStreamName=RUN, ExtendedS3DestinationConfiguration=destination)
    until("Firehose may assume the role", create, *NOT_YET)
    later.callback(client.delete_delivery_stream, DeliveryStreamName=RUN)
    describe = lambda: client.describe_delivery_stream(DeliveryStreamName=RUN)["DeliveryStreamDescription"]
    until("the delivery stream is ACTIVE", lambda: describe()["DeliveryStreamStatus"] == "ACTIVE")
    client.put_record(DeliveryStreamName=RUN, Record={"Data": b"one"})
    listed = lambda: s3.list_objects_v2(Bucket=RUN, Prefix="delivered/").get("Contents")
    key = until("the record is delivered", listed)[0]["Key"]
    name = rf"delivered/\d{{4}}/\d\d/\d\d/\d\d/{RUN}-1-\d{{4}}(-\d\d){{5}}-[0-9a-f-]{{36}}\.gz"
    check("an object's key", bool(re.fullmatch(name, key)), True)
    update = {"DeliveryStreamName": RUN, "CurrentDeliveryStreamVersionId": "9", "DestinationId": "destinationId-000000000001"}
    refused("another version's update", client.exceptions.ConcurrentModificationException, "",
            client.update_destination, **update, ExtendedS3DestinationUpdate={"Prefix": "else/"})
    described = json.loads(aws("firehose", "describe-delivery-stream", "--delivery-stream-name", RUN))
    found = described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    check("aws firehose describes it", (found["Prefix"], found["CompressionFormat"]), ("delivered/", "GZIP"))


def function(later, role):
    client = boto3.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("code.py", HANDLER)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    create = lambda: client.create_function(
        FunctionName=RUN, Runtime=version, Handler="code.handler", Role=role, Code={"ZipFile": archive.getvalue()}
    )
    until("Lambda may assume the role", create, *NOT_YET)
    later.callback(client.delete_function, FunctionName=RUN)
    client.get_waiter("function_active_v2").wait(FunctionName=RUN, WaiterConfig={"Delay": 1, "MaxAttempts": 180})
    with tempfile.TemporaryDirectory() as folder:
        answer = pathlib.Path(folder, "answer")
        invoke = ("lambda", "invoke", "--function-name", RUN, "--log-type", "Tail", "--query", "LogResult")
        log = aws(*invoke, "--payload", '{"n": 2}', str(answer))
        check("aws lambda invoke", json.loads(answer.read_text()), {"n": 0.5})
        check("and the end of its log", len(log) > 40, True)
    failed = client.invoke(FunctionName=RUN, Payload=b'{"n": 0}')
    check("a function's error is its answer", json.load(failed["Payload"])["errorType"], "ZeroDivisionError")
    location = client.get_function(FunctionName=RUN)["Code"]["Location"]
    check("its code can be downloaded", urllib.request.urlopen(location).read(), archive.getvalue())
    refused("an absent function", client.exceptions.ResourceNotFoundException, "-absent",
            client.get_function, FunctionName=f"{RUN}-absent")
    logs, group = boto3.client("logs"), f"/aws/lambda/{RUN}"
    later.callback(logs.delete_log_group, logGroupName=group)
    pages = lambda: logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="seen")
    two = lambda: [one["message"].strip() for page in pages() for one in page["events"]][1:]
    check("its log is found by a pattern", until("it is there", two, "does not exist"), ["seen 0"])


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def until(what, ask, *passing):
    """Asks until the answer is one, for three minutes at most: states and permissions take their time on AWS."""
    end, pause = time.monotonic() + 180, 0.05
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except ClientError as error:
            if not any(text in str(error) for text in passing):
                raise
        time.sleep(pause)
        pause = min(pause * 1.5, 2)
    sys.exit(f"FAILED: {what}: not within three minutes")


def refused(what, kind, message, call, **members):
    """boto3 decodes the error as the exception of that name."""
    PATIENCE.waits = False
    try:
        call(**members)
    except kind as error:
        check(f"{what} is a modelled error", message in str(error) and bool(error.response["ResponseMetadata"]["RequestId"]), True)
    else:
        sys.exit(f"FAILED: {what} is no error")
    finally:
        PATIENCE.waits = True


def aws(*words):
    end = time.monotonic() + 60
    while True:
        done = subprocess.run(["aws", *words], capture_output=True, text=True)
        passes = done.returncode != 0 and any(f"({code})" in done.stderr for code in PASSING)
        if not passes or time.monotonic() > end:
            break
        time.sleep(0.5)
    if done.returncode != 0:
        sys.exit(f"aws {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def check(what, found, expected):
    if found != expected:
        sys.exit(f"FAILED: Python: {what}: {found!r}, expected {expected!r}")
    print(f"  ok: Python: {what}")


main()
