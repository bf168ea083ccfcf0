"""One run on AWS, of all that this repository's program does there, with a record that can be sent in.

Asks before the first changing call. Everything that it makes begins with PREFIX and a number that nothing else has; a watchdog
removes that, whatever happens to this script."""

import argparse
import json
import os
import pathlib
import platform
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from trial import report, watchdog
from trial.processes import Commands, Group
from trial.record import Mask, Record
from trial.story import Story

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHECKS = ROOT / "scripts" / "conformance"
CONFORMANCE = {
    "python": ["python", CHECKS / "clients.py"],
    "node": ["node", CHECKS / "clients.mjs"],
    "rust": [
        "cargo", "test", "--locked", "-p", "provision", "--test", "stacks", "conformance::", "--no-fail-fast", "--", "--test-threads", "2",
    ],
}
CONSENT = """
This makes, in account {account}, region {region}, {place}:
  - a Kinesis stream with one and then two shards, three delivery streams, two functions, a bucket, roles and log groups, and removes
    them; a role with the printed policy, which does so; then what the conformance checks make: some ten streams for some minutes each
  - all named {name}...; nothing else is touched
The steps end after {minutes} minutes at most, and removal may take 40 more. It costs about 0.30 US dollars on AWS, mostly for shards (an hour each, at least).
A watchdog removes all of it, also if this script is killed. If this machine dies: scripts/aws-trial --remove {name}{again}
"""


class Trial:
    def __init__(self, given):
        self.root, self.given = ROOT, given
        self.name = given.remove or f"{given.prefix}-{secrets.token_hex(3)}"
        self.region, self.endpoint, self.profile = given.region, given.endpoint, given.profile
        self.under_policy = not given.as_caller
        self.conformance = {name: CONFORMANCE[name] for name in given.conformance}
        self.spec = pathlib.Path(__file__).resolve().parent / "stack.yaml"
        self.target = ["--region", self.region] + (["--endpoint", self.endpoint] if self.endpoint else [])
        self.down = ["down", "--stack", "aws-trial", "--env", self.name, "--purge-data", "--yes", *self.target]
        self.dog, self.ended = None, None

    def identify(self, sts):
        caller = sts.get_caller_identity()
        self.account, self.partition = caller["Account"], caller["Arn"].split(":")[1]
        self.caller = caller["Arn"].split(":", 5)[5]
        self.against = against(self.endpoint)

    def alive(self):
        """Nothing is made without the watchdog, nor after the time is over."""
        if self.dog and not self.dog.lives():
            raise Ended("the watchdog is gone")
        if self.ended:
            raise Ended(self.ended)


class Ended(Exception):
    pass


def against(endpoint):
    if endpoint is None:
        return "AWS"
    try:
        health = json.load(urllib.request.urlopen(f"{endpoint}/_local/health", timeout=10))
    except (OSError, ValueError):
        return f"an endpoint that is not AWS's, {endpoint}"
    return "the built-in emulator: " + json.dumps(health["settings"])


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/aws-trial", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    parser.add_argument("--region", default=region, required=region is None, help="where (otherwise AWS_REGION)")
    parser.add_argument("--prefix", default="trial", help="before the name of everything that is made (trial)")
    parser.add_argument("--profile", default=os.environ.get("AWS_PROFILE"), help="of the AWS configuration files")
    parser.add_argument("--endpoint", default=os.environ.get("AWS_ENDPOINT_URL"), help="instead of AWS")
    parser.add_argument("--minutes", type=float, default=30, help="after which everything is ended and removed (30)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--as-caller", action="store_true", help="do not make a role that has the printed policy and nothing else")
    parser.add_argument("--conformance", nargs="*", choices=CONFORMANCE, default=list(CONFORMANCE), help="which checks (all)")
    parser.add_argument("--record", type=pathlib.Path, help="the file (otherwise .provision/NAME.jsonl)")
    parser.add_argument("--remove", metavar="NAME", help="only remove what a trial of that name left")
    given = parser.parse_args()
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,14}[a-z0-9]", given.prefix):
        parser.error("--prefix: 2 to 16 small letters, digits and hyphens, a letter first")
    if given.remove and not re.fullmatch(r"[a-z][a-z0-9-]{0,14}[a-z0-9]-[0-9a-f]{6}", given.remove):
        parser.error("--remove: the name of a trial, PREFIX-NUMBER")
    return given


