// The Runtime API's client for nodejs functions: what AWS's own runtime does, as far as a handler can tell.
const http = require("http"), path = require("path"), fs = require("fs"), url = require("url");

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
