"""What a trial does, step by step. A step that fails is told, and what does not need it goes on."""

import json
import shutil
import sys
import time

from . import runner

# What changes, one at a time, and which variables of the spec change it.
CHANGES = {
    "stream retention": {"RETENTION": "48h"},
    "stream shards": {"SHARDS": "2"},
    "bucket lifecycle": {"EXPIRE": "2d"},
    "role policy": {"ACTION": "kinesis:ListStreamConsumers"},
    "function configuration": {"MEMORY": "512MiB"},
    "function code": {"CODE": "changed"},
    "delivery stream buffer": {"INTERVAL": "10s"},
    "tags": {"ROUND": "2"},
    "log group retention": {"KEEP": "3d"},
}
LOOKS, PAUSE_S = 4, 5
# What cargo says when it builds the checks.
BUILDING = ("Compiling", "Finished", "Running", "Blocking", "running ")
CLIENTS = {"python": "Python", "node": "JavaScript", "rust": "Rust"}


class Story:
    def __init__(self, trial, commands, boto):
        self.trial, self.commands, self.record, self.boto = trial, commands, commands.record, boto
        self.variables = {"RUNTIME": f"python{sys.version_info.major}.{sys.version_info.minor}"}
        self.codes = {name: trial.folder / name for name in ("first", "changed")}
        for name, folder in self.codes.items():
            shutil.copytree(trial.root / "stacks" / "python-transform", folder)
            with open(folder / "transform.py", "a") as file:
                file.write(f"# {name}\n")
        self.variables["CODE"] = str(self.codes["first"])

    def words(self, target=True):
        """What each command on the spec is given."""
        words = [self.trial.spec, "--env", self.trial.name]
        for name, value in self.variables.items():
            words += ["--set", f"{name}={value}"]
        return words + (self.trial.target if target else [])

    def before(self):
        """Makes no changing call. False where the rest would fail."""
        self.headline("doctor")
        code, _ = self.commands.provision("doctor", "doctor", *self.words())
        self.check("doctor finds nothing that is wrong", code == 0)
        self.headline("permissions")
        region, account = self.trial.region, self.trial.account
        where = ["--region", region, "--account", account]
        code, events = self.commands.provision("permissions", "permissions", *self.words(target=False), *where)
        said = [event["text"] for event in events if event["event"] == "said"]
        printed = json.loads(said[0]) if code == 0 and said else []
        # What is too long for one policy is a list.
        self.policies = printed if isinstance(printed, list) else [printed]
        self.check("the policy is printed", self.policies)
        return all(line["holds"] for line in self.record.all("check"))

    def run(self):
        environment = self.as_runner()
        provision = lambda step, command, *more: self.commands.provision(
            step, command, *self.words(), *more, environment=environment
        )
        self.headline("up")
        code, events = provision("up", "up")
        if self.check("up makes everything", code == 0 and ended(events)["created"] > 0):
            self.living(provision)
        self.headline("down")
        code, _ = provision("down", "down", "--purge-data", "--yes", "--wait")
        self.check("down removes everything", code == 0)

    def living(self, provision):
        self.headline("up, with nothing to change")
        self.unchanged(provision, "up again")
        self.headline("verify")
        code, _ = provision("verify", "verify", "--records", "500")
        self.check("every delivery stream accounts for every record", code == 0)
        for what, variables in CHANGES.items():
            self.headline(f"a change: {what}")
            self.variables |= variables
            self.variables["CODE"] = str(self.codes.get(self.variables["CODE"], self.variables["CODE"]))
            code, events = provision(what, "up", "--yes")
            self.check(f"{what} changes", code == 0 and ended(events)["updated"] > 0)
        self.headline("up, with nothing to change")
        self.unchanged(provision, "up after changes")
        self.headline("verify")
        code, _ = provision("verify after changes", "verify", "--records", "500")
        self.check("every delivery stream accounts for every record after the changes", code == 0)

    def unchanged(self, provision, step):
        """Reads may be stale just after a change, and then `up` makes it once more."""
        for _ in range(LOOKS):
            code, events = provision(step, "up")
            calls = [call for event in events if event["event"] == "calls" for call in event["calls"]]
            changing = [call["operation"] for call in calls if not reads(call["operation"])]
            if not changing:
                break
            self.commands.say(step, f"what was just changed is not seen yet: {', '.join(changing)}")
            time.sleep(PAUSE_S)
        self.check("up changes nothing", code == 0 and not changing, changing)

    def as_runner(self):
        """The environment of a role that may do exactly what the printed policy says, where these credentials may make one."""
        if not self.trial.under_policy:
            return {}
        self.headline("a role with the printed policy")
        try:
            given = runner.make(self.boto, self.trial, self.policies)
        except runner.CANNOT as error:
            self.check("a role with the printed policy can be assumed", False, str(error))
            return {}
        for secret in given.values():
            self.record.mask.add(secret, "<key>")
        self.check("a role with the printed policy can be assumed", True)
        # What the role may do is not known everywhere at once.
        until, code = time.monotonic() + runner.PATIENCE_S, None
        while code != 0 and time.monotonic() < until:
            self.trial.alive()
            code, _ = self.commands.provision("plan as the role", "plan", *self.words(), environment=given)
        self.check("its policy counts", code == 0)
        return given

    def conformance(self):
        for client, name in CLIENTS.items():
            if client not in self.trial.conformance:
                continue
            self.headline(f"the conformance checks of {name}")
            folder = self.trial.folder / client
            folder.mkdir()
            environment = {
                "AWS_REGION": self.trial.region,
                "AWS_DEFAULT_REGION": self.trial.region,
                "CONFORMANCE": "environment",
                "CONFORMANCE_NAMES": f"{self.trial.name}-c",
                "CONFORMANCE_RECORD": str(folder),
            }
            if self.trial.endpoint:
                environment["AWS_ENDPOINT_URL"] = self.trial.endpoint
            if self.trial.profile:
                environment["AWS_PROFILE"] = self.trial.profile
            step = f"conformance {name}"
            code = self.commands.run(step, self.trial.conformance[client], self.client(step, name), environment)
            self.check(f"the conformance checks of {name} pass", code == 0)
            for file in sorted(folder.glob("*.jsonl")):
                for line in file.read_text().splitlines():
                    one = json.loads(line)
                    call = {key: one.pop(key) for key in ("service", "operation")}
                    self.record.add("call", step=step, **call, attempts=1, answers=[one], took_ms=one["took_ms"])

    def client(self, step, name):
        """Reads what a client's checks print."""
        def told(line):
            ok = line.strip().removeprefix("ok: ").removeprefix(f"{name}: ")
            if line.startswith("  ok: "):
                self.record.add("check", client=name, text=ok, holds=True)
            elif line.startswith("test ") and line.endswith(" ok"):
                self.record.add("check", client=name, text=line.split()[1], holds=True)
            elif line.startswith("test ") and line.endswith(" FAILED"):
                self.record.add("check", client=name, text=line.split()[1], holds=False)
                self.commands.show(f"    {line}")
            elif line.strip() and not line.lstrip().startswith(BUILDING):
                self.commands.say(step, line)
        return told

    def headline(self, text):
        self.trial.alive()
        self.commands.show(f"\n== {text}")

    def check(self, text, holds, found=None):
        self.record.add("check", client="trial", text=text, holds=bool(holds), found=found)
        self.commands.show(f"  {'ok' if holds else 'FAILED'}: {text}" + (f" {self.record.mask(str(found))}" if found and not holds else ""))
        return holds


def ended(events):
    """What an `up` or `down` says at its end; all zero where it did not come so far."""
    summaries = [event["summary"] for event in events if event["event"] == "ended"]
    return summaries[-1] if summaries else {"created": 0, "updated": 0}


def reads(operation):
    return operation.startswith(("Describe", "Get", "List", "Head"))
