"""An emulator of AWS as the benchmarks see it: a process that is watched, and a client that speaks to it."""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ROLE = "arn:aws:iam::000000000000:role/r"


class Client:
    """Calls on one connection, kept as long as the server keeps it: one that closes it after each answer is called on another."""

    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname, where.port)

    def send(self, service, method, path, body=b"", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()} | {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request, "
            "SignedHeaders=host, Signature=0",
            "X-Amz-Date": "20260101T000000Z",
            "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
        }
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{service} {method} {path} {headers.get('X-Amz-Target', '')}: {answer.status} {text[:300]!r}")
        return text

    def raw(self, operation, body):
        """A call of Kinesis, its body and its answer as they are."""
        target = f"Kinesis_20131202.{operation}"
        return self.send("kinesis", "POST", "/", body, X_Amz_Target=target, Content_Type="application/x-amz-json-1.1")

    def kinesis(self, operation, **members):
        return json.loads(self.raw(operation, json.dumps(members).encode()) or b"{}")

    def firehose(self, operation, **members):
        return json.loads(self.send("firehose", "POST", "/", json.dumps(members).encode(),
                                    X_Amz_Target=f"Firehose_20150804.{operation}") or b"{}")

    def iam(self, **members):
        self.send("iam", "POST", "/", urllib.parse.urlencode(members | {"Version": "2010-05-08"}).encode(),
                  Content_Type="application/x-www-form-urlencoded")

    def local(self, method, path):
        return json.loads(self.send("kinesis", method, f"/_local/{path}"))

    def stream(self, name, shards=1):
        self.kinesis("CreateStream", StreamName=name, ShardCount=shards)
        while self.kinesis("DescribeStreamSummary", StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] != "ACTIVE":
            time.sleep(0.02)

    def role_and_bucket(self):
        """The role `r`, which may do everything, and the bucket `lake`."""
        trust = {"Effect": "Allow", "Principal": {"Service": ["firehose.amazonaws.com", "lambda.amazonaws.com"]},
                 "Action": "sts:AssumeRole"}
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        self.iam(Action="CreateRole", RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        self.iam(Action="PutRolePolicy", RoleName="r", PolicyName="p",
                 PolicyDocument=json.dumps({"Statement": [everything]}))
        self.send("s3", "PUT", "/lake")
        time.sleep(0.3)

    def delivery(self, name, source=None, **destination):
        """A delivery stream from a stream, or to be put to directly, into the bucket's prefix of its name."""
        origin = {"DeliveryStreamType": "DirectPut"}
        if source:
            arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{source}"
            origin = {"DeliveryStreamType": "KinesisStreamAsSource",
                      "KinesisStreamSourceConfiguration": {"KinesisStreamARN": arn, "RoleARN": ROLE}}
        self.firehose("CreateDeliveryStream", DeliveryStreamName=name, **origin, ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake", "Prefix": f"{name}/", "ErrorOutputPrefix": f"bad-{name}/",
        } | destination)

    def keys(self, prefix):
        listed = self.send("s3", "GET", f"/lake?list-type=2&max-keys=1000&prefix={prefix}/").decode()
        return re.findall(r"<Key>([^<]+)</Key>", listed)


class Process:
    """The engine, started here in memory or on a folder of its own; or somebody else's process."""

    def __init__(self, binary=None, folder=None, url=None, pid=None):
        self.child, self.url, self.pid, self.turns = None, url, pid, 0
        if binary:
            where = [str(folder)] if folder else []
            words = ["0", *where]
            if binary.name == "provision":
                words = ["local", "serve", "--port", "0", *(["--data-dir", *where] if folder else ["--memory"])]
            begun = time.perf_counter()
            self.child = subprocess.Popen([binary, *words], stdout=subprocess.PIPE, text=True)
            self.url = re.search(r"http://\S+", self.child.stdout.readline())[0]
            Client(self.url).kinesis("ListStreams")
            self.start_ms = (time.perf_counter() - begun) * 1000
            self.pid = self.child.pid
        self.client = Client(self.url)

    def cpu_us(self):
        """The CPU time of all its threads, to the nanosecond: Linux names the clock of any process so."""
        return time.clock_gettime((~int(self.pid) << 3) | 2) * 1e6

    def anonymous_mib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) / 1024

    def written(self):
        return int(re.search(r"^write_bytes: (\d+)", pathlib.Path(f"/proc/{self.pid}/io").read_text(), re.M)[1])

    def end(self):
        if self.child:
            self.child.terminate()
            self.child.wait()


class Folder:
    """A folder for an engine's data. Not in /tmp, which may be memory: then nothing is counted as written."""

    def __enter__(self):
        TARGET.mkdir(exist_ok=True)
        self.path = pathlib.Path(tempfile.mkdtemp(dir=TARGET))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def build(package, *words):
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", package, *words], cwd=ROOT, check=True)


def engine(given):
    """The binary that was given, or the engine's example, built."""
    if given:
        return given.resolve()
    build("local-cloud", "--example", "serve")
    return (TARGET / "release" / "examples" / "serve").resolve()


def batch(stream, size, count=500, salt=0):
    """The body of a PutRecords call."""
    data = [base64.b64encode(os.urandom(size)).decode() for _ in range(count)]
    records = [{"Data": one, "PartitionKey": f"key-{salt}-{n}"} for n, one in enumerate(data)]
    return json.dumps({"StreamName": stream, "Records": records}).encode()


def show(title, figures, unit="µs CPU a record"):
    print(f"\n{title} ({unit})")
    for name, value in figures.items():
        print(f"  {name:24}{value:10.2f}", flush=True)
