#!/usr/bin/env python3
"""Writes crates/local-world/src/model/constraints.json from the service models of an installed botocore, and
crates/local-cloud/src/wire/s3/inputs.json, which is for a test: where each member of S3's inputs is in a request.

Run by hand when an operation is added or botocore is newer; the output is checked in and depends on nothing but the
models. Only shapes that the inputs of the operations below lead to are written, with what can be violated in them.
"""

import json
import pathlib
import re

import botocore.session

OPERATIONS = {
    "firehose": """CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListDeliveryStreams
        ListTagsForDeliveryStream PutRecord PutRecordBatch StartDeliveryStreamEncryption StopDeliveryStreamEncryption
        TagDeliveryStream UntagDeliveryStream UpdateDestination""",
    "iam": """AttachRolePolicy CreatePolicy CreatePolicyVersion CreateRole DeletePolicy DeletePolicyVersion DeleteRole
        DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetPolicy GetPolicyVersion GetRole GetRolePolicy
        ListAttachedRolePolicies ListEntitiesForPolicy ListInstanceProfilesForRole ListPolicies ListPolicyTags
        ListPolicyVersions ListRolePolicies ListRoleTags ListRoles PutRolePermissionsBoundary PutRolePolicy
        SetDefaultPolicyVersion SimulateCustomPolicy SimulatePrincipalPolicy TagPolicy TagRole UntagPolicy UntagRole
        UpdateAssumeRolePolicy UpdateRole""",
    "kinesis": """AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteResourcePolicy DeleteStream
        DeregisterStreamConsumer DescribeAccountSettings DescribeLimits DescribeStream DescribeStreamConsumer
        DescribeStreamSummary DisableEnhancedMonitoring EnableEnhancedMonitoring GetRecords GetResourcePolicy
        GetShardIterator IncreaseStreamRetentionPeriod ListShards ListStreamConsumers ListStreams ListTagsForResource
        ListTagsForStream MergeShards PutRecord PutRecords PutResourcePolicy RegisterStreamConsumer RemoveTagsFromStream
        SplitShard StartStreamEncryption StopStreamEncryption SubscribeToShard TagResource UntagResource
        UpdateMaxRecordSize UpdateShardCount UpdateStreamMode""",
    "lambda": """AddPermission CreateAlias CreateFunction DeleteAlias DeleteFunction DeleteFunctionConcurrency
        DeleteFunctionEventInvokeConfig GetAlias GetFunction GetFunctionConcurrency GetFunctionConfiguration
        GetFunctionEventInvokeConfig GetPolicy Invoke ListAliases ListFunctionEventInvokeConfigs ListFunctions ListTags
        ListVersionsByFunction PublishVersion PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission
        TagResource UntagResource UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration
        UpdateFunctionEventInvokeConfig""",
    "logs": """CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream DeleteRetentionPolicy DescribeLogGroups
        DescribeLogStreams FilterLogEvents GetLogEvents ListTagsForResource ListTagsLogGroup PutLogEvents
        PutLogGroupDeletionProtection PutRetentionPolicy TagLogGroup TagResource UntagLogGroup UntagResource""",
    "sts": "AssumeRole GetCallerIdentity",
}
# Where a REST protocol carries a member outside path, query and body: not checked here. A test looks at the headers.
ELSEWHERE = ("header", "headers")
# Optional in the models for streams that distribute records by themselves, which the engine refuses to create.
REQUIRED = {"PutRecordInput": ["PartitionKey"], "PutRecordsRequestEntry": ["PartitionKey"]}
# Checked by the service itself, against a list of its own.
UNLISTED = ("Runtime",)
NUMBERS = ("integer", "long", "float", "double")


def describe(name, raw, shape_names):
    """One shape as the checker reads it; the names of the shapes it leads to are added to shape_names."""
    out = {"type": "number" if raw["type"] in NUMBERS else raw["type"]}
    if raw["type"] == "structure":
        members = {
            each: member["shape"]
            for each, member in raw["members"].items()
            if member.get("location") not in ELSEWHERE
        }
        out["members"] = list(members.items())
        out["required"] = [each for each in raw.get("required", []) + REQUIRED.get(name, []) if each in members]
        shape_names.extend(members.values())
        headers = {each: m["locationName"] for each, m in raw["members"].items() if m.get("location") == "header"}
        out["headers"] = list(headers.items())
    for part in ("member", "key", "value"):
        if part in raw:
            out[part] = raw[part]["shape"]
            shape_names.append(out[part])
    out.update({bound: raw[bound] for bound in ("min", "max", "pattern", "enum") if bound in raw})
    if name in UNLISTED:
        del out["enum"]
    return {name: value for name, value in out.items() if value != []}


def constraints(model, operations):
    shapes, raw_shapes = {}, model._shape_resolver._shape_map
    inputs = {name: model.operation_model(name).input_shape for name in sorted(operations)}
    inputs = {name: shape.name for name, shape in inputs.items() if shape is not None}
    todo = list(inputs.values())
    while todo:
        name = todo.pop()
        if name not in shapes:
            shapes[name] = describe(name, raw_shapes[name], todo)
    return {"operations": inputs, "shapes": dict(sorted(shapes.items()))}


def s3_inputs(model, adapter):
    """Operation and member to its place: `header x-amz-acl`, `querystring uploadId`, `headers x-amz-meta-`, `body`.

    The operations are those that the adapter has. Bucket and key are in the path, and nobody overlooks them.
    """
    names = re.findall(r"async fn (\w+)\(", adapter)
    names = sorted("".join(part.capitalize() for part in name.split("_")) for name in names)
    inputs = {name: model.operation_model(name).input_shape for name in names if name in model.operation_names}

    def place(shape):
        location, name = shape.serialization.get("location"), shape.serialization.get("name")
        return f"{location} {name}" if location else "body"

    members = {name: {each: place(shape) for each, shape in shape.members.items()} for name, shape in inputs.items()}
    return {name: {k: v for k, v in found.items() if not v.startswith("uri ")} for name, found in members.items()}


def lines(value, depth):
    """JSON with a line for each operation and shape, so that a newer model reads as a diff."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    rows = (f"{json.dumps(name)}:{lines(inner, depth - 1)}" for name, inner in value.items())
    return "{\n" + ",\n".join(rows) + "\n}"


def main():
    session = botocore.session.get_session()
    tables = {
        service: constraints(session.get_service_model(service), operations.split())
        for service, operations in sorted(OPERATIONS.items())
    }
    root = pathlib.Path(__file__).resolve().parent.parent
    path = root / "crates/local-world/src/model/constraints.json"
    path.write_text(lines(tables, 3) + "\n", encoding="utf-8")
    print(f"{path.relative_to(root)}: {path.stat().st_size} bytes")
    adapter = (root / "crates/local-cloud/src/exchange/s3/adapter.rs").read_text(encoding="utf-8")
    path = root / "crates/local-cloud/src/wire/s3/inputs.json"
    path.write_text(lines(s3_inputs(session.get_service_model("s3"), adapter), 2) + "\n", encoding="utf-8")
    print(f"{path.relative_to(root)}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
