"""A role that may do exactly what `provision permissions` prints: what is enough on the engine has to be enough on AWS."""

import json
import time

from botocore.exceptions import BotoCoreError, ClientError

CANNOT = (BotoCoreError, ClientError, TimeoutError)
PATIENCE_S = 60


def make(boto, trial, policies):
    """Makes it, waits until its policies count, and gives the environment of a session of it."""
    iam, sts, name = boto("iam"), boto("sts"), f"{trial.name}-runner"
    principal = {"AWS": f"arn:{trial.partition}:iam::{trial.account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for number, policy in enumerate(policies):
        text = json.dumps(policy, separators=(",", ":"))
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=text)["Policy"]["Arn"]
        patiently(lambda: iam.attach_role_policy(RoleName=name, PolicyArn=made))
    assume = lambda: sts.assume_role(RoleArn=role, RoleSessionName="trial", DurationSeconds=3600)["Credentials"]
    given = patiently(assume)
    return {
        "AWS_PROFILE": None,
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def patiently(call):
    """A new role and a new policy are not known everywhere at once."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except ClientError as error:
            passes = error.response["Error"]["Code"] in ("NoSuchEntity", "AccessDenied", "InvalidClientTokenId")
            if not passes or time.monotonic() > until:
                raise
        time.sleep(1)
