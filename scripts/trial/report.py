"""Lays a record beside the tables of the program (`provision local tables`): which transients and anomalies were met, and what none
of the tables knows."""

import collections
import re

SERVICES = {"CloudWatch Logs": "logs", "Kinesis": "kinesis", "Firehose": "firehose", "Lambda": "lambda", "IAM": "iam", "S3": "s3", "STS": "sts"}
# Answers that are no anomaly. They say "absent", "there already", "not changed".
ORDINARY = {
    "NoSuchEntity", "ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "NoSuchLifecycleConfiguration", "NoSuchTagSet",
    "ServerSideEncryptionConfigurationNotFoundError", "NoSuchBucketPolicy", "NoSuchUpload",
    "BucketAlreadyOwnedByYou", "EntityAlreadyExists", "ResourceAlreadyExistsException", "PreconditionFailed", "NotModified",
}


class Tables:
    def __init__(self, tables):
        self.transients, self.anomalies = tables["transients"], tables["anomalies"]

    def anomaly(self, call, answer):
        """The row of the engine that answers so, but for the names in it."""
        at = f"{SERVICES.get(call['service'], call['service'])}:{call['operation']}"
        for row in (row for row in self.anomalies if at in row["at"]):
            if any(fits(words, answer) for words in row["refused"]):
                return row["name"]
        return None

    def transient(self, answer):
        said = answer["message"] or ""
        fits = lambda row: row["code"] == answer["code"] and row["message"] in said
        return next((named(row) for row in self.transients if row["counts"] == "always" and fits(row)), None)


def fits(words, answer):
    parts = map(re.escape, re.split(r"\{\w+\}", words["message"]))
    return words["code"] == answer["code"] and bool(re.search(".*".join(parts), answer["message"] or ""))


def named(row):
    return f"{'/'.join(row['kinds']) or 'any'} {row['code']}" + (f" \"{row['message']}\"" if row["message"] else "")


def add_differences(record, tables):
    """Writes down what no table knows. Conformance checks provoke errors: of these only the checks that failed count."""
    for call in record.all("call"):
        # What was given up has no answer. Until the policy of a new role counts, all is refused.
        if call["step"].startswith("conformance") or call["step"] == "plan as the role" or call["took_ms"] is None:
            continue
        for answer in call["answers"]:
            if why := unknown(call, answer, tables):
                record.add("difference", step=call["step"], why=why, service=call["service"], operation=call["operation"], answer=answer)
    for wait in record.all("wait"):
        if wait["why"] == "refused" and wait["took_ms"] > wait["transient"]["limit_s"] * 1000:
            record.add("difference", step=wait["step"], why="a refusal that passes outlasted its limit", wait=wait)
        longest = max((row["lasts_ms"][1] for row in tables.anomalies if row["stale"]), default=0)
        if wait["why"] == "stale" and wait["took_ms"] > longest:
            record.add("difference", step=wait["step"], why="a stale read lasted longer than any that the engine gives", wait=wait)
    for check in record.all("check"):
        if not check["holds"] and check["client"] != "trial":
            record.add("difference", step=f"conformance {check['client']}", why="a conformance check failed", check=check["text"])


def unknown(call, answer, tables):
    status, code = answer["status"], answer["code"]
    if status is None:
        return "no answer came"
    if status < 400 or code in ORDINARY or status == 404 and code is None:
        return None
    if tables.transient(answer) or tables.anomaly(call, answer):
        return None
    return "an error that no table knows"


def summary(record, tables, trial):
    """For people."""
    calls, waits, checks = record.all("call"), record.all("wait"), record.all("check")
    attempts = sum(len(call["answers"]) for call in calls)
    refused = [(call, answer) for call in calls for answer in call["answers"] if (answer["status"] or 599) >= 400]
    lines = [f"{len(record.all('command'))} commands, {len(calls)} calls in {attempts} attempts, {len(refused)} answered with an error"]
    lines += counted("refusals that passed, by the provisioner's table:", by_transient(waits, refused, tables))
    lines += counted("reads that were stale:", by_stale(waits))
    met = collections.Counter(row for call, answer in refused if (row := tables.anomaly(call, answer)))
    lines += counted("refusals in the engine's table of anomalies (some are ordinary answers):", met)
    refusing = {row["name"] for row in tables.anomalies if row["refused"]}
    lines.append(f"rows of that table that this run did not meet: {', '.join(sorted(refusing - set(met))) or 'none'}")
    slow = [wait for wait in waits if wait["why"] == "state"]
    lines.append("states waited for:" if slow else "no state was waited for")
    lines += [f"  {wait['took_ms'] / 1000:>6.1f} s  {wait['on']} ({wait['step']})" for wait in slow]
    differences = record.all("difference")
    lines.append(f"{len(differences)} differences from what the program knows" + (":" if differences else ""))
    lines += [f"  {told(one)}" for one in differences]
    failed = [check for check in checks if not check["holds"]]
    lines.append(f"{len(checks)} checks, {len(failed)} of them failed" + (":" if failed else ""))
    lines += [f"  {check['client']}: {check['text']}" for check in failed]
    return lines + [f"run against {trial.against}", f"the record is {record.path}"]


def by_transient(waits, refused, tables):
    met = collections.Counter()
    for wait in waits:
        if wait["why"] == "refused":
            met[named(wait["transient"])] += wait["times"]
    for call, answer in refused:
        # The SDKs and the conformance checks repeat some by themselves.
        if (row := tables.transient(answer)) and row.startswith("any "):
            met[f"{row} ({call['service']})"] += 1
    return met


def by_stale(waits):
    met = collections.Counter()
    for wait in waits:
        if wait["why"] == "stale":
            met[re.sub(r"(function|delivery|stream|bucket|role|log group) \S+", r"\1", wait["on"])] += wait["times"]
    return met


def counted(headline, met):
    return [headline if met else headline.rstrip(":") + ": none"] + [f"  {times:>4} x {what}" for what, times in sorted(met.items())]


def told(difference):
    if "check" in difference:
        return f"{difference['step']}: {difference['check']}"
    if "wait" in difference:
        return f"{difference['step']}: {difference['why']}: {difference['wait']['on']}, {difference['wait']['took_ms']} ms"
    answer = difference["answer"]
    said = f"{answer['status']} {answer['code']}: {answer['message']}"
    return f"{difference['step']}: {difference['why']}: {difference['service']} {difference['operation']}: {said}"
