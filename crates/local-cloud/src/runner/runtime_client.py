# The Runtime API's client for python3.x functions: what AWS's own runtime does, as far as a handler can tell.
import http.client, importlib, importlib.machinery, json, logging, os, sys, time, traceback, types

# AWS's runtimes have the SDK and what it needs: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
BUNDLED = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"}


class OfThisMachine:
    """Finds the packages of this machine that AWS's runtimes have too, after those of the function. It hides all others."""

    def __init__(self):
        library = os.path.dirname(os.__file__)
        own = os.environ.get("PYTHONPATH", "").split(os.pathsep)

        def stays(path):
            return path in own or path in ("", library) or path.endswith(".zip") or os.path.basename(path) == "lib-dynload"

        self.folders = [path for path in sys.path if not stays(path)]
        sys.path[:] = [path for path in sys.path if stays(path)]
        # Lines of .pth files may have imported packages and installed finders.
        standard = importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, importlib.machinery.PathFinder
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder in standard] + [self]
        inside = tuple(folder + os.sep for folder in self.folders)
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(inside):
                del sys.modules[name]

    def has(self, name):
        return importlib.machinery.PathFinder.find_spec(name, self.folders)

    def find_spec(self, name, path=None, target=None):
        return self.has(name) if path is None and name in BUNDLED else None

    def advice(self, error):
        """What to do about a module that was not found."""
        name = (getattr(error, "name", None) or "").partition(".")[0]
        if name in BUNDLED and not self.has(name):
            return f"AWS's runtime has {name}, and this machine has not: pip install {name}"
        if name and self.has(name):
            return f"{name} is installed on this machine, but it is not in the function's package: name it in requirements.txt"


machine = OfThisMachine()
API, PREFIX = os.environ["AWS_LAMBDA_RUNTIME_API"], "/2018-06-01/runtime/"
connection = http.client.HTTPConnection(API)


def call(method, path, body=None, headers={}):
    connection.request(method, PREFIX + path, body, headers)
    response = connection.getresponse()
    return response.headers, response.read()


def encode(value):
    if isinstance(value, bytes):  # as simplejson does in AWS's runtime
        return value.decode("utf-8")
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def failure(kind, message, frames, request_id=""):
    document = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": frames}
    return json.dumps(document).encode()


class Log(logging.Handler):
    """What a handler logs, as AWS's runtime writes it."""

    request_id = ""

    def __init__(self):
        super().__init__()
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        self.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
        self.formatter.converter = time.gmtime

    def emit(self, record):
        record.aws_request_id = self.request_id
        print(self.format(record))


def client_context(header):
    if header is None:
        return None
    given = types.SimpleNamespace(**{"client": None, "custom": None, "env": None, **json.loads(header)})
    if given.client is not None:
        given.client = types.SimpleNamespace(**given.client)
    return given


class Context:
    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = client_context(headers["Lambda-Runtime-Client-Context"])
        self.deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self.deadline_ms - int(time.time() * 1000))


def load():
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    module, _, function = os.environ["_HANDLER"].rpartition(".")
    frames, failed = [], None
    try:
        return getattr(importlib.import_module(module.replace("/", ".")), function)
    except ImportError as error:
        failed = error
        kind, message = "Runtime.ImportModuleError", f"Unable to import module '{module}': {error}"
    except AttributeError:
        kind, message = "Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'"
    except Exception as error:
        kind, message, frames = type(error).__name__, str(error), traceback.format_tb(error.__traceback__)[1:]
        traceback.print_exc()
    print(f"[ERROR] {kind}: {message}")
    advise(failed)
    call("POST", "init/error", failure(kind, message, frames))
    sys.exit(1)


def advise(error):
    advice = machine.advice(error) if isinstance(error, ImportError) else None
    if advice:
        print(f"[{advice}]")


def run(handler, headers, event):
    try:
        return "response", json.dumps(handler(json.loads(event), Context(headers)), default=encode).encode()
    except Exception as error:
        frames = traceback.format_exception(error)
        print("[ERROR]", "".join(frames))
        advise(error)
        # Without this file.
        return "error", failure(type(error).__name__, str(error), frames[2:-1], log.request_id)


log = Log()
logging.getLogger().addHandler(log)
handler = load()
while True:
    headers, event = call("GET", "invocation/next")
    log.request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    outcome, body = run(handler, headers, event)
    call("POST", f"invocation/{log.request_id}/{outcome}", body)
