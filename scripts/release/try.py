"""Makes the packages of a binary and uses each in an environment that has nothing else: `try.py BINARY FOLDER`.

The main job is: a new stack, `up`, `verify` and `down` on the emulator. What cannot be tried here is said.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Python, for the example's transform, and Node.js with npm.
TOOLS = Path(sys.executable).parent
# The libraries of gcr.io/distroless/cc: glibc and libgcc.
DISTROLESS = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1"}


def main(binary, out):
    profile(binary)
    shutil.rmtree(out, ignore_errors=True)
    build(binary, out)
    bom = json.loads(next(out.glob("*.cdx.json")).read_text())
    assert len(bom["components"]) > 100 and all("licenses" in one for one in bom["components"]), "the SBOM has gaps"
    with tempfile.TemporaryDirectory() as scratch:
        for check in [again, release, archive, action, wheel, pytest, npm, image]:
            folder = Path(scratch) / check.__name__
            folder.mkdir()
            began = time.monotonic()
            said = check(out.resolve(), folder)
            print(f"  ✓ {check.__name__:<8} {time.monotonic() - began:5.1f} s  {said}")


def profile(binary):
    """The profile `dist` is small, and inherits no client that is not optimised."""
    profiles = tomllib.loads((ROOT / "Cargo.toml").read_text())["profile"]
    forgotten = set(profiles["release"]["package"]) - set(profiles["dist"]["package"])
    assert not forgotten, f"{forgotten} have no level in [profile.dist.package]"
    size = binary.stat().st_size
    assert binary.parent.name != "dist" or size <= 30e6, f"the binary has {size / 1e6:.1f} MB"


def build(binary, out):
    command = [sys.executable, HERE / "build.py", "--binary", binary, "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def again(_, folder):
    """The same binary gives the same packages. A short file stands for it."""
    (folder / "provision").write_bytes(b"GLIBC_2.17 GLIBC_2.34")
    sums = []
    for name in ["one", "two"]:
        build(folder / "provision", folder / name)
        sums.append((folder / name / "SHA256SUMS").read_text())
    assert sums[0] == sums[1], sums
    assert "-py3-none-manylinux_2_34_" in sums[0] or sys.platform != "linux", sums[0]
    return "the same binary gives the same packages"


def release(out, folder):
    """The release workflow: the scripts of its steps, with an npm that only says what it was given."""
    workflow = yaml.safe_load((HERE / "release.yml").read_text())
    action = yaml.safe_load((HERE / "action/action.yml").read_text())
    jobs = [*workflow["jobs"].values(), action["runs"]]
    steps = [step for job in jobs for step in job["steps"]]
    for step in steps:
        script, used = step.get("run", ""), step.get("uses", "")
        assert "${{" not in script, f"an expression in a script may be somebody's text: {script}"
        assert not used or re.fullmatch(r"[\w/-]+@(v\d+|release/v1)", used), f"{used} is not pinned to a major version"
        subprocess.run(["bash", "-n", "-c", script], check=True)
    scripts = {step["name"]: step["run"] for step in steps if "run" in step}
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    run(["bash", "-ec", scripts["version"]], ROOT, GITHUB_REF_NAME=f"v{version}")
    packages = folder / "packages"
    shutil.copytree(out, packages)
    before = (packages / "SHA256SUMS").read_text()
    run(["bash", "-ec", scripts["checksums"]], packages)
    assert sorted((packages / "SHA256SUMS").read_text().splitlines()) == sorted(before.splitlines())
    (folder / "bin").mkdir()
    npm = folder / "bin/npm"
    npm.write_text("#!/bin/sh\necho $*\n")
    npm.chmod(0o755)
    told = run(["bash", "-ec", scripts["npm"]], folder, [npm.parent]).splitlines()
    assert len(told) == 2 and told[1].endswith(f"provision-cli-{version}.tgz"), told
    run(["bash", "-ec", scripts["wheels"]], folder)
    assert len(list((folder / "wheels").glob("*.whl"))) == 1
    return "its steps' scripts were run; nothing was published"


def run(command, folder, path=(), **variables):
    """Runs it with nothing of this environment but where programs are."""
    places = [*map(str, path), "/usr/bin", "/bin"]
    environment = {"PATH": os.pathsep.join(places), "HOME": str(folder), **variables}
    ran = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{command} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def main_job(provision, folder, path=()):
    """Gives the time until the first result of an installed binary."""
    folder = folder / "project"
    folder.mkdir()
    began = time.monotonic()
    path = [*path, TOOLS]
    run([provision, "init", ".", "--transform", "python", "--name", "demo"], folder, path)
    run([provision, "up", "--local"], folder, path)
    told = run([provision, "verify", "--local", "--records", "100"], folder, path)
    assert "every delivery stream accounts for every record" in told, told
    took = time.monotonic() - began
    run([provision, "down", "--local", "--yes"], folder, path)
    return f"first result after {took:.1f} s"


def archive(out, folder):
    """Where `cargo binstall` looks: https://github.com/cargo-bins/cargo-binstall/blob/main/SUPPORT.md"""
    manifest = tomllib.loads((ROOT / "crates/provision/Cargo.toml").read_text())["package"]["metadata"]["binstall"]
    packed = next(out.glob("provision-*.tar.gz"))
    target = packed.name.removeprefix("provision-").removesuffix(".tar.gz")
    words = {"target": target, "bin": "provision", "binary-ext": "", "version": "0", "repo": "https://host/owner/name"}

    def filled(template):
        return re.sub(r"\{ ([a-z-]+) \}", lambda match: words[match[1]], template)

    assert filled(manifest["pkg-url"]) == f"https://host/owner/name/releases/download/v0/{packed.name}"
    run(["tar", "-xzf", packed], folder)
    provision = folder / filled(manifest["bin-dir"])
    return f"{main_job(provision, folder)}, {provision.stat().st_size / 1e6:.1f} MB, {packed.stat().st_size / 1e6:.1f} MB packed"


