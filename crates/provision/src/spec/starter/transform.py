"""A Firehose transform: text in, the same text in capitals out, a record a line.

Every record is answered under its own id: Ok with data, Dropped, or ProcessingFailed.
https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
"""

import base64


def lambda_handler(event, context):
    return {"records": [answer(record) for record in event["records"]]}


def answer(record):
    try:
        data = transform(base64.b64decode(record["data"]))
    except ValueError as error:
        print(f"record {record['recordId']} failed: {error}")
        return {"recordId": record["recordId"], "result": "ProcessingFailed"}
    return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(data).decode()}


def transform(payload):
    return (payload.decode("utf-8").upper() + "\n").encode()
