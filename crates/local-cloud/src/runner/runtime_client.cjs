// The Runtime API's client for nodejs functions: what AWS's own runtime does, as far as a handler can tell.
const http = require("http"), path = require("path"), fs = require("fs"), url = require("url");

// A function gets the packages in its zip. Of this machine's it gets the AWS SDK, which AWS's runtimes have too: from NODE_PATH
// (the last argument) and the folder of global packages. https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
const Module = require("module"), root = fs.realpathSync(process.env.LAMBDA_TASK_ROOT) + path.sep;
const paths = (text) => (text || "").split(path.delimiter).filter(Boolean);
const own = [root, ...paths(process.env.NODE_PATH)];
const isOwn = (file) => own.some((folder) => file.startsWith(folder));
const machine = [...paths(process.argv[1]), path.resolve(process.execPath, "../../lib/node_modules")];
const isPackage = (specifier) => !/^([./#]|file:|data:|node:)/.test(specifier);
const isSdk = (specifier) => /^@(aws-sdk|smithy)\//.test(specifier);

function resolve(specifier, context, next) {
  const isOfFunction = !context.parentURL || !context.parentURL.startsWith("file:") || isOwn(url.fileURLToPath(context.parentURL));
  if (!isPackage(specifier) || !isOfFunction) return next(specifier, context);
  let wrong;
  try {
    const found = next(specifier, context);
    if (!found.url.startsWith("file:") || isOwn(url.fileURLToPath(found.url))) return found;
    const where = url.fileURLToPath(found.url);
    wrong = Object.assign(new Error(`Cannot find package '${specifier}' in the function's zip; this machine has it in ${where}`), { code: "ERR_MODULE_NOT_FOUND" });
  } catch (error) {
    wrong = error;
  }
  const sdk = isSdk(specifier) && Module._findPath(specifier, machine, false);
  if (sdk) return { url: url.pathToFileURL(sdk).href, shortCircuit: true };
  throw wrong;
}

if (Module.registerHooks) {
  Module.registerHooks({ resolve });
} else {
  // Node.js before 22.15: for `require` only.
  const folders = Module._resolveLookupPaths;
  Module._resolveLookupPaths = (request, parent) => {
    const found = folders(request, parent);
    const isOfFunction = !parent || !parent.filename || isOwn(parent.filename);
    if (!found || !isPackage(request) || !isOfFunction) return found;
    return [...found.filter((folder) => isOwn(folder + path.sep)), ...(isSdk(request) ? machine : [])];
  };
}

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, route, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method, agent, path: "/2018-06-01/runtime/" + route }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

function failure(error) {
  const known = error instanceof Error;
  const trace = known && error.stack ? error.stack.split("\n") : [];
  const document = { errorType: known ? error.name : typeof error, errorMessage: known ? error.message : String(error), trace };
  console.error(new Date().toISOString() + "\tERROR\tInvoke Error\t" + JSON.stringify(document));
  return JSON.stringify(document);
}

async function load() {
  const [, folder, module, name] = /^(.*?)([^/.]+)\.(.+)$/.exec(process.env._HANDLER) || [, "", "", ""];
  const stem = path.resolve(process.env.LAMBDA_TASK_ROOT, folder, module);
  const file = [".js", ".mjs", ".cjs"].map((end) => stem + end).find((file) => fs.existsSync(file));
  const wrong = (name, message) => Object.assign(new Error(message), { name });
  if (!file) throw wrong("Runtime.ImportModuleError", `Error: Cannot find module '${module}'`);
  const loaded = await import(url.pathToFileURL(file).href);
  const find = (from) => name.split(".").reduce((value, key) => (value == null ? value : value[key]), from);
  const handler = find(loaded) ?? find(loaded.default);
  if (typeof handler !== "function") throw wrong("Runtime.HandlerNotFound", `${process.env._HANDLER} is undefined or not exported`);
  return handler;
}

function context(headers, done) {
  const env = process.env, deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const given = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    identity: undefined,
    clientContext: given ? JSON.parse(given) : undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done, succeed: (value) => done(null, value), fail: (error) => done(error),
  };
}

function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error == null ? resolve(value) : reject(error));
    const returned = handler(event, context(headers, done), done);
    if (returned && typeof returned.then === "function") returned.then(resolve, reject);
    else if (handler.length < 3 && returned !== undefined) resolve(returned);
  });
}

(async () => {
  let handler;
  try {
    handler = await load();
  } catch (error) {
    await call("POST", "init/error", failure(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, body } = await call("GET", "invocation/next");
    const id = headers["lambda-runtime-aws-request-id"];
    let outcome, answer;
    try {
      const value = await run(handler, JSON.parse(body), headers);
      [outcome, answer] = ["response", value === undefined ? "null" : JSON.stringify(value)];
    } catch (error) {
      [outcome, answer] = ["error", failure(error)];
    }
    await call("POST", `invocation/${id}/${outcome}`, answer);
  }
})().catch(() => process.exit(1));
