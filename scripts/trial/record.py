"""The record of a trial: one JSON object a line, without secrets. Each line has `what`:

trial       what was tried, and against what
command     one command: step, arguments, exit code, time
call        one call: step, service, operation, and what each attempt was answered
wait        what was waited for: a state, a stale read, or a refusal that passes, with its row of the table
said        what a command said that is no call: failures, warnings, plans' ends
check       one check: of the conformance checks, or of the trial
remains     what was left by name, after `down` and after the checks
difference  what AWS did and no table of the program knows
end         how it ended
"""

import datetime
import json
import os
import re


class Mask:
    """Takes out of texts what is nobody's business: the account, who calls, and keys."""

    KEYS = re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|ANPA|APKA)[A-Z0-9]{12,}\b")
    # Sequence numbers and times in milliseconds have more digits, and parts of a UUID stand after a hyphen.
    ACCOUNT = re.compile(r"(?<![\d-])\d{12}(?!\d)")
    ENVIRONMENT = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]

    def __init__(self, environment=os.environ):
        self.texts = {}
        for name in self.ENVIRONMENT:
            # What people give to an emulator is no secret, and stands in many a word.
            if len(environment.get(name, "")) >= 16:
                self.add(environment[name], "<key>")

    def add(self, text, told):
        if text:
            self.texts[text] = told

    def __call__(self, value):
        if isinstance(value, dict):
            return {key: self(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(one) for one in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text):
        # A secret may contain another one: the longest goes first.
        for secret in sorted(self.texts, key=len, reverse=True):
            text = text.replace(secret, self.texts[secret])
        return self.ACCOUNT.sub("<account>", self.KEYS.sub("<key>", text))


class Record:
    """Appends to the file. The watchdog appends to the same, so that a line is written at once."""

    def __init__(self, path, mask):
        self.path, self.mask, self.lines = path, mask, []

    def add(self, what, **members):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        line = self.mask({"what": what, "at": now, **members})
        self.lines.append(line)
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def all(self, what):
        return [line for line in self.lines if line["what"] == what]

    def read_again(self):
        """What others appended is known from now on, too."""
        with open(self.path) as file:
            self.lines = [json.loads(line) for line in file]
