"""A fixture for pytest: an environment of provision for the tests of a session.

    def test_a_record_arrives(provision_environment):
        stream = provision_environment["STREAM_EVENTS_NAME"]

The environment is created when the first test asks for it and deleted after the last test, also when pytest is killed: `provision with`
deletes it as soon as the pipe to this process ends. boto3 reaches it without further settings, because its variables are also set in
this process meanwhile.
"""

import json
import os
import subprocess
import sys

import pytest

# Prints the variables of the environment, and lives until its standard input ends.
HOLD = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"


def pytest_addoption(parser):
    parser.addini("provision_spec", "the spec [default: provision.yaml, or the only file in stacks/]", default="")
    group = parser.getgroup("provision")
    group.addoption(
        "--provision-target",
        choices=["local", "aws"],
        default="local",
        help="where the environment is: on the built-in emulator, or on AWS with the name in PROVISION_ENV (or auto)",
    )


@pytest.fixture(scope="session")
def provision_environment(request):
    """The variables of a running environment: names, ARNs, prefixes, the region and the endpoint."""
    config = request.config
    spec = [str(config.rootpath / config.getini("provision_spec"))] if config.getini("provision_spec") else []
    name = os.environ.get("PROVISION_ENV") or "auto"
    if config.getoption("--provision-target") == "aws" and "PYTEST_XDIST_WORKER" in os.environ:
        # Each worker has a session of its own, and the first to end would delete what all use.
        pytest.fail("workers of pytest-xdist would share one environment on AWS: run pytest without -n", pytrace=False)
    target = ["--local"] if config.getoption("--provision-target") == "local" else ["--env", name]
    program = os.environ.get("PROVISION", "provision")
    command = [program, "with", *spec, *target, "--", sys.executable, "-c", HOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=config.rootpath, text=True, **pipes) as process:
        told = process.stdout.readline()
        if not told:
            pytest.fail(f"provision ended with {process.wait()}: {' '.join(command[:-3])}", pytrace=False)
        variables = json.loads(told)
        changed = {name: value for name, value in variables.items() if os.environ.get(name) != value}
        with pytest.MonkeyPatch.context() as patch:
            # What would lead an SDK elsewhere was taken away for the command, and is here too.
            for name in [name for name in os.environ if name.startswith("AWS_") and name not in variables]:
                patch.delenv(name)
            for name, value in changed.items():
                patch.setenv(name, value)
            yield changed
        process.stdin.close()
        if process.wait() != 0:
            pytest.fail(f"provision ended with {process.returncode} when it deleted the environment", pytrace=False)
