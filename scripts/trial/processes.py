"""The commands of a trial: all of them in one process group, which the watchdog can end when the script is gone."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 60
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Group:
    """A process group of its own. A process that only sleeps leads it, so that it is there before and after each command."""

    def __init__(self):
        sleep = "import signal; signal.pause()"
        self.leader = subprocess.Popen([sys.executable, "-c", sleep], process_group=0, stdin=subprocess.DEVNULL)

    @property
    def id(self):
        return self.leader.pid

    def end(self):
        end(self.id)
        self.leader.wait()


def run(command, environment, told, cwd, group=None):
    """Runs it, and hands on each line as it comes. Gives the exit code: that of a shell where a signal ended it."""
    command = [str(word) for word in command]
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, cwd=cwd, process_group=group, errors="replace", **how) as process:
        try:
            for line in process.stdout:
                told(line.rstrip("\n"))
        except BaseException:
            # It finishes the steps that it is at, and what it says of them is heard.
            os.killpg(group, signal.SIGTERM) if group else process.terminate()
            kill = threading.Timer(GRACE_S, process.kill)
            kill.start()
            for line in process.stdout:
                told(line.rstrip("\n"))
            kill.cancel()
            raise
        code = process.wait()
    return code if code >= 0 else 128 - code


def end(group):
    """Ends a process group: `provision` finishes the steps that it is at first."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        while time.monotonic() < until:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-group, os.WNOHANG)
            os.killpg(group, 0)
            time.sleep(0.1)
        os.killpg(group, signal.SIGKILL)


class Commands:
    """Runs commands, records each, and shows people what it says."""

    def __init__(self, record, environment, cwd, show=print):
        self.record, self.environment, self.cwd, self.show, self.group = record, environment, cwd, show, None

    def provision(self, step, *words, environment=None):
        """Gives exit code and events."""
        events = []

        def told(line):
            event = parsed(line)
            if event is None:
                return self.say(step, line)
            events.append(event)
            self.tell(step, event)

        binary = self.environment["PROVISION"]
        code = self.run(step, [binary, "--output", "json", *words], told, environment)
        return code, events

    def run(self, step, command, told, environment=None):
        began = time.monotonic()
        environment = {**self.environment, **(environment or {})}
        given = {name: value for name, value in environment.items() if value is not None}
        code = None
        try:
            code = run(command, given, told, self.cwd, self.group)
        finally:
            took_ms = round((time.monotonic() - began) * 1000)
            words = [os.path.basename(str(command[0])), *map(str, command[1:])]
            self.record.add("command", step=step, command=words, exit=code, took_ms=took_ms)
        return code

    def say(self, step, text):
        text = COLOUR.sub("", text)
        if text.strip():
            self.record.add("said", step=step, text=text)
            self.show(f"    {self.record.mask(text)}")

    def tell(self, step, event):
        kind = event["event"]
        if kind == "calls":
            for call in event["calls"]:
                self.record.add("call", step=step, **call)
        elif kind == "waits":
            for wait in event["waits"]:
                self.record.add("wait", step=step, **wait)
        elif kind in ("failed", "record_failed", "warned", "error", "ended", "skipped", "finished", "verified", "checked", "wrong"):
            self.record.add("said", step=step, **plain({key: value for key, value in event.items() if key != "v"}))
        elif kind == "planned":
            steps = [f"{one['op']} {one['name']['address']}" for one in event["plan"]["steps"]]
            self.record.add("said", step=step, event="planned", steps=steps)
        if text := shown(event):
            self.show(f"    {self.record.mask(text)}")


def plain(event):
    return {key: COLOUR.sub("", value) if isinstance(value, str) else value for key, value in event.items()}


def parsed(line):
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and "event" in event:
            return event
    return None


def shown(event):
    """An event for people; None where it is not for them."""
    match event["event"]:
        case "waiting":
            return f"{event['resource']}: waiting for {event['on']}"
        case "finished":
            return f"{event['op']} {event['resource']}: {event['took_ms'] / 1000:.1f} s"
        case "failed":
            return f"FAILED {event['op']} {event['resource']}: {event['error']}"
        case "record_failed":
            return f"FAILED writing the record: {event['error']}"
        case "error":
            return f"ERROR {event['message']}" + (f" ({event['hint']})" if event["hint"] else "")
        case "verified":
            one = event["result"]
            counted = ", ".join(f"{word} {one[word]}" for word in ("sent", "delivered", "missing", "duplicated"))
            return f"{one['delivery']}: {counted}"
        case "checked" if event["check"]["state"] != "good":
            one = event["check"]
            return f"{one['state']}: {one['about']}: {one['found']}" + (f" ({one['remedy']})" if one["remedy"] else "")
    return None
