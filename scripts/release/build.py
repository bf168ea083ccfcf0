#!/usr/bin/env python3
"""Makes packages from a built binary: an archive for releases, a wheel, npm packages, checksums and an SBOM.

    scripts/release/build.py --binary target/dist/provision --out packages

Needs nothing but Python and, for the SBOM, cargo. The same binary gives the same packages, byte for byte.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import re
import stat
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# The name on package indexes: `provision` is another project there.
NAME = "provision-cli"
SUMMARY = "Creates and deletes Kinesis, Firehose and Lambda test environments, on AWS or on a built-in emulator"
# Names of the same platform, as Rust, wheels and npm call it.
PLATFORMS = {
    "x86_64-unknown-linux-gnu": ("x86_64", "linux", "x64"),
    "aarch64-unknown-linux-gnu": ("aarch64", "linux", "arm64"),
    "aarch64-apple-darwin": ("macosx_11_0_arm64", "darwin", "arm64"),
}
EPOCH = 315532800  # 1980-01-01, the first day that a zip can name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--target", choices=sorted(PLATFORMS), help="default: this machine's")
    arguments = parser.parse_args()
    target = arguments.target or host()
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    binary = arguments.binary.read_bytes()
    arguments.out.mkdir(parents=True, exist_ok=True)
    packages = {
        f"provision-{target}.tar.gz": archive(binary, target),
        **wheel(binary, version, target),
        **npm(binary, version, target),
        f"provision-{target}.cdx.json": sbom(version, target),
    }
    for name, content in packages.items():
        (arguments.out / name).write_bytes(content)
        print(f"{len(content):>10}  {name}")
    # Also of what other runs put there, so that one list covers all platforms.
    files = sorted(path for path in arguments.out.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (arguments.out / "SHA256SUMS").write_text("".join(sums))


def host():
    lines = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.removeprefix("host: ") for line in lines if line.startswith("host: "))


def tar(files):
    """A gzipped tar of (path, mode, content)."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as out:
        for path, mode, content in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), mode, EPOCH
            out.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def archive(binary, target):
    """What `cargo binstall` and the GitHub Action download; crates/provision/Cargo.toml says where in it the binary is."""
    folder = f"provision-{target}"
    return tar(
        [
            (f"{folder}/provision", 0o755, binary),
            (f"{folder}/LICENSE", 0o644, (ROOT / "LICENSE").read_bytes()),
            (f"{folder}/README.md", 0o644, (ROOT / "README.md").read_bytes()),
        ]
    )


def wheel_platform(binary, target):
    """The oldest glibc that has all versioned symbols that the binary needs: https://peps.python.org/pep-0600/"""
    machine, system, _ = PLATFORMS[target]
    if system != "linux":
        return machine
    versions = [(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", binary)]
    major, minor = max(versions, default=(2, 17))
    return f"manylinux_{major}_{minor}_{machine}"


def wheel(binary, version, target):
    """https://packaging.python.org/en/latest/specifications/binary-distribution-format/"""
    dist, tag = NAME.replace("-", "_"), f"py3-none-{wheel_platform(binary, target)}"
    metadata = (
        f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\nSummary: {SUMMARY}\nLicense: Apache-2.0\n"
        "Requires-Python: >=3.9\n"
    )
    info = f"{dist}-{version}.dist-info"
    files = [
        (f"{dist}-{version}.data/scripts/provision", 0o755, binary),
        ("provision_pytest.py", 0o644, (HERE / "provision_pytest.py").read_bytes()),
        (f"{info}/licenses/LICENSE", 0o644, (ROOT / "LICENSE").read_bytes()),
        (f"{info}/METADATA", 0o644, metadata.encode()),
        (f"{info}/WHEEL", 0o644, f"Wheel-Version: 1.0\nGenerator: build.py\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()),
        (f"{info}/entry_points.txt", 0o644, b"[pytest11]\nprovision = provision_pytest\n"),
    ]
    record = "".join(f"{path},sha256={digest(content)},{len(content)}\n" for path, _, content in files)
    files.append((f"{info}/RECORD", 0o644, f"{record}{info}/RECORD,,\n".encode()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for path, mode, content in files:
            entry = zipfile.ZipInfo(path)
            entry.external_attr, entry.compress_type = (stat.S_IFREG | mode) << 16, zipfile.ZIP_DEFLATED
            out.writestr(entry, content)
    return {f"{dist}-{version}-{tag}.whl": packed.getvalue()}


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def npm(binary, version, target):
    """A package with the binary for one platform, and one that picks the right of them."""
    _, system, processor = PLATFORMS[target]
    common = {"version": version, "license": "Apache-2.0", "description": SUMMARY}
    own = {"name": f"{NAME}-{system}-{processor}", **common, "os": [system], "cpu": [processor]}
    platforms = sorted({f"{NAME}-{system}-{processor}" for _, system, processor in PLATFORMS.values()})
    picks = {
        "name": NAME,
        **common,
        "bin": {"provision": "provision.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {name: version for name in platforms},
    }
    launcher = (HERE / "npm" / "provision.js").read_bytes()
    licence = ("package/LICENSE", 0o644, (ROOT / "LICENSE").read_bytes())

    def manifest(package):
        return ("package/package.json", 0o644, json.dumps(package, indent=2).encode() + b"\n")

    return {
        f"{own['name']}-{version}.tgz": tar([manifest(own), licence, ("package/provision", 0o755, binary)]),
        f"{NAME}-{version}.tgz": tar([manifest(picks), licence, ("package/provision.js", 0o755, launcher)]),
    }


def sbom(version, target):
    """The crates in the binary, from Cargo's own resolution: https://cyclonedx.org/docs/1.5/json/"""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    start = next(id for id, package in packages.items() if package["name"] == "provision")
    edges = {
        id: sorted(dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"]))
        for id, node in nodes.items()
    }
    reached, waiting = set(), [start]
    while waiting:
        id = waiting.pop()
        if id not in reached:
            reached.add(id)
            waiting.extend(edges[id])
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    sums = {(package["name"], package["version"]): package.get("checksum") for package in locked}

    def reference(id):
        return f"pkg:cargo/{packages[id]['name']}@{packages[id]['version']}"

    def component(id):
        package = packages[id]
        described = {
            "type": "library",
            "bom-ref": reference(id),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(id),
        }
        if package["license"]:
            # Some crates still write the slash of old.
            described["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := sums.get((package["name"], package["version"])):
            described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return described

    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**component(start), "type": "application", "version": version}},
        "components": [component(id) for id in sorted(reached - {start}, key=reference)],
        "dependencies": [
            {"ref": reference(id), "dependsOn": sorted({reference(dep) for dep in edges[id]})}
            for id in sorted(reached, key=reference)
        ],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


if __name__ == "__main__":
    main()
