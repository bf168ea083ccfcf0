"""A Firehose transform in Python: a JSON object of numbers in, the same keys with each value squared out.

Nothing but the standard library. Integers are exact and unbounded. Anything but an object of finite numbers fails its
own record, never the batch, and the reason is printed with the record's id.

The contract: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
"""

import base64
import json
import math


def lambda_handler(event, context):
    return {"records": [answer(record) for record in event["records"]]}


def answer(record):
    record_id = record["recordId"]
    try:
        payload = base64.b64decode(record["data"], validate=True)
        squared = square_values(payload)
    except (ValueError, RecursionError) as error:
        print(f"record {record_id} failed: {error}")
        return {"recordId": record_id, "result": "ProcessingFailed"}
    return {"recordId": record_id, "result": "Ok", "data": base64.b64encode(squared).decode("ascii")}


def square_values(payload):
    numbers = json.loads(payload)
    if not isinstance(numbers, dict):
        raise ValueError(f"an object is expected, not {type(numbers).__name__}")
    squares = {key: square(key, value) for key, value in numbers.items()}
    return json.dumps(squares, separators=(",", ":"), ensure_ascii=False).encode()


def square(key, value):
    # In Python, True and False are numbers; in JSON they are not.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{key!r} is not a number")
    squared = value * value
    if isinstance(squared, float) and not math.isfinite(squared):
        raise ValueError(f"the square of {key!r} is not finite")
    return squared
