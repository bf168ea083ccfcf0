"""An example of tests with the fixture, which the wheel of provision brings."""

import json
import os
import urllib.request

import boto3


def test_a_record_arrives_in_the_bucket(provision_environment):
    kinesis = boto3.client("kinesis")
    stream = provision_environment["STREAM_EVENTS_NAME"]
    kinesis.put_record(StreamName=stream, PartitionKey="a", Data=json.dumps({"n": 1}))

    # On the emulator buffered records can be asked for; on AWS they come after a minute.
    flush = f"{os.environ['AWS_ENDPOINT_URL']}/_local/flush?region={os.environ['AWS_REGION']}"
    urllib.request.urlopen(urllib.request.Request(flush, method="POST")).close()

    bucket, prefix = provision_environment["DELIVERY_RAW_GOOD"].removeprefix("s3://").split("/", 1)
    s3 = boto3.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    stored = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    assert any(b'"n": 1' in content for content in stored)


def test_the_session_has_one_environment(provision_environment):
    assert boto3.client("kinesis").list_streams()["StreamNames"] == [provision_environment["STREAM_EVENTS_NAME"]]
