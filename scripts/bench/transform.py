"""The Python side: what AWS documents, with nothing but the standard library. Prints the median CPU time of one event, in ms."""

import base64
import json
import sys
import time


def square(record):
    payload = json.loads(base64.b64decode(record["data"]))
    squared = json.dumps({key: value * value for key, value in payload.items()}, separators=(",", ":"))
    return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(squared.encode()).decode()}


def keep(record):
    payload = base64.b64decode(record["data"])
    return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(payload).decode()}


def drop(record):
    base64.b64decode(record["data"])
    return {"recordId": record["recordId"], "result": "Dropped"}


def answer(event, transform):
    return json.dumps({"records": [transform(record) for record in json.loads(event)["records"]]}).encode()


def main():
    operation, path, rounds = sys.argv[1:]
    transform = {"square": square, "keep": keep, "drop": drop}[operation]
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
