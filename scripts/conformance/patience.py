"""How the Python checks get over what AWS answers for a while after a change, and what they leave in a record."""

import json
import os
import pathlib
import re
import time

import boto3

# What passes by itself, and as little of the message as identifies it: a pattern.
PASSING = {
    "ResourceNotFoundException": "", "NoSuchEntity": "", "NoSuchBucket": "", "OperationAborted": "", "OperationAbortedException": "",
    "DeleteConflict": "", "ResourceInUseException": r"not ACTIVE|in CREATING state", "ResourceConflictException": "operation cannot be performed",
    "LimitExceededException": "CREATING or DELETING",
}
PATIENCE_S, PAUSE_S = 60, 0.5


class Patience:
    """Has boto3 repeat calls that are refused so, and write each answer into a file of the folder CONFORMANCE_RECORD."""

    def __init__(self, run):
        self.waits, self.begun = True, {}
        folder = os.environ.get("CONFORMANCE_RECORD")
        self.record = open(pathlib.Path(folder, f"{run}.jsonl"), "a") if folder else None
        boto3.setup_default_session()
        events = boto3.DEFAULT_SESSION.events
        events.register("before-send", self.begin)
        events.register("needs-retry", self.again)

    def begin(self, request, **_):
        self.began = time.monotonic()

    def again(self, response, operation, attempts, request_dict, **_):
        """Seconds until the next attempt; None where there is none because of this."""
        if response is None:
            return None
        http, parsed = response
        error, metadata = parsed.get("Error", {}), parsed["ResponseMetadata"]
        if self.record:
            line = {
                "service": operation.service_model.service_id, "operation": operation.name, "status": http.status_code,
                "code": error.get("Code"), "message": error.get("Message"), "request_id": metadata.get("RequestId"),
                "took_ms": round((time.monotonic() - self.began) * 1000),
            }
            self.record.write(json.dumps(line) + "\n")
            self.record.flush()
        message = PASSING.get(error.get("Code"))
        asked = f"{request_dict['url']} {request_dict['body']}"
        passes = message is not None and re.search(message, error.get("Message", ""))
        if not self.waits or not passes or "absent" in asked:
            return None
        first = self.begun.setdefault(id(request_dict), time.monotonic()) if attempts > 1 else time.monotonic()
        self.begun[id(request_dict)] = first
        return PAUSE_S if time.monotonic() - first < PATIENCE_S else None