def action(out, folder):
    """The steps of the GitHub Action, with a folder in the place of GitHub's releases."""
    releases = folder / "releases"
    shutil.copytree(out, releases / "v1.2.3")
    path, project = folder / "path", folder / "project"
    project.mkdir()
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_REF": "v1.2.3",
        "GITHUB_PATH": str(path),
        "RUNNER_TEMP": str(folder),
        "PROVISION_RELEASES": releases.as_uri(),
    }
    run([HERE / "action/install"], folder, **variables)
    places = [path.read_text().strip(), TOOLS]
    run(["provision", "init", ".", "--transform", "python", "--name", "demo"], project, places)
    command = 'test -n "$STREAM_EVENTS_NAME" && provision verify --records 10 > told'
    run([HERE / "action/run"], project, places, RUN=command, LOCAL="true", SPEC="")
    assert "accounts for every record" in (project / "told").read_text()
    # A file that is not what was released is not run.
    next((releases / "v1.2.3").glob("provision-*.tar.gz")).write_bytes(b"something else")
    shutil.rmtree(folder / "provision-1.2.3")
    path.unlink()
    environment = {"PATH": "/usr/bin:/bin", **variables}
    refused = subprocess.run([HERE / "action/install"], env=environment, capture_output=True)
    assert refused.returncode != 0 and not path.exists(), "a wrong checksum was accepted"
    return "installed, run, and a wrong checksum refused"


def venv(folder):
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    return folder / "venv/bin"


def wheel(out, folder):
    programs = venv(folder)
    run([programs / "pip", "install", "--quiet", "--no-index", "--no-deps", next(out.glob("*.whl"))], folder)
    return main_job(programs / "provision", folder, [programs])


def pytest(out, folder):
    """The example, in a virtual environment with pytest, boto3 and the wheel."""
    programs = venv(folder)
    pins = (ROOT / "scripts/requirements.txt").read_text().split()
    wanted = [pin for pin in pins if pin.startswith(("pytest==", "boto3=="))]
    install = [programs / "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The cache of this user: the tools were installed from it.
    subprocess.run([*install, *wanted, next(out.glob("*.whl"))], check=True)
    project = folder / "project"
    project.mkdir()
    run([programs / "provision", "init", ".", "--transform", "python", "--name", "demo"], project, [programs])
    shutil.copy(HERE / "test_example.py", project)
    told = run([programs / "pytest", "-q", "test_example.py"], project, [programs], AWS_PROFILE="elsewhere")
    assert "2 passed" in told, told
    broken = project / "provision.yaml"
    broken.write_text(broken.read_text().replace("shards", "shard"))
    path = f"{programs}:/usr/bin:/bin"
    failed = subprocess.run([programs / "pytest", "-q"], cwd=project, env={"PATH": path}, capture_output=True, text=True)
    assert failed.returncode == 1 and "provision ended with 3" in failed.stdout, failed.stdout
    return told.strip().splitlines()[-1]


def npm(out, folder):
    packages = sorted(out.glob("*.tgz"))
    # Only what is here: the packages of other platforms are optional.
    install = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--omit=optional", *packages]
    run(install, folder, [TOOLS])
    launcher = folder / "node_modules/.bin/provision"
    refused = subprocess.run([launcher, "fly"], env={"PATH": f"{TOOLS}:/usr/bin:/bin"}, capture_output=True)
    assert refused.returncode == 64, "the exit code is not passed on"
    return main_job(launcher, folder, [TOOLS])


def image(out, folder):
    """The image's content as a folder, entered by chroot, where no image can be built."""
    run(["tar", "-xzf", next(out.glob("provision-*.tar.gz"))], folder)
    binary = next(folder.glob("provision-*/provision"))
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run(["readelf", "-d", binary], folder))
    # The loader is named in the list too on some platforms.
    foreign = {name for name in needed if not name.startswith("ld-linux")} - DISTROLESS
    assert not foreign, f"{foreign} are not in distroless/cc"
    root = folder / "root"
    for library in re.findall(r"(/\S+)", run(["ldd", binary], folder)):
        (root / library.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library.lstrip("/"))
    copied = re.findall(r"^COPY (\S+) (\S+)$", (HERE / "Dockerfile").read_text(), re.MULTILINE)
    assert [source for source, _ in copied] == ["provision"], copied
    place = copied[0][1]
    entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", (HERE / "Dockerfile").read_text(), re.MULTILINE)[1])
    assert entry == [place], "what is run is what was copied"
    (root / place.lstrip("/")).parent.mkdir(parents=True)
    shutil.copy(binary, root / place.lstrip("/"))
    for name in ["srv", "tmp", "etc/ssl/certs"]:
        (root / name).mkdir(parents=True)
    # The image has them too.
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs")
    stack = "version: 1\nstack: demo\nstreams: { events: { name: demo-events, shards: 1 } }\nbuckets: { lake: { name: demo-lake } }\n"
    delivery = "{ name: demo-raw, from: events, bucket: lake, good: good/, bad: bad/ }"
    (root / "srv/provision.yaml").write_text(f"{stack}deliveries:\n  raw: {delivery}\n")
    if os.geteuid() != 0:
        return "not run: chroot needs root"
    inside = ["chroot", root, place, "with", "/srv/provision.yaml", "--local", "--", place, "verify", "/srv/provision.yaml"]
    told = run(inside, folder, ["/usr/sbin", "/sbin"])
    assert "every delivery stream accounts for every record" in told, told
    return "run in a chroot with its libraries only; no image was built"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
