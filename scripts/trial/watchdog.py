"""Removes what a trial made, whatever becomes of the trial: it ends, it fails, it is interrupted, it is killed, its time is over.

A process in a session of its own. The script holds the other end of its standard input: when that ends, however it ends, the
watchdog ends the trial's commands and removes all that is left, by `provision down` and then by name."""

import json
import os
import select
import signal
import subprocess
import sys
import time

from . import processes, remains
from .record import Mask, Record

# For `down` and for what is left by name. Firehose may take more than 20 minutes to be rid of a delivery stream.
REMOVAL_S = 2400
PAUSE_S = 5


class Watchdog:
    """The script's side of it."""

    def __init__(self, setting, environment, log):
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        command = [sys.executable, "-c", "from trial.watchdog import main; main()", json.dumps(setting)]
        environment = {**environment, "PYTHONPATH": here}
        with open(log, "a") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=file, stderr=file, env=environment, start_new_session=True, text=True
            )

    def lives(self):
        return self.process.poll() is None

    def let_go(self):
        """Has it remove everything. True when nothing is left."""
        self.process.stdin.close()
        return self.process.wait() == 0


def main():
    setting = json.loads(sys.argv[1])
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    watch(setting)
    processes.end(setting["group"])
    sys.exit(0 if remove(setting) else 1)


def watch(setting):
    """Until the script is gone or lets go. When the time is over, the script is asked to end, and then killed."""
    end, ask = time.monotonic() + setting["minutes"] * 60, signal.SIGTERM
    while not select.select([sys.stdin], [], [], max(0, end - time.monotonic()))[0]:
        print("the time is over", flush=True)
        # It is this process's parent, unless it is gone already: then its number may be somebody else's.
        if os.getppid() == setting["script"]:
            os.kill(setting["script"], ask)
        end, ask = time.monotonic() + processes.GRACE_S * 2, signal.SIGKILL


def remove(setting, show=lambda text: print(text, flush=True)):
    """Removes all that is left of a trial. True when nothing is."""
    mask = Mask()
    for text, told in setting["masked"].items():
        mask.add(text, told)
    record = Record(setting["record"], mask)
    commands = processes.Commands(record, dict(os.environ), setting["root"], show)
    until, down, left = time.monotonic() + REMOVAL_S, None, None
    while time.monotonic() < until:
        if down != 0:
            down, _ = commands.provision("removal", *setting["down"])
        before, left = left, remains.remove(setting["name"], setting["region"], setting["endpoint"], show)
        record.add("remains", found=left)
        # Lists are late too, and a function may write its log once more: twice nothing is nothing.
        if before == left == [] and down == 0:
            show("nothing is left")
            return True
        time.sleep(PAUSE_S)
    show(f"LEFT after {REMOVAL_S} s: {', '.join(left or [])}")
    return False