def main():
    trial = Trial(arguments())
    environment = {**os.environ, "PROVISION": built()}
    if trial.profile:
        environment["AWS_PROFILE"] = trial.profile
    os.environ.update(environment)
    boto = lambda service: boto3.Session().client(service, region_name=trial.region, endpoint_url=trial.endpoint)
    trial.identify(boto("sts"))
    path = (trial.given.record or ROOT / ".provision" / f"{trial.name}.jsonl").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    masked = {trial.account: "<account>", trial.caller: "<caller>", str(ROOT): "", str(pathlib.Path.home()): "~"}
    setting = {
        "name": trial.name, "region": trial.region, "endpoint": trial.endpoint, "down": trial.down, "root": str(ROOT),
        "record": str(path), "masked": masked, "minutes": trial.given.minutes, "script": os.getpid(),
    }
    if trial.given.remove:
        sys.exit(0 if watchdog.remove(setting) else 1)
    mask = Mask()
    for text, told in masked.items():
        mask.add(text, told)
    record = Record(path, mask)
    commands = Commands(record, environment, ROOT)
    record.add("trial", version=1, name=trial.name, region=trial.region, against=trial.against, **machine(environment))
    with tempfile.TemporaryDirectory() as folder:
        trial.folder = pathlib.Path(folder)
        sys.exit(tell(trial, record, environment, play(trial, Story(trial, commands, boto), setting, environment)))


def play(trial, story, setting, environment):
    """Gives how it ended."""
    if not story.before():
        return "not begun: what doctor or permissions found would make it fail"
    place = trial.against.split(": ")[0]
    again = f" --region {trial.region}" + (f" --endpoint {trial.endpoint}" if trial.endpoint else "")
    members = {"account": trial.account, "region": trial.region, "name": trial.name, "minutes": trial.given.minutes}
    print(CONSENT.format(place=place, again=again, **members))
    if not trial.given.yes and not consents():
        return "not started: confirmation is missing"

    def end(number, _):
        on_signals(signal.SIG_IGN)
        over = time.monotonic() - began >= trial.given.minutes * 60
        trial.ended = "the time is over" if over else f"ended by {signal.Signals(number).name}"
        raise Ended(trial.ended)

    on_signals(end)
    log = setting["record"].removesuffix(".jsonl") + ".log"
    began, group, ended = time.monotonic(), Group(), "all steps were taken"
    try:
        trial.dog = watchdog.Watchdog({**setting, "group": group.id}, environment, log)
        story.commands.group = group.id
        story.run()
        story.conformance()
    except Ended as why:
        ended = str(why)
    finally:
        on_signals(signal.SIG_IGN)
        print(f"\n== {ended}; now what is left is removed (see {log})")
        group.end()
        removed = trial.dog.let_go() if trial.dog and trial.dog.lives() else watchdog.remove(setting)
    return ended if removed else f"{ended}; SOMETHING IS LEFT, see {log}"


def on_signals(handler):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def tell(trial, record, environment, ended):
    said = subprocess.run([environment["PROVISION"], "local", "tables"], capture_output=True, text=True, check=True)
    tables = report.Tables(json.loads(said.stdout))
    record.read_again()
    report.add_differences(record, tables)
    good = ended == "all steps were taken" and all(check["holds"] for check in record.all("check"))
    record.add("end", how=ended, good=good)
    print("\n== " + ended)
    print("\n".join(report.summary(record, tables, trial)))
    return 0 if good else 1


def built():
    """The program, of this very source."""
    if given := os.environ.get("PROVISION"):
        return given
    subprocess.run(["cargo", "build", "--quiet", "--locked", "-p", "provision"], cwd=ROOT, check=True)
    return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "provision")


def machine(environment):
    ask = lambda *words: subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {
        "provision": ask(environment["PROVISION"], "--version"), "commit": ask("git", "rev-parse", "HEAD"),
        "changed": bool(ask("git", "status", "--porcelain", "-uno")), "system": platform.platform(),
        "python": platform.python_version(), "boto3": boto3.__version__, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def consents():
    if not sys.stdin.isatty():
        print("there is no terminal to ask on: pass --yes")
        return False
    return input("Do it? [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    main()
