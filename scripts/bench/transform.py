"""The operations in Python, as AWS documents it, with nothing but the standard library. Prints the median CPU time of one event, in ms."""

import base64
import json
import sys
import time


def decoded(record):
    return base64.b64decode(record["data"])


def kept(record, payload, keys=None):
    answer = {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(payload).decode()}
    if keys:
        answer["metadata"] = {"partitionKeys": keys}
    return answer


def as_json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def dropped(record):
    return {"recordId": record["recordId"], "result": "Dropped"}


def square(record):
    return kept(record, as_json({key: value * value for key, value in json.loads(decoded(record)).items()}))


def keep(record):
    """Passes on the base64, as Outcome::unchanged() does."""
    return {"recordId": record["recordId"], "result": "Ok", "data": record["data"]}


def copy(record):
    return kept(record, decoded(record))


def upper(record):
    return kept(record, decoded(record).decode().upper().encode())


def discriminator(payload):
    return ("level", "DEBUG") if "level" in payload else ("op", "d")


def filtered(record):
    payload = json.loads(decoded(record))
    key, unwanted = discriminator(payload)
    return dropped(record) if payload[key] == unwanted else keep(record)


def enrich(record):
    payload = json.loads(decoded(record))
    payload["region"] = "us-east-1"
    payload["schema"] = 2
    return kept(record, as_json(payload))


def typed(record):
    return kept(record, as_json(json.loads(decoded(record))))


def value(record):
    payload = json.loads(decoded(record))
    payload[discriminator(payload)[0]] = "changed"
    return kept(record, as_json(payload))


def keys(record):
    payload = json.loads(decoded(record))
    if "level" in payload:
        named = {"service": payload["service"], "level": payload["level"]}
    else:
        named = {"table": payload["source"]["table"], "op": payload["op"]}
    return {**keep(record), "metadata": {"partitionKeys": named}}


def answer(event, transform):
    return json.dumps({"records": [transform(record) for record in json.loads(event)["records"]]}).encode()


OPERATIONS = {
    "square": square,
    "keep": keep,
    "copy": copy,
    "drop": dropped,
    "upper": upper,
    "filter": filtered,
    "enrich": enrich,
    "typed": typed,
    "value": value,
    "serde_json": value,
    "change": value,
    "keys": keys,
}


def main():
    operation, path, rounds = sys.argv[1:]
    transform = OPERATIONS[operation]
    with open(path, "rb") as file:
        event = file.read()
    answer(event, transform)
    times = []
    for _ in range(int(rounds)):
        start = time.process_time()
        answer(event, transform)
        times.append(time.process_time() - start)
    print(sorted(times)[len(times) // 2] * 1000)


main()
