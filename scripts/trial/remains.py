"""What is left of a trial, by name: its names begin with a prefix and a number that nothing else has. `down` removes what the stack
made; this finds what the conformance checks left when they were stopped, and looks whether `down` forgot anything."""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError



def remove(name, region, endpoint, show=print):
    """Begins to remove all whose name begins with `name`; gives what there was and is not gone yet."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 10})
    client = lambda service: boto3.client(service, region_name=region, endpoint_url=endpoint, config=config)
    left = []
    for kind in (delivery_streams, functions, streams, log_groups, buckets, roles, policies):
        try:
            found = list(kind(client, name))
        except (BotoCoreError, ClientError) as error:
            # What cannot be looked at may be there.
            found = [f"{kind.__name__.replace('_', ' ')}: {error}"]
        left += found
    for one in left:
        show(f"removing {one}")
    return left


def delivery_streams(client, name):
    firehose, start = client("firehose"), {}
    while True:
        answer = firehose.list_delivery_streams(Limit=100, **start)
        found = answer["DeliveryStreamNames"]
        for stream in filter(lambda stream: stream.startswith(name), found):
            # While it is being created or deleted it is refused; and AllowForceDelete gets over a key that is gone.
            attempt(firehose.delete_delivery_stream, DeliveryStreamName=stream, AllowForceDelete=True)
            yield f"delivery stream {stream}"
        if not answer["HasMoreDeliveryStreams"]:
            return
        start = {"ExclusiveStartDeliveryStreamName": found[-1]}


def functions(client, name):
    found = client("lambda")
    for page in found.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"].startswith(name):
                attempt(found.delete_function, FunctionName=function["FunctionName"])
                yield f"function {function['FunctionName']}"


def streams(client, name):
    kinesis = client("kinesis")
    for page in kinesis.get_paginator("list_streams").paginate():
        for stream in filter(lambda stream: stream.startswith(name), page["StreamNames"]):
            attempt(kinesis.delete_stream, StreamName=stream, EnforceConsumerDeletion=True)
            yield f"stream {stream}"


def log_groups(client, name):
    logs = client("logs")
    places = ("", "/aws/lambda/", "/aws/kinesisfirehose/", "/provision/aws-trial/")
    for prefix in (place + name for place in places):
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            for group in page["logGroups"]:
                attempt(logs.delete_log_group, logGroupName=group["logGroupName"])
                yield f"log group {group['logGroupName']}"


def buckets(client, name):
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith(name):
            attempt(empty, s3, bucket["Name"])
            attempt(s3.delete_bucket, Bucket=bucket["Name"])
            yield f"bucket {bucket['Name']}"


def empty(s3, bucket):
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def roles(client, name):
    iam = client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for role in (role["RoleName"] for role in page["Roles"] if role["RoleName"].startswith(name)):
            attempt(strip, iam, role)
            attempt(iam.delete_role, RoleName=role)
            yield f"role {role}"


def strip(iam, role):
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for policy in page["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for policy in page["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])


def policies(client, name):
    iam = client("iam")
    for page in iam.get_paginator("list_policies").paginate(Scope="Local"):
        for policy in page["Policies"]:
            if policy["PolicyName"].startswith(name):
                attempt(iam.delete_policy, PolicyArn=policy["Arn"])
                yield f"policy {policy['PolicyName']}"


def attempt(call, *words, **members):
    """What is refused now is tried again at the next look: states last, roles are in use for a while."""
    try:
        call(*words, **members)
    except (BotoCoreError, ClientError):
        pass
